#include "commands/server/server_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "base/memory.h"
#include "base/numbers.h"
#include "base/process_info.h"
#include "base/version.h"
#include "engine/config_file.h"

namespace roxdb::commands {
namespace {

using engine::InfoWriter;

std::string random_hex(Environment& environment, size_t digits) {
  std::string bytes(digits / 2, '\0');
  environment.random(bytes.data(), bytes.size());
  std::string hex;
  for (const char c : bytes) {
    fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<unsigned char>(c));
  }
  return hex;
}

double ratio(size_t a, size_t b) {
  return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b);
}

int64_t difference(size_t a, size_t b) { return static_cast<int64_t>(a) - static_cast<int64_t>(b); }

std::string percent(double value) { return fmt::format("{:.2f}%", value); }

// The value of a setting that another room owns, or what counts without that room.
std::string setting_or(const engine::Engine& engine, std::string_view name,
                       std::string_view otherwise) {
  const engine::Setting* setting = engine.settings.find(name);
  return setting != nullptr ? setting->get() : std::string(otherwise);
}

void write_both(InfoWriter& out, std::string_view name, size_t bytes) {
  out.field(name, bytes);
  out.field(fmt::format("{}_human", name), human_bytes(bytes));
}

// The least size of a bin: "0", "1", "2", ... "512", "1K", ... "4E".
std::string power_label(size_t bin) {
  static constexpr std::string_view kUnits = " KMGTPE";
  if (bin == 0) return "0";
  const size_t power = bin - 1;
  std::string label = std::to_string(1u << power % 10);
  if (power >= 10) label += kUnits[power / 10];
  return label;
}

}  // namespace

std::string human_bytes(uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{}B", bytes);
  static constexpr char kUnits[] = {'K', 'M', 'G', 'T', 'P', 'E'};
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.2f}{}", value, kUnits[unit]);
}

ServerInfo::ServerInfo(engine::Engine& engine)
    : engine_(engine),
      started_ns_(engine.environment().monotonic_ns()),
      startup_bytes_(memory::used_bytes()),
      run_id_(random_hex(engine.environment(), 40)),
      sampled_ns_(started_ns_) {
  const auto add = [&](std::string_view section, void (ServerInfo::*write)(InfoWriter&)) {
    engine.info.add(section, [this, write](InfoWriter& out) { (this->*write)(out); });
  };
  add("server", &ServerInfo::write_server);
  add("memory", &ServerInfo::write_memory);
  add("stats", &ServerInfo::write_stats);
  add("replication", &ServerInfo::write_replication);
  add("cpu", &ServerInfo::write_cpu);
  add("commandstats", &ServerInfo::write_command_stats);
  add("errorstats", &ServerInfo::write_error_stats);
  add("latencystats", &ServerInfo::write_latency_stats);
  add("keyspace", &ServerInfo::write_keyspace);
  add("keysizes", &ServerInfo::write_key_sizes);
  engine.info.add("cluster", [](InfoWriter& out) { out.field("cluster_enabled", 0); });
  register_settings();
}

void ServerInfo::register_settings() {
  engine::Setting percentiles;
  percentiles.name = "latency-tracking-info-percentiles";
  percentiles.flags = engine::Setting::kWords;
  percentiles.get = [this] { return fmt::format("{}", fmt::join(percentiles_, " ")); };
  percentiles.set = [this](std::span<const std::string> words, std::string& why) {
    std::vector<double> values;
    for (const std::string& word : words) {
      const std::optional<double> value = parse_double(word);
      if (!value || *value < 0 || *value > 100) {
        why = "latency-tracking-info-percentiles should contain values between 0.0 and 100.0";
        return false;
      }
      values.push_back(*value);
    }
    percentiles_ = std::move(values);
    return true;
  };
  engine_.settings.add(std::move(percentiles));
}

uint64_t ServerInfo::uptime_seconds() const {
  return (engine_.environment().monotonic_ns() - started_ns_) / 1'000'000'000;
}

void ServerInfo::mark_startup() { startup_bytes_ = memory::used_bytes(); }

