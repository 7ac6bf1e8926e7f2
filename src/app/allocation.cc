// allocation.cc: operator new of roxdb-server. Every byte of the process, ours and that of the C++
// library, is taken through base/memory, so that used_memory counts all of it. Linked into the
// server only: the library leaves its host's allocation alone, and tests keep the sanitizer's.
#include <malloc.h>

#include <cstddef>
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

}  // namespace

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
