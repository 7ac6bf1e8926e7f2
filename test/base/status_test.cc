#include "base/status.h"

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <memory>

namespace roxdb {
namespace {

Result<int> half_of(int value) {
  if (value % 2 != 0) return user_error("ERR odd");
  return value / 2;
}

Result<int> quarter_of(int value) {
  ROX_TRY(const int half, half_of(value));
  ROX_TRY(int quarter, half_of(half));
  return quarter;
}

Status all_even(int first, int second) {
  ROX_TRY(half_of(first).status());
  ROX_TRY(half_of(second).status());
  return kOk;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(base_status)

BOOST_AUTO_TEST_CASE(a_result_holds_a_value_or_says_why_not) {
  const Result<int> value = half_of(6);
  BOOST_TEST_REQUIRE(value.ok());
  BOOST_TEST(*value == 3);
  BOOST_TEST(value.status().ok());

  const Result<int> none = half_of(7);
  BOOST_TEST(!none.ok());
  BOOST_TEST((none.status().code == Code::kError));
  BOOST_TEST(none.status().text == "ERR odd");
}

BOOST_AUTO_TEST_CASE(try_leaves_at_the_first_error_and_names_the_value_otherwise) {
  BOOST_TEST(*quarter_of(12) == 3);
  BOOST_TEST(!quarter_of(6).ok());
  BOOST_TEST(!quarter_of(3).ok());
  BOOST_TEST(all_even(2, 4).ok());
  BOOST_TEST(!all_even(2, 3).ok());
  BOOST_TEST(!all_even(1, 2).ok());
}

BOOST_AUTO_TEST_CASE(a_result_hands_over_what_cannot_be_copied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  BOOST_TEST(**result == 5);
  const std::unique_ptr<int> taken = *std::move(result);
  BOOST_TEST(*taken == 5);
}

BOOST_AUTO_TEST_CASE(an_io_error_carries_the_number_of_the_system) {
  const Status status = io_error(ENOSPC, "write");
  BOOST_TEST(!status.ok());
  BOOST_TEST((status.code == Code::kIo));
  BOOST_TEST(status.os_error == ENOSPC);
  BOOST_TEST(status.text == "write");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb
