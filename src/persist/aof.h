// aof.h: the log of all units while the server runs: policies, rewriting, trouble with the disk.
//
// The way of a unit, by appendfsync:
//
//   append() -> memory -> end_turn(): write -> sync on the executor -> released() -> replies go
//     always      one sync for all units of one or more turns; replies wait for it. A disk that
//                 syncs quickly is waited for on the loop: so a group is all that came in during
//                 the sync before it, and nobody is woken up. One slow sync, and the loop goes on
//                 during the next ones; what comes in meanwhile is one write, and the next group
//     everysec    replies go after the write; a sync each second. While it runs nothing is written,
//                 since a write might wait for it: up to 2 s of log stay in memory, then behind()
//                 makes writers wait (E7). Storing begins before the sync, so that it is short
//     no          replies go after the write
//
// Switching increments and rewriting (F9). S is the next sequence; A the increment in use:
//
//     kSwitching  A written out; fork: the child saves the state before S as the new base.
//     Executor:
//                 sync A, create B (first sequence S), manifest {base, A, B}. Units go to A, and a
//                 second time to B, in memory: nobody waits, and nothing is lost if it fails
//     kSaving     B is the log, A rests; the child works
//     kInstalling executor: sync B, name the new base, manifest {new base, B}, remove the old files
//
// A *fresh* rewrite continues no log: it turns one on, or heals one whose disk has lied (E4). It is
// the same with the manifest left alone until the end; only then the log is on, or sound again.
//
//         enable: fresh rewrite             write fails (E2)                   sync fails (E4)
//   kOff ----------------------> kOn <-----------------------> refusing <-----------------------
//   kOn
//     ^                           |    retry: 100 ms ... 1 s            `-- fresh rewrite --> kOn
//     `---------------------------'
//       disable: sync, manifest says `ended`
//
// Everything slow (sync, create, rename, remove) runs on the executor, one job at a time that
// changes the manifest; switching off is the exception, being a rare order that must not fail late.
//
// I1  Records of a file that was synced up to S-1 come before any record >= S of the next one.
// I2  On every file of the manifest the sequences are without a gap, from the one it names on.
// I3  released() never moves back, and under `always` never beyond what is on the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/environment.h"
#include "engine/engine.h"
#include "persist/aof_writer.h"
#include "persist/manifest.h"
#include "persist/recovery.h"
#include "persist/snapshotter.h"

namespace roxdb::persist {

inline constexpr int kExitLogUnwritable = 14;

class Aof {
 public:
  // The numbers are those of appendfsync's words.
  enum class Policy : uint8_t { kEverySecond, kAlways, kNo };

  // Registers the settings of the log. `directory` is the data directory; all outlive this.
  Aof(engine::Engine& engine, const std::string& directory, Snapshotter& snapshotter);
  ~Aof();  // REQUIRES: the executor has done what it was given
  Aof(const Aof&) = delete;
  Aof& operator=(const Aof&) = delete;

  // --- beginning and end ---------------------------------------------------------------------

  bool wanted() const { return wanted_; }  // appendonly
  bool load_truncated() const { return load_truncated_; }
  std::string log_directory() const;  // dir/appenddirname
  std::string manifest_path() const;
  const std::string& file_prefix() const { return file_name_; }  // appendfilename

  // Goes on with a log that was loaded and mended.
  Status resume(const LoadedLog& log);
  // Begins a log with what is in memory, at once, before serving (D7). Files of an older log stay,
  // set aside. Blocks while the base is saved.
  Status begin(uint64_t next_sequence, const std::function<void(const SaveProgress&)>& on_progress);
  // What an earlier log has left, before begin() or instead of a log; without a value: nothing.
  void remember(const std::optional<Manifest>& manifest);
  // A snapshot is about to be saved with changes that a log which is off does not have: the log is
  // out of date from here on (manifest.h). Until then it was only switched off, perhaps by mistake.
  // Code::kBusy while a new log is being put into force.
  Status before_snapshot();
  // `dir` is another one now: looks at what log lies there. Not while a log is in use.
  Status directory_changed(std::string& why);
  // Every snapshot is newer than the log: one was restored.
  Status give_up_log();
  // From here on CONFIG SET appendonly has effect.
  void serve() { serving_ = true; }
  // Everything written and synced, the end marked. Blocks. `finish_first`: a log that is just being
  // turned on is completed first.
  Status shut_down(bool finish_first);

  // --- units ---------------------------------------------------------------------------------

  bool recording() const { return writer_ != nullptr || rewrite_ != nullptr; }
  bool enabled() const { return wanted_ && serving_; }
  // It holds all there is. One that is wanted may still have to be made, or made anew (E4).
  bool is_in_force() const { return writer_ != nullptr && sync_error_.ok(); }
  void append(std::span<const engine::LogCommand> commands);
  // See Persistence.
  uint64_t end_turn();
  uint64_t released() const { return released_; }
  void tick();
  uint64_t last_sequence() const { return next_sequence_ - 1; }
  // Whether everything up to this sequence is on the disk, in a log that a start would load.
  bool has_synced(uint64_t sequence) const { return is_in_force() && synced_ >= sequence; }
  size_t waiting_bytes() const;  // of records that are not written yet

  std::function<void()> on_release;  // released() has moved, outside of end_turn()
  std::function<void()> on_state;    // recording(), refuses_writes() or behind() may have changed
  std::function<void()> on_stop;     // it is about to be switched off
  std::function<void(int exit_code)> on_fatal;  // aof-exit-on-error

  // --- trouble -------------------------------------------------------------------------------

  bool refuses_writes() const { return !write_error_.ok() || !sync_error_.ok(); }
  std::string_view refusal() const { return refusal_; }  // the error reply while it does
  bool behind() const { return behind_; }                // E7: writers should wait
  bool write_deadline_passed() const;

  // --- rewriting -----------------------------------------------------------------------------

  enum class RewriteStart : uint8_t { kStarted, kScheduled, kAlreadyRunning, kFailed };
  // BGREWRITEAOF. Scheduled: it begins when the unit that is running, or BGSAVE, has ended.
  RewriteStart request_rewrite(Status& failure);
  // The state in memory is no longer what the log leads to (DEBUG RELOAD NOSAVE): begins anew.
  void start_over();
  bool rewriting() const { return rewrite_ != nullptr; }
  const SnapshotChild* child() const;
  uint64_t forks() const { return forks_; }
  uint64_t last_fork_us() const { return last_fork_us_; }

  // Writes out what waits and says which files make up the log now: for DEBUG LOADAOF. Of a log
  // that is off, the files that it ended with, or that BGREWRITEAOF has made since.
  Result<Manifest> manifest_for_reload();

  // --- reading back (scrubber.h) -------------------------------------------------------------

  // The files that the log is made of now, and how much is in them. Empty while it is off.
  struct FileInUse {
    std::string path;
    bool is_base;
    uint64_t bytes;  // UINT64_MAX: all of it
  };
  std::vector<FileInUse> files_in_use() const;
  // Nothing is on its way to the disk, and nothing waits for it.
  bool at_rest() const;

  // The lines of INFO persistence from aof_enabled on.
  void write_info(engine::InfoWriter& info) const;

 private:
  struct Rewrite;

  void register_settings();
  Policy policy() const { return static_cast<Policy>(policy_); }
  std::string path_of(const std::string& name) const { return log_directory() + "/" + name; }

  // The increment that is written to. While a log is turned on or healed it is the one to be. Null:
  // nothing can be written now.
  AofWriter* current() const;

  // Writing and syncing (aof.cc).
  bool write();
  void write_failed(Status status);
  void write_recovered();
  bool sync_is_due(uint64_t now_ns) const;
  bool sync_is_quick() const;
  void start_sync(uint64_t now_ns);
  void sync_ended();
  void make_room();
  void store_ahead();
  void sync_failed(Status status);
  void refuse_writes(Status status);
  void update_released();
  void update_pressure(uint64_t now_ns);

  // On, off and rewriting (aof_rewrite.cc).
  Status apply_wanted();
  Status stop();
  void settle();
  void run_job(std::function<Status()> work, std::function<void(Status)> done);
  Status start_rewrite(bool fresh);
  Status prepare_rewrite(Rewrite& rewrite);
  void switch_increments();
  void switched(Status status);
  void poll_child();
  void install_base();
  void installed(Status status, uint64_t sequence, uint64_t size);
  void abandon_rewrite(const std::string& why);
  void drop_rewrite();
  void mend_manifest();
  bool rewrite_is_due(uint64_t now_ns) const;
  Status note_ended();
  Status replace_manifest(const Manifest& manifest);
  Status find_next_number();
  void use_writer(std::unique_ptr<AofWriter> writer, uint64_t sequence);
  uint64_t size_of_log() const;
  void write_rewrite_info(engine::InfoWriter& info) const;

  engine::Engine& engine_;
  Environment& environment_;
  const std::string& directory_;
  Snapshotter& snapshotter_;

  // Settings.
  bool wanted_ = false;
  int policy_ = static_cast<int>(Policy::kEverySecond);
  bool no_sync_on_rewrite_ = false;
  int64_t rewrite_percentage_ = 100;
  uint64_t rewrite_size_min_ = 64u << 20;
  bool load_truncated_ = true;
  bool exit_on_error_ = false;
  int64_t write_deadline_ms_ = 10'000;
  std::string file_name_ = "appendonly.aof";
  std::string directory_name_ = "appendonlydir";

  // Files.
  Manifest manifest_;
  bool manifest_exists_ = false;
  bool manifest_uncertain_ = false;     // the disk may hold another one than manifest_
  std::vector<std::string> leftovers_;  // files of failed attempts: removed once that is safe
  uint64_t mend_at_ns_ = 0;             // when to try that again
  uint64_t manifests_ = 0;              // numbers their temporary files
  uint64_t next_number_ = 1;
  uint64_t base_size_ = 0;
  uint64_t resting_size_ = 0;  // of the increments before the last
  uint64_t size_after_rewrite_ = 0;

  // Units.
  std::unique_ptr<AofWriter> writer_;
  uint64_t next_sequence_ = 1;
  uint64_t written_ = 0;            // sequence: handed to the kernel
  uint64_t synced_ = 0;             // sequence: on the disk
  uint64_t released_ = 0;           // sequence
  uint64_t synced_size_ = 0;        // of the file in use
  uint64_t unsynced_since_ns_ = 0;  // 0: nothing waits for a sync
  bool in_end_turn_ = false;
  bool behind_ = false;

  // Syncs.
  bool syncing_ = false;
  bool making_room_ = false;
  bool storing_ahead_ = false;
  uint64_t slow_sync_us_ = 10'000;  // the slowest lately; less by an eighth with each sync
  uint64_t logs_ = 0;               // how many logs have been given up for a fresh one
  uint64_t sync_started_ns_ = 0;
  uint64_t last_sync_us_ = 0;
  int last_sync_error_ = 0;
  uint64_t delayed_syncs_ = 0;

  // Trouble.
  Status write_error_;
  Status sync_error_;
  std::string refusal_;
  uint64_t refusing_since_ns_ = 0;
  uint64_t retry_at_ns_ = 0;
  uint64_t retry_delay_ns_ = 0;
  uint64_t logged_at_ns_ = 0;
  uint64_t unlogged_errors_ = 0;

  // Rewriting.
  std::shared_ptr<Rewrite> rewrite_;
  bool job_running_ = false;
  bool rewrite_requested_ = false;
  bool fresh_requested_ = false;
  uint64_t rewrite_retry_at_ns_ = 0;
  uint64_t rewrite_failures_ = 0;  // since the last that succeeded
  int64_t last_rewrite_s_ = -1;
  uint64_t last_copied_bytes_ = 0;
  uint64_t forks_ = 0;
  uint64_t last_fork_us_ = 0;

  bool serving_ = false;
};

}  // namespace roxdb::persist
