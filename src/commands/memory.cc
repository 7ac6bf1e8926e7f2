// memory.cc: where the bytes are.
#include <fmt/format.h>

#include <array>

#include "base/memory.h"
#include "base/numbers.h"
#include "commands/server/command_state.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/value_type.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Entry;
using engine::Example;
using engine::kLoading;
using engine::kReadOnly;
using engine::kStale;
namespace errors = engine::errors;

constexpr std::string_view kPerShard =
    "nondeterministic_output,request_policy:all_shards,response_policy:special";

constexpr CommandSpec kMemory{
    .name = "MEMORY",
    .syntax = "subcommand [argument...]",
    .summary = "Commands on the use of memory.",
    .since = "4.0.0",
    .complexity = "Depends on the subcommand.",
};

// MEMORY USAGE key [SAMPLES count] -> bytes of key, value and cell | nil
Status memory_usage_command(Call& call) {
  int64_t samples = 5;
  for (size_t i = 3; i < call.argc(); i += 2) {
    if (!call.is(i, "SAMPLES") || i + 1 == call.argc()) return errors::kSyntax;
    ROX_TRY(samples, call.integer(i + 1));
    if (samples < 0) return errors::kSyntax;
  }
  const Entry* entry = call.peek(2);
  if (entry == nullptr) return call.reply_null();
  size_t bytes = entry->occupied_bytes() + sizeof(engine::Cell);
  if (entry->has_payload()) {
    bytes += types::value_type(entry->type())->payload_bytes(*entry, static_cast<size_t>(samples));
  }
  return call.reply(static_cast<int64_t>(bytes));
}
// 8 of header, 1 of key, 1 of value, rounded up to 16; and 8 of cell.
constexpr Example kMemoryUsageExamples[] = {{"SET k v", "+OK"},
                                            {"MEMORY USAGE k", ":24"},
                                            {"MEMORY USAGE k SAMPLES 0", ":24"},
                                            {"MEMORY USAGE k SAMPLES -1", "-ERR syntax error"},
                                            {"MEMORY USAGE absent", "$nil"}};
constexpr CommandSpec kMemoryUsage{
    .name = "MEMORY USAGE",
    .syntax = "key [SAMPLES count]",
    .summary = "Returns the bytes that a key and its value occupy.",
    .since = "4.0.0",
    .complexity = "O(N) where N is the number of samples",
    .flags = kReadOnly,
    .keys = "2:RO!u",
    .handler = memory_usage_command,
    .examples = kMemoryUsageExamples,
};

// A figure that another room gives to INFO memory; 0 where that room is not there.
size_t figure_of(std::string_view info, std::string_view name) {
  const std::string line = fmt::format("{}:", name);
  for (size_t at = 0; at < info.size(); at = info.find('\n', at) + 1) {
    if (!info.substr(at).starts_with(line)) continue;
    at += line.size();
    return parse_uint64(info.substr(at, info.find('\r', at) - at)).value_or(0);
  }
  return 0;
}

