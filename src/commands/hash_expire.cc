// hash_expire.cc: when fields of a hash go by themselves. Reading and writing in the same breath:
// hash_getex.cc. How a due field goes: engine.h, hash_value.h.
#include <algorithm>
#include <optional>
#include <vector>

#include "commands/hash/edit.h"
#include "commands/hash/field_list.h"
#include "commands/shared/expire_time.h"
#include "commands/shared/integer_text.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/hash_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kFast;
using engine::kReadOnly;
using engine::kWrite;
using types::HashValue;
using types::HashView;
namespace event = engine::event;

// What the reply says of one field.
constexpr int64_t kNoField = -2;
constexpr int64_t kNoTtl = -1;
constexpr int64_t kConditionFails = 0;
constexpr int64_t kDone = 1;
constexpr int64_t kDeleted = 2;

enum class Condition : uint8_t { kAlways, kIfNone, kIfAny, kIfLater, kIfEarlier };

Condition condition_of(const Call& call, size_t index) {
  if (call.is(index, "NX")) return Condition::kIfNone;
  if (call.is(index, "XX")) return Condition::kIfAny;
  if (call.is(index, "GT")) return Condition::kIfLater;
  if (call.is(index, "LT")) return Condition::kIfEarlier;
  return Condition::kAlways;
}

// A field without an expiry counts as one that lives for ever.
bool holds(Condition condition, int64_t old_ms, int64_t expire_at_ms) {
  const bool has_none = old_ms < 0;
  switch (condition) {
    case Condition::kAlways:
      break;
    case Condition::kIfNone:
      return has_none;
    case Condition::kIfAny:
      return !has_none;
    case Condition::kIfLater:
      return !has_none && expire_at_ms > old_ms;
    case Condition::kIfEarlier:
      return has_none || expire_at_ms < old_ms;
  }
  return true;
}

// The four commands that set an expiry -> for each field -2: not there | 0: the condition does not
// hold | 1: set | 2: deleted, the time is past
Status expire_fields(Call& call, ExpireUnit unit) {
  ROX_TRY(std::optional<HashValue> hash, call.edit<HashValue>(1));
  ROX_TRY(const int64_t expire_at_ms, read_field_expire_time(call, 2, unit));
  const Condition condition = condition_of(call, 3);
  ROX_TRY(const FieldList fields,
          read_field_list(call, condition == Condition::kAlways ? 3 : 4,
                          "ERR Parameter `numFields` should be greater than 0"));
  const bool past = is_past(call, expire_at_ms);
  std::vector<std::string_view> reached;
  call.reply().array(fields.count);
  for (size_t i = fields.first; i < call.argc(); ++i) {
    const std::string_view name = call.arg(i);
    if (hash) drop_if_due(call, *hash, name);
    char room[kIntegerDigitsMax];
    const auto field = hash ? hash->view().find(name, room) : std::nullopt;
    if (!field) {
      call.reply().integer(kNoField);
    } else if (!holds(condition, field->expire_at_ms, expire_at_ms)) {
      call.reply().integer(kConditionFails);
    } else {
      reached.push_back(name);
      if (past) {
        hash->erase(name);
      } else {
        // 0 means no expiry to a hash; in a foreign log it may stand all the same.
        hash->set_expiry(name, std::max<int64_t>(expire_at_ms, 1));
      }
      call.reply().integer(past ? kDeleted : kDone);
    }
  }
  if (!reached.empty()) {
    call.changed(past ? event::kHDel : event::kHExpire);
    if (past) {
      log_deleted_fields(call, reached);
    } else {
      note_expiry(call, *hash);
      log_fields(call, "HPEXPIREAT", {IntegerText(expire_at_ms)}, reached);
    }
  }
  if (hash) erase_if_empty(call, *hash);
  return kOk;
}

// HEXPIRE key seconds [...] FIELDS numfields field [...]
Status hexpire_command(Call& call) { return expire_fields(call, ExpireUnit::kSeconds); }
constexpr Example kHExpireExamples[] = {{"HEXPIRE h 10 FIELDS 1 f", "*[:-2]"},
                                        {"HSET h f 1 g 2", ":2"},
                                        {"HEXPIRE h 10 FIELDS 2 f x", "*[:1 :-2]"},
                                        {"HEXPIRE h 20 LT FIELDS 2 f g", "*[:0 :1]"},
                                        {"HTTL h FIELDS 2 f g", "*[:10 :20]"},
                                        {"HEXPIRE h 0 FIELDS 2 f g", "*[:2 :2]"},
                                        {"EXISTS h", ":0"}};
