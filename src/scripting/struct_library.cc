// struct_library.cc: struct.pack, struct.unpack, struct.size: numbers and strings as C lays them
// out.
//
//   > < !n       byte order, alignment            b B  char     h H  short    l L  long   T  size_t
//   (blank)      nothing                          i I n  integer of n bytes, up to 32
//   x            a byte of padding                f  float    d  double
//   s            string and a zero                c n  n characters; c0: as many as the last number
//
// Every size is checked against what is left before it is used (CVE-2015-8080, CVE-2018-11219 and
// CVE-2020-14147 were here).
#include <bit>
#include <climits>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/text.h"
#include "scripting/interpreter.h"
#include "scripting/lua_libraries.h"

namespace roxdb::scripting {
namespace {

constexpr int kIntegerBytesMax = 32;
constexpr int kAlignmentMax = 8;  // of !

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter_or_digit(char c) {
  return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
}

// Reads a format, option by option.
class Format {
 public:
  explicit Format(lua_State* state) : state_(state), at_(luaL_checkstring(state, 1)) {}

  // The next option; 0: the end. `size`: what it takes, without alignment; 0: the value says.
  char next(size_t& size) {
    const char option = *at_;
    if (option == '\0') return 0;
    ++at_;
    size = size_of(option);
    return option;
  }
  // Bytes before a value at `offset`.
  size_t padding(size_t offset, char option, size_t size) const {
    if (size == 0 || option == 'c') return 0;
    const size_t step = size > alignment_ ? alignment_ : size;
    return (step - (offset & (step - 1))) & (step - 1);
  }
  bool is_little_endian() const { return is_little_endian_; }
  // Whatever is no value.
  void control(char option) {
    switch (option) {
      case ' ':
        return;
      case '>':
        is_little_endian_ = false;
        return;
      case '<':
        is_little_endian_ = true;
        return;
      case '!': {
        const int alignment = number(kAlignmentMax);
        if (alignment <= 0 || !std::has_single_bit(static_cast<unsigned>(alignment))) {
          luaL_error(state_, "alignment %d is not a power of 2", alignment);
        }
        alignment_ = static_cast<size_t>(alignment);
        return;
      }
      default:
        luaL_argerror(state_, 1, lua_pushfstring(state_, "invalid format option '%c'", option));
    }
  }

 private:
  int number(int otherwise) {
    if (!is_digit(*at_)) return otherwise;
    int value = 0;
    for (; is_digit(*at_); ++at_) {
      const int digit = *at_ - '0';
      if (value > (INT_MAX - digit) / 10) luaL_error(state_, "integral size overflow");
      value = value * 10 + digit;
    }
    return value;
  }

  size_t size_of(char option) {
    switch (option) {
      case 'b':
      case 'B':
      case 'x':
        return 1;
      case 'h':
      case 'H':
        return sizeof(short);
      case 'l':
      case 'L':
        return sizeof(long);
      case 'T':
        return sizeof(size_t);
      case 'f':
        return sizeof(float);
      case 'd':
        return sizeof(double);
      case 'c':
        return static_cast<size_t>(number(1));
      case 'i':
      case 'I': {
        const int size = number(sizeof(int));
        if (size > kIntegerBytesMax) {
          luaL_error(state_, "integral size %d is larger than limit of %d", size, kIntegerBytesMax);
        }
        return static_cast<size_t>(size);
      }
      default:
        return 0;
    }
  }

