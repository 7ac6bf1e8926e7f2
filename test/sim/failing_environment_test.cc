#include "test/sim/failing_environment.h"

#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "test/sim/crashing_environment.h"

namespace roxdb {
namespace {

// A failing world round a simulated disk with one file of four bytes.
struct World {
  CrashingEnvironment disk{1, [] {
                             DiskImage image;
                             image.files["dir/file.aof"] = FileContent("text");
                             image.directories = {"dir"};
                             return image;
                           }()};
  FailingEnvironment environment{disk};

  std::unique_ptr<File> opened() { return *environment.open("dir/file.aof", OpenMode::kAppend); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(sim_failing_environment)

BOOST_AUTO_TEST_CASE(without_faults_everything_passes_through) {
  World world;
  const auto file = world.opened();
  BOOST_TEST(*file->write("+more") == 5u);
  BOOST_TEST(*file->size() == 9u);
  BOOST_TEST(file->truncate(6).ok());
  BOOST_TEST(file->sync().ok());
  char out[16];
  BOOST_TEST(*file->read_at(0, out, sizeof out) == 6u);
  BOOST_TEST(std::string_view(out, 6) == "text+m");
  BOOST_TEST(file->close().ok());
  BOOST_TEST(world.environment.list("dir")->size() == 1u);
  BOOST_TEST(world.environment.make_directory("dir/x").ok());
  BOOST_TEST(world.environment.sync_directory("dir").ok());
  BOOST_TEST(world.environment.rename("dir/file.aof", "dir/y").ok());
  BOOST_TEST(world.environment.remove("dir/y").ok());
  BOOST_TEST(world.environment.injected() == 0u);
}

BOOST_AUTO_TEST_CASE(the_nth_call_of_a_kind_fails_as_often_as_asked) {
  World world;
  world.environment.add({.kind = CallKind::kWrite, .nth = 2, .times = 2, .os_error = ENOSPC});
  const auto file = world.opened();
  BOOST_TEST(file->write("1").ok());
  BOOST_TEST(file->sync().ok());
  BOOST_TEST(file->write("2").status().os_error == ENOSPC);
  BOOST_TEST(file->write("3").status().os_error == ENOSPC);
  BOOST_TEST(file->write("4").ok());
  BOOST_TEST(*file->size() == 6u);  // a failed write has no effect
  BOOST_TEST(world.environment.injected() == 2u);
}

BOOST_AUTO_TEST_CASE(a_fault_may_last_until_it_is_cleared) {
  World world;
  world.environment.add({.kind = CallKind::kSync, .times = Fault::kAlways});
  const auto file = world.opened();
  for (int round = 0; round < 10; ++round) BOOST_TEST(file->sync().os_error == EIO);
  world.environment.clear();
  BOOST_TEST(file->sync().ok());
}

BOOST_AUTO_TEST_CASE(a_fault_concerns_paths_that_contain_its_part) {
  World world;
  world.environment.add({.kind = CallKind::kOpen, .path_part = ".aof", .times = Fault::kAlways});
  BOOST_TEST(world.environment.open("dir/other", OpenMode::kCreateNew).ok());
  BOOST_TEST(!world.environment.open("dir/file.aof", OpenMode::kRead).ok());
}

BOOST_AUTO_TEST_CASE(every_kind_of_call_can_fail) {
  World world;
  auto file = world.opened();
  world.environment.add({.times = Fault::kAlways, .os_error = EACCES});
  char out[4];
  pid_t owner;
  const Status statuses[] = {
      world.environment.open("dir/file.aof", OpenMode::kRead).status(),
      file->read_at(0, out, sizeof out).status(),
      file->size().status(),
      file->write("x").status(),
      file->sync(),
      file->truncate(0),
      file->close(),
      world.environment.rename("dir/file.aof", "dir/x"),
      world.environment.remove("dir/file.aof"),
      world.environment.make_directory("dir/x"),
      world.environment.sync_directory("dir"),
      world.environment.list("dir").status(),
      world.environment.lock_directory("dir", owner).status(),
      world.environment.fork([](ChildChannel&) { return 0; }).status(),
  };
  for (const Status& status : statuses) {
    BOOST_TEST((status.code == Code::kIo));
    BOOST_TEST(status.os_error == EACCES);
  }
  BOOST_TEST(world.environment.injected() == std::size(statuses));
  BOOST_TEST(world.disk.changes() == 0u);
}

BOOST_AUTO_TEST_CASE(a_short_write_takes_what_it_is_told) {
  World world;
  world.environment.add({.nth = 2, .short_bytes = 3});
  const auto file = world.opened();
  BOOST_TEST(*file->write("abcdef") == 6u);
  BOOST_TEST(*file->write("ghijkl") == 3u);
  BOOST_TEST(*file->write("jkl") == 3u);
  char out[32];
  BOOST_TEST(*file->read_at(4, out, sizeof out) == 12u);
  BOOST_TEST(std::string_view(out, 12) == "abcdefghijkl");
}

BOOST_AUTO_TEST_CASE(calls_are_counted_by_kind_and_path) {
  World world;
  const auto file = world.opened();
  for (int round = 0; round < 3; ++round) BOOST_TEST(file->write("x").ok());
  BOOST_TEST(!world.environment.remove("elsewhere").ok());
  BOOST_TEST(world.environment.calls(CallKind::kWrite) == 3u);
  BOOST_TEST(world.environment.calls(CallKind::kWrite, ".aof") == 3u);
  BOOST_TEST(world.environment.calls(CallKind::kWrite, ".rdb") == 0u);
  BOOST_TEST(world.environment.calls(CallKind::kAny) == 5u);
  BOOST_TEST(world.environment.calls(CallKind::kAny, "dir/") == 4u);
}

BOOST_AUTO_TEST_CASE(a_close_that_fails_has_closed) {
  World world;
  world.environment.add({.kind = CallKind::kClose});
  auto file = world.opened();
  BOOST_TEST(!file->close().ok());
  BOOST_TEST(world.environment.calls(CallKind::kClose) == 1u);
}

BOOST_AUTO_TEST_CASE(a_child_can_be_said_to_have_been_killed) {
  World world;
  world.environment.add({.kind = CallKind::kChildEnd, .nth = 2, .os_error = SIGKILL});
  const auto body = [](ChildChannel& channel) { return channel.send("done").ok() ? 0 : 1; };
  auto first = *world.environment.fork(body);
  BOOST_TEST(first->wait().signal == 0);
  auto second = *world.environment.fork(body);
  std::string message;
  BOOST_TEST(second->receive(message));  // whatever it said before
  BOOST_TEST(second->poll().signal == SIGKILL);
  BOOST_TEST(second->wait().signal == SIGKILL);
  BOOST_TEST(first->wait().signal == 0);
}

BOOST_AUTO_TEST_CASE(a_write_may_lie_about_one_bit) {
  CrashingEnvironment world(1);
  FailingEnvironment environment(world);
  environment.add({.nth = 2, .flips = true});
  auto file = *environment.open("file", OpenMode::kCreateNew);
  for (const std::string_view bytes : {"one ", "two ", "three"}) {
    const auto written = file->write(bytes);
    BOOST_TEST_REQUIRE(written.ok());
    BOOST_TEST(*written == bytes.size());
  }
  BOOST_TEST(environment.injected() == 1u);
  char out[32];
  const size_t size = *file->read_at(0, out, sizeof out);
  BOOST_TEST(std::string(out, size) == "one two!three");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb
