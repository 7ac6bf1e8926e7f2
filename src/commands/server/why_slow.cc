#include "commands/server/why_slow.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace roxdb::commands {
namespace {

using engine::Breakdown;
using engine::Cause;
using engine::kCauses;
using engine::Share;

constexpr size_t kLastMax = 128;
constexpr uint64_t kLogEveryNs = 1'000'000'000;
constexpr uint64_t kNsPerUs = 1'000;
constexpr int64_t kMsPerMinute = 60'000;

double ms(uint64_t ns) { return static_cast<double>(ns) / 1e6; }

}  // namespace

void WhySlow::Total::add(uint64_t ns) {
  ++turns;
  sum_ns += ns;
  worst_ns = std::max(worst_ns, ns);
}

void WhySlow::Total::add(const Total& other) {
  turns += other.turns;
  sum_ns += other.sum_ns;
  worst_ns = std::max(worst_ns, other.worst_ns);
}

WhySlow::WhySlow(engine::Engine& engine, SlowLog& slow_log) : engine_(engine), slow_log_(slow_log) {
  engine.services.provide<engine::SlowTurns>(this);
}

void WhySlow::on_slow_turn(const engine::SlowTurn& turn) {
  for (const Cause cause : {Cause::kLogWrite, Cause::kReply}) {
    slow_log_.complete(turn.serial, cause, turn.why[cause]);
  }
  const Share& synced = turn.why[Cause::kLogSync];
  if (synced.count > 0) slow_log_.complete(turn.serial, Cause::kLogSync, synced);
  note({.time_s = engine_.environment().now_ms() / 1000,
        .serial = turn.serial,
        .duration_ns = turn.duration_ns,
        .requests = turn.requests,
        .command = turn.slowest != nullptr ? turn.slowest->full_name : std::string(),
        .command_ns = turn.slowest_ns,
        .why = turn.why});
}

void WhySlow::on_log_sync(uint64_t serial, uint64_t waited_ns) {
  slow_log_.complete(serial, Cause::kLogSync, {waited_ns, 1});
  const auto of_turn = std::find_if(last_.begin(), last_.end(),
                                    [serial](const Entry& one) { return one.serial == serial; });
  if (of_turn == last_.end() || serial == 0) {
    Entry entry{.time_s = engine_.environment().now_ms() / 1000,
                .serial = serial,
                .duration_ns = waited_ns,
                .requests = 0,
                .command = {},
                .command_ns = 0,
                .why = {}};
    entry.why[Cause::kLogSync] = {waited_ns, 1};
    return note(std::move(entry));
  }
  of_turn->duration_ns += waited_ns;
  of_turn->why[Cause::kLogSync] = {waited_ns, 1};
  Totals& totals = totals_now();
  totals.causes[static_cast<size_t>(Cause::kLogSync)].add(waited_ns);
  totals.all.sum_ns += waited_ns;
  totals.all.worst_ns = std::max(totals.all.worst_ns, of_turn->duration_ns);
}

void WhySlow::on_stall(Cause cause, uint64_t duration_ns) {
  Entry entry{.time_s = engine_.environment().now_ms() / 1000,
              .serial = 0,
              .duration_ns = duration_ns,
              .requests = 0,
              .command = {},
              .command_ns = 0,
              .why = {}};
  entry.why[cause] = {duration_ns, 1};
  note(std::move(entry));
}

void WhySlow::note(Entry entry) {
  Totals& totals = totals_now();
  totals.all.add(entry.duration_ns);
  entry.why.for_each([&totals](Cause cause, const Share& share) {
    if (share.ns >= kNsPerUs) totals.causes[static_cast<size_t>(cause)].add(share.ns);
  });
  if (const uint64_t now_ns = engine_.environment().monotonic_ns(); now_ns >= log_again_ns_) {
    log_again_ns_ = now_ns + kLogEveryNs;
    engine_.log().verbose("Slow turn: took={:.1f} ms requests={} slowest={} where: {}",
                          ms(entry.duration_ns), entry.requests,
                          entry.command.empty() ? "none" : entry.command, text_of(entry.why));
  }
  if (last_.size() == kLastMax) last_.pop_back();
  last_.push_front(std::move(entry));
}

