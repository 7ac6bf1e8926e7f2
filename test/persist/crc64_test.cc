#include "persist/crc64.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace roxdb::persist {

BOOST_AUTO_TEST_SUITE(persist_crc64)

BOOST_AUTO_TEST_CASE(the_check_value_of_the_polynomial_is_right) {
  BOOST_TEST(crc64(0, "123456789") == 0xe9c6'd914'c4b8'd9ca);
  BOOST_TEST(crc64(0, "") == 0u);
}

BOOST_AUTO_TEST_CASE(pieces_sum_up_to_the_whole_at_any_cut) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += static_cast<char>(i * 37);
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    BOOST_TEST(crc64(crc64(0, text.substr(0, cut)), text.substr(cut)) == crc64(0, text));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::persist
