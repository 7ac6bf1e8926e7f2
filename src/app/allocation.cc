// allocation.cc: operator new of roxdb-server. Every byte of the process, ours and that of the C++
// library, is taken through base/memory, so that used_memory counts all of it. Linked into the
// server only: the library leaves its host's allocation alone, and tests keep the sanitizer's.
#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <new>

#include "base/memory.h"

namespace memory = roxdb::memory;

// jemalloc reads this before main. Pages go back to the system on a thread of their own: on the
// thread that serves, a purge took 2 to 6 ms while the table grew (tools/table_bench). One arena:
// there is one thread that allocates, and the helpers' few blocks should not each open an arena.
extern "C" [[gnu::visibility("default")]] const char* malloc_conf;
const char* malloc_conf = "background_thread:true,narenas:1";

namespace {

void release_unsized(void* block) noexcept {
  // What the allocator gave is what was accounted: both go by size class.
  if (block != nullptr) memory::release(block, ::malloc_usable_size(block));
}

// Beyond what every block has. Nothing on a hot path is aligned so.
void* allocate_aligned(size_t size, std::align_val_t alignment) noexcept {
  const auto bytes = static_cast<size_t>(alignment);
  void* block = std::aligned_alloc(bytes, (size + bytes - 1) / bytes * bytes);
  if (block != nullptr) memory::account(static_cast<int64_t>(::malloc_usable_size(block)));
  return block;
}

void* allocate_aligned_or_end(size_t size, std::align_val_t alignment) {
  void* block = allocate_aligned(size, alignment);
  if (block == nullptr) std::_Exit(memory::kExitNoMemory);
  return block;
}

void release_aligned(void* block) noexcept {
  if (block == nullptr) return;
  memory::account(-static_cast<int64_t>(::malloc_usable_size(block)));
  std::free(block);
}

}  // namespace

// All forms: were one missing, the allocator's own would come with all of its others.
void* operator new(size_t size) { return memory::allocate(size); }
void* operator new[](size_t size) { return memory::allocate(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return memory::try_allocate(size);
}
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return memory::try_allocate(size);
}
void operator delete(void* block) noexcept { release_unsized(block); }
void operator delete[](void* block) noexcept { release_unsized(block); }
void operator delete(void* block, size_t size) noexcept { memory::release(block, size); }
void operator delete[](void* block, size_t size) noexcept { memory::release(block, size); }
void operator delete(void* block, const std::nothrow_t&) noexcept { release_unsized(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { release_unsized(block); }

void* operator new(size_t size, std::align_val_t alignment) {
  return allocate_aligned_or_end(size, alignment);
}
void* operator new[](size_t size, std::align_val_t alignment) {
  return allocate_aligned_or_end(size, alignment);
}
void* operator new(size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate_aligned(size, alignment);
}
void* operator new[](size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate_aligned(size, alignment);
}
void operator delete(void* block, std::align_val_t) noexcept { release_aligned(block); }
void operator delete[](void* block, std::align_val_t) noexcept { release_aligned(block); }
void operator delete(void* block, size_t, std::align_val_t) noexcept { release_aligned(block); }
void operator delete[](void* block, size_t, std::align_val_t) noexcept { release_aligned(block); }
void operator delete(void* block, std::align_val_t, const std::nothrow_t&) noexcept {
  release_aligned(block);
}
void operator delete[](void* block, std::align_val_t, const std::nothrow_t&) noexcept {
  release_aligned(block);
}
