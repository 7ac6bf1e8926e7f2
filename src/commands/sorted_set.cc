// sorted_set.cc: single members of sorted sets. Ranges, pops, set algebra and samples have files of
// their own: sorted_set_*.cc.
#include <optional>

#include "commands/sorted_set/members.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/sorted_set_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kDenyOom;
using engine::kFast;
using engine::kReadOnly;
using engine::kWrite;
using types::Added;
using types::AddRule;
using types::SortedSetValue;
using types::SortedSetView;
namespace errors = engine::errors;
namespace event = engine::event;

constexpr Status kNotNumber = user_error("ERR resulting score is not a number (NaN)");

struct AddOptions {
  AddRule rule;
  bool count_changed = false;
  size_t first = 2;  // argument of the first score
};

Result<AddOptions> read_add_options(Call& call) {
  AddOptions options;
  for (; options.first < call.argc(); ++options.first) {
    const size_t i = options.first;
    if (call.is(i, "NX")) {
      options.rule.only_new = true;
    } else if (call.is(i, "XX")) {
      options.rule.only_existing = true;
    } else if (call.is(i, "GT")) {
      options.rule.only_greater = true;
    } else if (call.is(i, "LT")) {
      options.rule.only_less = true;
    } else if (call.is(i, "CH")) {
      options.count_changed = true;
    } else if (call.is(i, "INCR")) {
      options.rule.increment = true;
    } else {
      break;
    }
  }
  const size_t left = call.argc() - options.first;
  const AddRule& rule = options.rule;
  if (left == 0 || left % 2 != 0) return errors::kSyntax;
  if (rule.only_new && rule.only_existing) {
    return user_error("ERR XX and NX options at the same time are not compatible");
  }
  if (rule.only_new + rule.only_greater + rule.only_less > 1) {
    return user_error("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
  if (rule.increment && left > 2) {
    return user_error("ERR INCR option supports a single increment-element pair");
  }
  return options;
}

// The one member of an increment. Replies the new score, nil when the rule refuses it.
Status increment(Call& call, double amount, std::string_view member, AddRule rule) {
  rule.increment = true;
  if (rule.only_existing && call.find(1) == nullptr) return call.reply_null();
  ROX_TRY(SortedSetValue set, call.edit_or_create<SortedSetValue>(1));
  const Added added = set.add(member, amount, rule);
  switch (added.outcome) {
    case Added::Outcome::kNotNumber:
      return kNotNumber;
    case Added::Outcome::kRefused:
      return call.reply_null();
    case Added::Outcome::kAdded:
    case Added::Outcome::kUpdated:
      call.changed(event::kZIncr);
      break;
    case Added::Outcome::kSame:
      break;
  }
  call.reply().real(added.score);
  return kOk;
}

// ZADD key [...] (score member)... -> members added, with CH also those changed; with INCR the
// score
Status zadd_command(Call& call) {
  ROX_TRY(const AddOptions options, read_add_options(call));
  // All scores are read before anything changes.
  for (size_t i = options.first; i < call.argc(); i += 2) ROX_TRY(call.real(i).status());
  if (options.rule.increment) {
    ROX_TRY(const double amount, call.real(options.first));
    return increment(call, amount, call.arg(options.first + 1), options.rule);
  }
  if (options.rule.only_existing && call.find(1) == nullptr) return call.reply(0);
  ROX_TRY(SortedSetValue set, call.edit_or_create<SortedSetValue>(1));
  int64_t added = 0;
  int64_t updated = 0;
  for (size_t i = options.first; i < call.argc(); i += 2) {
    ROX_TRY(const double score, call.real(i));
    const Added done = set.add(call.arg(i + 1), score, options.rule);
    added += done.outcome == Added::Outcome::kAdded;
    updated += done.outcome == Added::Outcome::kUpdated;
  }
  if (added + updated > 0) call.changed(event::kZAdd, 1, added + updated);
  return call.reply(options.count_changed ? added + updated : added);
}
constexpr Example kZAddExamples[] = {
    {"ZADD k 1 a 2 b", ":2"},
    {"ZADD k CH 3 a 2 b 1 c", ":2"},
    {"ZADD k GT 2 a 5 b", ":0"},
    {"ZRANGE k 0 -1 WITHSCORES", "*[$c ,1 $a ,3 $b ,5]"},
    {"ZADD k XX INCR 1.5 a", ",4.5"},
    {"ZADD k NX INCR 1 a", "$nil"},
    {"ZADD k NX XX 1 a", "-ERR XX and NX options at the same time are not compatible"},
    {"ZADD k nan a", "-ERR value is not a valid float"}};
constexpr CommandSpec kZAdd{
    .name = "ZADD",
    .syntax = "key [NX | XX] [GT | LT] [CH] [INCR] (score member)...",
    .summary = "Adds members to a sorted set, or changes their scores.",
    .since = "1.2.0",
    .complexity = "O(log(N)) for each member, where N is the number of members in the set",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW!u",
    .members = "3..end/2",
    .handler = zadd_command,
    .examples = kZAddExamples,
};

// ZINCRBY key increment member -> the score after the increment
Status zincrby_command(Call& call) {
  ROX_TRY(const double amount, call.real(2));
  return increment(call, amount, call.arg(3), {});
}
constexpr Example kZIncrByExamples[] = {
    {"ZINCRBY k 2 a", ",2"},
    {"ZINCRBY k -0.5 a", ",1.5"},
    {"ZINCRBY k inf a", ",inf"},
    {"ZINCRBY k -inf a", "-ERR resulting score is not a number (NaN)"}};
constexpr CommandSpec kZIncrBy{
    .name = "ZINCRBY",
    .syntax = "key increment member",
    .summary = "Adds to the score of a member; an absent one counts as 0.",
    .since = "1.2.0",
    .complexity = "O(log(N)) where N is the number of members in the set",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW",
    .members = "3",
    .handler = zincrby_command,
    .examples = kZIncrByExamples,
};

// ZREM key member... -> members removed
Status zrem_command(Call& call) {
  ROX_TRY(std::optional<SortedSetValue> set, call.edit<SortedSetValue>(1));
  if (!set) return call.reply(0);
  int64_t removed = 0;
  for (size_t i = 2; i < call.argc(); ++i) removed += set->erase(call.arg(i));
  if (removed > 0) {
    call.changed(event::kZRem, 1, removed);
    erase_if_empty(call, 1, *set);
  }
  return call.reply(removed);
}
constexpr Example kZRemExamples[] = {
    {"ZADD k 1 a 2 b", ":2"}, {"ZREM k a x", ":1"}, {"ZREM k b", ":1"}, {"EXISTS k", ":0"}};
constexpr CommandSpec kZRem{
    .name = "ZREM",
    .syntax = "key member...",
    .summary = "Removes members from a sorted set.",
    .since = "1.2.0",
    .complexity =
        "O(M*log(N)) where N is the number of members in the set and M that of those given",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .members = "2..end",
    .handler = zrem_command,
    .examples = kZRemExamples,
};

// ZCARD key -> the number of members
Status zcard_command(Call& call) {
  ROX_TRY(const std::optional<SortedSetView> set, read_sorted_set(call, 1));
  return call.reply(set ? static_cast<int64_t>(set->size()) : 0);
}
constexpr Example kZCardExamples[] = {
    {"ZCARD k", ":0"}, {"ZADD k 1 a 2 b", ":2"}, {"ZCARD k", ":2"}};
constexpr CommandSpec kZCard{
    .name = "ZCARD",
    .syntax = "key",
    .summary = "Returns the number of members in a sorted set.",
    .since = "1.2.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO!u",
    .handler = zcard_command,
    .examples = kZCardExamples,
};

void reply_score(Call& call, const std::optional<SortedSetView>& set, std::string_view member) {
  const std::optional<double> score = set ? set->score(member) : std::nullopt;
  if (score) {
    call.reply().real(*score);
  } else {
    call.reply().null();
  }
}

// ZSCORE key member -> its score, nil when there is none
Status zscore_command(Call& call) {
  ROX_TRY(const std::optional<SortedSetView> set, read_sorted_set(call, 1));
  reply_score(call, set, call.arg(2));
  return kOk;
}
constexpr Example kZScoreExamples[] = {
    {"ZADD k 1.5 a", ":1"}, {"ZSCORE k a", ",1.5"}, {"ZSCORE k b", "$nil"}};
constexpr CommandSpec kZScore{
    .name = "ZSCORE",
    .syntax = "key member",
    .summary = "Returns the score of a member.",
    .since = "1.2.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .members = "2",
    .handler = zscore_command,
    .examples = kZScoreExamples,
};

// ZMSCORE key member... -> their scores, nil for those that are absent
Status zmscore_command(Call& call) {
  ROX_TRY(const std::optional<SortedSetView> set, read_sorted_set(call, 1));
  call.reply().array(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) reply_score(call, set, call.arg(i));
  return kOk;
}
constexpr Example kZMScoreExamples[] = {{"ZADD k 1 a 2 b", ":2"},
                                        {"ZMSCORE k b x a", "*[,2 $nil ,1]"}};
constexpr CommandSpec kZMScore{
    .name = "ZMSCORE",
    .syntax = "key member...",
    .summary = "Returns the scores of several members.",
    .since = "6.2.0",
    .complexity = "O(N) where N is the number of members asked for",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .members = "2..end",
    .handler = zmscore_command,
    .examples = kZMScoreExamples,
};

Status reply_rank(Call& call, bool downwards) {
  if (call.argc() > 4 || (call.argc() == 4 && !call.is(3, "WITHSCORE"))) return errors::kSyntax;
  const bool with_score = call.argc() == 4;
  ROX_TRY(const std::optional<SortedSetView> set, read_sorted_set(call, 1));
  const auto found = set ? set->find(call.arg(2)) : std::nullopt;
  if (!found) {
    if (!with_score) return call.reply_null();
    call.reply().null_array();
    return kOk;
  }
  const size_t rank = downwards ? set->size() - 1 - found->rank : found->rank;
  if (with_score) call.reply().array(2);
  call.reply().integer(static_cast<int64_t>(rank));
  if (with_score) call.reply().real(found->score);
  return kOk;
}

// ZRANK key member [WITHSCORE] -> its place from the lowest score, nil when there is none
Status zrank_command(Call& call) { return reply_rank(call, false); }
constexpr Example kZRankExamples[] = {{"ZADD k 1 a 2 b 3 c", ":3"},
                                      {"ZRANK k b", ":1"},
                                      {"ZRANK k c WITHSCORE", "*[:2 ,3]"},
                                      {"ZRANK k x", "$nil"}};
constexpr CommandSpec kZRank{
    .name = "ZRANK",
    .syntax = "key member [WITHSCORE]",
    .summary = "Returns the place of a member, counted from the lowest score.",
    .since = "2.0.0",
    .complexity = "O(log(N)) where N is the number of members in the set",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .members = "2",
    .handler = zrank_command,
    .examples = kZRankExamples,
};

// ZREVRANK key member [WITHSCORE] -> its place from the highest score, nil when there is none
Status zrevrank_command(Call& call) { return reply_rank(call, true); }
constexpr Example kZRevRankExamples[] = {{"ZADD k 1 a 2 b 3 c", ":3"},
                                         {"ZREVRANK k c", ":0"},
                                         {"ZREVRANK k a WITHSCORE", "*[:2 ,1]"},
                                         {"ZREVRANK k x WITHSCORE", "*nil"}};
constexpr CommandSpec kZRevRank{
    .name = "ZREVRANK",
    .syntax = "key member [WITHSCORE]",
    .summary = "Returns the place of a member, counted from the highest score.",
    .since = "2.0.0",
    .complexity = "O(log(N)) where N is the number of members in the set",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .members = "2",
    .handler = zrevrank_command,
    .examples = kZRevRankExamples,
};

constexpr const CommandSpec* kCommands[] = {&kZAdd,  &kZCard, &kZIncrBy,  &kZMScore,
                                            &kZRank, &kZRem,  &kZRevRank, &kZScore};

}  // namespace

extern constinit const engine::CommandFamily kSortedSetFamily;
constinit const engine::CommandFamily kSortedSetFamily{"zset", kCommands};

}  // namespace roxdb::commands
