#include "types/key_sizes.h"

#include <boost/test/unit_test.hpp>

namespace roxdb::types {

BOOST_AUTO_TEST_SUITE(types_key_sizes)

BOOST_AUTO_TEST_CASE(a_bin_begins_at_each_power_of_two) {
  for (size_t power = 0; power < 64; ++power) {
    const size_t least = size_t{1} << power;
    KeySizes sizes;
    sizes.add(TypeId::kList, least);
    sizes.add(TypeId::kList, 2 * least - 1);
    BOOST_TEST(sizes.bins(TypeId::kList)[power + 1] == 2u, power);
    BOOST_TEST(sizes.bins(TypeId::kSet)[power + 1] == 0u, power);
  }
  KeySizes sizes;
  sizes.add(TypeId::kString, 0);
  BOOST_TEST(sizes.bins(TypeId::kString)[0] == 1u);
}

BOOST_AUTO_TEST_CASE(a_value_leaves_the_bin_it_was_in) {
  KeySizes sizes;
  const KeySizes empty;
  sizes.add(TypeId::kHash, 3);
  sizes.resize(TypeId::kHash, 3, 2);
  BOOST_TEST(sizes.bins(TypeId::kHash)[2] == 1u);
  sizes.resize(TypeId::kHash, 2, 1000);
  BOOST_TEST(sizes.bins(TypeId::kHash)[2] == 0u);
  BOOST_TEST(sizes.bins(TypeId::kHash)[10] == 1u);
  sizes.remove(TypeId::kHash, 1000);
  BOOST_TEST((sizes == empty));
}

BOOST_AUTO_TEST_CASE(only_types_that_redis_counts_are_counted) {
  BOOST_TEST(KeySizes::counts(TypeId::kSortedSet));
  BOOST_TEST(!KeySizes::counts(TypeId::kStream));
  BOOST_TEST(!KeySizes::counts(TypeId::kGraph));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::types
