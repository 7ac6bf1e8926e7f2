#include "engine/accepted_settings.h"

#include <boost/test/unit_test.hpp>

namespace roxdb::engine {

BOOST_AUTO_TEST_SUITE(engine_accepted_settings)

// A default that its own check refuses would make a rewritten configuration file unreadable.
BOOST_AUTO_TEST_CASE(every_accepted_setting_takes_its_default) {
  Settings settings;
  add_accepted_settings(settings);
  size_t count = 0;
  settings.for_each([&](const Setting& setting) {
    ++count;
    BOOST_TEST_CONTEXT(setting.name) {
      BOOST_TEST((setting.flags & Setting::kAccepted) != 0);
      std::vector<std::string> words;
      for (const std::string& line : Settings::lines(setting)) {
        words.clear();
        BOOST_TEST_REQUIRE(split_words(line, words));
      }
      words.erase(words.begin());
      std::string why;
      BOOST_TEST(settings.load(setting.name, words, why), why);
      BOOST_TEST(setting.get() == setting.default_text);
      for (const std::string& alias : setting.aliases) {
        BOOST_TEST(settings.find(alias) == &setting);
      }
    }
  });
  BOOST_TEST(count > 150u);
}

// The ends of what Redis and Valkey take.
BOOST_AUTO_TEST_CASE(the_widest_values_are_taken) {
  Settings settings;
  add_accepted_settings(settings);
  const std::pair<std::string_view, std::string> widest[] = {
      {"cluster-ping-interval", "0"},
      {"cluster-ping-interval", "9223372036854775807"},
      {"cluster-link-sendbuf-limit", "18446744073709551615"},
      {"cluster-blacklist-ttl", "18446744073709551615"},
      {"cluster-message-gossip-perc", "100"},
      {"lua-enable-insecure-api", "yes"}};
  for (const auto& [name, value] : widest) {
    std::string why;
    BOOST_TEST(settings.load(name, {&value, 1}, why), why);
    BOOST_TEST(settings.find(name)->get() == value);
  }
}

BOOST_AUTO_TEST_CASE(real_settings_stay_whoever_comes_first) {
  Settings settings;
  int64_t timeout = 7;
  settings.add_integer("timeout", &timeout, 0, 10);
  add_accepted_settings(settings);
  int64_t backlog = 8;
  settings.add_integer("tcp-backlog", &backlog, 0, 10);
  BOOST_TEST(settings.find("timeout")->get() == "7");
  BOOST_TEST(settings.find("tcp-backlog")->get() == "8");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::engine
