// lua_memory.h: where an interpreter's bytes come from, and the limit on what one call may take.
//
// Small blocks come from slabs of its own (base/memory.h): a table, an array of one and a string
// are a list's head each. Between calls, and while a command runs, nothing is refused: an error
// there would leave through frames that must not be left. Within a call what it takes beyond the
// limit is refused, and the script fails with "not enough memory".
//
// Taking is also a measure of time: one instruction may make a text of 100 MB, and 100,000 of them
// may do so each.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/memory.h"

namespace roxdb::scripting {

inline constexpr size_t kTakenBytesPerLook = 64u << 20;

class LuaMemory {
 public:
  LuaMemory() = default;
  LuaMemory(const LuaMemory&) = delete;
  LuaMemory& operator=(const LuaMemory&) = delete;

  // lua_Alloc. `self` is a LuaMemory.
  static void* resize(void* self, void* block, size_t old_size, size_t new_size);

  size_t used_bytes() const { return used_bytes_; }

  // A call begins: it may take so many bytes more than are used now.
  void limit(size_t bytes) {
    limit_bytes_ = used_bytes_ + bytes;
    enforces_ = true;
  }
  // The call is over, or may be: what it took in all is still compared by fits().
  void suspend() { enforces_ = false; }
  void resume() { enforces_ = true; }
  void lift() {
    limit_bytes_ = SIZE_MAX;
    enforces_ = false;
  }
  // Whether so many bytes more stay within the limit.
  bool fits(size_t bytes) const {
    return used_bytes_ <= limit_bytes_ && bytes <= limit_bytes_ - used_bytes_;
  }

 protected:
  ~LuaMemory() = default;
  // So much was taken since the last time, whatever was given back. Called from within Lua: may
  // not touch its values.
  virtual void on_much_taken() = 0;

 private:
  void* take(size_t size, bool may_fail);
  void give(void* block, size_t size);

  memory::Slabs slabs_;
  size_t used_bytes_ = 0;
  size_t taken_bytes_ = 0;  // since on_much_taken() was called
  size_t limit_bytes_ = SIZE_MAX;
  bool enforces_ = false;
};

}  // namespace roxdb::scripting
