// why_slow.h: where the time of slow turns went in the last hour, by cause, and the last slow turns
// themselves: LATENCY WHY, and a part of LATENCY DOCTOR. It also completes the records of the slow
// log with what happened after their commands had ended.
//
//   minutes   | 21:40 | 21:41 | ... | 22:39 |    a ring: what an hour has passed over is forgotten
//   last      newest slow turn, the one before, ...    at most 128
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>

#include "commands/server/command_log.h"
#include "engine/engine.h"
#include "engine/slow_turns.h"
#include "resp/reply.h"

namespace roxdb::commands {

class WhySlow final : public engine::SlowTurns {
 public:
  static constexpr size_t kMinutes = 60;

  struct Total {
    uint64_t turns = 0;
    uint64_t sum_ns = 0;
    uint64_t worst_ns = 0;

    void add(uint64_t ns);
    void add(const Total& other);
  };
  struct Totals {
    Total all;  // of whole turns
    std::array<Total, engine::kCauses> causes;
  };
  // A slow turn; or something outside of turns, with no requests.
  struct Entry {
    int64_t time_s;  // Unix epoch
    uint64_t serial;
    uint64_t duration_ns;
    uint64_t requests;
    std::string command;  // the slowest one that was slow by itself: "config|set"; empty: none was
    uint64_t command_ns;
    engine::Breakdown why;
  };

  // Provides itself as a service. Both must outlive this.
  WhySlow(engine::Engine& engine, SlowLog& slow_log);

  void on_slow_turn(const engine::SlowTurn& turn) override;
  void on_log_sync(uint64_t serial, uint64_t waited_ns) override;
  void on_stall(engine::Cause cause, uint64_t duration_ns) override;

  Totals totals() const;                                   // of the last kMinutes
  const std::deque<Entry>& last() const { return last_; }  // the newest first
  void reset();

 private:
  struct Minute {
    int64_t number = -1;  // since the epoch
    Totals totals;
  };

  int64_t minute_now() const;
  Totals& totals_now();
  void note(Entry entry);

  engine::Engine& engine_;
  SlowLog& slow_log_;
  std::array<Minute, kMinutes> minutes_;
  std::deque<Entry> last_;
  uint64_t log_again_ns_ = 0;  // monotonic: until then nothing is written to the server's log
};

// A map of causes, each a map of its microseconds and count.
void reply_breakdown(resp::Reply& reply, const engine::Breakdown& why);
// "executing 298.1 ms, log-write 12.0 ms": what took the most first.
std::string text_of(const engine::Breakdown& why);
// For people: where the time went and what helps. Empty when nothing was slow.
std::string why_slow_report(const WhySlow& why_slow);

}  // namespace roxdb::commands
