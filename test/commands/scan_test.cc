#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "base/limits.h"
#include "test/commands/command_fixture.h"

namespace {

struct Fixture : roxdb::commands::test::CommandFixture {
  // One walk: how often each key came; `between` runs after each call.
  std::map<std::string, int> walk(
      const std::string& options, const std::function<void()>& between = [] {}) {
    std::map<std::string, int> seen;
    std::string cursor = "0";
    int calls = 0;
    do {
      // "*[$cursor *[$key $key]]"
      std::string text = run("SCAN " + cursor + " " + options);
      for (char& c : text) {
        if (c == '*' || c == '[' || c == ']' || c == '$') c = ' ';
      }
      std::istringstream words(text);
      words >> cursor;
      for (std::string key; words >> key;) seen[key]++;
      between();
      BOOST_REQUIRE(++calls < 100'000);
    } while (cursor != "0");
    return seen;
  }
  void add_keys(int first, int count) {
    for (int i = first; i < first + count; ++i) run("SET key:" + std::to_string(i) + " v");
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_scan, Fixture)

BOOST_AUTO_TEST_CASE(a_walk_finds_every_key) {
  add_keys(0, 1000);
  for (const std::string options : {"", "COUNT 1", "COUNT 7", "COUNT 10000", "TYPE string"}) {
    BOOST_TEST_CONTEXT(options) { BOOST_TEST(walk(options).size() == 1000u); }
  }
  BOOST_TEST(walk("TYPE list").empty());
  BOOST_TEST(walk("MATCH key:1?").size() == 10u);
  BOOST_TEST(walk("MATCH nothing COUNT 5").empty());
  BOOST_TEST(walk("COUNT 9223372036854775807").size() == 1000u);
}

BOOST_AUTO_TEST_CASE(keys_that_stay_are_found_while_others_come_and_go) {
  add_keys(0, 500);
  int next = 1000;
  const auto seen = walk("COUNT 5", [&] {
    if (next > 3000) return;
    add_keys(next, 20);
    for (int i = next - 100; i < next - 90; ++i) run("DEL key:" + std::to_string(i));
    next += 20;
  });
  for (int i = 0; i < 500; ++i) BOOST_TEST(seen.count("key:" + std::to_string(i)) == 1u);
}

BOOST_AUTO_TEST_CASE(the_work_of_one_call_is_bounded_by_count) {
  add_keys(0, 2000);
  // At most one bucket beyond COUNT, whose keys are few.
  const std::string text = run("SCAN 0 COUNT 20");
  BOOST_TEST(std::count(text.begin(), text.end(), '$') < 60);
}

// As in Redis, where many ask for all there can be and look no further.
BOOST_AUTO_TEST_CASE(a_call_finds_no_less_than_count_while_there_is_more) {
  add_keys(0, 1000);
  std::string fields = "HSET h";
  std::string scores = "ZADD z";
  std::string members = "SADD s";
  for (int i = 0; i < 1000; ++i) {
    const std::string name = " m" + std::to_string(i);
    fields += name + " " + std::to_string(i);
    scores += " " + std::to_string(i) + name;
    members += name;
  }
  const auto found = [this](const std::string& request) {
    const std::string text = run(request);
    return std::count(text.begin(), text.end(), '$') - 1;  // but for the cursor
  };
  BOOST_TEST(found("SCAN 0 COUNT 1000") == 1000);
  BOOST_TEST(found("SCAN 0 COUNT 100") >= 100);
  for (const std::string& request : {fields, scores, members}) run(request);
  BOOST_TEST(found("HSCAN h 0 COUNT 1000 NOVALUES") == 1000);
  BOOST_TEST(found("HSCAN h 0 COUNT 100 NOVALUES") >= 100);
  BOOST_TEST(found("ZSCAN z 0 COUNT 1000 NOSCORES") == 1000);
  BOOST_TEST(found("SSCAN s 0 COUNT 1000") == 1000);
}

BOOST_AUTO_TEST_CASE(expired_keys_are_hidden_and_a_walk_removes_them) {
  add_keys(0, 100);
  for (int i = 0; i < 50; ++i) run("PEXPIRE key:" + std::to_string(i) + " 5");
  advance_ms(6);
  const std::string keys = run("KEYS *");
  BOOST_TEST(std::count(keys.begin(), keys.end(), '$') == 50);
  BOOST_TEST(engine.size() == 100u);
  log();
  BOOST_TEST(walk("COUNT 1000").size() == 50u);
  BOOST_TEST(engine.size() == 50u);
  BOOST_TEST(recorder.log.size() == 50u);
  BOOST_TEST(recorder.log[0].args[0] == "DEL");
}

BOOST_AUTO_TEST_CASE(arguments_of_scan_are_checked_as_redis_does) {
  const std::string syntax = "-ERR syntax error";
  check({{"SCAN abc", "-ERR invalid cursor"},
         {"SCAN 18446744073709551616", "-ERR invalid cursor"},
         {"SCAN -1", "-ERR invalid cursor"},
         {"SCAN abc FOO", "-ERR invalid cursor"},
         {"SCAN 007 COUNT 1000", "*[$0 *[]]"},
         {"SCAN 0 COUNT 0", syntax},
         {"SCAN 0 COUNT -5", syntax},
         {"SCAN 0 COUNT abc", "-ERR value is not an integer or out of range"},
         {"SCAN 0 MATCH", syntax},
         {"SCAN 0 FOO bar", syntax},
         {"SCAN 0 NOVALUES", "-ERR NOVALUES option can only be used in HSCAN"}});
  add_keys(0, 100);
  for (const char* cursor : {"18446744073709551615", "1", "9223372036854775808"}) {
    BOOST_TEST(run("SCAN " + std::string(cursor)).substr(0, 3) == "*[$");
  }
}

BOOST_AUTO_TEST_CASE(keys_match_patterns_and_long_patterns_are_refused) {
  run("MSET one 1 two 2 three 3");
  check({{"KEYS t?o", "*[$two]"},
         {"KEYS [o]*", "*[$one]"},
         {"KEYS x*", "*[]"},
         {"KEYS " + std::string(roxdb::kPatternBytesMax + 1, '*'), "-ERR pattern too complex"},
         {"SCAN 0 MATCH " + std::string(roxdb::kPatternBytesMax + 1, '*'),
          "-ERR pattern too complex"}});
}

BOOST_AUTO_TEST_CASE(a_random_key_is_any_live_key) {
  BOOST_TEST(run("RANDOMKEY") == "$nil");
  run("MSET a 1 b 2 c 3");
  run("PEXPIRE c 5");
  advance_ms(6);
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) seen.insert(run("RANDOMKEY"));
  BOOST_TEST((seen == std::set<std::string>{"$a", "$b"}));
}

BOOST_AUTO_TEST_CASE(a_random_key_of_only_expired_ones_is_none) {
  add_keys(0, 300);
  for (int i = 0; i < 300; ++i) run("PEXPIRE key:" + std::to_string(i) + " 5");
  advance_ms(6);
  engine.expire_on_access = false;  // as on a replica: they are only hidden
  BOOST_TEST(run("RANDOMKEY") == "$nil");
}

BOOST_AUTO_TEST_SUITE_END()
