#include "base/random.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace roxdb {

BOOST_AUTO_TEST_SUITE(base_random)

BOOST_AUTO_TEST_CASE(equal_seeds_give_equal_sequences) {
  Random one(1);
  Random same(1);
  Random other(2);
  int differences = 0;
  for (int round = 0; round < 100; ++round) {
    const uint64_t value = one.next();
    BOOST_TEST(value == same.next());
    differences += value != other.next();
  }
  BOOST_TEST(differences > 90);
}

// 10,000 draws over each bound's values: the expected count per value, within six deviations.
BOOST_AUTO_TEST_CASE(bounded_draws_are_even_and_below_the_bound) {
  Random random(3);
  for (const uint64_t bound : {1, 2, 3, 7, 10, 100}) {
    std::vector<int> counts(bound);
    for (int round = 0; round < 10'000; ++round) {
      const uint64_t drawn = random.below(bound);
      BOOST_TEST_REQUIRE(drawn < bound);
      ++counts[drawn];
    }
    const double expected = 10'000.0 / static_cast<double>(bound);
    const double allowed = 6 * std::sqrt(expected);
    for (const int count : counts) BOOST_TEST(std::abs(count - expected) <= allowed);
  }
  BOOST_TEST(random.below(std::numeric_limits<uint64_t>::max()) <
             std::numeric_limits<uint64_t>::max());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb
