#include "base/glob.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "base/random.h"

namespace roxdb {
namespace {

// The plain recursive definition: obviously right, exponential. Elements are cut as glob.cc cuts
// them, but every '*' is tried at every length.
bool reference_match(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    for (size_t skip = 0; skip <= text.size(); ++skip) {
      if (reference_match(pattern.substr(1), text.substr(skip))) return true;
    }
    return false;
  }
  if (text.empty()) return false;
  size_t used = 1;
  bool matches = false;
  if (pattern[0] == '?') {
    matches = true;
  } else if (pattern[0] == '[') {
    const bool inverted = pattern.substr(1, 1) == "^";
    size_t at = inverted ? 2 : 1;
    for (; at < pattern.size() && pattern[at] != ']'; ++at) {
      const std::string_view rest = pattern.substr(at);
      if (rest.size() >= 2 && rest[0] == '\\') {
        matches = matches || rest[1] == text[0];
        ++at;
      } else if (rest.size() >= 3 && rest[1] == '-') {
        const int low = static_cast<signed char>(std::min<signed char>(rest[0], rest[2]));
        const int high = static_cast<signed char>(std::max<signed char>(rest[0], rest[2]));
        const int byte = static_cast<signed char>(text[0]);
        matches = matches || (low <= byte && byte <= high);
        at += 2;
      } else {
        matches = matches || rest[0] == text[0];
      }
    }
    used = std::min(at + 1, pattern.size());
    matches = matches != inverted;
  } else if (pattern[0] == '\\' && pattern.size() > 1) {
    used = 2;
    matches = pattern[1] == text[0];
  } else {
    matches = pattern[0] == text[0];
  }
  return matches && reference_match(pattern.substr(used), text.substr(1));
}

std::string random_text(Random& random, std::string_view alphabet, size_t size_max) {
  std::string text(random.below(size_max + 1), ' ');
  for (char& c : text) c = alphabet[random.below(alphabet.size())];
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(base_glob)

// Each line was confirmed against redis-server 7.0.15 (SET text, KEYS pattern).
BOOST_AUTO_TEST_CASE(patterns_mean_what_they_mean_in_redis) {
  const struct {
    const char* pattern;
    const char* text;
    bool matches;
  } lines[] = {
      {"", "", true},
      {"", "a", false},
      {"*", "a", true},
      {"*", "", false},  // only KEYS's shortcut for the pattern "*" lists an empty key
      {"**", "", false},
      {"a*", "a", true},
      {"a**", "a", true},
      {"*a", "aaa", true},
      {"*a*b*c*", "xaxbxcx", true},
      {"*a*b*c*", "xaxcxbx", false},
      {"?", "a", true},
      {"?", "", false},
      {"??", "a", false},
      {"h?llo", "hello", true},
      {"h[ae]llo", "hallo", true},
      {"h[ae]llo", "hillo", false},
      {"h[^e]llo", "hallo", true},
      {"h[^e]llo", "hello", false},
      {"[a-c]", "b", true},
      {"[c-a]", "b", true},  // a range may stand the wrong way round
      {"[a-c]", "d", false},
      {"[a-]", "a", true},  // the range a..], and then the class has no end
      {"[a-]", "-", false},
      {"[a-", "-", true},   // no room for a range: '-' is itself
      {"[abc", "b", true},  // a class may lack its end
      {"[^abc", "b", false},
      {"[", "[", false},
      {"[^", "x", true},
      {"[]", "]", false},
      {"[^]", "x", true},
      {"[]a]", "a]", false},
      {"[\\]]", "]", true},
      {"[\\", "\\", true},
      {"[\\^a]", "^", true},
      {"[a^]", "^", true},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"\\a", "a", true},
      {"\\", "\\", true},  // a backslash at the end is itself
      {"a\\", "a\\", true},
      {"*\\", "a\\", true},
      {"[a-\xff]", "A", true},  // bytes are signed: 0xff is -1, so this is -1..'a'
      {"[a-\xff]", "z", false},
      {"\xff", "\xff", true},
  };
  for (const auto& line : lines) {
    BOOST_TEST(glob_match(line.pattern, line.text) == line.matches,
               '"' << line.pattern << "\" against \"" << line.text << '"');
  }
}

BOOST_AUTO_TEST_CASE(ignoring_case_folds_letters_but_not_escapes_in_a_class) {
  BOOST_TEST(glob_match("MaxMemory*", "maxmemory-policy", true));
  BOOST_TEST(!glob_match("MaxMemory*", "maxmemory-policy", false));
  BOOST_TEST(glob_match("[A-C]x", "bX", true));
  BOOST_TEST(glob_match("[abc]", "B", true));
  BOOST_TEST(!glob_match("[^abc]", "B", true));
  BOOST_TEST(!glob_match("[\\a]", "A", true));
  BOOST_TEST(glob_match("\\a", "A", true));
  BOOST_TEST(!glob_match("[", "{", true));  // only letters differ by case
}

BOOST_AUTO_TEST_CASE(random_patterns_agree_with_the_recursive_definition) {
  Random random(7);
  int matched = 0;
  for (int round = 0; round < 100'000; ++round) {
    const std::string pattern = random_text(random, "aabbc***??[[]^-\\\xff", 9);
    const std::string text = random_text(random, "aaabbbc]^-\\\xff", 7);
    if (text.empty()) continue;  // the exception: see above
    const bool expected = reference_match(pattern, text);
    matched += expected;
    BOOST_TEST_REQUIRE(glob_match(pattern, text) == expected, pattern << " against " << text);
  }
  BOOST_TEST(matched > 1'000);  // else the rounds prove nothing
}

BOOST_AUTO_TEST_CASE(zero_bytes_are_ordinary) {
  using namespace std::string_view_literals;
  BOOST_TEST(glob_match("a\0*"sv, "a\0b"sv));
  BOOST_TEST(!glob_match("a\0b"sv, "a\0c"sv));
  BOOST_TEST(glob_match("a[\0]b"sv, "a\0b"sv));
}

// CVE-2022-36021 and its kin: exponential for a matcher that tries every '*' again, and a stack
// overflow for one that recurses. Would run for hours; no clock is needed to notice.
BOOST_AUTO_TEST_CASE(hostile_patterns_end) {
  std::string stars;
  for (int i = 0; i < 50; ++i) stars += "a*";
  BOOST_TEST(!glob_match(stars + "b", std::string(10'000, 'a')));
  BOOST_TEST(glob_match(std::string(100'000, '*') + "a", std::string(1'000, 'a')));
  BOOST_TEST(!glob_match(std::string(100'000, '['), std::string(100'000, 'a')));
  BOOST_TEST(!glob_match("*" + std::string(60'000, 'a') + "b", std::string(1'000'000, 'a')));
  BOOST_TEST(!glob_match("*[" + std::string(60'000, 'b') + "]c", std::string(1'000'000, 'a')));
}

// Whatever a class is spelled like, a text pays for it once per byte.
BOOST_AUTO_TEST_CASE(long_classes_cost_what_short_ones_do) {
  const std::string spelled = "*[" + std::string(60'000, '[') + "]x";
  const Glob glob(spelled);
  size_t matched = 0;
  for (int i = 0; i < 100'000; ++i) {
    matched += glob.matches("key:" + std::to_string(i) + (i % 2 == 0 ? "[x" : "]x"));
  }
  BOOST_TEST(matched == 50'000u);
}

BOOST_AUTO_TEST_CASE(a_long_text_alone_never_exhausts_the_step_bound) {
  std::string text(20'000'000, 'a');
  text += "needle";
  BOOST_TEST(glob_match("*needle", text));
  BOOST_TEST(glob_match("*[n][e][e]dl?", text));
  BOOST_TEST(!glob_match("*needles", text));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb
