#include "server/metrics.h"

#include <fmt/format.h>

#include <cstdlib>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>

namespace roxdb::server {
namespace {

struct Metric {
  std::string_view name;
  std::string_view type;  // "counter", "gauge"
  std::string_view section;
  std::string_view field;
  double unit;  // what one of the field is worth in the metric's unit; 0: 1 for "ok" or "clean"
  std::string_view help;
};

constexpr std::string_view kCounter = "counter";
constexpr std::string_view kGauge = "gauge";
constexpr double kIsFine = 0;
constexpr double kMicro = 1e-6;
constexpr double kMilli = 1e-3;

constexpr Metric kMetrics[] = {
    {"redis_uptime_in_seconds", kGauge, "server", "uptime_in_seconds", 1, "Time since the start."},
    {"redis_connected_clients", kGauge, "clients", "connected_clients", 1, "Clients now."},
    {"redis_max_clients", kGauge, "clients", "maxclients", 1, "Clients there may be."},
    {"redis_blocked_clients", kGauge, "clients", "blocked_clients", 1, "Clients waiting for keys."},
    {"redis_tracking_clients", kGauge, "clients", "tracking_clients", 1,
     "Clients told of changes of what they cache."},
    {"redis_client_recent_max_input_buffer_bytes", kGauge, "clients",
     "client_recent_max_input_buffer", 1, "The most that a client has sent ahead."},
    {"redis_client_recent_max_output_buffer_bytes", kGauge, "clients",
     "client_recent_max_output_buffer", 1, "The most that a client has not taken."},

    {"redis_memory_used_bytes", kGauge, "memory", "used_memory", 1, "Memory asked for."},
    {"redis_memory_used_rss_bytes", kGauge, "memory", "used_memory_rss", 1, "Memory resident."},
    {"redis_memory_used_peak_bytes", kGauge, "memory", "used_memory_peak", 1, "The most so far."},
    {"redis_memory_used_overhead_bytes", kGauge, "memory", "used_memory_overhead", 1,
     "Memory that is not data."},
    {"redis_memory_used_startup_bytes", kGauge, "memory", "used_memory_startup", 1,
     "Memory of the empty server."},
    {"redis_memory_used_dataset_bytes", kGauge, "memory", "used_memory_dataset", 1,
     "Memory of the data."},
    {"redis_memory_used_lua_bytes", kGauge, "memory", "used_memory_lua", 1, "Memory of scripts."},
    {"redis_memory_max_bytes", kGauge, "memory", "maxmemory", 1, "The limit; 0: none."},
    {"redis_mem_clients_normal", kGauge, "memory", "mem_clients_normal", 1, "Memory of clients."},
    {"redis_mem_fragmentation_ratio", kGauge, "memory", "mem_fragmentation_ratio", 1,
     "Memory resident, per memory asked for."},

    {"redis_loading_dump_file", kGauge, "persistence", "loading", 1, "1 while data is loaded."},
    {"redis_rdb_changes_since_last_save", kGauge, "persistence", "rdb_changes_since_last_save", 1,
     "Changes that no snapshot holds."},
    {"redis_rdb_bgsave_in_progress", kGauge, "persistence", "rdb_bgsave_in_progress", 1,
     "1 while a snapshot is taken."},
    {"redis_rdb_last_save_timestamp_seconds", kGauge, "persistence", "rdb_last_save_time", 1,
     "When the last good snapshot was finished."},
    {"redis_rdb_last_bgsave_status", kGauge, "persistence", "rdb_last_bgsave_status", kIsFine,
     "1 when the last snapshot is good."},
    {"redis_rdb_last_bgsave_duration_sec", kGauge, "persistence", "rdb_last_bgsave_time_sec", 1,
     "What the last snapshot took; -1: there was none."},
    {"redis_rdb_current_bgsave_duration_sec", kGauge, "persistence", "rdb_current_bgsave_time_sec",
     1, "What the running snapshot has taken; -1: none runs."},
    {"redis_rdb_last_cow_size_bytes", kGauge, "persistence", "rdb_last_cow_size", 1,
     "Memory copied during the last snapshot."},
    {"redis_aof_enabled", kGauge, "persistence", "aof_enabled", 1, "1 while there is a log."},
    {"redis_aof_rewrite_in_progress", kGauge, "persistence", "aof_rewrite_in_progress", 1,
     "1 while the log is rewritten."},
    {"redis_aof_rewrite_scheduled", kGauge, "persistence", "aof_rewrite_scheduled", 1,
     "1 when the log will be rewritten once the snapshot is done."},
    {"redis_aof_last_rewrite_duration_sec", kGauge, "persistence", "aof_last_rewrite_time_sec", 1,
     "What the last rewrite took; -1: there was none."},
    {"redis_aof_last_bgrewrite_status", kGauge, "persistence", "aof_last_bgrewrite_status", kIsFine,
     "1 when the last rewrite was good."},
    {"redis_aof_last_write_status", kGauge, "persistence", "aof_last_write_status", kIsFine,
     "0 while writes are refused because the log cannot be written."},
    {"redis_aof_last_cow_size_bytes", kGauge, "persistence", "aof_last_cow_size", 1,
     "Memory copied during the last rewrite."},
    {"redis_aof_current_size_bytes", kGauge, "persistence", "aof_current_size", 1,
     "Size of the log."},
    {"redis_aof_base_size_bytes", kGauge, "persistence", "aof_base_size", 1,
     "Size of the log after its last rewrite."},
    {"redis_aof_delayed_fsync", kCounter, "persistence", "aof_delayed_fsync", 1,
     "Times that writers had to wait for the disk."},
    {"roxdb_aof_unsynced_bytes", kGauge, "persistence", "aof_unsynced_bytes", 1,
     "Bytes of the log that are not synced."},
    {"roxdb_aof_unsynced_age_seconds", kGauge, "persistence", "aof_unsynced_age_ms", kMilli,
     "Age of the oldest of them."},
    {"roxdb_aof_last_sync_seconds", kGauge, "persistence", "aof_last_sync_ms", kMilli,
     "What the last sync took."},
    {"roxdb_last_recovery_clean", kGauge, "persistence", "last_recovery_result", kIsFine,
     "1 when the last start found nothing to cut off or import."},
    {"roxdb_last_recovery_dropped_bytes", kGauge, "persistence", "last_recovery_dropped_bytes", 1,
     "Bytes that the last start cut off the log."},

    {"redis_connections_received_total", kCounter, "stats", "total_connections_received", 1,
     "Connections accepted."},
    {"redis_rejected_connections_total", kCounter, "stats", "rejected_connections", 1,
     "Connections refused because there were too many."},
    {"redis_commands_processed_total", kCounter, "stats", "total_commands_processed", 1,
     "Commands run."},
    {"redis_instantaneous_ops_per_sec", kGauge, "stats", "instantaneous_ops_per_sec", 1,
     "Commands per second, of late."},
    {"redis_net_input_bytes_total", kCounter, "stats", "total_net_input_bytes", 1,
     "Bytes received."},
    {"redis_net_output_bytes_total", kCounter, "stats", "total_net_output_bytes", 1, "Bytes sent."},
    {"redis_client_query_buffer_limit_disconnections_total", kCounter, "stats",
     "client_query_buffer_limit_disconnections", 1, "Clients closed for sending too much ahead."},
    {"redis_client_output_buffer_limit_disconnections_total", kCounter, "stats",
     "client_output_buffer_limit_disconnections", 1, "Clients closed for not reading."},
    {"redis_evicted_clients_total", kCounter, "stats", "evicted_clients", 1,
     "Clients closed because all of them took too much memory."},
    {"redis_expired_keys_total", kCounter, "stats", "expired_keys", 1, "Keys that expired."},
    {"redis_expired_subkeys_total", kCounter, "stats", "expired_subkeys", 1,
     "Fields of hashes that expired."},
    {"redis_evicted_keys_total", kCounter, "stats", "evicted_keys", 1,
     "Keys that had to go for lack of memory."},
    {"redis_keyspace_hits_total", kCounter, "stats", "keyspace_hits", 1, "Reads that found a key."},
    {"redis_keyspace_misses_total", kCounter, "stats", "keyspace_misses", 1,
     "Reads that found none."},
    {"redis_pubsub_channels", kGauge, "stats", "pubsub_channels", 1, "Channels with subscribers."},
    {"redis_pubsub_patterns", kGauge, "stats", "pubsub_patterns", 1, "Patterns with subscribers."},
    {"redis_latest_fork_seconds", kGauge, "stats", "latest_fork_usec", kMicro,
     "What the last fork took."},
    {"redis_total_error_replies", kCounter, "stats", "total_error_replies", 1, "Error replies."},
    {"redis_acl_access_denied_auth_total", kCounter, "stats", "acl_access_denied_auth", 1,
     "Failed logins."},
    {"redis_acl_access_denied_cmd_total", kCounter, "stats", "acl_access_denied_cmd", 1,
     "Commands refused for want of rights."},
    {"redis_acl_access_denied_key_total", kCounter, "stats", "acl_access_denied_key", 1,
     "The same, to keys."},
    {"redis_acl_access_denied_channel_total", kCounter, "stats", "acl_access_denied_channel", 1,
     "The same, to channels."},

    {"redis_connected_slaves", kGauge, "replication", "connected_slaves", 1, "Replicas."},
    {"redis_master_repl_offset", kGauge, "replication", "master_repl_offset", 1,
     "Bytes of the replication stream."},

    {"redis_cpu_sys_seconds_total", kCounter, "cpu", "used_cpu_sys", 1, "CPU time, system."},
    {"redis_cpu_user_seconds_total", kCounter, "cpu", "used_cpu_user", 1, "CPU time, user."},
    {"redis_cpu_sys_children_seconds_total", kCounter, "cpu", "used_cpu_sys_children", 1,
     "CPU time of snapshots and rewrites, system."},
    {"redis_cpu_user_children_seconds_total", kCounter, "cpu", "used_cpu_user_children", 1,
     "CPU time of snapshots and rewrites, user."},
};

// A family of lines of INFO, such as "cmdstat_get:calls=1,usec=2": one metric with a label for each
// part of them that is told.
struct LabelledMetric {
  std::string_view name;
  std::string_view type;
  std::string_view section;
  std::string_view prefix;  // of the field; what follows is the label's value
  std::string_view label;
  std::string_view part;  // "calls"
  double unit;
  std::string_view help;
};

constexpr LabelledMetric kLabelledMetrics[] = {
    {"redis_commands_total", kCounter, "commandstats", "cmdstat_", "cmd", "calls", 1,
     "Calls of each command."},
    {"redis_commands_duration_seconds_total", kCounter, "commandstats", "cmdstat_", "cmd", "usec",
     kMicro, "Time spent in each command."},
    {"redis_commands_rejected_calls_total", kCounter, "commandstats", "cmdstat_", "cmd",
     "rejected_calls", 1, "Calls refused before they ran."},
    {"redis_commands_failed_calls_total", kCounter, "commandstats", "cmdstat_", "cmd",
     "failed_calls", 1, "Calls that ended in an error."},
    {"redis_errors_total", kCounter, "errorstats", "errorstat_", "err", "count", 1,
     "Error replies by code."},
    {"redis_db_keys", kGauge, "keyspace", "db", "db", "keys", 1, "Keys of each database."},
    {"redis_db_keys_expiring", kGauge, "keyspace", "db", "db", "expires", 1,
     "Those of them that expire."},
    {"redis_db_avg_ttl_seconds", kGauge, "keyspace", "db", "db", "avg_ttl", kMilli,
     "Their mean time to live."},
};

using Fields = std::map<std::string_view, std::string_view>;

// "name:value" lines by name; views into `text`.
Fields fields_of(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find("\r\n"));
    text.remove_prefix(std::min(text.size(), line.size() + 2));
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos) fields[line.substr(0, colon)] = line.substr(colon + 1);
  }
  return fields;
}

