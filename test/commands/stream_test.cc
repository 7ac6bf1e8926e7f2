#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_stream, roxdb::commands::test::CommandFixture)

namespace {
const std::string kInvalidId = "-ERR Invalid stream ID specified as stream command argument";
const std::string kSmaller =
    "-ERR The ID specified in XADD is equal or smaller than the target stream top item";
}  // namespace

BOOST_AUTO_TEST_CASE(ids_come_from_the_clock_and_never_go_back) {
  check({{"XADD s * a 1", "$1700000000000-0"},
         {"XADD s * a 1", "$1700000000000-1"},
         {"XADD s 1700000000000-* a 1", "$1700000000000-2"},
         {"XADD s 1700000009999-5 a 1", "$1700000009999-5"},
         {"XADD s * a 1", "$1700000009999-6"},
         {"XADD s 1700000009999-6 a 1", kSmaller},
         {"XADD s 5-* a 1", kSmaller},
         {"XADD s 1800000000000-* a 1", "$1800000000000-0"},
         {"XADD t 0-* a 1", "$0-1"},
         {"XADD u 0-0 a 1", "-ERR The ID specified in XADD must be greater than 0-0"},
         {"XADD u 0-1 a 1", "$0-1"},
         {"XADD u 007-08 a 1", "$7-8"},
         {"XADD u \" 9-+1\" a 1", "$9-1"},
         {"XADD u \"10 \" a 1", kInvalidId},
         {"EXISTS u", ":1"}});
}

BOOST_AUTO_TEST_CASE(the_last_possible_id_ends_a_stream) {
  check({{"XADD s 18446744073709551615-18446744073709551615 a 1",
          "$18446744073709551615-18446744073709551615"},
         {"XADD s * a 1",
          "-ERR The stream has exhausted the last possible ID, unable to add more items"},
         {"XADD t 5-18446744073709551615 a 1", "$5-18446744073709551615"},
         {"XADD t 5-* a 1", kSmaller},
         {"XADD t 6-18446744073709551616 a 1", kInvalidId}});
}

BOOST_AUTO_TEST_CASE(refused_requests_make_no_key) {
  const std::string arity = "-ERR wrong number of arguments for 'xadd' command";
  check({{"XADD s * a", arity},
         {"XADD s * a 1 b", arity},
         {"XADD s NOMKSTREAM MAXLEN 5 *", arity},
         {"XADD s abc a 1", kInvalidId},
         {"XADD s 5-*x a 1", kInvalidId},
         {"XADD s 5--* a 1", kInvalidId},
         {"XADD s -5 a 1", kInvalidId},
         {"XADD s + a 1", kInvalidId},
         {"XADD s 5- a 1", kInvalidId},
         {"XADD s MAXLEN x * a 1", "-ERR value is not an integer or out of range"},
         {"XADD s MAXLEN -1 * a 1", "-ERR The MAXLEN argument must be >= 0."},
         {"XADD s MAXLEN 1 MINID 1 * a 1",
          "-ERR syntax error, MAXLEN and MINID options at the same time are not compatible"},
         {"XADD s LIMIT 5 * a 1",
          "-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"},
         {"XADD s MAXLEN 1 LIMIT 5 * a 1",
          "-ERR syntax error, LIMIT cannot be used without the special ~ option"},
         {"XADD s MAXLEN ~ 1 LIMIT -5 * a 1", "-ERR The LIMIT argument must be >= 0."},
         {"XADD s KEEPREF ACKED * a 1", "-ERR syntax error"},
         {"XADD s NOMKSTREAM * a 1", "$nil"},
         {"EXISTS s", ":0"},
         {"XTRIM s LIMIT 1",
          "-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"},
         {"XTRIM s LIMIT 0", "-ERR syntax error, XTRIM must be called with a trimming strategy"},
         {"XTRIM s KEEPREF KEEPREF", "-ERR syntax error"},
         {"XTRIM s MAXLEN 5 x", "-ERR syntax error"}});
}

