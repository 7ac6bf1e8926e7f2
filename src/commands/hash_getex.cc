// hash_getex.cc: fields read or set together with what becomes of them: HGETDEL, HGETEX, HSETEX.
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
using engine::kDenyOom;
using engine::kFast;
using engine::kWrite;
using types::HashValue;
namespace event = engine::event;

// Replies the value of a field, nil when there is none; false then.
bool reply_value(Call& call, std::optional<HashValue>& hash, std::string_view name) {
  if (hash) drop_if_due(call, *hash, name);
  char room[kIntegerDigitsMax];
  const auto field = hash ? hash->view().find(name, room) : std::nullopt;
  if (!field) {
    call.reply().null();
    return false;
  }
  call.reply().bulk(field->value);
  return true;
}

// HGETDEL key FIELDS numfields field [...] -> the values of the fields, which go
Status hgetdel_command(Call& call) {
  ROX_TRY(std::optional<HashValue> hash, call.edit<HashValue>(1));
  ROX_TRY(const FieldList fields, read_field_list(call, 2, kCountNotPositive));
  if (hash) ROX_TRY(check_values(call, hash->view(), fields.first));
  std::vector<std::string_view> deleted;
  call.reply().array(fields.count);
  for (size_t i = fields.first; i < call.argc(); ++i) {
    if (!reply_value(call, hash, call.arg(i))) continue;
    hash->erase(call.arg(i));
    deleted.push_back(call.arg(i));
  }
  if (!deleted.empty()) {
    call.changed(event::kHDel);
    log_deleted_fields(call, deleted);
  }
  if (hash) erase_if_empty(call, *hash);
  return kOk;
}
constexpr Example kHGetDelExamples[] = {{"HSET h f 1 g 2", ":2"},
                                        {"HGETDEL h FIELDS 2 f x", "*[$1 $nil]"},
                                        {"HGETDEL h FIELDS 1 g", "*[$2]"},
                                        {"EXISTS h", ":0"}};
constexpr CommandSpec kHGetDel{
    .name = "HGETDEL",
    .syntax = "key (FIELDS numfields field...)",
    .summary = "Returns the values of fields and removes them.",
    .since = "8.0.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kWrite | kFast,
    .keys = "1:RW",
    .handler = hgetdel_command,
    .examples = kHGetDelExamples,
};

// HGETEX key [...] FIELDS numfields field [...] -> the values of the fields, whose expiry is set
// or taken away
Status hgetex_command(Call& call) {
  ROX_TRY(std::optional<HashValue> hash, call.edit<HashValue>(1));
  const auto unit = expire_unit(call.arg(2));
  const bool persist = call.is(2, "PERSIST");
  int64_t expire_at_ms = types::kNoExpiry;
  if (unit) {
    ROX_TRY(expire_at_ms, read_field_expire_time(call, 3, *unit));
  }
  ROX_TRY(const FieldList fields, read_field_list(call,
                                                  unit      ? 4
                                                  : persist ? 3
                                                            : 2,
                                                  kCountNotPositive));
  const bool past = unit && is_past(call, expire_at_ms);
  if (hash) ROX_TRY(check_values(call, hash->view(), fields.first));
  std::vector<std::string_view> reached;
  call.reply().array(fields.count);
  for (size_t i = fields.first; i < call.argc(); ++i) {
    const std::string_view name = call.arg(i);
    if (!reply_value(call, hash, name) || (!unit && !persist)) continue;
    if (past) {
      hash->erase(name);
    } else if (unit) {
      hash->set_expiry(name, std::max<int64_t>(expire_at_ms, 1));
    } else {
      char room[kIntegerDigitsMax];
      if (hash->view().find(name, room)->expire_at_ms < 0) continue;
      hash->set_expiry(name, types::kNoExpiry);
    }
    reached.push_back(name);
  }
  if (!reached.empty()) {
    call.changed(past ? event::kHDel : unit ? event::kHExpire : event::kHPersist);
    if (past) {
      log_deleted_fields(call, reached);
    } else if (unit) {
      note_expiry(call, *hash);
      log_fields(call, "HPEXPIREAT", {IntegerText(expire_at_ms)}, reached);
    } else {
      log_fields(call, "HPERSIST", {}, reached);
    }
  }
  if (hash) erase_if_empty(call, *hash);
  return kOk;
}
constexpr Example kHGetExExamples[] = {{"HSET h f 1 g 2", ":2"},
                                       {"HGETEX h EX 10 FIELDS 2 f x", "*[$1 $nil]"},
                                       {"HTTL h FIELDS 2 f g", "*[:10 :-1]"},
                                       {"HGETEX h PERSIST FIELDS 2 f g", "*[$1 $2]"},
                                       {"HTTL h FIELDS 1 f", "*[:-1]"},
                                       {"HGETEX h FIELDS 1 f", "*[$1]"}};
