// scripting.h: scripts and functions of one Engine, and what happens when one of them takes long.
//
//   runs --busy-reply-threshold--> late: the gate is armed, the host serves others, who are told
//                                  -BUSY; SCRIPT KILL, FUNCTION KILL and SHUTDOWN NOSAVE pass
//     late --kill()--> killed: it ends with an error; not once it has written, for half of a unit
//                      must never be seen
//
// Everything a script changes is one unit: its commands run within that of EVAL or FCALL, and log
// themselves. The EVAL is not logged.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/busy.h"
#include "engine/call.h"
#include "engine/engine.h"
#include "scripting/eval_scripts.h"
#include "scripting/function_libraries.h"
#include "scripting/script_run.h"

namespace roxdb::scripting {

class Scripting final : public engine::Gate {
 public:
  // Registers busy-reply-threshold, fields of INFO, and itself and its libraries as services of
  // `engine`, which must outlive it. `gate_order`: its place among the gates while a script is
  // late.
  Scripting(engine::Engine& engine, int gate_order);
  ~Scripting() override;
  Scripting(const Scripting&) = delete;
  Scripting& operator=(const Scripting&) = delete;

  EvalScripts scripts;
  FunctionLibraries libraries;

  // EVAL script numkeys key... arg..., and EVALSHA, FCALL: argument 1 says what is run.
  Status eval(engine::Call& call, bool by_sha1, bool is_read_only);
  Status call_function(engine::Call& call, bool is_read_only);

  // Whether a request runs a script or function that says of itself that it does not write. Cost
  // O(first line).
  bool says_no_writes(const engine::CommandSpec& spec, engine::Args args) const;

  // SCRIPT KILL, FUNCTION KILL.
  Status kill(bool is_eval);
  // Null: nothing runs.
  const ScriptRun* running() const { return running_; }
  uint64_t running_ms() const;

  // Whether a session might run a request: redis.acl_check_cmd. Empty: everybody may.
  std::function<bool(engine::Session& session, const engine::Command& command, engine::Args args)>
      may_run;

  // While a script is late.
  engine::Verdict check(engine::Session& session, const engine::CommandSpec& spec,
                        engine::Args args, Status& refusal) override;

 private:
  Status run(engine::Call& call, ScriptRun& run, Interpreter& interpreter, ScriptFlags flags,
             int function, size_t keys);
  Status check_flags(engine::Call& call, ScriptFlags flags, bool is_read_only);
  bool on_interval(ScriptRun& run);
  void begin_being_late();
  void end_being_late();
  void register_info();

  engine::Engine& engine_;
  const int gate_order_;
  int64_t threshold_ms_ = 5000;
  ScriptRun* running_ = nullptr;
};

}  // namespace roxdb::scripting
