#include "test/sim/crashing_environment.h"

#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <functional>
#include <set>

namespace roxdb {
namespace {

bool stopped(const Status& status) { return status.text == CrashingEnvironment::kStopped.text; }

Status write_all(File& file, std::string_view bytes) {
  while (!bytes.empty()) {
    ROX_TRY(const size_t written, file.write(bytes));
    bytes.remove_prefix(written);
  }
  return kOk;
}

// Replaces a file the way the contract asks for: write, sync, close, rename, sync the directory.
Status replace_file(Environment& environment, const std::string& path, std::string_view text) {
  const std::string temporary = path + ".tmp";
  ROX_TRY(std::unique_ptr<File> file, environment.open(temporary, OpenMode::kCreateNew));
  ROX_TRY(write_all(*file, text));
  ROX_TRY(file->sync());
  ROX_TRY(file->close());
  ROX_TRY(environment.rename(temporary, path));
  return environment.sync_directory("/");
}

DiskImage disk_with(const std::string& path, std::string_view text) {
  DiskImage image;
  image.files[path] = FileContent(text);
  return image;
}

std::string text_of(const DiskImage& image, const std::string& path) {
  const auto file = image.files.find(path);
  return file == image.files.end() ? "<absent>" : file->second.text();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sim_crashing_environment)

// The whole machine at work on the smallest scenario: a sweep over every call.
BOOST_AUTO_TEST_CASE(replacing_a_file_properly_leaves_the_old_or_the_new_one_at_any_crash) {
  const std::string old_text(700, 'o');
  const std::string new_text(1'500, 'n');
  const DiskImage before = disk_with("file", old_text);
  CrashingEnvironment whole(1, before);
  BOOST_TEST_REQUIRE(replace_file(whole, "file", new_text).ok());
  BOOST_TEST(whole.changes() == 5u);

  std::set<std::string> seen;
  for (uint64_t n = 1; n <= whole.changes() + 1; ++n) {
    CrashingEnvironment environment(1, before);
    environment.crash_at(n);
    const Status status = replace_file(environment, "file", new_text);
    BOOST_TEST(status.ok() == (n > whole.changes()));
    for (const DiskImage& image : environment.disk_images(n, 100)) {
      const std::string text = text_of(image, "file");
      BOOST_TEST_CONTEXT("call " << n << ", image " << image.rule) {
        BOOST_TEST_REQUIRE((text == old_text || text == new_text));
        if (status.ok()) BOOST_TEST_REQUIRE((text == new_text));
      }
      seen.insert(text);
    }
  }
  BOOST_TEST(seen.size() == 2u);
}

// ... and the sweep finds the mistakes it is made for.
BOOST_AUTO_TEST_CASE(leaving_out_any_sync_is_found) {
  const auto finds_damage = [](const std::function<Status(Environment&)>& scenario) {
    CrashingEnvironment whole(1, disk_with("file", "old"));
    BOOST_TEST_REQUIRE(scenario(whole).ok());
    for (const DiskImage& image : whole.disk_images(1, 100)) {
      if (text_of(image, "file") != "new") return true;
    }
    return false;
  };
  const auto replace = [](Environment& environment, bool sync_file, bool sync_directory) {
    ROX_TRY(std::unique_ptr<File> file, environment.open("tmp", OpenMode::kCreateNew));
    ROX_TRY(write_all(*file, "new"));
    if (sync_file) ROX_TRY(file->sync());
    ROX_TRY(environment.rename("tmp", "file"));
    return sync_directory ? environment.sync_directory("/") : kOk;
  };
  BOOST_TEST(!finds_damage([&](Environment& e) { return replace(e, true, true); }));
  BOOST_TEST(finds_damage([&](Environment& e) { return replace(e, false, true); }));
  BOOST_TEST(finds_damage([&](Environment& e) { return replace(e, true, false); }));
}

BOOST_AUTO_TEST_CASE(after_the_crash_every_call_fails_and_nothing_changes) {
  CrashingEnvironment environment(1, disk_with("file", "text"));
  auto file = *environment.open("file", OpenMode::kAppend);
  BOOST_TEST(file->write("+").ok());
  environment.crash_at(2);
  BOOST_TEST(!environment.crashed());
  BOOST_TEST(stopped(file->write("-").status()));
  BOOST_TEST(environment.crashed());

  char out[8];
  pid_t owner;
  BOOST_TEST(stopped(file->write("-").status()));
  BOOST_TEST(stopped(file->read_at(0, out, sizeof out).status()));
  BOOST_TEST(stopped(file->sync()));
  BOOST_TEST(stopped(file->truncate(0)));
  BOOST_TEST(stopped(file->size().status()));
  BOOST_TEST(stopped(file->close()));
  BOOST_TEST(stopped(environment.open("file", OpenMode::kRead).status()));
  BOOST_TEST(stopped(environment.open("new", OpenMode::kCreateNew).status()));
  BOOST_TEST(stopped(environment.rename("file", "x")));
  BOOST_TEST(stopped(environment.remove("file")));
  BOOST_TEST(stopped(environment.make_directory("d")));
  BOOST_TEST(stopped(environment.sync_directory("/")));
  BOOST_TEST(stopped(environment.list("/").status()));
  BOOST_TEST(stopped(environment.lock_directory("/", owner).status()));
  BOOST_TEST(stopped(environment.fork([](ChildChannel&) { return 0; }).status()));
  BOOST_TEST(environment.changes() == 2u);
  BOOST_TEST((environment.kill_images()[0] == disk_with("file", "text+")));
}

BOOST_AUTO_TEST_CASE(only_calls_that_change_the_disk_count) {
  CrashingEnvironment environment(1, disk_with("file", "text"));
  auto file = *environment.open("file", OpenMode::kAppend);
  char out[8];
  BOOST_TEST(*file->read_at(0, out, sizeof out) == 4u);
  BOOST_TEST(file->size().ok());
  BOOST_TEST(environment.list("/").ok());
  BOOST_TEST(file->close().ok());
  BOOST_TEST(environment.changes() == 0u);
  BOOST_TEST(!environment.remove("missing").ok());
  BOOST_TEST(environment.changes() == 1u);
}

BOOST_AUTO_TEST_CASE(kill_keeps_what_the_kernel_was_given) {
  CrashingEnvironment environment(1);
  auto file = *environment.open("file", OpenMode::kCreateNew);
  BOOST_TEST(write_all(*file, "unsynced").ok());
  environment.crash();
  const auto images = environment.kill_images();
  BOOST_TEST_REQUIRE(images.size() == 1u);
  BOOST_TEST(text_of(images[0], "file") == "unsynced");
}

BOOST_AUTO_TEST_CASE(kill_may_interrupt_a_long_write_between_pages) {
  CrashingEnvironment environment(1, disk_with("file", std::string(100, 'a')));
  auto file = *environment.open("file", OpenMode::kAppend);
  environment.crash_at(1);
  BOOST_TEST(!file->write(std::string(10'000, 'b')).ok());
  std::set<size_t> sizes;
  for (const DiskImage& image : environment.kill_images()) {
    sizes.insert(text_of(image, "file").size());
  }
  BOOST_TEST((sizes == std::set<size_t>{100, 4'096, 8'192}));
}

BOOST_AUTO_TEST_CASE(an_image_starts_the_next_world) {
  CrashingEnvironment first(1);
  BOOST_TEST(first.make_directory("dir").ok());
  BOOST_TEST(write_all(**first.open("dir/file", OpenMode::kCreateNew), "text").ok());
  CrashingEnvironment second(1, first.kill_images()[0]);
  auto file = *second.open("dir/file", OpenMode::kRead);
  char out[8];
  BOOST_TEST(*file->read_at(0, out, sizeof out) == 4u);
  BOOST_TEST(second.disk_images(1, 10).size() == 1u);  // all of it counts as synced
}

BOOST_AUTO_TEST_CASE(a_failed_sync_is_reported_once_and_its_data_is_lost) {
  CrashingEnvironment environment(1, disk_with("file", ""));
  auto file = *environment.open("file", OpenMode::kAppend);
  BOOST_TEST(write_all(*file, std::string(512, 'x')).ok());
  environment.fail_sync("file", ENOSPC);
  BOOST_TEST(file->sync().os_error == ENOSPC);
  BOOST_TEST(file->sync().ok());
  BOOST_TEST(text_of(environment.disk_images(1, 10)[0], "file") == std::string(512, '\0'));
}

BOOST_AUTO_TEST_CASE(a_child_works_on_the_same_disk_and_has_ended_when_fork_returns) {
  CrashingEnvironment environment(1);
  auto child = environment.fork([&](ChildChannel& channel) {
    if (!write_all(**environment.open("file", OpenMode::kCreateNew), "text").ok()) return 1;
    if (!channel.send("one").ok() || !channel.send("").ok()) return 1;
    return 3;
  });
  BOOST_TEST_REQUIRE(child.ok());
  BOOST_TEST(!(*child)->poll().running);
  BOOST_TEST((*child)->wait().exit_code == 3);
  BOOST_TEST((*child)->wait().signal == 0);
  std::string message = "none";
  BOOST_TEST((*child)->receive(message));
  BOOST_TEST(message == "one");
  BOOST_TEST((*child)->receive(message));
  BOOST_TEST(message.empty());
  BOOST_TEST(!(*child)->receive(message));
  BOOST_TEST(environment.open("file", OpenMode::kRead).ok());
}

BOOST_AUTO_TEST_CASE(a_world_that_stops_kills_its_children) {
  CrashingEnvironment environment(1);
  environment.crash_at(1);
  auto child = environment.fork(
      [&](ChildChannel&) { return environment.open("file", OpenMode::kCreateNew).ok() ? 0 : 1; });
  BOOST_TEST_REQUIRE(child.ok());
  BOOST_TEST((*child)->poll().signal == SIGKILL);
}

// A child that writes, checks what it wrote, and reports.
int write_and_check(Environment& environment, ChildChannel& channel) {
  const auto work = [&]() -> Status {
    ROX_TRY(std::unique_ptr<File> file, environment.open("child", OpenMode::kCreateNew));
    ROX_TRY(write_all(*file, "first,"));
    ROX_TRY(write_all(*file, "second"));
    ROX_TRY(file->sync());
    ROX_TRY(std::unique_ptr<File> again, environment.open("child", OpenMode::kRead));
    char out[16];
    ROX_TRY(const size_t size, again->read_at(0, out, sizeof out));
    if (std::string_view(out, size) != "first,second") return io_error(EIO, "read back");
    return channel.send("done");
  };
  return work().ok() ? 0 : 1;
}

BOOST_AUTO_TEST_CASE(a_lagging_child_works_while_its_parent_does) {
  CrashingEnvironment environment(1);
  environment.let_children_lag(1);
  auto file = *environment.open("parent", OpenMode::kCreateNew);
  int memory = 1;
  int seen = 0;
  auto child = *environment.fork([&](ChildChannel& channel) {
    seen = memory;
    return write_and_check(environment, channel);
  });
  memory = 2;
  BOOST_TEST(seen == 1);  // the memory of the fork

  std::vector<std::string> steps;
  while (child->poll().running) {
    BOOST_TEST(file->write("x").ok());
    steps.push_back(text_of(environment.kill_images()[0], "child"));
    BOOST_TEST_REQUIRE(steps.size() < 10u);
  }
  BOOST_TEST((steps == std::vector<std::string>{"first,", "first,second"}));
  BOOST_TEST(child->wait().exit_code == 0);
  std::string message;
  BOOST_TEST(child->receive(message));
  BOOST_TEST(message == "done");
}

// Create, two writes, sync: at every one of these the world may stop, in between the parent's own.
BOOST_AUTO_TEST_CASE(the_calls_of_a_lagging_child_count) {
  const auto scenario = [](CrashingEnvironment& environment) {
    environment.let_children_lag(1);
    auto child = *environment.fork(
        [&](ChildChannel& channel) { return write_and_check(environment, channel); });
    auto file = environment.open("parent", OpenMode::kCreateNew);
    for (int round = 0; round < 2 && file.ok(); ++round) {
      if (!(*file)->write("x").ok()) break;
    }
    return child->wait();
  };
  CrashingEnvironment whole(1);
  BOOST_TEST(scenario(whole).exit_code == 0);
  BOOST_TEST(whole.changes() == 7u);
  std::set<std::string> seen;
  for (uint64_t n = 1; n <= whole.changes(); ++n) {
    CrashingEnvironment environment(1);
    environment.crash_at(n);
    BOOST_TEST(scenario(environment).signal == SIGKILL);
    const DiskImage image = environment.kill_images()[0];
    seen.insert(text_of(image, "child") + " " + text_of(image, "parent"));
  }
  BOOST_TEST((seen == std::set<std::string>{"<absent> <absent>", " <absent>", " ", "first, ",
                                            "first, x", "first,second x", "first,second xx"}));
}

BOOST_AUTO_TEST_CASE(a_lagging_child_that_is_killed_leaves_its_work_undone) {
  CrashingEnvironment environment(1);
  environment.let_children_lag(1);
  auto child = *environment.fork(
      [&](ChildChannel& channel) { return write_and_check(environment, channel); });
  BOOST_TEST(child->poll().running);
  BOOST_TEST(child->poll().running);
  child->kill();
  BOOST_TEST(child->wait().signal == SIGKILL);
  BOOST_TEST(environment.make_directory("d").ok());
  BOOST_TEST(text_of(environment.kill_images()[0], "child") == "first,");
}

BOOST_AUTO_TEST_CASE(a_directory_has_one_owner_and_a_new_world_has_none) {
  CrashingEnvironment environment(1);
  pid_t owner = 0;
  auto lock = environment.lock_directory("/", owner);
  BOOST_TEST_REQUIRE(lock.ok());
  BOOST_TEST((environment.lock_directory("/", owner).status().code == Code::kBusy));
  BOOST_TEST(owner == environment.process_id());
  CrashingEnvironment next(1, environment.kill_images()[0]);
  BOOST_TEST(next.lock_directory("/", owner).ok());
  (*lock).reset();
  BOOST_TEST(environment.lock_directory("/", owner).ok());
  BOOST_TEST((environment.lock_directory("no", owner).status().code == Code::kNotFound));
  BOOST_TEST((*environment.list("/"))[0].name == kLockFileName);
}

BOOST_AUTO_TEST_CASE(the_wall_clock_jumps_and_the_monotonic_one_does_not) {
  CrashingEnvironment environment(1);
  environment.set_wall_us(5'000'000);
  const uint64_t start_ns = environment.monotonic_ns();
  BOOST_TEST(environment.now_ms() == 5'000);
  environment.sleep_ms(250);
  BOOST_TEST(environment.now_us() == 5'250'000);
  environment.set_wall_us(1'000);
  BOOST_TEST(environment.now_ms() == 1);
  BOOST_TEST(environment.monotonic_ns() - start_ns == 250'000'000u);
}

BOOST_AUTO_TEST_CASE(chance_repeats_with_the_seed) {
  const auto drawn = [](uint64_t seed) {
    CrashingEnvironment environment(seed);
    std::string bytes(32, '\0');
    environment.random(bytes.data(), bytes.size());
    return bytes;
  };
  BOOST_TEST((drawn(1) == drawn(1)));
  BOOST_TEST((drawn(1) != drawn(2)));
}

BOOST_AUTO_TEST_CASE(writes_go_over_room_and_then_behind_it) {
  CrashingEnvironment environment(1, disk_with("file", "text"));
  auto file = *environment.open("file", OpenMode::kAppend);
  BOOST_TEST(file->make_room(4, 6).ok());
  BOOST_TEST(*file->size() == 10u);
  BOOST_TEST(file->write("+").ok());
  BOOST_TEST(*file->size() == 10u);
  BOOST_TEST(text_of(environment.kill_images().at(0), "file") ==
             std::string("text+\0\0\0\0\0", 10));
  // Room that is asked for where bytes are by now begins behind them.
  BOOST_TEST(file->write("1234567").ok());
  BOOST_TEST(file->make_room(10, 4).ok());
  BOOST_TEST(file->write("!").ok());
  BOOST_TEST(text_of(environment.kill_images().at(0), "file") ==
             std::string("text+1234567!\0", 14));
  BOOST_TEST(file->truncate(13).ok());
  BOOST_TEST(file->write("?").ok());
  BOOST_TEST(text_of(environment.kill_images().at(0), "file") == "text+1234567!?");
  // More than the disk has.
  BOOST_TEST(file->make_room(14, 4u << 20).os_error == ENOSPC);
  BOOST_TEST(*file->size() > 14u);
  BOOST_TEST(*file->size() < 1u << 20);
  BOOST_TEST(environment.changes() == 8u);
}

BOOST_AUTO_TEST_CASE(a_write_over_room_that_is_killed_leaves_its_first_pages) {
  CrashingEnvironment environment(1, disk_with("file", std::string(100, 'o')));
  auto file = *environment.open("file", OpenMode::kAppend);
  BOOST_TEST(!file->make_room(100, 4u << 20).ok());
  environment.crash_at(2);
  BOOST_TEST(!file->write(std::string(4'500, 'n')).ok());
  const auto images = environment.kill_images();
  BOOST_TEST_REQUIRE(images.size() == 2u);
  const std::string whole = text_of(images[0], "file");
  const std::string torn = text_of(images[1], "file");
  BOOST_TEST(whole == std::string(100, 'o') + std::string(whole.size() - 100, '\0'));
  BOOST_TEST(torn == std::string(100, 'o') + std::string(3'996, 'n') +
                         std::string(whole.size() - 4'096, '\0'));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb
