#include "types/hash_value.h"

#include <algorithm>

#include "base/limits.h"

namespace roxdb::types {
namespace {

namespace packed = containers::packed;
using containers::kNoMark;
using packed::Encoded;

constexpr Status kNotSaved{Code::kCorrupt, 0, "a hash is not what was written"};

// Beyond this a hash is a table, whatever the limits say: every edit of a packed one moves bytes.
constexpr size_t kPackedHashBytesMax = size_t{1} << 30;

uint64_t mark_of(int64_t expire_at_ms) {
  return expire_at_ms >= 0 ? static_cast<uint64_t>(expire_at_ms) : kNoMark;
}

// An expiry as an element of the run.
Encoded encoded_expiry(int64_t expire_at_ms) { return Encoded(std::max<int64_t>(expire_at_ms, 0)); }

std::string_view mark_bytes(const uint64_t& mark) {
  return {reinterpret_cast<const char*>(&mark), sizeof mark};
}

void append(std::string& run, const Encoded& element) {
  const size_t at = run.size();
  run.resize(at + element.size());
  element.write(run.data() + at);
}

void append(std::string& run, const PackedFields::Field& field, bool expiring) {
  packed::Text name(field.name);
  packed::Text value(field.value);
  append(run, Encoded(name.view()));
  append(run, Encoded(value.view()));
  if (expiring) append(run, encoded_expiry(field.expire_at_ms));
}

void fill(HashTable& table, memory::Slabs& slabs, const PackedFields& fields) {
  fields.for_each([&](const PackedFields::Field& field) {
    packed::Text name(field.name);
    packed::Text value(field.value);
    table.set(slabs, name, value, field.expire_at_ms);
  });
}

EntryParts with_table(EntryParts parts, const HashTable* table, bool expiring) {
  parts.type = TypeId::kHash;
  parts.encoding =
      static_cast<uint8_t>(expiring ? HashEncoding::kTableExpiring : HashEncoding::kTable);
  parts.has_payload = true;
  parts.payload = reinterpret_cast<uintptr_t>(table);
  parts.inline_bytes = {};
  return parts;
}

Entry* create_packed(const ValueHome& home, EntryParts parts, std::string_view bytes,
                     bool expiring) {
  parts.type = TypeId::kHash;
  parts.encoding =
      static_cast<uint8_t>(expiring ? HashEncoding::kPackedExpiring : HashEncoding::kPacked);
  return PackedBytes::create(home.slabs, parts, bytes);
}

// Around an edit, which may give a hash its first expiry or take its last.
class Recount {
 public:
  Recount(const ValueHome& home, const containers::Cell& cell)
      : home_(home), cell_(cell), before_(has()) {}
  ~Recount() {
    if (home_.expiring_hashes != nullptr) *home_.expiring_hashes += size_t{has()} - before_;
  }
  Recount(const Recount&) = delete;
  Recount& operator=(const Recount&) = delete;

 private:
  bool has() const { return has_field_expiry(*static_cast<const Entry*>(cell_.pointer())); }

  const ValueHome& home_;
  const containers::Cell& cell_;
  const size_t before_;
};

class HashType final : public ValueType {
 public:
  TypeId id() const override { return TypeId::kHash; }
  std::string_view name() const override { return "hash"; }
  std::string_view encoding_name(const Entry& entry) const override {
    switch (hash_encoding(entry)) {
      case HashEncoding::kPacked:
        return "listpack";
      case HashEncoding::kPackedExpiring:
        return "listpackex";
      case HashEncoding::kTable:
      case HashEncoding::kTableExpiring:
        break;
    }
    return "hashtable";
  }

  size_t size(const Entry& entry) const override {
    return HashView(entry, HashView::kBeforeAll).size();
  }
  size_t payload_bytes(const Entry& entry, size_t /*samples*/) const override {
    return is_table(hash_encoding(entry)) ? entry.pointer<const HashTable>()->occupied_bytes()
                                          : PackedBytes::payload_bytes(entry);
  }
  size_t free_effort(const Entry& entry) const override {
    return is_table(hash_encoding(entry)) ? entry.pointer<const HashTable>()->size() : 1;
  }
  void release_payload(uint64_t payload, uint8_t encoding, memory::BlockSink& sink) const override {
    if (is_table(static_cast<HashEncoding>(encoding))) {
      HashTable::destroy(reinterpret_cast<HashTable*>(static_cast<uintptr_t>(payload)), sink);
    } else {
      PackedBytes::release(payload, sink);
    }
  }

