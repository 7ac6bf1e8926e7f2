#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "engine/command_table.h"
#include "test/commands/command_fixture.h"

using roxdb::commands::test::CommandFixture;

namespace {

constexpr std::string_view kNotNumbers = "-ERR One or more scores can't be converted into double";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_sort, CommandFixture)

BOOST_AUTO_TEST_CASE(numbers_are_sorted_as_numbers_and_texts_as_bytes) {
  check({{"RPUSH k 3 -1 10 1.5 1e1 2", ":6"},
         {"SORT k", "*[$-1 $1.5 $2 $3 $10 $1e1]"},  // equal numbers in the order of bytes
         {"SORT k DESC", "*[$1e1 $10 $3 $2 $1.5 $-1]"},
         {"SORT k ALPHA", "*[$-1 $1.5 $10 $1e1 $2 $3]"},
         {"SORT k desc asc alpha", "*[$-1 $1.5 $10 $1e1 $2 $3]"},
         {"SORT missing", "*[]"},
         {"SADD s c a b", ":3"},
         {"SORT s ALPHA", "*[$a $b $c]"},
         {"ZADD z 3 1 2 2 1 3", ":3"},
         {"SORT z", "*[$1 $2 $3]"},
         {"SORT_RO z DESC", "*[$3 $2 $1]"}});
}

BOOST_AUTO_TEST_CASE(a_number_is_what_c_calls_one) {
  check({{"RPUSH k \" 7\" inf -inf +3 0x10 \"\" .5", ":7"},
         {"SORT k", "*[$-inf $ $.5 $+3 $ 7 $0x10 $inf]"}});
  for (const std::string_view text : {"x", "nan", "1x", "1 ", " ", "1e400", "-"}) {
    run("DEL k");
    run_args({"RPUSH", "k", "1", text});
    BOOST_TEST(run("SORT k") == kNotNumbers, "'" << text << "'");
  }
  check({{"SORT k STORE to", kNotNumbers}, {"EXISTS to", ":0"}});
}

BOOST_AUTO_TEST_CASE(limit_takes_a_part_of_the_result) {
  check({{"RPUSH k 5 3 4 1 2", ":5"},
         {"SORT k LIMIT 1 2", "*[$2 $3]"},
         {"SORT k LIMIT 3 10", "*[$4 $5]"},
         {"SORT k LIMIT 0 0", "*[]"},
         {"SORT k LIMIT 2 -1", "*[$3 $4 $5]"},
         {"SORT k LIMIT -3 2", "*[$1 $2]"},
         {"SORT k LIMIT 5 1", "*[]"},
         {"SORT k LIMIT 9223372036854775807 9223372036854775807", "*[]"},
         {"SORT k BY nosort LIMIT 1 2", "*[$3 $4]"},
         {"SORT k BY nosort DESC LIMIT 1 2", "*[$1 $4]"},
         {"SORT k LIMIT 0", "-ERR syntax error"},
         {"SORT k LIMIT 0 x", "-ERR value is not an integer or out of range"}});
}

BOOST_AUTO_TEST_CASE(by_compares_other_keys) {
  check({{"RPUSH k a b c d", ":4"},
         {"MSET w_a 3 w_b 1 w_c 2", "+OK"},
         {"SORT k BY w_*", "*[$d $b $c $a]"},  // nothing counts as 0
         {"SORT k BY w_* ALPHA", "*[$d $b $c $a]"},
         {"SORT k BY w_* ALPHA DESC", "*[$a $c $b $d]"},
         {"SORT k BY none_* ALPHA", "*[$a $b $c $d]"},
         {"HSET h_a f 1 g x", ":2"},
         {"HSET h_b f 9", ":1"},
         {"SORT k BY h_*->f", "*[$c $d $a $b]"},
         {"SORT k BY h_*->nosuch LIMIT 0 1", "*[$a]"},
         {"SET w_d x", "+OK"},
         {"SORT k BY w_*", kNotNumbers},
         {"SORT k BY w_* ALPHA", "*[$b $c $a $d]"}});
}

BOOST_AUTO_TEST_CASE(by_a_constant_keeps_the_order_of_the_key) {
  check({{"RPUSH k c a b", ":3"},
         {"SORT k BY nosort", "*[$c $a $b]"},
         {"SORT k BY nosort DESC", "*[$b $a $c]"},
         {"ZADD z 3 a 1 b 2 c", ":3"},
         {"SORT z BY nosort", "*[$b $c $a]"},
         {"SORT z BY nosort DESC", "*[$a $c $b]"},
         {"SORT z BY nosort DESC LIMIT 0 1", "*[$a]"},
         {"SORT z BY nosort LIMIT 1 1", "*[$c]"},
         {"SADD s c b a", ":3"},
         {"SORT s BY nosort LIMIT 0 0", "*[]"},
         {"SORT s BY nosort STORE to", ":3"},  // a set has none: its members are sorted
         {"LRANGE to 0 -1", "*[$a $b $c]"}});
}

