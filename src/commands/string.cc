// string.cc: commands on one string value. Several keys: string_many.cc; numbers: counter.cc;
// conditions on the value: conditional.cc.
#include <algorithm>

#include "base/limits.h"
#include "base/text.h"
#include "commands/shared/expire_time.h"
#include "commands/shared/integer_text.h"
#include "commands/string/kept_string.h"
#include "commands/string/options.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/string_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::Cell;
using engine::CommandSpec;
using engine::Entry;
using engine::Example;
using engine::kDenyOom;
using engine::kFast;
using engine::kReadOnly;
using engine::kWrite;
using types::StringValue;
namespace errors = engine::errors;
namespace event = engine::event;

// The bytes of a string that a range of the client's covers; both ends are included, < 0 counts
// from the end of the value.
struct Range {
  size_t begin;
  size_t size;
};

Range clip_range(int64_t start, int64_t end, size_t value_size) {
  const auto size = static_cast<int64_t>(value_size);
  if (start < 0 && end < 0 && start > end) return {0, 0};
  if (start < 0) start = std::max<int64_t>(start + size, 0);
  if (end < 0) end = std::max<int64_t>(end + size, 0);
  end = std::min(end, size - 1);
  if (start > end) return {0, 0};
  return {static_cast<size_t>(start), static_cast<size_t>(end - start + 1)};
}

// Writes one key whose expiry and condition are settled, and what the log shall say of it.
Status write_string(Call& call, std::string_view bytes, int64_t expire_at_ms, Lifetime lifetime) {
  const std::string_view key = call.arg(1);
  if (expire_at_ms >= 0 && is_past(call, expire_at_ms)) {
    if (call.erase(1)) call.log_as({"DEL", key});
    return kOk;
  }
  ROX_TRY(call.set_string(1, bytes, expire_at_ms, lifetime == Lifetime::kKeep));
  call.changed(event::kSet);
  if (expire_at_ms >= 0) {
    call.engine().notify(call.db(), key, event::kExpire);
    call.log_as({"SET", key, bytes, "PXAT", IntegerText(expire_at_ms)});
  } else if (lifetime == Lifetime::kKeep) {
    call.log_as({"SET", key, bytes, "KEEPTTL"});
  } else {
    call.log_as({"SET", key, bytes});
  }
  return kOk;
}

// SET key value [...] -> OK | nil: the condition does not hold | the old value, with GET
Status set_command(Call& call) {
  if (call.argc() == 3) {  // by far the most frequent form: one look into the table, logged as is
    ROX_TRY(call.set_string(1, call.arg(2)));
    call.changed(event::kSet);
    return call.reply_ok();
  }
  ROX_TRY(const StringOptions options,
          read_string_options(call, 3, kTakesExistence | kTakesValue | kTakesGet | kTakesKeep));
  ROX_TRY(const int64_t expire_at_ms, expire_time_of(call, options));
  const Entry* entry = nullptr;
  if (options.get) {
    ROX_TRY(entry, call.read_string(1));
  } else if (options.condition != Condition::kNone) {
    entry = call.peek(1);
  }
  ROX_TRY(const bool writes, fulfils(entry, options.condition, options.operand));
  const KeptString old(options.get ? entry : nullptr);
  if (writes) ROX_TRY(write_string(call, call.arg(2), expire_at_ms, options.lifetime));
  if (options.get) {
    old.reply(call.reply());
    return kOk;
  }
  return writes ? call.reply_ok() : call.reply_null();
}
constexpr Example kSetExamples[] = {{"SET k v", "+OK"},
                                    {"SET k w NX", "$nil"},
                                    {"SET k w XX GET", "$v"},
                                    {"SET k x IFEQ w", "+OK"},
                                    {"SET k y IFNE x", "$nil"},
                                    {"SET k z EX 0", "-ERR invalid expire time in 'set' command"},
                                    {"SET k z EX 10 PX 10", "-ERR syntax error"}};
// Without GET nothing of the old value is told.
void find_set_key(engine::Args args, std::vector<engine::KeyAt>& keys) {
  const bool reads = std::any_of(args.begin() + 3, args.end(), [](std::string_view word) {
    return equal_ignore_case(word, "GET");
  });
  keys.push_back({1, reads ? engine::KeyAccess::kReadWrite : engine::KeyAccess::kOverwrite});
}
constexpr CommandSpec kSet{
    .name = "SET",
    .syntax =
        "key value [NX | XX | IFEQ value | IFNE value | IFDEQ digest | IFDNE digest] [GET] "
        "[EX seconds | PX milliseconds | EXAT unix-time-seconds | "
        "PXAT unix-time-milliseconds | KEEPTTL]",
    .summary =
        "Sets the value of a key, whatever it held, under a condition and for a time if "
        "wanted.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom,
    .keys = "1:RW!v",
    .find_keys = find_set_key,
    .handler = set_command,
    .examples = kSetExamples,
};

// SETNX key value -> 1: set | 0: the key existed
Status setnx_command(Call& call) {
  if (call.peek(1) != nullptr) return call.reply(0);
  ROX_TRY(write_string(call, call.arg(2), -1, Lifetime::kNone));
  return call.reply(1);
}
constexpr Example kSetNxExamples[] = {{"SETNX k v", ":1"}, {"SETNX k w", ":0"}, {"GET k", "$v"}};
constexpr CommandSpec kSetNx{
    .name = "SETNX",
    .syntax = "key value",
    .summary = "Sets the value of a key that does not exist.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:OW",
    .deprecated_since = "2.6.12",
    .replaced_by = "`SET` with the `NX` argument",
    .handler = setnx_command,
    .examples = kSetNxExamples,
};

Status set_with_expiry(Call& call, ExpireUnit unit) {
  ROX_TRY(const int64_t expire_at_ms, read_expire_time(call, 2, unit));
  ROX_TRY(write_string(call, call.arg(3), expire_at_ms, Lifetime::kExpire));
  return call.reply_ok();
}

// SETEX key seconds value -> OK
Status setex_command(Call& call) { return set_with_expiry(call, ExpireUnit::kSeconds); }
constexpr Example kSetExExamples[] = {
    {"SETEX k 10 v", "+OK"},
    {"TTL k", ":10"},
    {"SETEX k 0 v", "-ERR invalid expire time in 'setex' command"}};
constexpr CommandSpec kSetEx{
    .name = "SETEX",
    .syntax = "key seconds value",
    .summary = "Sets the value of a key and how many seconds it lives.",
    .since = "2.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom,
    .keys = "1:OW",
    .deprecated_since = "2.6.12",
    .replaced_by = "`SET` with the `EX` argument",
    .handler = setex_command,
    .examples = kSetExExamples,
};

// PSETEX key milliseconds value -> OK
Status psetex_command(Call& call) { return set_with_expiry(call, ExpireUnit::kMilliseconds); }
constexpr Example kPSetExExamples[] = {{"PSETEX k 10000 v", "+OK"}, {"TTL k", ":10"}};
constexpr CommandSpec kPSetEx{
    .name = "PSETEX",
    .syntax = "key milliseconds value",
    .summary = "Sets the value of a key and how many milliseconds it lives.",
    .since = "2.6.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom,
    .keys = "1:OW",
    .deprecated_since = "2.6.12",
    .replaced_by = "`SET` with the `PX` argument",
    .handler = psetex_command,
    .examples = kPSetExExamples,
};

// GETSET key value -> the old value, nil when there was none
Status getset_command(Call& call) {
  ROX_TRY(const Entry* entry, call.read_string(1));
  const KeptString old(entry);
  ROX_TRY(write_string(call, call.arg(2), -1, Lifetime::kNone));
  old.reply(call.reply());
  return kOk;
}
constexpr Example kGetSetExamples[] = {{"GETSET k v", "$nil"}, {"GETSET k w", "$v"}};
constexpr CommandSpec kGetSet{
    .name = "GETSET",
    .syntax = "key value",
    .summary = "Sets the value of a key and returns the one it had.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW",
    .deprecated_since = "6.2.0",
    .replaced_by = "`SET` with the `GET` argument",
    .handler = getset_command,
    .examples = kGetSetExamples,
};

// GET key -> the value, nil when there is none
Status get_command(Call& call) {
  ROX_TRY(const Entry* entry, call.read_string(1));
  return entry != nullptr ? call.reply_string(*entry) : call.reply_null();
}
constexpr Example kGetExamples[] = {{"GET k", "$nil"}, {"SET k v", "+OK"}, {"GET k", "$v"}};
constexpr CommandSpec kGet{
    .name = "GET",
    .syntax = "key",
    .summary = "Returns the value of a key.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .handler = get_command,
    .examples = kGetExamples,
};

// GETDEL key -> the value, which is then gone; nil when there is none
Status getdel_command(Call& call) {
  ROX_TRY(const Entry* entry, call.read_string(1));
  if (entry == nullptr) return call.reply_null();
  ROX_TRY(call.reply_string(*entry));
  call.erase(1);
  call.log_as({"DEL", call.arg(1)});
  return kOk;
}
constexpr Example kGetDelExamples[] = {
    {"SET k v", "+OK"}, {"GETDEL k", "$v"}, {"GETDEL k", "$nil"}};
