#include "resp/parser.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory.h"
#include "base/random.h"

using namespace std::string_view_literals;
using roxdb::Code;
using roxdb::resp::ArgVector;
using roxdb::resp::ParserLimits;
using roxdb::resp::RequestParser;

namespace {

using Request = std::vector<std::string>;

// What a stream of bytes comes to: its requests (empty ones too), the error that ended it, and the
// bytes that wait for more.
struct Outcome {
  std::vector<Request> requests;
  std::string error;
  size_t left = 0;

  bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  for (const Request& request : outcome.requests) {
    out << '[';
    for (const std::string& arg : request) out << '<' << arg.substr(0, 40) << '>';
    out << ']';
  }
  return out << " error <" << outcome.error << "> left " << outcome.left;
}

// Plays a connection: bytes arrive in pieces that end at `cuts` (ascending) and at the wire's end;
// what is not consumed is kept, in memory of exactly its size so that a sanitizer sees any look
// beyond, and moves each time.
Outcome receive(std::string_view wire, std::vector<size_t> cuts, const ParserLimits& limits = {}) {
  cuts.push_back(wire.size());
  Outcome outcome;
  RequestParser parser;
  ArgVector args;
  size_t consumed_total = 0;
  for (const size_t cut : cuts) {
    for (;;) {
      const std::vector<char> arrived(wire.begin() + static_cast<ptrdiff_t>(consumed_total),
                                      wire.begin() + static_cast<ptrdiff_t>(cut));
      args.clear();
      args.append("kept");
      const auto consumed = parser.parse({arrived.data(), arrived.size()}, limits, args);
      BOOST_TEST_REQUIRE(args[0] == "kept");
      if (!consumed.ok()) {
        BOOST_TEST(args.size() == 1u);
        BOOST_CHECK(consumed.status().code == Code::kProtocol);
        outcome.error = consumed.status().text;
        return outcome;
      }
      if (*consumed == 0) {
        BOOST_TEST_REQUIRE(args.size() == 1u);
        BOOST_TEST_REQUIRE(parser.bytes_needed() > arrived.size());
        break;
      }
      BOOST_TEST_REQUIRE(*consumed <= arrived.size());
      const auto views = args.slice(1, args.size() - 1);
      outcome.requests.emplace_back(views.begin(), views.end());
      consumed_total += *consumed;
    }
  }
  outcome.left = wire.size() - consumed_total;
  return outcome;
}

// The same however it is cut: whole, at every byte, and byte by byte.
Outcome receive_cut_everywhere(std::string_view wire, const ParserLimits& limits = {}) {
  const Outcome whole = receive(wire, {}, limits);
  for (size_t cut = 0; cut < wire.size(); ++cut) {
    BOOST_TEST_CONTEXT("cut at byte " << cut) {
      BOOST_TEST_REQUIRE(receive(wire, {cut}, limits) == whole);
    }
  }
  std::vector<size_t> all_cuts;
  for (size_t cut = 0; cut < wire.size(); ++cut) all_cuts.push_back(cut);
  BOOST_TEST_REQUIRE(receive(wire, all_cuts, limits) == whole);
  return whole;
}

std::string error_of(std::string_view wire, const ParserLimits& limits = {}) {
  return receive_cut_everywhere(wire, limits).error;
}

Outcome requests(std::vector<Request> all, size_t left = 0) { return {std::move(all), "", left}; }

std::string wire_of(const Request& request) {
  std::string wire = "*" + std::to_string(request.size()) + "\r\n";
  for (const std::string& arg : request) {
    wire += "$" + std::to_string(arg.size()) + "\r\n" + arg + "\r\n";
  }
  return wire;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(resp_parser)

BOOST_AUTO_TEST_CASE(a_multibulk_is_its_arguments) {
  BOOST_TEST(receive_cut_everywhere("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n") ==
             requests({{"SET", "k", ""}}));
  BOOST_TEST(
      receive_cut_everywhere("*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$4\r\n\r\n\0$\r\n"sv) ==
      requests({{"PING"}, {"ECHO", std::string("\r\n\0$", 4)}}));
}

// One to four digits of count and of length: each has a path of its own or an end of a table.
BOOST_AUTO_TEST_CASE(every_width_of_count_and_length_is_read) {
  for (const size_t size : {0, 9, 10, 99, 100, 999, 1000, 12'345}) {
    const Request request{"SET", std::string(size, 'v')};
    BOOST_TEST(receive(wire_of(request), {}) == requests({request}));
  }
  for (const size_t count : {1, 9, 10, 21, 99, 100, 1000}) {
    const Request request(count, "ab");
    BOOST_TEST(receive(wire_of(request), {}) == requests({request}));
  }
  BOOST_TEST(receive_cut_everywhere(wire_of(Request(12, "abcdefghijkl"))) ==
             requests({Request(12, "abcdefghijkl")}));
  BOOST_TEST(receive_cut_everywhere(wire_of({"a", std::string(1234, 'v')})) ==
             requests({{"a", std::string(1234, 'v')}}));
}

BOOST_AUTO_TEST_CASE(an_empty_request_is_consumed_without_arguments) {
  BOOST_TEST(receive_cut_everywhere("*0\r\n*-1\r\n*-99\r\n\r\n\n   \r\n*1\r\n$1\r\nx\r\n") ==
             requests({{}, {}, {}, {}, {}, {}, {"x"}}));
}

// Found by fuzzing: how far the count's line had been searched was applied to the next request's.
BOOST_AUTO_TEST_CASE(a_cut_in_the_count_is_forgotten_with_its_request) {
  BOOST_TEST(receive_cut_everywhere("*1\r\n$4\r\nPING\r\n\nx\n") ==
             requests({{"PING"}, {}, {"x"}}));
}

BOOST_AUTO_TEST_CASE(an_inline_request_ends_at_lf_or_crlf) {
  BOOST_TEST(receive_cut_everywhere("PING\nSET k \"a\\x00 b\"\r\nGET 'k'\n*1\r\n$1\r\nx\r\nEND") ==
             requests({{"PING"}, {"SET", "k", std::string("a\0 b", 4)}, {"GET", "k"}, {"x"}}, 3));
}

// Redis looks for the '\r' only, and skips what should be line ends unread.
BOOST_AUTO_TEST_CASE(bytes_redis_does_not_look_at_are_not_looked_at) {
  BOOST_TEST(receive_cut_everywhere("*2\rX$3\r\rGETab$1\r\0kcd"sv) == requests({{"GET", "k"}}));
}

BOOST_AUTO_TEST_CASE(malformed_counts_are_named) {
  for (const std::string_view count :
       {"", "x", " 1", "1 ", "01", "+1", "-0", "1x", "3\n", "99999999999", "2147483648",
        "9223372036854775808", "123456789012345678901234567890", "--1"}) {
    BOOST_TEST_CONTEXT("count <" << count << ">") {
      const std::string wire = "*" + std::string(count) + "\r\n$4\r\nPING\r\n";
      BOOST_TEST(error_of(wire) == "ERR Protocol error: invalid multibulk length");
    }
  }
}

BOOST_AUTO_TEST_CASE(malformed_lengths_are_named) {
  for (const std::string_view size :
       {"", "-1", "x", " 3", "3 ", "03", "+3", "-0", "3x", "536870913", "99999999999",
        "18446744073709551615", "123456789012345678901234567890"}) {
    BOOST_TEST_CONTEXT("length <" << size << ">") {
      const std::string wire = "*1\r\n$" + std::string(size) + "\r\nabc\r\n";
      BOOST_TEST(error_of(wire) == "ERR Protocol error: invalid bulk length");
      BOOST_TEST(error_of("*2\r\n$1\r\na\r\n" + wire.substr(4)) ==
                 "ERR Protocol error: invalid bulk length");
    }
  }
}

BOOST_AUTO_TEST_CASE(anything_but_a_dollar_is_named) {
  BOOST_TEST(error_of("*3\r\ngarbage\r\n") == "ERR Protocol error: expected '$', got 'g'");
  BOOST_TEST(error_of("*1\r\n:1\r\n") == "ERR Protocol error: expected '$', got ':'");
  BOOST_TEST(error_of("*1\r\n\r\n") == "ERR Protocol error: expected '$', got '\r'");
  BOOST_TEST(error_of("*1\r\n\xff\r\n") == "ERR Protocol error: expected '$', got '\xff'");
  // The whole line is awaited first.
  BOOST_TEST(receive_cut_everywhere("*3\r\ngarbage") == requests({}, 11));
}

BOOST_AUTO_TEST_CASE(what_stands_before_an_error_is_still_served) {
  const Outcome outcome = receive_cut_everywhere("*1\r\n$4\r\nPING\r\n*x\r\n");
  BOOST_TEST((outcome.requests == std::vector<Request>{{"PING"}}));
  BOOST_TEST(outcome.error == "ERR Protocol error: invalid multibulk length");
}

BOOST_AUTO_TEST_CASE(unbalanced_quotes_are_an_error) {
  BOOST_TEST(error_of("SET k \"v\r\n") == "ERR Protocol error: unbalanced quotes in request");
  BOOST_TEST(error_of("'a'b\n") == "ERR Protocol error: unbalanced quotes in request");
}

// A line may have inline_bytes_max bytes and its end; the network's cuts do not matter.
BOOST_AUTO_TEST_CASE(lines_without_end_are_refused_at_their_bound) {
  const ParserLimits limits{.inline_bytes_max = 64};
  const std::string fill(64, '1');
  BOOST_TEST(receive_cut_everywhere(fill, limits) == requests({}, 64));
  BOOST_TEST(receive_cut_everywhere(fill + "\n", limits) == requests({{fill}}));
  BOOST_TEST(error_of(fill + "1\n", limits) == "ERR Protocol error: too big inline request");
  BOOST_TEST(receive_cut_everywhere("*" + fill.substr(1), limits) == requests({}, 64));
  BOOST_TEST(error_of("*" + fill, limits) == "ERR Protocol error: too big mbulk count string");
  BOOST_TEST(error_of("*2\r\n$1\r\na\r\n$" + fill, limits) ==
             "ERR Protocol error: too big bulk count string");
  BOOST_TEST(error_of("*1\r\n" + fill + "1", limits) ==
             "ERR Protocol error: too big bulk count string");
}

BOOST_AUTO_TEST_CASE(limits_hold_to_the_last_argument_and_byte) {
  const ParserLimits limits{.args_max = 3, .bulk_bytes_max = 12};
  const Request full{"a", std::string(12, 'b'), "c"};
  BOOST_TEST(receive_cut_everywhere(wire_of(full), limits) == requests({full}));
  BOOST_TEST(error_of(wire_of({"a", "b", "c", "d"}), limits) ==
             "ERR Protocol error: invalid multibulk length");
  BOOST_TEST(error_of(wire_of({"a", std::string(13, 'b')}), limits) ==
             "ERR Protocol error: invalid bulk length");
}

BOOST_AUTO_TEST_CASE(a_stranger_gets_ten_arguments_of_16_kib) {
  const ParserLimits stranger{.authenticated = false};
  const Request ten(10, "x");
  BOOST_TEST(receive_cut_everywhere(wire_of(ten), stranger) == requests({ten}));
  BOOST_TEST(error_of(wire_of(Request(11, "x")), stranger) ==
             "ERR Protocol error: unauthenticated multibulk length");
  const Request big{"a", std::string(16'384, 'b')};
  BOOST_TEST(receive(wire_of(big), {}, stranger) == requests({big}));
  BOOST_TEST(receive("*1\r\n$16385\r\n", {}, stranger).error ==
             "ERR Protocol error: unauthenticated bulk length");
  // What nobody may send is called by its own name.
  BOOST_TEST(receive("*2147483648\r\n", {}, stranger).error ==
             "ERR Protocol error: invalid multibulk length");
  BOOST_TEST(receive("*1\r\n$536870913\r\n", {}, stranger).error ==
             "ERR Protocol error: invalid bulk length");
}

BOOST_AUTO_TEST_CASE(bytes_needed_names_the_end_of_the_announced_argument) {
  RequestParser parser;
  ArgVector args;
  const auto needed = [&](std::string_view input) {
    const auto consumed = parser.parse(input, {}, args);
    BOOST_TEST_REQUIRE(consumed.ok());
    BOOST_TEST_REQUIRE(*consumed == 0u);
    return parser.bytes_needed();
  };
  BOOST_TEST(needed("") == 1u);
  BOOST_TEST(needed("*2\r\n") == 5u);
  BOOST_TEST(needed("*2\r\n$3") == 7u);
  // Another length follows this argument: it takes a byte more to go on.
  BOOST_TEST(needed("*2\r\n$3\r\nG") == 14u);
  BOOST_TEST(needed("*2\r\n$3\r\nGET\r\n$536870912\r\n") == 25u + 536'870'912u + 2u);
}

// An announcement costs four bytes to send; it must not cost megabytes to hear.
BOOST_AUTO_TEST_CASE(an_announced_count_reserves_nothing) {
  const auto used_before = roxdb::memory::used_bytes();
  RequestParser parser;
  ArgVector args;
  const auto consumed = parser.parse("*1048576\r\n$1\r\nx\r\n", {}, args);
  BOOST_TEST_REQUIRE(consumed.ok());
  BOOST_TEST(*consumed == 0u);
  BOOST_TEST(roxdb::memory::used_bytes() == used_before);
}

BOOST_AUTO_TEST_CASE(limits_lowered_during_a_request_do_not_break_it) {
  RequestParser parser;
  ArgVector args;
  const std::string wire = wire_of({"SET", "key", std::string(100, 'v')});
  BOOST_TEST_REQUIRE(*parser.parse(wire.substr(0, wire.size() - 1), {}, args) == 0u);
  const ParserLimits lowered{.args_max = 1, .bulk_bytes_max = 2};
  const auto consumed = parser.parse(wire, lowered, args);
  BOOST_TEST_REQUIRE(consumed.ok());
  BOOST_TEST(*consumed == wire.size());
  BOOST_TEST(args.size() == 3u);
}

// A request in thousands of pieces must be resumed, not read again. Pages the parser is done with
// are made unreadable until the last piece comes, so a single look back ends the test.
BOOST_AUTO_TEST_CASE(a_request_in_pieces_is_never_read_again_from_the_front) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const std::string wire = wire_of(Request(40'000, "argument"));
  const size_t mapped = (wire.size() / page + 1) * page;
  void* const memory =
      mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  BOOST_TEST_REQUIRE(memory != MAP_FAILED);
  char* const bytes = static_cast<char*>(memory);
  std::copy(wire.begin(), wire.end(), bytes);

  RequestParser parser;
  ArgVector args;
  size_t closed = 0;
  for (size_t size = 100; size < wire.size(); size += 100) {
    const auto consumed = parser.parse({bytes, size}, {}, args);
    BOOST_TEST_REQUIRE(consumed.ok());
    BOOST_TEST_REQUIRE(*consumed == 0u);
    // A length that is cut off is read again, so the last 64 bytes stay open.
    const size_t done = (size - 64) / page * page;
    if (done > closed) {
      BOOST_TEST_REQUIRE(mprotect(bytes, done, PROT_NONE) == 0);
      closed = done;
    }
  }
  BOOST_TEST(closed > 100 * page);
  BOOST_TEST_REQUIRE(mprotect(bytes, mapped, PROT_READ) == 0);
  const auto consumed = parser.parse({bytes, wire.size()}, {}, args);
  BOOST_TEST_REQUIRE(consumed.ok());
  BOOST_TEST(*consumed == wire.size());
  BOOST_TEST(args.size() == 40'000u);
  munmap(memory, mapped);
}

// The same for a line: what was searched for its end is not searched again.
BOOST_AUTO_TEST_CASE(a_line_in_pieces_is_searched_once) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* const memory =
      mmap(nullptr, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  BOOST_TEST_REQUIRE(memory != MAP_FAILED);
  char* const bytes = static_cast<char*>(memory);
  const std::string front = "*1\r\n";
  const size_t line_bytes = 3 * page - front.size();
  std::copy(front.begin(), front.end(), bytes);
  std::fill_n(bytes + front.size(), line_bytes, 'x');

  RequestParser parser;
  ArgVector args;
  BOOST_TEST_REQUIRE(*parser.parse({bytes, 2 * page}, {}, args) == 0u);
  BOOST_TEST_REQUIRE(mprotect(bytes, page, PROT_NONE) == 0);
  for (size_t size = 2 * page; size <= 3 * page; size += 64) {
    BOOST_TEST_REQUIRE(*parser.parse({bytes, size}, {}, args) == 0u);
  }
  munmap(memory, 3 * page);
}

// Random streams of all kinds of requests, in random pieces.
BOOST_AUTO_TEST_CASE(random_streams_agree_whole_and_in_pieces) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    roxdb::Random random(seed);
    std::string wire;
    std::vector<Request> expected;
    for (int i = 0; i < 20; ++i) {
      Request request(1 + random.below(12));
      for (std::string& arg : request)
        arg.assign(random.below(60), static_cast<char>(random.next()));
      switch (random.below(8)) {
        case 0:
          wire += "PING  x\r\n";
          request = {"PING", "x"};
          break;
        case 1:
          wire += "*0\r\n";
          request = {};
          break;
        default:
          wire += wire_of(request);
      }
      expected.push_back(std::move(request));
    }
    std::vector<size_t> cuts;
    for (size_t at = random.below(40); at < wire.size(); at += 1 + random.below(40)) {
      cuts.push_back(at);
    }
    BOOST_TEST_CONTEXT("seed " << seed) {
      BOOST_TEST_REQUIRE(receive(wire, {}) == requests(expected));
      BOOST_TEST_REQUIRE(receive(wire, cuts) == requests(expected));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
