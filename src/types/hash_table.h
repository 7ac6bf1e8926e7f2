// hash_table.h: the fields of a large hash, some with an expiry.
//
//   HashTable --> containers::Table --cell--> HashField (slabs)
//
// The table's marks are the expiries of fields, so that what is due is found without looking at
// the rest. `mark()` bounds them all from below and is what the keyspace is told; a bound that
// nothing stands behind any more (its field was deleted) is found out, and corrected, when it is
// due, or when no field is left that expires.
//
// I1  mark() is at most the expiry of every field, and kNoMark when none has one.
// I2  bytes() is what the fields' blocks occupy.
// Cost: as of the table, O(1). About 42 bytes for a field of 12 bytes with a value of 16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "containers/table.h"
#include "types/hash_field.h"
#include "types/value_home.h"

namespace roxdb::types {

// What an edit says of a field's expiry besides a time in ms of the epoch.
inline constexpr int64_t kNoExpiry = -1;
inline constexpr int64_t kKeepExpiry = -2;
// The latest expiry a field can have, ms of the epoch: Redis keeps 46 bits.
inline constexpr int64_t kFieldExpireMsMax = (int64_t{1} << 46) - 1;

class HashTable {
 public:
  static HashTable* create(const ValueHome& home);
  // Gives all blocks, its own too. Any thread.
  static void destroy(HashTable* table, memory::BlockSink& sink);
  static HashTable* copy(const ValueHome& home, const HashTable& table);

  size_t size() const { return fields_.size(); }
  size_t bytes() const { return bytes_; }  // of the fields
  // Everything: fields, table, the object.
  size_t occupied_bytes() const;
  uint64_t mark() const { return mark_; }  // ms of the epoch; containers::kNoMark
  containers::TableStatistics statistics() const { return fields_.statistics(); }

  // Null when absent.
  const HashField* find(std::string_view name) const {
    const containers::Cell* cell = fields_.find(hash(name), name);
    return cell != nullptr ? Fields::item(cell) : nullptr;
  }
  // Asks for the memory that find() and set() of this name read first.
  void prefetch(std::string_view name) const { fields_.prefetch(hash(name)); }
  void look_ahead(std::string_view name, containers::Lookahead& ahead) const {
    ahead.add(fields_, hash(name));
  }

  // Sets a field; true: it is new. `expire_at_ms` is > 0, kNoExpiry or kKeepExpiry.
  bool set(memory::Slabs& slabs, std::string_view name, std::string_view value,
           int64_t expire_at_ms);
  bool erase(memory::Slabs& slabs, std::string_view name);  // false: absent
  // REQUIRES: the field is there.
  void set_expiry(memory::Slabs& slabs, std::string_view name, int64_t expire_at_ms);

  // Removes fields with expiry < now_ms, about `max` at a time, and appends their names to `names`
  // unless that is null. When all are gone, mark() >= now_ms. Returns how many.
  size_t take_due(memory::Slabs& slabs, int64_t now_ms, size_t max,
                  std::vector<std::string>* names);

  // Null when empty.
  const HashField* sample(Random& random) const { return fields_.sample(random); }
  // visit(const HashField*), see containers/table.h.
  template <class Visitor>
  uint64_t scan(uint64_t cursor, Visitor&& visit) const {
    return fields_.scan(cursor, visit);
  }
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    fields_.for_each(visit);
  }
  void check() const;

 private:
  struct FieldOwner {
    using Item = HashField;
    const HashSecret* secret;
    uint64_t hash(const HashField& field) const { return hash_bytes(field.name(), *secret); }
    bool equals(const HashField& field, std::string_view name) const {
      return field.name() == name;
    }
    uint64_t mark(const HashField& field) const {
      return field.has_expiry() ? static_cast<uint64_t>(field.expire_at_ms()) : containers::kNoMark;
    }
  };
  using Fields = containers::Table<FieldOwner>;

  explicit HashTable(const HashSecret& secret) : fields_(FieldOwner{&secret}) {}
  uint64_t hash(std::string_view name) const { return hash_bytes(name, *fields_.owner().secret); }
  void insert(uint64_t hash, HashField* field);
  void note_expiry(uint64_t hash, int64_t expire_at_ms);
  void replace(memory::Slabs& slabs, uint64_t hash, containers::Cell* cell, HashField* fresh);
  void forget(memory::Slabs& slabs, HashField* field);

  Fields fields_;
  size_t bytes_ = 0;
  size_t expiring_ = 0;  // fields with an expiry
  uint64_t mark_ = containers::kNoMark;
  uint64_t due_cursor_ = 0;  // where take_due() goes on
};

}  // namespace roxdb::types
