#include "containers/list_run.h"

#include <cstring>

#include "base/assert.h"

namespace roxdb::containers::list_run {
namespace {

// Writes the size of the element that ends at `out`.
char* write_size(size_t element_bytes, char* out) {
  const size_t bytes = size_bytes(element_bytes);
  for (size_t i = bytes; i-- > 0; element_bytes >>= 7) {
    out[i] = static_cast<char>((element_bytes & 0x7f) | (i > 0 ? 0x80 : 0));
  }
  return out + bytes;
}

}  // namespace

char* write(const packed::Encoded& element, char* out) {
  return write_size(element.size(), element.write(out));
}

char* write(std::string_view element, char* out) {
  std::memcpy(out, element.data(), element.size());
  return write_size(element.size(), out + element.size());
}

size_t check(std::string_view run) {
  size_t count = 0;
  for (size_t at = 0; at < run.size(); ++count) {
    const size_t bytes = packed::size_at(run.data() + at);
    ROX_ASSERT(room_of(bytes) <= run.size() - at);
    ROX_ASSERT(packed::check(run.substr(at, bytes)) == size_t{1});
    char size[kSizeBytesMax];
    write_size(bytes, size);
    ROX_ASSERT(std::memcmp(size, run.data() + at + bytes, size_bytes(bytes)) == 0);
    at += room_of(bytes);
    ROX_ASSERT(room_before(run.data() + at) == room_of(bytes));
  }
  return count;
}

}  // namespace roxdb::containers::list_run
