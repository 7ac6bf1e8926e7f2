// cjson_library.cc: cjson.*, values as JSON and back.
//
// Encoding: keys 1 .. n make an array, everything else, the empty table too, an object. '/' and DEL
// are escaped. Decoding: null is cjson.null, a light userdata; numbers may be hexadecimal, inf and
// nan unless a script says otherwise. What a script tunes with cjson.encode_max_depth and its kin
// holds for its own run only; the table of cjson.new() has settings of its own.
// Depth is bounded by the settings and by the stack of the state (CVE-2022-24834 was a size).
// Source: RFC 8259; the behaviour is that of lua-cjson 2.1, by M. Pulford.
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "scripting/interpreter.h"
#include "scripting/lua_libraries.h"

namespace roxdb::scripting {
namespace {

using InvalidNumbers = CjsonConfig::InvalidNumbers;

CjsonConfig& config_of(lua_State* state) {
  return *static_cast<CjsonConfig*>(lua_touserdata(state, lua_upvalueindex(1)));
}

// ---- encoding ----

class Encoder {
 public:
  explicit Encoder(lua_State* state) : state_(state), config_(config_of(state)) {}

  // [value] -> [value]. Whatever it is, the limit is looked at: a table may be there many times.
  void value(int depth) {
    append({});
    switch (lua_type(state_, -1)) {
      case LUA_TSTRING:
        return text(lua::text_at(state_, -1));
      case LUA_TNUMBER:
        return number(lua_tonumber(state_, -1));
      case LUA_TBOOLEAN:
        return append(lua_toboolean(state_, -1) != 0 ? "true" : "false");
      case LUA_TNIL:
        return append("null");
      case LUA_TTABLE:
        return table(depth + 1);
      case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(state_, -1) == nullptr) return append("null");
        break;
      default:
        break;
    }
    refuse("type not supported");
  }

  const std::string& out() const { return out_; }

 private:
  void append(std::string_view bytes) {
    if (!Interpreter::of(state_).memory().fits(out_.size() + bytes.size())) {
      luaL_error(state_, "not enough memory");
    }
    out_ += bytes;
  }

  void refuse(const char* why) {
    luaL_error(state_, "Cannot serialise %s: %s", lua_typename(state_, lua_type(state_, -1)), why);
  }

  void text(std::string_view text) {
    out_ += '"';
    size_t plain = 0;  // where what needs no escape began
    for (size_t i = 0; i < text.size(); ++i) {
      char escaped[8];
      const size_t size = escape(text[i], escaped);
      if (size == 0) continue;
      append(text.substr(plain, i - plain));
      append({escaped, size});
      plain = i + 1;
    }
    append(text.substr(plain));
    out_ += '"';
  }

  // The bytes of an escape; 0: none is needed.
  static size_t escape(char letter, char* out) {
    constexpr std::string_view kLetters = "\"\\/\b\f\n\r\t";
    constexpr std::string_view kNames = "\"\\/bfnrt";
    const auto code = static_cast<unsigned char>(letter);
    if (code >= ' ' && code != '"' && code != '\\' && code != '/' && code != 127) return 0;
    out[0] = '\\';
    if (const size_t at = kLetters.find(letter); at != std::string_view::npos) {
      out[1] = kNames[at];
      return 2;
    }
    return static_cast<size_t>(std::snprintf(out, 8, "\\u%04x", code));
  }

  void number(lua_Number value) {
    if (!std::isfinite(value)) {
      if (config_.encode_invalid == InvalidNumbers::kNull) return append("null");
      if (config_.encode_invalid == InvalidNumbers::kRefuse) refuse("must not be NaN or Inf");
      if (std::isnan(value)) return append(std::signbit(value) ? "-nan" : "nan");
      return append(value < 0 ? "-inf" : "inf");
    }
    char bytes[32];
    const int size = std::snprintf(bytes, sizeof bytes, "%.*g", config_.number_digits, value);
    append({bytes, static_cast<size_t>(size)});
  }

