// sorted_set_value.h: the sorted set type. Two encodings:
//
//   kPacked   inline or a block (packed_bytes.h):             OBJECT ENCODING "listpack"
//             | count, 4 bytes | member | score | member | score | ...
//             pairs in order, elements of packed_list.h
//   kLarge    payload: a LargeSortedSet                       "skiplist"
//             table: member -> item <- order: (score, member) -> rank
//
// A set is packed until it has more members, or gets a longer one, than the limits of its home say;
// it never goes back. A member of a large set is one block, ScoredItem, that table and order share.
//
// Order: by score, then by the member's bytes. Both encodings answer in ranks: a range of scores,
// of members or of places is a RankRange, and what walks, counts or removes takes one. In a packed
// set that costs O(members), in a large one O(log n) and the members of the range.
//
// In a packed set an integral score within int64, -0 excepted, is an integer element. Any other is
// a string: 'd', then the bytes of the double, highest first, without zeros at the end. No decimal
// text begins so, and 1.5 takes four bytes, head included.
//
// Saved form, one per value whatever its encoding: varint count; then, in order, score and member
// as text. A score is varint 2 * zigzag when it is integral and that fits, else varint 1 and eight
// bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/hash.h"
#include "containers/packed_list.h"
#include "containers/skiplist.h"
#include "containers/table.h"
#include "types/entry.h"
#include "types/value_home.h"
#include "types/value_type.h"

namespace roxdb::types {

enum class SortedSetEncoding : uint8_t { kPacked = 0, kLarge = 1 };

// Places [first, last) of a sorted set, 0 being the lowest score.
struct RankRange {
  size_t first = 0;
  size_t last = 0;

  bool empty() const { return first >= last; }
  size_t size() const { return empty() ? 0 : last - first; }
};

// A member with its place.
struct RankedScore {
  size_t rank;
  double score;
};

// When add() may act, as the options of ZADD say.
struct AddRule {
  bool only_new = false;       // NX
  bool only_existing = false;  // XX
  bool only_greater = false;   // GT: an existing score may only grow
  bool only_less = false;      // LT
  bool increment = false;      // the score is added to the old one
};

struct Added {
  enum class Outcome : uint8_t { kAdded, kUpdated, kSame, kRefused, kNotNumber };
  Outcome outcome;
  double score;  // that the member has now; none after kRefused and kNotNumber
};

struct LargeSortedSet {
  struct Owner {
    using Item = containers::ScoredItem;
    const HashSecret* secret;  // of the engine: outlives all values
    uint64_t hash(const Item& item) const { return hash_bytes(item.member(), *secret); }
    bool equals(const Item& item, std::string_view member) const { return item.member() == member; }
    uint64_t mark(const Item&) const { return containers::kNoMark; }
  };

  explicit LargeSortedSet(const HashSecret& secret) : table(Owner{&secret}) {}
  // REQUIRES: the member is absent.
  void insert(memory::Slabs& slabs, uint64_t hash, std::string_view member, double score);
  containers::ScoredItem* find(std::string_view member) const;

  containers::Table<Owner> table;
  containers::Skiplist order;
  size_t item_bytes = 0;  // of all items
};

// The score of an element behind a member of a packed set.
double packed_score(const containers::packed::Element& element);

// A sorted set as it is read. Dead once the entry changes.
class SortedSetView {
 public:
  explicit SortedSetView(const Entry& entry);

  size_t size() const { return large_ != nullptr ? large_->order.size() : count_; }
  // Bytes of members and scores, about.
  size_t bytes() const { return large_ != nullptr ? large_->item_bytes : pairs_.size(); }
  std::optional<double> score(std::string_view member) const;
  std::optional<RankedScore> find(std::string_view member) const;
  // How many members come before this score; with it, when `inclusive`.
  size_t rank_of_score(double score, bool inclusive) const;
  // How many members come before this one in the order of bytes; with it, when `inclusive`. Without
  // meaning unless all scores are equal.
  size_t rank_of_member(std::string_view member, bool inclusive) const;
  RankRange all() const { return {0, size()}; }

  // visit(std::string_view member, double score) for the members of a range that lies within
  // all(), upwards or downwards. The view is dead after the visit. A visitor that returns a bool
  // ends the walk with false.
  template <class Visitor>
  void visit(RankRange range, Visitor&& visitor) const;
  template <class Visitor>
  void visit_downwards(RankRange range, Visitor&& visitor) const;
  // As Table::scan(); a packed set is visited in one go.
  template <class Visitor>
  uint64_t scan(uint64_t cursor, Visitor&& visitor) const;

