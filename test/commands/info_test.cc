#include "base/limits.h"
#include "base/memory.h"
#include "commands/server/server_info.h"
#include "test/commands/server/server_fixture.h"

namespace roxdb::commands {
namespace {

using test::ServerFixture;

struct Fixture : ServerFixture {
  // The titles that INFO shows, in order.
  std::string titles(const std::string& request) {
    const std::string text = info(request);
    std::string out;
    for (size_t at = 0; (at = text.find("# ", at)) != text.npos; at += 2) {
      if (at > 0 && text[at - 1] != '\n') continue;
      out += (out.empty() ? "" : " ") + text.substr(at + 2, text.find('\r', at) - at - 2);
    }
    return out;
  }
  std::string field(const std::string& section, const std::string& name) {
    const std::string text = info("INFO " + section);
    const size_t at = text.find("\r\n" + name + ":");
    if (at == text.npos) return "absent";
    const size_t begin = at + 2 + name.size() + 1;
    return text.substr(begin, text.find('\r', begin) - begin);
  }
  // The text itself, line ends and all.
  std::string info(const std::string& request) {
    struct Verbatim final : resp::Reply {
      std::string text;
      void simple(std::string_view) override {}
      void error(std::string_view) override {}
      void integer(int64_t) override {}
      void real(double) override {}
      void boolean(bool) override {}
      void null() override {}
      void null_array() override {}
      void bulk(std::string_view) override {}
      void verbatim(std::string_view format, std::string_view bytes) override {
        BOOST_TEST(format == "txt");
        text = bytes;
      }
      void big_number(std::string_view) override {}
      void array(size_t) override {}
      void map(size_t) override {}
      void set(size_t) override {}
      void push(size_t) override {}
      void attribute(size_t) override {}
      Open open(Aggregate kind) override { return {0, kind}; }
      void close(Open, size_t) override {}
    } verbatim;
    resp::ArgVector words;
    BOOST_REQUIRE(resp::split_inline(request, words));
    engine.execute(session, words.all(), verbatim);
    return verbatim.text;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_info, Fixture)

BOOST_AUTO_TEST_CASE(sections_are_chosen_by_name_and_come_in_their_order) {
  const std::string by_default =
      "Server Clients Memory Persistence Stats Replication CPU Errorstats Cluster Keyspace "
      "Keysizes";
  BOOST_TEST(titles("INFO") == by_default);
  BOOST_TEST(titles("INFO default") == by_default);
  BOOST_TEST(titles("INFO all") ==
             "Server Clients Memory Persistence Stats Replication CPU Commandstats Errorstats "
             "Latencystats Cluster Keyspace Keysizes TLS");
  BOOST_TEST(titles("INFO everything") ==
             "Server Clients Memory Persistence Stats Replication CPU Modules Commandstats "
             "Errorstats Latencystats Cluster Keyspace Keysizes TLS");
  BOOST_TEST(titles("INFO keyspace SERVER keyspace nosuch") == "Server Keyspace");
  BOOST_TEST(info("INFO nosuch") == "");
  BOOST_TEST(info("INFO cluster") == "# Cluster\r\ncluster_enabled:0\r\n");
  BOOST_TEST(info("INFO modules cluster") == "# Modules\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n");
}

BOOST_AUTO_TEST_CASE(every_line_is_a_name_and_a_value) {
  run("SET k v");
  const std::string text = info("INFO everything");
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find("\r\n", at);
    BOOST_TEST_REQUIRE(end != text.npos);
    const std::string line = text.substr(at, end - at);
    BOOST_TEST((line.empty() || line[0] == '#' || line.find(':') != line.npos), line);
    at = end + 2;
  }
}

BOOST_AUTO_TEST_CASE(rooms_add_lines_to_a_section) {
  engine.info.add("clients", [](engine::InfoWriter& out) { out.field("connected_clients", 3); });
  engine.info.add("clients", [](engine::InfoWriter& out) { out.line("both", "{}={}", "a", 1); });
  BOOST_TEST(info("INFO clients") == "# Clients\r\nconnected_clients:3\r\nboth:a=1\r\n");
}

BOOST_AUTO_TEST_CASE(keyspace_counts_keys_of_databases_in_use) {
  BOOST_TEST(info("INFO keyspace") == "# Keyspace\r\n");
  check({{"SET a 1", "+OK"}, {"SET b 1 PX 10000", "+OK"}, {"SELECT 3", "+OK"}, {"SET a 1", "+OK"}});
  BOOST_TEST(field("keyspace", "db0").starts_with("keys=2,expires=1,avg_ttl="));
  BOOST_TEST(field("keyspace", "db3") == "keys=1,expires=0,avg_ttl=0,subexpiry=0");
  run("HSETEX h EX 10 FIELDS 1 f 1");
  BOOST_TEST(field("keyspace", "db3") == "keys=2,expires=0,avg_ttl=0,subexpiry=1");
  run("FLUSHDB");
  BOOST_TEST(field("keyspace", "db3") == "absent");
}

BOOST_AUTO_TEST_CASE(counters_count) {
  run("SET k v");
  run("GET k");
  run("GET absent");
  run("INCR k");
  run("GET");
  BOOST_TEST(field("stats", "keyspace_hits") == "1");
  BOOST_TEST(field("stats", "keyspace_misses") == "1");
  BOOST_TEST(field("stats", "total_error_replies") == "2");
  BOOST_TEST(field("errorstats", "errorstat_ERR") == "count=2");
  run("HSETEX h PX 10 FIELDS 2 f 1 g 2");
  run("SET s v PX 10");
  advance_ms(11);
  run("EXISTS h s");
  BOOST_TEST(field("stats", "expired_subkeys") == "2");
  BOOST_TEST(field("stats", "expired_fields") == "2");
  BOOST_TEST(field("stats", "expired_keys") == "1");
  const std::string get = field("commandstats", "cmdstat_get");
  BOOST_TEST(get.starts_with("calls=2,usec="), get);
  BOOST_TEST(get.ends_with(",rejected_calls=1,failed_calls=0"), get);
  BOOST_TEST(field("commandstats", "cmdstat_incr").ends_with(",rejected_calls=0,failed_calls=1"));
  BOOST_TEST(field("commandstats", "cmdstat_append") == "absent");
}

BOOST_AUTO_TEST_CASE(memory_grows_with_data_and_the_peak_stays) {
  const size_t before = std::stoull(field("memory", "used_memory"));
  BOOST_TEST(run_args({"SET", "big", std::string(1 << 20, 'x')}) == "+OK");
  const size_t full = std::stoull(field("memory", "used_memory"));
  BOOST_TEST(full >= before + (1u << 20));
  run("DEL big");
  BOOST_TEST(std::stoull(field("memory", "used_memory")) < full);
  BOOST_TEST(std::stoull(field("memory", "used_memory_peak")) >= full);
  check({{"CONFIG SET maxmemory 3gb", "+OK"}, {"CONFIG SET maxmemory-policy allkeys-lru", "+OK"}});
  BOOST_TEST(field("memory", "maxmemory") == "3221225472");
  BOOST_TEST(field("memory", "maxmemory_human") == "3.00G");
  BOOST_TEST(field("memory", "maxmemory_policy") == "allkeys-lru");
}

BOOST_AUTO_TEST_CASE(the_rate_of_commands_is_a_mean_over_time) {
  BOOST_TEST(field("stats", "instantaneous_ops_per_sec") == "0");
  for (int sample = 0; sample < 16; ++sample) {
    environment.advance_ms(100);
    for (int i = 0; i < 10; ++i) run("PING");
    state.tick();
  }
  // Ten commands in a tenth of a second each.
  BOOST_TEST(field("stats", "instantaneous_ops_per_sec") == "100");
}

BOOST_AUTO_TEST_CASE(the_server_says_who_it_is) {
  BOOST_TEST(field("server", "redis_mode") == "standalone");
  BOOST_TEST(field("server", "arch_bits") == "64");
  BOOST_TEST(field("server", "run_id").size() == 40u);
  BOOST_TEST(field("server", "uptime_in_seconds") == "0");
  advance_ms(90'000);
  BOOST_TEST(field("server", "uptime_in_seconds") == "90");
  BOOST_TEST(field("replication", "role") == "master");
}

BOOST_AUTO_TEST_CASE(bytes_are_rounded_for_people) {
  BOOST_TEST(human_bytes(0) == "0B");
  BOOST_TEST(human_bytes(1023) == "1023B");
  BOOST_TEST(human_bytes(1536) == "1.50K");
  BOOST_TEST(human_bytes(uint64_t{3} << 30) == "3.00G");
  BOOST_TEST(human_bytes(UINT64_MAX) == "16.00E");
}

// What each command does to sizes is checked by Keyspace::check() after every test of commands.
BOOST_AUTO_TEST_CASE(key_sizes_are_told_by_type_and_power_of_two) {
  BOOST_TEST(info("INFO keysizes") == "# Keysizes\r\n");
  run("MSET empty '' one 9 three abc");
  run_args({"SET", "big", std::string(3000, 'x')});
  run("INCR one");
  run("RPUSH list a b c d");
  run("SADD set a b");
  run("ZADD zset 1 a");
  run("HSET hash a 1 b 2 c 3");
  run("XADD stream * a b");
  BOOST_TEST(info("INFO keysizes") ==
             "# Keysizes\r\n"
             "db0_distrib_strings_sizes:0=1,2=2,2K=1\r\n"
             "db0_distrib_lists_items:4=1\r\n"
             "db0_distrib_sets_items:2=1\r\n"
             "db0_distrib_zsets_items:1=1\r\n"
             "db0_distrib_hashes_items:2=1\r\n");
  run("LTRIM list 0 0");
  run("RENAME list other");
  run("DEL set zset");
  run("MOVE hash 2");
  BOOST_TEST(info("INFO keysizes") ==
             "# Keysizes\r\n"
             "db0_distrib_strings_sizes:0=1,2=2,2K=1\r\n"
             "db0_distrib_lists_items:1=1\r\n"
             "db2_distrib_hashes_items:2=1\r\n");
  run("FLUSHALL");
  BOOST_TEST(info("INFO keysizes") == "# Keysizes\r\n");
}

// Scripts name errors as they like: a client must not make INFO, or memory, grow without end.
BOOST_AUTO_TEST_CASE(only_so_many_codes_of_errors_are_told_apart) {
  for (size_t i = 0; i < kErrorCodesMax + 5; ++i) engine.count_error("CODE" + std::to_string(i));
  engine.count_error("CODE0 again");
  BOOST_TEST(field("errorstats", "errorstat_CODE0") == "count=2");
  BOOST_TEST(field("errorstats", "errorstat_CODE127") == "count=1");
  BOOST_TEST(field("errorstats", "errorstat_CODE128") == "absent");
  BOOST_TEST(field("errorstats", "errorstat_ERRORSTATS_OVERFLOW") == "count=5");
  BOOST_TEST(field("stats", "total_error_replies") == std::to_string(kErrorCodesMax + 6));
  run("CONFIG RESETSTAT");
  BOOST_TEST(field("errorstats", "errorstat_ERRORSTATS_OVERFLOW") == "absent");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::commands