BOOST_AUTO_TEST_CASE(ranges_are_read_from_both_ends) {
  run("XADD s 1-1 a 1");
  run("XADD s 1-2 a 2");
  run("XADD s 2-0 a 3");
  check({{"XRANGE s - + COUNT 2", "*[*[$1-1 *[$a $1]] *[$1-2 *[$a $2]]]"},
         {"XRANGE s 1 1", "*[*[$1-1 *[$a $1]] *[$1-2 *[$a $2]]]"},
         {"XRANGE s (1-1 (2-0", "*[*[$1-2 *[$a $2]]]"},
         {"XREVRANGE s 1 1", "*[*[$1-2 *[$a $2]] *[$1-1 *[$a $1]]]"},
         {"XREVRANGE s + (1-2", "*[*[$2-0 *[$a $3]]]"},
         {"XREVRANGE s - +", "*[]"},
         {"XRANGE s - + COUNT 0", "*nil"},
         {"XRANGE s - + COUNT -9", "*nil"},
         {"XRANGE none - + COUNT 0", "*[]"},
         {"XRANGE s - + COUNT", "-ERR syntax error"},
         {"XRANGE s - + LIMIT 1", "-ERR syntax error"},
         {"XRANGE s (18446744073709551615-18446744073709551615 +",
          "-ERR invalid start ID for the interval"},
         {"XRANGE s - (0-0", "-ERR invalid end ID for the interval"},
         {"XRANGE s (- +", kInvalidId},
         {"XRANGE s x +", kInvalidId}});
}

BOOST_AUTO_TEST_CASE(fields_differ_from_record_to_record) {
  check({{"XADD s 1 name ann age 7", "$1-0"},
         {"XADD s 2 name bob age 9", "$2-0"},
         {"XADD s 3 name eve", "$3-0"},
         {"XADD s 4 \"\" \"\" 12 -5", "$4-0"},
         {"XADD s 5 age 1 name x", "$5-0"},
         {"XRANGE s - +",
          "*[*[$1-0 *[$name $ann $age $7]] *[$2-0 *[$name $bob $age $9]] *[$3-0 *[$name $eve]] "
          "*[$4-0 *[$ $ $12 $-5]] *[$5-0 *[$age $1 $name $x]]]"}});
}

BOOST_AUTO_TEST_CASE(trimming_by_blocks_keeps_more_than_asked_and_exact_trimming_does_not) {
  engine.limits.stream_block_entries = 10;
  for (int i = 1; i <= 55; ++i) run("XADD s " + std::to_string(i) + " a 1");
  check({{"XTRIM s MAXLEN ~ 30", ":20"},
         {"XTRIM s MAXLEN = 30", ":5"},
         {"XTRIM s MINID ~ 45 LIMIT 10", ":5"},
         {"XTRIM s MINID ~ 45", ":10"},
         {"XTRIM s MINID 45", ":4"},
         {"XTRIM s MAXLEN 0", ":11"},
         {"XTRIM s MAXLEN 0", ":0"},
         {"EXISTS s", ":1"},
         {"XADD s * a 1", "$1700000000000-0"}});
}

BOOST_AUTO_TEST_CASE(deleting_says_what_became_of_each_record) {
  run("XADD s 1 a 1");
  run("XADD s 2 a 1");
  run("XADD s 3 a 1");
  run("XGROUP CREATE s g 0");
  run("XREADGROUP GROUP g c COUNT 2 STREAMS s >");
  const std::string positive = "-ERR Number of IDs must be a positive integer";
  check({{"XDELEX s IDS 0 1", positive},
         {"XDELEX s IDS x 1", positive},
         {"XDELEX s IDS 2 1", "-ERR The `numids` parameter must match the number of arguments"},
         {"XDELEX s IDS 1 1 2", "-ERR syntax error"},
         {"XDELEX s KEEPREF DELREF IDS 1 1", "-ERR syntax error"},
         {"XDELEX s IDS 1 x", kInvalidId},
         {"XDELEX none IDS 2 1 2", "*[:-1 :-1]"},
         {"XDELEX s ACKED IDS 2 1 3", "*[:2 :2]"},
         {"XDELEX s KEEPREF IDS 1 1", "*[:1]"},
         {"XPENDING s g", "*[:2 $1-0 $2-0 *[*[$c $2]]]"},
         {"XDELEX s DELREF IDS 2 1 2", "*[:-1 :1]"},
         {"XPENDING s g", "*[:0 $nil $nil *nil]"},
         {"XDEL s 3 3", ":1"},
         {"XDEL s x", kInvalidId},
         {"XDEL none x", ":0"}});
}

BOOST_AUTO_TEST_CASE(the_past_of_a_stream_can_be_set_but_not_contradicted) {
  run("XADD s 5-1 a 1");
  run("XADD s 6-1 a 1");
  run("XDEL s 6-1");
  check({{"XSETID s 5-0",
          "-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"},
         {"XSETID s 7-0 ENTRIESADDED -1", "-ERR entries_added must be positive"},
         {"XSETID s 7-0 ENTRIESADDED 0",
          "-ERR The entries_added specified in XSETID is smaller than the target stream length"},
         {"XSETID s 7-0 MAXDELETEDID 8-0",
          "-ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"},
         {"XSETID s 7-0 ENTRIESADDED", "-ERR syntax error"},
         {"XSETID s x", kInvalidId},
         {"XSETID none 7-0", "-ERR no such key"},
         {"XSETID s 7-0 ENTRIESADDED 100 MAXDELETEDID 5-2", "+OK"},
         {"XSETID s 5-1",
          "-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"},
         {"XSETID s 5-3", "+OK"},
         {"XADD s 6-1 a 1", "$6-1"},
         {"XLEN s", ":2"}});
}

BOOST_AUTO_TEST_CASE(the_log_tells_ids_and_lengths_instead_of_wishes) {
  engine.limits.stream_block_entries = 3;
  check_log({{"XADD s * a 1", "XADD s 1700000000000-0 a 1"},
             {"XADD s 1700000000000-* a 1", "XADD s 1700000000000-1 a 1"},
             {"XADD s 1800000000000-0 a 1", "XADD s 1800000000000-0 a 1"},
             {"XADD s MAXLEN ~ 100 1800000000001-0 a 1", "XADD s 1800000000001-0 a 1"},
             {"XADD s MAXLEN ~ 1 ACKED * a 1", "XADD s ACKED MAXLEN = 2 1800000000001-1 a 1"},
             {"XADD s MAXLEN 1 * a 1", "XADD s MAXLEN = 1 1800000000001-2 a 1"},
             {"XADD s MAXLEN 1 1800000000002-2 a 1", "XADD s MAXLEN 1 1800000000002-2 a 1"},
             {"XTRIM s MINID ~ 1800000000009", "XTRIM s MINID = 1800000000009-0"},
             {"XTRIM s MAXLEN 0", ""},
             {"XDEL s 1", ""},
             {"XADD s NOMKSTREAM 1800000000010-0 a 1", "XADD s NOMKSTREAM 1800000000010-0 a 1"},
             {"XDELEX s IDS 1 1800000000010-0", "XDELEX s IDS 1 1800000000010-0"}});
}

// A record that is still pending stays below the threshold: it must not hide the one behind it.
BOOST_AUTO_TEST_CASE(the_log_repeats_an_exact_threshold) {
  run("XADD s 1-1 a 1");
  run("XADD s 2-1 a 1");
  run("XADD s 3-1 a 1");
  run("XGROUP CREATE s g 0");
  run("XREADGROUP GROUP g c COUNT 2 STREAMS s >");
  run("XACK s g 2-1");
  check_log({{"XADD s ACKED MINID 3 * a 1", "XADD s ACKED MINID = 3-0 1700000000000-0 a 1"}});
}

BOOST_AUTO_TEST_CASE(changes_are_announced) {
  events();
  run("XADD s MAXLEN 1 1 a 1");
  BOOST_TEST(events() == "new:s xadd:s");
  run("XADD s MAXLEN 1 2 a 1");
  BOOST_TEST(events() == "xadd:s xtrim:s");
  run("XDEL s 2");
  BOOST_TEST(events() == "xdel:s");
  run("XTRIM s MAXLEN 0");
  BOOST_TEST(events() == "");
  run("XSETID s 9-9");
  BOOST_TEST(events() == "xsetid:s");
}

BOOST_AUTO_TEST_SUITE_END()
