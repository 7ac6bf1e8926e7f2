#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

namespace {

using roxdb::commands::test::CommandFixture;

BOOST_FIXTURE_TEST_SUITE(commands_set, CommandFixture)

BOOST_AUTO_TEST_CASE(the_last_member_takes_the_key_with_it) {
  run("SADD s a b");
  events();
  run("SREM s a b");
  BOOST_TEST(events() == "srem:s del:s");
  check({{"EXISTS s", ":0"}, {"SREM s a", ":0"}});
}

BOOST_AUTO_TEST_CASE(nothing_is_logged_when_nothing_changes) {
  run("SADD s a");
  check_log({{"SADD s a", ""}, {"SREM s x", ""}, {"SMOVE s t x", ""}, {"SMOVE s s a", ""}});
}

BOOST_AUTO_TEST_CASE(what_chance_took_is_logged_by_name) {
  run("SADD s a");
  check_log({{"SPOP s", "SREM s a"}});
  run("SADD s a b c");
  check_log({{"SPOP s 3", "DEL s"}, {"SPOP s 3", ""}});
  run("SADD s 1 2 3");
  log();
  const std::string popped = run("SPOP s 1");
  BOOST_TEST(log() == "SREM s " + popped.substr(3, 1));
}

BOOST_AUTO_TEST_CASE(a_member_moves_or_nothing_happens) {
  run("SADD a x y");
  run("SET text v");
  check({{"SMOVE a text x", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
         {"SISMEMBER a x", ":1"},
         {"SMOVE none text x", ":0"},
         {"SMOVE a a x", ":1"},
         {"SMOVE a b x", ":1"},
         {"SMOVE a b y", ":1"},
         {"EXISTS a", ":0"},
         {"SCARD b", ":2"}});
}

// The destination has expired, so that looking at it changes the table.
BOOST_AUTO_TEST_CASE(a_member_moves_to_where_something_expired) {
  run("SADD a x y");
  run("SADD b z");
  run("PEXPIRE b 10");
  advance_ms(11);
  check({{"SMOVE a b x", ":1"}, {"SMEMBERS b", "~[$x]"}, {"SMEMBERS a", "~[$y]"}});
}

BOOST_AUTO_TEST_CASE(algebra_takes_absent_keys_for_empty_sets) {
  run("SADD a 1 2");
  check({{"SINTER a none", "~[]"},
         {"SINTER none a", "~[]"},
         {"SUNION none none", "~[]"},
         {"SDIFF none a", "~[]"},
         {"SDIFF a none", "~[$1 $2]"},
         {"SDIFF a a", "~[]"},
         {"SINTERCARD 2 a none", ":0"}});
}

BOOST_AUTO_TEST_CASE(a_stored_result_replaces_whatever_was_there) {
  run("SADD a 1 2");
  run("SET d text");
  run("EXPIRE d 100");
  check({{"SUNIONSTORE d a", ":2"}, {"TYPE d", "+set"}, {"TTL d", ":-1"}});
  events();
  check({{"SINTERSTORE d a none", ":0"}, {"EXISTS d", ":0"}});
  BOOST_TEST(events() == "del:d");
  check_log({{"SINTERSTORE d a none", ""}});
}

BOOST_AUTO_TEST_CASE(counts_stop_at_their_limit) {
  run("SADD a 1 2 3");
  run("SADD b 2 3 4");
  check({{"SINTERCARD 2 a b LIMIT 0", ":2"},
         {"SINTERCARD 2 a b LIMIT 1", ":1"},
         {"SUNIONCARD 2 a b LIMIT 3", ":3"},
         {"SDIFFCARD 2 a b LIMIT 5", ":1"},
         {"SINTERCARD 0 a", "-ERR numkeys should be greater than 0"},
         {"SINTERCARD 3 a b", "-ERR Number of keys can't be greater than number of args"},
         {"SINTERCARD 1 a LIMIT -1", "-ERR LIMIT can't be negative"},
         {"SINTERCARD 1 a LIMIT", "-ERR syntax error"}});
}

BOOST_AUTO_TEST_CASE(random_members_differ_unless_they_may_repeat) {
  for (int i = 0; i < 20; ++i) run("SADD s m" + std::to_string(i));
  for (const std::string count : {"3", "15", "20", "100"}) {
    const std::string members = run("SRANDMEMBER s " + count);
    run("DEL drawn");
    std::string add = "SADD drawn";
    size_t drawn = 0;
    for (size_t at = members.find('$'); at != std::string::npos; at = members.find('$', at + 1)) {
      add += " " + members.substr(at + 1, members.find_first_of(" ]", at) - at - 1);
      drawn++;
    }
    BOOST_TEST(drawn == std::min<size_t>(20, std::stoul(count)));
    BOOST_TEST(run(add) == ":" + std::to_string(drawn));
    BOOST_TEST(run("SDIFF drawn s") == "~[]");
  }
  check({{"SRANDMEMBER s -9223372036854775808",
          "-ERR value is out of range, value must between -9223372036854775807 and "
          "9223372036854775807"},
         {"SRANDMEMBER s -9223372036854775807", "-ERR reply too large"},
         {"SRANDMEMBER s x", "-ERR value is not an integer or out of range"}});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
