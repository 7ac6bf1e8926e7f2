#include "scripting/lua_memory.h"

#include <algorithm>
#include <cstring>

namespace roxdb::scripting {

void* LuaMemory::take(size_t size, bool may_fail) {
  const bool is_small = size <= memory::kSlabBytesMax || !may_fail;
  void* const block = is_small ? slabs_.take(size) : memory::try_allocate(size);
  if (block == nullptr) return nullptr;
  used_bytes_ += size;
  taken_bytes_ += size;
  if (taken_bytes_ >= kTakenBytesPerLook) {
    taken_bytes_ = 0;
    on_much_taken();
  }
  return block;
}

void LuaMemory::give(void* block, size_t size) {
  slabs_.give(block, size);
  used_bytes_ -= size;
}

void* LuaMemory::resize(void* self, void* block, size_t old_size, size_t new_size) {
  auto& memory = *static_cast<LuaMemory*>(self);
  if (new_size == 0) {
    if (block != nullptr) memory.give(block, old_size);
    return nullptr;
  }
  if (block == nullptr) old_size = 0;
  if (memory.enforces_ && new_size > old_size && !memory.fits(new_size - old_size)) return nullptr;
  // What becomes smaller has to be moved, too, and Lua does not expect that to fail.
  void* const moved = memory.take(new_size, memory.enforces_ && new_size > old_size);
  if (moved == nullptr) return nullptr;
  if (block != nullptr) {
    std::memcpy(moved, block, std::min(old_size, new_size));
    memory.give(block, old_size);
  }
  return moved;
}

}  // namespace roxdb::scripting
