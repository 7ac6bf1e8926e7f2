// socket_link.h: a client's link over one socket, but for what its bytes mean: the handle, and the
// output that the socket does not take at once.
//
//   write(): uv_try_write --all taken--> done
//               '--not all--> unsent: uv_write after uv_write until empty --> on_all_sent()
//
// What passes here are the socket's bytes: Connection's are the client's own, TlsConnection's are
// encrypted.
#pragma once

#include <uv.h>

#include <memory>
#include <variant>

#include "base/status.h"
#include "net/backlog.h"
#include "net/handle.h"
#include "server/link.h"
#include "server/session.h"

namespace roxdb::net {

class SocketLink : public server::Link {
 public:
  ~SocketLink() override;
  SocketLink(const SocketLink&) = delete;
  SocketLink& operator=(const SocketLink&) = delete;

  // Reads for `client` from now on; both live until this link dies.
  virtual Status start(server::Turn& turn, server::Client& client) = 0;

  size_t unsent_bytes() const override;
  size_t unsent_pieces() const override;
  int descriptor() const override;
  size_t memory_bytes() const override;

 protected:
  using Handle = std::variant<UvPtr<uv_tcp_t>, UvPtr<uv_pipe_t>>;

  // Takes over an accepted, non-blocking socket. Code::kIo: it is still the caller's.
  static Result<Handle> open_handle(uv_loop_t* loop, int socket, bool is_unix);
  // The handle's data is this SocketLink.
  explicit SocketLink(Handle handle);

  void serve(server::Turn& turn, server::Client& client);
  uv_stream_t* stream() const;
  server::Turn& turn() const { return *turn_; }
  server::Client& client() const { return *client_; }

  // Sends all of `output` as Link::send() does.
  void write(resp::OutputBuffer& output);
  // Sends what the socket takes now and drops the rest, whatever goes wrong: the last words.
  void write_last(resp::OutputBuffer& output);
  // The peer is gone, or the network between us: nothing can be read or sent any more.
  void fail() { turn_->lost(*client_); }
  // All that write() had kept is sent.
  virtual void on_all_sent() { turn_->sent(*client_); }

 private:
  // Output that the socket did not take. The front of `outputs` is being written; libuv holds on to
  // it and to the request until its callback, also when the link is gone by then.
  struct Unsent {
    uv_write_t request;
    SocketLink* owner;  // null: gone
    Backlog outputs;
    size_t being_written = 0;  // of the front
  };

  bool try_write(resp::OutputBuffer& output);
  void write_unsent();
  void on_written(int error);

  Handle handle_;
  server::Turn* turn_ = nullptr;
  server::Client* client_ = nullptr;
  std::unique_ptr<Unsent> unsent_;  // null: all is sent
};

}  // namespace roxdb::net
