// record_log.h: records in the order of their IDs, in blocks: the data of one stream.
//
//   IdIndex     block 5-0 | block 812-3 | block 977-0 ...      ordered by the ID of the first
//   record
//                  |            |             |
//   blocks      100 records  100 records   the last one grows, all others fit exactly
//
// Records come at the end and go anywhere. A record that goes is marked in its block, and its bytes
// stay until the last record of the block went; blocks go as a whole.
//
// I1  Every block holds a record that is not deleted; the IDs of a block lie below those of the
// next. I2  size() is the number of records that are not deleted. I3  Of all blocks only the last
// one has room left. Cost: append O(its bytes) amortised; a look-up O(log blocks + records of one
// block); a step of a cursor O(1) amortised. Overhead 2 to 3 bytes a record, and 66 a block.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/memory.h"
#include "containers/id_index.h"
#include "containers/record_block.h"

namespace roxdb::containers {

class RecordLog {
 public:
  // When a new block is begun: the last one has this many records, or would have more bytes. 0: no
  // such bound.
  struct BlockLimits {
    uint64_t bytes;
    uint64_t records;
  };

  size_t size() const { return size_; }
  size_t blocks() const { return index_.size(); }
  size_t index_nodes() const { return index_.nodes(); }
  // No record has more of either, bytes of names and values or fields. Those that came in a block
  // count as if each had all of it.
  struct RecordBound {
    uint32_t bytes = 0;
    uint32_t fields = 0;
  };
  const RecordBound& record_bound() const { return bound_; }

  // REQUIRES: id is above last_of_all(); pairs are field, value, field, value, not
  // empty, and fits(pairs).
  void append(memory::Slabs& slabs, const BlockLimits& limits, const Id& id,
              std::span<const std::string_view> pairs);
  // Whether these pairs fit into one block at all.
  static bool fits(std::span<const std::string_view> pairs);

  bool contains(const Id& id) const;
  bool erase(memory::Slabs& slabs, const Id& id);  // false: absent
  std::optional<Id> first() const;
  std::optional<Id> last() const;
  // The last ID of the last block, deleted or not; none when the log is empty.
  std::optional<Id> last_of_all() const;

  // Forgets the IDs of deleted records behind the last one that is not, so that they may come
  // again.
  void forget_deleted_tail(memory::Slabs& slabs);

  // Blocks from the oldest on, for trimming: the first one that has an ID at or behind this one, or
  // could have.
  const RecordBlock* block_at_or_after(const Id& id) const;
  const RecordBlock* first_block() const { return block_at_or_after(kIdMin); }
  // Drops the oldest block, whatever it holds. REQUIRES: there is one.
  void drop_first_block(memory::Slabs& slabs);
  // Lets `judge` say of the records of one block, oldest first, what becomes of each; it is given
  // their IDs. True: it has ended the visit. REQUIRES: a block begins with this ID.
  enum class Fate : uint8_t { kStays, kGoes, kEnds };
  template <class Judge>
  bool sift(memory::Slabs& slabs, const Id& block_id, Judge&& judge) {
    auto* block = static_cast<RecordBlock*>(index_.find(block_id));
    RecordWalk walk(*block);
    Fate fate = Fate::kStays;
    for (Record record; fate != Fate::kEnds && walk.next(record);) {
      if (record.deleted) continue;
      fate = judge(record.id);
      if (fate == Fate::kGoes) mark(*block, record);
    }
    drop_if_empty(slabs, block);
    return fate == Fate::kEnds;
  }

  // A block for the end of the log. REQUIRES: its ID is above every ID of the log.
  void append_block(memory::Slabs& slabs, RecordBlock* block);
  template <class Visit>
  void for_each_block(Visit&& visit) const {
    for (IdIndex::Place place = index_.first(); place; place.next()) {
      visit(*place.as<const RecordBlock>());
    }
  }

  // Gives all blocks back. The log is empty then.
  void release(memory::BlockSink& sink);
  // Bytes of blocks and index. `samples` blocks are looked at, all when 0.
  size_t occupied_bytes(size_t samples) const;
  void check() const;

 private:
  friend class RecordCursor;
  RecordBlock* last_block() const {
    return index_.empty() ? nullptr : index_.last().as<RecordBlock>();
  }
  // The last block with this much room behind its records, or with none; it moves.
  RecordBlock* resize_last(memory::Slabs& slabs, size_t room);
  void mark(RecordBlock& block, const Record& record) {
    block.erase(record);
    size_--;
  }
  void drop_if_empty(memory::Slabs& slabs, RecordBlock* block);
  // The block that may hold this ID, and the record in it.
  RecordBlock* find(const Id& id, Record& record) const;

  void note(size_t bytes, size_t fields) {
    bound_.bytes = std::max(bound_.bytes, static_cast<uint32_t>(bytes));
    bound_.fields = std::max(bound_.fields, static_cast<uint32_t>(fields));
  }

  IdIndex index_;
  size_t size_ = 0;
  RecordBound bound_;
};

// Visits the records of a range that are not deleted, in either direction. The log must not change
// meanwhile, but for marks of deletion behind the cursor.
class RecordCursor {
 public:
  enum class Direction : uint8_t { kForward, kBackward };
  // From `low` to `high`, both included; empty when low > high.
  RecordCursor(const RecordLog& log, const Id& low, const Id& high,
               Direction direction = Direction::kForward);

  bool next();
  // REQUIRES: next() returned true last.
  const Record& record() const { return record_; }
  const Id& id() const { return record_.id; }
  FieldReader fields() const { return FieldReader(*block_, record_); }

 private:
  bool next_forward();
  bool next_backward();

  Id low_;
  Id high_;
  Direction direction_;
  IdIndex::Place place_;
  const RecordBlock* block_ = nullptr;
  std::optional<RecordWalk> walk_;
  std::vector<Record> block_records_;  // backward: those of the block that are still to come
  Record record_;
};

}  // namespace roxdb::containers
