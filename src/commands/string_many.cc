// string_many.cc: commands that read or set several string keys at once.
#include <array>
#include <vector>

#include "base/limits.h"
#include "commands/shared/expire_time.h"
#include "commands/shared/integer_text.h"
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
using engine::kDenyOom;
using engine::kFast;
using engine::kReadOnly;
using engine::kWrite;
namespace errors = engine::errors;
namespace event = engine::event;

// MGET key... -> the values; nil for a key that is absent or no string
Status mget_command(Call& call) {
  // All keys are looked up before the first is answered: the reply's size is known before any of
  // it is made. Entries stay where they are meanwhile; only an expired one goes, and is not held.
  constexpr size_t kOnStack = 64;
  const size_t count = call.argc() - 1;
  std::array<const Entry*, kOnStack> few;
  std::vector<const Entry*> many;
  if (count > kOnStack) many.resize(count);
  const Entry** entries = count > kOnStack ? many.data() : few.data();
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    const Entry* entry = call.read(i + 1);
    if (entry != nullptr && entry->type() != types::TypeId::kString) entry = nullptr;
    entries[i] = entry;
    if (entry != nullptr) bytes += types::StringView(*entry).size();
  }
  if (bytes > call.engine().reply_bytes_max) return errors::kReplyTooLarge;

  call.reply().array(count);
  for (size_t i = 0; i < count; ++i) {
    if (entries[i] == nullptr) {
      call.reply().null();
    } else {
      ROX_TRY(call.reply_string(*entries[i]));
    }
  }
  return kOk;
}
constexpr Example kMGetExamples[] = {{"SET a 1", "+OK"}, {"MGET a b", "*[$1 $nil]"}};
constexpr CommandSpec kMGet{
    .name = "MGET",
    .syntax = "key...",
    .summary = "Returns the values of several keys.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the number of keys",
    .flags = kReadOnly | kFast,
    .keys = "1..end:RO",
    .tips = "request_policy:multi_shard",
    .handler = mget_command,
    .examples = kMGetExamples,
};

// Pairs of key and value, from argument `first` on, and what becomes of all of them.
struct Pairs {
  size_t first;
  size_t count;
  int64_t expire_at_ms = -1;
  bool keeps_expiry = false;

  size_t key_index(size_t pair) const { return first + 2 * pair; }
};

bool all_absent(Call& call, const Pairs& pairs) {
  for (size_t i = 0; i < pairs.count; ++i) {
    if (call.peek(pairs.key_index(i)) != nullptr) return false;
  }
  return true;
}

bool all_present(Call& call, const Pairs& pairs) {
  for (size_t i = 0; i < pairs.count; ++i) {
    if (call.peek(pairs.key_index(i)) == nullptr) return false;
  }
  return true;
}

// Logs the first `count` pairs, without conditions and with the expiry as a point in time.
void log_pairs(Call& call, const Pairs& pairs, size_t count) {
  const IntegerText count_text(static_cast<int64_t>(count));
  const IntegerText expire_text(pairs.expire_at_ms);
  const bool is_plain = pairs.expire_at_ms < 0 && !pairs.keeps_expiry;
  std::vector<std::string_view> args;
  args.reserve(2 * count + 4);
  if (is_plain) {
    args.push_back("MSET");
  } else {
    args.push_back("MSETEX");
    args.push_back(count_text);
  }
  const auto values = call.args().subspan(pairs.first, 2 * count);
  args.insert(args.end(), values.begin(), values.end());
  if (pairs.keeps_expiry) {
    args.push_back("KEEPTTL");
  } else if (!is_plain) {
    args.push_back("PXAT");
    args.push_back(expire_text);
  }
  call.log_as(call.db(), args);
}

Status set_pairs(Call& call, const Pairs& pairs) {
  for (size_t i = 0; i < pairs.count; ++i) {
    const size_t key_index = pairs.key_index(i);
    if (const Status status = call.set_string(key_index, call.arg(key_index + 1),
                                              pairs.expire_at_ms, pairs.keeps_expiry);
        !status.ok()) {
      // Out of memory. What is set stays set, and the log must not say more than that.
      if (i > 0) log_pairs(call, pairs, i);
      return status;
    }
    call.changed(event::kSet, key_index);
    if (pairs.expire_at_ms >= 0) {
      call.engine().notify(call.db(), call.arg(key_index), event::kExpire);
    }
  }
  return kOk;
}

void erase_pairs(Call& call, const Pairs& pairs) {
  for (size_t i = 0; i < pairs.count; ++i) {
    const size_t key_index = pairs.key_index(i);
    if (call.erase(key_index)) call.log_as({"DEL", call.arg(key_index)});
  }
}

