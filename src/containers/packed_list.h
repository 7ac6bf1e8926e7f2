// packed_list.h: a run of small elements in one piece of memory, each a string or an integer.
//
//   | head | bytes | head | bytes | head | ...        no header, no padding, nothing between
//
//   HEAD        ELEMENT
//   0x00-0x7f   string of that many bytes, which follow
//   0x80-0xbf   the integer 0 to 63
//   0xc1-0xc8   integer in 1 to 8 bytes, two's complement, little endian
//   0xd2, 0xd4  string whose length follows in 2 or 4 bytes, little endian
//
// The canonical decimal text of an int64 is an integer, any other text a string, and both take the
// shortest form. So equal elements have equal bytes, and a search compares bytes. A run does not
// know its own size or count: whoever holds it does.
//
// I1  Every element is in the only form its text has.
// Cost: reading and writing an element O(its bytes); finding one O(elements before it). Forward
// only: one byte of overhead for nearly all elements is the point. Where ends must be reached at
// once, block_list.h has nodes of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/numbers.h"

namespace roxdb::containers::packed {

inline constexpr size_t kHeadBytesMax = 9;
inline constexpr size_t kNotFound = SIZE_MAX;

// One element of a run, as it is read. Views the run.
class Element {
 public:
  bool is_integer() const { return text_ == nullptr; }
  int64_t integer() const { return integer_; }              // REQUIRES: is_integer()
  std::string_view text() const { return {text_, size_}; }  // REQUIRES: not is_integer()
  size_t next() const { return next_; }                     // offset of what follows
  // The text, whichever it is; digits go to `room`, kIntegerDigitsMax bytes.
  std::string_view text(char* room) const {
    return is_integer() ? std::string_view(room, print_int64(integer_, room)) : text();
  }
  // Bytes of the text.
  size_t text_size() const {
    char room[kIntegerDigitsMax];
    return is_integer() ? print_int64(integer_, room) : size_;
  }

 private:
  friend Element read(std::string_view run, size_t offset);
  const char* text_ = nullptr;
  size_t size_ = 0;
  int64_t integer_ = 0;
  size_t next_ = 0;
};

// The text of one element with room for its digits; lives as long as the run.
class Text {
 public:
  explicit Text(const Element& element) : view_(element.text(digits_)) {}
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;
  std::string_view view() const { return view_; }
  operator std::string_view() const { return view_; }  // NOLINT: reads like one

 private:
  char digits_[kIntegerDigitsMax];
  std::string_view view_;
};

// A text on its way into a run: its head is made once, then measured, compared and written.
// Views the text.
class Encoded {
 public:
  explicit Encoded(std::string_view text);
  explicit Encoded(int64_t value) { encode_integer(value); }

  size_t size() const { return head_size_ + text_.size(); }
  // Writes size() bytes and returns what is behind them.
  char* write(char* out) const {
    std::memcpy(out, head_, head_size_);
    if (!text_.empty()) std::memcpy(out + head_size_, text_.data(), text_.size());
    return out + size();
  }
  bool is_at(const char* place) const {
    return std::memcmp(place, head_, head_size_) == 0 &&
           (text_.empty() || std::memcmp(place + head_size_, text_.data(), text_.size()) == 0);
  }
  bool is_integer() const { return static_cast<uint8_t>(head_[0]) - 0x80u < 0x50u; }

 private:
  void encode_integer(int64_t value);

  char head_[kHeadBytesMax];
  uint8_t head_size_ = 0;
  std::string_view text_;  // empty: the head is all
};

// The bytes that the element at `at` takes, head included. REQUIRES: a whole element is there.
inline size_t size_at(const char* at) {
  const auto head = static_cast<uint8_t>(*at);
  if (head < 0x80) return size_t{1} + head;
  if (head < 0xc0) return 1;
  if (head < 0xd0) return size_t{1} + (head & 15);
  uint32_t size = 0;
  std::memcpy(&size, at + 1, head & 15);
  return size_t{1} + (head & 15) + size;
}

// The element at an offset. REQUIRES: offset < run.size(), and an element begins there.
Element read(std::string_view run, size_t offset);

// The offset of the first element equal to `wanted`, looking at every `step`-th one from `offset`
// on; kNotFound.
size_t find(std::string_view run, const Encoded& wanted, size_t offset = 0, size_t step = 1);
// The offset behind `count` elements from `offset` on. REQUIRES: there are as many.
size_t skip(std::string_view run, size_t offset, size_t count);
// Elements of the run. O(elements).
size_t count(std::string_view run);

// Checks a run from outside: I1, and no element reaches beyond the end. Its count; none: damaged.
std::optional<size_t> check(std::string_view run);

}  // namespace roxdb::containers::packed
