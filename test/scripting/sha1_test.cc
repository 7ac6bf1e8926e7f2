#include "scripting/sha1.h"

#include <boost/test/unit_test.hpp>
#include <string>

using roxdb::scripting::sha1_hex;

BOOST_AUTO_TEST_SUITE(scripting_sha1)

// The examples of FIPS 180-4.
BOOST_AUTO_TEST_CASE(the_standard_s_examples_hold) {
  BOOST_TEST(sha1_hex("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  BOOST_TEST(sha1_hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
  BOOST_TEST(sha1_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
             "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  BOOST_TEST(sha1_hex(std::string(1'000'000, 'a')) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

// Where the padding needs one block more.
BOOST_AUTO_TEST_CASE(sizes_round_a_block_are_padded_right) {
  BOOST_TEST(sha1_hex(std::string(55, 'a')) == "c1c8bbdc22796e28c0e15163d20899b65621d65a");
  BOOST_TEST(sha1_hex(std::string(56, 'a')) == "c2db330f6083854c99d4b5bfb6e8f29f201be699");
  BOOST_TEST(sha1_hex(std::string(63, 'a')) == "03f09f5b158a7a8cdad920bddc29b81c18a551f5");
  BOOST_TEST(sha1_hex(std::string(64, 'a')) == "0098ba824b5c16427bd7a1122a5a442a25ec644d");
}

BOOST_AUTO_TEST_SUITE_END()
