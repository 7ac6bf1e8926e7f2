#include "types/stream.h"

#include "base/assert.h"

namespace roxdb::types {

using containers::kIdMax;
using containers::kIdMin;
using containers::Record;
using containers::RecordBlock;
using containers::RecordLog;
using containers::RecordWalk;

// --- records -------------------------------------------------------------------------------

void Stream::append(const ValueHome& home, const Id& id, std::span<const std::string_view> pairs) {
  log_.append(
      home.slabs,
      {home.limits.stream_block_bytes, static_cast<uint64_t>(home.limits.stream_block_entries)}, id,
      pairs);
  last_id = id;
  if (records_added < kRecordsAddedMax) records_added++;  // XSETID may have said anything
}

Stream::Erased Stream::erase(const ValueHome& home, const Id& id, References references) {
  if (references == References::kAcked && is_referenced(id)) {
    return Erased::kReferenced;
  }
  if (references == References::kDelete) remove_references(home, id);
  if (!log_.erase(home.slabs, id)) return Erased::kAbsent;
  if (max_deleted_id < id) max_deleted_id = id;
  return Erased::kErased;
}

bool Stream::is_referenced(const Id& id) const {
  for (const Group* group : groups_) {
    if (group->last_delivered < id || group->find(id) != nullptr) return true;
  }
  return false;
}

bool Stream::remove_references(const ValueHome& home, const Id& id) {
  bool removed = false;
  for (Group* group : groups_) {
    if (Pending* pending = group->find(id); pending != nullptr) {
      group->remove(home.slabs, pending);
      removed = true;
    }
  }
  return removed;
}

uint64_t Stream::trim(const ValueHome& home, const StreamTrim& trim) {
  const auto done = [&](const Id& next) {
    return trim.by == StreamTrim::By::kLength ? log_.size() <= trim.length : trim.min_id <= next;
  };
  // A block that goes only as a whole stays, and ends the trimming, when one record must stay.
  const auto holds_referenced = [&](const RecordBlock& block) {
    RecordWalk walk(block);
    for (Record record; walk.next(record);) {
      if (!record.deleted && is_referenced(record.id)) return true;
    }
    return false;
  };
  uint64_t deleted = 0;
  Id from = kIdMin;
  while (trim.by != StreamTrim::By::kNothing) {
    const RecordBlock* block = log_.block_at_or_after(from);
    if (block == nullptr || done(block->id)) break;
    if (trim.limit != 0 && deleted + block->live() > trim.limit) break;
    const bool goes_whole = trim.by == StreamTrim::By::kLength
                                ? log_.size() - block->live() >= trim.length
                                : block->last() < trim.min_id;
    if (!goes_whole && trim.approximate) break;
    if (goes_whole && (trim.references == References::kKeep || groups_.size() == 0)) {
      deleted += block->live();
      log_.drop_first_block(home.slabs);
      continue;
    }
    if (trim.approximate && trim.references == References::kAcked && holds_referenced(*block)) {
      break;
    }
    const Id last = block->last();
    const bool is_done = log_.sift(home.slabs, block->id, [&](const Id& id) {
      if (done(id)) return RecordLog::Fate::kEnds;
      if (trim.references == References::kAcked && is_referenced(id)) {
        return RecordLog::Fate::kStays;
      }
      if (trim.references == References::kDelete) remove_references(home, id);
      deleted++;
      return RecordLog::Fate::kGoes;
    });
    if (is_done || last == kIdMax) break;
    from = {last.seq == UINT64_MAX ? last.ms + 1 : last.ms, last.seq + 1};
  }
  return deleted;
}

void Stream::set_last_id(const ValueHome& home, const Id& id) {
  const auto last = log_.last_of_all();
  if (last && id < *last) log_.forget_deleted_tail(home.slabs);
  last_id = id;
}

// --- groups --------------------------------------------------------------------------------

Group* Stream::add_group(const ValueHome& home, std::string_view name, const Id& last_delivered,
                         int64_t records_read) {
  Group* group = Group::create(home.slabs, name, last_delivered, records_read);
  groups_.insert(home.slabs, group);
  return group;
}

void Stream::remove_group(const ValueHome& home, Group* group) {
  groups_.erase(home.slabs, group);
  memory::SlabSink sink(home.slabs);
  Group::destroy(sink, group);
}

// Whether a record at or behind this ID was deleted out of the middle, so that counting misses it.
bool Stream::has_deletions_from(const Id& id) const {
  if (log_.size() == 0 || max_deleted_id == kIdMin) return false;
  return first_id() <= max_deleted_id && id <= max_deleted_id;
}

int64_t Stream::records_up_to(const Id& id) const {
  const auto added = static_cast<int64_t>(records_added);
  const auto length = static_cast<int64_t>(size());
  if (added == 0) return 0;
  if (length == 0 && id <= last_id) return added;
  if (id != kIdMin && id < max_deleted_id) return Group::kReadUnknown;
  if (id == last_id) return added;
  if (last_id < id) return Group::kReadUnknown;
  const Id first = first_id();
  if (max_deleted_id == kIdMin || max_deleted_id < first) {  // nothing is missing ahead
    if (id < first) return added - length;
    if (id == first) return added - length + 1;
  }
  return Group::kReadUnknown;
}

void Stream::note_delivery(Group& group, const Id& id) const {
  if (group.records_read != Group::kReadUnknown && first_id() <= group.last_delivered &&
      !has_deletions_from(group.last_delivered)) {
    // Both counters may have been said by hand, and stand at the largest number there is.
    const auto added = static_cast<int64_t>(records_added);
    group.records_read = group.records_read < added ? group.records_read + 1 : added;
  } else if (records_added > 0) {
    group.records_read = records_up_to(id);
  }
  group.last_delivered = id;
}

std::optional<int64_t> Stream::lag(const Group& group) const {
  const auto added = static_cast<int64_t>(records_added);
  if (added == 0 || size() == 0) return 0;
  const Id first = first_id();
  if (group.last_delivered < first && max_deleted_id < first) return static_cast<int64_t>(size());
  if (group.records_read != Group::kReadUnknown && !has_deletions_from(group.last_delivered)) {
    return added - group.records_read;
  }
  const int64_t read = records_up_to(group.last_delivered);
  if (read == Group::kReadUnknown) return std::nullopt;
  return added - read;
}

// --- as a whole ----------------------------------------------------------------------------

void Stream::release(memory::BlockSink& sink) {
  log_.release(sink);
  for (Group* group : groups_) Group::destroy(sink, group);
  groups_.release(sink);
}

void Stream::copy_to(const ValueHome& home, Stream& copy) const {
  log_.for_each_block([&](const RecordBlock& block) {
    copy.log_.append_block(home.slabs, block.clone(home.slabs, block.size()));
  });
  for (const Group* group : groups_) copy.groups_.insert(home.slabs, group->clone(home.slabs));
  copy.last_id = last_id;
  copy.max_deleted_id = max_deleted_id;
  copy.records_added = records_added;
}

size_t Stream::occupied_bytes(size_t samples) const {
  size_t bytes = memory::Slabs::occupied(sizeof(Stream)) + log_.occupied_bytes(samples) +
                 groups_.occupied_bytes();
  for (const Group* group : groups_) bytes += group->occupied_bytes(samples);
  return bytes;
}

size_t Stream::free_effort() const {
  size_t effort = 1 + log_.blocks();
  for (const Group* group : groups_) {
    effort += 1 + group->consumers().size() + group->pending().size();
  }
  return effort;
}

void Stream::check() const {
  log_.check();
  ROX_ASSERT(max_deleted_id <= last_id);
  if (const auto last = log_.last()) ROX_ASSERT(*last <= last_id);  // I1
  ROX_ASSERT(size() <= records_added);                              // I2
  const Group* previous = nullptr;
  for (const Group* group : groups_) {
    group->check();
    ROX_ASSERT(previous == nullptr || previous->name() < group->name());  // I3
    previous = group;
  }
}

}  // namespace roxdb::types
