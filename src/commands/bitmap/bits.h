// bits.h: what bitmaps are counted, sought and combined with. Bit 0 is the highest of byte 0.
//
// The loops run over vectors of 32 bytes; each is compiled twice, and runs with the instructions of
// AVX2, or for counting POPCNT, where the processor has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace roxdb::commands {

inline constexpr size_t kBitsPerByte = 8;

// Bits [begin, end) of a bitmap. Functions REQUIRE: begin <= end <= bits of the bitmap.
struct BitRange {
  size_t begin;
  size_t end;
};

inline bool bit_at(std::string_view bitmap, size_t bit) {
  return (static_cast<uint8_t>(bitmap[bit / kBitsPerByte]) >> (7 - bit % kBitsPerByte) & 1) != 0;
}
inline void set_bit(char* bitmap, size_t bit, bool value) {
  const auto mask = static_cast<uint8_t>(0x80u >> bit % kBitsPerByte);
  auto& byte = reinterpret_cast<uint8_t&>(bitmap[bit / kBitsPerByte]);
  byte = static_cast<uint8_t>(value ? byte | mask : byte & ~mask);
}

// Bits that are 1. O(bytes).
size_t count_bits(std::string_view bitmap, BitRange range);
// The first bit of that value; range.end when there is none. O(bytes).
size_t find_bit(std::string_view bitmap, bool value, BitRange range);

enum class BitOperation : uint8_t {
  kAnd,
  kOr,
  kXor,
  kNot,    // of the only source
  kDiff,   // in the first source and in no other
  kDiff1,  // in another source and not in the first
  kAndOr,  // in the first source and in another
  kOne     // in exactly one source
};

// Writes `size` bytes; sources count as long as that, with zeros behind their end. `out` must not
// overlap a source. REQUIRES: there are sources. O(size * sources).
void combine_bits(BitOperation operation, std::span<const std::string_view> sources, char* out,
                  size_t size);

}  // namespace roxdb::commands
