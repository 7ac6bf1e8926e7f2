// snapshot_writer.h: entries into the blocks of a snapshot file (snapshot_format.h).
//
//   add() --> raw bytes of the open block | block | block | block   a ring: the open block, then
//                                           `-- Workers: zstd, hash  those on their way, oldest
//                                               `-- TemporaryFile    first to be written
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "base/hash.h"
#include "persist/file_header.h"
#include "persist/files.h"
#include "persist/snapshot.h"
#include "persist/snapshot_format.h"
#include "persist/workers.h"
#include "types/entry.h"
#include "types/value_stream.h"

namespace roxdb::persist {

class SnapshotWriter final : private types::ValueWriter {
 public:
  // Creates the file `temporary` and writes the header. Of `options` all but on_progress counts.
  SnapshotWriter(Environment& environment, const std::string& temporary, const FileHeader& header,
                 const SaveOptions& options);
  ~SnapshotWriter() override;

  // What the databases hold besides keys. REQUIRES: nothing has been added yet.
  void add_state(std::string_view bytes);
  // Errors are kept: the first one is what finish() returns, and nothing is written after it.
  void add(uint32_t database, const types::Entry& entry);
  // Writes what is left and the trailer, syncs and closes. The file stays only when ok.
  Status finish();

  bool failed() const { return !status_.ok(); }
  uint64_t entries() const { return counts_.entries; }
  uint64_t file_bytes() const { return file_.size(); }
  // Called after each block that was written.
  std::function<void()> on_block;

 private:
  class Block;

  void write(std::string_view bytes) override;
  void write_over_border(std::string_view bytes);
  void close_block(BlockType type);
  void write_out(Block& block);
  void keep_rate();

  Environment& environment_;
  TemporaryFile file_;
  Status status_;
  const uint64_t seed_;
  const bool compress_;
  const uint64_t bytes_per_second_max_;
  const uint64_t started_at_ns_;

  std::vector<std::unique_ptr<Block>> ring_;
  size_t open_ = 0;                         // index in ring_ of the block that is being filled
  uint32_t database_ = 0;                   // of the open block
  uint32_t block_entries_ = 0;              // that begin in it
  size_t entry_start_ = 0;                  // where in it the last entry began
  bool continues_ = false;                  // it begins in the middle of an entry
  BlockType begins_ = BlockType::kEntries;  // what a block is that does not continue another

  SnapshotCounts counts_;
  Checksum block_hashes_;
  Workers workers_;  // the last member: gone before the blocks
};

}  // namespace roxdb::persist
