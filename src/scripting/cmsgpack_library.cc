// cmsgpack_library.cc: cmsgpack.*, values as MessagePack and back.
//
//   number without a fraction   shortest integer           table with keys 1 .. n   array
//   any other number            float where it is exact    any other table          map
//   string                      raw                        what it cannot say       nil
//
// Tables are packed 16 deep, what lies deeper as nil, as Redis does. Unpacking keeps what is nested
// within the stack it has (CVE-2018-11218 was a stack that nobody asked for).
// Source: the MessagePack specification; its extension types are refused.
#include <bit>
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>

#include "scripting/interpreter.h"
#include "scripting/lua_libraries.h"

namespace roxdb::scripting {
namespace {

constexpr int kPackDepthMax = 16;
constexpr int kUnpackDepthMax = 1000;

// ---- packing ----

class Packer {
 public:
  explicit Packer(lua_State* state) : state_(state) {}

  // [value] -> []. Whatever it is, the limit is looked at: a table may be there many times.
  void value(int depth) {
    require(0);
    switch (lua_type(state_, -1)) {
      case LUA_TSTRING:
        text(lua::text_at(state_, -1));
        break;
      case LUA_TBOOLEAN:
        byte(lua_toboolean(state_, -1) != 0 ? 0xc3 : 0xc2);
        break;
      case LUA_TNUMBER:
        number(lua_tonumber(state_, -1));
        break;
      case LUA_TTABLE:
        if (depth < kPackDepthMax) {
          table(depth);
        } else {
          byte(0xc0);
        }
        break;
      default:
        byte(0xc0);
        break;
    }
    lua_pop(state_, 1);
  }

  const std::string& bytes() const { return bytes_; }

 private:
  void require(size_t more) {
    if (Interpreter::of(state_).memory().fits(bytes_.size() + more)) return;
    luaL_error(state_, "not enough memory");
  }
  void byte(uint8_t value) { bytes_ += static_cast<char>(value); }
  // Big endian, behind its mark.
  template <class T>
  void marked(uint8_t mark, T value) {
    byte(mark);
    for (size_t i = sizeof value; i-- > 0;) byte(static_cast<uint8_t>(value >> (i * 8)));
  }

  void text(std::string_view text) {
    require(text.size());
    const size_t size = text.size();
    if (size < 32) {
      byte(static_cast<uint8_t>(0xa0 | size));
    } else if (size <= UINT8_MAX) {
      marked(0xd9, static_cast<uint8_t>(size));
    } else if (size <= UINT16_MAX) {
      marked(0xda, static_cast<uint16_t>(size));
    } else {
      marked(0xdb, static_cast<uint32_t>(size));
    }
    bytes_ += text;
  }

  void number(lua_Number value) {
    constexpr lua_Number kBound = 9223372036854775808.0;
    if (std::floor(value) == value && value >= -kBound && value < kBound) {
      return integer(static_cast<int64_t>(value));
    }
    const auto narrow = static_cast<float>(value);
    if (static_cast<lua_Number>(narrow) == value) {
      marked(0xca, std::bit_cast<uint32_t>(narrow));
    } else {
      marked(0xcb, std::bit_cast<uint64_t>(value));
    }
  }

  void integer(int64_t value) {
    if (value >= 0) {
      if (value <= 127) {
        byte(static_cast<uint8_t>(value));
      } else if (value <= UINT8_MAX) {
        marked(0xcc, static_cast<uint8_t>(value));
      } else if (value <= UINT16_MAX) {
        marked(0xcd, static_cast<uint16_t>(value));
      } else if (value <= UINT32_MAX) {
        marked(0xce, static_cast<uint32_t>(value));
      } else {
        marked(0xcf, static_cast<uint64_t>(value));
      }
    } else if (value >= -32) {
      byte(static_cast<uint8_t>(value));
    } else if (value >= INT8_MIN) {
      marked(0xd0, static_cast<uint8_t>(value));
    } else if (value >= INT16_MIN) {
      marked(0xd1, static_cast<uint16_t>(value));
    } else if (value >= INT32_MIN) {
      marked(0xd2, static_cast<uint32_t>(value));
    } else {
      marked(0xd3, static_cast<uint64_t>(value));
    }
  }

