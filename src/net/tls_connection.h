// tls_connection.h: one socket, as the link of a client that speaks through TLS.
//
//   readable --> Tls::read_buffer --> TlsSession --> Turn::space_for, Turn::received    bytes in
//   Turn --> send() --> TlsSession::seal --> SocketLink::write()                        bytes out
//               '-- the socket has not taken what is sealed: waiting, still plain
//
// What comes in is decrypted straight to where plain bytes would have been read, and at once: no
// bytes wait in here for a client to go on (reliability S7: one that dies while it is read for ends
// the reading, and nothing is left to be delivered). What goes out is sealed in slices, each when
// the socket has taken the one before, so that a client that does not read costs no second copy of
// its big values and no time to encrypt them.
#pragma once

#include <memory>

#include "base/status.h"
#include "net/handshakes.h"
#include "net/socket_link.h"
#include "net/tls.h"
#include "net/tls_session.h"

namespace roxdb::net {

class TlsConnection final : public SocketLink {
 public:
  // Takes over an accepted, non-blocking socket. On an error it is still the caller's. `tls` must
  // outlive the connection. REQUIRES: tls.make_ready() was true.
  static Result<std::unique_ptr<TlsConnection>> open(uv_loop_t* loop, int socket, Tls& tls);
  // Says goodbye, unless something is still unsent.
  ~TlsConnection() override;

  // The handshake begins; Tls::on_open tells when it is done.
  Status start(server::Turn& turn, server::Client& client) override;

  void send(resp::OutputBuffer& output) override;
  size_t unsent_bytes() const override;
  size_t unsent_pieces() const override;
  size_t memory_bytes() const override;

  // --- for Handshakes --------------------------------------------------------------------------

  Handshakes::Ticket handshake;
  void resume();
  void time_out();

 private:
  TlsConnection(Handle socket, std::unique_ptr<TlsSession> session, Tls& tls);

  Status read();
  void on_bytes(std::string_view bytes);
  bool shake_hands();
  void read_client();
  bool seal_and_send(resp::OutputBuffer& output);
  void send_sealed();
  void on_all_sent() override;
  void lose(std::string_view what);

  Tls& tls_;
  const std::unique_ptr<TlsSession> session_;
  Backlog waiting_;  // not sealed yet
};

}  // namespace roxdb::net
