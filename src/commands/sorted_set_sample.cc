// sorted_set_sample.cc: members at random, and all members bit by bit.
#include <limits>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/numbers.h"
#include "base/random.h"
#include "commands/shared/reply_measure.h"
#include "commands/shared/scan_options.h"
#include "commands/sorted_set/members.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/sorted_set_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kReadOnly;
using types::SortedSetView;
namespace errors = engine::errors;

// ---- ZRANDMEMBER ----

// `count` different ranks below `size`, each set of them equally likely. REQUIRES: count <= size.
// Source: R. Floyd's sampling, CACM 30(9), 1987.
std::vector<size_t> distinct_ranks(size_t count, size_t size, Random& random) {
  std::vector<size_t> ranks;
  ranks.reserve(count);
  std::unordered_set<size_t> taken;
  for (size_t high = size - count; high < size; ++high) {
    const size_t rank = random.below(high + 1);
    ranks.push_back(taken.insert(rank).second ? rank : high);
    if (ranks.back() == high) taken.insert(high);
  }
  return ranks;
}

// kReplyTooLarge when so many members, of the size they have on average, are too much.
Status check_sample(Call& call, const SortedSetView& set, uint64_t count, bool with_scores) {
  constexpr uint64_t kPartsWithScore = 3;  // the pair, the member, the score
  const uint64_t bytes_each =
      set.bytes() / set.size() + (with_scores ? kPartsWithScore : 1) * kPartBytes;
  return count > call.engine().reply_bytes_max / bytes_each ? errors::kReplyTooLarge : kOk;
}

void reply_rank(Call& call, const SortedSetView& set, size_t rank, bool with_scores) {
  set.visit({rank, rank + 1}, [&](std::string_view member, double score) {
    reply_member(call.reply(), member, score, with_scores);
  });
}

// As often as asked for, whatever the size of the set; one member may come several times.
Status reply_with_repetition(Call& call, const SortedSetView& set, uint64_t count,
                             bool with_scores) {
  ROX_TRY(check_sample(call, set, count, with_scores));
  reply_members_header(call.reply(), count, with_scores);
  for (uint64_t i = 0; i < count; ++i) {
    reply_rank(call, set, call.engine().random.below(set.size()), with_scores);
  }
  return kOk;
}

// ZRANDMEMBER key [count [WITHSCORES]] -> one member, or an array; a negative count allows
// repetition
Status zrandmember_command(Call& call) {
  Random& random = call.engine().random;
  if (call.argc() == 2) {
    ROX_TRY(const std::optional<SortedSetView> set, read_sorted_set(call, 1));
    if (!set) return call.reply_null();
    const size_t rank = random.below(set->size());
    set->visit({rank, rank + 1},
               [&](std::string_view member, double) { call.reply().bulk(member); });
    return kOk;
  }
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  ROX_TRY(const int64_t count, call.integer(2));
  if (count < -kMost) {
    return call.fail("ERR value is out of range, value must between {} and {}", -kMost, kMost);
  }
  const bool with_scores = call.argc() > 3;
  if (call.argc() > 4 || (with_scores && !call.is(3, "WITHSCORES"))) return errors::kSyntax;
  if (with_scores && (count < -kMost / 2 || count > kMost / 2)) {
    return user_error("ERR value is out of range");
  }
  ROX_TRY(const std::optional<SortedSetView> set, read_sorted_set(call, 1));
  if (!set || count == 0) {
    call.reply().array(0);
    return kOk;
  }
  if (count < 0) {
    return reply_with_repetition(call, *set, static_cast<uint64_t>(-count), with_scores);
  }
  if (static_cast<uint64_t>(count) >= set->size()) {
    return reply_members(call, *set, set->all(), {.with_scores = with_scores});
  }
  ROX_TRY(check_sample(call, *set, static_cast<uint64_t>(count), with_scores));
  const auto ranks = distinct_ranks(static_cast<size_t>(count), set->size(), random);
  reply_members_header(call.reply(), ranks.size(), with_scores);
  for (const size_t rank : ranks) reply_rank(call, *set, rank, with_scores);
  return kOk;
}
constexpr Example kZRandMemberExamples[] = {{"ZRANDMEMBER k", "$nil"},
                                            {"ZADD k 1 a", ":1"},
                                            {"ZRANDMEMBER k", "$a"},
                                            {"ZRANDMEMBER k 5 WITHSCORES", "*[$a ,1]"},
                                            {"ZRANDMEMBER k -3", "*[$a $a $a]"}};
constexpr CommandSpec kZRandMember{
    .name = "ZRANDMEMBER",
    .syntax = "key [count [WITHSCORES]]",
    .summary = "Returns members of a sorted set at random.",
    .since = "6.2.0",
    .complexity =
        "O(M*log(N)) where N is the number of members in the set and M that of those returned",
    .flags = kReadOnly,
    .keys = "1:RO",
    .tips = "nondeterministic_output",
    .handler = zrandmember_command,
    .examples = kZRandMemberExamples,
};

// ---- ZSCAN ----

// ZSCAN key cursor [...] -> [where to go on, members and scores]
Status zscan_command(Call& call) {
  ROX_TRY(uint64_t cursor, read_scan_cursor(call, 2));
  ROX_TRY(const std::optional<SortedSetView> set, read_sorted_set(call, 1));
  ScanOptions options;
  std::vector<std::pair<std::string, double>> found;
  if (set) {
    ROX_TRY(options, read_scan_options(call, 3, Scanned::kScores));
    ScanEffort effort(options.count);
    size_t bytes = 0;
    do {
      effort.step();
      cursor = set->scan(cursor, [&](std::string_view member, double score) {
        effort.visit();
        if (!options.pattern.matches(member)) return;
        found.emplace_back(member, score);
        bytes += member.size();
      });
    } while (cursor != 0 && !effort.is_spent() && bytes < call.engine().reply_bytes_max);
  } else {
    cursor = 0;
  }
  call.reply().array(2);
  call.reply().bulk(std::to_string(cursor));
  call.reply().array(options.no_values ? found.size() : 2 * found.size());
  for (const auto& [member, score] : found) {
    call.reply().bulk(member);
    if (options.no_values) continue;
    char digits[kDoubleDigitsMax];
    call.reply().bulk({digits, print_double(score, digits)});
  }
  return kOk;
}
constexpr Example kZScanExamples[] = {{"ZADD k 1 a 2.5 b", ":2"},
                                      {"ZSCAN k 0", "*[$0 *[$a $1 $b $2.5]]"},
                                      {"ZSCAN k 0 MATCH b* COUNT 5 NOSCORES", "*[$0 *[$b]]"},
                                      {"ZSCAN missing 0", "*[$0 *[]]"},
                                      {"ZSCAN k x", "-ERR invalid cursor"}};
constexpr CommandSpec kZScan{
    .name = "ZSCAN",
    .syntax = "key cursor [MATCH pattern] [COUNT count] [NOSCORES]",
    .summary = "Walks over the members of a sorted set, some at each call.",
    .since = "2.8.0",
    .complexity = "O(COUNT) for every call, O(N) for a whole walk over N members",
    .flags = kReadOnly,
    .keys = "1:RO",
    .tips = "nondeterministic_output",
    .handler = zscan_command,
    .examples = kZScanExamples,
};

constexpr const CommandSpec* kCommands[] = {&kZRandMember, &kZScan};

}  // namespace

extern constinit const engine::CommandFamily kSortedSetSampleFamily;
constinit const engine::CommandFamily kSortedSetSampleFamily{"zset", kCommands};

}  // namespace roxdb::commands
