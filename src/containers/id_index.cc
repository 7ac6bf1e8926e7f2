#include "containers/id_index.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace roxdb::containers {

// A leaf with fewer items than this joins a neighbour when both fit into three quarters of one.
static constexpr size_t kLeafItemsFew = 8;
// The same for inner nodes and their children.
static constexpr size_t kChildrenFew = 10;

IdItem* IdIndex::Place::item() const { return leaf_->items()[slot_]; }

void IdIndex::Place::next() {
  if (++slot_ < leaf_->count) return;
  leaf_ = leaf_->next;
  slot_ = 0;
}

void IdIndex::Place::previous() {
  if (slot_ > 0) {
    slot_--;
    return;
  }
  leaf_ = leaf_->previous;
  slot_ = leaf_ != nullptr ? leaf_->count - 1u : 0;
}

size_t IdIndex::lower_bound(Leaf* leaf, const Id& id) {
  IdItem** items = leaf->items();
  return static_cast<size_t>(
      std::lower_bound(items, items + leaf->count, id,
                       [](const IdItem* item, const Id& wanted) { return item->id < wanted; }) -
      items);
}

IdIndex::Leaf* IdIndex::descend(const Id& id, Path* path) const {
  void* node = root_;
  for (size_t level = height_; level > 1; --level) {
    auto* inner = static_cast<Inner*>(node);
    const Child* begin = inner->children;
    // The last child whose `low` is not above the ID; the first one takes all that is below.
    const Child* behind =
        std::upper_bound(begin + 1, begin + inner->count, id,
                         [](const Id& wanted, const Child& child) { return wanted < child.low; });
    const auto child = static_cast<size_t>(behind - begin) - 1;
    if (path != nullptr) {
      path->inner[path->depth] = inner;
      path->child[path->depth++] = child;
    }
    node = inner->children[child].node;
  }
  return static_cast<Leaf*>(node);
}

IdIndex::Place IdIndex::first() const {
  return size_ == 0 ? Place() : Place(descend(kIdMin, nullptr), 0);
}

IdIndex::Place IdIndex::last() const {
  return size_ == 0 ? Place() : Place(last_, last_->count - 1u);
}

IdIndex::Place IdIndex::at_or_after(const Id& id) const {
  if (size_ == 0) return Place();
  Leaf* leaf = descend(id, nullptr);
  const size_t slot = lower_bound(leaf, id);
  return slot < leaf->count ? Place(leaf, slot) : Place(leaf->next, 0);
}

IdIndex::Place IdIndex::at_or_before(const Id& id) const {
  Place place = at_or_after(id);
  if (!place) return last();
  if (id < place.item()->id) place.previous();
  return place;
}

IdItem* IdIndex::find(const Id& id) const {
  if (size_ == 0) return nullptr;
  Leaf* leaf = descend(id, nullptr);
  const size_t slot = lower_bound(leaf, id);
  if (slot == leaf->count || leaf->items()[slot]->id != id) return nullptr;
  return leaf->items()[slot];
}

// --- growing -------------------------------------------------------------------------------

IdIndex::Leaf* IdIndex::make_leaf(memory::Slabs& slabs, size_t room) {
  auto* leaf = static_cast<Leaf*>(slabs.take(Leaf::bytes(room)));
  *leaf = {0, static_cast<uint16_t>(room), nullptr, nullptr};
  return leaf;
}

void IdIndex::link_behind(Leaf* leaf, Leaf* fresh) {
  fresh->next = leaf->next;
  fresh->previous = leaf;
  if (leaf->next != nullptr) leaf->next->previous = fresh;
  leaf->next = fresh;
  if (last_ == leaf) last_ = fresh;
}

void IdIndex::unlink(Leaf* leaf) {
  if (leaf->next != nullptr) leaf->next->previous = leaf->previous;
  if (leaf->previous != nullptr) leaf->previous->next = leaf->next;
  if (last_ == leaf) last_ = leaf->previous;
}

