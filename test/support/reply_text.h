// reply_text.h: a reply as one line of text, in the notation of a command's examples:
//
//   :2  +OK  -ERR text  $bytes  $nil  *[$a :1]  *nil  %[$name $value]  ~[$a $b]  >[...]  |[...]
//   ,1.5  #t  #f  =txt:text  (12345
//
// Speaks RESP2 unless told otherwise: a map is then *[...] as a client of that protocol sees it.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/numbers.h"
#include "resp/reply.h"

namespace roxdb::test {

class ReplyText final : public resp::Reply {
 public:
  explicit ReplyText(int protocol = 2) { set_protocol(protocol); }

  // Everything replied so far; several replies are separated by a blank. REQUIRES: complete.
  const std::string& text() const { return text_; }
  bool complete() const { return levels_.empty() && !text_.empty(); }
  void clear() { text_.clear(); }

  void simple(std::string_view line) override { add("+", line); }
  void error(std::string_view line) override { add("-", line); }
  void integer(int64_t value) override { add(":", std::to_string(value)); }
  void real(double value) override {
    char digits[kDoubleDigitsMax];
    add(protocol() >= 3 ? "," : "$", {digits, print_double(value, digits)});
  }
  void boolean(bool value) override {
    if (protocol() >= 3) return add("#", value ? "t" : "f");
    integer(value ? 1 : 0);
  }
  void null() override { add("$", "nil"); }
  void null_array() override { add("*", "nil"); }
  void bulk(std::string_view bytes) override { add("$", bytes); }
  void verbatim(std::string_view format, std::string_view bytes) override {
    if (protocol() < 3) return bulk(bytes);
    add("=", fmt::format("{}:{}", format, bytes));
  }
  void big_number(std::string_view digits) override { add(protocol() >= 3 ? "(" : "$", digits); }

  void array(size_t count) override { begin("*", count); }
  void map(size_t pairs) override { begin(protocol() >= 3 ? "%" : "*", pairs * 2); }
  void set(size_t count) override { begin(protocol() >= 3 ? "~" : "*", count); }
  void push(size_t count) override { begin(protocol() >= 3 ? ">" : "*", count); }
  void attribute(size_t pairs) override { begin("|", pairs * 2); }
  Open open(Aggregate kind) override {
    begin(protocol() < 3 || kind == Aggregate::kArray ? "*"
          : kind == Aggregate::kMap                   ? "%"
                                                      : "~",
          SIZE_MAX);
    return {levels_.size(), kind};
  }
  void close(Open open, size_t count) override {
    // Forgiving here would hide a wrong count from the tests.
    const size_t members = open.kind == Aggregate::kMap ? count * 2 : count;
    ROX_ASSERT(levels_.size() == open.at && SIZE_MAX - levels_.back() == members);
    end();
  }

 private:
  void separate() {
    if (!text_.empty() && text_.back() != '[') text_ += ' ';
  }
  void add(std::string_view sign, std::string_view value) {
    separate();
    text_ += sign;
    text_ += value;
    count_one();
  }
  void begin(std::string_view sign, size_t members) {
    separate();
    text_ += sign;
    text_ += '[';
    levels_.push_back(members);
    if (members == 0) end();
  }
  void end() {
    levels_.pop_back();
    text_ += ']';
    count_one();
  }
  void count_one() {
    if (!levels_.empty() && --levels_.back() == 0) end();
  }

  std::string text_;
  std::vector<size_t> levels_;  // members still to come, counted down from SIZE_MAX while open
};

}  // namespace roxdb::test
