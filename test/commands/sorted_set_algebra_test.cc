#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_sorted_set_algebra, roxdb::commands::test::CommandFixture)

BOOST_AUTO_TEST_CASE(weights_multiply_before_scores_are_aggregated) {
  run("ZADD a 1 x 2 y 3 z");
  run("ZADD b 10 y 20 z 30 w");
  check({{"ZUNION 2 a b WITHSCORES", "*[$x ,1 $y ,12 $z ,23 $w ,30]"},
         {"ZUNION 2 a b WEIGHTS 10 -1 WITHSCORES", "*[$w ,-30 $x ,10 $y ,10 $z ,10]"},
         {"ZUNION 2 a b AGGREGATE max WITHSCORES", "*[$x ,1 $y ,10 $z ,20 $w ,30]"},
         {"ZINTER 2 a b AGGREGATE MIN WITHSCORES", "*[$y ,2 $z ,3]"},
         {"ZINTER 2 a b WEIGHTS 2 0.5 WITHSCORES", "*[$y ,9 $z ,16]"},
         {"ZINTER 2 a b WEIGHTS 2 0.5 AGGREGATE count WITHSCORES", "*[$y ,2.5 $z ,2.5]"},
         {"ZUNION 2 a b WEIGHTS inf -inf AGGREGATE COUNT WITHSCORES",
          "*[$w ,-inf $y ,0 $z ,0 $x ,inf]"},
         {"ZUNIONSTORE d 3 a b a AGGREGATE COUNT", ":4"},
         {"ZRANGE d 0 -1 WITHSCORES", "*[$w ,1 $x ,2 $y ,3 $z ,3]"},
         {"ZINTER 3 a b a", "*[$y $z]"},
         {"ZDIFF 2 b a WITHSCORES", "*[$w ,30]"},
         {"ZDIFF 2 missing a", "*[]"},
         {"ZDIFF 1 a", "*[$x $y $z]"},
         {"ZINTERCARD 2 a b LIMIT 0", ":2"},
         {"ZINTERCARD 2 a b LIMIT 1", ":1"},
         {"ZINTERCARD 2 a missing", ":0"}});
}

// 0 * inf and inf - inf are no numbers; both count as 0.
BOOST_AUTO_TEST_CASE(what_is_no_number_counts_as_zero) {
  run("ZADD a inf x -inf y");
  run("ZADD b -inf x inf y");
  check({{"ZUNION 2 a b WITHSCORES", "*[$x ,0 $y ,0]"},
         {"ZINTER 2 a b WITHSCORES", "*[$x ,0 $y ,0]"},
         {"ZINTER 2 a a WEIGHTS 1 0 WITHSCORES", "*[$x ,0 $y ,0]"},
         {"ZINTER 2 a a WEIGHTS 1 0 AGGREGATE MAX WITHSCORES", "*[$y ,-inf $x ,inf]"},
         {"ZUNION 1 a WEIGHTS 0 WITHSCORES", "*[$x ,0 $y ,0]"}});
}

BOOST_AUTO_TEST_CASE(members_of_sets_have_the_score_one) {
  check({{"SADD words a b", ":2"},
         {"SADD numbers 1 2 3", ":3"},
         {"ZADD z 5 a 7 3", ":2"},
         {"ZUNION 2 words z WEIGHTS 10 1 WITHSCORES", "*[$3 ,7 $b ,10 $a ,15]"},
         {"ZINTER 2 z numbers WITHSCORES", "*[$3 ,8]"},
         {"ZDIFF 2 words z WITHSCORES", "*[$b ,1]"},
         {"ZINTERCARD 2 words words", ":2"},
         {"ZUNIONSTORE words 1 words", ":2"},
         {"ZRANGE words 0 -1 WITHSCORES", "*[$a ,1 $b ,1]"}});
}

BOOST_AUTO_TEST_CASE(a_destination_may_be_one_of_the_sources) {
  check({{"ZADD a 1 x 2 y", ":2"},
         {"ZUNIONSTORE a 2 a a WEIGHTS 1 2", ":2"},
         {"ZRANGE a 0 -1 WITHSCORES", "*[$x ,3 $y ,6]"},
         {"ZINTERSTORE a 2 a a AGGREGATE MIN", ":2"},
         {"ZDIFFSTORE a 2 a a", ":0"},
         {"EXISTS a", ":0"}});
}

BOOST_AUTO_TEST_CASE(malformed_requests_are_told_what_is_wrong) {
  run("ZADD a 1 x");
  check({{"ZUNION x a", "-ERR value is not an integer or out of range"},
         {"ZINTERSTORE d 0 a", "-ERR at least 1 input key is needed for 'zinterstore' command"},
         {"ZUNION 2 a", "-ERR syntax error"},
         {"ZUNION 9223372036854775807 a", "-ERR syntax error"},
         {"ZUNION 1 a WEIGHTS x", "-ERR weight value is not a float"},
         {"ZUNION 1 a WEIGHTS", "-ERR syntax error"},
         {"ZUNION 1 a AGGREGATE AVG", "-ERR syntax error"},
         {"ZUNIONSTORE d 1 a WITHSCORES", "-ERR syntax error"},
         {"ZDIFF 1 a WEIGHTS 1", "-ERR syntax error"},
         {"ZINTERCARD 1 a WEIGHTS 1", "-ERR syntax error"},
         {"ZINTERCARD 1 a LIMIT -1", "-ERR LIMIT can't be negative"},
         {"ZINTER 1 a LIMIT 1", "-ERR syntax error"},
         {"EXISTS d", ":0"}});
}

BOOST_AUTO_TEST_CASE(large_inputs_give_what_small_ones_give) {
  for (const std::string entries : {"1000", "0"}) {
    engine.limits.zset_packed_entries = std::stoi(entries);
    for (int i = 0; i < 300; ++i) {
      run("ZADD three" + entries + " " + std::to_string(i) + " " + std::to_string(3 * i));
      run("ZADD two" + entries + " " + std::to_string(i) + " " + std::to_string(2 * i));
    }
  }
  for (const char* request :
       {"ZUNION 2 three{} two{} WITHSCORES", "ZINTER 2 two{} three{} WITHSCORES",
        "ZDIFF 2 three{} two{} WITHSCORES", "ZINTERCARD 2 two{} three{}"}) {
    const auto of = [&](std::string text, const std::string& suffix) {
      for (size_t at; (at = text.find("{}")) != std::string::npos;) text.replace(at, 2, suffix);
      return run(text);
    };
    BOOST_TEST(of(request, "1000") == of(request, "0"));
  }
  BOOST_TEST(run("ZINTERCARD 2 two0 three1000") == ":100");
}

BOOST_AUTO_TEST_SUITE_END()
