// function_libraries.h: libraries of functions (FUNCTION LOAD), which are data: they are logged,
// saved and restored with the keys.
//
//   code --first line--> name --Interpreter::load_library--> redis.register_function --> Function
//
// One libraries' text is what is kept and what travels; functions are made from it anew wherever it
// is loaded. A payload of FUNCTION DUMP is Redis's:
//
//   OFFSET  SIZE  MEANING
//   0       1     245: a library follows ...
//   1       ..    ... its text, a string of the RDB format
//   ..      ..    more libraries
//   ..      2     version of the format, little endian
//   ..      8     CRC64 of all before it, little endian
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/text.h"
#include "engine/engine.h"
#include "engine/extra_state.h"
#include "scripting/function_flags.h"
#include "scripting/interpreter.h"

namespace roxdb::scripting {

struct Function {
  std::string name;
  std::optional<std::string> description;
  ScriptFlags flags = 0;
  int reference = Interpreter::kNoFunction;
};

// The order of names whose letters' case does not count.
struct LessIgnoringCase {
  bool operator()(std::string_view a, std::string_view b) const {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                        [](char one, char other) {
                                          return static_cast<unsigned char>(to_lower(one)) <
                                                 static_cast<unsigned char>(to_lower(other));
                                        });
  }
};

struct Library {
  std::string name;
  std::string code;
  std::map<std::string, Function, std::less<>> functions;
};

class FunctionLibraries final : public engine::ExtraState {
 public:
  explicit FunctionLibraries(engine::Engine& engine) : engine_(engine) {}
  ~FunctionLibraries() = default;
  FunctionLibraries(const FunctionLibraries&) = delete;
  FunctionLibraries& operator=(const FunctionLibraries&) = delete;

  // Loads a library; returns its name. `time_ns`: how long its text may run, 0: as long as it
  // wants. Null: `why` is the error without its code, and nothing has changed.
  const Library* load(std::string_view code, bool replaces, uint64_t time_ns, std::string& why);
  bool erase(std::string_view library);
  void flush(bool in_background);

  // With what it has version and checksum.
  std::string dump() const;
  enum class Policy : uint8_t { kAppend, kReplace, kFlush };
  // All libraries of a payload or none; `time_ns` is for all of their texts together, `why` as
  // above.
  bool restore(std::string_view payload, Policy policy, uint64_t time_ns, std::string& why);

  // engine::ExtraState
  std::string save() const override;
  Status load(std::string_view bytes, bool replaces, std::string& why) override;
  void clear() override { flush(false); }

  const std::map<std::string, std::unique_ptr<Library>, std::less<>>& libraries() const {
    return libraries_;
  }
  // Null when there is none.
  const Function* find(std::string_view name) const;
  size_t functions() const { return functions_.size(); }

  // REQUIRES: a function was found.
  Interpreter& interpreter() { return *interpreter_; }
  std::function<void(Interpreter&)> on_made;
  size_t interpreter_bytes() const {
    return interpreter_ == nullptr ? 0 : interpreter_->used_bytes();
  }
  size_t library_bytes() const;

 private:
  class Loading;
  using Many = std::vector<std::unique_ptr<Library>>;

  std::unique_ptr<Library> make(std::string_view code, uint64_t time_ns, std::string& why);
  bool add(Many& many, bool replaces, std::string& why);
  bool read(std::string_view bytes, uint64_t time_ns, Many& many, std::string& why);
  void unlink(const Library& library);
  void link(std::unique_ptr<Library> library);
  void release(Many& many);
  void release(Library& library);

  engine::Engine& engine_;
  std::shared_ptr<Interpreter> interpreter_;  // shared with the work that releases it
  std::map<std::string, std::unique_ptr<Library>, std::less<>> libraries_;
  // Of all libraries. FCALL finds them in any case, and no two differ by case alone, unless they
  // are of one library: then the first is found.
  std::map<std::string_view, const Function*, LessIgnoringCase> functions_;
};

}  // namespace roxdb::scripting
