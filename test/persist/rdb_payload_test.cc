#include "persist/rdb_payload.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "persist/crc64.h"
#include "persist/rdb_output.h"
#include "persist/rdb_value_reader.h"
#include "test/types/test_home.h"
#include "types/hash_value.h"
#include "types/list_value.h"
#include "types/set_value.h"
#include "types/sorted_set_value.h"
#include "types/stream_value.h"
#include "types/string_value.h"

namespace roxdb::persist {
namespace {

using namespace std::string_literals;
using types::Entry;

// What fields expire by: those of the payloads do not yet.
constexpr int64_t kNowMs = 1'700'000'000'000;

constexpr int64_t kSame = kRecordSameFields;

std::string bytes_of(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
  }
  return bytes;
}

std::string hex_of(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) {
    for (const int shift : {4, 0}) hex += "0123456789abcdef"[byte >> shift & 15];
  }
  return hex;
}

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// A payload of these bytes, with its footer.
std::string payload(std::string body, uint16_t version = 10) {
  body += raw(version);
  return body + raw(crc64(0, body));
}

std::string text(std::string_view bytes) {
  std::string out;
  RdbOutput(out, kBulkBytesMax).string(bytes);
  return out;
}

template <class... T>
std::string listpack(const T&... elements) {
  ListpackWriter writer;
  (writer.add(elements), ...);
  return std::string(writer.finish());
}

// The contents, in the order in which the type shows them.
std::string shown(const Entry& entry) {
  std::string out;
  char digits[kDoubleDigitsMax];
  const auto id = [](const containers::Id& one) {
    return std::to_string(one.ms) + '-' + std::to_string(one.seq);
  };
  switch (entry.type()) {
    case types::TypeId::kString:
      return std::string(types::StringView(entry).view());
    case types::TypeId::kList:
      for (types::ListCursor at = types::ListView(entry).front(); at; at.next()) {
        out += at.element().text(digits);
        out += ' ';
      }
      return out;
    case types::TypeId::kSet:
      types::SetView(entry).for_each([&](std::string_view member) {
        out += member;
        out += ' ';
      });
      return out;
    case types::TypeId::kSortedSet: {
      const types::SortedSetView set(entry);
      set.visit(set.all(), [&](std::string_view member, double score) {
        out += std::string(member) + '=' + std::string(digits, print_double(score, digits)) + ' ';
      });
      return out;
    }
    case types::TypeId::kHash:
      types::HashView(entry, kNowMs).for_each([&](const types::HashView::Field& field) {
        out += std::string(field.name) + '=' + std::string(field.value);
        if (field.expire_at_ms >= 0) out += '@' + std::to_string(field.expire_at_ms);
        out += ' ';
      });
      return out;
    case types::TypeId::kStream: {
      const types::Stream& stream = types::stream_of(entry);
      containers::RecordCursor cursor(stream.log(), containers::kIdMin, containers::kIdMax);
      while (cursor.next()) {
        out += id(cursor.id()) + ' ';
        containers::FieldReader fields = cursor.fields();
        containers::packed::Element name;
        containers::packed::Element value;
        while (fields.next(name, value)) {
          out += name.text(digits);
          out += '=';
          out += value.text(digits);
          out += ' ';
        }
      }
      out += "last " + id(stream.last_id) + " deleted " + id(stream.max_deleted_id) + " added " +
             std::to_string(stream.records_added);
      for (const types::Group* group : stream.groups()) {
        group->check();
        out += " group " + std::string(group->name()) + ' ' + id(group->last_delivered) + " read " +
               std::to_string(group->records_read);
        for (const types::Consumer* consumer : group->consumers()) {
          out += " consumer " + std::string(consumer->name());
          for (auto place = consumer->pending().first(); place; place.next()) {
            out += ' ' + id(place.item()->id);
          }
        }
      }
      stream.check();
      return out;
    }
    default:
      return "?";
  }
}

