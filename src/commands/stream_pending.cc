// stream_pending.cc: who has which record of a stream, since when, and taking it over.
#include <algorithm>
#include <limits>
#include <vector>

#include "commands/stream/claim_log.h"
#include "commands/stream/id_argument.h"
#include "commands/stream/lookup.h"
#include "commands/stream/record_reply.h"
#include "engine/call.h"
#include "engine/command.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kFast;
using engine::kReadOnly;
using engine::kWrite;
using types::Consumer;
using types::Group;
using types::IdIndex;
using types::Pending;
using types::Stream;
using types::StreamValue;
namespace errors = engine::errors;

// What XPENDING asks for beyond the summary.
struct PendingRange {
  int64_t idle_ms_min = 0;
  Id start;
  Id end;
  int64_t count = 0;
  std::optional<std::string_view> consumer;
};

Result<PendingRange> read_pending_range(Call& call) {
  PendingRange range;
  size_t at = 3;
  if (call.is(at, "IDLE")) {
    ROX_TRY(range.idle_ms_min, call.integer(at + 1));
    if (call.argc() < 8) return errors::kSyntax;
    at += 2;
  }
  ROX_TRY(range.count, call.integer(at + 2));
  ROX_TRY(range.start, read_interval_start(call, at));
  ROX_TRY(range.end, read_interval_end(call, at + 1));
  if (at + 3 < call.argc()) range.consumer = call.arg(at + 3);
  return range;
}

void reply_summary(resp::Reply& reply, const Group& group) {
  reply.array(4);
  reply.integer(static_cast<int64_t>(group.pending().size()));
  if (group.pending().empty()) {
    reply.null();
    reply.null();
    reply.null_array();
    return;
  }
  reply_id(reply, group.pending().first().item()->id);
  reply_id(reply, group.pending().last().item()->id);
  const resp::Reply::Open open = reply.open(resp::Reply::Aggregate::kArray);
  size_t count = 0;
  for (const Consumer* consumer : group.consumers()) {
    if (consumer->pending().empty()) continue;
    count++;
    reply.array(2);
    reply.bulk(consumer->name());
    char digits[kIntegerDigitsMax];
    reply.bulk({digits, print_uint64(consumer->pending().size(), digits)});
  }
  reply.close(open, count);
}

void reply_rows(resp::Reply& reply, const Call& call, const PendingRange& range,
                const IdIndex& index) {
  const resp::Reply::Open open = reply.open(resp::Reply::Aggregate::kArray);
  int64_t count = 0;
  for (IdIndex::Place place = index.at_or_after(range.start); place && count < range.count;
       place.next()) {
    const auto* pending = place.as<const Pending>();
    if (range.end < pending->id) break;
    const int64_t idle_ms = call.now_ms() - pending->delivered_at_ms;
    if (range.idle_ms_min != 0 && idle_ms < range.idle_ms_min) continue;
    count++;
    reply.array(4);
    reply_id(reply, pending->id);
    if (pending->consumer == nullptr) {
      reply.bulk("");
      reply.integer(-1);
    } else {
      reply.bulk(pending->consumer->name());
      reply.integer(std::max<int64_t>(idle_ms, 0));
    }
    reply.integer(static_cast<int64_t>(pending->deliveries));
  }
  reply.close(open, static_cast<size_t>(count));
}

// XPENDING key group [[IDLE ms] start end count [consumer]] -> a summary, or the pending records of
// a range: ID, consumer, ms since the delivery, deliveries
Status xpending_command(Call& call) {
  const bool is_summary = call.argc() == 3;
  if (!is_summary && (call.argc() < 6 || call.argc() > 9)) return errors::kSyntax;
  PendingRange range;
  if (!is_summary) {
    ROX_TRY(range, read_pending_range(call));
  }
  ROX_TRY(const Stream* stream, read_stream(call, 1));
  const Group* group = stream == nullptr ? nullptr : stream->groups().find(call.arg(2));
  if (group == nullptr) return no_such_key_or_group(call, call.arg(1), call.arg(2));
  resp::Reply& reply = call.reply();
  if (is_summary) {
    reply_summary(reply, *group);
    return kOk;
  }
  const IdIndex* index = &group->pending();
  size_t longest_name = 0;
  if (range.consumer) {
    const Consumer* consumer = group->consumers().find(*range.consumer);
    if (consumer == nullptr) {
      reply.array(0);
      return kOk;
    }
    index = &consumer->pending();
    longest_name = consumer->name().size();
  } else {
    for (const Consumer* consumer : group->consumers()) {
      longest_name = std::max(longest_name, consumer->name().size());
    }
  }
  const auto rows =
      std::min<uint64_t>(static_cast<uint64_t>(std::max<int64_t>(range.count, 0)), index->size());
  constexpr uint64_t kParts = 5;
  return reply_measured(call, rows * reply_bytes_of(kParts, longest_name),
                        [&](resp::Reply& shown) { reply_rows(shown, call, range, *index); });
}
constexpr Example kXPendingExamples[] = {
    {"XADD s 1-1 a 1", "$1-1"},
    {"XGROUP CREATE s g 0", "+OK"},
    {"XREADGROUP GROUP g c STREAMS s >", "*[*[$s *[*[$1-1 *[$a $1]]]]]"},
    {"XPENDING s g", "*[:1 $1-1 $1-1 *[*[$c $1]]]"},
    {"XPENDING s g - + 10 c", "*[*[$1-1 $c :0 :1]]"},
    {"XPENDING s h", "-NOGROUP No such key 's' or consumer group 'h'"}};