  void look_ahead(const Entry& entry, std::string_view member,
                  containers::Lookahead& ahead) const override {
    if (is_table(hash_encoding(entry))) {
      entry.pointer<const HashTable>()->look_ahead(member, ahead);
    } else {
      PackedBytes::look_ahead(entry);
    }
  }

  std::optional<containers::TableStatistics> table_statistics(const Entry& entry) const override {
    if (!is_table(hash_encoding(entry))) return std::nullopt;
    return entry.pointer<const HashTable>()->statistics();
  }

  void save(const Entry& entry, ValueWriter& out) const override {
    const HashView view(entry, HashView::kBeforeAll);
    const bool expiring = is_expiring(view.encoding());
    out.varint(2 * view.size() + size_t{expiring});
    view.for_each([&](const HashView::Field& field) {
      out.text(field.name);
      out.text(field.value);
      if (expiring) out.varint(static_cast<uint64_t>(std::max<int64_t>(field.expire_at_ms, 0)));
    });
  }

  Result<Entry*> load(ValueReader& in, EntryParts parts, const ValueHome& home) const override {
    ROX_TRY(const uint64_t head, in.varint());
    const bool expiring = (head & 1) != 0;
    HashBuilder builder(home, expiring);
    std::string name;
    std::string value;
    for (uint64_t left = head / 2; left > 0; --left) {
      ROX_TRY(in.text(name, kBulkBytesMax));
      ROX_TRY(in.text(value, kBulkBytesMax));
      uint64_t expiry = 0;
      if (expiring) {
        ROX_TRY(expiry, in.varint());
        if (expiry > INT64_MAX) return kNotSaved;
      }
      ROX_TRY(builder.add(name, value, expiry == 0 ? kNoExpiry : static_cast<int64_t>(expiry)));
    }
    return builder.finish(parts);
  }

  Entry* copy(const Entry& entry, EntryParts parts, const ValueHome& home) const override {
    const HashEncoding encoding = hash_encoding(entry);
    if (!is_table(encoding)) {
      return create_packed(home, parts, PackedBytes::of(entry), is_expiring(encoding));
    }
    const HashTable* table = HashTable::copy(home, *entry.pointer<const HashTable>());
    return Entry::create(home.slabs, with_table(parts, table, is_expiring(encoding)));
  }
};

}  // namespace

// --- reading ---------------------------------------------------------------------------------

size_t HashView::live_size() const {
  if (!has_due()) return size();
  size_t count = 0;
  for_each([&](const Field&) { count++; });
  return count;
}

// --- changes ---------------------------------------------------------------------------------

Entry* HashValue::create(const ValueHome& home, EntryParts parts) {
  return create_packed(home, parts, {}, false);
}

bool HashValue::empty() const {
  return is_table(hash_encoding(entry())) ? table().size() == 0
                                          : PackedFields(entry()).run().empty();
}

// Whether the limits allow these texts in a packed hash.
bool HashValue::fits_packed(std::string_view name, std::string_view value) const {
  const size_t bytes_max = home_.limits.hash_packed_value_bytes;
  return name.size() <= bytes_max && value.size() <= bytes_max;
}

// Whether the limits, which may be lower than they were, allow `added` more fields.
bool HashValue::has_packed_room(std::string_view name, std::string_view value, size_t added) const {
  const PackedFields fields(entry());
  if (fields.run().size() + name.size() + value.size() > kPackedHashBytesMax) return false;
  const auto count_max = static_cast<size_t>(home_.limits.hash_packed_entries);
  // A field takes two bytes at least: few bytes need no counting.
  return fields.run().size() / 2 + added <= count_max || fields.count() + added <= count_max;
}

// By one field.
void HashValue::has_grown() const {
  if (home_.sizes == nullptr) return;  // a packed hash would be walked for nothing
  const size_t size = view().size();
  home_.resized(kType, size - 1, size);
}

void HashValue::has_shrunk(size_t removed) const {
  if (home_.sizes == nullptr) return;
  const size_t size = view().size();
  home_.resized(kType, size + removed, size);
}

bool HashValue::set(std::string_view name, std::string_view value, int64_t expire_at_ms) {
  const Recount recount(home_, cell_);
  const bool is_new = put(name, value, expire_at_ms);
  if (is_new) has_grown();
  return is_new;
}

bool HashValue::put(std::string_view name, std::string_view value, int64_t expire_at_ms) {
  if (expire_at_ms >= 0) become_expiring();
  if (!is_table(hash_encoding(entry()))) {
    if (!fits_packed(name, value)) become_table();
  }
  if (is_table(hash_encoding(entry()))) {
    return table().set(home_.slabs, name, value, expire_at_ms);
  }
  const bool expiring = has_expiring_fields(entry());
  const Encoded fresh_value(value);
  const std::optional<PackedFields::Field> old = PackedFields(entry()).find(name);
  if (!has_packed_room(name, value, old ? 0 : 1)) {
    become_table();
    return table().set(home_.slabs, name, value, expire_at_ms);
  }
  const int64_t old_ms = old ? old->expire_at_ms : kNoExpiry;
  if (expire_at_ms == kKeepExpiry) expire_at_ms = old_ms;
  const Encoded expiry = encoded_expiry(expire_at_ms);
  const size_t value_bytes = fresh_value.size() + (expiring ? expiry.size() : 0);
  const size_t run_begin = expiring ? PackedFields::kMarkBytes : 0;
  PackedBytes bytes(home_, cell_);
  char* out;
  if (old) {
    const size_t at = old->name.next();
    out = bytes.splice(run_begin + at, old->end - at, value_bytes);
  } else {
    const Encoded fresh_name(name);
    out = bytes.splice(bytes.bytes().size(), 0, fresh_name.size() + value_bytes);
    out = fresh_name.write(out);
  }
  out = fresh_value.write(out);
  if (expiring) {
    expiry.write(out);
    note_packed_expiry(old_ms, expire_at_ms);
  }
  return !old;
}

bool HashValue::erase(std::string_view name) {
  const Recount recount(home_, cell_);
  if (is_table(hash_encoding(entry()))) {
    if (!table().erase(home_.slabs, name)) return false;
  } else {
    const auto field = PackedFields(entry()).find(name);
    if (!field) return false;
    const bool expiring = has_expiring_fields(entry());
    const size_t run_begin = expiring ? PackedFields::kMarkBytes : 0;
    PackedBytes(home_, cell_).splice(run_begin + field->begin, field->end - field->begin, 0);
    if (expiring) note_packed_expiry(field->expire_at_ms, kNoExpiry);
  }
  has_shrunk(1);
  return true;
}

void HashValue::set_expiry(std::string_view name, int64_t expire_at_ms) {
  const Recount recount(home_, cell_);
  if (expire_at_ms >= 0) become_expiring();
  if (!has_expiring_fields(entry())) return;  // none to take away
  if (is_table(hash_encoding(entry()))) {
    table().set_expiry(home_.slabs, name, expire_at_ms);
    return;
  }
  const auto field = PackedFields(entry()).find(name);
  ROX_ASSERT(field.has_value());
  const size_t at = field->value.next();
  const Encoded expiry = encoded_expiry(expire_at_ms);
  expiry.write(PackedBytes(home_, cell_)
                   .splice(PackedFields::kMarkBytes + at, field->end - at, expiry.size()));
  note_packed_expiry(field->expire_at_ms, expire_at_ms);
}

bool HashValue::erase_due(std::string_view name, int64_t now_ms) {
  if (!has_expiring_fields(entry())) return false;
  char room[kIntegerDigitsMax];
  const auto field = view().find(name, room);
  return field && HashView(entry(), now_ms).is_due(field->expire_at_ms) && erase(name);
}

size_t HashValue::take_due(int64_t now_ms, size_t max, std::vector<std::string>* names) {
  const Recount recount(home_, cell_);
  if (is_table(hash_encoding(entry()))) {
    const size_t taken = table().take_due(home_.slabs, now_ms, max, names);
    has_shrunk(taken);
    return taken;
  }
  if (now_ms <= 0 || field_mark(entry()) >= static_cast<uint64_t>(now_ms)) return 0;
  // A packed hash is short: one walk, whatever `max` says.
  const HashView at_now(entry(), now_ms);
  uint64_t mark = kNoMark;
  std::string kept;
  size_t taken = 0;
  PackedFields(entry()).for_each([&](const PackedFields::Field& field) {
    if (at_now.is_due(field.expire_at_ms)) {
      taken++;
      if (names != nullptr) names->emplace_back(packed::Text(field.name).view());
    } else {
      mark = std::min(mark, mark_of(field.expire_at_ms));
      append(kept, field, true);
    }
  });
  PackedBytes bytes(home_, cell_);
  char* out = bytes.splice(PackedFields::kMarkBytes,
                           bytes.bytes().size() - PackedFields::kMarkBytes, kept.size());
  if (!kept.empty()) std::memcpy(out, kept.data(), kept.size());
  set_mark(mark);
  has_shrunk(taken);
  return taken;
}

void HashValue::become_table() {
  Entry& old = entry();
  const bool expiring = has_expiring_fields(old);
  HashTable* table = HashTable::create(home_);
  fill(*table, home_.slabs, PackedFields(old));
  cell_.set_pointer(Entry::create(home_.slabs, with_table(old.parts(), table, expiring)));
  if (old.has_payload()) {
    memory::SlabSink sink(home_.slabs);
    PackedBytes::release(old.payload(), sink);
  }
  Entry::destroy(home_.slabs, &old);
}

void HashValue::become_expiring() {
  const HashEncoding encoding = hash_encoding(entry());
  if (is_expiring(encoding)) return;
  if (encoding == HashEncoding::kTable) {
    entry().set_encoding(static_cast<uint8_t>(HashEncoding::kTableExpiring));
    return;
  }
  std::string rebuilt(mark_bytes(kNoMark));
  PackedFields(entry()).for_each(
      [&](const PackedFields::Field& field) { append(rebuilt, field, true); });
  PackedBytes bytes(home_, cell_);
  std::memcpy(bytes.splice(0, bytes.bytes().size(), rebuilt.size()), rebuilt.data(),
              rebuilt.size());
  entry().set_encoding(static_cast<uint8_t>(HashEncoding::kPackedExpiring));
}

void HashValue::set_mark(uint64_t mark) {
  std::memcpy(PackedBytes(home_, cell_).data(), &mark, sizeof mark);
}

// A field of a packed hash had one expiry and has another. The one that goes may be the last.
void HashValue::note_packed_expiry(int64_t old_ms, int64_t expire_at_ms) {
  uint64_t mark = std::min(field_mark(entry()), mark_of(expire_at_ms));
  if (old_ms >= 0 && expire_at_ms < 0) {
    mark = kNoMark;
    PackedFields(entry()).for_each([&mark](const PackedFields::Field& field) {
      mark = std::min(mark, mark_of(field.expire_at_ms));
    });
  }
  if (mark != field_mark(entry())) set_mark(mark);
}

// --- building --------------------------------------------------------------------------------

HashBuilder::HashBuilder(const ValueHome& home, bool expiring) : home_(home), expiring_(expiring) {
  if (expiring) run_ = mark_bytes(kNoMark);
}

HashBuilder::~HashBuilder() {
  if (table_ == nullptr) return;
  memory::SlabSink sink(home_.slabs);
  HashTable::destroy(table_, sink);
}

Status HashBuilder::add(std::string_view name, std::string_view value, int64_t expire_at_ms) {
  if (expire_at_ms >= 0 && !expiring_) return kNotSaved;
  const size_t bytes_max = home_.limits.hash_packed_value_bytes;
  if (table_ == nullptr &&
      (name.size() > bytes_max || value.size() > bytes_max ||
       names_.size() >= static_cast<size_t>(home_.limits.hash_packed_entries) ||
       run_.size() + name.size() + value.size() > kPackedHashBytesMax)) {
    table_ = HashTable::create(home_);
    fill(*table_, home_.slabs, PackedFields(run_, expiring_));
    if (table_->size() != names_.size()) return kNotSaved;
  }
  if (table_ != nullptr) {
    return table_->set(home_.slabs, name, value, expire_at_ms) ? kOk : kNotSaved;
  }
  append(run_, Encoded(name));
  append(run_, Encoded(value));
  if (expiring_) append(run_, encoded_expiry(expire_at_ms));
  names_.push_back(hash_bytes(name, home_.secret));
  mark_ = std::min(mark_, mark_of(expire_at_ms));
  return kOk;
}

Result<Entry*> HashBuilder::finish(EntryParts parts) {
  if (table_ != nullptr) {
    return Entry::create(home_.slabs, with_table(parts, std::exchange(table_, nullptr), expiring_));
  }
  if (names_.empty()) return kNotSaved;
  std::sort(names_.begin(), names_.end());
  // Two names with one hash of 64 keyed bits are one name.
  if (std::adjacent_find(names_.begin(), names_.end()) != names_.end()) return kNotSaved;
  if (expiring_) std::memcpy(run_.data(), &mark_, sizeof mark_);
  return create_packed(home_, parts, run_, expiring_);
}

const ValueType& hash_type() {
  static const HashType kType;
  return kType;
}

}  // namespace roxdb::types
