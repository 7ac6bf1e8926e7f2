#include "containers/record_log.h"

#include <algorithm>

#include "base/assert.h"

namespace roxdb::containers {

// The room of a block that is begun; it grows by halves, so that a short stream stays small.
static constexpr size_t kGrowthDivisor = 2;

bool RecordLog::fits(std::span<const std::string_view> pairs) {
  return RecordBlock::names_bytes_max(pairs) + RecordBlock::record_bytes_max(pairs) <=
         kRecordBlockBytesMax;
}

void RecordLog::append(memory::Slabs& slabs, const BlockLimits& limits, const Id& id,
                       std::span<const std::string_view> pairs) {
  const size_t bytes = RecordBlock::record_bytes_max(pairs);
  RecordBlock* block = last_block();
  if (block != nullptr) {
    const uint64_t bytes_max = limits.bytes == 0
                                   ? kRecordBlockBytesMax
                                   : std::min<uint64_t>(limits.bytes, kRecordBlockBytesMax);
    const bool is_full =
        block->size() + bytes > bytes_max ||
        (limits.records != 0 && block->live() + block->deleted() >= limits.records);
    if (is_full) {
      resize_last(slabs, block->size());
      block = nullptr;
    } else if (block->room() - block->size() < bytes) {
      block = resize_last(
          slabs,
          std::max(block->size() + bytes,
                   std::min<size_t>(block->room() + block->room() / kGrowthDivisor, bytes_max)));
    }
  }
  if (block == nullptr) {
    block = RecordBlock::create(slabs, id, pairs, RecordBlock::names_bytes_max(pairs) + bytes);
    index_.insert(slabs, block);
  }
  block->append(id, pairs);
  note(bytes, pairs.size() / 2);
  size_++;
}

RecordBlock* RecordLog::resize_last(memory::Slabs& slabs, size_t room) {
  const IdIndex::Place place = index_.last();
  auto* block = place.as<RecordBlock>();
  if (block->room() == RecordBlock::fitting_room(room)) return block;
  RecordBlock* moved = block->clone(slabs, room);
  IdIndex::replace(place, moved);
  memory::SlabSink sink(slabs);
  RecordBlock::destroy(sink, block);
  return moved;
}

void RecordLog::append_block(memory::Slabs& slabs, RecordBlock* block) {
  ROX_ASSERT(index_.empty() || last_block()->last() < block->id);
  index_.insert(slabs, block);
  note(block->size(), block->size());
  size_ += block->live();
}

RecordBlock* RecordLog::find(const Id& id, Record& record) const {
  const IdIndex::Place place = index_.at_or_before(id);
  if (!place) return nullptr;
  auto* block = place.as<RecordBlock>();
  if (block->last() < id) return nullptr;
  RecordWalk walk(*block);
  while (walk.next(record) && record.id <= id) {
    if (record.id == id) return record.deleted ? nullptr : block;
  }
  return nullptr;
}

bool RecordLog::contains(const Id& id) const {
  Record record;
  return find(id, record) != nullptr;
}

bool RecordLog::erase(memory::Slabs& slabs, const Id& id) {
  Record record;
  RecordBlock* block = find(id, record);
  if (block == nullptr) return false;
  mark(*block, record);
  drop_if_empty(slabs, block);
  return true;
}

void RecordLog::drop_if_empty(memory::Slabs& slabs, RecordBlock* block) {
  if (block->live() > 0) return;
  index_.erase(slabs, block->id);
  memory::SlabSink sink(slabs);
  RecordBlock::destroy(sink, block);
}

std::optional<Id> RecordLog::first() const {
  RecordCursor cursor(*this, kIdMin, kIdMax);
  if (!cursor.next()) return std::nullopt;
  return cursor.id();
}

std::optional<Id> RecordLog::last() const {
  RecordCursor cursor(*this, kIdMin, kIdMax, RecordCursor::Direction::kBackward);
  if (!cursor.next()) return std::nullopt;
  return cursor.id();
}

void RecordLog::forget_deleted_tail(memory::Slabs& slabs) {
  if (index_.empty()) return;
  last_block()->cut_deleted_tail();
  resize_last(slabs, last_block()->size());
}

std::optional<Id> RecordLog::last_of_all() const {
  if (index_.empty()) return std::nullopt;
  return last_block()->last();
}

const RecordBlock* RecordLog::block_at_or_after(const Id& id) const {
  IdIndex::Place place = index_.at_or_before(id);
  if (!place) {
    place = index_.first();
  } else if (place.as<const RecordBlock>()->last() < id) {
    place.next();
  }
  return place ? place.as<const RecordBlock>() : nullptr;
}

void RecordLog::drop_first_block(memory::Slabs& slabs) {
  auto* block = index_.first().as<RecordBlock>();
  size_ -= block->live();
  index_.erase(slabs, block->id);
  memory::SlabSink sink(slabs);
  RecordBlock::destroy(sink, block);
}

void RecordLog::release(memory::BlockSink& sink) {
  for (IdIndex::Place place = index_.first(); place;) {
    auto* block = place.as<RecordBlock>();
    place.next();
    RecordBlock::destroy(sink, block);
  }
  index_.release(sink);
  size_ = 0;
  bound_ = {};
}

size_t RecordLog::occupied_bytes(size_t samples) const {
  size_t seen = 0;
  size_t bytes = 0;
  for (IdIndex::Place place = index_.first(); place && (samples == 0 || seen < samples);
       place.next(), ++seen) {
    bytes += place.as<const RecordBlock>()->occupied_bytes();
  }
  // A block costs the index little more than the pointer to it; walking all nodes is for `samples`
  // 0.
  if (samples == 0) return bytes + index_.node_bytes();
  if (seen == 0) return 0;
  return bytes / seen * index_.size() + index_.size() * sizeof(void*);
}

void RecordLog::check() const {
  index_.check();
  size_t live = 0;
  const RecordBlock* previous = nullptr;
  for_each_block([&](const RecordBlock& block) {
    block.check();  // I1
    if (previous != nullptr) {
      ROX_ASSERT(previous->last() < block.id);
      ROX_ASSERT(previous->room() == RecordBlock::fitting_room(previous->size()));  // I3
    }
    live += block.live();
    previous = &block;
  });
  ROX_ASSERT(live == size_);  // I2
}

// --- cursors -------------------------------------------------------------------------------

RecordCursor::RecordCursor(const RecordLog& log, const Id& low, const Id& high, Direction direction)
    : low_(low),
      high_(high),
      direction_(direction),
      place_(log.index_.at_or_before(direction == Direction::kForward ? low : high)) {
  // Records from `low` on may stand in the block that begins before it, else in the first block.
  if (!place_ && direction == Direction::kForward) place_ = log.index_.first();
  if (high < low) place_ = IdIndex::Place();
}

bool RecordCursor::next() {
  return direction_ == Direction::kForward ? next_forward() : next_backward();
}

bool RecordCursor::next_forward() {
  for (;;) {
    if (!walk_) {
      if (!place_) return false;
      block_ = place_.as<const RecordBlock>();
      place_.next();
      if (high_ < block_->id) {
        place_ = IdIndex::Place();
        return false;
      }
      walk_.emplace(*block_);
    }
    while (walk_->next(record_)) {
      if (record_.deleted || record_.id < low_) continue;
      if (high_ < record_.id) {
        walk_.reset();
        place_ = IdIndex::Place();
        return false;
      }
      return true;
    }
    walk_.reset();
  }
}

// A block is read from its front only; its records in the range are noted, then given out backward.
bool RecordCursor::next_backward() {
  while (block_records_.empty()) {
    if (!place_) return false;
    block_ = place_.as<const RecordBlock>();
    place_.previous();
    if (block_->last() < low_) {
      place_ = IdIndex::Place();
      return false;
    }
    RecordWalk walk(*block_);
    for (Record record; walk.next(record) && record.id <= high_;) {
      if (!record.deleted && low_ <= record.id) block_records_.push_back(record);
    }
  }
  record_ = block_records_.back();
  block_records_.pop_back();
  return true;
}

}  // namespace roxdb::containers
