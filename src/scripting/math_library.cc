// math_library.cc: the functions of math and os that do not come from Lua.
#include <climits>
#include <cmath>

#include "scripting/interpreter.h"
#include "scripting/lua_libraries.h"

namespace roxdb::scripting {
namespace {

constexpr uint32_t kRandomBound = INT32_MAX;

int random_number(lua_State* state) {
  Interpreter& interpreter = Interpreter::of(state);
  if (interpreter.running() == nullptr) {
    return luaL_error(state, "math.random can only be called inside a script invocation");
  }
  const lua_Number chance =
      static_cast<lua_Number>(interpreter.random.next() % kRandomBound) / kRandomBound;
  switch (lua_gettop(state)) {
    case 0:
      lua_pushnumber(state, chance);
      return 1;
    case 1: {
      const int high = luaL_checkint(state, 1);
      luaL_argcheck(state, high >= 1, 1, "interval is empty");
      lua_pushnumber(state, std::floor(chance * high) + 1);
      return 1;
    }
    case 2: {
      const int low = luaL_checkint(state, 1);
      const int high = luaL_checkint(state, 2);
      luaL_argcheck(state, low <= high, 2, "interval is empty");
      const lua_Number width = static_cast<lua_Number>(high) - low + 1;
      lua_pushnumber(state, std::floor(chance * width) + low);
      return 1;
    }
    default:
      return luaL_error(state, "wrong number of arguments");
  }
}

int seed_random(lua_State* state) {
  Interpreter& interpreter = Interpreter::of(state);
  if (interpreter.running() == nullptr) {
    return luaL_error(state, "math.randomseed can only be called inside a script invocation");
  }
  interpreter.random.seed(static_cast<uint32_t>(luaL_checkint(state, 1)));
  return 0;
}

// Seconds since some moment; their differences count. A script is alone on its thread, so that they
// are those of the processor, too.
int clock_seconds(lua_State* state) {
  constexpr lua_Number kNsPerSecond = 1e9;
  const uint64_t now_ns = Interpreter::of(state).engine().environment().monotonic_ns();
  lua_pushnumber(state, static_cast<lua_Number>(now_ns) / kNsPerSecond);
  return 1;
}

}  // namespace

void set_math_functions(lua_State* state) {
  lua::set_function(state, "random", random_number);
  lua::set_function(state, "randomseed", seed_random);
}

void set_os_functions(lua_State* state) { lua::set_function(state, "clock", clock_seconds); }

}  // namespace roxdb::scripting
