#include "types/hash_table.h"

#include <algorithm>
#include <new>

#include "base/assert.h"

namespace roxdb::types {

using containers::Cell;

HashTable* HashTable::create(const ValueHome& home) {
  return new (home.slabs.take(sizeof(HashTable))) HashTable(home.secret);
}

void HashTable::destroy(HashTable* table, memory::BlockSink& sink) {
  table->fields_.for_each([&sink](HashField* field) { sink.give(field, field->block_size()); });
  table->~HashTable();
  sink.give(table, sizeof(HashTable));
}

HashTable* HashTable::copy(const ValueHome& home, const HashTable& table) {
  HashTable* fresh = create(home);
  table.for_each([&](const HashField* field) {
    fresh->insert(fresh->hash(field->name()), HashField::copy(home.slabs, *field));
  });
  return fresh;
}

size_t HashTable::occupied_bytes() const {
  return bytes_ + fields_.bytes() + memory::Slabs::occupied(sizeof(HashTable));
}

void HashTable::insert(uint64_t hash, HashField* field) {
  bytes_ += field->block_size();
  fields_.insert(hash, field);
  if (!field->has_expiry()) return;
  expiring_++;
  note_expiry(hash, field->expire_at_ms());
}

// The field is in the table no more.
void HashTable::forget(memory::Slabs& slabs, HashField* field) {
  bytes_ -= field->block_size();
  if (field->has_expiry() && --expiring_ == 0) mark_ = containers::kNoMark;
  HashField::destroy(slabs, field);
}

void HashTable::note_expiry(uint64_t hash, int64_t expire_at_ms) {
  const auto mark = static_cast<uint64_t>(expire_at_ms);
  fields_.lower_mark(hash, mark);
  mark_ = std::min(mark_, mark);
}

void HashTable::replace(memory::Slabs& slabs, uint64_t hash, Cell* cell, HashField* fresh) {
  HashField* old = Fields::item(cell);
  bytes_ += fresh->block_size();
  fields_.replace(cell, fresh);
  forget(slabs, old);
  if (!fresh->has_expiry()) return;
  expiring_++;
  note_expiry(hash, fresh->expire_at_ms());
}

bool HashTable::set(memory::Slabs& slabs, std::string_view name, std::string_view value,
                    int64_t expire_at_ms) {
  const uint64_t hash = this->hash(name);
  Cell* cell = fields_.find(hash, name);
  if (cell == nullptr) {
    insert(hash, HashField::create(slabs, name, value, expire_at_ms));
    return true;
  }
  HashField* field = Fields::item(cell);
  if (expire_at_ms == kKeepExpiry) expire_at_ms = field->expire_at_ms();
  if (field->has_expiry() != (expire_at_ms >= 0) || !field->overwrite(value)) {
    replace(slabs, hash, cell, HashField::create(slabs, name, value, expire_at_ms));
  } else if (expire_at_ms >= 0) {
    field->set_expire_at_ms(expire_at_ms);
    note_expiry(hash, expire_at_ms);
  }
  return false;
}

bool HashTable::erase(memory::Slabs& slabs, std::string_view name) {
  const uint64_t hash = this->hash(name);
  Cell* cell = fields_.find(hash, name);
  if (cell == nullptr) return false;
  forget(slabs, fields_.erase(hash, cell));
  return true;
}

void HashTable::set_expiry(memory::Slabs& slabs, std::string_view name, int64_t expire_at_ms) {
  const uint64_t hash = this->hash(name);
  Cell* cell = fields_.find(hash, name);
  ROX_ASSERT(cell != nullptr);
  HashField* field = Fields::item(cell);
  if (field->has_expiry() != (expire_at_ms >= 0)) {
    replace(slabs, hash, cell,
            HashField::create(slabs, field->name(), field->value(), expire_at_ms));
  } else if (expire_at_ms >= 0) {
    field->set_expire_at_ms(expire_at_ms);
    note_expiry(hash, expire_at_ms);
  }
}

size_t HashTable::take_due(memory::Slabs& slabs, int64_t now_ms, size_t max,
                           std::vector<std::string>* names) {
  constexpr size_t kSegmentsMax = 1024;
  if (now_ms <= 0 || mark_ >= static_cast<uint64_t>(now_ms)) return 0;
  std::vector<HashField*> due;
  due_cursor_ = fields_.collect_marked(static_cast<uint64_t>(now_ms - 1), due_cursor_, max,
                                       kSegmentsMax, due);
  for (HashField* field : due) {
    const uint64_t hash = this->hash(field->name());
    fields_.erase(hash, fields_.find(hash, field->name()));
    if (names != nullptr) names->emplace_back(field->name());
    forget(slabs, field);
  }
  if (due_cursor_ == 0 && expiring_ > 0) mark_ = fields_.lowest_mark();
  return due.size();
}

void HashTable::check() const {
  fields_.check();
  size_t bytes = 0;
  size_t expiring = 0;
  fields_.for_each([&](const HashField* field) {
    bytes += field->block_size();
    expiring += size_t{field->has_expiry()};
    ROX_ASSERT(!field->has_expiry() || static_cast<uint64_t>(field->expire_at_ms()) >= mark_);
  });
  ROX_ASSERT(bytes == bytes_);
  ROX_ASSERT(expiring == expiring_);
  ROX_ASSERT((expiring == 0) == (mark_ == containers::kNoMark));
}

}  // namespace roxdb::types
