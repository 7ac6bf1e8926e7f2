// hash_field.h: one field of a large hash: name, value and expiry in one block of the slabs.
//
//   OFFSET  SIZE  MEANING
//   0       2     bit 0: it has an expiry; bit 1: long form; bits 2-8 and 9-15: the sizes of name
//                 and value, 0 in the long form
//   2       8     size of the name, size of the value, 4 bytes each    in the long form
//   ..      8     expiry in ms of the Unix epoch                       if it has one
//   ..      ..    name, then value
//
// The long form begins where one of the two is longer than 127 bytes. A field of 12 and 16 bytes
// takes a block of 32, and looking it up reads one cache line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/memory.h"

namespace roxdb::types {

class HashField {
 public:
  static constexpr size_t kShortBytesMax = 127;

  // `expire_at_ms` < 0: none.
  static HashField* create(memory::Slabs& slabs, std::string_view name, std::string_view value,
                           int64_t expire_at_ms);
  static HashField* copy(memory::Slabs& slabs, const HashField& field);
  static void destroy(memory::Slabs& slabs, HashField* field) {
    slabs.give(field, field->block_size());
  }

  std::string_view name() const { return {bytes() + name_offset(), name_size()}; }
  std::string_view value() const { return {bytes() + name_offset() + name_size(), value_size()}; }
  bool has_expiry() const { return (head_ & kExpiry) != 0; }
  // -1: none.
  int64_t expire_at_ms() const {
    if (!has_expiry()) return -1;
    int64_t at;
    std::memcpy(&at, bytes() + expiry_offset(), sizeof at);
    return at;
  }
  // REQUIRES: has_expiry().
  void set_expire_at_ms(int64_t at) {
    std::memcpy(mutable_bytes() + expiry_offset(), &at, sizeof at);
  }
  // Writes another value over the old one; false when it needs a block of another size.
  bool overwrite(std::string_view value);

  size_t size() const { return name_offset() + name_size() + value_size(); }
  // What is taken and given back: all of a size class, so that overwrite() may use it.
  size_t block_size() const { return memory::Slabs::occupied(size()); }

 private:
  static constexpr uint16_t kExpiry = 1;
  static constexpr uint16_t kLong = 2;
  static constexpr unsigned kNameShift = 2;
  static constexpr unsigned kValueShift = 9;
  static constexpr size_t kLongSizes = 2;  // their offset

  const char* bytes() const { return reinterpret_cast<const char*>(this); }
  char* mutable_bytes() { return reinterpret_cast<char*>(this); }
  bool is_long() const { return (head_ & kLong) != 0; }
  size_t long_size(size_t offset) const {
    uint32_t size;
    std::memcpy(&size, bytes() + offset, sizeof size);
    return size;
  }
  size_t name_size() const {
    return __builtin_expect(is_long(), 0) ? long_size(kLongSizes)
                                          : head_ >> kNameShift & kShortBytesMax;
  }
  size_t value_size() const {
    return __builtin_expect(is_long(), 0) ? long_size(kLongSizes + 4) : head_ >> kValueShift;
  }
  size_t expiry_offset() const { return is_long() ? 10 : 2; }
  size_t name_offset() const { return expiry_offset() + (has_expiry() ? 8 : 0); }
  void set_value_size(size_t size);

  uint16_t head_;
};
static_assert(sizeof(HashField) == 2);

}  // namespace roxdb::types
