// Loading: nothing that is not exactly what was written is ever believed, and what was written is
// taken whatever happened around it, if asked.
#include <zstd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <optional>

#include "persist/files.h"
#include "persist/snapshot.h"
#include "test/persist/contents.h"
#include "test/persist/snapshot_file.h"
#include "test/sim/crashing_environment.h"
#include "test/sim/failing_environment.h"

namespace roxdb::persist {
namespace {

constexpr const char* kPath = "data/dump.rdb";
constexpr int64_t kNowMs = 1'700'000'000'000;

DiskImage disk_with_file(std::string_view bytes) {
  DiskImage image = empty_data_directory();
  image.files[kPath] = FileContent(bytes);
  return image;
}

// One Engine that loads file after file.
class LoadedEngine {
 public:
  LoadedEngine() : environment_(1, empty_data_directory()) {
    engine::Engine::Options options;
    options.environment = &environment_;
    options.hash_seed = 1;
    engine_.emplace(options);
  }

  engine::Engine& engine() { return *engine_; }
  CrashingEnvironment& environment() { return environment_; }

  // Into empty databases.
  LoadResult load(std::string_view bytes, const LoadOptions& options = {}) {
    engine_->flush(-1, false);
    put(bytes);
    return load_snapshot(*engine_, kPath, options);
  }
  Contents contents() const { return contents_of(*engine_); }
  std::string save(const Contents& contents, bool compress = true) {
    engine_->flush(-1, false);
    fill(*engine_, contents);
    SaveOptions options;
    options.compress = compress;
    ROX_ASSERT(save_snapshot(*engine_, kPath, options).ok());
    return *read_file(environment_, kPath, 1u << 30);
  }

  void put(std::string_view bytes) {
    static_cast<void>(environment_.remove(kPath).ok());
    auto file = environment_.open(kPath, OpenMode::kCreateNew);
    ROX_ASSERT(file.ok());
    ROX_ASSERT(write_all(**file, bytes).ok());
  }

