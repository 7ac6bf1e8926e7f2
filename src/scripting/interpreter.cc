#include "scripting/interpreter.h"

#include <fmt/core.h>

#include <cmath>
#include <cstring>

#include "base/assert.h"
#include "base/numbers.h"
#include "engine/errors.h"
#include "engine/memory_gate.h"
#include "persist/persistence.h"
#include "scripting/answer.h"
#include "scripting/sandbox.h"

namespace roxdb::scripting {
namespace {

// The stack of the state between two runs.
enum : int {
  kGlobalsMetatable = 1,
  kNames,
  kErrorHandler,
  kKeysName,
  kArgumentsName,
  kLoadingNames
};
constexpr int kStackBase = kLoadingNames;

// After a run that has left so many bytes more than the last full collection found alive, all of
// them are collected at once: the usual steps come only with the next scripts.
constexpr size_t kLitterBytes = 16u << 20;
// Values on the stack beyond which the arguments of a call are moved away from it, so that there is
// room for the reply: a function has 8,000 slots.
constexpr int kArgumentsOnStack = 7000;
constexpr uint32_t kCallsPerLook = 16;
constexpr uint64_t kNsBetweenLooks = 1'000'000;
constexpr size_t kNumberBytes = 32;  // of its text
constexpr size_t kKeptTextBytes = 64u << 10;

// [error] -> [table]: says where it happened: err = text, source and line of the function, or of
// its caller when it is one of ours. What all scripts share stays as it is.
int describe_error(lua_State* state) {
  lua_settop(state, 1);
  lua_Debug where;
  bool is_known = lua_getstack(state, 1, &where) != 0 && lua_getinfo(state, "nSl", &where) != 0;
  if (is_known && std::strcmp(where.what, "C") == 0) {
    is_known = lua_getstack(state, 2, &where) != 0 && lua_getinfo(state, "nSl", &where) != 0;
  }
  if (!lua_istable(state, 1)) {
    lua_createtable(state, 0, 3);
    const char* text = lua_tostring(state, 1);
    if (lua_isboolean(state, 1)) text = lua_toboolean(state, 1) != 0 ? "true" : "false";
    if (text == nullptr) text = lua_typename(state, lua_type(state, 1));
    lua_pushfstring(state, "ERR %s", text);
    lua_setfield(state, -2, "err");
  }
  if (push_protected(state, -1)) {
    lua_settop(state, 1);
    return 1;
  }
  if (is_known) {
    lua_pushstring(state, where.source);
    lua::set_field(state, "source");
    lua_pushinteger(state, where.currentline);
    lua::set_field(state, "line");
  }
  return 1;
}

int fail_for_good(lua_State*) {
  ROX_ASSERT(!"an error of Lua outside of a script");
  return 0;
}

// A text field of the table at the top; empty when it has none.
std::string text_field(lua_State* state, const char* name) {
  lua_pushstring(state, name);
  lua_rawget(state, -2);
  std::string text;
  if (lua_isstring(state, -1) != 0) text = lua::text_at(state, -1);
  lua_pop(state, 1);
  return text;
}

bool flag_field(lua_State* state, const char* name) {
  lua_pushstring(state, name);
  lua_rawget(state, -2);
  const bool flag = lua_toboolean(state, -1) != 0;
  lua_pop(state, 1);
  return flag;
}

}  // namespace

int compile(lua_State* state, std::string_view text, const char* name) {
  // The collector stands still: names that the parser holds are not all anchored (CVE-2025-49844).
  lua_gc(state, LUA_GCSTOP, 0);
  const int status = luaL_loadbuffer(state, text.data(), text.size(), name);
  lua_gc(state, LUA_GCRESTART, 0);
  return status;
}

Interpreter::Interpreter(engine::Engine& engine, Use use)
    : engine_(engine),
      memory_gate_(engine.services.find<engine::MemoryGate>()),
      disk_gate_(engine.services.find<persist::Persistence>()),
      use_(use) {
  state_ = lua_newstate(LuaMemory::resize, static_cast<LuaMemory*>(this));
  ROX_ASSERT(state_ != nullptr);
  lua_atpanic(state_, fail_for_good);
  open_sandbox(state_);
  lua_newtable(state_);
  set_redis_functions(state_, use == Use::kEval ? RedisLibrary::kEval : RedisLibrary::kFunctions);
  protect_table(state_);
  lua_pushvalue(state_, -1);
  lua_setfield(state_, kNames, "redis");
  lua_setfield(state_, kNames, "server");
  ROX_ASSERT(lua_gettop(state_) == kNames);
  lua_pushcfunction(state_, describe_error);
  lua_pushliteral(state_, "KEYS");
  lua_pushliteral(state_, "ARGV");
  // What a library finds while it is loaded: redis, and nothing else.
  lua_newtable(state_);
  lua_newtable(state_);
  set_redis_functions(state_, RedisLibrary::kLoading);
  lua_getmetatable(state_, kNames);
  lua_setmetatable(state_, -2);
  protect_table(state_);
  lua_pushvalue(state_, -1);
  lua_setfield(state_, -3, "redis");
  lua_setfield(state_, -2, "server");
  lua_getmetatable(state_, kNames);
  lua_setmetatable(state_, -2);
  ROX_ASSERT(lua_gettop(state_) == kStackBase);
  watch(state_);
  lua_gc(state_, LUA_GCCOLLECT, 0);
  kept_bytes_ = used_bytes();
}

Interpreter::~Interpreter() { lua_close(state_); }

Interpreter& Interpreter::of(lua_State* state) {
  void* memory = nullptr;
  lua_getallocf(state, &memory);
  return *static_cast<Interpreter*>(static_cast<LuaMemory*>(memory));
}

int Interpreter::compile_function(std::string_view text, const char* name, std::string& why) {
  if (!text.empty() && text[0] == LUA_SIGNATURE[0]) {
    why = "attempt to load chunk with wrong mode";
    return kNoFunction;
  }
  limit(kScriptBytesMax);
  const int status = compile(state_, text, name);
  lift();
  int function = kNoFunction;
  if (status == 0) {
    function = luaL_ref(state_, LUA_REGISTRYINDEX);
  } else {
    why = lua::text_at(state_, -1);
    lua_pop(state_, 1);
  }
  // What the parser has left is nobody's, and no step of the collector would come by itself.
  collect_garbage();
  return function;
}

// ---- running ----

void Interpreter::push_array(engine::Args values) {
  lua_createtable(state_, static_cast<int>(values.size()), 0);
  int index = 0;
  for (const std::string_view value : values) {
    lua::push(state_, value);
    lua_rawseti(state_, -2, ++index);
  }
}

void Interpreter::set_global_array(int name, engine::Args values) {
  lua_pushvalue(state_, name);
  push_array(values);
  lua_rawset(state_, kNames);
}

Status Interpreter::run(ScriptRun& run, int function, engine::Args keys, engine::Args arguments,
                        resp::Reply& reply) {
  ROX_ASSERT(run_ == nullptr && lua_gettop(state_) == kStackBase);
  run_ = &run;
  resume_depth = 0;
  coroutine = nullptr;
  // Chance of its own for each run: nobody sees what another has drawn, or how another has seeded.
  random.seed(static_cast<uint32_t>(engine_.random.next()));
  cjson = {};
  if (memory_gate_ != nullptr && !run.allows_growth && memory_gate_->is_full()) {
    run.refuses_growth = !memory_gate_->make_room();
  }
  lua_rawgeti(state_, LUA_REGISTRYINDEX, function);
  if (use_ == Use::kEval) {
    set_global_array(kKeysName, keys);
    set_global_array(kArgumentsName, arguments);
  } else {
    push_array(keys);
    push_array(arguments);
  }
  limit(kScriptBytesMax);
  const int parameters = use_ == Use::kEval ? 0 : 2;
  const int failure = lua_pcall(state_, parameters, 1, kErrorHandler);
  lift();
  const char* const end = reason_to_end();
  if (end != nullptr) watch(state_);
  run_ = nullptr;
  const bool says_why = failure != 0 && lua_istable(state_, -1);
  Status status;
  if (end != nullptr && (!says_why || text_field(state_, "err") != end)) {
    status = fail(end);  // it has caught the error
  } else {
    status = failure == 0 ? reply_value(run, reply) : reply_failure(run, reply);
  }
  lua_settop(state_, kStackBase);
  collect_garbage();
  return status;
}

Status Interpreter::reply_value(const ScriptRun& run, resp::Reply& reply) {
  if (lua_istable(state_, -1)) {
    lua_pushliteral(state_, "err");
    lua_rawget(state_, -2);
    const bool is_error = lua_type(state_, -1) == LUA_TSTRING;
    std::string error(is_error ? error_text(state_) : "");
    lua_pop(state_, 1);
    if (is_error && !flag_field(state_, "ignore_error_stats_update")) return fail(std::move(error));
  }
  if (is_answer_too_large(state_, run.protocol, engine_.reply_bytes_max)) {
    return engine::errors::kReplyTooLarge;
  }
  answer(state_, reply, run.protocol);
  return kOk;
}

Status Interpreter::reply_failure(const ScriptRun& run, resp::Reply& reply) {
  if (!lua_istable(state_, -1)) {
    // Neither memory nor a fault of the handler itself comes with a place.
    const std::string_view text = lua::text_at(state_, -1);
    return fail(fmt::format("ERR Error running script {}, {}", run.name, text));
  }
  std::string text = text_field(state_, "err");
  if (text.empty()) text = "ERR unknown error";
  const std::string source = text_field(state_, "source");
  const std::string line = text_field(state_, "line");
  if (!source.empty() && !line.empty()) {
    text += fmt::format(" script: {}, on {}:{}.", run.name, source, line);
  }
  if (!flag_field(state_, "ignore_error_stats_update")) return fail(std::move(text));
  reply.error(text);
  return kOk;
}

Status Interpreter::fail(std::string text) {
  failure_ = std::move(text);
  return user_error(failure_);
}

void Interpreter::collect_garbage() {
  if (used_bytes() < kept_bytes_ + kLitterBytes) return;
  lua_gc(state_, LUA_GCCOLLECT, 0);
  kept_bytes_ = used_bytes();
}

bool Interpreter::load_library(int function, Registry& registry, uint64_t time_ns,
                               std::string& why) {
  ROX_ASSERT(run_ == nullptr && registry_ == nullptr && lua_gettop(state_) == kStackBase);
  const auto show_names = [this](int names) {
    lua_pushvalue(state_, names);
    lua_setfield(state_, kGlobalsMetatable, "__index");
  };
  registry_ = &registry;
  is_load_late_ = false;
  resume_depth = 0;
  coroutine = nullptr;
  cjson = {};
  load_deadline_ns_ = time_ns == 0 ? UINT64_MAX : engine_.environment().monotonic_ns() + time_ns;
  show_names(kLoadingNames);
  lua_rawgeti(state_, LUA_REGISTRYINDEX, function);
  limit(kScriptBytesMax);
  const int failure = lua_pcall(state_, 0, 0, 0);
  lift();
  const char* const end = reason_to_end();
  if (end != nullptr) {
    why = end;
    watch(state_);
  } else if (failure != 0 && lua_istable(state_, -1)) {
    why = text_field(state_, "err");
  } else if (failure != 0) {
    why = fmt::format("ERR {}", lua::text_at(state_, -1));
  }
  lua_settop(state_, kStackBase);
  show_names(kNames);
  registry_ = nullptr;
  collect_garbage();
  return failure == 0 && end == nullptr;
}

void Interpreter::watch(lua_State* state, int instructions) {
  lua_sethook(
      state, [](lua_State* where, lua_Debug*) { of(where).on_hook(where); }, LUA_MASKCOUNT,
      instructions);
}

// The hook comes with the next instruction. Lua lets it be set at any time.
void Interpreter::on_much_taken() {
  if (run_ == nullptr && registry_ == nullptr) return;
  lua_State* const state = coroutine != nullptr ? coroutine : state_;
  if (lua_gethookmask(state) == LUA_MASKCOUNT) watch(state, 1);
}

const char* Interpreter::reason_to_end() const {
  if (run_ == nullptr) return is_load_late_ ? "ERR FUNCTION LOAD timeout" : nullptr;
  if (!run_->is_killed) return nullptr;
  return run_->is_eval ? "ERR Script killed by user with SCRIPT KILL..."
                       : "ERR Script killed by user with FUNCTION KILL...";
}

// Lets others be served; ends the script when it is to end, however often it catches the error.
void Interpreter::on_hook(lua_State* state) {
  if (run_ != nullptr) {
    if (!run_->is_killed && on_interval && on_interval(*run_)) run_->is_killed = true;
  } else if (registry_ != nullptr && engine_.environment().monotonic_ns() >= load_deadline_ns_) {
    is_load_late_ = true;
  }
  const char* const why = reason_to_end();
  if (why == nullptr) {
    // Much was taken, or a library has kept a coroutine from a run that was killed.
    const bool is_usual = lua_gethookmask(state) == LUA_MASKCOUNT &&
                          lua_gethookcount(state) == kInstructionsPerInterval;
    if (!is_usual) watch(state);
    return;
  }
  for (lua_State* one : {state, state_}) lua_sethook(one, lua_gethook(one), LUA_MASKLINE, 0);
  lua_createtable(state, 0, 3);
  lua_pushstring(state, why);
  lua::set_field(state, "err");
  lua_error(state);
}

void Interpreter::look_at_clock(lua_State* state) {
  if (reason_to_end() == nullptr) {
    if (++calls_ % kCallsPerLook != 0) return;
    const uint64_t now_ns = engine_.environment().monotonic_ns();
    if (now_ns - looked_ns_ < kNsBetweenLooks) return;
    looked_ns_ = now_ns;
  }
  on_hook(state);
}

// ---- redis.call ----

bool Interpreter::gather_arguments(lua_State* state, int count) {
  args_.clear();
  text_.clear();
  size_t moved_bytes = 0;
  for (int i = 1; i <= count; ++i) {
    const int type = lua_type(state, i);
    if (type == LUA_TSTRING) {
      args_.push_back(lua::text_at(state, i));
      moved_bytes += args_.back().size();
      continue;
    }
    if (type != LUA_TNUMBER) return false;
    // Room for all that may come, so that no view moves.
    if (text_.empty()) text_.resize(static_cast<size_t>(count) * kNumberBytes);
    char* const text = text_.data() + static_cast<size_t>(i - 1) * kNumberBytes;
    const lua_Number number = lua_tonumber(state, i);
    constexpr lua_Number kExact = 1e15;
    size_t size;
    if (std::floor(number) == number && std::fabs(number) < kExact && number != 0) {
      size = print_int64(static_cast<int64_t>(number), text);
    } else {
      size = static_cast<size_t>(std::snprintf(text, kNumberBytes, "%.17g", number));
    }
    args_.emplace_back(text, size);
  }
  if (count > kArgumentsOnStack) {
    // It moves once more: never so short that its bytes lie in the object itself.
    std::string moved;
    moved.reserve(moved_bytes + text_.size() + sizeof moved);
    for (std::string_view& arg : args_) {
      const size_t at = moved.size();
      moved += arg;
      arg = {moved.data() + at, arg.size()};
    }
    text_ = std::move(moved);
    lua_settop(state, 0);
  }
  return true;
}

Result<bool> Interpreter::may_call(ScriptRun& run) {
  const engine::Command* const command = engine_.commands().find(args_);
  if (command == nullptr) return user_error("ERR Invalid command");
  return !may_run || may_run(run.session, *command, args_);
}

// The rules for commands within scripts, in Redis's order.
Status Interpreter::refusal_of(const engine::Prepared& prepared) {
  using namespace engine;
  const Command* const command = prepared.command;
  if (command == nullptr) return user_error("ERR Unknown Redis command called from script");
  if (!prepared.is_runnable) {
    const bool is_unknown = command->spec->handler == nullptr && prepared.args.size() > 1;
    return is_unknown ? user_error("ERR Unknown Redis command called from script")
                      : user_error("ERR Wrong number of args calling Redis command from script");
  }
  const Flags flags = command->spec->flags;
  if ((flags & kNoScript) != 0) {
    return user_error("ERR This Redis command is not allowed from script");
  }
  if (run_->is_read_only && (flags & (kWrite | kMayReplicate)) != 0) {
    return user_error("ERR Write commands are not allowed from read-only scripts.");
  }
  if (run_->refuses_growth && !run_->has_written && (flags & kDenyOom) != 0) {
    return user_error("OOM command not allowed when used memory > 'maxmemory'.");
  }
  if ((flags & kWrite) == 0) return kOk;
  Status refusal;
  if (disk_gate_ != nullptr && disk_gate_->check(run_->session, *command->spec, prepared.args,
                                                 refusal) == Verdict::kRefuse) {
    return refusal;
  }
  return kOk;
}

namespace {

int raise_or_return(lua_State* state, bool raises) { return raises ? lua_error(state) : 1; }

// [...] -> [..., {err = text}]. `is_counted`: it is in the statistics already.
void push_error(lua_State* state, std::string_view text, bool is_counted = false) {
  lua_createtable(state, 0, is_counted ? 2 : 1);
  lua::push(state, text);
  lua::set_field(state, "err");
  if (!is_counted) return;
  lua_pushboolean(state, 1);
  lua::set_field(state, "ignore_error_stats_update");
}

}  // namespace

int Interpreter::call_command(lua_State* state, bool raises) {
  if (run_ == nullptr) {
    push_error(state, "ERR redis.call/pcall can only be called inside a script invocation");
    return lua_error(state);
  }
  look_at_clock(state);
  const int count = lua_gettop(state);
  if (count == 0) {
    push_error(state, "ERR Please specify at least one argument for this redis lib call");
    return raise_or_return(state, raises);
  }
  if (!gather_arguments(state, count)) {
    push_error(state, "ERR Lua redis lib command arguments must be strings or integers");
    return raise_or_return(state, raises);
  }
  hashes_.assign(args_.size(), 0);
  const engine::Prepared prepared = engine_.prepare(run_->session, args_, hashes_.data());
  if (const Status refusal = refusal_of(prepared); !refusal.ok()) [[unlikely]] {
    if (prepared.command != nullptr) prepared.command->rejected++;
    engine_.count_error(refusal.text);
    push_error(state, refusal.text, true);
    return raise_or_return(state, raises);
  }
  suspend();
  reply_.begin(state, *this, run_->protocol);
  const engine::Verdict verdict = engine_.execute(run_->session, prepared, reply_);
  // What a gate refuses, or the principal's rights, leaves the script one that may be killed.
  if (verdict == engine::Verdict::kPass && (prepared.command->spec->flags & engine::kWrite) != 0) {
    run_->has_written = true;
  }
  const LuaReply::End end = reply_.end();
  resume();
  if (text_.capacity() > kKeptTextBytes) std::string().swap(text_);
  switch (end) {
    case LuaReply::End::kValue:
      return 1;
    case LuaReply::End::kError:
      return raise_or_return(state, raises);
    case LuaReply::End::kTooLarge:
      break;
  }
  push_error(state, "ERR reply too large for a script");
  return raise_or_return(state, raises);
}

}  // namespace roxdb::scripting
