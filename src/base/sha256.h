// sha256.h: SHA-256, for passwords: what is stored and compared is never the password itself
// (reliability S3). Ours because a library for this one function costs an idle server 1.5 MiB and a
// millisecond of its start.
// Source: FIPS 180-4.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace roxdb {

using Sha256 = std::array<uint8_t, 32>;

Sha256 sha256(std::string_view bytes);

// Compares in a time that does not tell where two hashes differ.
bool equal_constant_time(const Sha256& a, const Sha256& b);

}  // namespace roxdb
