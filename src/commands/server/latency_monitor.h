// latency_monitor.h: what made clients wait for latency-monitor-threshold or longer, by kind of
// event: of each the worst of every second, the last 160 of them. 0 switches it off, and then it
// costs nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "engine/latency_events.h"

namespace roxdb::commands {

class LatencyMonitor final : public engine::LatencyEvents {
 public:
  struct Sample {
    int64_t time_s;  // Unix epoch
    int64_t duration_ms;
  };
  struct Event {
    std::deque<Sample> samples;  // the oldest first
    int64_t highest_ms = 0;      // ever, as the next two
    int64_t sum_ms = 0;
    int64_t count = 0;
  };
  using Events = std::map<std::string, Event, std::less<>>;

  // Registers its settings with `engine`, observes it and provides itself as a service; `engine`
  // must outlive this.
  explicit LatencyMonitor(engine::Engine& engine);
  ~LatencyMonitor();

  void report(std::string_view event, uint64_t duration_ns) override;

  int64_t threshold_ms() const { return threshold_ms_; }  // 0: off
  const Events& events() const { return events_; }
  // Forgets an event; false when there was none of that name.
  bool reset(std::string_view event);
  size_t reset();  // all; returns how many

 private:
  void apply_threshold();

  engine::Engine& engine_;
  int64_t threshold_ms_ = 0;
  Events events_;
};

// An event's samples as a chart of text lines, with how long ago each was below it.
std::string latency_graph(const LatencyMonitor::Event& event, std::string_view name, int64_t now_s);
// What stands out in all of them, and what may help, for people.
std::string latency_report(const engine::Engine& engine, const LatencyMonitor& monitor);

}  // namespace roxdb::commands
