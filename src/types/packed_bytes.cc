#include "types/packed_bytes.h"

#include <algorithm>
#include <cstring>

namespace roxdb::types {
namespace {

struct Block {
  uint32_t size;
  uint32_t capacity;  // of bytes
  char* bytes() { return reinterpret_cast<char*>(this + 1); }
};

Block* block_of(uint64_t payload) {
  return reinterpret_cast<Block*>(static_cast<uintptr_t>(payload));
}

size_t inline_entry_bytes(const EntryParts& parts, size_t bytes) {
  return Entry::size_of(parts.key.size(), bytes, parts.expire_at_ms >= 0, false);
}

// A block with room for `size` bytes and whatever its size class has more.
Block* create_block(memory::Slabs& slabs, size_t size) {
  const size_t occupied = memory::Slabs::occupied(sizeof(Block) + size);
  auto* block = static_cast<Block*>(slabs.take(occupied));
  block->size = static_cast<uint32_t>(size);
  block->capacity = static_cast<uint32_t>(occupied - sizeof(Block));
  return block;
}

void destroy_block(memory::Slabs& slabs, Block* block) {
  slabs.give(block, sizeof(Block) + block->capacity);
}

// The old bytes with a gap in the place of those removed.
void copy_around(char* out, std::string_view old, size_t offset, size_t removed, size_t added) {
  std::memcpy(out, old.data(), offset);
  std::memcpy(out + offset + added, old.data() + offset + removed, old.size() - offset - removed);
}

}  // namespace

std::string_view PackedBytes::of(const Entry& entry) {
  if (!entry.has_payload()) return entry.inline_bytes();
  Block* block = block_of(entry.payload());
  return {block->bytes(), block->size};
}

char* PackedBytes::data() const {
  Entry& holder = entry();
  return holder.has_payload() ? block_of(holder.payload())->bytes() : holder.mutable_inline_bytes();
}

Entry* PackedBytes::create(memory::Slabs& slabs, EntryParts parts, std::string_view bytes) {
  parts.has_payload = inline_entry_bytes(parts, bytes.size()) > memory::kSlabBytesMax;
  parts.inline_bytes = bytes;
  if (parts.has_payload) {
    Block* block = create_block(slabs, bytes.size());
    std::memcpy(block->bytes(), bytes.data(), bytes.size());
    parts.payload = reinterpret_cast<uintptr_t>(block);
    parts.inline_bytes = {};
  }
  return Entry::create(slabs, parts);
}

char* PackedBytes::splice(size_t offset, size_t removed, size_t added) {
  Entry* old = &entry();
  const std::string_view before = bytes();
  const size_t size = before.size() - removed + added;
  ROX_ASSERT(offset + removed <= before.size() && size <= kPackedBytesMax);
  Block* const old_block = old->has_payload() ? block_of(old->payload()) : nullptr;
  const bool fits_in_place =
      old_block != nullptr
          ? size <= old_block->capacity && size >= old_block->capacity / 2
          : memory::Slabs::occupied(old->size() - before.size() + size) == old->occupied_bytes() &&
                old->size() <= memory::kSlabBytesMax;
  if (fits_in_place) {
    char* const bytes = data();
    std::memmove(bytes + offset + added, bytes + offset + removed,
                 before.size() - offset - removed);
    if (old_block != nullptr) {
      old_block->size = static_cast<uint32_t>(size);
    } else {
      old->set_inline_size(size);
    }
    return bytes + offset;
  }

  EntryParts parts = old->parts();
  // A value that has grown out of its entry comes back when it is clearly small again.
  const size_t inline_max =
      old_block != nullptr ? memory::kSlabBytesMax / 2 : memory::kSlabBytesMax;
  char scratch[memory::kSlabBytesMax];
  if (inline_entry_bytes(parts, size) <= inline_max) {
    copy_around(scratch, before, offset, removed, added);
    parts.has_payload = false;
    parts.inline_bytes = {scratch, size};
  } else {
    Block* block = create_block(slabs_, size);
    copy_around(block->bytes(), before, offset, removed, added);
    if (old_block != nullptr) {
      destroy_block(slabs_, old_block);
      old->set_payload(reinterpret_cast<uintptr_t>(block));
      return block->bytes() + offset;
    }
    parts.has_payload = true;
    parts.payload = reinterpret_cast<uintptr_t>(block);
    parts.inline_bytes = {};
  }
  cell_.set_pointer(Entry::create(slabs_, parts));
  if (old_block != nullptr) destroy_block(slabs_, old_block);
  Entry::destroy(slabs_, old);
  return data() + offset;
}

size_t PackedBytes::payload_bytes(const Entry& entry) {
  if (!entry.has_payload()) return 0;
  return memory::Slabs::occupied(sizeof(Block) + block_of(entry.payload())->capacity);
}

void PackedBytes::release(uint64_t payload, memory::BlockSink& sink) {
  Block* block = block_of(payload);
  sink.give(block, sizeof(Block) + block->capacity);
}

}  // namespace roxdb::types
