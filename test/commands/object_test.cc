#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_object, roxdb::commands::test::CommandFixture)

BOOST_AUTO_TEST_CASE(encodings_have_redis_s_names) {
  const std::string border(44, 'x');
  check({{"SET k 12", "+OK"},
         {"OBJECT ENCODING k", "$int"},
         {"SET k " + border, "+OK"},
         {"OBJECT ENCODING k", "$embstr"},
         {"SET k " + border + "x", "+OK"},
         {"OBJECT ENCODING k", "$raw"},
         {"SET k " + std::string(5000, 'x'), "+OK"},
         {"object encoding k", "$raw"},
         {"OBJECT REFCOUNT k", ":1"},
         {"OBJECT ENCODING missing", "$nil"},
         {"OBJECT REFCOUNT missing", "$nil"},
         {"OBJECT FREQ missing", "$nil"},
         {"OBJECT IDLETIME missing", "$nil"}});
}

BOOST_AUTO_TEST_CASE(the_access_clock_is_read_in_the_unit_the_policy_keeps) {
  run("SET k v");
  BOOST_TEST(run("OBJECT FREQ k").starts_with("-ERR An LFU maxmemory policy is not selected"));
  advance_ms(5000);
  BOOST_TEST(run("OBJECT IDLETIME k") == ":5");
  engine.uses_lfu = true;
  engine.refresh_clock();
  run("SET k v");
  BOOST_TEST(run("OBJECT IDLETIME k").starts_with("-ERR An LFU maxmemory policy is selected"));
  BOOST_TEST(run("OBJECT FREQ k") == ":5");
}

BOOST_AUTO_TEST_CASE(what_is_no_subcommand_is_refused) {
  check({{"OBJECT", "-ERR wrong number of arguments for 'object' command"},
         {"OBJECT FOO", "-ERR unknown subcommand 'FOO'. Try OBJECT HELP."},
         {"OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command"},
         {"OBJECT HELP x", "-ERR wrong number of arguments for 'object|help' command"}});
  BOOST_TEST(run("OBJECT HELP").starts_with("*[+OBJECT <subcommand>"));
}

BOOST_AUTO_TEST_SUITE_END()
