#include "net/listeners.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "net/address.h"
#include "net/connection.h"
#include "net/tls_connection.h"

namespace roxdb::net {
namespace {

constexpr uint64_t kRestMs = 100;
constexpr uint64_t kErrorLogMs = 1000;

constexpr std::string_view kTooManyClients = "-ERR max number of clients reached\r\n";
constexpr std::string_view kDenied =
    "-DENIED The server is in protected mode: without a password for the "
    "default user it accepts "
    "connections from its own machine only. To let others in, do one of these: "
    "set a password "
    "(requirepass); start the server with '--protected-mode no'; or send "
    "'CONFIG SET "
    "protected-mode no' from the server's machine. Make sure first that the "
    "server cannot be "
    "reached from the internet.\r\n";

void set_option(int socket, int level, int name, int value) {
  // Of use when it works, of no harm when it does not.
  static_cast<void>(::setsockopt(socket, level, name, &value, sizeof value));
}

void set_keepalive(int socket, int seconds) {
  if (seconds <= 0) return;
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, std::max(1, seconds / 3));
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

// Whether an address that may be missing ('-') is missing for a reason that '-' is there for.
bool is_unavailable(int error) {
  return error == EADDRNOTAVAIL || error == ENOPROTOOPT || error == EPROTONOSUPPORT ||
         error == ESOCKTNOSUPPORT || error == EPFNOSUPPORT || error == EAFNOSUPPORT;
}

// Errors of accept() that concern the one connection it would have been.
bool concerns_one_connection(int error) {
  return error == ECONNABORTED || error == EPROTO || error == EINTR || error == EPERM ||
         error == ENETDOWN || error == ENOPROTOOPT || error == EHOSTDOWN || error == ENONET ||
         error == EHOSTUNREACH || error == EOPNOTSUPP || error == ENETUNREACH;
}

int open_reserve() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

// A bound TCP socket, or -1 with errno.
int bind_tcp(const addrinfo& where) {
  const int descriptor =
      ::socket(where.ai_family, where.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
  if (where.ai_family == AF_INET6) set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (::bind(descriptor, where.ai_addr, where.ai_addrlen) == 0) return descriptor;
  const int error = errno;
  ::close(descriptor);
  errno = error;
  return -1;
}

// Whether a server listens on this unix socket: a file of the same name may be a dead one's.
bool is_alive(const sockaddr_un& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const bool alive =
      ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return alive;
}

}  // namespace

Listeners::Listener::~Listener() {
  poll.reset();
  ::close(descriptor);
}

Listeners::Listeners(Loop& loop, engine::Engine& engine, server::Clients& clients,
                     server::Turn& turn, server::Authentication& authentication)
    : loop_(loop),
      engine_(engine),
      clients_(clients),
      turn_(turn),
      authentication_(authentication),
      tls_(loop, engine),
      reserve_(open_reserve()),
      rest_timer_(make_handle<uv_timer_t>(loop.handle(), uv_timer_init, this)) {
  register_settings();
  engine.info.add("server", [this](engine::InfoWriter& out) { write_info(out); });
  tls_.on_open = [this](server::Client& client, const TlsSession& session) {
    on_tls_open(client, session);
  };
}

Listeners::~Listeners() { close(); }

void Listeners::stop_listening() {
  tcp_.clear();
  tls_listeners_.clear();
  if (unix_ != nullptr) ::unlink(unix_path_.c_str());
  unix_.reset();
}

void Listeners::close() {
  stop_listening();
  tls_.close();
  rest_timer_.reset();
  if (reserve_ >= 0) ::close(reserve_);
  reserve_ = -1;
}

std::string Listeners::first_address() const {
  if (!tcp_.empty()) return tcp_.front()->address;
  if (!tls_listeners_.empty()) return tls_listeners_.front()->address;
  return unix_ != nullptr ? unix_path_ : "";
}

// "listener0:name=tcp,bind=127.0.0.1,bind=-::1,port=6379", one line for each kind that is open.
void Listeners::write_info(engine::InfoWriter& out) const {
  int count = 0;
  const auto write = [&](std::string_view name, const std::vector<std::string>& binds,
                         int64_t port) {
    std::string text = fmt::format("name={}", name);
    for (const std::string& bind : binds) text += fmt::format(",bind={}", bind);
    if (port != 0) text += fmt::format(",port={}", port);
    out.field(fmt::format("listener{}", count++), text);
  };
  if (!tcp_.empty()) write("tcp", addresses_, port_);
  if (unix_ != nullptr) write("unix", {unix_path_}, 0);
  if (!tls_listeners_.empty()) write("tls", addresses_, tls_port_);
}

// ---- listening ----

Status Listeners::open() {
  for (const Kind kind : {Kind::kTcp, Kind::kTls}) {
    const char* const name = kind == Kind::kTls ? "tls" : "tcp";
    if (const Status status = open_tcp(kind, opened(kind)); !status.ok()) {
      engine_.log().warning("Failed listening on port {} ({}), aborting.", port_of(kind), name);
      return status;
    }
  }
  if (!unix_path_.empty()) ROX_TRY(open_unix());
  if (tcp_.empty() && tls_listeners_.empty() && unix_ == nullptr) {
    engine_.log().warning("Configured to not listen anywhere, exiting.");
    return io_error(EADDRNOTAVAIL, "listen");
  }
  is_open_ = true;
  return kOk;
}

// Everything that the settings say of one kind; nothing when its port is 0.
Status Listeners::open_tcp(Kind kind, Opened& opened) {
  if (kind == Kind::kTls) tls_.set_on(tls_port_ != 0);
  if (port_of(kind) == 0) return kOk;
  if (std::string why; kind == Kind::kTls && !tls_.make_ready(why)) {
    engine_.log().warning("Failed to configure TLS: {}", why);
    return io_error(EINVAL, "TLS");
  }
  for (const std::string& address : addresses_) ROX_TRY(open_address(address, kind, opened));
  return kOk;
}

Status Listeners::open_address(const std::string& address, Kind kind, Opened& opened) {
  const int64_t port = port_of(kind);
  const bool is_optional = address.starts_with('-');
  std::string host = is_optional ? address.substr(1) : address;
  addrinfo hints{};
  hints.ai_family = host.find(':') != std::string::npos ? AF_INET6 : AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  if (host == "*" || host == "::*") {
    hints.ai_family = host == "*" ? AF_INET : AF_INET6;
    host = host == "*" ? "0.0.0.0" : "::";
  }
  addrinfo* found = nullptr;
  const int lookup_error =
      ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, freeaddrinfo);
  int error = lookup_error == 0 ? 0 : EADDRNOTAVAIL;
  for (const addrinfo* where = found; where != nullptr; where = where->ai_next) {
    const int descriptor = bind_tcp(*where);
    if (descriptor < 0) {
      error = errno;
      continue;
    }
    ROX_TRY(std::unique_ptr<Listener> listener,
            listen(descriptor, kind, fmt::format("{}:{}", host, port)));
    opened.push_back(std::move(listener));
    return kOk;
  }
  if (is_optional && is_unavailable(error)) return kOk;
  engine_.log().warning("Could not create server TCP listening socket {}:{}: {}", host, port,
                        lookup_error != 0 ? gai_strerror(lookup_error) : std::strerror(error));
  return io_error(error, "bind");
}

Status Listeners::open_unix() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto failed = [this](const char* what) {
    const int error = errno;
    engine_.log().warning("Failed opening Unix socket: {} {}: {}", what, unix_path_,
                          std::strerror(error));
    return io_error(error, "unixsocket");
  };
  if (unix_path_.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return failed("bind");
  }
  std::memcpy(address.sun_path, unix_path_.c_str(), unix_path_.size() + 1);
  if (is_alive(address)) {
    errno = EADDRINUSE;
    return failed("bind");
  }
  ::unlink(unix_path_.c_str());

  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return failed("socket");
  // Never wider than asked, not even for a moment (S10): others get no rights before chmod().
  const mode_t umask_before = ::umask(077);
  const int bound = ::bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address);
  ::umask(umask_before);
  if (bound < 0 || (unix_permissions_ != 0 && ::chmod(unix_path_.c_str(), unix_permissions_) < 0)) {
    const Status status = failed("bind");
    ::close(descriptor);
    return status;
  }
  ROX_TRY(unix_, listen(descriptor, Kind::kUnix, unix_path_));
  return kOk;
}

