// numbers.h: the one strict number parser and the one printer (reliability S6).
//
// Parsers take the whole text or refuse: no blanks, no '+', no leading zeros, no "-0", exactly as
// Redis reads integers, so that a value that parses prints back to the same bytes. Printers write
// into the caller's memory and return the bytes written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace roxdb {

inline constexpr size_t kIntegerDigitsMax = 20;           // "-9223372036854775808"
inline constexpr size_t kDoubleDigitsMax = 40;            // any double, shortest round-trip form
inline constexpr size_t kLongDoubleDigitsMax = 5 * 1024;  // INCRBYFLOAT: %.17Lf of any long double

std::optional<int64_t> parse_int64(std::string_view text);
std::optional<uint64_t> parse_uint64(std::string_view text);
// Decimal, exponent or hex form ("0x1.8p4"), "inf", "infinity" in any case, each with or without a
// sign. Refused: NaN, blanks, and what a double cannot hold ("1e400", "1e-400").
std::optional<double> parse_double(std::string_view text);
// As INCRBYFLOAT reads: strtold's forms (hex too), the whole text, no blanks in front, no NaN, no
// overflow. In no locale but "C".
std::optional<long double> parse_long_double(std::string_view text);
// As in redis.conf: "1gb" 2^30, "1g" 10^9, "10mb", "5k", "7b", "7" ... in any case.
std::optional<uint64_t> parse_memory_size(std::string_view text);

// The bytes print_int64() would write.
size_t printed_size(int64_t value);
size_t print_int64(int64_t value, char* out);    // out holds kIntegerDigitsMax
size_t print_uint64(uint64_t value, char* out);  // out holds kIntegerDigitsMax
// Shortest text that reads back as the same double, laid out as Redis 8 does: "3", "-0", "0.1",
// "1e+20", "1e-7", "inf", "-inf", "nan".
size_t print_double(double value, char* out);  // out holds kDoubleDigitsMax
// INCRBYFLOAT's text: %.17Lf without trailing zeros, "0" for -0, "inf", "-inf", "nan".
size_t print_long_double(long double value, char* out);  // out holds kLongDoubleDigitsMax

}  // namespace roxdb
