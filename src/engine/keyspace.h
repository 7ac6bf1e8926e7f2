// keyspace.h: one database. The table of entries, the slabs they lie in and what is known of them.
//
//   key --hash--> Table: segment, bucket, cell --48 bits--> Entry (slabs) --payload--> big value
//
// It knows nothing of clients, logs or the clock: whether a key has expired is asked with the time
// as a parameter, and who must hear of a change is the Engine's business.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "containers/table.h"
#include "engine/side_work.h"
#include "types/entry.h"
#include "types/hash_value.h"
#include "types/value_type.h"

namespace roxdb::engine {

using containers::Cell;
using types::Entry;
using types::EntryParts;
using types::TypeId;

// A key and its hash, computed once per command.
struct Key {
  std::string_view name;
  uint64_t hash;
};

// When an entry or a field of it expires, at the earliest: ms of the epoch, containers::kNoMark.
inline uint64_t mark_of(const Entry& entry) {
  const uint64_t own =
      entry.has_expiry() ? static_cast<uint64_t>(entry.expire_at_ms()) : containers::kNoMark;
  if (!types::has_expiring_fields(entry)) return own;
  return std::min(own, types::field_mark(entry));
}
inline bool is_due(const Entry& entry, int64_t now_ms) {
  return mark_of(entry) < static_cast<uint64_t>(std::max<int64_t>(now_ms, 0));
}

// What the table asks about its items.
struct EntryOwner {
  using Item = Entry;
  const HashSecret* secret;
  SideWork* side_work;
  uint64_t hash(const Entry& entry) const { return hash_bytes(entry.key(), *secret); }
  bool equals(const Entry& entry, std::string_view key) const { return entry.key() == key; }
  uint64_t mark(const Entry& entry) const { return mark_of(entry); }
  void grew(uint64_t cycles) const { side_work->add(Cause::kTableSplit, cycles); }
};
using EntryTable = containers::Table<EntryOwner>;

class Keyspace {
 public:
  // All must outlive the keyspace, the first two whatever is still freed in the background, too.
  // `side_work` hears of the growth of the table.
  Keyspace(const HashSecret& secret, const types::Limits& limits, SideWork& side_work)
      : table_(EntryOwner{&secret, &side_work}),
        home_{*slabs_, secret, limits, &sizes_, &expiring_hashes_} {}
  ~Keyspace();  // frees everything; cost O(entries with payload + slabs)
  Keyspace(const Keyspace&) = delete;
  Keyspace& operator=(const Keyspace&) = delete;

  size_t size() const { return table_.size(); }
  size_t expires() const { return expires_; }                  // keys with an expiry
  size_t expiring_hashes() const { return expiring_hashes_; }  // some field of which has one
  EntryTable& table() { return table_; }
  const EntryTable& table() const { return table_; }
  memory::Slabs& slabs() { return *slabs_; }
  const types::ValueHome& home() const { return home_; }

  // The cell of a key, expired or not; null when absent. Valid until the next insert or erase.
  Cell* find(const Key& key) { return table_.find(key.hash, key.name); }
  static Entry& entry(Cell& cell) { return *static_cast<Entry*>(cell.pointer()); }

  // Takes over an entry of slabs(). REQUIRES: its key is absent.
  Cell* insert(const Key& key, Entry* entry);
  // Replaces the entry of a cell by another one with the same key; the old one is freed.
  void replace(const Key& key, Cell& cell, Entry* new_entry);
  // Removes and frees the entry; a payload that is slow to free is handed out instead (see Trash).
  void erase(const Key& key, Cell& cell);
  // Removes the entry and leaves it to the caller, who rebuilds it under another key.
  Entry* take(const Key& key, Cell& cell);

  // Changes the expiry; the entry may move. -1 removes it.
  void set_expiry(const Key& key, Cell& cell, int64_t expire_at_ms);
  // The entry of this key, edited in place, may have an earlier mark than before.
  void lower_mark(const Key& key, const Entry& entry) {
    table_.lower_mark(key.hash, mark_of(entry));
  }
  // Frees an entry that is in no table, payload included.
  void free_entry(Entry* entry);

  // How big the values are; what changes one elsewhere than by its home() tells it.
  types::KeySizes& sizes() { return sizes_; }
  const types::KeySizes& sizes() const { return sizes_; }

  // Bytes of entries, payloads apart, and of the table itself.
  size_t entry_bytes() const { return slabs_->used_bytes(); }
  size_t table_bytes() const { return table_.bytes(); }
  // Milliseconds that keys with an expiry live on average, estimated; 0 when there are none.
  int64_t average_ttl_ms(int64_t now_ms, Random& random) const;

  // A payload whose release takes long: taken apart by whoever empties the trash, on any thread.
  struct Trash {
    TypeId type;
    uint8_t encoding;
    uint64_t payload;
  };
  // The payloads, and the slabs their blocks go back to. Those are shared because the keyspace may
  // be dropped while the garbage is on its way.
  std::vector<Trash> take_trash() { return std::exchange(trash_, {}); }
  std::shared_ptr<memory::Slabs> shared_slabs() const { return slabs_; }
  bool has_trash() const { return !trash_.empty(); }

  void check() const;

 private:
  void count_in(const Entry& entry);
  void count_out(const Entry& entry);
  void release_payload(Entry& entry);
  static size_t size_of(const Entry& entry);

  std::shared_ptr<memory::Slabs> slabs_ = std::make_shared<memory::Slabs>();
  EntryTable table_;
  types::KeySizes sizes_;
  types::ValueHome home_;
  size_t expires_ = 0;
  size_t expiring_hashes_ = 0;  // edits of hashes change it, too: types::ValueHome
  std::vector<Trash> trash_;
};

}  // namespace roxdb::engine