// Twice the room; the leaf moves.
IdIndex::Leaf* IdIndex::grow(memory::Slabs& slabs, Leaf* leaf, Path& path) {
  const size_t room = size_t{2} * leaf->room;
  auto* bigger = static_cast<Leaf*>(slabs.take(Leaf::bytes(room)));
  std::memcpy(static_cast<void*>(bigger), leaf, Leaf::bytes(leaf->count));
  bigger->room = static_cast<uint16_t>(room);
  if (bigger->next != nullptr) bigger->next->previous = bigger;
  if (bigger->previous != nullptr) bigger->previous->next = bigger;
  if (last_ == leaf) last_ = bigger;
  if (path.depth == 0) {
    root_ = bigger;
  } else {
    path.inner[path.depth - 1]->children[path.child[path.depth - 1]].node = bigger;
  }
  slabs.give(leaf, Leaf::bytes(leaf->room));
  return bigger;
}

void IdIndex::insert_at(Leaf* leaf, size_t slot, IdItem* item) {
  IdItem** items = leaf->items();
  std::memmove(items + slot + 1, items + slot, (leaf->count - slot) * sizeof(IdItem*));
  items[slot] = item;
  leaf->count++;
  size_++;
}

void IdIndex::insert(memory::Slabs& slabs, IdItem* item) {
  if (size_ == 0) {
    Leaf* leaf = make_leaf(slabs, kLeafItemsMin);
    root_ = last_ = leaf;
    height_ = 1;
    insert_at(leaf, 0, item);
    return;
  }
  const bool is_append = last_->items()[last_->count - 1]->id < item->id;
  if (is_append && last_->count < last_->room) {
    insert_at(last_, last_->count, item);
    return;
  }
  Path path;
  Leaf* leaf = descend(item->id, &path);
  size_t slot = lower_bound(leaf, item->id);
  ROX_ASSERT(slot == leaf->count || leaf->items()[slot]->id != item->id);
  if (leaf->count == leaf->room && leaf->room < kLeafItemsMax) leaf = grow(slabs, leaf, path);
  if (leaf->count < leaf->room) {
    insert_at(leaf, slot, item);
    return;
  }
  // At the end the full leaf stays full; elsewhere half of it moves.
  Leaf* fresh = make_leaf(slabs, is_append ? kLeafItemsMin : kLeafItemsMax);
  link_behind(leaf, fresh);
  if (!is_append) {
    const size_t kept = leaf->count / 2;
    fresh->count = static_cast<uint16_t>(leaf->count - kept);
    std::memcpy(fresh->items(), leaf->items() + kept, fresh->count * sizeof(IdItem*));
    leaf->count = static_cast<uint16_t>(kept);
    if (slot > kept) {
      slot -= kept;
      leaf = fresh;
    }
  } else {
    leaf = fresh;
    slot = 0;
  }
  insert_at(leaf, slot, item);
  add_sibling(slabs, path, fresh->items()[0]->id, fresh);
}

void IdIndex::add_sibling(memory::Slabs& slabs, Path& path, const Id& low_id, void* node) {
  Id low = low_id;
  for (;;) {
    if (path.depth == 0) {
      auto* root = static_cast<Inner*>(slabs.take(sizeof(Inner)));
      root->count = 2;
      root->children[0] = {kIdMin, root_};
      root->children[1] = {low, node};
      root_ = root;
      height_++;
      ROX_ASSERT(height_ <= kHeightMax);
      return;
    }
    Inner* inner = path.inner[--path.depth];
    const size_t at = path.child[path.depth] + 1;
    Inner* home = inner;
    size_t slot = at;
    Inner* fresh = nullptr;
    if (inner->count == kChildrenMax) {
      // As with leaves: what grows at its end leaves full nodes behind.
      const size_t kept = at == kChildrenMax ? kChildrenMax : kChildrenMax / 2;
      fresh = static_cast<Inner*>(slabs.take(sizeof(Inner)));
      fresh->count = kChildrenMax - kept;
      std::copy(inner->children + kept, inner->children + kChildrenMax, fresh->children);
      inner->count = kept;
      if (at >= kept) {
        home = fresh;
        slot = at - kept;
      }
    }
    std::copy_backward(home->children + slot, home->children + home->count,
                       home->children + home->count + 1);
    home->children[slot] = {low, node};
    home->count++;
    if (fresh == nullptr) return;
    low = fresh->children[0].low;
    node = fresh;
  }
}

