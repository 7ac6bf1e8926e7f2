#include "scripting/sha1.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace roxdb::scripting {
namespace {

constexpr size_t kBlockBytes = 64;

uint32_t big_endian(const unsigned char* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 |
         uint32_t{bytes[3]};
}

void add_block(const unsigned char* block, std::array<uint32_t, 5>& hash) {
  uint32_t words[80];
  for (size_t i = 0; i < 16; ++i) words[i] = big_endian(block + i * 4);
  for (size_t i = 16; i < 80; ++i) {
    words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  }
  uint32_t a = hash[0];
  uint32_t b = hash[1];
  uint32_t c = hash[2];
  uint32_t d = hash[3];
  uint32_t e = hash[4];
  for (size_t i = 0; i < 80; ++i) {
    uint32_t mixed;
    uint32_t constant;
    if (i < 20) {
      mixed = (b & c) | (~b & d);
      constant = 0x5a827999;
    } else if (i < 40) {
      mixed = b ^ c ^ d;
      constant = 0x6ed9eba1;
    } else if (i < 60) {
      mixed = (b & c) | (b & d) | (c & d);
      constant = 0x8f1bbcdc;
    } else {
      mixed = b ^ c ^ d;
      constant = 0xca62c1d6;
    }
    const uint32_t next = std::rotl(a, 5) + mixed + e + constant + words[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  hash[0] += a;
  hash[1] += b;
  hash[2] += c;
  hash[3] += d;
  hash[4] += e;
}

}  // namespace

std::string sha1_hex(std::string_view bytes) {
  std::array<uint32_t, 5> hash = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  size_t left = bytes.size();
  for (; left >= kBlockBytes; left -= kBlockBytes, at += kBlockBytes) add_block(at, hash);
  // What is left, one bit, zeros, and the number of bits in the last eight bytes.
  unsigned char last[kBlockBytes * 2] = {};
  if (left > 0) std::memcpy(last, at, left);
  last[left] = 0x80;
  const size_t size = left + 9 <= kBlockBytes ? kBlockBytes : kBlockBytes * 2;
  uint64_t bits = uint64_t{bytes.size()} * 8;
  for (size_t i = size; i > size - 8; bits >>= 8) last[--i] = static_cast<unsigned char>(bits);
  for (size_t i = 0; i < size; i += kBlockBytes) add_block(last + i, hash);

  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(kSha1HexDigits);
  for (const uint32_t word : hash) {
    for (int shift = 28; shift >= 0; shift -= 4) hex += kDigits[word >> shift & 15];
  }
  return hex;
}

}  // namespace roxdb::scripting
