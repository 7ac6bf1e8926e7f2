// bit_library.cc: bit.*, operations on numbers as 32 bits. Source: Lua BitOp's semantics by M.
// Pall.
#include <bit>
#include <cmath>
#include <cstdint>

#include "scripting/lua_libraries.h"

namespace roxdb::scripting {
namespace {

// A number modulo 2^32; what lies between two integers goes to the even one.
uint32_t bits_at(lua_State* state, int index) {
  const lua_Number number = luaL_checknumber(state, index);
  constexpr lua_Number kModulus = 4294967296.0;
  if (!std::isfinite(number)) return 0;
  const lua_Number rest = std::fmod(std::nearbyint(number), kModulus);
  return static_cast<uint32_t>(static_cast<int64_t>(rest));
}

int push_bits(lua_State* state, uint32_t bits) {
  lua_pushnumber(state, static_cast<int32_t>(bits));
  return 1;
}

int to_bits(lua_State* state) { return push_bits(state, bits_at(state, 1)); }
int bit_not(lua_State* state) { return push_bits(state, ~bits_at(state, 1)); }
int swap_bytes(lua_State* state) { return push_bits(state, __builtin_bswap32(bits_at(state, 1))); }

template <class Operation>
int fold(lua_State* state, Operation operation) {
  uint32_t bits = bits_at(state, 1);
  for (int i = lua_gettop(state); i > 1; --i) bits = operation(bits, bits_at(state, i));
  return push_bits(state, bits);
}
int bit_and(lua_State* state) {
  return fold(state, [](uint32_t a, uint32_t b) { return a & b; });
}
int bit_or(lua_State* state) {
  return fold(state, [](uint32_t a, uint32_t b) { return a | b; });
}
int bit_xor(lua_State* state) {
  return fold(state, [](uint32_t a, uint32_t b) { return a ^ b; });
}

template <class Operation>
int shift(lua_State* state, Operation operation) {
  const uint32_t bits = bits_at(state, 1);
  return push_bits(state, operation(bits, static_cast<int>(bits_at(state, 2) & 31)));
}
int shift_left(lua_State* state) {
  return shift(state, [](uint32_t bits, int count) { return bits << count; });
}
int shift_right(lua_State* state) {
  return shift(state, [](uint32_t bits, int count) { return bits >> count; });
}
int shift_right_signed(lua_State* state) {
  return shift(state, [](uint32_t bits, int count) {
    return static_cast<uint32_t>(static_cast<int32_t>(bits) >> count);
  });
}
int rotate_left(lua_State* state) {
  return shift(state, [](uint32_t bits, int count) { return std::rotl(bits, count); });
}
int rotate_right(lua_State* state) {
  return shift(state, [](uint32_t bits, int count) { return std::rotr(bits, count); });
}

// tohex(number [, digits]): a negative number of digits asks for capitals.
int to_hex(lua_State* state) {
  constexpr int64_t kDigitsMax = 8;
  uint32_t bits = bits_at(state, 1);
  int64_t count = lua_isnone(state, 2) ? kDigitsMax : static_cast<int32_t>(bits_at(state, 2));
  const char* const digits = count < 0 ? "0123456789ABCDEF" : "0123456789abcdef";
  count = std::min(std::abs(count), kDigitsMax);
  char text[kDigitsMax];
  for (int64_t i = count; i-- > 0; bits >>= 4) text[i] = digits[bits & 15];
  lua_pushlstring(state, text, static_cast<size_t>(count));
  return 1;
}

}  // namespace

void set_bit_functions(lua_State* state) {
  lua::set_function(state, "tobit", to_bits);
  lua::set_function(state, "bnot", bit_not);
  lua::set_function(state, "bswap", swap_bytes);
  lua::set_function(state, "band", bit_and);
  lua::set_function(state, "bor", bit_or);
  lua::set_function(state, "bxor", bit_xor);
  lua::set_function(state, "lshift", shift_left);
  lua::set_function(state, "rshift", shift_right);
  lua::set_function(state, "arshift", shift_right_signed);
  lua::set_function(state, "rol", rotate_left);
  lua::set_function(state, "ror", rotate_right);
  lua::set_function(state, "tohex", to_hex);
}

}  // namespace roxdb::scripting