// --- shrinking -----------------------------------------------------------------------------

IdItem* IdIndex::erase(memory::Slabs& slabs, const Id& id) {
  if (size_ == 0) return nullptr;
  Path path;
  Leaf* leaf = descend(id, &path);
  const size_t slot = lower_bound(leaf, id);
  if (slot == leaf->count || leaf->items()[slot]->id != id) return nullptr;
  IdItem** items = leaf->items();
  IdItem* item = items[slot];
  std::memmove(items + slot, items + slot + 1, (leaf->count - slot - 1) * sizeof(IdItem*));
  leaf->count--;
  size_--;
  if (leaf->count == 0) {
    unlink(leaf);
    slabs.give(leaf, Leaf::bytes(leaf->room));
    drop_child(slabs, path);
  } else if (leaf->count < kLeafItemsFew && path.depth > 0) {
    merge_leaf(slabs, path);
  }
  return item;
}

void IdIndex::drop_child(memory::Slabs& slabs, Path& path) {
  while (path.depth > 0) {
    Inner* inner = path.inner[--path.depth];
    const size_t at = path.child[path.depth];
    std::copy(inner->children + at + 1, inner->children + inner->count, inner->children + at);
    inner->count--;
    if (inner->count == 0) {
      slabs.give(inner, sizeof(Inner));
    } else if (inner->count >= kChildrenFew || path.depth == 0 || !merge_inner(slabs, path)) {
      lower_root(slabs);
      return;
    }
  }
  root_ = nullptr;
  height_ = 0;
}

void IdIndex::lower_root(memory::Slabs& slabs) {
  while (height_ > 1) {
    auto* root = static_cast<Inner*>(root_);
    if (root->count > 1) return;
    root_ = root->children[0].node;
    height_--;
    slabs.give(root, sizeof(Inner));
  }
}

// As merge_leaf() for the inner node that `path` leads to. True: the path leads to an emptied node
// now, which is given back already and must be dropped.
bool IdIndex::merge_inner(memory::Slabs& slabs, Path& path) {
  Inner* parent = path.inner[path.depth - 1];
  const size_t at = path.child[path.depth - 1];
  for (const size_t left_at : {at, at - 1}) {
    if (left_at >= parent->count || left_at + 1 >= parent->count) continue;
    auto* left = static_cast<Inner*>(parent->children[left_at].node);
    auto* right = static_cast<Inner*>(parent->children[left_at + 1].node);
    if (left->count + right->count > kChildrenMax * 3 / 4) continue;
    // Only the parent knows what the first child of a node may hold.
    right->children[0].low = parent->children[left_at + 1].low;
    std::copy(right->children, right->children + right->count, left->children + left->count);
    left->count += right->count;
    slabs.give(right, sizeof(Inner));
    path.child[path.depth - 1] = left_at + 1;
    return true;
  }
  return false;
}

// Joins the few items of a leaf with those of a neighbour under the same parent, if they fit well.
void IdIndex::merge_leaf(memory::Slabs& slabs, Path& path) {
  Inner* parent = path.inner[path.depth - 1];
  const size_t at = path.child[path.depth - 1];
  for (const size_t left_at : {at, at - 1}) {  // with the next one, else with the previous one
    if (left_at >= parent->count || left_at + 1 >= parent->count) continue;
    auto* left = static_cast<Leaf*>(parent->children[left_at].node);
    auto* right = static_cast<Leaf*>(parent->children[left_at + 1].node);
    const size_t together = size_t{left->count} + right->count;
    if (together > kLeafItemsMax * 3 / 4) continue;
    path.child[path.depth - 1] = left_at;
    while (left->room < together) left = grow(slabs, left, path);
    std::memcpy(left->items() + left->count, right->items(), right->count * sizeof(IdItem*));
    left->count = static_cast<uint16_t>(together);
    unlink(right);
    slabs.give(right, Leaf::bytes(right->room));
    path.child[path.depth - 1] = left_at + 1;
    drop_child(slabs, path);
    return;
  }
}

void IdIndex::replace(Place place, IdItem* item) {
  ROX_ASSERT(place.item()->id == item->id);
  place.leaf_->items()[place.slot_] = item;
}

void IdIndex::release(memory::BlockSink& sink) {
  if (size_ > 0) release_node(root_, height_, sink);
  root_ = nullptr;
  last_ = nullptr;
  size_ = height_ = 0;
}

void IdIndex::release_node(void* node, size_t level, memory::BlockSink& sink) {
  if (level == 1) {
    sink.give(node, Leaf::bytes(static_cast<Leaf*>(node)->room));
    return;
  }
  auto* inner = static_cast<Inner*>(node);
  for (size_t i = 0; i < inner->count; ++i) release_node(inner->children[i].node, level - 1, sink);
  sink.give(inner, sizeof(Inner));
}

// --- looking -------------------------------------------------------------------------------

size_t IdIndex::measure(void* node, size_t level, size_t& nodes) const {
  nodes++;
  if (level == 1) return memory::Slabs::occupied(Leaf::bytes(static_cast<Leaf*>(node)->room));
  auto* inner = static_cast<Inner*>(node);
  size_t bytes = memory::Slabs::occupied(sizeof(Inner));
  for (size_t i = 0; i < inner->count; ++i) {
    bytes += measure(inner->children[i].node, level - 1, nodes);
  }
  return bytes;
}

size_t IdIndex::node_bytes() const {
  size_t nodes = 0;
  return size_ == 0 ? 0 : measure(root_, height_, nodes);
}

size_t IdIndex::nodes() const {
  size_t nodes = 0;
  if (size_ > 0) measure(root_, height_, nodes);
  return nodes;
}

void IdIndex::check() const {
  ROX_ASSERT((size_ == 0) == (root_ == nullptr) && (size_ == 0) == (height_ == 0));  // I3
  ROX_ASSERT((size_ == 0) == (last_ == nullptr));
  if (size_ == 0) return;
  if (height_ > 1) ROX_ASSERT(static_cast<Inner*>(root_)->count > 1);
  size_t items = 0;
  Leaf* previous = nullptr;
  check_node(root_, height_, nullptr, nullptr, items, previous);
  ROX_ASSERT(items == size_);
  ROX_ASSERT(previous == last_ && last_->next == nullptr);  // I4
}

// `low`, `high`: what the IDs must not be below, and must be below; null: no bound.
void IdIndex::check_node(void* node, size_t level, const Id* low, const Id* high, size_t& items,
                         Leaf*& previous) const {
  if (level > 1) {
    auto* inner = static_cast<Inner*>(node);
    ROX_ASSERT(inner->count > 0 && inner->count <= kChildrenMax);
    for (size_t i = 0; i < inner->count; ++i) {
      if (i > 1) ROX_ASSERT(inner->children[i - 1].low < inner->children[i].low);
      check_node(inner->children[i].node, level - 1, i > 0 ? &inner->children[i].low : low,
                 i + 1 < inner->count ? &inner->children[i + 1].low : high, items, previous);
    }
    return;
  }
  auto* leaf = static_cast<Leaf*>(node);
  ROX_ASSERT(leaf->count > 0 && leaf->count <= leaf->room && leaf->room <= kLeafItemsMax);
  ROX_ASSERT(leaf->previous == previous);
  if (previous != nullptr) {
    ROX_ASSERT(previous->next == leaf);
    ROX_ASSERT(previous->items()[previous->count - 1]->id < leaf->items()[0]->id);  // I1
  }
  for (size_t i = 0; i < leaf->count; ++i) {
    const Id& id = leaf->items()[i]->id;
    ROX_ASSERT((low == nullptr || *low <= id) && (high == nullptr || id < *high));  // I2
    if (i > 0) ROX_ASSERT(leaf->items()[i - 1]->id < id);
  }
  items += leaf->count;
  previous = leaf;
}

}  // namespace roxdb::containers
