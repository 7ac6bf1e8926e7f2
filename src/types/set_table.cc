#include "types/set_table.h"

#include <cstring>
#include <new>

#include "base/assert.h"

namespace roxdb::types {

using containers::Cell;

SetMember* SetMember::create(memory::Slabs& slabs, std::string_view bytes) {
  uint8_t head[10];
  size_t head_bytes = 0;
  for (size_t size = bytes.size();; size >>= 7) {
    head[head_bytes++] = static_cast<uint8_t>((size & 0x7f) | (size > 0x7f ? 0x80 : 0));
    if (size <= 0x7f) break;
  }
  auto* const block = static_cast<char*>(slabs.take(head_bytes + bytes.size()));
  std::memcpy(block, head, head_bytes);
  if (!bytes.empty()) std::memcpy(block + head_bytes, bytes.data(), bytes.size());
  return reinterpret_cast<SetMember*>(block);
}

std::string_view SetMember::long_bytes() const {
  const auto* at = reinterpret_cast<const uint8_t*>(this);
  size_t size = 0;
  for (unsigned shift = 0;; shift += 7) {
    size |= static_cast<size_t>(*at & 0x7f) << shift;
    if ((*at++ & 0x80) == 0) break;
  }
  return {reinterpret_cast<const char*>(at), size};
}

SetTable* SetTable::create(const ValueHome& home) {
  return new (home.slabs.take(sizeof(SetTable))) SetTable(home.secret);
}

void SetTable::destroy(SetTable* table, memory::BlockSink& sink) {
  table->members_.for_each([&sink](SetMember* member) { sink.give(member, member->block_size()); });
  table->~SetTable();
  sink.give(table, sizeof(SetTable));
}

SetTable* SetTable::copy(const ValueHome& home, const SetTable& table) {
  SetTable* const fresh = create(home);
  table.for_each([&](const SetMember* member) { fresh->add(home.slabs, member->bytes()); });
  return fresh;
}

size_t SetTable::occupied_bytes() const {
  return bytes_ + members_.bytes() + memory::Slabs::occupied(sizeof(SetTable));
}

bool SetTable::add(memory::Slabs& slabs, std::string_view member) {
  const uint64_t hash = this->hash(member);
  if (members_.find(hash, member) != nullptr) return false;
  SetMember* const fresh = SetMember::create(slabs, member);
  bytes_ += memory::Slabs::occupied(fresh->block_size());
  members_.insert(hash, fresh);
  return true;
}

bool SetTable::remove(memory::Slabs& slabs, std::string_view member) {
  const uint64_t hash = this->hash(member);
  Cell* const cell = members_.find(hash, member);
  if (cell == nullptr) return false;
  SetMember* const old = members_.erase(hash, cell);
  const size_t size = old->block_size();
  bytes_ -= memory::Slabs::occupied(size);
  slabs.give(old, size);
  return true;
}

void SetTable::check() const {
  members_.check();
  size_t bytes = 0;
  members_.for_each(
      [&](const SetMember* member) { bytes += memory::Slabs::occupied(member->block_size()); });
  ROX_ASSERT(bytes == bytes_);
}

}  // namespace roxdb::types
