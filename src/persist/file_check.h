// file_check.h: reads a data file back and computes every hash again, a slice at a time. Nothing of
// what it says is unpacked or kept, so that a check costs little but the reading.
//
//   read_on(bytes) ... read_on(bytes) ---- kGood      all of it is as it was written
//          `-- kReading                `-- kBad       why() says what and where
//                                      `-- kNotOurs   there is no such file, or Redis wrote it
//
// A snapshot is good when its trailer knows the hashes of all its blocks; an increment of the log
// when nothing but whole units lies in the bytes that are to be there, and room behind them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/environment.h"
#include "persist/aof_reader.h"
#include "persist/file_header.h"
#include "persist/snapshot_reader.h"

namespace roxdb::persist {

class FileCheck {
 public:
  enum class State : uint8_t { kReading, kGood, kBad, kNotOurs };

  // `magic`: what kind of file it is to be. `bytes_max`: how much there must be, and is read, of an
  // increment that still grows.
  FileCheck(Environment& environment, std::string path, Magic magic,
            uint64_t bytes_max = UINT64_MAX);

  // Lets go first of what the system has in memory of the file, which proves nothing of the disk.
  void ask_disk() { asks_disk_ = true; }
  // Reads about so much more; at least one block or unit. Not to be called after the end. May run
  // on another thread than the calls before.
  State read_on(uint64_t bytes);
  State state() const { return state_; }

  const std::string& path() const { return path_; }
  // When bad: kCorrupt, or kIo where reading failed; and "offset 64: block hash expected ...".
  Status status() const { return status_; }
  const std::string& why() const { return why_; }

 private:
  State open();
  State read_blocks(uint64_t bytes);
  State read_units(uint64_t bytes);
  State bad(Status status, uint64_t offset, std::string_view why);

  Environment& environment_;
  const std::string path_;
  const Magic magic_;
  const uint64_t bytes_max_;
  bool asks_disk_ = false;
  State state_ = State::kReading;
  Status status_;
  std::string why_;

  std::unique_ptr<File> file_;
  uint64_t file_bytes_ = 0;
  uint64_t blocks_ = 0;
  std::optional<SnapshotReader> snapshot_;  // one of the two, once the file is open
  std::optional<AofReader> log_;
};

}  // namespace roxdb::persist
