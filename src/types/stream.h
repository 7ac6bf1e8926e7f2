// stream.h: one stream: records in order of their IDs, and the groups that read them.
//
// A record is what Redis calls an entry of a stream. What the stream knows of its past outlives the
// records: the last ID, the greatest ID that was deleted one by one, and how many records there
// ever were; groups count their progress by it (lag()).
//
// I1  last_id is not below the ID of any record, nor below max_deleted_id.
// I2  records_added is not below the number of records.
// I3  Groups ascend strictly by name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/memory.h"
#include "containers/record_log.h"
#include "types/stream_group.h"
#include "types/value_home.h"

namespace roxdb::types {

// XINFO shows counts of records as signed numbers.
inline constexpr uint64_t kRecordsAddedMax = INT64_MAX;

// What becomes of a pending reference when its record is deleted.
enum class References : uint8_t {
  kKeep,    // it stays
  kDelete,  // it goes, in all groups
  kAcked,   // a record that any group has not read and acknowledged is not deleted
};

struct StreamTrim {
  enum class By : uint8_t { kNothing, kLength, kMinId };
  By by = By::kNothing;
  uint64_t length = 0;       // kLength: records to keep
  Id min_id = {};            // kMinId: the smallest ID to keep
  bool approximate = false;  // whole blocks only
  uint64_t limit = 0;        // approximate: records to delete at most; 0: no such bound
  References references = References::kKeep;
};

class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  Id last_id;
  Id max_deleted_id;
  uint64_t records_added = 0;

  const containers::RecordLog& log() const { return log_; }
  size_t size() const { return log_.size(); }
  Id first_id() const { return log_.first().value_or(containers::kIdMin); }

  // --- records ---------------------------------------------------------------------------

  // REQUIRES: id > last_id, RecordLog::fits(pairs).
  void append(const ValueHome& home, const Id& id, std::span<const std::string_view> pairs);
  enum class Erased : uint8_t { kAbsent, kErased, kReferenced };
  // Deletes one record. With kDelete its references go even when the record is gone already.
  Erased erase(const ValueHome& home, const Id& id, References references);
  // Deletes the oldest records; how many.
  uint64_t trim(const ValueHome& home, const StreamTrim& trim);
  // Whether a group has not read it yet, or not acknowledged it.
  bool is_referenced(const Id& id) const;
  // Takes the ID out of the pending records of all groups; true if any had it.
  bool remove_references(const ValueHome& home, const Id& id);

  // The next record must be above this ID. REQUIRES: it is not below any record, nor below
  // max_deleted_id.
  void set_last_id(const ValueHome& home, const Id& id);

  // --- groups ----------------------------------------------------------------------------

  const ByName<Group>& groups() const { return groups_; }
  // REQUIRES: the name is absent.
  Group* add_group(const ValueHome& home, std::string_view name, const Id& last_delivered,
                   int64_t records_read);
  void remove_group(const ValueHome& home, Group* group);
  // Notes that a record of the stream was delivered to a group; `id` is above its last one.
  void note_delivery(Group& group, const Id& id) const;
  // Records that a group has not read yet; none when deletions make that unknowable.
  std::optional<int64_t> lag(const Group& group) const;
  // How many records there ever were up to this ID; Group::kReadUnknown.
  int64_t records_up_to(const Id& id) const;

  // --- as a whole ------------------------------------------------------------------------

  // Gives all blocks back, that of the object itself excepted.
  void release(memory::BlockSink& sink);
  // The parts of a stream from a file, in order.
  void load_block(const ValueHome& home, containers::RecordBlock* block) {
    log_.append_block(home.slabs, block);
  }
  void load_group(const ValueHome& home, Group* group) { groups_.insert(home.slabs, group); }
  void copy_to(const ValueHome& home, Stream& copy) const;
  size_t occupied_bytes(size_t samples) const;
  size_t free_effort() const;
  void check() const;

 private:
  bool has_deletions_from(const Id& id) const;

  containers::RecordLog log_;
  ByName<Group> groups_;
};

}  // namespace roxdb::types
