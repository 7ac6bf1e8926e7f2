#include "containers/block_list.h"

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
  uint32_t count;

  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  size_t used() const { return end - begin; }
  size_t block_size() const { return sizeof(Node) + capacity; }
};

namespace {

constexpr size_t kBlockBytesMin = 64;

uint32_t narrow(size_t value) { return static_cast<uint32_t>(value); }

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
    const size_t needed = sizeof(Node) + node->used();
    const size_t size = std::min(node->block_size(), std::bit_ceil(needed));
    Node* const twin = copy->create_node(slabs, size);
    std::memcpy(twin->data(), node->data() + node->begin, node->used());
    twin->end = narrow(node->used());
    twin->count = node->count;
    copy->link(twin, copy->last_, nullptr);
  }
  copy->size_ = size_;
  copy->run_bytes_ = run_bytes_;
  return copy;
}

// An empty node outside the list.
BlockList::Node* BlockList::create_node(memory::Slabs& slabs, size_t block_size) {
  auto* const node = static_cast<Node*>(slabs.take(block_size));
  *node = {nullptr, nullptr, narrow(block_size - sizeof(Node)), 0, 0, 0};
  block_bytes_ += memory::Slabs::occupied(block_size);
  nodes_++;
  return node;
}

void BlockList::free_node(memory::Slabs& slabs, Node* node) {
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

// Moves a node to a block of another size, with so many unused bytes in front of its run.
BlockList::Node* BlockList::rebuild(Supply supply, Node* node, size_t block_size,
                                    size_t front_room) {
  Node* const moved = create_node(supply.slabs, block_size);
  std::memcpy(moved->data() + front_room, node->data() + node->begin, node->used());
  moved->begin = narrow(front_room);
  moved->end = narrow(front_room + node->used());
  moved->count = node->count;
  link(moved, node->previous, node->next);
  free_node(supply.slabs, node);
  return moved;
}

// ---- places ----

const char* BlockList::Place::bytes() const { return node_->data() + offset_; }

BlockList::Place BlockList::front() const {
  return first_ == nullptr ? Place() : Place(first_, first_->begin);
}

BlockList::Place BlockList::back() const {
  if (last_ == nullptr) return {};
  const size_t room = list_run::room_before(last_->data() + last_->end);
  return {last_, narrow(last_->end - room)};
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
  const char* at;
  if (rank < node->count / 2) {
    at = node->data() + node->begin;
    for (size_t i = 0; i < rank; ++i) at += list_run::room_at(at);
  } else {
    at = node->data() + node->end;
    for (size_t i = node->count; i > rank; --i) at -= list_run::room_before(at);
  }
  return {node, narrow(static_cast<size_t>(at - node->data()))};
}

BlockList::Place BlockList::next(Place place) const {
  const size_t offset = place.offset_ + list_run::room_at(place.bytes());
  if (offset < place.node_->end) return {place.node_, narrow(offset)};
  Node* const node = place.node_->next;
  return node == nullptr ? Place() : Place(node, node->begin);
}

BlockList::Place BlockList::previous(Place place) const {
  Node* node = place.node_;
  size_t offset = place.offset_;
  if (offset == node->begin) {
    node = node->previous;
    if (node == nullptr) return {};
    offset = node->end;
  }
  return {node, narrow(offset - list_run::room_before(node->data() + offset))};
}

// ---- making room ----

// Null when the node is full. Elements move to the nearer side. When that has no room left, the run
// is pushed over to the other one, or the block doubles: either leaves so much room that what was
// moved is paid for by the elements that follow.
char* BlockList::open_if_it_fits(Supply supply, Node* node, uint32_t offset, size_t room) {
  const size_t wanted = node->used() + room;
  if (node->count >= supply.limit.elements || sizeof(Node) + wanted > supply.limit.bytes) {
    return nullptr;
  }
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

char* BlockList::open_back(Supply supply, size_t room) {
  if (last_ != nullptr) {
    if (char* const out = open_if_it_fits(supply, last_, last_->end, room)) return out;
  }
  return open_alone(supply, last_, nullptr, room);
}

char* BlockList::open_front(Supply supply, size_t room) {
  if (first_ != nullptr) {
    if (char* const out = open_if_it_fits(supply, first_, first_->begin, room)) return out;
  }
  return open_alone(supply, nullptr, first_, room);
}

char* BlockList::open(Supply supply, Node* node, uint32_t offset, size_t room) {
  while (true) {
    if (char* const out = open_if_it_fits(supply, node, offset, room)) return out;
    if (offset == node->begin) {
      Node* const previous = node->previous;
      if (previous != nullptr) {
        if (char* const out = open_if_it_fits(supply, previous, previous->end, room)) return out;
      }
      return open_alone(supply, node->previous, node, room);
    }
    if (offset == node->end) {
      Node* const next = node->next;
      if (next != nullptr) {
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
  node->count -= right->count;
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
  node->count -= narrow(count);
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
// block that is mostly unused. REQUIRES: the node is not empty.
void BlockList::tidy(Supply supply, Node* node, bool looks_back, bool looks_ahead) {
  const auto fits_with = [&](const Node* neighbour) {
    return neighbour != nullptr &&
           sizeof(Node) + node->used() + neighbour->used() <= supply.limit.bytes / 2 &&
           node->count + neighbour->count <= supply.limit.elements;
  };
  const auto join = [&](Node* left, Node* right) {
    const size_t used = left->used() + right->used();
    Node* const joined = rebuild(supply, left, std::bit_ceil(2 * (sizeof(Node) + used)), 0);
    std::memcpy(joined->data() + joined->end, right->data() + right->begin, right->used());
    joined->end += narrow(right->used());
    joined->count += right->count;
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
}

void BlockList::remove(Supply supply, size_t index, size_t count) {
  if (count == 0) return;
  auto [node, rank] = seek(index);
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
  if (changed != nullptr) tidy(supply, changed, true, true);
}

size_t BlockList::remove_equal(Supply supply, const packed::Encoded& element, size_t count_max,
                               bool from_back) {
  const size_t room = list_run::room_of(element);
  size_t removed = 0;
  for (Node* node = from_back ? last_ : first_; node != nullptr && removed < count_max;) {
    Node* const following = from_back ? node->previous : node->next;
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
      // Only with what has been searched already: the other neighbour comes next.
      tidy(supply, node, !from_back, from_back);
    }
    node = following;
  }
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

void BlockList::insert_before(Supply supply, Place place, const packed::Encoded& element) {
  const size_t room = list_run::room_of(element);
  list_run::write(element, open(supply, place.node_, place.offset_, room));
}

void BlockList::insert_after(Supply supply, Place place, const packed::Encoded& element) {
  const size_t room = list_run::room_of(element);
  const size_t offset = place.offset_ + list_run::room_at(place.bytes());
  list_run::write(element, open(supply, place.node_, narrow(offset), room));
}

void BlockList::replace(Supply supply, Place place, const packed::Encoded& element) {
  Node* const node = place.node_;
  const size_t old_room = list_run::room_at(place.bytes());
  const size_t room = list_run::room_of(element);
  if (room == old_room) {
    list_run::write(element, node->data() + place.offset_);
  } else if (node->count > 1) {
    const uint32_t offset = cut(node, place.offset_, old_room, 1);
    list_run::write(element, open(supply, node, offset, room));
    if (room < old_room) tidy(supply, node, true, true);  // so it fitted where it was
  } else {
    Node* const previous = node->previous;
    Node* const next = node->next;
    cut(node, place.offset_, old_room, 1);
    unlink(node);
    free_node(supply.slabs, node);
    list_run::write(element, open_alone(supply, previous, next, room));
  }
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
  size_t block_bytes = memory::Slabs::occupied(sizeof(BlockList));
  const Node* previous = nullptr;
  for (const Node* node = first_; node != nullptr; previous = node, node = node->next) {
    ROX_ASSERT(node->previous == previous);
    ROX_ASSERT(node->count > 0 && node->begin <= node->end && node->end <= node->capacity);
    ROX_ASSERT(list_run::check({node->data() + node->begin, node->used()}) == node->count);
    size += node->count;
    run_bytes += node->used();
    block_bytes += memory::Slabs::occupied(node->block_size());
    nodes++;
  }
  ROX_ASSERT(previous == last_);
  ROX_ASSERT(size == size_ && run_bytes == run_bytes_);
  ROX_ASSERT(nodes == nodes_ && block_bytes == block_bytes_);
}

}  // namespace roxdb::containers
