// slow_turns.cc: what the engine does when a command or a turn was slow, and where it notes what it
// will say then.
#include "engine/slow_turns.h"

#include <algorithm>

#include "base/cycle_clock.h"
#include "engine/engine.h"
#include "engine/latency_events.h"

namespace roxdb::engine {
namespace {

// Of one page that came from a disk: taken for a good one's.
constexpr uint64_t kReadPageNs = 100'000;
// While a child shares our pages, the system is asked for the count of faults at most this often,
// some 100 us: what faulted longer before a slow command is not blamed on it.
constexpr uint64_t kFaultsEveryCycles = 1u << 18;
// Nobody notices less outside of turns; with a threshold of 0 each tick would be told of.
constexpr uint64_t kStallNsMin = 1'000'000;

}  // namespace

void Engine::begin_turn(const Batch& batch, size_t requests) {
  refresh_clock();
  const uint64_t began = side_work.began(SideWork::Span::kCommand);
  side_work.begin(SideWork::Span::kTurn, began);
  turn_ = {.batch = &batch, .requests = requests, .serial = ++turns_, .began = began};
  if (freeze_access && slow_cycles_ != UINT64_MAX && began - page_faults_at_ > kFaultsEveryCycles) {
    page_faults_ = page_faults();
    page_faults_at_ = began;
  }
}

void Engine::end_turn(uint64_t executed_at, uint64_t logged_at) {
  const uint64_t ended_at = cycles_now();
  if (ended_at - turn_.began >= slow_cycles_) [[unlikely]]
    report_slow_turn(executed_at, logged_at, ended_at);
  turn_ = {};
}

// What has faulted since the last look at it is side work of the spans that run.
void Engine::note_page_faults() {
  const PageFaults now = page_faults();
  const uint64_t copied = freeze_access ? now.minor - page_faults_.minor : 0;
  const uint64_t read = now.major - page_faults_.major;
  page_faults_ = now;
  page_faults_at_ = cycles_now();
  if (copied + read == 0) return;
  const double read_cycles = static_cast<double>(read * kReadPageNs) / observed_ns_per_cycle_;
  side_work.add(Cause::kPageFaults, copied * page_copy_cycles_ + static_cast<uint64_t>(read_cycles),
                copied + read);
}

// Of a span that took so many cycles. Page faults are an estimate: never more than what is left.
Breakdown Engine::breakdown(SideWork::Span span, uint64_t began, uint64_t cycles) const {
  Breakdown why;
  uint64_t left = cycles;
  for (const Cause cause : {Cause::kTableSplit, Cause::kExpiry, Cause::kEviction, Cause::kFork,
                            Cause::kLogSync, Cause::kPageFaults}) {
    const SideWork::Amount amount = side_work.of(span, began, cause);
    const uint64_t part = std::min(amount.cycles, left);
    left -= part;
    why[cause] = {ns_of(part), amount.count};
  }
  why[Cause::kExecuting] = {ns_of(left), 1};
  return why;
}

void Engine::report(Session& session, const Prepared& prepared, uint64_t began, uint64_t cycles) {
  Execution execution{.command = *prepared.command,
                      .session = session,
                      .args = prepared.args,
                      .duration_ns = ns_of(cycles),
                      .turn = turn_.serial};
  if (cycles >= slow_cycles_) explain(execution, began, cycles);
  for (const Observer& one : observers_) {
    if (execution.duration_ns >= one.threshold_ns) one.call(execution);
  }
}

// Of a slow command: where its time went, and what it did to the turn.
void Engine::explain(Execution& execution, uint64_t began, uint64_t cycles) {
  note_page_faults();
  const bool is_request = unit_depth_ == 0;
  const SideWork::Span span = is_request ? SideWork::Span::kRequest : SideWork::Span::kCommand;
  execution.why = breakdown(span, began, cycles);
  if (turn_.batch != nullptr && is_request) {
    const size_t position = turn_.batch->position();
    execution.why[Cause::kWaiting] = {ns_of(began - turn_.began), position};
    if (const size_t behind = turn_.requests - position - 1; behind > 0) {
      turn_.waited_cycles = began + cycles - turn_.began;
      turn_.waiting = std::max<uint64_t>(turn_.waiting, behind);
    }
    if (cycles >= turn_.slowest_cycles) {
      turn_.slowest = &execution.command;
      turn_.slowest_cycles = cycles;
    }
  }
}

void Engine::report_slow_turn(uint64_t executed_at, uint64_t logged_at, uint64_t ended_at) {
  note_page_faults();
  // The parts of the turn behind the commands have names of their own, apart from side work there.
  SlowTurn turn{.serial = turn_.serial,
                .duration_ns = ns_of(ended_at - turn_.began),
                .requests = turn_.requests,
                .slowest = turn_.slowest,
                .slowest_ns = ns_of(turn_.slowest_cycles),
                .why = breakdown(SideWork::Span::kTurn, turn_.began, ended_at - turn_.began)};
  uint64_t left_ns = turn.why[Cause::kExecuting].ns;
  const uint64_t synced_ns = turn.why[Cause::kLogSync].ns;
  const uint64_t forked_ns = turn.why[Cause::kFork].ns;
  const uint64_t reply_ns = std::min(ns_of(ended_at - logged_at), left_ns);
  left_ns -= reply_ns;
  uint64_t log_ns = ns_of(logged_at - executed_at);
  log_ns -= std::min(log_ns, synced_ns + forked_ns);
  log_ns = std::min(log_ns, left_ns);
  turn.why[Cause::kReply] = {reply_ns, 1};
  turn.why[Cause::kLogWrite] = {log_ns, 1};
  turn.why[Cause::kExecuting].ns = left_ns - log_ns;
  turn.why[Cause::kWaiting] = {ns_of(turn_.waited_cycles), turn_.waiting};
  report_latency(services, "aof-write", log_ns);
  if (auto* const listener = services.find<SlowTurns>()) listener->on_slow_turn(turn);
}

void Engine::stalled(Cause cause, uint64_t duration_ns) {
  if (turn_.batch != nullptr) {
    side_work.add(cause,
                  static_cast<uint64_t>(static_cast<double>(duration_ns) / observed_ns_per_cycle_));
  } else if (duration_ns >= std::max(slow_ns(), kStallNsMin)) {
    if (auto* const listener = services.find<SlowTurns>()) listener->on_stall(cause, duration_ns);
  }
}

void Engine::evicted(uint64_t cycles) {
  side_work.add(Cause::kEviction, cycles);
  if (cycles >= slow_cycles_) report_latency(services, "eviction-cycle", ns_of(cycles));
}

void Engine::forked(uint64_t duration_ns) {
  page_copy_cycles_ = page_probe_.measure();
  page_faults_ = page_faults();
  report_latency(services, "fork", duration_ns);
  stalled(Cause::kFork, duration_ns);
}

}  // namespace roxdb::engine
