// script_run.h: one run of a script or function: on whose behalf, with which rights, and what it
// has done so far.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/gates_and_sinks.h"
#include "engine/session.h"

namespace roxdb::scripting {

// What a script says about itself in its first line, a function where it is registered.
using ScriptFlags = uint32_t;
inline constexpr ScriptFlags kNoWrites = 1u << 0;
inline constexpr ScriptFlags kAllowOom = 1u << 1;
inline constexpr ScriptFlags kAllowStale = 1u << 2;
inline constexpr ScriptFlags kNoCluster = 1u << 3;
inline constexpr ScriptFlags kAllowCrossSlotKeys = 1u << 4;
inline constexpr ScriptFlags kSaysNothing = 1u << 31;  // an EVAL without a first line: older rules

// Who calls commands from within a script: acts for its principal and never waits.
class ScriptSession final : public engine::Session {
 public:
  explicit ScriptSession(engine::Session& caller) : Session(Kind::kScript) {
    principal = &caller;
    db = caller.db;
    no_touch = caller.no_touch;
  }
  bool is_local() const override { return principal->is_local(); }
  std::string address() const override { return principal->address(); }
  std::string client_name() const override { return principal->client_name(); }
};

struct ScriptRun {
  explicit ScriptRun(engine::Session& caller) : session(caller) {}

  ScriptSession session;
  std::string_view name;  // SHA1 of a script, or the function's
  engine::Args request;   // the command that runs it
  bool is_eval = true;
  bool is_read_only = false;
  bool allows_growth = false;   // even when memory is above its limit: allow-oom
  bool refuses_growth = false;  // memory was above its limit when it began
  bool has_written = false;     // it called a command that writes
  bool is_killed = false;
  bool is_late = false;  // longer than busy-reply-threshold: others are told BUSY
  uint64_t began_ns = 0;
  int protocol = 2;  // redis.setresp
};

}  // namespace roxdb::scripting
