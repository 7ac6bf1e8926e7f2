// A stream as Redis 7.0 reads it; what stands where is told in rdb_stream_reader.cc.
#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "persist/rdb_value_writer.h"

namespace roxdb::persist {
namespace {

using containers::FieldReader;
using containers::Id;
using containers::Record;
using containers::RecordBlock;
using containers::packed::Element;
using types::Consumer;
using types::Group;
using types::Pending;

struct RawId {
  char bytes[16];
  explicit RawId(const Id& id) {
    const uint64_t words[] = {__builtin_bswap64(id.ms), __builtin_bswap64(id.seq)};
    std::memcpy(bytes, words, sizeof words);
  }
  std::string_view view() const { return {bytes, sizeof bytes}; }
};

void write_id(const Id& id, RdbOutput& out) {
  out.length(id.ms);
  out.length(id.seq);
}

void add_record(const RecordBlock& block, const Record& record, ListpackWriter& node) {
  node.add(record.own_fields ? 0 : kRecordSameFields);
  node.add(static_cast<int64_t>(record.id.ms - block.id.ms));
  node.add(static_cast<int64_t>(record.id.seq - block.id.seq));
  if (record.own_fields) node.add(int64_t{record.fields});
  FieldReader fields(block, record);
  Element field;
  Element value;
  while (fields.next(field, value)) {
    if (record.own_fields) node.add(field);
    node.add(value);
  }
  node.add(record.own_fields ? 4 + 2 * int64_t{record.fields} : 3 + int64_t{record.fields});
}

// Deleted records are left out.
void write_block(const RecordBlock& block, RdbOutput& out) {
  ListpackWriter node;
  node.add(static_cast<int64_t>(block.live()));
  node.add(int64_t{0});
  const RecordBlock::Shape shape = block.shape();
  node.add(int64_t{shape.fields});
  for (size_t at = 0; at < shape.records_at;) {
    const Element name = containers::packed::read(block.bytes(), at);
    node.add(name);
    at = name.next();
  }
  node.add(int64_t{0});
  containers::RecordWalk walk(block);
  for (Record record; walk.next(record);) {
    if (!record.deleted) add_record(block, record, node);
  }
  out.string(RawId(block.id).view());
  out.string(node.finish());
}

// Those of a consumer, by ID.
void write_pending_ids(const std::vector<Id>& ids, RdbOutput& out) {
  out.length(ids.size());
  for (const Id& id : ids) out.write(RawId(id).view());
}

void write_consumer(const Consumer& consumer, std::vector<Id> ids, RdbOutput& out) {
  for (containers::IdIndex::Place place = consumer.pending().first(); place; place.next()) {
    ids.push_back(place.item()->id);
  }
  std::sort(ids.begin(), ids.end());
  out.string(consumer.name());
  out.number(consumer.seen_at_ms);
  write_pending_ids(ids, out);
}

// Redis knows no pending record without a consumer: what nobody has, the one with the empty name
// gets, where whoever claims by time finds it.
void write_consumers(const Group& group, const std::vector<Id>& nobodys, RdbOutput& out) {
  const bool has_nameless = group.consumers().find("") != nullptr;
  const bool adds_nameless = !nobodys.empty() && !has_nameless;
  out.length(group.consumers().size() + (adds_nameless ? 1 : 0));
  if (adds_nameless) {
    out.string(std::string_view());
    out.number(int64_t{0});
    write_pending_ids(nobodys, out);
  }
  for (const Consumer* consumer : group.consumers()) {
    write_consumer(*consumer, consumer->name().empty() ? nobodys : std::vector<Id>(), out);
  }
}

void write_group(const Group& group, RdbOutput& out) {
  out.string(group.name());
  write_id(group.last_delivered, out);
  out.length(static_cast<uint64_t>(group.records_read));  // all ones: unknown
  out.length(group.pending().size());
  std::vector<Id> nobodys;
  for (containers::IdIndex::Place place = group.pending().first(); place; place.next()) {
    const auto* const pending = place.as<const Pending>();
    out.write(RawId(pending->id).view());
    out.number(pending->delivered_at_ms);
    out.length(pending->deliveries);
    if (pending->consumer == nullptr) nobodys.push_back(pending->id);
  }
  write_consumers(group, nobodys, out);
}

}  // namespace

void write_rdb_stream(const types::Stream& stream, RdbOutput& out) {
  out.length(stream.log().blocks());
  stream.log().for_each_block([&](const RecordBlock& block) { write_block(block, out); });
  out.length(stream.size());
  write_id(stream.last_id, out);
  write_id(stream.first_id(), out);
  write_id(stream.max_deleted_id, out);
  out.length(stream.records_added);
  out.length(stream.groups().size());
  for (const Group* group : stream.groups()) write_group(*group, out);
}

}  // namespace roxdb::persist