// Takes over a bound socket and waits for connections on it.
Result<std::unique_ptr<Listeners::Listener>> Listeners::listen(int descriptor, Kind kind,
                                                               std::string address) {
  std::unique_ptr<Listener> listener(
      new Listener{this, descriptor, kind, std::move(address), nullptr});
  if (::listen(descriptor, static_cast<int>(backlog_)) < 0) {
    const int error = errno;
    engine_.log().warning("listen: {}: {}", listener->address, std::strerror(error));
    return io_error(error, "listen");
  }
  auto handle = std::make_unique<uv_poll_t>();
  if (const int error = uv_poll_init(loop_.handle(), handle.get(), descriptor); error < 0) {
    return io_error(-error, "uv_poll_init");
  }
  listener->poll.reset(handle.release());
  listener->poll->data = listener.get();
  poll(*listener);
  return listener;
}

void Listeners::poll(Listener& listener) {
  uv_poll_start(listener.poll.get(), UV_READABLE, [](uv_poll_t* handle, int, int) {
    auto* const ready = static_cast<Listener*>(handle->data);
    if (ready != nullptr) ready->owner->on_ready(*ready);
  });
}

// ---- accepting ----

void Listeners::on_ready(Listener& listener) {
  const int64_t accepts_max = listener.kind == Kind::kTls ? tls_accepts_max_ : accepts_max_;
  for (int64_t i = 0; i < accepts_max; ++i) {
    const int socket =
        ::accept4(listener.descriptor, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) {
      add(socket, listener);
      continue;
    }
    const int error = errno;
    if (error == EAGAIN || error == EWOULDBLOCK) return;
    if (concerns_one_connection(error)) continue;
    log_accept_error(error);
    const bool no_descriptor = error == EMFILE || error == ENFILE;
    if (!no_descriptor || !refuse_with_reserve(listener)) return rest();
  }
}

