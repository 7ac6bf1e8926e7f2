#include "scripting/function_libraries.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "persist/crc64.h"
#include "persist/rdb_input.h"
#include "persist/rdb_output.h"
#include "persist/rdb_payload.h"

namespace roxdb::scripting {
namespace {

constexpr uint8_t kLibraryFollows = 245;
constexpr uint8_t kReleaseCandidateFollows = 246;
constexpr uint16_t kPayloadVersion = 10;  // the first that knows libraries: every Redis 7 reads it
constexpr size_t kSumBytes = sizeof(uint64_t);
constexpr size_t kFooterBytes = sizeof(uint16_t) + kSumBytes;

// Version and checksum are right.
bool is_payload(std::string_view payload) {
  if (payload.size() < kFooterBytes) return false;
  // None at all is fine, which a value could not say.
  const auto opened = persist::open_payload(payload);
  if (opened.ok()) return true;
  uint64_t sum;
  std::memcpy(&sum, payload.data() + payload.size() - kSumBytes, kSumBytes);
  return payload.size() == kFooterBytes &&
         persist::crc64(0, payload.substr(0, payload.size() - kSumBytes)) == sum;
}

// Another of them has the name of this one, or of one of its functions. `why` says so.
bool collides(const std::vector<std::unique_ptr<Library>>& others, const Library& library,
              std::string& why) {
  for (const auto& other : others) {
    if (other->name == library.name) {
      why = fmt::format("Library '{}' already exists", library.name);
      return true;
    }
    for (const auto& [name, function] : library.functions) {
      if (!other->functions.contains(name)) continue;
      why = fmt::format("Function {} already exists", name);
      return true;
    }
  }
  return false;
}

bool is_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), fits);
}

}  // namespace

// Takes what a library registers while its text runs.
class FunctionLibraries::Loading final : public Interpreter::Registry {
 public:
  explicit Loading(Library& library) : library_(library) {}

  bool add_function(std::string_view name, const std::string* description, ScriptFlags flags,
                    int function, std::string& why) override {
    if (!is_name(name)) {
      why =
          "Library names can only contain letters, numbers, or underscores(_) and must be at least "
          "one character long";
      return false;
    }
    const auto [place, is_new] = library_.functions.try_emplace(std::string(name));
    if (!is_new) {
      why = "Function already exists in the library";
      return false;
    }
    place->second.name = name;
    if (description != nullptr) place->second.description = *description;
    place->second.flags = flags;
    place->second.reference = function;
    return true;
  }

 private:
  Library& library_;
};

const Function* FunctionLibraries::find(std::string_view name) const {
  const auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : found->second;
}

// ---- one library ----

std::unique_ptr<Library> FunctionLibraries::make(std::string_view code, uint64_t time_ns,
                                                 std::string& why) {
  Header header;
  if (!read_library_header(code, header, why)) return nullptr;
  if (interpreter_ == nullptr) {
    interpreter_ = std::make_shared<Interpreter>(engine_, Interpreter::Use::kFunctions);
    if (on_made) on_made(*interpreter_);
  }
  const int text = interpreter_->compile_function(header.body, "@user_function", why);
  if (text == Interpreter::kNoFunction) {
    why = fmt::format("Error compiling function: {}", why);
    return nullptr;
  }
  auto library = std::make_unique<Library>();
  library->name = std::move(header.name);
  library->code = code;
  Loading loading(*library);
  const bool is_good = interpreter_->load_library(text, loading, time_ns, why);
  interpreter_->forget(text);
  if (!is_good) {
    why = fmt::format("Error registering functions: {}", why);
  } else if (library->functions.empty()) {
    why = "No functions registered";
  } else {
    return library;
  }
  release(*library);
  return nullptr;
}

void FunctionLibraries::release(Library& library) {
  for (const auto& [name, function] : library.functions) {
    interpreter_->forget(function.reference);
  }
}

void FunctionLibraries::release(Many& many) {
  for (const auto& library : many) release(*library);
  many.clear();
}

void FunctionLibraries::link(std::unique_ptr<Library> library) {
  for (const auto& [name, function] : library->functions) functions_.emplace(name, &function);
  std::string name = library->name;
  libraries_.emplace(std::move(name), std::move(library));
}

void FunctionLibraries::unlink(const Library& library) {
  for (const auto& [name, function] : library.functions) functions_.erase(name);
}

// ---- changes: all of it or nothing ----

// Puts libraries in their places; an old one of the same name goes. False: nothing has changed.
bool FunctionLibraries::add(Many& many, bool replaces, std::string& why) {
  Many old;
  const auto undo = [&] {
    for (auto& library : old) link(std::move(library));
    release(many);
    return false;
  };
  for (const auto& library : many) {
    const auto found = libraries_.find(library->name);
    if (found == libraries_.end()) continue;
    if (!replaces) {
      why = fmt::format("Library {} already exists", library->name);
      return undo();
    }
    unlink(*found->second);
    old.push_back(std::move(found->second));
    libraries_.erase(found);
  }
  for (const auto& library : many) {
    for (const auto& [name, function] : library->functions) {
      if (find(name) == nullptr) continue;
      why = fmt::format("Function {} already exists", name);
      return undo();
    }
  }
  release(old);
  for (auto& library : many) link(std::move(library));
  many.clear();
  return true;
}

