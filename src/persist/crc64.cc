#include "persist/crc64.h"

#include <array>
#include <bit>
#include <cstring>

namespace roxdb::persist {
namespace {

static_assert(std::endian::native == std::endian::little, "eight bytes are taken as one word");

constexpr uint64_t kPolynomial = 0x95ac'9329'ac4b'c9b5;  // bits reversed

// tables[k][b] is what byte b adds when k more bytes follow it.
using Tables = std::array<std::array<uint64_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables = {};
  for (uint64_t byte = 0; byte < 256; ++byte) {
    uint64_t sum = byte;
    for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ ((sum & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = sum;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint64_t sum = tables[k - 1][byte];
      tables[k][byte] = sum >> 8 ^ tables[0][sum & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

uint64_t crc64(uint64_t before, std::string_view bytes) {
  uint64_t sum = before;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof word);
    word ^= sum;
    sum = 0;
    for (size_t i = 0; i < 8; ++i) sum ^= kTables[7 - i][word >> 8 * i & 0xff];
  }
  for (const char byte : bytes) {
    sum = sum >> 8 ^ kTables[0][(sum ^ static_cast<uint8_t>(byte)) & 0xff];
  }
  return sum;
}

}  // namespace roxdb::persist
