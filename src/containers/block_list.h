// block_list.h: the elements of one long list, in order, in nodes of some kilobytes.
//
//   BlockList   first ---> node <---> node <---> node <--- last
//
//   node   | previous, next | capacity, begin, end, count | unused | elements | unused |
//                                                         0        begin      end      capacity
//
// The elements of a node are a run that can be walked both ways (list_run.h). Unused bytes lie on
// both sides of it: a node that grew at its front has them in front, so that a push is a copy of
// the element and nothing else, at either end, and a pop moves a number. Nodes are linked both ways
// and know their counts, so an index is sought from the nearer end without reading elements.
//
// A node is born small and doubles up to the limit; a push to a full one begins the next. An insert
// into a full node splits it in halves. Whatever removes from inside looks at the neighbours: two
// that together fill less than half of one become one, so that churn leaves no crumbs. An element
// larger than a node is alone in one of its size.
//
// Nodes may be packed: in place of its run a node then holds a zstd frame of it, at least an eighth
// smaller. NodeLimit::plain_depth says how many at either end are not; 0: none is packed. An edit
// unpacks what it reaches into and packs what it leaves behind as an inner node: the nodes it has
// touched, and the first ones beyond the depth. So a new depth makes its way with the edits, and
// nothing ever goes through the whole list for it. Reading changes nothing: a place in a packed
// node owns a copy of the run, for as long as it stays in the node.
//
// I1  size() is the sum of the counts, run_bytes() of the runs, block_bytes() of the blocks.
// I2  No node is empty. Links agree in both directions.
// I3  Plain: begin <= end <= capacity; the run between holds `count` elements. Packed: begin is 0,
//     end the size of the run, and capacity, the size of its frame, is less than that.
// I4  The first and the last node are plain, so that pushes and pops need not ask.
// Cost: push, pop, both ends O(1) amortised, at most one node copied. At an index O(nodes up to the
// nearer end + elements of a node). Insert, replace, remove there O(node). Bytes per element: its
// own, two for head and size, some 0.1 of node headers. An 8 KiB node fills one size class of the
// allocator. Node heads, 32 bytes, are all a seek reads: 100 million elements are 220,000 of them.
// 8 KiB of small JSON objects become 1.3 KiB in some 70 us, and are unpacked in some 25; an edit of
// a list with packed nodes takes O(plain_depth) steps more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/memory.h"
#include "containers/list_run.h"

namespace roxdb::containers {

class BlockList {
  struct Node;

 public:
  // How large nodes grow, and which are packed. Lists that were built under other limits stay
  // valid. Three numbers in one register: every push brings them along.
  struct NodeLimit {
    uint32_t bytes;            // of a whole block, head included
    uint16_t elements;         // in one node
    uint16_t plain_depth = 0;  // nodes from either end that are never packed; 0: all
  };
  // What edits need: where blocks come from, and how large they are.
  struct Supply {
    memory::Slabs& slabs;
    NodeLimit limit;
  };

  // One element's place; dead after the next edit. False: beyond the ends.
  class Place {
   public:
    Place() = default;
    // In a run that is of no list. Null: beyond its ends.
    Place(std::string_view run, const char* at)
        : at_(at), begin_(run.data()), end_(run.data() + run.size()) {}
    explicit operator bool() const { return at_ != nullptr; }
    // The element. What is seen of it stays until the place moves.
    packed::Element element() const { return list_run::read(at_); }
    bool is(const packed::Encoded& element) const { return list_run::is_at(element, at_); }
    const char* at() const { return at_; }  // where it begins, see list_run.h
    // As packed_list.h has it.
    std::string_view bytes() const { return {at_, packed::size_at(at_)}; }
    // Moves to the neighbour; beyond the end when there is none. REQUIRES: *this.
    void next() {
      at_ += list_run::room_at(at_);
      if (at_ == end_) [[unlikely]]
        enter_next();
    }
    void previous() {
      if (at_ == begin_) [[unlikely]]
        return enter_previous();
      at_ -= list_run::room_before(at_);
    }

   private:
    friend class BlockList;
    explicit Place(Node* node) { enter(node); }
    static Place in_plain(Node* node, const char* at);
    void enter(Node* node);
    void enter_next();
    void enter_previous();

    const char* at_ = nullptr;
    const char* begin_ = nullptr;  // of the run around it, or of the copy of that
    const char* end_ = nullptr;
    Node* node_ = nullptr;
    std::unique_ptr<std::string> unpacked_;  // the copy; null before the first packed node
  };

