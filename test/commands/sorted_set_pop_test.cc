#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_sorted_set_pop, roxdb::commands::test::CommandFixture)

BOOST_AUTO_TEST_CASE(pops_take_from_their_end_as_many_as_there_are) {
  check({{"ZADD k 1 a 2 b 3 c 4 d", ":4"},
         {"ZPOPMIN k", "*[$a ,1]"},
         {"ZPOPMAX k 2", "*[$d ,4 $c ,3]"},
         {"ZPOPMIN k 0", "*[]"},
         {"ZPOPMIN k 100", "*[$b ,2]"},
         {"ZPOPMIN k 100", "*[]"},
         {"ZPOPMIN k -1", "-ERR value is out of range, must be positive"},
         {"ZPOPMIN k 1 2", "-ERR syntax error"},
         {"ZPOPMAX k x", "-ERR value is out of range, must be positive"}});
}

BOOST_AUTO_TEST_CASE(zmpop_takes_from_the_first_key_that_is_there) {
  check({{"ZADD b 1 x 2 y", ":2"},
         {"ZADD c 3 z", ":1"},
         {"ZMPOP 3 a b c MAX", "*[$b *[*[$y ,2]]]"},
         {"ZMPOP 3 a c b MIN COUNT 5", "*[$c *[*[$z ,3]]]"},
         {"ZMPOP 2 a c MIN", "*nil"},
         {"ZMPOP 2 a MIN", "-ERR syntax error"},
         {"ZMPOP 1 a", "-ERR wrong number of arguments for 'zmpop' command"},
         {"ZMPOP 1 a MID", "-ERR syntax error"},
         {"ZMPOP 1 a MIN COUNT", "-ERR syntax error"},
         {"ZMPOP 1 a MIN COUNT 1 COUNT 1", "-ERR syntax error"},
         {"ZMPOP 0 a MIN", "-ERR numkeys should be greater than 0"},
         {"ZMPOP x a MIN", "-ERR numkeys should be greater than 0"},
         {"ZMPOP 9223372036854775807 a MIN", "-ERR syntax error"},
         {"ZMPOP 1 a MIN COUNT 0 COUNT", "-ERR count should be greater than 0"}});
}

BOOST_AUTO_TEST_CASE(pops_are_logged_as_what_they_took) {
  run("ZADD k 1 a 2 b 3 c 4 d");
  check_log({{"ZPOPMIN k", "ZPOPMIN k 1"},
             {"ZPOPMAX k 1", "ZPOPMAX k 1"},
             {"ZMPOP 2 none k MIN COUNT 7", "ZPOPMIN k 2"},
             {"ZPOPMIN k", ""}});
}

// Waiting itself: test/server/waiting_test.cc.
BOOST_AUTO_TEST_CASE(who_must_not_wait_is_answered_at_once) {
  put_other_type("other");
  check(
      {{"BZPOPMIN a b 0", "*nil"},
       {"BZMPOP 0 2 a b MIN", "*nil"},
       {"BZPOPMAX a other 0", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
       {"BZPOPMAX a x", "-ERR timeout is not a float or out of range"},
       {"BZMPOP -1 1 a MIN", "-ERR timeout is negative"},
       {"BZMPOP 0 2 a MIN", "-ERR syntax error"}});
  run("ZADD k 1 a 2 b 3 c 4 d");
  check_log({{"BZPOPMIN none k 0", "ZPOPMIN k 1"},
             {"BZPOPMAX k 0", "ZPOPMAX k 1"},
             {"BZMPOP 0 1 k MAX COUNT 7", "ZPOPMAX k 2"}});
}

BOOST_AUTO_TEST_SUITE_END()
