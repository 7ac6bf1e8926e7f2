// list_value.h: the list type. Where its elements lie:
//
//   kPacked      inline in the entry: count (2 bytes), then a run    OBJECT ENCODING "listpack"
//   kBlocks      payload: a BlockList                                "listpack"
//   kLongBlocks  payload: a BlockList                                "quicklist"
//
// A list is packed while its entry fits a slab block. Beyond that it is a block list, whose ends
// are reached at once however long it is. What OBJECT ENCODING calls it is another matter:
// "listpack" up to list-max-listpack-size, "quicklist" beyond, and back again at half of it, as in
// Redis. list-compress-depth says which nodes of a block list may be packed; a change of it, as of
// list-max-listpack-size, goes for what is edited from then on.
//
// Runs are those of list_run.h in every encoding, so a list that changes over is copied, not read.
//
// Saved form, one per value whatever its encoding:
//   varint count, then pieces until they hold as many: varint size, elements (packed_list.h)
// A piece ends with the element that makes it 4 KiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "containers/block_list.h"
#include "containers/segment.h"
#include "types/entry.h"
#include "types/packed_bytes.h"
#include "types/value_home.h"
#include "types/value_type.h"

namespace roxdb::types {

enum class ListEncoding : uint8_t { kPacked = 0, kBlocks = 1, kLongBlocks = 2 };

// Where an element of a list is; in a packed one, in the entry's run. Dead after the next edit.
using ListCursor = containers::BlockList::Place;

// A list as it is read. Dead after the next edit.
class ListView {
 public:
  explicit ListView(const Entry& entry);
  size_t size() const { return size_; }
  size_t nodes() const { return list_ != nullptr ? list_->nodes() : 1; }
  size_t bytes() const { return list_ != nullptr ? list_->run_bytes() : run_.size(); }  // as packed
  ListCursor front() const;
  ListCursor back() const;
  // From the nearer end. REQUIRES: index < size().
  ListCursor at(size_t index) const;

 private:
  friend class ListValue;
  size_t size_;
  std::string_view run_ = {};
  const containers::BlockList* list_ = nullptr;
};

// The value of one entry, for edits. Holds the cell, since an edit may move the entry; dead once
// the table changes otherwise. Elements must not view the list itself. Costs as block_list.h says.
class ListValue {
 public:
  static constexpr TypeId kType = TypeId::kList;
  using Encoded = containers::packed::Encoded;

  ListValue(const ValueHome& home, containers::Cell& cell) : home_(home), cell_(&cell) {}
  // A new entry with an empty list, which must not stay so. `parts` brings key, expiry and access.
  static Entry* create(const ValueHome& home, EntryParts parts);

  const Entry& entry() const { return *static_cast<const Entry*>(cell_->pointer()); }
  ListView view() const { return ListView(entry()); }
  size_t size() const { return view().size(); }

  void push_front(const Encoded& element);
  void push_back(const Encoded& element);
  // REQUIRES: size() > 0.
  void pop_front();
  void pop_back();
  // The cursor is of view(), not beyond an end.
  void insert_before(const ListCursor& cursor, const Encoded& element);
  void insert_after(const ListCursor& cursor, const Encoded& element);
  void replace(const ListCursor& cursor, const Encoded& element);
  // REQUIRES: index + count <= size().
  void remove(size_t index, size_t count);
  // Removes equal elements, at most `count_max`, seeking from one end; returns how many.
  size_t remove_equal(const Encoded& element, size_t count_max, bool from_back);

 private:
  Entry& mutable_entry() { return *static_cast<Entry*>(cell_->pointer()); }
  bool is_packed() const {
    return entry().encoding() == static_cast<uint8_t>(ListEncoding::kPacked);
  }
  containers::BlockList& blocks() { return *entry().pointer<containers::BlockList>(); }
  containers::BlockList::Supply supply() const;

  bool can_stay_packed(size_t added_bytes, size_t added_count) const;
  bool outgrows(const Encoded& element) const;
  size_t offset_of(const ListCursor& cursor) const;
  template <class Edit>
  void edit_blocks(const ListCursor& cursor, Edit&& edit);
  char* splice(size_t offset, size_t removed, size_t added, ptrdiff_t count);
  void make_blocks();
  void make_packed();
  void has_grown(size_t added);
  void has_shrunk(size_t removed);

  ValueHome home_;
  containers::Cell* cell_;
};

// Makes a list from front to back, for loaders.
class ListBuilder {
 public:
  explicit ListBuilder(const ValueHome& home) : home_(home) {}
  ~ListBuilder();
  ListBuilder(const ListBuilder&) = delete;
  ListBuilder& operator=(const ListBuilder&) = delete;
  void push_back(const containers::packed::Encoded& element) { add(element); }
  // An element as packed_list.h has it, checked.
  void push_back(std::string_view element) { add(element); }
  size_t size() const { return size_; }
  // The entry; `parts` brings key, expiry and access. REQUIRES: size() > 0. Only once.
  Entry* finish(EntryParts parts);

 private:
  template <class Element>
  void add(const Element& element);

  ValueHome home_;
  size_t size_ = 0;
  std::string run_;  // while the list is small
  containers::BlockList* list_ = nullptr;
};

const ValueType& list_type();

}  // namespace roxdb::types
