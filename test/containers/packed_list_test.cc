#include "containers/packed_list.h"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"

namespace {

using namespace roxdb;
using namespace roxdb::containers;

std::string run_of(const std::vector<std::string>& texts) {
  std::string run;
  for (const std::string& text : texts) {
    const packed::Encoded encoded(text);
    const size_t at = run.size();
    run.resize(at + encoded.size());
    encoded.write(run.data() + at);
  }
  return run;
}

std::vector<std::string> texts_of(std::string_view run) {
  std::vector<std::string> texts;
  for (size_t at = 0; at < run.size();) {
    const packed::Element element = packed::read(run, at);
    texts.emplace_back(packed::Text(element).view());
    BOOST_TEST(element.text_size() == texts.back().size());
    at = element.next();
  }
  return texts;
}

const std::vector<std::string> kEdges = {"",
                                         "a",
                                         "0",
                                         "-0",
                                         "63",
                                         "64",
                                         "-1",
                                         "127",
                                         "128",
                                         "-128",
                                         "-129",
                                         "32767",
                                         "32768",
                                         "-32769",
                                         "8388607",
                                         "8388608",
                                         "2147483648",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "9223372036854775808",
                                         "01",
                                         "+1",
                                         " 1",
                                         "1.0",
                                         std::string(127, 'x'),
                                         std::string(128, 'x'),
                                         std::string(65535, 'x'),
                                         std::string(65536, 'x')};

BOOST_AUTO_TEST_SUITE(containers_packed_list)

BOOST_AUTO_TEST_CASE(what_was_written_is_read) {
  const std::string run = run_of(kEdges);
  BOOST_TEST(texts_of(run) == kEdges, boost::test_tools::per_element());
  BOOST_TEST(packed::count(run) == kEdges.size());
  BOOST_TEST((packed::check(run) == kEdges.size()));
}

BOOST_AUTO_TEST_CASE(integers_take_the_fewest_bytes) {
  const auto size = [](int64_t value) { return packed::Encoded(value).size(); };
  BOOST_TEST(size(0) == 1u);
  BOOST_TEST(size(63) == 1u);
  BOOST_TEST(size(64) == 2u);
  BOOST_TEST(size(-128) == 2u);
  BOOST_TEST(size(128) == 3u);
  BOOST_TEST(size(-8388608) == 4u);
  BOOST_TEST(size(std::numeric_limits<int64_t>::max()) == 9u);
  Random random(1);
  for (int i = 0; i < 100'000; ++i) {
    const auto value = static_cast<int64_t>(random.next() >> random.next() % 64) *
                       (random.next() % 2 == 0 ? 1 : -1);
    const packed::Encoded encoded(value);
    std::string run(encoded.size(), '\0');
    BOOST_TEST_REQUIRE(encoded.write(run.data()) == run.data() + run.size());
    const packed::Element element = packed::read(run, 0);
    BOOST_TEST_REQUIRE(element.is_integer());
    BOOST_TEST_REQUIRE(element.integer() == value);
    BOOST_TEST_REQUIRE(element.next() == run.size());
  }
}

BOOST_AUTO_TEST_CASE(every_element_is_found_and_nothing_else) {
  const std::string run = run_of(kEdges);
  size_t at = 0;
  for (const std::string& text : kEdges) {
    BOOST_TEST(packed::find(run, packed::Encoded(text)) == at);
    at = packed::skip(run, at, 1);
  }
  for (const char* absent : {"b", "1", "-2", "00", "xx"}) {
    BOOST_TEST(packed::find(run, packed::Encoded(absent)) == packed::kNotFound);
  }
}

BOOST_AUTO_TEST_CASE(a_search_with_a_step_passes_over_values) {
  const std::string run = run_of({"f", "g", "g", "1", "h"});
  BOOST_TEST(packed::find(run, packed::Encoded("g"), 0, 2) == 4u);
  BOOST_TEST(packed::find(run, packed::Encoded("1"), 0, 2) == packed::kNotFound);
  BOOST_TEST(packed::find(run, packed::Encoded("h"), 0, 2) == 7u);
}

// Any cut within an element is noticed, and so is any other form of an integer or a length.
BOOST_AUTO_TEST_CASE(a_damaged_run_is_refused) {
  for (const std::string& text : kEdges) {
    const std::string run = run_of({text});
    for (size_t cut = 1; cut < std::min<size_t>(run.size(), 200); ++cut) {
      BOOST_TEST(!packed::check(std::string_view(run).substr(0, cut)).has_value());
    }
  }
  using namespace std::string_literals;
  for (const std::string& odd :
       {"\xc0"s, "\xc9"s + std::string(9, 'x'), "\xd0"s, "\xd1"s + "aa",
        "\xd3"s + std::string(9, 'x'), "\xff"s + std::string(20, 'x'), "\xc1\x05"s, "\xc2\x40\x00"s,
        "\xd2\x01\x00x"s, "\x01"s + "1", "\xd4\x01\x00\x00\x00x"s}) {
    BOOST_TEST(!packed::check(odd).has_value());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
