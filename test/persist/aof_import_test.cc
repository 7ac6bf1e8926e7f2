#include "persist/aof_import.h"

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <initializer_list>

#include "test/persist/persistence_world.h"

namespace {

using namespace roxdb;
using namespace roxdb::persist;
using namespace roxdb::persist::test;

constexpr std::string_view kSingle = "data/appendonly.aof";
constexpr std::string_view kForeignManifest = "data/appendonlydir/appendonly.aof.manifest";

// A request as a log holds it.
std::string request(std::initializer_list<std::string_view> words) {
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    bytes += "$" + std::to_string(word.size()) + "\r\n" + std::string(word) + "\r\n";
  }
  return bytes;
}

// An RDB file with the key a = 1, without a checksum.
std::string rdb_file() {
  using namespace std::string_literals;
  return "REDIS0009\xfe\0\0\1a\1"s + "1\xff\0\0\0\0\0\0\0\0"s;
}

struct LogFile {
  std::string_view path;
  std::string content;
};

DiskImage with(std::initializer_list<LogFile> files) {
  DiskImage image = empty_data_directory();
  for (const LogFile& file : files) image.files[std::string(file.path)] = FileContent(file.content);
  return image;
}

// A manifest, and two files that it may name.
DiskImage in_directory(const std::string& manifest, const std::string& base,
                       const std::string& increment) {
  return with({{kForeignManifest, manifest},
               {"data/appendonlydir/appendonly.aof.1.base.aof", base},
               {"data/appendonlydir/appendonly.aof.1.incr.aof", increment}});
}

const std::string kBaseLine = "file appendonly.aof.1.base.aof seq 1 type b\n";
const std::string kIncrementLine = "file appendonly.aof.1.incr.aof seq 1 type i\n";