constexpr CommandSpec kGetDel{
    .name = "GETDEL",
    .syntax = "key",
    .summary = "Returns the value of a key and deletes the key.",
    .since = "6.2.0",
    .complexity = "O(1)",
    .flags = kWrite | kFast,
    .keys = "1:RW",
    .handler = getdel_command,
    .examples = kGetDelExamples,
};

// GETEX key [...] -> the value, nil when there is none; its expiry is then as the options say
Status getex_command(Call& call) {
  ROX_TRY(const StringOptions options, read_string_options(call, 2, kTakesPersist));
  ROX_TRY(const Entry* entry, call.read_string(1));
  if (entry == nullptr) return call.reply_null();
  ROX_TRY(const int64_t expire_at_ms, expire_time_of(call, options));
  ROX_TRY(call.reply_string(*entry));
  const std::string_view key = call.arg(1);
  if (options.lifetime == Lifetime::kExpire) {
    if (is_past(call, expire_at_ms)) {
      call.erase(1);
      call.log_as({"DEL", key});
      return kOk;
    }
    call.set_expiry(1, *call.find(1), expire_at_ms);
    call.changed(event::kExpire);
    call.log_as({"PEXPIREAT", key, IntegerText(expire_at_ms)});
  } else if (options.lifetime == Lifetime::kPersist && entry->has_expiry()) {
    call.set_expiry(1, *call.find(1), -1);
    call.changed(event::kPersist);
    call.log_as({"PERSIST", key});
  }
  return kOk;
}
constexpr Example kGetExExamples[] = {{"SET k v", "+OK"}, {"GETEX k EX 10", "$v"},
                                      {"TTL k", ":10"},   {"GETEX k PERSIST", "$v"},
                                      {"TTL k", ":-1"},   {"GETEX missing EX 0", "$nil"}};
constexpr CommandSpec kGetEx{
    .name = "GETEX",
    .syntax =
        "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | "
        "PXAT unix-time-milliseconds | PERSIST]",
    .summary = "Returns the value of a key and changes how long it lives.",
    .since = "6.2.0",
    .complexity = "O(1)",
    .flags = kWrite | kFast,
    .keys = "1:RW",
    .handler = getex_command,
    .examples = kGetExExamples,
};

// APPEND key value -> length of the string after the write, in bytes
Status append_command(Call& call) {
  const std::string_view bytes = call.arg(2);
  ROX_TRY(std::optional<StringValue> string, call.edit<StringValue>(1));
  if (!string) {
    ROX_TRY(call.set_string(1, bytes));  // as SET does: "12" becomes an integer
    call.changed(event::kAppend);
    return call.reply(static_cast<int64_t>(bytes.size()));
  }
  const size_t size = string->size();
  const size_t size_max = call.engine().string_bytes_max;
  if (size > size_max || bytes.size() > size_max - size) return errors::kStringTooLong;
  ROX_TRY(string->append(bytes));
  call.changed(event::kAppend);
  return call.reply(static_cast<int64_t>(size + bytes.size()));
}
constexpr Example kAppendExamples[] = {
    {"APPEND k ab", ":2"}, {"APPEND k cd", ":4"}, {"GET k", "$abcd"}};
constexpr CommandSpec kAppend{
    .name = "APPEND",
    .syntax = "key value",
    .summary = "Adds bytes to the end of a string; a missing key counts as empty.",
    .since = "2.0.0",
    .complexity = "O(1) amortised",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW!u",
    .handler = append_command,
    .examples = kAppendExamples,
};

// STRLEN key -> its length in bytes, 0 when there is none
Status strlen_command(Call& call) {
  ROX_TRY(const Entry* entry, call.read_string(1));
  if (entry == nullptr) return call.reply(0);
  return call.reply(static_cast<int64_t>(types::StringView(*entry).size()));
}
constexpr Example kStrLenExamples[] = {
    {"STRLEN k", ":0"}, {"SET k -555", "+OK"}, {"STRLEN k", ":4"}};
constexpr CommandSpec kStrLen{
    .name = "STRLEN",
    .syntax = "key",
    .summary = "Returns the length of a string in bytes.",
    .since = "2.2.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO!u",
    .handler = strlen_command,
    .examples = kStrLenExamples,
};