  void check() const;  // what the note at the door says, for tests

 private:
  using Element = containers::packed::Element;

  // Offset of the pair of this rank. REQUIRES: rank <= count_.
  size_t offset_of(size_t rank) const { return containers::packed::skip(pairs_, 0, 2 * rank); }
  // Visits one packed pair; where the next begins.
  template <class Visitor>
  size_t visit_pair(size_t offset, Visitor& visitor, bool& go_on) const;
  template <class Visitor>
  static bool tell(Visitor& visitor, std::string_view member, double score) {
    if constexpr (std::is_same_v<decltype(visitor(member, score)), bool>) {
      return visitor(member, score);
    } else {
      visitor(member, score);
      return true;
    }
  }

  const LargeSortedSet* large_ = nullptr;
  std::string_view pairs_ = {};
  size_t count_ = 0;  // of a packed set
};

// The value of one entry, for edits. Holds the cell, since an edit may move the entry; dead once
// the table changes otherwise. Arguments must not lie in the value itself.
class SortedSetValue {
 public:
  static constexpr TypeId kType = TypeId::kSortedSet;
  // A new entry without members; `parts` brings key, expiry and access.
  static Entry* create(const ValueHome& home, EntryParts parts);

  SortedSetValue(const ValueHome& home, containers::Cell& cell) : home_(&home), cell_(&cell) {}
  SortedSetView view() const { return SortedSetView(entry()); }
  size_t size() const { return view().size(); }

  // Adds the member or changes its score. REQUIRES: the score is a number.
  Added add(std::string_view member, double score, AddRule rule = {});
  bool erase(std::string_view member);  // false: absent
  void erase(RankRange range);          // REQUIRES: within view().all()

 private:
  Entry& entry() const { return *static_cast<Entry*>(cell_->pointer()); }
  LargeSortedSet* large() const;  // null while packed
  void has_shrunk(size_t removed) const;
  Added add_packed(std::string_view member, double score, AddRule rule);
  Added add_large(LargeSortedSet& large, std::string_view member, double score, AddRule rule);
  void insert_packed(std::string_view member, double score);
  void rescore_packed(size_t offset, std::string_view member, double score);
  // Takes out pairs at [begin, end) of the packed bytes.
  void remove_packed(size_t begin, size_t end, size_t count);
  LargeSortedSet& grow_large();

  const ValueHome* home_;
  containers::Cell* cell_;
};

const ValueType& sorted_set_type();

// ---- walking ----

template <class Visitor>
size_t SortedSetView::visit_pair(size_t offset, Visitor& visitor, bool& go_on) const {
  const Element member = containers::packed::read(pairs_, offset);
  const Element score = containers::packed::read(pairs_, member.next());
  go_on = tell(visitor, containers::packed::Text(member).view(), packed_score(score));
  return score.next();
}

template <class Visitor>
void SortedSetView::visit(RankRange range, Visitor&& visitor) const {
  if (range.empty()) return;
  if (large_ != nullptr) {
    size_t left = range.size();
    for (auto cursor = large_->order.at(range.first);; cursor.next()) {
      if (!tell(visitor, cursor.item()->member(), cursor.score()) || --left == 0) return;
    }
  }
  bool go_on = true;
  size_t offset = offset_of(range.first);
  for (size_t i = range.first; i < range.last && go_on; ++i) {
    offset = visit_pair(offset, visitor, go_on);
  }
}

template <class Visitor>
void SortedSetView::visit_downwards(RankRange range, Visitor&& visitor) const {
  if (range.empty()) return;
  if (large_ != nullptr) {
    size_t left = range.size();
    for (auto cursor = large_->order.at(range.last - 1);; cursor.previous()) {
      if (!tell(visitor, cursor.item()->member(), cursor.score()) || --left == 0) return;
    }
  }
  // Packed lists are read forwards only.
  std::vector<size_t> offsets;
  offsets.reserve(range.size());
  size_t offset = offset_of(range.first);
  for (size_t i = range.first; i < range.last; ++i) {
    offsets.push_back(offset);
    offset = containers::packed::skip(pairs_, offset, 2);
  }
  bool go_on = true;
  for (size_t i = offsets.size(); i > 0 && go_on; --i) visit_pair(offsets[i - 1], visitor, go_on);
}

template <class Visitor>
uint64_t SortedSetView::scan(uint64_t cursor, Visitor&& visitor) const {
  if (large_ == nullptr) {
    visit(all(), visitor);
    return 0;
  }
  return large_->table.scan(
      cursor, [&](const containers::ScoredItem* item) { visitor(item->member(), item->score()); });
}

}  // namespace roxdb::types
