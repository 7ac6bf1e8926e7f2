#include "resp/reply_reader.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "resp/reply_writer.h"

using namespace std::string_view_literals;
using roxdb::Code;
using roxdb::Random;
using roxdb::resp::OutputBuffer;
using roxdb::resp::ReplyReader;
using roxdb::resp::ReplyValue;
using roxdb::resp::RespWriter;
using Type = roxdb::resp::ReplyValue::Type;

namespace {

// A value as text that shows all of it, to compare trees by.
std::string shown(const ReplyValue& value) {
  static constexpr const char* kNames[] = {"null", "simple", "error",    "integer", "real",
                                           "bool", "bulk",   "verbatim", "big",     "array",
                                           "map",  "set",    "push"};
  std::string text = kNames[static_cast<size_t>(value.type)];
  if (value.type == Type::kInteger) text += " " + std::to_string(value.integer);
  if (value.type == Type::kBoolean) text += value.boolean ? " t" : " f";
  if (value.type == Type::kReal) text += " " + std::to_string(value.real);
  if (value.type == Type::kVerbatim)
    text += " " + std::string(value.format.begin(), value.format.end());
  if (!value.text.empty()) text += " <" + value.text + ">";
  for (const ReplyValue& attribute : value.attributes) text += " |" + shown(attribute);
  if (value.items.empty()) return text;
  text += " [";
  for (const ReplyValue& item : value.items) text += shown(item) + ", ";
  return text + "]";
}

// Reads `wire`, given in pieces that end at `cuts` (ascending), as a list of replies. An error ends
// the list with its text.
std::vector<std::string> replies(std::string_view wire, std::vector<size_t> cuts = {}) {
  cuts.push_back(wire.size());
  std::vector<std::string> all;
  ReplyReader reader;
  size_t at = 0;
  for (const size_t cut : cuts) {
    while (at < cut) {
      const std::vector<char> piece(wire.begin() + static_cast<ptrdiff_t>(at),
                                    wire.begin() + static_cast<ptrdiff_t>(cut));
      const auto taken = reader.read({piece.data(), piece.size()});
      if (!taken.ok()) {
        BOOST_CHECK(taken.status().code == Code::kProtocol);
        all.push_back("error: " + std::string(taken.status().text));
        return all;
      }
      BOOST_TEST_REQUIRE((*taken == piece.size() || reader.complete()));
      at += *taken;
      if (reader.complete()) all.push_back(shown(reader.take()));
    }
  }
  return all;
}

std::vector<std::string> replies_cut_everywhere(std::string_view wire) {
  const auto whole = replies(wire);
  std::vector<size_t> all_cuts;
  for (size_t cut = 1; cut < wire.size(); ++cut) {
    BOOST_TEST_CONTEXT("cut at byte " << cut) {
      BOOST_TEST_REQUIRE((replies(wire, {cut}) == whole));
    }
    all_cuts.push_back(cut);
  }
  BOOST_TEST_REQUIRE((replies(wire, all_cuts) == whole));
  return whole;
}

std::string random_text(Random& random) {
  std::string text(random.below(40), 'a');
  for (char& c : text) c = static_cast<char>('a' + random.below(26));
  return text;
}

// Says a random scalar through `writer` and returns what it must read back as: in RESP2, which has
// fewer types, the writer's translation.
ReplyValue say_scalar(RespWriter& writer, Random& random) {
  const bool resp3 = writer.protocol() == 3;
  ReplyValue value;
  switch (random.below(10)) {
    case 0:
      writer.null();
      break;
    case 1:
      writer.null_array();
      break;
    case 2:
      value.type = Type::kInteger;
      value.integer = static_cast<int64_t>(random.next());
      writer.integer(value.integer);
      break;
    case 3:
      value.type = Type::kSimple;
      value.text = random_text(random);
      writer.simple(value.text);
      break;
    case 4:
      value.type = Type::kError;
      value.text = "ERR " + random_text(random);
      writer.error(value.text);
      break;
    case 5:
      value.type = resp3 ? Type::kBoolean : Type::kInteger;
      value.boolean = random.below(2) == 1;
      value.integer = value.boolean ? 1 : 0;
      writer.boolean(value.boolean);
      break;
    case 6:
      value.type = resp3 ? Type::kBigNumber : Type::kBulk;
      value.text = "-123456789012345678901234567890";
      writer.big_number(value.text);
      break;
    case 7:
      value.type = resp3 ? Type::kVerbatim : Type::kBulk;
      value.text = random_text(random);
      value.format = {'m', 'k', 'd'};
      writer.verbatim("mkd", value.text);
      break;
    case 8:
      value.type = resp3 ? Type::kReal : Type::kBulk;
      value.real = 0.5;
      if (!resp3) value.text = "0.5";
      writer.real(value.real);
      break;
    default:
      value.type = Type::kBulk;
      value.text = random_text(random) + "\r\n" + std::string(1, '\0');
      writer.bulk(value.text);
  }
  return value;
}

// The same for any value, nested up to `depth` levels.
ReplyValue say_value(RespWriter& writer, Random& random, int depth) {
  if (depth == 0 || random.below(3) == 0) return say_scalar(writer, random);
  const bool resp3 = writer.protocol() == 3;
  const size_t count = random.below(5);
  ReplyValue value;
  value.type = Type::kArray;
  size_t items = count;
  const auto say_items = [&] {
    for (size_t i = 0; i < items; ++i) value.items.push_back(say_value(writer, random, depth - 1));
  };
  switch (random.below(5)) {
    case 0:
      writer.array(count);
      break;
    case 1:
      writer.map(count);
      if (resp3) value.type = Type::kMap;
      items = 2 * count;
      break;
    case 2:
      writer.set(count);
      if (resp3) value.type = Type::kSet;
      break;
    case 3:
      writer.push(count);
      if (resp3) value.type = Type::kPush;
      break;
    default: {
      const auto open = writer.open(RespWriter::Aggregate::kArray);
      items = random.below(15);
      say_items();
      writer.close(open, items);
      return value;
    }
  }
  say_items();
  return value;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(resp_reply_reader)

BOOST_AUTO_TEST_CASE(every_type_is_read_wherever_it_is_cut) {
  const std::pair<std::string_view, std::string> cases[] = {
      {"+OK\r\n", "simple <OK>"},
      {"+\r\n", "simple"},
      {"-ERR no\r\n", "error <ERR no>"},
      {"!6\r\nERR\r\nx\r\n", "error <ERR\r\nx>"},
      {":-12\r\n", "integer -12"},
      {",1.5\r\n", "real 1.500000"},
      {",inf\r\n", "real inf"},
      {",-inf\r\n", "real -inf"},
      {",nan\r\n", "real nan"},
      {"#t\r\n", "bool t"},
      {"#f\r\n", "bool f"},
      {"_\r\n", "null"},
      {"$-1\r\n", "null"},
      {"*-1\r\n", "null"},
      {"$0\r\n\r\n", "bulk"},
      {"$4\r\na\r\nb\r\n", "bulk <a\r\nb>"},
      {"=7\r\ntxt:a b\r\n", "verbatim txt <a b>"},
      {"=4\r\nmkd:\r\n", "verbatim mkd"},
      {"(-123456789012345678901\r\n", "big <-123456789012345678901>"},
      {"*0\r\n", "array"},
      {"*2\r\n:1\r\n*1\r\n+a\r\n", "array [integer 1, array [simple <a>, ], ]"},
      {"%1\r\n+k\r\n*0\r\n", "map [simple <k>, array, ]"},
      {"~1\r\n_\r\n", "set [null, ]"},
      {">2\r\n+message\r\n$1\r\nx\r\n", "push [simple <message>, bulk <x>, ]"},
      {"|1\r\n+ttl\r\n:5\r\n$1\r\nv\r\n", "bulk <v> |simple <ttl> |integer 5"},
      {"*2\r\n:1\r\n|1\r\n+a\r\n+b\r\n%0\r\n", "array [integer 1, map |simple <a> |simple <b>, ]"},
      {"|0\r\n:1\r\n", "integer 1"},
  };
  for (const auto& [wire, expected] : cases) {
    BOOST_TEST_CONTEXT("wire <" << wire << ">") {
      const std::string twice = std::string(wire) + std::string(wire);
      BOOST_CHECK((replies_cut_everywhere(twice) == std::vector<std::string>{expected, expected}));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_resp_is_refused) {
  const std::string_view wires[] = {
      "\r\n",
      "x\r\n",
      "+OK\n",
      "OK\r\n",
      ":\r\n",
      ":1x\r\n",
      ":9223372036854775808\r\n",
      ",x\r\n",
      "#x\r\n",
      "#\r\n",
      "_x\r\n",
      "(1x\r\n",
      "(-\r\n",
      "$x\r\n",
      "$-2\r\n",
      "$1073741825\r\n",
      "$?\r\n",
      "$2\r\nabcd\r\n",
      "=3\r\ntxt\r\n",
      "=4\r\ntxtx\r\n",
      "!-1\r\n",
      "*x\r\n",
      "*-2\r\n",
      "*?\r\n",
      "%-1\r\n",
      "%9223372036854775808\r\n",
      "*18446744073709551615\r\n",
      "|-1\r\n",
  };
  for (const std::string_view wire : wires) {
    BOOST_TEST_CONTEXT("wire <" << wire << ">") {
      const auto all = replies_cut_everywhere(wire);
      BOOST_TEST_REQUIRE(all.size() == 1u);
      BOOST_TEST(all[0].starts_with("error: reply "));
    }
  }
}

BOOST_AUTO_TEST_CASE(nesting_stops_at_its_bound) {
  std::string deepest;
  for (size_t i = 0; i < roxdb::kReplyDepthMax; ++i) deepest += "*1\r\n";
  BOOST_TEST(replies(deepest + ":1\r\n").size() == 1u);
  BOOST_TEST((replies(deepest + "*1\r\n:1\r\n") ==
              std::vector<std::string>{"error: reply nested too deeply"}));
  std::string attributes;
  for (size_t i = 0; i <= roxdb::kReplyDepthMax; ++i) attributes += "|1\r\n";
  BOOST_TEST((replies(attributes) == std::vector<std::string>{"error: reply nested too deeply"}));
}

BOOST_AUTO_TEST_CASE(a_line_stops_at_its_bound) {
  const std::string longest(roxdb::kInlineBytesMax - 3, 'x');
  BOOST_TEST(replies("+" + longest + "\r\n", {10, 60'000}).size() == 1u);
  BOOST_TEST(
      (replies("+x" + longest + "\r\n") == std::vector<std::string>{"error: reply line too long"}));
  BOOST_TEST((replies("+xxx" + longest, {10, 60'000}) ==
              std::vector<std::string>{"error: reply line too long"}));
}

// Twelve bytes announce a gigabyte, or a tree of 2^40 values; only what arrives may cost memory.
BOOST_AUTO_TEST_CASE(announcements_cost_nothing) {
  for (const std::string_view wire : {"$1073741824\r\nab", "*1099511627776\r\n:1\r\n"}) {
    ReplyReader reader;
    const auto taken = reader.read(wire);
    BOOST_TEST_REQUIRE(taken.ok());
    BOOST_TEST(*taken == wire.size());
    BOOST_TEST(!reader.complete());
  }
}

BOOST_AUTO_TEST_CASE(random_trees_come_back_as_they_were_written) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    OutputBuffer out;
    RespWriter writer(out, seed % 2 == 0 ? 2 : 3);
    std::vector<std::string> expected;
    for (int i = 0; i < 20; ++i) expected.push_back(shown(say_value(writer, random, 4)));
    std::string_view wire;
    BOOST_TEST_REQUIRE(out.gather({&wire, 1}) == 1u);
    std::vector<size_t> cuts;
    for (size_t at = 1; at < wire.size(); at += 1 + random.below(20)) cuts.push_back(at);
    BOOST_TEST_CONTEXT("seed " << seed) {
      BOOST_TEST_REQUIRE((replies(wire) == expected));
      BOOST_TEST_REQUIRE((replies(wire, cuts) == expected));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
