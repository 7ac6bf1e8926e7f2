#include "engine/accepted_settings.h"

namespace roxdb::engine {
namespace {

using Accepted = Settings::Accepted;
using Accepts = Settings::Accepts;
using Kind = Accepts::Kind;

constexpr Accepts kBool{.kind = Kind::kBool};
constexpr Accepts kText{};
constexpr Accepts kCount{.kind = Kind::kInteger, .low = 0, .high = INT64_MAX};
constexpr Accepts kMemory{.kind = Kind::kMemory, .low = 0, .high = INT64_MAX};
// Up to 2^64 - 1: the bound is cast.
constexpr Accepts kUnsigned{.kind = Kind::kMemory, .low = 0, .high = -1};
constexpr Accepts kInt{.kind = Kind::kInteger, .low = 0, .high = INT32_MAX};
constexpr Accepts kPort{.kind = Kind::kInteger, .low = 0, .high = 65535};
constexpr Accepts between(int64_t low, int64_t high) {
  return {.kind = Kind::kInteger, .low = low, .high = high};
}
constexpr Accepts one_of(std::string_view choices) {
  return {.kind = Kind::kChoice, .choices = choices};
}

constexpr uint8_t kImmutable = Setting::kImmutable;
constexpr uint8_t kHidden = Setting::kHidden;
constexpr uint8_t kWords = Setting::kWords;
constexpr uint8_t kSecret = Setting::kSecret;

constexpr Accepted kAccepted[] = {
    // Memory and threads.
    {"activedefrag", "no", kBool},
    {"active-defrag-cycle-min", "1", between(1, 99)},
    {"active-defrag-cycle-max", "25", between(1, 99)},
    {"active-defrag-cycle-us", "500", between(0, 100000)},
    {"active-defrag-ignore-bytes",
     "104857600",
     {.kind = Kind::kMemory, .low = 1, .high = INT64_MAX}},
    {"active-defrag-max-scan-fields", "1000", between(1, INT64_MAX)},
    {"active-defrag-threshold-lower", "10", between(0, 1000)},
    {"active-defrag-threshold-upper", "100", between(0, 1000)},
    {"active-expire-effort", "1", between(1, 10)},
    {"activerehashing", "yes", kBool},
    {"jemalloc-bg-thread", "yes", kBool},
    {"lazyfree-lazy-eviction", "no", kBool},
    {"lazyfree-lazy-expire", "no", kBool},
    {"lazyfree-lazy-server-del", "no", kBool},
    {"lazyfree-lazy-user-del", "no", kBool},
    {"lazyfree-lazy-user-flush", "no", kBool},
    {"io-threads", "1", between(1, 128), kImmutable},
    {"io-threads-do-reads", "no", kBool, kImmutable},
    {"io-threads-always-active", "no", kBool, kHidden},
    {"events-per-io-thread", "2", kInt, kHidden},
    {"min-io-threads-avoid-copy-reply", "7", kInt, kHidden},
    {"min-string-size-avoid-copy-reply", "16384", kInt, kHidden},
    {"min-string-size-avoid-copy-reply-threaded", "65536", kInt, kHidden},
    {"prefetch-batch-max-size", "16", between(0, 128)},
    {"lookahead", "16", between(1, INT32_MAX)},
    {"server-cpulist", "", kText, kImmutable, "server_cpulist"},
    {"bio-cpulist", "", kText, kImmutable, "bio_cpulist"},
    {"aof-rewrite-cpulist", "", kText, kImmutable, "aof_rewrite_cpulist"},
    {"bgsave-cpulist", "", kText, kImmutable, "bgsave_cpulist"},
    {"disable-thp", "yes", kBool, kImmutable},
    {"dynamic-hz", "yes", kBool},
    {"hash-seed", "", kText, kImmutable | kHidden},

    // Clients and sockets.
    {"port", "6379", kPort},
    {"bind", "* -::*", kText, kWords},
    {"bind-source-addr", ""},
    {"unixsocket", "", kText, kImmutable},
    {"unixsocketgroup", "", kText, kImmutable},
    {"unixsocketperm", "0", {.kind = Kind::kOctal}, kImmutable},
    {"tcp-backlog", "511", kInt, kImmutable},
    {"tcp-keepalive", "300", kInt},
    {"timeout", "0", kInt},
    {"maxclients", "10000", between(1, UINT32_MAX)},
    {"protected-mode", "yes", kBool},
    {"requirepass", "", kText, kSecret},
    {"client-output-buffer-limit",
     "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60", kText, kWords},
    {"client-query-buffer-limit",
     "1073741824",
     {.kind = Kind::kMemory, .low = 1 << 20, .high = INT64_MAX}},
    {"proto-max-bulk-len", "536870912", {.kind = Kind::kMemory, .low = 1 << 20, .high = INT64_MAX}},
    {"socket-mark-id", "0", between(0, UINT32_MAX)},
    {"mptcp", "no", kBool, kImmutable},
    {"repl-mptcp", "no", kBool},
    {"rdma-bind", "", kText, kImmutable | kWords},
    {"rdma-port", "0", kPort, kImmutable},
    {"rdma-rx-size", "1048576", kMemory, kImmutable},
    {"rdma-completion-vector", "-1", between(-1, 1024), kImmutable},
    {"extended-redis-compatibility", "no", kBool},
    {"availability-zone", ""},
    {"import-mode", "no", kBool},

    // The process and its log.
    {"daemonize", "no", kBool, kImmutable},
    {"pidfile", "", kText, kImmutable},
    {"supervised", "no", one_of("upstart, systemd, auto, no"), kImmutable},
    {"databases", "16", between(1, INT32_MAX), kImmutable},
    {"logfile", "", kText, kImmutable},
    {"loglevel", "notice", one_of("debug, verbose, notice, warning, nothing")},
    {"syslog-enabled", "no", kBool, kImmutable},
    {"syslog-ident", "redis", kText, kImmutable},
    {"syslog-facility", "local0",
     one_of("user, local0, local1, local2, local3, local4, local5, local6, local7"), kImmutable},
    {"always-show-logo", "no", kBool, kImmutable},
    {"set-proc-title", "yes", kBool, kImmutable},
    {"proc-title-template", "{title} {listen-addr} {server-mode}"},
    {"locale-collate", ""},
    {"crash-log-enabled", "yes", kBool},
    {"crash-memcheck-enabled", "yes", kBool},
    {"use-exit-on-panic", "no", kBool, kHidden},
    {"hide-user-data-from-log", "yes", kBool},
    {"debug-context", "", kText, kHidden},
    {"enable-debug-assert", "no", kBool, kImmutable | kHidden},
    {"enable-module-command", "no", one_of("no, yes, local"), kImmutable},
    {"ignore-warnings", ""},
    {"watchdog-period", "0", kInt, kHidden},
    {"shutdown-timeout", "10", kInt},
    {"shutdown-on-sigint", "default", kText, kWords},
    {"shutdown-on-sigterm", "default", kText, kWords},
    {"lua-enable-deprecated-api", "no", kBool, kImmutable | kHidden, "lua-enable-insecure-api"},

    // Persistence.
    {"dir", "./", kText, Setting::kProtected},
    {"dbfilename", "dump.rdb", kText, Setting::kProtected},
    {"save", "3600 1 300 100 60 10000", kText, Setting::kMultiple},
    {"appendonly", "no", kBool},
    {"appendfilename", "appendonly.aof", kText, kImmutable},
    {"appenddirname", "appendonlydir", kText, kImmutable},
    {"appendfsync", "everysec", one_of("everysec, always, no")},
    {"no-appendfsync-on-rewrite", "no", kBool},
    {"auto-aof-rewrite-percentage", "100", kInt},
    {"auto-aof-rewrite-min-size", "67108864", kMemory},
    {"aof-load-truncated", "yes", kBool},
    {"aof-use-rdb-preamble", "yes", kBool},
    {"aof-timestamp-enabled", "no", kBool},
    {"aof-disable-auto-gc", "no", kBool, kHidden},
    {"aof-rewrite-incremental-fsync", "yes", kBool},
    {"aof-load-corrupt-tail-max-size", "0", kMemory},
    {"rdb-save-incremental-fsync", "yes", kBool},
    {"rdbcompression", "yes", kBool},
    {"rdbchecksum", "yes", kBool, kImmutable},
    {"rdb-del-sync-files", "no", kBool},
    {"rdb-version-check", "strict", one_of("strict, relaxed")},
    {"sanitize-dump-payload", "no", one_of("no, yes, clients")},
    {"stop-writes-on-bgsave-error", "yes", kBool},
    {"rdb-key-save-delay", "0", between(INT32_MIN, INT32_MAX), kHidden},
    {"key-load-delay", "0", between(INT32_MIN, INT32_MAX), kHidden},
    {"loading-process-events-interval-bytes", "2097152", between(1024, INT32_MAX), kHidden},

    // Replication.
    {"replicaof", "", kText, kImmutable | kWords, "slaveof"},
    {"masterauth", "", kText, kSecret, "primaryauth"},
    {"masteruser", "", kText, kSecret, "primaryuser"},
    {"replica-serve-stale-data", "yes", kBool, 0, "slave-serve-stale-data"},
    {"replica-read-only", "yes", kBool, 0, "slave-read-only"},
    {"replica-lazy-flush", "no", kBool, 0, "slave-lazy-flush"},
    {"replica-ignore-maxmemory", "yes", kBool, 0, "slave-ignore-maxmemory"},
    {"replica-ignore-disk-write-errors", "no", kBool},
    {"replica-priority", "100", kInt, 0, "slave-priority"},
    {"replica-announced", "yes", kBool},
    {"replica-announce-ip", "", kText, 0, "slave-announce-ip"},
    {"replica-announce-port", "0", kPort, 0, "slave-announce-port"},
    {"replica-full-sync-buffer-limit", "0", kMemory},
    {"repl-diskless-sync", "yes", kBool},
    {"repl-diskless-sync-delay", "5", kInt},
    {"repl-diskless-sync-max-replicas", "0", kInt},
    {"repl-diskless-load", "disabled", one_of("disabled, on-empty-db, swapdb, flush-before-load")},
    {"repl-rdb-channel", "no", kBool},
    {"dual-channel-replication-enabled", "no", kBool},
    {"repl-ping-replica-period", "10", between(1, INT32_MAX), 0, "repl-ping-slave-period"},
    {"repl-timeout", "60", between(1, INT32_MAX)},
    {"repl-disable-tcp-nodelay", "no", kBool},
    {"repl-backlog-size", "1048576", {.kind = Kind::kMemory, .low = 1, .high = INT64_MAX}},
    {"repl-backlog-ttl", "3600", kCount},
    {"min-replicas-to-write", "0", kInt, 0, "min-slaves-to-write"},
    {"min-replicas-max-lag", "10", kInt, 0, "min-slaves-max-lag"},
    {"propagation-error-behavior", "ignore", one_of("ignore, panic, panic-on-replicas")},

    // TLS.
    {"tls-cluster", "no", kBool},
    {"tls-replication", "no", kBool},
    {"tls-client-cert-file", ""},
    {"tls-client-key-file", ""},
    {"tls-client-key-file-pass", "", kText, kSecret},

    // Cluster.
    {"cluster-enabled", "no", kBool, kImmutable},
    {"cluster-config-file", "nodes.conf", kText, kImmutable},
    {"cluster-config-save-behavior", "sync", one_of("sync, best-effort")},
    {"cluster-node-timeout", "15000", kCount},
    {"cluster-ping-interval", "0", kCount, kHidden},
    {"cluster-message-gossip-perc", "10", between(1, 100), kHidden},
    {"cluster-port", "0", kPort, kImmutable},
    {"cluster-databases", "1", between(1, INT32_MAX), kImmutable},
    {"cluster-announce-ip", ""},
    {"cluster-announce-client-ipv4", ""},
    {"cluster-announce-client-ipv6", ""},
    {"cluster-announce-client-port", "0", kPort},
    {"cluster-announce-client-tls-port", "0", kPort},
    {"cluster-announce-hostname", ""},
    {"cluster-announce-human-nodename", ""},
    {"cluster-announce-port", "0", kPort},
    {"cluster-announce-bus-port", "0", kPort},
    {"cluster-announce-tls-port", "0", kPort},
    {"cluster-preferred-endpoint-type", "ip", one_of("ip, hostname, unknown-endpoint")},
    {"cluster-migration-barrier", "1", kInt},
    {"cluster-allow-replica-migration", "yes", kBool},
    {"cluster-require-full-coverage", "yes", kBool},
    {"cluster-allow-reads-when-down", "no", kBool},
    {"cluster-allow-pubsubshard-when-down", "yes", kBool},
    {"cluster-link-sendbuf-limit", "0", kUnsigned},
    {"cluster-replica-no-failover", "no", kBool, 0, "cluster-slave-no-failover"},
    {"cluster-replica-validity-factor", "10", kInt, 0, "cluster-slave-validity-factor"},
    {"cluster-manual-failover-timeout", "5000", between(1, INT32_MAX)},
    {"cluster-blacklist-ttl", "60", kUnsigned},
    {"cluster-slot-stats-enabled", "no", kBool},
    {"cluster-slot-migration-log-max-len", "1000", kCount},
    {"slot-migration-max-failover-repl-bytes", "0", between(-1, INT64_MAX)},
    {"cluster-compatibility-sample-ratio", "0", between(0, 100)},
};

}  // namespace

void add_accepted_settings(Settings& settings) { settings.add_accepted(kAccepted); }

}  // namespace roxdb::engine
