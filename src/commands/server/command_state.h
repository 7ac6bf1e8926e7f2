// command_state.h: what the commands of this room remember between two calls. Whoever owns an
// Engine makes one for it before the configuration is read; commands find it as a service.
#pragma once

#include "commands/server/command_log.h"
#include "commands/server/latency_monitor.h"
#include "commands/server/server_info.h"
#include "commands/server/why_slow.h"
#include "engine/engine.h"

namespace roxdb::commands {

struct CommandState {
  // Registers settings, INFO sections and itself as a service. `engine` must outlive it.
  explicit CommandState(engine::Engine& engine);
  CommandState(const CommandState&) = delete;
  CommandState& operator=(const CommandState&) = delete;

  // Called every 1000 / hz ms, or never: rates and peaks are then not known.
  void tick() { info.tick(); }

  // Who may run a command that can harm the server (enable-debug-command and its like).
  enum class Allowed : uint8_t { kNobody, kEverybody, kLocal };
  bool debug_allowed_for(const engine::Session& session) const;
  bool protected_configs_allowed_for(const engine::Session& session) const;

  SlowLog slow_log;
  LargeLogs large_logs;
  WhySlow why_slow;
  LatencyMonitor latency;
  ServerInfo info;

 private:
  int debug_command_ = static_cast<int>(Allowed::kNobody);
  int protected_configs_ = static_cast<int>(Allowed::kNobody);
};

}  // namespace roxdb::commands
