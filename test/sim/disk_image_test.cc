#include "test/sim/disk_image.h"

#include <boost/test/unit_test.hpp>

#include "base/random.h"

namespace roxdb {

BOOST_AUTO_TEST_SUITE(sim_disk_image)

// Against std::string; sizes around the chunk of 4096 bytes, copies taken and kept on the way.
BOOST_AUTO_TEST_CASE(content_behaves_as_a_string_and_copies_are_independent) {
  Random random(1);
  std::vector<std::pair<FileContent, std::string>> copies;
  FileContent content;
  std::string model;
  for (int round = 0; round < 2'000; ++round) {
    if (random.below(4) == 0) {
      const size_t size = random.below(20'000);
      content.resize(size);
      model.resize(size);
    } else {
      const size_t offset = random.below(20'000);
      const std::string piece(1 + random.below(9'000), static_cast<char>('a' + round % 26));
      content.write(offset, piece);
      if (model.size() < offset + piece.size()) model.resize(offset + piece.size());
      model.replace(offset, piece.size(), piece);
    }
    BOOST_TEST_REQUIRE(content.size() == model.size());
    if (round % 10 == 0) copies.emplace_back(content, model);
    if (round % 50 == 0) BOOST_TEST_REQUIRE((content.text() == model));
  }
  for (const auto& [copy, text] : copies) BOOST_TEST_REQUIRE((copy.text() == text));
}

BOOST_AUTO_TEST_CASE(reading_ends_with_the_content) {
  const FileContent content("0123456789");
  char out[16];
  BOOST_TEST(content.read(0, out, 4) == 4u);
  BOOST_TEST(std::string_view(out, 4) == "0123");
  BOOST_TEST(content.read(8, out, sizeof out) == 2u);
  BOOST_TEST(std::string_view(out, 2) == "89");
  BOOST_TEST(content.read(10, out, sizeof out) == 0u);
  BOOST_TEST(content.read(1'000, out, sizeof out) == 0u);
}

BOOST_AUTO_TEST_CASE(bytes_cut_off_come_back_as_zeros) {
  FileContent content(std::string(5'000, 'x'));
  content.resize(4'500);
  content.resize(5'000);
  BOOST_TEST((content.text() == std::string(4'500, 'x') + std::string(500, '\0')));
}

BOOST_AUTO_TEST_CASE(images_are_equal_when_names_and_bytes_are) {
  DiskImage one;
  one.files["a"] = FileContent("x");
  one.rule = "this rule is no part of it";
  DiskImage two;
  BOOST_TEST(!(one == two));
  two.files["a"] = FileContent("x");
  BOOST_TEST((one == two));
  two.directories.insert("d");
  BOOST_TEST(!(one == two));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb
