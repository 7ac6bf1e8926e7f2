#include "base/numbers.h"

#include <locale.h>

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/lenient_double.h"
#include "base/random.h"

namespace roxdb {
namespace {

std::string printed_int64(int64_t value) {
  char out[kIntegerDigitsMax];
  return std::string(out, print_int64(value, out));
}

std::string printed_uint64(uint64_t value) {
  char out[kIntegerDigitsMax];
  return std::string(out, print_uint64(value, out));
}

std::string printed_double(double value) {
  char out[kDoubleDigitsMax];
  return std::string(out, print_double(value, out));
}

std::string printed_long_double(long double value) {
  static char out[kLongDoubleDigitsMax];
  return std::string(out, print_long_double(value, out));
}

// Values where the number of digits, of bits or the sign changes.
std::vector<uint64_t> edge_values() {
  std::vector<uint64_t> values = {0};
  for (uint64_t power = 1;; power *= 10) {
    for (const uint64_t near : {power - 1, power, power + 1}) values.push_back(near);
    if (power > std::numeric_limits<uint64_t>::max() / 10) break;
  }
  for (int bit = 0; bit < 64; ++bit) {
    const uint64_t power = uint64_t{1} << bit;
    for (const uint64_t near : {power - 1, power, power + 1}) values.push_back(near);
  }
  for (const uint64_t value : std::vector<uint64_t>(values)) values.push_back(0 - value);
  return values;
}

// Values of every magnitude.
std::vector<uint64_t> random_values(size_t count) {
  std::vector<uint64_t> values;
  Random random(1);
  while (values.size() < count) values.push_back(random.next() >> random.below(64));
  return values;
}

// parse_double() as Redis reads scores, by way of strtod.
std::optional<double> strtod_reading(const std::string& text) {
  if (text.empty() || std::isspace(static_cast<unsigned char>(text[0]))) return std::nullopt;
  errno = 0;
  char* end;
  const double value = std::strtod(text.c_str(), &end);
  if (end != text.c_str() + text.size() || std::isnan(value)) return std::nullopt;
  if (errno == ERANGE && (std::isinf(value) || value == 0)) return std::nullopt;
  return value;
}

bool same_bits(double left, double right) {
  return std::bit_cast<uint64_t>(left) == std::bit_cast<uint64_t>(right);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(base_numbers)

BOOST_AUTO_TEST_CASE(integers_print_as_printf_prints_them) {
  std::vector<uint64_t> values = edge_values();
  for (const uint64_t value : random_values(20'000)) values.push_back(value);
  for (const uint64_t value : values) {
    char expected[32];
    std::snprintf(expected, sizeof expected, "%lu", value);
    BOOST_TEST_REQUIRE(printed_uint64(value) == expected);
    std::snprintf(expected, sizeof expected, "%ld", static_cast<int64_t>(value));
    BOOST_TEST_REQUIRE(printed_int64(static_cast<int64_t>(value)) == expected);
  }
}

BOOST_AUTO_TEST_CASE(a_printed_integer_parses_back) {
  std::vector<uint64_t> values = edge_values();
  for (const uint64_t value : random_values(20'000)) values.push_back(value);
  for (const uint64_t value : values) {
    BOOST_TEST_REQUIRE((parse_uint64(printed_uint64(value)) == value));
    const auto as_signed = static_cast<int64_t>(value);
    BOOST_TEST_REQUIRE((parse_int64(printed_int64(as_signed)) == as_signed));
  }
}

BOOST_AUTO_TEST_CASE(integers_out_of_range_are_refused) {
  BOOST_TEST((parse_int64("9223372036854775807") == std::numeric_limits<int64_t>::max()));
  BOOST_TEST((parse_int64("-9223372036854775808") == std::numeric_limits<int64_t>::min()));
  BOOST_TEST((parse_uint64("18446744073709551615") == std::numeric_limits<uint64_t>::max()));
  for (const char* text :
       {"9223372036854775808", "-9223372036854775809", "9999999999999999999",
        "18446744073709551616", "-18446744073709551615", "99999999999999999999"}) {
    BOOST_TEST(!parse_int64(text).has_value(), text);
  }
  for (const char* text : {"18446744073709551616", "18446744073709551620", "28446744073709551615",
                           "99999999999999999999", "100000000000000000000"}) {
    BOOST_TEST(!parse_uint64(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_CASE(an_integer_with_anything_around_it_is_refused) {
  for (const char* text : {"", "-", "+1", " 1", "1 ", "01", "00", "-0", "-01", "--1", "1-", "0x1",
                           "1.0", "1e3", "1\n", "a", "-a"}) {
    BOOST_TEST(!parse_int64(text).has_value(), text);
    BOOST_TEST(!parse_uint64(text).has_value(), text);
  }
  BOOST_TEST(!parse_uint64("-1").has_value());
  BOOST_TEST(!parse_int64(std::string_view("1\0", 2)).has_value());
}

// Eight digits are checked at a time: every byte value at every place of every length.
BOOST_AUTO_TEST_CASE(one_byte_that_is_no_digit_is_noticed_at_every_place) {
  for (size_t size = 1; size <= kIntegerDigitsMax; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        if (byte >= '0' && byte <= '9') continue;
        std::string text(size, '1');
        text[at] = static_cast<char>(byte);
        BOOST_TEST_REQUIRE(!parse_uint64(text).has_value(), text << " " << byte);
        if (at > 0 || byte != '-' || size == 1) {
          BOOST_TEST_REQUIRE(!parse_int64(text).has_value(), text << " " << byte);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(doubles_read_as_strtod_reads_them) {
  for (const char* text : {"0",
                           "-0",
                           "+0",
                           "1",
                           "+1",
                           "-1",
                           "1.5",
                           ".5",
                           "5.",
                           "-.5e3",
                           "1e308",
                           "1e309",
                           "-1e309",
                           "1e-323",
                           "1e-400",
                           "-1e-400",
                           "4.9e-324",
                           "2e-324",
                           "0e9999",
                           "1e",
                           "1e+",
                           "e5",
                           ".",
                           "",
                           " 1",
                           "1 ",
                           "1_000",
                           "+-1",
                           "-+1",
                           "++1",
                           "--1",
                           "+",
                           "-",
                           "inf",
                           "+inf",
                           "-inf",
                           "INF",
                           "iNf",
                           "infinity",
                           "-Infinity",
                           "infinit",
                           "nan",
                           "-nan",
                           "NaN",
                           "nan(1)",
                           "0x10",
                           "0X1P3",
                           "-0x1.8p-2",
                           "+0x.8",
                           "0x1.",
                           "0xffffffffffffffffffffffff",
                           "0x1.00000000000008p0",
                           "0x1.00000000000018p0",
                           "0x1p1023",
                           "0x1p1024",
                           "-0x1p5000",
                           "0x1p-1074",
                           "0x1p-1076",
                           "0x1p-5000",
                           "0x",
                           "-0x",
                           "0x.",
                           "0xg",
                           "0x1p",
                           "0x1p+",
                           "0x1p4f",
                           "0x-1",
                           "0x+1",
                           "-+0x1",
                           "--0x1",
                           "0x0x1",
                           "0xinf",
                           "0xnan",
                           "x1",
                           "1d3",
                           "1f",
                           "9007199254740993",
                           "0.1000000000000000055511151231257827021181583404541015625"}) {
    const auto expected = strtod_reading(text);
    const auto actual = parse_double(text);
    BOOST_TEST_REQUIRE(actual.has_value() == expected.has_value(), text);
    if (expected) BOOST_TEST(same_bits(*actual, *expected), text);
  }
  BOOST_TEST(!parse_double(std::string_view("1\0", 2)).has_value());
}

BOOST_AUTO_TEST_CASE(hexadecimal_doubles_are_read_as_strtod_reads_them) {
  Random random(5);
  for (int round = 0; round < 50'000; ++round) {
    const auto value = std::bit_cast<double>(random.next());
    char text[64];
    std::snprintf(text, sizeof text, "%.*a", static_cast<int>(random.below(15)), value);
    const auto expected = strtod_reading(text);
    const auto actual = parse_double(text);
    BOOST_TEST_REQUIRE(actual.has_value() == expected.has_value(), text);
    if (expected) BOOST_TEST(same_bits(*actual, *expected), text);
  }
}

BOOST_AUTO_TEST_CASE(a_lenient_reading_takes_all_that_strtod_does) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::pair<std::string_view, double> expected[] = {
      {"", 0},          {"1.5", 1.5},       {" \t\n1.5", 1.5},    {" 0x1p4", 16},
      {{"2\0x", 3}, 2}, {{"\0", 1}, 0},     {"1e400", kInfinity}, {"-0x1p5000", -kInfinity},
      {"1e-400", 0},    {"inf", kInfinity},
  };
  for (const auto& [text, value] : expected) {
    const auto actual = parse_double_leniently(text);
    BOOST_TEST_REQUIRE(actual.has_value(), text);
    BOOST_TEST(*actual == value, text);
  }
  for (const std::string_view text : {" ", "x", "1 ", "nan", "1.5x", "0x", "(1", "- 1"}) {
    BOOST_TEST(!parse_double_leniently(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_CASE(a_printed_double_reads_back_as_the_same_bits) {
  Random random(2);
  for (int round = 0; round < 200'000; ++round) {
    // Of all bit patterns most have absurd exponents; every other value is of everyday size.
    const uint64_t bits = random.next();
    const double value = round % 2 == 0
                             ? std::bit_cast<double>(bits)
                             : static_cast<double>(static_cast<int64_t>(bits) >> random.below(64)) /
                                   std::pow(10, random.below(12));
    if (std::isnan(value)) continue;
    const std::string text = printed_double(value);
    const auto back = parse_double(text);
    BOOST_TEST_REQUIRE((back.has_value() && same_bits(*back, value)), text);
  }
}

BOOST_AUTO_TEST_CASE(a_double_is_printed_with_as_few_digits_as_identify_it) {
  Random random(3);
  for (int round = 0; round < 20'000; ++round) {
    const auto value = std::bit_cast<double>(random.next());
    if (!std::isfinite(value)) continue;
    char shorter[64];
    int digits = 1;
    for (; digits < 17; ++digits) {
      std::snprintf(shorter, sizeof shorter, "%.*e", digits - 1, value);
      if (std::strtod(shorter, nullptr) == value) break;
    }
    std::string mantissa = printed_double(value);
    mantissa.resize(std::min(mantissa.find('e'), mantissa.size()));
    std::erase_if(mantissa, [](char c) { return c == '-' || c == '.'; });
    mantissa.erase(0, mantissa.find_first_not_of('0'));
    mantissa.erase(mantissa.find_last_not_of('0') + 1);  // the plain layout pads a big number
    BOOST_TEST_REQUIRE(mantissa.size() <= static_cast<size_t>(digits), printed_double(value));
  }
}

// The layout of Redis 8: plain up to seven zeros behind the digits or six places behind the point.
BOOST_AUTO_TEST_CASE(doubles_are_laid_out_as_in_redis) {
  const std::pair<double, const char*> expected[] = {
      {0.0, "0"},
      {-0.0, "-0"},
      {3.0, "3"},
      {-3.0, "-3"},
      {0.1, "0.1"},
      {1.5, "1.5"},
      {-1234.5678, "-1234.5678"},
      {0.000001, "0.000001"},
      {0.0000001, "1e-7"},
      {0.00012345, "1.2345e-4"},
      {0.0012345678901, "0.0012345678901"},
      {1700000000.123456, "1700000000.123456"},
      {1700000000.1234567, "1.7000000001234567e+9"},
      {1e15, "1000000000000000"},
      {4503599627370495.0, "4503599627370495"},
      {5e15, "5e+15"},
      {9007199254740992.0, "9007199254740992"},
      {9007199254740993e3, "9007199254740993000"},
      {1e20, "1e+20"},
      {1.5e300, "1.5e+300"},
      {-2.5e-300, "-2.5e-300"},
      {5e-324, "5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {std::numeric_limits<double>::infinity(), "inf"},
      {-std::numeric_limits<double>::infinity(), "-inf"},
      {std::numeric_limits<double>::quiet_NaN(), "nan"},
      {-std::numeric_limits<double>::quiet_NaN(), "nan"},
  };
  for (const auto& [value, text] : expected) BOOST_TEST(printed_double(value) == text);
}

BOOST_AUTO_TEST_CASE(long_doubles_read_as_strtold_reads_them) {
  for (const char* text : {"0", "-0", "+3.5", "1e4932", "1e4933", "1e-4951", "1e-5000", "inf",
                           "-INFINITY", "0x1p-3", "3.14159265358979323846", "10.50", "1e", "1 "}) {
    errno = 0;
    char* end;
    const long double value = std::strtold(text, &end);
    const bool refused = *end != '\0' || (errno == ERANGE && (std::isinf(value) || value == 0));
    const auto actual = parse_long_double(text);
    BOOST_TEST_REQUIRE(actual.has_value() == !refused, text);
    if (!refused) BOOST_TEST((*actual == value), text);
  }
  for (const char* text : {"", " 1", "\t1", "\n1", "nan", "-nan", "abc"}) {
    BOOST_TEST(!parse_long_double(text).has_value(), text);
  }
  BOOST_TEST(!parse_long_double(std::string_view("1\0", 2)).has_value());
  BOOST_TEST(parse_long_double(std::string(kLongDoubleDigitsMax - 1, '0')).has_value());
  BOOST_TEST(!parse_long_double(std::string(kLongDoubleDigitsMax, '0')).has_value());
}

BOOST_AUTO_TEST_CASE(long_doubles_print_with_17_decimals_and_no_zeros_behind) {
  BOOST_TEST(printed_long_double(0.0L) == "0");
  BOOST_TEST(printed_long_double(-0.0L) == "0");
  BOOST_TEST(printed_long_double(-1e-30L) == "0");
  BOOST_TEST(printed_long_double(10.6L) == "10.6");
  BOOST_TEST(printed_long_double(-5000.0L) == "-5000");
  BOOST_TEST(printed_long_double(1e20L) == "100000000000000000000");
  BOOST_TEST(printed_long_double(1e-17L) == "0.00000000000000001");
  BOOST_TEST(printed_long_double(std::numeric_limits<long double>::infinity()) == "inf");
  BOOST_TEST(printed_long_double(-std::numeric_limits<long double>::infinity()) == "-inf");

  std::vector<long double> values = {std::numeric_limits<long double>::max(),
                                     std::numeric_limits<long double>::lowest()};
  Random random(4);
  for (int round = 0; round < 5'000; ++round) {
    const auto whole = static_cast<long double>(static_cast<int64_t>(random.next()));
    values.push_back(whole / std::pow(10.0L, static_cast<long double>(random.below(30))));
  }
  for (const long double value : values) {
    static char expected[kLongDoubleDigitsMax];
    std::snprintf(expected, sizeof expected, "%.17Lf", value);
    std::string trimmed = expected;
    trimmed.erase(trimmed.find_last_not_of('0') + 1);
    if (trimmed.back() == '.') trimmed.pop_back();
    if (trimmed == "-0") trimmed = "0";
    BOOST_TEST_REQUIRE(printed_long_double(value) == trimmed);
  }
}

// A program that embeds the library may live in a locale with a decimal comma.
BOOST_AUTO_TEST_CASE(the_locale_of_the_process_does_not_matter) {
  const locale_t comma = newlocale(LC_NUMERIC_MASK, "de_DE.UTF-8", nullptr);
  if (comma == nullptr) {
    BOOST_TEST_MESSAGE("no locale with a decimal comma on this machine");
    return;
  }
  const locale_t before = uselocale(comma);
  const std::string text = printed_long_double(1.5L);
  const auto value = parse_long_double("1.5");
  const auto number = parse_double("1.5");
  uselocale(before);
  freelocale(comma);
  BOOST_TEST(text == "1.5");
  BOOST_TEST((value == 1.5L));
  BOOST_TEST((number == 1.5));
}

BOOST_AUTO_TEST_CASE(memory_sizes_have_decimal_and_binary_units) {
  const std::pair<const char*, uint64_t> expected[] = {
      {"0", 0},
      {"7", 7},
      {"007", 7},
      {"7b", 7},
      {"5k", 5'000},
      {"5kb", 5 * 1024},
      {"10m", 10'000'000},
      {"10MB", 10 * 1024 * 1024},
      {"1g", 1'000'000'000},
      {"1Gb", 1024 * 1024 * 1024},
      {"18446744073709551615", std::numeric_limits<uint64_t>::max()},
  };
  for (const auto& [text, size] : expected) BOOST_TEST((parse_memory_size(text) == size), text);
  for (const char* text :
       {"", "b", "kb", "-1", "+1", " 1", "1 ", "1 kb", "1.5gb", "1t", "1bb", "1kbb", "1kk", "1bk",
        "0x10", "18446744073709551616", "18446744073709551615kb", "17179869184gb"}) {
    BOOST_TEST(!parse_memory_size(text).has_value(), text);
  }
}

// Every length of either sign, at both ends.
BOOST_AUTO_TEST_CASE(the_size_of_a_printed_integer_is_known_without_printing) {
  char room[kIntegerDigitsMax];
  std::vector<int64_t> values = {0, std::numeric_limits<int64_t>::min(),
                                 std::numeric_limits<int64_t>::max()};
  for (int64_t power = 1; power <= 100'000'000'000'000'000; power *= 10) {
    for (const int64_t value : {power - 1, power, 10 * power - 1}) {
      values.push_back(value);
      values.push_back(-value);
    }
  }
  for (const int64_t value : values) {
    BOOST_TEST(printed_size(value) == print_int64(value, room), value);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb
