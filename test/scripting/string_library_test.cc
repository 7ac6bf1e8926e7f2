// string.find, match, gmatch and gsub: the examples of Lua's manual, and random patterns beside the
// functions that come with Lua.
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <string_view>

#include "scripting/interpreter.h"
#include "test/scripting/original_lua.h"
#include "test/scripting/script_fixture.h"

namespace {

using roxdb::scripting::test::kAllMatching;
using roxdb::scripting::test::OriginalLua;
using roxdb::scripting::test::ScriptFixture;
using namespace std::string_view_literals;

class RandomPatterns {
 public:
  explicit RandomPatterns(uint32_t seed) : chance_(seed) {}

  std::string text() { return some(kTexts, 8); }
  std::string form() { return some(kForms, 3); }
  std::string pattern() {
    std::string pattern = one_in(6) ? "^" : "";
    const size_t count = 1 + below(6);
    for (size_t i = 0; i < count; ++i) {
      const bool is_rare = one_in(12);
      pattern +=
          is_rare ? kRareItems[below(std::size(kRareItems))] : kItems[below(std::size(kItems))];
      if (one_in(2)) pattern += "*+-?"[below(4)];
    }
    return pattern;
  }
  std::string position() { return std::to_string(static_cast<int>(below(24)) - 12); }

 private:
  static constexpr std::string_view kTexts[] = {"a", "a", "b", "ab", "1",    " ",    "(", ")", "]",
                                                "-", "%", "^", "$",  "\0"sv, "\xe4", "B", ".", "_"};
  static constexpr std::string_view kForms[] = {"%0", "%1", "%2", "%%", "%", "x", "%a", "\0"sv};
  static constexpr std::string_view kItems[] = {
      "a",     "b",   ".",    "(",     ")",     "()",    "(a*)", "(.-)", "%a",    "%W",
      "%s",    "%d",  "[ab]", "[^a]",  "[a-c]", "[^%d]", "%1",   "$",    "%(",    "%b()",
      "%f[a]", "(b)", "1",    "[%a_]", "[]]",   "[^]a]", "[a-]", "[-a]", "[%]-]", "%f[%W]"};
  static constexpr std::string_view kRareItems[] = {
      "[",    "%",           "%b",    "%f",     "\0"sv,   "]",   "^",  "%2", "%0",
      "%bab", "%z",          "[^%z]", "[a-%a]", "[%a-z]", "%C",  "%p", "%U", "%x",
      "%L",   "[\xe0-\xff]", "[z-a]", "[^",     "%f[^",   "%b(", "%g", "((", "))"};

  size_t below(size_t count) { return chance_() % count; }
  bool one_in(size_t count) { return below(count) == 0; }
  template <size_t count>
  std::string some(const std::string_view (&pieces)[count], size_t count_max) {
    std::string text;
    for (size_t left = below(count_max + 1); left > 0; --left) text += pieces[below(count)];
    return text;
  }