constexpr CommandSpec kXPending{
    .name = "XPENDING",
    .syntax = "key group [[IDLE min-idle-time] start end count [consumer]]",
    .summary = "Shows which records were delivered and not acknowledged.",
    .since = "5.0.0",
    .complexity =
        "O(log N + M) where M is the number of records looked at; the summary O(N) where "
        "N is the number of consumers",
    .flags = kReadOnly,
    .keys = "1:RO",
    .tips = "nondeterministic_output",
    .handler = xpending_command,
    .examples = kXPendingExamples,
};

// What both claiming commands do to a record that is handed over.
struct Claim {
  Consumer* consumer;
  int64_t delivered_at_ms;
  std::optional<uint64_t> deliveries;  // RETRYCOUNT
  bool only_ids = false;               // JUSTID: no delivery, so it does not count as one
};

void hand_over(Call& call, const StreamValue& stream, Group& group, Pending& pending,
               const Claim& claim) {
  group.assign(stream.home().slabs, &pending, claim.consumer);
  group.set_time(&pending, claim.delivered_at_ms);
  constexpr auto kDeliveriesMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (claim.deliveries) {
    pending.deliveries = *claim.deliveries;
  } else if (!claim.only_ids && pending.deliveries < kDeliveriesMax) {
    pending.deliveries++;
  }
  claim.consumer->active_at_ms = call.now_ms();
  call.engine().dirty++;
}

void reply_claimed(Call& call, const Stream& stream, const std::vector<Id>& ids, bool only_ids) {
  call.reply().array(ids.size());
  for (const Id& id : ids) {
    if (only_ids) {
      reply_id(call.reply(), id);
    } else {
      reply_record(call.reply(), stream, id);
    }
  }
}

struct ClaimOptions {
  int64_t idle_ms_min = 0;
  std::vector<Id> ids;
  int64_t delivered_at_ms = -1;
  std::optional<uint64_t> deliveries;
  std::optional<Id> last_delivered;
  bool force = false;
  bool only_ids = false;
};

Result<int64_t> read_number(Call& call, size_t index, std::string_view what) {
  const auto value = parse_int64(call.arg(index));
  if (!value) return call.fail("ERR Invalid {} argument for XCLAIM", what);
  return *value;
}

Result<ClaimOptions> read_claim_options(Call& call) {
  ClaimOptions options;
  ROX_TRY(options.idle_ms_min, read_number(call, 4, "min-idle-time"));
  size_t at = 5;
  for (; at < call.argc(); ++at) {
    const auto id = parse_id(call.arg(at));
    if (!id) break;
    options.ids.push_back(*id);
  }
  for (; at < call.argc(); ++at) {
    const bool has_more = at + 1 < call.argc();
    if (call.is(at, "FORCE")) {
      options.force = true;
    } else if (call.is(at, "JUSTID")) {
      options.only_ids = true;
    } else if (has_more && call.is(at, "IDLE")) {
      ROX_TRY(const int64_t idle_ms, read_number(call, ++at, "IDLE option"));
      if (__builtin_sub_overflow(call.now_ms(), idle_ms, &options.delivered_at_ms)) {
        options.delivered_at_ms = -1;
      }
    } else if (has_more && call.is(at, "TIME")) {
      ROX_TRY(options.delivered_at_ms, read_number(call, ++at, "TIME option"));
    } else if (has_more && call.is(at, "RETRYCOUNT")) {
      ROX_TRY(const int64_t count, read_number(call, ++at, "RETRYCOUNT option"));
      options.deliveries.reset();
      if (count >= 0) options.deliveries = static_cast<uint64_t>(count);
    } else if (has_more && call.is(at, "LASTID")) {
      ROX_TRY(options.last_delivered, read_id(call, ++at));
    } else {
      return call.fail("ERR Unrecognized XCLAIM option '{}'", shown(call.arg(at)));
    }
  }
  // A time in the future comes from a clock that is ahead of ours; a logged one was once present.
  const bool is_replay = call.session().kind == engine::Session::Kind::kReplay;
  if (options.delivered_at_ms < 0 || (options.delivered_at_ms > call.now_ms() && !is_replay)) {
    options.delivered_at_ms = call.now_ms();
  }
  return options;
}

