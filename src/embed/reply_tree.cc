#include "embed/reply_tree.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace roxdb::embed {

void free_tree(roxdb_reply* root) {
  // A list of what is left instead of recursion: depth is the command's, not ours.
  std::vector<roxdb_reply*> left{root};
  while (!left.empty()) {
    roxdb_reply* node = left.back();
    left.pop_back();
    if (node == nullptr) continue;
    left.insert(left.end(), node->elements, node->elements + node->count);
    delete[] node->elements;
    delete[] node->text;
    delete node;
  }
}

ReplyTree::~ReplyTree() {
  for (const Level& level : levels_) {
    if (level.dropped) free_tree(level.node);
  }
  free_tree(root_);
}

roxdb_reply* ReplyTree::take() {
  ROX_ASSERT(levels_.empty());
  return std::exchange(root_, nullptr);
}

void ReplyTree::add(roxdb_type type, int64_t integer, double real) {
  roxdb_reply leaf{};
  leaf.type = type;
  leaf.integer = integer;
  leaf.real = real;
  add_leaf(leaf);
}

void ReplyTree::add_text(roxdb_type type, std::string_view text) {
  auto* copy = new char[text.size() + 1];
  std::copy(text.begin(), text.end(), copy);
  copy[text.size()] = '\0';
  roxdb_reply leaf{};
  leaf.type = type;
  leaf.text = copy;
  leaf.size = text.size();
  add_leaf(leaf);
}

// The node may be gone when this returns: the last one of a level that is dropped.
void ReplyTree::add_leaf(const roxdb_reply& leaf) {
  attach(new roxdb_reply(leaf), false);
  close_full_levels();
}

void ReplyTree::add_aggregate(roxdb_type type, size_t count, bool dropped) {
  auto* node = new roxdb_reply{};
  node->type = type;
  attach(node, dropped);
  const size_t capacity = count == kUnknown ? 0 : count;
  node->elements = new roxdb_reply*[capacity];
  levels_.push_back({node, count, capacity, dropped});
  close_full_levels();
}

void ReplyTree::attach(roxdb_reply* node, bool dropped) {
  if (dropped) return;
  if (levels_.empty()) {
    ROX_ASSERT(root_ == nullptr);  // a command makes exactly one reply
    root_ = node;
    return;
  }
  Level& level = levels_.back();
  roxdb_reply* parent = level.node;
  if (parent->count == level.capacity) {
    level.capacity = std::max<size_t>(8, level.capacity * 2);
    auto** wider = new roxdb_reply*[level.capacity];
    std::copy_n(parent->elements, parent->count, wider);
    delete[] parent->elements;
    parent->elements = wider;
  }
  parent->elements[parent->count++] = node;
  if (level.left != kUnknown) level.left--;
}

void ReplyTree::close_full_levels() {
  while (!levels_.empty() && levels_.back().left == 0) {
    if (levels_.back().dropped) free_tree(levels_.back().node);
    levels_.pop_back();
  }
}

resp::Reply::Open ReplyTree::open(Aggregate kind) {
  const roxdb_type type = kind == Aggregate::kMap   ? ROXDB_MAP
                          : kind == Aggregate::kSet ? ROXDB_SET
                                                    : ROXDB_ARRAY;
  add_aggregate(type, kUnknown);
  return {levels_.size() - 1, kind};
}

void ReplyTree::close(Open open, size_t count) {
  ROX_ASSERT(open.at + 1 == levels_.size());
  ROX_ASSERT(levels_.back().node->count == (open.kind == Aggregate::kMap ? count * 2 : count));
  levels_.pop_back();
  close_full_levels();
}

}  // namespace roxdb::embed
