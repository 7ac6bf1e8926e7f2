// sorted_set_algebra.cc: union, intersection and difference of sorted sets, shown or stored.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "commands/sorted_set/members.h"
#include "commands/sorted_set/source.h"
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
using engine::kReadOnly;
using engine::kWrite;
using types::SortedSetValue;
namespace errors = engine::errors;
namespace event = engine::event;

enum class Operation : uint8_t { kUnion, kIntersection, kDifference };
enum class Aggregate : uint8_t { kSum, kMin, kMax, kCount };
enum class Use : uint8_t { kReply, kStore, kCount };

struct WeightedSource {
  ScoreSource members;
  double weight = 1;
};

struct AlgebraRequest {
  Operation operation;
  std::vector<WeightedSource> sources = {};
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  int64_t limit = 0;  // of a count; 0: none
};

// What a source brings in for one of its members. A count looks at no score.
double weighted(const AlgebraRequest& request, const WeightedSource& source, double score) {
  return request.aggregate == Aggregate::kCount ? source.weight : source.weight * score;
}

// 0 * inf and inf - inf count as 0.
double number_or_zero(double score) { return std::isnan(score) ? 0 : score; }

// REQUIRES: `a` is a number. When `b` is none, only a sum takes notice.
double aggregated(Aggregate aggregate, double a, double b) {
  switch (aggregate) {
    case Aggregate::kMin:
      return std::min(a, b);
    case Aggregate::kMax:
      return std::max(a, b);
    case Aggregate::kSum:
    case Aggregate::kCount:
      break;
  }
  return number_or_zero(a + b);
}

// ---- the request ----

Result<Aggregate> read_aggregate(Call& call, size_t index) {
  if (call.is(index, "SUM")) return Aggregate::kSum;
  if (call.is(index, "MIN")) return Aggregate::kMin;
  if (call.is(index, "MAX")) return Aggregate::kMax;
  if (call.is(index, "COUNT")) return Aggregate::kCount;
  return errors::kSyntax;
}

// Reads numkeys at argument `index`, and what follows it.
Result<AlgebraRequest> read_request(Call& call, Operation operation, Use use, size_t index) {
  AlgebraRequest request{operation};
  ROX_TRY(const int64_t number, call.integer(index));
  if (number < 1) {
    return call.fail("ERR at least 1 input key is needed for '{}' command",
                     call.command().full_name);
  }
  if (static_cast<uint64_t>(number) > call.argc() - index - 1) return errors::kSyntax;
  const auto count = static_cast<size_t>(number);
  const size_t first = index + 1;
  for (size_t i = 0; i < count; ++i) {
    ROX_TRY(const ScoreSource members, read_score_source(call, first + i));
    request.sources.push_back({members});
  }
  const bool weighs = operation != Operation::kDifference && use != Use::kCount;
  for (size_t i = first + count; i < call.argc();) {
    const size_t left = call.argc() - i;
    if (weighs && left > count && call.is(i, "WEIGHTS")) {
      for (size_t j = 0; j < count; ++j) {
        const auto weight = call.real(i + 1 + j);
        if (!weight.ok()) return user_error("ERR weight value is not a float");
        request.sources[j].weight = *weight;
      }
      i += 1 + count;
    } else if (weighs && left > 1 && call.is(i, "AGGREGATE")) {
      ROX_TRY(request.aggregate, read_aggregate(call, i + 1));
      i += 2;
    } else if (use == Use::kReply && call.is(i, "WITHSCORES")) {
      request.with_scores = true;
      ++i;
    } else if (use == Use::kCount && left > 1 && call.is(i, "LIMIT")) {
      const auto limit = call.integer(i + 1, 0, std::numeric_limits<int64_t>::max());
      if (!limit.ok()) return user_error("ERR LIMIT can't be negative");
      request.limit = *limit;
      i += 2;
    } else {
      return errors::kSyntax;
    }
  }
  return request;
}

// ---- the operations ----

// The smallest set first: an intersection is within it, and sums are rounded in this order.
void sort_by_size(std::vector<WeightedSource>& sources) {
  std::stable_sort(sources.begin(), sources.end(), [](const auto& a, const auto& b) {
    return a.members.size() < b.members.size();
  });
}

void add_union(AlgebraRequest& request, SortedSetValue result) {
  sort_by_size(request.sources);
  for (const WeightedSource& source : request.sources) {
    source.members.visit([&](std::string_view member, double score) {
      score = number_or_zero(weighted(request, source, score));
      if (const auto old = result.view().score(member)) {
        score = aggregated(request.aggregate, *old, score);
      }
      result.add(member, score);
      return true;
    });
  }
}

// visit(member, score) for the members that all sources have; false ends the walk.
template <class Visitor>
void visit_intersection(AlgebraRequest& request, Visitor&& visitor) {
  sort_by_size(request.sources);
  const WeightedSource& smallest = request.sources.front();
  smallest.members.visit([&](std::string_view member, double score) {
    score = number_or_zero(weighted(request, smallest, score));
    for (size_t i = 1; i < request.sources.size(); ++i) {
      const auto other = request.sources[i].members.score(member);
      if (!other) return true;
      score = aggregated(request.aggregate, score, weighted(request, request.sources[i], *other));
    }
    return visitor(member, score);
  });
}