  static BlockList* create(memory::Slabs& slabs);
  // Gives back all nodes and the list itself; on any thread.
  static void destroy(BlockList* list, memory::BlockSink& sink);
  // The same elements in nodes without much waste. Cost O(bytes).
  BlockList* clone(memory::Slabs& slabs) const;
  BlockList(const BlockList&) = delete;
  BlockList& operator=(const BlockList&) = delete;

  size_t size() const { return size_; }            // elements
  size_t run_bytes() const { return run_bytes_; }  // of all runs
  size_t nodes() const { return nodes_; }
  size_t packed_nodes() const { return packed_nodes_; }  // of these
  // Bytes of all blocks, the list itself included, as the allocator counts them.
  size_t block_bytes() const { return block_bytes_; }

  // --- places --------------------------------------------------------------------------------

  Place front() const;
  Place back() const;
  // REQUIRES: index < size().
  Place at(size_t index) const;

  // --- edits ---------------------------------------------------------------------------------

  // `element` must not view this list.
  void push_front(Supply supply, const packed::Encoded& element);
  void push_back(Supply supply, const packed::Encoded& element);
  void push_back(Supply supply, std::string_view element);  // as packed_list.h has it
  // REQUIRES: size() > 0.
  void pop_front(memory::Slabs& slabs);
  void pop_back(memory::Slabs& slabs);
  void insert_before(Supply supply, const Place& place, const packed::Encoded& element);
  void insert_after(Supply supply, const Place& place, const packed::Encoded& element);
  void replace(Supply supply, const Place& place, const packed::Encoded& element);
  // REQUIRES: index + count <= size(). Whole nodes go without being read.
  void remove(Supply supply, size_t index, size_t count);
  // Removes elements equal to `element`, at most `count_max`, seeking from the front, or from the
  // back. Returns how many. Cost O(elements).
  size_t remove_equal(Supply supply, const packed::Encoded& element, size_t count_max,
                      bool from_back);
  // Appends the elements of a run. Cost O(bytes).
  void append_run(Supply supply, std::string_view run);

  void check() const;

 private:
  BlockList() = default;

  struct Seek {
    Node* node;
    size_t rank;  // of the element in its node
  };
  Seek seek(size_t index) const;

  Node* create_node(memory::Slabs& slabs, size_t block_size);
  void free_node(memory::Slabs& slabs, Node* node);
  void link(Node* node, Node* previous, Node* next);
  void unlink(Node* node);
  Node* rebuild(Supply supply, Node* node, size_t block_size, size_t front_room);

  // Room for one more element, whose bytes the caller writes: at an offset of a node, at either
  // end, in a node of its own.
  char* open(Supply supply, Node* node, uint32_t offset, size_t room);
  char* open_back(Supply supply, size_t room);
  char* open_front(Supply supply, size_t room);
  char* open_end(Supply supply, Node* previous, Node* next, size_t room);
  char* open_alone(Supply supply, Node* previous, Node* next, size_t room);
  static bool fits(NodeLimit limit, const Node* node, size_t room);
  char* open_if_it_fits(Supply supply, Node* node, uint32_t offset, size_t room);
  Node* split(Supply supply, Node* node, uint32_t offset);
  uint32_t cut(Node* node, uint32_t offset, size_t room, size_t count);
  void tidy(Supply supply, Node* node, bool looks_back, bool looks_ahead);

  static bool is_in(std::string_view run, const packed::Encoded& element);
  template <class Edit>
  void edit_at(Supply supply, const Place& place, Edit&& edit);

  bool may_pack() const { return (packed_nodes_ | plain_depth_) != 0; }
  Node* put_in_place(memory::Slabs& slabs, Node* node, Node* twin);
  Node* unpack(memory::Slabs& slabs, Node* node);
  Node* pack(memory::Slabs& slabs, Node* node);
  bool is_inner(const Node* node) const;
  void settle_between(memory::Slabs& slabs, const Node* before, const Node* behind);
  void settle_ends(memory::Slabs& slabs);
  void settle(Supply supply, const Node* before, const Node* behind);
  static const Node* two_back(const Node* node);
  static const Node* two_ahead(const Node* node);

  Node* first_ = nullptr;
  Node* last_ = nullptr;
  size_t size_ = 0;
  size_t run_bytes_ = 0;
  size_t nodes_ = 0;
  size_t block_bytes_ = 0;
  uint32_t packed_nodes_ = 0;
  uint32_t plain_depth_ = 0;  // as the last edit brought it that added or changed a node
};

}  // namespace roxdb::containers
