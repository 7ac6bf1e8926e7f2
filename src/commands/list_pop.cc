// list_pop.cc: taking elements out of lists, at once or when there are some (engine/waiting.h).
#include <algorithm>
#include <limits>
#include <optional>

#include "base/numbers.h"
#include "commands/list/ends.h"
#include "commands/shared/integer_text.h"
#include "commands/shared/timeout.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/list_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kBlocking;
using engine::kFast;
using engine::kWrite;
using types::ListValue;
using types::TypeId;
namespace errors = engine::errors;

// ---- one key ----

// LPOP key -> the element, nil when there is none; LPOP key count -> an array, null without key
Status pop_one_key(Call& call, End end) {
  std::optional<size_t> count;
  if (call.argc() > 3) {
    return call.fail("ERR wrong number of arguments for '{}' command", call.command().full_name);
  }
  if (call.argc() == 3) {
    const auto value = parse_int64(call.arg(2));
    if (!value || *value < 0) return user_error("ERR value is out of range, must be positive");
    count = static_cast<size_t>(*value);
  }
  ROX_TRY(std::optional<ListValue> list, call.edit<ListValue>(1));
  if (!list) return count ? call.reply_null_array() : call.reply_null();
  if (!count) {
    reply_element(call.reply(), end_of(list->view(), end));
    pop(*list, end);
    popped(call, 1, *list, end);
  } else if (*count == 0) {
    call.reply().array(0);
  } else {
    ROX_TRY(pop_and_reply(call, 1, *list, end, *count, false));
  }
  return kOk;
}

Status lpop_command(Call& call) { return pop_one_key(call, End::kLeft); }
constexpr Example kLPopExamples[] = {
    {"RPUSH k a b c d", ":4"}, {"LPOP k", "$a"},   {"LPOP k 2", "*[$b $c]"}, {"LPOP k 0", "*[]"},
    {"LPOP k 9", "*[$d]"},     {"LPOP k", "$nil"}, {"LPOP k 1", "*nil"}};
constexpr CommandSpec kLPop{
    .name = "LPOP",
    .syntax = "key [count]",
    .summary = "Removes the first elements of a list and returns them.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the number of elements returned",
    .flags = kWrite | kFast,
    .keys = "1:RW",
    .handler = lpop_command,
    .examples = kLPopExamples,
};

Status rpop_command(Call& call) { return pop_one_key(call, End::kRight); }
constexpr Example kRPopExamples[] = {
    {"RPUSH k a b c d", ":4"}, {"RPOP k", "$d"},
    {"RPOP k 2", "*[$c $b]"},  {"RPOP k -1", "-ERR value is out of range, must be positive"},
    {"RPOP k", "$a"},          {"RPOP k", "$nil"}};
constexpr CommandSpec kRPop{
    .name = "RPOP",
    .syntax = "key [count]",
    .summary = "Removes the last elements of a list and returns them, the last one first.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the number of elements returned",
    .flags = kWrite | kFast,
    .keys = "1:RW",
    .handler = rpop_command,
    .examples = kRPopExamples,
};

// ---- the first of several keys that has elements ----

struct Keys {
  size_t first;
  size_t count;
};

// The list that can be popped from; nothing when all keys are absent. A key of another type in
// front of it is an error. `key_index` out: its argument.
Result<std::optional<ListValue>> first_list(Call& call, Keys keys, size_t& key_index) {
  for (size_t i = keys.first; i < keys.first + keys.count; ++i) {
    ROX_TRY(std::optional<ListValue> list, call.edit<ListValue>(i));
    if (!list) continue;
    key_index = i;
    return std::optional<ListValue>(*list);
  }
  return std::optional<ListValue>();
}

// Pops at most `count` elements of the first list; the reply is [key, [element...]].
// False: there is none.
Result<bool> pop_first_list(Call& call, Keys keys, End end, size_t count) {
  size_t key_index = 0;
  ROX_TRY(std::optional<ListValue> list, first_list(call, keys, key_index));
  if (!list) return false;
  count = std::min(count, list->size());
  ROX_TRY(pop_and_reply(call, key_index, *list, end, count, true));
  call.log_as({pop_name(end), call.arg(key_index), IntegerText(static_cast<int64_t>(count))});
  return true;
}

struct PopMany {
  Keys keys;
  End end;
  size_t count = 1;
};

// numkeys key... LEFT|RIGHT [COUNT count], from argument `first` on.
Result<PopMany> read_pop_many(Call& call, size_t first) {
  const auto keys = parse_int64(call.arg(first));
  if (!keys || *keys < 1) return user_error("ERR numkeys should be greater than 0");
  if (static_cast<uint64_t>(*keys) >= call.argc() - first - 1) return errors::kSyntax;
  const auto keys_count = static_cast<size_t>(*keys);
  const size_t end_index = first + 1 + keys_count;
  ROX_TRY(const End end, read_end(call, end_index));
  PopMany pop{{first + 1, keys_count}, end};
  const size_t options = end_index + 1;
  if (options == call.argc()) return pop;
  if (options + 1 == call.argc() || !call.is(options, "COUNT")) return errors::kSyntax;
  const auto count = parse_int64(call.arg(options + 1));
  if (!count || *count < 1) return user_error("ERR count should be greater than 0");
  if (options + 2 < call.argc()) return errors::kSyntax;
  pop.count = static_cast<size_t>(*count);
  return pop;
}

