#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

namespace {

// Five records, all with consumer a since 100 ms.
struct PendingFixture : roxdb::commands::test::CommandFixture {
  PendingFixture() {
    for (const char* id : {"1", "2", "3", "4", "5"}) run("XADD s " + std::string(id) + " f v");
    run("XGROUP CREATE s g 0");
    run("XREADGROUP GROUP g a STREAMS s >");
    advance_ms(100);
    log();
    events();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_stream_pending, PendingFixture)

BOOST_AUTO_TEST_CASE(pending_records_are_shown_by_range_consumer_and_idle_time) {
  run("XCLAIM s g b 0 2 4");
  check({{"XPENDING s g", "*[:5 $1-0 $5-0 *[*[$a $3] *[$b $2]]]"},
         {"XPENDING s g 2 3 10", "*[*[$2-0 $b :0 :2] *[$3-0 $a :100 :1]]"},
         {"XPENDING s g (2 + 1", "*[*[$3-0 $a :100 :1]]"},
         {"XPENDING s g - + 10 b", "*[*[$2-0 $b :0 :2] *[$4-0 $b :0 :2]]"},
         {"XPENDING s g - + 10 nobody", "*[]"},
         {"XPENDING s g IDLE 100 - + 2", "*[*[$1-0 $a :100 :1] *[$3-0 $a :100 :1]]"},
         {"XPENDING s g IDLE 101 - + 9", "*[]"},
         {"XPENDING s g - + -1", "*[]"},
         {"XPENDING s g IDLE 5 - +", "-ERR syntax error"},
         {"XPENDING s g - +", "-ERR syntax error"},
         {"XPENDING s g - + x", "-ERR value is not an integer or out of range"},
         {"XPENDING s x", "-NOGROUP No such key 's' or consumer group 'x'"},
         {"XPENDING t g", "-NOGROUP No such key 't' or consumer group 'g'"}});
}

BOOST_AUTO_TEST_CASE(claiming_moves_what_was_idle_for_long_enough) {
  check({{"XCLAIM s g b 101 1 2", "*[]"},
         {"XCLAIM s g b 100 1 2", "*[*[$1-0 *[$f $v]] *[$2-0 *[$f $v]]]"},
         {"XCLAIM s g c 50 1 3 JUSTID", "*[$3-0]"},
         {"XPENDING s g - + 9 b", "*[*[$1-0 $b :0 :2] *[$2-0 $b :0 :2]]"},
         {"XPENDING s g - + 9 c", "*[*[$3-0 $c :0 :1]]"},
         {"XCLAIM s g c 0 4 IDLE 70 RETRYCOUNT 9 JUSTID", "*[$4-0]"},
         {"XPENDING s g 4 4 1", "*[*[$4-0 $c :70 :9]]"},
         {"XCLAIM s g c 0 4 TIME 9999999999999999 JUSTID", "*[$4-0]"},
         {"XPENDING s g 4 4 1", "*[*[$4-0 $c :0 :9]]"},
         {"XCLAIM s g c 0 9-9 FORCE", "*[]"}});
}

BOOST_AUTO_TEST_CASE(claiming_forgets_records_that_are_gone) {
  run("XDEL s 2");
  check({{"XCLAIM s g b 0 2", "*[]"},
         {"XPENDING s g 2 2 9", "*[]"},
         {"XADD s 6 f v", "$6-0"},
         {"XCLAIM s g b 0 6", "*[]"},
         {"XCLAIM s g b 0 6 FORCE JUSTID LASTID 6", "*[$6-0]"},
         {"XREADGROUP GROUP g b STREAMS s >", "*nil"}});
}

BOOST_AUTO_TEST_CASE(claims_are_refused_with_the_reason) {
  check(
      {{"XCLAIM s x b 0 1", "-NOGROUP No such key 's' or consumer group 'x'"},
       {"XCLAIM s g b x 1", "-ERR Invalid min-idle-time argument for XCLAIM"},
       {"XCLAIM s g b 0 1 foo", "-ERR Unrecognized XCLAIM option 'foo'"},
       {"XCLAIM s g b 0 1 IDLE", "-ERR Unrecognized XCLAIM option 'IDLE'"},
       {"XCLAIM s g b 0 1 IDLE x", "-ERR Invalid IDLE option argument for XCLAIM"},
       {"XCLAIM s g b 0 1 TIME x", "-ERR Invalid TIME option argument for XCLAIM"},
       {"XCLAIM s g b 0 1 RETRYCOUNT x", "-ERR Invalid RETRYCOUNT option argument for XCLAIM"},
       {"XCLAIM s g b 0 1 LASTID x", "-ERR Invalid stream ID specified as stream command argument"},
       {"XAUTOCLAIM s g b x 0", "-ERR Invalid min-idle-time argument for XAUTOCLAIM"},
       {"XAUTOCLAIM s g b 0 x", "-ERR Invalid stream ID specified as stream command argument"},
       {"XAUTOCLAIM s g b 0 0 COUNT 0", "-ERR COUNT must be > 0"},
       {"XAUTOCLAIM s g b 0 0 COUNT 9223372036854775807", "-ERR COUNT must be > 0"},
       {"XAUTOCLAIM s g b 0 0 FOO", "-ERR syntax error"},
       {"XAUTOCLAIM s x b 0 0", "-NOGROUP No such key 's' or consumer group 'x'"},
       {"XPENDING s g", "*[:5 $1-0 $5-0 *[*[$a $5]]]"}});
}

BOOST_AUTO_TEST_CASE(claiming_in_passing_goes_on_where_it_stopped) {
  run("XDEL s 2");
  check({{"XAUTOCLAIM s g b 50 - COUNT 2", "*[$3-0 *[*[$1-0 *[$f $v]]] *[$2-0]]"},
         {"XAUTOCLAIM s g b 50 3 COUNT 2 JUSTID", "*[$5-0 *[$3-0 $4-0] *[]]"},
         {"XAUTOCLAIM s g b 50 (5", "*[$0-0 *[] *[]]"},
         {"XAUTOCLAIM s g b 50 5 COUNT 1", "*[$0-0 *[*[$5-0 *[$f $v]]] *[]]"},
         {"XPENDING s g - + 9 b",
          "*[*[$1-0 $b :0 :2] *[$3-0 $b :0 :1] *[$4-0 $b :0 :1] *[$5-0 $b :0 :2]]"}});
}

// Ten looks for each claim: an XAUTOCLAIM over a large group of busy records is bounded.
BOOST_AUTO_TEST_CASE(claiming_in_passing_looks_at_few_records) {
  for (int i = 6; i <= 30; ++i) run("XADD s " + std::to_string(i) + " f v");
  run("XREADGROUP GROUP g a STREAMS s >");
  run("XCLAIM s g a 0 1 2 3 4 5 JUSTID");
  BOOST_TEST(run("XAUTOCLAIM s g b 50 0 COUNT 1") == "*[$11-0 *[] *[]]");
}

BOOST_AUTO_TEST_CASE(the_log_tells_who_has_what_since_when) {
  run("XDEL s 5");
  events();
  check_log(
      {{"XCLAIM s g b 0 1 2",
        "XGROUP CREATECONSUMER s g b; XCLAIM s g b 0 1-0 2-0 TIME 1700000000100 RETRYCOUNT 2 FORCE "
        "JUSTID"},
       {"XCLAIM s g b 999 1 2", ""},
       {"XCLAIM s g a 0 1 3 5 LASTID 9",
        "XGROUP SETID s g 9-0 ENTRIESREAD 5; XCLAIM s g a 0 1-0 TIME 1700000000100 RETRYCOUNT 3 "
        "FORCE JUSTID; XCLAIM s g a 0 3-0 TIME 1700000000100 RETRYCOUNT 2 FORCE JUSTID; XACK s g "
        "5-0"},
       {"XAUTOCLAIM s g b 1 4 JUSTID",
        "XCLAIM s g b 0 4-0 TIME 1700000000100 RETRYCOUNT 1 FORCE JUSTID"}});
  BOOST_TEST(events() == "xgroup-createconsumer:s");
}

BOOST_AUTO_TEST_SUITE_END()
