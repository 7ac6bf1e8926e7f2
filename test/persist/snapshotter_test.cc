#include "persist/snapshotter.h"

#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "persist/files.h"
#include "test/base/temporary_directory.h"
#include "test/persist/contents.h"
#include "test/sim/crashing_environment.h"
#include "test/sim/failing_environment.h"

namespace roxdb::persist {
namespace {

constexpr const char* kPath = "data/dump.rdb";

// An Engine and its Snapshotter over some world.
struct Server {
  explicit Server(Environment& world, std::string where = "data", Executor* executor = nullptr)
      : environment(world), directory(std::move(where)) {
    log.sink = [this](LogLevel, std::string_view line) { logged += std::string(line) + "\n"; };
    engine::Engine::Options options;
    options.environment = &world;
    options.executor = executor;
    options.log = &log;
    options.hash_seed = 1;
    engine = std::make_unique<engine::Engine>(options);
    snapshotter = std::make_unique<Snapshotter>(*engine, directory);
    // No threads: every call of a simulated world comes in the same order.
    set("snapshot-threads", "0");
  }
  void set(std::string_view name, std::string_view value) {
    std::string why;
    const std::pair<std::string_view, std::string_view> pair(name, value);
    BOOST_TEST_REQUIRE(engine->settings.set({&pair, 1}, true, why), why);
  }
  std::string info() const {
    std::string text;
    engine::InfoWriter writer(text);
    snapshotter->write_info(writer, nullptr);
    return text;
  }
  std::string field(std::string_view name) const {
    const std::string text = info();
    const size_t at = text.find(std::string(name) + ":");
    BOOST_TEST_REQUIRE(at != std::string::npos, name);
    const size_t begin = at + name.size() + 1;
    return text.substr(begin, text.find("\r\n", begin) - begin);
  }
  bool shows(std::string_view line) const {
    return info().find(std::string(line) + "\r\n") != std::string::npos;
  }

  Environment& environment;
  std::string directory;
  Logger log;
  std::string logged;
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<Snapshotter> snapshotter;
};

Contents contents_with(const std::string& value) {
  Contents contents;
  for (int db = 0; db < 3; ++db) contents[{db, "key"}].value = value;
  return contents;
}

Contents loaded(Environment& environment, const std::string& path = kPath) {
  Server server(environment);
  const LoadResult result = load_snapshot(*server.engine, path, {});
  BOOST_TEST_REQUIRE(result.status.ok(), result.message);
  return contents_of(*server.engine);
}

// A disk with a snapshot of `contents`, all of it synced.
DiskImage disk_with(const Contents& contents) {
  CrashingEnvironment environment(2, empty_data_directory());
  Server server(environment);
  fill(*server.engine, contents);
  ROX_ASSERT(server.snapshotter->save(0).ok());
  return environment.disk_images(1, 2).front();
}

size_t files_in(Environment& environment) { return environment.list("data")->size(); }

// Does work at once, and keeps what should be done afterwards until told.
class LateExecutor final : public Executor {
 public:
  void run(std::function<void()> work, std::function<void()> done) override {
    work();
    late_.push_back(std::move(done));
  }
  void catch_up() {
    for (const auto& done : std::exchange(late_, {})) done();
  }