State strings(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs) {
  State state;
  for (const auto& [key, value] : pairs) state[{0, std::string(key)}] = {std::string(value), -1};
  return state;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(persist_aof_import)

// The disk is full, or somebody stops the server: nothing of ours may keep it from trying again.
BOOST_AUTO_TEST_CASE(an_import_that_could_not_be_saved_is_tried_again) {
  CrashingEnvironment disk(5, with({{kSingle, request({"SET", "a", "1"})}}));
  FailingEnvironment environment(disk);
  environment.add(
      {.kind = CallKind::kWrite, .path_part = "base", .times = Fault::kAlways, .os_error = ENOSPC});
  SimulatedServer server(environment, kAlways);
  BOOST_TEST(server.load() == 14, server.log_text);
  BOOST_TEST((restarted(disk.kill_images().at(0), kAlways) == strings({{"a", "1"}})));
}

BOOST_AUTO_TEST_CASE(a_log_of_redis_is_imported_once) {
  const std::string increment =
      request({"SELECT", "1"}) + "#TS:1600000000\r\n" + request({"SET", "a", "1"}) +
      request({"MULTI"}) + request({"INCR", "a"}) + request({"SELECT", "2"}) +
      request({"SET", "b", "2"}) + request({"EXEC"}) + request({"SET", "c", "3"}) +
      request({"MULTI"}) + request({"SET", "a", "9"});
  const State expected = {{{1, "a"}, {"2", -1}}, {{2, "b"}, {"2", -1}}, {{2, "c"}, {"3", -1}}};
  for (const DiskImage& image :
       {with({{kSingle, increment}}), in_directory(kIncrementLine, "", increment)}) {
    Restart restart(image, kAlways);
    BOOST_TEST(restart.exit_code == 0, restart.server->log_text);
    BOOST_TEST((restart.server->state() == expected));
    BOOST_TEST(restart.server->info("last_recovery_result") == "imported");
    restart.server->run("SET ours 1");
    restart.server->persistence.end_turn();
    BOOST_TEST((restarted(restart.image(), kAlways) == restart.server->state()));
  }
  BOOST_TEST(Restart(with({{kSingle, request({"UNHEARD"})}}), kAlways).exit_code == 11);
}

// What a rewrite there leaves behind, with and without aof-use-rdb-preamble, now and before 7.0.
BOOST_AUTO_TEST_CASE(any_file_may_begin_with_an_rdb_file_or_be_all_requests) {
  const std::string more = request({"APPEND", "a", "2"}) + request({"SET", "b", "3"});
  const State expected = strings({{"a", "12"}, {"b", "3"}});
  const std::string both = kBaseLine + kIncrementLine;
  for (const std::string& base : {rdb_file(), request({"SET", "a", "1"})}) {
    BOOST_TEST((restarted(in_directory(both, base, more), kAlways) == expected));
    BOOST_TEST((restarted(in_directory(kBaseLine, base + more, ""), kAlways) == expected));
    BOOST_TEST((restarted(with({{kSingle, base + more}}), kAlways) == expected));
  }
  BOOST_TEST((restarted(in_directory(both, rdb_file(), ""), kAlways) == strings({{"a", "1"}})));

  // Behind a snapshot nothing follows.
  const Restart snapshot(with({{"data/dump.rdb", rdb_file() + more}}), kNoLog);
  BOOST_TEST(snapshot.exit_code == 10);
  BOOST_TEST(snapshot.says("bytes behind the end"));
}

// Every cut of the last file; the others must be whole.
BOOST_AUTO_TEST_CASE(only_the_last_file_may_end_inside_a_unit) {
  const std::string first = request({"SET", "a", "1"});
  const std::string unit = request({"MULTI"}) + request({"SET", "a", "2"}) +
                           request({"SET", "b", "2"}) + request({"EXEC"});
  const std::string both = kBaseLine + kIncrementLine;
  Settings strict = kAlways;
  strict.emplace_back("aof-load-truncated", "no");
  for (size_t cut = 1; cut < unit.size(); ++cut) {
    BOOST_TEST_CONTEXT("cut at byte " << cut) {
      const std::string torn = first + unit.substr(0, cut);
      Restart last(in_directory(both, "", torn), kAlways);
      BOOST_TEST(last.exit_code == 0, last.server->log_text);
      BOOST_TEST((last.server->state() == strings({{"a", "1"}})));
      BOOST_TEST(last.server->info("last_recovery_dropped_bytes") == std::to_string(cut));

      const Restart refused(in_directory(both, "", torn), strict);
      BOOST_TEST(refused.exit_code == 11);
      BOOST_TEST(refused.says("Unexpected end of file reading the append only file"));
      BOOST_TEST(refused.says("offset=" + std::to_string(first.size())));
      BOOST_TEST(Restart(in_directory(both, torn, first), kAlways).exit_code == 11);
    }
  }
  BOOST_TEST(
      (restarted(in_directory(both, first, unit), strict) == strings({{"a", "2"}, {"b", "2"}})));
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_log_are_refused_where_they_stand) {
  const std::string good = request({"SET", "a", "1"});
  Restart restart(with({{kSingle, good + "!!!" + good}}), kAlways);
  BOOST_TEST(restart.exit_code == 11);
  BOOST_TEST(restart.says("Bad file format reading the append only file"));
  BOOST_TEST(restart.says("offset=" + std::to_string(good.size())));
  BOOST_TEST(restart.says("units good before=1"));
}

BOOST_AUTO_TEST_CASE(a_manifest_that_makes_no_sense_is_refused) {
  const struct {
    std::string text;
    std::string_view why;
  } cases[] = {
      {"", "Found an empty AOF manifest"},
      {"file x\n", "Invalid AOF manifest file format"},
      {kBaseLine + "\n" + kIncrementLine, "Invalid AOF manifest file format"},
      {"filx appendonly.aof.1.base.aof seq 1 type b\n", "Invalid AOF manifest file format"},
      {"file appendonly.aof.1.base.aof seq x type b\n", "Invalid AOF manifest file format"},
      {"file ../appendonly.aof seq 1 type b\n", "Invalid AOF manifest file format"},
      {"file appendonly.aof.1.incr.aof seq 1 type i odd\n", "Invalid AOF manifest file format"},
      {"file appendonly.aof.1.base.aof seq 1 type x\n", "Unknown AOF file type"},
      {kBaseLine + kBaseLine, "Found duplicate base file information"},
      {kIncrementLine + kIncrementLine, "Found a non-monotonic sequence number"},
      {"#" + std::string(2000, 'x') + "\n", "too long line"},
  };
  for (const auto& [text, why] : cases) {
    const Restart restart(in_directory(text, "", ""), kAlways);
    BOOST_TEST(restart.exit_code == 11, text);
    BOOST_TEST(restart.says(why), restart.server->log_text);
  }
  // More pairs than are known, and numbers left out.
  BOOST_TEST((restarted(in_directory("# by hand\nfile appendonly.aof.1.incr.aof seq 7 type i "
                                     "startoffset 0\n",
                                     "", request({"SET", "a", "1"})),
                        kAlways) == strings({{"a", "1"}})));
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_named_before_anything_is_loaded) {
  DiskImage image = in_directory(kBaseLine + kIncrementLine, request({"SET", "a", "1"}), "");
  image.files.erase("data/appendonlydir/appendonly.aof.1.incr.aof");
  Restart restart(image, kAlways);
  BOOST_TEST(restart.exit_code == 11);
  BOOST_TEST(restart.says("appendonly.aof.1.incr.aof"));
  BOOST_TEST((restart.server->state() == State{}));
}

// 7.0 writes the manifest first, then moves the one file of before into the directory.
BOOST_AUTO_TEST_CASE(an_upgrade_that_was_interrupted_there_is_understood) {
  const std::string manifest = "file appendonly.aof seq 1 type b\n";
  const std::string old = request({"SET", "a", "1"});
  BOOST_TEST((restarted(with({{kForeignManifest, manifest}, {kSingle, old}}), kAlways) ==
              strings({{"a", "1"}})));
  BOOST_TEST((restarted(with({{kForeignManifest, manifest},
                              {kSingle, old},
                              {"data/appendonlydir/appendonly.aof", request({"SET", "b", "2"})}}),
                        kAlways) == strings({{"b", "2"}})));
}

// Absolute times are of the past or of the future; the others count from now, as there.
BOOST_AUTO_TEST_CASE(a_relative_expiry_counts_from_the_import) {
  constexpr int64_t kNowMs = 1'700'000'000'000;
  const std::string log =
      request({"SET", "gone", "1"}) + request({"PEXPIREAT", "gone", "1600000000000"}) +
      request({"SET", "stays", "1"}) + request({"EXPIRE", "stays", "100"}) +
      request({"SET", "too", "1", "px", "100000"}) + request({"SETEX", "three", "100", "1"});
  Restart restart(with({{kSingle, log}}), kAlways, {}, kNowMs);
  BOOST_TEST(restart.exit_code == 0, restart.server->log_text);
  BOOST_TEST(restart.server->run("EXISTS gone") == ":0");
  for (const std::string key : {"stays", "too", "three"}) {
    BOOST_TEST(restart.server->run("PEXPIRETIME " + key) == ":" + std::to_string(kNowMs + 100'000));
  }
}

BOOST_AUTO_TEST_SUITE_END()
