// snapshot_file.h: snapshot files made by hand, block by block, for tests of the loader: hashes are
// right, the rest is whatever the test wants.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "persist/file_header.h"
#include "persist/snapshot_format.h"
#include "types/value_stream.h"

namespace roxdb::persist {

class SnapshotFile {
 public:
  explicit SnapshotFile(uint16_t major = kSnapshotMajor, uint16_t minor = kSnapshotMinor,
                        char id = 'i') {
    FileHeader header;
    header.magic = kSnapshotMagic;
    header.major = major;
    header.minor = minor;
    header.id.fill(id);
    seed_ = header.seed();
    bytes_ = encode_file_header(header);
    hashes_.emplace(seed_);
  }

  // A plain block; `header.entries` and `header.database` are the caller's to set.
  SnapshotFile& block(BlockType type, std::string_view raw, uint32_t entries,
                      BlockHeader header = {}) {
    header.type = static_cast<uint8_t>(type);
    header.raw_size = static_cast<uint32_t>(raw.size());
    header.entries = entries;
    counts_.entries += entries;
    counts_.by_type[0] += entries;
    return sealed(header, raw);
  }
  // Any bytes under any header; the number is the next.
  SnapshotFile& sealed(BlockHeader header, std::string_view stored) {
    header.number = static_cast<uint32_t>(counts_.blocks++);
    std::string block(kBlockHeaderBytes, '\0');
    block += stored;
    seal_block(header, block, seed_);
    hashes_->add({reinterpret_cast<const char*>(&header.hash), sizeof header.hash});
    bytes_ += block;
    return *this;
  }
  SnapshotCounts& counts() { return counts_; }
  const std::string& bytes() const { return bytes_; }  // so far
  std::string finish() {
    counts_.block_hashes = hashes_->value();
    BlockHeader header;
    header.type = static_cast<uint8_t>(BlockType::kTrailer);
    header.raw_size = kTrailerBytes;
    sealed(header, encode_trailer(counts_));
    return bytes_;
  }

 private:
  uint64_t seed_;
  std::string bytes_;
  SnapshotCounts counts_;
  std::optional<Checksum> hashes_;
};

// The raw bytes of a string entry.
class RawEntry final : private types::ValueWriter {
 public:
  RawEntry(std::string_view key, std::string_view value, uint8_t first = 0,
           int64_t expire_at_ms = 0) {
    byte(first);
    write(std::string_view("\1\2\3", 3));
    if ((first & kEntryHasExpiry) != 0) word(static_cast<uint64_t>(expire_at_ms));
    text(key);
    varint(2 * value.size());
    write(value);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void write(std::string_view bytes) override { bytes_ += bytes; }
  std::string bytes_;
};

}  // namespace roxdb::persist
