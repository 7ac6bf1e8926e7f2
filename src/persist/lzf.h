// lzf.h: unpacks LZF, as RDB files hold compressed strings.
//
//   c < 32    c + 1 literal bytes follow
//   c >= 32   copy: length (c >> 5) + 2, one more byte adds to it when c >> 5 is 7; from
//             ((c & 31) << 8) + next byte + 1 bytes back, byte by byte, so that it may overlap
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace roxdb::persist {

// No input unpacks to more than this times its size: three bytes copy 264.
inline constexpr size_t kLzfGrowthMax = 88;

// False when the input is not one that unpacks to exactly `size` bytes. Nothing is allocated for a
// size that the input cannot reach.
bool lzf_unpack(std::string_view input, size_t size, std::string& out);

}  // namespace roxdb::persist