void add_difference(const AlgebraRequest& request, SortedSetValue result) {
  request.sources.front().members.visit([&](std::string_view member, double score) {
    for (size_t i = 1; i < request.sources.size(); ++i) {
      if (request.sources[i].members.score(member)) return true;
    }
    result.add(member, score);
    return true;
  });
}

void compute(AlgebraRequest& request, SortedSetValue result) {
  switch (request.operation) {
    case Operation::kUnion:
      return add_union(request, result);
    case Operation::kIntersection:
      return visit_intersection(request, [&](std::string_view member, double score) {
        result.add(member, score);
        return true;
      });
    case Operation::kDifference:
      return add_difference(request, result);
  }
}

Status reply_result(Call& call, Operation operation) {
  ROX_TRY(AlgebraRequest request, read_request(call, operation, Use::kReply, 1));
  ResultSet result(call, {});
  compute(request, result.value());
  return reply_members(call, result.view(), result.view().all(),
                       {.with_scores = request.with_scores});
}

Status store(Call& call, Operation operation, Event stored) {
  ROX_TRY(AlgebraRequest request, read_request(call, operation, Use::kStore, 2));
  ResultSet result(call, call.arg(1));
  compute(request, result.value());
  return store_result(call, 1, result, stored);
}

// ---- commands ----

// ZUNION numkeys key... [...] -> members
Status zunion_command(Call& call) { return reply_result(call, Operation::kUnion); }
constexpr Example kZUnionExamples[] = {
    {"ZADD a 1 x 2 y", ":2"},
    {"ZADD b 10 y", ":1"},
    {"ZUNION 2 a b WITHSCORES", "*[$x ,1 $y ,12]"},
    {"ZUNION 2 a b WEIGHTS 2 1 AGGREGATE MIN WITHSCORES", "*[$x ,2 $y ,4]"},
    {"ZUNION 2 a b AGGREGATE COUNT WITHSCORES", "*[$x ,1 $y ,2]"},
    {"ZUNION 0 a", "-ERR at least 1 input key is needed for 'zunion' command"}};
constexpr CommandSpec kZUnion{
    .name = "ZUNION",
    .syntax =
        "numkeys key... [WEIGHTS weight...] [AGGREGATE (SUM | MIN | MAX | COUNT)] "
        "[WITHSCORES]",
    .summary = "Returns the members of any of several sorted sets.",
    .since = "6.2.0",
    .complexity =
        "O(N*log(M)) where N is the number of members of all inputs and M that of the result",
    .flags = kReadOnly,
    .keys = "count@1:RO",
    .handler = zunion_command,
    .examples = kZUnionExamples,
};

// ZUNIONSTORE destination numkeys key... [...] -> members stored
Status zunionstore_command(Call& call) {
  return store(call, Operation::kUnion, event::kZUnionStore);
}
constexpr Example kZUnionStoreExamples[] = {{"ZADD a 1 x", ":1"},
                                            {"ZADD b 2 x 3 y", ":2"},
                                            {"ZUNIONSTORE d 2 a b", ":2"},
                                            {"ZRANGE d 0 -1 WITHSCORES", "*[$x ,3 $y ,3]"}};
constexpr CommandSpec kZUnionStore{
    .name = "ZUNIONSTORE",
    .syntax =
        "destination numkeys key... [WEIGHTS weight...] [AGGREGATE (SUM | MIN | MAX | COUNT)]",
    .summary = "Stores the members of any of several sorted sets.",
    .since = "2.0.0",
    .complexity =
        "O(N*log(M)) where N is the number of members of all inputs and M that of the result",
    .flags = kWrite | kDenyOom,
    .keys = "1:OW,count@2:RO",
    .handler = zunionstore_command,
    .examples = kZUnionStoreExamples,
};

// ZINTER numkeys key... [...] -> members
Status zinter_command(Call& call) { return reply_result(call, Operation::kIntersection); }
constexpr Example kZInterExamples[] = {{"ZADD a 1 x 2 y", ":2"},
                                       {"ZADD b 10 y 5 z", ":2"},
                                       {"ZINTER 2 a b WITHSCORES", "*[$y ,12]"},
                                       {"ZINTER 2 a missing", "*[]"}};
constexpr CommandSpec kZInter{
    .name = "ZINTER",
    .syntax =
        "numkeys key... [WEIGHTS weight...] [AGGREGATE (SUM | MIN | MAX | COUNT)] "
        "[WITHSCORES]",
    .summary = "Returns the members of all of several sorted sets.",
    .since = "6.2.0",
    .complexity =
        "O(N*K+M*log(M)) where N is the size of the smallest input, K the number of inputs and M "
        "that of the members in the result",
    .flags = kReadOnly,
    .keys = "count@1:RO",
    .handler = zinter_command,
    .examples = kZInterExamples,
};

