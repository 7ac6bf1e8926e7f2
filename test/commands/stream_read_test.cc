#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_stream_read, roxdb::commands::test::CommandFixture)

BOOST_AUTO_TEST_CASE(streams_with_nothing_new_are_left_out) {
  run("XADD a 1 f v");
  run("XADD a 2 f v");
  run("XADD b 5 f v");
  check({{"XREAD STREAMS a b none 0 0 0",
          "*[*[$a *[*[$1-0 *[$f $v]] *[$2-0 *[$f $v]]]] "
          "*[$b *[*[$5-0 *[$f $v]]]]]"},
         {"XREAD COUNT 1 STREAMS b a 5 0", "*[*[$a *[*[$1-0 *[$f $v]]]]]"},
         {"XREAD COUNT -1 STREAMS a 1", "*[*[$a *[*[$2-0 *[$f $v]]]]]"},
         {"XREAD STREAMS a b $ 9", "*nil"},
         {"XREAD STREAMS a b + +", "*[*[$a *[*[$2-0 *[$f $v]]]] *[$b *[*[$5-0 *[$f $v]]]]]"},
         {"XREAD STREAMS a 18446744073709551615-18446744073709551615", "*nil"}});
  run("XDEL a 2");
  BOOST_TEST(run("XREAD STREAMS a 1") == "*nil");
  BOOST_TEST(run("XREAD STREAMS a +") == "*[*[$a *[*[$1-0 *[$f $v]]]]]");
}

BOOST_AUTO_TEST_CASE(resp3_shows_the_streams_as_a_map) {
  run("XADD a 1 f v");
  run("XGROUP CREATE a g 0");
  reply.set_protocol(3);
  check({{"XREAD STREAMS a 0", "%{$a *[*[$1-0 *[$f $v]]]}"},
         {"XREADGROUP GROUP g c STREAMS a >", "%{$a *[*[$1-0 *[$f $v]]]}"}});
}

BOOST_AUTO_TEST_CASE(wrong_requests_are_refused_with_the_reason) {
  run("XADD a 1 f v");
  run("XGROUP CREATE a g 0");
  const auto only = [](const std::string& option) {
    return "-ERR The " + option +
           " option is only supported by XREADGROUP. You called XREAD instead.";
  };
  check({{"XREAD STREAMS a b 0",
          "-ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be "
          "specified."},
         {"XREADGROUP GROUP g c STREAMS a b >",
          "-ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be "
          "specified."},
         {"XREAD COUNT 1 FOO a 0", "-ERR syntax error"},
         {"XREAD COUNT x STREAMS a 0", "-ERR value is not an integer or out of range"},
         {"XREAD BLOCK -1 STREAMS a 0", "-ERR timeout is negative"},
         {"XREAD BLOCK x STREAMS a 0", "-ERR timeout is not an integer or out of range"},
         {"XREAD GROUP g c STREAMS a 0", only("GROUP")},
         {"XREAD NOACK STREAMS a 0", only("NOACK")},
         {"XREAD CLAIM 5 STREAMS a 0", only("CLAIM")},
         {"XREAD STREAMS a >",
          "-ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> "
          "<consumer> option."},
         {"XREAD STREAMS a x", "-ERR Invalid stream ID specified as stream command argument"},
         {"XREADGROUP COUNT 1 NOACK STREAMS a >", "-ERR Missing GROUP option for XREADGROUP"},
         {"XREADGROUP GROUP g c CLAIM x STREAMS a >", "-ERR min-idle-time is not an integer"},
         {"XREADGROUP GROUP g c CLAIM -1 STREAMS a >",
          "-ERR min-idle-time must be a positive integer"},
         {"XREADGROUP GROUP x c STREAMS a >",
          "-NOGROUP No such key 'a' or consumer group 'x' in XREADGROUP with GROUP option"},
         {"XREADGROUP GROUP g c STREAMS a $",
          "-ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history "
          "of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ "
          "ID would just return an empty result set."},
         {"XINFO CONSUMERS a g", "*[]"}});
}

BOOST_AUTO_TEST_CASE(each_record_goes_to_one_consumer_of_a_group) {
  for (const char* id : {"1", "2", "3"}) run("XADD a " + std::string(id) + " f v");
  run("XGROUP CREATE a g 0");
  run("XGROUP CREATE a h 2");
  check({{"XREADGROUP GROUP g c COUNT 1 STREAMS a >", "*[*[$a *[*[$1-0 *[$f $v]]]]]"},
         {"XREADGROUP GROUP g d STREAMS a >", "*[*[$a *[*[$2-0 *[$f $v]] *[$3-0 *[$f $v]]]]]"},
         {"XREADGROUP GROUP g c STREAMS a >", "*nil"},
         {"XREADGROUP GROUP h c NOACK STREAMS a >", "*[*[$a *[*[$3-0 *[$f $v]]]]]"},
         {"XPENDING a h", "*[:0 $nil $nil *nil]"},
         {"XPENDING a g", "*[:3 $1-0 $3-0 *[*[$c $1] *[$d $2]]]"}});
}

BOOST_AUTO_TEST_CASE(the_history_of_a_consumer_shows_what_it_has_pending) {
  for (const char* id : {"1", "2", "3"}) run("XADD a " + std::string(id) + " f v");
  run("XGROUP CREATE a g 0");
  run("XREADGROUP GROUP g c STREAMS a >");
  run("XDEL a 2");
  run("XACK a g 3");
  advance_ms(20);
  check({{"XREADGROUP GROUP g c STREAMS a 0", "*[*[$a *[*[$1-0 *[$f $v]] *[$2-0 *nil]]]]"},
         {"XREADGROUP GROUP g c STREAMS a 1", "*[*[$a *[*[$2-0 *nil]]]]"},
         {"XREADGROUP GROUP g c COUNT 1 STREAMS a 0", "*[*[$a *[*[$1-0 *[$f $v]]]]]"},
         {"XREADGROUP GROUP g new STREAMS a 0", "*[*[$a *[]]]"},
         {"XPENDING a g - + 9", "*[*[$1-0 $c :0 :3] *[$2-0 $c :20 :1]]"}});
}

BOOST_AUTO_TEST_CASE(claiming_readers_get_what_waited_too_long_before_what_is_new) {
  for (const char* id : {"1", "2", "3"}) run("XADD a " + std::string(id) + " f v");
  run("XGROUP CREATE a g 0");
  run("XREADGROUP GROUP g c COUNT 2 STREAMS a >");
  advance_ms(50);
  run("XDEL a 1");
  check(
      {{"XREADGROUP GROUP g d CLAIM 51 COUNT 9 STREAMS a 0", "*[*[$a *[]]]"},
       {"XREADGROUP GROUP g d CLAIM 50 COUNT 1 STREAMS a >", "*[*[$a *[*[$2-0 *[$f $v] :50 :1]]]]"},
       {"XREADGROUP GROUP g d CLAIM 50 NOACK STREAMS a >", "*[*[$a *[*[$3-0 *[$f $v] :0 :0]]]]"},
       {"XREADGROUP GROUP g d CLAIM 50 STREAMS a >", "*nil"},
       {"XPENDING a g - + 9", "*[*[$2-0 $d :0 :2]]"}});
}

BOOST_AUTO_TEST_CASE(a_reader_that_may_not_wait_is_told_that_nothing_came) {
  run("XADD a 1 f v");
  run("XGROUP CREATE a g $");
  check({{"XREAD BLOCK 0 STREAMS a $", "*nil"},
         {"XREADGROUP GROUP g c BLOCK 0 STREAMS a >", "*nil"},
         {"XREADGROUP GROUP g c BLOCK 0 STREAMS a 0", "*[*[$a *[]]]"}});
}

// The log says the counter, which must be one that a replay takes.
BOOST_AUTO_TEST_CASE(a_counter_of_reads_stops_at_the_largest_number) {
  check({{"XADD s 1-1 a 1", "$1-1"},
         {"XGROUP CREATE s g 1-1", "+OK"},
         {"XSETID s 1-1 ENTRIESADDED 9223372036854775807", "+OK"},
         {"XGROUP SETID s g 1-1 ENTRIESREAD 9223372036854775807", "+OK"},
         {"XADD s 2-1 a 1", "$2-1"}});
  log();
  run("XREADGROUP GROUP g c STREAMS s >");
  BOOST_TEST(log().find("XGROUP SETID s g 2-1 ENTRIESREAD 9223372036854775807") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_log_tells_deliveries_and_progress) {
  for (const char* id : {"1", "2", "3"}) run("XADD a " + std::string(id) + " f v");
  run("XGROUP CREATE a g 0");
  const std::string tail = " TIME 1700000000000 RETRYCOUNT 1 FORCE JUSTID";
  check_log({{"XREADGROUP GROUP g c COUNT 2 STREAMS a >",
              "XGROUP CREATECONSUMER a g c; XCLAIM a g c 0 1-0 2-0" + tail +
                  "; XGROUP SETID a g 2-0 ENTRIESREAD 2"},
             {"XREADGROUP GROUP g d NOACK STREAMS a >",
              "XGROUP CREATECONSUMER a g d; XGROUP SETID a g 3-0 ENTRIESREAD 3"},
             {"XREADGROUP GROUP g d STREAMS a >", ""},
             {"XREADGROUP GROUP g d CLAIM 0 COUNT 1 STREAMS a >",
              "XCLAIM a g d 0 1-0 TIME 1700000000000 RETRYCOUNT 2 FORCE JUSTID"},
             {"XREADGROUP GROUP g c STREAMS a 0",
              "XCLAIM a g c 0 2-0 TIME 1700000000000 RETRYCOUNT 2 FORCE JUSTID"},
             {"XREAD STREAMS a 0", ""}});
}

BOOST_AUTO_TEST_SUITE_END()
