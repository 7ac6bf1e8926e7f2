// sorted_set_pop.cc: members taken from either end of a sorted set, at once or when there are some:
// see engine/waiting.h.
#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

#include "commands/shared/integer_text.h"
#include "commands/shared/reply_measure.h"
#include "commands/shared/timeout.h"
#include "commands/sorted_set/members.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/sorted_set_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kBlocking;
using engine::kFast;
using engine::kWrite;
using types::RankRange;
using types::SortedSetValue;
using types::SortedSetView;
namespace errors = engine::errors;
namespace event = engine::event;

enum class End : uint8_t { kMin, kMax };

// The first of the keys at arguments [first, last) that is there. kWrongType for what lies on the
// way to it.
struct Found {
  size_t index;
  SortedSetValue set;
};
Result<std::optional<Found>> find_first(Call& call, size_t first, size_t last) {
  for (size_t i = first; i < last; ++i) {
    ROX_TRY(const std::optional<SortedSetValue> set, call.edit<SortedSetValue>(i));
    if (set) return std::optional<Found>({i, *set});
  }
  return std::optional<Found>();
}

// The `count` outermost members, or as many as there are.
RankRange range_at(End end, const SortedSetValue& set, uint64_t count) {
  const size_t size = set.size();
  const size_t taken = std::min(count, uint64_t{size});
  return end == End::kMin ? RankRange{0, taken} : RankRange{size - taken, size};
}

// Removes what was shown, and tells of it. The log has the effect: how many, of which key.
void take(Call& call, Found& found, End end, RankRange range) {
  found.set.erase(range);
  const auto count = static_cast<int64_t>(range.size());
  call.changed(end == End::kMin ? event::kZPopMin : event::kZPopMax, found.index, count);
  erase_if_empty(call, found.index, found.set);
  call.log_as(
      {end == End::kMin ? "ZPOPMIN" : "ZPOPMAX", call.arg(found.index), IntegerText(count)});
}

// ---- ZPOPMIN, ZPOPMAX ----

Status pop(Call& call, End end) {
  if (call.argc() > 3) return errors::kSyntax;
  const bool counted = call.argc() == 3;
  int64_t count = 1;
  if (counted) {
    const auto given = call.integer(2, 0, std::numeric_limits<int64_t>::max());
    if (!given.ok()) return user_error("ERR value is out of range, must be positive");
    count = *given;
  }
  ROX_TRY(std::optional<Found> found, find_first(call, 1, 2));
  if (!found || count == 0) {
    call.reply().array(0);
    return kOk;
  }
  const RankRange range = range_at(end, found->set, static_cast<uint64_t>(count));
  if (counted) {
    ROX_TRY(reply_members(call, found->set.view(), range,
                          {.downwards = end == End::kMax, .with_scores = true}));
  } else {
    call.reply().array(2);  // flat in either protocol
    found->set.view().visit(range, [&](std::string_view member, double score) {
      call.reply().bulk(member);
      call.reply().real(score);
    });
  }
  take(call, *found, end, range);
  return kOk;
}

// ZPOPMIN key [count] -> members with the lowest scores, with these
Status zpopmin_command(Call& call) { return pop(call, End::kMin); }
constexpr Example kZPopMinExamples[] = {{"ZADD k 1 a 2 b 3 c", ":3"},
                                        {"ZPOPMIN k", "*[$a ,1]"},
                                        {"ZPOPMIN k 5", "*[$b ,2 $c ,3]"},
                                        {"ZPOPMIN k", "*[]"}};
constexpr CommandSpec kZPopMin{
    .name = "ZPOPMIN",
    .syntax = "key [count]",
    .summary = "Removes and returns the members with the lowest scores.",
    .since = "5.0.0",
    .complexity =
        "O(log(N)*M) where N is the number of members in the set and M that of those removed",
    .flags = kWrite | kFast,
    .keys = "1:RW",
    .handler = zpopmin_command,
    .examples = kZPopMinExamples,
};

// ZPOPMAX key [count] -> members with the highest scores, with these
Status zpopmax_command(Call& call) { return pop(call, End::kMax); }
constexpr Example kZPopMaxExamples[] = {
    {"ZADD k 1 a 2 b 3 c", ":3"},
    {"ZPOPMAX k 2", "*[$c ,3 $b ,2]"},
    {"ZPOPMAX k -1", "-ERR value is out of range, must be positive"}};
