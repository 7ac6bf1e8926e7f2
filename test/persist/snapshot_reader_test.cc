// What is searched behind a damage. Reading whole files, and salvage of damaged ones, is tried in
// snapshot_load_test.cc.
#include "persist/snapshot_reader.h"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "test/persist/contents.h"
#include "test/persist/snapshot_file.h"
#include "test/sim/crashing_environment.h"

namespace roxdb::persist {
namespace {

using Found = SnapshotReader::Found;

// Counts what is read of a file.
class CountingFile final : public File {
 public:
  explicit CountingFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

  Result<size_t> read_at(uint64_t offset, char* out, size_t size) override {
    auto got = file_->read_at(offset, out, size);
    if (got.ok()) bytes_read += *got;
    calls++;
    return got;
  }
  Result<size_t> write(std::string_view bytes) override { return file_->write(bytes); }
  Status make_room(uint64_t offset, uint64_t size) override {
    return file_->make_room(offset, size);
  }
  void store_ahead(uint64_t size) override { file_->store_ahead(size); }
  Status sync() override { return file_->sync(); }
  Status truncate(uint64_t size) override { return file_->truncate(size); }
  Result<uint64_t> size() override { return file_->size(); }
  Status close() override { return file_->close(); }

  uint64_t bytes_read = 0;
  uint64_t calls = 0;

 private:
  std::unique_ptr<File> file_;
};

struct Salvaged {
  uint64_t blocks = 0;
  uint64_t bytes_read = 0;
  uint64_t calls = 0;
  bool gave_up = false;
  Found last = Found::kDamage;
};

// Reads on behind every damage, as salvage does.
Salvaged salvage(const std::string& bytes, int threads) {
  DiskImage image;
  image.files["file"] = FileContent(bytes);
  CrashingEnvironment environment(1, image);
  auto opened = environment.open("file", OpenMode::kRead);
  BOOST_TEST_REQUIRE(opened.ok());
  CountingFile file(*std::move(opened));
  FileHeader header;
  std::string why;
  BOOST_TEST_REQUIRE(read_file_header(file, kSnapshotMagic, kSnapshotMajor, header, why).ok());
  file.bytes_read = file.calls = 0;
  SnapshotReader reader(file, header, bytes.size(), threads);
  Salvaged salvaged;
  do {
    while ((salvaged.last = reader.next()) == Found::kBlock) salvaged.blocks++;
  } while (salvaged.last == Found::kDamage && reader.search_on());
  salvaged.gave_up = reader.gave_up();
  salvaged.bytes_read = file.bytes_read;
  salvaged.calls = file.calls;
  return salvaged;
}

// The header of a block that is not there: right in all but its hash.
std::string false_header(uint32_t number, uint32_t stored_size) {
  BlockHeader header;
  header.number = number;
  header.type = static_cast<uint8_t>(BlockType::kEntries);
  header.raw_size = stored_size;
  std::string block(kBlockHeaderBytes + stored_size, '\0');
  seal_block(header, block, 0);
  block.resize(kBlockHeaderBytes);
  return block;
}

constexpr uint64_t kFileBytes = 3u << 20;

// The file once, the window of the search once, what looks like blocks once, and what was read
// ahead: see kReadsPerByte.
uint64_t bytes_max(const std::string& bytes, int threads) {
  const uint64_t ring = threads == 0 ? 2 : 2 + 2 * static_cast<uint64_t>(threads);
  return (4 + ring) * (bytes.size() + kBlockBytesMax);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(persist_snapshot_reader)

// Each of 78,000 places claims a megabyte: 80 GB, if all of them were tried.
BOOST_AUTO_TEST_CASE(headers_without_blocks_are_searched_in_linear_time) {
  const std::string head = SnapshotFile().bytes();
  for (const int threads : {0, 2}) {
    for (const size_t spacing : {kBlockHeaderBytes, size_t{44}, size_t{1'000}}) {
      std::string bytes = head;
      std::string place = false_header(9, kBlockBytesMax);
      place.resize(spacing, '\0');
      while (bytes.size() < kFileBytes) bytes += place;
      const Salvaged salvaged = salvage(bytes, threads);
      BOOST_TEST(salvaged.blocks == 0u);
      BOOST_TEST(salvaged.gave_up);
      BOOST_TEST(salvaged.bytes_read <= bytes_max(bytes, threads));
    }
  }
}

// Between a good block and the next stands one that claims a megabyte, so that there is a damage
// every hundred bytes.
BOOST_AUTO_TEST_CASE(many_damages_between_good_blocks_are_passed_in_linear_time) {
  SnapshotFile file;
  std::string bytes;
  size_t taken = 0;
  uint32_t blocks = 0;
  const std::string entry = RawEntry("a", "v").bytes();
  for (; bytes.size() < kFileBytes; ++blocks) {
    file.block(BlockType::kEntries, entry, 1);
    bytes += file.bytes().substr(taken);
    taken = file.bytes().size();
    bytes += false_header(blocks + 1, kBlockBytesMax);
  }
  for (const int threads : {0, 2}) {
    const Salvaged salvaged = salvage(bytes, threads);
    BOOST_TEST(salvaged.blocks > 0u);
    BOOST_TEST(salvaged.bytes_read <= bytes_max(bytes, threads));
  }
}

// ... and where the places claim no more than there is between them, every good block is found.
BOOST_AUTO_TEST_CASE(a_damage_in_every_block_leaves_all_others) {
  const std::string entry = RawEntry("a", std::string(3'000, 'v')).bytes();
  SnapshotFile file;
  std::vector<size_t> begins;
  for (int i = 0; i < 1'000; ++i) {
    begins.push_back(file.bytes().size());
    file.block(BlockType::kEntries, entry, 1);
  }
  std::string bytes = file.finish();
  for (size_t i = 0; i < begins.size(); i += 2) bytes[begins[i] + kBlockHeaderBytes] ^= 1;
  for (const int threads : {0, 1, 8}) {
    const Salvaged salvaged = salvage(bytes, threads);
    BOOST_TEST(salvaged.blocks == 500u);
    BOOST_TEST((salvaged.last == Found::kTrailer));
    BOOST_TEST(!salvaged.gave_up);
    BOOST_TEST(salvaged.bytes_read <= bytes_max(bytes, threads));
  }
}

// Random mixtures of good blocks, false headers, bare marks and noise, cut anywhere.
BOOST_AUTO_TEST_CASE(no_mixture_of_blocks_and_what_looks_like_them_costs_more) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    SnapshotFile file;
    std::string bytes = file.bytes();
    size_t taken = bytes.size();
    const size_t size = kFileHeaderBytes + random.below(seed % 10 == 0 ? kFileBytes : 200'000);
    while (bytes.size() < size) {
      const auto number = static_cast<uint32_t>(random.below(3'000));
      switch (random.below(6)) {
        case 0:
          file.block(BlockType::kEntries, std::string(random.below(300), 'x'), 1);
          bytes += file.bytes().substr(taken);
          taken = file.bytes().size();
          break;
        case 1:
          bytes += false_header(number, static_cast<uint32_t>(random.below(kBlockBytesMax + 1)));
          break;
        case 2:
          bytes += false_header(number, static_cast<uint32_t>(random.below(100)));
          break;
        case 3:
          bytes += false_header(number, 0).substr(random.below(kBlockHeaderBytes));
          break;
        case 4:
          for (uint64_t i = random.below(200); i > 0; --i) bytes += kBlockMark;
          break;
        default:
          for (uint64_t i = random.below(100); i > 0; --i) {
            bytes += static_cast<char>(random.next());
          }
          break;
      }
    }
    bytes.resize(size);
    const int threads = static_cast<int>(random.below(3));
    BOOST_TEST_CONTEXT("seed " << seed) {
      const Salvaged salvaged = salvage(bytes, threads);
      BOOST_TEST((salvaged.last == Found::kDamage));
      BOOST_TEST(salvaged.bytes_read <= bytes_max(bytes, threads));
      BOOST_TEST(salvaged.calls <= bytes.size() / 10 + 100);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::persist
