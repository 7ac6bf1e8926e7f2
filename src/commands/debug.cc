// debug.cc: DEBUG, for the tests of the field and for people who hunt bugs. Closed unless
// enable-debug-command opens it. One command with a table of its own: its subcommands are no
// commands to ACL or COMMAND.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "base/assert.h"
#include "base/glob.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/numbers.h"
#include "base/text.h"
#include "commands/server/command_state.h"
#include "commands/server/digest.h"
#include "engine/call.h"
#include "engine/command.h"
#include "engine/config_file.h"
#include "engine/reload.h"
#include "types/list_value.h"
#include "types/string_value.h"
#include "types/value_type.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Entry;
using engine::Example;
using engine::kAdmin;
using engine::kLoading;
using engine::kNoScript;
using engine::kStale;
namespace errors = engine::errors;

// ---- data ----

Status digest(Call& call) { return call.reply_bulk(digest_of_data(call.engine()).hex()); }

Status digest_value(Call& call) {
  call.reply().array(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    const Entry* entry = call.peek(i);
    call.reply().bulk((entry != nullptr ? digest_of_value(*entry, call.now_ms()) : Digest()).hex());
  }
  return kOk;
}

// The nodes of a list too long for one, in the words of its makers.
std::string describe_nodes(const Entry& entry, const types::Limits& limits) {
  const types::ListView list(entry);
  const size_t nodes = list.nodes();
  return fmt::format(
      " ql_nodes:{} ql_avg_node:{:.2f} ql_listpack_max:{} ql_compressed:{} "
      "ql_uncompressed_size:{}",
      nodes, static_cast<double>(list.size()) / static_cast<double>(nodes), limits.list_node_size,
      limits.list_plain_depth > 0 ? 1 : 0, list.bytes());
}

Status object(Call& call) {
  class ByteCounter final : public types::ValueWriter {
   public:
    void write(std::string_view bytes) override { count += bytes.size(); }
    size_t count = 0;
  };

  const Entry* entry = call.peek(2);
  if (entry == nullptr) return errors::kNoSuchKey;
  const types::ValueType& type = *types::value_type(entry->type());
  ByteCounter saved;
  type.save(*entry, saved);
  const std::string_view encoding = type.encoding_name(*entry);
  call.reply().simple(fmt::format(
      "Value at:{} refcount:1 encoding:{} serializedlength:{} lru:{} "
      "lru_seconds_idle:{}{}",
      fmt::ptr(entry), encoding, saved.count, entry->access(), call.engine().idle_seconds(*entry),
      encoding == "quicklist" ? describe_nodes(*entry, call.engine().limits) : ""));
  return kOk;
}

// How much room a string and its key have. What lies in the entry has none to spare.
Status string_room(Call& call) {
  const Entry* entry = call.peek(2);
  if (entry == nullptr) return errors::kNoSuchKey;
  const bool is_string = entry->type() == types::TypeId::kString;
  if (!is_string || types::string_encoding(*entry) == types::StringEncoding::kInteger) {
    return user_error("ERR Not an sds encoded string.");
  }
  const bool is_big = types::string_encoding(*entry) == types::StringEncoding::kShared;
  const auto* big = is_big ? entry->pointer<types::BigString>() : nullptr;
  const size_t size = types::StringView(*entry).size();
  call.reply().simple(fmt::format(
      "key_sds_len:{}, key_sds_avail:0, key_zmalloc: {}, val_sds_len:{}, val_sds_avail:{}, "
      "val_zmalloc: {}",
      entry->key_size(), entry->occupied_bytes(), size, is_big ? big->capacity() - size : 0,
      is_big ? big->occupied_bytes() : 0));
  return kOk;
}

// Keys "<prefix>:<number>" that are not there yet, with the value "value:<number>", padded with
// zero bytes or cut to a size. Logged, since what is logged of them later fails without them.
Status populate(Call& call) {
  constexpr Status kNotPositive = user_error("ERR value is out of range, must be positive");
  const auto count = call.integer(2);
  if (!count.ok() || *count < 0) return kNotPositive;
  const std::string_view prefix = call.argc() > 3 ? call.arg(3) : "key";
  int64_t value_bytes = 0;
  if (call.argc() > 4) {
    const auto given = call.integer(4);
    if (!given.ok() || *given < 0) return kNotPositive;
    value_bytes = *given;
  }
  if (static_cast<uint64_t>(value_bytes) > kStringBytesMax) return errors::kStringTooLong;
  for (int64_t i = 0; i < *count; ++i) {
    const std::string name = fmt::format("{}:{}", prefix, i);
    const engine::Key key = call.engine().key(name);
    if (call.engine().find(call.db(), key) != nullptr) continue;
    std::string value = fmt::format("value:{}", i);
    if (value_bytes > 0) value.resize(static_cast<size_t>(value_bytes));
    ROX_TRY(call.set_string(call.db(), key, value, -1, false));
    call.log_as({"SET", name, value});
  }
  return call.reply_ok();
}

