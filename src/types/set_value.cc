#include "types/set_value.h"

#include <algorithm>
#include <string>

#include "base/limits.h"

namespace roxdb::types {
namespace {

namespace packed = containers::packed;

// Redis's bound for a listpack, whatever the limits are.
constexpr size_t kPackedSetBytesMax = size_t{1} << 30;

constexpr Status kNotSaved{Code::kCorrupt, 0, "a set is not what was written"};

// `encoding` as entries have it.
EntryParts with_packed(EntryParts parts, uint8_t encoding) {
  parts.type = TypeId::kSet;
  parts.encoding = encoding;
  parts.has_payload = false;
  parts.inline_bytes = {};
  return parts;
}

EntryParts with_table(EntryParts parts, const SetTable* table) {
  parts.type = TypeId::kSet;
  parts.encoding = static_cast<uint8_t>(SetEncoding::kTable);
  parts.has_payload = true;
  parts.payload = reinterpret_cast<uintptr_t>(table);
  parts.inline_bytes = {};
  return parts;
}

size_t width_of(int64_t value) {
  if (value == static_cast<int16_t>(value)) return 2;
  return value == static_cast<int32_t>(value) ? 4 : 8;
}

size_t limit(int64_t setting) { return static_cast<size_t>(setting); }

void release_value(uint64_t payload, SetEncoding encoding, memory::BlockSink& sink) {
  if (encoding == SetEncoding::kTable) {
    SetTable::destroy(reinterpret_cast<SetTable*>(static_cast<uintptr_t>(payload)), sink);
  } else {
    PackedBytes::release(payload, sink);
  }
}

class SetType final : public ValueType {
 public:
  TypeId id() const override { return TypeId::kSet; }
  std::string_view name() const override { return "set"; }
  std::string_view encoding_name(const Entry& entry) const override {
    switch (SetView(entry).encoding()) {
      case SetEncoding::kIntegers:
        return "intset";
      case SetEncoding::kPacked:
        return "listpack";
      case SetEncoding::kTable:
        break;
    }
    return "hashtable";
  }

  size_t size(const Entry& entry) const override { return SetView(entry).size(); }
  size_t payload_bytes(const Entry& entry, size_t /*samples*/) const override {
    if (SetView(entry).encoding() != SetEncoding::kTable) return PackedBytes::payload_bytes(entry);
    return entry.pointer<const SetTable>()->occupied_bytes();
  }
  size_t free_effort(const Entry& entry) const override {
    const SetView view(entry);
    return view.encoding() == SetEncoding::kTable ? view.size() : 1;
  }
  void release_payload(uint64_t payload, uint8_t encoding, memory::BlockSink& sink) const override {
    release_value(payload, static_cast<SetEncoding>(encoding), sink);
  }

  void look_ahead(const Entry& entry, std::string_view member,
                  containers::Lookahead& ahead) const override {
    if (SetView(entry).encoding() == SetEncoding::kTable) {
      entry.pointer<const SetTable>()->look_ahead(member, ahead);
    } else {
      PackedBytes::look_ahead(entry);
    }
  }

  std::optional<containers::TableStatistics> table_statistics(const Entry& entry) const override {
    if (SetView(entry).encoding() != SetEncoding::kTable) return std::nullopt;
    return entry.pointer<const SetTable>()->statistics();
  }

  void save(const Entry& entry, ValueWriter& out) const override {
    const SetView view(entry);
    out.varint(view.size());
    view.for_each([&out](std::string_view member) { out.text(member); });
  }

  Result<Entry*> load(ValueReader& in, EntryParts parts, const ValueHome& home) const override {
    ROX_TRY(const uint64_t count, in.varint());
    if (count == 0) return kNotSaved;
    ScratchSet set(home, parts);
    std::string member;
    for (uint64_t i = 0; i < count; ++i) {
      ROX_TRY(in.text(member, kBulkBytesMax));
      if (!set.value().add(member)) return kNotSaved;
    }
    return set.take();
  }