  // The length of the table at the top as an array; -1: it is an object.
  int array_length() {
    lua_Number greatest = 0;
    int items = 0;
    lua_pushnil(state_);
    while (lua_next(state_, -2) != 0) {
      lua_pop(state_, 1);
      const lua_Number key = lua_type(state_, -1) == LUA_TNUMBER ? lua_tonumber(state_, -1) : 0;
      if (key < 1 || std::floor(key) != key || key > INT_MAX) {
        lua_pop(state_, 1);
        return -1;
      }
      greatest = std::max(greatest, key);
      ++items;
    }
    const lua_Number allowed = static_cast<lua_Number>(items) * config_.sparse_ratio;
    if (config_.sparse_ratio > 0 && greatest > allowed && greatest > config_.sparse_safe) {
      if (!config_.encodes_sparse_arrays) refuse("excessively sparse array");
      return -1;
    }
    return static_cast<int>(greatest);
  }

  void table(int depth) {
    if (depth > config_.encode_depth_max || lua_checkstack(state_, 3) == 0) {
      luaL_error(state_, "Cannot serialise, excessive nesting (%d)", depth);
    }
    const int length = array_length();
    if (length > 0) {
      array(length, depth);
    } else {
      object(depth);
    }
  }

  void array(int length, int depth) {
    out_ += '[';
    for (int i = 1; i <= length; ++i) {
      if (i > 1) out_ += ',';
      lua_rawgeti(state_, -1, i);
      value(depth);
      lua_pop(state_, 1);
    }
    out_ += ']';
  }

  void object(int depth) {
    out_ += '{';
    bool is_first = true;
    lua_pushnil(state_);
    while (lua_next(state_, -2) != 0) {
      if (!is_first) out_ += ',';
      is_first = false;
      switch (lua_type(state_, -2)) {
        case LUA_TNUMBER:
          out_ += '"';
          number(lua_tonumber(state_, -2));
          append("\":");
          break;
        case LUA_TSTRING:
          text(lua::text_at(state_, -2));
          out_ += ':';
          break;
        default:
          lua_pop(state_, 1);
          luaL_error(state_, "Cannot serialise %s: table key must be a number or string",
                     lua_typename(state_, lua_type(state_, -1)));
      }
      value(depth);
      lua_pop(state_, 1);
    }
    out_ += '}';
  }

  lua_State* const state_;
  const CjsonConfig& config_;
  std::string out_;
};

// cjson.encode(value) -> text
int encode(lua_State* state) {
  luaL_argcheck(state, lua_gettop(state) == 1, 1, "expected 1 argument");
  Encoder encoder(state);
  encoder.value(0);
  lua::push(state, encoder.out());
  return 1;
}

// ---- decoding ----

enum class Token : uint8_t {
  kObjectBegin,
  kObjectEnd,
  kArrayBegin,
  kArrayEnd,
  kString,
  kNumber,
  kBoolean,
  kNull,
  kColon,
  kComma,
  kEnd,
  kError,
};

const char* token_name(Token token) {
  constexpr const char* kNames[] = {"T_OBJ_BEGIN", "T_OBJ_END", "T_ARR_BEGIN", "T_ARR_END",
                                    "T_STRING",    "T_NUMBER",  "T_BOOLEAN",   "T_NULL",
                                    "T_COLON",     "T_COMMA",   "T_END",       "T_ERROR"};
  return kNames[static_cast<size_t>(token)];
}

class Decoder {
 public:
  // `text` is followed by a zero, as Lua's strings are.
  Decoder(lua_State* state, std::string_view text)
      : state_(state), config_(config_of(state)), text_(text) {}

  // [] -> [value]
  void document() {
    advance();
    value();
    advance();
    if (token_ != Token::kEnd) refuse("the end");
  }

 private:
  char at(size_t index) const { return index < text_.size() ? text_[index] : '\0'; }

  void refuse(const char* expected) {
    const char* const found = token_ == Token::kError ? error_ : token_name(token_);
    luaL_error(state_, "Expected %s but found %s at character %d", expected, found,
               static_cast<int>(std::min<size_t>(begin_, INT_MAX - 1)) + 1);
  }

  void fail(const char* why) {
    token_ = Token::kError;
    error_ = why;
  }