  std::mt19937 chance_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(scripting_string_library, ScriptFixture)

BOOST_AUTO_TEST_CASE(the_examples_of_the_manual_hold) {
  BOOST_TEST(eval("local n = 0 for w in string.gmatch('hello world from Lua', '%a+') do "
                  "n = n + #w end return n") == ":17");
  BOOST_TEST(eval("local t = {} for k, v in string.gmatch('from=world, to=Lua', '(%w+)=(%w+)') do "
                  "t[#t + 1] = k .. v end return t") == "*[$fromworld $toLua]");
  BOOST_TEST(eval("return {string.gsub('hello world', '(%w+)', '%1 %1')}") ==
             "*[$hello hello world world :2]");
  BOOST_TEST(eval("return {string.gsub('hello world', '%w+', '%0 %0', 1)}") ==
             "*[$hello hello world :1]");
  BOOST_TEST(eval("return {string.gsub('hello world from Lua', '(%w+)%s*(%w+)', '%2 %1')}") ==
             "*[$world hello Lua from :2]");
  BOOST_TEST(eval("return {string.gsub('4+5 = $return 4+5$', '%$(.-)%$', "
                  "function(s) return loadstring(s)() end)}") == "*[$4+5 = 9 :1]");
  BOOST_TEST(eval("local t = {name='lua', version='5.1'} "
                  "return {string.gsub('$name-$version.tar.gz', '%$(%w+)', t)}") ==
             "*[$lua-5.1.tar.gz :2]");
  BOOST_TEST(eval("return {string.find('flaaap', '()aa()')}") == "*[:3 :4 :3 :5]");
  BOOST_TEST(eval("return {('key = value'):match('^(%w+)%s*=%s*(%w+)$')}") == "*[$key $value]");
  BOOST_TEST(eval("return {('a,b,,c'):gsub(',', ';')}") == "*[$a;b;;c :3]");
  BOOST_TEST(eval("return {('abc'):gsub('', '-')}") == "*[$-a-b-c- :4]");
  BOOST_TEST(eval("return {('abc'):gsub('%w', {a = 1, b = false})}") == "*[$1bc :3]");
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_as_lua_says_it) {
  const std::string place = "-ERR user_script:1: ";
  BOOST_TEST(error("return string.find()") ==
             place + "bad argument #1 to 'find' (string expected, got no value)");
  BOOST_TEST(error("return ('x'):find({})") ==
             place + "bad argument #1 to 'find' (string expected, got table)");
  BOOST_TEST(error("return string.gsub('x', 'x')") ==
             place + "bad argument #3 to 'gsub' (string/function/table expected)");
  BOOST_TEST(error("return string.gsub('x', 'x', '%2')") == place + "invalid capture index");
  BOOST_TEST(error("return string.gsub('x', 'x', function() return {} end)") ==
             place + "invalid replacement value (a table)");
  BOOST_TEST(error("return string.match('x', '(x')") == place + "unfinished capture");
  BOOST_TEST(error("return string.match('x', '[x')") == place + "malformed pattern (missing ']')");
  BOOST_TEST(error("for a in string.gmatch('x', '%') do end") ==
             place + "malformed pattern (ends with '%')");
  BOOST_TEST(error("return string.gsub('x', 'x', function() error('mine') end)") == place + "mine");
}

BOOST_AUTO_TEST_CASE(a_replacement_may_match_and_fail_on_its_own) {
  BOOST_TEST(eval("return {('a(b)c(d)'):gsub('%((.)%)', function(x) "
                  "return (x:gsub('.', function(y) return y:upper():find('B') and '!' or '?' end)) "
                  "end)}") == "*[$a!c? :2]");
  BOOST_TEST(eval("local n = 0 return {pcall(string.gsub, 'aaa', 'a', function() n = n + 1 "
                  "if n == 2 then error('x', 0) end end), n}")
                 .find(":2") != std::string::npos);
}

// What this says in 10,000 ways, thousands of lines of tests could not.
BOOST_AUTO_TEST_CASE(random_patterns_match_as_those_of_lua_do) {
  const auto seed = std::random_device()();
  BOOST_TEST_MESSAGE("seed " << seed);
  RandomPatterns random(seed);
  OriginalLua original;
  constexpr int kCases = 10'000;
  for (int i = 0; i < kCases; ++i) {
    const std::string text = random.text();
    const std::string pattern = random.pattern();
    const std::string form = random.form();
    const std::string position = random.position();
    const std::string expected = "$" + original.run(kAllMatching, {text, pattern, form, position});
    const std::string said = run_args({"EVAL", kAllMatching, "0", text, pattern, form, position});
    if (said == expected) continue;
    BOOST_TEST_CONTEXT("seed " << seed << ", text '" << text << "', pattern '" << pattern
                               << "', replacement '" << form << "', position " << position) {
      BOOST_TEST(said == expected);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
