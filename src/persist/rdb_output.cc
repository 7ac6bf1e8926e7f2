#include "persist/rdb_output.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/assert.h"
#include "base/numbers.h"
#include "persist/rdb_blob.h"
#include "persist/rdb_format.h"

namespace roxdb::persist {
namespace {

constexpr size_t kListpackHead = 6;
constexpr size_t kIntegerTextMax = 11;  // longer ones stay text, as Redis has it

template <class T>
bool fits(int64_t value) {
  return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

constexpr uint8_t special(uint8_t form) { return static_cast<uint8_t>(kLengthSpecial << 6 | form); }

}  // namespace

void RdbOutput::length(uint64_t value) {
  if (value < 1 << 6) {
    byte(static_cast<uint8_t>(value));
  } else if (value < 1 << 14) {
    byte(static_cast<uint8_t>(kLength14 << 6 | value >> 8));
    byte(static_cast<uint8_t>(value));
  } else if (value <= std::numeric_limits<uint32_t>::max()) {
    byte(kLength32);
    number(__builtin_bswap32(static_cast<uint32_t>(value)));
  } else {
    byte(kLength64);
    number(__builtin_bswap64(value));
  }
}

// False: no form for it.
bool RdbOutput::integer(int64_t value) {
  if (fits<int8_t>(value)) {
    byte(special(kFormInt8));
    number(static_cast<int8_t>(value));
  } else if (fits<int16_t>(value)) {
    byte(special(kFormInt16));
    number(static_cast<int16_t>(value));
  } else if (fits<int32_t>(value)) {
    byte(special(kFormInt32));
    number(static_cast<int32_t>(value));
  } else {
    return false;
  }
  return true;
}

void RdbOutput::string(std::string_view text) {
  if (text.size() <= kIntegerTextMax) {
    if (const auto value = parse_int64(text); value && integer(*value)) return;
  }
  length(text.size());
  write(text);
}

void RdbOutput::string(int64_t value) {
  if (integer(value)) return;
  char digits[kIntegerDigitsMax];
  string(std::string_view(digits, print_int64(value, digits)));
}

void RdbOutput::string(const containers::packed::Element& element) {
  if (element.is_integer()) {
    string(element.integer());
  } else {
    string(element.text());
  }
}

size_t RdbOutput::reserve_length() {
  byte(kLength32);
  const size_t place = out_.size();
  number(uint32_t{0});
  return place;
}

void RdbOutput::fill_length(size_t place, uint32_t value) {
  if (has_overflowed_) return;
  value = __builtin_bswap32(value);
  std::memcpy(out_.data() + place, &value, sizeof value);
}

void ListpackWriter::clear() {
  bytes_.assign(kListpackHead, '\0');
  count_ = 0;
}

void ListpackWriter::add(std::string_view text) {
  if (text.size() <= kIntegerDigitsMax) {
    if (const auto value = parse_int64(text)) return add(*value);
  }
  add_text(text);
}

void ListpackWriter::add(const containers::packed::Element& element) {
  if (element.is_integer()) {
    add(element.integer());
  } else {
    add_text(element.text());
  }
}

void ListpackWriter::add(int64_t value) {
  const size_t begin = bytes_.size();
  const auto bits = static_cast<uint64_t>(value);
  if (value >= 0 && value < 1 << 7) {
    bytes_ += static_cast<char>(value);
  } else if (value >= -(1 << 12) && value < 1 << 12) {
    big_endian(0xc0, bits & 0x1fff);
  } else if (fits<int16_t>(value)) {
    little_endian(0xf1, bits, 2);
  } else if (value >= -(1 << 23) && value < 1 << 23) {
    little_endian(0xf2, bits, 3);
  } else if (fits<int32_t>(value)) {
    little_endian(0xf3, bits, 4);
  } else {
    little_endian(0xf4, bits, 8);
  }
  end_element(begin);
}

void ListpackWriter::add_text(std::string_view text) {
  const size_t begin = bytes_.size();
  if (text.size() < 1 << 6) {
    bytes_ += static_cast<char>(0x80 | text.size());
  } else if (text.size() < 1 << 12) {
    big_endian(0xe0, text.size());
  } else {
    little_endian(0xf0, text.size(), 4);
  }
  bytes_.append(text);
  end_element(begin);
}

// A number of up to 13 bits whose highest are in the mark.
void ListpackWriter::big_endian(uint8_t mark, uint64_t value) {
  bytes_ += static_cast<char>(mark | value >> 8);
  bytes_ += static_cast<char>(value);
}

void ListpackWriter::little_endian(uint8_t mark, uint64_t value, size_t size) {
  bytes_ += static_cast<char>(mark);
  bytes_.append(reinterpret_cast<const char*>(&value), size);
}

void ListpackWriter::end_element(size_t begin) {
  char back[5];
  bytes_.append(back, write_back_length(bytes_.size() - begin, back));
  count_++;
}

std::string_view ListpackWriter::finish() {
  bytes_ += '\xff';
  ROX_ASSERT(bytes_.size() <= std::numeric_limits<uint32_t>::max());
  const auto size = static_cast<uint32_t>(bytes_.size());
  const auto count = static_cast<uint16_t>(std::min<uint64_t>(count_, 0xffff));
  std::memcpy(bytes_.data(), &size, sizeof size);
  std::memcpy(bytes_.data() + sizeof size, &count, sizeof count);
  return bytes_;
}

}  // namespace roxdb::persist