// The pairs of MSET and MSETNX: all arguments.
Result<Pairs> read_pairs(Call& call) {
  if (call.argc() % 2 == 0) {
    return call.fail("ERR wrong number of arguments for '{}' command", call.command().full_name);
  }
  return Pairs{.first = 1, .count = call.argc() / 2};
}

// MSET key value... -> OK
Status mset_command(Call& call) {
  ROX_TRY(const Pairs pairs, read_pairs(call));
  ROX_TRY(set_pairs(call, pairs));
  return call.reply_ok();
}
constexpr Example kMSetExamples[] = {
    {"MSET a 1 b 2", "+OK"},
    {"MGET a b", "*[$1 $2]"},
    {"MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"}};
constexpr CommandSpec kMSet{
    .name = "MSET",
    .syntax = "(key value)...",
    .summary = "Sets the values of several keys.",
    .since = "1.0.1",
    .complexity = "O(N) where N is the number of keys",
    .flags = kWrite | kDenyOom,
    .keys = "1..end/2:OW",
    .tips = "request_policy:multi_shard,response_policy:all_succeeded",
    .handler = mset_command,
    .examples = kMSetExamples,
};

// MSETNX key value... -> 1: all set | 0: one of them existed, nothing was done
Status msetnx_command(Call& call) {
  ROX_TRY(const Pairs pairs, read_pairs(call));
  if (!all_absent(call, pairs)) return call.reply(0);
  ROX_TRY(set_pairs(call, pairs));
  log_pairs(call, pairs, pairs.count);
  return call.reply(1);
}
constexpr Example kMSetNxExamples[] = {
    {"MSETNX a 1 b 2", ":1"}, {"MSETNX b 3 c 4", ":0"}, {"MGET b c", "*[$2 $nil]"}};
constexpr CommandSpec kMSetNx{
    .name = "MSETNX",
    .syntax = "(key value)...",
    .summary = "Sets the values of several keys if none of them exists.",
    .since = "1.0.1",
    .complexity = "O(N) where N is the number of keys",
    .flags = kWrite | kDenyOom,
    .keys = "1..end/2:OW",
    .handler = msetnx_command,
    .examples = kMSetNxExamples,
};

// MSETEX numkeys key value... [...] -> 1: all set | 0: the condition does not hold for all keys
Status msetex_command(Call& call) {
  const auto count = call.integer(1, 1, INT32_MAX);
  if (!count.ok()) return user_error("ERR invalid numkeys value");
  Pairs pairs{.first = 2, .count = static_cast<size_t>(*count)};
  if (pairs.count > (call.argc() - pairs.first) / 2) {
    return user_error("ERR wrong number of key-value pairs");
  }
  ROX_TRY(const StringOptions options,
          read_string_options(call, pairs.key_index(pairs.count), kTakesExistence | kTakesKeep));
  ROX_TRY(pairs.expire_at_ms, expire_time_of(call, options));
  pairs.keeps_expiry = options.lifetime == Lifetime::kKeep;
  if (options.condition == Condition::kAbsent && !all_absent(call, pairs)) return call.reply(0);
  if (options.condition == Condition::kPresent && !all_present(call, pairs)) return call.reply(0);

  if (pairs.expire_at_ms >= 0 && is_past(call, pairs.expire_at_ms)) {
    erase_pairs(call, pairs);
  } else {
    ROX_TRY(set_pairs(call, pairs));
    log_pairs(call, pairs, pairs.count);
  }
  return call.reply(1);
}
constexpr Example kMSetExExamples[] = {{"MSETEX 2 a 1 b 2 NX EX 10", ":1"},
                                       {"TTL b", ":10"},
                                       {"MSETEX 2 b 3 c 4 XX", ":0"},
                                       {"MSETEX 2 a 1 b", "-ERR wrong number of key-value pairs"},
                                       {"MSETEX 0 a 1", "-ERR invalid numkeys value"}};
constexpr CommandSpec kMSetEx{
    .name = "MSETEX",
    .syntax =
        "numkeys (key value)... [NX | XX] [EX seconds | PX milliseconds | "
        "EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]",
    .summary =
        "Sets the values of several keys and how long they live, if all or none of them "
        "exist.",
    .since = "8.4.0",
    .complexity = "O(N) where N is the number of keys",
    .flags = kWrite | kDenyOom,
    .keys = "count@1(+1,/2):OW",
    .tips = "request_policy:multi_shard,response_policy:all_succeeded",
    .handler = msetex_command,
    .examples = kMSetExExamples,
};

constexpr const CommandSpec* kCommands[] = {&kMGet, &kMSet, &kMSetEx, &kMSetNx};

}  // namespace

extern constinit const engine::CommandFamily kStringManyFamily;
constinit const engine::CommandFamily kStringManyFamily{"string", kCommands};

}  // namespace roxdb::commands
