// The moments around a log that is switched on or off, moved, or loaded again: what was
// acknowledged before and after is there when the server has been killed.
#include <boost/test/unit_test.hpp>

#include "test/persist/persistence_world.h"

namespace roxdb::persist::test {

BOOST_FIXTURE_TEST_SUITE(persist_switching, World)

// Installed behind the end of the log, it would count as newer, and it is older.
BOOST_AUTO_TEST_CASE(a_snapshot_begun_under_a_log_begins_anew_when_the_log_ends) {
  start(kAlways);
  turn("SET a 1");
  disk.let_children_lag(1);
  turn("BGSAVE");
  turn("SET b 1");
  BOOST_TEST(server->set("appendonly", "no"));
  BOOST_TEST(server->info("rdb_bgsave_in_progress") == "0");
  BOOST_TEST((restarted(image(), kAlways) == server->state()));
  wait(1'000);
  BOOST_TEST(server->info("rdb_bgsave_in_progress") == "0");
  BOOST_TEST((restarted(image(), kAlways) == server->state()));
  BOOST_TEST((restarted(image(), kNoLog) == server->state()));
}

BOOST_AUTO_TEST_CASE(a_snapshot_wins_over_an_old_log_while_a_new_one_is_being_made) {
  start(kAlways);
  turn("SET old 1");
  leave();
  SteppedExecutor executor;
  start(kNoLog, &executor);
  turn("SET new 1");
  disk.let_children_lag(1);
  BOOST_TEST(server->set("appendonly", "yes"));
  const auto settle = [&] {
    while (!executor.idle()) executor.step();
  };
  server->persistence.tick();
  settle();
  turn("SET newer 1");
  settle();
  BOOST_TEST(server->info("aof_rewrite_in_progress") == "1");
  BOOST_TEST(turn("SAVE") == "+OK");
  BOOST_TEST((restarted(image(), kAlways) == server->state()));
  for (int i = 0; i < 60; ++i) {
    wait(100);
    executor.step();
  }
  turn("SET newest 1");
  for (int i = 0; i < 10; ++i) executor.step();
  BOOST_TEST((restarted(image(), kAlways) == server->state()));
}

BOOST_AUTO_TEST_CASE(a_log_begins_in_the_directory_that_is_set) {
  start(kAlways);
  turn("SET a 1");
  BOOST_TEST(server->set("appendonly", "no"));
  BOOST_TEST_REQUIRE(environment.make_directory("other").ok());
  BOOST_TEST_REQUIRE(server->set("dir", "other"));
  BOOST_TEST(server->set("appendonly", "yes"));
  wait(200);
  BOOST_TEST(server->info("aof_enabled") == "1");
  turn("SET b 1");
  BOOST_TEST((restarted(image(), {{"dir", "other"}, {"appendonly", "yes"}}) == server->state()));
}

// The log knows the key, and has to hear of its end before another of this name comes.
BOOST_AUTO_TEST_CASE(what_expired_before_a_reload_is_deleted_in_the_log) {
  start(kAlways);
  turn("HSET h f 1");
  turn("PEXPIRE h 100");
  disk.advance_ms(200);
  std::string why;
  BOOST_TEST(server->persistence.reload_snapshot({}, why).ok(), why);
  turn("HSET h g 2");
  BOOST_TEST((restarted(image(), kAlways) == server->state()));
}

BOOST_AUTO_TEST_CASE(a_string_may_be_longer_than_new_ones_may_grow) {
  start(kAlways);
  turn("SETRANGE s 5000 x");
  const State state = server->state();
  leave();
  server = std::make_unique<SimulatedServer>(environment, kAlways);
  server->engine.string_bytes_max = 100;
  BOOST_TEST_REQUIRE(server->load() == 0, server->log_text);
  BOOST_TEST((server->state() == state));
  BOOST_TEST(server->engine.string_bytes_max == 100u);
}

// An older log that was not loaded has its names; the new one must not take them.
BOOST_AUTO_TEST_CASE(a_log_that_was_left_off_keeps_its_files_until_a_new_one_is_there) {
  start(kAlways);
  turn("SET old 1");
  const State logged = server->state();
  leave();
  for (const std::string_view command : {"CONFIG", "BGREWRITEAOF"}) {
    Restart without(image(), kNoLog);
    const auto wait = [&] {
      for (int i = 0; i < 20; ++i) {
        without.disk.advance_ms(100);
        without.server->persistence.tick();
        without.server->persistence.end_turn();
      }
    };
    without.server->run("SET new 1");
    if (command == "CONFIG") {
      BOOST_TEST(without.server->set("appendonly", "yes"));
    } else {
      without.server->run(command);
    }
    wait();
    BOOST_TEST((restarted(without.image(), kAlways) == without.server->state()), command);
  }
}

// Memory holds a part of the data then, the files hold all of it.
BOOST_AUTO_TEST_CASE(an_end_while_loading_saves_nothing) {
  start({{"save", "3600 1"}});
  turn("SET a 1");
  turn("SET b 1");
  const State state = server->state();
  leave();
  const DiskImage before = image();
  server = std::make_unique<SimulatedServer>(environment, Settings{{"save", "3600 1"}});
  int ends = 0;
  Persistence::LoadOptions options;
  options.on_progress = [&] {
    server->engine.flush(-1, false);
    BOOST_TEST(server->persistence.shut_down({.save = ShutdownRequest::Save::kAlways}).ok());
    BOOST_TEST((restarted(image(), kNoLog) == state));
    ++ends;
  };
  server->load(std::move(options));
  BOOST_TEST(ends > 0);
}

// Their manifest was lost; a backup was taken instead. The next start must not miss it.
BOOST_AUTO_TEST_CASE(a_restore_sets_a_log_without_manifest_aside) {
  start(kAlways);
  turn("SET a 1");
  turn("SAVE");
  const State state = server->state();
  leave();
  BOOST_TEST_REQUIRE(environment.remove(std::string(kManifest)).ok());
  const Restart damaged(image(), kAlways);
  BOOST_TEST(damaged.exit_code == 11);
  const Restart restored(image(), kNoLog, {.restore_file = "data/dump.rdb"});
  BOOST_TEST(restored.exit_code == 0, restored.server->log_text);
  BOOST_TEST((restarted(restored.image(), kAlways) == state));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::persist::test
