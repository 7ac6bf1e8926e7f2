#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "test/commands/command_fixture.h"

namespace {

using roxdb::commands::test::CommandFixture;

struct Fixture : CommandFixture {
  // Fields f0 ... with values v0 ...
  void fill(std::string_view key, int count) {
    for (int i = 0; i < count; ++i) {
      run("HSET " + std::string(key) + " f" + std::to_string(i) + " v" + std::to_string(i));
    }
  }
  // The bulks of an array's text.
  static std::vector<std::string> bulks(const std::string& text) {
    std::vector<std::string> found;
    for (size_t at = 0; (at = text.find('$', at)) != std::string::npos; ++at) {
      found.push_back(text.substr(at + 1, text.find_first_of(" ]}", at) - at - 1));
    }
    return found;
  }
  static void check_pairs(const std::vector<std::string>& words) {
    BOOST_TEST_REQUIRE(words.size() % 2 == 0u);
    for (size_t i = 0; i < words.size(); i += 2) {
      BOOST_TEST("v" + words[i].substr(1) == words[i + 1]);
    }
  }
};

constexpr int kSizes[] = {10, 1500};  // packed, table

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_hash_walk, Fixture)

BOOST_AUTO_TEST_CASE(all_fields_come_once) {
  for (const int size : kSizes) {
    run("DEL h");
    fill("h", size);
    const auto pairs = bulks(run("HGETALL h"));
    BOOST_TEST(pairs.size() == 2u * static_cast<size_t>(size));
    check_pairs(pairs);
    std::vector<std::string> names;
    std::vector<std::string> values;
    for (size_t i = 0; i < pairs.size(); i += 2) {
      names.push_back(pairs[i]);
      values.push_back(pairs[i + 1]);
    }
    BOOST_TEST((bulks(run("HKEYS h")) == names));
    BOOST_TEST((bulks(run("HVALS h")) == values));
    BOOST_TEST((std::set<std::string>(names.begin(), names.end()).size() == names.size()));
  }
}

BOOST_AUTO_TEST_CASE(a_scan_finds_every_field_whatever_happens_in_between) {
  fill("h", 3000);
  std::set<std::string> found;
  std::string cursor = "0";
  int calls = 0;
  do {
    const auto words = bulks(run("HSCAN h " + cursor + " COUNT 50"));
    cursor = words[0];
    check_pairs({words.begin() + 1, words.end()});
    for (size_t i = 1; i < words.size(); i += 2) found.insert(words[i]);
    run("HDEL h f" + std::to_string(2000 + calls));
    run("HSET h g" + std::to_string(calls) + " v");
    BOOST_TEST_REQUIRE(++calls < 1000);
    run("HDEL h g" + std::to_string(calls - 1));
  } while (cursor != "0");
  BOOST_TEST(calls > 10);
  for (int i = 0; i < 2000; ++i) BOOST_TEST(found.contains("f" + std::to_string(i)));
}

BOOST_AUTO_TEST_CASE(scan_options_are_read_when_the_hash_is_there) {
  fill("h", 3);
  fill("big", 1500);
  check({{"HSCAN h 0 MATCH f[12]", "*[$0 *[$f1 $v1 $f2 $v2]]"},
         {"HSCAN h 0 NOVALUES MATCH f1", "*[$0 *[$f1]]"},
         {"HSCAN h 77", "*[$0 *[$f0 $v0 $f1 $v1 $f2 $v2]]"},
         {"HSCAN none 0 NONSENSE", "*[$0 *[]]"},
         {"HSCAN h 0 NONSENSE", "-ERR syntax error"},
         {"HSCAN h 0 COUNT", "-ERR syntax error"},
         {"HSCAN h 0 COUNT 0", "-ERR syntax error"},
         {"HSCAN h 0 COUNT x", "-ERR value is not an integer or out of range"},
         {"HSCAN h 0 TYPE hash", "-ERR syntax error"},
         {"HSCAN none -1", "-ERR invalid cursor"},
         {"SCAN 0 NOVALUES", "-ERR NOVALUES option can only be used in HSCAN"},
         {"HSCAN big 0 COUNT 1000000 MATCH f77 NOVALUES", "*[$0 *[$f77]]"}});
}

// 12000 draws from few fields: each comes about equally often.
BOOST_AUTO_TEST_CASE(random_fields_are_fair) {
  for (const int64_t packed_entries : {512, 0}) {
    engine.limits.hash_packed_entries = packed_entries;
    run("DEL h");
    fill("h", 12);
    std::map<std::string, int> drawn;
    for (const std::string& name : bulks(run("HRANDFIELD h -6000"))) drawn[name]++;
    for (int i = 0; i < 1500; ++i) {
      for (const std::string& name : bulks(run("HRANDFIELD h 3"))) drawn[name]++;
    }
    for (int i = 0; i < 1500; ++i) drawn[run("HRANDFIELD h").substr(1)]++;
    BOOST_TEST(drawn.size() == 12u);
    for (const auto& [name, times] : drawn) {
      BOOST_TEST_CONTEXT(name << " " << times) {
        BOOST_TEST(times > 750);
        BOOST_TEST(times < 1300);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_positive_count_gives_different_fields_and_a_negative_one_as_many_as_asked) {
  for (const int size : kSizes) {
    run("DEL h");
    fill("h", size);
    for (const int count : {1, 2, size / 10, size / 2, size - 1, size, size + 5}) {
      BOOST_TEST_CONTEXT(size << " " << count) {
        const auto names = bulks(run("HRANDFIELD h " + std::to_string(count)));
        const std::set<std::string> different(names.begin(), names.end());
        BOOST_TEST(names.size() == static_cast<size_t>(std::min(count, size)));
        BOOST_TEST(different.size() == names.size());
        const auto pairs = bulks(run("HRANDFIELD h " + std::to_string(count) + " WITHVALUES"));
        BOOST_TEST(pairs.size() == 2 * names.size());
        check_pairs(pairs);
        BOOST_TEST(bulks(run("HRANDFIELD h -" + std::to_string(count))).size() ==
                   static_cast<size_t>(count));
      }
    }
  }
  reply.set_protocol(3);
  run("HSET one f v");
  BOOST_TEST(run("HRANDFIELD one -2 WITHVALUES") == "*[*[$f $v] *[$f $v]]");
}

BOOST_AUTO_TEST_CASE(counts_are_bounded) {
  run("HSET h f v");
  check({{"HRANDFIELD h 0", "*[]"},
         {"HRANDFIELD h x", "-ERR value is not an integer or out of range"},
         {"HRANDFIELD h 1 VALUES", "-ERR syntax error"},
         {"HRANDFIELD h 1 WITHVALUES x", "-ERR syntax error"},
         {"HRANDFIELD h -9223372036854775807", "-ERR reply too large"},
         {"HRANDFIELD h -9223372036854775808",
          "-ERR value is out of range, value must between -9223372036854775807 and "
          "9223372036854775807"},
         {"HRANDFIELD h -9223372036854775807 WITHVALUES", "-ERR value is out of range"},
         {"HRANDFIELD none -9223372036854775807", "*[]"}});
}

// Values that are not shown are no reason to refuse.
BOOST_AUTO_TEST_CASE(only_what_a_reply_shows_makes_it_too_large) {
  engine.reply_bytes_max = 10'000;
  for (const uint64_t packed_value_bytes : {64u, 100'000u}) {
    engine.limits.hash_packed_value_bytes = packed_value_bytes;
    run("DEL h");
    run_args({"HSET", "h", "f", std::string(5'000, 'v'), "g", "w"});
    for (const std::string count : {"100", "2", "1"}) {
      BOOST_TEST(run("HRANDFIELD h " + count).substr(0, 3) == "*[$");
      BOOST_TEST(run("HRANDFIELD h -" + count).substr(0, 3) == "*[$");
    }
    check({{"HRANDFIELD h -1000", "-ERR reply too large"},
           {"HRANDFIELD h -600", "-ERR reply too large"},
           {"HRANDFIELD h -100 WITHVALUES", "-ERR reply too large"}});
    BOOST_TEST(run("HRANDFIELD h 2 WITHVALUES").substr(0, 3) == "*[$");
  }
}

BOOST_AUTO_TEST_SUITE_END()
