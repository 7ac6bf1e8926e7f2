// metrics_server.h: the page that Prometheus reads: GET /metrics over HTTP, on a port of its own
// (metrics-port), bound to this machine unless metrics-bind says otherwise. It knows just enough
// HTTP for that, answers one request per connection and is never in the way of clients: the text is
// made when asked for, at most kScrapersMax ask at a time, and each has kDeadlineMs for all of it,
// or less when it says nothing and others want its place.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include "engine/engine.h"
#include "net/handle.h"
#include "net/loop.h"

namespace roxdb::net {

class MetricsServer {
 public:
  // Registers metrics-port and metrics-bind; listens while the port is not 0. `text` makes the
  // page. All must outlive this.
  MetricsServer(Loop& loop, engine::Engine& engine, std::function<std::string()> text);
  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  void close();

 private:
  struct Scraper;

  bool listen(std::string& why);
  void wait();
  void on_ready();
  std::string answer_to(std::string_view request) const;
  template <class Owner>
  UvPtr<uv_poll_t> make_poll(int descriptor, Owner* owner);

  Loop& loop_;
  const std::function<std::string()> text_;
  int64_t port_ = 0;
  std::string address_ = "127.0.0.1";
  int descriptor_ = -1;
  UvPtr<uv_poll_t> poll_;
  UvPtr<uv_timer_t> rest_;  // after an error of accept()
  std::list<std::unique_ptr<Scraper>> scrapers_;
};

}  // namespace roxdb::net
