// output_buffer.h: the bytes that wait for a socket. Small replies are written into one growing
// buffer; big values stay where they lie and are spliced in by reference.
//
//   buffer   | +OK\r\n $1048576\r\n | \r\n :1\r\n |          sent with one writev:
//   splice        at offset 15 ------^  view + SharedRef     front part, value, rest
//
// Growth doubles and never initialises. An idle connection owns nothing: clear(0).
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/shared_bytes.h"

namespace roxdb::resp {

class OutputBuffer {
 public:
  // A place in the output; dead after the next consume() or clear().
  struct Mark {
    size_t buffer_bytes = 0;
    size_t splices = 0;
  };

  OutputBuffer() = default;
  ~OutputBuffer() { release(); }
  OutputBuffer(OutputBuffer&& other) noexcept { swap(other); }
  OutputBuffer& operator=(OutputBuffer&& other) noexcept {
    OutputBuffer taken(std::move(other));
    swap(taken);
    return *this;
  }

  // --- writing ---------------------------------------------------------------------------------

  // Room for `size` more bytes at the end, dead after the next call that is not const. They count
  // once commit() says so. Inline: every reply passes here.
  char* reserve(size_t size) {
    if (capacity_ - end_ < size) [[unlikely]]
      grow(size);
    return buffer_ + end_;
  }
  void commit(size_t size) {
    ROX_ASSERT(size <= capacity_ - end_);
    end_ += size;
  }
  void append(std::string_view bytes) {
    char* const out = reserve(bytes.size());
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    commit(bytes.size());
  }
  // Puts bytes that `owner` keeps alive at the end, without copying them.
  void splice(std::string_view bytes, SharedRef owner);
  // Makes room for `size` bytes at offset `at` (a Mark's buffer_bytes), moving all behind it back,
  // and returns that place: for an aggregate's count that turned out longer. Cost O(bytes and
  // splices behind `at`).
  char* insert(size_t at, size_t size);

  Mark mark() const { return {end_, splices_.size()}; }
  // Drops everything behind `mark`, references included.
  void truncate(Mark mark);

  // --- sending ---------------------------------------------------------------------------------

  bool empty() const { return pending() == 0; }
  // Bytes that wait, spliced ones included: what output limits are measured by.
  size_t pending() const { return end_ - begin_ + spliced_bytes_; }
  size_t capacity() const { return capacity_; }

  // Fills `pieces` with the front of the output, in order, each non-empty; returns how many. They
  // are dead after the next call that is not const.
  size_t gather(std::span<std::string_view> pieces) const;
  // Drops `size` bytes from the front: they are sent. REQUIRES: size <= pending().
  void consume(size_t size);
  // Drops everything; memory is kept when it is at most `kept_bytes`.
  void clear(size_t kept_bytes);

 private:
  // `bytes` stands before the byte at offset `at` of the buffer.
  struct Splice {
    size_t at;
    std::string_view bytes;  // what is not sent yet
    SharedRef owner;
  };

  void grow(size_t size);
  void compact();
  void release();
  void swap(OutputBuffer& other) noexcept;

  char* buffer_ = nullptr;
  size_t capacity_ = 0;
  size_t begin_ = 0;  // bytes before it are sent
  size_t end_ = 0;
  size_t spliced_bytes_ = 0;     // not sent yet
  size_t splices_sent_ = 0;      // they hold no reference any more
  std::vector<Splice> splices_;  // by `at`, in order
};

}  // namespace roxdb::resp
