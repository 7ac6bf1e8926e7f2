// string_value.h: the string type. Four encodings, chosen by content and size:
//
//   kInteger   payload: the int64 whose decimal text is the value     OBJECT ENCODING "int"
//   kEmbedded  inline, <= 44 bytes when it was set                    "embstr"
//   kRaw       inline, longer or edited                               "raw"
//   kShared    payload: a BigString, reference counted                "raw"
//
// Small values lie in the entry, so that a GET touches one allocation; big ones stand alone, so
// that APPEND grows them in place and replies send them without a copy. A BigString that somebody
// else holds too (a reply on its way, the result of a COPY) is never edited: the value moves to a
// new one first.
//
// Saved form, one per value whatever its encoding:
//   varint 2 * size, then the bytes      any text but that of an integer
//   varint 1, then a zigzag varint       the canonical text of an int64
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/memory.h"
#include "base/numbers.h"
#include "base/shared_bytes.h"
#include "base/status.h"
#include "containers/segment.h"
#include "types/entry.h"
#include "types/value_type.h"

namespace roxdb::types {

enum class StringEncoding : uint8_t { kInteger = 0, kEmbedded = 1, kRaw = 2, kShared = 3 };

inline constexpr size_t kEmbeddedBytesMax = 44;  // Redis's border between embstr and raw
// A value lies inline while the whole entry fits a slab block, or when it is this small anyway.
inline constexpr size_t kAlwaysInlineBytesMax = 64;

// A big value: the blob's head, then the bytes, in one allocation.
class BigString final : public SharedBlob {
 public:
  // Null when the system refuses that much memory. REQUIRES: size <= capacity.
  static BigString* try_create(size_t size, size_t capacity);
  std::string_view view() const { return {data(), size_}; }
  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  // REQUIRES: size <= capacity(), unique().
  void set_size(size_t size) { size_ = size; }
  size_t occupied_bytes() const { return memory::block_bytes(sizeof(BigString) + capacity_); }

 private:
  BigString(size_t size, size_t capacity)
      : SharedBlob(&BigString::release), size_(size), capacity_(capacity) {}
  static void release(SharedBlob* blob);

  size_t size_;
  size_t capacity_;
};

inline StringEncoding string_encoding(const Entry& entry) {
  return static_cast<StringEncoding>(entry.encoding());
}
// The blob of a big value, for replies that keep a reference; none when the value is small.
inline SharedRef string_blob(const Entry& entry) {
  if (string_encoding(entry) != StringEncoding::kShared) return {};
  return SharedRef::share(entry.pointer<BigString>());
}

// Bytes of the value.
inline size_t string_size(const Entry& entry) {
  switch (string_encoding(entry)) {
    case StringEncoding::kInteger:
      return printed_size(static_cast<int64_t>(entry.payload()));
    case StringEncoding::kShared:
      return entry.pointer<const BigString>()->size();
    case StringEncoding::kEmbedded:
    case StringEncoding::kRaw:
      break;
  }
  return entry.inline_bytes().size();
}

// The bytes of a string as they are read: a view, with room for the digits of an integer.
class StringView {
 public:
  explicit StringView(const Entry& entry) {
    switch (string_encoding(entry)) {
      case StringEncoding::kInteger:
        data_ = nullptr;
        size_ = print_int64(static_cast<int64_t>(entry.payload()), digits_);
        return;
      case StringEncoding::kShared:
        data_ = entry.pointer<const BigString>()->data();
        size_ = entry.pointer<const BigString>()->size();
        return;
      case StringEncoding::kEmbedded:
      case StringEncoding::kRaw:
        data_ = entry.inline_bytes().data();
        size_ = entry.inline_bytes().size();
        return;
    }
  }
  std::string_view view() const { return {data_ != nullptr ? data_ : digits_, size_}; }
  operator std::string_view() const { return view(); }  // NOLINT: reads like one
  size_t size() const { return size_; }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
  char digits_[kIntegerDigitsMax];
};

// The value of one entry, for edits. Holds the cell, since an edit may move the entry; dead once
// the table changes otherwise. Errors: Code::kNoMemory when the system refuses the bytes; then the
// value is as it was. `bytes` must not lie in the value itself.
class StringValue {
 public:
  static constexpr TypeId kType = TypeId::kString;

  StringValue(const ValueHome& home, containers::Cell& cell) : home_(&home), cell_(&cell) {}
  // An entry with the empty string, for APPEND and the like.
  static Entry* create(const ValueHome& home, EntryParts parts);
  const Entry& entry() const { return *static_cast<const Entry*>(cell_->pointer()); }
  StringView view() const { return StringView(entry()); }
  size_t size() const { return string_size(entry()); }

  // Replaces the bytes; expiry and access clock stay. The encoding is chosen anew.
  Status assign(std::string_view bytes);
  void assign_integer(int64_t value);
  // O(bytes) amortised: one that grows and moves gets twice the room. REQUIRES: the result is at
  // most kStringBytesMax.
  Status append(std::string_view bytes) { return put(size(), bytes); }
  // Zero bytes fill a gap. REQUIRES: offset + bytes.size() <= kStringBytesMax, bytes not empty.
  Status set_range(size_t offset, std::string_view bytes) { return put(offset, bytes); }
  // Makes the value this long, cut or filled with zero bytes, and returns its bytes for changes in
  // place; they are dead after any other edit. REQUIRES: size <= kStringBytesMax.
  Result<char*> resize(size_t size);
  // The integer, when the bytes are the canonical text of one.
  std::optional<int64_t> integer() const;

 private:
  Entry& mutable_entry() { return *static_cast<Entry*>(cell_->pointer()); }
  Status put(size_t offset, std::string_view bytes);
  // The bytes of the value, now `size` of them; those beyond the old are zero or leftovers.
  Result<char*> make_room(size_t size);
  // The bytes of the value, now `size` of them, inline and kRaw; those beyond the old are zero or
  // leftovers.
  char* make_inline(size_t size);
  // Makes the value a BigString that nobody else holds, with room for `size` bytes.
  Result<BigString*> make_big(size_t size);
  void rebuild(const EntryParts& parts);

  const ValueHome* home_;
  containers::Cell* cell_;
};

// A string that is no key yet: a result that is made in place.
class ScratchString {
 public:
  // Empty; `parts` brings key, expiry and access of the entry that take() gives.
  ScratchString(const ValueHome& home, const EntryParts& parts);
  ~ScratchString();
  ScratchString(const ScratchString&) = delete;
  ScratchString& operator=(const ScratchString&) = delete;

  StringValue value() { return {home_, cell_}; }
  // The entry is the caller's; nothing else may be called.
  Entry* take();

 private:
  const ValueHome home_;
  containers::Cell cell_{};
};

// A new string entry; the encoding is chosen from the bytes. `parts` brings key, expiry, access.
// Code::kNoMemory when the system refuses the bytes.
Result<Entry*> create_string(memory::Slabs& slabs, EntryParts parts, std::string_view bytes);
Entry* create_integer(memory::Slabs& slabs, EntryParts parts, int64_t value);
// Overwrites the value in place when that allocates nothing and leaves no more unused bytes than a
// new entry would; false: nothing was done. REQUIRES: a string entry.
bool overwrite_string(Entry& entry, std::string_view bytes);

const ValueType& string_type();

}  // namespace roxdb::types
