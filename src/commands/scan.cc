// scan.cc: finding keys without knowing them.
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/text.h"
#include "commands/shared/scan_options.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/value_type.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Entry;
using engine::Example;
using engine::Keyspace;
using engine::kReadOnly;
namespace errors = engine::errors;

constexpr size_t kReplyBytesPerKey = 16;  // a bulk's length line and ends, at most

bool is_expired(Call& call, const Entry& entry) {
  return entry.has_expiry() && entry.expire_at_ms() < call.now_ms();
}

Status reply_keys(Call& call, const std::vector<const Entry*>& entries) {
  call.reply().array(entries.size());
  for (const Entry* entry : entries) call.reply().bulk(entry->key());
  return kOk;
}

// KEYS pattern -> all keys that match
Status keys_command(Call& call) {
  ROX_TRY(const ScanPattern pattern, read_scan_pattern(call.arg(1)));
  std::vector<const Entry*> found;
  size_t bytes = 0;
  call.keyspace().table().for_each([&](const Entry* entry) {
    if (!pattern.matches(entry->key()) || is_expired(call, *entry)) return;
    found.push_back(entry);
    bytes += entry->key_size() + kReplyBytesPerKey;
  });
  if (bytes > call.engine().reply_bytes_max) return errors::kReplyTooLarge;
  return reply_keys(call, found);
}
constexpr Example kKeysExamples[] = {{"MSET one 1 two 2", "+OK"}, {"KEYS t*", "*[$two]"}};
constexpr CommandSpec kKeys{
    .name = "KEYS",
    .syntax = "pattern",
    .summary = "Returns all keys that match a pattern; SCAN does it without stopping the server.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the number of keys in the database",
    .flags = kReadOnly,
    .acl = engine::kCategoryKeyspace | engine::kCategoryDangerous,
    .tips = "request_policy:all_shards,nondeterministic_output_order",
    .handler = keys_command,
    .examples = kKeysExamples,
};

// RANDOMKEY -> any key, nil when there is none
Status randomkey_command(Call& call) {
  // Where expired keys are only hidden, all keys there are may be expired.
  constexpr int kTriesMax = 100;
  for (int tries = 0; tries < kTriesMax; ++tries) {
    const Entry* entry = call.keyspace().table().sample(call.engine().random);
    if (entry == nullptr) break;
    if (!is_expired(call, *entry)) return call.reply_bulk(entry->key());
    call.engine().find(call.db(), call.engine().key(entry->key()));  // removes it
  }
  return call.reply_null();
}
constexpr Example kRandomKeyExamples[] = {
    {"RANDOMKEY", "$nil"}, {"SET k v", "+OK"}, {"RANDOMKEY", "$k"}};
constexpr CommandSpec kRandomKey{
    .name = "RANDOMKEY",
    .summary = "Returns a key at random.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly,
    .acl = engine::kCategoryKeyspace,
    .tips = "request_policy:all_shards,response_policy:special,nondeterministic_output",
    .handler = randomkey_command,
    .examples = kRandomKeyExamples,
};

bool is_wanted(const Entry& entry, const ScanOptions& options) {
  if (!options.type_name.empty() &&
      !equal_ignore_case(options.type_name, types::value_type(entry.type())->name())) {
    return false;
  }
  return options.pattern.matches(entry.key());
}

// SCAN cursor [...] -> [where to go on, keys]. Every key that is there all the time comes at least
// once, see containers/table.h. The work of one call is bounded by COUNT, not by what it finds.
Status scan_command(Call& call) {
  ROX_TRY(uint64_t cursor, read_scan_cursor(call, 1));
  ROX_TRY(const ScanOptions options, read_scan_options(call, 2, Scanned::kKeys));

  std::vector<const Entry*> found;
  std::vector<std::string> expired;
  size_t bytes = 0;
  ScanEffort effort(options.count);
  const auto& table = call.keyspace().table();
  do {
    effort.step();
    cursor = table.scan(cursor, [&](const Entry* entry) {
      effort.visit();
      if (is_expired(call, *entry)) {
        expired.emplace_back(entry->key());
      } else if (is_wanted(*entry, options)) {
        found.push_back(entry);
        bytes += entry->key_size() + kReplyBytesPerKey;
      }
    });
  } while (cursor != 0 && !effort.is_spent() && bytes < kReplyBytesMax);

  call.reply().array(2);
  call.reply().bulk(std::to_string(cursor));
  ROX_TRY(reply_keys(call, found));
  // Whoever walks over expired keys removes them.
  for (const std::string& key : expired) call.engine().find(call.db(), call.engine().key(key));
  return kOk;
}
constexpr Example kScanExamples[] = {{"SET k v", "+OK"},
                                     {"SCAN 0 MATCH k* COUNT 100 TYPE string", "*[$0 *[$k]]"},
                                     {"SCAN 0 TYPE list", "*[$0 *[]]"},
                                     {"SCAN x", "-ERR invalid cursor"}};
constexpr CommandSpec kScan{
    .name = "SCAN",
    .syntax = "cursor [MATCH pattern] [COUNT count] [TYPE type]",
    .summary = "Walks over the keys, some at each call.",
    .since = "2.8.0",
    .complexity = "O(COUNT) for every call, O(N) for a whole walk over N keys",
    .flags = kReadOnly,
    .acl = engine::kCategoryKeyspace,
    .tips = "nondeterministic_output,request_policy:special,response_policy:special",
    .handler = scan_command,
    .examples = kScanExamples,
};

constexpr const CommandSpec* kCommands[] = {&kKeys, &kRandomKey, &kScan};

}  // namespace

extern constinit const engine::CommandFamily kScanFamily;
constinit const engine::CommandFamily kScanFamily{"generic", kCommands};

}  // namespace roxdb::commands
