// snapshot.h: saving all databases into one file and loading them again.
//
//   save   Keyspaces -> SnapshotWriter: entries to blocks -> Workers: zstd, hash -> TemporaryFile
//   load   file -> SnapshotReader -> Workers: verify, unzip -> entries, a batch at a time ->
//   Keyspace
//
// The format is told in snapshot_format.h, the background saver in snapshotter.h. What is here runs
// on the caller's thread; workers only ever touch the bytes of one block, so every call of the
// Environment comes from one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/engine.h"
#include "persist/file_header.h"
#include "persist/rdb_format.h"
#include "persist/snapshot_format.h"

namespace roxdb::persist {

// How far a save has come. Plain bytes: it travels from the child to the parent as it is.
struct SaveProgress {
  uint64_t entries = 0;
  uint64_t entries_total = 0;  // when it began
  uint64_t file_bytes = 0;
  uint64_t copied_bytes = 0;  // pages a child got as its own because one of us wrote to them
};

struct SaveOptions {
  int threads = 0;                                            // beside the caller's
  bool compress = true;                                       // zstd, else plain blocks
  uint64_t sequence = 0;                                      // see file_header.h
  bool log_base = false;                                      // kLogBase
  int older = 0;                                              // see install_generation()
  uint64_t bytes_per_second_max = 0;                          // of the file; 0: as fast as it goes
  int64_t key_delay_us = 0;                                   // of a child, see key_delay.h
  std::function<void(const SaveProgress&)> on_progress = {};  // after each block
};

// Writes the databases to `temporary`, a name of temporary_path(), and reads the file back: it is
// whole and on the disk when ok, and every hash in it has been computed again; gone otherwise. The
// Engine does not change meanwhile.
Status write_snapshot(engine::Engine& engine, const std::string& temporary,
                      const SaveOptions& options, SaveProgress& progress);
// The same, then replaces `path` (F7). What SAVE, SHUTDOWN and an embedding program call.
Status save_snapshot(engine::Engine& engine, const std::string& path, const SaveOptions& options);

// A place of a file that could not be used, and what was wrong there.
struct Loss {
  uint64_t offset = 0;
  uint64_t bytes = 0;
  std::string why;
};

// What became of a file.
struct LoadResult {
  Status status;        // kCorrupt: bytes are wrong; kIo: they could not be read; kNotFound;
                        // kError: another version's, or it does not fit here
  int exit_code = 0;    // E19: 10 or 12 when not ok
  std::string message;  // for the log, when not ok: file, place, reason, what was good before

  FileHeader header;          // of a snapshot; after salvage see header_is_known
  SnapshotCounts counts;      // entries read
  uint64_t entries_kept = 0;  // of them in the Engine, or the copy
  uint64_t expired = 0;       // dropped because their time had passed
  uint64_t file_bytes = 0;
  bool foreign = false;     // it was an RDB file
  uint64_t empty_keys = 0;  // of an RDB file: collections without elements, which are left out
  uint64_t end = 0;         // where it ends: file_bytes, but for options.requests_may_follow
  // False: salvage met a header that does not verify. Its id is used, for blocks that verify under
  // it prove it; the other fields are those of FileHeader{}, and access clocks got fresh.
  bool header_is_known = true;
  std::vector<Loss> losses;  // salvage only

  // Sets status, exit_code and message.
  void refuse(const std::string& path, uint64_t offset, Status why_status, std::string_view why);
};

struct LoadProgress {
  uint64_t file_bytes = 0;  // done
  uint64_t file_bytes_total = 0;
  uint64_t entries = 0;
};

struct LoadOptions {
  int threads = 0;            // beside the caller's
  bool salvage = false;       // take what verifies, report the rest in `losses`
  bool keep_expired = false;  // on a replica: its primary will delete them
  bool replace = false;       // a key that is there already gives way
  RdbTrust rdb_trust = {};
  // Behind an RDB file stand the requests of an append only file: where is said in `end`.
  bool requests_may_follow = false;
  std::function<void(const LoadProgress&)> on_progress = {};  // before each block, and at the end
};

inline constexpr int kExitSnapshotRefused = 10;
inline constexpr int kExitReadError = 12;

// Adds the entries of a file to the databases, which are empty before, unless the caller knows that
// keys differ or says `replace`: a key that is there already, as one that comes twice, is
// corruption. After an error the entries before it are there. Nobody is told of changes; `dirty`
// stays. RDB files are recognised and imported (rdb_reader.h). An access clock of the other kind
// (LRU, LFU) than the Engine's now is replaced by a fresh one.
LoadResult load_snapshot(engine::Engine& engine, const std::string& path,
                         const LoadOptions& options);
// Reads and checks all of a file and keeps nothing. Of `options` threads, rdb_trust and on_progress
// count.
// Twice the same key is not found: that needs the table.
LoadResult verify_snapshot(Environment& environment, const std::string& path,
                           const LoadOptions& options);
// Copies every entry that verifies to a new snapshot at `to`, which does not exist. status is ok
// when the copy stands, whatever is in `losses`.
LoadResult salvage_snapshot(Environment& environment, const std::string& from,
                            const std::string& to);

}  // namespace roxdb::persist
