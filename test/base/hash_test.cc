#include "base/hash.h"

#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "base/environment.h"
#include "base/random.h"

namespace roxdb {
namespace {

std::string random_bytes(Random& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random.next());
  return bytes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(base_hash)

BOOST_AUTO_TEST_CASE(the_hash_depends_on_the_secret) {
  const HashSecret one = hash_secret_from_seed(1);
  const HashSecret two = hash_secret_from_seed(2);
  Random random(1);
  // 0, 1..3, 4..8, 9..16, 17..128, 129..240 and more bytes take different ways through XXH3.
  for (const size_t size : {0, 1, 3, 4, 8, 9, 16, 17, 32, 64, 128, 129, 240, 241, 1024, 5000}) {
    const std::string bytes = random_bytes(random, size);
    BOOST_TEST(hash_bytes(bytes, one) == hash_bytes(bytes, one));
    BOOST_TEST(hash_bytes(bytes, one) != hash_bytes(bytes, two));
  }
}

BOOST_AUTO_TEST_CASE(every_byte_of_a_key_counts) {
  const HashSecret secret = hash_secret_from_seed(3);
  Random random(2);
  for (size_t size = 1; size <= 300; ++size) {
    std::string bytes = random_bytes(random, size);
    const uint64_t before = hash_bytes(bytes, secret);
    for (size_t at = 0; at < size; ++at) {
      bytes[at] ^= 1;
      BOOST_TEST_REQUIRE(hash_bytes(bytes, secret) != before, "byte " << at << " of " << size);
      bytes[at] ^= 1;
    }
  }
}

BOOST_AUTO_TEST_CASE(the_length_counts) {
  const HashSecret secret = hash_secret_from_seed(4);
  std::set<uint64_t> seen;
  for (size_t size = 0; size <= 1'000; ++size) {
    seen.insert(hash_bytes(std::string(size, '\0'), secret));
  }
  BOOST_TEST(seen.size() == 1'001u);
}

// The table uses the top bits for its directory and others for buckets and tags; counted keys are
// what people store. With 2^16 keys in 2^10 cells each holds 64 on average, deviation 8.
BOOST_AUTO_TEST_CASE(counted_keys_spread_evenly_over_any_ten_bits) {
  const HashSecret secret = hash_secret_from_seed(5);
  for (const char* prefix : {"", "key:", "user:session:0000:", "a-rather-long-prefix-of-a-key:"}) {
    for (const int shift : {0, 10, 27, 54}) {
      std::vector<int> cells(1 << 10);
      for (int number = 0; number < 1 << 16; ++number) {
        const std::string key = prefix + std::to_string(number);
        ++cells[(hash_bytes(key, secret) >> shift) & 0x3ff];
      }
      const auto [least, most] = std::minmax_element(cells.begin(), cells.end());
      BOOST_TEST_CONTEXT("prefix '" << prefix << "', shift " << shift) {
        BOOST_TEST(*least > 64 - 6 * 8);
        BOOST_TEST(*most < 64 + 6 * 8);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(one_flipped_bit_changes_about_half_of_the_hash) {
  const HashSecret secret = hash_secret_from_seed(6);
  Random random(3);
  for (const size_t size : {1, 4, 8, 12, 16, 24, 100, 200, 1000}) {
    int flipped = 0;
    const int rounds = 1'000;
    for (int round = 0; round < rounds; ++round) {
      std::string bytes = random_bytes(random, size);
      const uint64_t before = hash_bytes(bytes, secret);
      const uint64_t bit = random.below(size * 8);
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
      flipped += std::popcount(before ^ hash_bytes(bytes, secret));
    }
    BOOST_TEST(flipped > rounds * 30, size);
    BOOST_TEST(flipped < rounds * 34, size);
  }
}

BOOST_AUTO_TEST_CASE(a_seeded_secret_repeats_and_a_random_one_does_not) {
  const auto equal = [](const HashSecret& left, const HashSecret& right) {
    return std::memcmp(left.bytes, right.bytes, sizeof left.bytes) == 0;
  };
  BOOST_TEST(equal(hash_secret_from_seed(9), hash_secret_from_seed(9)));
  BOOST_TEST(!equal(hash_secret_from_seed(9), hash_secret_from_seed(10)));
  BOOST_TEST(
      !equal(random_hash_secret(real_environment()), random_hash_secret(real_environment())));
}

// Checksums are in files: these numbers may never change. They are XXH3-64 of the library.
BOOST_AUTO_TEST_CASE(checksums_are_xxh3_with_a_seed) {
  BOOST_TEST(checksum("", 0) == 0x2d06800538d394c2u);
  BOOST_TEST(checksum("a", 0) == 0xe6c632b61e964e1fu);
  BOOST_TEST(checksum("abc", 0) == 0x78af5f94892f3950u);
  BOOST_TEST(checksum("abc", 0) != checksum("abc", 1));
}

BOOST_AUTO_TEST_CASE(a_checksum_in_pieces_equals_the_whole) {
  Random random(4);
  for (int round = 0; round < 2'000; ++round) {
    const std::string bytes = random_bytes(random, random.below(3'000));
    const uint64_t seed = random.next();
    Checksum pieces(seed);
    for (std::string_view rest = bytes; !rest.empty();) {
      const size_t size = std::min<size_t>(random.below(600), rest.size());
      pieces.add(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    pieces.add({});
    BOOST_TEST_REQUIRE(pieces.value() == checksum(bytes, seed));
  }
}

BOOST_AUTO_TEST_CASE(a_checksum_may_be_asked_and_go_on) {
  Checksum pieces(5);
  pieces.add("first");
  BOOST_TEST(pieces.value() == checksum("first", 5));
  pieces.add("second");
  BOOST_TEST(pieces.value() == checksum("firstsecond", 5));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb
