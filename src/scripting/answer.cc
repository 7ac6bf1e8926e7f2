#include "scripting/answer.h"

#include <cmath>
#include <cstdint>
#include <string>

#include "base/limits.h"
#include "commands/shared/reply_measure.h"
#include "scripting/interpreter.h"

namespace roxdb::scripting {
namespace {

// Of the stack, for one value: its table, a field, and a pair of a map with a copy of its key.
constexpr int kSlotsPerValue = 6;
// So many, each of 64 bytes, a script can have.
constexpr size_t kTablesMax = kScriptBytesMax / 64;

// As Redis casts it: beyond 64 bits lies the least integer.
int64_t to_integer(lua_Number number) {
  constexpr lua_Number kBound = 9223372036854775808.0;
  return number >= -kBound && number < kBound ? static_cast<int64_t>(number) : INT64_MIN;
}

class Answer {
 public:
  // `measure`: that is what the reply is; null: it is a real one.
  Answer(lua_State* state, resp::Reply& reply, int protocol,
         const commands::ReplyMeasure* measure = nullptr)
      : state_(state), reply_(reply), protocol_(protocol), measure_(measure) {}

  // Of what is measured.
  bool is_too_large() const {
    return measure_ != nullptr && (measure_->is_too_large() || tables_ > kTablesMax);
  }

  // [value] -> []. Calls itself for members, as deep as kReplyDepthMax.
  void value() {
    if (depth_ >= kReplyDepthMax || lua_checkstack(state_, kSlotsPerValue) == 0) {
      reply_.error("ERR reached lua stack limit");
      return lua_pop(state_, 1);
    }
    switch (lua_type(state_, -1)) {
      case LUA_TSTRING:
        reply_.bulk(lua::text_at(state_, -1));
        break;
      case LUA_TNUMBER:
        reply_.integer(to_integer(lua_tonumber(state_, -1)));
        break;
      case LUA_TBOOLEAN:
        boolean(lua_toboolean(state_, -1) != 0);
        break;
      case LUA_TTABLE:
        ++depth_;
        ++tables_;
        table();
        --depth_;
        break;
      default:
        reply_.null();
        break;
    }
    lua_pop(state_, 1);
  }

 private:
  void boolean(bool value) {
    if (protocol_ >= 3) {
      reply_.boolean(value);
    } else if (value) {
      reply_.integer(1);
    } else {
      reply_.null();
    }
  }

  // Pushes a field of the table at the top when it is of this type.
  bool push_field(const char* name, int type) {
    lua_pushstring(state_, name);
    lua_rawget(state_, -2);
    if (lua_type(state_, -1) == type) return true;
    lua_pop(state_, 1);
    return false;
  }

  // [table] -> [table]
  void table() {
    const int base = lua_gettop(state_);
    if (push_field("err", LUA_TSTRING)) {
      reply_.error(error_text(state_));
    } else if (push_field("ok", LUA_TSTRING)) {
      reply_.simple(lua_tostring(state_, -1));  // it ends at a zero, too
    } else if (push_field("double", LUA_TNUMBER)) {
      reply_.real(lua_tonumber(state_, -1));
    } else if (push_field("big_number", LUA_TSTRING)) {
      big_number();
    } else if (!verbatim()) {
      aggregate();
    }
    lua_settop(state_, base);
  }

  void big_number() {
    std::string digits(lua::text_at(state_, -1));
    for (char& digit : digits) {
      if (digit == '\r' || digit == '\n' || digit == '\0') digit = ' ';
    }
    reply_.big_number(digits);
  }

  // False: it is none, and the stack is as it was.
  bool verbatim() {
    constexpr size_t kFormatBytes = 3;
    const int base = lua_gettop(state_);
    if (push_field("verbatim_string", LUA_TTABLE) && push_field("format", LUA_TSTRING)) {
      std::string format(lua::text_at(state_, -1));
      lua_pop(state_, 1);
      if (push_field("string", LUA_TSTRING)) {
        format.resize(kFormatBytes, ' ');
        for (char& letter : format) {
          if (letter == '\r' || letter == '\n' || letter == '\0') letter = ' ';
        }
        reply_.verbatim(format, lua::text_at(state_, -1));
        return true;
      }
    }
    lua_settop(state_, base);
    return false;
  }

  void aggregate() {
    if (push_field("map", LUA_TTABLE)) {
      pairs(resp::Reply::Aggregate::kMap);
    } else if (push_field("set", LUA_TTABLE)) {
      pairs(resp::Reply::Aggregate::kSet);
    } else {
      array();
    }
  }

  void pairs(resp::Reply::Aggregate kind) {
    const resp::Reply::Open open = reply_.open(kind);
    size_t count = 0;
    lua_pushnil(state_);
    while (!is_too_large() && lua_next(state_, -2) != 0) {
      // A number that is asked for its text becomes a string: the key must not.
      if (kind == resp::Reply::Aggregate::kSet) {
        lua_pop(state_, 1);
        lua_pushvalue(state_, -1);
        value();
      } else {
        lua_pushvalue(state_, -2);
        value();
        value();
      }
      ++count;
    }
    reply_.close(open, count);
  }

  void array() {
    int count = 0;
    for (;; ++count) {
      lua_rawgeti(state_, -1, count + 1);
      const bool is_end = lua_isnil(state_, -1);
      lua_pop(state_, 1);
      if (is_end) break;
    }
    reply_.array(static_cast<size_t>(count));
    for (int i = 1; i <= count && !is_too_large(); ++i) {
      lua_rawgeti(state_, -1, i);
      value();
    }
  }

  lua_State* const state_;
  resp::Reply& reply_;
  const int protocol_;
  const commands::ReplyMeasure* const measure_;
  size_t depth_ = 0;
  size_t tables_ = 0;  // so far
};

}  // namespace

std::string_view error_text(lua_State* state) {
  std::string_view text = lua_tostring(state, -1);
  while (text.ends_with('\r') || text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

void answer(lua_State* state, resp::Reply& reply, int protocol) {
  Answer(state, reply, protocol).value();
}

bool is_answer_too_large(lua_State* state, int protocol, uint64_t bytes_max) {
  commands::ReplyMeasure measure(protocol, bytes_max);
  Answer answer(state, measure, protocol, &measure);
  lua_pushvalue(state, -1);
  answer.value();
  return answer.is_too_large();
}

}  // namespace roxdb::scripting