// LMPOP numkeys key... LEFT|RIGHT [COUNT count] -> [key, [element...]] | null: none has any
Status lmpop_command(Call& call) {
  ROX_TRY(const PopMany pop, read_pop_many(call, 1));
  ROX_TRY(const bool done, pop_first_list(call, pop.keys, pop.end, pop.count));
  return done ? kOk : call.reply_null_array();
}
constexpr Example kLMPopExamples[] = {{"RPUSH b 1 2 3", ":3"},
                                      {"LMPOP 2 a b LEFT", "*[$b *[$1]]"},
                                      {"LMPOP 2 a b RIGHT COUNT 9", "*[$b *[$3 $2]]"},
                                      {"LMPOP 2 a b LEFT", "*nil"}};
constexpr CommandSpec kLMPop{
    .name = "LMPOP",
    .syntax = "numkeys key... (LEFT | RIGHT) [COUNT count]",
    .summary = "Removes elements from the first list that has some and returns them.",
    .since = "7.0.0",
    .complexity = "O(N+M) where N is the number of keys and M of elements returned",
    .flags = kWrite,
    .keys = "count@1:RW",
    .handler = lmpop_command,
    .examples = kLMPopExamples,
};

// ---- waiting ----

// BLPOP key... timeout -> [key, element] | null: the time was up
Status pop_or_wait(Call& call, End end) {
  if (call.timed_out()) return call.reply_null_array();
  const Keys keys{1, call.argc() - 2};
  ROX_TRY(const int64_t timeout_ms, read_timeout(call, call.argc() - 1, TimeoutUnit::kSeconds));
  size_t key_index = 0;
  ROX_TRY(std::optional<ListValue> list, first_list(call, keys, key_index));
  if (list) {
    call.reply().array(2);
    call.reply().bulk(call.arg(key_index));
    reply_element(call.reply(), end_of(list->view(), end));
    pop(*list, end);
    popped(call, key_index, *list, end);
    call.log_as({pop_name(end), call.arg(key_index)});
    return kOk;
  }
  if (!call.may_wait()) return call.reply_null_array();
  return call.wait({.type = TypeId::kList,
                    .first_key = keys.first,
                    .keys = keys.count,
                    .timeout_ms = timeout_ms});
}

Status blpop_command(Call& call) { return pop_or_wait(call, End::kLeft); }
constexpr Example kBLPopExamples[] = {
    {"RPUSH b 1 2", ":2"}, {"BLPOP a b 0", "*[$b $1]"}, {"BLPOP b -1", "-ERR timeout is negative"}};
constexpr CommandSpec kBLPop{
    .name = "BLPOP",
    .syntax = "key... timeout",
    .summary =
        "Removes the first element of the first list that has some; waits for one if need be.",
    .since = "2.0.0",
    .complexity = "O(N) where N is the number of keys",
    .flags = kWrite | kBlocking,
    .keys = "1..-2:RW",
    .handler = blpop_command,
    .examples = kBLPopExamples,
};

Status brpop_command(Call& call) { return pop_or_wait(call, End::kRight); }
constexpr Example kBRPopExamples[] = {{"RPUSH b 1 2", ":2"},
                                      {"BRPOP a b 0.5", "*[$b $2]"},
                                      {"BRPOP b x", "-ERR timeout is not a float or out of range"}};
constexpr CommandSpec kBRPop{
    .name = "BRPOP",
    .syntax = "key... timeout",
    .summary =
        "Removes the last element of the first list that has some; waits for one if need be.",
    .since = "2.0.0",
    .complexity = "O(N) where N is the number of keys",
    .flags = kWrite | kBlocking,
    .keys = "1..-2:RW",
    .handler = brpop_command,
    .examples = kBRPopExamples,
};

// BLMPOP timeout numkeys key... LEFT|RIGHT [COUNT count] -> [key, [element...]] | null
Status blmpop_command(Call& call) {
  if (call.timed_out()) return call.reply_null_array();
  ROX_TRY(const PopMany pop, read_pop_many(call, 2));
  ROX_TRY(const int64_t timeout_ms, read_timeout(call, 1, TimeoutUnit::kSeconds));
  ROX_TRY(const bool done, pop_first_list(call, pop.keys, pop.end, pop.count));
  if (done) return kOk;
  if (!call.may_wait()) return call.reply_null_array();
  return call.wait({.type = TypeId::kList,
                    .first_key = pop.keys.first,
                    .keys = pop.keys.count,
                    .timeout_ms = timeout_ms});
}
constexpr Example kBLMPopExamples[] = {
    {"RPUSH b 1 2 3", ":3"},
    {"BLMPOP 0 2 a b LEFT COUNT 2", "*[$b *[$1 $2]]"},
    {"BLMPOP 0 0 LEFT x", "-ERR numkeys should be greater than 0"}};
constexpr CommandSpec kBLMPop{
    .name = "BLMPOP",
    .syntax = "timeout numkeys key... (LEFT | RIGHT) [COUNT count]",
    .summary =
        "Removes elements from the first list that has some and returns them; waits if need be.",
    .since = "7.0.0",
    .complexity = "O(N+M) where N is the number of keys and M of elements returned",
    .flags = kWrite | kBlocking,
    .keys = "count@2:RW",
    .handler = blmpop_command,
    .examples = kBLMPopExamples,
};

constexpr const CommandSpec* kCommands[] = {&kBLMPop, &kBLPop, &kBRPop, &kLMPop, &kLPop, &kRPop};

}  // namespace

extern constinit const engine::CommandFamily kListPopFamily;
constinit const engine::CommandFamily kListPopFamily{"list", kCommands};

}  // namespace roxdb::commands
