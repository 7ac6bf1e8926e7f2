// entry.h: one key and its value, in one allocation.
//
//   OFFSET  SIZE  MEANING
//   0       3     access: seconds of the access clock (LRU), or decay time and counter (LFU)
//   3       1     type (high four bits) and encoding (low four bits)
//   4       2     key size (low 13 bits), then three flags: expiry, payload, long key
//   6       2     bytes of the value that lie inline, behind the key
//   8       8     expiry in ms of the Unix epoch          if its flag is set
//   ..      8     payload: an integer or a pointer        if its flag is set
//   ..      8     key size                                if the key is longer than 8191 bytes
//   ..      ..    key, then the inline value
//
// A 16 byte key with a 16 byte value takes 40 bytes and, as a rule, one cache line. An entry has
// exactly one owner, the cell that points to it, so it can be moved: what changes its size builds
// a new one and the cell is told (Keyspace does both).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/assert.h"
#include "base/memory.h"

namespace roxdb::types {

// The number is in snapshots: never reuse one.
enum class TypeId : uint8_t {
  kString = 0,
  kList = 1,
  kSet = 2,
  kHash = 3,
  kSortedSet = 4,
  kStream = 5,
  kJson = 6,
  kTimeSeries = 7,
  kGraph = 8,
};
inline constexpr size_t kTypesMax = 16;

// What an entry is made of. `inline_bytes` is copied; `payload` is stored as it is.
struct EntryParts {
  TypeId type = TypeId::kString;
  uint8_t encoding = 0;
  std::string_view key;
  std::string_view inline_bytes = {};
  bool has_payload = false;
  uint64_t payload = 0;
  int64_t expire_at_ms = -1;  // -1: none
  uint32_t access = 0;
};

class Entry {
 public:
  static constexpr size_t kKeyBytesShortMax = 8191;
  static constexpr size_t kInlineBytesMax = 65535;

  static size_t size_of(size_t key_bytes, size_t inline_bytes, bool has_expiry, bool has_payload) {
    return 8 +
           8 * (size_t{has_expiry} + size_t{has_payload} + size_t{key_bytes > kKeyBytesShortMax}) +
           key_bytes + inline_bytes;
  }
  static Entry* create(memory::Slabs& slabs, const EntryParts& parts);
  // Gives the allocation back; the payload is the caller's.
  static void destroy(memory::Slabs& slabs, Entry* entry) { slabs.give(entry, entry->size()); }

  TypeId type() const { return static_cast<TypeId>(kind_ >> 4); }
  uint8_t encoding() const { return kind_ & 15; }
  void set_encoding(uint8_t encoding) { kind_ = static_cast<uint8_t>((kind_ & 0xf0) | encoding); }

  std::string_view key() const { return {bytes() + key_offset(), key_size()}; }
  size_t key_size() const {
    const size_t size = key_bits_ & kKeyBytesShortMax;
    return __builtin_expect((key_bits_ & kLongKey) != 0, 0) ? word(key_offset() - 8) : size;
  }

  bool has_expiry() const { return (key_bits_ & kExpiry) != 0; }
  // REQUIRES: has_expiry().
  int64_t expire_at_ms() const { return static_cast<int64_t>(word(8)); }
  void set_expire_at_ms(int64_t at) { set_word(8, static_cast<uint64_t>(at)); }

  bool has_payload() const { return (key_bits_ & kPayload) != 0; }
  uint64_t payload() const { return word(payload_offset()); }
  void set_payload(uint64_t payload) { set_word(payload_offset(), payload); }
  template <class T>
  T* pointer() const {
    return reinterpret_cast<T*>(static_cast<uintptr_t>(payload()));
  }

  std::string_view inline_bytes() const { return {bytes() + inline_offset(), inline_size_}; }
  // For changes in place: exactly inline_bytes().size() bytes.
  char* mutable_inline_bytes() { return mutable_bytes() + inline_offset(); }
  // REQUIRES: the entry still occupies as many bytes; new ones hold anything.
  void set_inline_size(size_t size) { inline_size_ = static_cast<uint16_t>(size); }

  uint32_t access() const {
    return uint32_t{access_[0]} | uint32_t{access_[1]} << 8 | uint32_t{access_[2]} << 16;
  }
  void set_access(uint32_t access) {
    access_[0] = static_cast<uint8_t>(access);
    access_[1] = static_cast<uint8_t>(access >> 8);
    access_[2] = static_cast<uint8_t>(access >> 16);
  }

  size_t size() const { return inline_offset() + inline_size_; }
  size_t occupied_bytes() const { return memory::Slabs::occupied(size()); }
  EntryParts parts() const;

 private:
  static constexpr uint16_t kExpiry = 1u << 13;
  static constexpr uint16_t kPayload = 1u << 14;
  static constexpr uint16_t kLongKey = 1u << 15;

  Entry() = default;
  const char* bytes() const { return reinterpret_cast<const char*>(this); }
  char* mutable_bytes() { return reinterpret_cast<char*>(this); }
  uint64_t word(size_t offset) const {
    uint64_t value;
    std::memcpy(&value, bytes() + offset, sizeof value);
    return value;
  }
  void set_word(size_t offset, uint64_t value) {
    std::memcpy(mutable_bytes() + offset, &value, sizeof value);
  }
  size_t payload_offset() const { return has_expiry() ? 16 : 8; }
  size_t key_offset() const {
    const unsigned flags = key_bits_ >> 13;
    return 8 + 8 * ((flags & 1) + (flags >> 1 & 1) + (flags >> 2));
  }
  size_t inline_offset() const { return key_offset() + key_size(); }

  uint8_t access_[3];
  uint8_t kind_;
  uint16_t key_bits_;
  uint16_t inline_size_;
};
static_assert(sizeof(Entry) == 8);

}  // namespace roxdb::types
