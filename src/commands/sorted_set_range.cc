// sorted_set_range.cc: parts of sorted sets: counted, shown, stored elsewhere, removed.
#include <optional>

#include "commands/sorted_set/bounds.h"
#include "commands/sorted_set/members.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/sorted_set_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Event;
using engine::Example;
using engine::kDenyOom;
using engine::kFast;
using engine::kReadOnly;
using engine::kWrite;
using types::RankRange;
using types::SortedSetValue;
using types::SortedSetView;
namespace errors = engine::errors;
namespace event = engine::event;

// ---- counting ----

Status count(Call& call, RangeKind kind) {
  ROX_TRY(const Bounds bounds, Bounds::parse(kind, call.arg(2), call.arg(3)));
  ROX_TRY(const std::optional<SortedSetView> set, read_sorted_set(call, 1));
  return call.reply(set ? static_cast<int64_t>(bounds.range_in(*set).size()) : 0);
}

// ZCOUNT key min max -> members with scores between them
Status zcount_command(Call& call) { return count(call, RangeKind::kScore); }
constexpr Example kZCountExamples[] = {{"ZADD k 1 a 2 b 3 c", ":3"},
                                       {"ZCOUNT k -inf 2", ":2"},
                                       {"ZCOUNT k (1 (3", ":1"},
                                       {"ZCOUNT k x 3", "-ERR min or max is not a float"}};
constexpr CommandSpec kZCount{
    .name = "ZCOUNT",
    .syntax = "key min max",
    .summary = "Counts the members with scores in a range.",
    .since = "2.0.0",
    .complexity = "O(log(N)) where N is the number of members in the set",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .handler = zcount_command,
    .examples = kZCountExamples,
};

// ZLEXCOUNT key min max -> members between them, as bytes
Status zlexcount_command(Call& call) { return count(call, RangeKind::kLex); }
constexpr Example kZLexCountExamples[] = {
    {"ZADD k 0 a 0 b 0 c", ":3"},
    {"ZLEXCOUNT k - [b", ":2"},
    {"ZLEXCOUNT k (a +", ":2"},
    {"ZLEXCOUNT k a b", "-ERR min or max not valid string range item"}};
constexpr CommandSpec kZLexCount{
    .name = "ZLEXCOUNT",
    .syntax = "key min max",
    .summary = "Counts the members in a range of bytes; all scores must be equal.",
    .since = "2.8.9",
    .complexity = "O(log(N)) where N is the number of members in the set",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .handler = zlexcount_command,
    .examples = kZLexCountExamples,
};

// ---- ranges ----

// What a command's name says of its range already. Options may say what is left open.
struct RangeForm {
  size_t key = 1;  // argument of the source
  bool stores = false;
  std::optional<RangeKind> kind = {};
  std::optional<bool> downwards = {};
};

struct RangeRequest {
  Bounds bounds;
  Limit limit;
  RangeKind kind;
  bool downwards;
  bool with_scores = false;

  RankRange range_in(const SortedSetView& view) const {
    const RankRange range = bounds.range_in(view, downwards);
    return kind == RangeKind::kRank ? range : limit.applied_to(range, downwards);
  }
};