class Loaded {
 public:
  Loaded(const types::test::TestHome& home, const std::string& bytes) : home_(home.home) {
    const auto opened = open_payload(bytes);
    if (!opened.ok()) {
      status = opened.status();
      return;
    }
    const auto entry = load_payload(*opened, {.key = "k"}, home_);
    if (entry.ok()) {
      entry_ = *entry;
      BOOST_TEST_REQUIRE(entry_ != nullptr);
    } else {
      status = entry.status();
    }
  }
  ~Loaded() {
    if (entry_ != nullptr) destroy_entry(home_, entry_);
  }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;

  const Entry& entry() const { return *entry_; }
  bool ok() const { return entry_ != nullptr; }
  std::string contents() const {
    return ok() ? shown(*entry_) : "<refused: " + std::string(status.text) + ">";
  }
  std::string_view encoding() const {
    return types::value_type(entry_->type())->encoding_name(*entry_);
  }
  // What DUMP makes of it.
  std::string payload() const {
    std::string out;
    BOOST_TEST(make_payload(*entry_, kNowMs, kReplyBytesMax, out).ok());
    return out;
  }

  Status status = kOk;

 private:
  const types::ValueHome& home_;
  Entry* entry_ = nullptr;
};

std::vector<std::string> words_of(const std::string& contents, bool is_ordered) {
  std::istringstream in(contents);
  std::vector<std::string> words{std::istream_iterator<std::string>(in), {}};
  if (!is_ordered) std::sort(words.begin(), words.end());
  return words;
}

// Payloads that servers made, and what they hold.
struct Sample {
  const char* server;
  const char* hex;
  const char* contents;
  const char* encoding;
};
constexpr Sample kOfRedis7[] = {
    {"integer", "00c0fb0a0049c4c6f4d7263f68", "-5", "int"},
    {"int32", "00c2a08601000a00f12403506f2fa674", "100000", "int"},
    {"text", "000568656c6c6f0a006372df766534200a", "hello", "embstr"},
    {"list", "120102121200000004008161020101dffe02c3e802ff0a00c07211f16d23bd10", "a 1 -2 1000 ",
     "listpack"},
    {"set of integers", "0b0e0200000003000000010002002c010a00e510b28e7b9529aa", "1 2 300 ",
     "intset"},
    {"packed sorted set", "111414000000040081610283312e35048162020201ff0a00fa02b425af188763",
     "a=1.5 b=2 ", "listpack"},
    {"packed hash", "1012120000000400816602817602816e022a01ff0a00ff30e87f7262d991", "f=v n=42 ",
     "listpack"},
    {"stream",
     "130110000000000000000500000000000000012d2d00000011000201000101018166020001020100010001817602"
     "040100010001010101018167028177020601ff020502050100000201026731000081ffffffffffffffff00000a00"
     "9373e01c2adfc0c8",
     "5-1 f=v 5-2 g=w last 5-2 deleted 0-0 added 2 group g1 0-0 read -1", "stream"},
};
constexpr Sample kOfOthers[] = {
    {"R7, compressed", "00c3094064016161e057000161610a00e8a3b507b06df271", nullptr, "raw"},
    {"R7, skiplist", "05020161000000000000f83f0162000000000000f0ff0a0048977e33659e660b",
     "b=-inf a=1.5 ", "listpack"},
    {"R8, packed set", "140c0c00000002008161020101ff0c0042e9698050aecf88", "a 1 ", "listpack"},
    {"V9, hash", "16020166017600d8c32cbb03000001670177ffffffffffffffff5000e60a2f75e1b45a59",
     "f=v@4102444800000 g=w ", "listpackex"},
};
// As others of a packed hash with expiries: what we write is what Redis 8 did.
constexpr Sample kOfRedis8 = {
    "packed hash",
    "1900d8c32cbb0300001f1f0000000600816602817602f400d8c32cbb030000098167028177020001ff0c008436d988"
    "8806ec99",
    "f=v@4102444800000 g=w ", "listpackex"};

}  // namespace

BOOST_AUTO_TEST_SUITE(persist_rdb_payload)

BOOST_AUTO_TEST_CASE(what_redis_dumped_is_dumped_again_byte_for_byte) {
  const types::test::TestHome home;
  const auto check = [&](const Sample& sample) {
    BOOST_TEST_CONTEXT(sample.server) {
      const Loaded loaded(home, bytes_of(sample.hex));
      BOOST_TEST_REQUIRE(loaded.contents() == sample.contents);
      BOOST_TEST(loaded.encoding() == sample.encoding);
      BOOST_TEST(hex_of(loaded.payload()) == sample.hex);
    }
  };
  for (const Sample& sample : kOfRedis7) check(sample);
  check(kOfRedis8);
}

