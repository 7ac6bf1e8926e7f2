#include "resp/reply_writer.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "test/resp/blob.h"

using namespace std::string_view_literals;
using roxdb::SharedRef;
using roxdb::resp::kSpliceBytesMin;
using roxdb::resp::OutputBuffer;
using roxdb::resp::Reply;
using roxdb::resp::RespWriter;
using roxdb::resp::test::Blob;

namespace {

std::string waiting(const OutputBuffer& out) {
  std::vector<std::string_view> pieces(100);
  pieces.resize(out.gather(pieces));
  std::string all;
  for (const std::string_view piece : pieces) all += piece;
  return all;
}

using Say = std::function<void(Reply&)>;

std::string written(int protocol, const Say& say) {
  OutputBuffer out;
  RespWriter writer(out, protocol);
  say(writer);
  return waiting(out);
}

struct Golden {
  Say say;
  std::string_view resp2;
  std::string_view resp3;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(resp_reply_writer)

BOOST_AUTO_TEST_CASE(every_reply_has_its_bytes_in_both_protocols) {
  using A = Reply::Aggregate;
  const double inf = std::numeric_limits<double>::infinity();
  const Golden goldens[] = {
      {[](Reply& r) { r.ok(); }, "+OK\r\n", "+OK\r\n"},
      {[](Reply& r) { r.queued(); }, "+QUEUED\r\n", "+QUEUED\r\n"},
      {[](Reply& r) { r.simple("PONG"); }, "+PONG\r\n", "+PONG\r\n"},
      {[](Reply& r) { r.simple(""); }, "+\r\n", "+\r\n"},
      {[](Reply& r) { r.error("ERR no"); }, "-ERR no\r\n", "-ERR no\r\n"},
      {[](Reply& r) { r.boolean(true); }, ":1\r\n", "#t\r\n"},
      {[](Reply& r) { r.boolean(false); }, ":0\r\n", "#f\r\n"},
      {[](Reply& r) { r.null(); }, "$-1\r\n", "_\r\n"},
      {[](Reply& r) { r.null_array(); }, "*-1\r\n", "_\r\n"},
      {[](Reply& r) { r.real(0.1); }, "$3\r\n0.1\r\n", ",0.1\r\n"},
      {[](Reply& r) { r.real(-3); }, "$2\r\n-3\r\n", ",-3\r\n"},
      {[=](Reply& r) { r.real(inf); }, "$3\r\ninf\r\n", ",inf\r\n"},
      {[=](Reply& r) { r.real(-inf); }, "$4\r\n-inf\r\n", ",-inf\r\n"},
      {[](Reply& r) { r.real(std::nan("")); }, "$3\r\nnan\r\n", ",nan\r\n"},
      {[](Reply& r) { r.bulk("a\r\n\0b"sv); }, "$5\r\na\r\n\0b\r\n"sv, "$5\r\na\r\n\0b\r\n"sv},
      {[](Reply& r) { r.bulk(""); }, "$0\r\n\r\n", "$0\r\n\r\n"},
      {[](Reply& r) { r.verbatim("txt", "a b"); }, "$3\r\na b\r\n", "=7\r\ntxt:a b\r\n"},
      {[](Reply& r) { r.big_number("-12"); }, "$3\r\n-12\r\n", "(-12\r\n"},
      {[](Reply& r) { r.array(0); }, "*0\r\n", "*0\r\n"},
      {[](Reply& r) { r.array(1024); }, "*1024\r\n", "*1024\r\n"},
      {[](Reply& r) { r.map(2); }, "*4\r\n", "%2\r\n"},
      {[](Reply& r) { r.set(3); }, "*3\r\n", "~3\r\n"},
      {[](Reply& r) { r.push(3); }, "*3\r\n", ">3\r\n"},
      {[](Reply& r) { r.close(r.open(A::kArray), 0); }, "*0\r\n", "*0\r\n"},
      {[](Reply& r) { r.close(r.open(A::kMap), 4); }, "*8\r\n", "%4\r\n"},
      {[](Reply& r) { r.close(r.open(A::kMap), 5); }, "*10\r\n", "%5\r\n"},
      {[](Reply& r) { r.close(r.open(A::kSet), 12345); }, "*12345\r\n", "~12345\r\n"},
  };
  for (const Golden& golden : goldens) {
    BOOST_TEST_CONTEXT("RESP2 <" << golden.resp2 << ">") {
      BOOST_TEST(written(2, golden.say) == golden.resp2);
      BOOST_TEST(written(3, golden.say) == golden.resp3);
    }
  }
}

BOOST_AUTO_TEST_CASE(integers_of_every_width_are_printed) {
  std::vector<int64_t> values = {INT64_MIN, INT64_MIN + 1, INT64_MAX, 0};
  for (int64_t power = 1; power <= INT64_MAX / 10; power *= 10) {
    for (const int64_t value : {power - 1, power, power + 1}) {
      values.push_back(value);
      values.push_back(-value);
    }
  }
  for (int64_t value = 0; value < 1100; ++value) values.push_back(value);
  for (const int64_t value : values) {
    const std::string expected = ":" + std::to_string(value) + "\r\n";
    BOOST_TEST_REQUIRE(written(2, [=](Reply& r) { r.integer(value); }) == expected);
  }
}

BOOST_AUTO_TEST_CASE(bulks_of_every_width_are_printed) {
  for (const size_t size : {1, 9, 10, 99, 100, 999, 1000, 1023, 1024, 99'999, 100'000}) {
    const std::string bytes(size, 'v');
    const std::string expected = "$" + std::to_string(size) + "\r\n" + bytes + "\r\n";
    BOOST_TEST((written(2, [&](Reply& r) { r.bulk(bytes); }) == expected));
  }
}

// CVE-2025-67733: text from a script must stay one line.
BOOST_AUTO_TEST_CASE(a_line_cannot_forge_a_second_reply) {
  BOOST_TEST(written(2, [](Reply& r) { r.error("ERR a\r\n+OK\r\n\0z"sv); }) ==
             "-ERR a  +OK   z\r\n");
  BOOST_TEST(written(3, [](Reply& r) { r.simple("\n$-1\r"); }) == "+ $-1 \r\n");
}

BOOST_AUTO_TEST_CASE(attributes_exist_in_resp3_only) {
  OutputBuffer out;
  RespWriter writer(out, 2);
  BOOST_TEST(!writer.has_attributes());
  writer.set_protocol(3);
  BOOST_TEST(writer.has_attributes());
  writer.attribute(1);
  BOOST_TEST(waiting(out) == "|1\r\n");
}

BOOST_AUTO_TEST_CASE(a_count_known_afterwards_stands_before_what_it_counts) {
  const Say say = [](Reply& r) {
    r.integer(7);
    const auto outer = r.open(Reply::Aggregate::kArray);
    for (int i = 0; i < 11; ++i) {
      const auto inner = r.open(Reply::Aggregate::kMap);
      for (int j = 0; j < i; ++j) {
        r.integer(j);
        r.null();
      }
      r.close(inner, static_cast<size_t>(i));
    }
    r.close(outer, 11);
    r.ok();
  };
  const Say counted = [](Reply& r) {
    r.integer(7);
    r.array(11);
    for (int i = 0; i < 11; ++i) {
      r.map(static_cast<size_t>(i));
      for (int j = 0; j < i; ++j) {
        r.integer(j);
        r.null();
      }
    }
    r.ok();
  };
  BOOST_TEST(written(2, say) == written(2, counted));
  BOOST_TEST(written(3, say) == written(3, counted));
}

BOOST_AUTO_TEST_CASE(a_big_shared_value_is_sent_from_where_it_lies) {
  OutputBuffer out;
  RespWriter writer(out);
  auto* const blob = new Blob(std::string(kSpliceBytesMin, 'v'));
  SharedRef owner = SharedRef::adopt(blob);
  const auto open = writer.open(Reply::Aggregate::kArray);
  writer.bulk_shared(blob->bytes, owner);
  for (int i = 0; i < 9; ++i) writer.ok();
  writer.close(open, 10);
  std::string_view pieces[4];
  BOOST_TEST_REQUIRE(out.gather(pieces) == 3u);
  BOOST_TEST(pieces[0] == "*10\r\n$" + std::to_string(kSpliceBytesMin) + "\r\n");
  BOOST_CHECK(pieces[1].data() == blob->bytes.data());
  BOOST_TEST(pieces[2].starts_with("\r\n+OK\r\n"));

  owner = SharedRef();  // the key is gone; the reply is not
  BOOST_TEST(Blob::alive == 1);
  out.consume(out.pending());
  BOOST_TEST(Blob::alive == 0);
}

BOOST_AUTO_TEST_CASE(a_small_shared_value_is_copied) {
  OutputBuffer out;
  RespWriter writer(out);
  auto* const blob = new Blob(std::string(kSpliceBytesMin - 1, 'v'));
  const SharedRef owner = SharedRef::adopt(blob);
  writer.bulk_shared(blob->bytes, owner);
  BOOST_TEST(blob->unique());
  std::string_view pieces[4];
  BOOST_TEST(out.gather(pieces) == 1u);
}

// CLIENT REPLY OFF: the session takes back what a command said.
BOOST_AUTO_TEST_CASE(replies_behind_a_mark_can_be_taken_back) {
  OutputBuffer out;
  RespWriter writer(out);
  writer.ok();
  const auto mark = out.mark();
  auto* const blob = new Blob(std::string(kSpliceBytesMin, 'v'));
  writer.bulk_shared(blob->bytes, SharedRef::adopt(blob));
  out.truncate(mark);
  BOOST_TEST(Blob::alive == 0);
  writer.integer(5);
  BOOST_TEST(waiting(out) == "+OK\r\n:5\r\n");
}

BOOST_AUTO_TEST_CASE(one_writer_serves_several_buffers) {
  OutputBuffer first;
  OutputBuffer second;
  RespWriter writer(first);
  writer.null();
  writer.bind(second, 3);
  writer.null();
  BOOST_TEST(waiting(first) == "$-1\r\n");
  BOOST_TEST(waiting(second) == "_\r\n");
}

BOOST_AUTO_TEST_SUITE_END()
