// rdb_commands.cc: DUMP and RESTORE. What they carry is told in rdb_payload.h.
#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/numbers.h"
#include "base/shared_bytes.h"
#include "engine/call.h"
#include "persist/entry_sink.h"
#include "persist/persistence.h"
#include "persist/rdb_payload.h"

namespace roxdb::persist {
namespace {

using engine::Call;
using engine::CommandFamily;
using engine::CommandSpec;
using engine::Example;

constexpr Status kBusyKey = user_error("BUSYKEY Target key name already exists.");
constexpr Status kInvalidTtl = user_error("ERR Invalid TTL value, must be >= 0");
constexpr Status kInvalidIdle = user_error("ERR Invalid IDLETIME value, must be >= 0");
constexpr Status kInvalidFrequency = user_error("ERR Invalid FREQ value, must be >= 0 and <= 255");
constexpr Status kWrongFooter = user_error("ERR DUMP payload version or checksum are wrong");
constexpr Status kBadFormat = user_error("ERR Bad data format");

// A payload on its way to a client: a big one is sent from here.
struct PayloadBlob final : SharedBlob {
  PayloadBlob() : SharedBlob([](SharedBlob* blob) { delete static_cast<PayloadBlob*>(blob); }) {}
  std::string bytes;
};

// DUMP key -> the value as Redis writes it; null when the key is absent
Status dump_command(Call& call) {
  const engine::Entry* entry = call.read(1);
  if (entry == nullptr) return call.reply_null();
  auto* const blob = new PayloadBlob;
  const SharedRef owner = SharedRef::adopt(blob);
  const Status status = make_payload(*entry, call.now_ms(), kReplyBytesMax, blob->bytes);
  if (status.code == Code::kNotFound) return call.reply_null();
  if (!status.ok()) return engine::errors::kReplyTooLarge;
  call.reply().bulk_shared(blob->bytes, owner);
  return kOk;
}
constexpr Example kDumpExamples[] = {{"DUMP absent", "$nil"}};
constexpr CommandSpec kDump{
    .name = "DUMP",
    .syntax = "key",
    .summary = "Gives a value in the form that RESTORE takes, here or in Redis.",
    .since = "2.6.0",
    .complexity = "O(N) where N is the number of bytes of the value",
    .flags = engine::kReadOnly,
    .keys = "1:RO",
    .acl = engine::kCategoryKeyspace,
    .tips = "nondeterministic_output",
    .handler = dump_command,
    .examples = kDumpExamples};

struct RestoreOptions {
  bool replaces = false;
  bool is_absolute = false;
  std::optional<uint64_t> idle_seconds;
  std::optional<uint8_t> frequency;
};

Result<RestoreOptions> read_options(Call& call) {
  RestoreOptions options;
  for (size_t i = 4; i < call.argc(); ++i) {
    const bool has_number = i + 1 < call.argc();
    if (call.is(i, "REPLACE")) {
      options.replaces = true;
    } else if (call.is(i, "ABSTTL")) {
      options.is_absolute = true;
    } else if (call.is(i, "IDLETIME") && has_number && !options.frequency) {
      ROX_TRY(const int64_t seconds, call.integer(++i));
      if (seconds < 0) return kInvalidIdle;
      options.idle_seconds = static_cast<uint64_t>(seconds);
    } else if (call.is(i, "FREQ") && has_number && !options.idle_seconds) {
      ROX_TRY(const int64_t frequency, call.integer(++i));
      if (frequency < 0 || frequency > 255) return kInvalidFrequency;
      options.frequency = static_cast<uint8_t>(frequency);
    } else {
      return engine::errors::kSyntax;
    }
  }
  return options;
}

// Ms of the epoch; -1: none.
Result<int64_t> read_expiry(Call& call, bool is_absolute) {
  ROX_TRY(const int64_t ttl_ms, call.integer(2));
  if (ttl_ms < 0) return kInvalidTtl;
  if (ttl_ms == 0) return -1;
  if (is_absolute) return ttl_ms;
  if (ttl_ms > std::numeric_limits<int64_t>::max() - call.now_ms()) return kInvalidTtl;
  return ttl_ms + call.now_ms();
}

// The request with the moment at which the key expires in place of how long it lives.
void log_absolute(Call& call, int64_t expire_at_ms) {
  char digits[kIntegerDigitsMax];
  std::vector<std::string_view> args(call.args().begin(), call.args().end());
  args[0] = "RESTORE";  // it may have been renamed
  args[2] = {digits, print_int64(expire_at_ms, digits)};
  args.push_back("ABSTTL");
  call.log_as(call.db(), args);
}

// What was accepted once is taken again when it is replayed, whatever is configured by then.
RdbTrust trust_of(Call& call) {
  if (call.session().kind == engine::Session::Kind::kReplay) {
    return {.any_version = true, .any_checksum = true};
  }
  const auto* const persistence = call.engine().services.find<Persistence>();
  return persistence != nullptr ? persistence->rdb_trust() : RdbTrust{};
}

// RESTORE key ttl payload -> OK. What is refused leaves the old value alone.
Status restore_command(Call& call) {
  ROX_TRY(const RestoreOptions options, read_options(call));
  if (!options.replaces && call.find(1) != nullptr) return kBusyKey;
  ROX_TRY(const int64_t expire_at_ms, read_expiry(call, options.is_absolute));
  const auto payload = open_payload(call.arg(3), trust_of(call));
  if (!payload.ok()) return kWrongFooter;
  const types::EntryParts parts{
      .key = call.arg(1),
      .expire_at_ms = expire_at_ms,
      .access = foreign_access(call.engine(), options.idle_seconds, options.frequency)};
  auto entry = load_payload(*payload, parts, call.keyspace().home());
  if (!entry.ok()) {
    if (entry.status().code != Code::kCorrupt) return entry.status();
    call.engine().log().verbose("RESTORE: integrity check failed: reason={}", entry.status().text);
    return kBadFormat;
  }

  // On replay the key is there until the log says that it went, on whatever date (D4).
  const bool is_replay = call.session().kind == engine::Session::Kind::kReplay;
  if (expire_at_ms >= 0 && expire_at_ms <= call.now_ms() && !is_replay) {
    call.keyspace().free_entry(*entry);
    if (call.erase(1)) call.log_as({"DEL", call.arg(1)});
    return call.reply_ok();
  }
  call.replace(1, *entry);
  call.changed(engine::event::kRestore);
  if (expire_at_ms >= 0 && !options.is_absolute) log_absolute(call, expire_at_ms);
  return call.reply_ok();
}
constexpr Example kRestoreExamples[] = {
    {"RESTORE k 0 \"\\x00\\xc0\\xfb\\n\\x00I\\xc4\\xc6\\xf4\\xd7&?h\"", "+OK"},
    {"GET k", "$-5"},
    {"RESTORE k 0 x", "-BUSYKEY Target key name already exists."},
    {"RESTORE k 0 x REPLACE", "-ERR DUMP payload version or checksum are wrong"}};
constexpr CommandSpec kRestore{
    .name = "RESTORE",
    .syntax = "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
    .summary = "Makes a key of what DUMP gave, here or in Redis.",
    .since = "2.6.0",
    .complexity = "O(N) where N is the number of bytes of the value",
    .flags = engine::kWrite | engine::kDenyOom,
    .keys = "1:OW",
    .acl = engine::kCategoryKeyspace | engine::kCategoryDangerous,
    .handler = restore_command,
    .examples = kRestoreExamples};

constexpr const CommandSpec* kCommands[] = {&kDump, &kRestore};

}  // namespace

extern constinit const CommandFamily kRdbCommandsFamily;
constinit const CommandFamily kRdbCommandsFamily{"generic", kCommands};

}  // namespace roxdb::persist
