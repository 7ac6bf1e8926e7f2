#include "resp/args.h"

#include <boost/test/unit_test.hpp>
#include <string>

using roxdb::resp::ArgVector;

BOOST_AUTO_TEST_SUITE(resp_args)

BOOST_AUTO_TEST_CASE(arguments_of_several_requests_stand_behind_each_other) {
  ArgVector args;
  for (const char* arg : {"GET", "a", "SET", "b", "c"}) args.append(arg);
  const auto second = args.slice(2, 3);
  BOOST_TEST(second[0] == "SET");
  BOOST_TEST(second[2] == "c");
  args.truncate(2);
  BOOST_TEST(args.size() == 2u);
  BOOST_TEST(args[1] == "a");
}

BOOST_AUTO_TEST_CASE(growing_keeps_every_argument) {
  ArgVector args;
  const std::string letters(10'000, 'x');
  for (size_t size = 0; size < letters.size(); ++size) args.append({letters.data(), size});
  BOOST_TEST_REQUIRE(args.size() == letters.size());
  for (size_t size = 0; size < letters.size(); ++size)
    BOOST_TEST_REQUIRE(args[size].size() == size);
}

BOOST_AUTO_TEST_CASE(reserved_arguments_count_only_once_committed) {
  ArgVector args;
  args.append("a");
  std::string_view* const room = args.reserve(100);
  room[0] = "b";
  room[1] = "c";
  BOOST_TEST(args.size() == 1u);
  args.commit(2);
  BOOST_TEST(args.size() == 3u);
  BOOST_TEST(args[2] == "c");
}

// The text is what an inline request's quoted words lie in; growing the views must not move it.
BOOST_AUTO_TEST_CASE(added_text_stays_until_clear) {
  ArgVector args;
  char* const text = args.add_text(3);
  text[0] = text[1] = text[2] = 'q';
  args.append({text, 3});
  for (int i = 0; i < 1000; ++i) args.add_text(16), args.append("x");
  BOOST_TEST(args[0] == "qqq");
  args.clear();
  BOOST_TEST(args.empty());
}

BOOST_AUTO_TEST_SUITE_END()