  // Counts the pairs of the table at the top; true: the keys are 1 .. pairs.
  bool is_array(size_t& pairs) {
    pairs = 0;
    lua_Number greatest = 0;
    bool fits = true;
    lua_pushnil(state_);
    while (lua_next(state_, -2) != 0) {
      lua_pop(state_, 1);
      ++pairs;
      if (!fits) continue;
      const lua_Number key = lua_type(state_, -1) == LUA_TNUMBER ? lua_tonumber(state_, -1) : 0;
      fits = key > 0 && std::floor(key) == key;
      greatest = std::max(greatest, key);
    }
    return fits && greatest == static_cast<lua_Number>(pairs);
  }

  void table(int depth) {
    luaL_checkstack(state_, 4, "in function mp_encode_lua_table");
    size_t pairs = 0;
    if (is_array(pairs)) {
      header(0x90, 0xdc, pairs);
      for (size_t i = 1; i <= pairs; ++i) {
        lua_rawgeti(state_, -1, static_cast<int>(i));
        value(depth + 1);
      }
      return;
    }
    header(0x80, 0xde, pairs);
    lua_pushnil(state_);
    while (lua_next(state_, -2) != 0) {
      lua_pushvalue(state_, -2);
      value(depth + 1);
      value(depth + 1);
    }
  }

  void header(uint8_t few, uint8_t many, size_t count) {
    if (count <= 15) {
      byte(static_cast<uint8_t>(few | count));
    } else if (count <= UINT16_MAX) {
      marked(many, static_cast<uint16_t>(count));
    } else {
      marked(static_cast<uint8_t>(many + 1), static_cast<uint32_t>(count));
    }
  }

  lua_State* const state_;
  std::string bytes_;
};

// cmsgpack.pack(value, ...) -> bytes
int pack(lua_State* state) {
  const int count = lua_gettop(state);
  if (count == 0) return luaL_argerror(state, 0, "MessagePack pack needs input.");
  luaL_checkstack(state, 1, "Too many arguments for MessagePack pack.");
  Packer packer(state);
  for (int i = 1; i <= count; ++i) {
    lua_pushvalue(state, i);
    packer.value(0);
  }
  lua::push(state, packer.bytes());
  return 1;
}

// ---- unpacking ----

class Unpacker {
 public:
  Unpacker(lua_State* state, std::string_view left) : state_(state), left_(left) {}

  size_t left() const { return left_.size(); }

  // [] -> [value]
  void value(int depth) {
    if (depth > kUnpackDepthMax || lua_checkstack(state_, 4) == 0) {
      luaL_error(state_, "Found too many nested data structures (%d)", depth);
    }
    const auto mark = static_cast<uint8_t>(take(1)[0]);
    if (mark <= 0x7f) return lua_pushnumber(state_, mark);
    if (mark >= 0xe0) return lua_pushnumber(state_, static_cast<int8_t>(mark));
    if (mark <= 0x8f) return map(mark & 15, depth);
    if (mark <= 0x9f) return array(mark & 15, depth);
    if (mark <= 0xbf) return lua::push(state_, take(mark & 31));
    marked(mark, depth);
  }