void ServerInfo::tick() {
  peak_bytes_ = std::max(peak_bytes_, memory::used_bytes());
  const uint64_t now_ns = engine_.environment().monotonic_ns();
  const uint64_t passed_ns = now_ns - sampled_ns_;
  if (passed_ns < kSampleNs) return;
  const uint64_t commands = engine_.statistics.commands_processed;
  // RESETSTAT puts the counter back.
  const uint64_t done = commands >= sampled_commands_ ? commands - sampled_commands_ : commands;
  rates_[next_rate_] =
      static_cast<uint64_t>(static_cast<double>(done) * 1e9 / static_cast<double>(passed_ns));
  next_rate_ = (next_rate_ + 1) % kSamples;
  sampled_ns_ = now_ns;
  sampled_commands_ = commands;
}

MemoryFigures ServerInfo::memory() {
  MemoryFigures figures{};
  figures.used = memory::used_bytes();
  peak_bytes_ = std::max(peak_bytes_, figures.used);
  figures.peak = peak_bytes_;
  figures.startup = startup_bytes_;
  figures.overhead = startup_bytes_;
  for (int db = 0; db < engine_.databases(); ++db) {
    const engine::Keyspace* keys = engine_.keyspace_if_used(db);
    if (keys != nullptr) figures.overhead += keys->table_bytes();
  }
  figures.overhead = std::min(figures.overhead, figures.used);
  figures.dataset = figures.used - figures.overhead;
  figures.dataset_percent = std::min(
      100.0, 100 * ratio(figures.dataset,
                         figures.used > startup_bytes_ ? figures.used - startup_bytes_ : 0));
  figures.peak_percent = 100 * ratio(figures.used, figures.peak);
  figures.resident = resident_bytes();
  const memory::AllocatorStats allocator = memory::allocator_stats();
  figures.allocated = allocator.allocated != 0 ? allocator.allocated : figures.used;
  figures.active = std::max(allocator.active, figures.allocated);
  figures.allocator_resident = std::max(allocator.resident, figures.active);
  return figures;
}

