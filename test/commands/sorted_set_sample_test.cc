#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "test/commands/command_fixture.h"

namespace {

using roxdb::commands::test::CommandFixture;

struct SampleFixture : CommandFixture {
  void fill(int count, int64_t packed_entries) {
    engine.limits.zset_packed_entries = packed_entries;
    run("DEL k");
    for (int i = 0; i < count; ++i) {
      run("ZADD k " + std::to_string(i) + " m" + std::to_string(i));
    }
  }
  // The words of a flat array of bulks.
  static std::vector<std::string> words(const std::string& reply_text) {
    std::vector<std::string> found;
    for (size_t at = 0; (at = reply_text.find('$', at)) != std::string::npos; ++at) {
      found.push_back(reply_text.substr(at + 1, reply_text.find_first_of(" ]", at) - at - 1));
    }
    return found;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_sorted_set_sample, SampleFixture)

BOOST_AUTO_TEST_CASE(a_sample_has_no_member_twice_unless_repetition_is_asked_for) {
  for (const int64_t entries : {128, 0}) {
    fill(20, entries);
    for (int count = 1; count <= 25; ++count) {
      const auto members = words(run("ZRANDMEMBER k " + std::to_string(count)));
      BOOST_TEST(members.size() == static_cast<size_t>(std::min(count, 20)));
      BOOST_TEST(std::set<std::string>(members.begin(), members.end()).size() == members.size());
    }
    BOOST_TEST(words(run("ZRANDMEMBER k -50")).size() == 50u);
  }
}

// Of 4,000 picks from ten, each member has 400 on average; 250 is seven deviations away.
BOOST_AUTO_TEST_CASE(every_member_is_equally_likely) {
  for (const int64_t entries : {128, 0}) {
    fill(10, entries);
    std::map<std::string, int> alone;
    std::map<std::string, int> together;
    for (int i = 0; i < 4'000; ++i) ++alone[run("ZRANDMEMBER k")];
    for (int i = 0; i < 2'000; ++i) {
      for (const std::string& member : words(run("ZRANDMEMBER k 2"))) ++together[member];
    }
    BOOST_TEST(alone.size() == 10u);
    BOOST_TEST(together.size() == 10u);
    for (const auto& [member, count] : alone) BOOST_TEST(count > 250);
    for (const auto& [member, count] : together) BOOST_TEST(count > 250);
  }
}

BOOST_AUTO_TEST_CASE(counts_that_no_reply_could_hold_are_refused) {
  fill(3, 128);
  const std::string range = "-ERR value is out of range";
  check({{"ZRANDMEMBER k -9223372036854775808",
          range + ", value must between -9223372036854775807 and 9223372036854775807"},
         {"ZRANDMEMBER k 9223372036854775807 WITHSCORES", range},
         {"ZRANDMEMBER k -9223372036854775807", "-ERR reply too large"},
         {"ZRANDMEMBER k 9223372036854775807", "*[$m0 $m1 $m2]"},
         {"ZRANDMEMBER k 0", "*[]"},
         {"ZRANDMEMBER k 1 WITHSCORE", "-ERR syntax error"},
         {"ZRANDMEMBER k 1 WITHSCORES x", "-ERR syntax error"},
         {"ZRANDMEMBER missing 5", "*[]"},
         {"ZRANDMEMBER missing", "$nil"}});
}

// What members take on average decides: one that is long is no reason to refuse a few.
BOOST_AUTO_TEST_CASE(samples_that_are_too_large_are_refused) {
  engine.reply_bytes_max = 10'000;
  for (const int64_t entries : {128, 0}) {
    fill(9, entries);
    run_args({"ZADD", "k", "1", std::string(5'000, 'x')});
    BOOST_TEST(run("ZRANDMEMBER k -10").substr(0, 3) == "*[$");
    BOOST_TEST(run("ZRANDMEMBER k 9").substr(0, 3) == "*[$");
    check({{"ZRANDMEMBER k -30", "-ERR reply too large"},
           {"ZRANDMEMBER k -9223372036854775807", "-ERR reply too large"}});
    for (const char last : {'y', 'z'}) {
      run_args({"ZADD", "k", "1", std::string(40'000, last)});
    }
    check({{"ZRANDMEMBER k 9", "-ERR reply too large"}});
  }
}

BOOST_AUTO_TEST_CASE(a_scan_shows_every_member) {
  fill(1'000, 128);
  std::set<std::string> seen;
  std::string cursor = "0";
  do {
    const auto reply_words = words(run("ZSCAN k " + cursor + " COUNT 50 NOSCORES"));
    cursor = reply_words.front();
    seen.insert(reply_words.begin() + 1, reply_words.end());
  } while (cursor != "0");
  BOOST_TEST(seen.size() == 1'000u);
  BOOST_TEST(words(run("ZSCAN k 0 MATCH m77 COUNT 100000")).size() == 3u);
  check({{"ZSCAN k 0 COUNT 0", "-ERR syntax error"},
         {"ZSCAN k 0 COUNT", "-ERR syntax error"},
         {"ZSCAN k 0 NOVALUES", "-ERR NOVALUES option can only be used in HSCAN"}});
}

BOOST_AUTO_TEST_SUITE_END()
