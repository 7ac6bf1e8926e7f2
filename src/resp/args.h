// args.h: the arguments of requests, as views into the bytes that arrived.
//
// One ArgVector serves a whole batch: each request appends its arguments and is remembered as
// (first index, count). Growing moves the views, so take spans only when the batch is parsed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/memory.h"

namespace roxdb::resp {

class ArgVector {
 public:
  ArgVector() = default;
  ArgVector(const ArgVector&) = delete;
  ArgVector& operator=(const ArgVector&) = delete;
  ~ArgVector() { release(); }
  void swap(ArgVector& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    texts_.swap(other.texts_);
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::string_view operator[](size_t index) const {
    ROX_ASSERT(index < size_);
    return slots_[index];
  }
  // Dead after the next call that is not const.
  std::span<const std::string_view> slice(size_t first, size_t count) const {
    ROX_ASSERT(first <= size_ && count <= size_ - first);
    return {slots_ + first, count};
  }
  std::span<const std::string_view> all() const { return {slots_, size_}; }

  // Drops every argument and the text add_text() gave out. Room above kKeptSlots is given back, so
  // that one huge request is not remembered for ever.
  void clear() {
    size_ = 0;
    texts_.clear();
    if (capacity_ > kKeptSlots) release();
  }
  // Drops the arguments behind the first `size`.
  void truncate(size_t size) {
    ROX_ASSERT(size <= size_);
    size_ = size;
  }

  void append(std::string_view arg) {
    *reserve(1) = arg;
    commit(1);
  }
  // Room for `count` more arguments, uninitialised: the parser, which knows the count beforehand,
  // stores them without a capacity check each. They count once commit() says so.
  std::string_view* reserve(size_t count) {
    if (capacity_ - size_ < count) [[unlikely]]
      grow(count);
    return slots_ + size_;
  }
  void commit(size_t count) {
    ROX_ASSERT(count <= capacity_ - size_);
    size_ += count;
  }

  // `size` bytes that live until clear(): for the arguments of inline requests that cannot be
  // views, since unescaping shortens them.
  char* add_text(size_t size) {
    return texts_.emplace_back(std::make_unique_for_overwrite<char[]>(size)).get();
  }

 private:
  static constexpr size_t kKeptSlots = 4096;

  // Out of line, so that the parser's loop keeps its registers.
  [[gnu::noinline]] void grow(size_t count) {
    const size_t capacity = std::max({size_ + count, 2 * capacity_, size_t{16}});
    auto* const slots =
        static_cast<std::string_view*>(memory::allocate(capacity * sizeof(std::string_view)));
    std::copy_n(slots_, size_, slots);
    release();
    slots_ = slots;
    capacity_ = capacity;
  }
  void release() {
    if (slots_ != nullptr) memory::release(slots_, capacity_ * sizeof(std::string_view));
    slots_ = nullptr;
    capacity_ = 0;
  }

  std::string_view* slots_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
  std::vector<std::unique_ptr<char[]>> texts_;
};

}  // namespace roxdb::resp