  // Reads the next token. Strings and numbers are left in string_ and number_.
  void advance() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
    begin_ = at_;
    if (at_ == text_.size()) {
      token_ = Token::kEnd;
      return;
    }
    switch (text_[at_]) {
      case '{':
        return single(Token::kObjectBegin);
      case '}':
        return single(Token::kObjectEnd);
      case '[':
        return single(Token::kArrayBegin);
      case ']':
        return single(Token::kArrayEnd);
      case ':':
        return single(Token::kColon);
      case ',':
        return single(Token::kComma);
      case '"':
        return read_string();
      default:
        return read_word();
    }
  }

  void single(Token token) {
    token_ = token;
    ++at_;
  }

  bool takes(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  void read_word() {
    const char first = text_[at_];
    if (first == '-' || (first >= '0' && first <= '9')) {
      if (!config_.decodes_invalid && is_invalid_number()) return fail("invalid number");
      return read_number();
    }
    if (takes("true") || takes("false")) {
      token_ = Token::kBoolean;
      is_true_ = first == 't';
    } else if (takes("null")) {
      token_ = Token::kNull;
    } else if (config_.decodes_invalid && is_invalid_number()) {
      read_number();
    } else {
      fail("invalid token");
    }
  }

  // Whether it is a number that JSON does not know: hexadecimal, with leading zeros, infinite,
  // none.
  bool is_invalid_number() const {
    size_t i = at_;
    if (at(i) == '+') return true;
    if (at(i) == '-') ++i;
    if (at(i) == '0') {
      const char next = at(i + 1);
      return to_lower(next) == 'x' || (next >= '0' && next <= '9');
    }
    if (at(i) <= '9') return false;
    const std::string_view word = text_.substr(std::min(i, text_.size()), 3);
    return equal_ignore_case(word, "inf") || equal_ignore_case(word, "nan");
  }

  void read_number() {
    const char* const begin = text_.data() + at_;
    char* end = nullptr;
    number_ = std::strtod(begin, &end);
    if (end == begin) return fail("invalid number");
    at_ += static_cast<size_t>(end - begin);
    token_ = Token::kNumber;
  }

  void read_string() {
    ++at_;
    string_.clear();
    for (;;) {
      const size_t special = text_.find_first_of("\"\\", at_);
      if (special == std::string_view::npos) {
        begin_ = text_.size();
        return fail("unexpected end of string");
      }
      string_ += text_.substr(at_, special - at_);
      at_ = special + 1;
      if (text_[special] == '"') break;
      if (!read_escape()) return;
    }
    token_ = Token::kString;
  }

  // Behind a backslash. False: it is none.
  bool read_escape() {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kLetters = "\"\\/\b\f\n\r\t";
    begin_ = at_ - 1;
    const char name = at(at_);
    if (name == 'u') {
      if (read_unicode()) return true;
      fail("invalid unicode escape code");
      return false;
    }
    const size_t index = at_ < text_.size() ? kNames.find(name) : std::string_view::npos;
    if (index == std::string_view::npos) {
      fail("invalid escape code");
      return false;
    }
    string_ += kLetters[index];
    ++at_;
    return true;
  }

  // Four hexadecimal digits at `from`; -1: they are not.
  int read_hex(size_t from) const {
    int code = 0;
    for (size_t i = from; i < from + 4; ++i) {
      const char digit = to_lower(at(i));
      if (digit >= '0' && digit <= '9') {
        code = code * 16 + (digit - '0');
      } else if (digit >= 'a' && digit <= 'f') {
        code = code * 16 + (digit - 'a' + 10);
      } else {
        return -1;
      }
    }
    return code;
  }

  // "uXXXX", and a second one when the first is half of a pair.
  bool read_unicode() {
    int code = read_hex(at_ + 1);
    if (code < 0) return false;
    at_ += 5;
    if ((code & 0xf800) == 0xd800) {
      if ((code & 0x400) != 0 || at(at_) != '\\' || at(at_ + 1) != 'u') return false;
      const int low = read_hex(at_ + 2);
      if (low < 0 || (low & 0xfc00) != 0xdc00) return false;
      at_ += 6;
      code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
    }
    append_utf8(static_cast<uint32_t>(code));
    return true;
  }

  void append_utf8(uint32_t code) {
    const auto tail = [&](int shift) {
      string_ += static_cast<char>(0x80 | ((code >> shift) & 0x3f));
    };
    if (code < 0x80) {
      string_ += static_cast<char>(code);
    } else if (code < 0x800) {
      string_ += static_cast<char>(0xc0 | code >> 6);
      tail(0);
    } else if (code < 0x10000) {
      string_ += static_cast<char>(0xe0 | code >> 12);
      tail(6);
      tail(0);
    } else {
      string_ += static_cast<char>(0xf0 | code >> 18);
      tail(12);
      tail(6);
      tail(0);
    }
  }

  // Pushes what the token that was read begins.
  void value() {
    switch (token_) {
      case Token::kString:
        return lua::push(state_, string_);
      case Token::kNumber:
        return lua_pushnumber(state_, number_);
      case Token::kBoolean:
        return lua_pushboolean(state_, is_true_ ? 1 : 0);
      case Token::kNull:
        return lua_pushlightuserdata(state_, nullptr);
      case Token::kObjectBegin:
        return object();
      case Token::kArrayBegin:
        return array();
      default:
        refuse("value");
    }
  }

  void descend() {
    ++depth_;
    if (depth_ > config_.decode_depth_max || lua_checkstack(state_, 3) == 0) {
      luaL_error(state_, "Found too many nested data structures (%d) at character %d", depth_,
                 static_cast<int>(std::min<size_t>(at_, INT_MAX)));
    }
  }

  void object() {
    descend();
    lua_newtable(state_);
    advance();
    if (token_ != Token::kObjectEnd) {
      for (;;) {
        if (token_ != Token::kString) refuse("object key string");
        lua::push(state_, string_);
        advance();
        if (token_ != Token::kColon) refuse("colon");
        advance();
        value();
        lua_rawset(state_, -3);
        advance();
        if (token_ == Token::kObjectEnd) break;
        if (token_ != Token::kComma) refuse("comma or object end");
        advance();
      }
    }
    --depth_;
  }

  void array() {
    descend();
    lua_newtable(state_);
    advance();
    if (token_ != Token::kArrayEnd) {
      for (int i = 1;; ++i) {
        value();
        lua_rawseti(state_, -2, i);
        advance();
        if (token_ == Token::kArrayEnd) break;
        if (token_ != Token::kComma) refuse("comma or array end");
        advance();
      }
    }
    --depth_;
  }

  lua_State* const state_;
  const CjsonConfig& config_;
  const std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;

  // The token read last.
  Token token_ = Token::kEnd;
  size_t begin_ = 0;
  const char* error_ = nullptr;
  std::string string_;
  lua_Number number_ = 0;
  bool is_true_ = false;
};

// cjson.decode(text) -> value
int decode(lua_State* state) {
  luaL_argcheck(state, lua_gettop(state) == 1, 1, "expected 1 argument");
  size_t size = 0;
  const char* const text = luaL_checklstring(state, 1, &size);
  if (size >= 2 && (text[0] == '\0' || text[1] == '\0')) {
    return luaL_error(state, "JSON parser does not support UTF-16 or UTF-32");
  }
  Decoder decoder(state, {text, size});
  decoder.document();
  return 1;
}

// ---- settings: each takes a new value, or none, and returns the one in force ----

void integer_setting(lua_State* state, int index, int& setting, int low, int high) {
  if (!lua_isnoneornil(state, index)) {
    const lua_Integer value = luaL_checkinteger(state, index);
    luaL_argcheck(state, low <= value && value <= high, index,
                  lua_pushfstring(state, "expected integer between %d and %d", low, high));
    setting = static_cast<int>(value);
  }
  lua_pushinteger(state, setting);
}

// A boolean, or one of the words.
int word_setting(lua_State* state, int index, int setting, const char* const* words, bool is_bool) {
  if (!lua_isnoneornil(state, index)) {
    if (is_bool && lua_isboolean(state, index)) {
      setting = lua_toboolean(state, index);
    } else {
      setting = luaL_checkoption(state, index, nullptr, words);
    }
  }
  if (is_bool && setting <= 1) {
    lua_pushboolean(state, setting);
  } else {
    lua_pushstring(state, words[setting]);
  }
  return setting;
}

CjsonConfig& config_for(lua_State* state, int arguments_max) {
  luaL_argcheck(state, lua_gettop(state) <= arguments_max, arguments_max + 1,
                "found too many arguments");
  lua_settop(state, arguments_max);
  return config_of(state);
}

constexpr const char* kSwitch[] = {"off", "on", nullptr};
constexpr const char* kSwitchOrNull[] = {"off", "on", "null", nullptr};

int encode_sparse_array(lua_State* state) {
  CjsonConfig& config = config_for(state, 3);
  config.encodes_sparse_arrays =
      word_setting(state, 1, config.encodes_sparse_arrays ? 1 : 0, kSwitch, true) != 0;
  integer_setting(state, 2, config.sparse_ratio, 0, INT_MAX);
  integer_setting(state, 3, config.sparse_safe, 0, INT_MAX);
  return 3;
}

int encode_max_depth(lua_State* state) {
  integer_setting(state, 1, config_for(state, 1).encode_depth_max, 1, INT_MAX);
  return 1;
}

int decode_max_depth(lua_State* state) {
  integer_setting(state, 1, config_for(state, 1).decode_depth_max, 1, INT_MAX);
  return 1;
}

int encode_number_precision(lua_State* state) {
  integer_setting(state, 1, config_for(state, 1).number_digits, 1, 14);
  return 1;
}

int encode_keep_buffer(lua_State* state) {
  CjsonConfig& config = config_for(state, 1);
  config.keeps_buffer = word_setting(state, 1, config.keeps_buffer ? 1 : 0, kSwitch, true) != 0;
  return 1;
}

int encode_invalid_numbers(lua_State* state) {
  CjsonConfig& config = config_for(state, 1);
  config.encode_invalid = static_cast<InvalidNumbers>(
      word_setting(state, 1, static_cast<int>(config.encode_invalid), kSwitchOrNull, true));
  return 1;
}

int decode_invalid_numbers(lua_State* state) {
  CjsonConfig& config = config_for(state, 1);
  config.decodes_invalid =
      word_setting(state, 1, config.decodes_invalid ? 1 : 0, kSwitch, true) != 0;
  return 1;
}

int new_module(lua_State* state);

// Functions over the settings at the top of the stack, into the table below; pops the settings.
void set_functions(lua_State* state) {
  constexpr luaL_Reg kFunctions[] = {
      {"encode", encode},
      {"decode", decode},
      {"encode_sparse_array", encode_sparse_array},
      {"encode_max_depth", encode_max_depth},
      {"decode_max_depth", decode_max_depth},
      {"encode_number_precision", encode_number_precision},
      {"encode_keep_buffer", encode_keep_buffer},
      {"encode_invalid_numbers", encode_invalid_numbers},
      {"decode_invalid_numbers", decode_invalid_numbers},
      {"new", new_module},
  };
  for (const luaL_Reg& function : kFunctions) {
    lua_pushvalue(state, -1);
    lua_pushcclosure(state, function.func, 1);
    lua_setfield(state, -3, function.name);
  }
  lua_pop(state, 1);
  lua_pushlightuserdata(state, nullptr);
  lua::set_field(state, "null");
  lua_pushliteral(state, "cjson");
  lua::set_field(state, "_NAME");
  lua_pushliteral(state, "2.1.0");
  lua::set_field(state, "_VERSION");
}

// cjson.new() -> another cjson
int new_module(lua_State* state) {
  lua_settop(state, 0);
  lua_newtable(state);
  auto* const config = static_cast<CjsonConfig*>(lua_newuserdata(state, sizeof(CjsonConfig)));
  *config = CjsonConfig();
  set_functions(state);
  return 1;
}

}  // namespace

void set_cjson_functions(lua_State* state) {
  lua_pushlightuserdata(state, &Interpreter::of(state).cjson);
  set_functions(state);
}

}  // namespace roxdb::scripting