// XCLAIM key group consumer min-idle-time id... [options] -> the records that are its own now
Status xclaim_command(Call& call) {
  ROX_TRY(std::optional<StreamValue> found, call.edit<StreamValue>(1));
  Group* group = found ? (*found)->groups().find(call.arg(2)) : nullptr;
  if (group == nullptr) return no_such_key_or_group(call, call.arg(1), call.arg(2));
  ROX_TRY(const ClaimOptions options, read_claim_options(call));
  const StreamValue& stream = *found;
  if (!options.only_ids) {
    // An ID may be named many times.
    ROX_TRY(check_reply(call, records_bytes_max(*stream, options.ids.size()), [&](auto& reply) {
      for (size_t i = 0; i < options.ids.size() && !is_enough(reply); ++i) {
        if (group->find(options.ids[i]) != nullptr || options.force) {
          reply_record(reply, *stream, options.ids[i]);
        }
      }
    }));
  }
  Claim claim{find_or_add_consumer(call, stream.home(), *group, call.arg(1), call.arg(3)),
              options.delivered_at_ms, options.deliveries, options.only_ids};
  claim.consumer->seen_at_ms = call.now_ms();
  ClaimLog log(call, call.arg(1), *group);
  if (options.last_delivered && group->last_delivered < *options.last_delivered) {
    group->last_delivered = *options.last_delivered;
    log.add_progress();
    call.engine().dirty++;
  }
  std::vector<Id> claimed;
  for (const Id& id : options.ids) {
    Pending* pending = group->find(id);
    if (!stream->log().contains(id)) {
      if (pending == nullptr) continue;
      log.add_dropped(id);
      group->remove(stream.home().slabs, pending);
      call.engine().dirty++;
      continue;
    }
    if (pending == nullptr) {
      if (!options.force) continue;
      pending = group->add(stream.home().slabs, id, claim.consumer, options.delivered_at_ms, 1);
    } else if (options.idle_ms_min > 0 && pending->consumer != nullptr &&
               call.now_ms() - pending->delivered_at_ms < options.idle_ms_min) {
      continue;
    }
    hand_over(call, stream, *group, *pending, claim);
    log.add(*pending);
    claimed.push_back(id);
  }
  // No event tells of it, but what was dated back may be due for a reader that waits to claim.
  if (!claimed.empty()) call.engine().waiting.note(call.db(), call.arg(1));
  reply_claimed(call, *stream, claimed, options.only_ids);
  return kOk;
}
constexpr Example kXClaimExamples[] = {
    {"XADD s 1-1 a 1", "$1-1"},
    {"XGROUP CREATE s g 0", "+OK"},
    {"XREADGROUP GROUP g c STREAMS s >", "*[*[$s *[*[$1-1 *[$a $1]]]]]"},
    {"XCLAIM s g d 0 1-1", "*[*[$1-1 *[$a $1]]]"},
    {"XCLAIM s g e 60000 1-1", "*[]"},
    {"XCLAIM s g e 0 1-1 TIME 5 RETRYCOUNT 9 JUSTID", "*[$1-1]"}};
constexpr CommandSpec kXClaim{
    .name = "XCLAIM",
    .syntax =
        "key group consumer min-idle-time id... [IDLE ms] [TIME unix-time-milliseconds] "
        "[RETRYCOUNT count] [FORCE] [JUSTID] [LASTID last-id]",
    .summary = "Takes pending records over from other consumers.",
    .since = "5.0.0",
    .complexity = "O(N log M) where N is the number of IDs and M that of pending records",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .tips = "nondeterministic_output",
    .handler = xclaim_command,
    .examples = kXClaimExamples,
};

// XAUTOCLAIM looks at so many pending records for each one it may claim.
constexpr int64_t kAttemptsPerClaim = 10;
constexpr int64_t kAutoClaimsMax = INT64_MAX / 16;

struct AutoClaimOptions {
  int64_t idle_ms_min = 0;
  Id start;
  int64_t count = 100;
  bool only_ids = false;
};

