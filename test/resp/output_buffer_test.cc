#include "resp/output_buffer.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory.h"
#include "base/random.h"
#include "test/resp/blob.h"

using roxdb::SharedRef;
using roxdb::resp::OutputBuffer;
using roxdb::resp::test::Blob;

namespace {

// Everything that waits, through windows of a few pieces as a connection sends it.
std::string waiting(const OutputBuffer& out) {
  std::vector<std::string_view> pieces(1000);
  const size_t count = out.gather(pieces);
  BOOST_TEST_REQUIRE(count < pieces.size());
  std::string all;
  for (size_t i = 0; i < count; ++i) {
    BOOST_TEST_REQUIRE(!pieces[i].empty());
    all += pieces[i];
  }
  BOOST_TEST_REQUIRE(all.size() == out.pending());
  return all;
}

void splice(OutputBuffer& out, std::string bytes) {
  auto* const blob = new Blob(std::move(bytes));
  out.splice(blob->bytes, SharedRef::adopt(blob));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(resp_output_buffer)

BOOST_AUTO_TEST_CASE(spliced_bytes_stand_where_they_were_put) {
  OutputBuffer out;
  BOOST_TEST(out.empty());
  splice(out, "first");
  out.append("ab");
  splice(out, "BLOB");
  splice(out, "TWO");
  out.append("cd");
  splice(out, "");
  splice(out, "last");
  BOOST_TEST(waiting(out) == "firstabBLOBTWOcdlast");
  BOOST_TEST(Blob::alive == 4);
  out.clear(1 << 20);
  BOOST_TEST(Blob::alive == 0);
  BOOST_TEST(out.empty());
}

BOOST_AUTO_TEST_CASE(gather_stops_at_the_room_it_is_given) {
  OutputBuffer out;
  out.append("ab");
  splice(out, "BLOB");
  out.append("cd");
  std::string_view pieces[3];
  BOOST_TEST(out.gather({pieces, 0}) == 0u);
  BOOST_TEST(out.gather({pieces, 1}) == 1u);
  BOOST_TEST(pieces[0] == "ab");
  BOOST_TEST(out.gather({pieces, 2}) == 2u);
  BOOST_TEST(pieces[1] == "BLOB");
  BOOST_TEST(out.gather(pieces) == 3u);
  BOOST_TEST(pieces[2] == "cd");
}

BOOST_AUTO_TEST_CASE(a_mark_takes_back_bytes_and_references) {
  OutputBuffer out;
  out.append("kept");
  splice(out, "KEPT");
  const OutputBuffer::Mark mark = out.mark();
  out.append("gone");
  splice(out, "GONE");
  out.append("gone");
  BOOST_TEST(Blob::alive == 2);
  out.truncate(mark);
  BOOST_TEST(waiting(out) == "keptKEPT");
  BOOST_TEST(Blob::alive == 1);
  out.append("+");
  BOOST_TEST(waiting(out) == "keptKEPT+");
}

BOOST_AUTO_TEST_CASE(inserting_moves_what_stands_behind) {
  OutputBuffer out;
  splice(out, "S1");
  const size_t at = out.mark().buffer_bytes;
  out.append("tail");
  splice(out, "S2");
  out.append("end");
  std::copy_n("head", 4, out.insert(at, 4));
  BOOST_TEST(waiting(out) == "S1headtailS2end");
}

BOOST_AUTO_TEST_CASE(consuming_lets_go_of_each_value_as_soon_as_it_is_sent) {
  OutputBuffer out;
  out.append("ab");
  splice(out, "BLOB");
  out.append("cd");
  splice(out, "TWO");
  out.consume(4);
  BOOST_TEST(waiting(out) == "OBcdTWO");
  BOOST_TEST(Blob::alive == 2);
  out.consume(2);
  BOOST_TEST(Blob::alive == 1);
  BOOST_TEST(waiting(out) == "cdTWO");
  out.consume(5);
  BOOST_TEST(Blob::alive == 0);
  BOOST_TEST(out.empty());
}

BOOST_AUTO_TEST_CASE(an_idle_buffer_owns_nothing) {
  const auto used_before = roxdb::memory::used_bytes();
  OutputBuffer out;
  BOOST_TEST(out.capacity() == 0u);
  out.append(std::string(5000, 'x'));
  const size_t capacity = out.capacity();
  out.consume(5000);
  out.clear(capacity);
  BOOST_TEST(out.capacity() == capacity);
  out.clear(capacity - 1);
  BOOST_TEST(out.capacity() == 0u);
  BOOST_TEST(roxdb::memory::used_bytes() == used_before);
}

BOOST_AUTO_TEST_CASE(moving_a_buffer_leaves_the_other_empty) {
  OutputBuffer first;
  first.append("a");
  splice(first, "B");
  OutputBuffer second = std::move(first);
  BOOST_TEST(first.empty());
  BOOST_TEST(waiting(second) == "aB");
  first.append("new");
  first = std::move(second);
  BOOST_TEST(waiting(first) == "aB");
  BOOST_TEST(second.empty());
  first.clear(0);
  BOOST_TEST(Blob::alive == 0);
}

// A client that reads forever a little behind must not make the buffer grow.
BOOST_AUTO_TEST_CASE(a_buffer_that_is_never_quite_empty_stays_small) {
  OutputBuffer out;
  const std::string message(1000, 'm');
  for (int i = 0; i < 10'000; ++i) {
    out.append(message);
    splice(out, message);
    if (i > 0) out.consume(2 * message.size());
  }
  BOOST_TEST(out.capacity() < 1u << 20);
  BOOST_TEST(Blob::alive == 1);
  BOOST_TEST(waiting(out) == message + message);
}

// Against a plain string, under random operations.
BOOST_AUTO_TEST_CASE(random_operations_agree_with_a_string) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    roxdb::Random random(seed);
    OutputBuffer out;
    std::string model;
    BOOST_TEST_CONTEXT("seed " << seed) {
      for (int step = 0; step < 2000; ++step) {
        const std::string bytes(random.below(3000), static_cast<char>('a' + step % 26));
        switch (random.below(6)) {
          case 0:
            splice(out, bytes);
            model += bytes;
            break;
          case 1: {
            const auto mark = out.mark();
            out.append(bytes);
            splice(out, bytes);
            out.truncate(mark);
            break;
          }
          case 2:
          case 3: {
            const size_t size = random.below(std::min<size_t>(out.pending(), 6000) + 1);
            out.consume(size);
            model.erase(0, size);
            break;
          }
          default:
            out.append(bytes);
            model += bytes;
        }
        if (step % 16 == 0) BOOST_TEST_REQUIRE((waiting(out) == model));
      }
    }
  }
  BOOST_TEST(Blob::alive == 0);
}

BOOST_AUTO_TEST_SUITE_END()
