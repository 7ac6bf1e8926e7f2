// lua_reply.h: what a command replies, as Lua values: the way redis.call returns it.
//
//   RESP2, the default                      RESP3, after redis.setresp(3)
//   integer            number               the same
//   bulk, verbatim ... string               {verbatim_string = {string, format}}, {big_number =
//   ...} simple             {ok = text}          the same error              {err = text} the same
//   null               false                nil
//   array, map, set    table from 1 on      table, {map = {}}, {set = {member = true}}
//   real               string               {double = number}
//   boolean            1 or 0               true or false
//
// It builds on the stack of a Lua state, in the middle of a command, where no error may be raised:
// memory is asked for before each value and the stack is checked; when one of them says no, the
// rest of the reply is dropped and end() says so.
#pragma once

#include <cstdint>
#include <vector>

#include "resp/reply.h"
#include "scripting/lua.h"
#include "scripting/lua_memory.h"

namespace roxdb::scripting {

class LuaReply final : public resp::Reply {
 public:
  // The next reply goes to the top of this stack.
  void begin(lua_State* state, LuaMemory& memory, int protocol);
  enum class End : uint8_t { kValue, kError, kTooLarge };
  // One value is at the top; nothing when it was too large.
  End end();

  void ok() override;
  void simple(std::string_view text) override { text_in_table("ok", text); }
  void error(std::string_view text) override;
  void integer(int64_t value) override;
  void real(double value) override;
  void boolean(bool value) override;
  void null() override;
  void null_array() override { null(); }
  void bulk(std::string_view bytes) override;
  void verbatim(std::string_view format, std::string_view text) override;
  void big_number(std::string_view digits) override;
  void array(size_t count) override { aggregate(Kind::kArray, count, count); }
  void map(size_t pairs) override;
  void set(size_t count) override;
  void push(size_t count) override { array(count); }
  void attribute(size_t pairs) override { aggregate(Kind::kDropped, pairs * 2, 0); }
  Open open(Aggregate kind) override;
  void close(Open open, size_t count) override;

 private:
  enum class Kind : uint8_t { kArray, kMap, kSet, kDropped };
  // An aggregate that still gets members; its table is on the stack, and on it the key of a pair
  // whose value has not come.
  struct Level {
    Kind kind;
    bool has_key;
    int next;     // index of an array's next member
    size_t left;  // kUnknown: until close()
  };
  static constexpr size_t kUnknown = SIZE_MAX;

  bool may_push(size_t bytes);
  void text_in_table(const char* name, std::string_view text);
  void aggregate(Kind kind, size_t members, size_t room);
  void added();
  void attach(Level& level);
  void close_level();

  lua_State* state_ = nullptr;
  LuaMemory* memory_ = nullptr;
  int base_ = 0;
  bool is_too_large_ = false;
  bool is_error_ = false;
  std::vector<Level> levels_;
};

}  // namespace roxdb::scripting