Result<AutoClaimOptions> read_autoclaim_options(Call& call) {
  AutoClaimOptions options;
  const auto idle_ms = parse_int64(call.arg(4));
  if (!idle_ms) return user_error("ERR Invalid min-idle-time argument for XAUTOCLAIM");
  options.idle_ms_min = *idle_ms;
  ROX_TRY(options.start, read_interval_start(call, 5));
  for (size_t at = 6; at < call.argc(); ++at) {
    if (call.is(at, "COUNT") && at + 1 < call.argc()) {
      const auto count = parse_int64(call.arg(++at));
      if (!count || *count < 1 || *count > kAutoClaimsMax) {
        return user_error("ERR COUNT must be > 0");
      }
      options.count = *count;
    } else if (call.is(at, "JUSTID")) {
      options.only_ids = true;
    } else {
      return errors::kSyntax;
    }
  }
  return options;
}

// XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID] -> where to go on, the
// records that are its own now, and the IDs of pending ones that were gone from the stream
Status xautoclaim_command(Call& call) {
  ROX_TRY(const AutoClaimOptions options, read_autoclaim_options(call));
  ROX_TRY(std::optional<StreamValue> found, call.edit<StreamValue>(1));
  Group* group = found ? (*found)->groups().find(call.arg(2)) : nullptr;
  if (group == nullptr) return no_such_key_or_group(call, call.arg(1), call.arg(2));
  const StreamValue& stream = *found;
  if (!options.only_ids) {
    const auto rows = static_cast<uint64_t>(options.count);
    const uint64_t rows_max = std::min<uint64_t>(rows, group->pending().size());
    ROX_TRY(check_reply(call, records_bytes_max(*stream, rows_max), [&](auto& reply) {
      uint64_t shown = 0;
      for (IdIndex::Place place = group->pending().at_or_after(options.start);
           place && shown < rows && !is_enough(reply); place.next(), ++shown) {
        reply_record(reply, *stream, place.item()->id);
      }
    }));
  }
  const Claim claim{find_or_add_consumer(call, stream.home(), *group, call.arg(1), call.arg(3)),
                    call.now_ms(), std::nullopt, options.only_ids};
  claim.consumer->seen_at_ms = call.now_ms();
  ClaimLog log(call, call.arg(1), *group);
  std::vector<Id> claimed;
  std::vector<Id> dropped;
  int64_t count = options.count;
  int64_t attempts = std::min(count, kAutoClaimsMax / kAttemptsPerClaim) * kAttemptsPerClaim;
  IdIndex::Place place = group->pending().at_or_after(options.start);
  for (; place && attempts > 0 && count > 0; --attempts) {
    auto* pending = place.as<Pending>();
    const Id id = pending->id;
    if (!stream->log().contains(id)) {
      log.add_dropped(id);
      dropped.push_back(id);
      call.engine().dirty++;
      group->remove(stream.home().slabs, pending);
      place = group->pending().at_or_after(id);
      count--;
      continue;
    }
    place.next();
    if (options.idle_ms_min > 0 && call.now_ms() - pending->delivered_at_ms < options.idle_ms_min) {
      continue;
    }
    hand_over(call, stream, *group, *pending, claim);
    log.add(*pending);
    claimed.push_back(id);
    count--;
  }
  call.reply().array(3);
  reply_id(call.reply(), place ? place.item()->id : containers::kIdMin);
  reply_claimed(call, *stream, claimed, options.only_ids);
  call.reply().array(dropped.size());
  for (const Id& id : dropped) reply_id(call.reply(), id);
  return kOk;
}
constexpr Example kXAutoClaimExamples[] = {
    {"XADD s 1-1 a 1", "$1-1"},
    {"XADD s 1-2 a 2", "$1-2"},
    {"XGROUP CREATE s g 0", "+OK"},
    {"XREADGROUP GROUP g c COUNT 1 STREAMS s >", "*[*[$s *[*[$1-1 *[$a $1]]]]]"},
    {"XREADGROUP GROUP g c STREAMS s >", "*[*[$s *[*[$1-2 *[$a $2]]]]]"},
    {"XDEL s 1-1", ":1"},
    {"XAUTOCLAIM s g d 0 0 COUNT 1", "*[$1-2 *[] *[$1-1]]"},
    {"XAUTOCLAIM s g d 0 1-2 JUSTID", "*[$0-0 *[$1-2] *[]]"}};
constexpr CommandSpec kXAutoClaim{
    .name = "XAUTOCLAIM",
    .syntax = "key group consumer min-idle-time start [COUNT count] [JUSTID]",
    .summary = "Takes over pending records that were not acknowledged for some time.",
    .since = "6.2.0",
    .complexity = "O(log N + M) where M is COUNT",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .tips = "nondeterministic_output",
    .handler = xautoclaim_command,
    .examples = kXAutoClaimExamples,
};

constexpr const CommandSpec* kCommands[] = {&kXAutoClaim, &kXClaim, &kXPending};

}  // namespace

extern constinit const engine::CommandFamily kStreamPendingFamily;
constinit const engine::CommandFamily kStreamPendingFamily{"stream", kCommands};

}  // namespace roxdb::commands
