// version.h: who we are, and whose behaviour we follow.
#pragma once

#include <string_view>

namespace roxdb {

inline constexpr std::string_view kVersion = "0.1.0";
// What clients and tools that ask a Redis for its version are told; they choose features by it.
inline constexpr std::string_view kRedisVersion = "8.0.0";

}  // namespace roxdb
