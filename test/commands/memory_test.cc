#include "base/memory.h"
#include "test/commands/server/server_fixture.h"

namespace roxdb::commands {

BOOST_FIXTURE_TEST_SUITE(commands_memory, test::ServerFixture)

// MEMORY USAGE, used_memory and maxmemory read one account: what a key costs there is what it
// costs here, apart from the table, which grows in steps.
BOOST_AUTO_TEST_CASE(usage_is_what_the_account_says) {
  for (const size_t size : {1, 10, 44, 45, 100, 1000, 5000, 100000, 1000000}) {
    BOOST_TEST_CONTEXT(size) {
      run("SET spare x");  // the cell is there already
      const std::string cell_only = run("MEMORY USAGE spare");
      const size_t table = engine.keyspace(0).table_bytes();
      const size_t before = memory::used_bytes();
      run_args({"SET", "spare", std::string(size, 'y')});
      BOOST_TEST_REQUIRE(engine.keyspace(0).table_bytes() == table);
      const auto grown = static_cast<int64_t>(memory::used_bytes() - before);
      const int64_t usage = std::stoll(run("MEMORY USAGE spare").substr(1));
      BOOST_TEST(usage - std::stoll(cell_only.substr(1)) == grown);
    }
  }
}

BOOST_AUTO_TEST_CASE(usage_refuses_what_it_does_not_know) {
  run("SET k v");
  check({{"MEMORY USAGE k SAMPLES", "-ERR syntax error"},
         {"MEMORY USAGE k SAMPLES x", "-ERR value is not an integer or out of range"},
         {"MEMORY USAGE k SIZE 1", "-ERR syntax error"}});
}

// Looking at a key must not make it look used.
BOOST_AUTO_TEST_CASE(usage_leaves_no_trace) {
  run("SET k v");
  advance_ms(5000);
  run("MEMORY USAGE k");
  BOOST_TEST(engine.statistics.keyspace_hits == 0u);
  BOOST_TEST(run("OBJECT IDLETIME k") == ":5");
}

BOOST_AUTO_TEST_CASE(stats_name_what_tools_read) {
  run("SET k v");
  const std::string text = run("MEMORY STATS");
  for (const std::string_view name :
       {"peak.allocated", "total.allocated", "startup.allocated", "db.0", "overhead.total",
        "keys.count :1 ", "keys.bytes-per-key", "dataset.bytes", "dataset.percentage ,",
        "peak.percentage ,", "allocator.allocated", "fragmentation ,", "fragmentation.bytes"}) {
    BOOST_TEST(text.find("$" + std::string(name)) != text.npos, name);
  }
  BOOST_TEST(text.find("$db.1") == text.npos);
}

BOOST_AUTO_TEST_CASE(the_doctor_says_nothing_about_little_data) {
  BOOST_TEST(run("MEMORY DOCTOR") == "=txt:There is too little data for a diagnosis.\\x0a");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::commands
