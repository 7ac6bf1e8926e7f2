#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_lcs, roxdb::commands::test::CommandFixture)

BOOST_AUTO_TEST_CASE(the_three_forms_of_the_reply_agree) {
  check({{"MSET a ohmytext b mynewtext n 4321", "+OK"},
         {"LCS a b", "$mytext"},
         {"LCS a b LEN", ":6"},
         {"LCS a b IDX", "%{$matches *[*[*[:4 :7] *[:5 :8]] *[*[:2 :3] *[:0 :1]]] $len :6}"},
         {"LCS a b IDX MINMATCHLEN 4", "%{$matches *[*[*[:4 :7] *[:5 :8]]] $len :6}"},
         {"LCS a b IDX MINMATCHLEN -4 WITHMATCHLEN",
          "%{$matches *[*[*[:4 :7] *[:5 :8] :4] *[*[:2 :3] *[:0 :1] :2]] $len :6}"},
         {"LCS n n", "$4321"},
         {"LCS a missing", "$"},
         {"LCS missing a LEN", ":0"},
         {"LCS missing missing IDX", "%{$matches *[] $len :0}"}});
}

BOOST_AUTO_TEST_CASE(options_are_checked_after_the_keys) {
  put_other_type("list");
  const std::string type = "-ERR The specified keys must contain string values";
  check(
      {{"LCS list a FOO", type},
       {"LCS a b FOO", "-ERR syntax error"},
       {"LCS a b MINMATCHLEN", "-ERR syntax error"},
       {"LCS a b MINMATCHLEN x", "-ERR value is not an integer or out of range"},
       {"LCS a b LEN IDX", "-ERR If you want both the length and indexes, please just use IDX."}});
}

BOOST_AUTO_TEST_CASE(the_older_command_takes_keys_or_strings) {
  check({{"MSET a ohmytext b mynewtext", "+OK"},
         {"STRALGO LCS STRINGS ohmytext mynewtext", "$mytext"},
         {"STRALGO LCS LEN KEYS a b", ":6"},
         {"STRALGO LCS KEYS a b STRINGS a b", "-ERR Either use STRINGS or KEYS"},
         {"STRALGO LCS LEN",
          "-ERR Please specify two strings: STRINGS or KEYS options are mandatory"},
         {"STRALGO LCS KEYS a", "-ERR syntax error"},
         {"STRALGO FOO KEYS a b", "-ERR syntax error"}});
}

BOOST_AUTO_TEST_SUITE_END()
