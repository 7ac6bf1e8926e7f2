// skiplist.h: the members of one sorted set in order, with rank. A skiplist whose levels are
// packed: what would be a run of nodes between two towers is one block of memory.
//
//   level 2                    [ a 1.0 |5| . | d 4.0 |4| . ]            a link: the first member
//                                /              \                       below, the width (how many
//   level 1     [ a 1.0 |2| . | b 1.0 |3| . ]   [ d 4.0 |4| . ]         members), the node below
//                 /              \                 \                    .
//   level 0     [ a 1.0, a' 1.0 ] [ b 1.0, b' 2.0, c 2.5 ] [ d 4.0, d' 4.0, e 4.5, f 7.0 ]
//
// A plain skiplist costs a cache miss for nearly every step and 24 to 40 bytes of links for each
// member. Here a descent of a million members is four searches in arrays of scores, of which only
// the last two miss the cache, and the order costs 17 to 20 bytes per member. Towers of a height
// fixed by counting instead of by chance are the deterministic skiplist, which is a B+ tree seen
// from the side; split and merge are those of the tree.
//
// A node stores columns, not rows: all scores, then all items, and above level 0 all nodes below
// and all widths. A search runs over packed scores and looks at an item only where scores are
// equal. Nodes grow in steps of some members, so that a half full node does not take the room of a
// full one; a load in ascending or descending order leaves full nodes behind.
//
// Iteration needs no links between neighbours: a cursor holds its path. Ranges of scores, of
// members and of ranks are all ranges of ranks [first, last), so that an offset is an addition.
//
// I1  Members ascend strictly by (score, member bytes), as ZRANGE shows them; no score is NaN.
//     -0 and 0 are equal.
// I2  The score of a slot on level 0 is its item's. That of a link, and its item, are those of the
//     first slot of the node below.
// I3  The width of a link is the number of members below; those of the root add up to size().
// I4  No node is empty. The root has two links or is on level 0. A node's room is a multiple of its
//     level's step less one, or the maximum; less than two steps of it are unused.
// I5  bytes() is the sum of all nodes' blocks.
// Cost: insert, erase, rank, at-rank, bounds O(log n), of which some 60 slots are moved; next and
// previous O(1). At most kHeightMax levels.
// Source: J. I. Munro, T. Papadakis, R. Sedgewick, "Deterministic Skip Lists", SODA 1992; widths:
// W. Pugh, "A Skip List Cookbook", 1990.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/memory.h"

namespace roxdb::containers {

// A member with its score, in one block; shared by the order and the table of a set.
//
//   OFFSET  SIZE    MEANING
//   0       8       score, an IEEE double
//   8       1 or 5  size of the member: one byte below 255, else 255 and four bytes
//   ..      ..      the member
class ScoredItem {
 public:
  static constexpr size_t kMemberBytesMax = UINT32_MAX;

  static size_t size_of(size_t member_bytes) {
    return sizeof(ScoredItem) + (member_bytes < kLong ? 1 : 5) + member_bytes;
  }
  // A block of size_of(member.size()) bytes from `slabs`. REQUIRES: the score is a number.
  static ScoredItem* create(memory::Slabs& slabs, double score, std::string_view member);

  double score() const { return score_; }
  std::string_view member() const {
    const auto* bytes = reinterpret_cast<const char*>(this + 1);
    const auto size = static_cast<unsigned char>(*bytes);
    if (size < kLong) [[likely]]
      return {bytes + 1, size};
    return long_member();
  }
  size_t size() const { return size_of(member().size()); }

 private:
  template <class Shape>
  friend class BasicSkiplist;
  static constexpr size_t kLong = 255;

  explicit ScoredItem(double score) : score_(score) {}
  std::string_view long_member() const;

  double score_;
};
static_assert(sizeof(ScoredItem) == 8);

// How many slots a node has at the most, and how many more it gets when it grows; [0] on level 0,
// [1] above. Tests use narrow nodes, which split and merge all the time.
struct WideNodes {
  static constexpr uint16_t kSlotsMax[2] = {63, 31};
  static constexpr uint16_t kSlotsStep[2] = {8, 8};
};
struct NarrowNodes {
  static constexpr uint16_t kSlotsMax[2] = {7, 5};
  static constexpr uint16_t kSlotsStep[2] = {2, 2};
};

// Owns its nodes, not the items. Whoever drops it has released it. Not thread-safe.
template <class Shape>
class BasicSkiplist {
  struct Node;
  struct Path;

 public:
  // Above level 0 the pairs of neighbours hold at least a quarter of two nodes: 8^20 is more than
  // any memory.
  static constexpr uint32_t kHeightMax = 20;

  // Walks over the members; dead after the next insert, erase or rescore.
  class Cursor {
   public:
    bool valid() const { return node_ != nullptr; }
    // REQUIRES of all below: valid().
    ScoredItem* item() const { return node_->items()[at_]; }
    double score() const { return node_->scores()[at_]; }  // reads no item
    void next();
    void previous();

   private:
    friend class BasicSkiplist;
    Node* node_ = nullptr;  // on level 0
    uint32_t at_ = 0;
    uint32_t root_level_ = 0;
    Node* nodes_[kHeightMax];  // those above, by level
    uint16_t links_[kHeightMax];
  };

  BasicSkiplist() = default;
  BasicSkiplist(BasicSkiplist&& other) noexcept { swap(other); }
  BasicSkiplist& operator=(BasicSkiplist&& other) noexcept {
    swap(other);
    return *this;
  }
  void swap(BasicSkiplist& other) noexcept {
    std::swap(root_, other.root_);
    std::swap(size_, other.size_);
    std::swap(bytes_, other.bytes_);
  }

  size_t size() const { return size_; }
  size_t bytes() const { return bytes_; }  // of the nodes

  // REQUIRES: no item of this score and member is there.
  void insert(memory::Slabs& slabs, ScoredItem* item);
  // REQUIRES of these three: the item is there.
  void erase(memory::Slabs& slabs, const ScoredItem* item);
  // Gives the item another score and its new place. O(1) beside the descent when the place is the
  // same. REQUIRES: a number.
  void rescore(memory::Slabs& slabs, ScoredItem* item, double score);
  size_t rank(const ScoredItem* item) const;

  // How many members come before this score; with it, when `inclusive`.
  size_t rank_of_score(double score, bool inclusive) const;
  // How many members come before this one in the order of bytes; with it, when `inclusive`. Without
  // meaning unless all scores are equal.
  size_t rank_of_member(std::string_view member, bool inclusive) const;

  // The member of this rank; an invalid cursor from size() on.
  Cursor at(size_t rank) const;

  // Erases the members of ranks [first, last): visit(ScoredItem*) for each in order; it may release
  // the item. O(last - first + log n). REQUIRES: first <= last <= size().
  template <class Visitor>
  void erase_range(memory::Slabs& slabs, size_t first, size_t last, Visitor&& visit) {
    while (first < last) {
      Path path;
      const size_t count = begin_erase(path, first, last - first);
      for (size_t i = 0; i < count; ++i) visit(path.slot(i));
      finish_erase(slabs, path, count);
      last -= count;
    }
  }

  // Gives all nodes to give(block, size), and is empty then.
  template <class Give>
  void clear(Give&& give) {
    if (root_ != nullptr) give_below(root_, give);
    root_ = nullptr;
    size_ = bytes_ = 0;
  }

  void check() const;

 private:
  // Columns of `capacity` words each: scores, items and, above level 0, nodes below, widths.
  struct Node {
    uint16_t count;
    uint16_t capacity;
    uint16_t level;

    static constexpr size_t size_of(uint32_t level, size_t capacity) {
      return sizeof(uint64_t) + capacity * sizeof(uint64_t) * (level == 0 ? 2 : 4);
    }
    size_t size() const { return size_of(level, capacity); }
    uint32_t columns() const { return level == 0 ? 2 : 4; }
    uint64_t* column(uint32_t index) {
      return reinterpret_cast<uint64_t*>(this) + 1 + size_t{index} * capacity;
    }
    double* scores() { return reinterpret_cast<double*>(column(0)); }
    ScoredItem** items() { return reinterpret_cast<ScoredItem**>(column(1)); }
    Node** children() { return reinterpret_cast<Node**>(column(2)); }
    uint64_t* widths() { return column(3); }
  };
  struct Slot {
    double score;
    ScoredItem* item;
    Node* child;
    uint64_t width;
  };
  // The way from the root to a slot on level 0: on each level a node and one of its slots.
  struct Path {
    Node* nodes[kHeightMax];
    uint32_t at[kHeightMax];
    ScoredItem* slot(size_t offset) const { return nodes[0]->items()[at[0] + offset]; }
  };
  struct Key {
    double score;
    std::string_view member;
  };

  static constexpr uint32_t slots_max(uint32_t level) { return Shape::kSlotsMax[level > 0]; }
  static constexpr uint32_t slots_step(uint32_t level) { return Shape::kSlotsStep[level > 0]; }
  static uint32_t capacity_for(uint32_t level, uint32_t count);
  static bool is_too_wide(uint32_t level, uint32_t capacity, uint32_t count) {
    return capacity >= count + 2 * slots_step(level);
  }

  // How many slots of a node come before the key; with it, when `inclusive`.
  static uint32_t search(Node* node, const Key& key, bool inclusive);
  void descend(const Key& key, Path& path) const;
  // How many members come before the border that count(node) finds in each node it is given.
  template <class Count>
  size_t rank_by(Count&& count) const;

  Node* create_node(memory::Slabs& slabs, uint32_t level, uint32_t capacity);
  void release_node(memory::Slabs& slabs, Node* node);
  // Moves the node on this level of the path to one of another capacity.
  Node* resize(memory::Slabs& slabs, Path& path, uint32_t level, uint32_t capacity);
  static void open_slot(Node* node, uint32_t at, const Slot& slot);
  static void close_slots(Node* node, uint32_t at, uint32_t count);
  static void move_slots(Node* from, uint32_t first, uint32_t last, Node* to);
  static Slot link_to(Node* node);
  void put(memory::Slabs& slabs, Path& path, Slot slot);
  // Splits the full node on this level; the path then leads to the half that takes the slot.
  // Returns the new, right half, which has no link yet.
  Node* split(memory::Slabs& slabs, Path& path, uint32_t level);
  bool is_last(const Path& path, uint32_t level) const;
  // The node on this level has a new first slot: tells the links above.
  void raise_first(Path& path, uint32_t level);
  size_t begin_erase(Path& path, size_t rank, size_t count_max) const;
  void finish_erase(memory::Slabs& slabs, Path& path, size_t count);
  bool merge(memory::Slabs& slabs, Path& path, uint32_t level);

  template <class Give>
  static void give_below(Node* node, Give& give) {
    if (node->level > 0) {
      for (uint32_t i = 0; i < node->count; ++i) give_below(node->children()[i], give);
    }
    give(node, node->size());
  }
  size_t check_below(Node* node, const ScoredItem*& last, size_t& bytes) const;

  Node* root_ = nullptr;
  size_t size_ = 0;
  size_t bytes_ = 0;
};

extern template class BasicSkiplist<WideNodes>;
extern template class BasicSkiplist<NarrowNodes>;
using Skiplist = BasicSkiplist<WideNodes>;

}  // namespace roxdb::containers
