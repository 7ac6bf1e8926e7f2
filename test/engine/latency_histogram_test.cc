#include "engine/latency_histogram.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <vector>

namespace roxdb::engine {

BOOST_AUTO_TEST_SUITE(engine_latency_histogram)

BOOST_AUTO_TEST_CASE(a_bound_is_above_the_duration_by_six_percent_at_most) {
  for (uint64_t duration = 0; duration < (uint64_t{1} << 40); duration = duration * 9 / 8 + 1) {
    LatencyHistogram histogram;
    histogram.add(duration);
    int buckets = 0;
    histogram.for_each([&](uint64_t bound, uint64_t count) {
      ++buckets;
      BOOST_TEST(count == 1u);
      BOOST_TEST(bound > duration);
      BOOST_TEST(static_cast<double>(bound - 1) <= static_cast<double>(duration) * 1.0625);
    });
    BOOST_TEST(buckets == 1);
  }
}

BOOST_AUTO_TEST_CASE(buckets_come_in_ascending_order_and_hold_everything) {
  LatencyHistogram histogram;
  BOOST_TEST(histogram.empty());
  for (uint64_t i = 0; i < 5000; ++i) histogram.add(i);
  histogram.add(UINT64_MAX);
  uint64_t last = 0;
  uint64_t total = 0;
  histogram.for_each([&](uint64_t bound, uint64_t count) {
    BOOST_TEST(bound > last);
    last = bound;
    total += count;
  });
  BOOST_TEST(total == 5001u);
  BOOST_TEST(last == uint64_t{1} << 40);  // the longest
  histogram.clear();
  BOOST_TEST(histogram.empty());
  histogram.for_each([](uint64_t, uint64_t) { BOOST_ERROR("nothing is left"); });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::engine
