#include "scripting/pattern.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>

namespace {

using roxdb::scripting::PatternSearch;
using namespace std::string_literals;

// Thrown by who is told of the steps.
struct Enough {};

// What a search says about a text: the match and its captures, nil, or an error.
std::string find(std::string_view text, std::string_view pattern, bool is_anchored = false) {
  PatternSearch search(text, pattern, is_anchored, [](size_t) {});
  const auto found = search.find(0);
  if (!found.ok()) return std::string(found.status().text);
  if (!*found) return "nil";
  std::string said = std::to_string(search.begin()) + "-" + std::to_string(search.end());
  for (size_t i = 0; i < search.capture_count(); ++i) {
    const auto& capture = search.capture(i);
    const bool is_position = capture.size == PatternSearch::Capture::kPosition;
    said += " " + (is_position ? "@" + std::to_string(capture.begin)
                               : std::string(text.substr(capture.begin, capture.size)));
  }
  return said;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scripting_pattern)

BOOST_AUTO_TEST_CASE(every_item_of_the_manual_matches_what_it_says) {
  BOOST_TEST(find("xabc", "abc") == "1-4");
  BOOST_TEST(find("", "") == "0-0");
  BOOST_TEST(find("abc", "") == "0-0");
  BOOST_TEST(find("ab12", "%a+") == "0-2");
  BOOST_TEST(find("ab12", "%d%d$") == "2-4");
  BOOST_TEST(find("ab12", "%D$") == "nil");
  BOOST_TEST(find("a\0b"s, "%z") == "1-2");
  BOOST_TEST(find("a]-^b", "[]^-]+") == "1-4");
  BOOST_TEST(find("a]-^b", "[^]^-]+") == "0-1");
  BOOST_TEST(find("xyz_1", "[%w_]+", true) == "0-5");
  BOOST_TEST(find("caaab", "(a*)(.)") == "0-1  c");
  BOOST_TEST(find("aaab", "(a*)(.)") == "0-4 aaa b");
  BOOST_TEST(find("aaab", "(a-)b") == "0-4 aaa");
  BOOST_TEST(find("aaab", "a-(a?)b") == "0-4 a");
  BOOST_TEST(find("aaa", "a-", true) == "0-0");
  BOOST_TEST(find("color colour", "colou?r$") == "6-12");
  BOOST_TEST(find("flaaap", "()aa()") == "2-4 @2 @4");
  BOOST_TEST(find("it is 'so'", "(['\"])(.-)%1") == "6-10 ' so");
  BOOST_TEST(find("f(a(b)c) d)", "%b()") == "1-8");
  BOOST_TEST(find("((a)", "%b()") == "1-4");
  BOOST_TEST(find("THE (quick) fox", "%f[%a]%a+%f[%A]") == "0-3");
  BOOST_TEST(find("THE (quick) fox", "%f[%l]%l+") == "5-10");
  BOOST_TEST(find("fox", "x%f[%z]") == "2-3");
  BOOST_TEST(find("a$b^", "$b^") == "1-4");
  BOOST_TEST(find("xa", "a", true) == "nil");
  // A pattern ends at its first zero.
  BOOST_TEST(find("ab", "a\0[["s) == "0-1");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_where_a_search_comes_to_it) {
  BOOST_TEST(find("a", "%") == "malformed pattern (ends with '%')");
  BOOST_TEST(find("a", "[a") == "malformed pattern (missing ']')");
  BOOST_TEST(find("a", "[]") == "malformed pattern (missing ']')");
  BOOST_TEST(find("a", "[^]") == "malformed pattern (missing ']')");
  BOOST_TEST(find("a", "[a%]") == "malformed pattern (missing ']')");
  BOOST_TEST(find("a", "[%") == "malformed pattern (missing ']')");
  BOOST_TEST(find("a", "%b") == "unbalanced pattern");
  BOOST_TEST(find("a", "%bx") == "unbalanced pattern");
  BOOST_TEST(find("a", "%fa") == "missing '[' after '%f' in pattern");
  BOOST_TEST(find("a", "a)") == "invalid pattern capture");
  BOOST_TEST(find("a", "%1") == "invalid capture index");
  BOOST_TEST(find("a", "(%1)") == "invalid capture index");
  BOOST_TEST(find("a", std::string(32, '(') + std::string(32, ')')).starts_with("0-0"));
  BOOST_TEST(find("a", std::string(33, '(')) == "too many captures");
  BOOST_TEST(find("a", "x[") == "nil");
}

// Neither the stack nor the list of choices grows with a pattern for ever.
BOOST_AUTO_TEST_CASE(a_pattern_may_leave_so_many_choices_and_no_more) {
  const std::string text(200'000, 'a');
  const auto repeated = [](std::string_view item, size_t count) {
    std::string pattern;
    for (size_t i = 0; i < count; ++i) pattern += item;
    return pattern;
  };
  BOOST_TEST(find(text, repeated("a?", 100'000)) == "pattern too complex");
  BOOST_TEST(find(text, repeated("a-", 100'000)) == "pattern too complex");
  BOOST_TEST(find(text, repeated("a?", PatternSearch::kChoicesMax)) == "0-10000");
  BOOST_TEST(find(text, repeated("a?", PatternSearch::kChoicesMax + 1)) == "pattern too complex");
  BOOST_TEST(find(text, repeated("a", 100'000) + ".") == "0-100001");
}

// Whatever takes long: many ways, a long text, long sets, long repetitions of a capture.
BOOST_AUTO_TEST_CASE(no_search_takes_long_without_saying_so) {
  const std::string text(2000, 'a');
  const std::string set = "[" + std::string(5000, 'b') + "]*";
  for (const std::string& pattern :
       {".-.-.-.-.-.-b"s, ".*.*.*.*.*b"s, "(.-)%1(.-)%2(.-)%3b"s, "(a*)%1(a*)%2(a*)%3b"s,
        "(.-)(.-)(.-)(.-)x"s, ".-.-%b()%b()x"s, ".-.-.-%f[b].-b"s, ".-" + set + set + "b"}) {
    BOOST_TEST_CONTEXT(pattern.substr(0, 50)) {
      size_t steps = 0;
      size_t most = 0;
      PatternSearch search(text, pattern, false, [&](size_t more) {
        most = std::max(most, more);
        steps += more;
        if (steps > 10'000'000) throw Enough();
      });
      BOOST_CHECK_THROW((void)search.find(0), Enough);
      BOOST_TEST(most < PatternSearch::kStepsPerReport + set.size() + text.size());
    }
  }
  size_t steps = 0;
  PatternSearch search(text, "a*", false, [&](size_t more) { steps += more; });
  BOOST_TEST(*search.find(0));
  BOOST_TEST(steps >= text.size());
}

BOOST_AUTO_TEST_SUITE_END()