BOOST_AUTO_TEST_CASE(forms_that_we_do_not_write_are_read) {
  const types::test::TestHome home;
  for (const Sample& sample : kOfOthers) {
    BOOST_TEST_CONTEXT(sample.server) {
      const Loaded loaded(home, bytes_of(sample.hex));
      BOOST_TEST(loaded.contents() ==
                 (sample.contents != nullptr ? sample.contents : std::string(100, 'a')));
      BOOST_TEST(loaded.encoding() == sample.encoding);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_old_packed_forms_are_read) {
  const types::test::TestHome home;
  // 11 elements: strings and every width of integer.
  const std::string ziplist = bytes_of(
      "420000003a000000"
      "0b00"  // count
      "00"
      "0161"  // a
      "03"
      "f1"  // 0
      "02"
      "fd"  // 12
      "02"
      "fe80"  // -128
      "03"
      "c0e803"  // 1000
      "04"
      "f0000080"  // -8388608
      "05"
      "d000000080"  // -2147483648
      "06"
      "e0ffffffffffffff7f"  // 9223372036854775807
      "0a"
      "4003616263"  // abc in 14 bits
      "06"
      "8000000001"
      "7a"  // z in 32 bits
      "fe07000000"
      "0162"  // b; a long size of the one before
      "ff");
  BOOST_TEST(ziplist.size() == 0x42u);
  const std::string elements = "a 0 12 -128 1000 -8388608 -2147483648 9223372036854775807 abc z b ";
  BOOST_TEST(Loaded(home, payload("\x0a" + text(ziplist))).contents() == elements);
  BOOST_TEST(Loaded(home, payload("\x0e\x02" + text(ziplist) + text(ziplist))).contents() ==
             elements + elements);

  const std::string pairs = bytes_of(
      "1500000012000000"
      "0400"
      "000161"
      "03f2"
      "020162"
      "03f3"
      "ff");
  BOOST_TEST(Loaded(home, payload("\x0c" + text(pairs))).contents() == "a=1 b=2 ");
  BOOST_TEST(Loaded(home, payload("\x0d" + text(pairs))).contents() == "a=1 b=2 ");
  const std::string zipmap = bytes_of(
      "02"
      "0161"
      "01"
      "00"
      "78"
      "0162"
      "02"
      "01"
      "797a"
      "00"
      "ff");
  BOOST_TEST(Loaded(home, payload("\x09" + text(zipmap))).contents() == "a=x b=yz ");
  // A size of three in five bytes.
  const std::string overlong = bytes_of(
      "01"
      "fe03000000616263"
      "03"
      "00"
      "646566"
      "ff");
  BOOST_TEST(!Loaded(home, payload("\x09" + text(overlong))).ok());
}

BOOST_AUTO_TEST_CASE(the_plain_forms_are_read) {
  const types::test::TestHome home;
  BOOST_TEST(Loaded(home, payload("\x01\x02" + text("a") + text("7"))).contents() == "a 7 ");
  BOOST_TEST(Loaded(home, payload("\x02\x02" + text("a") + text("7"))).contents() == "a 7 ");
  BOOST_TEST(Loaded(home, payload("\x04\x01" + text("f") + text("7"))).contents() == "f=7 ");
  BOOST_TEST(Loaded(home, payload("\x03\x04" + text("a") +
                                  "\x03"
                                  "1.5" +
                                  text("b") + "\xfe" + text("c") + "\xff" + text("d") +
                                  "\x02"
                                  "-0"))
                 .contents() == "c=-inf d=-0 a=1.5 b=inf ");
  BOOST_TEST(Loaded(home, payload("\x12\x03\x01" + text("plain") + "\x02" +
                                  text(listpack("1"s, "x"s)) + "\x01" + text("5")))
                 .contents() == "plain 1 x 5 ");
}

BOOST_AUTO_TEST_CASE(expiries_of_fields_are_read_in_each_layout) {
  const types::test::TestHome home;
  const int64_t at_ms = 4'102'444'800'000;
  const std::string expected = "f=v@4102444800000 h=x@4102444800005 g=w ";
  const std::string fields[] = {text("f") + text("v"), text("h") + text("x"),
                                text("g") + text("w")};
  BOOST_TEST(Loaded(home, payload("\x18" + raw(at_ms) + "\x03\x01" + fields[0] + "\x06" +
                                      fields[1] + "\x00"s + fields[2],
                                  12))
                 .contents() == expected);
  const auto length = [](int64_t value) {
    std::string out;
    RdbOutput(out, 100).length(static_cast<uint64_t>(value));
    return out;
  };
  BOOST_TEST(Loaded(home, payload("\x16\x03" + length(at_ms) + fields[0] + length(at_ms + 5) +
                                      fields[1] + "\x00"s + fields[2],
                                  12))
                 .contents() == expected);
  BOOST_TEST(Loaded(home, payload("\x16\x03" + fields[0] + raw(at_ms) + fields[1] + raw(at_ms + 5) +
                                      fields[2] + raw(int64_t{-1}),
                                  80))
                 .contents() == expected);
  const std::string blob =
      listpack("f"s, "v"s, at_ms, "h"s, "x"s, at_ms + 5, "g"s, "w"s, int64_t{0});
  BOOST_TEST(Loaded(home, payload("\x19" + raw(at_ms) + text(blob), 12)).contents() == expected);
  BOOST_TEST(Loaded(home, payload("\x17" + text(blob), 12)).contents() == expected);
}

BOOST_AUTO_TEST_CASE(no_field_expires_later_than_a_command_could_say) {
  const types::test::TestHome home;
  const std::string field = text("f") + text("v");
  const std::string latest = "f=v@70368744177663 ";
  BOOST_TEST(Loaded(home, payload("\x18" + raw(types::kFieldExpireMsMax) + "\x01\x01" + field, 12))
                 .contents() == latest);
  // Valkey knows later times, and its values are taken.
  const std::string end_of_time = raw(std::numeric_limits<int64_t>::max());
  BOOST_TEST(Loaded(home, payload("\x16\x01" + field + end_of_time, 80)).contents() == latest);
}

// Every encoding past the limits of packed ones, through a payload and back.
BOOST_AUTO_TEST_CASE(large_values_survive_the_way_out_and_back) {
  const types::test::TestHome home;
  std::string body[5] = {"\x01"s, "\x02"s, "\x03"s, "\x04"s, "\x18"s + raw(kNowMs + 1)};
  constexpr uint32_t kCount = 3000;
  for (std::string& one : body) {
    RdbOutput out(one, kBulkBytesMax);
    out.length(kCount);
  }
  for (uint32_t i = 0; i < kCount; ++i) {
    const std::string element = "element " + std::to_string(i * 7919 % kCount);
    const std::string score = std::to_string(i * 31 % 1000) + ".25";
    body[0] += text(element);
    body[1] += text(element);
    body[2] += text(element) + static_cast<char>(score.size()) + score;
    body[3] += text(element) + text(score);
    body[4] += static_cast<char>(i % 3) + text(element) + text(score);
  }
  for (size_t i = 0; i < std::size(body); ++i) {
    const Loaded loaded(home, payload(body[i], 12));
    BOOST_TEST_REQUIRE(loaded.ok());
    BOOST_TEST(loaded.encoding() != "listpack");
    const std::string dumped = loaded.payload();
    BOOST_TEST(static_cast<int>(dumped[dumped.size() - 10]) == (i == 4 ? 12 : 10));
    const Loaded again(home, dumped);
    // A table shows its elements in any order.
    const bool is_ordered = i == 0 || i == 2;
    BOOST_TEST((words_of(again.contents(), is_ordered) == words_of(loaded.contents(), is_ordered)));
    BOOST_TEST(again.payload().size() == dumped.size());
    BOOST_TEST((again.payload() == dumped || !is_ordered));
  }
}

// A group keeps who has what, also what nobody has; deleted records are left out.
BOOST_AUTO_TEST_CASE(a_stream_survives_the_way_out_and_back) {
  types::test::TestHome home;
  Entry* const entry = types::StreamValue::create(home.home, {.key = "k"});
  auto& stream = *entry->pointer<types::Stream>();
  for (uint64_t i = 1; i <= 350; ++i) {
    const std::string value = std::to_string(i);
    const std::string_view pairs[] = {i % 50 == 0 ? "other" : "name", value, "n", "7"};
    stream.append(home.home, {i / 3, i}, std::span(pairs).first(i % 7 == 0 ? 2 : 4));
  }
  for (uint64_t i = 1; i <= 350; i += 5) {
    stream.erase(home.home, {i / 3, i}, types::References::kKeep);
  }
  types::Group* const group = stream.add_group(home.home, "group", {30, 90}, 90);
  types::Consumer* const a = group->add_consumer(home.slabs, "a", 1000);
  group->add_consumer(home.slabs, "b", 2000);
  group->add(home.slabs, {1, 3}, a, 5000, 2);
  group->add(home.slabs, {1, 4}, nullptr, 4000, 1);
  group->add(home.slabs, {2, 6}, a, 3000, 1);
  stream.add_group(home.home, "other", {0, 0}, types::Group::kReadUnknown);
  std::string dumped;
  BOOST_TEST_REQUIRE(make_payload(*entry, kNowMs, kReplyBytesMax, dumped).ok());
  const std::string before = shown(*entry);
  destroy_entry(home.home, entry);

  const Loaded loaded(home, dumped);
  std::string expected = before;
  const std::string consumers = " consumer a 1-3 2-6 consumer b";
  expected.replace(expected.find(consumers), consumers.size(), " consumer  1-4" + consumers);
  BOOST_TEST(loaded.contents() == expected);
  BOOST_TEST(Loaded(home, loaded.payload()).contents() == expected);
}

// Nothing is read beyond what is there, and no byte of a footer is for show.
BOOST_AUTO_TEST_CASE(a_payload_that_was_cut_or_changed_is_refused) {
  const types::test::TestHome home;
  for (const Sample& sample : kOfRedis7) {
    const std::string good = bytes_of(sample.hex);
    for (size_t size = 0; size < good.size(); ++size) {
      BOOST_TEST(!Loaded(home, good.substr(0, size)).ok());
    }
    for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
      std::string bytes = good;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
      BOOST_TEST(!Loaded(home, bytes).ok(), sample.server << " bit " << bit);
    }
    const std::string body = good.substr(0, good.size() - 10);
    BOOST_TEST(!Loaded(home, payload(body + "x")).ok());
    for (size_t size = 0; size < body.size(); ++size) {
      BOOST_TEST(!Loaded(home, payload(body.substr(0, size))).ok(), sample.server << " " << size);
    }
    BOOST_TEST(!Loaded(home, body + "\x0a\x00"s + raw(uint64_t{0})).ok());
  }
}

// With the checksum made right a change may give another value, never a broken one: what was
// taken is checked as a whole, and can be written and read again.
BOOST_AUTO_TEST_CASE(every_changed_byte_is_refused_or_gives_another_whole_value) {
  const types::test::TestHome home;
  const auto check = [&](const Sample& sample) {
    const std::string good = bytes_of(sample.hex);
    const auto version = static_cast<uint16_t>(static_cast<uint8_t>(good[good.size() - 10]));
    for (size_t at = 0; at + 10 < good.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        std::string body = good.substr(0, good.size() - 10);
        body[at] = static_cast<char>(value);
        const Loaded loaded(home, payload(body, version));
        if (!loaded.ok()) {
          BOOST_TEST((loaded.status.code == Code::kCorrupt));
          continue;
        }
        if (loaded.entry().type() == types::TypeId::kHash && loaded.contents().empty()) continue;
        const Loaded again(home, loaded.payload());
        BOOST_TEST(again.ok(), sample.server << " byte " << at << " is " << value);
      }
    }
  };
  for (const Sample& sample : kOfRedis7) check(sample);
  for (const Sample& sample : kOfOthers) check(sample);
  check(kOfRedis8);
}

