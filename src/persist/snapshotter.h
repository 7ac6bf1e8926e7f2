// snapshotter.h: saving while the server goes on.
//
//   parent   start() --- serves, poll() ... -------------------- poll(): ended well -> install()
//   child        `- fork: walk, compress, write, sync the temporary file, report -> exit 0    |
//   executor                                                    rename, sync the directory <--'
//
// Only the parent renames, and only when the child has both said what it wrote and left with code
// 0: a child that outlived a killed server can never replace a newer file (F7). Any other end is a
// failed save; the temporary file is removed and the old snapshot stays (E5, E8, E9, E10).
//
//   SnapshotChild   one child writing one file: BGSAVE's, or the base of a rewritten log
//   Snapshotter     BGSAVE and SAVE: what they are called for, how they ended, when to try again
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/environment.h"
#include "engine/engine.h"
#include "persist/snapshot.h"

namespace roxdb::persist {

// A child that has told nothing new for so long is killed (E10).
inline constexpr uint64_t kChildSilenceNsMax = 600ull * 1'000'000'000;

class SnapshotChild {
 public:
  enum class State : uint8_t { kRunning, kSucceeded, kFailed };

  // Forks a child that saves to <path>.tmp.<pid>.<n>. Code::kIo when the system refuses (E8).
  // `options.on_progress` is replaced. The engine outlives the child.
  static Result<std::unique_ptr<SnapshotChild>> start(engine::Engine& engine,
                                                      const std::string& path, uint64_t n,
                                                      const SaveOptions& options);
  // Ends a child that still runs, and removes its file unless that was installed.
  ~SnapshotChild();
  SnapshotChild(const SnapshotChild&) = delete;
  SnapshotChild& operator=(const SnapshotChild&) = delete;

  State poll();  // takes in what the child says; never blocks
  State wait();  // until it has ended
  // Gives the file its name, durable when ok. Slow: a directory is synced, and an older file goes.
  // May run on another thread while nobody else calls this object. REQUIRES: poll() said
  // kSucceeded; called once.
  Status install();

  State state() const { return state_; }
  const std::string& failure() const { return failure_; }  // when kFailed: why, for the log
  const SaveProgress& progress() const { return progress_; }
  uint64_t fork_us() const { return fork_us_; }  // how long the server stood still for it
  pid_t pid() const { return child_->pid(); }

 private:
  SnapshotChild(engine::Engine& engine, std::string path, std::string temporary, int older);
  void receive();
  void end(const ChildState& ended);

  engine::Engine& engine_;
  std::string path_;
  std::string temporary_;
  int older_;  // files that are kept beside the new one
  std::unique_ptr<Child> child_;
  State state_ = State::kRunning;
  bool reported_ = false;  // the child said that its file is complete
  bool silenced_ = false;  // it was killed because it said nothing for too long
  bool installed_ = false;
  std::string failure_;
  SaveProgress progress_;
  uint64_t fork_us_ = 0;
  uint64_t heard_at_ns_ = 0;  // monotonic: when it last told something new
};

class Snapshotter {
 public:
  // Registers its settings: dbfilename, rdbcompression, snapshot-threads, snapshot-write-rate,
  // snapshot-keep.
  // `directory` is where snapshots go; both outlive this.
  Snapshotter(engine::Engine& engine, const std::string& directory);
  ~Snapshotter();
  Snapshotter(const Snapshotter&) = delete;
  Snapshotter& operator=(const Snapshotter&) = delete;

  std::string path() const;
  // For saves and loads of others: the log's base, DEBUG RELOAD. They keep no older files.
  SaveOptions save_options() const;
  int threads() const { return static_cast<int>(threads_); }

  // --- BGSAVE --------------------------------------------------------------------------------

  // Code::kBusy while a child runs; Code::kIo when no child could be made, which counts as a failed
  // save. `sequence`: see file_header.h.
  Status start(uint64_t sequence);
  bool running() const { return child_ != nullptr; }
  pid_t pid() const { return running() ? child_->pid() : -1; }
  // Takes in what the child says and finishes when it has ended. Call often, it costs nothing.
  void poll();
  void wait();    // blocks until no child runs, and finishes
  void cancel();  // BGSAVE CANCEL, SHUTDOWN: neither success nor failure. Blocks for some ms
  // Called when a save has ended, after everything here shows it.
  std::function<void(bool ok)> on_end;

  // --- SAVE ----------------------------------------------------------------------------------

  // Saves now, to path(). Code::kBusy while a child runs.
  Status save(uint64_t sequence);

  // --- how it stands -------------------------------------------------------------------------

  bool last_ok() const { return failures_ == 0; }       // E6: writes may be refused while not
  int64_t last_save_s() const { return last_save_s_; }  // LASTSAVE: Unix epoch, at first our start
  // Monotonic time before which save points should not try again after a failure: 5 s after the
  // first, doubling to 60 s (E6). 0 when the last save was good.
  uint64_t retry_at_ns() const { return retry_at_ns_; }
  uint64_t last_fork_us() const { return last_fork_us_; }
  uint64_t forks() const { return forks_; }
  // What was loaded at start, for INFO.
  void note_load(const LoadResult& result);
  // The lines of INFO persistence from current_cow_peak to rdb_last_load_keys_loaded.
  // `other`: a rewrite's child, whose progress is shown when no snapshot is under way.
  void write_info(engine::InfoWriter& info, const SnapshotChild* other) const;

 private:
  struct Installation;

  void child_ended();
  void installed();  // or not: installation_ tells
  void background_ended(const std::string& why);
  void note_end(bool ok);
  int64_t seconds_since(uint64_t began_ns) const;

  engine::Engine& engine_;
  const std::string& directory_;
  std::string file_name_ = "dump.rdb";
  bool compress_ = true;
  int64_t threads_ = 2;
  uint64_t write_rate_ = 0;
  int64_t keep_ = 1;  // snapshots, the newest included
  int64_t key_delay_us_ = 0;

  std::unique_ptr<SnapshotChild> child_;
  // The rename of its file, on its way. Shared with the executor's job, which may end late.
  std::shared_ptr<Installation> installation_;
  uint64_t children_ = 0;        // numbers temporary files
  uint64_t dirty_at_start_ = 0;  // Engine::dirty when the child was forked
  uint64_t started_at_ns_ = 0;   // monotonic

  int64_t last_save_s_;
  uint64_t failures_ = 0;  // in a row
  uint64_t retry_at_ns_ = 0;
  int64_t last_duration_s_ = -1;
  uint64_t saves_ = 0;
  uint64_t forks_ = 0;
  uint64_t last_fork_us_ = 0;
  uint64_t last_copied_bytes_ = 0;
  uint64_t copied_bytes_peak_ = 0;
  uint64_t loaded_entries_ = 0;
  uint64_t loaded_expired_ = 0;
};

}  // namespace roxdb::persist
