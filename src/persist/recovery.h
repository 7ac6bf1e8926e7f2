// recovery.h: from the files of the log to a keyspace, and what a crash has left made whole
// (reliability section 3).
//
//   load_log()   base, then increments, unit by unit; changes no file
//   mend_log()   cuts torn tails, forgets increments that a crash has overtaken
//
// Two increments may overlap, because a rewrite writes both for a while (aof.h): a unit that is
// there twice is applied once, the first time. So an increment may be torn, or hold less than the
// one before it, and nothing is missing; what must not be is a gap.
//
// Both can be repeated, and stopped by a crash, at any point: each cut and each new manifest leads
// to the same state (R14).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/status.h"
#include "engine/engine.h"
#include "persist/aof_reader.h"
#include "persist/file_header.h"
#include "persist/manifest.h"
#include "persist/snapshot.h"

namespace roxdb::persist {

inline constexpr int kExitLogRefused = 11;

struct LogLoadOptions {
  bool load_truncated = true;  // false: a torn tail is refused too (aof-load-truncated)
  bool salvage = false;        // replay what verifies, behind a damage too
  int threads = 0;             // for the base
  RdbTrust rdb_trust = {};     // for a foreign one
  std::function<void(const LoadProgress&)> on_progress = {};  // every few ms of work
};

// One increment, as it was found.
struct LoadedIncrement {
  ManifestFile file = {};
  FileHeader header = {};
  uint64_t size = 0;           // of the file
  uint64_t end = 0;            // behind its last whole unit
  uint64_t next_sequence = 0;  // behind that unit
  bool torn = false;           // R1-R3: to be cut back to `end`
  Damage damage = {};          // when torn

  // What a cut drops: room behind it is no loss.
  uint64_t torn_bytes() const { return torn ? damage.content_end - end : 0; }
};

struct LoadedLog {
  Status status;        // kCorrupt, kIo
  int exit_code = 0;    // E19: 10, 11 or 12 when not ok
  std::string message;  // for the log, when not ok

  Manifest manifest;
  std::vector<LoadedIncrement> increments;
  LoadResult base;
  uint64_t next_sequence = 1;
  uint64_t units = 0;
  uint64_t commands = 0;
  uint64_t bytes = 0;
  std::vector<Loss> losses;  // salvage only
};

// Replays the log that `manifest` names from `directory` into the databases, which are empty.
LoadedLog load_log(engine::Engine& engine, const std::string& directory, const Manifest& manifest,
                   const LogLoadOptions& options);

// R1-R3 for a log that was loaded. Afterwards the last increment of log.manifest is whole and ends
// with the last unit. Each cut is logged.
Status mend_log(Environment& environment, const Logger& logger, const std::string& directory,
                const std::string& manifest_path, LoadedLog& log);

// Sets aside every file of ours that the manifest does not name, and removes retired ones (F8).
Status clear_log_directory(Environment& environment, const Logger& logger,
                           const std::string& directory, std::string_view prefix,
                           const Manifest& manifest);

}  // namespace roxdb::persist
