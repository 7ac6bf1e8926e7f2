// A stream as Redis writes it: nodes of records, what it knows of its past, and groups whose
// pending records are listed twice: all of a group, then those of each consumer.
#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/numbers.h"
#include "persist/rdb_blob.h"
#include "persist/rdb_value_reader.h"

namespace roxdb::persist {
namespace {

using containers::Id;
using types::Group;
using types::Stream;
using types::ValueHome;

constexpr Status kOrder = rdb_corrupt("the records of a stream do not ascend");
constexpr Status kNode = rdb_corrupt("a node of a stream is not what was written");
constexpr Status kGroup = rdb_corrupt("the pending records of a group do not agree");
constexpr Status kTime = rdb_corrupt("a time of a group is none");
constexpr auto kCountMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());

// An element with room for its digits; its text is dead once it moves.
struct TextElement {
  BlobElement element;
  char room[kIntegerDigitsMax];
  std::string_view text() { return element.text(room); }
};

// One node: a listpack of records, whose IDs are counted from that of the node.
//   live, deleted, fields, names..., 0
//   then each record: flags, ms, seq, [fields, if not the same], values or pairs, elements so far
class NodeReader {
 public:
  NodeReader(const ValueHome& home, const Id& id, std::string_view blob)
      : home_(home), id_(id), reader_(BlobForm::kListpack, blob) {}

  // Adds the records that are not deleted; `last` is the ID of the last record, deleted or not.
  Status read_into(Stream& stream, Id& last) {
    ROX_TRY(reader_.open());
    ROX_TRY(uint64_t live, count());
    ROX_TRY(uint64_t deleted, count());
    ROX_TRY(read_elements(names_));
    ROX_TRY(const int64_t zero, integer());
    if (zero != 0) return kNode;
    for (BlobElement flags;;) {
      ROX_TRY(const bool is_there, reader_.next(flags));
      if (!is_there) break;
      if (!flags.is_integer || (flags.integer & ~(kRecordDeleted | kRecordSameFields)) != 0) {
        return kNode;
      }
      const bool is_deleted = (flags.integer & kRecordDeleted) != 0;
      uint64_t& announced = is_deleted ? deleted : live;
      if (announced-- == 0) return kNode;
      ROX_TRY(read_record(flags.integer, last));
      if (!is_deleted) stream.append(home_, last, pairs_);
    }
    return live == 0 && deleted == 0 ? kOk : kNode;
  }

 private:
  Result<int64_t> integer() {
    BlobElement element;
    ROX_TRY(reader_.expect(element));
    if (!element.is_integer) return kNode;
    return element.integer;
  }
  Result<uint64_t> count() {
    ROX_TRY(const int64_t value, integer());
    if (value < 0) return kNode;
    return static_cast<uint64_t>(value);
  }
  // A count, then as many elements.
  Status read_elements(std::vector<TextElement>& elements) {
    ROX_TRY(uint64_t left, count());
    elements.clear();
    for (; left > 0; --left) ROX_TRY(reader_.expect(elements.emplace_back().element));
    return kOk;
  }

  // Leaves the record in pairs_ and its ID in `last`, which it must be above.
  Status read_record(int64_t flags, Id& last) {
    const bool same_fields = (flags & kRecordSameFields) != 0;
    ROX_TRY(const int64_t ms, integer());
    ROX_TRY(const int64_t seq, integer());
    const Id id{id_.ms + static_cast<uint64_t>(ms), id_.seq + static_cast<uint64_t>(seq)};
    if (id < id_ || id <= last) return kOrder;
    last = id;

    uint64_t fields = names_.size();
    if (!same_fields) {
      ROX_TRY(fields, count());
    }
    if (fields == 0) return kNode;
    values_.clear();
    // Names stand before their values, unless they are those of the node.
    for (uint64_t i = 0; i < fields; ++i) {
      for (int of_pair = same_fields ? 1 : 0; of_pair < 2; ++of_pair) {
        ROX_TRY(reader_.expect(values_.emplace_back().element));
      }
    }
    pairs_.clear();
    for (size_t i = 0; i < values_.size(); ++i) {
      if (same_fields) pairs_.push_back(names_[i].text());
      pairs_.push_back(values_[i].text());
    }
    ROX_TRY(const uint64_t elements, count());
    if (elements != values_.size() + (same_fields ? 3 : 4)) return kNode;
    return containers::RecordLog::fits(pairs_) ? kOk : kNode;
  }

