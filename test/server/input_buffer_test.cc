#include "server/input_buffer.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <string>

#include "base/random.h"

namespace roxdb::server {
namespace {

BOOST_AUTO_TEST_SUITE(server_input_buffer)

// Against a plain string, under random operations from a printed seed.
BOOST_AUTO_TEST_CASE(bytes_stay_in_order_whatever_is_done_at_both_ends) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed);
      InputBuffer buffer;
      std::string model;
      for (int step = 0; step < 500; ++step) {
        const std::string bytes(random.below(200), static_cast<char>('a' + random.below(26)));
        switch (random.below(5)) {
          case 0:
            buffer.append(bytes);
            model += bytes;
            break;
          case 1:
            buffer.prepend(bytes);
            model = bytes + model;
            break;
          case 2: {
            const size_t size = random.below(model.size() + 1);
            buffer.consume(size);
            model.erase(0, size);
            break;
          }
          case 3: {
            buffer.reserve(bytes.size());
            BOOST_TEST_REQUIRE(buffer.room().size() >= bytes.size());
            if (!bytes.empty()) std::memcpy(buffer.room().data(), bytes.data(), bytes.size());
            buffer.commit(bytes.size());
            model += bytes;
            break;
          }
          default:
            if (random.below(10) == 0) {
              buffer.clear();
              model.clear();
            }
        }
        BOOST_TEST_REQUIRE(buffer.bytes() == model);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_wiped_buffer_keeps_its_memory_and_nothing_in_it) {
  InputBuffer buffer;
  buffer.wipe();
  buffer.append("a secret");
  buffer.consume(2);
  const std::string_view secret = buffer.bytes();
  buffer.wipe();
  BOOST_TEST(buffer.empty());
  BOOST_TEST(secret == std::string(secret.size(), '\0'));
}

BOOST_AUTO_TEST_CASE(a_cleared_buffer_owns_no_memory_and_a_rewound_one_keeps_it) {
  InputBuffer buffer;
  buffer.append("abc");
  buffer.rewind();
  BOOST_TEST(buffer.empty());
  BOOST_TEST(buffer.capacity() >= 3u);
  buffer.clear();
  BOOST_TEST(buffer.capacity() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace roxdb::server
