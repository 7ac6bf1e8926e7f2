#include "types/list_value.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/limits.h"

namespace roxdb::types {
namespace {

using containers::BlockList;
using containers::packed::Encoded;
namespace list_run = containers::list_run;
namespace packed = containers::packed;

constexpr uint8_t kPacked = static_cast<uint8_t>(ListEncoding::kPacked);
constexpr uint8_t kBlocks = static_cast<uint8_t>(ListEncoding::kBlocks);
constexpr uint8_t kLongBlocks = static_cast<uint8_t>(ListEncoding::kLongBlocks);

constexpr size_t kCountBytes = 2;  // in front of a packed run
// What Redis counts beside the elements: the head and the end of its listpack.
constexpr size_t kListpackBytes = 7;
constexpr size_t kPieceBytes = 4096;  // of the saved form
constexpr size_t kElementBytesMax = kStringBytesMax + packed::kHeadBytesMax;

uint16_t packed_count(std::string_view bytes) {
  uint16_t count;
  std::memcpy(&count, bytes.data(), sizeof count);
  return count;
}

// list-max-listpack-size: so many elements, or so many bytes. No node of at most 64 KiB has more
// than 65535 elements. list-compress-depth: 65535 stands for all beyond.
BlockList::NodeLimit node_limit(const Limits& limits) {
  constexpr uint32_t kUsualBytes = 8192;
  const auto depth = static_cast<uint16_t>(std::min<int64_t>(limits.list_plain_depth, UINT16_MAX));
  if (limits.list_node_size >= 0) {
    const auto elements = std::clamp<int64_t>(limits.list_node_size, 1, UINT16_MAX);
    return {kUsualBytes, static_cast<uint16_t>(elements), depth};
  }
  const int64_t step = std::min<int64_t>(-limits.list_node_size, 5) - 1;
  return {uint32_t{4096} << step, UINT16_MAX, depth};
}

// Whether Redis would keep so much in one listpack.
bool is_short(const Limits& limits, size_t run_bytes, size_t count) {
  const BlockList::NodeLimit limit = node_limit(limits);
  return count <= limit.elements && run_bytes + kListpackBytes <= limit.bytes;
}
bool is_half_of_short(const Limits& limits, size_t run_bytes, size_t count) {
  const BlockList::NodeLimit limit = node_limit(limits);
  if (limits.list_node_size >= 0) return count <= limit.elements / 2;
  return run_bytes + kListpackBytes <= limit.bytes / 2;
}

// Whether an entry of this key still fits a slab block when so many bytes lie inline.
bool fits_inline(size_t key_bytes, bool has_expiry, size_t inline_bytes, size_t bytes_max) {
  return Entry::size_of(key_bytes, inline_bytes, has_expiry, false) <= bytes_max;
}

BlockList& blocks_of(const Entry& entry) { return *entry.pointer<BlockList>(); }

EntryParts with_blocks(EntryParts parts, uint8_t encoding, BlockList* list) {
  parts.type = TypeId::kList;
  parts.encoding = encoding;
  parts.inline_bytes = {};
  parts.has_payload = true;
  parts.payload = reinterpret_cast<uintptr_t>(list);
  return parts;
}

EntryParts packed_parts(EntryParts parts) {
  parts.type = TypeId::kList;
  parts.encoding = kPacked;
  return parts;
}

}  // namespace

// ---- reading ----

ListView::ListView(const Entry& entry) {
  if (entry.encoding() == kPacked) {
    const std::string_view bytes = PackedBytes::of(entry);
    size_ = packed_count(bytes);
    run_ = bytes.substr(kCountBytes);
  } else {
    list_ = &blocks_of(entry);
    size_ = list_->size();
  }
}

ListCursor ListView::front() const {
  if (list_ != nullptr) return list_->front();
  return {run_, run_.empty() ? nullptr : run_.data()};
}

ListCursor ListView::back() const {
  if (list_ != nullptr) return list_->back();
  const char* const end = run_.data() + run_.size();
  return {run_, run_.empty() ? nullptr : end - list_run::room_before(end)};
}

ListCursor ListView::at(size_t index) const {
  if (list_ != nullptr) return list_->at(index);
  const char* at;
  if (index < size_ / 2) {
    at = run_.data();
    for (size_t i = 0; i < index; ++i) at += list_run::room_at(at);
  } else {
    at = run_.data() + run_.size();
    for (size_t i = size_; i > index; --i) at -= list_run::room_before(at);
  }
  return {run_, at};
}

// ---- from one encoding to another ----

Entry* ListValue::create(const ValueHome& home, EntryParts parts) {
  if (!fits_inline(parts.key.size(), parts.expire_at_ms >= 0, kCountBytes, memory::kSlabBytesMax)) {
    BlockList* const list = BlockList::create(home.slabs);
    return Entry::create(home.slabs, with_blocks(parts, kBlocks, list));
  }
  return PackedBytes::create(home.slabs, packed_parts(parts),
                             std::string_view("\0\0", kCountBytes));
}

BlockList::Supply ListValue::supply() const { return {home_.slabs, node_limit(home_.limits)}; }

// Whether the list can stay packed with what is to come. REQUIRES: is_packed().
bool ListValue::can_stay_packed(size_t added_bytes, size_t added_count) const {
  const std::string_view bytes = PackedBytes::of(entry());
  return fits_inline(entry().key_size(), entry().has_expiry(), bytes.size() + added_bytes,
                     memory::kSlabBytesMax) &&
         is_short(home_.limits, bytes.size() - kCountBytes + added_bytes,
                  packed_count(bytes) + added_count);
}

void ListValue::make_blocks() {
  Entry* const old = &mutable_entry();
  const std::string_view run = PackedBytes::of(*old).substr(kCountBytes);
  BlockList* const list = BlockList::create(home_.slabs);
  list->append_run(supply(), run);
  cell_->set_pointer(Entry::create(home_.slabs, with_blocks(old->parts(), kBlocks, list)));
  if (old->has_payload()) {
    memory::SlabSink sink(home_.slabs);
    PackedBytes::release(old->payload(), sink);
  }
  Entry::destroy(home_.slabs, old);
}

void ListValue::make_packed() {
  Entry* const old = &mutable_entry();
  BlockList* const list = &blocks();
  char bytes[memory::kSlabBytesMax];
  const auto count = static_cast<uint16_t>(list->size());
  std::memcpy(bytes, &count, kCountBytes);
  char* out = bytes + kCountBytes;
  for (BlockList::Place place = list->front(); place; place.next()) {
    const size_t room = list_run::room_at(place.at());
    std::memcpy(out, place.at(), room);
    out += room;
  }
  EntryParts parts = packed_parts(old->parts());
  parts.has_payload = false;
  cell_->set_pointer(
      PackedBytes::create(home_.slabs, parts, {bytes, static_cast<size_t>(out - bytes)}));
  memory::SlabSink sink(home_.slabs);
  BlockList::destroy(list, sink);
  Entry::destroy(home_.slabs, old);
}

// The block list has `added` elements more.
void ListValue::has_grown(size_t added) {
  home_.resized(kType, blocks().size() - added, blocks().size());
  if (entry().encoding() == kBlocks &&
      !is_short(home_.limits, blocks().run_bytes(), blocks().size())) [[unlikely]] {
    mutable_entry().set_encoding(kLongBlocks);
  }
}

// The block list has `removed` elements less.
void ListValue::has_shrunk(size_t removed) {
  home_.resized(kType, blocks().size() + removed, blocks().size());
  if (blocks().size() == 0) return;  // the key goes next
  const size_t run_bytes = blocks().run_bytes();
  if (entry().encoding() == kLongBlocks) {
    if (!is_half_of_short(home_.limits, run_bytes, blocks().size())) return;
    mutable_entry().set_encoding(kBlocks);
  }
  if (fits_inline(entry().key_size(), entry().has_expiry(), kCountBytes + run_bytes,
                  memory::kSlabBytesMax / 2)) {
    make_packed();
  }
}

// ---- edits ----

// As PackedBytes::splice, at an offset of the run; `count` elements more, or less.
char* ListValue::splice(size_t offset, size_t removed, size_t added, ptrdiff_t count) {
  PackedBytes bytes(home_, *cell_);
  char* const out = bytes.splice(kCountBytes + offset, removed, added);
  const uint16_t before = packed_count(bytes.bytes());
  const auto after = static_cast<uint16_t>(before + count);
  std::memcpy(bytes.data(), &after, kCountBytes);
  home_.resized(kType, before, after);
  return out;
}

// In the run. REQUIRES: is_packed().
size_t ListValue::offset_of(const ListCursor& cursor) const {
  return static_cast<size_t>(cursor.at() - view().run_.data());
}

void ListValue::push_front(const Encoded& element) {
  if (is_packed()) {
    const size_t room = list_run::room_of(element);
    if (can_stay_packed(room, 1)) {
      list_run::write(element, splice(0, 0, room, 1));
      return;
    }
    make_blocks();
  }
  blocks().push_front(supply(), element);
  has_grown(1);
}

void ListValue::push_back(const Encoded& element) {
  if (is_packed()) {
    const size_t room = list_run::room_of(element);
    if (can_stay_packed(room, 1)) {
      const size_t end = PackedBytes::of(entry()).size() - kCountBytes;
      list_run::write(element, splice(end, 0, room, 1));
      return;
    }
    make_blocks();
  }
  blocks().push_back(supply(), element);
  has_grown(1);
}

void ListValue::pop_front() {
  if (is_packed()) {
    const ListCursor front = view().front();
    splice(0, list_run::room_at(front.at()), 0, -1);
  } else {
    blocks().pop_front(home_.slabs);
    has_shrunk(1);
  }
}

void ListValue::pop_back() {
  if (is_packed()) {
    const std::string_view run = view().run_;
    const size_t room = list_run::room_before(run.data() + run.size());
    splice(run.size() - room, room, 0, -1);
  } else {
    blocks().pop_back(home_.slabs);
    has_shrunk(1);
  }
}

// edit(place) where a cursor is, once the list is a block list.
template <class Edit>
void ListValue::edit_blocks(const ListCursor& cursor, Edit&& edit) {
  if (!is_packed()) return edit(cursor);
  const char* const run = view().run_.data();
  size_t index = 0;
  for (const char* at = run; at != cursor.at(); at += list_run::room_at(at)) index++;
  make_blocks();
  edit(blocks().at(index));
}

void ListValue::insert_before(const ListCursor& cursor, const Encoded& element) {
  const size_t room = list_run::room_of(element);
  if (is_packed() && can_stay_packed(room, 1)) {
    list_run::write(element, splice(offset_of(cursor), 0, room, 1));
  } else {
    edit_blocks(cursor, [&](const BlockList::Place& place) {
      blocks().insert_before(supply(), place, element);
    });
    has_grown(1);
  }
}

void ListValue::insert_after(const ListCursor& cursor, const Encoded& element) {
  const size_t room = list_run::room_of(element);
  if (is_packed() && can_stay_packed(room, 1)) {
    const size_t offset = offset_of(cursor) + list_run::room_at(cursor.at());
    list_run::write(element, splice(offset, 0, room, 1));
  } else {
    edit_blocks(cursor, [&](const BlockList::Place& place) {
      blocks().insert_after(supply(), place, element);
    });
    has_grown(1);
  }
}

// As Redis asks beforehand: with the new element and the old one.
bool ListValue::outgrows(const Encoded& element) const {
  if (entry().encoding() == kLongBlocks) return false;
  const ListView list = view();
  return !is_short(home_.limits, list.bytes() + list_run::room_of(element), list.size() + 1);
}

void ListValue::replace(const ListCursor& cursor, const Encoded& element) {
  const size_t old_room = list_run::room_at(cursor.at());
  const size_t room = list_run::room_of(element);
  if (outgrows(element)) {
    edit_blocks(cursor,
                [&](const BlockList::Place& place) { blocks().replace(supply(), place, element); });
    mutable_entry().set_encoding(kLongBlocks);
    has_shrunk(0);
  } else if (is_packed() && can_stay_packed(room > old_room ? room - old_room : 0, 0)) {
    list_run::write(element, splice(offset_of(cursor), old_room, room, 0));
  } else {
    edit_blocks(cursor,
                [&](const BlockList::Place& place) { blocks().replace(supply(), place, element); });
    has_grown(0);
    has_shrunk(0);
  }
}

void ListValue::remove(size_t index, size_t count) {
  if (count == 0) return;
  if (is_packed()) {
    const ListView list = view();
    const char* const first = list.at(index).at();
    const char* behind = first;
    for (size_t i = 0; i < count; ++i) behind += list_run::room_at(behind);
    splice(static_cast<size_t>(first - list.run_.data()), static_cast<size_t>(behind - first), 0,
           -static_cast<ptrdiff_t>(count));
  } else {
    blocks().remove(supply(), index, count);
    has_shrunk(count);
  }
}

size_t ListValue::remove_equal(const Encoded& element, size_t count_max, bool from_back) {
  if (!is_packed()) {
    const size_t removed = blocks().remove_equal(supply(), element, count_max, from_back);
    if (removed > 0) has_shrunk(removed);
    return removed;
  }
  const size_t room = list_run::room_of(element);
  size_t removed = 0;
  for (size_t at = from_back ? view().run_.size() : 0; removed < count_max;) {
    const std::string_view run = view().run_;
    if (at == (from_back ? 0 : run.size())) break;
    const size_t passed =
        from_back ? list_run::room_before(run.data() + at) : list_run::room_at(run.data() + at);
    const size_t start = from_back ? at - passed : at;
    const bool equal = passed == room && element.is_at(run.data() + start);
    if (equal) {
      splice(start, room, 0, -1);
      removed++;
    }
    at = equal || from_back ? start : start + passed;
  }
  return removed;
}

// ---- making one ----

ListBuilder::~ListBuilder() {
  if (list_ == nullptr) return;
  memory::SlabSink sink(home_.slabs);
  BlockList::destroy(list_, sink);
}

template <class Element>
void ListBuilder::add(const Element& element) {
  const BlockList::Supply supply{home_.slabs, node_limit(home_.limits)};
  const size_t room = list_run::room_of(element);
  size_++;
  if (list_ != nullptr) return list_->push_back(supply, element);
  const size_t size = run_.size();
  if (kCountBytes + size + room <= memory::kSlabBytesMax &&
      is_short(home_.limits, size + room, size_)) {
    run_.resize(size + room);
    list_run::write(element, run_.data() + size);
    return;
  }
  list_ = BlockList::create(home_.slabs);
  list_->append_run(supply, run_);
  list_->push_back(supply, element);
}
template void ListBuilder::add(const Encoded& element);
template void ListBuilder::add(const std::string_view& element);

Entry* ListBuilder::finish(EntryParts parts) {
  if (list_ == nullptr && fits_inline(parts.key.size(), parts.expire_at_ms >= 0,
                                      kCountBytes + run_.size(), memory::kSlabBytesMax)) {
    const auto count = static_cast<uint16_t>(size_);
    run_.insert(0, reinterpret_cast<const char*>(&count), kCountBytes);
    return PackedBytes::create(home_.slabs, packed_parts(parts), run_);
  }
  if (list_ == nullptr) {
    list_ = BlockList::create(home_.slabs);
    list_->append_run({home_.slabs, node_limit(home_.limits)}, run_);
  }
  BlockList* const list = std::exchange(list_, nullptr);
  const bool is_long = !is_short(home_.limits, list->run_bytes(), list->size());
  return Entry::create(home_.slabs, with_blocks(parts, is_long ? kLongBlocks : kBlocks, list));
}

// ---- the type ----

namespace {

class ListType final : public ValueType {
 public:
  TypeId id() const override { return TypeId::kList; }
  std::string_view name() const override { return "list"; }
  std::string_view encoding_name(const Entry& entry) const override {
    return entry.encoding() == kLongBlocks ? "quicklist" : "listpack";
  }

  size_t size(const Entry& entry) const override { return ListView(entry).size(); }
  size_t payload_bytes(const Entry& entry, size_t /*samples*/) const override {
    return entry.encoding() == kPacked ? PackedBytes::payload_bytes(entry)
                                       : blocks_of(entry).block_bytes();
  }
  size_t free_effort(const Entry& entry) const override {
    return entry.encoding() == kPacked ? 1 : 1 + blocks_of(entry).nodes();
  }
  void release_payload(uint64_t payload, uint8_t encoding, memory::BlockSink& sink) const override {
    if (encoding == kPacked) return PackedBytes::release(payload, sink);
    BlockList::destroy(reinterpret_cast<BlockList*>(static_cast<uintptr_t>(payload)), sink);
  }

  void save(const Entry& entry, ValueWriter& out) const override {
    const ListView list(entry);
    out.varint(list.size());
    std::string piece;
    for (ListCursor cursor = list.front(); cursor; cursor.next()) {
      const std::string_view element = cursor.bytes();
      if (element.size() >= kPieceBytes && piece.empty()) {
        out.text(element);  // large ones need no copy
        continue;
      }
      piece.append(element);
      if (piece.size() < kPieceBytes) continue;
      out.text(piece);
      piece.clear();
    }
    if (!piece.empty()) out.text(piece);
  }

