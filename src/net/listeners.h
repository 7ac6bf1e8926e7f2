// listeners.h: where connections come in. TCP addresses, with TLS or without, and one unix socket;
// each accepted socket becomes a Connection or a TlsConnection with a Client, or is told why not
// and closed. Who speaks TLS can be told nothing before the handshake.
//
// We accept ourselves instead of letting libuv do it, because its accept loop never ends while the
// system refuses (reliability E14, CVE-2025-48367). Here an error of one connection skips that one;
// when descriptors have run out, a reserved one is used to accept, refuse and close; when memory
// has, listening rests for a moment.
#pragma once

#include <uv.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "net/handle.h"
#include "net/loop.h"
#include "net/socket_link.h"
#include "net/tls.h"
#include "server/authentication.h"
#include "server/clients.h"
#include "server/session.h"

namespace roxdb::net {

class Listeners {
 public:
  // Registers port, tls-port, bind, unixsocket and the other settings of sockets. All must outlive
  // this.
  Listeners(Loop& loop, engine::Engine& engine, server::Clients& clients, server::Turn& turn,
            server::Authentication& authentication);
  ~Listeners();
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  // Listens on everything that is configured. Code::kIo: nothing listens, the log says why.
  Status open();

  // Whoever connects from now on is refused.
  void stop_listening();
  // Gives everything back. REQUIRES: there is no client any more.
  void close();

  int64_t port() const { return port_; }
  int64_t tls_port() const { return tls_port_; }
  const std::string& unix_path() const { return unix_path_; }
  // "127.0.0.1:6379", "/run/roxdb.sock" or "": where the first one listens.
  std::string first_address() const;

 private:
  enum class Kind : uint8_t { kTcp, kTls, kUnix };
  // One listening socket. The poll handle must be closed before the descriptor.
  struct Listener {
    Listeners* owner;
    int descriptor;
    Kind kind;
    std::string address;
    UvPtr<uv_poll_t> poll;
    ~Listener();
  };
  using Opened = std::vector<std::unique_ptr<Listener>>;

  void register_settings();
  void write_info(engine::InfoWriter& out) const;
  bool reopen(Kind kind, std::string& why);
  Status open_tcp(Kind kind, Opened& opened);
  Status open_address(const std::string& address, Kind kind, Opened& opened);
  Status open_unix();
  Result<std::unique_ptr<Listener>> listen(int descriptor, Kind kind, std::string address);
  Opened& opened(Kind kind) { return kind == Kind::kTls ? tls_listeners_ : tcp_; }
  int64_t port_of(Kind kind) const { return kind == Kind::kTls ? tls_port_ : port_; }
  void on_ready(Listener& listener);
  void add(int socket, const Listener& listener);
  Result<std::unique_ptr<SocketLink>> open_link(int socket, Kind kind);
  bool is_denied(const server::Peer& peer) const;
  void on_tls_open(server::Client& client, const TlsSession& session);
  void refuse(int socket, Kind kind, std::string_view why);
  bool refuse_with_reserve(const Listener& listener);
  void poll(Listener& listener);
  void rest();
  void log_accept_error(int error);
  template <class Visit>
  void for_each(Visit visit) {
    for (const auto& listener : tcp_) visit(*listener);
    for (const auto& listener : tls_listeners_) visit(*listener);
    if (unix_ != nullptr) visit(*unix_);
  }

  Loop& loop_;
  engine::Engine& engine_;
  server::Clients& clients_;
  server::Turn& turn_;
  server::Authentication& authentication_;
  Tls tls_;

  int64_t port_ = 6379;
  int64_t tls_port_ = 0;
  std::vector<std::string> addresses_ = {"127.0.0.1", "-::1"};
  int64_t backlog_ = 511;
  int64_t keepalive_seconds_ = 300;
  // Of one turn of the loop at one socket, so that a storm of connects stops nobody: the others
  // wait in the backlog.
  int64_t accepts_max_ = 10;
  int64_t tls_accepts_max_ = 1;
  bool protected_mode_ = true;
  std::string unix_path_;
  unsigned unix_permissions_ = 0;

  bool is_open_ = false;
  Opened tcp_;
  Opened tls_listeners_;
  std::unique_ptr<Listener> unix_;
  int reserve_ = -1;  // a descriptor for the day when there are no more
  UvPtr<uv_timer_t> rest_timer_;
  uint64_t error_logged_ms_ = 0;
};

}  // namespace roxdb::net
