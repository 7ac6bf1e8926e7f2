#include "engine/keyspace.h"

#include "base/assert.h"
#include "types/string_value.h"

namespace roxdb::engine {
namespace {

// A value whose release takes more steps than this is not freed between two commands.
constexpr size_t kFreeEffortMax = 64;

const types::ValueType& type_of(const Entry& entry) {
  const types::ValueType* type = types::value_type(entry.type());
  ROX_ASSERT(type != nullptr);
  return *type;
}

}  // namespace

Keyspace::~Keyspace() {
  // What lies in the slabs they free themselves, all at once.
  memory::DyingSlabsSink sink;
  table_.for_each([&sink](Entry* entry) {
    if (entry->has_payload()) {
      type_of(*entry).release_payload(entry->payload(), entry->encoding(), sink);
    }
    sink.give(entry, entry->size());
  });
  for (const Trash& trash : trash_) {
    types::value_type(trash.type)->release_payload(trash.payload, trash.encoding, sink);
  }
}

Cell* Keyspace::insert(const Key& key, Entry* entry) {
  Cell* cell = table_.insert(key.hash, entry);
  count_in(*entry);
  return cell;
}

void Keyspace::count_in(const Entry& entry) {
  expires_ += size_t{entry.has_expiry()};
  expiring_hashes_ += size_t{types::has_field_expiry(entry)};
  if (types::KeySizes::counts(entry.type())) sizes_.add(entry.type(), size_of(entry));
}

void Keyspace::count_out(const Entry& entry) {
  expires_ -= size_t{entry.has_expiry()};
  expiring_hashes_ -= size_t{types::has_field_expiry(entry)};
  if (types::KeySizes::counts(entry.type())) sizes_.remove(entry.type(), size_of(entry));
}

void Keyspace::replace(const Key& key, Cell& cell, Entry* new_entry) {
  Entry& old = entry(cell);
  count_out(old);
  count_in(*new_entry);
  table_.replace(&cell, new_entry);
  lower_mark(key, *new_entry);
  free_entry(&old);
}

void Keyspace::erase(const Key& key, Cell& cell) { free_entry(take(key, cell)); }

Entry* Keyspace::take(const Key& key, Cell& cell) {
  Entry* taken = table_.erase(key.hash, &cell);
  count_out(*taken);
  return taken;
}

void Keyspace::set_expiry(const Key& key, Cell& cell, int64_t expire_at_ms) {
  Entry* old = &entry(cell);
  if (expire_at_ms >= 0 && old->has_expiry()) {
    old->set_expire_at_ms(expire_at_ms);
    table_.lower_mark(key.hash, static_cast<uint64_t>(expire_at_ms));
    return;
  }
  if (expire_at_ms < 0 && !old->has_expiry()) return;
  EntryParts parts = old->parts();
  parts.expire_at_ms = expire_at_ms;
  Entry* moved = Entry::create(*slabs_, parts);
  table_.replace(&cell, moved);
  Entry::destroy(*slabs_, old);  // the payload lives on in `moved`
  if (expire_at_ms >= 0) {
    expires_++;
    table_.lower_mark(key.hash, static_cast<uint64_t>(expire_at_ms));
  } else {
    expires_--;
  }
}

void Keyspace::free_entry(Entry* entry) {
  if (entry->has_payload()) release_payload(*entry);
  Entry::destroy(*slabs_, entry);
}

// Most values are strings: they are asked without the way through their type.
size_t Keyspace::size_of(const Entry& entry) {
  return entry.type() == TypeId::kString ? types::string_size(entry) : type_of(entry).size(entry);
}

void Keyspace::release_payload(Entry& entry) {
  const types::ValueType& type = type_of(entry);
  if (type.free_effort(entry) > kFreeEffortMax) {
    trash_.push_back({entry.type(), entry.encoding(), entry.payload()});
  } else {
    memory::SlabSink sink(*slabs_);
    type.release_payload(entry.payload(), entry.encoding(), sink);
  }
}

int64_t Keyspace::average_ttl_ms(int64_t now_ms, Random& random) const {
  if (expires_ == 0) return 0;
  constexpr int kSamples = 32;
  double sum = 0;  // two times of the far future overflow an integer
  int found = 0;
  for (int i = 0; i < kSamples; ++i) {
    const Entry* sampled = table_.sample(random);
    if (sampled == nullptr || !sampled->has_expiry() || sampled->expire_at_ms() <= now_ms) continue;
    sum += static_cast<double>(sampled->expire_at_ms() - now_ms);
    found++;
  }
  return found == 0 ? 0 : static_cast<int64_t>(sum / found);
}

void Keyspace::check() const {
  table_.check();
  slabs_->check();
  size_t expires = 0;
  size_t expiring_hashes = 0;
  types::KeySizes sizes;
  table_.for_each([&](Entry* entry) {
    expires += size_t{entry->has_expiry()};
    expiring_hashes += size_t{types::has_field_expiry(*entry)};
    if (types::KeySizes::counts(entry->type())) sizes.add(entry->type(), size_of(*entry));
  });
  ROX_ASSERT(expires == expires_);
  ROX_ASSERT(expiring_hashes == expiring_hashes_);
  ROX_ASSERT(sizes == sizes_);
}

}  // namespace roxdb::engine
