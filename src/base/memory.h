// memory.h: where bytes come from, and the one account of them.
//
// Everything that holds data is taken here. Blocks up to kSlabBytesMax that belong to one database
// come from its Slabs; everything else from the system allocator, which in the server is jemalloc.
// The account is exact and costs an addition: each thread counts what it takes and gives, and
// used_bytes() adds the threads up. It counts the bytes a block really occupies (its size class).
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

namespace roxdb::memory {

// A block of at least `size` bytes, aligned to 16. Never null: the process cannot go on without
// memory for its own state and ends with kExitNoMemory (reliability E12).
void* allocate(size_t size);
// The same, aligned to a cache line. REQUIRES: `size` is a multiple of 64.
void* allocate_aligned(size_t size);
// As allocate() for bytes that a client asked for: null when the system refuses (reliability E11).
void* try_allocate(size_t size);
void release(void* block, size_t size);  // `size` as it was asked for
size_t block_bytes(size_t size);         // what a block of `size` occupies

// Pages for slabs: `bytes` aligned to `bytes`, a power of two. Not counted as used.
void* allocate_pages(size_t bytes);
void release_pages(void* pages, size_t bytes);

void account(int64_t bytes);   // what a sub-allocator took (> 0) or gave back (< 0)
size_t used_bytes();           // all threads together; may lag behind other threads by one block
const char* allocator_name();  // "jemalloc-5.3.0" or "libc"
void purge();                  // gives unused pages back to the system

// What the allocator holds of the system, as INFO memory shows it; zeros where it cannot tell.
struct AllocatorStats {
  size_t allocated = 0;
  size_t active = 0;
  size_t resident = 0;
  size_t retained = 0;
};
AllocatorStats allocator_stats();

// Where the blocks of a value go that is taken apart: `size` as it was taken. What takes a value
// apart knows neither whose slabs they are nor on which thread it runs.
class BlockSink {
 public:
  virtual void give(void* block, size_t size) = 0;

 protected:
  ~BlockSink() = default;
};

class SlabGarbage;  // slab_garbage.h

inline constexpr int kExitNoMemory = 15;
inline constexpr size_t kSlabBytesMax = 1024;

// slabs: small blocks of one owner, in size classes 8 bytes apart.
//
//   64 KiB, aligned to 64 KiB           free blocks of a slab form a list through their first
//   +--------+-----+-----+-----+---     word; the slab of a block is found by masking its address
//   | Slab   | blk | blk | blk | ...
//   +--------+-----+-----+-----+---     a class keeps a list of its slabs that have room
//
// jemalloc's classes are 16 bytes apart below 128 and wider above; a pair of 16 byte key and value
// would lose a tenth. All blocks die with their Slabs, without being visited: that is how a flush
// frees ten million entries in a few thousand steps.
// Invariants (check()): I1 every slab with a free block is on its class's list, no other is;
// I2 used_bytes() is the sum of live blocks times class size; I3 an empty slab is kept at most
// once per class.
// Cost: take and give O(1). Not thread-safe: one owner at a time. Blocks that another thread has
// found to be garbage come back in chains, see slab_garbage.h.
class Slabs {
 public:
  Slabs() = default;
  ~Slabs();
  Slabs(Slabs&& other) noexcept { swap(other); }
  Slabs& operator=(Slabs&& other) noexcept {
    swap(other);
    return *this;
  }

  // REQUIRES: 0 < size. Sizes above kSlabBytesMax pass through to allocate().
  void* take(size_t size);
  void give(void* block, size_t size);
  // Takes back the blocks of at most `slabs_max` slabs, each in O(1). True: some are left.
  bool take_back(SlabGarbage& garbage, size_t slabs_max);
  // The bytes a block of `size` occupies.
  static size_t occupied(size_t size) {
    return size <= kSlabBytesMax ? (size + 7) & ~size_t{7} : block_bytes(size);
  }

  size_t used_bytes() const { return used_bytes_; }  // small blocks only
  size_t slab_bytes() const { return slab_count_ * kSlabSize; }
  void check() const;
  void swap(Slabs& other) noexcept;

 private:
  static constexpr size_t kSlabSize = size_t{64} << 10;
  static constexpr size_t kClasses = kSlabBytesMax / 8 + 1;

  struct Slab {
    Slab* next;  // the list of slabs with room, or of all when full
    Slab* previous;
    void* free;       // blocks given back
    uint32_t unused;  // offset of the first block never taken
    uint32_t live;
    uint32_t block_size;
    bool listed;
    Slab* all_next;
    Slab* all_previous;
  };
  static constexpr size_t kFirstBlock = 64;
  static_assert(sizeof(Slab) <= kFirstBlock);
  friend class SlabGarbage;

  static Slab* slab_of(void* block) {
    return reinterpret_cast<Slab*>(reinterpret_cast<uintptr_t>(block) & ~(kSlabSize - 1));
  }
  Slab* add_slab(size_t block_size);
  void list(Slab* slab);
  void unlist(Slab* slab);
  void retire(Slab* slab);

  Slab* with_room_[kClasses] = {};
  Slab* all_ = nullptr;
  size_t slab_count_ = 0;
  size_t used_bytes_ = 0;
};

inline void* Slabs::take(size_t size) {
  if (__builtin_expect(size > kSlabBytesMax, 0)) return allocate(size);
  const size_t block_size = (size + 7) & ~size_t{7};
  Slab* slab = with_room_[block_size / 8];
  if (__builtin_expect(slab == nullptr, 0)) slab = add_slab(block_size);
  void* block = slab->free;
  if (block != nullptr) {
    slab->free = *static_cast<void**>(block);
  } else {
    block = reinterpret_cast<char*>(slab) + slab->unused;
    slab->unused += static_cast<uint32_t>(block_size);
  }
  slab->live++;
  if (__builtin_expect(slab->free == nullptr && slab->unused + block_size > kSlabSize, 0)) {
    unlist(slab);
  }
  used_bytes_ += block_size;
  account(static_cast<int64_t>(block_size));
  return block;
}

inline void Slabs::give(void* block, size_t size) {
  if (__builtin_expect(size > kSlabBytesMax, 0)) return release(block, size);
  const size_t block_size = (size + 7) & ~size_t{7};
  Slab* slab = slab_of(block);
  *static_cast<void**>(block) = slab->free;
  slab->free = block;
  slab->live--;
  if (__builtin_expect(!slab->listed, 0)) list(slab);
  if (__builtin_expect(slab->live == 0, 0)) retire(slab);
  used_bytes_ -= block_size;
  account(-static_cast<int64_t>(block_size));
}

// Blocks go back to their slabs at once: on the thread that owns them.
class SlabSink final : public BlockSink {
 public:
  explicit SlabSink(Slabs& slabs) : slabs_(slabs) {}
  void give(void* block, size_t size) override { slabs_.give(block, size); }

 private:
  Slabs& slabs_;
};

// The slabs die next and free their blocks themselves; only those outside are given back.
class DyingSlabsSink final : public BlockSink {
 public:
  void give(void* block, size_t size) override {
    if (size > kSlabBytesMax) release(block, size);
  }
};

// A standard allocator over allocate(), for the containers that hold data.
template <class T>
struct Allocator {
  using value_type = T;
  Allocator() = default;
  template <class U>
  Allocator(const Allocator<U>&) {}  // NOLINT: the standard's form
  T* allocate(size_t count) { return static_cast<T*>(memory::allocate(count * sizeof(T))); }
  void deallocate(T* block, size_t count) { memory::release(block, count * sizeof(T)); }
  bool operator==(const Allocator&) const { return true; }
};

}  // namespace roxdb::memory
