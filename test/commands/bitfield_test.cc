#include <boost/test/unit_test.hpp>
#include <string>

#include <fmt/core.h>

#include "base/random.h"
#include "test/commands/command_fixture.h"

using roxdb::Random;
using roxdb::commands::test::CommandFixture;

namespace {

constexpr std::string_view kBadType =
    "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 "
    "is.";
constexpr std::string_view kBadOffset = "-ERR bit offset is not an integer or out of range";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_bitfield, CommandFixture)

BOOST_AUTO_TEST_CASE(operations_are_done_in_order_and_each_replies) {
  check({{"BITFIELD k", "*[]"},
         {"EXISTS k", ":0"},
         {"BITFIELD k GET u8 0", "*[:0]"},
         {"EXISTS k", ":0"},
         {"BITFIELD k SET i8 0 -1 GET u8 0 GET i4 4 incrby u4 #1 2", "*[:0 :255 :-1 :1]"},
         {"GET k", "$\\xf1"},
         {"BITFIELD k SET u63 3 9223372036854775807 GET i64 3", "*[:4899916394579099648 :-2]"},
         {"BITFIELD k SET i64 5 -9223372036854775808 GET i64 5", "*[:-8 :-9223372036854775808]"},
         {"BITFIELD_RO k GET u1 5 GET u1 #5 get i3 1000", "*[:1 :1 :0]"}});
}

BOOST_AUTO_TEST_CASE(overflow_wraps_saturates_or_leaves_the_field) {
  check({{"BITFIELD k SET u8 0 250", "*[:0]"},
         {"BITFIELD k INCRBY u8 0 10", "*[:4]"},
         {"BITFIELD k OVERFLOW SAT INCRBY u8 0 -10", "*[:0]"},
         {"BITFIELD k OVERFLOW SAT INCRBY u8 0 1000", "*[:255]"},
         {"BITFIELD k OVERFLOW FAIL INCRBY u8 0 1 OVERFLOW WRAP INCRBY u8 0 1", "*[$nil :0]"},
         {"BITFIELD k SET u8 0 -1", "*[:0]"},
         {"BITFIELD k OVERFLOW SAT SET u4 0 -1", "*[:15]"},  // as an unsigned number it is huge
         {"BITFIELD k OVERFLOW FAIL SET i8 0 128", "*[$nil]"},
         {"BITFIELD k OVERFLOW SAT SET i8 0 -129", "*[:-1]"},
         {"BITFIELD k GET i8 0", "*[:-128]"},
         {"BITFIELD k OVERFLOW SAT INCRBY i8 0 -1", "*[:-128]"},
         {"BITFIELD k INCRBY i8 0 -1", "*[:127]"},
         {"BITFIELD n SET i64 0 9223372036854775807 INCRBY i64 0 1", "*[:0 :-9223372036854775808]"},
         {"BITFIELD n OVERFLOW SAT INCRBY i64 0 -1", "*[:-9223372036854775808]"}});
}

BOOST_AUTO_TEST_CASE(what_is_malformed_is_refused_before_anything_is_done) {
  for (const std::string_view type : {"u64", "i65", "u0", "i0", "x8", "8", "u", "", "u-1", "U8"}) {
    BOOST_TEST_CONTEXT("type " << type) {
      BOOST_TEST(run_args({"BITFIELD", "k", "SET", "u8", "0", "1", "GET", type, "0"}) == kBadType);
    }
  }
  for (const std::string_view offset :
       {"-1", "#-1", "x", "#", "##1", "4294967296", "#536870912", "#9223372036854775807", ""}) {
    BOOST_TEST_CONTEXT("offset " << offset) {
      BOOST_TEST(run_args({"BITFIELD", "k", "SET", "u8", "0", "1", "GET", "u8", offset}) ==
                 kBadOffset);
    }
  }
  check({{"BITFIELD k SET u8 4294967295 1", kBadOffset},  // it would end behind the largest string
         {"BITFIELD k GET u8 4294967295", "*[:0]"},
         {"BITFIELD k SET u8 0 1 OVERFLOW NEVER", "-ERR Invalid OVERFLOW type specified"},
         {"BITFIELD k SET u8 0 1 OVERFLOW", "-ERR syntax error"},
         {"BITFIELD k SET u8 0 1 SET u8 0", "-ERR syntax error"},
         {"BITFIELD k SET u8 0 1 INCRBY u8 0 x", "-ERR value is not an integer or out of range"},
         {"BITFIELD_RO k GET u8 0 SET u8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand"},
         {"EXISTS k", ":0"}});
}

BOOST_AUTO_TEST_CASE(only_a_change_is_logged) {
  check_log({{"BITFIELD k GET u8 0", ""},
             {"BITFIELD k SET u8 0 0", "BITFIELD k SET u8 0 0"},  // the key is new
             {"BITFIELD k SET u8 0 0", ""},
             {"BITFIELD k SET u8 8 0", "BITFIELD k SET u8 8 0"},  // the string has grown
             {"BITFIELD k INCRBY u8 0 1", "BITFIELD k INCRBY u8 0 1"},
             {"BITFIELD k OVERFLOW FAIL INCRBY u1 7 1", ""}});
}

// Fields of random width anywhere, against the bits of a text one by one.
BOOST_AUTO_TEST_CASE(fields_agree_with_a_text_of_bits) {
  constexpr size_t kBits = 200;
  std::string bits(kBits, '0');
  run("SETBIT k 199 0");
  Random random(3);
  for (int step = 0; step < 2000; ++step) {
    const bool is_signed = random.below(2) == 0;
    const size_t width = 1 + random.below(is_signed ? 64 : 63);
    const size_t offset = random.below(kBits - width + 1);
    const auto number_there = [&] {
      uint64_t word = is_signed && bits[offset] == '1' ? ~uint64_t{0} : 0;
      for (size_t i = 0; i < width; ++i) word = word << 1 | (bits[offset + i] == '1' ? 1 : 0);
      return static_cast<int64_t>(word);
    };
    const int64_t old = number_there();
    const auto value = static_cast<int64_t>(random.next());
    for (size_t i = 0; i < width; ++i) {
      bits[offset + i] = (static_cast<uint64_t>(value) >> (width - 1 - i) & 1) != 0 ? '1' : '0';
    }
    const std::string field = fmt::format("{}{} {}", is_signed ? 'i' : 'u', width, offset);
    BOOST_TEST(run(fmt::format("BITFIELD k SET {0} {1} GET {0}", field, value)) ==
               fmt::format("*[:{} :{}]", old, number_there()));
  }
}

BOOST_AUTO_TEST_SUITE_END()
