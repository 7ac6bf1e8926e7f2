#include "net/backlog.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <string>

namespace roxdb::net {
namespace {

void add(Backlog& backlog, std::string_view bytes, bool front_lies_still) {
  resp::OutputBuffer output;
  output.append(bytes);
  backlog.add(output, front_lies_still);
  BOOST_TEST(output.empty());
}

std::string front_of(Backlog& backlog) {
  std::array<std::string_view, 1> piece;
  backlog.front().gather(piece);
  return std::string(piece[0]);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(net_backlog)

BOOST_AUTO_TEST_CASE(short_outputs_are_joined_behind_what_may_grow) {
  for (const bool front_lies_still : {false, true}) {
    Backlog backlog;
    for (const char* bytes : {"one", "two", "three"}) add(backlog, bytes, front_lies_still);
    BOOST_TEST(backlog.pieces() == (front_lies_still ? 2u : 1u));
    BOOST_TEST(backlog.bytes() == 11u);
    BOOST_TEST(front_of(backlog) == (front_lies_still ? "one" : "onetwothree"));
  }
}

BOOST_AUTO_TEST_CASE(a_front_that_is_used_up_makes_room_for_the_next) {
  Backlog backlog;
  add(backlog, std::string(100'000, 'a'), false);
  add(backlog, std::string(100'000, 'b'), false);
  BOOST_TEST(backlog.pieces() == 2u);
  backlog.front().consume(99'999);
  backlog.taken(99'999);
  BOOST_TEST(front_of(backlog) == "a");
  backlog.front().consume(1);
  backlog.taken(1);
  BOOST_TEST(front_of(backlog).front() == 'b');
  BOOST_TEST(backlog.bytes() == 100'000u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::net