BOOST_AUTO_TEST_CASE(get_shows_other_keys_and_the_elements_themselves) {
  check({{"RPUSH k 2 1", ":2"},
         {"MSET n1 one n2 22", "+OK"},
         {"HSET h1 f 7", ":1"},
         {"SET h2 string", "+OK"},
         {"SORT k GET # GET n* GET h*->f GET h*-> GET const",
          "*[$1 $one $7 $nil $nil $2 $22 $nil $nil $nil]"},
         {"SORT k GET h*", "*[$nil $string]"},
         {"SORT k GET *n", "*[$nil $nil]"},
         {"SORT k BY nosort GET n*->", "*[$nil $nil]"}});
}

BOOST_AUTO_TEST_CASE(store_makes_a_list_and_an_empty_result_deletes_the_key) {
  check({{"RPUSH k 2 1", ":2"},
         {"MSET n1 one to v", "+OK"},
         {"EXPIRE to 100", ":1"},
         {"SORT k GET n* GET # STORE to", ":4"},
         {"LRANGE to 0 -1", "*[$one $1 $ $2]"},
         {"TTL to", ":-1"},
         {"SORT k STORE a STORE k", ":2"},
         {"EXISTS a", ":0"},
         {"LRANGE k 0 -1", "*[$1 $2]"},
         {"SORT missing STORE to", ":0"},
         {"EXISTS to", ":0"},
         {"SORT_RO k STORE to", "-ERR syntax error"}});
  log();
  events();
  run("SORT k STORE to");
  BOOST_TEST(log() == "SORT k STORE to");
  BOOST_TEST(events() == "new:to sortstore:to");
  run("SORT k LIMIT 0 0 STORE to");
  BOOST_TEST(events() == "del:to");
  check_log({{"SORT missing STORE to", ""}, {"SORT k", ""}});
}

BOOST_AUTO_TEST_CASE(other_types_and_words_are_refused) {
  check({{"SET s v", "+OK"},
         {"SORT s", "-WRONGTYPE Operation against a key holding the wrong kind of value"},
         {"SORT k FOO", "-ERR syntax error"},
         {"SORT k BY", "-ERR syntax error"},
         {"SORT k GET", "-ERR syntax error"},
         {"SORT k STORE", "-ERR syntax error"}});
}

BOOST_AUTO_TEST_CASE(the_stored_key_is_a_key_of_the_request) {
  using roxdb::engine::CommandTable;
  const auto keys = [this](std::vector<std::string_view> args) {
    std::vector<roxdb::engine::KeyAt> found;
    BOOST_TEST(CommandTable::keys_of(*engine.commands().find(args), args, found));
    std::string text;
    for (const auto& key : found) text += std::string(args[key.arg]) + ' ';
    return text;
  };
  BOOST_TEST(keys({"SORT", "k"}) == "k ");
  BOOST_TEST(keys({"SORT", "k", "store", "a", "STORE", "b"}) == "k b ");
  BOOST_TEST(keys({"SORT", "k", "BY", "STORE", "GET", "STORE"}) == "k ");
  BOOST_TEST(keys({"SORT", "k", "LIMIT", "STORE", "1", "STORE", "to"}) == "k to ");
  BOOST_TEST(keys({"SORT", "k", "STORE"}) == "k ");
}

// Many elements with few different weights: the way of sorting must not show.
BOOST_AUTO_TEST_CASE(a_part_is_the_same_as_that_part_of_the_whole) {
  for (int i = 0; i < 500; ++i) {
    const std::string number = std::to_string(i * 7919 % 500);
    run("RPUSH k " + number);
    run("SET w" + number + " " + std::to_string(i % 5));
  }
  for (const std::string order : {"", " DESC", " ALPHA", " BY w*", " BY w* ALPHA DESC"}) {
    run("SORT k" + order + " STORE whole");
    for (const int first : {0, 17, 250, 490}) {
      const std::string part = run("SORT k" + order + " LIMIT " + std::to_string(first) + " 20");
      BOOST_TEST(part ==
                 run("LRANGE whole " + std::to_string(first) + " " + std::to_string(first + 19)));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
