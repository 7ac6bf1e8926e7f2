// snapshot_reader.h: the verified blocks of a snapshot file, in order, read ahead.
//
//   file --> block | block | block | block    a ring, oldest first: the owner takes it when it is
//                    `-- Workers: hash, unzip    verified, and uses it until it asks for the next
//
// Nothing of a block is believed before its hash agrees; nothing is allocated that the bounds of
// the format do not cap. A damage ends the reading, unless the owner asks to search on behind it.
//
// Cost: a whole file is read once. Behind a damage bytes are read again: those of the block that is
// damaged, those read ahead in vain, and those of places that only look like a block. A file made
// to be slow is full of the last kind, so all reading has a budget, a few times the size of the
// file; no damage by accident uses it up. What is behind the place where it ends is given up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "base/hash.h"
#include "persist/file_header.h"
#include "persist/snapshot_format.h"
#include "persist/workers.h"

namespace roxdb::persist {

class SnapshotReader {
 public:
  // What next() found.
  enum class Found : uint8_t {
    kBlock,    // header() and raw() are its
    kTrailer,  // the end of a whole file: trailer() holds
    kDamage,   // status(), why() and offset() tell
  };

  // How far a block is verified: its hash alone, or what is in it as well. Without contents raw()
  // must not be called.
  enum class Verify : uint8_t { kHashes, kContents };

  // `file` outlives this; its header has been read.
  SnapshotReader(File& file, const FileHeader& header, uint64_t file_bytes, int threads,
                 Verify verify = Verify::kContents);
  ~SnapshotReader();

  // The next block. After kTrailer and kDamage only search_on() may be called.
  Found next();
  // Goes on at the first block, at the damage or behind it, that verifies and has a number not seen
  // yet. False: there is none, or gave_up(); or Code::kIo in status(), reading failed.
  bool search_on();
  bool gave_up() const { return gave_up_; }  // the budget is used up

  const BlockHeader& header() const;
  std::string_view raw() const;  // valid until next()
  uint64_t offset() const {
    return offset_;
  }                             // where in the file this block, or the damage, begins
  uint64_t end_offset() const;  // where this block ends
  const SnapshotCounts& trailer() const { return trailer_; }
  uint64_t block_hashes() const { return block_hashes_.value(); }  // of the blocks next() returned

  Status status() const { return status_; }
  const std::string& why() const { return why_; }

 private:
  class Block;

  void read_ahead();
  bool read_block(Block& block);
  bool spend(uint64_t bytes);
  Result<uint64_t> seek_header(uint64_t from, BlockHeader& header);
  Found take(Block& block);
  Found damage(uint64_t offset, Status status, std::string why);
  bool verifies_at(uint64_t offset, Block& block);
  void forget_ahead();

  File& file_;
  const FileHeader file_header_;
  const uint64_t seed_;
  const uint64_t file_bytes_;

  std::vector<std::unique_ptr<Block>> ring_;
  size_t current_ = 0;        // index in ring_ of the block that next() returned last
  size_t ahead_ = 0;          // blocks behind it that have been read
  uint64_t read_offset_;      // where the next one begins
  uint32_t next_number_ = 0;  // of the next one that next() returns
  bool ended_ = false;        // nothing more is to be read ahead

  std::string window_;          // what of the file search_on() has read last
  uint64_t window_offset_ = 0;  // where it begins
  uint64_t budget_;             // bytes of blocks that may still be read
  bool gave_up_ = false;

  uint64_t offset_ = 0;
  Status status_;
  std::string why_;
  SnapshotCounts trailer_;
  Checksum block_hashes_;
  Workers workers_;  // the last member: gone before the blocks
};

}  // namespace roxdb::persist