void Listeners::add(int socket, const Listener& listener) {
  const bool is_unix = listener.kind == Kind::kUnix;
  server::Peer peer = is_unix ? server::Peer{.address = listener.address + ":0",
                                             .local_address = listener.address + ":0",
                                             .is_local = true,
                                             .is_unix_socket = true}
                              : tcp_peer(socket);
  if (clients_.full()) return refuse(socket, listener.kind, kTooManyClients);
  if (listener.kind != Kind::kTls && is_denied(peer)) {
    return refuse(socket, listener.kind, kDenied);
  }
  if (!is_unix) {
    set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    set_keepalive(socket, static_cast<int>(keepalive_seconds_));
  }
  Result<std::unique_ptr<SocketLink>> opened = open_link(socket, listener.kind);
  if (!opened.ok()) {
    log_accept_error(opened.status().os_error);
    ::close(socket);
    return;
  }
  SocketLink& link = **opened;
  server::Client& client = clients_.add(*std::move(opened), std::move(peer));
  authentication_.greet(client);
  engine_.log().verbose("Accepted {}", client.peer.address);
  if (const Status started = link.start(turn_, client); !started.ok()) {
    log_accept_error(started.os_error);
    clients_.close(client);
  }
}

Result<std::unique_ptr<SocketLink>> Listeners::open_link(int socket, Kind kind) {
  if (kind == Kind::kTls) {
    ROX_TRY(std::unique_ptr<TlsConnection> link, TlsConnection::open(loop_.handle(), socket, tls_));
    return std::unique_ptr<SocketLink>(std::move(link));
  }
  ROX_TRY(std::unique_ptr<Connection> link,
          Connection::open(loop_.handle(), socket, kind == Kind::kUnix));
  return std::unique_ptr<SocketLink>(std::move(link));
}

bool Listeners::is_denied(const server::Peer& peer) const {
  return protected_mode_ && !authentication_.is_required() && !peer.is_local;
}

// What a client without TLS went through when it was accepted.
void Listeners::on_tls_open(server::Client& client, const TlsSession& session) {
  if (is_denied(client.peer)) {
    ++clients_.statistics.connections_rejected;
    turn_.push(client, kDenied, {});
    return clients_.close_after_replies(client);
  }
  authentication_.log_in_by_certificate(client, tls_.users_of(session));
}

// Tells a peer why and closes its socket. Nobody waits: what the socket does not take is lost.
void Listeners::refuse(int socket, Kind kind, std::string_view why) {
  ++clients_.statistics.connections_rejected;
  if (kind != Kind::kTls) {
    [[maybe_unused]] const ssize_t ignored = ::write(socket, why.data(), why.size());
  }
  ::close(socket);
}