BOOST_AUTO_TEST_CASE(crafted_values_are_refused) {
  const types::test::TestHome home;
  const auto refused = [&](const std::string& body, std::string_view why, uint16_t version = 12) {
    const Loaded loaded(home, payload(body, version));
    BOOST_TEST(!loaded.ok(), why << ": " << loaded.contents());
    BOOST_TEST(loaded.status.text == why);
  };
  const std::string a = text("a");
  const std::string twice = "an element comes twice";
  refused("\x02\x02" + a + a, twice);
  refused("\x14" + text(listpack("a"s, "a"s)), twice);
  refused("\x05\x02" + a + raw(1.0) + a + raw(2.0), twice);
  refused("\x11" + text(listpack("a"s, "1"s, "a"s, "2"s)), twice);
  BOOST_TEST(!Loaded(home, payload("\x04\x02" + a + a + a + a)).ok());
  BOOST_TEST(!Loaded(home, payload("\x10" + text(listpack("a"s, "1"s, "a"s, "2"s)))).ok());

  const std::string no_score = "a score is not a number";
  refused("\x05\x01" + a + raw(std::numeric_limits<double>::quiet_NaN()), no_score);
  refused("\x03\x01" + a + "\xfd", no_score);
  refused("\x11" + text(listpack("a"s, "nan"s)), no_score);
  refused("\x11" + text(listpack("a"s, "1x"s)), no_score);

  const std::string cut = "an element of a packed value reaches beyond its end";
  refused("\x11" + text(listpack("a"s)), cut);
  refused("\x10" + text(listpack("a"s, "b"s, "c"s)), cut);
  refused("\x19" + raw(kNowMs) + text(listpack("a"s, "b"s)), cut);

  const std::string no_time = "the expiry of a field is no time";
  refused("\x19" + raw(kNowMs) + text(listpack("a"s, "b"s, "c"s)), no_time);
  refused("\x19" + raw(kNowMs) + text(listpack("a"s, "b"s, int64_t{-1})), no_time);
  refused("\x18" + raw(std::numeric_limits<int64_t>::max()) + "\x01\x02" + a + a, no_time);
  refused("\x18" + raw(int64_t{-5}) + "\x01\x01" + a + a, no_time);
  refused("\x16\x01" + a + a + raw(int64_t{-2}), no_time, 80);
  const int64_t too_late_ms = types::kFieldExpireMsMax + 1;
  std::string too_late;
  RdbOutput(too_late, kBulkBytesMax).length(static_cast<uint64_t>(too_late_ms));
  refused("\x16\x01" + too_late + a + a, no_time);
  refused("\x18" + raw(too_late_ms) + "\x01\x01" + a + a, no_time);
  refused("\x18" + raw(types::kFieldExpireMsMax) + "\x01\x02" + a + a, no_time);
  refused("\x19" + raw(too_late_ms) + text(listpack("a"s, "b"s, too_late_ms)), no_time);

  refused("\x0b" + text(bytes_of("0200000002000000"
                                 "0200"
                                 "0100")),
          "the integers of a set do not ascend");
  refused("\x0b" + text(bytes_of("0300000001000000"
                                 "020000")),
          "the head of a packed value is wrong");
  std::string lying = listpack("a"s, "b"s);
  lying[4] = 3;
  refused("\x14" + text(lying), "a packed value has another count than its head says");
  refused("\x12\x01\x03" + a, "a node of no known form");
  refused("\x02\x81\xff\xff\xff\xff\xff\xff\xff\xff", "the payload ends too early");
  refused("\x07" + raw(int64_t{0}), "a value of no known type");
  refused("\x18\x00", "a value of no known type", 80);
  for (const std::string& none : {"\x01\x00"s, "\x02\x00"s, "\x04\x00"s, "\x05\x00"s, "\x12\x00"s,
                                  "\x11"s + text(listpack()), "\x10"s + text(listpack())}) {
    refused(none, "a value without elements");
  }
}

