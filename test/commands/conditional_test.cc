#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_conditional, roxdb::commands::test::CommandFixture)

BOOST_AUTO_TEST_CASE(delex_deletes_when_the_condition_holds) {
  check({{"SET k hello", "+OK"},
         {"DELEX k IFEQ world", ":0"},
         {"DELEX k IFNE hello", ":0"},
         {"DELEX k ifeq hello", ":1"},
         {"EXISTS k", ":0"},
         {"SET k \"Hello world\"", "+OK"},
         {"DELEX k IFDEQ b6acb9d84a38ff75", ":0"},
         {"DELEX k IFDNE b6acb9d84a38ff74", ":0"},
         {"DELEX k IFDNE zzzzzzzzzzzzzzzz", ":1"},
         {"SET n 12345", "+OK"},
         {"DELEX n IFEQ 12345", ":1"},
         {"SET k v", "+OK"},
         {"DELEX k", ":1"},
         {"DELEX k", ":0"}});
}

// The order of the checks is Redis's: the number of arguments, then the key, then the condition.
BOOST_AUTO_TEST_CASE(delex_looks_at_the_key_before_the_condition) {
  const std::string arguments = "-ERR wrong number of arguments for 'delex' command";
  check({{"DELEX missing FOO v", ":0"},
         {"DELEX missing IFDEQ abc", ":0"},
         {"DELEX missing IFEQ", arguments},
         {"SET k v", "+OK"},
         {"DELEX k IFEQ", arguments},
         {"DELEX k IFEQ v more", arguments},
         {"DELEX k FOO v", "-ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE"},
         {"DELEX k IFDEQ abc", "-ERR must be exactly 16 hexadecimal characters"},
         {"EXISTS k", ":1"}});
}

BOOST_AUTO_TEST_CASE(delifeq_gives_back_only_the_own_lock) {
  check({{"SET lock mine", "+OK"},
         {"DELIFEQ lock other", ":0"},
         {"DELIFEQ lock mine", ":1"},
         {"DELIFEQ lock mine", ":0"}});
}

BOOST_AUTO_TEST_CASE(a_conditional_deletion_is_logged_as_a_deletion) {
  run("MSET a 1 b 2 c 3");
  check_log({{"DELEX a IFEQ 2", ""},
             {"DELEX a IFEQ 1", "DEL a"},
             {"DELIFEQ b 2", "DEL b"},
             {"DELEX c", "DEL c"},
             {"DELEX c", ""}});
}

// The first value's digest stands in Redis's documentation, the second in one of its bug reports.
BOOST_AUTO_TEST_CASE(digests_are_those_of_redis) {
  check(
      {{"SET k \"Hello world\"", "+OK"},
       {"DIGEST k", "$b6acb9d84a38ff74"},
       {"SET k v8lf0c11xh8ymlqztfd3eeq16kfn4sspw7fqmnuuq3k3t75em5wdizgcdw7uc26nnf961u2jkfzkjytls2kw"
        "lj7626sd",
        "+OK"},
       {"DIGEST k", "$00006c38adf31777"},
       {"DIGEST missing", "$nil"}});
}

BOOST_AUTO_TEST_SUITE_END()