constexpr CommandSpec kZPopMax{
    .name = "ZPOPMAX",
    .syntax = "key [count]",
    .summary = "Removes and returns the members with the highest scores.",
    .since = "5.0.0",
    .complexity =
        "O(log(N)*M) where N is the number of members in the set and M that of those removed",
    .flags = kWrite | kFast,
    .keys = "1:RW",
    .handler = zpopmax_command,
    .examples = kZPopMaxExamples,
};

// ---- ZMPOP ----

struct ManyRequest {
  size_t first_key;
  size_t last_key;  // the one behind it
  End end;
  uint64_t count = 1;
};

// numkeys key... MIN|MAX [COUNT count], from argument `index` on.
Result<ManyRequest> read_many(Call& call, size_t index) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const auto keys = call.integer(index, 1, kMost);
  if (!keys.ok()) return user_error("ERR numkeys should be greater than 0");
  if (static_cast<uint64_t>(*keys) + 1 > call.argc() - index - 1) return errors::kSyntax;
  ManyRequest request{
      .first_key = index + 1, .last_key = index + 1 + static_cast<size_t>(*keys), .end = End::kMin};
  if (call.is(request.last_key, "MAX")) {
    request.end = End::kMax;
  } else if (!call.is(request.last_key, "MIN")) {
    return errors::kSyntax;
  }
  const size_t options = request.last_key + 1;
  if (options == call.argc()) return request;
  if (options + 1 == call.argc() || !call.is(options, "COUNT")) return errors::kSyntax;
  const auto count = call.integer(options + 1, 1, kMost);
  if (!count.ok()) return user_error("ERR count should be greater than 0");
  if (options + 2 != call.argc()) return errors::kSyntax;
  request.count = static_cast<uint64_t>(*count);
  return request;
}

// Shows and takes the members: [key, [[member, score] ...]], pairs in either protocol.
Status take_many(Call& call, Found& found, const ManyRequest& request) {
  const RankRange range = range_at(request.end, found.set, request.count);
  const SortedSetView view = found.set.view();
  const auto show = [&](resp::Reply& reply) {
    reply.array(2);
    reply.bulk(call.arg(found.index));
    reply.array(range.size());
    const auto show_pair = [&reply](std::string_view member, double score) {
      reply.array(2);
      reply.bulk(member);
      reply.real(score);
    };
    if (request.end == End::kMin) {
      view.visit(range, show_pair);
    } else {
      view.visit_downwards(range, show_pair);
    }
  };
  constexpr uint64_t kParts = 3;
  ROX_TRY(reply_measured(call, reply_bytes_of(kParts * range.size(), view.bytes()), show));
  take(call, found, request.end, range);
  return kOk;
}

// ZMPOP numkeys key... MIN|MAX [COUNT count] -> [key, members with scores], nil when all are absent
Status zmpop_command(Call& call) {
  ROX_TRY(const ManyRequest request, read_many(call, 1));
  ROX_TRY(std::optional<Found> found, find_first(call, request.first_key, request.last_key));
  return found ? take_many(call, *found, request) : call.reply_null_array();
}
constexpr Example kZMPopExamples[] = {
    {"ZMPOP 2 a b MIN", "*nil"},
    {"ZADD b 1 x 2 y 3 z", ":3"},
    {"ZMPOP 2 a b MIN", "*[$b *[*[$x ,1]]]"},
    {"ZMPOP 2 a b MAX COUNT 10", "*[$b *[*[$z ,3] *[$y ,2]]]"},
    {"ZMPOP 0 a MIN", "-ERR numkeys should be greater than 0"},
    {"ZMPOP 1 a MIN COUNT 0", "-ERR count should be greater than 0"}};
constexpr CommandSpec kZMPop{
    .name = "ZMPOP",
    .syntax = "numkeys key... (MIN | MAX) [COUNT count]",
    .summary = "Removes and returns members of the first of several sorted sets that is not empty.",
    .since = "7.0.0",
    .complexity =
        "O(K)+O(M*log(N)) where K is the number of keys, N the number of members in the set and M "
        "that of those removed",
    .flags = kWrite,
    .keys = "count@1:RW",
    .handler = zmpop_command,
    .examples = kZMPopExamples,
};

// ---- BZPOPMIN, BZPOPMAX, BZMPOP ----

// Nothing is there: waits for one of the keys, where that is allowed.
Status wait_for(Call& call, size_t first_key, size_t last_key, int64_t timeout_ms) {
  if (!call.may_wait()) {
    call.reply().null_array();
    return kOk;
  }
  return call.wait({.type = types::TypeId::kSortedSet,
                    .first_key = first_key,
                    .keys = last_key - first_key,
                    .timeout_ms = timeout_ms});
}

