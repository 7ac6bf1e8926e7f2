#include "persist/rdb_reader.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "persist/crc64.h"
#include "persist/files.h"
#include "resp/inline_split.h"
#include "test/commands/reply_text.h"
#include "test/persist/contents.h"
#include "test/sim/crashing_environment.h"

namespace roxdb::persist {
namespace {

using namespace std::string_literals;

constexpr const char* kPath = "data/dump.rdb";

std::string file_bytes(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Made by redis-server 7.0.15 with an LRU policy: every form of string, two databases, expiries.
std::string sample() {
  std::string bytes = file_bytes("test/data/rdb/redis_7.0.15_strings.rdb");
  BOOST_TEST_REQUIRE(bytes.size() == 394u);
  return bytes;
}

// A file of these records, with its checksum.
std::string rdb(const std::string& records, const std::string& magic = "REDIS0010") {
  std::string bytes = magic + records + "\xff";
  const uint64_t sum = crc64(0, bytes);
  bytes.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  return bytes;
}

std::string text(const std::string& bytes) { return static_cast<char>(bytes.size()) + bytes; }
std::string entry(const std::string& key, const std::string& value) {
  return "\0"s + text(key) + text(value);
}

class Loaded {
 public:
  explicit Loaded(const std::string& bytes, const LoadOptions& options = {}, bool lfu = false)
      : environment_(1, empty_data_directory()) {
    environment_.set_wall_us(1'800'000'000'000'000);
    auto file = environment_.open(kPath, OpenMode::kCreateNew);
    ROX_ASSERT(file.ok());
    if (!bytes.empty()) ROX_ASSERT(write_all(**file, bytes).ok());
    engine::Engine::Options engine_options;
    engine_options.environment = &environment_;
    engine_options.hash_seed = 1;
    engine_.emplace(engine_options);
    engine_->uses_lfu = lfu;
    result = load_snapshot(*engine_, kPath, options);
  }
  const Contents contents() const { return contents_of(*engine_); }
  const engine::Engine& engine() const { return *engine_; }
  // The reply to a request written as a person would type it.
  std::string run(std::string_view line) {
    resp::ArgVector words;
    BOOST_REQUIRE(resp::split_inline(line, words));
    std::vector<std::string_view> args;
    for (size_t i = 0; i < words.size(); ++i) args.push_back(words[i]);
    engine::Session session(engine::Session::Kind::kLibrary);
    commands::test::ReplyText reply;
    engine_->execute(session, args, reply);
    return reply.take();
  }
  CrashingEnvironment& environment() { return environment_; }
  std::string value(const std::string& key) const {
    const Contents all = contents();
    const auto found = all.find({0, key});
    return found == all.end() ? "<absent>" : found->second.value;
  }
  bool says(const std::string& words) const {
    return result.message.find(words) != std::string::npos;
  }

  LoadResult result;

 private:
  CrashingEnvironment environment_;
  std::optional<engine::Engine> engine_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(persist_rdb_reader)

BOOST_AUTO_TEST_CASE(a_file_of_redis_is_imported) {
  const Loaded loaded(sample());
  BOOST_TEST_REQUIRE(loaded.result.status.ok(), loaded.result.message);
  BOOST_TEST(loaded.result.foreign);
  BOOST_TEST(loaded.result.entries_kept == 13u);
  BOOST_TEST(loaded.result.file_bytes == 394u);
  Contents expected;
  const auto expect = [&](int db, const std::string& key, const std::string& value,
                          int64_t expire_at_ms = -1) {
    expected[{db, key}] = {value, expire_at_ms, loaded.engine().fresh_access()};
  };
  expect(0, "plain", "hello");
  expect(0, "int8", "-5");
  expect(0, "int16", "-1000");
  expect(0, "int32", "1000000000");
  expect(0, "int64", "1234567890123456789");
  expect(0, "leading", "007");
  expect(0, "empty", "");
  expect(0, "repeated", std::string(100, 'a'));
  expect(0, "sentence",
         "the quick brown fox jumps over the lazy dog and the quick brown fox jumps over the lazy "
         "cat");
  expect(0, "expires", "later", 4'102'444'800'123);
  expect(0, "gone", "past", 4'102'444'800'000);
  expect(9, "other", "nine");
  expect(9, "long", std::string(999, '\0') + "x");
  Contents found = loaded.contents();
  BOOST_TEST(found == expected);
}

// Made by redis-server 7.0.15 with small limits: every type, packed and large.
BOOST_AUTO_TEST_CASE(every_type_of_a_file_of_redis_is_imported) {
  Loaded loaded(file_bytes("test/data/rdb/redis_7.0.15_types.rdb"));
  BOOST_TEST_REQUIRE(loaded.result.status.ok(), loaded.result.message);
  const std::pair<const char*, const char*> script[] = {
      {"DBSIZE", ":11"},
      {"GET string", "$text"},
      {"LRANGE list 0 -1", "*[$a $1 $-2 $1000]"},
      {"LLEN quicklist", ":40"},
      {"LINDEX quicklist 39", "$element 39"},
      {"SMISMEMBER intset 1 2 70000 3", "*[:1 :1 :1 :0]"},
      {"SMISMEMBER set a 7 b", "*[:1 :1 :0]"},
      {"SCARD integers", ":10"},
      {"ZRANGE zset 0 -1", "*[$b $a $c]"},
      {"ZSCORE zset c", ",inf"},
      {"ZCARD skiplist", ":12"},
      {"ZSCORE skiplist \"member 11\"", ",2.75"},
      {"HMGET hash f n none", "*[$v $42 $nil]"},
      {"PEXPIRETIME hash", ":4102444800123"},
      {"HLEN table", ":12"},
      {"HGET table \"field 11\"", "$value 11"},
      {"XRANGE stream - + COUNT 1", "*[*[$5-1 *[$f $v1]]]"},
      {"XLEN stream", ":4"},
      {"XPENDING stream group", "*[:3 $5-1 $5-4 *[*[$alice $2] *[$bob $1]]]"},
      {"XADD stream 5-5 f v",
       "-ERR The ID specified in XADD is equal or smaller than the target stream top item"},
  };
  for (const auto& [request, reply] : script) {
    BOOST_TEST_CONTEXT(request) { BOOST_TEST(loaded.run(request) == reply); }
  }
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_value_is_said_with_its_key) {
  const Loaded twice(rdb("\x02"s + text("set") + "\x02" + text("a") + text("a")));
  BOOST_TEST((twice.result.status.code == Code::kCorrupt));
  BOOST_TEST(twice.says("an element comes twice; under the key \"set\""));
}

// Redis leaves such keys out, too.
BOOST_AUTO_TEST_CASE(collections_without_elements_are_passed_over) {
  const Loaded loaded(
      rdb("\xfc"s + std::string(8, '\x7f') + "\x02"s + text("set") + "\x00"s + entry("k", "v")));
  BOOST_TEST_REQUIRE(loaded.result.status.ok(), loaded.result.message);
  BOOST_TEST((loaded.contents().size() == 1u));
  BOOST_TEST((loaded.contents().at({0, "k"}).expire_at_ms == -1));
}

// The checksum covers all of it, so that nothing is harmless but the checksum itself being zero.
BOOST_AUTO_TEST_CASE(every_flipped_bit_of_a_file_is_found) {
  const std::string good = sample();
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    BOOST_TEST(!Loaded(bytes).result.status.ok(), "bit " << bit);
  }
}

BOOST_AUTO_TEST_CASE(a_file_cut_anywhere_is_refused_and_its_beginning_can_be_salvaged) {
  const std::string good = sample();
  const Contents all = Loaded(good).contents();
  LoadOptions options;
  options.salvage = true;
  size_t most = 0;
  for (size_t size = 0; size < good.size(); ++size) {
    const Loaded refused(good.substr(0, size));
    BOOST_TEST((refused.result.status.code == Code::kCorrupt));
    BOOST_TEST(refused.result.exit_code == 10);
    if (size < kRdbMagicBytes) continue;
    const Loaded rest(good.substr(0, size), options);
    BOOST_TEST_REQUIRE(rest.result.status.ok(), rest.result.message);
    BOOST_TEST(rest.result.losses.size() == 1u);
    const Contents found = rest.contents();
    BOOST_TEST(found.size() >= most);
    most = found.size();
    for (const auto& [key, record] : found) BOOST_TEST((all.at(key) == record));
  }
  BOOST_TEST(most == all.size());
  BOOST_TEST(Loaded(good + "x").says("bytes behind the end"));
}

BOOST_AUTO_TEST_CASE(a_writer_without_checksums_is_believed) {
  std::string bytes = rdb(entry("k", "v"));
  std::fill(bytes.end() - 8, bytes.end(), '\0');
  BOOST_TEST(Loaded(bytes).value("k") == "v");
  bytes.back() = 1;
  BOOST_TEST(Loaded(bytes).says("checksum expected"));
  // Before version 5 there was none.
  BOOST_TEST(Loaded("REDIS0003" + entry("k", "v") + "\xff").value("k") == "v");
}

BOOST_AUTO_TEST_CASE(versions_are_accepted_or_refused_by_name) {
  for (const char* magic : {"REDIS0001", "REDIS0012", "VALKEY080"}) {
    std::string bytes = rdb(entry("k", "v"), magic);
    if (magic == "REDIS0001"s) bytes.resize(bytes.size() - 8);
    BOOST_TEST(Loaded(bytes).value("k") == "v", magic);
  }
  BOOST_TEST(Loaded(rdb("", "REDIS0013")).says("format version 13 of Redis"));
  BOOST_TEST(Loaded(rdb("", "REDIS0000")).says("format version 0 of Redis"));
  BOOST_TEST(Loaded(rdb("", "VALKEY079")).says("format version 79 of Valkey"));
  BOOST_TEST(Loaded(rdb("", "REDIS00x1")).says("no version behind the magic"));
}

BOOST_AUTO_TEST_CASE(what_is_believed_of_a_file_can_be_told) {
  const LoadOptions any_version{.rdb_trust = {.any_version = true}};
  for (const char* magic : {"REDIS0987", "VALKEY081"}) {
    BOOST_TEST(Loaded(rdb(entry("k", "v"), magic), any_version).value("k") == "v", magic);
  }
  BOOST_TEST(Loaded(rdb("\x96", "REDIS0987"), any_version).says("opcode 150"));
  std::string bytes = rdb(entry("k", "v"));
  bytes.back() ^= 1;
  BOOST_TEST(Loaded(bytes, any_version).says("checksum expected"));
  BOOST_TEST(Loaded(bytes, {.rdb_trust = {.any_checksum = true}}).value("k") == "v");
}

BOOST_AUTO_TEST_CASE(lengths_come_in_all_their_forms) {
  const std::string long_text(700, 'x');
  const std::string key = "\x01k"s;
  BOOST_TEST(Loaded(rdb("\0"s + key + "\x42\xbc"s + long_text)).value("k") == long_text);
  BOOST_TEST(Loaded(rdb("\0"s + key + "\x80\0\0\x02\xbc"s + long_text)).value("k") == long_text);
  BOOST_TEST(Loaded(rdb("\0"s + key + "\x81\0\0\0\0\0\0\x02\xbc"s + long_text)).value("k") ==
             long_text);
  BOOST_TEST(Loaded(rdb("\0"s + key + "\x82"s)).says("an unknown form of length"));
  BOOST_TEST(Loaded(rdb("\0"s + key + "\xc4"s)).says("an unknown form of string"));
  BOOST_TEST(Loaded(rdb("\xfe\xc0\x01"s)).says("a string stands where a length should"));
  BOOST_TEST(Loaded(rdb("\0"s + key + "\x81\xff\xff\xff\xff\xff\xff\xff\xff"s))
                 .says("longer than 512 MiB"));
  BOOST_TEST(Loaded(rdb("\0"s + key + "\xc3\x02\x05\x00z"s)).says("does not unpack"));
}

BOOST_AUTO_TEST_CASE(a_prefix_belongs_to_one_key_only) {
  const int64_t at = 1'900'000'000'123;
  const std::string ms = "\xfc"s + std::string(reinterpret_cast<const char*>(&at), 8);
  const int32_t at_s = 1'900'000'000;
  const std::string s = "\xfd"s + std::string(reinterpret_cast<const char*>(&at_s), 4);
  const Loaded loaded(
      rdb(ms + "\xf8\x0a"s + entry("a", "1") + entry("b", "2") + s + entry("c", "3")));
  BOOST_TEST_REQUIRE(loaded.result.status.ok(), loaded.result.message);
  const Contents found = loaded.contents();
  const uint32_t fresh = loaded.engine().fresh_access();
  BOOST_TEST((found.at({0, "a"}) == Record{"1", at, fresh - 10}));
  BOOST_TEST((found.at({0, "b"}) == Record{"2", -1, fresh}));
  BOOST_TEST((found.at({0, "c"}) == Record{"3", int64_t{at_s} * 1000, fresh}));

  const Loaded lfu(rdb("\xf9\xc8"s + entry("a", "1") + "\xf8\x0a"s + entry("b", "2")), {}, true);
  const uint32_t fresh_lfu = lfu.engine().fresh_access();
  BOOST_TEST((lfu.contents().at({0, "a"}).access == ((fresh_lfu & ~0xffu) | 0xc8)));
  BOOST_TEST((lfu.contents().at({0, "b"}).access == fresh_lfu));
}

BOOST_AUTO_TEST_CASE(expired_keys_are_dropped_on_a_primary_only) {
  const int64_t at = 1'700'000'000'000;
  const std::string bytes =
      rdb("\xfc"s + std::string(reinterpret_cast<const char*>(&at), 8) + entry("a", "1"));
  BOOST_TEST(Loaded(bytes).result.expired == 1u);
  BOOST_TEST(Loaded(bytes).value("a") == "<absent>");
  LoadOptions options;
  options.keep_expired = true;
  BOOST_TEST(Loaded(bytes, options).value("a") == "1");
}

BOOST_AUTO_TEST_CASE(what_carries_no_data_is_passed_over) {
  const Loaded loaded(rdb("\xfa"s + text("redis-ver") + text("9.9.9") + "\xfa"s + text("new") +
                          "\xc0\x07"s + "\xfe\x03"s + "\xfb\x01\0"s + "\xf4\x01\x02\x03"s +
                          entry("k", "v")));
  BOOST_TEST_REQUIRE(loaded.result.status.ok(), loaded.result.message);
  BOOST_TEST((loaded.contents().at({3, "k"}).value == "v"));
}

// F6: nothing is left out silently.
BOOST_AUTO_TEST_CASE(what_this_version_cannot_hold_is_refused_by_name) {
  const Loaded unknown(rdb(entry("a", "1") + "\x32"s + text("a key\n") + "\x01"s));
  BOOST_TEST((unknown.result.status.code == Code::kError));
  BOOST_TEST(unknown.result.exit_code == 10);
  BOOST_TEST(unknown.says("a value of type 50,"));
  BOOST_TEST(unknown.says("under the key \"a key\\x0a\""));
  BOOST_TEST(unknown.says("1 entries before it"));
  BOOST_TEST(Loaded(rdb("\x07"s + text("j") + "\x81\x45\xe2\x52\x38\xdf\x91\x2c\x03"s))
                 .says("module ReJSON-RL"));
  BOOST_TEST(Loaded(rdb("\xf7"s + "\x81\x4d\x20\xc1\xf9\x36\x0f\x10\x00"s))
                 .says("data of the module TSDB-TYPE"));
  BOOST_TEST(Loaded(rdb("\xf5"s + text("#!lua name=x"))).says("a library of functions"));
  BOOST_TEST(Loaded(rdb("\xf3"s)).says("opcode 243"));
  BOOST_TEST(Loaded(rdb("\xfe\x10"s + entry("k", "v"))).says("database 16 is above"));
}

BOOST_AUTO_TEST_CASE(the_same_key_twice_is_refused) {
  BOOST_TEST(Loaded(rdb(entry("k", "v") + entry("k", "w"))).says("a key comes twice"));
}

// The tool's salvage turns a file of Redis into a snapshot of ours.
BOOST_AUTO_TEST_CASE(a_copy_of_a_foreign_file_is_a_snapshot) {
  Loaded loaded(sample());
  const LoadResult copied = salvage_snapshot(loaded.environment(), kPath, "data/copy");
  BOOST_TEST_REQUIRE(copied.status.ok(), copied.message);
  BOOST_TEST(copied.losses.empty());
  const LoadResult verified = verify_snapshot(loaded.environment(), "data/copy", {});
  BOOST_TEST_REQUIRE(verified.status.ok(), verified.message);
  BOOST_TEST(!verified.foreign);
  BOOST_TEST(verified.counts.entries == 13u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::persist
