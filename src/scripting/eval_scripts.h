// eval_scripts.h: scripts of EVAL, compiled once and found again by their text or by its SHA1.
//
//   EVAL text --> by text --> Script --> Interpreter::run          a script that is known is not
//   EVALSHA sha1 --> by SHA1 --'                                    hashed again
//
// What SCRIPT LOAD brought stays until SCRIPT FLUSH. Of those that only came with an EVAL the 500
// used last are kept: programs that put values into their scripts' text would fill the memory.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/engine.h"
#include "scripting/function_flags.h"
#include "scripting/interpreter.h"

namespace roxdb::scripting {

inline constexpr size_t kEvalScriptsMax = 500;

struct Script {
  std::string sha1;
  std::string text;
  ScriptFlags flags = 0;
  int function = Interpreter::kNoFunction;
  bool is_loaded = false;                // by SCRIPT LOAD: it stays
  std::list<Script*>::iterator used_at;  // else: its place among those used last
};

class EvalScripts {
 public:
  explicit EvalScripts(engine::Engine& engine) : engine_(engine) {}
  EvalScripts(const EvalScripts&) = delete;
  EvalScripts& operator=(const EvalScripts&) = delete;

  // The script of this text; compiled when it is new. `loads`: it is to stay. Null: it cannot be,
  // `why` is the error reply.
  Script* find_or_add(std::string_view text, bool loads, std::string& why);
  // Null when there is none. In any case of letters.
  Script* find(std::string_view sha1);
  const Script* find(std::string_view sha1) const;
  // Forgets all, and the interpreter; what it held is released by the executor if `in_background`.
  // REQUIRES: none of them runs.
  void flush(bool in_background);

  // REQUIRES: a script was found.
  Interpreter& interpreter() { return *interpreter_; }
  // Called for each interpreter when it is made.
  std::function<void(Interpreter&)> on_made;

  size_t size() const { return by_text_.size(); }
  uint64_t evicted() const { return evicted_; }
  size_t interpreter_bytes() const {
    return interpreter_ == nullptr ? 0 : interpreter_->used_bytes();
  }
  size_t script_bytes() const { return script_bytes_; }

 private:
  struct Hash {
    const engine::Engine* engine;
    size_t operator()(std::string_view text) const { return engine->hash(text); }
  };

  void touch(Script& script);
  void forget(Script& script);
  static size_t bytes_of(const Script& script);

  engine::Engine& engine_;
  std::shared_ptr<Interpreter> interpreter_;  // shared with the work that releases it
  // Keys are views of what the scripts own; clients choose them, so the hash is the keyed one.
  std::unordered_map<std::string_view, std::unique_ptr<Script>, Hash> by_text_{0, Hash{&engine_}};
  std::unordered_map<std::string_view, Script*, Hash> by_sha1_{0, Hash{&engine_}};
  std::list<Script*> used_;  // the one used last is at the front
  size_t script_bytes_ = 0;
  uint64_t evicted_ = 0;
};

}  // namespace roxdb::scripting
