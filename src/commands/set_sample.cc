// set_sample.cc: members of a set at random, left there or taken out.
#include <algorithm>
#include <limits>
#include <string>
#include <unordered_set>
#include <vector>

#include "commands/set/members.h"
#include "commands/shared/reply_measure.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/set_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kFast;
using engine::kReadOnly;
using engine::kWrite;
using types::SetValue;
using types::SetView;
namespace errors = engine::errors;
namespace event = engine::event;

constexpr Status kNotPositive = user_error("ERR value is out of range, must be positive");
// Of few among many, draws that came before are drawn again; beyond, one walk decides for each
// member whether it is among those still to be found (Knuth, TAOCP 2, 3.4.2, algorithm S).
constexpr uint64_t kFewOf = 3;

// `count` <= size members, all different, each handed to visit(std::string_view).
template <class Visitor>
void draw(const SetView& set, size_t size, size_t count, Random& random, Visitor&& visit) {
  if (count < size / kFewOf) {
    std::unordered_set<std::string> drawn;
    char room[kIntegerDigitsMax];
    while (drawn.size() < count) {
      const auto [member, is_new] = drawn.emplace(set.sample(random, room));
      if (is_new) visit(*member);
    }
    return;
  }
  size_t missing = count;
  size_t left = size;
  set.for_each([&](std::string_view member) {
    if (random.below(left--) >= missing) return;
    missing--;
    visit(member);
  });
}

// kReplyTooLarge when so many members, of the size they have on average, are too much.
Status check_sample(Call& call, const SetView& set, uint64_t count) {
  const uint64_t bytes_each = set.bytes() / set.size() + kPartBytes;
  return count > call.engine().reply_bytes_max / bytes_each ? errors::kReplyTooLarge : kOk;
}

// SPOP key -> a member | nil
Status pop_one(Call& call, SetValue& set) {
  std::string member;
  set.pop(call.engine().random, member);
  call.reply().bulk(member);
  call.log_as({"SREM", call.arg(1), member});
  call.changed(event::kSPop);
  erase_if_empty(call, 1, set);
  return kOk;
}

// All of a set leaves: what is logged is its end.
Status pop_all(Call& call, const SetView& set) {
  ROX_TRY(reply_members(call, set));
  call.changed(event::kSPop, 1, static_cast<int64_t>(set.size()));
  call.erase_emptied(1);
  call.log_as({"DEL", call.arg(1)});
  return kOk;
}

// SPOP key [count] -> a member | nil; with a count: so many
Status spop_command(Call& call) {
  const bool single = call.argc() == 2;
  size_t count = 1;
  if (!single) {
    const auto wanted = parse_int64(call.arg(2));
    if (!wanted || *wanted < 0) return kNotPositive;
    count = static_cast<size_t>(*wanted);
  }
  ROX_TRY(std::optional<SetValue> set, call.edit<SetValue>(1));
  if (single) return set ? pop_one(call, *set) : call.reply_null();
  if (!set || count == 0) {
    call.reply().set(0);
    return kOk;
  }
  const size_t size = set->view().size();
  if (count >= size) return pop_all(call, set->view());

  ROX_TRY(check_sample(call, set->view(), count));
  std::vector<std::string> members;
  members.reserve(count);
  draw(set->view(), size, count, call.engine().random,
       [&members](std::string_view member) { members.emplace_back(member); });
  std::vector<std::string_view> logged = {"SREM", call.arg(1)};
  call.reply().set(count);
  for (const std::string& member : members) {
    set->remove(member);
    call.reply().bulk(member);
    logged.push_back(member);
  }
  call.log_as(call.db(), logged);
  call.changed(event::kSPop, 1, static_cast<int64_t>(count));
  return kOk;
}
constexpr Example kSPopExamples[] = {
    {"SADD s a", ":1"},    {"SPOP s", "$a"},
    {"SPOP s", "$nil"},    {"SADD s b", ":1"},
    {"SPOP s 9", "~[$b]"}, {"SPOP s -1", "-ERR value is out of range, must be positive"}};
constexpr CommandSpec kSPop{
    .name = "SPOP",
    .syntax = "key [count]",
    .summary = "Takes members out of a set, at random.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the number of members returned",
    .flags = kWrite | kFast,
    .keys = "1:RW",
    .tips = "nondeterministic_output",
    .handler = spop_command,
    .examples = kSPopExamples,
};

// SRANDMEMBER key -> a member | nil
// SRANDMEMBER key count -> so many different ones; -count: which may repeat
Status srandmember_command(Call& call) {
  Random& random = call.engine().random;
  char room[kIntegerDigitsMax];
  if (call.argc() == 2) {
    ROX_TRY(const std::optional<SetView> set, read_set(call, 1));
    return set ? call.reply_bulk(set->sample(random, room)) : call.reply_null();
  }
  if (call.argc() > 3) return errors::kSyntax;
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  ROX_TRY(const int64_t wanted, call.integer(2));
  if (wanted < -kMax) {
    return call.fail("ERR value is out of range, value must between {} and {}", -kMax, kMax);
  }
  ROX_TRY(const std::optional<SetView> set, read_set(call, 1));
  if (!set || wanted == 0) {
    call.reply().array(0);
    return kOk;
  }
  const size_t size = set->size();
  const bool distinct = wanted > 0;
  uint64_t count = static_cast<uint64_t>(distinct ? wanted : -wanted);
  if (distinct) count = std::min<uint64_t>(count, size);
  ROX_TRY(check_sample(call, *set, count));
  call.reply().array(count);
  if (distinct) {
    draw(*set, size, count, random, [&](std::string_view member) { call.reply().bulk(member); });
  } else {
    for (uint64_t i = 0; i < count; ++i) call.reply().bulk(set->sample(random, room));
  }
  return kOk;
}
constexpr Example kSRandMemberExamples[] = {{"SRANDMEMBER s", "$nil"},
                                            {"SADD s a", ":1"},
                                            {"SRANDMEMBER s", "$a"},
                                            {"SRANDMEMBER s 5", "*[$a]"},
                                            {"SRANDMEMBER s -2", "*[$a $a]"}};
constexpr CommandSpec kSRandMember{
    .name = "SRANDMEMBER",
    .syntax = "key [count]",
    .summary = "Returns members of a set at random.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the number of members returned",
    .flags = kReadOnly,
    .keys = "1:RO",
    .tips = "nondeterministic_output",
    .handler = srandmember_command,
    .examples = kSRandMemberExamples,
};

constexpr const CommandSpec* kCommands[] = {&kSPop, &kSRandMember};

}  // namespace

extern constinit const engine::CommandFamily kSetSampleFamily;
constinit const engine::CommandFamily kSetSampleFamily{"set", kCommands};

}  // namespace roxdb::commands
