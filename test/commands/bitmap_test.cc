#include <boost/test/unit_test.hpp>
#include <string>

#include "base/random.h"
#include "test/commands/command_fixture.h"

using roxdb::Random;
using roxdb::commands::test::CommandFixture;

namespace {

constexpr std::string_view kWrongType =
    "-WRONGTYPE Operation against a key holding the wrong kind of value";
constexpr std::string_view kBadOffset = "-ERR bit offset is not an integer or out of range";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_bitmap, CommandFixture)

BOOST_AUTO_TEST_CASE(a_bit_beyond_the_end_grows_the_string_with_zeros) {
  check({{"SETBIT k 1 1", ":0"},
         {"GET k", "$@"},
         {"SETBIT k 23 1", ":0"},
         {"GET k", "$@\\x00\\x01"},
         {"OBJECT ENCODING k", "$raw"},
         {"SETBIT k 1 0", ":1"},
         {"GETBIT k 1", ":0"},
         {"GETBIT k 23", ":1"},
         {"GETBIT k 24", ":0"},
         {"GETBIT missing 3", ":0"},
         {"SET n 12", "+OK"},
         {"SETBIT n 7 0", ":1"},
         {"GET n", "$02"},
         {"GETBIT n 10", ":1"}});
}

BOOST_AUTO_TEST_CASE(offsets_and_bits_out_of_range_are_refused_and_change_nothing) {
  for (const std::string_view offset :
       {"-1", "4294967296", "9223372036854775807", "18446744073709551616", "1.5", "x", "#1", ""}) {
    BOOST_TEST_CONTEXT("offset " << offset) {
      BOOST_TEST(run_args({"SETBIT", "k", offset, "1"}) == kBadOffset);
      BOOST_TEST(run_args({"GETBIT", "k", offset}) == kBadOffset);
    }
  }
  for (const std::string_view bit : {"2", "-1", "x", ""}) {
    BOOST_TEST(run_args({"SETBIT", "k", "0", bit}) == "-ERR bit is not an integer or out of range");
  }
  engine.string_bytes_max = 10;
  check({{"SETBIT k 80 1", kBadOffset}, {"EXISTS k", ":0"}, {"SETBIT k 79 1", ":0"}});
}

BOOST_AUTO_TEST_CASE(a_setbit_that_changes_nothing_says_nothing) {
  check_log({{"SETBIT k 7 0", "SETBIT k 7 0"},  // the key is new
             {"SETBIT k 7 0", ""},
             {"SETBIT k 7 1", "SETBIT k 7 1"},
             {"SETBIT k 7 1", ""},
             {"SETBIT k 15 0", "SETBIT k 15 0"}});  // the string has grown
  events();
  run("SETBIT k 0 1");
  BOOST_TEST(events() == "setbit:k");
}

BOOST_AUTO_TEST_CASE(bitcount_takes_ranges_in_bytes_and_in_bits) {
  check({{"SET k foobar", "+OK"},
         {"BITCOUNT k", ":26"},
         {"BITCOUNT k 0 -1", ":26"},
         {"BITCOUNT k 0 0", ":4"},
         {"BITCOUNT k 1 1 byte", ":6"},
         {"BITCOUNT k 3", ":10"},
         {"BITCOUNT k 5 30 BIT", ":17"},
         {"BITCOUNT k -8 -1 BIT", ":4"},
         {"BITCOUNT k -100 -101", ":0"},
         {"BITCOUNT k -101 -100", ":4"},  // both are the first byte
         {"BITCOUNT k 4 2", ":0"},
         {"BITCOUNT k 100 200", ":0"},
         {"BITCOUNT k 0 9223372036854775807 BIT", ":26"},
         {"BITCOUNT missing", ":0"},
         {"BITCOUNT missing 0 0 WORD", "-ERR syntax error"},
         {"BITCOUNT k 0 0 BIT BIT", "-ERR syntax error"},
         {"BITCOUNT k x", "-ERR value is not an integer or out of range"}});
}

