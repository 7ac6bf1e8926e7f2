// start.h: which files a start loads, and what it does when they are not as they should be
// (reliability sections 1 and 3). How a log or a snapshot is read is told in recovery.h and
// snapshot.h.
//
//   --restore FILE ---------------------------> FILE, then a new log or snapshot; old files aside
//   appendonly no ----------------------------> snapshot, or nothing; a log that is there stays as
//   it
//                                               is, until a snapshot with changes is saved
//   appendonly yes, a log --------------------> the log (R9)
//                   a log that has ended -----> the snapshot when it is newer, else the log; either
//                                               way a new log begins
//                   a log of Redis -----------> imported, and a new log begins
//                   files of a log, no manifest > refused (R7)
//                   only a snapshot ----------> the snapshot, and a log begins from it (D7)
//                   nothing ------------------> an empty log begins
#pragma once

#include <optional>
#include <string>

#include "persist/aof_import.h"
#include "persist/manifest.h"
#include "persist/persistence_state.h"
#include "persist/recovery.h"

namespace roxdb::persist {

class Persistence::Start {
 public:
  Start(State& state, const LoadOptions& options) : state_(state), options_(options) {}

  // Everything from the lock to a log that can be written. Not ok: exit_code() says why, and the
  // log too.
  Status run();
  int exit_code() const { return exit_code_; }

 private:
  Status refuse(int exit_code, const Status& status, const std::string& message);
  Status take_lock();
  Status clear_stale_files();
  Status find_manifest();
  bool snapshot_is_newer();
  // Loads `path` when it is there; `sequence` is that of the next unit.
  Status load_file(const std::string& path, bool must_exist, uint64_t& sequence);
  Status load_without_log();
  Status load_with_log();
  LogLoadOptions log_options();
  Status replay_log();
  Status import(const ForeignLog& log);
  Status begin_log(uint64_t sequence);
  Status restore();
  // Saves what is in memory; the snapshot that was there stays under another name.
  Status replace_snapshot(const std::string& suffix);
  Status note_losses(const std::vector<Loss>& losses);
  Status free_name(const std::string& path, std::string& free);
  void report(const std::string& source, uint64_t bytes) const;

  State& state_;
  const LoadOptions& options_;
  Environment& environment_ = state_.engine.environment();
  const Logger& log_ = state_.engine.log();
  std::optional<Manifest> manifest_;
  bool has_losses_ = false;
  int exit_code_ = 0;
};

}  // namespace roxdb::persist
