// packed_bytes.h: a value that is one run of bytes: inline in its entry, or in a block of its own.
//
//   while the whole entry fits a slab block (<= 1024 B):    Entry | key | bytes
//   beyond:    Entry | payload | key                        payload --> size, capacity | bytes
//
// Inline costs one allocation and no pointer, and most collections are that small. Which of the two
// it is says has_payload(); the type's encodings do not. What the bytes mean is the type's
// business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "containers/segment.h"
#include "types/entry.h"
#include "types/value_home.h"

namespace roxdb::types {

class PackedBytes {
 public:
  // Holds the cell, since an edit may move the entry; dead once the table changes otherwise.
  PackedBytes(const ValueHome& home, containers::Cell& cell) : slabs_(home.slabs), cell_(cell) {}

  Entry& entry() const { return *static_cast<Entry*>(cell_.pointer()); }
  std::string_view bytes() const { return of(entry()); }
  // For changes in place: bytes().size() bytes.
  char* data() const;
  // Replaces `removed` bytes at `offset` by `added` new ones, which the caller writes; returns
  // where they are. All views of the old bytes are dead. Cost O(size). REQUIRES: the range is
  // within bytes(), the result at most kPackedBytesMax.
  char* splice(size_t offset, size_t removed, size_t added);

  // The bytes of a packed entry.
  static std::string_view of(const Entry& entry);
  // A new entry that holds these bytes; `parts` brings type, encoding, key, expiry and access.
  static Entry* create(memory::Slabs& slabs, EntryParts parts, std::string_view bytes);
  // What ValueType asks of a packed entry.
  static size_t payload_bytes(const Entry& entry);
  static void release(uint64_t payload, memory::BlockSink& sink);
  static void look_ahead(const Entry& entry) {
    if (entry.has_payload()) containers::prefetch_item(entry.pointer<const void>());
  }

 private:
  memory::Slabs& slabs_;
  containers::Cell& cell_;
};

inline constexpr size_t kPackedBytesMax = UINT32_MAX - 64;

}  // namespace roxdb::types
