// Lists in place: pushes, reads and edits. How lists are kept: test/types/list_value_test.cc.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>

#include "test/commands/command_fixture.h"

namespace roxdb::commands::test {

BOOST_FIXTURE_TEST_SUITE(commands_list, CommandFixture)

BOOST_AUTO_TEST_CASE(pushes_tell_and_log_what_they_did) {
  run("RPUSH k a b");
  BOOST_TEST(events() == "new:k rpush:k");
  run("LPUSH k c");
  run("LPUSHX k d");
  run("RPUSHX missing d");
  BOOST_TEST(events() == "lpush:k lpush:k");
  BOOST_TEST(log() == "RPUSH k a b; LPUSH k c; LPUSHX k d");
  BOOST_TEST(run("LRANGE k 0 -1") == "*[$d $c $a $b]");
  BOOST_TEST(run("EXISTS missing") == ":0");
}

BOOST_AUTO_TEST_CASE(elements_come_back_as_they_were) {
  check({{"RPUSH k 007 7 -7 '' 1e3 9223372036854775807 9223372036854775808", ":7"},
         {"LRANGE k 0 -1", "*[$007 $7 $-7 $ $1e3 $9223372036854775807 $9223372036854775808]"}});
}

BOOST_AUTO_TEST_CASE(ranges_are_clipped) {
  run("RPUSH k a b c d");
  check({{"LRANGE k 0 0", "*[$a]"},
         {"LRANGE k -100 1", "*[$a $b]"},
         {"LRANGE k 2 100", "*[$c $d]"},
         {"LRANGE k -2 -3", "*[]"},
         {"LRANGE k 4 9", "*[]"},
         {"LRANGE k -9223372036854775808 9223372036854775807", "*[$a $b $c $d]"},
         {"LRANGE k x 1", "-ERR value is not an integer or out of range"},
         {"LRANGE missing x 1", "-ERR value is not an integer or out of range"},
         {"LINDEX k -4", "$a"},
         {"LINDEX k -5", "$nil"},
         {"LINDEX k x", "-ERR value is not an integer or out of range"},
         {"LINDEX missing x", "$nil"}});
}

BOOST_AUTO_TEST_CASE(positions_are_found_from_either_end) {
  run("RPUSH k a b c 1 2 3 c c");
  check({{"LPOS k c RANK -1", ":7"},
         {"LPOS k c RANK -2 COUNT 0", "*[:6 :2]"},
         {"LPOS k c COUNT 2", "*[:2 :6]"},
         {"LPOS k c RANK 9", "$nil"},
         {"LPOS k c RANK 9 COUNT 1", "*[]"},
         {"LPOS k 2", ":4"},
         {"LPOS k c MAXLEN 2", "$nil"},
         {"LPOS k c MAXLEN 3", ":2"},
         {"LPOS k c RANK -1 MAXLEN 1 COUNT 0", "*[:7]"},
         {"LPOS missing c", "$nil"},
         {"LPOS missing c COUNT 0", "*[]"},
         {"LPOS k c COUNT -1", "-ERR COUNT can't be negative"},
         {"LPOS k c MAXLEN -1", "-ERR MAXLEN can't be negative"},
         {"LPOS k c RANK", "-ERR syntax error"},
         {"LPOS k c FROM 1", "-ERR syntax error"},
         {"LPOS k c RANK 0",
          "-ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or "
          "use negative to start from the end of the list"}});
}

BOOST_AUTO_TEST_CASE(edits_in_place_tell_what_they_did) {
  run("RPUSH k a b c b");
  events();
  log();
  check({{"LSET k 1 B", "+OK"},
         {"LINSERT k BEFORE c x", ":5"},
         {"LINSERT k after c y", ":6"},
         {"LINSERT k BESIDE c y", "-ERR syntax error"},
         {"LREM k 0 b", ":1"},
         {"LREM k 0 nothing", ":0"},
         {"LTRIM k 0 -2", "+OK"},
         {"LTRIM k 0 100", "+OK"},
         {"LRANGE k 0 -1", "*[$a $B $x $c]"}});
  BOOST_TEST(events() == "lset:k linsert:k linsert:k lrem:k ltrim:k ltrim:k");
  // The last trim removed nothing.
  BOOST_TEST(log() ==
             "LSET k 1 B; LINSERT k BEFORE c x; LINSERT k after c y; LREM k 0 b; LTRIM k 0 -2");
}

BOOST_AUTO_TEST_CASE(a_list_that_is_empty_is_no_key) {
  check({{"RPUSH k a a", ":2"}, {"LREM k 0 a", ":2"}, {"EXISTS k", ":0"}});
  BOOST_TEST(events() == "new:k rpush:k lrem:k del:k");
  check({{"RPUSH k a", ":1"}, {"LTRIM k 1 0", "+OK"}, {"EXISTS k", ":0"}});
  BOOST_TEST(events() == "new:k rpush:k ltrim:k del:k");
}

BOOST_AUTO_TEST_CASE(removing_counts_from_either_end) {
  run("RPUSH k a b a b a");
  check({{"LREM k 1 a", ":1"},
         {"LRANGE k 0 -1", "*[$b $a $b $a]"},
         {"LREM k -1 b", ":1"},
         {"LRANGE k 0 -1", "*[$b $a $a]"},
         {"LREM k x a", "-ERR value is not an integer or out of range"},
         {"LREM missing 0 a", ":0"}});
}

BOOST_AUTO_TEST_CASE(keys_of_other_types_are_refused) {
  run("SET k v");
  for (const char* request :
       {"LPUSH k a", "RPUSHX k a", "LLEN k", "LRANGE k 0 1", "LINDEX k 0", "LSET k 0 a",
        "LINSERT k BEFORE a b", "LREM k 0 a", "LTRIM k 0 1", "LPOS k a"}) {
    BOOST_TEST_CONTEXT(request) {
      BOOST_TEST(run(request) ==
                 "-WRONGTYPE Operation against a key holding the wrong kind of value");
    }
  }
}

BOOST_AUTO_TEST_CASE(encodings_change_at_the_limits_of_redis) {
  engine.limits.list_node_size = 3;
  check({{"RPUSH k a b c", ":3"},
         {"OBJECT ENCODING k", "$listpack"},
         {"RPUSH k d", ":4"},
         {"OBJECT ENCODING k", "$quicklist"},
         {"LTRIM k 0 1", "+OK"},
         {"OBJECT ENCODING k", "$quicklist"},
         {"RPOP k", "$b"},
         {"OBJECT ENCODING k", "$listpack"}});
}

// Redis asks for the room of one more element before it replaces one.
BOOST_AUTO_TEST_CASE(a_full_listpack_does_not_survive_a_replacement) {
  engine.limits.list_node_size = 3;
  check({{"RPUSH k a b c", ":3"},
         {"LSET k 1 x", "+OK"},
         {"OBJECT ENCODING k", "$quicklist"},
         {"LRANGE k 0 -1", "*[$a $x $c]"},
         {"RPUSH j a b", ":2"},
         {"LSET j 1 x", "+OK"},
         {"OBJECT ENCODING j", "$listpack"}});
  engine.limits.list_node_size = -1;
  const std::string big(4090, 'b');
  check({{"RPUSH l a " + big, ":2"},
         {"OBJECT ENCODING l", "$quicklist"},
         {"LSET l 1 b", "+OK"},
         {"OBJECT ENCODING l", "$listpack"}});
}

// What other commands do with a long list: it travels as a whole.
BOOST_AUTO_TEST_CASE(long_lists_are_copied_renamed_and_deleted) {
  std::string request = "RPUSH k";
  for (int i = 0; i < 2000; ++i) request += " element:" + std::to_string(i);
  BOOST_TEST(run(request) == ":2000");
  check({{"COPY k c", ":1"},
         {"RENAME k r", "+OK"},
         {"LSET r 1000 x", "+OK"},
         {"LINDEX c 1000", "$element:1000"},
         {"EXPIRE r 100", ":1"},
         {"LLEN r", ":2000"},
         {"DEL r c", ":2"},
         {"DBSIZE", ":0"}});
  BOOST_TEST(engine.keyspace(0).slabs().used_bytes() == 0u);
}

// Two lists of the same elements, one with packed nodes: no command tells them apart but MEMORY.
BOOST_AUTO_TEST_CASE(compressed_lists_answer_as_others_do) {
  const auto on_both = [&](const std::string& before, const std::string& behind) {
    engine.limits.list_plain_depth = 0;
    const std::string plain = run(before + " plain" + behind);
    engine.limits.list_plain_depth = 2;
    const std::string packed = run(before + " packed" + behind);
    BOOST_TEST_CONTEXT(before << " key" << behind) { BOOST_TEST((plain == packed)); }
  };
  std::string elements;
  for (int i = 0; i < 3000; ++i) elements += " element:" + std::to_string(i * 7 % 1000);
  on_both("RPUSH", elements);
  on_both("LPUSH", elements);
  BOOST_TEST(std::stoi(run("MEMORY USAGE packed").substr(1)) * 2 <
             std::stoi(run("MEMORY USAGE plain").substr(1)));
  on_both("OBJECT ENCODING", "");
  for (const int index : {0, 1, 1500, 3000, 4567, -1, -700, -6000}) {
    const std::string at = " " + std::to_string(index);
    on_both("LINDEX", at);
    on_both("LRANGE", at + " " + std::to_string(index + 900));
    on_both("LSET", at + " 'another element'");
    on_both("LINSERT", " AFTER element:" + std::to_string(std::abs(index) % 1000) + " inserted");
  }
  on_both("LPOS", " element:77 COUNT 0");
  on_both("LPOS", " element:77 RANK -2 COUNT 2 MAXLEN 5500");
  on_both("SORT", " ALPHA LIMIT 1000 200 DESC");
  on_both("SORT", " BY nosort LIMIT 3000 20");
  on_both("LREM", " 2 element:500");
  on_both("LREM", " -2 element:501");
  on_both("LREM", " 0 element:502");
  on_both("LREM", " 0 'no such element'");
  on_both("LTRIM", " 700 -900");
  on_both("LPOP", " 600");
  on_both("RPOP", " 600");
  on_both("DUMP", "");
  on_both("LRANGE", " 0 -1");
  BOOST_TEST(run("COPY packed copy") == ":1");
  BOOST_TEST(run("SORT packed BY nosort STORE sorted") == run("LLEN plain"));
  BOOST_TEST(run("LRANGE copy 0 -1") == run("LRANGE plain 0 -1"));
  BOOST_TEST(run("LRANGE sorted 0 -1") == run("LRANGE plain 0 -1"));
  while (run("LLEN packed") != ":0") {
    on_both("LMOVEM", " moved LEFT RIGHT COUNT 500 BULK");
    on_both("RPOP", " 300");
  }
  check({{"DEL copy sorted moved", ":3"}, {"DBSIZE", ":0"}});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::commands::test
