// Pops that find something, or must not wait. Waiting itself: test/server/waiting_test.cc.
#include <boost/test/unit_test.hpp>

#include "test/commands/command_fixture.h"

namespace roxdb::commands::test {

BOOST_FIXTURE_TEST_SUITE(commands_list_pop, CommandFixture)

BOOST_AUTO_TEST_CASE(the_last_pop_removes_the_key) {
  check({{"RPUSH k a b", ":2"}, {"LPOP k", "$a"}, {"RPOP k", "$b"}, {"EXISTS k", ":0"}});
  BOOST_TEST(events() == "new:k rpush:k lpop:k rpop:k del:k");
  BOOST_TEST(log() == "RPUSH k a b; LPOP k; RPOP k");
}

BOOST_AUTO_TEST_CASE(a_count_makes_an_array) {
  check({{"RPUSH k a b c d e", ":5"},
         {"LPOP k 2", "*[$a $b]"},
         {"RPOP k 2", "*[$e $d]"},
         {"LPOP k 0", "*[]"},
         {"LPOP missing 0", "*nil"},
         {"LPOP k 9", "*[$c]"},
         {"LPOP k x", "-ERR value is out of range, must be positive"},
         {"RPOP k -1", "-ERR value is out of range, must be positive"},
         {"LPOP k 1 2", "-ERR wrong number of arguments for 'lpop' command"}});
  BOOST_TEST(log() == "RPUSH k a b c d e; LPOP k 2; RPOP k 2; LPOP k 9");
}

BOOST_AUTO_TEST_CASE(several_keys_are_looked_at_in_order) {
  check({{"RPUSH b 1 2", ":2"},
         {"RPUSH c 3", ":1"},
         {"LMPOP 3 a c b LEFT", "*[$c *[$3]]"},
         {"LMPOP 3 a b c RIGHT COUNT 5", "*[$b *[$2 $1]]"},
         {"LMPOP 1 b LEFT", "*nil"}});
  BOOST_TEST(log() == "RPUSH b 1 2; RPUSH c 3; LPOP c 1; RPOP b 2");
}

BOOST_AUTO_TEST_CASE(arguments_are_checked_before_keys) {
  run("SET s v");
  check({{"LMPOP 0 k LEFT", "-ERR numkeys should be greater than 0"},
         {"LMPOP x k LEFT", "-ERR numkeys should be greater than 0"},
         {"LMPOP 9 s LEFT", "-ERR syntax error"},
         {"LMPOP 9223372036854775807 s LEFT", "-ERR syntax error"},
         {"LMPOP 1 s DOWN", "-ERR syntax error"},
         {"LMPOP 1 s LEFT COUNT", "-ERR syntax error"},
         {"LMPOP 1 s LEFT COUNT 0", "-ERR count should be greater than 0"},
         {"LMPOP 1 s LEFT COUNT 1 COUNT 2", "-ERR syntax error"},
         {"LMPOP 1 s LEFT", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
         {"BLPOP s x", "-ERR timeout is not a float or out of range"},
         {"BLPOP s -0.5", "-ERR timeout is negative"},
         {"BLPOP s 1e30", "-ERR timeout is out of range"},
         {"BLPOP s 0", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
         {"BLMPOP -1 1 s LEFT", "-ERR timeout is negative"},
         {"BLMPOP -1 0 s LEFT", "-ERR numkeys should be greater than 0"}});
}

// A library, as a transaction, gets at once what a client gets when its time is up.
BOOST_AUTO_TEST_CASE(who_must_not_wait_is_answered_at_once) {
  check({{"BLPOP a b 0", "*nil"},
         {"BRPOP a 10", "*nil"},
         {"BLMPOP 0 1 a LEFT", "*nil"},
         {"BLMOVE a b LEFT LEFT 0", "$nil"},
         {"BRPOPLPUSH a b 0", "$nil"},
         {"BLMOVEM a b LEFT LEFT 0", "*nil"}});
  BOOST_TEST(engine.waiting.sessions() == 0u);
}

// What is logged must not wait when it is replayed.
BOOST_AUTO_TEST_CASE(blocking_pops_are_logged_as_what_they_did) {
  run("RPUSH k 1 2 3 4 5 6 7 8");
  log();
  check_log({{"BLPOP k 0", "LPOP k"},
             {"BRPOP x k 0", "RPOP k"},
             {"BLMPOP 0 2 x k LEFT COUNT 2", "LPOP k 2"},
             {"BLMOVE k l LEFT RIGHT 0", "LMOVE k l LEFT RIGHT"},
             {"BRPOPLPUSH k l 0", "RPOPLPUSH k l"},
             {"BLMOVEM k l LEFT RIGHT 0 EXACTLY 2 BULK", "LMOVEM k l LEFT RIGHT EXACTLY 2 BULK"},
             {"BLPOP k 0", ""}});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::commands::test
