// set.cc: members of sets: adding, removing, asking, walking. Picking at random and set algebra
// have files of their own.
#include <string>
#include <vector>

#include "commands/set/members.h"
#include "commands/shared/scan_options.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/set_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kDenyOom;
using engine::kFast;
using engine::kReadOnly;
using engine::kWrite;
using types::SetValue;
using types::SetView;
namespace errors = engine::errors;
namespace event = engine::event;

// SADD key member... -> how many were not there
Status sadd_command(Call& call) {
  ROX_TRY(SetValue set, call.edit_or_create<SetValue>(1));
  set.expect(call.argc() - 2);
  int64_t added = 0;
  for (size_t i = 2; i < call.argc(); ++i) added += set.add(call.arg(i)) ? 1 : 0;
  if (added > 0) call.changed(event::kSAdd, 1, added);
  return call.reply(added);
}
constexpr Example kSAddExamples[] = {
    {"SADD s a b a", ":2"}, {"SADD s b c", ":1"}, {"SCARD s", ":3"}};
constexpr CommandSpec kSAdd{
    .name = "SADD",
    .syntax = "key member...",
    .summary = "Adds members to a set; a missing key counts as empty.",
    .since = "1.0.0",
    .complexity = "O(1) for each member",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW!u",
    .members = "2..end",
    .handler = sadd_command,
    .examples = kSAddExamples,
};

// SREM key member... -> how many were there
Status srem_command(Call& call) {
  ROX_TRY(std::optional<SetValue> set, call.edit<SetValue>(1));
  if (!set) return call.reply(0);
  int64_t removed = 0;
  for (size_t i = 2; i < call.argc(); ++i) removed += set->remove(call.arg(i)) ? 1 : 0;
  if (removed > 0) {
    call.changed(event::kSRem, 1, removed);
    erase_if_empty(call, 1, *set);
  }
  return call.reply(removed);
}
constexpr Example kSRemExamples[] = {
    {"SADD s a b c", ":3"}, {"SREM s a x", ":1"}, {"SREM s b c", ":2"}, {"EXISTS s", ":0"}};
constexpr CommandSpec kSRem{
    .name = "SREM",
    .syntax = "key member...",
    .summary = "Removes members from a set; the key goes with the last one.",
    .since = "1.0.0",
    .complexity = "O(1) for each member",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .members = "2..end",
    .handler = srem_command,
    .examples = kSRemExamples,
};

// SISMEMBER key member -> 1: it is one | 0
Status sismember_command(Call& call) {
  ROX_TRY(const std::optional<SetView> set, read_set(call, 1));
  return call.reply(set && set->contains(call.arg(2)) ? 1 : 0);
}
constexpr Example kSIsMemberExamples[] = {
    {"SADD s a 7", ":2"}, {"SISMEMBER s 7", ":1"}, {"SISMEMBER s b", ":0"}};
constexpr CommandSpec kSIsMember{
    .name = "SISMEMBER",
    .syntax = "key member",
    .summary = "Says whether something is a member of a set.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO!u",
    .members = "2",
    .handler = sismember_command,
    .examples = kSIsMemberExamples,
};

// SMISMEMBER key member... -> for each 1: it is one | 0
Status smismember_command(Call& call) {
  ROX_TRY(const std::optional<SetView> set, read_set(call, 1));
  call.reply().array(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    call.reply().integer(set && set->contains(call.arg(i)) ? 1 : 0);
  }
  return kOk;
}
constexpr Example kSMIsMemberExamples[] = {
    {"SADD s a b", ":2"}, {"SMISMEMBER s a x b", "*[:1 :0 :1]"}, {"SMISMEMBER none a", "*[:0]"}};
constexpr CommandSpec kSMIsMember{
    .name = "SMISMEMBER",
    .syntax = "key member...",
    .summary = "Says for each of several whether it is a member of a set.",
    .since = "6.2.0",
    .complexity = "O(1) for each member",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .members = "2..end",
    .handler = smismember_command,
    .examples = kSMIsMemberExamples,
};

// SCARD key -> number of members
Status scard_command(Call& call) {
  ROX_TRY(const std::optional<SetView> set, read_set(call, 1));
  return call.reply(set ? static_cast<int64_t>(set->size()) : 0);
}
constexpr Example kSCardExamples[] = {{"SCARD s", ":0"}, {"SADD s a b", ":2"}, {"SCARD s", ":2"}};
constexpr CommandSpec kSCard{
    .name = "SCARD",
    .syntax = "key",
    .summary = "Returns the number of members of a set.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO!u",
    .handler = scard_command,
    .examples = kSCardExamples,
};

