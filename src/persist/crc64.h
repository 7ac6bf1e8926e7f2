// crc64.h: the checksum of RDB files and DUMP payloads: CRC-64 "Jones", reflected, from 0, without
// a final xor. Our own files use XXH3 (base/hash.h), which is stronger and ten times as fast.
// Source: the polynomial is D. T. Jones's; eight bytes a step after M. Kounavis and F. Berry, "A
// Systematic Approach to Building High Performance Software-Based CRC Generators", 2005.
#pragma once

#include <cstdint>
#include <string_view>

namespace roxdb::persist {

// The sum of bytes that follow those whose sum is `before`.
uint64_t crc64(uint64_t before, std::string_view bytes);

}  // namespace roxdb::persist