// Descriptors have run out: the reserve makes room for one, who is told and let go, so that peers
// see an answer and not a connection that hangs. False: the reserve is lost too.
bool Listeners::refuse_with_reserve(const Listener& listener) {
  if (reserve_ < 0) reserve_ = open_reserve();
  if (reserve_ < 0) return false;
  ::close(reserve_);
  const int socket = ::accept4(listener.descriptor, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket >= 0) refuse(socket, listener.kind, kTooManyClients);
  reserve_ = open_reserve();
  return reserve_ >= 0;
}

// The system is short of something that takes a moment to come back; asking it again at once would
// be all that we do.
void Listeners::rest() {
  for_each([](Listener& listener) { uv_poll_stop(listener.poll.get()); });
  const auto on_timer = [](uv_timer_t* timer) {
    auto* const self = static_cast<Listeners*>(timer->data);
    if (self != nullptr) self->for_each([self](Listener& listener) { self->poll(listener); });
  };
  uv_timer_start(rest_timer_.get(), on_timer, kRestMs, 0);
}

void Listeners::log_accept_error(int error) {
  if (loop_.now_ms() - error_logged_ms_ < kErrorLogMs && error_logged_ms_ != 0) return;
  error_logged_ms_ = loop_.now_ms();
  engine_.log().warning("Accepting client connection: {}", std::strerror(error));
}

// ---- settings ----

// Listens where the settings now say.
bool Listeners::reopen(Kind kind, std::string& why) {
  if (!is_open_) return true;
  if (std::string reason; kind == Kind::kTls && tls_port_ != 0 && !tls_.make_ready(reason)) {
    why = "Unable to update TLS configuration: " + reason;
    return false;
  }
  // An address that stays the same can only be bound again once it is free.
  opened(kind).clear();
  Opened fresh;
  const Status status = open_tcp(kind, fresh);
  if (status.ok()) opened(kind) = std::move(fresh);
  why = "Unable to listen on this port. Check server logs.";
  return status.ok();
}

void Listeners::register_settings() {
  using engine::Setting;
  engine::Settings& settings = engine_.settings;
  settings.add_integer("port", &port_, 0, 65535).apply = [this](std::string& why) {
    return reopen(Kind::kTcp, why);
  };
  settings.add_integer("tls-port", &tls_port_, 0, 65535).apply = [this](std::string& why) {
    return reopen(Kind::kTls, why);
  };

  Setting bind;
  bind.name = "bind";
  bind.flags = Setting::kWords;
  bind.get = [this] { return fmt::format("{}", fmt::join(addresses_, " ")); };
  bind.set = [this](std::span<const std::string> words, std::string& why) {
    constexpr size_t kAddressesMax = 16;
    if (words.size() > kAddressesMax) {
      why = "Too many bind addresses specified.";
      return false;
    }
    addresses_.assign(words.begin(), words.end());
    return true;
  };
  bind.apply = [this](std::string& why) {
    if (reopen(Kind::kTcp, why) && reopen(Kind::kTls, why)) return true;
    why = "Failed to bind to specified addresses.";
    return false;
  };
  settings.add(std::move(bind));

  settings.add_string("unixsocket", &unix_path_, Setting::kImmutable);
  Setting permissions;
  permissions.name = "unixsocketperm";
  permissions.flags = Setting::kImmutable;
  permissions.get = [this] { return fmt::format("{:o}", unix_permissions_); };
  permissions.set = [this](std::span<const std::string> words, std::string& why) {
    unsigned value = 0;
    const std::string& word = words[0];
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, 8);
    if (error != std::errc() || end != word.data() + word.size() || value > 0777) {
      why = "argument couldn't be parsed as an octal number";
      return false;
    }
    unix_permissions_ = value;
    return true;
  };
  settings.add(std::move(permissions));

  constexpr int64_t kAcceptsMax = 1000;
  settings.add_integer("max-new-connections-per-cycle", &accepts_max_, 1, kAcceptsMax);
  settings.add_integer("max-new-tls-connections-per-cycle", &tls_accepts_max_, 1, kAcceptsMax);
  settings.add_integer("tcp-backlog", &backlog_, 0, INT32_MAX, Setting::kImmutable);
  settings.add_integer("tcp-keepalive", &keepalive_seconds_, 0, INT32_MAX);
  settings.add_bool("protected-mode", &protected_mode_);
}

}  // namespace roxdb::net
