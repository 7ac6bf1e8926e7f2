// errors.h: the error replies that more than one command gives, word for word as Redis gives them.
#pragma once

#include "base/status.h"

namespace roxdb::engine::errors {

inline constexpr Status kWrongType =
    user_error("WRONGTYPE Operation against a key holding the wrong kind of value");
inline constexpr Status kSyntax = user_error("ERR syntax error");
inline constexpr Status kNotInteger = user_error("ERR value is not an integer or out of range");
inline constexpr Status kNotFloat = user_error("ERR value is not a valid float");
inline constexpr Status kNoSuchKey = user_error("ERR no such key");
inline constexpr Status kSameObject = user_error("ERR source and destination objects are the same");
inline constexpr Status kIndexOutOfRange = user_error("ERR index out of range");
inline constexpr Status kDbOutOfRange = user_error("ERR DB index is out of range");
inline constexpr Status kInvalidDb = user_error("ERR invalid DB index");
inline constexpr Status kStringTooLong =
    user_error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
inline constexpr Status kOverflow = user_error("ERR increment or decrement would overflow");
inline constexpr Status kNaNOrInfinity = user_error("ERR increment would produce NaN or Infinity");
inline constexpr Status kOffsetOutOfRange = user_error("ERR offset is out of range");
inline constexpr Status kOutOfMemory = user_error("OOM the value does not fit into memory");
inline constexpr Status kPatternTooComplex = user_error("ERR pattern too complex");
inline constexpr Status kReplyTooLarge = user_error("ERR reply too large");

}  // namespace roxdb::engine::errors
