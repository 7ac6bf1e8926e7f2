// Against the plain definition of each function, bit by bit.
#include "commands/bitmap/bits.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "base/random.h"

namespace roxdb::commands {
namespace {

// Mostly zeros or mostly ones, so that there are long stretches of either.
std::string random_bitmap(Random& random, size_t size) {
  std::string bitmap(size, random.below(2) == 0 ? '\0' : '\xff');
  for (size_t changes = random.below(4); changes > 0 && size > 0; --changes) {
    bitmap[random.below(size)] = static_cast<char>(random.below(256));
  }
  return bitmap;
}

BitRange random_range(Random& random, size_t bytes) {
  const size_t a = random.below(bytes * 8 + 1);
  const size_t b = random.below(bytes * 8 + 1);
  return {std::min(a, b), std::max(a, b)};
}

bool bit_or_zero(std::string_view bitmap, size_t bit) {
  return bit / 8 < bitmap.size() && bit_at(bitmap, bit);
}

bool combined(BitOperation operation, const std::vector<std::string_view>& sources, size_t bit) {
  const bool first = bit_or_zero(sources[0], bit);
  const auto others =
      std::count_if(sources.begin() + 1, sources.end(),
                    [&](std::string_view source) { return bit_or_zero(source, bit); });
  const auto all = others + (first ? 1 : 0);
  switch (operation) {
    case BitOperation::kAnd:
      return all == static_cast<ptrdiff_t>(sources.size());
    case BitOperation::kOr:
      return all > 0;
    case BitOperation::kXor:
      return all % 2 == 1;
    case BitOperation::kNot:
      return !first;
    case BitOperation::kDiff:
      return first && others == 0;
    case BitOperation::kDiff1:
      return !first && others > 0;
    case BitOperation::kAndOr:
      return first && others > 0;
    case BitOperation::kOne:
      return all == 1;
  }
  return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(commands_bitmap_bits)

BOOST_AUTO_TEST_CASE(bit_0_is_the_highest_of_the_first_byte) {
  std::string bitmap(2, '\0');
  set_bit(bitmap.data(), 0, true);
  set_bit(bitmap.data(), 15, true);
  BOOST_TEST(bitmap == "\x80\x01");
  BOOST_TEST(bit_at(bitmap, 0));
  BOOST_TEST(!bit_at(bitmap, 1));
  set_bit(bitmap.data(), 0, false);
  BOOST_TEST(bitmap == std::string_view("\0\x01", 2));
}

BOOST_AUTO_TEST_CASE(counting_agrees_with_looking_at_each_bit) {
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    Random random(seed);
    const std::string bitmap = random_bitmap(random, random.below(300));
    const BitRange range = random_range(random, bitmap.size());
    size_t wanted = 0;
    for (size_t bit = range.begin; bit < range.end; ++bit) wanted += bit_at(bitmap, bit) ? 1 : 0;
    BOOST_TEST(count_bits(bitmap, range) == wanted, "seed " << seed);
  }
}

BOOST_AUTO_TEST_CASE(seeking_agrees_with_looking_at_each_bit) {
  for (uint64_t seed = 1; seed <= 4000; ++seed) {
    Random random(seed);
    const std::string bitmap = random_bitmap(random, random.below(300));
    const BitRange range = random_range(random, bitmap.size());
    const bool value = random.below(2) == 0;
    size_t wanted = range.begin;
    while (wanted < range.end && bit_at(bitmap, wanted) != value) ++wanted;
    BOOST_TEST(find_bit(bitmap, value, range) == wanted, "seed " << seed);
  }
}

// Sources end before, in and behind the 4096-byte chunks that are combined at a time.
BOOST_AUTO_TEST_CASE(combining_agrees_with_the_definition_of_each_operation) {
  constexpr BitOperation kOperations[] = {
      BitOperation::kAnd,  BitOperation::kOr,    BitOperation::kXor,   BitOperation::kNot,
      BitOperation::kDiff, BitOperation::kDiff1, BitOperation::kAndOr, BitOperation::kOne};
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    Random random(seed);
    const BitOperation operation = kOperations[random.below(std::size(kOperations))];
    const size_t count = operation == BitOperation::kNot ? 1 : 1 + random.below(4);
    const size_t size_max = seed % 8 == 0 ? 10'000 : 200;
    std::vector<std::string> bitmaps;
    for (size_t i = 0; i < count; ++i) {
      std::string& bitmap = bitmaps.emplace_back(random.below(size_max), '\0');
      for (char& byte : bitmap) byte = static_cast<char>(random.below(256));
    }
    const std::vector<std::string_view> sources(bitmaps.begin(), bitmaps.end());
    size_t size = 0;
    for (const std::string_view source : sources) size = std::max(size, source.size());

    std::string result(size, 'x');
    combine_bits(operation, sources, result.data(), size);
    size_t wrong = 0;
    for (size_t bit = 0; bit < size * 8; ++bit) {
      wrong += bit_at(result, bit) == combined(operation, sources, bit) ? 0 : 1;
    }
    BOOST_TEST(wrong == 0u, "seed " << seed << ", operation " << static_cast<int>(operation));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::commands
