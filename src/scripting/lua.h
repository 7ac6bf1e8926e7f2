// lua.h: the interpreter that scripts run in, as a C library: PUC Lua 5.1, and the few words in
// which this room speaks to it.
//
// Why this one. LuaJIT with its compiler off runs a cached one-line script in 0.55 of the time (300
// instead of 545 ns with a call that does nothing, 23 instead of 36 ns for a turn of a loop). But
//   - half of that is malloc, which the interpreter's own allocator here does not pay;
//   - scripts see the order of pairs() and the texts of errors, and both are PUC's in Redis;
//   - its parser and virtual machine are 15,000 lines of C that have been read for twenty years.
//     The holes that Redis had in it (reliability, table of known holes) were in what Redis linked
//     to it, in unpack, and in objects freed while the parser used them: see sandbox.h for each.
// It is Debian's build for C++: an error of a script is an exception within the interpreter's own
// frames, so that it may pass through functions of ours that own something. None ever passes
// through the engine: see lua_reply.h.
#pragma once

#include <lua5.1/lua.hpp>

#include <string_view>

namespace roxdb::scripting::lua {

// Enough of the stack for what most functions push.
inline constexpr int kStackMin = 20;

inline void push(lua_State* state, std::string_view text) {
  lua_pushlstring(state, text.data(), text.size());
}

// The bytes of a string, or of a number, which becomes a string where it stands. Null data:
// neither. They live as long as the value is on the stack.
inline std::string_view text_at(lua_State* state, int index) {
  size_t size = 0;
  const char* const bytes = lua_tolstring(state, index, &size);
  return {bytes, bytes == nullptr ? 0 : size};
}

// Sets a field of the table at the top without asking its metatable; takes the value from the top.
inline void set_field(lua_State* state, const char* name) {
  lua_pushstring(state, name);
  lua_insert(state, -2);
  lua_rawset(state, -3);
}
inline void set_function(lua_State* state, const char* name, lua_CFunction function) {
  lua_pushcfunction(state, function);
  set_field(state, name);
}
inline void set_number(lua_State* state, const char* name, lua_Number value) {
  lua_pushnumber(state, value);
  set_field(state, name);
}

}  // namespace roxdb::scripting::lua
