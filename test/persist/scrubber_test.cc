#include "persist/scrubber.h"

#include <boost/test/unit_test.hpp>

#include "persist/file_header.h"
#include "test/persist/persistence_world.h"

namespace {

using namespace roxdb;
using namespace roxdb::persist;
using namespace roxdb::persist::test;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(persist_scrubber, World)

const Settings kScrub = {{"persist-scrub", "yes"}};
constexpr uint64_t kDayMs = 24 * 3'600'000;

BOOST_AUTO_TEST_CASE(what_was_saved_or_loaded_is_verified) {
  start(kNoLog);
  BOOST_TEST(server->info("snapshot_last_verify") == "never");
  BOOST_TEST(server->info("snapshot_last_verify_time") == "-1");
  turn("SET a 1");
  disk.advance_ms(5'000);
  turn("SAVE");
  BOOST_TEST(server->info("snapshot_last_verify") == "ok");
  BOOST_TEST(server->info("snapshot_last_verify_time") == std::to_string(disk.now_ms() / 1'000));
  // A failed save says nothing of the snapshot that is there.
  environment.add({.kind = CallKind::kSync, .os_error = EIO});
  disk.advance_ms(5'000);
  turn("SAVE");
  BOOST_TEST(server->info("rdb_last_bgsave_status") == "err");
  BOOST_TEST(server->info("snapshot_last_verify") == "ok");
  BOOST_TEST(server->info("snapshot_last_verify_time") ==
             std::to_string(disk.now_ms() / 1'000 - 5));
  const DiskImage disk_image = image();
  BOOST_TEST(Restart(disk_image, kNoLog).server->info("snapshot_last_verify") == "ok");
  // With a log the snapshot is not looked at.
  BOOST_TEST(Restart(empty_data_directory(), kAlways).server->info("snapshot_last_verify") ==
             "never");
}

BOOST_AUTO_TEST_CASE(a_background_save_that_does_not_read_back_counts_as_failed) {
  start(kNoLog);
  turn("SET a 1");
  turn("SAVE");
  turn("SET a 2");
  environment.add({.kind = CallKind::kWrite, .path_part = "dump.rdb.tmp", .nth = 2, .flips = true});
  const std::string before = server->info("rdb_last_save_time");
  turn("BGSAVE");
  wait(2'000);
  BOOST_TEST(server->info("rdb_last_bgsave_status") == "err");
  BOOST_TEST(server->info("rdb_last_save_time") == before);
  const State old = {{{0, "a"}, {"1", -1}}};
  BOOST_TEST((restarted(image(), kNoLog) == old));
}

// Once a day, and a little at a time.
BOOST_AUTO_TEST_CASE(files_are_read_back_once_a_day) {
  Settings settings = kAlways;
  settings.insert(settings.end(), kScrub.begin(), kScrub.end());
  start(settings);
  turn("SET a 1");
  turn("SAVE");
  const uint64_t before = environment.calls(CallKind::kRead);
  wait(1'000);
  disk.advance_ms(kDayMs - 60'000);
  wait(1'000);
  BOOST_TEST(environment.calls(CallKind::kRead) == before);
  disk.advance_ms(60'000);
  wait(1'000);
  const uint64_t once = environment.calls(CallKind::kRead);
  BOOST_TEST(once > before);
  BOOST_TEST(environment.calls(CallKind::kRead, "dump.rdb") > 0u);
  BOOST_TEST(environment.calls(CallKind::kRead, "incr.rox") > 0u);
  BOOST_TEST(server->info("snapshot_last_verify") == "ok");
  BOOST_TEST(std::stoll(server->info("snapshot_last_verify_time")) >= disk.now_ms() / 1'000 - 1);
  wait(10'000);
  BOOST_TEST(environment.calls(CallKind::kRead) == once);
  disk.advance_ms(kDayMs);
  wait(1'000);
  BOOST_TEST(environment.calls(CallKind::kRead) > once);
  BOOST_TEST(!server->log_text.empty());
}

BOOST_AUTO_TEST_CASE(a_large_file_is_read_back_in_slices) {
  start(kNoLog);
  Random random(1);
  for (int i = 0; i < 12; ++i) {
    const std::string value = random_bytes(random, 1u << 20);
    server->run_args({"SET", std::to_string(i), value});
  }
  turn("SAVE");
  disk.advance_ms(5'000);
  const std::string saved = server->info("snapshot_last_verify_time");
  BOOST_TEST(server->set("persist-scrub", "yes"));
  int ticks = 0;
  while (server->info("snapshot_last_verify_time") == saved) {
    BOOST_TEST_REQUIRE(++ticks < 20);
    server->persistence.tick();
  }
  BOOST_TEST(ticks >= 3);  // 12 MiB, 4 at a time
}

BOOST_AUTO_TEST_CASE(a_damaged_snapshot_is_found_and_written_anew) {
  start(kNoLog);
  turn("SET a 1");
  turn("SAVE");
  const std::string path = "data/dump.rdb";
  {
    auto file = *disk.open(path, OpenMode::kAppend);
    BOOST_TEST_REQUIRE(file->truncate(*file->size() - 1).ok());
    BOOST_TEST_REQUIRE(file->write("x").ok());
  }
  BOOST_TEST((verify_snapshot(disk, path, {}).status.code == Code::kCorrupt));
  BOOST_TEST(server->set("persist-scrub", "yes"));
  server->persistence.tick();
  BOOST_TEST(server->info("snapshot_last_verify") == "bad");
  BOOST_TEST((server->log_text.find("A data file is not as it was written: file=data/dump.rdb") !=
              std::string::npos));
  wait(500);
  BOOST_TEST(server->info("snapshot_last_verify") == "ok");
  BOOST_TEST(verify_snapshot(disk, path, {}).status.ok());
  BOOST_TEST((restarted(image(), kNoLog) == server->state()));
}

BOOST_AUTO_TEST_CASE(a_damaged_log_is_found_and_written_anew) {
  for (const std::string name : {"base.rox", "incr.rox"}) {
    World world;
    world.start(kAlways);
    world.turn("SET a 1");
    world.turn("BGREWRITEAOF");
    world.wait(1'000);
    world.turn("SET b 2");
    std::string path;
    const auto entries = world.disk.list("data/appendonlydir");
    for (const DirectoryEntry& entry : *entries) {
      if (entry.name.ends_with(name)) path = "data/appendonlydir/" + entry.name;
    }
    {
      auto file = *world.disk.open(path, OpenMode::kAppend);
      BOOST_TEST_REQUIRE(file->truncate(kFileHeaderBytes + 10).ok());
      BOOST_TEST_REQUIRE(file->sync().ok());
    }
    BOOST_TEST_CONTEXT(path) {
      SimulatedServer& damaged = *world.server;
      BOOST_TEST(damaged.set("persist-scrub", "yes"));
      for (int i = 0; i < 5; ++i) damaged.persistence.tick();
      BOOST_TEST(damaged.info("snapshot_last_verify") == "bad");
      world.wait(1'000);
      BOOST_TEST(damaged.info("aof_last_bgrewrite_status") == "ok");
      BOOST_TEST((restarted(world.image(), kAlways) == damaged.state()));
      // A good snapshot says nothing of the log.
      world.turn("SAVE");
      BOOST_TEST(damaged.info("snapshot_last_verify") == "bad");
      world.wait(60'000);
      BOOST_TEST(damaged.info("snapshot_last_verify") == "ok");
    }
  }
}

// A pass that a save overtakes says nothing of the file that is there now.
BOOST_AUTO_TEST_CASE(reading_back_begins_anew_behind_a_save) {
  SteppedExecutor executor;
  start(kNoLog, &executor);
  turn("SET a 1");
  turn("SAVE");
  {
    auto file = *disk.open("data/dump.rdb", OpenMode::kAppend);
    BOOST_TEST_REQUIRE(file->write("damage").ok());
  }
  BOOST_TEST(server->set("persist-scrub", "yes"));
  server->persistence.tick();
  executor.step_half();  // the slice has been read, and nobody knows yet
  turn("BGSAVE");
  server->persistence.tick();
  while (server->info("rdb_bgsave_in_progress") == "1") {
    executor.step();
    server->persistence.tick();
  }
  BOOST_TEST((server->log_text.find("not as it was written") == std::string::npos));
  BOOST_TEST((server->log_text.find("The data files were read back") == std::string::npos));
  server->persistence.tick();
  while (!executor.idle()) executor.step();
  BOOST_TEST((server->log_text.find("not as it was written") == std::string::npos));
  BOOST_TEST((server->log_text.find("The data files were read back") != std::string::npos));
  BOOST_TEST(server->info("snapshot_last_verify") == "ok");
}

BOOST_AUTO_TEST_SUITE_END()
