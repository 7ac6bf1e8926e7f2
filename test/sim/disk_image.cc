#include "test/sim/disk_image.h"

#include <algorithm>
#include <cstring>

namespace roxdb {

size_t FileContent::read(uint64_t offset, char* out, size_t size) const {
  const uint64_t end = std::min<uint64_t>(this->size(), offset + size);
  size_t copied = 0;
  while (offset < end) {
    const size_t within = offset % kChunkBytes;
    const size_t piece = std::min<size_t>(kChunkBytes - within, end - offset);
    const std::shared_ptr<Chunk>& chunk = body_->chunks[offset / kChunkBytes];
    if (chunk) {
      std::memcpy(out + copied, chunk->data() + within, piece);
    } else {
      std::memset(out + copied, 0, piece);
    }
    copied += piece;
    offset += piece;
  }
  return copied;
}

void FileContent::write(uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  if (offset + bytes.size() > size()) resize(offset + bytes.size());
  while (!bytes.empty()) {
    const size_t within = offset % kChunkBytes;
    const size_t piece = std::min(kChunkBytes - within, bytes.size());
    std::memcpy(own_chunk(offset / kChunkBytes).data() + within, bytes.data(), piece);
    bytes.remove_prefix(piece);
    offset += piece;
  }
}

void FileContent::resize(uint64_t size) {
  if (size == this->size()) return;
  Body& body = own_body();
  body.size = size;
  body.chunks.resize((size + kChunkBytes - 1) / kChunkBytes);
  const size_t used = size % kChunkBytes;
  if (used != 0 && body.chunks.back()) {
    std::memset(own_chunk(body.chunks.size() - 1).data() + used, 0, kChunkBytes - used);
  }
}

std::string FileContent::text() const {
  std::string text(size(), '\0');
  read(0, text.data(), text.size());
  return text;
}

FileContent::Body& FileContent::own_body() {
  if (!body_) {
    body_ = std::make_shared<Body>();
  } else if (body_.use_count() > 1) {
    body_ = std::make_shared<Body>(*body_);
  }
  return *body_;
}

FileContent::Chunk& FileContent::own_chunk(size_t index) {
  std::shared_ptr<Chunk>& chunk = own_body().chunks[index];
  if (!chunk) {
    chunk = std::make_shared<Chunk>();
    chunk->fill(0);
  } else if (chunk.use_count() > 1) {
    chunk = std::make_shared<Chunk>(*chunk);
  }
  return *chunk;
}

}  // namespace roxdb
