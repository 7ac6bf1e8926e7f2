#include "containers/skiplist.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/assert.h"
#include "containers/segment.h"

namespace roxdb::containers {
namespace {

// How many of `count` ascending scores are below `score`; or not above it, when Inclusive. Looks at
// all of them: in arrays of this size that is as quick as a binary search, whose steps nobody can
// predict, and where they miss the cache it is quicker, since all lines are asked for at once.
template <bool Inclusive>
uint32_t scores_before(const double* scores, uint32_t count, double score) {
  uint64_t before = 0;
  uint32_t i = 0;
#if defined(__SSE2__)
  const __m128d border = _mm_set1_pd(score);
  __m128i counts = _mm_setzero_si128();  // a true comparison is -1
  for (; i + 2 <= count; i += 2) {
    const __m128d pair = _mm_loadu_pd(scores + i);
    counts = _mm_sub_epi64(counts, _mm_castpd_si128(Inclusive ? _mm_cmple_pd(pair, border)
                                                              : _mm_cmplt_pd(pair, border)));
  }
  before = static_cast<uint64_t>(_mm_cvtsi128_si64(counts)) +
           static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(counts, counts)));
#endif
  for (; i < count; ++i) before += Inclusive ? scores[i] <= score : scores[i] < score;
  return static_cast<uint32_t>(before);
}

}  // namespace

ScoredItem* ScoredItem::create(memory::Slabs& slabs, double score, std::string_view member) {
  ROX_ASSERT(!std::isnan(score) && member.size() <= kMemberBytesMax);
  auto* item = new (slabs.take(size_of(member.size()))) ScoredItem(score);
  auto* out = reinterpret_cast<char*>(item + 1);
  if (member.size() < kLong) {
    *out++ = static_cast<char>(member.size());
  } else {
    const auto size = static_cast<uint32_t>(member.size());
    *out++ = static_cast<char>(kLong);
    std::memcpy(out, &size, sizeof size);
    out += sizeof size;
  }
  if (!member.empty()) std::memcpy(out, member.data(), member.size());
  return item;
}

std::string_view ScoredItem::long_member() const {
  const auto* bytes = reinterpret_cast<const char*>(this + 1) + 1;
  uint32_t size;
  std::memcpy(&size, bytes, sizeof size);
  return {bytes + sizeof size, size};
}

// ---- nodes ----

template <class Shape>
uint32_t BasicSkiplist<Shape>::capacity_for(uint32_t level, uint32_t count) {
  const uint32_t step = slots_step(level);
  return std::min(slots_max(level), (count / step + 1) * step - 1);
}

template <class Shape>
auto BasicSkiplist<Shape>::create_node(memory::Slabs& slabs, uint32_t level, uint32_t capacity)
    -> Node* {
  const size_t size = Node::size_of(level, capacity);
  bytes_ += memory::Slabs::occupied(size);
  return new (slabs.take(size)) Node{.count = 0,
                                     .capacity = static_cast<uint16_t>(capacity),
                                     .level = static_cast<uint16_t>(level)};
}

template <class Shape>
void BasicSkiplist<Shape>::release_node(memory::Slabs& slabs, Node* node) {
  bytes_ -= memory::Slabs::occupied(node->size());
  slabs.give(node, node->size());
}

template <class Shape>
auto BasicSkiplist<Shape>::resize(memory::Slabs& slabs, Path& path, uint32_t level,
                                  uint32_t capacity) -> Node* {
  Node* old = path.nodes[level];
  Node* node = create_node(slabs, level, capacity);
  move_slots(old, 0, old->count, node);
  release_node(slabs, old);
  path.nodes[level] = node;
  if (old == root_) {
    root_ = node;
  } else {
    path.nodes[level + 1]->children()[path.at[level + 1]] = node;
  }
  return node;
}

template <class Shape>
void BasicSkiplist<Shape>::open_slot(Node* node, uint32_t at, const Slot& slot) {
  uint64_t words[4];
  static_assert(sizeof words == sizeof slot);
  std::memcpy(words, &slot, sizeof words);
  for (uint32_t i = 0; i < node->columns(); ++i) {
    uint64_t* column = node->column(i);
    std::memmove(column + at + 1, column + at, (node->count - at) * sizeof *column);
    std::memcpy(column + at, words + i, sizeof *column);
  }
  node->count++;
}

template <class Shape>
void BasicSkiplist<Shape>::close_slots(Node* node, uint32_t at, uint32_t count) {
  for (uint32_t i = 0; i < node->columns(); ++i) {
    uint64_t* column = node->column(i);
    std::memmove(column + at, column + at + count, (node->count - at - count) * sizeof *column);
  }
  node->count = static_cast<uint16_t>(node->count - count);
}

// Appends a copy of slots [first, last) to another node of the level.
template <class Shape>
void BasicSkiplist<Shape>::move_slots(Node* from, uint32_t first, uint32_t last, Node* to) {
  for (uint32_t i = 0; i < from->columns(); ++i) {
    std::memcpy(to->column(i) + to->count, from->column(i) + first,
                (last - first) * sizeof(uint64_t));
  }
  to->count = static_cast<uint16_t>(to->count + last - first);
}

template <class Shape>
auto BasicSkiplist<Shape>::link_to(Node* node) -> Slot {
  uint64_t width = node->count;
  if (node->level > 0) {
    width = 0;
    for (uint32_t i = 0; i < node->count; ++i) width += node->widths()[i];
  }
  return {.score = node->scores()[0], .item = node->items()[0], .child = node, .width = width};
}

// ---- finding ----

