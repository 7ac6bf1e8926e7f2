#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

namespace {

struct InfoFixture : roxdb::commands::test::CommandFixture {
  // What XINFO GROUPS says of entries-read and lag of the only group.
  std::string progress() {
    const std::string info = run("XINFO GROUPS s");
    const size_t at = info.find("$entries-read ");
    return at == std::string::npos ? info : info.substr(at + 14, info.size() - at - 16);
  }
  void add(int first, int last) {
    for (int i = first; i <= last; ++i) run("XADD s " + std::to_string(i) + " f v");
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_stream_info, InfoFixture)

BOOST_AUTO_TEST_CASE(a_stream_tells_of_its_records_and_its_past) {
  add(1, 3);
  run("XDEL s 2 3");
  BOOST_TEST(run("XINFO STREAM s") ==
             "%{$length :1 $radix-tree-keys :1 $radix-tree-nodes :2 $last-generated-id $3-0 "
             "$max-deleted-entry-id $3-0 $entries-added :3 $recorded-first-entry-id $1-0 $groups "
             ":0 $first-entry *[$1-0 *[$f $v]] $last-entry *[$1-0 *[$f $v]]}");
  run("XDEL s 1");
  BOOST_TEST(run("XINFO STREAM s") ==
             "%{$length :0 $radix-tree-keys :0 $radix-tree-nodes :1 $last-generated-id $3-0 "
             "$max-deleted-entry-id $3-0 $entries-added :3 $recorded-first-entry-id $0-0 $groups "
             ":0 $first-entry $nil $last-entry $nil}");
}

BOOST_AUTO_TEST_CASE(the_full_form_shows_groups_and_consumers) {
  add(1, 12);
  run("XGROUP CREATE s g 0");
  run("XREADGROUP GROUP g c COUNT 2 STREAMS s >");
  advance_ms(5);
  run("XREADGROUP GROUP g d STREAMS s 0");
  const std::string head =
      "%{$length :12 $radix-tree-keys :1 $radix-tree-nodes :2 $last-generated-id $12-0 "
      "$max-deleted-entry-id $0-0 $entries-added :12 $recorded-first-entry-id $1-0 $entries ";
  const std::string group =
      " $groups *[%{$name $g $last-delivered-id $2-0 $entries-read :2 $lag :10 $pel-count :2 "
      "$pending *[*[$1-0 $c :1700000000000 :1]] $consumers *[%{$name $c $seen-time :1700000000000 "
      "$active-time :1700000000000 $pel-count :2 $pending *[*[$1-0 :1700000000000 :1]]} %{$name $d "
      "$seen-time :1700000000005 $active-time :-1 $pel-count :0 $pending *[]}]}]}";
  BOOST_TEST(run("XINFO STREAM s FULL COUNT 1") == head + "*[*[$1-0 *[$f $v]]]" + group);
  const std::string ten = run("XINFO STREAM s FULL");
  BOOST_TEST(ten.find("$10-0") != std::string::npos);
  BOOST_TEST(ten.find("$11-0 *") == std::string::npos);
  BOOST_TEST(run("XINFO STREAM s FULL COUNT 0").find("$12-0 *") != std::string::npos);
  const std::string refusal =
      "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.";
  check({{"XINFO STREAM s FOO", refusal},
         {"XINFO STREAM s FULL COUNT", refusal},
         {"XINFO STREAM s FULL FOO 1", refusal},
         {"XINFO STREAM s FULL COUNT x", "-ERR value is not an integer or out of range"},
         {"XINFO STREAM none", "-ERR no such key"},
         {"XINFO GROUPS none", "-ERR no such key"},
         {"XINFO CONSUMERS none g", "-ERR no such key"},
         {"XINFO CONSUMERS s x", "-NOGROUP No such consumer group 'x' for key name 's'"}});
}

BOOST_AUTO_TEST_CASE(consumers_tell_when_they_were_seen_and_active) {
  add(1, 1);
  run("XGROUP CREATE s g 0");
  run("XREADGROUP GROUP g c STREAMS s >");
  advance_ms(30);
  run("XREADGROUP GROUP g c STREAMS s >");
  run("XGROUP CREATECONSUMER s g a");
  advance_ms(7);
  BOOST_TEST(run("XINFO CONSUMERS s g") ==
             "*[%{$name $a $pending :0 $idle :7 $inactive :-1} %{$name $c $pending :1 $idle :7 "
             "$inactive :37}]");
}

BOOST_AUTO_TEST_CASE(lag_is_known_as_long_as_deletions_do_not_hide_it) {
  add(1, 5);
  run("XGROUP CREATE s g 0");
  BOOST_TEST(progress() == "$nil $lag :5");
  run("XREADGROUP GROUP g c COUNT 1 STREAMS s >");
  BOOST_TEST(progress() == ":1 $lag :4");
  run("XDEL s 3");
  BOOST_TEST(progress() == ":1 $lag $nil");
  run("XREADGROUP GROUP g c COUNT 2 STREAMS s >");
  BOOST_TEST(progress() == "$nil $lag $nil");
  run("XREADGROUP GROUP g c STREAMS s >");
  BOOST_TEST(progress() == ":5 $lag :0");
  add(6, 7);
  BOOST_TEST(progress() == ":5 $lag :2");
  run("XTRIM s MAXLEN 0");
  BOOST_TEST(progress() == ":5 $lag :0");
}

BOOST_AUTO_TEST_CASE(what_was_read_is_never_more_than_what_was_added) {
  add(1, 1);
  run("XGROUP CREATE s g $ ENTRIESREAD 9999");
  BOOST_TEST(progress() == ":1 $lag :0");
  run("XGROUP SETID s g $ ENTRIESREAD 9999");
  BOOST_TEST(progress() == ":1 $lag :0");
}

BOOST_AUTO_TEST_SUITE_END()
