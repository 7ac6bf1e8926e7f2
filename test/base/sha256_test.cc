#include "base/sha256.h"

#include <fmt/format.h>
#include <boost/test/unit_test.hpp>

#include <string>

namespace roxdb {
namespace {

std::string hex(const Sha256& hash) {
  std::string text;
  for (const uint8_t byte : hash) text += fmt::format("{:02x}", byte);
  return text;
}

BOOST_AUTO_TEST_SUITE(base_sha256)

// The examples of FIPS 180-4's publisher, and the empty message.
BOOST_AUTO_TEST_CASE(published_examples_hash_as_published) {
  BOOST_TEST(hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  BOOST_TEST(hex(sha256("abc")) ==
             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
             "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  BOOST_TEST(hex(sha256(std::string(1'000'000, 'a'))) ==
             "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// 55 bytes fill one block with the length, 56 need a second, 64 are a whole block. The digests were
// made with coreutils' sha256sum.
BOOST_AUTO_TEST_CASE(the_length_finds_room_at_every_border_of_a_block) {
  BOOST_TEST(hex(sha256(std::string(55, 'x'))) ==
             "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072");
  BOOST_TEST(hex(sha256(std::string(56, 'x'))) ==
             "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e");
  BOOST_TEST(hex(sha256(std::string(63, 'x'))) ==
             "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2");
  BOOST_TEST(hex(sha256(std::string(64, 'x'))) ==
             "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c");
}

BOOST_AUTO_TEST_CASE(hashes_are_equal_only_when_every_byte_is) {
  const Sha256 hash = sha256("password");
  BOOST_TEST(equal_constant_time(hash, sha256("password")));
  for (size_t i = 0; i < hash.size(); ++i) {
    Sha256 other = hash;
    other[i] ^= 0x10;
    BOOST_TEST(!equal_constant_time(hash, other));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace roxdb