BOOST_AUTO_TEST_CASE(bitpos_finds_the_first_bit_of_a_range) {
  check({{"SET k \"\\xff\\xf0\\x00\"", "+OK"},
         {"BITPOS k 0", ":12"},
         {"BITPOS k 1", ":0"},
         {"BITPOS k 1 1", ":8"},
         {"BITPOS k 1 2", ":-1"},
         {"BITPOS k 0 0 0", ":-1"},
         {"BITPOS k 0 2 1", ":-1"},
         {"BITPOS k 1 9 -1 BIT", ":9"},
         {"BITPOS k 0 3 -1 BIT", ":12"},
         {"BITPOS k 1 -10 -20", ":0"},
         {"SET ones \"\\xff\\xff\"", "+OK"},
         {"BITPOS ones 0", ":16"},  // zeros follow
         {"BITPOS ones 0 1", ":16"},
         {"BITPOS ones 0 0 -1", ":-1"},
         {"SET empty \"\"", "+OK"},
         {"BITPOS empty 0", ":-1"},
         {"BITPOS missing 0", ":0"},
         {"BITPOS missing 1 5 6", ":-1"},
         {"BITPOS k 2", "-ERR The bit argument must be 1 or 0."},
         {"BITPOS k x", "-ERR value is not an integer or out of range"},
         {"BITPOS k 1 0 1 WORD", "-ERR syntax error"},
         {"BITPOS k 1 0 1 BIT 1", "-ERR syntax error"}});
}

BOOST_AUTO_TEST_CASE(bitop_combines_strings_of_any_length) {
  check({{"SET a abcdef", "+OK"},
         {"SET b \"\\xff\\x0f\"", "+OK"},
         {"BITOP AND to a b", ":6"},
         {"GET to", "$a\\x02\\x00\\x00\\x00\\x00"},
         {"OBJECT ENCODING to", "$raw"},
         {"BITOP and a a", ":6"},  // the destination may be a source
         {"GET a", "$abcdef"},
         {"BITOP NOT to b", ":2"},
         {"GET to", "$\\x00\\xf0"},
         {"SET n 12", "+OK"},
         {"BITOP OR to n", ":2"},
         {"GET to", "$12"}});
}

BOOST_AUTO_TEST_CASE(bitop_of_nothing_deletes_the_destination) {
  check({{"SET to v", "+OK"},
         {"SET empty \"\"", "+OK"},
         {"BITOP XOR to empty missing", ":0"},
         {"EXISTS to", ":0"}});
  check_log({{"BITOP XOR to missing", ""}, {"BITOP OR to empty", ""}});
}

BOOST_AUTO_TEST_CASE(bitop_replaces_the_destination_whatever_it_was) {
  put_other_type("to");
  check({{"SET a a", "+OK"}, {"BITOP OR to a", ":1"}, {"GET to", "$a"}});
  check({{"EXPIRE to 100", ":1"}, {"BITOP OR to a", ":1"}, {"TTL to", ":-1"}});
  log();
  events();
  run("BITOP OR to a");
  BOOST_TEST(log() == "BITOP OR to a");
  BOOST_TEST(events() == "set:to");
}

BOOST_AUTO_TEST_CASE(bitop_refuses_what_it_cannot_do) {
  put_other_type("list");
  check({{"BITOP NOT to a b", "-ERR BITOP NOT must be called with a single source key."},
         {"BITOP diff to a", "-ERR BITOP DIFF must be called with at least two source keys."},
         {"BITOP DIFF1 to a", "-ERR BITOP DIFF1 must be called with at least two source keys."},
         {"BITOP ANDOR to a", "-ERR BITOP ANDOR must be called with at least two source keys."},
         {"BITOP NAND to a b", "-ERR syntax error"},
         {"BITOP OR to list", kWrongType},
         {"SETBIT list 0 1", kWrongType},
         {"GETBIT list 0", kWrongType},
         {"BITCOUNT list", kWrongType},
         {"BITPOS list 1", kWrongType}});
}

// Small strings lie in their entries, big ones apart; a bitmap walks through all of it.
BOOST_AUTO_TEST_CASE(a_growing_bitmap_keeps_all_its_bits) {
  Random random(5);
  std::string model;
  for (size_t bits_max : {100u, 3000u, 20'000u, 200'000u}) {
    for (int step = 0; step < 300; ++step) {
      const size_t bit = random.below(bits_max);
      if (bit / 8 >= model.size()) model.resize(bit / 8 + 1);
      const auto mask = static_cast<char>(0x80 >> bit % 8);
      const bool old = (model[bit / 8] & mask) != 0;
      const bool value = random.below(2) == 0;
      model[bit / 8] = static_cast<char>(value ? model[bit / 8] | mask : model[bit / 8] & ~mask);
      BOOST_TEST(run("SETBIT k " + std::to_string(bit) + (value ? " 1" : " 0")) ==
                 (old ? ":1" : ":0"));
    }
    run("COPY k copy REPLACE");  // a big value is shared until one of both changes
    run_args({"SET", "model", model});
    BOOST_TEST(run("GET k") == run("GET model"));
  }
}

BOOST_AUTO_TEST_SUITE_END()
