// set_value.h: the set type. Three encodings:
//
//   kIntegers   integers of one width, 2, 4 or 8 bytes, ascending               "intset"
//   kPacked     a run of elements (containers/packed_list.h), in order of arrival   "listpack"
//   kTable      payload: a SetTable                                             "hashtable"
//
// The entry's encoding says the width, too: ten integers of four bytes with a key of 16 fill a
// block of 64 bytes exactly, where a byte more would take the next size.
//
// The first two lie in PackedBytes. A set of integers stays one up to set-max-intset-entries of
// them and becomes a table beyond; another kind of member makes it packed. A packed set becomes a
// table beyond set-max-listpack-entries members, or with one longer than set-max-listpack-value. So
// does either beyond 1 GiB. Nothing ever goes back.
//
// I1  Integers ascend strictly, and the width is the smallest that holds all that were ever in.
// I2  A packed set holds no member twice.
//
// Saved form, one per value whatever its encoding: varint count, then each member as text.
// Cost: of one member O(members) when packed, O(log n) to find and O(n) to change integers, O(1) in
// a table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/numbers.h"
#include "containers/packed_list.h"
#include "containers/segment.h"
#include "types/entry.h"
#include "types/packed_bytes.h"
#include "types/set_table.h"
#include "types/value_home.h"
#include "types/value_type.h"

namespace roxdb::types {

enum class SetEncoding : uint8_t { kIntegers = 0, kPacked = 1, kTable = 2 };
// In an entry kIntegers has 2 bytes each, and these are the others.
inline constexpr uint8_t kIntegersOf4 = 3;
inline constexpr uint8_t kIntegersOf8 = 4;

// Ascending integers of one width; a view.
class IntegerRun {
 public:
  IntegerRun(std::string_view bytes, size_t width) : bytes_(bytes), width_(width) {}
  std::string_view bytes() const { return bytes_; }
  size_t width() const { return width_; }
  size_t size() const { return bytes_.size() / width_; }
  int64_t at(size_t index) const {
    const char* const place = bytes_.data() + offset(index);
    switch (width_) {
      case 2:
        return read<int16_t>(place);
      case 4:
        return read<int32_t>(place);
      default:
        return read<int64_t>(place);
    }
  }
  // Where the integer is, or would be.
  size_t lower_bound(int64_t value) const;
  bool contains(int64_t value) const {
    const size_t index = lower_bound(value);
    return index < size() && at(index) == value;
  }
  size_t offset(size_t index) const { return index * width_; }

 private:
  template <class Integer>
  static int64_t read(const char* place) {
    Integer value;
    std::memcpy(&value, place, sizeof value);
    return value;
  }

  std::string_view bytes_;
  size_t width_;
};

// A set as it is read. Dead after any change of the keyspace. A member that is given out lives
// until the next one, or is in `room`, kIntegerDigitsMax bytes.
class SetView {
 public:
  explicit SetView(const Entry& entry) : entry_(&entry) {}

  SetEncoding encoding() const {
    const uint8_t kept = entry_->encoding();
    return kept < kIntegersOf4 ? static_cast<SetEncoding>(kept) : SetEncoding::kIntegers;
  }
  // REQUIRES: kIntegers.
  IntegerRun integers() const {
    const uint8_t kept = entry_->encoding();
    return {run(), kept == kIntegersOf4 ? 4u : kept == kIntegersOf8 ? 8u : 2u};
  }
  size_t size() const;  // O(members) when packed
  bool contains(std::string_view member) const;
  // visit(std::string_view member).
  template <class Visitor>
  void for_each(Visitor&& visit) const;
  // As for_each(), until visit() says false; true when it never did.
  template <class Visitor>
  bool all_of(Visitor&& visit) const;
  // As Table::scan(); the small encodings are visited in one go.
  template <class Visitor>
  uint64_t scan(uint64_t cursor, Visitor&& visit) const;
  // Any member, all about equally likely. REQUIRES: not empty.
  std::string_view sample(Random& random, char* room) const;
  // Bytes of all members, an upper bound: what a reply of them takes.
  size_t bytes() const;

 private:
  friend class SetValue;
  std::string_view run() const { return PackedBytes::of(*entry_); }
  const SetTable& table() const { return *entry_->pointer<const SetTable>(); }

  const Entry* entry_;
};

// The value of one entry, for edits. Holds the cell, since an edit may move the entry; dead once
// the table changes otherwise. Members must not lie in the set itself.
class SetValue {
 public:
  static constexpr TypeId kType = TypeId::kSet;

  SetValue(const ValueHome& home, containers::Cell& cell) : home_(&home), cell_(&cell) {}
  // A new entry with the empty set, which must not stay so. `parts` brings key, expiry, access.
  static Entry* create(const ValueHome& home, EntryParts parts);

  SetView view() const { return SetView(entry()); }
  bool add(std::string_view member);     // false: it was there
  bool remove(std::string_view member);  // false: absent
  // So many members are about to come: takes the encoding that integers, or packed members, would
  // need were they all new.
  void expect(size_t members);
  // Removes a random member, which is then in `text`. REQUIRES: not empty.
  std::string_view pop(Random& random, std::string& text);

 private:
  Entry& entry() const { return *static_cast<Entry*>(cell_->pointer()); }
  SetTable& table() { return *entry().pointer<SetTable>(); }
  bool insert(std::string_view member);
  bool take_out(std::string_view member);
  bool add_integer(int64_t value);
  bool add_packed(std::string_view member);  // true
  void make_packed();
  void make_table();

  const ValueHome* home_;
  containers::Cell* cell_;
};

// A set that is no key yet: results of set algebra, and one that is being loaded.
class ScratchSet {
 public:
  // `parts` brings key, expiry and access of the entry that take() gives.
  ScratchSet(const ValueHome& home, const EntryParts& parts);
  ~ScratchSet();
  ScratchSet(const ScratchSet&) = delete;
  ScratchSet& operator=(const ScratchSet&) = delete;

  SetValue value() { return {home_, cell_}; }
  SetView view() const { return SetView(*static_cast<const Entry*>(cell_.pointer())); }
  // The entry is the caller's; nothing else may be called.
  Entry* take();

 private:
  const ValueHome home_;
  containers::Cell cell_{};
};

const ValueType& set_type();

// ---- definitions of templates ----

template <class Visitor>
bool SetView::all_of(Visitor&& visit) const {
  switch (encoding()) {
    case SetEncoding::kIntegers: {
      char room[kIntegerDigitsMax];
      const IntegerRun run = integers();
      for (size_t i = 0, count = run.size(); i < count; ++i) {
        if (!visit(std::string_view(room, print_int64(run.at(i), room)))) return false;
      }
      return true;
    }
    case SetEncoding::kPacked: {
      char room[kIntegerDigitsMax];
      const std::string_view all = run();
      for (size_t at = 0; at < all.size();) {
        const auto element = containers::packed::read(all, at);
        if (!visit(element.text(room))) return false;
        at = element.next();
      }
      return true;
    }
    case SetEncoding::kTable:
      break;
  }
  bool wanted = true;
  table().for_each([&](const SetMember* member) { wanted = wanted && visit(member->bytes()); });
  return wanted;
}

template <class Visitor>
void SetView::for_each(Visitor&& visit) const {
  all_of([&](std::string_view member) {
    visit(member);
    return true;
  });
}

template <class Visitor>
uint64_t SetView::scan(uint64_t cursor, Visitor&& visit) const {
  if (encoding() == SetEncoding::kTable) {
    return table().scan(cursor, [&](const SetMember* member) { visit(member->bytes()); });
  }
  for_each(visit);
  return 0;
}

}  // namespace roxdb::types