 private:
  CrashingEnvironment environment_;
  std::optional<engine::Engine> engine_;
};

Contents small_contents() {
  Contents contents;
  contents[{0, "one"}] = {"1", -1, 7};
  contents[{0, "two"}] = {"a value of some length, so that it is text", kNowMs + 5'000, 8};
  contents[{3, "three"}] = {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", -1, 9};
  return contents;
}

bool is_subset(const Contents& part, const Contents& whole) {
  return std::includes(whole.begin(), whole.end(), part.begin(), part.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; }) &&
         std::all_of(part.begin(), part.end(),
                     [&](const auto& item) { return whole.at(item.first) == item.second; });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(persist_snapshot_load)

// T6. The hashes cover every byte, so no bit is harmless. Salvage takes only what was written.
BOOST_AUTO_TEST_CASE(every_flipped_bit_of_a_file_is_found) {
  LoadedEngine loaded;
  const Contents contents = small_contents();
  for (const bool compress : {false, true}) {
    const std::string good = loaded.save(contents, compress);
    BOOST_TEST(loaded.load(good).status.ok());
    BOOST_TEST((loaded.contents() == contents));
    size_t salvaged = 0;
    for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
      std::string bytes = good;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
      BOOST_TEST_CONTEXT("compressed " << compress << ", bit " << bit % 8 << " of byte "
                                       << bit / 8) {
        const LoadResult result = loaded.load(bytes);
        BOOST_TEST_REQUIRE((result.status.code == Code::kCorrupt));
        BOOST_TEST(result.exit_code == 10);
        BOOST_TEST((result.message.find("data/dump.rdb: offset ") == 0), result.message);
        BOOST_TEST(is_subset(loaded.contents(), contents));
        BOOST_TEST(!verify_snapshot(loaded.environment(), kPath, {}).status.ok());

        LoadOptions options;
        options.salvage = true;
        const LoadResult rest = loaded.load(bytes, options);
        BOOST_TEST(rest.status.ok(), rest.message);
        BOOST_TEST(!rest.losses.empty());
        // One flip in the header can be mended, so that it costs nothing.
        if (bit / 8 < kFileHeaderBytes) {
          BOOST_TEST((loaded.contents() == contents));
        } else {
          BOOST_TEST(is_subset(loaded.contents(), contents));
        }
        salvaged += loaded.contents().size();
      }
    }
    // A flip outside the header's fields costs at most the block it is in: two of three keys.
    BOOST_TEST(salvaged > 8 * good.size());
  }
}

// F2: of a header that is damaged beyond mending, salvage believes the id, which the blocks prove,
// and no other field.
BOOST_AUTO_TEST_CASE(salvage_believes_nothing_of_a_damaged_header) {
  LoadedEngine loaded;
  const Contents contents = small_contents();
  LoadOptions options;
  options.salvage = true;
  for (const size_t offset : {32, 40, 48}) {  // creation, flags, sequence
    std::string bytes = loaded.save(contents);
    bytes[offset] = static_cast<char>(bytes[offset] ^ 1);
    bytes[56] = static_cast<char>(bytes[56] ^ 1);
    BOOST_TEST((loaded.load(bytes).status.code == Code::kCorrupt));
    const LoadResult rest = loaded.load(bytes, options);
    BOOST_TEST_REQUIRE(rest.status.ok(), rest.message);
    BOOST_TEST(rest.losses.size() == 1u);
    BOOST_TEST(!rest.header_is_known);
    BOOST_TEST(rest.header.created_ms == 0);
    BOOST_TEST(rest.header.flags == 0u);
    BOOST_TEST(rest.header.sequence == 0u);
    Contents expected = contents;
    for (auto& [key, record] : expected) record.access = loaded.engine().fresh_access();
    BOOST_TEST(loaded.contents() == expected);

    // In a copy nobody knows which kind of clock will read them.
    BOOST_TEST_REQUIRE(salvage_snapshot(loaded.environment(), kPath, "data/copy").status.ok());
    const std::string copy = *read_file(loaded.environment(), "data/copy", 1u << 30);
    BOOST_TEST(loaded.environment().remove("data/copy").ok());
    BOOST_TEST(loaded.load(copy).status.ok());
    for (auto& [key, record] : expected) record.access = 0;
    BOOST_TEST(loaded.contents() == expected);
  }
}

BOOST_AUTO_TEST_CASE(a_file_cut_anywhere_is_refused) {
  LoadedEngine loaded;
  const Contents contents = small_contents();
  const std::string good = loaded.save(contents);
  for (size_t size = 0; size < good.size(); ++size) {
    BOOST_TEST_CONTEXT("cut to " << size << " of " << good.size()) {
      const LoadResult result = loaded.load(good.substr(0, size));
      BOOST_TEST_REQUIRE((result.status.code == Code::kCorrupt));
      BOOST_TEST(result.exit_code == 10);
      LoadOptions options;
      options.salvage = true;
      loaded.load(good.substr(0, size), options);
      BOOST_TEST(is_subset(loaded.contents(), contents));
    }
  }
  for (const std::string_view behind : {std::string_view("\0", 1), std::string_view(good)}) {
    const LoadResult result = loaded.load(good + std::string(behind));
    BOOST_TEST((result.status.code == Code::kCorrupt));
    BOOST_TEST((result.message.find("behind the trailer") != std::string::npos), result.message);
  }
}

// R4: what a person needs to decide is in one line.
BOOST_AUTO_TEST_CASE(a_refusal_names_place_hashes_what_is_good_and_the_tool) {
  LoadedEngine loaded;
  Random random(1);
  Contents contents;
  for (const char* key : {"a", "b", "c", "d"}) {
    contents[{0, key}].value = random_bytes(random, 700'000);
  }
  std::string bytes = loaded.save(contents);
  const uint64_t block = kBlockHeaderBytes + 700'000 + 10;
  const uint64_t third = kFileHeaderBytes + 2 * block - 2;  // about: inside the third of four
  bytes[third + 1'000] ^= 1;
  const LoadResult result = loaded.load(bytes);
  BOOST_TEST((result.status.code == Code::kCorrupt));
  BOOST_TEST((result.message.find("block hash expected ") != std::string::npos), result.message);
  BOOST_TEST((result.message.find(", found ") != std::string::npos), result.message);
  BOOST_TEST((result.message.find("; 1 intact entries behind it") != std::string::npos),
             result.message);
  BOOST_TEST((result.message.find("; 2 entries before it") != std::string::npos), result.message);
  BOOST_TEST((result.message.find("roxdb-tool salvage data/dump.rdb") != std::string::npos),
             result.message);
  BOOST_TEST(loaded.engine().size() == 2u);
}

// Blocks in another order, from another file, left out or twice: each block alone is good.
BOOST_AUTO_TEST_CASE(blocks_only_verify_in_their_place_of_their_file) {
  LoadedEngine loaded;
  const auto file = [](char id) {
    SnapshotFile made(kSnapshotMajor, kSnapshotMinor, id);
    made.block(BlockType::kEntries, RawEntry("a", "vvvv").bytes(), 1);
    made.block(BlockType::kEntries, RawEntry("b", "vvvv").bytes(), 1);
    return made.finish();
  };
  const std::string good = file('i');
  const std::string other = file('j');
  const size_t size = kBlockHeaderBytes + RawEntry("a", "vvvv").bytes().size();
  const std::string head = good.substr(0, kFileHeaderBytes);
  const std::string a = good.substr(kFileHeaderBytes, size);
  const std::string b = good.substr(kFileHeaderBytes + size, size);
  const std::string end = good.substr(kFileHeaderBytes + 2 * size);
  BOOST_TEST(loaded.load(head + a + b + end).status.ok());
  BOOST_TEST((loaded.load(head + b + a + end).status.code == Code::kCorrupt));
  BOOST_TEST((loaded.load(head + a + end).status.code == Code::kCorrupt));
  BOOST_TEST((loaded.load(head + a + a + end).status.code == Code::kCorrupt));
  BOOST_TEST((loaded.load(head + a + a + b + end).status.code == Code::kCorrupt));
  BOOST_TEST((loaded.load(head + a + other.substr(kFileHeaderBytes + size)).status.code ==
              Code::kCorrupt));

  LoadOptions options;
  options.salvage = true;
  const LoadResult rest = loaded.load(head + b + a + end, options);
  BOOST_TEST(rest.status.ok());
  BOOST_TEST(rest.losses.size() == 2u);
  BOOST_TEST(loaded.engine().size() == 1u);
}

BOOST_AUTO_TEST_CASE(salvage_loads_the_rest_and_lists_every_loss) {
  LoadedEngine loaded;
  Random random(2);
  Contents contents;
  for (int i = 0; i < 12; ++i) {
    contents[{i % 2, std::to_string(i)}].value = random_bytes(random, 600'000);
  }
  contents[{2, "big"}].value = random_bytes(random, 5 * kBlockBytesMax);
  const std::string good = loaded.save(contents);
  for (const uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) {
    Random damage(seed);
    std::string bytes = good;
    const size_t count = 1 + damage.below(3);
    for (size_t i = 0; i < count; ++i) {
      const size_t at = kFileHeaderBytes + damage.below(bytes.size() - kFileHeaderBytes);
      switch (damage.below(3)) {
        case 0:
          bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
          break;
        case 1:
          std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(at),
                      std::min<size_t>(100'000, bytes.size() - at), '\0');
          break;
        default:
          bytes.erase(at, 1'000);
          break;
      }
    }
    BOOST_TEST_CONTEXT("seed " << seed) {
      LoadOptions options;
      options.salvage = true;
      options.threads = static_cast<int>(seed % 3);
      const LoadResult result = loaded.load(bytes, options);
      BOOST_TEST_REQUIRE(result.status.ok(), result.message);
      BOOST_TEST(!result.losses.empty());
      const Contents found = loaded.contents();
      BOOST_TEST(is_subset(found, contents));
      BOOST_TEST(found.size() >= contents.size() - 2 * count - 1);
      uint64_t before = 0;
      for (const Loss& loss : result.losses) {
        BOOST_TEST(loss.offset >= before);
        BOOST_TEST(!loss.why.empty());
        before = loss.offset + loss.bytes;
      }
      BOOST_TEST(before <= bytes.size());

      // The tool's copy holds the same, and is a snapshot like any other.
      const LoadResult copied = salvage_snapshot(loaded.environment(), kPath, "data/copy");
      BOOST_TEST_REQUIRE(copied.status.ok(), copied.message);
      BOOST_TEST(copied.losses.size() == result.losses.size());
      BOOST_TEST(loaded.load(*read_file(loaded.environment(), "data/copy", 1u << 30)).status.ok());
      BOOST_TEST((loaded.contents() == found));
      BOOST_TEST(loaded.environment().remove("data/copy").ok());
    }
  }
}

// Each file below carries right hashes and wrong content.
BOOST_AUTO_TEST_CASE(content_that_makes_no_sense_is_refused) {
  LoadedEngine loaded;
  const std::string a = RawEntry("a", "aaaa").bytes();
  const std::string b = RawEntry("b", "bbbb").bytes();
  struct Case {
    const char* why;
    std::string file;
  };
  BlockHeader zstd;
  zstd.codec = static_cast<uint8_t>(Codec::kZstd);
  zstd.type = static_cast<uint8_t>(BlockType::kEntries);
  zstd.raw_size = 100;
  std::string bomb(ZSTD_compressBound(1u << 24), '\0');
  bomb.resize(
      ZSTD_compress(bomb.data(), bomb.size(), std::string(1u << 24, 'x').data(), 1u << 24, 1));
  BlockHeader large = zstd;
  large.raw_size = kBlockBytesMax;
  BlockHeader codec = zstd;
  codec.codec = 9;
  BlockHeader two_lengths;
  two_lengths.type = static_cast<uint8_t>(BlockType::kEntries);
  two_lengths.raw_size = 200;
  SnapshotFile wrong_counts;
  wrong_counts.block(BlockType::kEntries, a, 1).counts().entries = 2;
  SnapshotFile wrong_types;
  wrong_types.block(BlockType::kEntries, a, 1).counts().by_type = {0, 1};
  const Case cases[] = {
      {"an entry is cut off",
       SnapshotFile().block(BlockType::kEntries, a.substr(0, a.size() - 1), 1).finish()},
      {"fewer entries than announced", SnapshotFile().block(BlockType::kEntries, a, 2).finish()},
      {"more entries than announced", SnapshotFile().block(BlockType::kEntries, a + b, 1).finish()},
      {"a key twice in a block", SnapshotFile().block(BlockType::kEntries, a + a, 2).finish()},
      {"a key twice in two blocks", SnapshotFile()
                                        .block(BlockType::kEntries, a + b, 2)
                                        .block(BlockType::kEntries, a, 1)
                                        .finish()},
      {"an entry that goes on in the next entries",
       SnapshotFile()
           .block(BlockType::kEntries, a.substr(0, 7), 1)
           .block(BlockType::kEntries, a.substr(7), 0)
           .finish()},
      {"a continuation of nothing", SnapshotFile().block(BlockType::kContinuation, a, 0).finish()},
      {"a continuation in another database",
       SnapshotFile()
           .block(BlockType::kEntries, a.substr(0, 7), 1)
           .block(BlockType::kContinuation, a.substr(7), 0, {.database = 1})
           .finish()},
      {"bytes behind a continued value", SnapshotFile()
                                             .block(BlockType::kEntries, a.substr(0, 7), 1)
                                             .block(BlockType::kContinuation, a.substr(7) + b, 0)
                                             .finish()},
      {"an unknown entry flag",
       SnapshotFile().block(BlockType::kEntries, RawEntry("a", "v", 0x40).bytes(), 1).finish()},
      {"an expiry before 1970",
       SnapshotFile()
           .block(BlockType::kEntries, RawEntry("a", "v", kEntryHasExpiry, -1).bytes(), 1)
           .finish()},
      {"a key size beyond any bound",
       SnapshotFile()
           .block(BlockType::kEntries,
                  std::string("\0\1\2\3\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 13), 1)
           .finish()},
      {"a number that does not end",
       SnapshotFile()
           .block(BlockType::kEntries, std::string(4, '\0') + std::string(12, '\xff'), 1)
           .finish()},
      {"a frame that unpacks to more", SnapshotFile().sealed(zstd, bomb.substr(0, 100)).finish()},
      {"a frame that unpacks to far more", SnapshotFile().sealed(large, bomb).finish()},
      {"an unknown codec", SnapshotFile().sealed(codec, a).finish()},
      {"a plain block of two lengths", SnapshotFile().sealed(two_lengths, a).finish()},
      {"a trailer that counts wrongly", wrong_counts.finish()},
      {"a trailer with other types", wrong_types.finish()},
  };
  for (const Case& one : cases) {
    BOOST_TEST_CONTEXT(one.why) {
      const LoadResult result = loaded.load(one.file);
      BOOST_TEST((result.status.code == Code::kCorrupt));
      BOOST_TEST(result.exit_code == 10);
      BOOST_TEST_MESSAGE(one.why << ": " << result.message);
      LoadOptions options;
      options.salvage = true;
      const LoadResult rest = loaded.load(one.file, options);
      BOOST_TEST(rest.status.ok(), rest.message);
      BOOST_TEST(!rest.losses.empty());
    }
  }
}

// F5, and what a smaller configuration cannot hold: refused by name, without calling it damage.
BOOST_AUTO_TEST_CASE(what_this_version_cannot_hold_is_refused_by_name) {
  LoadedEngine loaded;
  const std::string a = RawEntry("a", "aaaa").bytes();
  struct Case {
    const char* words;
    std::string file;
  };
  BlockHeader future;
  future.type = 77;
  future.raw_size = 4;
  const Case cases[] = {
      {"database 16 is above",
       SnapshotFile().block(BlockType::kEntries, a, 1, {.database = 16}).finish()},
      {"a value of type 15",
       SnapshotFile().block(BlockType::kEntries, RawEntry("a", "v", 15).bytes(), 1).finish()},
      {"a value of type 31",
       SnapshotFile().block(BlockType::kEntries, RawEntry("a", "v", 31).bytes(), 1).finish()},
      {"a block of type 77", SnapshotFile().sealed(future, "....").finish()},
      {"format version 2.0", SnapshotFile(2).block(BlockType::kEntries, a, 1).finish()},
  };
  for (const Case& one : cases) {
    const LoadResult result = loaded.load(one.file);
    BOOST_TEST(!result.status.ok());
    BOOST_TEST(result.exit_code == 10);
    BOOST_TEST((result.message.find(one.words) != std::string::npos), result.message);
  }
}

BOOST_AUTO_TEST_CASE(a_later_minor_version_with_blocks_that_may_be_skipped_is_read) {
  LoadedEngine loaded;
  BlockHeader future;
  future.type = 77;
  future.flags = kBlockMayBeSkipped;
  future.raw_size = 4;
  SnapshotFile file(1, 9);
  file.sealed(future, "....");
  file.block(BlockType::kEntries, RawEntry("a", "aaaa").bytes(), 1);
  file.sealed(future, "....");
  const LoadResult result = loaded.load(file.finish());
  BOOST_TEST(result.status.ok(), result.message);
  BOOST_TEST(loaded.engine().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_file_of_another_kind_is_refused) {
  LoadedEngine loaded;
  for (const std::string_view bytes : {std::string_view(""), std::string_view("x"),
                                       std::string_view("ROXLOG\r\x1a and more of it"),
                                       std::string_view("*1\r\n$4\r\nPING\r\n")}) {
    const LoadResult result = loaded.load(bytes);
    BOOST_TEST((result.status.code == Code::kCorrupt));
    BOOST_TEST(result.exit_code == 10);
  }
  BOOST_TEST((load_snapshot(loaded.engine(), "data/none", {}).status.code == Code::kNotFound));
}

// R5: every read fails in turn, with and without salvage; what fails is never taken for the end.
BOOST_AUTO_TEST_CASE(a_read_error_is_not_damage) {
  LoadedEngine writer;
  Random random(5);
  Contents contents = small_contents();
  contents[{1, "big"}].value = random_bytes(random, 3 * kBlockBytesMax);
  const std::string good = writer.save(contents);
  std::string bad = good;
  bad[kFileHeaderBytes + kBlockHeaderBytes] ^= 1;
  for (const bool salvage : {false, true}) {
    for (uint64_t n = 1;; ++n) {
      CrashingEnvironment disk(1, disk_with_file(salvage ? bad : good));
      FailingEnvironment failing(disk);
      failing.add({.nth = n, .os_error = EIO});
      engine::Engine::Options options;
      options.environment = &failing;
      engine::Engine engine(options);
      LoadOptions load_options;
      load_options.salvage = salvage;
      const LoadResult result = load_snapshot(engine, kPath, load_options);
      if (failing.injected() == 0) {
        BOOST_TEST(result.status.ok(), result.message);
        BOOST_TEST(n > 8u);
        break;
      }
      BOOST_TEST((result.status.code == Code::kIo), "call " << n << ": " << result.message);
      BOOST_TEST(result.exit_code == 12);
      BOOST_TEST(is_subset(contents_of(engine), contents));
    }
  }
}

// R10, and D4: whether a key has expired depends on the clock at load, not on that of the save.
BOOST_AUTO_TEST_CASE(keys_that_expired_in_the_file_are_dropped_on_a_primary_only) {
  LoadedEngine loaded;
  const std::string file = loaded.save(small_contents());
  loaded.environment().set_wall_us((kNowMs + 5'000) * 1'000);
  BOOST_TEST(loaded.load(file).expired == 0u);
  loaded.environment().set_wall_us((kNowMs + 5'001) * 1'000);
  LoadResult result = loaded.load(file);
  BOOST_TEST(result.status.ok());
  BOOST_TEST(result.expired == 1u);
  BOOST_TEST(result.entries_kept == 2u);
  BOOST_TEST(loaded.engine().size() == 2u);
  LoadOptions options;
  options.keep_expired = true;
  result = loaded.load(file, options);
  BOOST_TEST(result.expired == 0u);
  BOOST_TEST((loaded.contents() == small_contents()));
}

BOOST_AUTO_TEST_CASE(a_key_that_is_there_already_gives_way_only_when_asked) {
  LoadedEngine loaded;
  const Contents contents = small_contents();
  const std::string file = loaded.save(contents);
  loaded.engine().flush(-1, false);
  Contents there;
  there[{0, "one"}].value = "was here";
  there[{0, "other"}].value = "stays";
  fill(loaded.engine(), there);
  BOOST_TEST((load_snapshot(loaded.engine(), kPath, {}).status.code == Code::kCorrupt));

  loaded.engine().flush(-1, false);
  fill(loaded.engine(), there);
  LoadOptions options;
  options.replace = true;
  BOOST_TEST(load_snapshot(loaded.engine(), kPath, options).status.ok());
  Contents expected = contents;
  expected[{0, "other"}].value = "stays";
  BOOST_TEST(loaded.contents() == expected);
}

// An LRU clock read as an LFU counter would evict the wrong keys.
BOOST_AUTO_TEST_CASE(access_fields_of_the_other_kind_are_replaced) {
  LoadedEngine loaded;
  const std::string file = loaded.save(small_contents());
  loaded.engine().uses_lfu = true;
  BOOST_TEST(loaded.load(file).status.ok());
  for (const auto& [key, record] : loaded.contents()) {
    BOOST_TEST(record.access == loaded.engine().fresh_access());
  }
}

BOOST_AUTO_TEST_CASE(progress_runs_from_the_first_to_the_last_byte) {
  LoadedEngine loaded;
  Random random(6);
  Contents contents;
  contents[{0, "small"}].value = "1";
  for (int i = 0; i < 20; ++i) {
    contents[{0, std::to_string(i)}].value = random_bytes(random, kBlockBytesMax / 2);
  }
  contents[{0, "large"}].value = random_bytes(random, 7 * kBlockBytesMax);
  const std::string file = loaded.save(contents);
  LoadProgress last;
  uint64_t calls = 0;
  LoadOptions options;
  options.on_progress = [&](const LoadProgress& progress) {
    BOOST_TEST(progress.file_bytes > last.file_bytes);
    BOOST_TEST(progress.file_bytes_total == file.size());
    last = progress;
    calls++;
  };
  const LoadResult result = loaded.load(file, options);
  BOOST_TEST(result.status.ok());
  BOOST_TEST(result.counts.blocks >= 17u);
  BOOST_TEST(calls == result.counts.blocks + 1);
  BOOST_TEST(last.file_bytes == file.size());
  BOOST_TEST(last.entries == 22u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::persist
