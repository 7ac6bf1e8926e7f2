// Saving: what is loaded again is what was saved, and a save that fails or is cut short leaves the
// old snapshot.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <vector>

#include "persist/files.h"
#include "persist/snapshot.h"
#include "test/persist/contents.h"
#include "test/sim/crashing_environment.h"
#include "test/sim/failing_environment.h"

namespace roxdb::persist {
namespace {

constexpr const char* kPath = "data/dump.rdb";

std::unique_ptr<engine::Engine> new_engine(Environment& environment) {
  engine::Engine::Options options;
  options.environment = &environment;
  options.hash_seed = 1;
  return std::make_unique<engine::Engine>(options);
}

Contents loaded(Environment& environment, int threads = 0) {
  const auto engine = new_engine(environment);
  LoadOptions options;
  options.threads = threads;
  const LoadResult result = load_snapshot(*engine, kPath, options);
  BOOST_TEST_REQUIRE(result.status.ok(), result.message);
  BOOST_TEST(result.entries_kept == engine->size());
  BOOST_TEST(result.counts.entries == engine->size());
  return contents_of(*engine);
}

Contents round_trip(const Contents& contents, const SaveOptions& options) {
  CrashingEnvironment environment(1, empty_data_directory());
  const auto engine = new_engine(environment);
  fill(*engine, contents);
  BOOST_TEST_REQUIRE(save_snapshot(*engine, kPath, options).ok());
  BOOST_TEST((contents_of(*engine) == contents));
  return loaded(environment, options.threads);
}

SaveOptions options_of(int threads, bool compress) {
  SaveOptions options;
  options.threads = threads;
  options.compress = compress;
  return options;
}

// A disk with a snapshot of `contents`, all of it synced.
DiskImage disk_with(const Contents& contents) {
  CrashingEnvironment environment(2, empty_data_directory());
  const auto engine = new_engine(environment);
  fill(*engine, contents);
  ROX_ASSERT(save_snapshot(*engine, kPath, {}).ok());
  return environment.disk_images(1, 2).front();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(persist_snapshot_save)

BOOST_AUTO_TEST_CASE(any_keyspace_comes_back_as_it_was) {
  for (const uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8}) {
    Random random(seed);
    const size_t entries = seed <= 3 ? seed - 1 : random.below(2'000);
    const Contents contents = random_contents(random, entries, 1'700'000'000'000);
    BOOST_TEST_CONTEXT("seed " << seed) {
      BOOST_TEST(round_trip(contents, options_of(0, true)) == contents);
      BOOST_TEST(round_trip(contents, options_of(0, false)) == contents);
      BOOST_TEST(round_trip(contents, options_of(2, true)) == contents);
    }
  }
}

// Sizes at which an entry fills a block exactly, or is the first that does not fit, or goes on for
// several; next to small ones before and behind.
BOOST_AUTO_TEST_CASE(values_at_and_above_the_size_of_a_block_come_back) {
  Random random(9);
  for (const size_t size :
       {kBlockBytesMax - 30, kBlockBytesMax - 15, kBlockBytesMax - 14, kBlockBytesMax - 13,
        kBlockBytesMax - 12, kBlockBytesMax - 11, kBlockBytesMax - 10, kBlockBytesMax - 9,
        kBlockBytesMax - 8, kBlockBytesMax, kBlockBytesMax + 1, 3 * kBlockBytesMax,
        5 * kBlockBytesMax + 12'345}) {
    Contents contents;
    contents[{0, "big"}].value = random_bytes(random, size);
    BOOST_TEST_CONTEXT("size " << size) {
      BOOST_TEST(round_trip(contents, options_of(0, false)) == contents);
      contents[{0, "a"}].value = "small";
      contents[{0, "b"}].value = "small";
      contents[{0, "twin"}].value = random_bytes(random, size);
      contents[{1, "c"}].value = "small";
      BOOST_TEST(round_trip(contents, options_of(1, true)) == contents);
    }
  }
}

BOOST_AUTO_TEST_CASE(keys_larger_than_a_block_come_back) {
  Random random(10);
  Contents contents;
  contents[{0, random_bytes(random, 2 * kBlockBytesMax + 77)}].value = "value";
  contents[{0, ""}].value = "of the empty key";
  contents[{0, "empty"}].value = "";
  BOOST_TEST(round_trip(contents, options_of(0, true)) == contents);
}

BOOST_AUTO_TEST_CASE(every_database_keeps_its_keys) {
  Contents contents;
  for (int db = 0; db < kDatabases; ++db) contents[{db, "key"}].value = std::to_string(db);
  BOOST_TEST(round_trip(contents, options_of(0, true)) == contents);
}

BOOST_AUTO_TEST_CASE(small_structured_values_shrink_to_less_than_half) {
  CrashingEnvironment environment(1, empty_data_directory());
  const auto engine = new_engine(environment);
  Contents contents;
  size_t bytes = 0;
  for (int i = 0; i < 2'000; ++i) {
    Record& record = contents[{0, "user:" + std::to_string(i)}];
    record.value = "{\"name\":\"user " + std::to_string(i) + "\",\"active\":true,\"balance\":0}";
    bytes += record.value.size();
  }
  fill(*engine, contents);
  BOOST_TEST_REQUIRE(save_snapshot(*engine, kPath, {}).ok());
  BOOST_TEST(read_file(environment, kPath, 1u << 30)->size() < bytes / 2);
}

// What the file says of itself, and that progress ends where the file does.
BOOST_AUTO_TEST_CASE(the_file_tells_its_sequence_and_counts) {
  CrashingEnvironment environment(1, empty_data_directory());
  const auto engine = new_engine(environment);
  Random random(3);
  Contents contents = random_contents(random, 1'000, environment.now_ms());
  contents[{4, "big"}].value = random_bytes(random, 3 * kBlockBytesMax);
  fill(*engine, contents);
  SaveOptions options;
  options.sequence = 4711;
  options.log_base = true;
  SaveProgress last;
  options.on_progress = [&](const SaveProgress& progress) {
    BOOST_TEST(progress.entries >= last.entries);
    BOOST_TEST(progress.file_bytes > last.file_bytes);
    last = progress;
  };
  BOOST_TEST_REQUIRE(save_snapshot(*engine, kPath, options).ok());
  BOOST_TEST(last.entries == 1'001u);
  BOOST_TEST(last.entries_total == 1'001u);

  const LoadResult result = verify_snapshot(environment, kPath, {});
  BOOST_TEST_REQUIRE(result.status.ok(), result.message);
  BOOST_TEST(result.header.sequence == 4711u);
  BOOST_TEST((result.header.flags & kLogBase) != 0u);
  BOOST_TEST((result.header.flags & kAccessIsLfu) == 0u);
  BOOST_TEST(result.counts.entries == 1'001u);
  BOOST_TEST(result.counts.by_type[0] == 1'001u);
  BOOST_TEST(result.file_bytes == last.file_bytes);
  const auto expiring =
      static_cast<uint64_t>(std::count_if(contents.begin(), contents.end(), [](const auto& item) {
        return item.second.expire_at_ms >= 0;
      }));
  BOOST_TEST(result.counts.expiring == expiring);
}

BOOST_AUTO_TEST_CASE(a_rate_is_kept_by_sleeping) {
  CrashingEnvironment environment(1, empty_data_directory());
  const auto engine = new_engine(environment);
  Random random(3);
  Contents contents;
  contents[{0, "big"}].value = random_bytes(random, 8 * kBlockBytesMax);
  fill(*engine, contents);
  SaveOptions options;
  options.bytes_per_second_max = 2 * kBlockBytesMax;
  const uint64_t began_ns = environment.monotonic_ns();
  BOOST_TEST_REQUIRE(save_snapshot(*engine, kPath, options).ok());
  const uint64_t passed_ms = (environment.monotonic_ns() - began_ns) / 1'000'000;
  BOOST_TEST(passed_ms >= 3'900u);
  BOOST_TEST(passed_ms <= 4'100u);
}

// T1: every call fails in turn, with every error and also cut short.
BOOST_AUTO_TEST_CASE(a_save_that_fails_leaves_the_old_snapshot_and_no_other_file) {
  Random random(11);
  const Contents old_contents = random_contents(random, 20, 1'700'000'000'000);
  Contents new_contents = random_contents(random, 30, 1'700'000'000'000);
  const DiskImage before = disk_with(old_contents);
  const auto save = [&](Environment& environment) {
    const auto engine = new_engine(environment);
    fill(*engine, new_contents);
    return save_snapshot(*engine, kPath, options_of(0, false));
  };
  CrashingEnvironment whole(3, before);
  FailingEnvironment counting(whole);
  BOOST_TEST_REQUIRE(save(counting).ok());
  const uint64_t calls = counting.calls(CallKind::kAny);
  // Open, 5 writes, sync, close; open, size and 11 reads to prove it; rename, sync of the
  // directory.
  BOOST_TEST(calls == 23u);

  for (const Fault& fault : {Fault{.os_error = ENOSPC}, Fault{.os_error = EIO},
                             Fault{.kind = CallKind::kWrite, .short_bytes = 1}}) {
    for (uint64_t n = 1; n <= counting.calls(fault.kind); ++n) {
      CrashingEnvironment disk(3, before);
      FailingEnvironment failing(disk);
      Fault nth = fault;
      nth.nth = n;
      failing.add(nth);
      const bool ok = save(failing).ok();
      BOOST_TEST_CONTEXT("fault " << nth.os_error << ", " << nth.short_bytes << ", call " << n) {
        BOOST_TEST_REQUIRE(failing.injected() == 1u);
        BOOST_TEST(ok == (nth.short_bytes > 0));
        const Contents found = loaded(disk);
        // The last call syncs the directory: the rename has been done by then.
        BOOST_TEST(
            ((found == old_contents && !ok) || (found == new_contents && (ok || n == calls))));
        BOOST_TEST(disk.list("data")->size() == 1u);
      }
    }
  }
}

// T2 for SAVE: whatever is left of the disk, recovery finds the old snapshot or the new one.
BOOST_AUTO_TEST_CASE(a_crash_while_saving_leaves_the_old_or_the_new_snapshot) {
  Random random(12);
  const Contents old_contents = random_contents(random, 10, 1'700'000'000'000);
  Contents new_contents = random_contents(random, 10, 1'700'000'000'000);
  const DiskImage before = disk_with(old_contents);
  const auto save = [&](CrashingEnvironment& environment) {
    const auto engine = new_engine(environment);
    fill(*engine, new_contents);
    return save_snapshot(*engine, kPath, options_of(0, false)).ok();
  };
  CrashingEnvironment whole(3, before);
  BOOST_TEST_REQUIRE(save(whole));
  size_t images_seen = 0;
  for (uint64_t n = 1; n <= whole.changes() + 1; ++n) {
    CrashingEnvironment environment(3, before);
    environment.crash_at(n);
    const bool ok = save(environment);
    std::vector<DiskImage> images = environment.disk_images(n, 20);
    for (DiskImage& image : environment.kill_images()) images.push_back(std::move(image));
    for (const DiskImage& image : images) {
      images_seen++;
      BOOST_TEST_CONTEXT("call " << n << ", image " << image.rule) {
        CrashingEnvironment after(4, image);
        BOOST_TEST_REQUIRE(remove_stale_files(after, "data", Logger()).ok());
        const Contents found = loaded(after);
        BOOST_TEST((found == new_contents || (!ok && found == old_contents)));
        BOOST_TEST(after.list("data")->size() == 1u);
      }
    }
  }
  BOOST_TEST(images_seen > 100u);
}

// The disk takes every byte and keeps another one: the file is read back, and does not count.
BOOST_AUTO_TEST_CASE(a_save_that_does_not_read_back_has_failed) {
  Contents contents;
  contents[{0, "key"}].value = "old";
  const DiskImage before = disk_with(contents);
  Contents later = contents;
  later[{0, "key"}].value = "new";
  uint64_t writes = 0;
  for (uint64_t n = 1; n <= writes + 1; ++n) {
    CrashingEnvironment disk(3, before);
    FailingEnvironment failing(disk);
    failing.add({.nth = n, .flips = true});
    const auto engine = new_engine(failing);
    fill(*engine, later);
    const Status status = save_snapshot(*engine, kPath, {});
    BOOST_TEST_CONTEXT("write " << n) {
      const bool lied = failing.injected() > 0;
      BOOST_TEST(status.ok() == !lied);
      BOOST_TEST((!lied || status.code == Code::kCorrupt));
      BOOST_TEST(loaded(disk) == (lied ? contents : later));
      BOOST_TEST(disk.list("data")->size() == 1u);
      writes = failing.calls(CallKind::kWrite);
    }
  }
  BOOST_TEST(writes == 3u);  // header, block and trailer
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::persist
