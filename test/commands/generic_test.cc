#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_generic, roxdb::commands::test::CommandFixture)

BOOST_AUTO_TEST_CASE(deleted_keys_are_counted_once_and_found_ones_as_often_as_named) {
  check({{"MSET a 1 b 2 c 3", "+OK"},
         {"EXISTS a a b missing", ":3"},
         {"TOUCH a a missing", ":2"},
         {"DEL a a missing", ":1"},
         {"UNLINK b b c", ":2"},
         {"EXISTS a b c", ":0"}});
}

BOOST_AUTO_TEST_CASE(rename_takes_value_and_expiry_to_the_new_name) {
  const std::string big(5000, 'x');
  run_args({"SET", "a", big, "EX", "100"});
  check({{"RENAME a b", "+OK"},
         {"EXISTS a", ":0"},
         {"STRLEN b", ":5000"},
         {"TTL b", ":100"},
         {"SET c v", "+OK"},
         {"RENAMENX b c", ":0"},
         {"RENAMENX b " + std::string(9000, 'k'), ":1"},
         {"TTL " + std::string(9000, 'k'), ":100"},
         {"RENAME " + std::string(9000, 'k') + " c", "+OK"},
         {"STRLEN c", ":5000"},
         {"RENAME c c", "+OK"},
         {"RENAMENX c c", ":0"},
         {"RENAME missing missing", "-ERR no such key"},
         {"RENAMENX missing x", "-ERR no such key"}});
  BOOST_TEST(engine.size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_expired_key_blocks_no_new_name) {
  check({{"SET a 1", "+OK"}, {"SET b 2 PX 5", "+OK"}, {"SET c 3 PX 5", "+OK"}});
  advance_ms(6);
  check({{"RENAMENX a b", ":1"}, {"COPY b c", ":1"}, {"GET c", "$1"}, {"TTL c", ":-1"}});
  engine.keyspace(0).check();
}

BOOST_AUTO_TEST_CASE(copy_leaves_the_source_and_takes_the_expiry_along) {
  check({{"SET a v EX 100", "+OK"},
         {"COPY a b", ":1"},
         {"TTL b", ":100"},
         {"COPY a b", ":0"},
         {"SET a w", "+OK"},
         {"COPY a b REPLACE", ":1"},
         {"GET b", "$w"},
         {"TTL b", ":-1"},
         {"COPY a a DB 3", ":1"},
         {"COPY a b DB 3 REPLACE", ":1"},
         {"COPY missing c", ":0"},
         {"COPY a a", "-ERR source and destination objects are the same"},
         {"COPY a a DB 0", "-ERR source and destination objects are the same"},
         {"COPY a c FOO", "-ERR syntax error"},
         {"COPY a c DB", "-ERR syntax error"},
         {"COPY a c DB 16", "-ERR DB index is out of range"},
         {"COPY a c DB x", "-ERR value is not an integer or out of range"}});
  BOOST_TEST(engine.keyspace(3).size() == 2u);
}

BOOST_AUTO_TEST_CASE(move_takes_a_key_to_another_database_unless_it_is_there) {
  check({{"SET a v EX 100", "+OK"},
         {"MOVE a 2", ":1"},
         {"EXISTS a", ":0"},
         {"SET a w", "+OK"},
         {"MOVE a 2", ":0"},
         {"MOVE missing 2", ":0"},
         {"MOVE a 0", "-ERR source and destination objects are the same"},
         {"MOVE a 16", "-ERR DB index is out of range"},
         {"MOVE a -1", "-ERR DB index is out of range"},
         {"MOVE a 99999999999",
          "-ERR value is out of range, value must between -2147483648 and 2147483647"}});
  session.db = 2;
  check({{"GET a", "$v"}, {"TTL a", ":100"}});
  engine.keyspace(0).check();
  engine.keyspace(2).check();
}

BOOST_AUTO_TEST_CASE(only_what_happened_is_logged_and_told) {
  check_log({{"MSET a 1 b 2", "MSET a 1 b 2"},
             {"DEL missing", ""},
             {"EXISTS a", ""},
             {"TOUCH a", ""},
             {"TYPE a", ""},
             {"RENAMENX a b", ""},
             {"RENAME a a", ""},
             {"RENAME a c", "RENAME a c"},
             {"COPY c d", "COPY c d"},
             {"COPY c d", ""},
             {"MOVE d 1", "MOVE d 1"},
             {"DEL missing b c", "DEL missing b c"}});
  run("MSET a 1 b 2");
  events();
  run("RENAME a b");
  BOOST_TEST(events() == "new:b rename_from:a rename_to:b");
  run("COPY b c");
  BOOST_TEST(events() == "new:c copy_to:c");
  run("MOVE c 5");
  BOOST_TEST(events() == "new:c move_from:c move_to:c");
  run("UNLINK b");
  BOOST_TEST(events() == "del:b");
}

BOOST_AUTO_TEST_CASE(looking_counts_hits_and_misses_but_is_no_access) {
  run("SET a v");
  advance_ms(10'000);
  const uint64_t hits = engine.statistics.keyspace_hits;
  const uint64_t misses = engine.statistics.keyspace_misses;
  for (const std::string_view request : {"EXISTS a b", "TTL a", "TYPE a", "OBJECT ENCODING a"}) {
    run(request);
  }
  BOOST_TEST(engine.statistics.keyspace_hits == hits + 4);
  BOOST_TEST(engine.statistics.keyspace_misses == misses + 1);
  check({{"OBJECT IDLETIME a", ":10"}, {"TOUCH a", ":1"}, {"OBJECT IDLETIME a", ":0"}});
}

BOOST_AUTO_TEST_CASE(touch_marks_keys_for_those_too_whose_reads_leave_no_trace) {
  run("SET a 1");
  advance_ms(10'000);
  session.no_touch = true;
  check({{"GET a", "$1"}, {"OBJECT IDLETIME a", ":10"}});
  check({{"TOUCH a", ":1"}, {"OBJECT IDLETIME a", ":0"}});
}

BOOST_AUTO_TEST_SUITE_END()
