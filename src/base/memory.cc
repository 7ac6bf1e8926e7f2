#include "base/memory.h"

#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

#include "base/assert.h"

// jemalloc's own interface, bound when the program links it. The library does not, so that it
// leaves its host's malloc alone; sanitizer builds cannot.
extern "C" {
[[gnu::weak]] void* mallocx(size_t size, int flags);
[[gnu::weak]] void sdallocx(void* block, size_t size, int flags);
[[gnu::weak]] size_t nallocx(size_t size, int flags);
[[gnu::weak]] int mallctl(const char* name, void* old_value, size_t* old_size, void* new_value,
                          size_t new_size);
}

namespace roxdb::memory {
namespace {

// One thread's count. Only its thread writes it; readers add all of them up. A finished thread
// leaves its count behind in the sum.
struct ThreadCount {
  ThreadCount();
  ~ThreadCount();
  std::atomic<int64_t> bytes{0};
  ThreadCount* next = nullptr;
  ThreadCount* previous = nullptr;
};

struct Counts {
  std::mutex mutex;
  ThreadCount* first = nullptr;
  int64_t finished = 0;
};

// Process-wide like malloc itself, and never destroyed: threads may end after static objects. In
// static memory, because the program's operator new counts here too.
Counts& counts() {
  alignas(Counts) static char storage[sizeof(Counts)];
  static Counts* const all = new (storage) Counts;
  return *all;
}

ThreadCount::ThreadCount() {
  Counts& all = counts();
  const std::lock_guard<std::mutex> lock(all.mutex);
  next = all.first;
  if (next != nullptr) next->previous = this;
  all.first = this;
}

ThreadCount::~ThreadCount() {
  Counts& all = counts();
  const std::lock_guard<std::mutex> lock(all.mutex);
  if (previous != nullptr) previous->next = next;
  if (next != nullptr) next->previous = previous;
  if (all.first == this) all.first = next;
  all.finished += bytes.load(std::memory_order_relaxed);
}

// The fast path is a plain addition: the pointer is null until the thread has counted once.
thread_local std::atomic<int64_t>* thread_bytes = nullptr;

std::atomic<int64_t>& first_count_of_thread() {
  thread_local ThreadCount count;
  thread_bytes = &count.bytes;
  return count.bytes;
}

[[noreturn]] void out_of_memory(size_t size) {
  char text[96];
  const int length = std::snprintf(text, sizeof text, "Out of memory allocating %zu bytes\n", size);
  if (length > 0) {
    [[maybe_unused]] const ssize_t written = ::write(2, text, static_cast<size_t>(length));
  }
  std::_Exit(kExitNoMemory);
}

bool jemalloc_is_linked() {
  return mallocx != nullptr && sdallocx != nullptr && nallocx != nullptr;
}

template <class T>
T read_statistic(const char* name) {
  T value{};
  size_t size = sizeof value;
  if (mallctl == nullptr || mallctl(name, &value, &size, nullptr, 0) != 0) return T{};
  return value;
}

}  // namespace

void account(int64_t bytes) {
  std::atomic<int64_t>* count = thread_bytes;
  std::atomic<int64_t>& mine = count != nullptr ? *count : first_count_of_thread();
  // Load and store, not a locked addition: this thread is the only writer.
  mine.store(mine.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
}

size_t used_bytes() {
  Counts& all = counts();
  const std::lock_guard<std::mutex> lock(all.mutex);
  int64_t sum = all.finished;
  for (const ThreadCount* count = all.first; count != nullptr; count = count->next) {
    sum += count->bytes.load(std::memory_order_relaxed);
  }
  return sum > 0 ? static_cast<size_t>(sum) : 0;
}

size_t block_bytes(size_t size) {
  if (size == 0) size = 1;
  // glibc: 8 bytes of bookkeeping, 16 byte steps, 32 at least.
  return jemalloc_is_linked() ? nallocx(size, 0)
                              : std::max<size_t>(32, (size + 8 + 15) & ~size_t{15});
}

void* try_allocate(size_t size) {
  if (size == 0) size = 1;
  void* block = jemalloc_is_linked() ? mallocx(size, 0) : std::malloc(size);
  if (block != nullptr) account(static_cast<int64_t>(block_bytes(size)));
  return block;
}

void* allocate(size_t size) {
  void* block = try_allocate(size);
  if (__builtin_expect(block == nullptr, 0)) out_of_memory(size);
  return block;
}

void* allocate_aligned(size_t size) {
  constexpr int kLineAlignment = 6;  // jemalloc's flags begin with the logarithm of the alignment
  void* block = jemalloc_is_linked() ? mallocx(size, kLineAlignment) : std::aligned_alloc(64, size);
  if (__builtin_expect(block == nullptr, 0)) out_of_memory(size);
  account(static_cast<int64_t>(block_bytes(size)));
  return block;
}

void release(void* block, size_t size) {
  if (block == nullptr) return;
  if (size == 0) size = 1;
  account(-static_cast<int64_t>(block_bytes(size)));
  if (jemalloc_is_linked()) {
    sdallocx(block, size, 0);
  } else {
    std::free(block);
  }
}

void* allocate_pages(size_t bytes) {
  void* pages = std::aligned_alloc(bytes, bytes);
  if (pages == nullptr) out_of_memory(bytes);
  return pages;
}

void release_pages(void* pages, size_t bytes) {
  static_cast<void>(bytes);
  std::free(pages);
}

const char* allocator_name() {
  static const std::string name = [] {
    if (!jemalloc_is_linked()) return std::string("libc");
    const char* version = read_statistic<const char*>("version");
    std::string text = version != nullptr ? version : "";
    return "jemalloc-" + text.substr(0, text.find('-'));
  }();
  return name.c_str();
}

void purge() {
  if (mallctl != nullptr) {
    mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);  // 4096: all arenas
  } else {
    malloc_trim(0);
  }
}

AllocatorStats allocator_stats() {
  if (mallctl == nullptr) return {};
  uint64_t epoch = 1;
  size_t size = sizeof epoch;
  mallctl("epoch", &epoch, &size, &epoch, size);  // statistics stand still between epochs
  return {.allocated = read_statistic<size_t>("stats.allocated"),
          .active = read_statistic<size_t>("stats.active"),
          .resident = read_statistic<size_t>("stats.resident"),
          .retained = read_statistic<size_t>("stats.retained")};
}

Slabs::~Slabs() {
  account(-static_cast<int64_t>(used_bytes_));
  for (Slab* slab = all_; slab != nullptr;) {
    Slab* next = slab->all_next;
    release_pages(slab, kSlabSize);
    slab = next;
  }
}

void Slabs::swap(Slabs& other) noexcept {
  std::swap(with_room_, other.with_room_);
  std::swap(all_, other.all_);
  std::swap(slab_count_, other.slab_count_);
  std::swap(used_bytes_, other.used_bytes_);
}

Slabs::Slab* Slabs::add_slab(size_t block_size) {
  ROX_ASSERT(block_size > 0);
  auto* slab = new (allocate_pages(kSlabSize)) Slab{};
  slab->unused = kFirstBlock;
  slab->block_size = static_cast<uint32_t>(block_size);
  slab->all_next = all_;
  if (all_ != nullptr) all_->all_previous = slab;
  all_ = slab;
  slab_count_++;
  list(slab);
  return slab;
}

void Slabs::list(Slab* slab) {
  Slab*& head = with_room_[slab->block_size / 8];
  slab->previous = nullptr;
  slab->next = head;
  if (head != nullptr) head->previous = slab;
  head = slab;
  slab->listed = true;
}

void Slabs::unlist(Slab* slab) {
  if (slab->previous != nullptr) slab->previous->next = slab->next;
  if (slab->next != nullptr) slab->next->previous = slab->previous;
  if (with_room_[slab->block_size / 8] == slab) with_room_[slab->block_size / 8] = slab->next;
  slab->listed = false;
}

// An empty slab goes back to the system unless it is the only one of its class with room: a
// class that is used once is used again.
void Slabs::retire(Slab* slab) {
  if (with_room_[slab->block_size / 8] == slab && slab->next == nullptr) return;
  unlist(slab);
  if (slab->all_previous != nullptr) slab->all_previous->all_next = slab->all_next;
  if (slab->all_next != nullptr) slab->all_next->all_previous = slab->all_previous;
  if (all_ == slab) all_ = slab->all_next;
  slab_count_--;
  release_pages(slab, kSlabSize);
}

void Slabs::check() const {
  size_t used = 0;
  size_t slabs = 0;
  for (const Slab* slab = all_; slab != nullptr; slab = slab->all_next) {
    slabs++;
    used += size_t{slab->live} * slab->block_size;
    const bool room = slab->free != nullptr || slab->unused + slab->block_size <= kSlabSize;
    ROX_ASSERT(slab->listed == room);
    ROX_ASSERT(slab->unused <= kSlabSize);
  }
  ROX_ASSERT(used == used_bytes_);
  ROX_ASSERT(slabs == slab_count_);
}

}  // namespace roxdb::memory
