#include "commands/server/command_state.h"

#include <algorithm>

namespace roxdb::commands {
namespace {

bool is_allowed(int setting, const engine::Session& session) {
  switch (static_cast<CommandState::Allowed>(setting)) {
    case CommandState::Allowed::kNobody:
      return false;
    case CommandState::Allowed::kEverybody:
      return true;
    case CommandState::Allowed::kLocal:
      return session.is_local();
  }
  return false;
}

}  // namespace

CommandState::CommandState(engine::Engine& engine)
    : slow_log(engine),
      large_logs(engine),
      why_slow(engine, slow_log),
      latency(engine),
      info(engine) {
  const std::vector<std::string> names = {"no", "yes", "local"};
  engine.settings.add_choice("enable-debug-command", &debug_command_, names,
                             engine::Setting::kImmutable);
  engine.settings.add_choice("enable-protected-configs", &protected_configs_, names,
                             engine::Setting::kImmutable);
  // As in Redis, what is too low or too high is taken for the nearest that is not.
  engine.settings.add_integer("hz", &engine.hz, 0, INT32_MAX).apply = [&engine](auto&) {
    engine.hz = std::clamp<int64_t>(engine.hz, 1, 500);
    return true;
  };
  engine.settings.add_bool("latency-tracking", &engine.track_latencies);
  engine.services.provide(this);
}

bool CommandState::debug_allowed_for(const engine::Session& session) const {
  return is_allowed(debug_command_, session);
}

bool CommandState::protected_configs_allowed_for(const engine::Session& session) const {
  return is_allowed(protected_configs_, session);
}

}  // namespace roxdb::commands
