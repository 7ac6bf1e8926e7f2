// hash.cc: fields of a hash, one by one. Walks over a hash: hash_walk.cc; fields that expire:
// hash_expire.cc, hash_getex.cc.
#include <cmath>
#include <optional>

#include "commands/hash/edit.h"
#include "commands/shared/integer_text.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/hash_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kDenyOom;
using engine::kFast;
using engine::kReadOnly;
using engine::kWrite;
using types::HashValue;
using types::HashView;
namespace errors = engine::errors;
namespace event = engine::event;

constexpr Status kNotInteger = user_error("ERR hash value is not an integer");
constexpr Status kNotFloat = user_error("ERR hash value is not a float");
constexpr Status kInfiniteIncrement = user_error("ERR value is NaN or Infinity");

// Sets the fields from argument 2 on; returns how many are new.
Result<int64_t> set_fields(Call& call) {
  if (call.argc() % 2 != 0) {
    return call.fail("ERR wrong number of arguments for '{}' command", call.command().full_name);
  }
  ROX_TRY(HashValue hash, call.edit_or_create<HashValue>(1));
  // Of a long request the memory for the next fields arrives while earlier ones are set.
  constexpr size_t kAheadArgs = 2 * 4;
  int64_t created = 0;
  for (size_t i = 2; i < call.argc(); i += 2) {
    if (i + kAheadArgs < call.argc()) hash.prefetch(call.arg(i + kAheadArgs));
    drop_if_due(call, hash, call.arg(i));
    created += int64_t{hash.set(call.arg(i), call.arg(i + 1))};
  }
  call.changed(event::kHSet, 1, static_cast<int64_t>(call.argc() / 2 - 1));
  return created;
}

// HSET key field value [...] -> fields that are new. An expiry a field had goes.
Status hset_command(Call& call) {
  ROX_TRY(const int64_t created, set_fields(call));
  return call.reply(created);
}
constexpr Example kHSetExamples[] = {
    {"HSET h f 1 g 2", ":2"}, {"HSET h f 3", ":0"}, {"HGET h f", "$3"}};
constexpr CommandSpec kHSet{
    .name = "HSET",
    .syntax = "key (field value)...",
    .summary = "Sets fields of a hash.",
    .since = "2.0.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW!u",
    .members = "2..end/2",
    .handler = hset_command,
    .examples = kHSetExamples,
};

// HMSET key field value [...] -> OK
Status hmset_command(Call& call) {
  ROX_TRY([[maybe_unused]] const int64_t created, set_fields(call));
  return call.reply_ok();
}
constexpr Example kHMSetExamples[] = {{"HMSET h f 1 g 2", "+OK"}, {"HLEN h", ":2"}};
constexpr CommandSpec kHMSet{
    .name = "HMSET",
    .syntax = "key (field value)...",
    .summary = "Sets fields of a hash.",
    .since = "2.0.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW!u",
    .members = "2..end/2",
    .deprecated_since = "4.0.0",
    .replaced_by = "`HSET` with multiple field-value pairs",
    .handler = hmset_command,
    .examples = kHMSetExamples,
};

// HSETNX key field value -> 1: set | 0: the field is there already
Status hsetnx_command(Call& call) {
  ROX_TRY(HashValue hash, call.edit_or_create<HashValue>(1));
  drop_if_due(call, hash, call.arg(2));
  char room[kIntegerDigitsMax];
  if (hash.view().find(call.arg(2), room)) return call.reply(0);
  hash.set(call.arg(2), call.arg(3));
  call.changed(event::kHSet);
  return call.reply(1);
}
constexpr Example kHSetNxExamples[] = {
    {"HSETNX h f 1", ":1"}, {"HSETNX h f 2", ":0"}, {"HGET h f", "$1"}};
constexpr CommandSpec kHSetNx{
    .name = "HSETNX",
    .syntax = "key field value",
    .summary = "Sets a field of a hash unless it is there.",
    .since = "2.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW!u",
    .members = "2",
    .handler = hsetnx_command,
    .examples = kHSetNxExamples,
};

// HGET key field -> its value | nil
Status hget_command(Call& call) {
  ROX_TRY(const std::optional<HashView> hash, read_hash(call, 1));
  char room[kIntegerDigitsMax];
  const auto field = hash ? hash->find(call.arg(2), room) : std::nullopt;
  return field ? call.reply_bulk(field->value) : call.reply_null();
}
constexpr Example kHGetExamples[] = {
    {"HGET h f", "$nil"}, {"HSET h f ab", ":1"}, {"HGET h f", "$ab"}, {"HGET h g", "$nil"}};
