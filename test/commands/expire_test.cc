#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_expire, roxdb::commands::test::CommandFixture)

BOOST_AUTO_TEST_CASE(an_expiry_is_set_read_and_removed_in_every_unit) {
  check({{"SET k v", "+OK"},
         {"TTL k", ":-1"},
         {"PTTL missing", ":-2"},
         {"EXPIRE k 100", ":1"},
         {"PTTL k", ":100000"},
         {"EXPIRETIME k", ":1700000100"},
         {"PEXPIRE k 1499", ":1"},
         {"TTL k", ":1"},
         {"PEXPIRE k 1500", ":1"},
         {"TTL k", ":2"},
         {"EXPIREAT k 1700000050", ":1"},
         {"TTL k", ":50"},
         {"PEXPIREAT k 1700000050500", ":1"},
         {"PEXPIRETIME k", ":1700000050500"},
         {"EXPIRETIME k", ":1700000051"},
         {"PERSIST k", ":1"},
         {"PERSIST k", ":0"},
         {"PERSIST missing", ":0"},
         {"EXPIRETIME k", ":-1"},
         {"PEXPIRETIME missing", ":-2"},
         {"EXPIRE missing 10", ":0"}});
}

BOOST_AUTO_TEST_CASE(conditions_compare_with_the_expiry_there_is_and_none_is_for_ever) {
  check({{"SET k v", "+OK"},
         {"EXPIRE k 100 XX", ":0"},
         {"EXPIRE k 100 GT", ":0"},
         {"EXPIRE k 100 LT", ":1"},
         {"EXPIRE k 200 NX", ":0"},
         {"EXPIRE k 100 GT", ":0"},
         {"EXPIRE k 101 GT", ":1"},
         {"EXPIRE k 101 LT", ":0"},
         {"EXPIRE k 99 LT XX", ":1"},
         {"EXPIRE k 98 xx gt", ":0"},
         {"TTL k", ":99"},
         {"PERSIST k", ":1"},
         {"EXPIRE k 50 NX", ":1"},
         {"TTL k", ":50"}});
}

BOOST_AUTO_TEST_CASE(options_come_first_then_the_number_then_the_key) {
  const std::string bad = "-ERR invalid expire time in ";
  check({{"EXPIRE missing abc FOO", "-ERR Unsupported option FOO"},
         {"EXPIRE missing abc NX XX",
          "-ERR NX and XX, GT or LT options at the same time are not compatible"},
         {"EXPIRE missing 1 GT LT", "-ERR GT and LT options at the same time are not compatible"},
         {"EXPIRE missing abc", "-ERR value is not an integer or out of range"},
         {"EXPIRE missing 9223372036854775807", bad + "'expire' command"},
         {"EXPIRE missing 9223372036854776", bad + "'expire' command"},
         {"EXPIRE missing -9223372036854776", bad + "'expire' command"},
         {"PEXPIRE missing 9223372036854775807", bad + "'pexpire' command"},
         {"EXPIREAT missing 9223372036854776", bad + "'expireat' command"},
         {"PEXPIREAT missing 9223372036854775807", ":0"}});
}

BOOST_AUTO_TEST_CASE(the_largest_expiry_is_kept_and_shown) {
  check({{"SET k v", "+OK"},
         {"PEXPIREAT k 9223372036854775807", ":1"},
         {"PEXPIRETIME k", ":9223372036854775807"},
         {"EXPIRETIME k", ":9223372036854776"},
         {"GET k", "$v"}});
}

BOOST_AUTO_TEST_CASE(an_expiry_in_the_past_deletes) {
  for (const std::string_view request :
       {"EXPIRE k 0", "EXPIRE k -1", "PEXPIRE k 0", "EXPIREAT k 1700000000", "PEXPIREAT k -5"}) {
    BOOST_TEST_CONTEXT(request) {
      run("SET k v");
      log();
      events();
      BOOST_TEST(run(request) == ":1");
      BOOST_TEST(log() == "DEL k");
      BOOST_TEST(events() == "del:k");
      BOOST_TEST(run("EXISTS k") == ":0");
    }
  }
  check({{"SET k v", "+OK"}, {"PEXPIREAT k 1700000000001", ":1"}, {"EXISTS k", ":1"}});
}

BOOST_AUTO_TEST_CASE(an_expiry_is_logged_as_a_point_in_time) {
  run("SET k v");
  check_log({{"EXPIRE k 10", "PEXPIREAT k 1700000010000"},
             {"EXPIRE k 10 NX", ""},
             {"PEXPIRE k 10", "PEXPIREAT k 1700000000010"},
             {"EXPIREAT k 1700000001", "PEXPIREAT k 1700000001000"},
             {"PERSIST k", "PERSIST k"},
             {"PERSIST k", ""},
             {"TTL k", ""}});
}

// Entries whose size changes class with the expiry, in both directions.
BOOST_AUTO_TEST_CASE(values_survive_their_entry_moving) {
  for (const size_t size : {0u, 1u, 8u, 44u, 1000u, 1012u, 5000u}) {
    const std::string value(size, 'x');
    run_args({"SET", "k", value});
    check({{"EXPIRE k 10", ":1"},
           {"GET k", "$" + value},
           {"PERSIST k", ":1"},
           {"GET k", "$" + value}});
  }
  engine.keyspace(0).check();
}

BOOST_AUTO_TEST_SUITE_END()
