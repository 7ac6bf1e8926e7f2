#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_increx, roxdb::commands::test::CommandFixture)

BOOST_AUTO_TEST_CASE(the_reply_is_the_value_and_the_increment_applied) {
  check({{"INCREX k", "*[:1 :1]"},
         {"INCREX k BYINT 5", "*[:6 :5]"},
         {"INCREX k BYINT -10", "*[:-4 :-10]"},
         {"INCREX k BYINT 0", "*[:-4 :0]"},
         {"INCREX k BYFLOAT 0.25", "*[$-3.75 $0.25]"},
         {"INCREX k BYINT 1", "-ERR value is not an integer or out of range"}});
  reply.set_protocol(3);
  check({{"INCREX k BYFLOAT 0.25", "*[,-3.5 ,0.25]"}});
}

BOOST_AUTO_TEST_CASE(a_result_out_of_bounds_changes_nothing_or_saturates) {
  check({{"SET k 10", "+OK"},
         {"INCREX k BYINT 10 UBOUND 15 EX 100", "*[:10 :0]"},
         {"TTL k", ":-1"},
         {"INCREX k BYINT 10 UBOUND 15 SATURATE", "*[:15 :5]"},
         {"INCREX k BYINT -20 LBOUND 5", "*[:15 :0]"},
         {"INCREX k BYINT -20 LBOUND 5 SATURATE", "*[:5 :-10]"},
         {"INCREX k BYINT 5 UBOUND 10", "*[:10 :5]"},
         {"SET k 50", "+OK"},
         {"INCREX k BYINT 5 UBOUND 30", "*[:50 :0]"},
         {"INCREX k BYINT -25 UBOUND 30", "*[:25 :-25]"},
         {"SET k 50", "+OK"},
         {"INCREX k BYINT 5 UBOUND 30 SATURATE", "*[:30 :-20]"},
         {"SET k 10", "+OK"},
         {"INCREX k BYFLOAT 100 UBOUND 42.5 SATURATE", "*[$42.5 $32.5]"},
         {"INCREX k BYFLOAT 1 LBOUND inf UBOUND inf", "*[$42.5 $0]"}});
}

BOOST_AUTO_TEST_CASE(the_limits_of_the_type_are_bounds_too) {
  check({{"SET k 9223372036854775800", "+OK"},
         {"INCREX k BYINT 9223372036854775800", "*[:9223372036854775800 :0]"},
         {"INCREX k BYINT 9223372036854775800 SATURATE", "*[:9223372036854775807 :7]"},
         {"INCREX k BYINT 1 SATURATE UBOUND -9223372036854775808",
          "-ERR applied increment would overflow"},
         {"SET k -9223372036854775800", "+OK"},
         {"INCREX k BYINT -9223372036854775800 SATURATE", "*[:-9223372036854775808 :-8]"},
         {"SET k 10", "+OK"},
         {"INCREX k BYFLOAT 1 LBOUND inf UBOUND inf SATURATE",
          "-ERR applied increment would be Infinity"},
         {"INCREX k BYFLOAT inf", "-ERR BYFLOAT increment cannot be Infinity"},
         {"SET k inf", "+OK"},
         {"INCREX k BYFLOAT 1", "-ERR value cannot be Infinity"}});
}

BOOST_AUTO_TEST_CASE(a_missing_key_is_made_only_by_an_increment_that_counts) {
  check({{"INCREX k LBOUND 5", "*[:0 :0]"},
         {"EXISTS k", ":0"},
         {"INCREX k BYFLOAT 15.5 UBOUND 10", "*[$0 $0]"},
         {"EXISTS k", ":0"},
         {"INCREX k LBOUND 5 SATURATE", "*[:5 :5]"},
         {"DEL k", ":1"},
         {"INCREX k UBOUND 0 SATURATE", "*[:0 :0]"},
         {"GET k", "$0"}});
}

