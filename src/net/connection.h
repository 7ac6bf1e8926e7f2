// connection.h: one socket, as a client's link.
//
//   readable --> on_alloc: Turn::space_for --> on_read: Turn::received      bytes in
//   Turn --> send(): uv_try_write --all taken--> done                       bytes out
//                          '--not all--> unsent: uv_write after uv_write until empty
//
// on_alloc/on_read and try_send/write_unsent are the only two places where bytes pass: what comes
// between a socket and its client (TLS) belongs there.
#pragma once

#include <uv.h>

#include <deque>
#include <memory>
#include <variant>

#include "base/status.h"
#include "net/handle.h"
#include "server/link.h"
#include "server/session.h"

namespace roxdb::net {

class Connection final : public server::Link {
 public:
  // Takes over an accepted, non-blocking socket. Code::kIo: it is still the caller's.
  static Result<std::unique_ptr<Connection>> open(uv_loop_t* loop, int socket, bool is_unix);
  ~Connection() override;

  // Reads for `client` from now on; both live until this connection dies.
  Status start(server::Turn& turn, server::Client& client);

  void send(resp::OutputBuffer& output) override;
  size_t unsent_bytes() const override;
  size_t unsent_pieces() const override;
  int descriptor() const override;
  size_t memory_bytes() const override;

 private:
  using Socket = std::variant<UvPtr<uv_tcp_t>, UvPtr<uv_pipe_t>>;

  // Output that the socket did not take. The front of `outputs` is being written; libuv holds on
  // to it and to the request until its callback, also when the connection is gone by then.
  struct Unsent {
    uv_write_t request;
    Connection* owner;  // null: gone
    std::deque<resp::OutputBuffer> outputs;
    size_t bytes = 0;          // of all outputs
    size_t being_written = 0;  // of the front
  };

  explicit Connection(Socket socket);
  uv_stream_t* stream() const;
  bool try_send(resp::OutputBuffer& output);
  void write_unsent();
  void on_written(int error);
  void fail();

  Socket socket_;
  server::Turn* turn_ = nullptr;
  server::Client* client_ = nullptr;
  std::unique_ptr<Unsent> unsent_;  // null: all is sent
};

}  // namespace roxdb::net