// SMEMBERS key -> all members
Status smembers_command(Call& call) {
  ROX_TRY(const std::optional<SetView> set, read_set(call, 1));
  if (!set) {
    call.reply().set(0);
    return kOk;
  }
  return reply_members(call, *set);
}
constexpr Example kSMembersExamples[] = {
    {"SADD s 3 1 2", ":3"}, {"SMEMBERS s", "~[$1 $2 $3]"}, {"SMEMBERS none", "~[]"}};
constexpr CommandSpec kSMembers{
    .name = "SMEMBERS",
    .syntax = "key",
    .summary = "Returns all members of a set.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the number of members",
    .flags = kReadOnly,
    .keys = "1:RO",
    .tips = "nondeterministic_output_order",
    .handler = smembers_command,
    .examples = kSMembersExamples,
};

// SMOVE source destination member -> 1: moved | 0: it was not in the source
Status smove_command(Call& call) {
  // Looked at first: a destination that has expired leaves the table, and cells move.
  const engine::Entry* const existing = call.peek(2);
  ROX_TRY(std::optional<SetValue> source, call.edit<SetValue>(1));
  if (!source) return call.reply(0);
  if (existing != nullptr && existing->type() != engine::TypeId::kSet) return errors::kWrongType;
  const std::string_view member = call.arg(3);
  if (call.arg(1) == call.arg(2)) return call.reply(source->view().contains(member) ? 1 : 0);
  if (!source->remove(member)) return call.reply(0);
  call.changed(event::kSRem);
  erase_if_empty(call, 1, *source);
  ROX_TRY(SetValue destination, call.edit_or_create<SetValue>(2));
  if (destination.add(member)) call.changed(event::kSAdd, 2);
  return call.reply(1);
}
constexpr Example kSMoveExamples[] = {
    {"SADD a x", ":1"}, {"SMOVE a b x", ":1"}, {"SMOVE a b x", ":0"}, {"SMEMBERS b", "~[$x]"}};
constexpr CommandSpec kSMove{
    .name = "SMOVE",
    .syntax = "source destination member",
    .summary = "Moves a member from one set to another.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kFast,
    .keys = "1:RW,2:RW!u",
    .members = "3",
    .handler = smove_command,
    .examples = kSMoveExamples,
};

// SSCAN key cursor [...] -> [where to go on, members]. Every member that is there all the time
// comes at least once, see containers/table.h.
Status sscan_command(Call& call) {
  ROX_TRY(uint64_t cursor, read_scan_cursor(call, 2));
  ROX_TRY(const std::optional<SetView> set, read_set(call, 1));
  if (!set) {
    call.reply().array(2);
    call.reply().bulk("0");
    call.reply().array(0);
    return kOk;
  }
  ROX_TRY(const ScanOptions options, read_scan_options(call, 3, Scanned::kMembers));
  // Digits of integers live only while they are visited.
  const bool is_table = set->encoding() == types::SetEncoding::kTable;
  std::vector<std::string_view> found;
  std::vector<std::string> copies;
  size_t bytes = 0;
  ScanEffort effort(options.count);
  do {
    effort.step();
    cursor = set->scan(cursor, [&](std::string_view member) {
      effort.visit();
      if (!options.pattern.matches(member)) return;
      bytes += member.size();
      if (is_table) {
        found.push_back(member);
      } else {
        copies.emplace_back(member);
      }
    });
  } while (cursor != 0 && !effort.is_spent() && bytes < call.engine().reply_bytes_max);

  call.reply().array(2);
  call.reply().bulk(std::to_string(cursor));
  call.reply().array(found.size() + copies.size());
  for (const std::string_view member : found) call.reply().bulk(member);
  for (const std::string& member : copies) call.reply().bulk(member);
  return kOk;
}
constexpr Example kSScanExamples[] = {{"SADD s a1 b 5", ":3"},
                                      {"SSCAN s 0", "*[$0 *[$a1 $b $5]]"},
                                      {"SSCAN s 0 MATCH a* COUNT 100", "*[$0 *[$a1]]"},
                                      {"SSCAN none 0", "*[$0 *[]]"},
                                      {"SSCAN s x", "-ERR invalid cursor"}};
constexpr CommandSpec kSScan{
    .name = "SSCAN",
    .syntax = "key cursor [MATCH pattern] [COUNT count]",
    .summary = "Walks over the members of a set, some at each call.",
    .since = "2.8.0",
    .complexity = "O(COUNT) for every call, O(N) for a whole walk over N members",
    .flags = kReadOnly,
    .keys = "1:RO",
    .tips = "nondeterministic_output",
    .handler = sscan_command,
    .examples = kSScanExamples,
};

constexpr const CommandSpec* kCommands[] = {&kSAdd,  &kSRem,     &kSIsMember, &kSMIsMember,
                                            &kSCard, &kSMembers, &kSMove,     &kSScan};

}  // namespace

extern constinit const engine::CommandFamily kSetFamily;
constinit const engine::CommandFamily kSetFamily{"set", kCommands};

}  // namespace roxdb::commands