Status reload(Call& call) {
  engine::Reload::Options options;
  for (size_t i = 2; i < call.argc(); ++i) {
    if (call.is(i, "NOSAVE")) {
      options.save = false;
    } else if (call.is(i, "NOFLUSH")) {
      options.flush = false;
    } else if (call.is(i, "MERGE")) {
      options.merge = true;
    } else {
      return call.fail("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
    }
  }
  auto* service = call.engine().services.find<engine::Reload>();
  if (service == nullptr) return call.fail("ERR DEBUG RELOAD needs a server with files");
  std::string why;
  if (!service->reload_snapshot(options, why).ok()) {
    return call.fail("ERR Error trying to load the RDB dump: {}", why);
  }
  return call.reply_ok();
}

Status load_aof(Call& call) {
  auto* service = call.engine().services.find<engine::Reload>();
  if (service == nullptr) return call.fail("ERR DEBUG LOADAOF needs a server with files");
  std::string why;
  if (!service->reload_aof(why).ok()) {
    return call.fail("ERR Error trying to load the AOF files: {}", why);
  }
  return call.reply_ok();
}

// How full a table is, in the lines that tools look for, and some of our own.
std::string describe(const containers::TableStatistics& statistics) {
  return fmt::format(
      "Hash table 0 stats (main hash table):\n table size: {}\n number of elements: {}\n"
      " segments: {}\n chained segments: {}\n overflowed buckets: {}\n directory words: {}\n"
      " bytes: {}\n",
      statistics.buckets * 8, statistics.items, statistics.segments, statistics.chained,
      statistics.overflowed, statistics.words, statistics.bytes);
}

// HTSTATS db: of the keys of a database.
Status table_statistics(Call& call) {
  ROX_TRY(const int64_t db, call.integer(2));
  if (db < 0 || db >= call.engine().databases()) return user_error("ERR Out of range database");
  const engine::Keyspace* keys = call.engine().keyspace_if_used(static_cast<int>(db));
  std::string text = "[Dictionary HT]\n";
  if (keys == nullptr || keys->size() == 0) {
    text += "No stats available for empty dictionaries\n";
  } else {
    text += describe(keys->table().statistics());
  }
  call.reply().verbatim("txt", text);
  return kOk;
}

// HTSTATS-KEY key: of the members or fields of a value.
Status value_statistics(Call& call) {
  const Entry* entry = call.peek(2);
  if (entry == nullptr) return errors::kNoSuchKey;
  const auto statistics = types::value_type(entry->type())->table_statistics(*entry);
  if (!statistics) {
    return user_error(
        "ERR The value stored at the specified key is not represented using an hash table");
  }
  call.reply().verbatim("txt", describe(*statistics));
  return kOk;
}

// ---- the server ----

Status set_active_expire(Call& call) {
  call.engine().active_expire = call.arg(2) != "0";
  return call.reply_ok();
}

Status skip_checksums(Call& call) {
  auto* service = call.engine().services.find<engine::Reload>();
  if (service == nullptr) return call.fail("ERR DEBUG needs a server with files for that");
  service->skip_checksums(call.arg(2) != "0");
  return call.reply_ok();
}

// The whole server stands still, which is what it is for.
Status sleep(Call& call) {
  const double seconds = std::clamp(parse_double(call.arg(2)).value_or(0), 0.0, 1e9);
  call.engine().environment().sleep_ms(static_cast<uint64_t>(seconds * 1000));
  call.engine().refresh_clock();
  return call.reply_ok();
}

Status log(Call& call) {
  call.engine().log().warning("DEBUG LOG: {}", call.arg(2));
  return call.reply_ok();
}

Status match(Call& call) {
  if (call.arg(2).size() > kPatternBytesMax) return errors::kPatternTooComplex;
  return call.reply(glob_match(call.arg(2), call.arg(3)) ? 1 : 0);
}

Status struct_sizes(Call& call) {
  call.reply().simple(fmt::format("bits:{} entry:{} cell:{} bucket:{} segment:{}",
                                  8 * sizeof(void*), sizeof(Entry), sizeof(containers::Cell),
                                  sizeof(containers::Bucket), sizeof(containers::Segment)));
  return kOk;
}

Status crash_by_signal(Call&) {
  std::raise(SIGSEGV);
  return kOk;
}
Status crash_by_assertion(Call&) { assertion_failed("DEBUG ASSERT", __FILE__, __LINE__); }
Status panic(Call&) { assertion_failed("DEBUG PANIC", __FILE__, __LINE__); }
Status run_out_of_memory(Call& call) {
  constexpr size_t kTooMuch = SIZE_MAX / 4;
  memory::release(memory::allocate(kTooMuch), kTooMuch);
  return call.reply_ok();
}

// ---- replies ----

Status error(Call& call) { return call.fail("{}", call.arg(2)); }

// DEBUG PROTOCOL type -> one reply of that type of RESP3
Status protocol(Call& call) {
  resp::Reply& reply = call.reply();
  const std::string type = lower_case(call.arg(2));
  const auto numbers = [&reply] {
    for (int64_t i = 0; i < 3; ++i) reply.integer(i);
  };
  if (type == "string") {
    reply.bulk("Hello World");
  } else if (type == "integer") {
    reply.integer(12345);
  } else if (type == "double") {
    reply.real(3.141);
  } else if (type == "null") {
    reply.null();
  } else if (type == "array") {
    reply.array(3);
    numbers();
  } else if (type == "set") {
    reply.set(3);
    numbers();
  } else if (type == "map") {
    reply.map(3);
    for (int64_t i = 0; i < 3; ++i) {
      reply.integer(i);
      reply.boolean(i == 1);
    }
  } else if (type == "attrib") {
    if (reply.has_attributes()) {
      reply.attribute(1);
      reply.bulk("key-popularity");
      reply.array(2);
      reply.bulk("key:123");
      reply.integer(90);
    }
    reply.bulk("Some real reply following the attribute");
  } else if (type == "push") {
    if (reply.protocol() < 3) return call.fail("ERR RESP2 is not supported by this command");
    reply.push(2);
    reply.bulk("server-cpu-usage");
    reply.integer(42);
    reply.bulk("Some real reply following the push reply");
  } else if (type == "verbatim") {
    reply.verbatim("txt", "This is a verbatim\nstring");
  } else if (type == "bignum") {
    reply.big_number("1234567999999999999999999999999999999");
  } else if (type == "true" || type == "false") {
    reply.boolean(type == "true");
  } else {
    return call.fail(
        "ERR Wrong protocol type name. Please use one of the following: "
        "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false");
  }
  return kOk;
}

Status rewrite_config(Call& call) {
  auto* const file = call.engine().services.find<engine::ConfigFile>();
  if (file == nullptr || file->path().empty()) {
    return call.fail("ERR The server is running without a config file");
  }
  std::string why;
  if (file->rewrite(call.engine().settings, true, why).ok()) return call.reply_ok();
  return call.fail("ERR Rewriting config file: {}", why);
}

// Switches of structures that we do not have: tests of the field set them, and get on without.
Status accept(Call& call) { return call.reply_ok(); }

// ---- the command ----

struct Subcommand {
  std::string_view name;
  size_t arguments_min;  // behind the name
  size_t arguments_max;
  Status (*run)(Call& call);
};
constexpr size_t kAny = SIZE_MAX;

constexpr Subcommand kSubcommands[] = {
    {"ASSERT", 0, 0, crash_by_assertion},
    {"CHANGE-REPL-ID", 0, 0, accept},
    {"CONFIG-REWRITE-FORCE-ALL", 0, 0, rewrite_config},
    {"DICT-RESIZING", 1, 1, accept},
    {"DIGEST", 0, 0, digest},
    {"DIGEST-VALUE", 1, kAny, digest_value},
    {"ERROR", 1, 1, error},
    {"HASHTABLE-CAN-ABORT-SHRINK", 1, 1, accept},
    {"HTSTATS", 1, 2, table_statistics},
    {"HTSTATS-KEY", 1, 2, value_statistics},
    {"LOADAOF", 0, 0, load_aof},
    {"LOG", 1, 1, log},
    {"OBJECT", 1, 2, object},
    {"OOM", 0, 0, run_out_of_memory},
    {"PANIC", 0, 0, panic},
    {"PAUSE-CRON", 1, 1, accept},
    {"POPULATE", 1, 3, populate},
    {"PROTOCOL", 1, 1, protocol},
    {"QUICKLIST-PACKED-THRESHOLD", 1, 1, accept},
    {"RELOAD", 0, kAny, reload},
    {"REPLYBUFFER", 2, 2, accept},
    {"SDSLEN", 1, 1, string_room},
    {"SEGFAULT", 0, 0, crash_by_signal},
    {"SET-ACTIVE-EXPIRE", 1, 1, set_active_expire},
    {"SET-SKIP-CHECKSUM-VALIDATION", 1, 1, skip_checksums},
    {"SLEEP", 1, 1, sleep},
    {"STRINGMATCH-LEN", 2, 2, match},
    {"STRUCTSIZE", 0, 0, struct_sizes},
};

Status help(Call& call) {
  return call.reply_help({
      "ASSERT | PANIC | OOM | SEGFAULT",
      "    Crash in one of several ways.",
      "CONFIG-REWRITE-FORCE-ALL",
      "    As CONFIG REWRITE, with all settings that have their default value.",
      "DIGEST",
      "    Show a fingerprint of all data.",
      "DIGEST-VALUE <key> [<key> ...]",
      "    Show fingerprints of values.",
      "ERROR <text>",
      "    Answer with that error.",
      "HTSTATS <db>",
      "    Show how full the table of a database is.",
      "HTSTATS-KEY <key>",
      "    Show how full the table of a value is.",
      "LOADAOF",
      "    Write everything to the AOF and load it again.",
      "LOG <text>",
      "    Write a line to the server's log.",
      "OBJECT <key>",
      "    Show how a value is stored.",
      "POPULATE <count> [<prefix>] [<size>]",
      "    Create keys, as far as they are not there yet.",
      "PROTOCOL <type>",
      "    Answer with a reply of a type: string, integer, double, bignum, null, array, set,",
      "    map, attrib, push, verbatim, true or false.",
      "RELOAD [NOSAVE] [NOFLUSH] [MERGE]",
      "    Save a snapshot and load it again; without saving, without emptying memory first,",
      "    keys of the file replacing those in memory.",
      "SDSLEN <key>",
      "    Show how much room a string and its key take.",
      "SET-ACTIVE-EXPIRE <0|1>",
      "    Stop or start removing expired keys in the background.",
      "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
      "    Believe RDB files and payloads whose checksum is wrong, or stop that.",
      "SLEEP <seconds>",
      "    Let the whole server stand still.",
      "STRINGMATCH-LEN <pattern> <text>",
      "    Tell whether a pattern matches.",
      "STRUCTSIZE",
      "    Show the sizes of structures.",
  });
}

Status debug_command(Call& call) {
  if (!call.service<CommandState>().debug_allowed_for(call.session())) {
    return call.fail(
        "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", "
        "you can run it from a local connection, otherwise you need to set this option in the "
        "configuration file, and then restart the server.");
  }
  if (call.is(1, "HELP") && call.argc() == 2) return help(call);
  const size_t arguments = call.argc() - 2;
  for (const Subcommand& subcommand : kSubcommands) {
    if (!equal_ignore_case(subcommand.name, call.arg(1))) continue;
    if (arguments < subcommand.arguments_min || arguments > subcommand.arguments_max) break;
    return subcommand.run(call);
  }
  return call.fail("ERR unknown subcommand or wrong number of arguments for '{}'. Try DEBUG HELP.",
                   call.arg(1).substr(0, 128));
}
constexpr CommandSpec kDebug{
    .name = "DEBUG",
    .syntax = "subcommand [argument...]",
    .summary = "Looks inside the server, or makes it fail; for tests.",
    .since = "1.0.0",
    .complexity = "Depends on the subcommand.",
    .flags = kAdmin | kNoScript | kLoading | kStale,
    .handler = debug_command,
};

constexpr const CommandSpec* kCommands[] = {&kDebug};

}  // namespace

extern constinit const engine::CommandFamily kDebugFamily;
constinit const engine::CommandFamily kDebugFamily{"server", kCommands};

}  // namespace roxdb::commands
