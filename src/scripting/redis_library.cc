// redis_library.cc: redis.*, which Valkey calls server.*.
#include <cstdint>
#include <string>

#include "base/numbers.h"
#include "base/text.h"
#include "base/version.h"
#include "scripting/function_flags.h"
#include "scripting/interpreter.h"
#include "scripting/lua_libraries.h"
#include "scripting/sha1.h"

namespace roxdb::scripting {
namespace {

int raise(lua_State* state, std::string_view text) {
  lua_createtable(state, 0, 1);
  lua::push(state, text);
  lua::set_field(state, "err");
  return lua_error(state);
}

// The run, or an error of this function's name.
ScriptRun& running(lua_State* state, const char* name) {
  ScriptRun* const run = Interpreter::of(state).running();
  if (run == nullptr) {
    raise(state,
          std::string("ERR redis.") + name + " can only be called inside a script invocation");
  }
  return *run;
}

int call(lua_State* state) { return Interpreter::of(state).call_command(state, true); }
int pcall(lua_State* state) { return Interpreter::of(state).call_command(state, false); }

int sha1hex(lua_State* state) {
  if (lua_gettop(state) != 1) return raise(state, "ERR wrong number of arguments");
  lua::push(state, sha1_hex(lua::text_at(state, 1)));
  return 1;
}

// redis.error_reply(text): the code first; a text of one word is no code.
int error_reply(lua_State* state) {
  constexpr std::string_view kWrong = "ERR wrong number or type of arguments";
  std::string text(kWrong);
  if (lua_gettop(state) == 1 && lua_type(state, 1) == LUA_TSTRING) {
    text = lua_tostring(state, 1);  // up to the first NUL, as Redis reads it
    if (text.starts_with('-')) text.erase(0, 1);
    if (text.find(' ') == std::string::npos) text = "ERR " + text;
    const size_t begin = text.find_first_not_of("\r\n", text.find(' ') + 1);
    while (text.ends_with('\r') || text.ends_with('\n')) text.pop_back();
    const size_t word = text.find(' ') + 1;
    if (begin != std::string::npos && begin > word) text.erase(word, begin - word);
  }
  lua_createtable(state, 0, 1);
  lua::push(state, text);
  lua::set_field(state, "err");
  return 1;
}

int status_reply(lua_State* state) {
  const bool is_text = lua_gettop(state) == 1 && lua_type(state, 1) == LUA_TSTRING;
  lua_createtable(state, 0, 1);
  if (is_text) {
    lua_pushvalue(state, 1);
    lua::set_field(state, "ok");
  } else {
    lua_pushliteral(state, "ERR wrong number or type of arguments");
    lua::set_field(state, "err");
  }
  return 1;
}

// redis.setresp(2 or 3)
int setresp(lua_State* state) {
  ScriptRun& run = running(state, "setresp");
  if (lua_gettop(state) != 1) return raise(state, "ERR redis.setresp() requires one argument.");
  const lua_Number protocol = lua_tonumber(state, 1);
  if (protocol < 2 || protocol >= 4) return raise(state, "ERR RESP version must be 2 or 3.");
  run.protocol = static_cast<int>(protocol);
  return 0;
}

enum : int { kReplicateNone = 0, kReplicateAof = 1, kReplicateReplica = 2, kReplicateAll = 3 };

// redis.set_repl(flags): taken, checked, and without effect: what has changed is always logged.
int set_repl(lua_State* state) {
  running(state, "set_repl");
  if (lua_gettop(state) != 1) return raise(state, "ERR redis.set_repl() requires two arguments.");
  const lua_Number flags = lua_tonumber(state, 1);
  if (flags <= -1 || flags >= kReplicateAll + 1) {
    return raise(
        state, "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.");
  }
  return 0;
}

// redis.acl_check_cmd(name, ...): whether the caller might.
int acl_check_cmd(lua_State* state) {
  ScriptRun& run = running(state, "acl_check_cmd");
  const int count = lua_gettop(state);
  if (count == 0) {
    return raise(state, "ERR Please specify at least one argument for this redis lib call");
  }
  Interpreter& interpreter = Interpreter::of(state);
  if (!interpreter.gather_arguments(state, count)) {
    return raise(state, "ERR Lua redis lib command arguments must be strings or integers");
  }
  const Result<bool> may = interpreter.may_call(run);
  if (!may.ok()) return raise(state, "ERR Invalid command passed to redis.acl_check_cmd()");
  lua_pushboolean(state, *may ? 1 : 0);
  return 1;
}

// redis.log(level, text, ...)
int log(lua_State* state) {
  const int count = lua_gettop(state);
  if (count < 2) return raise(state, "ERR redis.log() requires two arguments or more.");
  if (lua_isnumber(state, 1) == 0) {
    return raise(state, "ERR First argument must be a number (log level).");
  }
  const lua_Number level = lua_tonumber(state, 1);
  if (!(level >= 0 && level < static_cast<int>(LogLevel::kNothing))) {
    return raise(state, "ERR Invalid log level.");
  }
  std::string line;
  for (int i = 2; i <= count; ++i) {
    if (lua_isstring(state, i) == 0) continue;
    if (i > 2) line += ' ';
    line += lua::text_at(state, i);
  }
  // One line is one event (reliability S11).
  for (char& letter : line) {
    if (static_cast<unsigned char>(letter) < ' ') letter = ' ';
  }
  Interpreter::of(state).engine().log().log(static_cast<LogLevel>(static_cast<int>(level)), "{}",
                                            line);
  return 0;
}

// Nobody debugs: there is no debugger (reliability, table of known holes).
int breakpoint(lua_State* state) {
  lua_pushboolean(state, 0);
  return 1;
}
int debug(lua_State*) { return 0; }

// Effects are what is replicated, always.
int replicate_commands(lua_State* state) {
  lua_pushboolean(state, 1);
  return 1;
}

// ---- redis.register_function ----

struct Registration {
  std::string name;
  bool has_name = false;
  std::string description;
  bool has_description = false;
  ScriptFlags flags = 0;
  bool has_callback = false;  // it is at the top of the stack then
};

// [flags] -> [flags]. False: one is unknown.
bool read_flags(lua_State* state, ScriptFlags& flags) {
  for (int i = 1;; ++i) {
    lua_rawgeti(state, -1, i);
    const bool is_end = lua_isnil(state, -1);
    const ScriptFlags flag =
        !is_end && lua_isstring(state, -1) != 0 ? flag_by_name(lua::text_at(state, -1)) : 0;
    lua_pop(state, 1);
    if (is_end) return true;
    if (flag == 0) return false;
    flags |= flag;
  }
}

// [table, ..., key, value]: one named argument. Null: fine, else the error.
const char* read_named(lua_State* state, std::string_view key, Registration& registration) {
  constexpr int kCallbackPlace = 2;
  if (equal_ignore_case(key, "function_name")) {
    if (lua_isstring(state, -1) == 0) {
      return "function_name argument given to redis.register_function must be a string";
    }
    registration.name = lua::text_at(state, -1);
    registration.has_name = true;
  } else if (equal_ignore_case(key, "description")) {
    if (lua_isstring(state, -1) == 0) {
      return "description argument given to redis.register_function must be a string";
    }
    registration.description = lua::text_at(state, -1);
    registration.has_description = true;
  } else if (equal_ignore_case(key, "callback")) {
    if (!lua_isfunction(state, -1)) {
      return "callback argument given to redis.register_function must be a function";
    }
    lua_pushvalue(state, -1);
    lua_replace(state, kCallbackPlace);
    registration.has_callback = true;
  } else if (equal_ignore_case(key, "flags")) {
    if (!lua_istable(state, -1)) {
      return "flags argument to redis.register_function must be a table representing function "
             "flags";
    }
    if (!read_flags(state, registration.flags)) return "unknown flag given";
  } else {
    return "unknown argument given to redis.register_function";
  }
  return nullptr;
}

// [table] -> [callback]
const char* read_table(lua_State* state, Registration& registration) {
  if (!lua_istable(state, 1)) {
    return "calling redis.register_function with a single argument is only applicable to Lua table "
           "(representing named arguments).";
  }
  lua_pushnil(state);  // the callback's place
  lua_pushnil(state);
  while (lua_next(state, 1) != 0) {
    if (lua_isstring(state, -2) == 0) {
      return "named argument key given to redis.register_function is not a string";
    }
    if (lua_type(state, -2) != LUA_TSTRING) {
      return "unknown argument given to redis.register_function";
    }
    if (const char* why = read_named(state, lua::text_at(state, -2), registration)) return why;
    lua_pop(state, 1);
  }
  if (!registration.has_name) {
    return "redis.register_function must get a function name argument";
  }
  if (!registration.has_callback) {
    return "redis.register_function must get a callback argument";
  }
  return nullptr;
}

const char* read_two(lua_State* state, Registration& registration) {
  if (lua_isstring(state, 1) == 0) {
    return "first argument to redis.register_function must be a string";
  }
  if (!lua_isfunction(state, 2)) {
    return "second argument to redis.register_function must be a function";
  }
  registration.name = lua::text_at(state, 1);
  return nullptr;
}

// redis.register_function(name, callback), or one table with named arguments.
int register_function(lua_State* state) {
  Interpreter::Registry* const registry = Interpreter::of(state).registry();
  if (registry == nullptr) {
    return raise(state, "ERR redis.register_function can only be called on FUNCTION LOAD command");
  }
  Registration registration;
  const int count = lua_gettop(state);
  const char* why = "wrong number of arguments to redis.register_function";
  if (count == 1) {
    why = read_table(state, registration);
  } else if (count == 2) {
    why = read_two(state, registration);
  }
  if (why != nullptr) return raise(state, std::string("ERR ") + why);
  lua_pushvalue(state, 2);
  const int function = luaL_ref(state, LUA_REGISTRYINDEX);
  std::string text;
  if (registry->add_function(registration.name,
                             registration.has_description ? &registration.description : nullptr,
                             registration.flags, function, text)) {
    return 0;
  }
  luaL_unref(state, LUA_REGISTRYINDEX, function);
  return raise(state, "ERR " + text);
}

// "8.0.1" as 0x00080001.
uint32_t version_number(std::string_view version) {
  uint32_t number = 0;
  for (int part = 0; part < 3; ++part) {
    const size_t end = std::min(version.find('.'), version.size());
    const auto value = parse_uint64(version.substr(0, end));
    number = number << 8 | static_cast<uint32_t>(value.value_or(0) & 0xff);
    version.remove_prefix(std::min(end + 1, version.size()));
  }
  return number;
}

}  // namespace

void set_redis_functions(lua_State* state, RedisLibrary which) {
  lua::set_function(state, "log", log);
  lua::set_number(state, "LOG_DEBUG", static_cast<int>(LogLevel::kDebug));
  lua::set_number(state, "LOG_VERBOSE", static_cast<int>(LogLevel::kVerbose));
  lua::set_number(state, "LOG_NOTICE", static_cast<int>(LogLevel::kNotice));
  lua::set_number(state, "LOG_WARNING", static_cast<int>(LogLevel::kWarning));
  lua::push(state, kRedisVersion);
  lua::set_field(state, "REDIS_VERSION");
  lua::set_number(state, "REDIS_VERSION_NUM", version_number(kRedisVersion));
  if (which == RedisLibrary::kLoading) {
    return lua::set_function(state, "register_function", register_function);
  }
  lua::set_function(state, "call", call);
  lua::set_function(state, "pcall", pcall);
  lua::set_function(state, "sha1hex", sha1hex);
  lua::set_function(state, "error_reply", error_reply);
  lua::set_function(state, "status_reply", status_reply);
  lua::set_function(state, "setresp", setresp);
  lua::set_function(state, "acl_check_cmd", acl_check_cmd);
  lua::set_function(state, "set_repl", set_repl);
  lua::set_number(state, "REPL_NONE", kReplicateNone);
  lua::set_number(state, "REPL_AOF", kReplicateAof);
  lua::set_number(state, "REPL_SLAVE", kReplicateReplica);
  lua::set_number(state, "REPL_REPLICA", kReplicateReplica);
  lua::set_number(state, "REPL_ALL", kReplicateAll);
  if (which == RedisLibrary::kFunctions) return;
  lua::set_function(state, "breakpoint", breakpoint);
  lua::set_function(state, "debug", debug);
  lua::set_function(state, "replicate_commands", replicate_commands);
}

}  // namespace roxdb::scripting
