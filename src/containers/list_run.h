// list_run.h: a run of elements that can be walked both ways: a short list, or one node of a long
// one (block_list.h).
//
//   | element | size | element | size | ...       elements as packed_list.h has them
//
// The size of an element stands behind it, readable backwards: seven bits a byte, the lowest in
// the last byte, the top bit set where more stand in front. One byte for elements below 128 bytes,
// so a short string costs two bytes more than its text.
//
// I1  Each size is that of the element in front of it, in the fewest bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "containers/packed_list.h"

namespace roxdb::containers::list_run {

inline constexpr size_t kSizeBytesMax = 5;

// Bytes that the size of an element takes.
inline size_t size_bytes(size_t element_bytes) {
  if (element_bytes < size_t{1} << 7) [[likely]]
    return 1;
  if (element_bytes < size_t{1} << 14) return 2;
  if (element_bytes < size_t{1} << 21) return 3;
  return element_bytes < size_t{1} << 28 ? 4 : 5;
}

// What an element takes in a run, its size included.
inline size_t room_of(size_t element_bytes) { return element_bytes + size_bytes(element_bytes); }
inline size_t room_of(const packed::Encoded& element) { return room_of(element.size()); }
inline size_t room_of(std::string_view element) { return room_of(element.size()); }

// The room of the element that begins at `at`.
inline size_t room_at(const char* at) { return room_of(packed::size_at(at)); }
// The room of the element that ends in front of `end`. REQUIRES: there is one.
inline size_t room_before(const char* end) {
  const auto last = static_cast<uint8_t>(end[-1]);
  if (last < 0x80) [[likely]]
    return size_t{last} + 1;
  size_t element_bytes = last & 0x7f;
  size_t read = 1;
  for (uint8_t byte = last; byte >= 0x80; ++read) {
    byte = static_cast<uint8_t>(end[-1 - static_cast<ptrdiff_t>(read)]);
    element_bytes |= size_t{byte & 0x7fu} << (7 * read);
  }
  return element_bytes + read;
}

// Writes an element, room_of() bytes, and returns what is behind it.
char* write(const packed::Encoded& element, char* out);
// The same for an element that lies somewhere already, without its size.
char* write(std::string_view element, char* out);

inline packed::Element read(const char* at) { return packed::read({at, packed::size_at(at)}, 0); }
// Whether the element at `at` has these bytes.
inline bool is_at(const packed::Encoded& element, const char* at) {
  return packed::size_at(at) == element.size() && element.is_at(at);
}

// Asserts I1 and that every element is in the one form its text has. Its count.
size_t check(std::string_view run);

}  // namespace roxdb::containers::list_run
