#include "engine/settings.h"

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>

namespace roxdb::engine {
namespace {

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

std::string joined(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, " "));
}

// One setting of each kind, and what they write to.
struct Fixture {
  Settings settings;
  bool flag = false;
  int64_t number = 10;
  uint64_t bytes = 1024;
  std::string text = "plain";
  int choice = 1;
  std::vector<std::string> points = {"3600", "1"};
  std::vector<std::string> applied;
  std::string refuse;  // apply() of `flag` fails with this

  Fixture() {
    settings.add_bool("flag", &flag).apply = [this](std::string& why) {
      applied.push_back(flag ? "flag yes" : "flag no");
      why = refuse;
      return refuse.empty();
    };
    settings.add_integer("number", &number, 1, 500).aliases = {"old-number"};
    settings.add_memory("bytes", &bytes, 100, UINT64_MAX);
    settings.add_string("text", &text);
    settings.add_choice("policy", &choice, {"first", "second"});
    settings.add_integer("fixed", &number, 1, 500, Setting::kImmutable);
    settings.add_string("guarded", &text, Setting::kProtected);
    settings.add_string("rare", &text, Setting::kHidden);
    settings.add_string("line", &text, Setting::kFileOnly);
    Setting save;
    save.name = "points";
    save.flags = Setting::kMultiple;
    save.get = [this] { return joined(points); };
    save.set = [this](std::span<const std::string> words, std::string& why) {
      if (words.size() % 2 != 0) {
        why = "Invalid points";
        return false;
      }
      points.assign(words.begin(), words.end());
      return true;
    };
    settings.add(std::move(save));
  }

  std::string set(const Pairs& pairs, bool protected_allowed = false) {
    std::string why;
    return settings.set(pairs, protected_allowed, why) ? "" : why;
  }
  std::string load(std::string_view name, const std::vector<std::string>& words) {
    std::string why;
    return settings.load(name, words, why) ? "" : why;
  }
  std::string match(const std::vector<std::string_view>& patterns) const {
    std::vector<std::string> out;
    for (const auto& [name, value] : settings.match(patterns)) out.push_back(name + "=" + value);
    return joined(out);
  }
};

std::string failed(const std::string& name, const std::string& reason) {
  return "ERR CONFIG SET failed (possibly related to argument '" + name + "') - " + reason;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(engine_settings, Fixture)

BOOST_AUTO_TEST_CASE(config_set_stores_and_applies_every_kind_of_value) {
  BOOST_TEST(set({{"flag", "YES"},
                  {"number", "20"},
                  {"bytes", "1kb"},
                  {"text", "a b"},
                  {"policy", "First"},
                  {"points", "60  100 1 2"}}) == "");
  BOOST_TEST(flag);
  BOOST_TEST(number == 20);
  BOOST_TEST(bytes == 1024u);
  BOOST_TEST(text == "a b");
  BOOST_TEST(choice == 0);
  BOOST_TEST(joined(points) == "60 100 1 2");
  BOOST_TEST(joined(applied) == "flag yes");
  BOOST_TEST(set({{"points", ""}}) == "");
  BOOST_TEST(points.empty());
}

BOOST_AUTO_TEST_CASE(values_that_are_none_are_refused_in_redis_words) {
  BOOST_TEST(set({{"flag", "maybe"}}) == failed("flag", "argument must be 'yes' or 'no'"));
  BOOST_TEST(set({{"number", "1.5"}}) ==
             failed("number", "argument couldn't be parsed into an integer"));
  BOOST_TEST(set({{"NUMBER", "501"}}) ==
             failed("NUMBER", "argument must be between 1 and 500 inclusive"));
  BOOST_TEST(set({{"number", "0"}}) ==
             failed("number", "argument must be between 1 and 500 inclusive"));
  BOOST_TEST(set({{"bytes", "-1"}}) == failed("bytes", "argument must be a memory value"));
  BOOST_TEST(set({{"bytes", "99"}}) ==
             failed("bytes", "argument must be between 100 and 18446744073709551615 inclusive"));
  BOOST_TEST(set({{"policy", "third"}}) ==
             failed("policy", "argument(s) must be one of the following: first, second"));
  BOOST_TEST(set({{"nosuch", "1"}}) ==
             "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'");
  BOOST_TEST(number == 10);
  BOOST_TEST(bytes == 1024u);
  BOOST_TEST(applied.empty());
}

BOOST_AUTO_TEST_CASE(what_must_not_change_at_run_time_does_not) {
  BOOST_TEST(set({{"fixed", "2"}}) == failed("fixed", "can't set immutable config"));
  BOOST_TEST(set({{"guarded", "x"}}) == failed("guarded", "can't set protected config"));
  BOOST_TEST(set({{"guarded", "x"}}, true) == "");
  BOOST_TEST(text == "x");
  BOOST_TEST(load("fixed", {"2"}) == "");
  BOOST_TEST(number == 2);
}

BOOST_AUTO_TEST_CASE(config_set_is_all_or_nothing) {
  BOOST_TEST(set({{"number", "20"}, {"text", "new"}, {"number", "30"}}) ==
             failed("number", "duplicate parameter"));
  BOOST_TEST(set({{"number", "20"}, {"text", "new"}, {"points", "1"}}) ==
             failed("points", "Invalid points"));
  BOOST_TEST(number == 10);
  BOOST_TEST(text == "plain");
  BOOST_TEST(applied.empty());

  refuse = "the world says no";
  BOOST_TEST(set({{"number", "20"}, {"flag", "yes"}}) == failed("flag", "the world says no"));
  BOOST_TEST(number == 10);
  BOOST_TEST(!flag);
  // Tried with the new value, then put back to the old one.
  BOOST_TEST(joined(applied) == "flag yes flag no");
}

BOOST_AUTO_TEST_CASE(an_older_name_means_the_same_setting) {
  BOOST_TEST(set({{"old-number", "7"}}) == "");
  BOOST_TEST(number == 7);
  BOOST_TEST(match({"old-number"}) == "old-number=7");
  BOOST_TEST(match({"*number"}) == "number=7 old-number=7");
  BOOST_TEST(set({{"number", "8"}, {"old-number", "9"}}) == "");
  BOOST_TEST(number == 9);
  BOOST_TEST(set({{"number", "20"}, {"old-number", "21"}, {"flag", "x"}}) != "");
  BOOST_TEST(number == 9);
}

BOOST_AUTO_TEST_CASE(config_get_takes_several_patterns_and_shows_each_setting_once) {
  BOOST_TEST(match({"FLAG", "fl*", "nosuch", "poli?y"}) == "FLAG=no policy=second");
  BOOST_TEST(match({"r*"}) == "");
  BOOST_TEST(match({"rare"}) == "rare=plain");
  BOOST_TEST(match({"li*", "line"}) == "");
  BOOST_TEST(set({{"line", "x"}}) ==
             "ERR Unknown option or number of arguments for CONFIG SET - 'line'");
  BOOST_TEST(load("line", {"x"}) == "");
}

BOOST_AUTO_TEST_CASE(lines_of_a_repeated_directive_add_up_and_an_empty_one_clears) {
  BOOST_TEST(load("points", {"60", "100"}) == "");
  BOOST_TEST(load("points", {"1", "2"}) == "");
  BOOST_TEST(joined(points) == "60 100 1 2");
  BOOST_TEST(load("points", {""}) == "");
  BOOST_TEST(points.empty());
  BOOST_TEST(load("points", {"5", "6"}) == "");
  BOOST_TEST(joined(points) == "5 6");
  BOOST_TEST(load("points", {"7"}) == "Invalid points");
  BOOST_TEST(joined(points) == "5 6");
}

BOOST_AUTO_TEST_CASE(loading_applies_once_at_its_end) {
  BOOST_TEST(load("flag", {"yes"}) == "");
  BOOST_TEST(load("flag", {"no", "yes"}) == "wrong number of arguments");
  BOOST_TEST(load("text", {}) == "wrong number of arguments");
  BOOST_TEST(load("nosuch", {"yes"}) == "Bad directive or wrong number of arguments");
  BOOST_TEST(applied.empty());
  std::string why;
  BOOST_TEST(settings.finish_loading(why));
  BOOST_TEST(joined(applied) == "flag yes");
  BOOST_TEST(settings.finish_loading(why));
  BOOST_TEST(applied.size() == 1u);

  BOOST_TEST(load("flag", {"no"}) == "");
  refuse = "taken";
  BOOST_TEST(!settings.finish_loading(why));
  BOOST_TEST(why == "flag: taken");
}

// Whichever room registers first, the real setting stays.
BOOST_AUTO_TEST_CASE(an_accepted_setting_gives_way_to_a_real_one) {
  using Kind = Settings::Accepts::Kind;
  settings.add_accepted("number", "99");
  settings.add_accepted("old-number", "99");
  BOOST_TEST(match({"number"}) == "number=10");
  settings.add_accepted("future", "1", Setting::kMutable, {.kind = Kind::kInteger}, "past");
  BOOST_TEST(match({"future", "past"}) == "future=1 past=1");
  bool real = true;
  settings.add_bool("future", &real);
  BOOST_TEST(match({"future", "past"}) == "future=yes");
}

BOOST_AUTO_TEST_CASE(accepted_settings_check_and_keep_what_they_are_given) {
  using Kind = Settings::Accepts::Kind;
  const auto accept = [this](std::string_view name, Settings::Accepts accepts) {
    settings.add_accepted(name, "0", Setting::kMutable, accepts);
  };
  accept("some-bool", {.kind = Kind::kBool});
  accept("some-integer", {.kind = Kind::kInteger, .low = 0, .high = 9});
  accept("some-memory", {.kind = Kind::kMemory});
  accept("some-mode", {.kind = Kind::kOctal});
  accept("some-choice", {.kind = Kind::kChoice, .choices = "no, yes, local"});
  settings.add_accepted("some-words", "", Setting::kWords);

  BOOST_TEST(set({{"some-bool", "Yes"},
                  {"some-integer", "9"},
                  {"some-memory", "1mb"},
                  {"some-mode", "700"},
                  {"some-choice", "LOCAL"},
                  {"some-words", "a  b"}}) == "");
  BOOST_TEST(match({"some-*"}) ==
             "some-bool=yes some-choice=local some-integer=9 some-memory=1048576 some-mode=700 "
             "some-words=a b");

  BOOST_TEST(set({{"some-bool", "on"}}) == failed("some-bool", "argument must be 'yes' or 'no'"));
  BOOST_TEST(set({{"some-integer", "10"}}) ==
             failed("some-integer", "argument must be between 0 and 9 inclusive"));
  BOOST_TEST(set({{"some-mode", "8"}}) ==
             failed("some-mode", "argument couldn't be parsed as an octal number"));
  BOOST_TEST(set({{"some-choice", "maybe"}}) ==
             failed("some-choice", "argument(s) must be one of the following: no, yes, local"));
}

BOOST_AUTO_TEST_CASE(a_misspelled_name_finds_the_nearest_one) {
  BOOST_TEST(settings.nearest("polcy") == "policy");
  BOOST_TEST(settings.nearest("old_number") == "old-number");
  BOOST_TEST(settings.nearest("something-else") == "");
}

// What a line says must be what the file says after a rewrite, whatever bytes the value has.
BOOST_AUTO_TEST_CASE(rewritten_lines_read_back_as_the_same_value) {
  for (const std::string value :
       {"", "plain", "a b", "quote\"s 'and' \\", "#hash", "tab\t\n\x01\xff"}) {
    text = value;
    const std::vector<std::string> lines = Settings::lines(*settings.find("text"));
    BOOST_TEST_REQUIRE(lines.size() == 1u);
    std::vector<std::string> words;
    BOOST_TEST_REQUIRE(split_words(lines[0], words));
    BOOST_TEST_REQUIRE(words.size() == 2u);
    BOOST_TEST(words[0] == "text");
    BOOST_TEST(words[1] == value);
  }
  BOOST_TEST(Settings::lines(*settings.find("points"))[0] == "points 3600 1");
  points.clear();
  BOOST_TEST(Settings::lines(*settings.find("points"))[0] == "points \"\"");
  BOOST_TEST(Settings::changed(*settings.find("points")));
  BOOST_TEST(!Settings::changed(*settings.find("flag")));
}

// As one argument of a command line, or between quotes in a file.
BOOST_AUTO_TEST_CASE(several_words_may_come_as_one) {
  BOOST_TEST(load("points", {"900 1 300 10"}) == "");
  BOOST_TEST(load("points", {"60", "5"}) == "");
  BOOST_TEST((points == std::vector<std::string>{"900", "1", "300", "10", "60", "5"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::engine