constexpr CommandSpec kHExpire{
    .name = "HEXPIRE",
    .syntax = "key seconds [NX | XX | GT | LT] (FIELDS numfields field...)",
    .summary = "Says how many seconds from now fields go.",
    .since = "7.4.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .handler = hexpire_command,
    .examples = kHExpireExamples,
};

// HEXPIREAT key unix-time-seconds [...] FIELDS numfields field [...]
Status hexpireat_command(Call& call) { return expire_fields(call, ExpireUnit::kSecondsAt); }
constexpr Example kHExpireAtExamples[] = {{"HSET h f 1", ":1"},
                                          {"HEXPIREAT h 9999999999 FIELDS 1 f", "*[:1]"},
                                          {"HEXPIRETIME h FIELDS 1 f", "*[:9999999999]"}};
constexpr CommandSpec kHExpireAt{
    .name = "HEXPIREAT",
    .syntax = "key unix-time-seconds [NX | XX | GT | LT] (FIELDS numfields field...)",
    .summary = "Says at which second of the Unix epoch fields go.",
    .since = "7.4.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .handler = hexpireat_command,
    .examples = kHExpireAtExamples,
};

// HPEXPIRE key milliseconds [...] FIELDS numfields field [...]
Status hpexpire_command(Call& call) { return expire_fields(call, ExpireUnit::kMilliseconds); }
constexpr Example kHPExpireExamples[] = {
    {"HSET h f 1", ":1"}, {"HPEXPIRE h 1500 FIELDS 1 f", "*[:1]"}, {"HTTL h FIELDS 1 f", "*[:2]"}};
constexpr CommandSpec kHPExpire{
    .name = "HPEXPIRE",
    .syntax = "key milliseconds [NX | XX | GT | LT] (FIELDS numfields field...)",
    .summary = "Says how many milliseconds from now fields go.",
    .since = "7.4.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .handler = hpexpire_command,
    .examples = kHPExpireExamples,
};

// HPEXPIREAT key unix-time-milliseconds [...] FIELDS numfields field [...]
Status hpexpireat_command(Call& call) { return expire_fields(call, ExpireUnit::kMillisecondsAt); }
constexpr Example kHPExpireAtExamples[] = {{"HSET h f 1", ":1"},
                                           {"HPEXPIREAT h 9999999999123 NX FIELDS 1 f", "*[:1]"},
                                           {"HPEXPIRETIME h FIELDS 1 f", "*[:9999999999123]"}};
constexpr CommandSpec kHPExpireAt{
    .name = "HPEXPIREAT",
    .syntax = "key unix-time-milliseconds [NX | XX | GT | LT] (FIELDS numfields field...)",
    .summary = "Says at which millisecond of the Unix epoch fields go.",
    .since = "7.4.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .handler = hpexpireat_command,
    .examples = kHPExpireAtExamples,
};

// HPERSIST key FIELDS numfields field [...] -> for each field -2: not there | -1: it has no expiry
// | 1: its expiry is removed
Status hpersist_command(Call& call) {
  ROX_TRY(std::optional<HashValue> hash, call.edit<HashValue>(1));
  ROX_TRY(const FieldList fields, read_field_list(call, 2, kCountNotPositive));
  bool any = false;
  call.reply().array(fields.count);
  for (size_t i = fields.first; i < call.argc(); ++i) {
    if (hash) drop_if_due(call, *hash, call.arg(i));
    char room[kIntegerDigitsMax];
    const auto field = hash ? hash->view().find(call.arg(i), room) : std::nullopt;
    if (!field) {
      call.reply().integer(kNoField);
    } else if (field->expire_at_ms < 0) {
      call.reply().integer(kNoTtl);
    } else {
      any = true;
      hash->set_expiry(call.arg(i), types::kNoExpiry);
      call.reply().integer(kDone);
    }
  }
  if (any) call.changed(event::kHPersist);
  if (hash) erase_if_empty(call, *hash);
  return kOk;
}
constexpr Example kHPersistExamples[] = {{"HSET h f 1 g 2", ":2"},
                                         {"HEXPIRE h 10 FIELDS 1 f", "*[:1]"},
                                         {"HPERSIST h FIELDS 3 f g x", "*[:1 :-1 :-2]"},
                                         {"HTTL h FIELDS 1 f", "*[:-1]"}};
constexpr CommandSpec kHPersist{
    .name = "HPERSIST",
    .syntax = "key (FIELDS numfields field...)",
    .summary = "Takes the expiry of fields away.",
    .since = "7.4.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .handler = hpersist_command,
    .examples = kHPersistExamples,
};

