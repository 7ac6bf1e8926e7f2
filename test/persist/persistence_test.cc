#include "persist/persistence.h"

#include <boost/test/unit_test.hpp>

#include "persist/file_header.h"
#include "test/persist/persistence_world.h"

namespace {

using namespace roxdb;
using namespace roxdb::persist;
using namespace roxdb::persist::test;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(persist_persistence, World)

// --- the log

BOOST_AUTO_TEST_CASE(what_was_logged_is_there_after_a_restart) {
  start(kAlways);
  server->run("SET a 1");
  server->run("SELECT 2");
  server->run("SET b 2 EX 100");
  server->run_unit({"INCR a", "SELECT 0", "APPEND a x", "SELECT 3", "SET c 3"});
  BOOST_TEST(server->persistence.end_turn() == 0u);
  BOOST_TEST(server->state().size() == 4u);
  BOOST_TEST((restarted(image(), kAlways) == server->state()));
}

// What is logged can be read with other names of commands, and with none.
BOOST_AUTO_TEST_CASE(a_log_does_not_depend_on_names_of_commands) {
  start(kAlways);
  server->run("SET before 1");
  engine::CommandTable& commands = server->engine.commands();
  BOOST_TEST_REQUIRE(commands.rename("set", "put"));
  BOOST_TEST_REQUIRE(commands.rename("del", ""));
  BOOST_TEST_REQUIRE(commands.rename("xgroup", "groups"));
  BOOST_TEST(turn("PUT a 1") == "+OK");
  BOOST_TEST(turn("PUT due 1 PX 5") == "+OK");
  BOOST_TEST(turn("GROUPS CREATE s g 0 MKSTREAM") == "+OK");
  wait(100);
  BOOST_TEST(turn("GET due") == "$nil");
  const State expected = server->state();
  BOOST_TEST(expected.size() == 3u);
  BOOST_TEST((restarted(image(), kAlways) == expected));
  CrashingEnvironment same_disk(4, image());
  SimulatedServer renamed(same_disk, kAlways);
  BOOST_TEST_REQUIRE(renamed.engine.commands().rename("set", "put"));
  BOOST_TEST_REQUIRE(renamed.engine.commands().rename("del", ""));
  BOOST_TEST_REQUIRE(renamed.load() == 0, renamed.log_text);
  BOOST_TEST((renamed.state() == expected));
}

BOOST_AUTO_TEST_CASE(always_answers_after_the_sync_and_one_sync_serves_a_group) {
  SteppedExecutor executor;
  start(kAlways, &executor);
  int released = 0;
  server->persistence.on_release = [&] { released++; };
  turn("SET a 1");
  const uint64_t first = ticket;
  BOOST_TEST(first > server->persistence.released());
  // While the sync runs, two more turns: nothing is written for them yet.
  const uint64_t writes = environment.calls(CallKind::kWrite, "incr");
  const uint64_t syncs = environment.calls(CallKind::kSync, "incr");
  turn("SET b 1");
  turn("SET c 1");
  const uint64_t last = ticket;
  // A read waits too: it may have seen what is not on the disk yet.
  BOOST_TEST(turn("GET b") == "$1");
  BOOST_TEST(ticket == last);
  BOOST_TEST(environment.calls(CallKind::kWrite, "incr") == writes);
  executor.step();
  BOOST_TEST(released == 1);
  BOOST_TEST(server->persistence.released() >= first);
  BOOST_TEST(server->persistence.released() < last);
  BOOST_TEST(environment.calls(CallKind::kWrite, "incr") == writes + 1);
  // One sync for both, and that of the room which is made for records to come.
  while (!executor.idle()) executor.step();
  BOOST_TEST(server->persistence.released() >= last);
  BOOST_TEST(environment.calls(CallKind::kSync, "incr") == syncs + 3);
  turn("GET b");
  BOOST_TEST(ticket == 0u);
}

BOOST_AUTO_TEST_CASE(everysec_answers_at_once_and_makes_writers_wait_after_two_seconds) {
  SteppedExecutor executor;
  start(kEverySecond, &executor);
  turn("SET a 1");
  BOOST_TEST(ticket == 0u);
  wait(1'000);
  BOOST_TEST(!executor.idle());
  const uint64_t writes = environment.calls(CallKind::kWrite, "incr");
  // The sync hangs: what comes in waits in memory, and is answered, for two seconds.
  wait(1'000);
  turn("SET b 1");
  BOOST_TEST(ticket == 0u);
  BOOST_TEST(environment.calls(CallKind::kWrite, "incr") == writes);
  BOOST_TEST(server->info("aof_delayed_fsync") == "0");
  wait(1'100);
  BOOST_TEST(server->info("aof_delayed_fsync") == "1");
  engine::Session client(engine::Session::Kind::kClient);
  commands::test::ReplyText reply;
  const std::string_view set[] = {"SET", "c", "1"};
  const std::string_view get[] = {"GET", "b"};
  BOOST_TEST((server->engine.execute(client, set, reply) == engine::Verdict::kPostpone));
  BOOST_TEST((server->engine.execute(client, get, reply) == engine::Verdict::kPass));
  BOOST_TEST(reply.take() == "$1");
  // What waited is written now. It may be as old as that sync, so writers wait for its own, too.
  executor.step();
  BOOST_TEST(environment.calls(CallKind::kWrite, "incr") == writes + 1);
  BOOST_TEST((server->engine.execute(client, set, reply) == engine::Verdict::kPostpone));
  executor.step();
  BOOST_TEST((server->engine.execute(client, set, reply) == engine::Verdict::kPass));
  while (!executor.idle()) executor.step();
}

BOOST_AUTO_TEST_CASE(no_never_syncs_and_answers_after_the_write) {
  start(kNever);
  const uint64_t syncs = environment.calls(CallKind::kSync, "incr");
  turn("SET a 1");
  BOOST_TEST(ticket == 0u);
  wait(5'000);
  BOOST_TEST(environment.calls(CallKind::kSync, "incr") == syncs);
  BOOST_TEST((restarted(image(), kNever) == server->state()));
}

BOOST_AUTO_TEST_CASE(a_change_of_policy_lets_go_what_waited_for_the_old_one) {
  SteppedExecutor executor;
  start(kAlways, &executor);
  turn("SET a 1");
  BOOST_TEST(ticket > server->persistence.released());
  BOOST_TEST(server->set("appendfsync", "no"));
  BOOST_TEST(ticket <= server->persistence.released());
  while (!executor.idle()) executor.step();
}

// Units come in between a job's work and the news of its end, at every such place; then none do.
BOOST_AUTO_TEST_CASE(units_written_while_a_log_is_turned_on_keep_nobody_waiting) {
  for (const std::string policy : {"always", "everysec"}) {
    for (int writes = 0; writes < 16; ++writes) {
      SteppedExecutor executor;
      start({{"appendonly", "no"}, {"appendfsync", policy}}, &executor);
      BOOST_TEST(server->set("appendonly", "yes"));
      for (int i = 0; i < writes; ++i) {
        turn("SET k " + std::to_string(i));
        executor.step_half();
        server->persistence.tick();
      }
      for (int i = 0; i < 40; ++i) {
        executor.step();
        server->persistence.tick();
      }
      turn("GET k");
      BOOST_TEST(ticket <= server->persistence.released(), policy << ", writes " << writes);
      wait(1'100);
      for (int i = 0; i < 40; ++i) executor.step();
      BOOST_TEST(server->info("aof_unsynced_age_ms") == "0", policy << ", writes " << writes);
      turn("SET k last");
      while (!executor.idle()) executor.step();
      BOOST_TEST(ticket <= server->persistence.released(), policy << ", writes " << writes);
    }
  }
}

// --- rewriting

BOOST_AUTO_TEST_CASE(a_rewrite_replaces_the_files_and_keeps_the_data) {
  start(kEverySecond);
  for (int i = 0; i < 100; ++i) turn("SET k " + std::to_string(i));
  BOOST_TEST(turn("BGREWRITEAOF") == "+Background append only file rewriting started");
  BOOST_TEST(turn("BGREWRITEAOF") ==
             "-ERR Background append only file rewriting already in progress");
  turn("SET later 1");
  server->persistence.tick();
  BOOST_TEST(server->info("aof_last_bgrewrite_status") == "ok");
  BOOST_TEST(server->info("aof_rewrite_in_progress") == "0");
  turn("SET after 1");
  BOOST_TEST((restarted(image(), kEverySecond) == server->state()));
  const auto files = image().files;
  BOOST_TEST(files.contains("data/appendonlydir/appendonly.aof.2.base.rox"));
  BOOST_TEST(!files.contains(std::string(kIncrement)));
}

// While the increments are switched units go to both; nobody waits and nothing is lost.
BOOST_AUTO_TEST_CASE(units_go_on_while_increments_are_switched) {
  SteppedExecutor executor;
  start(kNever, &executor);
  turn("SET before 1");
  turn("BGREWRITEAOF");
  for (int i = 0; i < 3; ++i) {
    turn("INCR counter");
    BOOST_TEST(ticket == 0u);
    BOOST_TEST((restarted(image(), kNever) == server->state()));
    executor.step_half();
    BOOST_TEST((restarted(image(), kNever) == server->state()));
  }
  while (!executor.idle()) executor.step();
  turn("INCR counter");
  BOOST_TEST((restarted(image(), kNever) == server->state()));
  wait(100);
  while (!executor.idle()) executor.step();
  BOOST_TEST(server->info("aof_rewrite_in_progress") == "0");
  turn("INCR counter");
  BOOST_TEST((restarted(image(), kNever) == server->state()));
}

BOOST_AUTO_TEST_CASE(a_log_that_has_doubled_is_rewritten_by_itself) {
  start({{"appendonly", "yes"}, {"auto-aof-rewrite-min-size", "10kb"}});
  for (int i = 0; i < 50; ++i) turn("SET k " + std::string(100, 'v'));
  wait(200);
  BOOST_TEST(server->info("aof_last_rewrite_time_sec") == "-1");
  for (int i = 0; i < 100; ++i) turn("SET k " + std::string(100, 'v'));
  wait(200);
  BOOST_TEST(server->info("aof_last_rewrite_time_sec") == "0");
  BOOST_TEST(server->log_text.find("Starting automatic rewriting of AOF") != std::string::npos);
  BOOST_TEST((restarted(image(), kEverySecond) == server->state()));
}

// In the middle of a unit the state is half of one: neither child may see it.
BOOST_AUTO_TEST_CASE(inside_a_larger_unit_children_are_only_scheduled) {
  start(kEverySecond);
  server->engine.begin_unit();
  server->run("SET half 1");
  BOOST_TEST(server->run("BGREWRITEAOF") == "+Background append only file rewriting scheduled");
  BOOST_TEST(server->run("BGSAVE") == "+Background saving scheduled");
  server->run("SET whole 1");
  server->engine.end_unit();
  server->persistence.end_turn();
  BOOST_TEST(server->info("aof_rewrite_scheduled") == "0");
  wait(300);
  BOOST_TEST(server->info("aof_last_rewrite_time_sec") == "0");
  BOOST_TEST(server->info("rdb_last_bgsave_time_sec") == "0");
  BOOST_TEST((restarted(image(), kEverySecond) == server->state()));
  BOOST_TEST((restarted(image(), kNoLog) == server->state()));
}

BOOST_AUTO_TEST_CASE(a_rewrite_whose_child_dies_changes_nothing_and_is_tried_again) {
  start({{"appendonly", "yes"}, {"auto-aof-rewrite-min-size", "1"}});
  environment.add({.kind = CallKind::kChildEnd, .os_error = 9});
  turn("SET a " + std::string(300, 'v'));
  wait(200);
  BOOST_TEST(server->info("aof_last_bgrewrite_status") == "err");
  BOOST_TEST(server->log_text.find("was killed by signal 9") != std::string::npos);
  turn("SET b 1");
  BOOST_TEST((restarted(image(), kEverySecond) == server->state()));
  wait(5'100);
  BOOST_TEST(server->info("aof_last_bgrewrite_status") == "ok");
  BOOST_TEST((restarted(image(), kEverySecond) == server->state()));
}

// --- trouble with the disk

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_writes_answers_reads_and_heals_by_itself) {
  for (const Settings& settings : {kAlways, kEverySecond, kNever}) {
    World world;
    world.start(settings);
    world.turn("SET a 1");
    world.environment.add({.kind = CallKind::kWrite,
                           .path_part = "incr",
                           .times = Fault::kAlways,
                           .os_error = ENOSPC});
    BOOST_TEST(world.turn("SET b 1") == "+OK");
    // Not stored, so not acknowledged.
    const uint64_t waiting = world.ticket;
    BOOST_TEST(waiting > world.server->persistence.released());
    const State state = world.server->state();
    const std::string refusal = "-MISCONF Errors writing to the AOF file: No space left on device";
    BOOST_TEST(world.turn("SET c 1") == refusal);
    BOOST_TEST(world.turn("PING") == refusal);
    BOOST_TEST(world.turn("GET a") == "$1");
    BOOST_TEST(world.ticket == 0u);
    BOOST_TEST((world.server->state() == state));
    BOOST_TEST(world.server->info("aof_last_write_status") == "err");
    BOOST_TEST(!world.server->persistence.write_deadline_passed());
    world.wait(10'000);
    BOOST_TEST(world.server->persistence.write_deadline_passed());
    BOOST_TEST(waiting > world.server->persistence.released());

    world.environment.clear();
    world.wait(1'100);
    BOOST_TEST(world.server->info("aof_last_write_status") == "ok");
    BOOST_TEST(waiting <= world.server->persistence.released());
    BOOST_TEST(world.turn("SET c 1") == "+OK");
    BOOST_TEST((restarted(world.image(), settings) == world.server->state()));
  }
}

BOOST_AUTO_TEST_CASE(a_failed_sync_is_never_trusted_again_a_new_log_is) {
  for (const Settings& settings : {kAlways, kEverySecond}) {
    World world;
    world.start(settings);
    world.turn("SET a 1");
    world.disk.fail_sync("incr", EIO);
    world.turn("SET b 1");
    world.wait(1'100);
    // With everything inline, the new log stands by the next tick.
    world.wait(200);
    BOOST_TEST(world.server->info("aof_last_write_status") == "ok");
    BOOST_TEST(world.server->log_text.find("fsync error") != std::string::npos);
    BOOST_TEST(world.server->log_text.find("sound again") != std::string::npos);
    BOOST_TEST(world.ticket <= world.server->persistence.released());
    BOOST_TEST(world.turn("SET c 1") == "+OK");
    world.wait(1'100);
    for (const DiskImage& image : world.disk.disk_images(1, 50)) {
      BOOST_TEST((restarted(image, settings) == world.server->state()));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_process_is_asked_to_leave_only_when_told_to) {
  start({{"appendonly", "yes"}, {"aof-exit-on-error", "yes"}});
  int exit_code = 0;
  server->persistence.on_fatal = [&](int code) { exit_code = code; };
  environment.add({.kind = CallKind::kWrite, .path_part = "incr"});
  turn("SET a 1");
  BOOST_TEST(exit_code == 14);
}

BOOST_AUTO_TEST_CASE(a_failed_snapshot_refuses_writes_until_the_next_good_one) {
  start({{"save", "1 1"}});
  environment.add({.kind = CallKind::kChildEnd, .times = 2, .os_error = 9});
  turn("SET a 1");
  wait(1'300);
  BOOST_TEST(server->info("rdb_last_bgsave_status") == "err");
  BOOST_TEST(turn("SET b 1").starts_with("-MISCONF Redis is configured to save RDB snapshots"));
  BOOST_TEST(turn("GET a") == "$1");
  wait(5'200);
  BOOST_TEST(environment.injected() == 2u);
  BOOST_TEST(server->set("stop-writes-on-bgsave-error", "no"));
  BOOST_TEST(turn("SET b 1") == "+OK");
  BOOST_TEST(server->set("stop-writes-on-bgsave-error", "yes"));
  wait(10'300);
  BOOST_TEST(server->info("rdb_last_bgsave_status") == "ok");
  BOOST_TEST(turn("SET c 1") == "+OK");
}

// --- on and off at run time

BOOST_AUTO_TEST_CASE(the_log_can_be_turned_on_and_off_while_serving) {
  start(kNoLog);
  turn("SET a 1");
  BOOST_TEST(server->info("aof_enabled") == "0");
  BOOST_TEST(server->set("appendonly", "yes"));
  turn("SET b 1");
  wait(200);
  BOOST_TEST(server->info("aof_enabled") == "1");
  turn("SET c 1");
  BOOST_TEST((restarted(image(), kAlways) == server->state()));
  BOOST_TEST(server->set("appendonly", "no"));
  const State ended = server->state();
  turn("SET d 1");
  // Nothing newer was saved: the log is what there is.
  BOOST_TEST((restarted(image(), kAlways) == ended));
  turn("SAVE");
  // A newer snapshot wins over a log that has ended.
  BOOST_TEST((restarted(image(), kAlways) == server->state()));
}

BOOST_AUTO_TEST_CASE(turning_the_log_off_ends_its_rewrite) {
  start(kAlways);
  turn("SET a 1");
  disk.let_children_lag(1);
  turn("BGREWRITEAOF");
  BOOST_TEST(server->info("aof_rewrite_in_progress") == "1");
  BOOST_TEST(server->set("appendonly", "no"));
  BOOST_TEST(server->info("aof_rewrite_in_progress") == "0");
  BOOST_TEST(server->log_text.find("Killing AOF child") != std::string::npos, server->log_text);
  BOOST_TEST((restarted(image(), kAlways) == server->state()));
}

// A server that was started without its log, by mistake, has not made it out of date: only a
// snapshot with changes does.
BOOST_AUTO_TEST_CASE(a_log_is_out_of_date_once_a_snapshot_has_what_it_has_not) {
  start(kAlways);
  turn("SET a 1");
  const State logged = server->state();
  leave();
  Restart without(image(), kNoLog);
  BOOST_TEST(without.says("There is an append only file, and it is not loaded"));
  BOOST_TEST(without.server->run("SAVE") == "+OK");
  BOOST_TEST((restarted(without.image(), kAlways) == logged));
  without.server->run("SET b 1");
  BOOST_TEST(without.server->run("SAVE") == "+OK");
  BOOST_TEST((restarted(without.image(), kAlways) == without.server->state()));
}

// --- the end

BOOST_AUTO_TEST_CASE(shutdown_keeps_everything_or_stays) {
  start({{"appendonly", "yes"}, {"save", "3600 1"}});
  turn("SET a 1");
  turn("BGSAVE");
  environment.add({.kind = CallKind::kRename, .path_part = "dump"});
  BOOST_TEST(!server->persistence.shut_down({}).ok());
  BOOST_TEST(server->log_text.find("Error trying to save the DB, can't exit") != std::string::npos);
  environment.add({.kind = CallKind::kSync, .path_part = "incr"});
  turn("SET b 1");
  BOOST_TEST(!server->persistence.shut_down({}).ok());
  environment.clear();
  BOOST_TEST(server->persistence.shut_down({}).ok());
  for (const DiskImage& image : disk.disk_images(1, 30)) {
    BOOST_TEST((restarted(image, kEverySecond) == server->state()));
    BOOST_TEST((restarted(image, kNoLog) == server->state()));
  }
}

BOOST_AUTO_TEST_CASE(a_forced_shutdown_leaves_whatever_fails) {
  start({{"appendonly", "yes"}, {"save", "3600 1"}});
  turn("SET a 1");
  environment.add({.kind = CallKind::kAny, .times = Fault::kAlways});
  BOOST_TEST(!server->persistence.shut_down({}).ok());
  BOOST_TEST(server->persistence.shut_down({ShutdownRequest::Save::kNever, true}).ok());
}

// After a clean end no byte of the log can be taken for a torn tail, the last unit included.
BOOST_AUTO_TEST_CASE(a_clean_end_makes_every_later_damage_visible) {
  start(kAlways);
  turn("SET a 1");
  leave();
  DiskImage damaged = image();
  damaged.files[std::string(kIncrement)].write(kFileHeaderBytes + 40, "X");
  BOOST_TEST(Restart(damaged, kAlways).exit_code == 11);
}

// --- commands and settings

BOOST_AUTO_TEST_CASE(the_commands_answer_as_redis_does) {
  SteppedExecutor executor;
  disk.let_children_lag(1);
  start(kEverySecond, &executor);
  BOOST_TEST(turn("SAVE") == "+OK");
  BOOST_TEST(turn("LASTSAVE") == ":" + std::to_string(disk.now_ms() / 1000));
  BOOST_TEST(turn("BGSAVE NOW") == "-ERR syntax error");
  BOOST_TEST(turn("BGSAVE CANCEL") ==
             "-ERR Background saving is currently not in progress or scheduled");
  BOOST_TEST(turn("BGSAVE") == "+Background saving started");
  BOOST_TEST(turn("BGSAVE") == "-ERR Background save already in progress");
  BOOST_TEST(turn("SAVE") == "-ERR Background save already in progress");
  BOOST_TEST(turn("BGREWRITEAOF") == "+Background append only file rewriting scheduled");
  BOOST_TEST(turn("BGSAVE CANCEL") == "+Background saving cancelled");
  wait(100);
  BOOST_TEST(server->info("aof_rewrite_in_progress") == "1");
  BOOST_TEST(turn("BGSAVE").starts_with("-ERR Another child process is active (AOF?)"));
  BOOST_TEST(turn("BGSAVE SCHEDULE") == "+Background saving scheduled");
  BOOST_TEST(turn("BGSAVE CANCEL") == "+Scheduled background saving cancelled");
  for (int i = 0; i < 30; ++i) {
    wait(100);
    executor.step();
  }
  BOOST_TEST(server->info("aof_last_bgrewrite_status") == "ok");
  while (!executor.idle()) executor.step();
}

BOOST_AUTO_TEST_CASE(a_rewrite_with_the_log_off_writes_what_a_start_with_it_loads) {
  start(kNoLog);
  turn("SET a 1");
  BOOST_TEST(turn("BGREWRITEAOF") == "+Background append only file rewriting started");
  wait(200);
  BOOST_TEST(server->info("aof_last_bgrewrite_status") == "ok");
  BOOST_TEST((restarted(image(), kAlways) == server->state()));
  // Whoever asks for it has it loaded, as it was then.
  const State state = server->state();
  turn("SET b 1");
  std::string why;
  BOOST_TEST(server->persistence.reload_aof(why).ok(), why);
  BOOST_TEST((server->state() == state));
}

BOOST_AUTO_TEST_CASE(a_log_that_is_not_there_cannot_be_loaded_again) {
  start(kNoLog);
  turn("SET a 1");
  std::string why;
  BOOST_TEST(!server->persistence.reload_aof(why).ok());
  BOOST_TEST(server->state().size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_believed_of_foreign_files_is_a_setting) {
  start({{"rdb-version-check", "relaxed"}});
  BOOST_TEST(server->persistence.rdb_trust().any_version);
  BOOST_TEST(!server->persistence.rdb_trust().any_checksum);
  server->persistence.skip_checksums(true);
  BOOST_TEST(server->persistence.rdb_trust().any_checksum);
  leave();
  start(kNoLog);
  BOOST_TEST(!server->persistence.rdb_trust().any_version);
}

BOOST_AUTO_TEST_CASE(save_points_are_read_shown_and_obeyed) {
  start({{"save", "2 3 100 1"}});
  BOOST_TEST(server->engine.settings.find("save")->get() == "2 3 100 1");
  turn("SET a 1");
  turn("SET b 1");
  wait(3'000);
  BOOST_TEST(server->info("rdb_saves") == "0");
  turn("SET c 1");
  wait(200);
  BOOST_TEST(server->info("rdb_saves") == "1");
  BOOST_TEST(server->info("rdb_changes_since_last_save") == "0");
  // As one word, too: what `--save "60 1 10 2"` gives.
  const std::string word = "60 1 10 2";
  std::string why;
  BOOST_TEST(server->engine.settings.find("save")->set({&word, 1}, why), why);
  BOOST_TEST(server->engine.settings.find("save")->get() == "60 1 10 2");
  BOOST_TEST(!server->set("save", "1"));
  BOOST_TEST(!server->set("save", "0 1"));
  BOOST_TEST(!server->set("save", "1 -1"));
  BOOST_TEST(server->set("save", ""));
  BOOST_TEST(server->engine.settings.find("save")->get() == "");
}

BOOST_AUTO_TEST_CASE(names_that_are_paths_and_moving_under_a_log_are_refused) {
  start(kEverySecond);
  std::string why;
  const std::string path[] = {"../x"};
  BOOST_TEST(!server->engine.settings.load("appendfilename", path, why));
  BOOST_TEST(!server->engine.settings.load("appenddirname", path, why));
  BOOST_TEST(!server->set("dir", "elsewhere"));
  BOOST_TEST(server->engine.settings.find("dir")->get() == "data");
  BOOST_TEST(!server->set("appendfsync", "sometimes"));
}

BOOST_AUTO_TEST_CASE(debug_reload_and_loadaof_give_the_same_data) {
  start(kAlways);
  turn("SET a 1");
  turn("SET b 2 EX 100");
  const State state = server->state();
  std::string why;
  BOOST_TEST(server->persistence.reload_aof(why).ok(), why);
  BOOST_TEST((server->state() == state));
  BOOST_TEST(server->persistence.reload_snapshot({}, why).ok(), why);
  BOOST_TEST((server->state() == state));
  turn("SET c 3");
  // Without saving first the older state comes back, and the log follows.
  BOOST_TEST(
      server->persistence.reload_snapshot({.save = false, .flush = true, .merge = false}, why)
          .ok());
  BOOST_TEST((server->state() == state));
  server->persistence.end_turn();
  wait(200);
  turn("SET d 4");
  BOOST_TEST((restarted(image(), kAlways) == server->state()));
}

BOOST_AUTO_TEST_CASE(a_snapshot_that_cannot_be_loaded_again_drops_nothing) {
  start(kNoLog);
  turn("SET a 1");
  turn("SAVE");
  turn("SET b 2");
  const State state = server->state();
  {
    auto file = environment.open("data/dump.rdb", OpenMode::kAppend);
    BOOST_TEST_REQUIRE(file.ok());
    BOOST_TEST_REQUIRE((*file)->truncate(kFileHeaderBytes + 10).ok());
  }
  std::string why;
  const bool reloaded =
      server->persistence.reload_snapshot({.save = false, .flush = true, .merge = false}, why).ok();
  BOOST_TEST(!reloaded);
  BOOST_TEST(!why.empty());
  BOOST_TEST((server->state() == state));
}

BOOST_AUTO_TEST_CASE(info_has_every_name_that_tools_ask_for) {
  start(kEverySecond);
  for (const std::string_view name : {"loading",
                                      "async_loading",
                                      "rdb_changes_since_last_save",
                                      "rdb_bgsave_in_progress",
                                      "rdb_last_save_time",
                                      "rdb_last_bgsave_status",
                                      "aof_enabled",
                                      "aof_rewrite_in_progress",
                                      "aof_rewrite_scheduled",
                                      "aof_last_rewrite_time_sec",
                                      "aof_current_rewrite_time_sec",
                                      "aof_last_bgrewrite_status",
                                      "aof_last_write_status",
                                      "aof_last_cow_size",
                                      "module_fork_in_progress",
                                      "module_fork_last_cow_size",
                                      "aof_current_size",
                                      "aof_base_size",
                                      "aof_pending_rewrite",
                                      "aof_buffer_length",
                                      "aof_pending_bio_fsync",
                                      "aof_delayed_fsync",
                                      "aof_last_sync_ms",
                                      "aof_last_sync_error",
                                      "aof_unsynced_bytes",
                                      "aof_unsynced_age_ms",
                                      "last_recovery_result",
                                      "last_recovery_dropped_bytes",
                                      "snapshot_last_verify",
                                      "snapshot_last_verify_time"}) {
    BOOST_TEST(server->info(name) != "absent", name);
  }
  const std::string stats = server->engine.info.text("stats");
  BOOST_TEST(stats.find("total_forks:") != std::string::npos);
  BOOST_TEST(stats.find("latest_fork_usec:") != std::string::npos);
}

// --- FLUSHALL

const Settings kSaves = {{"save", "3600 1"}};

// As redis-server 7.0.15 does: otherwise the next start would bring the keys back.
BOOST_AUTO_TEST_CASE(flushall_empties_the_snapshot_when_save_points_are_set) {
  for (const bool saves : {true, false}) {
    World world;
    world.start(saves ? kSaves : kNoLog);
    world.turn("SET a 1");
    world.turn("SAVE");
    const State saved = world.server->state();
    world.disk.advance_ms(5'000);
    BOOST_TEST(world.turn("FLUSHALL") == "+OK");
    const int64_t last_save_s = std::stoll(world.server->info("rdb_last_save_time"));
    BOOST_TEST(last_save_s == world.disk.now_ms() / 1'000 - (saves ? 0 : 5));
    BOOST_TEST(world.server->info("rdb_changes_since_last_save") == (saves ? "0" : "1"));
    BOOST_TEST((restarted(world.image(), kNoLog) == (saves ? State{} : saved)));
    world.turn("SET b 2");
    BOOST_TEST(world.server->info("rdb_changes_since_last_save") == (saves ? "1" : "2"));
  }
}

BOOST_AUTO_TEST_CASE(flushall_in_a_unit_is_saved_behind_the_unit) {
  start(kSaves);
  turn("SET a 1");
  turn("SAVE");
  server->run_unit({"SET b 1", "FLUSHALL", "SET c 1"});
  BOOST_TEST((restarted(image(), kNoLog) == State{{{0, "a"}, {"1", -1}}}));
  server->persistence.end_turn();
  BOOST_TEST((restarted(image(), kNoLog) == State{{{0, "c"}, {"1", -1}}}));
}

BOOST_AUTO_TEST_CASE(a_background_save_does_not_bring_flushed_keys_back) {
  disk.let_children_lag(1);
  start(kSaves);
  turn("SET a 1");
  turn("BGSAVE");
  BOOST_TEST(server->info("rdb_bgsave_in_progress") == "1");
  turn("FLUSHALL");
  BOOST_TEST(server->info("rdb_bgsave_in_progress") == "0");
  wait(1'000);
  BOOST_TEST((restarted(image(), kNoLog) == State{}));
}

// It would hold the memory of what was removed. The snapshot before it stays.
BOOST_AUTO_TEST_CASE(a_flush_ends_a_background_save_without_save_points_too) {
  start(kNoLog);
  turn("SET a 1");
  turn("SAVE");
  const State saved = server->state();
  turn("SET b 1");
  disk.let_children_lag(1);
  turn("BGSAVE");
  turn("FLUSHALL");
  BOOST_TEST(server->info("rdb_bgsave_in_progress") == "0");
  wait(1'000);
  BOOST_TEST((restarted(image(), kNoLog) == saved));
}

BOOST_AUTO_TEST_CASE(a_flush_that_could_not_be_saved_is_saved_later) {
  start(kSaves);
  turn("SET a 1");
  turn("SAVE");
  environment.add({.kind = CallKind::kWrite, .path_part = "dump.rdb"});
  BOOST_TEST(turn("FLUSHALL") == "+OK");
  BOOST_TEST(server->info("rdb_last_bgsave_status") == "err");
  BOOST_TEST(turn("SET b 1").starts_with("-MISCONF"));
  BOOST_TEST((restarted(image(), kNoLog) != State{}));
  wait(6'000);
  BOOST_TEST(server->info("rdb_last_bgsave_status") == "ok");
  BOOST_TEST((restarted(image(), kNoLog) == State{}));
  BOOST_TEST(turn("SET b 1") == "+OK");
}

// What a log says was flushed once is no reason to save now.
BOOST_AUTO_TEST_CASE(a_replayed_flushall_saves_nothing) {
  Settings settings = kAlways;
  settings.insert(settings.end(), kSaves.begin(), kSaves.end());
  start(settings);
  turn("SET a 1");
  turn("FLUSHALL");
  turn("SET b 2");
  const uint64_t renames = environment.calls(CallKind::kRename, "dump.rdb");
  BOOST_TEST(renames == 1u);
  std::string why;
  BOOST_TEST(server->persistence.reload_aof(why).ok(), why);
  server->persistence.end_turn();
  BOOST_TEST(environment.calls(CallKind::kRename, "dump.rdb") == renames);
  BOOST_TEST((restarted(image(), settings) == State{{{0, "b"}, {"2", -1}}}));
}

BOOST_AUTO_TEST_SUITE_END()
