#include "scripting/sandbox.h"

#include <bit>
#include <cstdint>
#include <string>

#include "scripting/interpreter.h"
#include "scripting/lua_libraries.h"

namespace roxdb::scripting {
namespace {

// In the metatable of a proxy, under the address of this: the table behind it.
constexpr char kBacking = 0;

constexpr char kReadOnly[] = "Attempt to modify a readonly table";
constexpr char kByteCodeMark = LUA_SIGNATURE[0];
// Coroutines that resume coroutines: each may have 200 C calls of its own on the one C stack.
constexpr int kResumesMax = 16;

void* backing_key() { return const_cast<char*>(&kBacking); }

// The text without the place: for functions that Redis's interpreter refuses by itself.
int refuse_change_plainly(lua_State* state) {
  lua_pushliteral(state, "Attempt to modify a readonly table");
  return lua_error(state);
}

void refuse_protected(lua_State* state, int index) {
  if (push_protected(state, index)) refuse_change_plainly(state);
}

// ---- base functions that must know proxies ----

int guarded_rawset(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  luaL_checkany(state, 2);
  luaL_checkany(state, 3);
  refuse_protected(state, 1);
  lua_settop(state, 3);
  lua_rawset(state, 1);
  return 1;
}

int guarded_rawget(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  luaL_checkany(state, 2);
  lua_settop(state, 2);
  if (push_protected(state, 1)) lua_replace(state, 1);
  lua_rawget(state, 1);
  return 1;
}

int guarded_next(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  lua_settop(state, 2);
  if (push_protected(state, 1)) lua_replace(state, 1);
  if (lua_next(state, 1) != 0) return 2;
  lua_pushnil(state);
  return 1;
}

// The usual next, whose first upvalue is the one that came with Lua, walks tables of scripts.
int guarded_pairs(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  lua_settop(state, 1);
  const bool is_protected = push_protected(state, 1);
  lua_settop(state, 1);
  lua_pushvalue(state, lua_upvalueindex(is_protected ? 2 : 1));
  lua_pushvalue(state, 1);
  lua_pushnil(state);
  return 3;
}

int guarded_setmetatable(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  const int type = lua_type(state, 2);
  luaL_argcheck(state, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table expected");
  refuse_protected(state, 1);
  if (luaL_getmetafield(state, 1, "__metatable") != 0) {
    return luaL_error(state, "cannot change a protected metatable");
  }
  lua_settop(state, 2);
  lua_setmetatable(state, 1);
  return 1;
}

// The C function that upvalue 1 is, called as if it stood here: its errors name the caller's line.
int call_wrapped(lua_State* state) { return lua_tocfunction(state, lua_upvalueindex(1))(state); }

// table.insert, remove and their kin write without asking, and may move a long table by one;
// upvalue 1 is the function.
int guarded_table_function(lua_State* state) {
  if (lua_istable(state, 1)) refuse_protected(state, 1);
  Interpreter::of(state).look_at_clock(state);
  return call_wrapped(state);
}

// table.sort(table [, is_less]); upvalue 1 is the one that came with Lua.
int counted_sort(lua_State* state) {
  if (lua_istable(state, 1)) {
    refuse_protected(state, 1);
    const size_t size = lua_objlen(state, 1);
    Interpreter::of(state).count_steps(state, size * static_cast<size_t>(std::bit_width(size)));
  }
  return call_wrapped(state);
}

// unpack(table [, first [, last]])
int checked_unpack(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  const int64_t first = luaL_optint(state, 2, 1);
  const int64_t last = lua_isnoneornil(state, 3) ? static_cast<int64_t>(lua_objlen(state, 1))
                                                 : int64_t{luaL_checkint(state, 3)};
  if (first > last) return 0;
  const int64_t count = last - first + 1;
  constexpr int64_t kCountMax = LUAI_MAXCSTACK;
  if (count > kCountMax || lua_checkstack(state, static_cast<int>(count)) == 0) {
    return luaL_error(state, "too many results to unpack");
  }
  for (int64_t i = first; i <= last; ++i) lua_rawgeti(state, 1, static_cast<int>(i));
  return static_cast<int>(count);
}

// The collector belongs to all: a script may look and help, not stop or tune it.
int checked_collectgarbage(lua_State* state) {
  static const char* const kOptions[] = {"stop", "restart",  "collect",    "count",
                                         "step", "setpause", "setstepmul", nullptr};
  enum : int { kCollect = 2, kCount = 3, kStep = 4 };
  const int option = luaL_checkoption(state, 1, "collect", kOptions);
  if (option == kCount) {
    lua_pushnumber(state, lua_gc(state, LUA_GCCOUNT, 0) + lua_gc(state, LUA_GCCOUNTB, 0) / 1024.0);
  } else if (option == kStep) {
    lua_pushboolean(state, lua_gc(state, LUA_GCSTEP, 1));
  } else {
    lua_pushnumber(state, option == kCollect ? lua_gc(state, LUA_GCCOLLECT, 0) : 0);
  }
  return 1;
}

// tostring() and error() of a redis.call that failed: pcall of scripts gets the message, not the
// table that carries it.
int message_pcall(lua_State* state) {
  luaL_checkany(state, 1);
  const int status = lua_pcall(state, lua_gettop(state) - 1, LUA_MULTRET, 0);
  if (status != 0 && lua_istable(state, -1)) {
    lua_getfield(state, -1, "err");
    if (lua_isstring(state, -1) == 0) lua_pop(state, 1);
  }
  if (status != 0) {
    lua_pushboolean(state, 0);
    lua_insert(state, -2);
    return 2;
  }
  lua_pushboolean(state, 1);
  lua_insert(state, 1);
  return lua_gettop(state);
}

// [error] -> [what the handler makes of it]; upvalue 1 is that handler. The error that ends a
// script is raised by the hook, and what runs on its way out is interrupted by none.
int handle_error(lua_State* state) {
  lua_settop(state, 1);
  if (Interpreter::of(state).reason_to_end() != nullptr) return 1;
  lua_pushvalue(state, lua_upvalueindex(1));
  lua_insert(state, 1);
  lua_call(state, 1, 1);
  return 1;
}

// xpcall(function, handler)
int bounded_xpcall(lua_State* state) {
  luaL_checkany(state, 2);
  lua_settop(state, 2);
  lua_pushcclosure(state, handle_error, 1);
  lua_insert(state, 1);
  const int status = lua_pcall(state, 0, LUA_MULTRET, 1);
  lua_pushboolean(state, status == 0 ? 1 : 0);
  lua_replace(state, 1);
  return lua_gettop(state);
}

// ---- compiling within a script ----

int finish_load(lua_State* state, std::string_view text, const char* name) {
  if (!text.empty() && text[0] == kByteCodeMark) {
    lua_pushnil(state);
    lua_pushliteral(state, "attempt to load chunk with wrong mode");
    return 2;
  }
  if (compile(state, text, name) == 0) return 1;
  lua_pushnil(state);
  lua_insert(state, -2);
  return 2;
}

// loadstring(text [, name]) -> function | nil, why
int checked_loadstring(lua_State* state) {
  size_t size = 0;
  const char* const text = luaL_checklstring(state, 1, &size);
  const char* const name = luaL_optstring(state, 2, text);
  return finish_load(state, {text, size}, name);
}

// load(function [, name]): the pieces are put together before any of them is compiled, so that
// nothing of a script runs in the middle of the parser.
int checked_load(lua_State* state) {
  luaL_checktype(state, 1, LUA_TFUNCTION);
  const char* const name = luaL_optstring(state, 2, "=(load)");
  std::string text;
  for (;;) {
    lua_pushvalue(state, 1);
    lua_call(state, 0, 1);
    if (lua_isnil(state, -1)) break;
    if (lua_isstring(state, -1) == 0) {
      return luaL_error(state, "reader function must return a string");
    }
    const std::string_view piece = lua::text_at(state, -1);
    if (piece.empty()) break;
    if (!Interpreter::of(state).memory().fits(text.size() + piece.size())) {
      return luaL_error(state, "not enough memory");
    }
    text += piece;
    lua_pop(state, 1);
  }
  return finish_load(state, text, name);
}

// ---- coroutines ----

// Counts resumes within resumes and says who runs, however they end. Each coroutine counts
// instructions of its own, and a short one comes to no interval: the clock is looked at here.
class Resuming {
 public:
  Resuming(lua_State* state, lua_State* coroutine)
      : interpreter_(Interpreter::of(state)), resumer_(interpreter_.coroutine) {
    ++interpreter_.resume_depth;
    interpreter_.coroutine = coroutine;
  }
  ~Resuming() {
    --interpreter_.resume_depth;
    interpreter_.coroutine = resumer_;
  }
  Resuming(const Resuming&) = delete;
  Resuming& operator=(const Resuming&) = delete;
  bool is_too_deep() const { return interpreter_.resume_depth > kResumesMax; }

 private:
  Interpreter& interpreter_;
  lua_State* const resumer_;
};

// coroutine.resume; upvalue 1 is the one that came with Lua.
int counted_resume(lua_State* state) {
  Interpreter::of(state).look_at_clock(state);
  const Resuming resuming(state, lua_tothread(state, 1));
  if (resuming.is_too_deep()) return luaL_error(state, "C stack overflow");
  return call_wrapped(state);
}

// What coroutine.wrap makes: upvalue 1 is the coroutine, where its own function looks for it, and
// upvalue 2 that function.
int counted_wrapped(lua_State* state) {
  Interpreter::of(state).look_at_clock(state);
  const Resuming resuming(state, lua_tothread(state, lua_upvalueindex(1)));
  if (resuming.is_too_deep()) return luaL_error(state, "C stack overflow");
  return lua_tocfunction(state, lua_upvalueindex(2))(state);
}

// coroutine.wrap(f); upvalue 1 is the one that came with Lua.
int counted_wrap(lua_State* state) {
  call_wrapped(state);
  const lua_CFunction function = lua_tocfunction(state, -1);
  lua_getupvalue(state, -1, 1);
  lua_pushcfunction(state, function);
  lua_pushcclosure(state, counted_wrapped, 2);
  return 1;
}

// ---- putting it together ----

int no_such_global(lua_State* state) {
  const char* const name = lua_tostring(state, 2);
  if (name == nullptr) {
    return luaL_error(state,
                      "Second argument to luaProtectedTableError must be a string or number");
  }
  return luaL_error(state, "Script attempted to access nonexistent global variable '%s'", name);
}

// Opens a library that came with Lua and leaves its table on the stack.
void open_library(lua_State* state, lua_CFunction open, const char* name) {
  lua_pushcfunction(state, open);
  lua_pushstring(state, name);
  lua_call(state, 1, 0);
  lua_getglobal(state, *name == '\0' ? "_G" : name);
}

// [from, to] -> the same; copies one field.
void copy_field(lua_State* state, int from, int to, const char* name) {
  lua_getfield(state, from, name);
  lua_setfield(state, to, name);
}

// Replaces a field of the table at the top by a closure of `wrapper` over it.
void wrap_field(lua_State* state, const char* name, lua_CFunction wrapper) {
  lua_getfield(state, -1, name);
  lua_pushcclosure(state, wrapper, 1);
  lua_setfield(state, -2, name);
}

void remove_field(lua_State* state, const char* name) {
  lua_pushnil(state);
  lua_setfield(state, -2, name);
}

// The value at the top becomes a name of the table at `names`, read-only.
void add_protected(lua_State* state, int names, const char* name) {
  protect_table(state);
  lua_setfield(state, names, name);
}

void open_base(lua_State* state, int names) {
  open_library(state, luaopen_base, "");
  const int base = lua_gettop(state);
  constexpr const char* kTaken[] = {"assert",   "error",    "gcinfo",  "getmetatable",
                                    "ipairs",   "rawequal", "select",  "tonumber",
                                    "tostring", "type",     "_VERSION"};
  for (const char* name : kTaken) copy_field(state, base, names, name);
  lua_getfield(state, base, "next");
  lua_pushcfunction(state, guarded_next);
  lua_pushcclosure(state, guarded_pairs, 2);
  lua_setfield(state, names, "pairs");
  lua_pushvalue(state, names);
  lua::set_function(state, "next", guarded_next);
  lua::set_function(state, "rawget", guarded_rawget);
  lua::set_function(state, "rawset", guarded_rawset);
  lua::set_function(state, "setmetatable", guarded_setmetatable);
  lua::set_function(state, "unpack", checked_unpack);
  lua::set_function(state, "collectgarbage", checked_collectgarbage);
  lua::set_function(state, "pcall", message_pcall);
  lua::set_function(state, "xpcall", bounded_xpcall);
  lua::set_function(state, "load", checked_load);
  lua::set_function(state, "loadstring", checked_loadstring);
  lua_getglobal(state, "coroutine");
  wrap_field(state, "resume", counted_resume);
  wrap_field(state, "wrap", counted_wrap);
  add_protected(state, names, "coroutine");
  lua_settop(state, base - 1);
}

void open_standard(lua_State* state, int names) {
  open_base(state, names);
  open_library(state, luaopen_table, LUA_TABLIBNAME);
  for (const char* name : {"insert", "remove", "setn"}) {
    wrap_field(state, name, guarded_table_function);
  }
  wrap_field(state, "sort", counted_sort);
  add_protected(state, names, "table");

  open_library(state, luaopen_string, LUA_STRLIBNAME);
  remove_field(state, "dump");
  set_string_functions(state);
  add_protected(state, names, "string");
  // ("x"):upper() reads the functions themselves; getmetatable("") shows a proxy of a copy.
  lua_pushliteral(state, "");
  lua_getmetatable(state, -1);
  lua_newtable(state);
  lua_getfield(state, names, "string");
  lua_setfield(state, -2, "__index");
  protect_table(state);
  lua_setfield(state, -2, "__metatable");
  lua_pop(state, 2);

  open_library(state, luaopen_math, LUA_MATHLIBNAME);
  set_math_functions(state);
  add_protected(state, names, "math");
}

void open_ours(lua_State* state, int names) {
  lua_newtable(state);
  set_bit_functions(state);
  add_protected(state, names, "bit");
  lua_newtable(state);
  set_struct_functions(state);
  add_protected(state, names, "struct");
  lua_newtable(state);
  set_cjson_functions(state);
  add_protected(state, names, "cjson");
  lua_newtable(state);
  set_cmsgpack_functions(state);
  add_protected(state, names, "cmsgpack");
  lua_newtable(state);
  set_os_functions(state);
  add_protected(state, names, "os");
}

}  // namespace

int refuse_change(lua_State* state) { return luaL_error(state, kReadOnly); }

void protect_table(lua_State* state) {
  lua_newtable(state);
  lua_newtable(state);
  lua_pushvalue(state, -3);
  lua_setfield(state, -2, "__index");
  lua_pushcfunction(state, refuse_change);
  lua_setfield(state, -2, "__newindex");
  lua_pushboolean(state, 0);
  lua_setfield(state, -2, "__metatable");
  lua_pushlightuserdata(state, backing_key());
  lua_pushvalue(state, -4);
  lua_rawset(state, -3);
  lua_setmetatable(state, -2);
  lua_replace(state, -2);
}

bool push_protected(lua_State* state, int index) {
  if (lua_type(state, index) != LUA_TTABLE || lua_getmetatable(state, index) == 0) return false;
  lua_pushlightuserdata(state, backing_key());
  lua_rawget(state, -2);
  if (lua_istable(state, -1)) {
    lua_replace(state, -2);
    return true;
  }
  lua_pop(state, 2);
  return false;
}

void open_sandbox(lua_State* state) {
  lua_checkstack(state, lua::kStackMin);
  lua_newtable(state);
  const int names = lua_gettop(state);
  open_standard(state, names);
  open_ours(state, names);
  lua_newtable(state);
  lua_pushcfunction(state, no_such_global);
  lua_setfield(state, -2, "__index");
  lua_setmetatable(state, names);

  lua_pushvalue(state, names);
  protect_table(state);
  lua_pushvalue(state, -1);
  lua_setfield(state, names, "_G");
  // getmetatable(_G) can be read as in Redis.
  lua_getmetatable(state, -1);
  lua_newtable(state);
  protect_table(state);
  lua_setfield(state, -2, "__metatable");
  lua_insert(state, names);              // [metatable, names, globals]
  lua_replace(state, LUA_GLOBALSINDEX);  // [metatable, names]
}

}  // namespace roxdb::scripting
