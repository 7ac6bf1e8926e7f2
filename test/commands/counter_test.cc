#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_counter, roxdb::commands::test::CommandFixture)

BOOST_AUTO_TEST_CASE(integers_count_up_to_their_limits_and_stay_there) {
  const std::string overflow = "-ERR increment or decrement would overflow";
  check({{"INCR k", ":1"},
         {"INCRBY k 17179869184", ":17179869185"},
         {"DECRBY k 17179869186", ":-1"},
         {"DECR k", ":-2"},
         {"SET k 9223372036854775806", "+OK"},
         {"INCR k", ":9223372036854775807"},
         {"INCR k", overflow},
         {"INCRBY k 9223372036854775807", overflow},
         {"SET k -9223372036854775807", "+OK"},
         {"DECR k", ":-9223372036854775808"},
         {"DECR k", overflow},
         {"GET k", "$-9223372036854775808"},
         {"DECRBY k -9223372036854775808", "-ERR decrement would overflow"}});
}

BOOST_AUTO_TEST_CASE(only_the_canonical_text_of_an_integer_is_one) {
  const std::string refusal = "-ERR value is not an integer or out of range";
  for (const std::string_view value :
       {"\" 11\"", "\"11 \"", "abc", "1.5", "012", "+1", "-0", "\"\"", "9223372036854775808"}) {
    BOOST_TEST_CONTEXT(value) {
      run("SET k " + std::string(value));
      BOOST_TEST(run("INCR k") == refusal);
      BOOST_TEST(run("INCRBY n " + std::string(value)) == refusal);
    }
  }
  BOOST_TEST(run("EXISTS n") == ":0");
}

BOOST_AUTO_TEST_CASE(an_edited_integer_counts_and_becomes_one_again) {
  check({{"SET k 1", "+OK"},
         {"APPEND k 2", ":2"},
         {"OBJECT ENCODING k", "$raw"},
         {"INCR k", ":13"},
         {"OBJECT ENCODING k", "$int"}});
}

BOOST_AUTO_TEST_CASE(counting_keeps_the_expiry) {
  check({{"SET k 5 EX 100", "+OK"},
         {"INCR k", ":6"},
         {"INCRBYFLOAT k 0.5", "$6.5"},
         {"TTL k", ":100"}});
}

BOOST_AUTO_TEST_CASE(floats_count_with_seventeen_digits_behind_the_point) {
  const std::string not_float = "-ERR value is not a valid float";
  check({{"INCRBYFLOAT k 1", "$1"},
         {"INCRBYFLOAT k 0.25", "$1.25"},
         {"INCRBYFLOAT k -1.25", "$0"},
         {"SET k 3.0e3", "+OK"},
         {"INCRBYFLOAT k 200", "$3200"},
         {"SET k 17179869184", "+OK"},
         {"INCRBYFLOAT k 1.5", "$17179869185.5"},
         {"INCRBYFLOAT k inf", "-ERR increment would produce NaN or Infinity"},
         {"INCRBYFLOAT k abc", not_float},
         {"INCRBYFLOAT k \" 1\"", not_float},
         {"SET k abc", "+OK"},
         {"INCRBYFLOAT k 1", not_float}});
}

BOOST_AUTO_TEST_CASE(integers_are_logged_as_they_come_and_floats_as_their_result) {
  check_log({{"INCR k", "INCR k"},
             {"DECRBY k 5", "DECRBY k 5"},
             {"INCRBYFLOAT k 0.1", "SET k -3.9 KEEPTTL"},
             {"INCR k", ""}});
  events();
  run("INCR n");
  BOOST_TEST(events() == "new:n incrby:n");
  run("INCRBYFLOAT n 1");
  BOOST_TEST(events() == "incrbyfloat:n");
}

BOOST_AUTO_TEST_SUITE_END()
