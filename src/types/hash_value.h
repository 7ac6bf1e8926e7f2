// hash_value.h: the hash type. Fields with values, each with an expiry of its own or none.
//
//   kPacked          name value name value ...                 OBJECT ENCODING "listpack"
//   kPackedExpiring  mark | name value expiry ...              "listpackex"
//   kTable           payload: a HashTable, no field expires    "hashtable"
//   kTableExpiring   the same, some may                        "hashtable"
//
// The packed forms are a run of elements (containers/packed_list.h) in PackedBytes, in order of
// arrival. An expiry there is an integer element, ms of the epoch, 0: none; the mark before the run
// is 8 bytes. Beyond hash-max-listpack-entries fields, or with a name or value longer than
// hash-max-listpack-value, a hash becomes a table and stays one; likewise one that has had expiries
// stays an expiring one.
//
// Expiry of fields. Of an expiring hash the mark is at most the smallest expiry of its fields, and
// kNoMark when none has one, so that the keyspace can count the hashes that have any. The
// keyspace's mark of an entry includes it, so a due field is found as a due key is, and hashes
// without expiries pay nothing but a look at the encoding in the entry's head. The engine removes
// and logs due fields (Engine::expire_fields), some at a time; what it has not come to yet, readers
// pass over by the time they are given: a field is there while expiry >= now.
//
// Saved form, one whatever the encoding:
//   varint 2 * fields, + 1 when some expire; then of each field
//     text name, text value, and, when some expire, varint expiry in ms of the epoch, 0: none
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/numbers.h"
#include "base/status.h"
#include "containers/packed_list.h"
#include "containers/segment.h"
#include "types/entry.h"
#include "types/hash_table.h"
#include "types/packed_bytes.h"
#include "types/value_home.h"
#include "types/value_type.h"

namespace roxdb::types {

// The lowest bit: fields may expire.
enum class HashEncoding : uint8_t {
  kPacked = 0,
  kPackedExpiring = 1,
  kTable = 2,
  kTableExpiring = 3
};

inline HashEncoding hash_encoding(const Entry& entry) {
  return static_cast<HashEncoding>(entry.encoding());
}
inline bool is_expiring(HashEncoding encoding) { return (static_cast<uint8_t>(encoding) & 1) != 0; }
inline bool is_table(HashEncoding encoding) { return encoding >= HashEncoding::kTable; }
// A hash of which fields may expire.
inline bool has_expiring_fields(const Entry& entry) {
  return entry.type() == TypeId::kHash && is_expiring(hash_encoding(entry));
}
// Lower bound of the fields' expiries, ms of the epoch; kNoMark: none has one.
// REQUIRES: has_expiring_fields().
inline uint64_t field_mark(const Entry& entry) {
  if (hash_encoding(entry) == HashEncoding::kTableExpiring) {
    return entry.pointer<const HashTable>()->mark();
  }
  uint64_t mark;
  std::memcpy(&mark, PackedBytes::of(entry).data(), sizeof mark);
  return mark;
}
// Whether some field has an expiry now.
inline bool has_field_expiry(const Entry& entry) {
  return has_expiring_fields(entry) && field_mark(entry) != containers::kNoMark;
}

// The packed forms, element by element.
class PackedFields {
 public:
  static constexpr size_t kMarkBytes = 8;

  PackedFields(std::string_view bytes, bool expiring)
      : run_(expiring ? bytes.substr(kMarkBytes) : bytes), step_(expiring ? 3 : 2) {}
  explicit PackedFields(const Entry& entry)
      : PackedFields(PackedBytes::of(entry), is_expiring(hash_encoding(entry))) {}

  std::string_view run() const { return run_; }
  size_t count() const { return containers::packed::count(run_) / step_; }