BOOST_AUTO_TEST_CASE(the_expiry_is_kept_set_or_removed) {
  check({{"INCREX k EX 100", "*[:1 :1]"},
         {"INCREX k", "*[:2 :1]"},
         {"TTL k", ":100"},
         {"INCREX k EX 10 ENX", "*[:3 :1]"},
         {"TTL k", ":100"},
         {"INCREX k PERSIST", "*[:4 :1]"},
         {"TTL k", ":-1"},
         {"INCREX k PX 10000 ENX", "*[:5 :1]"},
         {"TTL k", ":10"},
         {"INCREX k EXAT 1 ENX", "*[:6 :1]"},
         {"EXISTS k", ":1"},
         {"INCREX k EXAT 1", "*[:7 :1]"},
         {"EXISTS k", ":0"},
         {"INCREX k PXAT 1", "*[:1 :1]"},
         {"EXISTS k", ":0"}});
}

BOOST_AUTO_TEST_CASE(no_option_may_come_twice_or_beside_its_opposite) {
  for (const std::string_view options :
       {"FOO", "BYINT 1 FOO", "BYINT 1 BYFLOAT 1.5", "BYINT 1 BYINT 2", "BYINT", "LBOUND",
        "LBOUND 0 LBOUND 1", "UBOUND 9 UBOUND 8", "SATURATE SATURATE", "ENX ENX EX 10",
        "PERSIST PERSIST", "EX 10 EX 20", "EX 10 PX 20", "EX 10 PERSIST", "PERSIST EX 10",
        "PERSIST ENX", "ENX PERSIST", "EX"}) {
    BOOST_TEST_CONTEXT(options) {
      BOOST_TEST(run("INCREX k " + std::string(options)) == "-ERR syntax error");
    }
  }
}

BOOST_AUTO_TEST_CASE(each_number_is_refused_by_its_name) {
  check({{"INCREX k ENX", "-ERR ENX flag requires an expiration"},
         {"INCREX k BYINT abc", "-ERR Increment is not an integer or out of range"},
         {"INCREX k BYFLOAT abc", "-ERR Increment is not a valid float"},
         {"INCREX k LBOUND 1.5", "-ERR LBOUND is not an integer or out of range"},
         {"INCREX k UBOUND inf", "-ERR UBOUND is not an integer or out of range"},
         {"INCREX k BYFLOAT 1 UBOUND abc", "-ERR UBOUND is not a valid float"},
         {"INCREX k LBOUND 10 UBOUND 5", "-ERR LBOUND can't be greater than UBOUND"},
         {"INCREX k BYFLOAT 1 LBOUND inf", "-ERR LBOUND can't be greater than UBOUND"},
         {"INCREX k EX 0", "-ERR invalid expire time in 'increx' command"},
         {"INCREX k EX abc", "-ERR value is not an integer or out of range"},
         {"EXISTS k", ":0"}});
}

BOOST_AUTO_TEST_CASE(the_result_is_logged_as_a_set) {
  check_log({{"INCREX k BYINT 5", "SET k 5 KEEPTTL"},
             {"INCREX k BYFLOAT 0.5", "SET k 5.5 KEEPTTL"},
             {"INCREX k BYFLOAT 0.5 EX 10", "SET k 6 PXAT 1700000010000"},
             {"INCREX k EX 20 ENX", "SET k 7 KEEPTTL"},
             {"INCREX k PERSIST", "SET k 8"},
             {"INCREX k UBOUND 8", ""},
             {"INCREX k EXAT 1", "DEL k"},
             {"INCREX k EXAT 1", ""}});
  events();
  run("INCREX n EX 10");
  BOOST_TEST(events() == "new:n incrby:n expire:n");
  run("INCREX n BYFLOAT 1 PERSIST");
  BOOST_TEST(events() == "incrbyfloat:n persist:n");
  run("INCREX n EXAT 1");
  BOOST_TEST(events() == "del:n");
}

BOOST_AUTO_TEST_SUITE_END()
