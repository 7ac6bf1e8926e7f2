#include "resp/output_buffer.h"

#include <algorithm>
#include <utility>

#include "base/memory.h"

namespace roxdb::resp {
namespace {

constexpr size_t kCapacityMin = 1024;
// What is sent is given back once there is this much of it and it is the larger half, so that a
// client that is never quite served cannot make its buffer grow, and each byte moves O(1) times.
constexpr size_t kCompactBytesMin = 64u << 10;

}  // namespace

void OutputBuffer::splice(std::string_view bytes, SharedRef owner) {
  if (bytes.empty()) return;
  splices_.push_back({end_, bytes, std::move(owner)});
  spliced_bytes_ += bytes.size();
}

char* OutputBuffer::insert(size_t at, size_t size) {
  ROX_ASSERT(at <= end_);
  reserve(size);
  std::memmove(buffer_ + at + size, buffer_ + at, end_ - at);
  commit(size);
  for (size_t i = splices_.size(); i > 0 && splices_[i - 1].at > at; --i)
    splices_[i - 1].at += size;
  return buffer_ + at;
}

void OutputBuffer::truncate(Mark mark) {
  ROX_ASSERT(mark.buffer_bytes <= end_ && mark.splices <= splices_.size());
  end_ = mark.buffer_bytes;
  while (splices_.size() > mark.splices) {
    spliced_bytes_ -= splices_.back().bytes.size();
    splices_.pop_back();
  }
}

size_t OutputBuffer::gather(std::span<std::string_view> pieces) const {
  size_t count = 0;
  size_t at = begin_;
  for (size_t i = splices_sent_; i < splices_.size() && count < pieces.size(); ++i) {
    const Splice& splice = splices_[i];
    if (splice.at > at) {
      pieces[count++] = {buffer_ + at, splice.at - at};
      at = splice.at;
      if (count == pieces.size()) return count;
    }
    pieces[count++] = splice.bytes;
  }
  if (at < end_ && count < pieces.size()) pieces[count++] = {buffer_ + at, end_ - at};
  return count;
}

void OutputBuffer::consume(size_t size) {
  ROX_ASSERT(size <= pending());
  while (splices_sent_ < splices_.size()) {
    Splice& splice = splices_[splices_sent_];
    const size_t before = std::min(size, splice.at - begin_);
    begin_ += before;
    size -= before;
    const size_t part = std::min(size, splice.bytes.size());
    splice.bytes.remove_prefix(part);
    spliced_bytes_ -= part;
    size -= part;
    if (!splice.bytes.empty()) break;  // and `size` is used up
    splice.owner = {};
    ++splices_sent_;
  }
  begin_ += size;
  compact();
}

void OutputBuffer::compact() {
  if (!empty() && (begin_ < kCompactBytesMin || begin_ < end_ / 2)) return;
  if (end_ > begin_ && begin_ > 0) std::memmove(buffer_, buffer_ + begin_, end_ - begin_);
  splices_.erase(splices_.begin(), splices_.begin() + static_cast<ptrdiff_t>(splices_sent_));
  for (Splice& splice : splices_) splice.at -= begin_;
  splices_sent_ = 0;
  end_ -= begin_;
  begin_ = 0;
}

void OutputBuffer::clear(size_t kept_bytes) {
  begin_ = end_ = spliced_bytes_ = splices_sent_ = 0;
  splices_.clear();
  if (capacity_ <= kept_bytes) return;
  release();
  splices_.shrink_to_fit();
}

void OutputBuffer::grow(size_t size) {
  const size_t capacity = std::max({end_ + size, 2 * capacity_, kCapacityMin});
  auto* const buffer = static_cast<char*>(memory::allocate(capacity));
  if (end_ > 0) std::memcpy(buffer, buffer_, end_);
  release();
  buffer_ = buffer;
  capacity_ = capacity;
}

void OutputBuffer::release() {
  if (buffer_ != nullptr) memory::release(buffer_, capacity_);
  buffer_ = nullptr;
  capacity_ = 0;
}

void OutputBuffer::swap(OutputBuffer& other) noexcept {
  std::swap(buffer_, other.buffer_);
  std::swap(capacity_, other.capacity_);
  std::swap(begin_, other.begin_);
  std::swap(end_, other.end_);
  std::swap(spliced_bytes_, other.spliced_bytes_);
  std::swap(splices_sent_, other.splices_sent_);
  splices_.swap(other.splices_);
}

}  // namespace roxdb::resp
