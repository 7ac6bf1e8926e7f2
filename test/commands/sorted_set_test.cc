#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_sorted_set, roxdb::commands::test::CommandFixture)

BOOST_AUTO_TEST_CASE(options_of_zadd_that_contradict_each_other_are_refused) {
  const std::string three = "-ERR GT, LT, and/or NX options at the same time are not compatible";
  check({{"ZADD k NX XX 1 a", "-ERR XX and NX options at the same time are not compatible"},
         {"ZADD k GT LT 1 a", three},
         {"ZADD k NX GT 1 a", three},
         {"ZADD k LT NX 1 a", three},
         {"ZADD k INCR 1 a 2 b", "-ERR INCR option supports a single increment-element pair"},
         {"ZADD k 1 a 2", "-ERR syntax error"},
         {"ZADD k CH XX", "-ERR syntax error"},
         {"ZADD k 1 a x b", "-ERR value is not a valid float"},
         {"EXISTS k", ":0"}});
}

BOOST_AUTO_TEST_CASE(a_refused_zadd_changes_nothing_and_leaves_no_key) {
  check({{"ZADD k XX 1 a", ":0"},
         {"ZADD k XX INCR 1 a", "$nil"},
         {"ZINCRBY k nan a", "-ERR value is not a valid float"},
         {"EXISTS k", ":0"},
         {"ZADD k inf a", ":1"},
         {"ZADD k INCR -inf a", "-ERR resulting score is not a number (NaN)"},
         {"ZSCORE k a", ",inf"}});
  BOOST_TEST(log() == "ZADD k inf a");
}

BOOST_AUTO_TEST_CASE(the_last_score_given_for_a_member_counts) {
  check({{"ZADD k 1 a 2 a 3 b 3 b", ":2"},
         {"ZRANGE k 0 -1 WITHSCORES", "*[$a ,2 $b ,3]"},
         {"ZADD k CH 5 a 6 a", ":2"},
         {"ZADD k GT CH 7 a 1 b 9 c", ":2"},
         {"ZADD k LT CH 8 a 1 b 9 c", ":1"}});
}

BOOST_AUTO_TEST_CASE(scores_are_shown_in_their_shortest_form) {
  for (const auto& [given, shown] :
       std::initializer_list<std::pair<std::string, std::string>>{{"3.0", "3"},
                                                                  {"-0", "-0"},
                                                                  {"1e3", "1000"},
                                                                  {"0.1", "0.1"},
                                                                  {"+inf", "inf"},
                                                                  {"-Infinity", "-inf"},
                                                                  {"17179869184", "17179869184"},
                                                                  {"1e100", "1e+100"}}) {
    BOOST_TEST(run("ZADD k " + given + " m" + given) == ":1");
    BOOST_TEST(run("ZSCORE k m" + given) == "," + shown);
  }
}

BOOST_AUTO_TEST_CASE(protocol_3_pairs_members_with_scores) {
  reply.set_protocol(3);
  check({{"ZADD k 1 a 2 b", ":2"},
         {"ZRANGE k 0 -1 WITHSCORES", "*[*[$a ,1] *[$b ,2]]"},
         {"ZRANDMEMBER k 9 WITHSCORES", "*[*[$a ,1] *[$b ,2]]"},
         {"ZUNION 1 k WITHSCORES", "*[*[$a ,1] *[$b ,2]]"},
         {"ZRANK k b WITHSCORE", "*[:1 ,2]"},
         {"ZSCAN k 0", "*[$0 *[$a $1 $b $2]]"},
         {"ZPOPMAX k", "*[$b ,2]"},
         {"ZPOPMIN k 1", "*[*[$a ,1]]"}});
}

