// listeners.h: where connections come in. TCP addresses and one unix socket; each accepted socket
// becomes a Connection with a Client, or is told why not and closed.
//
// We accept ourselves instead of letting libuv do it, because its accept loop never ends while the
// system refuses (reliability E14, CVE-2025-48367). Here an error of one connection skips that one;
// when descriptors have run out, a reserved one is used to accept, refuse and close; when memory
// has, listening rests for a moment.
#pragma once

#include <uv.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "net/handle.h"
#include "net/loop.h"
#include "server/authentication.h"
#include "server/clients.h"
#include "server/session.h"

namespace roxdb::net {

class Listeners {
 public:
  // Registers port, bind, unixsocket and the other settings of sockets. All must outlive this.
  Listeners(Loop& loop, engine::Engine& engine, server::Clients& clients, server::Turn& turn,
            const server::Authentication& authentication);
  ~Listeners();
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  // Listens on everything that is configured. Code::kIo: nothing listens, the log says why.
  Status open();

  void close();

  int64_t port() const { return port_; }
  const std::string& unix_path() const { return unix_path_; }
  // "127.0.0.1:6379", "/run/roxdb.sock" or "": where the first one listens.
  std::string first_address() const;

 private:
  // One listening socket. The poll handle must be closed before the descriptor.
  struct Listener {
    Listeners* owner;
    int descriptor;
    bool is_unix;
    std::string address;
    UvPtr<uv_poll_t> poll;
    ~Listener();
  };
  using Opened = std::vector<std::unique_ptr<Listener>>;

  void register_settings();
  bool reopen_tcp(std::string& why);
  Status open_tcp(Opened& opened);
  Status open_address(const std::string& address, Opened& opened);
  Status open_unix();
  Result<std::unique_ptr<Listener>> listen(int descriptor, bool is_unix, std::string address);
  void on_ready(Listener& listener);
  void add(int socket, const Listener& listener);
  bool refuse_with_reserve(int descriptor);
  void poll(Listener& listener);
  void rest();
  void log_accept_error(int error);
  template <class Visit>
  void for_each(Visit visit) {
    for (const auto& listener : tcp_) visit(*listener);
    if (unix_ != nullptr) visit(*unix_);
  }

  Loop& loop_;
  engine::Engine& engine_;
  server::Clients& clients_;
  server::Turn& turn_;
  const server::Authentication& authentication_;

  int64_t port_ = 6379;
  std::vector<std::string> addresses_ = {"127.0.0.1", "-::1"};
  int64_t backlog_ = 511;
  int64_t keepalive_seconds_ = 300;
  bool protected_mode_ = true;
  std::string unix_path_;
  unsigned unix_permissions_ = 0;

  bool is_open_ = false;
  Opened tcp_;
  std::unique_ptr<Listener> unix_;
  int reserve_ = -1;  // a descriptor for the day when there are no more
  UvPtr<uv_timer_t> rest_timer_;
  uint64_t error_logged_ms_ = 0;
};

}  // namespace roxdb::net