  const ValueHome& home_;
  const Id id_;
  BlobReader reader_;
  std::vector<TextElement> names_;
  std::vector<TextElement> values_;
  std::vector<std::string_view> pairs_;
};

// An ID as two lengths.
Result<Id> read_id(RdbInput& in) {
  ROX_TRY(const uint64_t ms, in.length());
  ROX_TRY(const uint64_t seq, in.length());
  return Id{ms, seq};
}

// An ID as 16 bytes, the highest first.
Id raw_id(const char* bytes) {
  Id id;
  std::memcpy(&id.ms, bytes, 8);
  std::memcpy(&id.seq, bytes + 8, 8);
  return Id{__builtin_bswap64(id.ms), __builtin_bswap64(id.seq)};
}

Result<Id> read_raw_id(RdbInput& in) {
  char bytes[16];
  ROX_TRY(in.read(bytes, sizeof bytes));
  return raw_id(bytes);
}

Status read_records(RdbInput& in, const ValueHome& home, Stream& stream) {
  std::string text;
  std::string blob;
  Id last = containers::kIdMin;
  ROX_TRY(uint64_t left, in.length());
  for (; left > 0; --left) {
    ROX_TRY(in.string(text));
    if (text.size() != 16) return kNode;
    ROX_TRY(in.string(blob));
    ROX_TRY(NodeReader(home, raw_id(text.data()), blob).read_into(stream, last));
  }
  return kOk;
}

Status read_past(RdbInput& in, RdbType type, Stream& stream) {
  ROX_TRY(const uint64_t size, in.length());
  if (size != stream.size()) return rdb_corrupt("a stream has another length than it says");
  ROX_TRY(stream.last_id, read_id(in));
  stream.max_deleted_id = containers::kIdMin;
  stream.records_added = size;
  if (type != RdbType::kStream) {
    ROX_TRY(read_id(in).status());  // of the first record, which is known
    ROX_TRY(stream.max_deleted_id, read_id(in));
    ROX_TRY(stream.records_added, in.length());
  }
  const auto last = stream.log().last_of_all();
  if ((last && stream.last_id < *last) || stream.last_id < stream.max_deleted_id ||
      stream.records_added < size || stream.records_added > kCountMax) {
    return rdb_corrupt("the past of a stream contradicts its records");
  }
  return kOk;
}

// What a group lists of a pending record, and which of its consumers claimed it.
struct Claim {
  Id id;
  int64_t delivered_at_ms;
  uint64_t deliveries;
  types::Consumer* consumer = nullptr;  // null: nobody yet
};

Status read_pending(RdbInput& in, std::vector<Claim>& claims) {
  ROX_TRY(uint64_t left, in.length());
  for (; left > 0; --left) {
    Claim claim;
    ROX_TRY(claim.id, read_raw_id(in));
    ROX_TRY(claim.delivered_at_ms, in.number<int64_t>());
    if (claim.delivered_at_ms < 0) return kTime;
    ROX_TRY(claim.deliveries, in.length());
    if ((!claims.empty() && claim.id <= claims.back().id) || claim.deliveries > kCountMax) {
      return kGroup;
    }
    claims.push_back(claim);
  }
  return kOk;
}

// Gives one consumer the pending records it lists. Nobody else may have them.
Status claim_pending(RdbInput& in, types::Consumer* consumer, std::vector<Claim>& claims) {
  ROX_TRY(uint64_t left, in.length());
  for (; left > 0; --left) {
    ROX_TRY(const Id id, read_raw_id(in));
    const auto claim =
        std::lower_bound(claims.begin(), claims.end(), id,
                         [](const Claim& one, const Id& key) { return one.id < key; });
    if (claim == claims.end() || claim->id != id || claim->consumer != nullptr) return kGroup;
    claim->consumer = consumer;
  }
  return kOk;
}

// Names ascend in what Redis writes, and a group takes them fastest so.
Status read_consumers(RdbInput& in, RdbType type, const ValueHome& home, Group& group,
                      std::vector<Claim>& claims) {
  std::string name;
  std::string previous;
  ROX_TRY(uint64_t left, in.length());
  for (; left > 0; --left) {
    ROX_TRY(in.string(name));
    if (group.consumers().size() > 0 && name <= previous) return kGroup;
    ROX_TRY(const int64_t seen_at_ms, in.number<int64_t>());
    int64_t active_at_ms = seen_at_ms;
    if (type == RdbType::kStream3) {
      ROX_TRY(active_at_ms, in.number<int64_t>());
    }
    if (std::min(seen_at_ms, active_at_ms) < types::Consumer::kNeverActive) return kTime;
    types::Consumer* const consumer = group.add_consumer(home.slabs, name, seen_at_ms);
    consumer->active_at_ms = active_at_ms;
    ROX_TRY(claim_pending(in, consumer, claims));
    previous = name;
  }
  return kOk;
}

Status read_group(RdbInput& in, RdbType type, const ValueHome& home, Group& group) {
  std::vector<Claim> claims;
  ROX_TRY(read_pending(in, claims));
  ROX_TRY(read_consumers(in, type, home, group, claims));
  // By time of delivery: a group links in the youngest without a search.
  std::stable_sort(claims.begin(), claims.end(), [](const Claim& a, const Claim& b) {
    return a.delivered_at_ms < b.delivered_at_ms;
  });
  for (const Claim& claim : claims) {
    if (claim.consumer == nullptr) return kGroup;
    group.add(home.slabs, claim.id, claim.consumer, claim.delivered_at_ms, claim.deliveries);
  }
  return kOk;
}

Status read_groups(RdbInput& in, RdbType type, const ValueHome& home, Stream& stream) {
  std::string name;
  std::string previous;
  ROX_TRY(uint64_t left, in.length());
  for (; left > 0; --left) {
    ROX_TRY(in.string(name));
    if (stream.groups().size() > 0 && name <= previous) return kGroup;
    ROX_TRY(const Id last_delivered, read_id(in));
    // The first form does not say: then it is what the records tell.
    int64_t read = stream.records_up_to(last_delivered);
    if (type != RdbType::kStream) {
      ROX_TRY(const uint64_t written, in.length());
      const bool is_unknown = written == std::numeric_limits<uint64_t>::max();
      if (!is_unknown && written > kCountMax) return kGroup;
      read = is_unknown ? Group::kReadUnknown : static_cast<int64_t>(written);
    }
    Group* const group = stream.add_group(home, name, last_delivered, read);
    ROX_TRY(read_group(in, type, home, *group));
    previous = name;
  }
  return kOk;
}

}  // namespace

Status read_rdb_stream(RdbInput& in, RdbType type, const ValueHome& home, Stream& stream) {
  ROX_TRY(read_records(in, home, stream));
  ROX_TRY(read_past(in, type, stream));
  return read_groups(in, type, home, stream);
}

}  // namespace roxdb::persist
