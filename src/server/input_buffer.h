// input_buffer.h: the bytes of one client that wait: for the rest of their request, or for the end
// of a pause. Most clients never have any, and own no memory then.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace roxdb::server {

class InputBuffer {
 public:
  InputBuffer() = default;
  ~InputBuffer() { clear(); }
  InputBuffer(InputBuffer&& other) noexcept { swap(other); }
  InputBuffer& operator=(InputBuffer&& other) noexcept {
    InputBuffer taken(std::move(other));
    swap(taken);
    return *this;
  }

  std::string_view bytes() const { return {data_ + begin_, end_ - begin_}; }
  size_t size() const { return end_ - begin_; }
  bool empty() const { return size() == 0; }
  size_t capacity() const { return capacity_; }

  // Room behind the bytes: what a socket writes there counts once commit() says so.
  std::span<char> room() { return {data_ + end_, capacity_ - end_}; }
  void commit(size_t size);
  // Makes room for `size` bytes behind the ones here. Moves them: views die.
  void reserve(size_t size);

  void append(std::string_view bytes);
  void prepend(std::string_view bytes);
  // Drops bytes from the front; the others stay where they are.
  void consume(size_t size);
  // Drops all bytes, keeps the memory.
  void rewind() { begin_ = end_ = 0; }
  // The same, and no trace of them is left there.
  void wipe();
  // Drops all bytes and the memory.
  void clear();

 private:
  void swap(InputBuffer& other) noexcept;

  char* data_ = nullptr;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace roxdb::server