// GETRANGE key start end -> the bytes between, ends included; empty when there are none
Status getrange_command(Call& call) {
  ROX_TRY(const int64_t start, call.integer(2));
  ROX_TRY(const int64_t end, call.integer(3));
  ROX_TRY(const Entry* entry, call.read_string(1));
  if (entry == nullptr) return call.reply_bulk({});
  const types::StringView value(*entry);
  const Range range = clip_range(start, end, value.size());
  const std::string_view bytes = value.view().substr(range.begin, range.size);
  // A reference keeps all of the value alive, while the client is charged with the part: it must
  // not be a small one.
  const SharedRef blob =
      bytes.size() >= value.size() / 2 ? types::string_blob(*entry) : SharedRef();
  if (!blob) return call.reply_bulk(bytes);
  call.reply().bulk_shared(bytes, blob);
  return kOk;
}
constexpr Example kGetRangeExamples[] = {{"SET k abcdef", "+OK"},
                                         {"GETRANGE k 1 3", "$bcd"},
                                         {"GETRANGE k -3 -1", "$def"},
                                         {"GETRANGE k 4 2", "$"},
                                         {"GETRANGE missing 0 -1", "$"}};
constexpr CommandSpec kGetRange{
    .name = "GETRANGE",
    .syntax = "key start end",
    .summary = "Returns a part of a string.",
    .since = "2.4.0",
    .complexity = "O(N) where N is the length of the part",
    .flags = kReadOnly,
    .keys = "1:RO",
    .handler = getrange_command,
    .examples = kGetRangeExamples,
};

constexpr Example kSubStrExamples[] = {{"SET k abcdef", "+OK"}, {"SUBSTR k 1 3", "$bcd"}};
constexpr CommandSpec kSubStr{
    .name = "SUBSTR",
    .syntax = "key start end",
    .summary = "Returns a part of a string: the older name of GETRANGE.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the length of the part",
    .flags = kReadOnly,
    .keys = "1:RO",
    .deprecated_since = "2.0.0",
    .replaced_by = "`GETRANGE`",
    .handler = getrange_command,
    .examples = kSubStrExamples,
};

// SETRANGE key offset value -> length of the string after the write, in bytes
Status setrange_command(Call& call) {
  ROX_TRY(const int64_t offset, call.integer(2));
  if (offset < 0) return errors::kOffsetOutOfRange;
  const std::string_view bytes = call.arg(3);
  const auto at = static_cast<size_t>(offset);
  const size_t size_max = call.engine().string_bytes_max;
  const bool too_long = bytes.size() > size_max || at > size_max - bytes.size();

  ROX_TRY(std::optional<StringValue> string, call.edit<StringValue>(1));
  if (bytes.empty()) return call.reply(string ? static_cast<int64_t>(string->size()) : 0);
  if (too_long) return errors::kStringTooLong;
  if (string) {
    ROX_TRY(string->set_range(at, bytes));
  } else {
    ROX_TRY(string, call.edit_or_create<StringValue>(1));
    if (const Status status = string->set_range(at, bytes); !status.ok()) {
      // The key was made for this value; without it nothing shall have happened.
      call.engine().erase(call.db(), call.key(1), *call.find(1));
      return status;
    }
  }
  call.changed(event::kSetRange);
  return call.reply(static_cast<int64_t>(string->size()));
}
constexpr Example kSetRangeExamples[] = {{"SET k abcdef", "+OK"},
                                         {"SETRANGE k 2 XY", ":6"},
                                         {"GET k", "$abXYef"},
                                         {"SETRANGE k 8 Z", ":9"},
                                         {"SETRANGE k -1 Z", "-ERR offset is out of range"}};
constexpr CommandSpec kSetRange{
    .name = "SETRANGE",
    .syntax = "key offset value",
    .summary = "Overwrites a part of a string; zero bytes fill a gap.",
    .since = "2.2.0",
    .complexity = "O(N) where N is the length of the value written",
    .flags = kWrite | kDenyOom,
    .keys = "1:RW!u",
    .handler = setrange_command,
    .examples = kSetRangeExamples,
};

constexpr const CommandSpec* kCommands[] = {&kAppend,   &kGet,    &kGetDel, &kGetEx, &kGetRange,
                                            &kGetSet,   &kPSetEx, &kSet,    &kSetEx, &kSetNx,
                                            &kSetRange, &kStrLen, &kSubStr};

}  // namespace

extern constinit const engine::CommandFamily kStringFamily;
constinit const engine::CommandFamily kStringFamily{"string", kCommands};

}  // namespace roxdb::commands
