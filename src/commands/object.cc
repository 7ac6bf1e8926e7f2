// object.cc: OBJECT, how a value is kept and how often it is used. Looking changes neither.
#include "commands/shared/inspect.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/value_type.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Entry;
using engine::Example;
using engine::kLoading;
using engine::kReadOnly;
using engine::kStale;

constexpr CommandSpec kObject{
    .name = "OBJECT",
    .summary = "Commands that look behind a value.",
    .since = "2.2.3",
    .complexity = "Depends on the subcommand",
    .arity = -2,
};

// OBJECT ENCODING key -> the name of the encoding, nil when absent
Status object_encoding_command(Call& call) {
  const Entry* entry = inspect_silently(call, 2);
  if (entry == nullptr) return call.reply_null();
  return call.reply_bulk(types::value_type(entry->type())->encoding_name(*entry));
}
constexpr Example kEncodingExamples[] = {{"SET k 12", "+OK"},
                                         {"OBJECT ENCODING k", "$int"},
                                         {"APPEND k 3", ":3"},
                                         {"OBJECT ENCODING k", "$raw"},
                                         {"OBJECT ENCODING missing", "$nil"}};
constexpr CommandSpec kEncoding{
    .name = "OBJECT ENCODING",
    .syntax = "key",
    .summary = "Says how a value is kept, in Redis's words.",
    .since = "2.2.3",
    .complexity = "O(1)",
    .flags = kReadOnly,
    .keys = "2:RO!u",
    .acl = engine::kCategoryKeyspace,
    .tips = "nondeterministic_output",
    .handler = object_encoding_command,
    .examples = kEncodingExamples,
};

// OBJECT FREQ key -> the logarithmic counter of accesses, nil when absent
Status object_freq_command(Call& call) {
  const Entry* entry = inspect_silently(call, 2);
  if (entry == nullptr) return call.reply_null();
  if (!call.engine().uses_lfu) {
    return user_error(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note "
        "that when switching between policies at runtime LRU and LFU data will take some time to "
        "adjust.");
  }
  return call.reply(call.engine().frequency(*entry));
}
constexpr Example kFreqExamples[] = {{"OBJECT FREQ missing", "$nil"}};
constexpr CommandSpec kFreq{
    .name = "OBJECT FREQ",
    .syntax = "key",
    .summary = "Says how often a value is used, on a logarithmic scale; LFU policies only.",
    .since = "4.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly,
    .keys = "2:RO!u",
    .acl = engine::kCategoryKeyspace,
    .tips = "nondeterministic_output",
    .handler = object_freq_command,
    .examples = kFreqExamples,
};

// OBJECT IDLETIME key -> seconds since the last access, nil when absent
Status object_idletime_command(Call& call) {
  const Entry* entry = inspect_silently(call, 2);
  if (entry == nullptr) return call.reply_null();
  if (call.engine().uses_lfu) {
    return user_error(
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
        "switching between policies at runtime LRU and LFU data will take some time to adjust.");
  }
  return call.reply(int64_t{call.engine().idle_seconds(*entry)});
}
constexpr Example kIdleTimeExamples[] = {{"SET k v", "+OK"}, {"OBJECT IDLETIME k", ":0"}};
constexpr CommandSpec kIdleTime{
    .name = "OBJECT IDLETIME",
    .syntax = "key",
    .summary = "Says how many seconds a value was not used; all but LFU policies.",
    .since = "2.2.3",
    .complexity = "O(1)",
    .flags = kReadOnly,
    .keys = "2:RO!u",
    .acl = engine::kCategoryKeyspace,
    .tips = "nondeterministic_output",
    .handler = object_idletime_command,
    .examples = kIdleTimeExamples,
};

// OBJECT REFCOUNT key -> 1: an entry has one owner, always; nil when absent
Status object_refcount_command(Call& call) {
  return inspect_silently(call, 2) != nullptr ? call.reply(1) : call.reply_null();
}
constexpr Example kRefCountExamples[] = {{"SET k v", "+OK"}, {"OBJECT REFCOUNT k", ":1"}};
constexpr CommandSpec kRefCount{
    .name = "OBJECT REFCOUNT",
    .syntax = "key",
    .summary = "Says how many keys share a value: always one.",
    .since = "2.2.3",
    .complexity = "O(1)",
    .flags = kReadOnly,
    .keys = "2:RO!u",
    .acl = engine::kCategoryKeyspace,
    .tips = "nondeterministic_output",
    .handler = object_refcount_command,
    .examples = kRefCountExamples,
};

// OBJECT HELP -> lines of text
Status object_help_command(Call& call) {
  return call.reply_help({
      "ENCODING <key>",
      "    How the value of the key is kept.",
      "FREQ <key>",
      "    How often the value is used, on a logarithmic scale (LFU policies).",
      "IDLETIME <key>",
      "    How many seconds the value was not used (other policies).",
      "REFCOUNT <key>",
      "    How many keys share the value: always one.",
  });
}
constexpr CommandSpec kHelp{
    .name = "OBJECT HELP",
    .summary = "Describes the subcommands.",
    .since = "6.2.0",
    .complexity = "O(1)",
    .flags = kLoading | kStale,
    .acl = engine::kCategoryKeyspace,
    .handler = object_help_command,
};

constexpr const CommandSpec* kCommands[] = {&kObject,   &kEncoding, &kFreq,
                                            &kIdleTime, &kRefCount, &kHelp};

}  // namespace

extern constinit const engine::CommandFamily kObjectFamily;
constinit const engine::CommandFamily kObjectFamily{"generic", kCommands};

}  // namespace roxdb::commands