std::optional<double> number(std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  const double value = std::strtod(copy.c_str(), &end);
  if (end == copy.c_str() || *end != '\0') return std::nullopt;
  return value;
}

std::optional<double> value_of(std::string_view text, double unit) {
  if (unit == kIsFine) return text == "ok" || text == "clean" ? 1 : 0;
  const std::optional<double> value = number(text);
  return value ? std::optional(*value * unit) : std::nullopt;
}

// "usec" of "calls=1,usec=2,..."
std::string_view part_of(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const size_t equals = part.find('=');
    if (part.substr(0, equals) == name) return part.substr(equals + 1);
  }
  return {};
}

std::string escaped(std::string_view label) {
  std::string out;
  for (const char c : label) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

}  // namespace

std::string metrics_text(const engine::Engine& engine) {
  std::map<std::string_view, std::string> texts;
  std::map<std::string_view, Fields> sections;
  const auto section = [&](std::string_view name) -> const Fields& {
    const auto [text, is_new] = texts.try_emplace(name);
    if (is_new) {
      text->second = engine.info.text(name);
      sections[name] = fields_of(text->second);
    }
    return sections[name];
  };

  std::string out;
  const auto begin = [&out](const auto& metric) {
    fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n", metric.name,
                   metric.help, metric.type);
  };
  out += "# HELP redis_up 1: it answers.\n# TYPE redis_up gauge\nredis_up 1\n";
  for (const Metric& metric : kMetrics) {
    const Fields& fields = section(metric.section);
    const auto field = fields.find(metric.field);
    if (field == fields.end()) continue;
    const std::optional<double> value = value_of(field->second, metric.unit);
    if (!value) continue;
    begin(metric);
    fmt::format_to(std::back_inserter(out), "{} {}\n", metric.name, *value);
  }
  for (const LabelledMetric& metric : kLabelledMetrics) {
    begin(metric);
    for (const auto& [name, text] : section(metric.section)) {
      if (!name.starts_with(metric.prefix)) continue;
      // A database is called by its whole name, "db0".
      const std::string_view label =
          metric.label == metric.prefix ? name : name.substr(metric.prefix.size());
      const std::optional<double> value = value_of(part_of(text, metric.part), metric.unit);
      if (!value) continue;
      fmt::format_to(std::back_inserter(out), "{}{{{}=\"{}\"}} {}\n", metric.name, metric.label,
                     escaped(label), *value);
    }
  }
  const Fields& server = section("server");
  const auto fact = [](const Fields& fields, std::string_view name) {
    const auto field = fields.find(name);
    return field == fields.end() ? std::string() : escaped(field->second);
  };
  fmt::format_to(std::back_inserter(out),
                 "# HELP redis_instance_info What runs here.\n# TYPE redis_instance_info gauge\n"
                 "redis_instance_info{{redis_version=\"{}\",roxdb_version=\"{}\",redis_mode=\"{}\","
                 "role=\"{}\",os=\"{}\",tcp_port=\"{}\",maxmemory_policy=\"{}\"}} 1\n",
                 fact(server, "redis_version"), fact(server, "roxdb_version"),
                 fact(server, "redis_mode"), fact(section("replication"), "role"),
                 fact(server, "os"), fact(server, "tcp_port"),
                 fact(section("memory"), "maxmemory_policy"));
  return out;
}

}  // namespace roxdb::server
