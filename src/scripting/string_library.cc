// string_library.cc: the functions of string that match patterns; the others come from Lua.
//
//   find(text, pattern [, from [, is_plain]])         -> first, last, captures ... | nil
//   match(text, pattern [, from])                     -> captures ... | nil
//   gmatch(text, pattern)                             -> a function: captures ..., match by match
//   gsub(text, pattern, replacement [, count_max])    -> text, count
//
// Lua's own neither look at the clock nor bound how deep they call themselves: see pattern.h.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "scripting/interpreter.h"
#include "scripting/lua_libraries.h"
#include "scripting/pattern.h"

namespace roxdb::scripting {
namespace {

constexpr char kEscape = '%';
constexpr char kSpecial[] = "^$*+?.([%-";
// Searched for plain bytes in the time of one instruction or step.
constexpr size_t kPlainBytesPerStep = 8;

enum class Caret : bool { kIsCharacter, kIsAnchor };

std::string_view check_text(lua_State* state, int index) {
  size_t size = 0;
  const char* const bytes = luaL_checklstring(state, index, &size);
  return {bytes, size};
}

PatternSearch search_for(lua_State* state, std::string_view text, std::string_view pattern,
                         Caret caret) {
  const bool is_anchored = caret == Caret::kIsAnchor && pattern.starts_with('^');
  if (is_anchored) pattern.remove_prefix(1);
  return {text, pattern, is_anchored,
          [state](size_t steps) { Interpreter::of(state).count_steps(state, steps); }};
}

bool find_or_raise(lua_State* state, PatternSearch& search, size_t from) {
  const Result<bool> found = search.find(from);
  if (!found.ok()) luaL_error(state, "%s", found.status().text.data());
  return *found;
}

std::string_view matched(const PatternSearch& search, std::string_view text) {
  return text.substr(search.begin(), search.end() - search.begin());
}

// The capture of an index; the first one of a pattern without any is all that was matched.
void push_capture(lua_State* state, const PatternSearch& search, std::string_view text,
                  size_t index) {
  if (index >= search.capture_count()) {
    if (index > 0) luaL_error(state, "invalid capture index");
    lua::push(state, matched(search, text));
    return;
  }
  const PatternSearch::Capture& capture = search.capture(index);
  if (capture.size == PatternSearch::Capture::kOpen) luaL_error(state, "unfinished capture");
  if (capture.size == PatternSearch::Capture::kPosition) {
    lua_pushinteger(state, static_cast<lua_Integer>(capture.begin) + 1);
  } else {
    lua::push(state, text.substr(capture.begin, capture.size));
  }
}

int push_captures(lua_State* state, const PatternSearch& search, std::string_view text,
                  size_t count) {
  luaL_checkstack(state, static_cast<int>(count), "too many captures");
  for (size_t i = 0; i < count; ++i) push_capture(state, search, text, i);
  return static_cast<int>(count);
}

// All of them, or all that was matched.
int push_captures_or_match(lua_State* state, const PatternSearch& search, std::string_view text) {
  return push_captures(state, search, text, std::max<size_t>(search.capture_count(), 1));
}

// Argument 3 of find and match: from 1, or backwards from -1. Returns an index from 0.
size_t start_index(lua_State* state, size_t size) {
  const lua_Integer end = static_cast<lua_Integer>(size);
  lua_Integer from = luaL_optinteger(state, 3, 1);
  if (from < 0) from += end + 1;
  return static_cast<size_t>(std::clamp<lua_Integer>(from - 1, 0, end));
}

int push_place(lua_State* state, size_t begin, size_t end) {
  lua_pushinteger(state, static_cast<lua_Integer>(begin) + 1);
  lua_pushinteger(state, static_cast<lua_Integer>(end));
  return 2;
}

int find_plain(lua_State* state, std::string_view text, std::string_view word, size_t from) {
  // memmem takes linear time, whatever the two texts are.
  const void* const place =
      memmem(text.data() + from, text.size() - from, word.data(), word.size());
  Interpreter::of(state).count_steps(state, (text.size() - from) / kPlainBytesPerStep);
  if (place == nullptr) {
    lua_pushnil(state);
    return 1;
  }
  const auto begin = static_cast<size_t>(static_cast<const char*>(place) - text.data());
  return push_place(state, begin, begin + word.size());
}

// Whether a pattern is plain text: as far as its first zero, which every text of Lua has behind it,
// nothing in it is special.
bool is_plain(std::string_view pattern) {
  return std::strpbrk(pattern.data(), kSpecial) == nullptr;
}

int find_text(lua_State* state) {
  const std::string_view text = check_text(state, 1);
  const std::string_view pattern = check_text(state, 2);
  const size_t from = start_index(state, text.size());
  if (lua_toboolean(state, 4) != 0 || is_plain(pattern)) {
    return find_plain(state, text, pattern, from);
  }
  PatternSearch search = search_for(state, text, pattern, Caret::kIsAnchor);
  if (!find_or_raise(state, search, from)) {
    lua_pushnil(state);
    return 1;
  }
  return push_place(state, search.begin(), search.end()) +
         push_captures(state, search, text, search.capture_count());
}

int match_text(lua_State* state) {
  const std::string_view text = check_text(state, 1);
  const std::string_view pattern = check_text(state, 2);
  const size_t from = start_index(state, text.size());
  PatternSearch search = search_for(state, text, pattern, Caret::kIsAnchor);
  if (!find_or_raise(state, search, from)) {
    lua_pushnil(state);
    return 1;
  }
  return push_captures_or_match(state, search, text);
}

// The function that gmatch returns. Upvalues: text, pattern, the index where to go on.
int next_match(lua_State* state) {
  const std::string_view text = lua::text_at(state, lua_upvalueindex(1));
  const std::string_view pattern = lua::text_at(state, lua_upvalueindex(2));
  const auto from = static_cast<size_t>(lua_tointeger(state, lua_upvalueindex(3)));
  if (from > text.size()) return 0;
  PatternSearch search = search_for(state, text, pattern, Caret::kIsCharacter);
  if (!find_or_raise(state, search, from)) return 0;
  // Behind an empty match a character is left out: the same would be found for ever.
  const size_t next = search.end() + (search.end() == search.begin() ? 1 : 0);
  lua_pushinteger(state, static_cast<lua_Integer>(next));
  lua_replace(state, lua_upvalueindex(3));
  return push_captures_or_match(state, search, text);
}

int all_matches(lua_State* state) {
  luaL_checkstring(state, 1);
  luaL_checkstring(state, 2);
  lua_settop(state, 2);
  lua_pushinteger(state, 0);
  lua_pushcclosure(state, next_match, 3);
  return 1;
}

// ---- gsub ----

// A text as replacement: %1 to %9 are captures, %0 the match, % before another character is that
// character; at the end it is a zero byte.
void add_filled_in(lua_State* state, luaL_Buffer& out, const PatternSearch& search,
                   std::string_view text) {
  const std::string_view form = lua::text_at(state, 3);
  for (size_t i = 0; i < form.size(); ++i) {
    if (form[i] != kEscape) {
      luaL_addchar(&out, form[i]);
      continue;
    }
    const char name = ++i < form.size() ? form[i] : '\0';
    if (name == '0') {
      const std::string_view match = matched(search, text);
      luaL_addlstring(&out, match.data(), match.size());
    } else if (name > '0' && name <= '9') {
      push_capture(state, search, text, static_cast<size_t>(name - '1'));
      luaL_addvalue(&out);
    } else {
      luaL_addchar(&out, name);
    }
  }
}

// A function that is called with the captures, or a table that is asked for the first: false and
// nil leave what was matched.
void add_looked_up(lua_State* state, luaL_Buffer& out, const PatternSearch& search,
                   std::string_view text) {
  if (lua_istable(state, 3)) {
    push_capture(state, search, text, 0);
    lua_gettable(state, 3);
  } else {
    lua_pushvalue(state, 3);
    lua_call(state, push_captures_or_match(state, search, text), 1);
  }
  if (lua_toboolean(state, -1) == 0) {
    lua_pop(state, 1);
    lua::push(state, matched(search, text));
  } else if (lua_isstring(state, -1) == 0) {
    luaL_error(state, "invalid replacement value (a %s)", luaL_typename(state, -1));
  }
  luaL_addvalue(&out);
}

int substitute(lua_State* state) {
  const std::string_view text = check_text(state, 1);
  const std::string_view pattern = check_text(state, 2);
  const int type = lua_type(state, 3);
  const int count_max = luaL_optint(state, 4, static_cast<int>(text.size()) + 1);
  const bool is_form = type == LUA_TSTRING || type == LUA_TNUMBER;
  luaL_argcheck(state, is_form || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
                "string/function/table expected");
  PatternSearch search = search_for(state, text, pattern, Caret::kIsAnchor);
  luaL_Buffer out;
  luaL_buffinit(state, &out);
  int count = 0;
  size_t done = 0;  // of the text, in `out`
  for (size_t from = 0; count < count_max && from <= text.size();) {
    if (!find_or_raise(state, search, from)) break;
    ++count;
    luaL_addlstring(&out, text.data() + done, search.begin() - done);
    if (is_form) {
      add_filled_in(state, out, search, text);
    } else {
      add_looked_up(state, out, search, text);
    }
    done = search.end();
    // Behind an empty match one character stays as it is.
    from = done + (search.end() == search.begin() ? 1 : 0);
    if (search.is_anchored()) break;
  }
  luaL_addlstring(&out, text.data() + done, text.size() - done);
  luaL_pushresult(&out);
  lua_pushinteger(state, count);
  return 2;
}

}  // namespace

void set_string_functions(lua_State* state) {
  lua::set_function(state, "find", find_text);
  lua::set_function(state, "match", match_text);
  lua::set_function(state, "gmatch", all_matches);
  lua::set_function(state, "gfind", all_matches);  // its name in Lua 5.0
  lua::set_function(state, "gsub", substitute);
}

}  // namespace roxdb::scripting
