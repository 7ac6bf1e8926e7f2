#include "persist/start.h"

#include <boost/test/unit_test.hpp>

#include "persist/aof_record.h"
#include "persist/file_header.h"
#include "persist/persistence.h"
#include "test/persist/persistence_world.h"

namespace {

using namespace roxdb;
using namespace roxdb::persist;
using namespace roxdb::persist::test;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(persist_start, World)

BOOST_AUTO_TEST_CASE(a_snapshot_without_a_log_begins_the_log) {
  start(kNoLog);
  turn("SET a 1");
  turn("SAVE");
  const State saved = server->state();
  Restart first(image(), kAlways);
  BOOST_TEST(first.exit_code == 0);
  BOOST_TEST((first.server->state() == saved));
  first.server->run("SET b 1");
  first.server->persistence.end_turn();
  BOOST_TEST((restarted(first.image(), kAlways) == first.server->state()));
}

BOOST_AUTO_TEST_CASE(the_log_wins_over_a_snapshot_and_says_so) {
  start(kAlways);
  turn("SET a 1");
  turn("SAVE");
  turn("SET b 1");
  Restart restart(image(), kAlways);
  BOOST_TEST((restart.server->state() == server->state()));
  BOOST_TEST(restart.says("the snapshot beside it was not"));
}

BOOST_AUTO_TEST_CASE(one_server_owns_a_directory) {
  start(kAlways);
  SimulatedServer second(environment, kAlways);
  BOOST_TEST(second.load() == 13);
  BOOST_TEST(second.log_text.find("pid=") != std::string::npos);
}

// Room behind the tail is no loss, and is not reported as one.
BOOST_AUTO_TEST_CASE(a_torn_tail_is_cut_once_and_reported) {
  start(kAlways);
  turn("SET a 1");
  const State before = server->state();
  turn("SET b 1");
  DiskImage torn = image();
  FileContent& log = torn.files[std::string(kIncrement)];
  const std::string whole = log.text();
  const uint64_t torn_size = whole.size();
  const size_t content = whole.find_last_not_of('\0') + 1;
  BOOST_TEST_REQUIRE(torn_size > content + 1'000);  // there is room
  log.resize(content - 3);
  log.resize(torn_size);

  Settings strict = kAlways;
  strict.emplace_back("aof-load-truncated", "no");
  Restart refused(torn, strict);
  BOOST_TEST(refused.exit_code == 11);
  BOOST_TEST(refused.says("Unexpected end of file reading the append only file"));
  BOOST_TEST((refused.image().files[std::string(kIncrement)].size() == torn_size));

  Restart cut(torn, kAlways);
  BOOST_TEST(cut.exit_code == 0);
  BOOST_TEST((cut.server->state() == before));
  BOOST_TEST(cut.server->info("last_recovery_result") == "torn-tail");
  const size_t begins = whole.rfind("*3\r\n$3\r\nSET\r\n$1\r\nb") - kRecordHeaderBytes;
  const std::string dropped = std::to_string(content - 3 - begins);
  BOOST_TEST(cut.server->info("last_recovery_dropped_bytes") == dropped);
  BOOST_TEST(cut.says("cut back to the last whole unit"));
  BOOST_TEST(cut.says("bytes dropped=" + dropped + " "));
  BOOST_TEST((cut.image().files[std::string(kIncrement)].size() == begins));
  cut.server->run("SET c 1");
  cut.server->persistence.end_turn();
  Restart again(cut.image(), kAlways);
  BOOST_TEST((again.server->state() == cut.server->state()));
  BOOST_TEST(again.server->info("last_recovery_result") == "clean");
}

// A killed server leaves the room that it had made for more.
BOOST_AUTO_TEST_CASE(room_behind_the_last_unit_is_not_a_torn_tail) {
  for (const bool clean : {false, true}) {
    World world;
    world.start(kAlways);
    world.turn("SET a 1");
    world.turn("SET b 1");
    const State state = world.server->state();
    if (clean) BOOST_TEST(world.server->persistence.shut_down({}).ok());
    DiskImage left = world.image();
    FileContent& log = left.files[std::string(kIncrement)];
    const uint64_t size = log.size();
    // After a clean end, too: giving the room back may have failed.
    if (clean) log.resize(size + 5'000);
    BOOST_TEST((log.text().find_last_not_of('\0') + 1'000 < log.size()));
    Restart restart(left, kAlways);
    BOOST_TEST(restart.exit_code == 0);
    BOOST_TEST((restart.server->state() == state));
    BOOST_TEST(restart.server->info("last_recovery_result") == "clean");
    BOOST_TEST(restart.server->info("last_recovery_dropped_bytes") == "0");
    BOOST_TEST(!restart.says("Unexpected end of file"));
    BOOST_TEST(!restart.says("dropped"));
  }
}

BOOST_AUTO_TEST_CASE(damage_with_intact_units_behind_is_refused_and_named) {
  start(kAlways);
  for (int i = 0; i < 5; ++i) turn("SET key" + std::to_string(i) + " value");
  DiskImage damaged = image();
  FileContent& log = damaged.files[std::string(kIncrement)];
  log.write(kFileHeaderBytes + 130, "X");
  Restart restart(damaged, kAlways);
  BOOST_TEST(restart.exit_code == 11);
  for (const std::string_view part :
       {"Bad file format reading the append only file", "appendonly.aof.1.incr.rox",
        "offset=", "hash expected", "found", "units good before=1", "behind=", "--salvage"}) {
    BOOST_TEST(restart.says(part), part << " is missing in " << restart.server->log_text);
  }
  // Nothing was touched.
  BOOST_TEST((restart.image().files[std::string(kIncrement)] == log));

  Restart salvage(damaged, kAlways, {.restore_file = {}, .salvage = true, .on_progress = {}});
  BOOST_TEST(salvage.exit_code == 0, salvage.server->log_text);
  BOOST_TEST(salvage.server->state().size() == 4u);
  BOOST_TEST((restarted(salvage.image(), kAlways) == salvage.server->state()));
  BOOST_TEST(salvage.image().files.contains("data/roxdb-losses.txt"));
  BOOST_TEST(salvage.image().files.contains(std::string(kIncrement) + ".orphan"));
}

BOOST_AUTO_TEST_CASE(a_damaged_or_missing_manifest_and_missing_files_are_refused) {
  start(kAlways);
  turn("SET a 1");
  const DiskImage good = image();

  DiskImage damaged = good;
  damaged.files[std::string(kManifest)].write(3, "x");
  Restart one(damaged, kAlways);
  BOOST_TEST(one.exit_code == 11);
  BOOST_TEST(one.says("Invalid AOF manifest file format"));
  BOOST_TEST(one.says("appendonly.aof.1.incr.rox"));

  DiskImage without_manifest = good;
  without_manifest.files.erase(std::string(kManifest));
  Restart two(without_manifest, kAlways);
  BOOST_TEST(two.exit_code == 11);
  BOOST_TEST(two.says("The AOF manifest is missing"));

  DiskImage without_increment = good;
  without_increment.files.erase(std::string(kIncrement));
  Restart three(without_increment, kAlways);
  BOOST_TEST(three.exit_code == 11);
  BOOST_TEST(three.says("missing= appendonly.aof.1.incr.rox"));

  DiskImage newer = good;
  std::string text = newer.files[std::string(kIncrement)].text();
  text[8] = 9;
  newer.files[std::string(kIncrement)] = FileContent(text);
  BOOST_TEST(Restart(newer, kAlways).exit_code == 11);
}

BOOST_AUTO_TEST_CASE(an_empty_log_without_other_data_starts_empty) {
  start(kAlways);
  DiskImage empty = image();
  empty.files[std::string(kIncrement)] = FileContent();
  Restart restart(empty, kAlways);
  BOOST_TEST(restart.exit_code == 0, restart.server->log_text);
  BOOST_TEST(restart.says("The append only file is empty"));
  restart.server->run("SET a 1");
  restart.server->persistence.end_turn();
  BOOST_TEST((restarted(restart.image(), kAlways) == restart.server->state()));
}

BOOST_AUTO_TEST_CASE(a_read_error_is_refused_with_its_own_code) {
  start(kAlways);
  turn("SET a 1");
  turn("BGREWRITEAOF");
  wait(200);
  turn("SET b 1");
  leave();
  uint64_t reads = 0;
  for (uint64_t nth = 1;; ++nth) {
    CrashingEnvironment copy(5, image());
    FailingEnvironment failing(copy);
    failing.add({.kind = CallKind::kRead, .nth = nth});
    SimulatedServer next(failing, kAlways);
    const int exit_code = next.load();
    if (failing.injected() == 0) break;
    reads++;
    BOOST_TEST(exit_code == 12, next.log_text);
  }
  BOOST_TEST(reads >= 4u);
}

BOOST_AUTO_TEST_CASE(stale_files_are_removed_and_strangers_set_aside) {
  start(kAlways);
  turn("SET a 1");
  DiskImage image = this->image();
  const std::string directory = "data/appendonlydir/";
  image.files["data/dump.rdb.tmp.77.1"] = FileContent("half");
  image.files[directory + "appendonly.aof.9.base.rox.tmp.77.0"] = FileContent("half");
  image.files[directory + "appendonly.aof.9.incr.rox"] = FileContent("who am I");
  image.files[directory + "notes.txt"] = FileContent("mine");
  Restart restart(image, kAlways);
  BOOST_TEST(restart.exit_code == 0);
  const auto files = restart.image().files;
  BOOST_TEST(!files.contains("data/dump.rdb.tmp.77.1"));
  BOOST_TEST(!files.contains(directory + "appendonly.aof.9.base.rox.tmp.77.0"));
  BOOST_TEST(files.contains(directory + "appendonly.aof.9.incr.rox.orphan"));
  BOOST_TEST(files.contains(directory + "notes.txt"));
}

// D4: a log means the same on any date. The key's expiry is taken away before it is due, and the
// replay happens long after it would have been.
BOOST_AUTO_TEST_CASE(a_replay_happens_at_the_time_of_the_units) {
  start(kAlways);
  turn("SET kept v PX 5000");
  turn("SET gone v PX 5000");
  turn("BGREWRITEAOF");
  wait(200);
  turn("APPEND kept w");
  turn("PERSIST kept");
  turn("SET short v PX 100");
  wait(1'000);
  turn("SET short w");
  const int64_t later_ms = disk.now_ms() + 3'600'000;
  Restart restart(image(), kAlways, {}, later_ms);
  BOOST_TEST(restart.exit_code == 0);
  BOOST_TEST(restart.server->run("GET kept") == "$vw");
  BOOST_TEST(restart.server->run("GET short") == "$w");
  BOOST_TEST(restart.server->run("GET gone") == "$nil");
}

BOOST_AUTO_TEST_CASE(restoring_takes_a_file_and_keeps_the_old_ones) {
  start(kNoLog);
  turn("SET wanted 1");
  turn("SAVE");
  const FileContent wanted = image().files["data/dump.rdb"];
  for (const Settings& settings : {kAlways, kNoLog}) {
    World world;
    world.start(settings);
    world.turn("SET other 1");
    world.turn("SAVE");
    DiskImage image = world.image();
    image.files["data/backup.rox"] = wanted;
    Restart restart(image, settings,
                    {.restore_file = "data/backup.rox", .salvage = false, .on_progress = {}});
    BOOST_TEST(restart.exit_code == 0, restart.server->log_text);
    BOOST_TEST((restart.server->state() == server->state()));
    BOOST_TEST((restarted(restart.image(), settings) == server->state()));
    BOOST_TEST((restarted(restart.image(), kAlways) == server->state()));
    BOOST_TEST(restart.image().files.contains("data/dump.rdb.before-restore"));
    Restart absent(image, settings,
                   {.restore_file = "data/none", .salvage = false, .on_progress = {}});
    BOOST_TEST(absent.exit_code == 12);
  }
}

BOOST_AUTO_TEST_CASE(progress_is_told_while_loading) {
  start(kAlways);
  for (int i = 0; i < 50; ++i) turn("SET key" + std::to_string(i) + " " + std::string(50'000, 'v'));
  CrashingEnvironment copy(5, image());
  SimulatedServer next(copy, kAlways);
  int told = 0;
  std::string bar;
  Persistence::LoadOptions options;
  options.on_progress = [&] {
    told++;
    BOOST_TEST(next.persistence.is_loading());
    BOOST_TEST(next.info("loading") == "1");
    BOOST_TEST(next.info("loading_loaded_bytes") != "absent");
    bar = next.persistence.progress_bar();
    copy.advance_ms(10);
  };
  copy.advance_ms(10);
  BOOST_TEST(next.load(options) == 0);
  BOOST_TEST(told >= 1);
  BOOST_TEST(bar.find('%') != std::string::npos);
  BOOST_TEST(!next.persistence.is_loading());
  BOOST_TEST(next.info("loading") == "0");
}

BOOST_AUTO_TEST_SUITE_END()