  // One field as it is read: offsets into the run, expiry kNoExpiry or ms of the epoch.
  struct Field {
    containers::packed::Element name;
    containers::packed::Element value;
    int64_t expire_at_ms;
    size_t begin;
    size_t end;
  };
  Field read(size_t offset) const {
    Field field;
    field.begin = offset;
    field.name = containers::packed::read(run_, offset);
    field.value = containers::packed::read(run_, field.name.next());
    field.end = field.value.next();
    field.expire_at_ms = kNoExpiry;
    if (step_ == 3) {
      const auto expiry = containers::packed::read(run_, field.end);
      if (expiry.integer() != 0) field.expire_at_ms = expiry.integer();
      field.end = expiry.next();
    }
    return field;
  }
  std::optional<Field> find(std::string_view name) const {
    const size_t at = containers::packed::find(run_, containers::packed::Encoded(name), 0, step_);
    if (at == containers::packed::kNotFound) return std::nullopt;
    return read(at);
  }
  // visit(const Field&), in order.
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    for (size_t at = 0; at < run_.size();) {
      const Field field = read(at);
      visit(field);
      at = field.end;
    }
  }

 private:
  std::string_view run_;
  size_t step_;
};

// A hash as it is read at a moment. Dead after any change of the keyspace.
class HashView {
 public:
  // Where all fields count, due or not: while the log is replayed.
  static constexpr int64_t kBeforeAll = INT64_MIN;

  HashView(const Entry& entry, int64_t now_ms) : entry_(entry), now_ms_(now_ms) {}

  // Fields, with those that are due and not removed yet. O(1) in a table.
  size_t size() const {
    return is_table(encoding()) ? table().size() : PackedFields(entry_).count();
  }
  // Whether fields may be due that are not removed yet.
  bool has_due() const {
    return is_expiring(encoding()) && now_ms_ > 0 &&
           field_mark(entry_) < static_cast<uint64_t>(now_ms_);
  }
  // Fields that are not due. O(fields) when some are.
  size_t live_size() const;
  // Bytes of names and values, about.
  size_t bytes() const {
    return is_table(encoding()) ? table().bytes() : PackedBytes::of(entry_).size();
  }

  struct Field {
    std::string_view name;
    std::string_view value;
    int64_t expire_at_ms;  // kNoExpiry
  };
  // Digits of a packed integer are written to `room`, kIntegerDigitsMax bytes; the name stays that
  // of the caller. None: absent, or due.
  std::optional<Field> find(std::string_view name, char* room) const {
    std::optional<Field> field;
    if (is_table(encoding())) {
      if (const HashField* found = table().find(name)) {
        field = {name, found->value(), found->expire_at_ms()};
      }
    } else if (const auto found = PackedFields(entry_).find(name)) {
      field = {name, found->value.text(room), found->expire_at_ms};
    }
    if (field && is_due(field->expire_at_ms)) field.reset();
    return field;
  }
  // visit(const Field&) for each field that is not due; the views live as long as the visit.
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    if (is_table(encoding())) {
      table().for_each([&](const HashField* field) { visit_table_field(*field, visit); });
    } else {
      PackedFields(entry_).for_each([&](const PackedFields::Field& field) {
        if (is_due(field.expire_at_ms)) return;
        char name[kIntegerDigitsMax];
        char value[kIntegerDigitsMax];
        visit(Field{field.name.text(name), field.value.text(value), field.expire_at_ms});
      });
    }
  }
  // As for_each() over a part: returns where to go on, 0 at the end; see containers/table.h. A
  // packed hash is one part.
  template <class Visitor>
  uint64_t scan(uint64_t cursor, Visitor&& visit) const {
    if (is_table(encoding())) {
      return table().scan(cursor,
                          [&](const HashField* field) { visit_table_field(*field, visit); });
    }
    for_each(visit);
    return 0;
  }
  HashEncoding encoding() const { return hash_encoding(entry_); }
  const HashTable& table() const { return *entry_.pointer<const HashTable>(); }
  PackedFields packed() const { return PackedFields(entry_); }
  bool is_due(int64_t expire_at_ms) const { return expire_at_ms >= 0 && expire_at_ms < now_ms_; }

 private:
  template <class Visitor>
  void visit_table_field(const HashField& field, Visitor& visit) const {
    const int64_t expire_at_ms = field.expire_at_ms();
    if (!is_due(expire_at_ms)) visit(Field{field.name(), field.value(), expire_at_ms});
  }

  const Entry& entry_;
  int64_t now_ms_;
};

