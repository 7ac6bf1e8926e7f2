#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

namespace {

// A stream of four records, a group, two of them with consumer c.
struct GroupFixture : roxdb::commands::test::CommandFixture {
  GroupFixture() {
    for (const char* id : {"1", "2", "3", "4"}) run("XADD s " + std::string(id) + " a 1");
    run("XGROUP CREATE s g 0");
    run("XREADGROUP GROUP g c COUNT 2 STREAMS s >");
    log();
    events();
  }
};

const std::string kNoKey =
    "-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to "
    "use the MKSTREAM option to create an empty stream automatically.";
const std::string kNoGroup = "-NOGROUP No such consumer group 'x' for key name 's'";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_stream_group, GroupFixture)

BOOST_AUTO_TEST_CASE(a_group_needs_a_stream_unless_it_makes_one) {
  check({{"XGROUP CREATE t g $", kNoKey},
         {"XGROUP SETID t g $", kNoKey},
         {"XGROUP DESTROY t g", kNoKey},
         {"XGROUP CREATECONSUMER t g c", kNoKey},
         {"XGROUP DELCONSUMER t g c", kNoKey},
         {"XGROUP CREATE t g x MKSTREAM",
          "-ERR Invalid stream ID specified as stream command argument"},
         {"EXISTS t", ":0"},
         {"XGROUP CREATE t g $ MKSTREAM", "+OK"},
         {"XGROUP CREATE t g $ MKSTREAM", "-BUSYGROUP Consumer Group name already exists"},
         {"TYPE t", "+stream"},
         {"XGROUP SETID s x 0", kNoGroup},
         {"XGROUP CREATECONSUMER s x c", kNoGroup},
         {"XGROUP DELCONSUMER s x c", kNoGroup},
         {"XGROUP DESTROY s x", ":0"}});
}

BOOST_AUTO_TEST_CASE(wrong_words_are_refused) {
  const std::string refusal =
      "-ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try XGROUP HELP.";
  check(
      {{"XGROUP CREATE s h 0 FOO", refusal},
       {"XGROUP CREATE s h 0 MKSTREAM ENTRIESREAD 1 MKSTREAM", refusal},
       {"XGROUP CREATE s h 0 ENTRIESREAD", refusal},
       {"XGROUP CREATE s h 0 ENTRIESREAD -2", "-ERR value for ENTRIESREAD must be positive or -1"},
       {"XGROUP CREATE s h 0 ENTRIESREAD x", "-ERR value is not an integer or out of range"},
       {"XGROUP SETID s g 0 MKSTREAM",
        "-ERR unknown subcommand or wrong number of arguments for 'SETID'. Try XGROUP HELP."}});
}

BOOST_AUTO_TEST_CASE(a_group_goes_on_where_it_is_told_to) {
  check({{"XGROUP SETID s g 3 ENTRIESREAD 99", "+OK"},
         {"XREADGROUP GROUP g c STREAMS s >", "*[*[$s *[*[$4-0 *[$a $1]]]]]"},
         {"XGROUP SETID s g $", "+OK"},
         {"XREADGROUP GROUP g c STREAMS s >", "*nil"},
         {"XGROUP SETID s g -", "+OK"},
         {"XREADGROUP GROUP g d COUNT 1 STREAMS s >", "*[*[$s *[*[$1-0 *[$a $1]]]]]"},
         {"XPENDING s g", "*[:3 $1-0 $4-0 *[*[$c $2] *[$d $1]]]"}});
}

BOOST_AUTO_TEST_CASE(acknowledged_records_are_pending_no_more) {
  check({{"XACK s g 1 1 3 9", ":1"},
         {"XACK s x 1", ":0"},
         {"XACK none g 1", ":0"},
         {"XACK s g x", "-ERR Invalid stream ID specified as stream command argument"},
         {"XPENDING s g", "*[:1 $2-0 $2-0 *[*[$c $1]]]"},
         {"XLEN s", ":4"}});
}

BOOST_AUTO_TEST_CASE(acknowledging_can_delete_at_once) {
  run("XGROUP CREATE s h 0");
  run("XREADGROUP GROUP h c COUNT 1 STREAMS s >");
  check({{"XACKDEL s g ACKED IDS 3 1 2 3", "*[:2 :2 :-1]"},
         {"XACKDEL s h ACKED IDS 1 1", "*[:1]"},
         {"XLEN s", ":3"},
         {"XACKDEL s x IDS 2 1 2", "*[:-1 :-1]"},
         {"XACKDEL none g IDS 1 1", "*[:-1]"},
         {"XACKDEL s g ACKED DELREF IDS 1 1", "-ERR syntax error"}});
}