  Result<Entry*> load(ValueReader& in, EntryParts parts, const ValueHome& home) const override {
    ROX_TRY(const uint64_t count, in.varint());
    if (count == 0) return kNotSaved;
    ListBuilder builder(home);
    std::string piece;
    while (builder.size() < count) {
      ROX_TRY(in.text(piece, kPieceBytes + kElementBytesMax));
      const std::optional<size_t> elements = packed::check(piece);
      if (!elements || *elements == 0 || *elements > count - builder.size()) return kNotSaved;
      for (size_t at = 0; at < piece.size();) {
        const size_t size = packed::size_at(piece.data() + at);
        builder.push_back(std::string_view(piece).substr(at, size));
        at += size;
      }
    }
    return builder.finish(parts);
  }

  Entry* copy(const Entry& entry, EntryParts parts, const ValueHome& home) const override {
    if (entry.encoding() == kPacked) {
      return PackedBytes::create(home.slabs, packed_parts(parts), PackedBytes::of(entry));
    }
    return Entry::create(home.slabs,
                         with_blocks(parts, entry.encoding(), blocks_of(entry).clone(home.slabs)));
  }

 private:
  static constexpr Status kNotSaved{Code::kCorrupt, 0, "a list as it is never saved"};
};

}  // namespace

const ValueType& list_type() {
  static const ListType type;
  return type;
}

}  // namespace roxdb::types
