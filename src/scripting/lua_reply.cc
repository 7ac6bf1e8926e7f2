#include "scripting/lua_reply.h"

#include <algorithm>
#include <climits>

#include "base/assert.h"
#include "base/limits.h"
#include "base/numbers.h"

namespace roxdb::scripting {
namespace {

// What a value costs beside its bytes: a table with one field and a string.
constexpr size_t kValueBytes = 256;
constexpr size_t kMemberBytes = 16;  // of an array
// The table, a pair, and the wrapper that names a map.
constexpr int kSlotsPerValue = 6;

}  // namespace

void LuaReply::begin(lua_State* state, LuaMemory& memory, int protocol) {
  state_ = state;
  memory_ = &memory;
  base_ = lua_gettop(state);
  is_too_large_ = false;
  is_error_ = false;
  levels_.clear();
  set_protocol(protocol);
}

LuaReply::End LuaReply::end() {
  if (!is_too_large_) {
    ROX_ASSERT(levels_.empty() && lua_gettop(state_) == base_ + 1);
    return is_error_ ? End::kError : End::kValue;
  }
  lua_settop(state_, base_);
  return End::kTooLarge;
}

bool LuaReply::may_push(size_t bytes) {
  if (is_too_large_) return false;
  if (bytes < SIZE_MAX - kValueBytes && memory_->fits(bytes + kValueBytes) &&
      lua_checkstack(state_, kSlotsPerValue) != 0) {
    return true;
  }
  is_too_large_ = true;
  return false;
}

void LuaReply::text_in_table(const char* name, std::string_view text) {
  if (!may_push(text.size())) return;
  lua_createtable(state_, 0, 1);
  lua::push(state_, text);
  lua::set_field(state_, name);
  added();
}

void LuaReply::ok() {
  if (!may_push(0)) return;
  lua_createtable(state_, 0, 1);
  lua_pushliteral(state_, "ok");
  lua_pushliteral(state_, "OK");
  lua_rawset(state_, -3);
  added();
}

void LuaReply::error(std::string_view text) {
  if (!may_push(text.size())) return;
  if (levels_.empty()) is_error_ = true;
  lua_createtable(state_, 0, 2);
  lua::push(state_, text);
  lua::set_field(state_, "err");
  // The engine has counted it.
  lua_pushboolean(state_, 1);
  lua::set_field(state_, "ignore_error_stats_update");
  added();
}

void LuaReply::integer(int64_t value) {
  if (!may_push(0)) return;
  lua_pushnumber(state_, static_cast<lua_Number>(value));
  added();
}

void LuaReply::real(double value) {
  if (protocol_ >= 3) {
    if (!may_push(0)) return;
    lua_createtable(state_, 0, 1);
    lua::set_number(state_, "double", value);
    return added();
  }
  char text[kDoubleDigitsMax];
  bulk({text, print_double(value, text)});
}

void LuaReply::boolean(bool value) {
  if (protocol_ < 3) return integer(value ? 1 : 0);
  if (!may_push(0)) return;
  lua_pushboolean(state_, value ? 1 : 0);
  added();
}

void LuaReply::null() {
  if (!may_push(0)) return;
  if (protocol_ >= 3) {
    lua_pushnil(state_);
  } else {
    lua_pushboolean(state_, 0);
  }
  added();
}

void LuaReply::bulk(std::string_view bytes) {
  if (!may_push(bytes.size())) return;
  lua::push(state_, bytes);
  added();
}

void LuaReply::verbatim(std::string_view format, std::string_view text) {
  if (protocol_ < 3) return bulk(text);
  if (!may_push(text.size() + kValueBytes)) return;
  lua_createtable(state_, 0, 1);
  lua_createtable(state_, 0, 2);
  lua::push(state_, text);
  lua::set_field(state_, "string");
  lua::push(state_, format);
  lua::set_field(state_, "format");
  lua::set_field(state_, "verbatim_string");
  added();
}

void LuaReply::big_number(std::string_view digits) {
  if (protocol_ < 3) return bulk(digits);
  text_in_table("big_number", digits);
}

void LuaReply::map(size_t pairs) {
  if (protocol_ < 3) return array(pairs * 2);
  aggregate(Kind::kMap, pairs * 2, pairs);
}

void LuaReply::set(size_t count) {
  if (protocol_ < 3) return array(count);
  aggregate(Kind::kSet, count, count);
}

void LuaReply::aggregate(Kind kind, size_t members, size_t room) {
  // Room is made for all that was announced, a node of a hash being the largest of them.
  constexpr size_t kNodeBytes = 40;
  const size_t rooms = std::min<size_t>(room, INT_MAX);
  if (levels_.size() >= kReplyDepthMax) is_too_large_ = true;
  if (!may_push(rooms * (kind == Kind::kArray ? kMemberBytes : 2 * kNodeBytes))) return;
  const int capacity = static_cast<int>(rooms);
  lua_createtable(state_, kind == Kind::kArray ? capacity : 0,
                  kind == Kind::kMap || kind == Kind::kSet ? capacity : 0);
  levels_.push_back({kind, false, 1, members});
  if (members == 0) close_level();
}

resp::Reply::Open LuaReply::open(Aggregate kind) {
  Kind as = Kind::kArray;
  if (protocol_ >= 3 && kind == Aggregate::kMap) as = Kind::kMap;
  if (protocol_ >= 3 && kind == Aggregate::kSet) as = Kind::kSet;
  aggregate(as, kUnknown, 0);
  return {levels_.size(), kind};
}

void LuaReply::close(Open open, size_t) {
  if (is_too_large_) return;
  ROX_ASSERT(open.at == levels_.size() && levels_.back().left == kUnknown);
  close_level();
}

// A value is at the top: it belongs to the innermost aggregate.
void LuaReply::added() {
  if (levels_.empty()) return;
  Level& level = levels_.back();
  attach(level);
  if (level.left != kUnknown && --level.left == 0) close_level();
}

void LuaReply::attach(Level& level) {
  switch (level.kind) {
    case Kind::kArray:
      lua_rawseti(state_, -2, level.next++);
      return;
    case Kind::kSet:
      if (lua_isnil(state_, -1)) {
        lua_pop(state_, 1);
      } else {
        lua_pushboolean(state_, 1);
        lua_rawset(state_, -3);
      }
      return;
    case Kind::kMap:
      level.has_key = !level.has_key;
      if (level.has_key) return;
      if (lua_isnil(state_, -2)) {
        lua_pop(state_, 2);
      } else {
        lua_rawset(state_, -3);
      }
      return;
    case Kind::kDropped:
      lua_pop(state_, 1);
      return;
  }
}

void LuaReply::close_level() {
  const Kind kind = levels_.back().kind;
  levels_.pop_back();
  if (kind == Kind::kDropped) return lua_pop(state_, 1);
  if (kind == Kind::kMap || kind == Kind::kSet) {
    if (!may_push(0)) return;
    lua_createtable(state_, 0, 1);
    lua_insert(state_, -2);
    lua::set_field(state_, kind == Kind::kMap ? "map" : "set");
  }
  added();
}

}  // namespace roxdb::scripting