void ServerInfo::write_server(InfoWriter& out) {
  Environment& environment = engine_.environment();
  out.field("redis_version", kRedisVersion);
  out.field("redis_git_sha1", "00000000");
  out.field("redis_git_dirty", 0);
  out.field("redis_build_id", "0");
  out.field("redis_mode", "standalone");
  out.field("server_name", "roxdb");
  out.field("server_mode", "standalone");
  out.field("roxdb_version", kVersion);
  out.field("os", operating_system());
  out.field("arch_bits", sizeof(void*) * 8);
  out.field("monotonic_clock", "POSIX clock_gettime");
  out.field("multiplexing_api", "libuv");
  out.field("gcc_version", fmt::format("{}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__));
  out.field("process_id", environment.process_id());
  out.field("process_supervised", setting_or(engine_, "supervised", "no"));
  out.field("run_id", run_id_);
  const std::string port = setting_or(engine_, "port", "0");
  out.field("tcp_port", port != "0" ? port : setting_or(engine_, "tls-port", "0"));
  out.field("server_time_usec", environment.now_us());
  out.field("uptime_in_seconds", uptime_seconds());
  out.field("uptime_in_days", uptime_seconds() / 86'400);
  out.field("hz", engine_.hz);
  out.field("configured_hz", engine_.hz);
  out.field("lru_clock", engine_.now_ms() / 1000 & 0xffffff);
  out.field("executable", executable_path());
  out.field("availability_zone", setting_or(engine_, "availability-zone", ""));
  out.field("io_threads_active", 0);
  const auto* file = engine_.services.find<engine::ConfigFile>();
  out.field("config_file", file != nullptr ? file->path() : std::string());
}

void ServerInfo::write_memory(InfoWriter& out) {
  const MemoryFigures figures = memory();
  write_both(out, "used_memory", figures.used);
  write_both(out, "used_memory_rss", figures.resident);
  write_both(out, "used_memory_peak", figures.peak);
  out.field("used_memory_peak_perc", percent(figures.peak_percent));
  out.field("used_memory_overhead", figures.overhead);
  out.field("used_memory_startup", figures.startup);
  out.field("used_memory_dataset", figures.dataset);
  out.field("used_memory_dataset_perc", percent(figures.dataset_percent));
  out.field("allocator_allocated", figures.allocated);
  out.field("allocator_active", figures.active);
  out.field("allocator_resident", figures.allocator_resident);
  write_both(out, "total_system_memory", system_memory_bytes());
  const std::string limit = setting_or(engine_, "maxmemory", "0");
  out.field("maxmemory", limit);
  out.field("maxmemory_human", human_bytes(parse_uint64(limit).value_or(0)));
  out.field("maxmemory_policy", setting_or(engine_, "maxmemory-policy", "noeviction"));
  out.line("allocator_frag_ratio", "{:.2f}", ratio(figures.active, figures.allocated));
  out.field("allocator_frag_bytes", difference(figures.active, figures.allocated));
  out.line("allocator_rss_ratio", "{:.2f}", ratio(figures.allocator_resident, figures.active));
  out.field("allocator_rss_bytes", difference(figures.allocator_resident, figures.active));
  out.line("rss_overhead_ratio", "{:.2f}", ratio(figures.resident, figures.allocator_resident));
  out.field("rss_overhead_bytes", difference(figures.resident, figures.allocator_resident));
  out.line("mem_fragmentation_ratio", "{:.2f}", ratio(figures.resident, figures.used));
  out.field("mem_fragmentation_bytes", difference(figures.resident, figures.used));
  out.field("mem_allocator", memory::allocator_name());
  out.field("allocator_muzzy", 0);
  // A table that grows segment by segment never holds two tables at once.
  out.field("mem_overhead_db_hashtable_rehashing", 0);
  for (const std::string_view nobody_is_there :
       {"mem_replication_backlog", "mem_total_replication_buffers", "mem_replica_full_sync_buffer",
        "mem_replicas_repl_buffer", "mem_cluster_links"}) {
    out.field(nobody_is_there, 0);
  }
  out.field("active_defrag_running", 0);
  out.field("lazyfree_pending_objects", engine_.statistics.being_freed);
  out.field("lazyfreed_objects", engine_.statistics.freed_in_background);
}

void ServerInfo::write_stats(InfoWriter& out) {
  const engine::Statistics& statistics = engine_.statistics;
  out.field("total_commands_processed", statistics.commands_processed);
  out.field("instantaneous_ops_per_sec",
            std::accumulate(std::begin(rates_), std::end(rates_), uint64_t{0}) / kSamples);
  out.field("expired_subkeys", statistics.expired_fields);  // as Redis calls them
  out.field("expired_fields", statistics.expired_fields);   // as Valkey does
  out.field("expired_keys", statistics.expired_keys);
  out.field("expired_time_cap_reached_count", statistics.expired_time_cap_reached);
  out.field("evicted_keys", statistics.evicted_keys);
  out.field("keyspace_hits", statistics.keyspace_hits);
  out.field("keyspace_misses", statistics.keyspace_misses);
  out.field("total_error_replies", statistics.error_replies);
  // No key that is due outlives the turn in which its time comes, unless there are too many.
  out.field("expired_stale_perc", "0.00");
  out.field("expire_cycle_cpu_milliseconds", statistics.expire_ns / 1'000'000);
  // Slabs are never defragmented, output buffers have one size, all that a payload says is checked
  // while it is read, and no thread but the one that owns the data talks to clients.
  for (const std::string_view never : {"total_active_defrag_time",
                                       "current_active_defrag_time",
                                       "active_defrag_hits",
                                       "active_defrag_misses",
                                       "active_defrag_key_hits",
                                       "active_defrag_key_misses",
                                       "unexpected_error_replies",
                                       "dump_payload_sanitizations",
                                       "reply_buffer_shrinks",
                                       "reply_buffer_expands",
                                       "io_threaded_reads_processed",
                                       "io_threaded_writes_processed",
                                       "io_threaded_accept_processed",
                                       "io_threaded_poll_processed",
                                       "io_threaded_freed_objects",
                                       "io_threaded_total_prefetch_batches",
                                       "io_threaded_total_prefetch_entries",
                                       "migrate_cached_sockets",
                                       "slave_expires_tracked_keys",
                                       "sync_full",
                                       "sync_partial_ok",
                                       "sync_partial_err"}) {
    out.field(never, 0);
  }
}

void ServerInfo::write_replication(InfoWriter& out) {
  out.field("role", "master");
  out.field("connected_slaves", 0);
  out.field("master_failover_state", "no-failover");
  out.field("master_replid", run_id_);
  out.field("master_replid2", std::string(40, '0'));
  out.field("master_repl_offset", 0);
  out.field("second_repl_offset", -1);
  out.field("repl_backlog_active", 0);
  out.field("repl_backlog_size", setting_or(engine_, "repl-backlog-size", "0"));
  out.field("repl_backlog_first_byte_offset", 0);
  out.field("repl_backlog_histlen", 0);
}

void ServerInfo::write_cpu(InfoWriter& out) {
  const auto add = [&out](std::string_view suffix, CpuScope scope) {
    const CpuTimes times = cpu_times(scope);
    out.line(fmt::format("used_cpu_sys{}", suffix), "{:.6f}", times.system_seconds);
    out.line(fmt::format("used_cpu_user{}", suffix), "{:.6f}", times.user_seconds);
  };
  add("", CpuScope::kProcess);
  add("_children", CpuScope::kChildren);
  add("_main_thread", CpuScope::kThisThread);
}

void ServerInfo::write_command_stats(InfoWriter& out) {
  const double us_per_cycle = engine_.ns_per_cycle() / 1000;
  for (const auto& command : engine_.commands().all()) {
    if (command->calls == 0 && command->rejected == 0 && command->failed == 0) continue;
    const double us = static_cast<double>(command->duration_cycles) * us_per_cycle;
    const double us_per_call = command->calls == 0 ? 0 : us / static_cast<double>(command->calls);
    out.line(fmt::format("cmdstat_{}", command->full_name),
             "calls={},usec={:.0f},usec_per_call={:.2f},rejected_calls={},failed_calls={}",
             command->calls, us, us_per_call, command->rejected, command->failed);
  }
}

// The duration that a share of the calls did not exceed, for each share that is asked for.
void ServerInfo::write_latency_stats(InfoWriter& out) {
  const double us_per_cycle = engine_.ns_per_cycle() / 1000;
  for (const auto& command : engine_.commands().all()) {
    uint64_t calls = 0;
    command->latencies.for_each([&](uint64_t, uint64_t count) { calls += count; });
    if (calls == 0) continue;
    std::string text;
    for (const double percentile : percentiles_) {
      uint64_t seen = 0;
      double us = 0;
      command->latencies.for_each([&](uint64_t bound, uint64_t count) {
        if (static_cast<double>(seen) < percentile / 100 * static_cast<double>(calls)) {
          us = static_cast<double>(bound) * us_per_cycle;
        }
        seen += count;
      });
      fmt::format_to(std::back_inserter(text), "{}p{}={:.3f}", text.empty() ? "" : ",", percentile,
                     us);
    }
    out.line(fmt::format("latency_percentiles_usec_{}", command->full_name), "{}", text);
  }
}

void ServerInfo::write_error_stats(InfoWriter& out) {
  for (const auto& [code, count] : engine_.statistics.errors) {
    out.line(fmt::format("errorstat_{}", code), "count={}", count);
  }
  if (const uint64_t more = engine_.statistics.errors_of_more_codes; more > 0) {
    out.line("errorstat_ERRORSTATS_OVERFLOW", "count={}", more);
  }
}

void ServerInfo::write_keyspace(InfoWriter& out) {
  for (int db = 0; db < engine_.databases(); ++db) {
    const engine::Keyspace* keys = engine_.keyspace_if_used(db);
    if (keys == nullptr || keys->size() == 0) continue;
    out.line(fmt::format("db{}", db), "keys={},expires={},avg_ttl={},subexpiry={}", keys->size(),
             keys->expires(), keys->average_ttl_ms(engine_.now_ms(), engine_.random),
             keys->expiring_hashes());
  }
}

void ServerInfo::write_key_sizes(InfoWriter& out) {
  using types::KeySizes;
  using types::TypeId;
  static constexpr std::pair<TypeId, std::string_view> kTypes[] = {
      {TypeId::kString, "strings_sizes"}, {TypeId::kList, "lists_items"},
      {TypeId::kSet, "sets_items"},       {TypeId::kSortedSet, "zsets_items"},
      {TypeId::kHash, "hashes_items"},
  };
  static_assert(std::size(kTypes) == KeySizes::kTypes);
  for (int db = 0; db < engine_.databases(); ++db) {
    const engine::Keyspace* keys = engine_.keyspace_if_used(db);
    if (keys == nullptr || keys->size() == 0) continue;
    for (const auto& [type, name] : kTypes) {
      std::string text;
      const std::span<const uint64_t> bins = keys->sizes().bins(type);
      for (size_t bin = 0; bin < bins.size(); ++bin) {
        if (bins[bin] == 0) continue;
        fmt::format_to(std::back_inserter(text), "{}{}={}", text.empty() ? "" : ",",
                       power_label(bin), bins[bin]);
      }
      if (!text.empty()) out.field(fmt::format("db{}_distrib_{}", db, name), text);
    }
  }
}

}  // namespace roxdb::commands