const Library* FunctionLibraries::load(std::string_view code, bool replaces, uint64_t time_ns,
                                       std::string& why) {
  Header header;
  if (!replaces && read_library_header(code, header, why) && libraries_.contains(header.name)) {
    why = fmt::format("Library '{}' already exists", header.name);
    return nullptr;
  }
  why.clear();
  Many one;
  one.push_back(make(code, time_ns, why));
  if (one[0] == nullptr) return nullptr;
  const Library* const library = one[0].get();
  return add(one, replaces, why) ? library : nullptr;
}

bool FunctionLibraries::erase(std::string_view library) {
  const auto found = libraries_.find(library);
  if (found == libraries_.end()) return false;
  unlink(*found->second);
  release(*found->second);
  libraries_.erase(found);
  return true;
}

void FunctionLibraries::flush(bool in_background) {
  functions_.clear();
  libraries_.clear();
  if (in_background && interpreter_ != nullptr) {
    engine_.executor().run([old = std::move(interpreter_)]() mutable { old.reset(); }, [] {});
  }
  interpreter_.reset();
}

// ---- bytes ----

std::string FunctionLibraries::save() const {
  std::string bytes;
  persist::RdbOutput output(bytes, SIZE_MAX);
  for (const auto& [name, library] : libraries_) {
    output.byte(kLibraryFollows);
    output.string(library->code);
  }
  return bytes;
}

std::string FunctionLibraries::dump() const {
  std::string payload = save();
  payload.append(reinterpret_cast<const char*>(&kPayloadVersion), sizeof kPayloadVersion);
  const uint64_t sum = persist::crc64(0, payload);
  payload.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  return payload;
}

// The libraries of `bytes`, made but in no place yet. False: none is left.
bool FunctionLibraries::read(std::string_view bytes, uint64_t time_ns, Many& many,
                             std::string& why) {
  persist::RdbBytes input(bytes);
  std::string code;
  const uint64_t began_ns = engine_.environment().monotonic_ns();
  uint64_t left_ns = time_ns;
  while (why.empty() && !input.at_end()) {
    const auto mark = input.number<uint8_t>();
    if (!mark.ok()) {
      why = "can not read data type";
    } else if (*mark == kReleaseCandidateFollows) {
      why = "Pre-GA function format not supported";
    } else if (*mark != kLibraryFollows) {
      why = "given type is not a function";
    } else if (!input.string(code).ok()) {
      why = "Failed loading library code";
    } else if (auto library = make(code, left_ns, why)) {
      collides(many, *library, why);
      many.push_back(std::move(library));
    } else {
      why = fmt::format("Failed creating the library: {}", why);
    }
    // Many small ones: none of them takes long enough to look at the clock itself.
    if (time_ns == 0 || !why.empty()) continue;
    const uint64_t taken_ns = engine_.environment().monotonic_ns() - began_ns;
    if (taken_ns >= time_ns) why = "FUNCTION LOAD timeout";
    left_ns = time_ns - std::min(taken_ns, time_ns);
  }
  if (!why.empty()) release(many);
  return why.empty();
}

bool FunctionLibraries::restore(std::string_view payload, Policy policy, uint64_t time_ns,
                                std::string& why) {
  why.clear();
  if (!is_payload(payload)) {
    why = "DUMP payload version or checksum are wrong";
    return false;
  }
  Many many;
  if (!read(payload.substr(0, payload.size() - kFooterBytes), time_ns, many, why)) return false;
  if (policy != Policy::kFlush) return add(many, policy == Policy::kReplace, why);
  Many old;
  for (auto& [name, library] : libraries_) old.push_back(std::move(library));
  libraries_.clear();
  functions_.clear();
  if (add(many, false, why)) {
    release(old);
    return true;
  }
  for (auto& library : old) link(std::move(library));
  return false;
}

Status FunctionLibraries::load(std::string_view bytes, bool replaces, std::string& why) {
  why.clear();
  Many many;
  if (read(bytes, 0, many, why) && add(many, replaces, why)) return kOk;
  return {Code::kCorrupt, 0, "libraries of functions"};
}

size_t FunctionLibraries::library_bytes() const {
  constexpr size_t kNode = 64;
  size_t bytes = 0;
  for (const auto& [name, library] : libraries_) {
    bytes += sizeof *library + library->code.capacity() + 2 * name.capacity() + kNode;
    for (const auto& [function_name, function] : library->functions) {
      bytes += sizeof function + 2 * function_name.capacity() + 2 * kNode;
    }
  }
  return bytes;
}

}  // namespace roxdb::scripting