// Records, their past and their groups, each wrong in one way.
BOOST_AUTO_TEST_CASE(crafted_streams_are_refused) {
  const types::test::TestHome home;
  const auto id = [](uint64_t ms, uint64_t seq) {
    return raw(__builtin_bswap64(ms)) + raw(__builtin_bswap64(seq));
  };
  const auto node = [](int64_t live, int64_t deleted, int64_t second_seq, int64_t flags = kSame,
                       int64_t elements = 4) {
    const int64_t zero = 0;
    return listpack(live, deleted, int64_t{1}, "f"s, zero, kSame, zero, zero, "v"s, int64_t{4},
                    flags, zero, second_seq, "w"s, elements);
  };
  const auto stream = [&](const std::string& blob, const std::string& groups = "\x00"s,
                          const std::string& past = "\x02\x05\x02\x05\x01\x00\x00\x02"s) {
    return "\x13\x01" + text(id(5, 1)) + text(blob) + past + groups;
  };
  const std::string good = node(2, 0, 1);
  const auto is_taken = [&](const std::string& body) { return Loaded(home, payload(body)).ok(); };
  BOOST_TEST_REQUIRE(is_taken(stream(good)));

  BOOST_TEST(!is_taken(stream(node(3, 0, 1))));            // fewer than announced
  BOOST_TEST(!is_taken(stream(node(1, 0, 1))));            // more
  BOOST_TEST(!is_taken(stream(node(2, 1, 1))));            // fewer deleted ones
  BOOST_TEST(!is_taken(stream(node(2, 0, 0))));            // the same ID twice
  BOOST_TEST(!is_taken(stream(node(2, 0, -1))));           // descending
  BOOST_TEST(!is_taken(stream(node(2, 0, 1, 6))));         // unknown flag
  BOOST_TEST(!is_taken(stream(node(2, 0, 1, kSame, 5))));  // wrong size backwards
  BOOST_TEST(!is_taken(stream(node(2, 0, 1, 0))));         // other fields than it has
  const auto past = [&](const std::string& bytes) { return stream(good, "\x00"s, bytes); };
  BOOST_TEST(!is_taken(past("\x03\x05\x02\x05\x01\x00\x00\x03"s)));  // another length
  BOOST_TEST(!is_taken(past("\x02\x05\x01\x05\x01\x00\x00\x02"s)));  // last ID below a record
  BOOST_TEST(!is_taken(past("\x02\x05\x02\x05\x01\x06\x00\x02"s)));  // deleted beyond the last
  BOOST_TEST(!is_taken(past("\x02\x05\x02\x05\x01\x00\x00\x01"s)));  // fewer added than there are

  // Redis before 7.0 says nothing of deletions, nor how far a group has come.
  const std::string old_groups = "\x03" + text("at-first") + "\x05\x01\x00\x00"s + text("at-last") +
                                 "\x05\x02\x00\x00"s + text("at-none") + "\x00\x00\x00\x00"s;
  const Loaded old(home,
                   payload("\x0f\x01" + text(id(5, 1)) + text(good) + "\x02\x05\x02" + old_groups));
  BOOST_TEST(old.contents() ==
             "5-1 f=v 5-2 f=w last 5-2 deleted 0-0 added 2 group at-first 5-1 read 1 "
             "group at-last 5-2 read 2 group at-none 0-0 read 0");

  const std::string time = raw(int64_t{1000});
  const auto pending = [&](uint64_t seq) { return id(5, seq) + time + "\x01"; };
  const auto consumer = [&](std::string_view name, const std::string& ids, char count) {
    return text(name) + time + count + ids;
  };
  const auto group = [&](const std::string& list, const std::string& consumers,
                         std::string_view name = "g") {
    return text(name) + "\x05\x02\x02" + list + consumers;
  };
  const auto with_group = [&](const std::string& list, const std::string& consumers) {
    return stream(good, "\x01" + group(list, consumers));
  };
  const std::string both = "\x02" + pending(1) + pending(2);
  const std::string owners = "\x02" + consumer("a", id(5, 1), 1) + consumer("b", id(5, 2), 1);
  BOOST_TEST(is_taken(with_group(both, owners)));
  // Two consumers of one record, one that is not pending, one that nobody has.
  BOOST_TEST(!is_taken(with_group(
      both, "\x02" + consumer("a", id(5, 1) + id(5, 2), 2) + consumer("b", id(5, 2), 1))));
  BOOST_TEST(!is_taken(with_group("\x01" + pending(1), owners)));
  BOOST_TEST(!is_taken(with_group(both, "\x01" + consumer("a", id(5, 1), 1))));
  BOOST_TEST(!is_taken(with_group("\x02" + pending(2) + pending(1), owners)));
  BOOST_TEST(!is_taken(with_group("\x02" + pending(1) + pending(1), owners)));
  BOOST_TEST(!is_taken(
      with_group(both, "\x02" + consumer("b", id(5, 1), 1) + consumer("a", id(5, 2), 1))));
  BOOST_TEST(!is_taken(
      with_group(both, "\x02" + consumer("a", id(5, 1), 1) + consumer("a", id(5, 2), 1))));
  // A delivery, a consumer that was seen, one that was active, each before time began.
  const auto since = [&](int64_t delivered_at_ms, int64_t seen_at_ms, int64_t active_at_ms) {
    std::string body =
        with_group("\x01" + id(5, 1) + raw(delivered_at_ms) + "\x01",
                   "\x01" + text("a") + raw(seen_at_ms) + raw(active_at_ms) + "\x01" + id(5, 1));
    body[0] = static_cast<char>(RdbType::kStream3);
    return body;
  };
  constexpr int64_t kNone = std::numeric_limits<int64_t>::min();
  BOOST_TEST(is_taken(since(0, 0, types::Consumer::kNeverActive)));
  BOOST_TEST(!is_taken(since(kNone, 0, 0)));
  BOOST_TEST(!is_taken(since(-1, 0, 0)));
  BOOST_TEST(!is_taken(since(0, kNone, 0)));
  BOOST_TEST(!is_taken(since(0, 0, kNone)));
  BOOST_TEST(
      is_taken(stream(good, "\x02" + group("\x00"s, "\x00"s) + group("\x00"s, "\x00"s, "h"))));
  BOOST_TEST(!is_taken(stream(good, "\x02" + group("\x00"s, "\x00"s) + group("\x00"s, "\x00"s))));
}