 private:
  std::string_view take(uint64_t size) {
    if (size > left_.size()) luaL_error(state_, "Missing bytes in input.");
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  template <class T>
  T number() {
    uint64_t value = 0;
    for (const char byte : take(sizeof(T))) value = value << 8 | static_cast<unsigned char>(byte);
    return static_cast<T>(value);
  }
  template <class T>
  void push_number() {
    lua_pushnumber(state_, static_cast<lua_Number>(number<T>()));
  }

  void marked(uint8_t mark, int depth) {
    switch (mark) {
      case 0xc0:
        return lua_pushnil(state_);
      case 0xc2:
      case 0xc3:
        return lua_pushboolean(state_, mark & 1);
      case 0xca:
        return lua_pushnumber(state_, std::bit_cast<float>(number<uint32_t>()));
      case 0xcb:
        return lua_pushnumber(state_, std::bit_cast<double>(number<uint64_t>()));
      case 0xcc:
        return push_number<uint8_t>();
      case 0xcd:
        return push_number<uint16_t>();
      case 0xce:
        return push_number<uint32_t>();
      case 0xcf:
        return push_number<uint64_t>();
      case 0xd0:
        return push_number<int8_t>();
      case 0xd1:
        return push_number<int16_t>();
      case 0xd2:
        return push_number<int32_t>();
      case 0xd3:
        return push_number<int64_t>();
      case 0xc4:
      case 0xd9:
        return lua::push(state_, take(number<uint8_t>()));
      case 0xc5:
      case 0xda:
        return lua::push(state_, take(number<uint16_t>()));
      case 0xc6:
      case 0xdb:
        return lua::push(state_, take(number<uint32_t>()));
      case 0xdc:
        return array(number<uint16_t>(), depth);
      case 0xdd:
        return array(number<uint32_t>(), depth);
      case 0xde:
        return map(number<uint16_t>(), depth);
      case 0xdf:
        return map(number<uint32_t>(), depth);
      default:
        luaL_error(state_, "Bad data format in input.");
    }
  }

  // Counts are announcements: the table grows with what has come.
  void array(uint64_t count, int depth) {
    lua_newtable(state_);
    for (uint64_t i = 1; i <= count; ++i) {
      if (i > INT_MAX) luaL_error(state_, "Bad data format in input.");
      value(depth + 1);
      lua_rawseti(state_, -2, static_cast<int>(i));
    }
  }

  void map(uint64_t pairs, int depth) {
    lua_newtable(state_);
    for (uint64_t i = 0; i < pairs; ++i) {
      value(depth + 1);
      value(depth + 1);
      lua_settable(state_, -3);  // which refuses nil and NaN as a key
    }
  }

  lua_State* const state_;
  std::string_view left_;
};

// [bytes] -> values, up to `limit` of them, from `offset` on; `tells_offset`: first where the next
// one begins, -1 when there is none.
int unpack_some(lua_State* state, int limit, lua_Number offset, bool tells_offset) {
  const char* bytes = luaL_checkstring(state, 1);
  const size_t size = lua_objlen(state, 1);
  if (offset < 0 || limit < 0) {
    return luaL_error(state, "Invalid request to unpack with offset of %d and limit of %d.",
                      static_cast<int>(std::max(offset, lua_Number{INT_MIN})), limit);
  }
  if (offset > static_cast<lua_Number>(size)) {
    return luaL_error(state, "Start offset %d greater than input length %d.",
                      static_cast<int>(std::min(offset, lua_Number{INT_MAX})),
                      static_cast<int>(size));
  }
  const auto skipped = static_cast<size_t>(offset);
  Unpacker unpacker(state, {bytes + skipped, size - skipped});
  int count = 0;
  for (; unpacker.left() > 0 && count < limit; ++count) unpacker.value(0);
  if (!tells_offset) return count;
  luaL_checkstack(state, 1, "in function mp_unpack_full");
  lua_pushnumber(state,
                 unpacker.left() == 0 ? -1 : static_cast<lua_Number>(size - unpacker.left()));
  lua_insert(state, -count - 1);
  return count + 1;
}

// cmsgpack.unpack(bytes) -> values
int unpack(lua_State* state) { return unpack_some(state, INT_MAX, 0, false); }

// cmsgpack.unpack_one(bytes [, offset]) -> next offset, value
int unpack_one(lua_State* state) {
  const lua_Number offset = luaL_optnumber(state, 2, 0);
  lua_settop(state, 1);
  return unpack_some(state, 1, offset, true);
}

// cmsgpack.unpack_limit(bytes, limit [, offset]) -> next offset, values
int unpack_limit(lua_State* state) {
  const int limit = luaL_checkint(state, 2);
  const lua_Number offset = luaL_optnumber(state, 3, 0);
  lua_settop(state, 1);
  return unpack_some(state, limit, offset, true);
}

}  // namespace

void set_cmsgpack_functions(lua_State* state) {
  lua::set_function(state, "pack", pack);
  lua::set_function(state, "unpack", unpack);
  lua::set_function(state, "unpack_one", unpack_one);
  lua::set_function(state, "unpack_limit", unpack_limit);
  lua_pushliteral(state, "cmsgpack");
  lua::set_field(state, "_NAME");
  lua_pushliteral(state, "lua-cmsgpack 0.4.0");
  lua::set_field(state, "_VERSION");
}

}  // namespace roxdb::scripting