int64_t WhySlow::minute_now() const { return engine_.environment().now_ms() / kMsPerMinute; }

WhySlow::Totals& WhySlow::totals_now() {
  const int64_t now = minute_now();
  Minute& minute = minutes_[static_cast<size_t>(now) % kMinutes];
  if (minute.number != now) minute = {.number = now, .totals = {}};
  return minute.totals;
}

WhySlow::Totals WhySlow::totals() const {
  const int64_t now = minute_now();
  Totals sum;
  for (const Minute& minute : minutes_) {
    if (minute.number <= now - static_cast<int64_t>(kMinutes) || minute.number > now) continue;
    sum.all.add(minute.totals.all);
    for (size_t i = 0; i < kCauses; ++i) sum.causes[i].add(minute.totals.causes[i]);
  }
  return sum;
}

void WhySlow::reset() {
  minutes_ = {};
  last_.clear();
}

// ---- as others see it ----

void reply_breakdown(resp::Reply& reply, const Breakdown& why) {
  size_t count = 0;
  why.for_each([&count](Cause, const Share&) { ++count; });
  reply.map(count);
  why.for_each([&reply](Cause cause, const Share& share) {
    reply.bulk(name_of(cause));
    reply.map(2);
    reply.bulk("us");
    reply.integer(static_cast<int64_t>(share.ns / kNsPerUs));
    reply.bulk("count");
    reply.integer(static_cast<int64_t>(share.count));
  });
}

std::string text_of(const Breakdown& why) {
  std::vector<std::pair<uint64_t, Cause>> parts;
  why.for_each([&parts](Cause cause, const Share& share) {
    if (share.ns >= kNsPerUs) parts.emplace_back(share.ns, cause);
  });
  std::stable_sort(parts.begin(), parts.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text;
  for (const auto& [ns, cause] : parts) {
    fmt::format_to(std::back_inserter(text), "{}{} {:.1f} ms", text.empty() ? "" : ", ",
                   name_of(cause), ms(ns));
  }
  return text;
}

namespace {

// What helps, in the order of engine::Cause.
constexpr std::string_view kAdvice[kCauses] = {
    "requests stood behind slow commands of others in the same batch: make those cheaper",
    "see SLOWLOG WHY for the commands, and ask for less at a time",
    "the table of keys grew: this ends when the number of keys does",
    "very many keys or fields were due at once: spread the times that you set",
    "keys were evicted before commands could run: raise maxmemory, or write less",
    "a child was started: take fewer snapshots, or split the data over several servers",
    "pages that a saving child shares were copied, or came from swap: switch transparent huge "
    "pages off, save when less is written, keep memory free",
    "the disk did not take the log at once: see what else writes to it",
    "replies waited until the log was on the disk: a faster disk, or appendfsync everysec",
    "replies were large or many: ask for less at a time"};

}  // namespace

std::string why_slow_report(const WhySlow& why_slow) {
  const WhySlow::Totals totals = why_slow.totals();
  if (totals.all.turns == 0) return {};
  std::string out = fmt::format(
      "\nWhere the time of slow turns went in the last hour (there were {}, of {:.1f} ms together, "
      "the worst of {:.1f} ms):\n\n",
      totals.all.turns, ms(totals.all.sum_ns), ms(totals.all.worst_ns));
  std::vector<size_t> order;
  for (size_t i = 0; i < kCauses; ++i) {
    if (totals.causes[i].turns > 0) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&totals](size_t a, size_t b) {
    return totals.causes[a].sum_ns > totals.causes[b].sum_ns;
  });
  for (const size_t i : order) {
    const WhySlow::Total& total = totals.causes[i];
    fmt::format_to(std::back_inserter(out),
                   "- {}: {:.1f} ms in {} turns, at worst {:.1f} ms; {}.\n",
                   name_of(static_cast<Cause>(i)), ms(total.sum_ns), total.turns,
                   ms(total.worst_ns), kAdvice[i]);
  }
  return out;
}

}  // namespace roxdb::commands
