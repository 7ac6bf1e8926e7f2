// sha1.h: SHA-1, by which scripts are named. A name, not a secret: collisions are not our concern,
// since a script is looked up by its text as well.
// Source: FIPS 180-4.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace roxdb::scripting {

inline constexpr size_t kSha1HexDigits = 40;

// In lower case hexadecimal digits.
std::string sha1_hex(std::string_view bytes);

}  // namespace roxdb::scripting