Status pop_or_wait(Call& call, End end) {
  if (call.timed_out()) {
    call.reply().null_array();
    return kOk;
  }
  const size_t last_key = call.argc() - 1;
  ROX_TRY(const int64_t timeout_ms, read_timeout(call, last_key, TimeoutUnit::kSeconds));
  ROX_TRY(std::optional<Found> found, find_first(call, 1, last_key));
  if (!found) return wait_for(call, 1, last_key, timeout_ms);
  const RankRange range = range_at(end, found->set, 1);
  call.reply().array(3);
  call.reply().bulk(call.arg(found->index));
  found->set.view().visit(range, [&](std::string_view member, double score) {
    call.reply().bulk(member);
    call.reply().real(score);
  });
  take(call, *found, end, range);
  return kOk;
}

// BZPOPMIN key... timeout -> [key, member, score], nil when the time is up
Status bzpopmin_command(Call& call) { return pop_or_wait(call, End::kMin); }
constexpr Example kBZPopMinExamples[] = {{"ZADD b 1 x 2 y", ":2"},
                                         {"BZPOPMIN a b 0", "*[$b $x ,1]"},
                                         {"BZPOPMIN b -1", "-ERR timeout is negative"}};
constexpr CommandSpec kBZPopMin{
    .name = "BZPOPMIN",
    .syntax = "key... timeout",
    .summary =
        "Removes the member with the lowest score of the first sorted set that has some; waits "
        "for one if need be.",
    .since = "5.0.0",
    .complexity = "O(log(N)) where N is the number of members in the set",
    .flags = kWrite | kFast | kBlocking,
    .keys = "1..-2:RW",
    .handler = bzpopmin_command,
    .examples = kBZPopMinExamples,
};

// BZPOPMAX key... timeout -> [key, member, score], nil when the time is up
Status bzpopmax_command(Call& call) { return pop_or_wait(call, End::kMax); }
constexpr Example kBZPopMaxExamples[] = {{"ZADD b 1 x 2 y", ":2"},
                                         {"BZPOPMAX a b 0.5", "*[$b $y ,2]"}};
constexpr CommandSpec kBZPopMax{
    .name = "BZPOPMAX",
    .syntax = "key... timeout",
    .summary =
        "Removes the member with the highest score of the first sorted set that has some; waits "
        "for one if need be.",
    .since = "5.0.0",
    .complexity = "O(log(N)) where N is the number of members in the set",
    .flags = kWrite | kFast | kBlocking,
    .keys = "1..-2:RW",
    .handler = bzpopmax_command,
    .examples = kBZPopMaxExamples,
};

// BZMPOP timeout numkeys key... MIN|MAX [COUNT count] -> [key, members with scores], nil when the
// time is up
Status bzmpop_command(Call& call) {
  if (call.timed_out()) {
    call.reply().null_array();
    return kOk;
  }
  ROX_TRY(const int64_t timeout_ms, read_timeout(call, 1, TimeoutUnit::kSeconds));
  ROX_TRY(const ManyRequest request, read_many(call, 2));
  ROX_TRY(std::optional<Found> found, find_first(call, request.first_key, request.last_key));
  if (!found) return wait_for(call, request.first_key, request.last_key, timeout_ms);
  return take_many(call, *found, request);
}
constexpr Example kBZMPopExamples[] = {
    {"ZADD b 1 x 2 y 3 z", ":3"},
    {"BZMPOP 0 2 a b MAX COUNT 2", "*[$b *[*[$z ,3] *[$y ,2]]]"},
    {"BZMPOP 0 0 a MIN", "-ERR numkeys should be greater than 0"}};
constexpr CommandSpec kBZMPop{
    .name = "BZMPOP",
    .syntax = "timeout numkeys key... (MIN | MAX) [COUNT count]",
    .summary =
        "Removes and returns members of the first of several sorted sets that has some; waits if "
        "need be.",
    .since = "7.0.0",
    .complexity =
        "O(K)+O(M*log(N)) where K is the number of keys, N the number of members in the set and M "
        "that of those removed",
    .flags = kWrite | kBlocking,
    .keys = "count@2:RW",
    .handler = bzmpop_command,
    .examples = kBZMPopExamples,
};

constexpr const CommandSpec* kCommands[] = {&kBZMPop, &kBZPopMax, &kBZPopMin,
                                            &kZMPop,  &kZPopMax,  &kZPopMin};

}  // namespace

extern constinit const engine::CommandFamily kSortedSetPopFamily;
constinit const engine::CommandFamily kSortedSetPopFamily{"zset", kCommands};

}  // namespace roxdb::commands
