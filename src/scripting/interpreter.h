// interpreter.h: one Lua state behind its wall, and how a compiled function of it is run.
//
//   run() --> KEYS, ARGV --> lua_pcall --> redis.call --> Engine::execute --> LuaReply, Lua values
//                                |  every 100,000 instructions, or what takes as long:
//                                |  on_interval()
//                                '--> its value, or its error --> answer.h --> the client's reply
//
// Scripts that EVAL runs and functions of libraries live in states of their own, so that SCRIPT
// FLUSH can drop one of them as a whole. A state is made when the first script comes: 60 KiB and
// 0.2 ms that a server without scripts does not pay.
//
// Cost of a run beyond its commands: two tables, one hash look-up for each name the script reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "scripting/lua.h"
#include "scripting/lua_libraries.h"
#include "scripting/lua_memory.h"
#include "scripting/lua_reply.h"
#include "scripting/script_run.h"

namespace roxdb::engine {
class MemoryGate;
}

namespace roxdb::scripting {

inline constexpr size_t kScriptBytesMax = 256u << 20;  // that one run may take
inline constexpr int kInstructionsPerInterval = 100'000;
inline constexpr size_t kStepsPerInterval = 100'000;

// Compiles a text into a function at the top of the stack: 0; else the error message is there. Byte
// code is not for scripts: the caller looks at the first byte. `name`: Lua's chunk name.
int compile(lua_State* state, std::string_view text, const char* name);

class Interpreter final : private LuaMemory {
 public:
  enum class Use : uint8_t { kEval, kFunctions };
  // What a function registers while its library is loaded.
  class Registry {
   public:
    virtual ~Registry() = default;
    // [function] -> []: takes it as luaL_ref. False: `why` is the error.
    virtual bool add_function(std::string_view name, const std::string* description,
                              ScriptFlags flags, int function, std::string& why) = 0;
  };

  Interpreter(engine::Engine& engine, Use use);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;
  static Interpreter& of(lua_State* state);

  // Compiles the body of a script or a library. The result is a reference for run() and forget();
  // an error is Lua's text in `why`.
  static constexpr int kNoFunction = LUA_NOREF;
  int compile_function(std::string_view text, const char* name, std::string& why);
  void forget(int function) { luaL_unref(state_, LUA_REGISTRYINDEX, function); }

  // Runs a function and replies what it returns, or why it failed: an error that is not counted
  // yet is the result, for the caller to return.
  //   keys, arguments   globals of a script, parameters of a function
  Status run(ScriptRun& run, int function, engine::Args keys, engine::Args arguments,
             resp::Reply& reply);
  // Runs the text of a library, which registers functions, for at most `time_ns`. An error is in
  // `why`.
  bool load_library(int function, Registry& registry, uint64_t time_ns, std::string& why);

  // Called now and then while a script runs. True: it shall end.
  std::function<bool(ScriptRun& run)> on_interval;
  // Whether the caller of a script might run this request itself. Empty: everybody may.
  std::function<bool(engine::Session& session, const engine::Command& command, engine::Args args)>
      may_run;

  size_t used_bytes() const { return LuaMemory::used_bytes(); }

  // --- for the libraries ---------------------------------------------------------------------

  LuaMemory& memory() { return *this; }
  engine::Engine& engine() { return engine_; }
  ScriptRun* running() { return run_; }
  Registry* registry() { return registry_; }
  int resume_depth = 0;
  lua_State* coroutine = nullptr;  // that runs; null: none does
  LuaRandom random;
  CjsonConfig cjson;
  // As the hook does it, for what takes long in few instructions: at most once per
  // kNsBetweenLooks, at every kCallsPerLook-th call. Raises an error when the script is to end.
  void look_at_clock(lua_State* state);
  // What is done in few instructions and takes the time of many counts what it does, in steps of
  // about an instruction: after so many of them, too, the hook's work is done. Raises an error when
  // the script is to end.
  void count_steps(lua_State* state, size_t steps) {
    steps_ += steps;
    if (steps_ < kStepsPerInterval) return;
    steps_ = 0;
    on_hook(state);
  }
  // The error with which what runs has to end; null: it may go on.
  const char* reason_to_end() const;
  // redis.call and redis.pcall.
  int call_command(lua_State* state, bool raises);
  // [values ...] -> the same, or nothing: their texts are the arguments of the next call. False:
  // one of them is neither string nor number.
  bool gather_arguments(lua_State* state, int count);
  // Whether the run's principal might call what was gathered; an error when there is no such
  // command.
  Result<bool> may_call(ScriptRun& run);

 private:
  static void watch(lua_State* state, int instructions = kInstructionsPerInterval);
  void on_much_taken() override;
  void on_hook(lua_State* state);
  void push_array(engine::Args values);
  void set_global_array(int name, engine::Args values);
  Status refusal_of(const engine::Prepared& prepared);
  Status reply_value(const ScriptRun& run, resp::Reply& reply);
  Status reply_failure(const ScriptRun& run, resp::Reply& reply);
  Status fail(std::string text);
  void collect_garbage();

  engine::Engine& engine_;
  engine::MemoryGate* const memory_gate_;
  engine::Gate* const disk_gate_;
  const Use use_;
  lua_State* state_ = nullptr;
  ScriptRun* run_ = nullptr;
  Registry* registry_ = nullptr;
  uint64_t load_deadline_ns_ = 0;
  bool is_load_late_ = false;
  size_t steps_ = 0;        // of count_steps(), since the last interval of them
  uint32_t calls_ = 0;      // of look_at_clock()
  uint64_t looked_ns_ = 0;  // when it looked last
  size_t kept_bytes_ = 0;   // used after the last full collection
  std::string failure_;     // the error that run() has returned

  // Of the command that is being called.
  std::vector<std::string_view> args_;
  std::vector<uint64_t> hashes_;
  std::string text_;  // of arguments that are numbers
  LuaReply reply_;
};

}  // namespace roxdb::scripting
