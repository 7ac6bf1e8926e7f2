#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

namespace roxdb::commands::test {

BOOST_FIXTURE_TEST_SUITE(commands_list_move, CommandFixture)

BOOST_AUTO_TEST_CASE(a_move_tells_of_both_lists) {
  run("RPUSH a 1 2");
  events();
  check({{"LMOVE a b LEFT RIGHT", "$1"}, {"RPOPLPUSH a b", "$2"}, {"LRANGE b 0 -1", "*[$2 $1]"}});
  BOOST_TEST(events() == "new:b rpush:b lpop:a lpush:b rpop:a del:a");
  BOOST_TEST(log() == "RPUSH a 1 2; LMOVE a b LEFT RIGHT; RPOPLPUSH a b");
}

BOOST_AUTO_TEST_CASE(a_list_can_be_rotated) {
  run("RPUSH a 1 2 3");
  check({{"LMOVE a a LEFT RIGHT", "$1"},
         {"LMOVE a a RIGHT RIGHT", "$1"},
         {"LRANGE a 0 -1", "*[$2 $3 $1]"},
         {"RPUSH one x", ":1"},
         {"LMOVE one one LEFT RIGHT", "$x"},
         {"LRANGE one 0 -1", "*[$x]"}});
}

BOOST_AUTO_TEST_CASE(other_types_are_refused_and_nothing_moves) {
  run("RPUSH a 1");
  run("SET s v");
  const char* const wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value";
  check({{"LMOVE a s LEFT LEFT", wrong},
         {"LMOVE s a LEFT LEFT", wrong},
         {"LMOVE missing s LEFT LEFT", "$nil"},
         {"LMOVE a b LEFT UP", "-ERR syntax error"},
         {"BLMOVE a b UP LEFT x", "-ERR syntax error"},
         {"BLMOVE a b LEFT LEFT x", "-ERR timeout is not a float or out of range"},
         {"LLEN a", ":1"}});
}

// Every pair of ends, one by one and in a block, against what the words say.
BOOST_AUTO_TEST_CASE(several_elements_move_in_the_order_asked_for) {
  const struct {
    const char* request;
    const char* moved;
    const char* destination;
  } kCases[] = {
      {"LMOVEM a b LEFT LEFT COUNT 2 OBO", "*[$2 $1]", "*[$2 $1 $x $y]"},
      {"LMOVEM a b LEFT LEFT COUNT 2 BULK", "*[$1 $2]", "*[$1 $2 $x $y]"},
      {"LMOVEM a b LEFT RIGHT COUNT 2 OBO", "*[$1 $2]", "*[$x $y $1 $2]"},
      {"LMOVEM a b LEFT RIGHT COUNT 2 BULK", "*[$1 $2]", "*[$x $y $1 $2]"},
      {"LMOVEM a b RIGHT LEFT COUNT 2 OBO", "*[$3 $4]", "*[$3 $4 $x $y]"},
      {"LMOVEM a b RIGHT LEFT COUNT 2 BULK", "*[$3 $4]", "*[$3 $4 $x $y]"},
      {"LMOVEM a b RIGHT RIGHT COUNT 2 OBO", "*[$4 $3]", "*[$x $y $4 $3]"},
      {"LMOVEM a b RIGHT RIGHT COUNT 2 BULK", "*[$3 $4]", "*[$x $y $3 $4]"},
      {"LMOVEM a b LEFT RIGHT COUNT 9 OBO", "*[$1 $2 $3 $4]", "*[$x $y $1 $2 $3 $4]"},
      {"LMOVEM a b LEFT RIGHT EXACTLY 5 OBO", "*nil", "*[$x $y]"},
      {"LMOVEM a b LEFT RIGHT", "*[$1]", "*[$x $y $1]"},
  };
  for (const auto& [request, moved, destination] : kCases) {
    BOOST_TEST_CONTEXT(request) {
      run("FLUSHALL");
      run("RPUSH a 1 2 3 4");
      run("RPUSH b x y");
      BOOST_TEST(run(request) == moved);
      BOOST_TEST(run("LRANGE b 0 -1") == destination);
    }
  }
}

BOOST_AUTO_TEST_CASE(several_elements_can_move_within_a_list) {
  check({{"RPUSH a 1 2 3 4", ":4"},
         {"LMOVEM a a LEFT RIGHT COUNT 2 BULK", "*[$1 $2]"},
         {"LRANGE a 0 -1", "*[$3 $4 $1 $2]"},
         {"LMOVEM a a LEFT LEFT COUNT 2 OBO", "*[$4 $3]"},
         {"LRANGE a 0 -1", "*[$4 $3 $1 $2]"},
         {"LMOVEM a a LEFT RIGHT COUNT 9 OBO", "*[$4 $3 $1 $2]"},
         {"LLEN a", ":4"}});
}

BOOST_AUTO_TEST_CASE(how_many_is_said_in_full_or_not_at_all) {
  run("RPUSH a 1 2");
  for (const char* words : {"COUNT 2", "2 OBO", "COUNT 2 OBO BULK", "COUNT 2 FAST", "SOME 2 OBO"}) {
    BOOST_TEST(run("LMOVEM a b LEFT LEFT " + std::string(words)) == "-ERR syntax error");
  }
  check({{"LMOVEM a b LEFT LEFT COUNT 0 OBO", "-ERR count should be greater than 0"},
         {"LMOVEM a b LEFT LEFT EXACTLY x OBO", "-ERR count should be greater than 0"}});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::commands::test
