// offset.h: which bit of a string an argument names.
#pragma once

#include <cstddef>

#include "base/status.h"
#include "engine/call.h"

namespace roxdb::commands {

// Bits that a string may grow to.
size_t bits_max(engine::Call& call);

// A bit below bits_max(). With `field_bits` also "#n", the first bit of the n-th field of that
// width. "ERR bit offset is not an integer or out of range".
Result<size_t> read_bit_offset(engine::Call& call, size_t index, size_t field_bits = 0);

inline constexpr Status kBadBitOffset =
    user_error("ERR bit offset is not an integer or out of range");

// The string at argument 1 with at least `bytes` bytes, those that come new being zeros, for
// changes in place. A missing key comes into being. kWrongType; Code::kNoMemory: nothing happened.
struct OpenBitmap {
  char* data;
  size_t size;
  bool has_grown;  // or is new
};
Result<OpenBitmap> open_bitmap(engine::Call& call, size_t bytes);

}  // namespace roxdb::commands
