// lua_libraries.h: the libraries that scripts find beside Lua's own, each in a file of its name.
// They do what those of Redis do, word for word in what they return and in their errors, and were
// written anew with every size checked before it is used: the ones of Redis have been its deadliest
// holes (reliability, table of known holes).
#pragma once

#include <cstdint>

#include "scripting/lua.h"

namespace roxdb::scripting {

// math.random and math.randomseed: the same numbers from the same seed on every machine. As
// Redis's: lrand48, 48 bits, X' = 0x5deece66d * X + 11.
class LuaRandom {
 public:
  void seed(uint32_t seed) { state_ = (uint64_t{seed} << 16) + 0x330e; }
  // 31 bits.
  uint32_t next() {
    state_ = (state_ * 0x5deece66d + 11) & ((uint64_t{1} << 48) - 1);
    return static_cast<uint32_t>(state_ >> 17);
  }

 private:
  uint64_t state_ = 0x330e;
};

// What a script may tune of cjson; each run begins with these.
struct CjsonConfig {
  bool encodes_sparse_arrays = false;  // as objects; else they are an error
  int sparse_ratio = 2;
  int sparse_safe = 10;
  int encode_depth_max = 1000;
  int decode_depth_max = 1000;
  int number_digits = 14;
  enum class InvalidNumbers : uint8_t { kRefuse, kAccept, kNull };
  InvalidNumbers encode_invalid = InvalidNumbers::kRefuse;
  bool decodes_invalid = true;
  bool keeps_buffer = true;  // accepted; there is none to keep
};

// Each fills the table at the top of the stack.
void set_bit_functions(lua_State* state);
void set_cjson_functions(lua_State* state);
void set_cmsgpack_functions(lua_State* state);
void set_math_functions(lua_State* state);  // replaces what draws from chance
void set_os_functions(lua_State* state);
void set_string_functions(lua_State* state);  // replaces what matches patterns
void set_struct_functions(lua_State* state);

// redis.*: for scripts, for functions, and what a library finds while it is loaded.
enum class RedisLibrary : uint8_t { kEval, kFunctions, kLoading };
void set_redis_functions(lua_State* state, RedisLibrary which);

}  // namespace roxdb::scripting