constexpr CommandSpec kHGetEx{
    .name = "HGETEX",
    .syntax =
        "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT "
        "unix-time-milliseconds | PERSIST] (FIELDS numfields field...)",
    .summary = "Returns the values of fields and sets or removes their expiry.",
    .since = "8.0.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kWrite | kFast,
    .keys = "1:RW",
    .handler = hgetex_command,
    .examples = kHGetExExamples,
};

struct SetOptions {
  bool if_key_absent = false;    // NX
  bool if_key_present = false;   // XX
  bool if_none_present = false;  // FNX
  bool if_all_present = false;   // FXX
  bool keep_expiry = false;      // KEEPTTL
  int64_t expire_at_ms = types::kNoExpiry;
  size_t first = 0;  // the first field; field and value take turns

  bool has_expiry() const { return expire_at_ms >= 0; }
};

Result<SetOptions> read_set_options(Call& call) {
  const auto wrong_number = [&] {
    return call.fail("ERR wrong number of arguments for '{}' command", call.command().full_name);
  };
  SetOptions options;
  for (size_t i = 2; i < call.argc(); ++i) {
    if (call.is(i, "FIELDS")) {
      if (i + 3 >= call.argc()) return wrong_number();
      const auto count = parse_int64(call.arg(i + 1));
      if (!count || *count < 1 || *count > INT32_MAX) {
        return user_error("ERR invalid number of fields");
      }
      options.first = i + 2;
      const size_t left = call.argc() - options.first;
      if (left % 2 != 0 || left / 2 != static_cast<uint64_t>(*count)) return wrong_number();
      return options;
    }
    if (const auto unit = expire_unit(call.arg(i)); unit || call.is(i, "KEEPTTL")) {
      if (options.has_expiry() || options.keep_expiry) {
        return user_error(
            "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
      }
      options.keep_expiry = !unit;
      if (!unit) continue;
      if (++i == call.argc()) return user_error("ERR missing expire time");
      ROX_TRY(options.expire_at_ms, read_field_expire_time(call, i, *unit));
    } else if (call.is(i, "FNX") || call.is(i, "FXX")) {
      if (options.if_none_present || options.if_all_present) {
        return user_error("ERR Only one of FXX or FNX arguments can be specified");
      }
      (call.is(i, "FNX") ? options.if_none_present : options.if_all_present) = true;
    } else if (call.is(i, "NX") || call.is(i, "XX")) {
      if (options.if_key_absent || options.if_key_present) {
        return user_error("ERR Only one of XX or NX arguments can be specified");
      }
      (call.is(i, "NX") ? options.if_key_absent : options.if_key_present) = true;
    } else {
      return call.fail("ERR unknown argument: {}", call.arg(i));
    }
  }
  return wrong_number();
}

// Whether the conditions hold; fields that are due are gone afterwards.
bool holds(Call& call, std::optional<HashValue>& hash, const SetOptions& options) {
  if (hash ? options.if_key_absent : options.if_key_present) return false;
  bool all = true;
  bool none = true;
  for (size_t i = options.first; i < call.argc(); i += 2) {
    char room[kIntegerDigitsMax];
    if (hash) drop_if_due(call, *hash, call.arg(i));
    const bool there = hash && hash->view().find(call.arg(i), room);
    (there ? none : all) = false;
  }
  return (!options.if_all_present || all) && (!options.if_none_present || none);
}

// What was set, without conditions and in times that mean the same at any date.
void log_set(Call& call, const SetOptions& options) {
  std::vector<std::string_view> words;
  const IntegerText expire_at(options.expire_at_ms);
  const IntegerText count(static_cast<int64_t>(call.argc() - options.first) / 2);
  if (options.has_expiry()) {
    words = {"HSETEX", call.arg(1), "PXAT", expire_at, "FIELDS", count};
  } else if (options.keep_expiry) {
    words = {"HSETEX", call.arg(1), "KEEPTTL", "FIELDS", count};
  } else {
    words = {"HSET", call.arg(1)};  // which every server knows
  }
  words.insert(words.end(), call.args().begin() + static_cast<ptrdiff_t>(options.first),
               call.args().end());
  call.log_as(call.db(), words);
}

// Setting fields to a time that is past removes them.
Status delete_fields(Call& call, std::optional<HashValue>& hash, const SetOptions& options) {
  std::vector<std::string_view> deleted;
  for (size_t i = options.first; i < call.argc(); i += 2) {
    if (hash && hash->erase(call.arg(i))) deleted.push_back(call.arg(i));
  }
  if (!deleted.empty()) {
    call.changed(event::kHDel);
    log_deleted_fields(call, deleted);
  }
  if (hash) erase_if_empty(call, *hash);
  return call.reply(1);
}

// HSETEX key [...] FIELDS numfields field value [...] -> 1: all are set | 0: none, a condition does
// not hold
Status hsetex_command(Call& call) {
  ROX_TRY(const SetOptions options, read_set_options(call));
  ROX_TRY(std::optional<HashValue> hash, call.edit<HashValue>(1));
  if (!holds(call, hash, options)) {
    if (hash) erase_if_empty(call, *hash);
    return call.reply(0);
  }
  if (options.has_expiry() && is_past(call, options.expire_at_ms)) {
    return delete_fields(call, hash, options);
  }
  if (!hash) {
    ROX_TRY(HashValue fresh, call.edit_or_create<HashValue>(1));
    hash.emplace(fresh);
  }
  const int64_t expiry = options.keep_expiry    ? types::kKeepExpiry
                         : options.has_expiry() ? std::max<int64_t>(options.expire_at_ms, 1)
                                                : types::kNoExpiry;
  for (size_t i = options.first; i < call.argc(); i += 2) {
    hash->set(call.arg(i), call.arg(i + 1), expiry);
  }
  call.changed(event::kHSet);
  if (options.has_expiry()) {
    note_expiry(call, *hash);
    call.changed(event::kHExpire, 1, 0);
  }
  log_set(call, options);
  return call.reply(1);
}
constexpr Example kHSetExExamples[] = {{"HSETEX h EX 10 FIELDS 2 f 1 g 2", ":1"},
                                       {"HTTL h FIELDS 2 f g", "*[:10 :10]"},
                                       {"HSETEX h FNX FIELDS 2 f 3 x 4", ":0"},
                                       {"HSETEX h FXX KEEPTTL FIELDS 1 f 3", ":1"},
                                       {"HTTL h FIELDS 1 f", "*[:10]"},
                                       {"HSETEX h FIELDS 1 f 5", ":1"},
                                       {"HTTL h FIELDS 1 f", "*[:-1]"}};
constexpr CommandSpec kHSetEx{
    .name = "HSETEX",
    .syntax =
        "key [NX | XX] [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | "
        "PXAT unix-time-milliseconds | KEEPTTL] (FIELDS numfields (field value)...)",
    .summary = "Sets fields of a hash and their expiry.",
    .since = "8.0.0",
    .complexity = "O(N) where N is the number of fields",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW!u",
    .handler = hsetex_command,
    .examples = kHSetExExamples,
};

constexpr const CommandSpec* kCommands[] = {&kHGetDel, &kHGetEx, &kHSetEx};

}  // namespace

extern constinit const engine::CommandFamily kHashGetexFamily;
constinit const engine::CommandFamily kHashGetexFamily{"hash", kCommands};

}  // namespace roxdb::commands
