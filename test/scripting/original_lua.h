// original_lua.h: Lua as its authors made it, with the libraries that scripts know: what our own
// functions of the same names are compared with.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "scripting/lua.h"

namespace roxdb::scripting::test {

class OriginalLua {
 public:
  OriginalLua() {
    for (const lua_CFunction open : {luaopen_base, luaopen_string, luaopen_table}) {
      lua_pushcfunction(state_.get(), open);
      lua_call(state_.get(), 0, 0);
    }
  }

  // The text that a chunk returns, which finds its arguments in ARGV and is named as one of EVAL.
  std::string run(std::string_view chunk, const std::vector<std::string_view>& arguments) {
    lua_State* const state = state_.get();
    lua_settop(state, 0);
    lua_newtable(state);
    for (size_t i = 0; i < arguments.size(); ++i) {
      lua::push(state, arguments[i]);
      lua_rawseti(state, -2, static_cast<int>(i + 1));
    }
    lua_setglobal(state, "ARGV");
    ROX_ASSERT(luaL_loadbuffer(state, chunk.data(), chunk.size(), "@user_script") == 0);
    ROX_ASSERT(lua_pcall(state, 0, 1, 0) == 0);
    return std::string(lua::text_at(state, -1));
  }

 private:
  std::unique_ptr<lua_State, void (*)(lua_State*)> state_{luaL_newstate(), lua_close};
};

// Applies string.find, match, gmatch and gsub to a text (ARGV[1]), a pattern, a replacement and a
// position, and returns what they say, errors included, as one text of ASCII.
inline constexpr std::string_view kAllMatching = R"(
local text, pattern, form, from = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local said = {}
local function note(...)
  for i = 1, select('#', ...) do said[#said + 1] = tostring((select(i, ...))) end
  said[#said + 1] = ';'
end
note(pcall(string.find, text, pattern))
note(pcall(string.find, text, pattern, from))
note(pcall(string.find, text, pattern, from, true))
note(pcall(string.match, text, pattern))
note(pcall(string.match, text, pattern, from))
note(pcall(string.gsub, text, pattern, form))
note(pcall(string.gsub, text, pattern, form, from))
note(pcall(string.gsub, text, pattern, {a = 'x', b = 2, [''] = '-', [1] = 'one', ab = false}))
note(pcall(string.gsub, text, pattern, function(...)
  note('called', ...)
  return (select(select('#', ...), ...))
end))
note(pcall(function()
  for a, b in string.gmatch(text, pattern) do note('found', a, b) end
end))
local all, shown = table.concat(said, '|'), {}
for i = 1, #all do
  local code = all:byte(i)
  shown[i] = (code < 32 or code > 126) and '<' .. code .. '>' or string.char(code)
end
return table.concat(shown)
)";

}  // namespace roxdb::scripting::test
