#include "scripting/eval_scripts.h"

#include <fmt/core.h>

#include "base/text.h"
#include "scripting/sha1.h"

namespace roxdb::scripting {

Script* EvalScripts::find_or_add(std::string_view text, bool loads, std::string& why) {
  if (const auto found = by_text_.find(text); found != by_text_.end()) {
    Script& script = *found->second;
    if (loads && !script.is_loaded) {
      script.is_loaded = true;
      used_.erase(script.used_at);
    }
    touch(script);
    return &script;
  }
  Header header;
  if (!read_script_header(text, header, why)) {
    why = "ERR " + why;
    return nullptr;
  }
  if (interpreter_ == nullptr) {
    interpreter_ = std::make_shared<Interpreter>(engine_, Interpreter::Use::kEval);
    if (on_made) on_made(*interpreter_);
  }
  const int function = interpreter_->compile_function(header.body, "@user_script", why);
  if (function == Interpreter::kNoFunction) {
    why = fmt::format("ERR Error compiling script (new function): {}", why);
    return nullptr;
  }
  auto script = std::make_unique<Script>();
  script->sha1 = sha1_hex(text);
  script->text = text;
  script->flags = header.flags;
  script->function = function;
  script->is_loaded = loads;
  Script* const added = script.get();
  script_bytes_ += bytes_of(*added);
  by_sha1_.emplace(added->sha1, added);
  by_text_.emplace(added->text, std::move(script));
  if (!loads) {
    used_.push_front(added);
    added->used_at = used_.begin();
    if (used_.size() > kEvalScriptsMax) {
      ++evicted_;
      forget(*used_.back());
    }
  }
  return added;
}

const Script* EvalScripts::find(std::string_view sha1) const {
  auto found = by_sha1_.find(sha1);
  if (found == by_sha1_.end()) found = by_sha1_.find(lower_case(sha1));
  return found == by_sha1_.end() ? nullptr : found->second;
}

Script* EvalScripts::find(std::string_view sha1) {
  auto* const script = const_cast<Script*>(std::as_const(*this).find(sha1));
  if (script != nullptr) touch(*script);
  return script;
}

void EvalScripts::touch(Script& script) {
  if (!script.is_loaded) used_.splice(used_.begin(), used_, script.used_at);
}

void EvalScripts::forget(Script& script) {
  if (!script.is_loaded) used_.erase(script.used_at);
  interpreter_->forget(script.function);
  script_bytes_ -= bytes_of(script);
  by_sha1_.erase(script.sha1);
  by_text_.erase(script.text);
}

size_t EvalScripts::bytes_of(const Script& script) {
  constexpr size_t kNodes = 2 * 64;  // of the two tables
  return sizeof script + script.text.capacity() + script.sha1.capacity() + kNodes;
}

void EvalScripts::flush(bool in_background) {
  by_sha1_.clear();
  by_text_.clear();
  used_.clear();
  script_bytes_ = 0;
  if (in_background) {
    // Closing a state visits every object in it.
    engine_.executor().run([old = std::move(interpreter_)]() mutable { old.reset(); }, [] {});
  }
  interpreter_.reset();
}

}  // namespace roxdb::scripting
