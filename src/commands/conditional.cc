// conditional.cc: deleting a key for what it holds, and the digest that stands for a long value.
// SET has the same conditions: string.cc.
#include "commands/string/options.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/string_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Entry;
using engine::Example;
using engine::kFast;
using engine::kReadOnly;
using engine::kWrite;
namespace errors = engine::errors;

Status erase_and_reply(Call& call) {
  call.erase(1);
  call.log_as({"DEL", call.arg(1)});
  return call.reply(1);
}

// DELEX key [condition operand] -> 1: deleted | 0: absent, or the condition does not hold
Status delex_command(Call& call) {
  if (call.argc() != 2 && call.argc() != 4) {
    return call.fail("ERR wrong number of arguments for '{}' command", call.command().full_name);
  }
  const Entry* entry = call.peek(1);
  if (entry == nullptr) return call.reply(0);
  if (call.argc() == 4) {
    // The key is looked at first, as in Redis: a wrong condition on an absent key is no error.
    if (entry->type() != types::TypeId::kString) {
      return user_error("ERR Key should be of string type if conditions are specified");
    }
    const auto condition = value_condition(call.arg(2));
    if (!condition) return user_error("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
    ROX_TRY(const bool holds, fulfils(entry, *condition, call.arg(3)));
    if (!holds) return call.reply(0);
  }
  return erase_and_reply(call);
}
constexpr Example kDelExExamples[] = {
    {"SET k v", "+OK"}, {"DELEX k IFEQ w", ":0"}, {"DELEX k IFNE w", ":1"}, {"DELEX k", ":0"}};
constexpr CommandSpec kDelEx{
    .name = "DELEX",
    .syntax = "key [IFEQ value | IFNE value | IFDEQ digest | IFDNE digest]",
    .summary = "Deletes a key if its value, or the digest of it, is or is not the one given.",
    .since = "8.4.0",
    .complexity = "O(1) for IFEQ and IFNE, else O(N) where N is the length of the value",
    .flags = kWrite | kFast,
    .keys = "1:RW",
    .handler = delex_command,
    .examples = kDelExExamples,
};

// DELIFEQ key value -> 1: deleted | 0: absent, or another value
Status delifeq_command(Call& call) {
  ROX_TRY(const bool equal, fulfils(call.peek(1), Condition::kEqual, call.arg(2)));
  return equal ? erase_and_reply(call) : call.reply(0);
}
constexpr Example kDelIfEqExamples[] = {
    {"SET k v", "+OK"}, {"DELIFEQ k w", ":0"}, {"DELIFEQ k v", ":1"}, {"EXISTS k", ":0"}};
constexpr CommandSpec kDelIfEq{
    .name = "DELIFEQ",
    .syntax = "key value",
    .summary = "Deletes a key if it has this value: how a lock is given back.",
    .since = "9.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kFast,
    .keys = "1:RM",
    .handler = delifeq_command,
    .examples = kDelIfEqExamples,
};

// DIGEST key -> XXH3 of the value as 16 hexadecimal digits, nil when there is none
Status digest_command(Call& call) {
  ROX_TRY(const Entry* entry, call.read_string(1));
  if (entry == nullptr) return call.reply_null();
  return call.reply_bulk(digest_text(types::StringView(*entry)));
}
constexpr Example kDigestExamples[] = {{"SET k \"Hello world\"", "+OK"},
                                       {"DIGEST k", "$b6acb9d84a38ff74"},
                                       {"DIGEST missing", "$nil"}};
constexpr CommandSpec kDigest{
    .name = "DIGEST",
    .syntax = "key",
    .summary = "Returns the digest of a value, for conditions that need not send all of it.",
    .since = "8.4.0",
    .complexity = "O(N) where N is the length of the value",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .handler = digest_command,
    .examples = kDigestExamples,
};

constexpr const CommandSpec* kCommands[] = {&kDelEx, &kDelIfEq, &kDigest};

}  // namespace

extern constinit const engine::CommandFamily kConditionalFamily;
constinit const engine::CommandFamily kConditionalFamily{"string", kCommands};

}  // namespace roxdb::commands
