#include "commands/server/latency_monitor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/numbers.h"

namespace roxdb::commands {
namespace {

constexpr size_t kSamplesMax = 160;
constexpr uint64_t kNsPerMs = 1'000'000;

}  // namespace

LatencyMonitor::LatencyMonitor(engine::Engine& engine) : engine_(engine) {
  engine.settings.add_integer("latency-monitor-threshold", &threshold_ms_, 0, INT64_MAX).apply =
      [this](std::string&) {
        apply_threshold();
        return true;
      };
  engine.services.provide<engine::LatencyEvents>(this);
}

LatencyMonitor::~LatencyMonitor() { engine_.stop_observing(this); }

void LatencyMonitor::apply_threshold() {
  if (threshold_ms_ == 0) return engine_.stop_observing(this);
  const uint64_t ns =
      std::min(static_cast<uint64_t>(threshold_ms_), UINT64_MAX / kNsPerMs) * kNsPerMs;
  engine_.observe(this, ns, [this](const engine::Execution& execution) {
    const bool is_fast = (execution.command.spec->flags & engine::kFast) != 0;
    report(is_fast ? "fast-command" : "command", execution.duration_ns);
  });
}

void LatencyMonitor::report(std::string_view name, uint64_t duration_ns) {
  const auto ms = static_cast<int64_t>(duration_ns / kNsPerMs);
  if (threshold_ms_ == 0 || ms < threshold_ms_) return;
  const auto place = events_.find(name);
  Event& event = place != events_.end() ? place->second : events_[std::string(name)];
  const int64_t now_s = engine_.environment().now_ms() / 1000;
  event.highest_ms = std::max(event.highest_ms, ms);
  event.sum_ms += ms;
  event.count++;
  if (!event.samples.empty() && event.samples.back().time_s == now_s) {
    int64_t& worst = event.samples.back().duration_ms;
    worst = std::max(worst, ms);
    return;
  }
  if (event.samples.size() == kSamplesMax) event.samples.pop_front();
  event.samples.push_back({now_s, ms});
}

bool LatencyMonitor::reset(std::string_view event) {
  const auto place = events_.find(event);
  if (place == events_.end()) return false;
  events_.erase(place);
  return true;
}

size_t LatencyMonitor::reset() {
  const size_t count = events_.size();
  events_.clear();
  return count;
}

// ---- for people ----

namespace {

struct Extremes {
  int64_t low_ms;
  int64_t high_ms;
};

Extremes extremes_of(const LatencyMonitor::Event& event) {
  const auto [low, high] = std::minmax_element(
      event.samples.begin(), event.samples.end(),
      [](const auto& a, const auto& b) { return a.duration_ms < b.duration_ms; });
  return {low->duration_ms, high->duration_ms};
}

// "12s", "3m", "5h", "2d"
std::string age_text(int64_t seconds) {
  constexpr int64_t kMinute = 60;
  constexpr int64_t kHour = 60 * kMinute;
  constexpr int64_t kDay = 24 * kHour;
  if (seconds < kMinute) return fmt::format("{}s", seconds);
  if (seconds < kHour) return fmt::format("{}m", seconds / kMinute);
  if (seconds < kDay) return fmt::format("{}h", seconds / kHour);
  return fmt::format("{}d", seconds / kDay);
}

}  // namespace

std::string latency_graph(const LatencyMonitor::Event& event, std::string_view name,
                          int64_t now_s) {
  constexpr int64_t kRows = 4;
  constexpr std::string_view kTops = "_o#";  // a third of a row, two thirds, all of it
  constexpr auto kSteps = static_cast<int64_t>(kTops.size());
  const Extremes extremes = extremes_of(event);
  std::string out = fmt::format("{} - high {} ms, low {} ms (all time high {} ms)\n", name,
                                extremes.high_ms, extremes.low_ms, event.highest_ms);
  out.append(80, '-');
  out += '\n';

  std::vector<std::string> rows(kRows, std::string(event.samples.size(), ' '));
  std::vector<std::string> ages;
  size_t age_rows = 0;
  for (size_t i = 0; i < event.samples.size(); ++i) {
    const auto& sample = event.samples[i];
    const int64_t range = std::max<int64_t>(1, extremes.high_ms - extremes.low_ms);
    // The lowest sample is one step high, the highest fills all rows.
    const int64_t height =
        1 + (sample.duration_ms - extremes.low_ms) * (kRows * kSteps - 1) / range;
    const int64_t full_rows = (height - 1) / kSteps;
    for (int64_t row = 0; row < full_rows; ++row)
      rows[static_cast<size_t>(kRows - 1 - row)][i] = '|';
    rows[static_cast<size_t>(kRows - 1 - full_rows)][i] =
        kTops[static_cast<size_t>((height - 1) % kSteps)];
    ages.push_back(age_text(now_s - sample.time_s));
    age_rows = std::max(age_rows, ages.back().size());
  }
  for (const std::string& row : rows) out += row + "\n";
  out += '\n';
  for (size_t row = 0; row < age_rows; ++row) {
    for (const std::string& age : ages) out += row < age.size() ? age[row] : ' ';
    out += '\n';
  }
  return out;
}

namespace {

struct Advice {
  std::string_view event;
  std::string_view text;
};

// What usually is behind an event, and what helps.
constexpr Advice kAdvice[] = {
    {"command",
     "Look at SLOWLOG for the commands that took so long: KEYS, SORT and ranges over big "
     "collections have gentler relatives (SCAN, smaller ranges)."},
    {"fast-command",
     "Commands that are cheap by nature were slow: the machine itself was busy, "
     "short of memory or swapping. Look at the load and at swap space."},
    {"fork",
     "Starting a snapshot or a rewrite takes longer the more memory is mapped. Take fewer of "
     "them, or split the data over several servers."},
    {"expire-cycle",
     "Very many keys expire at the same moment. Add some randomness to the times "
     "that you set."},
    {"eviction-cycle", "Keys are evicted while commands wait. Raise maxmemory, or write less."},
    {"aof-write",
     "The disk did not take the log at once. See what else writes to it, and whether "
     "no-appendfsync-on-rewrite would do."},
    {"aof-fsync-always",
     "With appendfsync always every reply waits for the disk: a faster one, or "
     "everysec."},
};

}  // namespace

std::string latency_report(const engine::Engine& engine, const LatencyMonitor& monitor) {
  if (monitor.threshold_ms() == 0 && monitor.events().empty()) {
    return "Nothing is measured: the latency monitor is off. Switch it on with 'CONFIG SET "
           "latency-monitor-threshold <milliseconds>', and ask again after a while.\n";
  }
  if (monitor.events().empty()) {
    return fmt::format("All is well: since the start nothing has taken {} ms or more.\n",
                       monitor.threshold_ms());
  }
  std::string out = "These events kept clients waiting:\n\n";
  int number = 0;
  for (const auto& [name, event] : monitor.events()) {
    const auto count = static_cast<double>(event.samples.size());
    double sum = 0;
    for (const auto& sample : event.samples) sum += static_cast<double>(sample.duration_ms);
    const double mean = sum / count;
    double deviation = 0;
    for (const auto& sample : event.samples) {
      deviation += std::abs(static_cast<double>(sample.duration_ms) - mean);
    }
    const auto span =
        static_cast<double>(event.samples.back().time_s - event.samples.front().time_s);
    fmt::format_to(std::back_inserter(out),
                   "{}. {}: {} latency spikes (average {:.0f}ms, mean deviation {:.0f}ms, period "
                   "{:.2f} sec). Worst all time event {}ms.\n",
                   ++number, name, event.samples.size(), mean, deviation / count,
                   std::max(1.0, span / count), event.highest_ms);
  }
  out += "\nWhat may help:\n\n";
  for (const Advice& advice : kAdvice) {
    if (monitor.events().contains(advice.event)) out += fmt::format("- {}\n", advice.text);
  }
  const engine::Setting* const slow_log = engine.settings.find("slowlog-log-slower-than");
  if (slow_log != nullptr) {
    const int64_t slower_us = parse_int64(slow_log->get()).value_or(-1);
    if (slower_us < 0 || slower_us / 1000 > monitor.threshold_ms()) {
      out += fmt::format(
          "- The slow log does not keep commands as short as those counted here: 'CONFIG SET "
          "slowlog-log-slower-than {}' would.\n",
          monitor.threshold_ms() * 1000);
    }
  }
  return out;
}

}  // namespace roxdb::commands
