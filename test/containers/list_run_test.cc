#include "containers/list_run.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace roxdb::containers {
namespace {

// Texts whose elements need every number of size bytes but the largest.
std::vector<std::string> texts() {
  std::vector<std::string> texts = {"", "0", "63", "64", "-1", "9223372036854775807", "007", "abc"};
  for (const size_t size : {125, 126, 127, 128, 129, 16379, 16380, 16381, 65535, 65536}) {
    texts.emplace_back(size, 'x');
  }
  texts.emplace_back((size_t{1} << 21) - 5, 'y');
  texts.emplace_back((size_t{1} << 21) - 4, 'z');
  return texts;
}

std::string run_of(const std::vector<std::string>& texts) {
  std::string run;
  for (const std::string& text : texts) {
    const packed::Encoded element(text);
    const size_t before = run.size();
    run.resize(before + list_run::room_of(element));
    BOOST_TEST_REQUIRE(list_run::write(element, run.data() + before) == run.data() + run.size());
  }
  return run;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(containers_list_run)

BOOST_AUTO_TEST_CASE(a_run_reads_the_same_from_both_ends) {
  const std::vector<std::string> written = texts();
  const std::string run = run_of(written);
  BOOST_TEST(list_run::check(run) == written.size());
  const char* at = run.data();
  for (const std::string& text : written) {
    BOOST_TEST(packed::Text(list_run::read(at)).view() == text);
    BOOST_TEST(list_run::is_at(packed::Encoded(text), at));
    at += list_run::room_at(at);
  }
  BOOST_TEST_REQUIRE((at == run.data() + run.size()));
  for (size_t i = written.size(); i-- > 0;) {
    at -= list_run::room_before(at);
    BOOST_TEST(packed::Text(list_run::read(at)).view() == written[i]);
  }
  BOOST_TEST((at == run.data()));
}

BOOST_AUTO_TEST_CASE(a_short_text_costs_two_bytes_more_than_itself) {
  BOOST_TEST(list_run::room_of(packed::Encoded("abcdefgh")) == 10u);
  BOOST_TEST(list_run::room_of(packed::Encoded(std::string(126, 'x'))) == 128u);
  BOOST_TEST(list_run::room_of(packed::Encoded("7")) == 2u);
}

BOOST_AUTO_TEST_CASE(an_element_differs_from_longer_and_shorter_ones) {
  const std::string run = run_of({"abc"});
  for (const std::string_view other : {"ab", "abcd", "abd", "", "1"}) {
    BOOST_TEST(!list_run::is_at(packed::Encoded(other), run.data()));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::containers
