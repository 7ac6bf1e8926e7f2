// The configuration file that we ship, against the settings that there are.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "app/wiring.h"

namespace roxdb::app {
namespace {

constexpr const char* kPath = "config/roxdb.conf";

std::string text_of_file() {
  std::ifstream file(kPath);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(app_roxdb_conf)

BOOST_AUTO_TEST_CASE(it_says_what_holds_without_it) {
  House house;
  std::string why;
  BOOST_TEST_REQUIRE(house.config_file.load(kPath, {}, house.engine.settings, why), why);
  house.engine.settings.for_each([&](const engine::Setting& setting) {
    // The one that a server without a file turns on as well.
    const std::string expected = setting.name == "appendonly" ? "yes" : setting.default_text;
    BOOST_TEST(setting.get() == expected, setting.name << " is " << setting.get());
  });
}

// A directive that means something is a line, or one behind a '#'; the others are listed by name.
BOOST_AUTO_TEST_CASE(it_names_every_directive) {
  House house;
  std::set<std::string> lines;
  std::set<std::string> words;
  std::istringstream text(text_of_file());
  for (std::string line; std::getline(text, line);) {
    std::istringstream in(line.starts_with("# ") ? line.substr(2) : line);
    std::string word;
    for (bool first = true; in >> word; first = false) {
      if (first) lines.insert(word);
      words.insert(word);
    }
  }
  house.engine.settings.for_each([&](const engine::Setting& setting) {
    const bool means_nothing = (setting.flags & engine::Setting::kAccepted) != 0;
    BOOST_TEST((means_nothing ? words : lines).contains(setting.name), setting.name);
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::app