// MEMORY STATS -> name and figure of everything that is counted
Status memory_stats_command(Call& call) {
  engine::Engine& engine = call.engine();
  const MemoryFigures figures = call.service<CommandState>().info.memory();
  resp::Reply& reply = call.reply();
  size_t pairs = 0;
  const auto integer = [&](std::string_view name, size_t value) {
    reply.bulk(name);
    reply.integer(static_cast<int64_t>(value));
    ++pairs;
  };
  const auto difference = [&](std::string_view name, size_t a, size_t b) {
    reply.bulk(name);
    reply.integer(static_cast<int64_t>(a) - static_cast<int64_t>(b));
    ++pairs;
  };
  const auto real = [&](std::string_view name, double value) {
    reply.bulk(name);
    reply.real(value);
    ++pairs;
  };
  const auto ratio = [&](std::string_view name, size_t a, size_t b) {
    real(name, b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b));
  };

  const resp::Reply::Open map = reply.open(resp::Reply::Aggregate::kMap);
  integer("peak.allocated", figures.peak);
  integer("total.allocated", figures.used);
  integer("startup.allocated", figures.startup);
  const std::string info = engine.info.text("memory");
  for (const auto& [name, field] : std::initializer_list<std::array<std::string_view, 2>>{
           {"replication.backlog", "mem_replication_backlog"},
           {"replica.fullsync.buffer", "mem_replica_full_sync_buffer"},
           {"clients.slaves", "mem_clients_slaves"},
           {"clients.normal", "mem_clients_normal"},
           {"cluster.links", "mem_cluster_links"},
           {"aof.buffer", "mem_aof_buffer"},
           {"lua.caches", "used_memory_scripts_eval"},
           {"functions.caches", "used_memory_functions"},
           {"script.VMs", "used_memory_vm_total"}}) {
    integer(name, figure_of(info, field));
  }
  size_t keys_count = 0;
  size_t table_bytes = 0;
  for (int db = 0; db < engine.databases(); ++db) {
    const engine::Keyspace* keys = engine.keyspace_if_used(db);
    if (keys == nullptr || keys->size() == 0) continue;
    keys_count += keys->size();
    table_bytes += keys->table_bytes();
    reply.bulk(fmt::format("db.{}", db));
    reply.map(2);
    reply.bulk("overhead.hashtable.main");
    reply.integer(static_cast<int64_t>(keys->table_bytes()));
    reply.bulk("overhead.hashtable.expires");  // an expiry lies in its entry
    reply.integer(0);
    ++pairs;
  }
  integer("overhead.db.hashtable.lut", table_bytes);
  integer("overhead.db.hashtable.rehashing", 0);  // a table grows segment by segment
  integer("db.dict.rehashing.count", 0);
  integer("overhead.total", figures.overhead);
  integer("keys.count", keys_count);
  integer("keys.bytes-per-key", keys_count == 0 ? 0 : figures.dataset / keys_count);
  integer("dataset.bytes", figures.dataset);
  real("dataset.percentage", figures.dataset_percent);
  real("peak.percentage", figures.peak_percent);
  integer("allocator.allocated", figures.allocated);
  integer("allocator.active", figures.active);
  integer("allocator.resident", figures.allocator_resident);
  integer("allocator.muzzy", 0);
  ratio("allocator-fragmentation.ratio", figures.active, figures.allocated);
  difference("allocator-fragmentation.bytes", figures.active, figures.allocated);
  ratio("allocator-rss.ratio", figures.allocator_resident, figures.active);
  difference("allocator-rss.bytes", figures.allocator_resident, figures.active);
  ratio("rss-overhead.ratio", figures.resident, figures.allocator_resident);
  difference("rss-overhead.bytes", figures.resident, figures.allocator_resident);
  ratio("fragmentation", figures.resident, figures.used);
  difference("fragmentation.bytes", figures.resident, figures.used);
  reply.close(map, pairs);
  return kOk;
}
constexpr CommandSpec kMemoryStats{
    .name = "MEMORY STATS",
    .syntax = "",
    .summary = "Returns what the server knows about its use of memory.",
    .since = "4.0.0",
    .complexity = "O(1)",
    .tips = kPerShard,
    .handler = memory_stats_command,
};