BOOST_AUTO_TEST_CASE(a_payload_is_never_longer_than_its_bound) {
  const types::test::TestHome home;
  for (const Sample& sample : kOfRedis7) {
    const std::string good = bytes_of(sample.hex);
    const Loaded loaded(home, good);
    for (size_t bytes_max = 0; bytes_max < good.size(); ++bytes_max) {
      std::string out;
      const Status status = make_payload(loaded.entry(), kNowMs, bytes_max, out);
      BOOST_TEST((status.code == Code::kNoMemory));
      BOOST_TEST(out.size() <= bytes_max);
    }
  }
}

// Fields that are due go nowhere; a hash of only such fields is none.
BOOST_AUTO_TEST_CASE(due_fields_are_left_out) {
  const types::test::TestHome home;
  const Loaded loaded(home, bytes_of(kOfRedis8.hex));
  std::string out;
  BOOST_TEST_REQUIRE(make_payload(loaded.entry(), 4'102'444'800'001, kReplyBytesMax, out).ok());
  BOOST_TEST(Loaded(home, out).contents() == "g=w ");
  BOOST_TEST(static_cast<int>(out[out.size() - 10]) == 10);
  const Loaded due(home,
                   payload("\x18" + raw(int64_t{5}) + "\x01\x01" + text("a") + text("b"), 12));
  BOOST_TEST_REQUIRE(due.ok());
  std::string none;
  BOOST_TEST((make_payload(due.entry(), kNowMs, kReplyBytesMax, none).code == Code::kNotFound));
}

BOOST_AUTO_TEST_CASE(what_is_believed_of_a_payload_can_be_told) {
  const std::string body = std::string(1, '\0') + text("v");
  const std::string later = payload(body, 987);
  BOOST_TEST(!open_payload(later).ok());
  BOOST_TEST(open_payload(later, {.any_version = true}).ok());
  std::string changed = payload(body);
  changed.back() ^= 1;
  BOOST_TEST(!open_payload(changed, {.any_version = true}).ok());
  BOOST_TEST(open_payload(changed, {.any_checksum = true}).ok());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::persist
