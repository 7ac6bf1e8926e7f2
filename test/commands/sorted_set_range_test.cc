#include <boost/test/unit_test.hpp>
#include <initializer_list>
#include <string>
#include <utility>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_sorted_set_range, roxdb::commands::test::CommandFixture)

BOOST_AUTO_TEST_CASE(ranks_count_from_either_end_and_stop_at_the_ends) {
  // Small sets are packed, with the limit at 0 all are large.
  for (const int64_t entries : {128, 0}) {
    engine.limits.zset_packed_entries = entries;
    run("DEL k");
    check({{"ZADD k 1 a 2 b 3 c 4 d", ":4"},
           {"ZRANGE k 0 -1", "*[$a $b $c $d]"},
           {"ZRANGE k 1 2", "*[$b $c]"},
           {"ZRANGE k -2 -1", "*[$c $d]"},
           {"ZRANGE k -100 100", "*[$a $b $c $d]"},
           {"ZRANGE k 0 -100", "*[]"},
           {"ZRANGE k 3 2", "*[]"},
           {"ZRANGE k 4 5", "*[]"},
           {"ZRANGE k 9223372036854775807 -1", "*[]"},
           {"ZRANGE k -9223372036854775808 0", "*[$a]"},
           {"ZRANGE k 0 -9223372036854775808", "*[]"},
           {"ZREVRANGE k 0 1", "*[$d $c]"},
           {"ZREVRANGE k -1 -1 WITHSCORES", "*[$a ,1]"},
           {"ZRANGE k -3 -2 REV", "*[$c $b]"},
           {"ZREMRANGEBYRANK k -100 0", ":1"},
           {"ZREMRANGEBYRANK k 1 -100", ":0"},
           {"ZREMRANGEBYRANK k -1 100", ":1"},
           {"ZRANGE k 0 -1", "*[$b $c]"}});
  }
}

BOOST_AUTO_TEST_CASE(scores_are_bounded_inclusively_unless_a_bracket_says_otherwise) {
  for (const int64_t entries : {128, 0}) {
    run("DEL k");
    engine.limits.zset_packed_entries = entries;
    check({{"ZADD k -inf low 1 a 2 b 2 c 3 d inf top", ":6"},
           {"ZRANGEBYSCORE k 1 2", "*[$a $b $c]"},
           {"ZRANGEBYSCORE k (1 2", "*[$b $c]"},
           {"ZRANGEBYSCORE k (1 (3", "*[$b $c]"},
           {"ZRANGEBYSCORE k -inf +inf", "*[$low $a $b $c $d $top]"},
           {"ZRANGEBYSCORE k (-inf (inf", "*[$a $b $c $d]"},
           {"ZRANGEBYSCORE k 2 1", "*[]"},
           {"ZRANGEBYSCORE k (2 (2", "*[]"},
           {"ZRANGEBYSCORE k 2 (2", "*[]"},
           {"ZREVRANGEBYSCORE k 2 1", "*[$c $b $a]"},
           {"ZRANGE k 2 (1 BYSCORE REV", "*[$c $b]"},
           {"ZCOUNT k 1 (3", ":3"},
           {"ZCOUNT k 3 1", ":0"},
           {"ZRANGEBYSCORE k 1 x", "-ERR min or max is not a float"},
           {"ZRANGEBYSCORE k nan 1", "-ERR min or max is not a float"},
           {"ZREMRANGEBYSCORE k (1 2", ":2"},
           {"ZRANGE k 0 -1", "*[$low $a $d $top]"}});
  }
}

BOOST_AUTO_TEST_CASE(a_limit_skips_and_takes_from_the_end_that_is_shown_first) {
  run("ZADD k 1 a 2 b 3 c 4 d");
  check({{"ZRANGEBYSCORE k 1 4 LIMIT 1 2", "*[$b $c]"},
         {"ZREVRANGEBYSCORE k 4 1 LIMIT 1 2", "*[$c $b]"},
         {"ZRANGEBYSCORE k 1 4 LIMIT 3 -1", "*[$d]"},
         {"ZRANGEBYSCORE k 1 4 LIMIT 0 0", "*[]"},
         {"ZRANGEBYSCORE k 1 4 LIMIT -1 2", "*[]"},
         {"ZRANGEBYSCORE k 1 4 LIMIT 4 2", "*[]"},
         {"ZRANGEBYSCORE k 1 4 LIMIT 1 9223372036854775807", "*[$b $c $d]"},
         {"ZRANGEBYSCORE k 1 4 WITHSCORES LIMIT 0 1 ", "*[$a ,1]"},
         {"ZRANGEBYSCORE k 1 4 LIMIT x 1", "-ERR value is not an integer or out of range"},
         {"ZRANGEBYSCORE k 1 4 LIMIT 1", "-ERR syntax error"},
         {"ZRANGE k 0 -1 LIMIT 0 -1", "*[$a $b $c $d]"}});
}

BOOST_AUTO_TEST_CASE(members_of_one_score_are_bounded_by_their_bytes) {
  for (const int64_t entries : {128, 0}) {
    run("DEL k");
    engine.limits.zset_packed_entries = entries;
    check({{"ZADD k 0 a 0 aa 0 b 0 10 0 \"\"", ":5"},
           {"ZRANGEBYLEX k - +", "*[$ $10 $a $aa $b]"},
           {"ZRANGEBYLEX k [a (b", "*[$a $aa]"},
           {"ZRANGEBYLEX k (a [b", "*[$aa $b]"},
           {"ZRANGEBYLEX k ( [1", "*[]"},
           {"ZRANGEBYLEX k [ [1", "*[$]"},
           {"ZRANGEBYLEX k + -", "*[]"},
           {"ZREVRANGEBYLEX k + [a", "*[$b $aa $a]"},
           {"ZREVRANGEBYLEX k + - LIMIT 1 1", "*[$aa]"},
           {"ZLEXCOUNT k [10 [aa", ":3"},
           {"ZRANGEBYLEX k a +", "-ERR min or max not valid string range item"},
           {"ZRANGEBYLEX k -a +", "-ERR min or max not valid string range item"},
           {"ZRANGEBYLEX k - \"\"", "-ERR min or max not valid string range item"},
           {"ZREMRANGEBYLEX k [a +", ":3"},
           {"ZRANGE k 0 -1", "*[$ $10]"}});
  }
}

BOOST_AUTO_TEST_CASE(words_that_do_not_go_together_are_refused) {
  check({{"ZRANGE k 0 -1 BYLEX WITHSCORES",
          "-ERR syntax error, WITHSCORES not supported in combination with BYLEX"},
         {"ZRANGE k 0 -1 LIMIT 0 1",
          "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"},
         {"ZREVRANGE k 0 -1 REV", "-ERR syntax error"},
         {"ZRANGEBYSCORE k 0 1 BYLEX", "-ERR syntax error"},
         {"ZRANGE k 0 1 REV REV", "-ERR syntax error"},
         {"ZRANGE k 0 1 BYSCORE BYLEX", "-ERR syntax error"},
         {"ZRANGEBYSCORE k 0 1 REV", "-ERR syntax error"},
         {"ZRANGESTORE d k 0 1 WITHSCORES", "-ERR syntax error"},
         {"ZRANGE k a b", "-ERR value is not an integer or out of range"}});
}

BOOST_AUTO_TEST_CASE(a_stored_range_replaces_whatever_was_there) {
  put_other_type("d");
  check({{"ZADD k 1 a 2 b 3 c", ":3"},
         {"ZRANGESTORE d k 2 1 BYSCORE REV LIMIT 0 1", ":1"},
         {"ZRANGE d 0 -1", "*[$b]"},
         {"EXPIRE d 100", ":1"},
         {"ZRANGESTORE d d 0 -1", ":1"},
         {"TTL d", ":-1"},
         {"ZRANGESTORE d missing 0 -1", ":0"},
         {"EXISTS d", ":0"}});
}

BOOST_AUTO_TEST_SUITE_END()