BOOST_AUTO_TEST_CASE(a_removed_consumer_takes_its_pending_records_along) {
  check({{"XGROUP DELCONSUMER s g c", ":2"},
         {"XGROUP DELCONSUMER s g c", ":0"},
         {"XPENDING s g", "*[:0 $nil $nil *nil]"},
         {"XGROUP DESTROY s g", ":1"},
         {"XREADGROUP GROUP g c STREAMS s >",
          "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option"}});
}

BOOST_AUTO_TEST_CASE(records_given_back_are_nobodys_and_claimed_first) {
  check({{"XNACK s g SILENT IDS 1 1", ":1"},
         {"XPENDING s g - + 9", "*[*[$1-0 $ :-1 :0] *[$2-0 $c :0 :1]]"},
         {"XNACK s g FAIL IDS 2 2 9", ":1"},
         {"XNACK s g FATAL IDS 1 1", ":1"},
         {"XPENDING s g - + 9", "*[*[$1-0 $ :-1 :9223372036854775807] *[$2-0 $ :-1 :1]]"},
         {"XPENDING s g", "*[:2 $1-0 $2-0 *[]]"},
         {"XNACK s g FAIL IDS 1 3 RETRYCOUNT 7 FORCE", ":1"},
         {"XNACK s g FAIL FORCE IDS 1 8", ":0"},
         {"XREADGROUP GROUP g d COUNT 1 CLAIM 999999 STREAMS s >",
          "*[*[$s *[*[$2-0 *[$a $1] :0 :1]]]]"},
         {"XPENDING s g - + 9 d", "*[*[$2-0 $d :0 :2]]"},
         {"XCLAIM s g d 99999 1 JUSTID", "*[$1-0]"}});
}

BOOST_AUTO_TEST_CASE(giving_back_is_refused_with_the_reason) {
  check({{"XNACK s x FAIL IDS 1 1", "-NOGROUP No such key 's' or consumer group 'x'"},
         {"XNACK s g FOO IDS 1 1", "-ERR mode must be SILENT, FAIL, or FATAL"},
         {"XNACK s g FAIL FATAL IDS 1 1", "-ERR Unrecognized XNACK option 'FATAL'"},
         {"XNACK s g FAIL IDS 0 1", "-ERR numids must be a positive integer"},
         {"XNACK s g FAIL IDS 2 1", "-ERR number of IDs doesn't match numids"},
         {"XNACK s g FAIL FORCE RETRYCOUNT 5", "-ERR syntax error, expected IDS keyword"},
         {"XNACK s g FAIL IDS 1 1 RETRYCOUNT -1", "-ERR Invalid RETRYCOUNT value, must be >= 0"},
         {"XNACK s g FAIL IDS 1 1 RETRYCOUNT x", "-ERR value is not an integer or out of range"},
         {"XNACK s g FAIL IDS 1 1 RETRYCOUNT", "-ERR Unrecognized XNACK option 'RETRYCOUNT'"}});
}

BOOST_AUTO_TEST_CASE(a_renamed_command_is_logged_by_its_own_name) {
  BOOST_TEST_REQUIRE(engine.commands().rename("xack", "done"));
  check_log({{"DONE s g 1", "XACK s g 1"}});
}

BOOST_AUTO_TEST_CASE(groups_are_announced_and_acknowledgements_only_logged) {
  const auto expect = [&](std::string_view request, std::string_view announced,
                          std::string_view logged) {
    BOOST_TEST_CONTEXT(request) {
      run(request);
      BOOST_TEST(events() == announced);
      BOOST_TEST(log() == logged);
    }
  };
  expect("XGROUP CREATE t g $ MKSTREAM", "new:t xgroup-create:t", "XGROUP CREATE t g $ MKSTREAM");
  expect("XGROUP CREATECONSUMER t g c", "xgroup-createconsumer:t", "XGROUP CREATECONSUMER t g c");
  expect("XGROUP CREATECONSUMER t g c", "", "");
  expect("XGROUP SETID t g 5-5", "xgroup-setid:t", "XGROUP SETID t g 5-5");
  expect("XGROUP DELCONSUMER t g c", "xgroup-delconsumer:t", "XGROUP DELCONSUMER t g c");
  expect("XGROUP DESTROY t g", "xgroup-destroy:t", "XGROUP DESTROY t g");
  expect("XACK s g 1", "", "XACK s g 1");
  expect("XACK s g 1", "", "");
  expect("XNACK s g FAIL IDS 1 2", "", "XNACK s g FAIL IDS 1 2");
  expect("XACKDEL s g IDS 1 2", "xdel:s", "XACKDEL s g IDS 1 2");
}

BOOST_AUTO_TEST_SUITE_END()