  lua_State* const state_;
  const char* at_;
  bool is_little_endian_ = true;
  size_t alignment_ = 1;
};

// A number as 64 bits, as C would cast it; where C leaves it open, as x86 does.
uint64_t to_bits(lua_Number number) {
  constexpr lua_Number kBound = 9223372036854775808.0;
  if (number >= kBound && number < 2 * kBound) return static_cast<uint64_t>(number);
  if (number >= -kBound && number < kBound) {
    return static_cast<uint64_t>(static_cast<int64_t>(number));
  }
  return uint64_t{1} << 63;
}

void append_integer(std::string& out, uint64_t bits, size_t size, bool is_little_endian) {
  char bytes[kIntegerBytesMax];
  for (size_t i = 0; i < size; ++i, bits >>= 8) {
    bytes[is_little_endian ? i : size - 1 - i] = static_cast<char>(bits & 0xff);
  }
  out.append(bytes, size);
}

uint64_t read_integer(const char* bytes, size_t size, bool is_little_endian) {
  uint64_t bits = 0;
  for (size_t i = 0; i < size; ++i) {
    bits = bits << 8 | static_cast<unsigned char>(bytes[is_little_endian ? size - 1 - i : i]);
  }
  return bits;
}

lua_Number signed_number(uint64_t bits, size_t size) {
  if (size == 0) return 0;
  if (size < sizeof bits) {
    const uint64_t sign = uint64_t{1} << (size * 8 - 1);
    if ((bits & sign) != 0) bits |= ~uint64_t{0} << (size * 8 - 1);
  }
  return static_cast<lua_Number>(static_cast<int64_t>(bits));
}

// The bytes of a real number, in this order; the host is little endian.
template <class Real>
void append_real(std::string& out, Real value, bool is_little_endian) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  if (!is_little_endian) std::reverse(bytes, bytes + sizeof value);
  out.append(bytes, sizeof value);
}
template <class Real>
lua_Number read_real(const char* at, bool is_little_endian) {
  char bytes[sizeof(Real)];
  std::memcpy(bytes, at, sizeof bytes);
  if (!is_little_endian) std::reverse(bytes, bytes + sizeof bytes);
  Real value;
  std::memcpy(&value, bytes, sizeof value);
  return static_cast<lua_Number>(value);
}

// struct.pack(format, value, ...) -> bytes
int pack(lua_State* state) {
  Format format(state);
  lua_pushnil(state);  // the argument behind the last one
  std::string out;
  int arg = 2;
  size_t size = 0;
  while (const char option = format.next(size)) {
    out.append(format.padding(out.size(), option, size), '\0');
    switch (option) {
      case 'b':
      case 'B':
      case 'h':
      case 'H':
      case 'l':
      case 'L':
      case 'T':
      case 'i':
      case 'I':
        append_integer(out, to_bits(luaL_checknumber(state, arg++)), size,
                       format.is_little_endian());
        break;
      case 'x':
        out += '\0';
        break;
      case 'f':
        append_real(out, static_cast<float>(luaL_checknumber(state, arg++)),
                    format.is_little_endian());
        break;
      case 'd':
        append_real(out, luaL_checknumber(state, arg++), format.is_little_endian());
        break;
      case 'c':
      case 's': {
        size_t length = 0;
        const char* const text = luaL_checklstring(state, arg++, &length);
        const size_t taken = size == 0 ? length : size;
        luaL_argcheck(state, length >= taken, arg, "string too short");
        if (!Interpreter::of(state).memory().fits(out.size() + taken)) {
          return luaL_error(state, "not enough memory");
        }
        out.append(text, taken);
        if (option == 's') out += '\0';
        break;
      }
      default:
        format.control(option);
    }
  }
  lua::push(state, out);
  return 1;
}

// struct.unpack(format, bytes [, position]) -> values, position behind them
int unpack(lua_State* state) {
  Format format(state);
  size_t length = 0;
  const char* const data = luaL_checklstring(state, 2, &length);
  const lua_Integer first = luaL_optinteger(state, 3, 1);
  luaL_argcheck(state, first > 0, 3, "offset must be 1 or greater");
  size_t at = static_cast<size_t>(first) - 1;
  int count = 0;
  size_t size = 0;
  while (const char option = format.next(size)) {
    const auto has_bytes = [&] { return size <= length && at <= length - size; };
    at += format.padding(at, option, size);
    luaL_argcheck(state, has_bytes(), 2, "data string too short");
    luaL_checkstack(state, 2, "too many results");
    const bool is_little_endian = format.is_little_endian();
    switch (option) {
      case 'b':
      case 'h':
      case 'l':
      case 'i':
        lua_pushnumber(state, signed_number(read_integer(data + at, size, is_little_endian), size));
        ++count;
        break;
      case 'B':
      case 'H':
      case 'L':
      case 'T':
      case 'I':
        lua_pushnumber(state,
                       static_cast<lua_Number>(read_integer(data + at, size, is_little_endian)));
        ++count;
        break;
      case 'x':
        break;
      case 'f':
        lua_pushnumber(state, read_real<float>(data + at, is_little_endian));
        ++count;
        break;
      case 'd':
        lua_pushnumber(state, read_real<double>(data + at, is_little_endian));
        ++count;
        break;
      case 'c':
        if (size == 0) {
          if (count == 0 || lua_isnumber(state, -1) == 0) {
            return luaL_error(state, "format 'c0' needs a previous size");
          }
          const lua_Number wanted = lua_tonumber(state, -1);
          lua_pop(state, 1);
          --count;
          luaL_argcheck(state, wanted >= 0 && wanted <= static_cast<lua_Number>(length), 2,
                        "data string too short");
          size = static_cast<size_t>(wanted);
          luaL_argcheck(state, has_bytes(), 2, "data string too short");
        }
        lua_pushlstring(state, data + at, size);
        ++count;
        break;
      case 's': {
        const auto* const end = static_cast<const char*>(std::memchr(data + at, '\0', length - at));
        if (end == nullptr) return luaL_error(state, "unfinished string in data");
        size = static_cast<size_t>(end - (data + at)) + 1;
        lua_pushlstring(state, data + at, size - 1);
        ++count;
        break;
      }
      default:
        format.control(option);
    }
    at += size;
  }
  lua_pushnumber(state, static_cast<lua_Number>(at + 1));
  return count + 1;
}

// struct.size(format) -> bytes
int size_of_format(lua_State* state) {
  Format format(state);
  size_t at = 0;
  size_t size = 0;
  while (const char option = format.next(size)) {
    at += format.padding(at, option, size);
    if (option == 's') luaL_argerror(state, 1, "option 's' has no fixed size");
    if (option == 'c' && size == 0) luaL_argerror(state, 1, "option 'c0' has no fixed size");
    if (!is_letter_or_digit(option)) format.control(option);
    at += size;
  }
  lua_pushnumber(state, static_cast<lua_Number>(at));
  return 1;
}

}  // namespace

void set_struct_functions(lua_State* state) {
  lua::set_function(state, "pack", pack);
  lua::set_function(state, "unpack", unpack);
  lua::set_function(state, "size", size_of_format);
}

}  // namespace roxdb::scripting