// ZINTERSTORE destination numkeys key... [...] -> members stored
Status zinterstore_command(Call& call) {
  return store(call, Operation::kIntersection, event::kZInterStore);
}
constexpr Example kZInterStoreExamples[] = {{"ZADD a 1 x 2 y", ":2"},
                                            {"ZADD b 10 y", ":1"},
                                            {"ZINTERSTORE d 2 a b AGGREGATE MAX", ":1"},
                                            {"ZSCORE d y", ",10"},
                                            {"ZINTERSTORE d 2 a missing", ":0"},
                                            {"EXISTS d", ":0"}};
constexpr CommandSpec kZInterStore{
    .name = "ZINTERSTORE",
    .syntax =
        "destination numkeys key... [WEIGHTS weight...] [AGGREGATE (SUM | MIN | MAX | COUNT)]",
    .summary = "Stores the members of all of several sorted sets.",
    .since = "2.0.0",
    .complexity =
        "O(N*K+M*log(M)) where N is the size of the smallest input, K the number of inputs and M "
        "that of the members in the result",
    .flags = kWrite | kDenyOom,
    .keys = "1:OW,count@2:RO",
    .handler = zinterstore_command,
    .examples = kZInterStoreExamples,
};

// ZINTERCARD numkeys key... [LIMIT limit] -> the number of members in all of them
Status zintercard_command(Call& call) {
  ROX_TRY(AlgebraRequest request, read_request(call, Operation::kIntersection, Use::kCount, 1));
  int64_t found = 0;
  visit_intersection(request, [&](std::string_view, double) { return ++found != request.limit; });
  return call.reply(found);
}
constexpr Example kZInterCardExamples[] = {
    {"ZADD a 1 x 2 y 3 z", ":3"},
    {"ZADD b 10 y 5 z", ":2"},
    {"ZINTERCARD 2 a b", ":2"},
    {"ZINTERCARD 2 a b LIMIT 1", ":1"},
    {"ZINTERCARD 0 a", "-ERR at least 1 input key is needed for 'zintercard' command"}};
constexpr CommandSpec kZInterCard{
    .name = "ZINTERCARD",
    .syntax = "numkeys key... [LIMIT limit]",
    .summary = "Counts the members of all of several sorted sets.",
    .since = "7.0.0",
    .complexity = "O(N*K) where N is the size of the smallest input and K the number of inputs",
    .flags = kReadOnly,
    .keys = "count@1:RO",
    .handler = zintercard_command,
    .examples = kZInterCardExamples,
};

// ZDIFF numkeys key... [WITHSCORES] -> members
Status zdiff_command(Call& call) { return reply_result(call, Operation::kDifference); }
constexpr Example kZDiffExamples[] = {
    {"ZADD a 1 x 2 y", ":2"}, {"ZADD b 10 y", ":1"}, {"ZDIFF 2 a b WITHSCORES", "*[$x ,1]"}};
constexpr CommandSpec kZDiff{
    .name = "ZDIFF",
    .syntax = "numkeys key... [WITHSCORES]",
    .summary = "Returns the members of a sorted set that several others do not have.",
    .since = "6.2.0",
    .complexity =
        "O(N*K+M*log(M)) where N is the size of the first input, K the number of inputs and M that "
        "of the members in the result",
    .flags = kReadOnly,
    .keys = "count@1:RO",
    .handler = zdiff_command,
    .examples = kZDiffExamples,
};

// ZDIFFSTORE destination numkeys key... -> members stored
Status zdiffstore_command(Call& call) {
  return store(call, Operation::kDifference, event::kZDiffStore);
}
constexpr Example kZDiffStoreExamples[] = {{"ZADD a 1 x 2 y", ":2"},
                                           {"ZADD b 10 y", ":1"},
                                           {"ZDIFFSTORE a 2 a b", ":1"},
                                           {"ZRANGE a 0 -1", "*[$x]"}};
constexpr CommandSpec kZDiffStore{
    .name = "ZDIFFSTORE",
    .syntax = "destination numkeys key...",
    .summary = "Stores the members of a sorted set that several others do not have.",
    .since = "6.2.0",
    .complexity =
        "O(N*K+M*log(M)) where N is the size of the first input, K the number of inputs and M that "
        "of the members in the result",
    .flags = kWrite | kDenyOom,
    .keys = "1:OW,count@2:RO",
    .handler = zdiffstore_command,
    .examples = kZDiffStoreExamples,
};

constexpr const CommandSpec* kCommands[] = {&kZDiff,       &kZDiffStore, &kZInter,     &kZInterCard,
                                            &kZInterStore, &kZUnion,     &kZUnionStore};

}  // namespace

extern constinit const engine::CommandFamily kSortedSetAlgebraFamily;
constinit const engine::CommandFamily kSortedSetAlgebraFamily{"zset", kCommands};

}  // namespace roxdb::commands
