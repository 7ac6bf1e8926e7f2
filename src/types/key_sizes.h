// key_sizes.h: how big the values of a database are, as INFO keysizes shows it: for each type the
// number of keys per power of two, of bytes of a string and of elements of a collection.
//
//   bin    0    1    2    3    4    ...   n
//   sizes  0    1    2-3  4-7  8-15 ...   [2^(n-1), 2^n)
//
// Exact at every moment: Keyspace counts the entries that come and go, and a value that changes in
// place says so through its home (value_home.h). A value that is in no database has a home without
// sizes, and is counted when it gets there.
//
// I1  The bins of a type add up to the keys of that type.
// Cost of a change: O(1), two increments when the size passes a power of two, else none. What a
// change of a packed hash or set adds is a walk over its elements, as its search is one.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "types/entry.h"

namespace roxdb::types {

class KeySizes {
 public:
  static constexpr size_t kBins = 65;
  // String, list, set, hash and sorted set. What Redis counts, and all that has one size.
  static constexpr size_t kTypes = 5;

  static constexpr bool counts(TypeId type) { return static_cast<size_t>(type) < kTypes; }

  // REQUIRES: counts(type).
  void add(TypeId type, size_t size) { bin(type, size)++; }
  void remove(TypeId type, size_t size) { bin(type, size)--; }
  void resize(TypeId type, size_t before, size_t after) {
    uint64_t& old_bin = bin(type, before);
    uint64_t& new_bin = bin(type, after);
    if (&old_bin == &new_bin) return;
    old_bin--;
    new_bin++;
  }
  std::span<const uint64_t> bins(TypeId type) const { return bins_[static_cast<size_t>(type)]; }

  bool operator==(const KeySizes&) const = default;

 private:
  uint64_t& bin(TypeId type, size_t size) {
    return bins_[static_cast<size_t>(type)][static_cast<size_t>(std::bit_width(size))];
  }

  std::array<std::array<uint64_t, kBins>, kTypes> bins_{};
};
static_assert(static_cast<size_t>(TypeId::kString) < KeySizes::kTypes &&
              static_cast<size_t>(TypeId::kList) < KeySizes::kTypes &&
              static_cast<size_t>(TypeId::kSet) < KeySizes::kTypes &&
              static_cast<size_t>(TypeId::kHash) < KeySizes::kTypes &&
              static_cast<size_t>(TypeId::kSortedSet) < KeySizes::kTypes);

}  // namespace roxdb::types
