// rdb_blob.h: the packed blobs in which Redis keeps small collections, element by element.
//
//   listpack   size (4 bytes), count (2), then: encoding, data, size of both backwards; 0xff
//   ziplist    size (4), offset of the last (4), count (2), then: size of the one before,
//              encoding, data; 0xff
//   intset     width (4), count (4), integers ascending
//   zipmap     count (1), then: size, field, size, free (1), value, free bytes; 0xff
//
// Numbers are little endian; a count of all ones means that it is unknown. Nothing of a blob is
// believed: sizes, counts, what points backwards and the order of integers must all agree with the
// elements. Cost O(1) an element.
// Source: the formats as Redis 8.0 reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/numbers.h"
#include "base/status.h"
#include "containers/packed_list.h"

namespace roxdb::persist {

enum class BlobForm : uint8_t { kListpack, kZiplist, kIntset, kZipmap };

struct BlobElement {
  std::string_view bytes = {};  // of a string; views the blob
  int64_t integer = 0;
  bool is_integer = false;

  // The text, whichever it is; digits go to `room`, kIntegerDigitsMax bytes.
  std::string_view text(char* room) const {
    return is_integer ? std::string_view(room, print_int64(integer, room)) : bytes;
  }
  containers::packed::Encoded encoded() const {
    return is_integer ? containers::packed::Encoded(integer) : containers::packed::Encoded(bytes);
  }
};

class BlobReader {
 public:
  BlobReader(BlobForm form, std::string_view bytes) : form_(form), bytes_(bytes) {}

  // Checks the head. Before anything else.
  Status open();
  // The next element; false: that was the last, and all counts agree. Code::kCorrupt.
  Result<bool> next(BlobElement& element);
  // The next element, which must be there.
  Status expect(BlobElement& element);

 private:
  static constexpr uint64_t kUnknown = UINT64_MAX;

  Status open_framed(size_t head_bytes);
  Status close() const;
  Status next_of_listpack(BlobElement& element);
  Status next_of_ziplist(BlobElement& element);
  Status next_of_intset(BlobElement& element);
  Status next_of_zipmap(BlobElement& element);

  size_t left() const { return end_ - at_; }
  // The number of `size` bytes at an offset, little endian. REQUIRES: they are there.
  uint64_t word(size_t offset, size_t size) const;
  int64_t signed_word(size_t offset, size_t size) const;
  uint8_t byte(size_t offset) const { return static_cast<uint8_t>(bytes_[offset]); }
  // The text behind a head. REQUIRES: head <= left().
  Status take_text(size_t head, uint64_t size, BlobElement& element);
  Status take_integer(size_t head, size_t size, BlobElement& element);
  Status take_zipmap_size(uint64_t& size);

  BlobForm form_;
  std::string_view bytes_;
  size_t at_ = 0;
  size_t end_ = 0;
  uint64_t announced_ = 0;    // elements, or kUnknown
  uint64_t count_ = 0;        // elements so far
  size_t last_at_ = 0;        // ziplist: where the last element began
  uint64_t last_offset_ = 0;  // ziplist: where the head says it does
  int64_t last_integer_ = 0;
  bool is_value_ = false;  // zipmap: a field has been given, its value comes
};

// How many bytes the backwards size of a listpack's element takes, and that size.
size_t write_back_length(uint64_t size, char* out);  // out holds 5

}  // namespace roxdb::persist
