#include "server/input_buffer.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/memory.h"

namespace roxdb::server {

void InputBuffer::commit(size_t size) {
  ROX_ASSERT(size <= capacity_ - end_);
  end_ += size;
}

void InputBuffer::reserve(size_t size) {
  if (capacity_ - end_ >= size) return;
  const size_t held = this->size();
  if (begin_ > 0 && capacity_ - held >= size) {
    std::memmove(data_, data_ + begin_, held);
  } else {
    const size_t capacity = held + size;
    auto* const data = static_cast<char*>(memory::allocate(capacity));
    if (held > 0) std::memcpy(data, data_ + begin_, held);
    clear();
    data_ = data;
    capacity_ = capacity;
  }
  begin_ = 0;
  end_ = held;
}

void InputBuffer::append(std::string_view bytes) {
  if (bytes.empty()) return;
  reserve(bytes.size());
  std::memcpy(data_ + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

void InputBuffer::prepend(std::string_view bytes) {
  if (bytes.size() <= begin_) {
    begin_ -= bytes.size();
    if (!bytes.empty()) std::memcpy(data_ + begin_, bytes.data(), bytes.size());
    return;
  }
  InputBuffer joined;
  joined.reserve(bytes.size() + size());
  joined.append(bytes);
  joined.append(this->bytes());
  swap(joined);
}

void InputBuffer::consume(size_t size) {
  ROX_ASSERT(size <= this->size());
  begin_ += size;
}

void InputBuffer::wipe() {
  if (!empty()) explicit_bzero(data_ + begin_, size());
  rewind();
}

void InputBuffer::clear() {
  if (data_ != nullptr) memory::release(data_, capacity_);
  data_ = nullptr;
  capacity_ = begin_ = end_ = 0;
}

void InputBuffer::swap(InputBuffer& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(capacity_, other.capacity_);
  std::swap(begin_, other.begin_);
  std::swap(end_, other.end_);
}

}  // namespace roxdb::server