BOOST_AUTO_TEST_CASE(keys_of_other_types_are_refused_before_anything_happens) {
  put_other_type("other");
  const std::string wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value";
  run("ZADD k 1 a");
  log();
  for (const char* request : {"ZADD other 1 a",
                              "ZINCRBY other 1 a",
                              "ZREM other a",
                              "ZCARD other",
                              "ZSCORE other a",
                              "ZMSCORE other a",
                              "ZRANK other a",
                              "ZREVRANK other a",
                              "ZCOUNT other 0 1",
                              "ZLEXCOUNT other - +",
                              "ZRANGE other 0 -1",
                              "ZRANGEBYLEX other - +",
                              "ZREVRANGEBYSCORE other 1 0",
                              "ZRANGESTORE k other 0 -1",
                              "ZREMRANGEBYRANK other 0 1",
                              "ZREMRANGEBYSCORE other 0 1",
                              "ZREMRANGEBYLEX other - +",
                              "ZPOPMIN other",
                              "ZPOPMAX other 0",
                              "ZMPOP 2 other k MIN",
                              "ZUNION 2 k other",
                              "ZINTERSTORE k 2 k other",
                              "ZDIFF 1 other",
                              "ZINTERCARD 1 other",
                              "ZRANDMEMBER other",
                              "ZRANDMEMBER other 2",
                              "ZSCAN other 0"}) {
    BOOST_TEST_CONTEXT(request) { BOOST_TEST(run(request) == wrong); }
  }
  BOOST_TEST(log() == "");
  BOOST_TEST(run("ZRANGE k 0 -1") == "*[$a]");
}

BOOST_AUTO_TEST_CASE(the_last_member_takes_the_key_with_it) {
  for (const char* request :
       {"ZREM k a b", "ZREMRANGEBYRANK k 0 -1", "ZREMRANGEBYSCORE k -inf inf",
        "ZREMRANGEBYLEX k - +", "ZPOPMIN k 2", "ZPOPMAX k 3", "ZMPOP 1 k MAX COUNT 9"}) {
    BOOST_TEST_CONTEXT(request) {
      run("ZADD k 1 a 1 b");
      events();
      run(request);
      BOOST_TEST(events().ends_with(" del:k"));
      BOOST_TEST(run("EXISTS k") == ":0");
    }
  }
}

BOOST_AUTO_TEST_CASE(events_are_told_once_a_command_and_only_for_changes) {
  const auto after = [&](std::string_view request) {
    events();
    run(request);
    return events();
  };
  BOOST_TEST(after("ZADD k 1 a 2 b 3 c 4 d") == "new:k zadd:k");
  BOOST_TEST(after("ZADD k 1 a") == "");
  BOOST_TEST(after("ZADD k 5 a") == "zadd:k");
  BOOST_TEST(after("ZADD k INCR 1 a") == "zincr:k");
  BOOST_TEST(after("ZINCRBY k 0 a") == "");
  BOOST_TEST(after("ZREM k x") == "");
  BOOST_TEST(after("ZREM k a b") == "zrem:k");
  BOOST_TEST(after("ZREMRANGEBYRANK k 5 6") == "");
  BOOST_TEST(after("ZRANGESTORE d k 0 -1") == "new:d zrangestore:d");
  BOOST_TEST(after("ZUNIONSTORE d 1 k") == "zunionstore:d");
  BOOST_TEST(after("ZDIFFSTORE d 2 k k") == "del:d");
  BOOST_TEST(after("ZINTERSTORE d 2 k x") == "");
  BOOST_TEST(after("ZPOPMIN k") == "zpopmin:k");
  BOOST_TEST(after("ZMPOP 1 k MAX") == "zpopmax:k del:k");
}

BOOST_AUTO_TEST_CASE(encodings_are_named_as_redis_names_them) {
  engine.limits.zset_packed_entries = 2;
  engine.limits.zset_packed_value_bytes = 5;
  check({{"ZADD k 1 a 2 b", ":2"},
         {"OBJECT ENCODING k", "$listpack"},
         {"ZADD k 1 c", ":1"},
         {"OBJECT ENCODING k", "$skiplist"},
         {"ZREM k c b", ":2"},
         {"OBJECT ENCODING k", "$skiplist"},
         {"ZRANGESTORE d k 0 -1", ":1"},
         {"OBJECT ENCODING d", "$listpack"},
         {"ZADD long 1 sixsix", ":1"},
         {"OBJECT ENCODING long", "$skiplist"},
         {"TYPE k", "+zset"},
         {"COPY k copy", ":1"},
         {"ZRANGE copy 0 -1 WITHSCORES", "*[$a ,1]"}});
}

BOOST_AUTO_TEST_SUITE_END()