constexpr CommandSpec kHGet{
    .name = "HGET",
    .syntax = "key field",
    .summary = "Returns the value of a field.",
    .since = "2.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .members = "2",
    .handler = hget_command,
    .examples = kHGetExamples,
};

// HMGET key field [...] -> their values, nil where there is none
Status hmget_command(Call& call) {
  ROX_TRY(const std::optional<HashView> hash, read_hash(call, 1));
  return reply_values(call, hash, 2);
}
constexpr Example kHMGetExamples[] = {
    {"HSET h f 1 g 2", ":2"}, {"HMGET h f x g", "*[$1 $nil $2]"}, {"HMGET none f", "*[$nil]"}};
constexpr CommandSpec kHMGet{
    .name = "HMGET",
    .syntax = "key field...",
    .summary = "Returns the values of fields.",
    .since = "2.0.0",
    .complexity = "O(N) where N is the number of fields asked for",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .members = "2..end",
    .handler = hmget_command,
    .examples = kHMGetExamples,
};

// HDEL key field [...] -> fields that were there
Status hdel_command(Call& call) {
  ROX_TRY(std::optional<HashValue> hash, call.edit<HashValue>(1));
  if (!hash) return call.reply(0);
  int64_t erased = 0;
  for (size_t i = 2; i < call.argc() && !hash->empty(); ++i) {
    drop_if_due(call, *hash, call.arg(i));
    erased += int64_t{hash->erase(call.arg(i))};
  }
  if (erased > 0) call.changed(event::kHDel, 1, erased);
  erase_if_empty(call, *hash);
  return call.reply(erased);
}
constexpr Example kHDelExamples[] = {
    {"HSET h f 1 g 2", ":2"}, {"HDEL h f x", ":1"}, {"HDEL h g", ":1"}, {"EXISTS h", ":0"}};
constexpr CommandSpec kHDel{
    .name = "HDEL",
    .syntax = "key field...",
    .summary = "Removes fields of a hash; without fields the key goes.",
    .since = "2.0.0",
    .complexity = "O(N) where N is the number of fields to remove",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .members = "2..end",
    .handler = hdel_command,
    .examples = kHDelExamples,
};

// HEXISTS key field -> 1: it is there | 0
Status hexists_command(Call& call) {
  ROX_TRY(const std::optional<HashView> hash, read_hash(call, 1));
  char room[kIntegerDigitsMax];
  return call.reply(int64_t{hash && hash->find(call.arg(2), room)});
}
constexpr Example kHExistsExamples[] = {
    {"HSET h f 1", ":1"}, {"HEXISTS h f", ":1"}, {"HEXISTS h g", ":0"}};
constexpr CommandSpec kHExists{
    .name = "HEXISTS",
    .syntax = "key field",
    .summary = "Says whether a hash has a field.",
    .since = "2.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO!u",
    .members = "2",
    .handler = hexists_command,
    .examples = kHExistsExamples,
};

// HLEN key -> number of fields
Status hlen_command(Call& call) {
  ROX_TRY(const std::optional<HashView> hash, read_hash(call, 1));
  return call.reply(hash ? static_cast<int64_t>(hash->size()) : 0);
}
constexpr Example kHLenExamples[] = {{"HLEN h", ":0"}, {"HSET h f 1 g 2", ":2"}, {"HLEN h", ":2"}};
constexpr CommandSpec kHLen{
    .name = "HLEN",
    .syntax = "key",
    .summary = "Returns the number of fields.",
    .since = "2.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO!u",
    .handler = hlen_command,
    .examples = kHLenExamples,
};

// HSTRLEN key field -> bytes of its value, 0 when there is none
Status hstrlen_command(Call& call) {
  ROX_TRY(const std::optional<HashView> hash, read_hash(call, 1));
  char room[kIntegerDigitsMax];
  const auto field = hash ? hash->find(call.arg(2), room) : std::nullopt;
  return call.reply(field ? static_cast<int64_t>(field->value.size()) : 0);
}
constexpr Example kHStrLenExamples[] = {{"HSET h f abc n -12", ":2"},
                                        {"HSTRLEN h f", ":3"},
                                        {"HSTRLEN h n", ":3"},
                                        {"HSTRLEN h x", ":0"}};
constexpr CommandSpec kHStrLen{
    .name = "HSTRLEN",
    .syntax = "key field",
    .summary = "Returns the length of the value of a field.",
    .since = "3.2.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO!u",
    .members = "2",
    .handler = hstrlen_command,
    .examples = kHStrLenExamples,
};

