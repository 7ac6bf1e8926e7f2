#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_string_many, roxdb::commands::test::CommandFixture)

BOOST_AUTO_TEST_CASE(mset_sets_pairs_and_the_last_of_equal_keys_counts) {
  check({{"MSET a 1 b 2 a 3", "+OK"},
         {"MGET a b c a", "*[$3 $2 $nil $3]"},
         {"MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"},
         {"MSETNX a 1 b", "-ERR wrong number of arguments for 'msetnx' command"},
         {"MSETNX c 1 b 2", ":0"},
         {"EXISTS c", ":0"},
         {"MSETNX c 1 c 2", ":1"},
         {"GET c", "$2"},
         {"SET a v EX 10", "+OK"},
         {"MSET a w", "+OK"},
         {"TTL a", ":-1"}});
}

// More keys than are looked up on the stack.
BOOST_AUTO_TEST_CASE(mget_answers_any_number_of_keys_in_order) {
  std::string request = "MGET";
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    const std::string key = "k" + std::to_string(i);
    request += " " + key;
    if (i > 0) expected += " ";
    expected += i % 3 == 0 ? "$nil" : "$" + std::to_string(i);
    if (i % 3 != 0) run("SET " + key + " " + std::to_string(i));
  }
  BOOST_TEST(run(request) == "*[" + expected + "]");
}

BOOST_AUTO_TEST_CASE(mget_passes_over_a_key_that_expires_under_its_eyes) {
  check({{"MSET a 1 c 3", "+OK"}, {"SET b 2 PX 5", "+OK"}});
  advance_ms(6);
  check({{"MGET a b b c", "*[$1 $nil $nil $3]"}});
}

// Big values are shared, so that a reply of more than its bound is cheap to ask for.
BOOST_AUTO_TEST_CASE(a_reply_that_would_be_too_large_is_refused_before_it_is_made) {
  run_args({"SET", "k", std::string(size_t{4} << 20, 'x')});
  std::vector<std::string_view> request(258, "k");
  request[0] = "MGET";
  BOOST_TEST(run_args(request) == "-ERR reply too large");
}

BOOST_AUTO_TEST_CASE(msetex_sets_all_or_nothing_and_one_expiry) {
  check({{"MSETEX 2 a 1 b 2 EX 10", ":1"},
         {"TTL a", ":10"},
         {"TTL b", ":10"},
         {"MSETEX 2 a 3 c 4 XX", ":0"},
         {"MSETEX 2 c 3 a 4 NX", ":0"},
         {"MSETEX 2 a 3 b 4 XX KEEPTTL", ":1"},
         {"MGET a b", "*[$3 $4]"},
         {"TTL a", ":10"},
         {"MSETEX 1 a 5", ":1"},
         {"TTL a", ":-1"},
         {"MSETEX 2 x 1 y 2 NX PXAT 1700000030000", ":1"},
         {"TTL y", ":30"},
         {"MSETEX 2 x 1 y 2 EXAT 1", ":1"},
         {"EXISTS x y", ":0"}});
}

BOOST_AUTO_TEST_CASE(msetex_refuses_what_does_not_add_up) {
  const std::string numkeys = "-ERR invalid numkeys value";
  const std::string pairs = "-ERR wrong number of key-value pairs";
  const std::string syntax = "-ERR syntax error";
  check({{"MSETEX key1 val1 ex 10", numkeys},
         {"MSETEX 0 a 1", numkeys},
         {"MSETEX -1 a 1", numkeys},
         {"MSETEX 2147483648 a 1", numkeys},
         {"MSETEX 2147483647 a 1", pairs},
         {"MSETEX 2 a 1 b", pairs},
         {"MSETEX 1 a 1 FOO", syntax},
         {"MSETEX 1 a 1 NX XX", syntax},
         {"MSETEX 1 a 1 EX 10 PX 10", syntax},
         {"MSETEX 1 a 1 KEEPTTL EX 10", syntax},
         {"MSETEX 1 a 1 IFEQ 1", syntax},
         {"MSETEX 1 a 1 GET", syntax},
         {"MSETEX 1 a 1 EX 0", "-ERR invalid expire time in 'msetex' command"},
         {"EXISTS a", ":0"}});
}

BOOST_AUTO_TEST_CASE(pairs_are_logged_as_one_command_without_conditions) {
  check_log({{"MSET a 1 b 2", "MSET a 1 b 2"},
             {"MSETNX a 1 c 2", ""},
             {"MSETNX c 1 d 2", "MSET c 1 d 2"},
             {"MSETEX 2 a 1 b 2 XX EX 10", "MSETEX 2 a 1 b 2 PXAT 1700000010000"},
             {"MSETEX 1 a 1 KEEPTTL", "MSETEX 1 a 1 KEEPTTL"},
             {"MSETEX 1 a 1", "MSET a 1"},
             {"MSETEX 1 a 1 NX", ""},
             {"MSETEX 2 a 1 nokey 2 EXAT 1", "DEL a"}});
  events();
  run("MSETEX 2 b 1 e 2 EX 5");
  BOOST_TEST(events() == "set:b expire:b new:e set:e expire:e");
}

BOOST_AUTO_TEST_SUITE_END()
