// expire.cc: when keys go by themselves. What is past and how times are read: shared/expire_time.h.
#include <algorithm>

#include "commands/shared/expire_time.h"
#include "commands/shared/inspect.h"
#include "commands/shared/integer_text.h"
#include "engine/call.h"
#include "engine/command.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::Cell;
using engine::CommandSpec;
using engine::Entry;
using engine::Example;
using engine::Keyspace;
using engine::kFast;
using engine::kReadOnly;
using engine::kWrite;
namespace event = engine::event;

struct Conditions {
  bool if_none = false;     // NX
  bool if_any = false;      // XX
  bool if_later = false;    // GT
  bool if_earlier = false;  // LT
};

Result<Conditions> read_conditions(Call& call, size_t first) {
  Conditions conditions;
  for (size_t i = first; i < call.argc(); ++i) {
    if (call.is(i, "NX")) {
      conditions.if_none = true;
    } else if (call.is(i, "XX")) {
      conditions.if_any = true;
    } else if (call.is(i, "GT")) {
      conditions.if_later = true;
    } else if (call.is(i, "LT")) {
      conditions.if_earlier = true;
    } else {
      return call.fail("ERR Unsupported option {}", call.arg(i));
    }
  }
  if (conditions.if_none && (conditions.if_any || conditions.if_later || conditions.if_earlier)) {
    return user_error("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (conditions.if_later && conditions.if_earlier) {
    return user_error("ERR GT and LT options at the same time are not compatible");
  }
  return conditions;
}

// A key without an expiry counts as one that lives for ever.
bool hold(const Conditions& conditions, const Entry& entry, int64_t expire_at_ms) {
  if (!entry.has_expiry()) return !conditions.if_any && !conditions.if_later;
  if (conditions.if_none) return false;
  if (conditions.if_later) return expire_at_ms > entry.expire_at_ms();
  return !conditions.if_earlier || expire_at_ms < entry.expire_at_ms();
}

// The four commands that set an expiry -> 1: set, or deleted because it is past | 0: the key is
// absent or a condition does not hold
Status expire(Call& call, ExpireUnit unit) {
  ROX_TRY(const Conditions conditions, read_conditions(call, 3));
  ROX_TRY(const int64_t number, call.integer(2));
  const auto expire_at_ms = to_epoch_ms(number, unit, call.now_ms());
  if (!expire_at_ms) return invalid_expire_time(call);

  Cell* cell = call.find(1);
  if (cell == nullptr || !hold(conditions, Keyspace::entry(*cell), *expire_at_ms)) {
    return call.reply(0);
  }
  const std::string_view key = call.arg(1);
  if (is_past(call, *expire_at_ms)) {
    call.erase(1);
    call.log_as({"DEL", key});
    return call.reply(1);
  }
  // A negative time means no expiry to an entry; in a foreign log it may stand all the same.
  call.set_expiry(1, *cell, std::max<int64_t>(*expire_at_ms, 0));
  call.changed(event::kExpire);
  call.log_as({"PEXPIREAT", key, IntegerText(*expire_at_ms)});
  return call.reply(1);
}

// EXPIRE key seconds [...]
Status expire_command(Call& call) { return expire(call, ExpireUnit::kSeconds); }
constexpr Example kExpireExamples[] = {
    {"EXPIRE k 10", ":0"},    {"SET k v", "+OK"}, {"EXPIRE k 10 XX", ":0"}, {"EXPIRE k 10", ":1"},
    {"EXPIRE k 20 LT", ":0"}, {"TTL k", ":10"},   {"EXPIRE k 0", ":1"},     {"EXISTS k", ":0"}};
constexpr CommandSpec kExpire{
    .name = "EXPIRE",
    .syntax = "key seconds [NX | XX | GT | LT]",
    .summary = "Says how many seconds from now a key goes.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .acl = engine::kCategoryKeyspace,
    .handler = expire_command,
    .examples = kExpireExamples,
};

// EXPIREAT key unix-time-seconds [...]
Status expireat_command(Call& call) { return expire(call, ExpireUnit::kSecondsAt); }
constexpr Example kExpireAtExamples[] = {
    {"SET k v", "+OK"}, {"EXPIREAT k 9999999999", ":1"}, {"EXPIRETIME k", ":9999999999"}};
constexpr CommandSpec kExpireAt{
    .name = "EXPIREAT",
    .syntax = "key unix-time-seconds [NX | XX | GT | LT]",
    .summary = "Says at which second of the Unix epoch a key goes.",
    .since = "1.2.0",
    .complexity = "O(1)",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .acl = engine::kCategoryKeyspace,
    .handler = expireat_command,
    .examples = kExpireAtExamples,
};

// PEXPIRE key milliseconds [...]
Status pexpire_command(Call& call) { return expire(call, ExpireUnit::kMilliseconds); }
constexpr Example kPExpireExamples[] = {
    {"SET k v", "+OK"}, {"PEXPIRE k 1500", ":1"}, {"TTL k", ":2"}};
constexpr CommandSpec kPExpire{
    .name = "PEXPIRE",
    .syntax = "key milliseconds [NX | XX | GT | LT]",
    .summary = "Says how many milliseconds from now a key goes.",
    .since = "2.6.0",
    .complexity = "O(1)",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .acl = engine::kCategoryKeyspace,
    .handler = pexpire_command,
    .examples = kPExpireExamples,
};

// PEXPIREAT key unix-time-milliseconds [...]
Status pexpireat_command(Call& call) { return expire(call, ExpireUnit::kMillisecondsAt); }
constexpr Example kPExpireAtExamples[] = {
    {"SET k v", "+OK"}, {"PEXPIREAT k 9999999999123", ":1"}, {"PEXPIRETIME k", ":9999999999123"}};
constexpr CommandSpec kPExpireAt{
    .name = "PEXPIREAT",
    .syntax = "key unix-time-milliseconds [NX | XX | GT | LT]",
    .summary = "Says at which millisecond of the Unix epoch a key goes.",
    .since = "2.6.0",
    .complexity = "O(1)",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .acl = engine::kCategoryKeyspace,
    .handler = pexpireat_command,
    .examples = kPExpireAtExamples,
};

// PERSIST key -> 1: its expiry is removed | 0: it had none, or is absent
Status persist_command(Call& call) {
  Cell* cell = call.find(1);
  if (cell == nullptr || !Keyspace::entry(*cell).has_expiry()) return call.reply(0);
  call.set_expiry(1, *cell, -1);
  call.changed(event::kPersist);
  return call.reply(1);
}
constexpr Example kPersistExamples[] = {
    {"SET k v EX 10", "+OK"}, {"PERSIST k", ":1"}, {"TTL k", ":-1"}, {"PERSIST k", ":0"}};
constexpr CommandSpec kPersist{
    .name = "PERSIST",
    .syntax = "key",
    .summary = "Takes the expiry of a key away.",
    .since = "2.2.0",
    .complexity = "O(1)",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .acl = engine::kCategoryKeyspace,
    .handler = persist_command,
    .examples = kPersistExamples,
};

constexpr int64_t kNoKey = -2;
constexpr int64_t kNoExpiry = -1;

int64_t rounded_to_seconds(int64_t ms) { return ms / 1000 + int64_t{ms % 1000 >= 500}; }

// When the key at argument 1 goes, in ms of the epoch; kNoKey, kNoExpiry.
int64_t expiry_of_key(Call& call) {
  const Entry* entry = inspect(call, 1);
  if (entry == nullptr) return kNoKey;
  return entry->has_expiry() ? entry->expire_at_ms() : kNoExpiry;
}

// Milliseconds that the key at argument 1 has left; kNoKey, kNoExpiry.
int64_t life_of_key(Call& call) {
  const int64_t expire_at_ms = expiry_of_key(call);
  return expire_at_ms < 0 ? expire_at_ms : std::max<int64_t>(expire_at_ms - call.now_ms(), 0);
}

// TTL key -> seconds left, rounded | -1: no expiry | -2: no key
Status ttl_command(Call& call) {
  const int64_t ms = life_of_key(call);
  return call.reply(ms < 0 ? ms : rounded_to_seconds(ms));
}
constexpr Example kTtlExamples[] = {{"TTL k", ":-2"}, {"SET k v", "+OK"}, {"TTL k", ":-1"}};
constexpr CommandSpec kTtl{
    .name = "TTL",
    .syntax = "key",
    .summary = "Says how many seconds a key has left.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .acl = engine::kCategoryKeyspace,
    .tips = "nondeterministic_output",
    .handler = ttl_command,
    .examples = kTtlExamples,
};

// PTTL key -> milliseconds left | -1: no expiry | -2: no key
Status pttl_command(Call& call) { return call.reply(life_of_key(call)); }
constexpr Example kPTtlExamples[] = {{"PTTL k", ":-2"}, {"SET k v", "+OK"}, {"PTTL k", ":-1"}};
constexpr CommandSpec kPTtl{
    .name = "PTTL",
    .syntax = "key",
    .summary = "Says how many milliseconds a key has left.",
    .since = "2.6.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .acl = engine::kCategoryKeyspace,
    .tips = "nondeterministic_output",
    .handler = pttl_command,
    .examples = kPTtlExamples,
};

// EXPIRETIME key -> second of the epoch when it goes, rounded | -1: no expiry | -2: no key
Status expiretime_command(Call& call) {
  const int64_t ms = expiry_of_key(call);
  return call.reply(ms < 0 ? ms : rounded_to_seconds(ms));
}
constexpr Example kExpireTimeExamples[] = {
    {"EXPIRETIME k", ":-2"}, {"SET k v EXAT 9999999999", "+OK"}, {"EXPIRETIME k", ":9999999999"}};
constexpr CommandSpec kExpireTime{
    .name = "EXPIRETIME",
    .syntax = "key",
    .summary = "Says at which second of the Unix epoch a key goes.",
    .since = "7.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .acl = engine::kCategoryKeyspace,
    .handler = expiretime_command,
    .examples = kExpireTimeExamples,
};

// PEXPIRETIME key -> millisecond of the epoch when it goes | -1: no expiry | -2: no key
Status pexpiretime_command(Call& call) { return call.reply(expiry_of_key(call)); }
constexpr Example kPExpireTimeExamples[] = {{"SET k v PXAT 9999999999123", "+OK"},
                                            {"PEXPIRETIME k", ":9999999999123"}};
constexpr CommandSpec kPExpireTime{
    .name = "PEXPIRETIME",
    .syntax = "key",
    .summary = "Says at which millisecond of the Unix epoch a key goes.",
    .since = "7.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .acl = engine::kCategoryKeyspace,
    .handler = pexpiretime_command,
    .examples = kPExpireTimeExamples,
};

constexpr const CommandSpec* kCommands[] = {&kExpire,      &kExpireAt, &kExpireTime,
                                            &kPersist,     &kPExpire,  &kPExpireAt,
                                            &kPExpireTime, &kPTtl,     &kTtl};

}  // namespace

extern constinit const engine::CommandFamily kExpireFamily;
constinit const engine::CommandFamily kExpireFamily{"generic", kCommands};

}  // namespace roxdb::commands
