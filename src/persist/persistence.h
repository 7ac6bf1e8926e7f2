// persistence.h: the one door to snapshot and log, for the reactor, the library and the commands.
//
// A loop turn, seen from here (reliability D3):
//
//   commands run --> on_unit() appends records --> end_turn() writes them, and in `always` starts
//   the group's sync --> replies go out, at once or when released() has reached their ticket
//
//   loading    load() runs
//   serving    the gate is not even armed
//   refusing   the disk failed: the gate answers -MISCONF (E2-E6); it heals by itself
//   pressing   the disk is slower than the writers: the gate makes them wait (E7)
//
// Settings registered here: dir, save, stop-writes-on-bgsave-error, rdb-version-check and
// key-load-delay; those of the snapshot by Snapshotter, those of the log by Aof, persist-scrub by
// Scrubber.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/environment.h"
#include "engine/engine.h"
#include "engine/flush_listener.h"
#include "engine/reload.h"
#include "persist/snapshot.h"

namespace roxdb::persist {

class Aof;
class Snapshotter;

inline constexpr int kExitConfiguration = 1;
inline constexpr int kExitDirectoryLocked = 13;

// What SHUTDOWN was told; see D6.
struct ShutdownRequest {
  enum class Save : uint8_t { kByConfiguration, kAlways, kNever };
  Save save = Save::kByConfiguration;
  bool force = false;  // leave even when saving fails
};

class Persistence final : public engine::Gate,
                          public engine::Sink,
                          public engine::Reload,
                          public engine::FlushListener {
 public:
  // Registers settings, INFO persistence, and itself as a service (those of the engine too).
  // `engine` must outlive it. `gate_order`: its place among the gates.
  explicit Persistence(engine::Engine& engine, int gate_order = 3);
  ~Persistence() override;  // REQUIRES: the executor has done what it was given

  // --- life --------------------------------------------------------------------------------

  // Takes the directory's lock, clears stale temporary files and loads what is there, as the
  // recovery table says. While loading it calls `on_progress` every few ms; the server answers
  // clients -LOADING meanwhile. On failure `exit_code` is E19's and the log says why.
  struct LoadOptions {
    std::string restore_file = {};  // --restore: this snapshot, whatever is in the directory
    bool salvage = false;           // --salvage: load what verifies, write the list of losses
    std::function<void()> on_progress = {};
  };
  Status load(const LoadOptions& options, int& exit_code);
  bool is_loading() const;
  // How far a load has come, for a person who waits: "[#######-----]  54%  312 MB/s  1204551 keys".
  std::string progress_bar() const;

  // Called at the end of each loop turn that may have changed something. Returns the ticket that
  // all replies of this turn wait for, reads included; 0: send them now.
  uint64_t end_turn();
  // Replies with a ticket up to this one may go. `on_release` is called after it has moved, unless
  // that was within end_turn().
  uint64_t released() const;
  std::function<void()> on_release;
  // True when replies that wait have waited longer than aof-write-deadline: close them (E3).
  bool write_deadline_passed() const;
  // The process should end with this code at once: the log cannot be written and
  // aof-exit-on-error says so.
  std::function<void(int exit_code)> on_fatal;

  // Children, save points, retries, everysec: called every 1000 / hz ms.
  void tick();
  // Everything safe, then ok: the process may exit. Not ok: stay, the log says why.
  Status shut_down(const ShutdownRequest& request);

  Snapshotter& snapshotter();
  Aof& aof();

  // --- what the commands ask for --------------------------------------------------------------

  // SAVE. Blocks. Code::kBusy while a child saves.
  Status save();
  // BGSAVE. Scheduled: it begins when the unit that is running, or a rewrite, has ended.
  enum class SaveStart : uint8_t { kStarted, kScheduled, kAlreadyRunning, kOtherChild, kFailed };
  SaveStart request_save(bool may_schedule, Status& failure);
  enum class SaveCancel : uint8_t { kRunning, kScheduled, kNothing };
  SaveCancel cancel_save();

  // engine::Reload: DEBUG RELOAD and DEBUG LOADAOF.
  Status reload_snapshot(const Reload::Options& options, std::string& why) override;
  Status reload_aof(std::string& why) override;
  void skip_checksums(bool skip) override;

  // How files and payloads of others are read: rdb-version-check, and what DEBUG said.
  RdbTrust rdb_trust() const;

  // engine::FlushListener: with save points an empty snapshot is saved before FLUSHALL is answered,
  // as Redis does, so that a start finds no old one. One that cannot be written counts as a failed
  // save (E6) and is tried again.
  void all_databases_flushed() override;

  // --- what the engine calls -----------------------------------------------------------------

  engine::Verdict check(engine::Session& session, const engine::CommandSpec& spec,
                        engine::Args args, Status& refusal) override;
  void on_unit(std::span<const engine::LogCommand> commands) override;

 private:
  struct State;
  class Start;
  std::unique_ptr<State> state_;
};

}  // namespace roxdb::persist
