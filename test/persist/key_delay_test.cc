#include "persist/key_delay.h"

#include <boost/test/unit_test.hpp>

#include "test/sim/crashing_environment.h"

namespace {

using namespace roxdb;
using namespace roxdb::persist;

struct Slow {
  // Ms that passed meanwhile.
  uint64_t done(uint64_t keys) {
    const uint64_t before_ns = environment.monotonic_ns();
    delay.keys_done(keys, [this] {
      calls++;
      if (calls == stop_after) us = 0;
    });
    return (environment.monotonic_ns() - before_ns) / 1'000'000;
  }

  CrashingEnvironment environment{1};
  int64_t us = 0;
  KeyDelay delay{environment, us};
  int calls = 0;
  int stop_after = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(persist_key_delay, Slow)

BOOST_AUTO_TEST_CASE(nobody_waits_unless_asked_to) {
  BOOST_TEST(done(1'000'000) == 0u);
  BOOST_TEST(calls == 0);
}

BOOST_AUTO_TEST_CASE(each_key_is_waited_for_once) {
  us = 100;
  BOOST_TEST(done(1'000) == 100u);
  BOOST_TEST(calls == 10);
  BOOST_TEST(done(1'000) == 0u);
  BOOST_TEST(done(1'005) == 0u);  // less than a ms adds up
  BOOST_TEST(done(1'010) == 1u);
  // The next file counts anew.
  BOOST_TEST(done(0) == 0u);
  BOOST_TEST(done(100) == 10u);
}

BOOST_AUTO_TEST_CASE(below_zero_so_many_keys_share_a_microsecond) {
  us = -10;
  BOOST_TEST(done(10'000) == 1u);
}

BOOST_AUTO_TEST_CASE(whoever_changes_it_meanwhile_is_heard) {
  us = 1'000;
  stop_after = 3;
  BOOST_TEST(done(1'000'000) == 30u);
  us = 1'000;
  BOOST_TEST(done(1'000'001) == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
