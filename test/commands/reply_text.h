// reply_text.h: a reply as a line of text, for tests and for the examples of command declarations.
//
//   :2          integer            $ab         bulk               $nil      null
//   +OK         simple             -ERR no     error              *nil      null array
//   ,1.5        real               #t #f       boolean            (123      big number
//   =txt:ab     verbatim           *[:1 $a]    array              ~[$a]     set
//   %{$k $v}    map, in pairs      >[$a]       push               |{$k $v}  attribute
//
// In bulks, bytes outside printable ASCII are \xNN and a backslash is doubled. What the protocol
// does to a meaning (a map in RESP2) is the writer's business and not shown.
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/numbers.h"
#include "resp/reply.h"

namespace roxdb::commands::test {

class ReplyText final : public resp::Reply {
 public:
  // The text since the last call. Fails the test when a reply is not complete.
  std::string take() {
    BOOST_TEST(open_.empty(), "an aggregate has fewer members than announced: " << text_);
    open_.clear();
    replies_ = 0;
    return std::exchange(text_, {});
  }
  // Replies since the last take(); a command makes exactly one.
  size_t replies() const { return replies_; }

  void simple(std::string_view text) override { add("+" + escaped(text)); }
  void error(std::string_view text) override { add("-" + escaped(text)); }
  void integer(int64_t value) override { add(fmt::format(":{}", value)); }
  void real(double value) override {
    char digits[kDoubleDigitsMax];
    add("," + std::string(digits, print_double(value, digits)));
  }
  void boolean(bool value) override { add(value ? "#t" : "#f"); }
  void null() override { add("$nil"); }
  void null_array() override { add("*nil"); }
  void bulk(std::string_view bytes) override { add("$" + escaped(bytes)); }
  void verbatim(std::string_view format, std::string_view text) override {
    add("=" + std::string(format) + ":" + escaped(text));
  }
  void big_number(std::string_view digits) override { add("(" + std::string(digits)); }
  void array(size_t count) override { begin("*[", ']', count); }
  void map(size_t pairs) override { begin("%{", '}', 2 * pairs); }
  void set(size_t count) override { begin("~[", ']', count); }
  void push(size_t count) override { begin(">[", ']', count); }
  void attribute(size_t pairs) override { begin("|{", '}', 2 * pairs); }

  Open open(Aggregate kind) override {
    constexpr size_t kUnknown = SIZE_MAX;
    begin(kind == Aggregate::kArray ? "*["
          : kind == Aggregate::kMap ? "%{"
                                    : "~[",
          kind == Aggregate::kMap ? '}' : ']', kUnknown);
    return {open_.size(), kind};
  }
  void close(Open open, size_t count) override {
    BOOST_REQUIRE(open_.size() == open.at);  // innermost first
    const size_t members = open.kind == Aggregate::kMap ? 2 * count : count;
    BOOST_TEST(open_.back().members == members);
    open_.back().expected = open_.back().members;
    end_full();
  }

 private:
  struct Level {
    size_t expected;
    size_t members;
    char end;
  };

  static std::string escaped(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
      if (c == '\\') {
        out += "\\\\";
      } else if (c < ' ' || c > '~') {
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      } else {
        out += c;
      }
    }
    return out;
  }
  void separate() {
    const bool is_first = open_.empty() ? text_.empty() : open_.back().members == 0;
    if (!is_first) text_ += ' ';
  }
  void add(const std::string& text) {
    separate();
    text_ += text;
    count_member();
  }
  void begin(std::string_view start, char end, size_t expected) {
    separate();
    text_ += start;
    open_.push_back({expected, 0, end});
    end_full();
  }
  void count_member() {
    if (open_.empty()) {
      replies_++;
      return;
    }
    open_.back().members++;
    end_full();
  }
  void end_full() {
    if (open_.back().members != open_.back().expected) return;
    text_ += open_.back().end;
    open_.pop_back();
    count_member();
  }

  std::string text_;
  std::vector<Level> open_;
  size_t replies_ = 0;
};

}  // namespace roxdb::commands::test