template <class Shape>
uint32_t BasicSkiplist<Shape>::search(Node* node, const Key& key, bool inclusive) {
  const double* scores = node->scores();
  uint32_t low = scores_before<false>(scores, node->count, key.score);
  if (low == node->count || scores[low] != key.score) [[likely]]
    return low;
  uint32_t high = low + scores_before<true>(scores + low, node->count - low, key.score);
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    const int order = node->items()[middle]->member().compare(key.member);
    if (order < 0 || (order == 0 && inclusive)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// To the slot of the key, or where it would be.
template <class Shape>
void BasicSkiplist<Shape>::descend(const Key& key, Path& path) const {
  Node* node = root_;
  for (uint32_t level = node->level; level > 0; --level) {
    const uint32_t before = search(node, key, true);
    path.nodes[level] = node;
    path.at[level] = before > 0 ? before - 1 : 0;
    node = node->children()[path.at[level]];
  }
  path.nodes[0] = node;
  path.at[0] = search(node, key, false);
}

template <class Shape>
size_t BasicSkiplist<Shape>::rank(const ScoredItem* item) const {
  Path path;
  descend({item->score_, item->member()}, path);
  size_t rank = path.at[0];
  for (uint32_t level = root_->level; level > 0; --level) {
    const uint64_t* widths = path.nodes[level]->widths();
    for (uint32_t i = 0; i < path.at[level]; ++i) rank += widths[i];
  }
  return rank;
}

template <class Shape>
template <class Count>
size_t BasicSkiplist<Shape>::rank_by(Count&& count) const {
  if (root_ == nullptr) return 0;
  size_t rank = 0;
  Node* node = root_;
  for (; node->level > 0;) {
    const uint32_t before = count(node);
    if (before == 0) return rank;  // not even the first member
    for (uint32_t i = 0; i + 1 < before; ++i) rank += node->widths()[i];
    node = node->children()[before - 1];
  }
  return rank + count(node);
}

template <class Shape>
size_t BasicSkiplist<Shape>::rank_of_score(double score, bool inclusive) const {
  return rank_by([&](Node* node) {
    return inclusive ? scores_before<true>(node->scores(), node->count, score)
                     : scores_before<false>(node->scores(), node->count, score);
  });
}

template <class Shape>
size_t BasicSkiplist<Shape>::rank_of_member(std::string_view member, bool inclusive) const {
  return rank_by([&](Node* node) {
    ScoredItem** const items = node->items();
    ScoredItem** const border =
        std::partition_point(items, items + node->count, [&](const ScoredItem* item) {
          const int order = item->member().compare(member);
          return order < 0 || (order == 0 && inclusive);
        });
    return static_cast<uint32_t>(border - items);
  });
}

template <class Shape>
auto BasicSkiplist<Shape>::at(size_t rank) const -> Cursor {
  Cursor cursor;
  if (rank >= size_) return cursor;
  Node* node = root_;
  cursor.root_level_ = node->level;
  for (uint32_t level = node->level; level > 0; --level) {
    uint16_t link = 0;
    for (const uint64_t* widths = node->widths(); rank >= widths[link]; ++link) {
      rank -= widths[link];
    }
    cursor.nodes_[level] = node;
    cursor.links_[level] = link;
    node = node->children()[link];
  }
  cursor.node_ = node;
  cursor.at_ = static_cast<uint32_t>(rank);
  return cursor;
}

template <class Shape>
void BasicSkiplist<Shape>::Cursor::next() {
  constexpr uint32_t kAhead = 8;  // items are scattered: asked for before they are read
  if (++at_ < node_->count) [[likely]] {
    if (at_ + kAhead < node_->count) prefetch_line(node_->items()[at_ + kAhead]);
    return;
  }
  uint32_t level = 1;
  while (level <= root_level_ && links_[level] + 1u == nodes_[level]->count) ++level;
  if (level > root_level_) {
    node_ = nullptr;
    return;
  }
  Node* node = nodes_[level]->children()[++links_[level]];
  while (--level > 0) {
    nodes_[level] = node;
    links_[level] = 0;
    node = node->children()[0];
  }
  node_ = node;
  at_ = 0;
}

template <class Shape>
void BasicSkiplist<Shape>::Cursor::previous() {
  constexpr uint32_t kAhead = 8;
  if (at_ > 0) [[likely]] {
    --at_;
    if (at_ >= kAhead) prefetch_line(node_->items()[at_ - kAhead]);
    return;
  }
  uint32_t level = 1;
  while (level <= root_level_ && links_[level] == 0) ++level;
  if (level > root_level_) {
    node_ = nullptr;
    return;
  }
  Node* node = nodes_[level]->children()[--links_[level]];
  while (--level > 0) {
    nodes_[level] = node;
    links_[level] = static_cast<uint16_t>(node->count - 1);
    node = node->children()[node->count - 1];
  }
  node_ = node;
  at_ = node->count - 1u;
}

// ---- inserting ----

template <class Shape>
void BasicSkiplist<Shape>::insert(memory::Slabs& slabs, ScoredItem* item) {
  if (root_ == nullptr) root_ = create_node(slabs, 0, capacity_for(0, 1));
  Path path;
  descend({item->score_, item->member()}, path);
  for (uint32_t level = root_->level; level > 0; --level) {
    path.nodes[level]->widths()[path.at[level]]++;
  }
  size_++;
  put(slabs, path, {.score = item->score_, .item = item, .child = nullptr, .width = 0});
}

template <class Shape>
void BasicSkiplist<Shape>::put(memory::Slabs& slabs, Path& path, Slot slot) {
  for (uint32_t level = 0;; ++level) {
    Node* node = path.nodes[level];
    const bool full = node->count == slots_max(level);
    Node* right = nullptr;
    if (full) {
      right = split(slabs, path, level);
    } else if (node->count == node->capacity) {
      resize(slabs, path, level, capacity_for(level, node->count + 1u));
    }
    node = path.nodes[level];
    open_slot(node, path.at[level], slot);
    // The first slot of a right half is told by the link it gets below.
    if (path.at[level] == 0 && node != right) raise_first(path, level);
    if (!full) return;
    slot = link_to(right);
    path.nodes[level + 1]->widths()[path.at[level + 1]] -= slot.width;
    path.at[level + 1]++;
  }
}

template <class Shape>
bool BasicSkiplist<Shape>::is_last(const Path& path, uint32_t level) const {
  for (++level; level <= root_->level; ++level) {
    if (path.at[level] + 1 != path.nodes[level]->count) return false;
  }
  return true;
}

template <class Shape>
auto BasicSkiplist<Shape>::split(memory::Slabs& slabs, Path& path, uint32_t level) -> Node* {
  Node* left = path.nodes[level];
  const uint32_t at = path.at[level];
  // A load in order adds at one end: there the full node stays full and the new one starts small.
  uint32_t half = left->count / 2u;
  if (at == left->count && is_last(path, level)) half = at;
  if (at == 0) half = 0;  // only the first node is entered before its first slot
  const bool to_right = at > half || (at == half && half == left->count);
  if (left == root_) {
    ROX_ASSERT(level + 1 < kHeightMax);
    root_ = create_node(slabs, level + 1, capacity_for(level + 1, 2));
    Slot whole = link_to(left);
    whole.width = size_;  // with the slot that is still on its way
    open_slot(root_, 0, whole);
    path.nodes[level + 1] = root_;
    path.at[level + 1] = 0;
  }
  const uint32_t moved = left->count - half;
  Node* right = create_node(slabs, level, capacity_for(level, moved + to_right));
  move_slots(left, half, left->count, right);
  left->count = static_cast<uint16_t>(half);
  left = resize(slabs, path, level, capacity_for(level, half + !to_right));
  if (to_right) {
    path.nodes[level] = right;
    path.at[level] = at - half;
  }
  return right;
}

template <class Shape>
void BasicSkiplist<Shape>::raise_first(Path& path, uint32_t level) {
  const Slot first{path.nodes[level]->scores()[0], path.nodes[level]->items()[0], nullptr, 0};
  while (++level <= root_->level) {
    Node* node = path.nodes[level];
    const uint32_t at = path.at[level];
    node->scores()[at] = first.score;
    node->items()[at] = first.item;
    if (at > 0) return;
  }
}

// ---- erasing ----

template <class Shape>
void BasicSkiplist<Shape>::erase(memory::Slabs& slabs, const ScoredItem* item) {
  Path path;
  descend({item->score_, item->member()}, path);
  ROX_ASSERT(path.at[0] < path.nodes[0]->count && path.slot(0) == item);
  finish_erase(slabs, path, 1);
}

template <class Shape>
void BasicSkiplist<Shape>::rescore(memory::Slabs& slabs, ScoredItem* item, double score) {
  ROX_ASSERT(!std::isnan(score));
  Path path;
  descend({item->score_, item->member()}, path);
  double* scores = path.nodes[0]->scores();
  const uint32_t at = path.at[0];
  ROX_ASSERT(at < path.nodes[0]->count && path.slot(0) == item);
  if (at > 0 && at + 1u < path.nodes[0]->count && scores[at - 1] < score &&
      score < scores[at + 1]) {
    scores[at] = item->score_ = score;
    return;
  }
  finish_erase(slabs, path, 1);
  item->score_ = score;
  insert(slabs, item);
}

// Finds the slots of ranks from `rank` on that lie in one node; returns how many.
template <class Shape>
size_t BasicSkiplist<Shape>::begin_erase(Path& path, size_t rank, size_t count_max) const {
  Node* node = root_;
  for (uint32_t level = node->level; level > 0; --level) {
    uint32_t link = 0;
    for (const uint64_t* widths = node->widths(); rank >= widths[link]; ++link) {
      rank -= widths[link];
    }
    path.nodes[level] = node;
    path.at[level] = link;
    node = node->children()[link];
  }
  path.nodes[0] = node;
  path.at[0] = static_cast<uint32_t>(rank);
  return std::min<size_t>(count_max, node->count - rank);
}

// Takes out `count` slots of the node that the path ends in, and puts the nodes above in order.
template <class Shape>
void BasicSkiplist<Shape>::finish_erase(memory::Slabs& slabs, Path& path, size_t count) {
  close_slots(path.nodes[0], path.at[0], static_cast<uint32_t>(count));
  for (uint32_t level = root_->level; level > 0; --level) {
    path.nodes[level]->widths()[path.at[level]] -= count;
  }
  size_ -= count;
  for (uint32_t level = 0;; ++level) {  // on each level, slots at path.at[level] have gone
    Node* node = path.nodes[level];
    const bool is_root = node == root_;
    if (node->count == 0) {
      release_node(slabs, node);
      if (is_root) {
        root_ = nullptr;
        return;
      }
      close_slots(path.nodes[level + 1], path.at[level + 1], 1);
      continue;
    }
    if (path.at[level] == 0) raise_first(path, level);
    if (!is_root && node->count <= slots_max(level) / 4 && merge(slabs, path, level)) continue;
    if (is_too_wide(level, node->capacity, node->count)) {
      resize(slabs, path, level, capacity_for(level, node->count));
    }
    break;
  }
  while (root_->level > 0 && root_->count == 1) {
    Node* child = root_->children()[0];
    release_node(slabs, root_);
    root_ = child;
  }
}

// Joins the node on this level with a neighbour when they fill at most three quarters of one: a
// split leaves two halves, so no pair of calls can go back and forth. The link that has gone is
// then where the path leads.
template <class Shape>
bool BasicSkiplist<Shape>::merge(memory::Slabs& slabs, Path& path, uint32_t level) {
  Node* parent = path.nodes[level + 1];
  const uint32_t own = path.at[level + 1];
  for (const uint32_t second : {own, own + 1}) {  // with the node to the left, to the right
    if (second == 0 || second == parent->count) continue;
    Node* left = parent->children()[second - 1];
    Node* right = parent->children()[second];
    const uint32_t sum = left->count + right->count;
    if (sum > slots_max(level) * 3 / 4) continue;
    path.nodes[level] = left;
    path.at[level + 1] = second - 1;
    if (sum > left->capacity || is_too_wide(level, left->capacity, sum)) {
      left = resize(slabs, path, level, capacity_for(level, sum));
    }
    move_slots(right, 0, right->count, left);
    parent->widths()[second - 1] += parent->widths()[second];
    release_node(slabs, right);
    close_slots(parent, second, 1);
    path.at[level + 1] = second;
    return true;
  }
  return false;
}

// ---- checks ----

template <class Shape>
void BasicSkiplist<Shape>::check() const {
  size_t size = 0;
  size_t bytes = 0;
  const ScoredItem* last = nullptr;
  if (root_ != nullptr) {
    ROX_ASSERT(root_->level < kHeightMax && (root_->level == 0 || root_->count > 1));
    size = check_below(root_, last, bytes);
  }
  ROX_ASSERT(size == size_ && bytes == bytes_);
}

template <class Shape>
size_t BasicSkiplist<Shape>::check_below(Node* node, const ScoredItem*& last, size_t& bytes) const {
  const uint32_t level = node->level;
  ROX_ASSERT(node->count > 0 && node->count <= node->capacity);
  ROX_ASSERT(node->capacity == capacity_for(level, node->capacity));
  ROX_ASSERT(!is_too_wide(level, node->capacity, node->count));
  bytes += memory::Slabs::occupied(node->size());
  size_t size = 0;
  for (uint32_t i = 0; i < node->count; ++i) {
    const double score = node->scores()[i];
    ScoredItem* item = node->items()[i];
    ROX_ASSERT(!std::isnan(score) && score == item->score_);
    ROX_ASSERT(std::signbit(score) == std::signbit(item->score_));
    if (level > 0) {
      Node* child = node->children()[i];
      ROX_ASSERT(child->level + 1u == level && child->items()[0] == item);
      const size_t width = check_below(child, last, bytes);
      ROX_ASSERT(width == node->widths()[i]);
      size += width;
      continue;
    }
    ROX_ASSERT(last == nullptr || last->score_ < score ||
               (last->score_ == score && last->member() < item->member()));
    last = item;
    ++size;
  }
  return size;
}

template class BasicSkiplist<WideNodes>;
template class BasicSkiplist<NarrowNodes>;

}  // namespace roxdb::containers
