#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/environment.h"
#include "test/base/temporary_directory.h"

namespace roxdb {
namespace {

namespace fs = std::filesystem;

Environment& environment() { return real_environment(); }

std::unique_ptr<File> opened(const std::string& path, OpenMode mode) {
  auto file = environment().open(path, mode);
  BOOST_TEST_REQUIRE(file.ok(), path);
  return *std::move(file);
}

void write_all(File& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = file.write(bytes);
    BOOST_TEST_REQUIRE(written.ok());
    bytes.remove_prefix(*written);
  }
}

std::string content(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

std::unique_ptr<Child> forked(std::function<int(ChildChannel&)> body) {
  auto child = environment().fork(std::move(body));
  BOOST_TEST_REQUIRE(child.ok());
  return *std::move(child);
}

// Waits for the next message of a child that will send one or end.
std::string next_message(Child& child) {
  std::string message;
  while (!child.receive(message)) {
    if (!child.poll().running && !child.receive(message)) {
      BOOST_FAIL("the child ended without a message");
    }
    environment().sleep_ms(1);
  }
  return message;
}

[[noreturn]] void sleep_forever() {
  for (;;) ::pause();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(base_real_environment)

BOOST_AUTO_TEST_CASE(a_file_keeps_what_was_written_in_order) {
  const TemporaryDirectory directory;
  const std::string path = directory / "file";
  {
    auto file = opened(path, OpenMode::kCreateNew);
    write_all(*file, "one,");
    write_all(*file, "two");
    BOOST_TEST(file->sync().ok());
    BOOST_TEST(*file->size() == 7u);
    BOOST_TEST(file->close().ok());
  }
  {
    auto file = opened(path, OpenMode::kAppend);
    write_all(*file, ",three");
  }
  auto file = opened(path, OpenMode::kRead);
  char bytes[64];
  BOOST_TEST(*file->read_at(0, bytes, sizeof bytes) == 13u);
  BOOST_TEST(std::string_view(bytes, 13) == "one,two,three");
  BOOST_TEST(*file->read_at(4, bytes, 3) == 3u);
  BOOST_TEST(std::string_view(bytes, 3) == "two");
  BOOST_TEST(*file->read_at(13, bytes, sizeof bytes) == 0u);
  BOOST_TEST(*file->read_at(1'000, bytes, sizeof bytes) == 0u);
}

BOOST_AUTO_TEST_CASE(writing_goes_on_at_the_end_after_truncating) {
  const TemporaryDirectory directory;
  auto file = opened(directory / "file", OpenMode::kCreateNew);
  write_all(*file, "0123456789");
  BOOST_TEST(file->truncate(4).ok());
  write_all(*file, "x");
  BOOST_TEST(content(directory / "file") == "0123x");
  BOOST_TEST(file->truncate(7).ok());
  BOOST_TEST(content(directory / "file") == std::string("0123x\0\0", 7));
}

BOOST_AUTO_TEST_CASE(writing_goes_over_the_room_and_room_not_over_what_is_written) {
  const TemporaryDirectory directory;
  const std::string path = directory / "file";
  auto file = opened(path, OpenMode::kCreateNew);
  write_all(*file, "abc");
  BOOST_TEST(file->make_room(0, 10).ok());
  BOOST_TEST(content(path) == "abc" + std::string(7, '\0'));
  write_all(*file, "de");
  BOOST_TEST(content(path) == "abcde" + std::string(5, '\0'));
  write_all(*file, "123456");
  BOOST_TEST(content(path) == "abcde123456");
  BOOST_TEST(file->make_room(20, 4).ok());
  BOOST_TEST(*file->size() == 24u);
  BOOST_TEST(file->truncate(5).ok());
  write_all(*file, "f");
  BOOST_TEST(content(path) == "abcdef");
}

BOOST_AUTO_TEST_CASE(room_made_beside_a_writer_never_covers_its_bytes) {
  const TemporaryDirectory directory;
  const std::string path = directory / "file";
  auto file = opened(path, OpenMode::kCreateNew);
  std::string expected;
  for (int round = 0; round < 20; ++round) {
    bool made = false;
    std::thread beside(
        [&, offset = expected.size()] { made = file->make_room(offset, 2u << 20).ok(); });
    for (int i = 0; i < 100; ++i) {
      const std::string piece(20'000, static_cast<char>('a' + i % 26));
      write_all(*file, piece);
      expected += piece;
    }
    beside.join();
    BOOST_TEST(made);
  }
  BOOST_TEST(file->truncate(expected.size()).ok());
  BOOST_TEST((content(path) == expected));
}

BOOST_AUTO_TEST_CASE(storing_ahead_loses_nothing_whether_synced_or_not) {
  const TemporaryDirectory directory;
  const std::string path = directory / "file";
  auto file = opened(path, OpenMode::kCreateNew);
  std::string expected;
  for (const bool synced : {false, true}) {
    const std::string piece(100'000, synced ? 's' : 'u');
    write_all(*file, piece);
    expected += piece;
    if (synced) BOOST_TEST(file->sync().ok());
    file->store_ahead(expected.size() - 10);
    BOOST_TEST((content(path) == expected));
  }
  write_all(*file, "more");
  BOOST_TEST((content(path) == expected + "more"));
}

BOOST_AUTO_TEST_CASE(creating_takes_no_existing_file_and_follows_no_link) {
  const TemporaryDirectory directory;
  const std::string path = directory / "file";
  const std::string link = directory / "link";
  write_all(*opened(path, OpenMode::kCreateNew), "old");
  const auto again = environment().open(path, OpenMode::kCreateNew);
  BOOST_TEST((again.status().code == Code::kIo));
  BOOST_TEST(again.status().os_error == EEXIST);

  fs::create_symlink(directory / "elsewhere", link);
  BOOST_TEST(!environment().open(link, OpenMode::kCreateNew).ok());
  BOOST_TEST(!fs::exists(directory / "elsewhere"));
  BOOST_TEST(content(path) == "old");
}

BOOST_AUTO_TEST_CASE(new_files_and_directories_are_private) {
  const TemporaryDirectory directory;
  const mode_t before = ::umask(0);
  opened(directory / "file", OpenMode::kCreateNew);
  BOOST_TEST(environment().make_directory(directory / "folder").ok());
  ::umask(before);
  BOOST_TEST((fs::status(directory / "file").permissions() == fs::perms(0600)));
  BOOST_TEST((fs::status(directory / "folder").permissions() == fs::perms(0700)));
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_not_found_and_nothing_else_is) {
  const TemporaryDirectory directory;
  const std::string missing = directory / "missing";
  pid_t owner;
  BOOST_TEST((environment().open(missing, OpenMode::kRead).status().code == Code::kNotFound));
  BOOST_TEST((environment().open(missing, OpenMode::kAppend).status().code == Code::kNotFound));
  BOOST_TEST((environment().rename(missing, directory / "x").code == Code::kNotFound));
  BOOST_TEST((environment().link(missing, directory / "x").code == Code::kNotFound));
  BOOST_TEST((environment().remove(missing).code == Code::kNotFound));
  BOOST_TEST((environment().list(missing).status().code == Code::kNotFound));
  BOOST_TEST((environment().sync_directory(missing).code == Code::kNotFound));
  BOOST_TEST((environment().lock_directory(missing, owner).status().code == Code::kNotFound));

  opened(directory / "file", OpenMode::kCreateNew);
  const Status status = environment().list(directory / "file").status();
  BOOST_TEST((status.code == Code::kIo));
  BOOST_TEST(status.os_error == ENOTDIR);
  BOOST_TEST(environment().make_directory(directory / "file").os_error == ENOTDIR);
}

BOOST_AUTO_TEST_CASE(rename_replaces_and_remove_removes) {
  const TemporaryDirectory directory;
  write_all(*opened(directory / "old", OpenMode::kCreateNew), "old");
  write_all(*opened(directory / "new", OpenMode::kCreateNew), "new");
  BOOST_TEST(environment().rename(directory / "new", directory / "old").ok());
  BOOST_TEST(environment().sync_directory(directory.path()).ok());
  BOOST_TEST(content(directory / "old") == "new");
  BOOST_TEST(!fs::exists(directory / "new"));
  BOOST_TEST(environment().remove(directory / "old").ok());
  BOOST_TEST(!fs::exists(directory / "old"));
}

BOOST_AUTO_TEST_CASE(a_link_is_a_second_name_and_replaces_nothing) {
  const TemporaryDirectory directory;
  write_all(*opened(directory / "old", OpenMode::kCreateNew), "old");
  BOOST_TEST(environment().link(directory / "old", directory / "other").ok());
  BOOST_TEST(environment().link(directory / "old", directory / "other").os_error == EEXIST);
  BOOST_TEST(environment().remove(directory / "old").ok());
  BOOST_TEST(content(directory / "other") == "old");
}

BOOST_AUTO_TEST_CASE(a_listing_is_sorted_and_knows_kinds_and_sizes) {
  const TemporaryDirectory directory;
  write_all(*opened(directory / "b", OpenMode::kCreateNew), "12345");
  opened(directory / "a", OpenMode::kCreateNew);
  BOOST_TEST(environment().make_directory(directory / "c").ok());
  BOOST_TEST(environment().make_directory(directory / "c").ok());  // is there: still ok
  fs::create_symlink(directory / "b", directory / "d");

  const auto entries = environment().list(directory.path());
  BOOST_TEST_REQUIRE(entries.ok());
  BOOST_TEST_REQUIRE(entries->size() == 4u);
  const auto& [a, b, c, d] = std::tie((*entries)[0], (*entries)[1], (*entries)[2], (*entries)[3]);
  BOOST_TEST((a.name == "a" && a.is_file && a.size == 0));
  BOOST_TEST((b.name == "b" && b.is_file && b.size == 5));
  BOOST_TEST((c.name == "c" && c.is_directory && !c.is_file));
  BOOST_TEST((d.name == "d" && !d.is_file && !d.is_directory));
}

BOOST_AUTO_TEST_CASE(writing_to_a_full_device_is_an_error_of_the_system) {
  auto file = opened("/dev/full", OpenMode::kAppend);
  const auto written = file->write("x");
  BOOST_TEST((written.status().code == Code::kIo));
  BOOST_TEST(written.status().os_error == ENOSPC);
}

BOOST_AUTO_TEST_CASE(clocks_run) {
  const int64_t ms = environment().now_ms();
  const int64_t us = environment().now_us();
  const uint64_t ns = environment().monotonic_ns();
  environment().sleep_ms(3);
  BOOST_TEST(environment().monotonic_ns() - ns >= 3'000'000u);
  BOOST_TEST(ms > 1'600'000'000'000);
  BOOST_TEST(us / 1'000'000 - ms / 1'000 <= 1);
}

BOOST_AUTO_TEST_CASE(random_bytes_differ) {
  std::set<std::string> seen;
  for (int round = 0; round < 100; ++round) {
    std::string bytes(1'000, '\0');
    environment().random(bytes.data(), bytes.size());
    seen.insert(bytes.substr(0, 16));
    seen.insert(bytes.substr(984));
  }
  BOOST_TEST(seen.size() == 200u);
}

BOOST_AUTO_TEST_CASE(a_child_returns_its_exit_code) {
  auto child = forked([](ChildChannel&) { return 7; });
  const ChildState state = child->wait();
  BOOST_TEST(!state.running);
  BOOST_TEST(state.exited);
  BOOST_TEST(state.exit_code == 7);
  BOOST_TEST(state.signal == 0);
  BOOST_TEST(child->poll().exit_code == 7);  // stays known
}

BOOST_AUTO_TEST_CASE(a_child_leaves_the_core_to_its_parent) {
  const int own = ::getpriority(PRIO_PROCESS, 0);
  auto child = forked([](ChildChannel& channel) {
    return channel.send(std::to_string(::getpriority(PRIO_PROCESS, 0))).ok() ? 0 : 1;
  });
  BOOST_TEST(next_message(*child) == std::to_string(std::min(own + 5, 19)));
}

BOOST_AUTO_TEST_CASE(a_child_sees_the_memory_of_its_birth) {
  int value = 1;
  auto child = forked([&value](ChildChannel& channel) {
    for (;;) {
      environment().sleep_ms(5);
      if (!channel.send(std::to_string(value)).ok()) return 1;
      return 0;
    }
  });
  value = 2;
  BOOST_TEST(next_message(*child) == "1");
}

// Far more than the pipe holds: the child has to wait for room, and frames end anywhere in what
// one read returns.
BOOST_AUTO_TEST_CASE(messages_arrive_whole_and_in_order) {
  const int count = 2'000;
  const auto text_of = [](int number) {
    return std::string(static_cast<size_t>(number * 7) % (kChildMessageBytesMax + 1),
                       static_cast<char>('a' + number % 26));
  };
  auto child = forked([&](ChildChannel& channel) {
    for (int number = 0; number < count; ++number) {
      if (!channel.send(text_of(number)).ok()) return 1;
    }
    return 0;
  });
  for (int number = 0; number < count; ++number) {
    BOOST_TEST_REQUIRE(next_message(*child) == text_of(number));
  }
  std::string message;
  BOOST_TEST(child->wait().exit_code == 0);
  BOOST_TEST(!child->receive(message));
}

BOOST_AUTO_TEST_CASE(waiting_for_a_child_that_nobody_reads_ends) {
  auto child = forked([](ChildChannel& channel) {
    for (int number = 0; number < 1'000; ++number) {
      if (!channel.send(std::string(kChildMessageBytesMax, 'x')).ok()) return 1;
    }
    return 0;
  });
  BOOST_TEST(child->wait().exit_code == 0);
  int received = 0;
  std::string message;
  while (child->receive(message)) ++received;
  BOOST_TEST(received == 1'000);
}

BOOST_AUTO_TEST_CASE(a_killed_child_names_its_signal) {
  auto child = forked([](ChildChannel& channel) {
    if (!channel.send("ready").ok()) return 1;
    sleep_forever();
  });
  BOOST_TEST(next_message(*child) == "ready");
  BOOST_TEST(child->poll().running);
  child->kill();
  const ChildState state = child->wait();
  BOOST_TEST(state.exited);
  BOOST_TEST(state.signal == SIGKILL);
}

BOOST_AUTO_TEST_CASE(a_forgotten_child_is_killed_and_reaped) {
  auto child = forked([](ChildChannel& channel) {
    if (!channel.send("ready").ok()) return 1;
    sleep_forever();
  });
  BOOST_TEST(next_message(*child) == "ready");
  const pid_t pid = child->pid();
  child.reset();
  BOOST_TEST(::kill(pid, 0) == -1);
  BOOST_TEST(errno == ESRCH);
}

// A child, in the role of a server, forks a grandchild and is killed; the grandchild must go too.
// It would otherwise hold the lock file below for ever.
BOOST_AUTO_TEST_CASE(a_child_dies_with_its_parent) {
  auto server = forked([](ChildChannel& channel) {
    auto grandchild = environment().fork([](ChildChannel& inner) {
      if (!inner.send("ready").ok()) return 1;
      sleep_forever();
    });
    if (!grandchild.ok()) return 1;
    const std::string ready = next_message(**grandchild);
    if (!channel.send(std::to_string((*grandchild)->pid())).ok()) return 1;
    sleep_forever();
  });
  const pid_t grandchild = std::stoi(next_message(*server));
  BOOST_TEST(::kill(grandchild, 0) == 0);
  server->kill();
  server->wait();
  // It becomes a zombie of whoever adopts it, or nothing: its state says so either way.
  const auto gone = [grandchild] {
    const std::string stat = content("/proc/" + std::to_string(grandchild) + "/stat");
    return stat.empty() || stat.find(") Z") != std::string::npos;
  };
  for (int patience = 0; patience < 10'000 && !gone(); ++patience) environment().sleep_ms(1);
  BOOST_TEST(gone());
}

BOOST_AUTO_TEST_CASE(a_child_does_not_inherit_signal_handlers) {
  static std::atomic<int> handled{0};
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) { ++handled; };
  ::sigaction(SIGTERM, &action, &before);
  auto child = forked([](ChildChannel& channel) {
    if (!channel.send("ready").ok()) return 1;
    sleep_forever();
  });
  BOOST_TEST(next_message(*child) == "ready");
  ::kill(child->pid(), SIGTERM);
  const ChildState state = child->wait();
  ::sigaction(SIGTERM, &before, nullptr);
  BOOST_TEST(state.signal == SIGTERM);
  BOOST_TEST(handled == 0);
}

BOOST_AUTO_TEST_CASE(one_directory_has_one_owner) {
  const TemporaryDirectory directory;
  auto server = forked([&](ChildChannel& channel) {
    pid_t owner;
    const auto lock = environment().lock_directory(directory.path(), owner);
    if (!channel.send(lock.ok() ? "locked" : "refused").ok()) return 1;
    sleep_forever();
  });
  BOOST_TEST(next_message(*server) == "locked");
  pid_t owner = -1;
  const auto refused = environment().lock_directory(directory.path(), owner);
  BOOST_TEST((refused.status().code == Code::kBusy));
  BOOST_TEST(owner == server->pid());

  // kill -9 leaves the file and its text behind, and they must not matter.
  server->kill();
  server->wait();
  BOOST_TEST(fs::exists(directory / std::string(kLockFileName)));
  const auto lock = environment().lock_directory(directory.path(), owner);
  BOOST_TEST(lock.ok());
  BOOST_TEST(owner == 0);
  BOOST_TEST(content(directory / std::string(kLockFileName)) == std::to_string(::getpid()) + "\n");
}

BOOST_AUTO_TEST_CASE(two_engines_of_one_process_exclude_each_other) {
  const TemporaryDirectory directory;
  pid_t owner;
  auto first = environment().lock_directory(directory.path(), owner);
  BOOST_TEST_REQUIRE(first.ok());
  BOOST_TEST((environment().lock_directory(directory.path(), owner).status().code == Code::kBusy));
  BOOST_TEST(owner == ::getpid());
  (*first).reset();
  BOOST_TEST(environment().lock_directory(directory.path(), owner).ok());
}

BOOST_AUTO_TEST_CASE(a_forked_child_holds_no_lock) {
  const TemporaryDirectory directory;
  pid_t owner;
  auto lock = environment().lock_directory(directory.path(), owner);
  BOOST_TEST_REQUIRE(lock.ok());
  auto child = forked([](ChildChannel& channel) {
    if (!channel.send("ready").ok()) return 1;
    sleep_forever();
  });
  BOOST_TEST(next_message(*child) == "ready");
  (*lock).reset();  // as the kernel does it for a killed parent
  BOOST_TEST(environment().lock_directory(directory.path(), owner).ok());
  BOOST_TEST(child->poll().running);
}

BOOST_AUTO_TEST_CASE(a_lock_that_ends_in_a_child_leaves_the_parents_alone) {
  const TemporaryDirectory directory;
  pid_t owner;
  auto lock = environment().lock_directory(directory.path(), owner);
  BOOST_TEST_REQUIRE(lock.ok());
  auto child = forked([&](ChildChannel&) {
    (*lock).reset();
    return 0;
  });
  BOOST_TEST(child->wait().exit_code == 0);
  BOOST_TEST((environment().lock_directory(directory.path(), owner).status().code == Code::kBusy));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb
