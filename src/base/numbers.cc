#include "base/numbers.h"

#include <locale.h>

#include <bit>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include "base/assert.h"
#include "base/lenient_double.h"

namespace roxdb {
namespace {

static_assert(std::endian::native == std::endian::little, "eight digits are read as one word");

// Digits that a uint64_t holds whatever they are.
constexpr size_t kSafeDigits = 19;

// Whether all eight bytes of a word are '0'..'9': the high nibbles are 3, and stay 3 after 6 is
// added to each byte, which lifts ':'..'?' out.
bool eight_digits(uint64_t word) {
  return ((word & 0xf0f0f0f0f0f0f0f0) |
          (((word + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) >> 4)) == 0x3333333333333333;
}

// The number eight digits spell, the first one in the lowest byte: neighbours are joined into
// pairs, pairs into fours, fours into the eight, three multiplications instead of eight.
uint64_t join_eight_digits(uint64_t word) {
  word &= 0x0f0f0f0f0f0f0f0f;
  word = (word * 10 + (word >> 8)) & 0x00ff00ff00ff00ff;
  word = (word * 100 + (word >> 16)) & 0x0000ffff0000ffff;
  return (word * 10'000 + (word >> 32)) & 0xffffffff;
}

// Joins 1..kSafeDigits digits; false when one of them is none.
bool join_digits(const char* digits, size_t count, uint64_t& value) {
  uint64_t joined = 0;
  for (; count >= 8; count -= 8, digits += 8) {
    uint64_t word;
    std::memcpy(&word, digits, sizeof word);
    if (!eight_digits(word)) return false;
    joined = joined * 100'000'000 + join_eight_digits(word);
  }
  for (; count > 0; --count, ++digits) {
    const auto digit = static_cast<unsigned>(*digits) - '0';
    if (digit > 9) return false;
    joined = joined * 10 + digit;
  }
  value = joined;
  return true;
}

// "00" to "99", one behind the other.
constexpr auto kPairs = [] {
  struct {
    char text[200];
  } pairs{};
  for (int value = 0; value < 100; ++value) {
    pairs.text[2 * value] = static_cast<char>('0' + value / 10);
    pairs.text[2 * value + 1] = static_cast<char>('0' + value % 10);
  }
  return pairs;
}();

size_t count_digits(uint64_t value) {
  static constexpr uint64_t kPowers[] = {
      0,
      10,
      100,
      1'000,
      10'000,
      100'000,
      1'000'000,
      10'000'000,
      100'000'000,
      1'000'000'000,
      10'000'000'000,
      100'000'000'000,
      1'000'000'000'000,
      10'000'000'000'000,
      100'000'000'000'000,
      1'000'000'000'000'000,
      10'000'000'000'000'000,
      100'000'000'000'000'000,
      1'000'000'000'000'000'000,
      10'000'000'000'000'000'000u,
  };
  // 1233 / 4096 is log10(2): the guess is the number of digits or one less.
  const auto guess = static_cast<size_t>(std::bit_width(value | 1) * 1233 >> 12);
  return guess + (value >= kPowers[guess] ? 1 : 0);
}

char* copy(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

size_t print_text(char* out, std::string_view text) {
  return static_cast<size_t>(copy(out, text) - out);
}

// The C library reads and prints numbers in the locale of the process, which belongs to the program
// that embeds us.
locale_t c_locale() {
  static const locale_t locale = newlocale(LC_ALL_MASK, "C", nullptr);
  ROX_ASSERT(locale != nullptr);
  return locale;
}

// An optional '-', then "0x" and hexadecimal digits, with or without a point and an exponent.
std::optional<double> parse_hex_double(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.size() < 3 || text[0] != '0' || (text[1] | 0x20) != 'x') return std::nullopt;
  text.remove_prefix(2);
  // from_chars would take a second sign, "inf" and "nan".
  if (text[0] != '.' && std::isxdigit(static_cast<unsigned char>(text[0])) == 0) {
    return std::nullopt;
  }
  double value;
  const char* end = text.data() + text.size();
  const std::from_chars_result result =
      std::from_chars(text.data(), end, value, std::chars_format::hex);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return negative ? -value : value;
}

}  // namespace

std::optional<uint64_t> parse_uint64(std::string_view text) {
  if (text.empty() || text.size() > kSafeDigits + 1) return std::nullopt;
  if (text[0] == '0' && text.size() > 1) return std::nullopt;
  uint64_t value;
  if (text.size() <= kSafeDigits) {
    if (!join_digits(text.data(), text.size(), value)) return std::nullopt;
    return value;
  }
  const auto last = static_cast<unsigned>(text[kSafeDigits]) - '0';
  if (last > 9 || !join_digits(text.data(), kSafeDigits, value)) return std::nullopt;
  if (__builtin_mul_overflow(value, uint64_t{10}, &value)) return std::nullopt;
  if (__builtin_add_overflow(value, uint64_t{last}, &value)) return std::nullopt;
  return value;
}

std::optional<int64_t> parse_int64(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > kSafeDigits) return std::nullopt;
  if (text[0] == '0') {
    if (negative || text.size() > 1) return std::nullopt;
    return 0;
  }
  uint64_t magnitude;
  if (!join_digits(text.data(), text.size(), magnitude)) return std::nullopt;
  if (magnitude > uint64_t{std::numeric_limits<int64_t>::max()} + (negative ? 1 : 0)) {
    return std::nullopt;
  }
  return static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
}

std::optional<double> parse_double(std::string_view text) {
  if (!text.empty() && text[0] == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text[0] == '-') return std::nullopt;
  }
  double value;
  const char* end = text.data() + text.size();
  const std::from_chars_result result = std::from_chars(text.data(), end, value);
  if (result.ec == std::errc() && result.ptr == end && !std::isnan(value)) [[likely]]
    return value;
  return parse_hex_double(text);
}

std::optional<double> parse_double_leniently(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  if (text.empty()) return 0;
  if (const auto value = parse_double(text)) [[likely]]
    return value;
  const std::string terminated(text);
  char* end;
  const double value = strtod_l(terminated.c_str(), &end, c_locale());
  if (end == terminated.c_str() || *end != '\0' || std::isnan(value)) return std::nullopt;
  return value;
}

std::optional<long double> parse_long_double(std::string_view text) {
  if (text.empty() || text.size() >= kLongDoubleDigitsMax) return std::nullopt;
  // strtold would skip blanks in front.
  if (text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r')) return std::nullopt;
  char terminated[kLongDoubleDigitsMax];
  *copy(terminated, text) = '\0';

  errno = 0;
  char* end;
  const long double value = strtold_l(terminated, &end, c_locale());
  // A NUL inside the text ends it early for strtold, so that this refuses it too.
  if (end != terminated + text.size() || std::isnan(value)) return std::nullopt;
  if (errno == ERANGE && (std::isinf(value) || value == 0)) return std::nullopt;
  return value;
}

std::optional<uint64_t> parse_memory_size(std::string_view text) {
  size_t count = 0;
  while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
  uint64_t value;
  const char* digits_end = text.data() + count;
  if (std::from_chars(text.data(), digits_end, value).ec != std::errc()) return std::nullopt;

  char unit[2] = {};
  text.remove_prefix(count);
  if (text.size() > sizeof unit) return std::nullopt;
  for (size_t at = 0; at < text.size(); ++at) unit[at] = static_cast<char>(text[at] | 0x20);
  if (unit[1] != 0 && unit[1] != 'b') return std::nullopt;
  const bool binary = unit[1] == 'b';
  uint64_t factor;
  switch (unit[0]) {
    case 0:
      factor = 1;
      break;
    case 'b':
      if (binary) return std::nullopt;  // "1bb"
      factor = 1;
      break;
    case 'k':
      factor = binary ? 1u << 10 : 1'000;
      break;
    case 'm':
      factor = binary ? 1u << 20 : 1'000'000;
      break;
    case 'g':
      factor = binary ? 1u << 30 : 1'000'000'000;
      break;
    default:
      return std::nullopt;
  }
  if (__builtin_mul_overflow(value, factor, &value)) return std::nullopt;
  return value;
}

size_t print_uint64(uint64_t value, char* out) {
  const size_t size = count_digits(value);
  char* at = out + size;
  while (value >= 100) {
    at -= 2;
    std::memcpy(at, kPairs.text + 2 * (value % 100), 2);
    value /= 100;
  }
  if (value >= 10) {
    std::memcpy(out, kPairs.text + 2 * value, 2);
  } else {
    *out = static_cast<char>('0' + value);
  }
  return size;
}

size_t print_int64(int64_t value, char* out) {
  const auto bits = static_cast<uint64_t>(value);
  if (value >= 0) return print_uint64(bits, out);
  *out = '-';
  return 1 + print_uint64(0 - bits, out + 1);
}

size_t printed_size(int64_t value) {
  const auto bits = static_cast<uint64_t>(value);
  return value >= 0 ? count_digits(bits) : 1 + count_digits(0 - bits);
}

size_t print_double(double value, char* out) {
  if (std::isnan(value)) return print_text(out, "nan");
  if (std::isinf(value)) return print_text(out, value < 0 ? "-inf" : "inf");
  char* at = out;
  if (std::signbit(value)) {
    *at++ = '-';
    value = -value;
  }
  // Whole numbers are frequent (counts, ranks, times); up to here Redis prints them all plain.
  if (value < 0x1p52 && value == std::floor(value)) {
    at += print_uint64(static_cast<uint64_t>(value), at);
    return static_cast<size_t>(at - out);
  }

  // The shortest digits, taken apart: the value is 0.d1d2d3... x 10^point.
  char shortest[32];
  const auto printed =
      std::to_chars(shortest, shortest + sizeof shortest, value, std::chars_format::scientific);
  const char* exponent_mark = static_cast<const char*>(
      std::memchr(shortest, 'e', static_cast<size_t>(printed.ptr - shortest)));
  char digits[20] = {shortest[0]};
  int count = 1;
  for (const char* from = shortest + 2; from < exponent_mark; ++from) digits[count++] = *from;
  int exponent = 0;
  std::from_chars(exponent_mark + (exponent_mark[1] == '+' ? 2 : 1), printed.ptr, exponent);
  const int point = exponent + 1;

  // Redis's layout: plain while that is no longer than it must be, else one digit, the point, the
  // rest and an exponent without padding.
  const int zeros_behind = point - count;  // < 0: so many digits stand behind the point
  if (zeros_behind >= 0 && zeros_behind < 8) {
    at = copy(at, {digits, static_cast<size_t>(count)});
    std::memset(at, '0', static_cast<size_t>(zeros_behind));
    at += zeros_behind;
  } else if (zeros_behind < 0 && (zeros_behind > -7 || (exponent > -4 && exponent < 4))) {
    if (point <= 0) {
      at = copy(at, "0.");
      std::memset(at, '0', static_cast<size_t>(-point));
      at = copy(at - point, {digits, static_cast<size_t>(count)});
    } else {
      at = copy(at, {digits, static_cast<size_t>(point)});
      *at++ = '.';
      at = copy(at, {digits + point, static_cast<size_t>(count - point)});
    }
  } else {
    *at++ = digits[0];
    if (count > 1) {
      *at++ = '.';
      at = copy(at, {digits + 1, static_cast<size_t>(count - 1)});
    }
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    at += print_uint64(static_cast<uint64_t>(std::abs(exponent)), at);
  }
  return static_cast<size_t>(at - out);
}

size_t print_long_double(long double value, char* out) {
  if (std::isnan(value)) return print_text(out, "nan");
  if (std::isinf(value)) return print_text(out, value < 0 ? "-inf" : "inf");
  // std::to_chars and not printf, whose decimal point follows the locale.
  const std::to_chars_result printed =
      std::to_chars(out, out + kLongDoubleDigitsMax, value, std::chars_format::fixed, 17);
  ROX_ASSERT(printed.ec == std::errc());
  const char* end = printed.ptr;
  while (end[-1] == '0') --end;
  if (end[-1] == '.') --end;
  const auto size = static_cast<size_t>(end - out);
  if (std::string_view(out, size) == "-0") return print_text(out, "0");
  return size;
}

}  // namespace roxdb
