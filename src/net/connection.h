// connection.h: one socket, as the link of a client that speaks RESP over it as it is.
//
//   readable --> on_alloc: Turn::space_for --> on_read: Turn::received      bytes in
//   Turn --> send() --> SocketLink::write()                                 bytes out
//
// A client that speaks through TLS has a TlsConnection (tls_connection.h).
#pragma once

#include <memory>

#include "base/status.h"
#include "net/socket_link.h"

namespace roxdb::net {

class Connection final : public SocketLink {
 public:
  // Takes over an accepted, non-blocking socket. Code::kIo: it is still the caller's.
  static Result<std::unique_ptr<Connection>> open(uv_loop_t* loop, int socket, bool is_unix);

  Status start(server::Turn& turn, server::Client& client) override;
  void send(resp::OutputBuffer& output) override { write(output); }

 private:
  using SocketLink::SocketLink;
};

}  // namespace roxdb::net
