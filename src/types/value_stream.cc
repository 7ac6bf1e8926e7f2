#include "types/value_stream.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/limits.h"

namespace roxdb::types {

static_assert(std::endian::native == std::endian::little, "files are written as memory holds them");

void ValueWriter::varint(uint64_t value) {
  char bytes[10];
  size_t size = 0;
  while (value >= 0x80) {
    bytes[size++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  bytes[size++] = static_cast<char>(value);
  write({bytes, size});
}

void ValueWriter::word(uint64_t value) {
  char bytes[8];
  std::memcpy(bytes, &value, sizeof bytes);
  write({bytes, sizeof bytes});
}

Result<uint8_t> ValueReader::byte() {
  char value;
  ROX_TRY(read(&value, 1));
  return static_cast<uint8_t>(value);
}

Result<uint64_t> ValueReader::varint() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    ROX_TRY(const uint8_t next, byte());
    if (shift == 63 && next > 1) break;  // more than 64 bits
    value |= static_cast<uint64_t>(next & 0x7f) << shift;
    if (next < 0x80) return value;
  }
  return Status{Code::kCorrupt, 0, "a number is too long"};
}

Result<uint64_t> ValueReader::word() {
  uint64_t value;
  ROX_TRY(read(reinterpret_cast<char*>(&value), sizeof value));
  return value;
}

Status ValueReader::text(std::string& out, size_t size_max) {
  ROX_TRY(uint64_t left, varint());
  if (left > size_max) return Status{Code::kCorrupt, 0, "a text is longer than its bound"};
  out.clear();
  while (left > 0) {
    const size_t piece = std::min<uint64_t>(left, kAheadBytesMax);
    const size_t at = out.size();
    out.resize(at + piece);
    ROX_TRY(read(out.data() + at, piece));
    left -= piece;
  }
  return kOk;
}

}  // namespace roxdb::types
