#include "resp/inline_split.h"

#include <boost/test/unit_test.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::string_view_literals;

namespace {

using Words = std::vector<std::string>;

// The words of `line`, or nothing when it is refused.
std::optional<Words> split(std::string_view line) {
  roxdb::resp::ArgVector args;
  args.append("before");
  const bool good = roxdb::resp::split_inline(line, args);
  BOOST_TEST_REQUIRE(args[0] == "before");
  if (!good) {
    BOOST_TEST(args.size() == 1u);
    return std::nullopt;
  }
  const auto words = args.slice(1, args.size() - 1);
  return Words(words.begin(), words.end());
}

struct Line {
  std::string_view text;
  std::optional<Words> words;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(resp_inline_split)

// The right column is what redis-server 7.0.15 makes of the line.
BOOST_AUTO_TEST_CASE(words_and_quotes_are_read_as_redis_reads_them) {
  const Line lines[] = {
      {"", Words{}},
      {" \t\r\v\f ", Words{}},
      {"PING", Words{"PING"}},
      {"  SET  k\tv  ", Words{"SET", "k", "v"}},
      {"a\rb", Words{"a", "b"}},
      {"a\vb \vc", Words{"a\vb", "c"}},
      {R"("")", Words{""}},
      {R"('')", Words{""}},
      {R"("a b" 'c d')", Words{"a b", "c d"}},
      {R"(foo"bar baz" x)", Words{"foobar baz", "x"}},
      {R"(foo'bar' x)", Words{"foobar", "x"}},
      {R"("\n\r\t\b\a\\\"\q")", Words{"\n\r\t\b\a\\\"q"}},
      {R"("\x41\x6a\xFf\x0")", Words{"Aj\xffx0"}},
      {R"("\x4g")", Words{"x4g"}},
      {R"("\x4)", std::nullopt},
      {R"("\x00")", Words{std::string(1, '\0')}},
      {R"('\n\'\\x')", Words{R"(\n'\\x)"}},
      {R"('\\')", std::nullopt},
      {R"('\x41')", Words{R"(\x41)"}},
      {R"(a\nb \"x)", std::nullopt},
      {R"(a\nb)", Words{R"(a\nb)"}},
      {R"("a"b)", std::nullopt},
      {R"('a'b)", std::nullopt},
      {R"("a""b")", std::nullopt},
      {R"("a)", std::nullopt},
      {R"('a)", std::nullopt},
      {R"("a\)", std::nullopt},
      {R"("a\")", std::nullopt},
      {R"('a\')", std::nullopt},
      {R"(good "bad)", std::nullopt},
      {"\"a\"\vb", Words{"a", "b"}},
      {"\xe4\xff \x80", Words{"\xe4\xff", "\x80"}},
  };
  for (const Line& line : lines) {
    BOOST_TEST_CONTEXT("line <" << line.text << ">") {
      BOOST_CHECK(split(line.text) == line.words);
    }
  }
}

// Redis stops reading a line there; for us a NUL is content.
BOOST_AUTO_TEST_CASE(a_nul_is_a_byte_like_any_other) {
  BOOST_CHECK(split("a\0b c"sv) == (Words{std::string("a\0b", 3), "c"}));
}

BOOST_AUTO_TEST_CASE(words_without_quotes_are_views_into_the_line) {
  const std::string line = "GET key";
  roxdb::resp::ArgVector args;
  BOOST_TEST_REQUIRE(roxdb::resp::split_inline(line, args));
  BOOST_CHECK(args[1].data() == line.data() + 4);
}

BOOST_AUTO_TEST_CASE(many_quoted_words_share_one_text) {
  std::string line;
  Words expected;
  for (int i = 0; i < 1000; ++i) {
    line += "a\"\\x62" + std::to_string(i) + "\" ";
    expected.push_back("ab" + std::to_string(i));
  }
  BOOST_CHECK(split(line) == expected);
}

BOOST_AUTO_TEST_SUITE_END()
