#include "containers/block_list.h"

#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "base/assert.h"

namespace roxdb::containers {

struct BlockList::Node {
  Node* previous;
  Node* next;
  uint32_t capacity;
  uint32_t begin;
  uint32_t end;
  uint16_t count;
  bool is_dense;  // packing was tried since the last change, and gains nothing

  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  bool is_packed() const { return end > capacity; }
  size_t used() const { return end - begin; }  // by the run, were it plain
  size_t held() const { return is_packed() ? capacity : used(); }
  size_t block_size() const { return sizeof(Node) + capacity; }
};

namespace {

constexpr size_t kBlockBytesMin = 64;
// Runs that are worth packing. Larger ones would hold up everybody else for milliseconds.
constexpr size_t kPackedRunMin = 64;
constexpr size_t kPackedRunMax = size_t{1} << 20;
constexpr int kZstdLevel = 1;

uint32_t narrow(size_t value) { return static_cast<uint32_t>(value); }
uint16_t narrow_count(size_t value) { return static_cast<uint16_t>(value); }

// What zstd works in. One pair a thread, since it takes longer to make than to use, and keeps
// nothing from one call to the next.
struct ZstdContexts {
  ZstdContexts() { ROX_ASSERT(packing != nullptr && unpacking != nullptr); }
  ~ZstdContexts() {
    ZSTD_freeCCtx(packing);
    ZSTD_freeDCtx(unpacking);
  }
  ZstdContexts(const ZstdContexts&) = delete;
  ZstdContexts& operator=(const ZstdContexts&) = delete;

  ZSTD_CCtx* const packing = ZSTD_createCCtx();
  ZSTD_DCtx* const unpacking = ZSTD_createDCtx();
};
ZstdContexts& zstd() {
  thread_local ZstdContexts contexts;
  return contexts;
}

// Unpacks what pack_run() made of a run of this size.
void unpack_run(std::string_view frame, char* out, size_t run_bytes) {
  const size_t size =
      ZSTD_decompressDCtx(zstd().unpacking, out, run_bytes, frame.data(), frame.size());
  ROX_ASSERT(size == run_bytes);
}

// The size of the frame that a run becomes; 0 when it needs more than `room`.
size_t pack_run(std::string_view run, char* out, size_t room) {
  const size_t size =
      ZSTD_compressCCtx(zstd().packing, out, room, run.data(), run.size(), kZstdLevel);
  return ZSTD_isError(size) != 0 ? 0 : size;
}

}  // namespace

// ---- blocks ----

BlockList* BlockList::create(memory::Slabs& slabs) {
  auto* const list = new (slabs.take(sizeof(BlockList))) BlockList();
  list->block_bytes_ = memory::Slabs::occupied(sizeof(BlockList));
  return list;
}

void BlockList::destroy(BlockList* list, memory::BlockSink& sink) {
  for (Node* node = list->first_; node != nullptr;) {
    Node* const next = node->next;
    sink.give(node, node->block_size());
    node = next;
  }
  sink.give(list, sizeof(BlockList));
}

BlockList* BlockList::clone(memory::Slabs& slabs) const {
  static_assert(sizeof(Node) == 32);
  BlockList* const copy = create(slabs);
  for (const Node* node = first_; node != nullptr; node = node->next) {
    const size_t needed = sizeof(Node) + node->held();
    const size_t size = std::min(node->block_size(), std::bit_ceil(needed));
    Node* const twin = copy->create_node(slabs, size);
    std::memcpy(twin->data(), node->data() + node->begin, node->held());
    twin->end = narrow(node->used());
    twin->count = node->count;
    copy->link(twin, copy->last_, nullptr);
  }
  copy->size_ = size_;
  copy->run_bytes_ = run_bytes_;
  copy->packed_nodes_ = packed_nodes_;
  copy->plain_depth_ = plain_depth_;
  return copy;
}

// An empty node outside the list.
BlockList::Node* BlockList::create_node(memory::Slabs& slabs, size_t block_size) {
  auto* const node = static_cast<Node*>(slabs.take(block_size));
  *node = {nullptr, nullptr, narrow(block_size - sizeof(Node)), 0, 0, 0, false};
  block_bytes_ += memory::Slabs::occupied(block_size);
  nodes_++;
  return node;
}

void BlockList::free_node(memory::Slabs& slabs, Node* node) {
  packed_nodes_ -= uint32_t{node->is_packed()};
  block_bytes_ -= memory::Slabs::occupied(node->block_size());
  nodes_--;
  slabs.give(node, node->block_size());
}

void BlockList::link(Node* node, Node* previous, Node* next) {
  node->previous = previous;
  node->next = next;
  (previous != nullptr ? previous->next : first_) = node;
  (next != nullptr ? next->previous : last_) = node;
}

void BlockList::unlink(Node* node) {
  (node->previous != nullptr ? node->previous->next : first_) = node->next;
  (node->next != nullptr ? node->next->previous : last_) = node->previous;
}

BlockList::Node* BlockList::put_in_place(memory::Slabs& slabs, Node* node, Node* twin) {
  link(twin, node->previous, node->next);
  free_node(slabs, node);
  return twin;
}

// Moves a node to a block of another size, with so many unused bytes in front of its run.
BlockList::Node* BlockList::rebuild(Supply supply, Node* node, size_t block_size,
                                    size_t front_room) {
  Node* const moved = create_node(supply.slabs, block_size);
  std::memcpy(moved->data() + front_room, node->data() + node->begin, node->used());
  moved->begin = narrow(front_room);
  moved->end = narrow(front_room + node->used());
  moved->count = node->count;
  return put_in_place(supply.slabs, node, moved);
}

// ---- packed nodes ----

// The node, ready for edits.
BlockList::Node* BlockList::unpack(memory::Slabs& slabs, Node* node) {
  node->is_dense = false;
  if (!node->is_packed()) return node;
  const size_t needed = sizeof(Node) + node->used();
  Node* const plain = create_node(slabs, node->count == 1 ? needed : std::bit_ceil(needed));
  unpack_run({node->data(), node->held()}, plain->data(), node->used());
  plain->end = node->end;
  plain->count = node->count;
  return put_in_place(slabs, node, plain);
}

// The node, packed if that gains enough.
BlockList::Node* BlockList::pack(memory::Slabs& slabs, Node* node) {
  const size_t run_bytes = node->used();
  if (node->is_packed() || node->is_dense) return node;
  if (run_bytes < kPackedRunMin || run_bytes > kPackedRunMax) return node;
  const size_t room = run_bytes - run_bytes / 8;
  auto* const frame = static_cast<char*>(slabs.take(room));
  const size_t frame_bytes = pack_run({node->data() + node->begin, run_bytes}, frame, room);
  node->is_dense = frame_bytes == 0;
  if (!node->is_dense) {
    Node* const packed = create_node(slabs, sizeof(Node) + frame_bytes);
    std::memcpy(packed->data(), frame, frame_bytes);
    packed->end = narrow(run_bytes);
    packed->count = node->count;
    packed_nodes_++;
    node = put_in_place(slabs, node, packed);
  }
  slabs.give(frame, room);
  return node;
}

// Whether as many nodes as stay plain are on both sides.
bool BlockList::is_inner(const Node* node) const {
  const Node* back = node;
  const Node* ahead = node;
  for (size_t i = 0; i < plain_depth_; ++i) {
    back = back->previous;
    ahead = ahead->next;
    if (back == nullptr || ahead == nullptr) return false;
  }
  return true;
}

// Packs the inner nodes between two, which are not among them; null: from the first, to the last.
void BlockList::settle_between(memory::Slabs& slabs, const Node* before, const Node* behind) {
  if (plain_depth_ == 0) return;
  for (Node* node = before != nullptr ? before->next : first_; node != behind; node = node->next) {
    if (is_inner(node)) node = pack(slabs, node);
  }
}

// Unpacks what is near the ends, and packs the first node beyond on either side.
void BlockList::settle_ends(memory::Slabs& slabs) {
  const size_t depth = std::max<size_t>(plain_depth_, 1);
  Node* front = first_;
  for (size_t i = 0; i < depth && front != nullptr; ++i) front = unpack(slabs, front)->next;
  Node* back = last_;
  for (size_t i = 0; i < depth && back != nullptr; ++i) back = unpack(slabs, back)->previous;
  if (plain_depth_ == 0 || nodes_ <= 2 * depth) return;
  if (front != back) pack(slabs, back);
  pack(slabs, front);
}

// After an edit between two nodes, as settle_between() has them.
void BlockList::settle(Supply supply, const Node* before, const Node* behind) {
  plain_depth_ = supply.limit.plain_depth;
  if (!may_pack()) return;
  settle_between(supply.slabs, before, behind);
  settle_ends(supply.slabs);
}

// ---- places ----

// In a node that is known to be plain.
BlockList::Place BlockList::Place::in_plain(Node* node, const char* at) {
  Place place({node->data() + node->begin, node->used()}, at);
  place.node_ = node;
  return place;
}

// The first element of a node.
void BlockList::Place::enter(Node* node) {
  node_ = node;
  begin_ = node->data() + node->begin;
  if (node->is_packed()) {
    if (unpacked_ == nullptr) unpacked_ = std::make_unique<std::string>();
    unpacked_->resize(node->used());
    unpack_run({node->data(), node->held()}, unpacked_->data(), node->used());
    begin_ = unpacked_->data();
  }
  at_ = begin_;
  end_ = begin_ + node->used();
}

void BlockList::Place::enter_next() {
  if (node_ == nullptr || node_->next == nullptr) {
    at_ = nullptr;
  } else {
    enter(node_->next);
  }
}

void BlockList::Place::enter_previous() {
  if (node_ == nullptr || node_->previous == nullptr) {
    at_ = nullptr;
  } else {
    enter(node_->previous);
    at_ = end_ - list_run::room_before(end_);
  }
}

BlockList::Place BlockList::front() const {
  return first_ == nullptr ? Place() : Place::in_plain(first_, first_->data() + first_->begin);
}

BlockList::Place BlockList::back() const {
  if (last_ == nullptr) return {};
  const char* const end = last_->data() + last_->end;
  return Place::in_plain(last_, end - list_run::room_before(end));
}

BlockList::Seek BlockList::seek(size_t index) const {
  if (index < size_ / 2) {
    Node* node = first_;
    for (; index >= node->count; node = node->next) index -= node->count;
    return {node, index};
  }
  size_t behind = size_ - index;  // elements from the wanted one to the end
  Node* node = last_;
  for (; behind > node->count; node = node->previous) behind -= node->count;
  return {node, node->count - behind};
}

BlockList::Place BlockList::at(size_t index) const {
  const auto [node, rank] = seek(index);
  Place place(node);
  if (rank < node->count / 2u) {
    for (size_t i = 0; i < rank; ++i) place.at_ += list_run::room_at(place.at_);
  } else {
    place.at_ = place.end_;
    for (size_t i = node->count; i > rank; --i) place.at_ -= list_run::room_before(place.at_);
  }
  return place;
}

// ---- making room ----

bool BlockList::fits(NodeLimit limit, const Node* node, size_t room) {
  return node->count < limit.elements && sizeof(Node) + node->used() + room <= limit.bytes;
}

// Null when the node is full; it is plain. Elements move to the nearer side. When that has no room
// left, the run is pushed over to the other one, or the block doubles: either leaves so much room
// that what was moved is paid for by the elements that follow.
char* BlockList::open_if_it_fits(Supply supply, Node* node, uint32_t offset, size_t room) {
  const size_t wanted = node->used() + room;
  if (!fits(supply.limit, node, room)) return nullptr;
  const bool near_back = offset - node->begin >= node->end - offset;
  const size_t near_room = near_back ? node->capacity - node->end : node->begin;
  if (near_room < room) [[unlikely]] {
    const size_t rank = offset - node->begin;
    if (wanted <= size_t{node->capacity} / 4 * 3) {
      const size_t begin = near_back ? 0 : node->capacity - node->used();
      std::memmove(node->data() + begin, node->data() + node->begin, node->used());
      node->end = narrow(begin + node->used());
      node->begin = narrow(begin);
    } else if (node->block_size() < supply.limit.bytes) {
      const size_t size = std::min<size_t>(
          std::max(std::bit_ceil(sizeof(Node) + wanted), std::bit_ceil(node->block_size() + 1)),
          supply.limit.bytes);
      const size_t unused = size - sizeof(Node) - node->used();
      node = rebuild(supply, node, size, near_back ? 0 : unused);
    } else {
      return nullptr;
    }
    offset = narrow(node->begin + rank);
  }
  char* const data = node->data();
  node->count++;
  size_++;
  run_bytes_ += room;
  if (near_back) {
    std::memmove(data + offset + room, data + offset, node->end - offset);
    node->end += narrow(room);
    return data + offset;
  }
  std::memmove(data + node->begin - room, data + node->begin, offset - node->begin);
  node->begin -= narrow(room);
  return data + offset - room;
}

// A node's first block is about a quarter of what the list has already: little is wasted in a short
// list, little is copied in a long one.
char* BlockList::open_alone(Supply supply, Node* previous, Node* next, size_t room) {
  size_t size = sizeof(Node) + room;
  if (size < supply.limit.bytes) {
    size = std::bit_ceil(std::max({size, kBlockBytesMin, run_bytes_ / 4}));
    size = std::min<size_t>(size, supply.limit.bytes);
  }
  Node* const node = create_node(supply.slabs, size);
  const bool grows_ahead = previous == nullptr && next != nullptr;
  node->begin = grows_ahead ? narrow(node->capacity - room) : 0;
  node->end = narrow(node->begin + room);
  node->count = 1;
  link(node, previous, next);
  size_++;
  run_bytes_ += room;
  return node->data() + node->begin;
}

// A node of its own at an end.
char* BlockList::open_end(Supply supply, Node* previous, Node* next, size_t room) {
  char* const out = open_alone(supply, previous, next, room);
  plain_depth_ = supply.limit.plain_depth;
  if (may_pack()) settle_ends(supply.slabs);
  return out;
}

char* BlockList::open_back(Supply supply, size_t room) {
  if (last_ != nullptr) {
    if (char* const out = open_if_it_fits(supply, last_, last_->end, room)) return out;
  }
  return open_end(supply, last_, nullptr, room);
}

char* BlockList::open_front(Supply supply, size_t room) {
  if (first_ != nullptr) {
    if (char* const out = open_if_it_fits(supply, first_, first_->begin, room)) return out;
  }
  return open_end(supply, nullptr, first_, room);
}

// REQUIRES: the node is plain.
char* BlockList::open(Supply supply, Node* node, uint32_t offset, size_t room) {
  while (true) {
    if (char* const out = open_if_it_fits(supply, node, offset, room)) return out;
    if (offset == node->begin) {
      Node* previous = node->previous;
      if (previous != nullptr && fits(supply.limit, previous, room)) {
        previous = unpack(supply.slabs, previous);
        if (char* const out = open_if_it_fits(supply, previous, previous->end, room)) return out;
      }
      return open_alone(supply, node->previous, node, room);
    }
    if (offset == node->end) {
      Node* next = node->next;
      if (next != nullptr && fits(supply.limit, next, room)) {
        next = unpack(supply.slabs, next);
        if (char* const out = open_if_it_fits(supply, next, next->begin, room)) return out;
      }
      return open_alone(supply, node, node->next, room);
    }
    // Halves leave room for what follows, except when the element needs more than that.
    uint32_t border = offset;
    if (room <= supply.limit.bytes / 2) {
      border = node->begin + narrow(list_run::room_at(node->data() + node->begin));
      while (border - node->begin < node->used() / 2) {
        const size_t after = border + list_run::room_at(node->data() + border);
        if (after >= node->end) break;
        border = narrow(after);
      }
    }
    Node* const right = split(supply, node, border);
    if (offset > border) {
      offset = right->begin + (offset - border);
      node = right;
    }
  }
}

// Moves what stands from `offset` on to a new node behind; returns that.
BlockList::Node* BlockList::split(Supply supply, Node* node, uint32_t offset) {
  const size_t moved_bytes = node->end - offset;
  const size_t needed = sizeof(Node) + moved_bytes;
  const size_t roomy = std::min<size_t>(std::bit_ceil(2 * needed), supply.limit.bytes);
  Node* const right = create_node(supply.slabs, std::max(needed, roomy));
  std::memcpy(right->data(), node->data() + offset, moved_bytes);
  right->end = narrow(moved_bytes);
  for (const char* at = right->data(); at < right->data() + moved_bytes;
       at += list_run::room_at(at)) {
    right->count++;
  }
  node->end = offset;
  node->count = narrow_count(size_t{node->count} - right->count);
  link(right, node, node->next);
  return right;
}

// ---- removing ----

// Takes `count` elements, `room` bytes, out of a node, which may be empty then. Returns the offset
// of what followed.
uint32_t BlockList::cut(Node* node, uint32_t offset, size_t room, size_t count) {
  char* const data = node->data();
  const size_t before = offset - node->begin;
  const size_t after = node->end - offset - room;
  node->count = narrow_count(node->count - count);
  size_ -= count;
  run_bytes_ -= room;
  if (after <= before) {
    std::memmove(data + offset, data + offset + room, after);
    node->end -= narrow(room);
    return offset;
  }
  std::memmove(data + node->begin + room, data + node->begin, before);
  node->begin += narrow(room);
  return narrow(offset + room);
}

// After a removal: joins a node with neighbours when there is little in both, and gives back a
// block that is mostly unused. REQUIRES: the node is plain, and not
// empty.
void BlockList::tidy(Supply supply, Node* node, bool looks_back, bool looks_ahead) {
  const auto fits_with = [&](const Node* neighbour) {
    return neighbour != nullptr &&
           sizeof(Node) + node->used() + neighbour->used() <= supply.limit.bytes / 2 &&
           size_t{node->count} + neighbour->count <= supply.limit.elements;
  };
  const auto join = [&](Node* left, Node* right) {
    left = unpack(supply.slabs, left);
    right = unpack(supply.slabs, right);
    const size_t used = left->used() + right->used();
    Node* const joined = rebuild(supply, left, std::bit_ceil(2 * (sizeof(Node) + used)), 0);
    std::memcpy(joined->data() + joined->end, right->data() + right->begin, right->used());
    joined->end += narrow(right->used());
    joined->count = narrow_count(size_t{joined->count} + right->count);
    unlink(right);
    free_node(supply.slabs, right);
    return joined;
  };
  if (looks_back && fits_with(node->previous)) node = join(node->previous, node);
  if (looks_ahead && fits_with(node->next)) node = join(node, node->next);
  const size_t needed = sizeof(Node) + node->used();
  if (needed * 4 <= node->block_size() && node->block_size() > kBlockBytesMin) {
    rebuild(supply, node, std::bit_ceil(2 * needed), 0);
  }
}

// An edit at one place touches its node and the neighbours: what is two nodes away bounds it.
const BlockList::Node* BlockList::two_back(const Node* node) {
  return node->previous != nullptr ? node->previous->previous : nullptr;
}

const BlockList::Node* BlockList::two_ahead(const Node* node) {
  return node->next != nullptr ? node->next->next : nullptr;
}

void BlockList::pop_front(memory::Slabs& slabs) {
  Node* const node = first_;
  const size_t room = list_run::room_at(node->data() + node->begin);
  node->begin += narrow(room);
  size_--;
  run_bytes_ -= room;
  if (--node->count > 0) [[likely]]
    return;
  unlink(node);
  free_node(slabs, node);
  if (may_pack()) settle_ends(slabs);
}

void BlockList::pop_back(memory::Slabs& slabs) {
  Node* const node = last_;
  const size_t room = list_run::room_before(node->data() + node->end);
  node->end -= narrow(room);
  size_--;
  run_bytes_ -= room;
  if (--node->count > 0) [[likely]]
    return;
  unlink(node);
  free_node(slabs, node);
  if (may_pack()) settle_ends(slabs);
}

void BlockList::remove(Supply supply, size_t index, size_t count) {
  if (count == 0) return;
  auto [node, rank] = seek(index);
  const Node* const before = two_back(node);
  Node* changed = nullptr;
  while (count > 0) {
    Node* const next = node->next;
    const size_t taken = std::min(count, node->count - rank);
    count -= taken;
    if (taken == node->count) {
      size_ -= taken;
      run_bytes_ -= node->used();
      unlink(node);
      free_node(supply.slabs, node);
    } else {
      node = unpack(supply.slabs, node);
      const char* from = node->data() + node->begin;
      for (size_t i = 0; i < rank; ++i) from += list_run::room_at(from);
      const char* to = from;
      for (size_t i = 0; i < taken; ++i) to += list_run::room_at(to);
      cut(node, narrow(static_cast<size_t>(from - node->data())), static_cast<size_t>(to - from),
          taken);
      changed = node;
    }
    rank = 0;
    node = next;
  }
  const Node* const behind = node != nullptr ? node->next : nullptr;
  if (changed != nullptr) tidy(supply, changed, true, true);
  settle(supply, before, behind);
}

bool BlockList::is_in(std::string_view run, const packed::Encoded& element) {
  for (const char* at = run.data(); at != run.data() + run.size(); at += list_run::room_at(at)) {
    if (list_run::is_at(element, at)) return true;
  }
  return false;
}

size_t BlockList::remove_equal(Supply supply, const packed::Encoded& element, size_t count_max,
                               bool from_back) {
  plain_depth_ = supply.limit.plain_depth;
  const size_t room = list_run::room_of(element);
  size_t removed = 0;
  for (Node* node = from_back ? last_ : first_; node != nullptr && removed < count_max;) {
    Node* const following = from_back ? node->previous : node->next;
    if (node->is_packed()) {  // stays so unless there is something to remove
      Place place(node);
      if (!is_in({place.begin_, node->used()}, element)) {
        node = following;
        continue;
      }
      node = unpack(supply.slabs, node);
    }
    const size_t removed_before = removed;
    uint32_t at = from_back ? node->end : node->begin;
    while (at != (from_back ? node->begin : node->end) && removed < count_max) {
      const size_t passed = from_back ? list_run::room_before(node->data() + at)
                                      : list_run::room_at(node->data() + at);
      const uint32_t start = from_back ? narrow(at - passed) : at;
      if (passed == room && element.is_at(node->data() + start)) {
        at = cut(node, start, room, 1);
        removed++;
      } else {
        at = from_back ? start : narrow(at + passed);
      }
    }
    if (node->count == 0) {
      unlink(node);
      free_node(supply.slabs, node);
    } else if (removed > removed_before) {
      node->is_dense = false;
      // Only with what has been searched already: the other neighbour comes next.
      const Node* const before = from_back ? following : two_back(node);
      const Node* const behind = from_back ? two_ahead(node) : following;
      tidy(supply, node, !from_back, from_back);
      settle_between(supply.slabs, before, behind);
    }
    node = following;
  }
  if (removed > 0 && may_pack()) settle_ends(supply.slabs);
  return removed;
}

// ---- edits of one element ----

void BlockList::push_front(Supply supply, const packed::Encoded& element) {
  list_run::write(element, open_front(supply, list_run::room_of(element)));
}

void BlockList::push_back(Supply supply, const packed::Encoded& element) {
  list_run::write(element, open_back(supply, list_run::room_of(element)));
}

void BlockList::push_back(Supply supply, std::string_view element) {
  list_run::write(element, open_back(supply, list_run::room_of(element)));
}

// edit(node, offset) at a place, in a plain node; then all is packed again that should be.
template <class Edit>
void BlockList::edit_at(Supply supply, const Place& place, Edit&& edit) {
  plain_depth_ = supply.limit.plain_depth;
  Node* node = place.node_;
  const auto rank = static_cast<size_t>(place.at_ - place.begin_);
  if (!may_pack()) return edit(node, narrow(node->begin + rank));
  const Node* const before = two_back(node);
  const Node* const behind = two_ahead(node);
  node = unpack(supply.slabs, node);
  edit(node, narrow(node->begin + rank));
  settle(supply, before, behind);
}

void BlockList::insert_before(Supply supply, const Place& place, const packed::Encoded& element) {
  edit_at(supply, place, [&](Node* node, uint32_t offset) {
    list_run::write(element, open(supply, node, offset, list_run::room_of(element)));
  });
}

void BlockList::insert_after(Supply supply, const Place& place, const packed::Encoded& element) {
  edit_at(supply, place, [&](Node* node, uint32_t offset) {
    offset += narrow(list_run::room_at(node->data() + offset));
    list_run::write(element, open(supply, node, offset, list_run::room_of(element)));
  });
}

void BlockList::replace(Supply supply, const Place& place, const packed::Encoded& element) {
  edit_at(supply, place, [&](Node* node, uint32_t offset) {
    const size_t old_room = list_run::room_at(node->data() + offset);
    const size_t room = list_run::room_of(element);
    if (room == old_room) {
      list_run::write(element, node->data() + offset);
    } else if (node->count > 1) {
      offset = cut(node, offset, old_room, 1);
      list_run::write(element, open(supply, node, offset, room));
      if (room < old_room) tidy(supply, node, true, true);  // so it fitted where it was
    } else {
      Node* const previous = node->previous;
      Node* const next = node->next;
      cut(node, offset, old_room, 1);
      unlink(node);
      free_node(supply.slabs, node);
      list_run::write(element, open_alone(supply, previous, next, room));
    }
  });
}

void BlockList::append_run(Supply supply, std::string_view run) {
  for (size_t at = 0; at < run.size();) {
    const size_t room = list_run::room_at(run.data() + at);
    std::memcpy(open_back(supply, room), run.data() + at, room);
    at += room;
  }
}

void BlockList::check() const {
  size_t size = 0;
  size_t run_bytes = 0;
  size_t nodes = 0;
  size_t packed_nodes = 0;
  size_t block_bytes = memory::Slabs::occupied(sizeof(BlockList));
  const Node* previous = nullptr;
  for (Node* node = first_; node != nullptr; previous = node, node = node->next) {
    ROX_ASSERT(node->previous == previous);
    ROX_ASSERT(node->count > 0 && node->begin <= node->end);
    if (node->is_packed()) {
      ROX_ASSERT(node != first_ && node != last_ && node->begin == 0);
      packed_nodes++;
    }
    const Place place(node);
    ROX_ASSERT(list_run::check({place.begin_, node->used()}) == node->count);
    size += node->count;
    run_bytes += node->used();
    block_bytes += memory::Slabs::occupied(node->block_size());
    nodes++;
  }
  ROX_ASSERT(previous == last_);
  ROX_ASSERT(size == size_ && run_bytes == run_bytes_);
  ROX_ASSERT(nodes == nodes_ && packed_nodes == packed_nodes_ && block_bytes == block_bytes_);
}

}  // namespace roxdb::containers