// Sets the field at argument 2 to a sum; the expiry it has stays.
Status set_sum(Call& call, std::optional<HashValue>& hash, std::string_view sum,
               engine::Event event) {
  if (!hash) {
    ROX_TRY(HashValue fresh, call.edit_or_create<HashValue>(1));
    hash.emplace(fresh);
  }
  hash->set(call.arg(2), sum, types::kKeepExpiry);
  call.changed(event);
  return kOk;
}

// HINCRBY key field increment -> the value after the increment; a missing field counts as 0
Status hincrby_command(Call& call) {
  ROX_TRY(const int64_t increment, call.integer(3));
  ROX_TRY(std::optional<HashValue> hash, call.edit<HashValue>(1));
  int64_t sum = 0;
  if (hash) {
    drop_if_due(call, *hash, call.arg(2));
    char room[kIntegerDigitsMax];
    if (const auto field = hash->view().find(call.arg(2), room)) {
      const auto value = parse_int64(field->value);
      if (!value) return kNotInteger;
      sum = *value;
    }
  }
  if (__builtin_add_overflow(sum, increment, &sum)) return errors::kOverflow;
  ROX_TRY(set_sum(call, hash, IntegerText(sum), event::kHIncrBy));
  return call.reply(sum);
}
constexpr Example kHIncrByExamples[] = {{"HINCRBY h f 5", ":5"},
                                        {"HINCRBY h f -7", ":-2"},
                                        {"HSET h g x", ":1"},
                                        {"HINCRBY h g 1", "-ERR hash value is not an integer"}};
constexpr CommandSpec kHIncrBy{
    .name = "HINCRBY",
    .syntax = "key field increment",
    .summary = "Adds to the integer in a field; a missing field counts as 0.",
    .since = "2.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW",
    .members = "2",
    .handler = hincrby_command,
    .examples = kHIncrByExamples,
};

// HINCRBYFLOAT key field increment -> the value after the increment, as text
Status hincrbyfloat_command(Call& call) {
  const auto increment = parse_long_double(call.arg(3));
  if (!increment) return errors::kNotFloat;
  if (std::isnan(*increment) || std::isinf(*increment)) return kInfiniteIncrement;
  ROX_TRY(std::optional<HashValue> hash, call.edit<HashValue>(1));
  long double sum = 0;
  bool expires = false;
  if (hash) {
    drop_if_due(call, *hash, call.arg(2));
    char room[kIntegerDigitsMax];
    if (const auto field = hash->view().find(call.arg(2), room)) {
      const auto value = parse_long_double(field->value);
      if (!value) return kNotFloat;
      sum = *value;
      expires = field->expire_at_ms >= 0;
    }
  }
  sum += *increment;
  if (std::isnan(sum) || std::isinf(sum)) return errors::kNaNOrInfinity;

  char digits[kLongDoubleDigitsMax];
  const std::string_view text(digits, print_long_double(sum, digits));
  ROX_TRY(set_sum(call, hash, text, event::kHIncrByFloat));
  // HSET, which every server knows, would take the expiry away.
  if (expires) {
    call.log_as({"HSETEX", call.arg(1), "KEEPTTL", "FIELDS", "1", call.arg(2), text});
  } else {
    call.log_as({"HSET", call.arg(1), call.arg(2), text});
  }
  return call.reply_bulk(text);
}
constexpr Example kHIncrByFloatExamples[] = {
    {"HINCRBYFLOAT h f 10.5", "$10.5"},
    {"HINCRBYFLOAT h f 0.1", "$10.6"},
    {"HSET h g x", ":1"},
    {"HINCRBYFLOAT h g 1", "-ERR hash value is not a float"}};
constexpr CommandSpec kHIncrByFloat{
    .name = "HINCRBYFLOAT",
    .syntax = "key field increment",
    .summary = "Adds to the number in a field; a missing field counts as 0.",
    .since = "2.6.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW",
    .members = "2",
    .handler = hincrbyfloat_command,
    .examples = kHIncrByFloatExamples,
};

constexpr const CommandSpec* kCommands[] = {&kHDel,         &kHExists, &kHGet,   &kHIncrBy,
                                            &kHIncrByFloat, &kHLen,    &kHMGet,  &kHMSet,
                                            &kHSet,         &kHSetNx,  &kHStrLen};

}  // namespace

extern constinit const engine::CommandFamily kHashFamily;
constinit const engine::CommandFamily kHashFamily{"hash", kCommands};

}  // namespace roxdb::commands