// A hash for changes. It holds the cell, since an edit may move the entry; dead once the table
// changes otherwise. It knows no time: a field is there until it is removed. After edits that may
// have lowered field_mark() the keyspace must be told (Keyspace::lower_mark); whether the hash has
// expiries, edits count themselves (ValueHome::expiring_hashes).
class HashValue {
 public:
  static constexpr TypeId kType = TypeId::kHash;
  // An empty hash; whoever leaves it empty removes it.
  static Entry* create(const ValueHome& home, EntryParts parts);

  HashValue(const ValueHome& home, containers::Cell& cell) : home_(home), cell_(cell) {}

  Entry& entry() const { return *static_cast<Entry*>(cell_.pointer()); }
  containers::Cell& cell() { return cell_; }
  HashView view() const { return {entry(), HashView::kBeforeAll}; }
  bool empty() const;

  // Sets a field; true: it is new. `expire_at_ms` is > 0, kNoExpiry or kKeepExpiry.
  bool set(std::string_view name, std::string_view value, int64_t expire_at_ms = kNoExpiry);
  bool erase(std::string_view name);  // false: absent
  // > 0; kNoExpiry takes it away. REQUIRES: the field is there.
  void set_expiry(std::string_view name, int64_t expire_at_ms);
  // Asks for the memory that set() of this name reads first.
  void prefetch(std::string_view name) const {
    if (is_table(hash_encoding(entry()))) table().prefetch(name);
  }

  // Removes the field if expiry < now_ms; true: it did.
  bool erase_due(std::string_view name, int64_t now_ms);
  // Removes fields with expiry < now_ms, about `max` at most, and appends their names to `names`
  // unless that is null. When all are gone, field_mark() >= now_ms. Returns how many.
  // REQUIRES: has_expiring_fields().
  size_t take_due(int64_t now_ms, size_t max, std::vector<std::string>* names);

 private:
  HashTable& table() const { return *entry().pointer<HashTable>(); }
  bool put(std::string_view name, std::string_view value, int64_t expire_at_ms);
  void has_grown() const;
  void has_shrunk(size_t removed) const;
  bool fits_packed(std::string_view name, std::string_view value) const;
  bool has_packed_room(std::string_view name, std::string_view value, size_t added) const;
  void become_table();
  void become_expiring();
  void set_mark(uint64_t mark);
  void note_packed_expiry(int64_t old_ms, int64_t expire_at_ms);

  const ValueHome& home_;
  containers::Cell& cell_;
};

// A hash built from what a file or a client says it holds.
class HashBuilder {
 public:
  // `expiring`: fields may come with an expiry.
  HashBuilder(const ValueHome& home, bool expiring);
  ~HashBuilder();
  HashBuilder(const HashBuilder&) = delete;
  HashBuilder& operator=(const HashBuilder&) = delete;

  // `expire_at_ms` is > 0 or kNoExpiry. Code::kCorrupt: a second field of that name, as far as it
  // is known by now; an expiry that was not to be expected. REQUIRES: both texts fit kBulkBytesMax.
  Status add(std::string_view name, std::string_view value, int64_t expire_at_ms);
  bool empty() const { return table_ == nullptr && names_.empty(); }
  // The entry; `parts` brings key, expiry and access clock. Code::kCorrupt: no field, or two of one
  // name. Called once.
  Result<Entry*> finish(EntryParts parts);

 private:
  const ValueHome& home_;
  bool expiring_;
  HashTable* table_ = nullptr;   // null: packed so far
  std::string run_;              // the packed form
  std::vector<uint64_t> names_;  // hashes of the names in `run_`
  uint64_t mark_ = containers::kNoMark;
};

const ValueType& hash_type();

}  // namespace roxdb::types
