#include "server/rate.h"

#include <boost/test/unit_test.hpp>

namespace roxdb::server {
namespace {

constexpr uint64_t kSamples = 16;

}  // namespace

BOOST_AUTO_TEST_SUITE(server_rate)

BOOST_AUTO_TEST_CASE(it_is_the_mean_of_the_last_looks) {
  Rate rate;
  for (uint64_t look = 1; look <= kSamples; ++look) rate.sample(50 * look, 100 * look);
  BOOST_TEST(rate.per_second() == 500u);
  rate.sample(1'000'000, 100 * kSamples + 99);  // too early to be a look
  BOOST_TEST(rate.per_second() == 500u);
}

BOOST_AUTO_TEST_CASE(a_counter_that_was_put_back_begins_anew) {
  Rate rate;
  rate.sample(1'000'000, 100);
  for (uint64_t look = 1; look <= kSamples; ++look) rate.sample(10 * look, 100 + 100 * look);
  BOOST_TEST(rate.per_second() == 100u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::server
