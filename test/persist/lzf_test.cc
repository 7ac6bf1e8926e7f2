#include "persist/lzf.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "base/random.h"

namespace roxdb::persist {
namespace {

using namespace std::string_literals;

}  // namespace

BOOST_AUTO_TEST_SUITE(persist_lzf)

BOOST_AUTO_TEST_CASE(literals_and_copies_unpack) {
  std::string out;
  BOOST_TEST(lzf_unpack("\x02"s + "abc", 3, out));
  BOOST_TEST(out == "abc");
  // As redis-server 7.0.15 packs a hundred times 'a': one literal run, one overlapping copy.
  BOOST_TEST(lzf_unpack("\x01"s + "aa" + "\xe0\x57\x00"s + "\x01"s + "aa", 100, out));
  BOOST_TEST(out == std::string(100, 'a'));
  // Eight literals, six bytes from eight back.
  BOOST_TEST(lzf_unpack("\x07"s + "abcdefgh" + "\x80\x07"s, 14, out));
  BOOST_TEST(out == "abcdefghabcdef");
  BOOST_TEST(lzf_unpack("", 0, out));
  BOOST_TEST(out.empty());
}

BOOST_AUTO_TEST_CASE(what_does_not_give_exactly_the_size_is_refused) {
  std::string out;
  const std::string packed = "\x01"s + "aa" + "\xe0\x57\x00"s + "\x01"s + "aa";
  BOOST_TEST(!lzf_unpack(packed, 99, out));
  BOOST_TEST(!lzf_unpack(packed, 101, out));
  for (size_t cut = 0; cut < packed.size(); ++cut) {
    BOOST_TEST(!lzf_unpack(packed.substr(0, cut), 100, out), "cut at " << cut);
  }
  BOOST_TEST(!lzf_unpack("\x20\x00"s, 3, out));                  // from before the start
  BOOST_TEST(!lzf_unpack("\x00"s + "a" + "\x20\x01"s, 4, out));  // the same, by one
}

// Three bytes announce 512 MiB: refused before anything is allocated for it.
BOOST_AUTO_TEST_CASE(a_size_the_input_cannot_reach_allocates_nothing) {
  std::string out;
  BOOST_TEST(!lzf_unpack("\xe0\xff\x00"s, size_t{512} << 20, out));
  BOOST_TEST(out.capacity() < 1'000u);
}

BOOST_AUTO_TEST_CASE(any_bytes_are_refused_or_unpack_to_the_size) {
  Random random(1);
  std::string out;
  for (int round = 0; round < 50'000; ++round) {
    std::string input(random.below(30), '\0');
    for (char& byte : input) byte = static_cast<char>(random.next() & (random.below(2) ? 0xff : 7));
    const size_t size = random.below(100);
    if (lzf_unpack(input, size, out)) BOOST_TEST(out.size() == size);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::persist
