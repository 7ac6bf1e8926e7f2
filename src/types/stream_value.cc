#include "types/stream_value.h"

#include <limits>
#include <new>
#include <optional>
#include <string>

#include "base/limits.h"

namespace roxdb::types {
namespace {

using containers::RecordBlock;

constexpr Status kNotSaved{Code::kCorrupt, 0, "a stream is not what was written"};

// A sign in the lowest bit.
uint64_t zigzag(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}
int64_t unzigzag(uint64_t value) { return static_cast<int64_t>(value >> 1 ^ (0 - (value & 1))); }

EntryParts with_stream(EntryParts parts, Stream* stream) {
  parts.type = TypeId::kStream;
  parts.encoding = 0;
  parts.inline_bytes = {};
  parts.has_payload = true;
  parts.payload = reinterpret_cast<uintptr_t>(stream);
  return parts;
}

Stream* make_stream(const ValueHome& home) { return new (home.slabs.take(sizeof(Stream))) Stream; }

void release_stream(Stream* stream, memory::BlockSink& sink) {
  stream->release(sink);
  sink.give(stream, sizeof(Stream));
}

// --- saving --------------------------------------------------------------------------------

void save_id(const Id& id, ValueWriter& out) {
  out.varint(id.ms);
  out.varint(id.seq);
}

void save_block(const RecordBlock& block, ValueWriter& out) {
  const RecordBlock::Shape shape = block.shape();
  save_id(shape.id, out);
  save_id(shape.last, out);
  out.varint(shape.live);
  out.varint(shape.deleted);
  out.varint(shape.fields);
  out.varint(shape.records_at);
  out.text(block.bytes());
}

void save_group(const Group& group, ValueWriter& out) {
  out.text(group.name());
  save_id(group.last_delivered, out);
  out.varint(static_cast<uint64_t>(group.records_read) + 1);
  out.varint(group.consumers().size());
  for (const Consumer* consumer : group.consumers()) {
    out.text(consumer->name());
    out.varint(zigzag(consumer->seen_at_ms));
    out.varint(zigzag(consumer->active_at_ms));
  }
  out.varint(group.pending().size());
  for (const Pending* pending = group.oldest(); pending != nullptr; pending = pending->later) {
    save_id(pending->id, out);
    out.varint(zigzag(pending->delivered_at_ms));
    out.varint(pending->deliveries);
    out.varint(pending->consumer == nullptr
                   ? 0
                   : group.consumers().index_of(pending->consumer->name()) + 1);
  }
}

// --- loading -------------------------------------------------------------------------------

Result<Id> load_id(ValueReader& in) {
  ROX_TRY(const uint64_t ms, in.varint());
  ROX_TRY(const uint64_t seq, in.varint());
  return Id{ms, seq};
}

Result<uint32_t> load_small(ValueReader& in) {
  ROX_TRY(const uint64_t value, in.varint());
  if (value > std::numeric_limits<uint32_t>::max()) return kNotSaved;
  return static_cast<uint32_t>(value);
}

Status load_blocks(ValueReader& in, const ValueHome& home, Stream& stream) {
  ROX_TRY(uint64_t left, in.varint());
  std::string bytes;
  std::optional<Id> last;
  for (; left > 0; --left) {
    RecordBlock::Shape shape;
    ROX_TRY(shape.id, load_id(in));
    ROX_TRY(shape.last, load_id(in));
    ROX_TRY(shape.live, load_small(in));
    ROX_TRY(shape.deleted, load_small(in));
    ROX_TRY(shape.fields, load_small(in));
    ROX_TRY(shape.records_at, load_small(in));
    ROX_TRY(in.text(bytes, containers::kRecordBlockBytesMax));
    if (last && shape.id <= *last) return kNotSaved;
    ROX_TRY(RecordBlock * block, RecordBlock::load(home.slabs, shape, bytes));
    last = shape.last;
    stream.load_block(home, block);
  }
  return kOk;
}

Status load_consumers(ValueReader& in, const ValueHome& home, Group& group) {
  ROX_TRY(uint64_t left, in.varint());
  std::string name;
  std::string previous;
  for (; left > 0; --left) {
    ROX_TRY(in.text(name, kBulkBytesMax));
    if (group.consumers().size() > 0 && name <= previous) return kNotSaved;
    ROX_TRY(const uint64_t seen, in.varint());
    ROX_TRY(const uint64_t active, in.varint());
    group.add_consumer(home.slabs, name, unzigzag(seen))->active_at_ms = unzigzag(active);
    previous = name;
  }
  return kOk;
}

Status load_pending(ValueReader& in, const ValueHome& home, Group& group) {
  ROX_TRY(uint64_t left, in.varint());
  int64_t previous_at_ms = std::numeric_limits<int64_t>::min();
  for (; left > 0; --left) {
    ROX_TRY(const Id id, load_id(in));
    ROX_TRY(const uint64_t at, in.varint());
    ROX_TRY(const uint64_t deliveries, in.varint());
    ROX_TRY(const uint64_t consumer, in.varint());
    const int64_t at_ms = unzigzag(at);
    if (at_ms < previous_at_ms || group.find(id) != nullptr ||
        deliveries > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) ||
        consumer > group.consumers().size()) {
      return kNotSaved;
    }
    group.add(home.slabs, id, consumer == 0 ? nullptr : group.consumers()[consumer - 1], at_ms,
              deliveries);
    previous_at_ms = at_ms;
  }
  return kOk;
}

Status load_groups(ValueReader& in, const ValueHome& home, Stream& stream) {
  ROX_TRY(uint64_t left, in.varint());
  std::string name;
  std::string previous;
  for (; left > 0; --left) {
    ROX_TRY(in.text(name, kBulkBytesMax));
    if (stream.groups().size() > 0 && name <= previous) return kNotSaved;
    ROX_TRY(const Id last_delivered, load_id(in));
    ROX_TRY(const uint64_t read, in.varint());
    if (read > kRecordsAddedMax + 1) return kNotSaved;  // -1: unknown
    Group* group = stream.add_group(home, name, last_delivered, static_cast<int64_t>(read - 1));
    ROX_TRY(load_consumers(in, home, *group));
    ROX_TRY(load_pending(in, home, *group));
    previous = name;
  }
  return kOk;
}

Status load_stream(ValueReader& in, const ValueHome& home, Stream& stream) {
  ROX_TRY(load_blocks(in, home, stream));
  ROX_TRY(stream.last_id, load_id(in));
  ROX_TRY(stream.max_deleted_id, load_id(in));
  ROX_TRY(stream.records_added, in.varint());
  const auto last = stream.log().last_of_all();
  if ((last && stream.last_id < *last) || stream.last_id < stream.max_deleted_id ||
      stream.records_added < stream.size() || stream.records_added > kRecordsAddedMax) {
    return kNotSaved;
  }
  return load_groups(in, home, stream);
}

// -------------------------------------------------------------------------------------------

class StreamType final : public ValueType {
 public:
  TypeId id() const override { return TypeId::kStream; }
  std::string_view name() const override { return "stream"; }
  std::string_view encoding_name(const Entry& /*entry*/) const override { return "stream"; }

  size_t payload_bytes(const Entry& entry, size_t samples) const override {
    return stream_of(entry).occupied_bytes(samples);
  }
  size_t free_effort(const Entry& entry) const override { return stream_of(entry).free_effort(); }
  void release_payload(uint64_t payload, uint8_t /*encoding*/,
                       memory::BlockSink& sink) const override {
    release_stream(reinterpret_cast<Stream*>(static_cast<uintptr_t>(payload)), sink);
  }

  void save(const Entry& entry, ValueWriter& out) const override {
    const Stream& stream = stream_of(entry);
    out.varint(stream.log().blocks());
    stream.log().for_each_block([&](const RecordBlock& block) { save_block(block, out); });
    save_id(stream.last_id, out);
    save_id(stream.max_deleted_id, out);
    out.varint(stream.records_added);
    out.varint(stream.groups().size());
    for (const Group* group : stream.groups()) save_group(*group, out);
  }

  Result<Entry*> load(ValueReader& in, EntryParts parts, const ValueHome& home) const override {
    Stream* stream = make_stream(home);
    if (const Status status = load_stream(in, home, *stream); !status.ok()) {
      memory::SlabSink sink(home.slabs);
      release_stream(stream, sink);
      return status;
    }
    return Entry::create(home.slabs, with_stream(parts, stream));
  }

  Entry* copy(const Entry& entry, EntryParts parts, const ValueHome& home) const override {
    Stream* stream = make_stream(home);
    stream_of(entry).copy_to(home, *stream);
    return Entry::create(home.slabs, with_stream(parts, stream));
  }
};

}  // namespace

Entry* StreamValue::create(const ValueHome& home, EntryParts parts) {
  return Entry::create(home.slabs, with_stream(parts, make_stream(home)));
}

const ValueType& stream_type() {
  static const StreamType kType;
  return kType;
}

}  // namespace roxdb::types
