#include "net/metrics_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace roxdb::net {
namespace {

constexpr size_t kScrapersMax = 16;
constexpr size_t kRequestBytesMax = 8u << 10;
constexpr uint64_t kDeadlineMs = 5000;
constexpr uint64_t kRestMs = 1000;

std::string response(std::string_view status, std::string_view type, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      status, type, body.size(), body);
}

bool is_for_later(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

bool is_complete(std::string_view request) {
  return request.find("\r\n\r\n") != std::string_view::npos ||
         request.find("\n\n") != std::string_view::npos;
}

}  // namespace

// One connection: reads a request, writes the answer, closes. The poll handle must be closed before
// the descriptor.
struct MetricsServer::Scraper {
  MetricsServer& owner;
  const int descriptor;
  UvPtr<uv_poll_t> poll;
  UvPtr<uv_timer_t> deadline;
  std::string request = {};
  std::string answer = {};
  size_t sent = 0;

  Scraper(MetricsServer& server, int socket)
      : owner(server),
        descriptor(socket),
        poll(server.make_poll(socket, this)),
        deadline(make_handle<uv_timer_t>(server.loop_.handle(), uv_timer_init, this)) {
    uv_timer_start(
        deadline.get(),
        [](uv_timer_t* timer) {
          if (timer->data != nullptr) static_cast<Scraper*>(timer->data)->end();
        },
        kDeadlineMs, 0);
    watch(UV_READABLE);
  }
  ~Scraper() {
    poll.reset();
    ::close(descriptor);
  }

  void watch(int events) {
    if (poll == nullptr) return;  // no memory: the deadline will end it
    uv_poll_start(poll.get(), events, [](uv_poll_t* handle, int, int) {
      if (handle->data != nullptr) static_cast<Scraper*>(handle->data)->on_ready();
    });
  }
  // The scraper is gone when this returns.
  void end() {
    owner.scrapers_.remove_if([this](const auto& one) { return one.get() == this; });
  }

  void on_ready() {
    if (answer.empty()) {
      char bytes[1024];
      const ssize_t size = ::read(descriptor, bytes, sizeof bytes);
      if (size < 0 && is_for_later(errno)) return;
      if (size <= 0) return end();
      request.append(bytes, static_cast<size_t>(size));
      if (!is_complete(request)) {
        if (request.size() > kRequestBytesMax) end();
        return;
      }
      answer = owner.answer_to(request);
      watch(UV_WRITABLE);
    }
    const ssize_t size = ::write(descriptor, answer.data() + sent, answer.size() - sent);
    if (size < 0 && is_for_later(errno)) return;
    if (size > 0) sent += static_cast<size_t>(size);
    if (size < 0 || sent == answer.size()) end();
  }
};

MetricsServer::MetricsServer(Loop& loop, engine::Engine& engine, std::function<std::string()> text)
    : loop_(loop),
      text_(std::move(text)),
      rest_(make_handle<uv_timer_t>(loop.handle(), uv_timer_init, this)) {
  const auto apply = [this](std::string& why) { return listen(why); };
  engine.settings.add_integer("metrics-port", &port_, 0, 65535).apply = apply;
  engine.settings.add_string("metrics-bind", &address_).apply = apply;
}

MetricsServer::~MetricsServer() { close(); }

void MetricsServer::close() {
  scrapers_.clear();
  poll_.reset();
  rest_.reset();
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

std::string MetricsServer::answer_to(std::string_view request) const {
  if (request.starts_with("GET /metrics ") || request.starts_with("GET /metrics?")) {
    return response("200 OK", "text/plain; version=0.0.4; charset=utf-8", text_());
  }
  if (request.starts_with("GET ")) {
    return response("404 Not Found", "text/plain", "The figures are at /metrics.\n");
  }
  return response("405 Method Not Allowed", "text/plain", "Only GET is understood.\n");
}

template <class Owner>
UvPtr<uv_poll_t> MetricsServer::make_poll(int descriptor, Owner* owner) {
  auto handle = std::make_unique<uv_poll_t>();
  if (uv_poll_init(loop_.handle(), handle.get(), descriptor) < 0) return nullptr;
  handle->data = owner;
  return UvPtr<uv_poll_t>(handle.release());
}

bool MetricsServer::listen(std::string& why) {
  poll_.reset();
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  if (port_ == 0) return true;
  sockaddr_in6 six{};
  sockaddr_in four{};
  const bool is_six = address_.find(':') != std::string::npos;
  const int family = is_six ? AF_INET6 : AF_INET;
  void* const bytes = is_six ? static_cast<void*>(&six.sin6_addr) : &four.sin_addr;
  if (::inet_pton(family, address_.c_str(), bytes) != 1) {
    why = "metrics-bind must be an IP address";
    return false;
  }
  six.sin6_family = AF_INET6;
  four.sin_family = AF_INET;
  six.sin6_port = four.sin_port = htons(static_cast<uint16_t>(port_));
  const auto* const where =
      is_six ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four);
  const socklen_t size = is_six ? sizeof six : sizeof four;
  constexpr int kBacklog = 16;
  const int yes = 1;
  descriptor_ = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0 ||
      ::setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
      ::bind(descriptor_, where, size) < 0 || ::listen(descriptor_, kBacklog) < 0) {
    why = fmt::format("cannot listen on {}:{}: {}", address_, port_, std::strerror(errno));
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
    return false;
  }
  poll_ = make_poll(descriptor_, this);
  wait();
  return true;
}

void MetricsServer::wait() {
  if (poll_ == nullptr) return;
  uv_poll_start(poll_.get(), UV_READABLE, [](uv_poll_t* handle, int, int) {
    if (handle->data != nullptr) static_cast<MetricsServer*>(handle->data)->on_ready();
  });
}

// One connection for each time that the loop says there are some: nobody is in a hurry here.
void MetricsServer::on_ready() {
  const int socket = ::accept4(descriptor_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket < 0) {
    if (is_for_later(errno)) return;
    // Whatever it is (no descriptors, no memory), asking again at once would not help.
    uv_poll_stop(poll_.get());
    uv_timer_start(
        rest_.get(),
        [](uv_timer_t* timer) {
          if (timer->data != nullptr) static_cast<MetricsServer*>(timer->data)->wait();
        },
        kRestMs, 0);
    return;
  }
  if (scrapers_.size() >= kScrapersMax) {
    // Who has not asked yet makes room for who may, the one that has had the most time first.
    const auto silent = std::find_if(scrapers_.begin(), scrapers_.end(),
                                     [](const auto& one) { return one->answer.empty(); });
    if (silent == scrapers_.end()) {
      ::close(socket);
      return;
    }
    scrapers_.erase(silent);
  }
  scrapers_.push_back(std::make_unique<Scraper>(*this, socket));
}

}  // namespace roxdb::net
