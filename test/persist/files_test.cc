#include "persist/files.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <string>
#include <vector>

#include "test/sim/crashing_environment.h"
#include "test/sim/failing_environment.h"

namespace roxdb::persist {
namespace {

DiskImage disk_with(const std::map<std::string, std::string>& files) {
  DiskImage image;
  image.directories.insert("data");
  for (const auto& [path, text] : files) image.files[path] = FileContent(text);
  return image;
}

std::string text_of(const DiskImage& image, const std::string& path) {
  const auto file = image.files.find(path);
  return file == image.files.end() ? "<absent>" : file->second.text();
}

bool has_temporary(Environment& environment) {
  const auto entries = environment.list("data");
  ROX_ASSERT(entries.ok());
  return std::any_of(entries->begin(), entries->end(),
                     [](const DirectoryEntry& entry) { return is_temporary_name(entry.name); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(persist_files)

BOOST_AUTO_TEST_CASE(a_path_is_a_directory_and_a_name) {
  BOOST_TEST(directory_of("a/b/c") == "a/b");
  BOOST_TEST(directory_of("c") == ".");
  BOOST_TEST(directory_of("/c") == "/");
  BOOST_TEST(name_of("a/b/c") == "c");
  BOOST_TEST(name_of("c") == "c");
}

BOOST_AUTO_TEST_CASE(only_names_of_our_pattern_are_temporary) {
  BOOST_TEST(is_temporary_name(name_of(temporary_path("data/dump.rdb", 4711, 3))));
  BOOST_TEST(is_temporary_name("a.tmp.b.tmp.1.2"));
  for (const char* name : {"dump.rdb", "dump.rdb.tmp", "dump.rdb.tmp.", "dump.rdb.tmp.1",
                           "dump.rdb.tmp.1.", "dump.rdb.tmp..1", "dump.rdb.tmp.1.2.3",
                           "dump.rdb.tmp.1.2x", "dump.rdb.tmp.-1.2", ".tmp.1.2", "temp-1.rdb"}) {
    BOOST_TEST(!is_temporary_name(name), name);
  }
}

BOOST_AUTO_TEST_CASE(short_writes_and_reads_are_completed) {
  CrashingEnvironment disk(1, disk_with({}));
  FailingEnvironment failing(disk);
  failing.add({.kind = CallKind::kWrite, .times = Fault::kAlways, .short_bytes = 3});
  BOOST_TEST(replace_file(failing, "data/file", "0123456789").ok());
  failing.clear();
  const auto bytes = read_file(failing, "data/file", 10);
  BOOST_TEST_REQUIRE(bytes.ok());
  BOOST_TEST(*bytes == "0123456789");
  BOOST_TEST((read_file(failing, "data/file", 9).status().code == Code::kCorrupt));
  BOOST_TEST((read_file(failing, "data/other", 9).status().code == Code::kNotFound));
}

BOOST_AUTO_TEST_CASE(a_growing_file_is_synced_every_16_mib) {
  CrashingEnvironment disk(1, disk_with({}));
  FailingEnvironment counting(disk);
  TemporaryFile file(counting);
  BOOST_TEST_REQUIRE(file.create("data/big.tmp.1.0").ok());
  const std::string piece(1u << 20, 'x');
  for (int i = 0; i < 40; ++i) BOOST_TEST_REQUIRE(file.append(piece).ok());
  BOOST_TEST(counting.calls(CallKind::kSync) == 2u);
  BOOST_TEST(file.finish().ok());
  BOOST_TEST(counting.calls(CallKind::kSync) == 3u);
}

BOOST_AUTO_TEST_CASE(a_temporary_file_that_was_not_finished_goes) {
  CrashingEnvironment disk(1, disk_with({}));
  {
    TemporaryFile file(disk);
    BOOST_TEST_REQUIRE(file.create("data/a.tmp.1.0").ok());
    BOOST_TEST_REQUIRE(file.append("text").ok());
    BOOST_TEST(has_temporary(disk));
  }
  BOOST_TEST(!has_temporary(disk));
  {
    TemporaryFile file(disk);
    BOOST_TEST_REQUIRE(file.create("data/a.tmp.1.0").ok());
    BOOST_TEST_REQUIRE(file.finish().ok());
  }
  BOOST_TEST(has_temporary(disk));
}

BOOST_AUTO_TEST_CASE(a_file_that_exists_is_never_opened_as_a_new_one) {
  CrashingEnvironment disk(1, disk_with({{"data/a.tmp.1.0", "of somebody else"}}));
  {
    TemporaryFile file(disk);
    BOOST_TEST(!file.create("data/a.tmp.1.0").ok());
  }
  BOOST_TEST(*read_file(disk, "data/a.tmp.1.0", 100) == "of somebody else");
}

// Every call fails in turn: the old file stays, or the new one is whole, and nothing is left over.
BOOST_AUTO_TEST_CASE(a_replacement_that_fails_leaves_the_old_file) {
  CrashingEnvironment whole(1, disk_with({{"data/file", "old"}}));
  FailingEnvironment counting(whole);
  BOOST_TEST_REQUIRE(replace_file(counting, "data/file", "new").ok());
  const uint64_t calls = counting.calls(CallKind::kAny);
  for (uint64_t n = 1; n <= calls; ++n) {
    CrashingEnvironment disk(1, disk_with({{"data/file", "old"}}));
    FailingEnvironment failing(disk);
    failing.add({.nth = n, .os_error = ENOSPC});
    const Status status = replace_file(failing, "data/file", "new");
    BOOST_TEST_CONTEXT("call " << n) {
      BOOST_TEST_REQUIRE(failing.injected() == 1u);
      BOOST_TEST(!status.ok());
      BOOST_TEST(status.os_error == ENOSPC);
      const std::string text = *read_file(disk, "data/file", 100);
      BOOST_TEST((text == "old" || (text == "new" && n == calls)));
      BOOST_TEST(!has_temporary(disk));
    }
  }
}

// Every call is the last before a power cut or a kill.
BOOST_AUTO_TEST_CASE(a_replacement_leaves_the_old_or_the_new_file_at_any_crash) {
  const DiskImage before = disk_with({{"data/file", std::string(2'000, 'o')}});
  const std::string old_text = before.files.at("data/file").text();
  const std::string new_text(3'000, 'n');
  CrashingEnvironment whole(1, before);
  BOOST_TEST_REQUIRE(replace_file(whole, "data/file", new_text).ok());
  for (uint64_t n = 1; n <= whole.changes() + 1; ++n) {
    CrashingEnvironment environment(1, before);
    environment.crash_at(n);
    const bool ok = replace_file(environment, "data/file", new_text).ok();
    BOOST_TEST_REQUIRE(ok == (n > whole.changes()));
    std::vector<DiskImage> images = environment.disk_images(n, 100);
    for (DiskImage& image : environment.kill_images()) images.push_back(std::move(image));
    for (const DiskImage& image : images) {
      BOOST_TEST_CONTEXT("call " << n << ", image " << image.rule) {
        const std::string text = text_of(image, "data/file");
        BOOST_TEST_REQUIRE((text == new_text || (!ok && text == old_text)));
        CrashingEnvironment after(1, image);
        BOOST_TEST(remove_stale_files(after, "data", Logger()).ok());
        BOOST_TEST(!has_temporary(after));
      }
    }
  }
}

namespace {

constexpr int kOlder = 3;

Status install(Environment& environment, std::string_view text) {
  const std::string temporary = temporary_path("data/file", environment.process_id(), 7);
  {
    TemporaryFile file(environment);
    ROX_TRY(file.create(temporary));
    ROX_TRY(file.append(text));
    ROX_TRY(file.finish());
  }
  return install_generation(environment, temporary, "data/file", kOlder);
}

// The file and the older ones, the youngest first, without the gaps between them.
std::string generations(Environment& environment) {
  std::string texts;
  for (int age = 0; age <= kOlder + 1; ++age) {
    const auto text =
        read_file(environment, age == 0 ? "data/file" : generation_path("data/file", age), 100);
    if (text.ok()) texts += *text + " ";
  }
  return texts;
}

}  // namespace

BOOST_AUTO_TEST_CASE(older_files_stay_as_many_as_asked_for) {
  CrashingEnvironment disk(1, disk_with({}));
  const char* const expected[] = {"1 ", "2 1 ", "3 2 1 ", "4 3 2 1 ", "5 4 3 2 ", "6 5 4 3 "};
  for (int n = 1; n <= 6; ++n) {
    BOOST_TEST_REQUIRE(install(disk, std::to_string(n)).ok());
    BOOST_TEST(generations(disk) == expected[n - 1]);
    BOOST_TEST(!has_temporary(disk));
  }
  // A missing one pushes nobody out.
  BOOST_TEST(disk.remove("data/file.2").ok());
  BOOST_TEST(install(disk, "7").ok());
  BOOST_TEST(generations(disk) == "7 6 5 3 ");
  BOOST_TEST(disk.remove("data/file").ok());
  BOOST_TEST(install(disk, "8").ok());
  BOOST_TEST(generations(disk) == "8 6 5 3 ");
}

namespace {

const std::map<std::string, std::string> kFourGenerations = {
    {"data/file", "4"}, {"data/file.1", "3"}, {"data/file.2", "2"}, {"data/file.3", "1"}};

}  // namespace

BOOST_AUTO_TEST_CASE(an_error_keeps_the_older_files_until_the_new_one_is_in_place) {
  CrashingEnvironment whole(1, disk_with(kFourGenerations));
  FailingEnvironment counting(whole);
  BOOST_TEST_REQUIRE(install(counting, "5").ok());
  const uint64_t calls = counting.calls(CallKind::kAny);
  size_t failed = 0;
  for (uint64_t n = 1; n <= calls; ++n) {
    CrashingEnvironment disk(1, disk_with(kFourGenerations));
    FailingEnvironment failing(disk);
    failing.add({.nth = n, .os_error = EPERM});
    failed += install(failing, "5").ok() ? 0 : 1;
    BOOST_TEST_CONTEXT("call " << n) {
      BOOST_TEST_REQUIRE(failing.injected() == 1u);
      const std::string found = generations(disk);
      BOOST_TEST((found == "4 3 2 1 " || found.starts_with("5 ")), found);
      // At most the one goes that would be "4" next time.
      BOOST_TEST((found.size() >= 2 * kOlder), found);
      BOOST_TEST(!has_temporary(disk));
    }
  }
  BOOST_TEST(failed == calls - 1);  // all but the removal of what is not there
}

BOOST_AUTO_TEST_CASE(a_crash_keeps_the_older_files_until_the_new_one_is_in_place) {
  const DiskImage before = disk_with(kFourGenerations);
  CrashingEnvironment whole(1, before);
  BOOST_TEST_REQUIRE(install(whole, "5").ok());
  for (uint64_t n = 1; n <= whole.changes() + 1; ++n) {
    CrashingEnvironment environment(1, before);
    environment.crash_at(n);
    const bool ok = install(environment, "5").ok();
    std::vector<DiskImage> images = environment.disk_images(n, 100);
    for (DiskImage& image : environment.kill_images()) images.push_back(std::move(image));
    for (const DiskImage& image : images) {
      BOOST_TEST_CONTEXT("call " << n << ", image " << image.rule) {
        CrashingEnvironment after(1, image);
        BOOST_TEST(remove_stale_files(after, "data", Logger()).ok());
        const std::string found = generations(after);
        BOOST_TEST((found == "5 4 3 2 " ||
                    (!ok && (found == "4 3 2 1 " || found == "5 3 2 1 " || found == "5 3 2 "))),
                   found);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(only_temporary_files_are_stale_and_each_is_logged) {
  CrashingEnvironment disk(1, disk_with({{"data/dump.rdb", "keep"},
                                         {"data/dump.rdb.tmp.12.0", "go"},
                                         {"data/dump.rdb.tmp.12.1", "go"},
                                         {"data/notes.tmp", "keep"}}));
  BOOST_TEST_REQUIRE(disk.make_directory("data/d.tmp.1.1").ok());
  int lines = 0;
  Logger log;
  log.sink = [&](LogLevel, std::string_view line) {
    lines++;
    BOOST_TEST((line.find("data/dump.rdb.tmp.12.") != std::string_view::npos));
  };
  BOOST_TEST(remove_stale_files(disk, "data", log).ok());
  BOOST_TEST(lines == 2);
  std::string left;
  const auto entries = disk.list("data");
  BOOST_TEST_REQUIRE(entries.ok());
  for (const DirectoryEntry& entry : *entries) left += entry.name + " ";
  BOOST_TEST(left == "d.tmp.1.1 dump.rdb notes.tmp ");
  BOOST_TEST(remove_stale_files(disk, "nowhere", log).ok());
}

BOOST_AUTO_TEST_CASE(a_new_directory_survives_a_power_cut) {
  CrashingEnvironment disk(1, disk_with({}));
  BOOST_TEST_REQUIRE(make_durable_directory(disk, "data/log").ok());
  for (const DiskImage& image : disk.disk_images(1, 100)) {
    BOOST_TEST(image.directories.contains("data/log"), image.rule);
  }
}

BOOST_AUTO_TEST_CASE(an_error_is_told_with_the_reason_of_the_system) {
  BOOST_TEST(describe(io_error(ENOSPC, "write")) == "write: No space left on device");
  BOOST_TEST(describe({Code::kCorrupt, 0, "the file is too large"}) == "the file is too large");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::persist
