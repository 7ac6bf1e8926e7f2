// persistence.h: the one door to snapshot and log, for the reactor, the library and the commands.
//
// A loop turn, seen from here (reliability D3):
//
//   commands run --> on_unit() appends records --> end_turn() writes them, and in `always` starts
//   the group's sync --> replies go out, at once or when released() has reached their ticket
//
// States: kLoading (load() runs), kServing, kRefusing (the disk failed: the gate answers -MISCONF).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/environment.h"
#include "engine/engine.h"

namespace roxdb::persist {

class Aof;
class Snapshotter;

// What SHUTDOWN was told; see D6.
struct ShutdownRequest {
  enum class Save : uint8_t { kByConfiguration, kAlways, kNever };
  Save save = Save::kByConfiguration;
  bool force = false;  // leave even when saving fails
};

class Persistence final : public engine::Gate, public engine::Sink {
 public:
  // Registers settings, INFO persistence and itself as a service. `engine` must outlive it.
  explicit Persistence(engine::Engine& engine);
  ~Persistence() override;

  // --- life --------------------------------------------------------------------------------

  // Takes the directory's lock, clears stale temporary files and loads what is there, as the
  // recovery table says. While loading it calls `on_progress` every few ms; the server answers
  // clients -LOADING meanwhile. On failure `exit_code` is E19's and the log says why.
  struct LoadOptions {
    std::string restore_file;  // --restore: this snapshot, whatever is in the directory
    bool salvage = false;      // --salvage: load what verifies, write the list of losses
    std::function<void()> on_progress;
  };
  Status load(const LoadOptions& options, int& exit_code);
  bool is_loading() const;

  // Called at the end of each loop turn that may have changed something. Returns the ticket that
  // replies of this turn wait for; 0: send them now.
  uint64_t end_turn();
  // Replies with a ticket up to this one may go. `on_release` is called after it has moved.
  uint64_t released() const;
  std::function<void()> on_release;
  // True when replies that wait have waited longer than aof-write-deadline: close them (E3).
  bool write_deadline_passed() const;

  // Children, save points, retries, everysec: called every 1000 / hz ms.
  void tick();
  // Everything safe, then ok: the process may exit. Not ok: stay, the log says why.
  Status shut_down(const ShutdownRequest& request);

  Snapshotter& snapshotter();
  Aof& aof();

  // --- what the engine calls -----------------------------------------------------------------

  engine::Verdict check(engine::Session& session, const engine::CommandSpec& spec,
                        engine::Args args, Status& refusal) override;
  void on_unit(std::span<const engine::LogCommand> commands) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace roxdb::persist