  Entry* copy(const Entry& entry, EntryParts parts, const ValueHome& home) const override {
    if (SetView(entry).encoding() != SetEncoding::kTable) {
      return PackedBytes::create(home.slabs, with_packed(parts, entry.encoding()),
                                 PackedBytes::of(entry));
    }
    const SetTable* table = SetTable::copy(home, *entry.pointer<const SetTable>());
    return Entry::create(home.slabs, with_table(parts, table));
  }
};

}  // namespace

// ---- reading ----

size_t IntegerRun::lower_bound(int64_t value) const {
  size_t first = 0;
  for (size_t count = size(); count > 0;) {
    const size_t half = count / 2;
    if (at(first + half) < value) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return first;
}

size_t SetView::size() const {
  switch (encoding()) {
    case SetEncoding::kIntegers:
      return integers().size();
    case SetEncoding::kPacked:
      return packed::count(run());
    case SetEncoding::kTable:
      break;
  }
  return table().size();
}

bool SetView::contains(std::string_view member) const {
  switch (encoding()) {
    case SetEncoding::kIntegers: {
      const auto value = parse_int64(member);
      return value && integers().contains(*value);
    }
    case SetEncoding::kPacked:
      return packed::find(run(), packed::Encoded(member)) != packed::kNotFound;
    case SetEncoding::kTable:
      break;
  }
  return table().contains(member);
}

std::string_view SetView::sample(Random& random, char* room) const {
  switch (encoding()) {
    case SetEncoding::kIntegers: {
      const IntegerRun run = integers();
      return {room, print_int64(run.at(random.below(run.size())), room)};
    }
    case SetEncoding::kPacked: {
      const std::string_view all = run();
      return packed::read(all, packed::skip(all, 0, random.below(packed::count(all)))).text(room);
    }
    case SetEncoding::kTable:
      break;
  }
  return table().sample(random)->bytes();
}

size_t SetView::bytes() const {
  if (encoding() == SetEncoding::kTable) return table().occupied_bytes();
  return run().size() + kIntegerDigitsMax * size();
}

// ---- changes ----

Entry* SetValue::create(const ValueHome& home, EntryParts parts) {
  constexpr auto kEncoding = static_cast<uint8_t>(SetEncoding::kIntegers);
  return PackedBytes::create(home.slabs, with_packed(parts, kEncoding), "");
}

void SetValue::expect(size_t members) {
  const Limits& limits = home_->limits;
  const SetEncoding encoding = view().encoding();
  if (encoding == SetEncoding::kIntegers && members > limit(limits.set_integers)) {
    if (view().size() == 0 && members <= limit(limits.set_packed_entries)) {
      make_packed();
    } else {
      make_table();
    }
  } else if (encoding == SetEncoding::kPacked && members > limit(limits.set_packed_entries)) {
    make_table();
  }
}

bool SetValue::add(std::string_view member) {
  if (!insert(member)) return false;
  if (home_->sizes != nullptr) {
    const size_t size = view().size();
    home_->resized(kType, size - 1, size);
  }
  return true;
}

bool SetValue::insert(std::string_view member) {
  switch (view().encoding()) {
    case SetEncoding::kIntegers: {
      if (const auto value = parse_int64(member)) return add_integer(*value);
      const size_t count = view().size();
      const size_t longest = count == 0 ? 0 : kIntegerDigitsMax;
      if (count < limit(home_->limits.set_packed_entries) &&
          count * kIntegerDigitsMax + member.size() <= kPackedSetBytesMax &&
          std::max(member.size(), longest) <= limit(home_->limits.set_packed_value_bytes)) {
        make_packed();
        return add_packed(member);
      }
      make_table();
      break;
    }
    case SetEncoding::kPacked: {
      const std::string_view run = PackedBytes::of(entry());
      if (packed::find(run, packed::Encoded(member)) != packed::kNotFound) return false;
      if (member.size() <= limit(home_->limits.set_packed_value_bytes) &&
          packed::count(run) < limit(home_->limits.set_packed_entries) &&
          run.size() + member.size() <= kPackedSetBytesMax) {
        return add_packed(member);
      }
      make_table();
      break;
    }
    case SetEncoding::kTable:
      break;
  }
  return table().add(home_->slabs, member);
}

bool SetValue::add_integer(int64_t value) {
  PackedBytes bytes(*home_, *cell_);
  const IntegerRun run = view().integers();
  const size_t index = run.lower_bound(value);
  if (index < run.size() && run.at(index) == value) return false;
  const size_t width = std::max(width_of(value), run.width());
  if (run.size() >= limit(home_->limits.set_integers) ||
      (run.size() + 1) * width > kPackedSetBytesMax) {
    make_table();
    char room[kIntegerDigitsMax];
    return table().add(home_->slabs, {room, print_int64(value, room)});
  }
  if (width == run.width()) {
    std::memcpy(bytes.splice(run.offset(index), 0, width), &value, width);
    return true;
  }
  // A value beyond the old width is an end of the run.
  std::string wider((run.size() + 1) * width, '\0');
  for (size_t i = 0; i <= run.size(); ++i) {
    const int64_t next = i == index ? value : run.at(i < index ? i : i - 1);
    std::memcpy(wider.data() + i * width, &next, width);
  }
  wider.copy(bytes.splice(0, bytes.bytes().size(), wider.size()), wider.size());
  entry().set_encoding(width == 4 ? kIntegersOf4 : kIntegersOf8);
  return true;
}

// REQUIRES: absent, and within the limits.
bool SetValue::add_packed(std::string_view member) {
  PackedBytes bytes(*home_, *cell_);
  const packed::Encoded encoded(member);
  encoded.write(bytes.splice(bytes.bytes().size(), 0, encoded.size()));
  return true;
}

bool SetValue::remove(std::string_view member) {
  if (!take_out(member)) return false;
  if (home_->sizes != nullptr) {
    const size_t size = view().size();
    home_->resized(kType, size + 1, size);
  }
  return true;
}

bool SetValue::take_out(std::string_view member) {
  switch (view().encoding()) {
    case SetEncoding::kIntegers: {
      const auto value = parse_int64(member);
      const IntegerRun run = view().integers();
      if (!value || !run.contains(*value)) return false;
      PackedBytes(*home_, *cell_).splice(run.offset(run.lower_bound(*value)), run.width(), 0);
      return true;
    }
    case SetEncoding::kPacked: {
      const packed::Encoded encoded(member);
      const size_t at = packed::find(PackedBytes::of(entry()), encoded);
      if (at == packed::kNotFound) return false;
      PackedBytes(*home_, *cell_).splice(at, encoded.size(), 0);
      return true;
    }
    case SetEncoding::kTable:
      break;
  }
  return table().remove(home_->slabs, member);
}

std::string_view SetValue::pop(Random& random, std::string& text) {
  char room[kIntegerDigitsMax];
  text = view().sample(random, room);
  remove(text);
  return text;
}

void SetValue::make_packed() {
  std::string run;
  view().for_each([&run](std::string_view member) {
    const packed::Encoded encoded(member);
    const size_t at = run.size();
    run.resize(at + encoded.size());
    encoded.write(run.data() + at);
  });
  PackedBytes bytes(*home_, *cell_);
  run.copy(bytes.splice(0, bytes.bytes().size(), run.size()), run.size());
  entry().set_encoding(static_cast<uint8_t>(SetEncoding::kPacked));
}

void SetValue::make_table() {
  Entry* const old = &entry();
  SetTable* const table = SetTable::create(*home_);
  view().for_each([&](std::string_view member) { table->add(home_->slabs, member); });
  cell_->set_pointer(Entry::create(home_->slabs, with_table(old->parts(), table)));
  if (old->has_payload()) {
    memory::SlabSink sink(home_->slabs);
    PackedBytes::release(old->payload(), sink);
  }
  Entry::destroy(home_->slabs, old);
}

// ---- a set that is no key yet ----

ScratchSet::ScratchSet(const ValueHome& home, const EntryParts& parts) : home_(home.aside()) {
  cell_.set_pointer(SetValue::create(home, parts));
}

ScratchSet::~ScratchSet() {
  auto* const entry = static_cast<Entry*>(cell_.pointer());
  if (entry == nullptr) return;
  if (entry->has_payload()) {
    memory::SlabSink sink(home_.slabs);
    release_value(entry->payload(), view().encoding(), sink);
  }
  Entry::destroy(home_.slabs, entry);
}

Entry* ScratchSet::take() {
  auto* const entry = static_cast<Entry*>(cell_.pointer());
  cell_.set_pointer(nullptr);
  return entry;
}

const ValueType& set_type() {
  static const SetType kType;
  return kType;
}

}  // namespace roxdb::types
