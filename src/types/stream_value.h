// stream_value.h: the stream type, in its one encoding "stream": the payload points to a Stream.
//
// Saved form; numbers are varints, an ID two of them:
//   blocks, then each: first ID, last ID, live, deleted, fields, size of names, text of its bytes
//   last ID, greatest deleted ID, records ever added
//   groups, then each: text of its name, last delivered ID, records read + 1
//     consumers, then each: text of its name, seen and active time (zigzag)
//     pending by time, each: ID, delivery time (zigzag), deliveries, 1 + its consumer's index, or 0
// Pending records are listed once, with whose they are, so none can have two owners.
#pragma once

#include "containers/segment.h"
#include "types/entry.h"
#include "types/stream.h"
#include "types/value_home.h"
#include "types/value_type.h"

namespace roxdb::types {

// The value of one entry, for edits. Dead once the table changes.
class StreamValue {
 public:
  static constexpr TypeId kType = TypeId::kStream;

  StreamValue(const ValueHome& home, containers::Cell& cell)
      : home_(&home), stream_(static_cast<Entry*>(cell.pointer())->pointer<Stream>()) {}
  // An entry with an empty stream.
  static Entry* create(const ValueHome& home, EntryParts parts);

  const ValueHome& home() const { return *home_; }
  Stream& operator*() const { return *stream_; }
  Stream* operator->() const { return stream_; }

 private:
  const ValueHome* home_;
  Stream* stream_;
};

// REQUIRES: an entry of this type.
inline const Stream& stream_of(const Entry& entry) { return *entry.pointer<const Stream>(); }

const ValueType& stream_type();

}  // namespace roxdb::types
