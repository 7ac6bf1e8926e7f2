// id_index.h: items in the order of their IDs: a B+ tree whose leaves point to the items.
//
//   inner            | low, child | low, child | ...             at most 40 children
//                         |            |
//   leaves       <->  | item* ... | <-> | item* ... |  <->       at most 32 items, linked both ways
//                         |
//   items             IdItem: the ID first, then whatever the owner keeps
//
// Made for IDs that mostly grow: an append goes to the last leaf without a descent, and a full leaf
// at the end stays full when a new one is begun. Removal from the front empties whole leaves.
// A leaf grows with its items (4, 8, 16, 32), so that an index of one item takes 56 bytes.
//
// I1  Items ascend strictly by ID, along the leaves and under every inner node.
// I2  `low` of a child is at most the ID of its first item and above all IDs before it.
// I3  No node is empty, but for the root of an empty index, which is absent; an inner root has two
//     children or more; all leaves lie on one level.
// I4  The list of leaves visits all leaves in order; `last_` is its end.
// Cost: append O(1) amortised; find, insert, erase O(log n); next and previous O(1). 8.75 bytes an
// item when filled in order, up to 40 after random removal.
// Source: R. Bayer, E. McCreight, "Organization and Maintenance of Large Ordered Indexes", 1972.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

#include "base/memory.h"

namespace roxdb::containers {

// What items are ordered by: milliseconds first, then the number within the millisecond.
struct Id {
  uint64_t ms = 0;
  uint64_t seq = 0;
  friend constexpr auto operator<=>(const Id&, const Id&) = default;
};
inline constexpr Id kIdMin{0, 0};
inline constexpr Id kIdMax{UINT64_MAX, UINT64_MAX};

// The base of what an index orders. The ID does not change while the item is in an index.
struct IdItem {
  Id id;
};

class IdIndex {
  struct Leaf;

 public:
  // A place in the order; false behind the last item and before the first one. Valid until the next
  // insert or erase.
  class Place {
   public:
    Place() = default;  // an end
    explicit operator bool() const { return leaf_ != nullptr; }
    IdItem* item() const;  // REQUIRES: the place is none of the ends
    template <class T>
    T* as() const {
      return static_cast<T*>(item());
    }
    void next();
    void previous();

   private:
    friend class IdIndex;
    Place(Leaf* leaf, size_t slot) : leaf_(leaf), slot_(slot) {}
    Leaf* leaf_ = nullptr;
    size_t slot_ = 0;
  };

  IdIndex() = default;
  IdIndex(const IdIndex&) = delete;
  IdIndex& operator=(const IdIndex&) = delete;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Place first() const;                     // O(log n)
  Place last() const;                      // O(1)
  Place at_or_after(const Id& id) const;   // the first item that is not below `id`
  Place at_or_before(const Id& id) const;  // the last item that is not above `id`
  IdItem* find(const Id& id) const;        // null when absent

  // The index points to the item from now on; the item stays its owner's. REQUIRES: the ID is
  // absent.
  void insert(memory::Slabs& slabs, IdItem* item);
  // Forgets the item with this ID and returns it; null when absent.
  IdItem* erase(memory::Slabs& slabs, const Id& id);
  // Puts another item with the same ID in the place of one that moved.
  static void replace(Place place, IdItem* item);
  // Gives the nodes back; the items are the owner's. The index is empty then.
  void release(memory::BlockSink& sink);

  // Bytes of all nodes. O(nodes).
  size_t node_bytes() const;
  size_t nodes() const;
  void check() const;

 private:
  static constexpr size_t kLeafItemsMax = 32;
  static constexpr size_t kLeafItemsMin = 4;  // the room of a new leaf
  static constexpr size_t kChildrenMax = 40;
  static constexpr size_t kHeightMax = 16;

  struct Leaf {
    uint16_t count;
    uint16_t room;
    Leaf* next;
    Leaf* previous;
    IdItem** items() { return reinterpret_cast<IdItem**>(this + 1); }
    static size_t bytes(size_t room) { return sizeof(Leaf) + room * sizeof(IdItem*); }
  };
  struct Child {
    Id low;
    void* node;
  };
  struct Inner {
    size_t count;
    Child children[kChildrenMax];
  };
  // The way from the root to a leaf: which child was taken on each level.
  struct Path {
    Inner* inner[kHeightMax];
    size_t child[kHeightMax];
    size_t depth = 0;
  };

  // The leaf where an ID is or belongs. REQUIRES: not empty.
  Leaf* descend(const Id& id, Path* path) const;
  static size_t lower_bound(Leaf* leaf, const Id& id);
  static Leaf* make_leaf(memory::Slabs& slabs, size_t room);
  Leaf* grow(memory::Slabs& slabs, Leaf* leaf, Path& path);
  void insert_at(Leaf* leaf, size_t slot, IdItem* item);
  void link_behind(Leaf* leaf, Leaf* fresh);
  void unlink(Leaf* leaf);
  // Hangs `node` behind the child that `path` leads to, splitting upwards as far as it must.
  void add_sibling(memory::Slabs& slabs, Path& path, const Id& low, void* node);
  // Drops the child that `path` leads to, and every inner node that it leaves empty.
  void drop_child(memory::Slabs& slabs, Path& path);
  void lower_root(memory::Slabs& slabs);
  void merge_leaf(memory::Slabs& slabs, Path& path);
  static bool merge_inner(memory::Slabs& slabs, Path& path);
  void release_node(void* node, size_t level, memory::BlockSink& sink);
  void check_node(void* node, size_t level, const Id* low, const Id* high, size_t& items,
                  Leaf*& previous) const;
  size_t measure(void* node, size_t level, size_t& nodes) const;

  void* root_ = nullptr;  // a Leaf when height_ is 1
  Leaf* last_ = nullptr;
  size_t size_ = 0;
  size_t height_ = 0;  // levels
};

}  // namespace roxdb::containers