Result<RangeRequest> read_range_request(Call& call, const RangeForm& form) {
  std::optional<RangeKind> kind = form.kind;
  std::optional<bool> downwards = form.downwards;
  RangeRequest request{};
  for (size_t i = form.key + 3; i < call.argc(); ++i) {
    if (!form.stores && call.is(i, "WITHSCORES")) {
      request.with_scores = true;
    } else if (call.is(i, "LIMIT") && i + 2 < call.argc()) {
      ROX_TRY(request.limit.offset, call.integer(i + 1));
      ROX_TRY(request.limit.count, call.integer(i + 2));
      i += 2;
    } else if (!downwards && call.is(i, "REV")) {
      downwards = true;
    } else if (!kind && call.is(i, "BYLEX")) {
      kind = RangeKind::kLex;
    } else if (!kind && call.is(i, "BYSCORE")) {
      kind = RangeKind::kScore;
    } else {
      return errors::kSyntax;
    }
  }
  request.kind = kind.value_or(RangeKind::kRank);
  request.downwards = downwards.value_or(false);
  // Without a count a LIMIT is let pass, and means nothing.
  if (request.limit.count != -1 && request.kind == RangeKind::kRank) {
    return user_error(
        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
  }
  if (request.with_scores && request.kind == RangeKind::kLex) {
    return user_error("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
  }
  const bool swapped = request.downwards && request.kind != RangeKind::kRank;
  const size_t low = form.key + (swapped ? 2 : 1);
  const size_t high = form.key + (swapped ? 1 : 2);
  ROX_TRY(request.bounds, Bounds::parse(request.kind, call.arg(low), call.arg(high)));
  return request;
}

Status reply_range(Call& call, const RangeForm& form) {
  ROX_TRY(const RangeRequest request, read_range_request(call, form));
  ROX_TRY(const std::optional<SortedSetView> set, read_sorted_set(call, form.key));
  if (!set) {
    call.reply().array(0);
    return kOk;
  }
  return reply_members(call, *set, request.range_in(*set),
                       {.downwards = request.downwards, .with_scores = request.with_scores});
}

// ZRANGE key start stop [...] -> members
Status zrange_command(Call& call) { return reply_range(call, {}); }
constexpr Example kZRangeExamples[] = {
    {"ZADD k 1 a 2 b 3 c", ":3"},
    {"ZRANGE k 0 -1", "*[$a $b $c]"},
    {"ZRANGE k 0 1 REV", "*[$c $b]"},
    {"ZRANGE k (1 +inf BYSCORE LIMIT 1 5 WITHSCORES", "*[$c ,3]"},
    {"ZRANGE k + - BYLEX REV LIMIT 0 2", "*[$c $b]"},
    {"ZRANGE k 0 -1 LIMIT 0 5",
     "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"}};
constexpr CommandSpec kZRange{
    .name = "ZRANGE",
    .syntax =
        "key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] "
        "[WITHSCORES]",
    .summary = "Returns a range of members by rank, score or bytes.",
    .since = "1.2.0",
    .complexity =
        "O(log(N)+M) where N is the number of members in the set and M that of those returned",
    .flags = kReadOnly,
    .keys = "1:RO",
    .handler = zrange_command,
    .examples = kZRangeExamples,
};

// ZREVRANGE key start stop [WITHSCORES] -> members, from the highest score
Status zrevrange_command(Call& call) {
  return reply_range(call, {.kind = RangeKind::kRank, .downwards = true});
}
constexpr Example kZRevRangeExamples[] = {{"ZADD k 1 a 2 b", ":2"},
                                          {"ZREVRANGE k 0 0 WITHSCORES", "*[$b ,2]"}};
constexpr CommandSpec kZRevRange{
    .name = "ZREVRANGE",
    .syntax = "key start stop [WITHSCORES]",
    .summary = "Returns a range of members by rank, from the highest score.",
    .since = "1.2.0",
    .complexity =
        "O(log(N)+M) where N is the number of members in the set and M that of those returned",
    .flags = kReadOnly,
    .keys = "1:RO",
    .deprecated_since = "6.2.0",
    .replaced_by = "`ZRANGE` with the `REV` argument",
    .handler = zrevrange_command,
    .examples = kZRevRangeExamples,
};

// ZRANGEBYSCORE key min max [...] -> members
Status zrangebyscore_command(Call& call) {
  return reply_range(call, {.kind = RangeKind::kScore, .downwards = false});
}
constexpr Example kZRangeByScoreExamples[] = {{"ZADD k 1 a 2 b 3 c", ":3"},
                                              {"ZRANGEBYSCORE k (1 3 LIMIT 0 1", "*[$b]"}};
constexpr CommandSpec kZRangeByScore{
    .name = "ZRANGEBYSCORE",
    .syntax = "key min max [WITHSCORES] [LIMIT offset count]",
    .summary = "Returns the members with scores in a range.",
    .since = "1.0.5",
    .complexity =
        "O(log(N)+M) where N is the number of members in the set and M that of those returned",
    .flags = kReadOnly,
    .keys = "1:RO",
    .deprecated_since = "6.2.0",
    .replaced_by = "`ZRANGE` with the `BYSCORE` argument",
    .handler = zrangebyscore_command,
    .examples = kZRangeByScoreExamples,
};

// ZREVRANGEBYSCORE key max min [...] -> members, from the highest score
Status zrevrangebyscore_command(Call& call) {
  return reply_range(call, {.kind = RangeKind::kScore, .downwards = true});
}
constexpr Example kZRevRangeByScoreExamples[] = {{"ZADD k 1 a 2 b 3 c", ":3"},
                                                 {"ZREVRANGEBYSCORE k 3 (1", "*[$c $b]"}};
constexpr CommandSpec kZRevRangeByScore{
    .name = "ZREVRANGEBYSCORE",
    .syntax = "key max min [WITHSCORES] [LIMIT offset count]",
    .summary = "Returns the members with scores in a range, from the highest score.",
    .since = "2.2.0",
    .complexity =
        "O(log(N)+M) where N is the number of members in the set and M that of those returned",
    .flags = kReadOnly,
    .keys = "1:RO",
    .deprecated_since = "6.2.0",
    .replaced_by = "`ZRANGE` with the `REV` and `BYSCORE` arguments",
    .handler = zrevrangebyscore_command,
    .examples = kZRevRangeByScoreExamples,
};

// ZRANGEBYLEX key min max [LIMIT offset count] -> members
Status zrangebylex_command(Call& call) {
  return reply_range(call, {.kind = RangeKind::kLex, .downwards = false});
}
constexpr Example kZRangeByLexExamples[] = {{"ZADD k 0 a 0 b 0 c", ":3"},
                                            {"ZRANGEBYLEX k [b +", "*[$b $c]"}};
constexpr CommandSpec kZRangeByLex{
    .name = "ZRANGEBYLEX",
    .syntax = "key min max [LIMIT offset count]",
    .summary = "Returns the members in a range of bytes; all scores must be equal.",
    .since = "2.8.9",
    .complexity =
        "O(log(N)+M) where N is the number of members in the set and M that of those returned",
    .flags = kReadOnly,
    .keys = "1:RO",
    .deprecated_since = "6.2.0",
    .replaced_by = "`ZRANGE` with the `BYLEX` argument",
    .handler = zrangebylex_command,
    .examples = kZRangeByLexExamples,
};

// ZREVRANGEBYLEX key max min [LIMIT offset count] -> members, from the last
Status zrevrangebylex_command(Call& call) {
  return reply_range(call, {.kind = RangeKind::kLex, .downwards = true});
}
constexpr Example kZRevRangeByLexExamples[] = {{"ZADD k 0 a 0 b 0 c", ":3"},
                                               {"ZREVRANGEBYLEX k + (a", "*[$c $b]"}};
constexpr CommandSpec kZRevRangeByLex{
    .name = "ZREVRANGEBYLEX",
    .syntax = "key max min [LIMIT offset count]",
    .summary = "Returns the members in a range of bytes, from the last; all scores must be equal.",
    .since = "2.8.9",
    .complexity =
        "O(log(N)+M) where N is the number of members in the set and M that of those returned",
    .flags = kReadOnly,
    .keys = "1:RO",
    .deprecated_since = "6.2.0",
    .replaced_by = "`ZRANGE` with the `REV` and `BYLEX` arguments",
    .handler = zrevrangebylex_command,
    .examples = kZRevRangeByLexExamples,
};

// ZRANGESTORE destination source start stop [...] -> members stored
Status zrangestore_command(Call& call) {
  ROX_TRY(const RangeRequest request, read_range_request(call, {.key = 2, .stores = true}));
  ROX_TRY(const std::optional<SortedSetView> set, read_sorted_set(call, 2));
  ResultSet result(call, call.arg(1));
  if (set) {
    SortedSetValue stored = result.value();
    set->visit(request.range_in(*set),
               [&](std::string_view member, double score) { stored.add(member, score); });
  }
  return store_result(call, 1, result, event::kZRangeStore);
}
constexpr Example kZRangeStoreExamples[] = {{"ZADD k 1 a 2 b 3 c", ":3"},
                                            {"ZRANGESTORE d k 2 3 BYSCORE", ":2"},
                                            {"ZRANGE d 0 -1", "*[$b $c]"},
                                            {"ZRANGESTORE d k 5 6", ":0"},
                                            {"EXISTS d", ":0"}};
constexpr CommandSpec kZRangeStore{
    .name = "ZRANGESTORE",
    .syntax = "dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]",
    .summary = "Stores a range of members under another key.",
    .since = "6.2.0",
    .complexity =
        "O(log(N)+M) where N is the number of members in the set and M that of those stored",
    .flags = kWrite | kDenyOom,
    .keys = "1:OW,2:RO",
    .handler = zrangestore_command,
    .examples = kZRangeStoreExamples,
};

// ---- removing ----

Status remove_range(Call& call, RangeKind kind, Event removed) {
  ROX_TRY(const Bounds bounds, Bounds::parse(kind, call.arg(2), call.arg(3)));
  ROX_TRY(std::optional<SortedSetValue> set, call.edit<SortedSetValue>(1));
  if (!set) return call.reply(0);
  const RankRange range = bounds.range_in(set->view());
  if (!range.empty()) {
    set->erase(range);
    call.changed(removed, 1, static_cast<int64_t>(range.size()));
    erase_if_empty(call, 1, *set);
  }
  return call.reply(static_cast<int64_t>(range.size()));
}

// ZREMRANGEBYRANK key start stop -> members removed
Status zremrangebyrank_command(Call& call) {
  return remove_range(call, RangeKind::kRank, event::kZRemRangeByRank);
}
constexpr Example kZRemRangeByRankExamples[] = {
    {"ZADD k 1 a 2 b 3 c", ":3"}, {"ZREMRANGEBYRANK k 0 1", ":2"}, {"ZRANGE k 0 -1", "*[$c]"}};
constexpr CommandSpec kZRemRangeByRank{
    .name = "ZREMRANGEBYRANK",
    .syntax = "key start stop",
    .summary = "Removes the members in a range of ranks.",
    .since = "2.0.0",
    .complexity =
        "O(log(N)+M) where N is the number of members in the set and M that of those removed",
    .flags = kWrite,
    .keys = "1:RW!u",
    .handler = zremrangebyrank_command,
    .examples = kZRemRangeByRankExamples,
};

// ZREMRANGEBYSCORE key min max -> members removed
Status zremrangebyscore_command(Call& call) {
  return remove_range(call, RangeKind::kScore, event::kZRemRangeByScore);
}
constexpr Example kZRemRangeByScoreExamples[] = {
    {"ZADD k 1 a 2 b 3 c", ":3"}, {"ZREMRANGEBYSCORE k -inf (3", ":2"}, {"ZRANGE k 0 -1", "*[$c]"}};
constexpr CommandSpec kZRemRangeByScore{
    .name = "ZREMRANGEBYSCORE",
    .syntax = "key min max",
    .summary = "Removes the members with scores in a range.",
    .since = "1.2.0",
    .complexity =
        "O(log(N)+M) where N is the number of members in the set and M that of those removed",
    .flags = kWrite,
    .keys = "1:RW!u",
    .handler = zremrangebyscore_command,
    .examples = kZRemRangeByScoreExamples,
};

// ZREMRANGEBYLEX key min max -> members removed
Status zremrangebylex_command(Call& call) {
  return remove_range(call, RangeKind::kLex, event::kZRemRangeByLex);
}
constexpr Example kZRemRangeByLexExamples[] = {
    {"ZADD k 0 a 0 b 0 c", ":3"}, {"ZREMRANGEBYLEX k - (c", ":2"}, {"ZRANGE k 0 -1", "*[$c]"}};
constexpr CommandSpec kZRemRangeByLex{
    .name = "ZREMRANGEBYLEX",
    .syntax = "key min max",
    .summary = "Removes the members in a range of bytes; all scores must be equal.",
    .since = "2.8.9",
    .complexity =
        "O(log(N)+M) where N is the number of members in the set and M that of those removed",
    .flags = kWrite,
    .keys = "1:RW!u",
    .handler = zremrangebylex_command,
    .examples = kZRemRangeByLexExamples,
};

constexpr const CommandSpec* kCommands[] = {
    &kZCount,           &kZLexCount,   &kZRange,         &kZRangeByLex,
    &kZRangeByScore,    &kZRangeStore, &kZRemRangeByLex, &kZRemRangeByRank,
    &kZRemRangeByScore, &kZRevRange,   &kZRevRangeByLex, &kZRevRangeByScore};

}  // namespace

extern constinit const engine::CommandFamily kSortedSetRangeFamily;
constinit const engine::CommandFamily kSortedSetRangeFamily{"zset", kCommands};

}  // namespace roxdb::commands
