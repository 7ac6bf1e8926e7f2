#include "persist/rdb_input.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/limits.h"
#include "base/numbers.h"
#include "persist/lzf.h"
#include "persist/rdb_format.h"

namespace roxdb::persist {

static_assert(std::endian::native == std::endian::little, "numbers are read as they lie");

Status RdbInput::read(char* out, size_t size) {
  while (size > 0) {
    if (window_.empty()) ROX_TRY(refill());
    const size_t taken = std::min(size, window_.size());
    std::memcpy(out, window_.data(), taken);
    window_.remove_prefix(taken);
    out += taken;
    size -= taken;
  }
  return kOk;
}

// A length, or the number of a special form.
Result<uint64_t> RdbInput::length(bool& is_special) {
  is_special = false;
  ROX_TRY(const uint8_t first, number<uint8_t>());
  const uint64_t low = first & 0x3f;
  switch (first >> 6) {
    case kLength6:
      return low;
    case kLength14: {
      ROX_TRY(const uint8_t second, number<uint8_t>());
      return low << 8 | second;
    }
    case kLengthSpecial:
      is_special = true;
      return low;
    default:
      break;
  }
  if (first == kLength32) {
    ROX_TRY(const uint32_t value, number<uint32_t>());
    return uint64_t{__builtin_bswap32(value)};
  }
  if (first != kLength64) return rdb_corrupt("an unknown form of length");
  ROX_TRY(const uint64_t value, number<uint64_t>());
  return __builtin_bswap64(value);
}

Result<uint64_t> RdbInput::length() {
  bool is_special;
  ROX_TRY(const uint64_t value, length(is_special));
  if (is_special) return rdb_corrupt("a string stands where a length should");
  return value;
}

Status RdbInput::string(std::string& out) {
  bool is_special;
  ROX_TRY(const uint64_t form, length(is_special));
  if (!is_special) return read_text(form, out);
  switch (form) {
    case kFormInt8:
      return read_integer<int8_t>(out);
    case kFormInt16:
      return read_integer<int16_t>(out);
    case kFormInt32:
      return read_integer<int32_t>(out);
    case kFormLzf: {
      ROX_TRY(const uint64_t packed_size, length());
      ROX_TRY(const uint64_t size, length());
      ROX_TRY(read_text(packed_size, packed_));
      if (size > kBulkBytesMax || !lzf_unpack(packed_, size, out)) {
        return rdb_corrupt("a compressed string does not unpack to its size");
      }
      return kOk;
    }
    default:
      return rdb_corrupt("an unknown form of string");
  }
}

// Grows with what arrives.
Status RdbInput::read_text(uint64_t size, std::string& out) {
  if (size > kBulkBytesMax) return rdb_corrupt("a string is longer than 512 MiB");
  out.clear();
  for (uint64_t left = size; left > 0;) {
    const size_t piece = std::min<uint64_t>(left, std::max(window_.size(), kAheadBytesMax));
    const size_t at = out.size();
    out.resize(at + piece);
    ROX_TRY(read(out.data() + at, piece));
    left -= piece;
  }
  return kOk;
}

template <class T>
Status RdbInput::read_integer(std::string& out) {
  ROX_TRY(const T value, number<T>());
  char digits[kIntegerDigitsMax];
  out.assign(digits, print_int64(value, digits));
  return kOk;
}

}  // namespace roxdb::persist