// The four commands that read an expiry -> for each field -2: not there | -1: it has none | the
// time, counted from `base_ms` of the epoch; seconds are rounded up
Status reply_expiries(Call& call, int64_t base_ms, int64_t unit_ms) {
  ROX_TRY(const std::optional<HashView> hash, read_hash(call, 1));
  ROX_TRY(const FieldList fields, read_field_list(call, 2, kCountNotPositive));
  call.reply().array(fields.count);
  for (size_t i = fields.first; i < call.argc(); ++i) {
    char room[kIntegerDigitsMax];
    const auto field = hash ? hash->find(call.arg(i), room) : std::nullopt;
    if (!field || field->expire_at_ms < 0) {
      call.reply().integer(field ? kNoTtl : kNoField);
    } else {
      call.reply().integer((field->expire_at_ms - base_ms + unit_ms - 1) / unit_ms);
    }
  }
  return kOk;
}

// HTTL key FIELDS numfields field [...] -> seconds left of each
Status httl_command(Call& call) { return reply_expiries(call, call.now_ms(), 1000); }
constexpr Example kHTtlExamples[] = {{"HTTL h FIELDS 1 f", "*[:-2]"},
                                     {"HSET h f 1 g 2", ":2"},
                                     {"HPEXPIRE h 9001 FIELDS 1 f", "*[:1]"},
                                     {"HTTL h FIELDS 3 f g x", "*[:10 :-1 :-2]"}};
constexpr CommandSpec kHTtl{
    .name = "HTTL",
    .syntax = "key (FIELDS numfields field...)",
    .summary = "Says how many seconds fields have left.",
    .since = "7.4.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .tips = "nondeterministic_output",
    .handler = httl_command,
    .examples = kHTtlExamples,
};

// HPTTL key FIELDS numfields field [...] -> milliseconds left of each
Status hpttl_command(Call& call) { return reply_expiries(call, call.now_ms(), 1); }
constexpr Example kHPTtlExamples[] = {{"HSET h f 1", ":1"}, {"HPTTL h FIELDS 2 f g", "*[:-1 :-2]"}};
constexpr CommandSpec kHPTtl{
    .name = "HPTTL",
    .syntax = "key (FIELDS numfields field...)",
    .summary = "Says how many milliseconds fields have left.",
    .since = "7.4.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .tips = "nondeterministic_output",
    .handler = hpttl_command,
    .examples = kHPTtlExamples,
};

// HEXPIRETIME key FIELDS numfields field [...] -> second of the epoch when each goes
Status hexpiretime_command(Call& call) { return reply_expiries(call, 0, 1000); }
constexpr Example kHExpireTimeExamples[] = {{"HSET h f 1", ":1"},
                                            {"HPEXPIREAT h 9999999998001 FIELDS 1 f", "*[:1]"},
                                            {"HEXPIRETIME h FIELDS 1 f", "*[:9999999999]"}};
constexpr CommandSpec kHExpireTime{
    .name = "HEXPIRETIME",
    .syntax = "key (FIELDS numfields field...)",
    .summary = "Says at which second of the Unix epoch fields go.",
    .since = "7.4.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .handler = hexpiretime_command,
    .examples = kHExpireTimeExamples,
};

// HPEXPIRETIME key FIELDS numfields field [...] -> millisecond of the epoch when each goes
Status hpexpiretime_command(Call& call) { return reply_expiries(call, 0, 1); }
constexpr Example kHPExpireTimeExamples[] = {{"HSET h f 1", ":1"},
                                             {"HPEXPIREAT h 9999999998001 FIELDS 1 f", "*[:1]"},
                                             {"HPEXPIRETIME h FIELDS 1 f", "*[:9999999998001]"}};
constexpr CommandSpec kHPExpireTime{
    .name = "HPEXPIRETIME",
    .syntax = "key (FIELDS numfields field...)",
    .summary = "Says at which millisecond of the Unix epoch fields go.",
    .since = "7.4.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .handler = hpexpiretime_command,
    .examples = kHPExpireTimeExamples,
};

constexpr const CommandSpec* kCommands[] = {&kHExpire,      &kHExpireAt, &kHExpireTime,
                                            &kHPersist,     &kHPExpire,  &kHPExpireAt,
                                            &kHPExpireTime, &kHPTtl,     &kHTtl};

}  // namespace

extern constinit const engine::CommandFamily kHashExpireFamily;
constinit const engine::CommandFamily kHashExpireFamily{"hash", kCommands};

}  // namespace roxdb::commands