 private:
  std::vector<std::function<void()>> late_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(persist_snapshotter)

// D5, and that changes made after the fork are still unsaved.
BOOST_AUTO_TEST_CASE(a_save_counts_when_it_is_finished_and_not_before) {
  CrashingEnvironment disk(1, empty_data_directory());
  disk.let_children_lag(1);
  Server server(disk);
  fill(*server.engine, contents_with("value"));
  server.engine->dirty = 7;
  const int64_t started_s = server.snapshotter->last_save_s();
  BOOST_TEST(server.snapshotter->last_ok());
  std::vector<bool> ends;
  server.snapshotter->on_end = [&](bool ok) { ends.push_back(ok); };

  BOOST_TEST_REQUIRE(server.snapshotter->start(42).ok());
  BOOST_TEST(server.snapshotter->running());
  BOOST_TEST(server.engine->freeze_access);
  BOOST_TEST(server.shows("rdb_bgsave_in_progress:1"));
  BOOST_TEST((server.snapshotter->start(42).code == Code::kBusy));
  BOOST_TEST((server.snapshotter->save(42).code == Code::kBusy));
  disk.advance_ms(3'000);
  server.engine->dirty += 2;
  int polls = 0;
  while (server.snapshotter->running()) {
    BOOST_TEST(server.snapshotter->last_save_s() == started_s);
    BOOST_TEST(ends.empty());
    BOOST_TEST_REQUIRE(++polls < 100);
    server.snapshotter->poll();
  }
  // The child makes one call whenever it is looked at, and a poll looks twice: whether it runs, and
  // what it says. It creates the file, writes the header, three blocks and the trailer, syncs and
  // says so: eight calls in four polls. The fifth one finds it gone.
  BOOST_TEST(polls == 5);
  BOOST_TEST(ends == std::vector<bool>{true}, boost::test_tools::per_element());
  BOOST_TEST(server.snapshotter->last_save_s() == started_s + 3);
  BOOST_TEST(server.engine->dirty == 2u);
  BOOST_TEST(!server.engine->freeze_access);
  BOOST_TEST(server.shows("rdb_bgsave_in_progress:0"));
  BOOST_TEST(server.shows("rdb_last_bgsave_status:ok"));
  BOOST_TEST(server.shows("rdb_last_bgsave_time_sec:3"));
  BOOST_TEST(server.shows("rdb_changes_since_last_save:2"));
  BOOST_TEST(server.shows("rdb_saves:1"));
  BOOST_TEST(loaded(disk) == contents_with("value"));
  BOOST_TEST(verify_snapshot(disk, kPath, {}).header.sequence == 42u);
  BOOST_TEST(files_in(disk) == 1u);
}

// What the child tells is shown while it works, not at its end: the number of keys goes up again
// and again before the save is over.
BOOST_AUTO_TEST_CASE(progress_is_shown_while_the_child_works) {
  CrashingEnvironment disk(1, empty_data_directory());
  disk.let_children_lag(1);
  Server server(disk);
  Contents contents;
  for (int db = 0; db < 12; ++db) contents[{db, "key"}].value = "value";
  fill(*server.engine, contents);
  // It has to rest behind each block, for longer than the pause between two messages.
  server.set("snapshot-write-rate", "100");
  BOOST_TEST_REQUIRE(server.snapshotter->start(0).ok());
  std::vector<int> shown;
  for (int polls = 0; server.snapshotter->running(); ++polls) {
    BOOST_TEST_REQUIRE(polls < 100);
    BOOST_TEST(server.shows("current_save_keys_total:12"));
    const int keys = std::stoi(server.field("current_save_keys_processed"));
    BOOST_TEST((shown.empty() || keys >= shown.back()));
    if (shown.empty() || shown.back() != keys) shown.push_back(keys);
    server.snapshotter->poll();
  }
  BOOST_TEST(shown.front() == 0);
  // A block and its message are two calls of the child, and a poll lets it make two or three.
  BOOST_TEST(shown.size() >= 8u);
  BOOST_TEST(server.snapshotter->last_ok());
  BOOST_TEST(server.shows("current_save_keys_processed:0"));
}

// A real child, with threads, of a real process: it sees the moment of the fork.
BOOST_AUTO_TEST_CASE(a_child_saves_the_moment_of_the_fork) {
  TemporaryDirectory directory;
  Server server(real_environment(), directory.path());
  server.set("snapshot-threads", "2");
  Random random(1);
  Contents contents = random_contents(random, 3'000, real_environment().now_ms() + 1'000'000);
  contents[{1, "big"}].value = random_bytes(random, 9u << 20);
  fill(*server.engine, contents);
  BOOST_TEST_REQUIRE(server.snapshotter->start(0).ok());
  server.engine->flush(-1, false);
  fill(*server.engine, contents_with("later"));
  server.snapshotter->wait();
  BOOST_TEST(server.snapshotter->last_ok(), server.logged);
  BOOST_TEST(!server.snapshotter->running());
  BOOST_TEST(server.snapshotter->forks() == 1u);
  BOOST_TEST(loaded(real_environment(), directory / "dump.rdb") == contents);
  BOOST_TEST(real_environment().list(directory.path())->size() == 1u);
}

BOOST_AUTO_TEST_CASE(saving_in_the_foreground_counts_at_once) {
  CrashingEnvironment disk(1, empty_data_directory());
  Server server(disk);
  fill(*server.engine, contents_with("value"));
  server.engine->dirty = 7;
  disk.advance_ms(5'000);
  BOOST_TEST(server.snapshotter->save(0).ok());
  BOOST_TEST(server.engine->dirty == 0u);
  BOOST_TEST(server.snapshotter->last_save_s() == disk.now_ms() / 1'000);
  BOOST_TEST(loaded(disk) == contents_with("value"));
}

// E8 and E6: 5 s, doubling to 60 s, and forgotten after a good one.
BOOST_AUTO_TEST_CASE(older_snapshots_stay_when_asked_for) {
  CrashingEnvironment disk(1, empty_data_directory());
  const auto save = [&](const std::string& value, const char* keep, bool in_background) {
    Server server(disk);
    server.set("snapshot-keep", keep);
    fill(*server.engine, contents_with(value));
    if (!in_background) return server.snapshotter->save(0).ok();
    const bool started = server.snapshotter->start(0).ok();
    server.snapshotter->wait();
    return started && server.snapshotter->last_ok();
  };
  BOOST_TEST(save("a", "1", false));
  BOOST_TEST(save("b", "1", true));
  BOOST_TEST(files_in(disk) == 1u);
  BOOST_TEST(save("c", "3", false));
  BOOST_TEST(save("d", "3", true));
  BOOST_TEST(save("e", "3", true));
  BOOST_TEST(files_in(disk) == 3u);
  BOOST_TEST((loaded(disk) == contents_with("e")));
  BOOST_TEST((loaded(disk, generation_path(kPath, 1)) == contents_with("d")));
  BOOST_TEST((loaded(disk, generation_path(kPath, 2)) == contents_with("c")));
}

BOOST_AUTO_TEST_CASE(a_fork_that_fails_is_a_failed_save_and_retries_come_slower) {
  CrashingEnvironment disk(1, disk_with(contents_with("old")));
  FailingEnvironment failing(disk);
  Server server(failing);
  server.engine->dirty = 3;
  failing.add({.kind = CallKind::kFork, .times = 6, .os_error = ENOMEM});
  for (const uint64_t pause_s : {5, 10, 20, 40, 60, 60}) {
    const Status status = server.snapshotter->start(0);
    BOOST_TEST((status.code == Code::kIo));
    BOOST_TEST(status.os_error == ENOMEM);
    BOOST_TEST(!server.snapshotter->running());
    BOOST_TEST(!server.snapshotter->last_ok());
    BOOST_TEST(server.snapshotter->retry_at_ns() == disk.monotonic_ns() + pause_s * 1'000'000'000);
  }
  BOOST_TEST(server.shows("rdb_last_bgsave_status:err"));
  BOOST_TEST((server.logged.find("Cannot allocate memory") != std::string::npos));
  BOOST_TEST((server.logged.find("vm.overcommit_memory") != std::string::npos));
  BOOST_TEST(loaded(disk) == contents_with("old"));
  BOOST_TEST(server.engine->dirty == 3u);

  BOOST_TEST_REQUIRE(server.snapshotter->start(0).ok());
  server.snapshotter->wait();
  BOOST_TEST(server.snapshotter->last_ok());
  BOOST_TEST(server.snapshotter->retry_at_ns() == 0u);
  BOOST_TEST(server.engine->dirty == 0u);
}

// E9: a child that is killed while it writes.
BOOST_AUTO_TEST_CASE(a_child_that_dies_is_a_failed_save) {
  TemporaryDirectory directory;
  Server server(real_environment(), directory.path());
  Random random(1);
  fill(*server.engine, contents_with("old"));
  BOOST_TEST_REQUIRE(server.snapshotter->save(0).ok());
  server.engine->keyspace(5);
  Contents big;
  big[{5, "big"}].value = random_bytes(random, 3u << 20);
  fill(*server.engine, big);
  server.engine->dirty = 3;
  server.set("snapshot-write-rate", "1kb");
  BOOST_TEST_REQUIRE(server.snapshotter->start(0).ok());
  BOOST_TEST_REQUIRE(::kill(server.snapshotter->pid(), SIGKILL) == 0);
  server.snapshotter->wait();
  BOOST_TEST(!server.snapshotter->last_ok());
  BOOST_TEST((server.logged.find("was killed by signal 9") != std::string::npos), server.logged);
  BOOST_TEST(server.engine->dirty == 3u);
  BOOST_TEST(!server.engine->freeze_access);
  BOOST_TEST(loaded(real_environment(), directory / "dump.rdb") == contents_with("old"));
  BOOST_TEST(real_environment().list(directory.path())->size() == 1u);
}

// E10: it neither works nor dies.
BOOST_AUTO_TEST_CASE(a_child_without_progress_for_ten_minutes_is_killed) {
  CrashingEnvironment disk(1, disk_with(contents_with("old")));
  disk.let_children_lag(1);
  Server server(disk);
  fill(*server.engine, contents_with("new"));
  BOOST_TEST_REQUIRE(server.snapshotter->start(0).ok());
  disk.advance_ms(600'000);
  server.snapshotter->poll();
  BOOST_TEST(server.snapshotter->running());
  disk.advance_ms(1);
  server.snapshotter->poll();
  server.snapshotter->poll();
  BOOST_TEST(!server.snapshotter->running());
  BOOST_TEST(!server.snapshotter->last_ok());
  BOOST_TEST((server.logged.find("made no progress for 600 s") != std::string::npos));
  BOOST_TEST(loaded(disk) == contents_with("old"));
  BOOST_TEST(files_in(disk) == 1u);
}

// D6.
BOOST_AUTO_TEST_CASE(a_cancelled_save_leaves_nothing_and_is_no_failure) {
  CrashingEnvironment disk(1, disk_with(contents_with("old")));
  disk.let_children_lag(1);
  Server server(disk);
  fill(*server.engine, contents_with("new"));
  server.engine->dirty = 3;
  BOOST_TEST_REQUIRE(server.snapshotter->start(0).ok());
  server.snapshotter->poll();
  server.snapshotter->poll();
  BOOST_TEST(files_in(disk) == 2u);
  server.snapshotter->cancel();
  BOOST_TEST(!server.snapshotter->running());
  BOOST_TEST(server.snapshotter->last_ok());
  BOOST_TEST(server.engine->dirty == 3u);
  BOOST_TEST(!server.engine->freeze_access);
  BOOST_TEST(files_in(disk) == 1u);
  BOOST_TEST(loaded(disk) == contents_with("old"));
  server.snapshotter->cancel();
}

// The rename is another thread's work; its end may be told late, or when nobody waits any more.
BOOST_AUTO_TEST_CASE(a_save_ends_once_however_late_its_rename_is_reported) {
  CrashingEnvironment disk(1, empty_data_directory());
  LateExecutor executor;
  {
    Server server(disk, "data", &executor);
    int ends = 0;
    server.snapshotter->on_end = [&](bool) { ends++; };
    BOOST_TEST_REQUIRE(server.snapshotter->start(0).ok());
    server.snapshotter->poll();
    BOOST_TEST(server.snapshotter->running());
    BOOST_TEST(ends == 0);
    executor.catch_up();
    BOOST_TEST(!server.snapshotter->running());
    BOOST_TEST(ends == 1);

    BOOST_TEST_REQUIRE(server.snapshotter->start(0).ok());
    server.snapshotter->wait();
    BOOST_TEST(!server.snapshotter->running());
    BOOST_TEST(ends == 2);
    executor.catch_up();
    BOOST_TEST(ends == 2);

    BOOST_TEST_REQUIRE(server.snapshotter->start(0).ok());
    server.snapshotter->poll();
  }
  executor.catch_up();
  BOOST_TEST(files_in(disk) == 1u);
}

// T1: every call fails in turn.
BOOST_AUTO_TEST_CASE(a_background_save_that_fails_leaves_the_old_snapshot) {
  const DiskImage before = disk_with(contents_with("old"));
  const auto save = [](Server& server) {
    fill(*server.engine, contents_with("new"));
    server.engine->dirty = 3;
    static_cast<void>(server.snapshotter->start(0).ok());
    server.snapshotter->wait();
  };
  uint64_t calls = 0;
  for (const int os_error : {ENOSPC, EIO, EACCES}) {
    for (uint64_t n = 1; n <= calls + 1; ++n) {
      CrashingEnvironment disk(3, before);
      FailingEnvironment failing(disk);
      Server server(failing);
      if (n <= calls) failing.add({.nth = n, .os_error = os_error});
      save(server);
      BOOST_TEST_CONTEXT("errno " << os_error << ", call " << n) {
        const bool ok = server.snapshotter->last_ok();
        const Contents found = loaded(disk);
        BOOST_TEST(server.engine->dirty == (ok ? 0u : 3u));
        BOOST_TEST(files_in(disk) == 1u);
        if (n <= calls) {
          BOOST_TEST_REQUIRE(failing.injected() == 1u);
          // The last call syncs the directory: the rename has been done by then.
          BOOST_TEST(((ok && found == contents_with("new")) ||
                      (!ok && (found == contents_with("old") || n == calls))));
        } else {
          BOOST_TEST(ok);
          BOOST_TEST(found == contents_with("new"));
          calls = failing.calls(CallKind::kAny);
        }
      }
    }
  }
  BOOST_TEST(calls >= 12u);
}

// T2 for BGSAVE, while the parent writes too: recovery finds the old snapshot or the new one, and
// the new one once LASTSAVE has told of it.
BOOST_AUTO_TEST_CASE(a_crash_during_a_background_save_leaves_the_old_or_the_new_snapshot) {
  const DiskImage before = disk_with(contents_with("old"));
  uint64_t changes = 1'000'000;
  size_t images_seen = 0;
  for (const uint64_t lag : {1, 3}) {
    for (uint64_t n = 1; n <= changes + 1; ++n) {
      CrashingEnvironment disk(3, before);
      disk.let_children_lag(lag);
      disk.crash_at(n);
      Server server(disk);
      fill(*server.engine, contents_with("new"));
      bool saved = false;
      server.snapshotter->on_end = [&](bool ok) { saved = ok; };
      static_cast<void>(server.snapshotter->start(0).ok());
      const auto file = disk.open("data/other", OpenMode::kCreateNew);
      while (server.snapshotter->running()) {
        if (file.ok()) static_cast<void>((*file)->write("x").ok());
        server.snapshotter->poll();
      }
      if (!disk.crashed()) {
        BOOST_TEST(saved);
        changes = disk.changes();
      }
      std::vector<DiskImage> images = disk.disk_images(n, 20);
      for (DiskImage& image : disk.kill_images()) images.push_back(std::move(image));
      for (const DiskImage& image : images) {
        images_seen++;
        BOOST_TEST_CONTEXT("lag " << lag << ", call " << n << ", image " << image.rule) {
          CrashingEnvironment after(4, image);
          BOOST_TEST_REQUIRE(remove_stale_files(after, "data", Logger()).ok());
          const Contents found = loaded(after);
          BOOST_TEST((found == contents_with("new") || (!saved && found == contents_with("old"))));
        }
      }
      if (!disk.crashed()) break;
    }
  }
  BOOST_TEST(images_seen > 200u);
}

BOOST_AUTO_TEST_CASE(the_name_of_the_snapshot_is_never_a_path) {
  CrashingEnvironment disk(1, empty_data_directory());
  Server server(disk);
  for (const std::string_view name : {"", ".", "..", "../dump.rdb", "/etc/passwd", "a/b"}) {
    std::string why;
    const std::pair<std::string_view, std::string_view> pair("dbfilename", name);
    BOOST_TEST(!server.engine->settings.set({&pair, 1}, true, why), name);
  }
  server.set("dbfilename", "other.rdb");
  BOOST_TEST(server.snapshotter->path() == "data/other.rdb");
}

BOOST_AUTO_TEST_CASE(what_was_loaded_is_shown) {
  CrashingEnvironment disk(1, disk_with(contents_with("old")));
  Server server(disk);
  server.snapshotter->note_load(load_snapshot(*server.engine, kPath, {}));
  BOOST_TEST(server.shows("rdb_last_load_keys_loaded:3"));
  BOOST_TEST(server.shows("rdb_last_load_keys_expired:0"));
  BOOST_TEST(server.shows("rdb_last_bgsave_time_sec:-1"));
  BOOST_TEST(server.shows("rdb_current_bgsave_time_sec:-1"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::persist