// MEMORY DOCTOR -> what the figures mean, as text
Status memory_doctor_command(Call& call) {
  constexpr size_t kLittle = size_t{5} << 20;       // below it the figures say nothing
  constexpr size_t kNoticeable = size_t{10} << 20;  // a waste worth a word
  const MemoryFigures figures = call.service<CommandState>().info.memory();
  std::string text;
  const auto advise = [&](bool applies, std::string_view advice) {
    if (applies) fmt::format_to(std::back_inserter(text), "* {}\n", advice);
  };
  const auto exceeds = [](size_t a, size_t b) {
    return a > b + kNoticeable && static_cast<double>(a) > 1.4 * static_cast<double>(b);
  };
  if (figures.used < kLittle) {
    text = "There is too little data for a diagnosis.\n";
  } else {
    advise(exceeds(figures.peak, figures.used),
           "Memory: the peak was far above what is used now. The difference may still be held; "
           "MEMORY PURGE gives it back.");
    advise(exceeds(figures.active, figures.allocated),
           "Fragmentation: the allocator's pages are far from full, which follows when many "
           "values shrink or go.");
    advise(exceeds(figures.allocator_resident, figures.active),
           "Unused pages: the allocator holds pages it does not use. MEMORY PURGE gives them "
           "back.");
    advise(exceeds(figures.resident, figures.allocator_resident),
           "Other memory: the process holds much that is not data; look at its threads and "
           "mappings.");
    if (text.empty()) text = "Nothing unusual.\n";
  }
  call.reply().verbatim("txt", text);
  return kOk;
}
constexpr CommandSpec kMemoryDoctor{
    .name = "MEMORY DOCTOR",
    .syntax = "",
    .summary = "Explains what is unusual about the use of memory.",
    .since = "4.0.0",
    .complexity = "O(1)",
    .tips = kPerShard,
    .handler = memory_doctor_command,
};

// MEMORY MALLOC-STATS -> the allocator's figures, as text
Status memory_malloc_stats_command(Call& call) {
  const memory::AllocatorStats stats = memory::allocator_stats();
  call.reply().verbatim(
      "txt", fmt::format("{}\nallocated: {}\nactive: {}\nresident: {}\nretained: {}\n",
                         memory::allocator_name(), stats.allocated, stats.active, stats.resident,
                         stats.retained));
  return kOk;
}
constexpr CommandSpec kMemoryMallocStats{
    .name = "MEMORY MALLOC-STATS",
    .syntax = "",
    .summary = "Returns the allocator's own figures.",
    .since = "4.0.0",
    .complexity = "O(1)",
    .tips = kPerShard,
    .handler = memory_malloc_stats_command,
};

Status memory_purge_command(Call& call) {
  memory::purge();
  return call.reply_ok();
}
constexpr Example kMemoryPurgeExamples[] = {{"MEMORY PURGE", "+OK"}};
constexpr CommandSpec kMemoryPurge{
    .name = "MEMORY PURGE",
    .syntax = "",
    .summary = "Gives pages that hold nothing back to the operating system.",
    .since = "4.0.0",
    .complexity = "Depends on how much is held.",
    .tips = "request_policy:all_shards,response_policy:all_succeeded",
    .handler = memory_purge_command,
    .examples = kMemoryPurgeExamples,
};

Status memory_help_command(Call& call) {
  return call.reply_help({
      "DOCTOR",
      "    Explain what is unusual.",
      "MALLOC-STATS",
      "    Show the allocator's figures.",
      "PURGE",
      "    Give unused pages back to the system.",
      "STATS",
      "    Show the figures by purpose.",
      "USAGE <key> [SAMPLES <count>]",
      "    Show the bytes of one key; <count> elements of a big value are looked at (0: all).",
  });
}
constexpr CommandSpec kMemoryHelp{
    .name = "MEMORY HELP",
    .syntax = "",
    .summary = "Tells what the subcommands do.",
    .since = "4.0.0",
    .complexity = "O(1)",
    .flags = kLoading | kStale,
    .handler = memory_help_command,
};

constexpr const CommandSpec* kCommands[] = {&kMemory,       &kMemoryUsage,       &kMemoryStats,
                                            &kMemoryDoctor, &kMemoryMallocStats, &kMemoryPurge,
                                            &kMemoryHelp};

}  // namespace

extern constinit const engine::CommandFamily kMemoryFamily;
constinit const engine::CommandFamily kMemoryFamily{"server", kCommands};

}  // namespace roxdb::commands
