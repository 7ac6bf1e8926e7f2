// record_block.h: a run of records with ascending IDs in one block of memory. A record is a list of
// fields with values; records of one log mostly have the same fields, so those of the first one are
// kept once and left out wherever they repeat.
//
//   | header | field names of the first record | record | record | ... | room |
//              ^0                                ^records_at()           ^size()
//
//   record:  size of the rest (varint) | head | ID | elements
//   head     bit 0  deleted: the record is only skipped
//            bit 1  own fields: elements are their count (varint), then field, value, field, value;
//                   else they are only the values
//            bit 2-3  the ID, by what must be added to that of the record before, deleted or not:
//                   0  one to the sequence                      no bytes
//                   1  more to the sequence                     varint
//                   2  to the milliseconds; the sequence is 0   varint
//                   3  to the milliseconds; then the sequence   two varints
//
// Elements are those of packed_list.h, varints LEB128. Before the first record stands the block's
// own ID less one, so that its form is 0.
//
// I1  IDs ascend strictly; the first record has the ID of the block, the last one last().
// I2  live() records are not deleted, deleted() are; live() > 0.
// I3  The records fill the bytes from records_at() to size() exactly.
// Cost: append O(its bytes); anything by ID O(records before it), which only reads their heads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/memory.h"
#include "base/status.h"
#include "containers/id_index.h"
#include "containers/packed_list.h"

namespace roxdb::containers {

// A block never holds more than this, so that offsets are 32 bits.
inline constexpr size_t kRecordBlockBytesMax = size_t{1} << 30;

// One record, as it is found. Valid until its block changes.
struct Record {
  Id id;
  uint32_t head = 0;      // offset of the head byte
  uint32_t elements = 0;  // offset of the first field or value
  uint32_t end = 0;       // offset of what follows
  uint32_t fields = 0;    // pairs of field and value
  bool own_fields = false;
  bool deleted = false;
};

class RecordBlock : public IdItem {
 public:
  // What a block is made of, on its way to and from files.
  struct Shape {
    Id id;
    Id last;
    uint32_t live;
    uint32_t deleted;
    uint32_t fields;      // of the first record
    uint32_t records_at;  // where their names end
  };

  // An empty block for records like this one: `pairs` are field, value, field, value; `room` is
  // what it will hold at least. Append to it at once (I2).
  static RecordBlock* create(memory::Slabs& slabs, const Id& id,
                             std::span<const std::string_view> pairs, size_t room);
  // A block from outside: nothing of it is believed. Code::kCorrupt.
  static Result<RecordBlock*> load(memory::Slabs& slabs, const Shape& shape,
                                   std::string_view bytes);
  // A block with the same bytes, or one with other room; the old one is the caller's to destroy.
  RecordBlock* clone(memory::Slabs& slabs, size_t room) const;
  static void destroy(memory::BlockSink& sink, RecordBlock* block) {
    sink.give(block, sizeof(RecordBlock) + block->room_);
  }

  // The room a block gets that asks for this much: to the end of what it occupies.
  static size_t fitting_room(size_t room) {
    return memory::Slabs::occupied(sizeof(RecordBlock) + room) - sizeof(RecordBlock);
  }
  // The most bytes a record of these pairs can take, and its names in a new block.
  static size_t record_bytes_max(std::span<const std::string_view> pairs);
  static size_t names_bytes_max(std::span<const std::string_view> pairs);

  // REQUIRES: id > last() unless the block is empty, record_bytes_max(pairs) <= room() - size().
  void append(const Id& new_id, std::span<const std::string_view> pairs);
  // Marks a record that is not deleted yet.
  void erase(const Record& record);
  // Drops the deleted records behind the last one that is not.
  void cut_deleted_tail();

  const Id& last() const { return last_; }
  size_t live() const { return live_; }
  size_t deleted() const { return deleted_; }
  size_t size() const { return size_; }
  size_t room() const { return room_; }
  size_t records_at() const { return records_at_; }
  size_t occupied_bytes() const { return memory::Slabs::occupied(sizeof(RecordBlock) + room_); }
  Shape shape() const { return {id, last_, live_, deleted_, fields_, records_at_}; }
  std::string_view bytes() const { return {data(), size_}; }

  void check() const;

 private:
  friend class RecordWalk;
  friend class FieldReader;
  RecordBlock() = default;
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  char* data() { return reinterpret_cast<char*>(this + 1); }
  bool has_fields_of(std::span<const std::string_view> pairs) const;
  Status verify() const;

  Id last_;
  uint32_t size_;
  uint32_t room_;
  uint32_t live_;
  uint32_t deleted_;
  uint32_t fields_;
  uint32_t records_at_;
};
static_assert(sizeof(RecordBlock) == 56);

// The records of a block in order, deleted ones included. The block must not grow meanwhile;
// marking records as deleted is allowed.
class RecordWalk {
 public:
  explicit RecordWalk(const RecordBlock& block)
      : block_(block), at_(block.records_at_), id_{block.id.ms, block.id.seq - 1} {}
  bool next(Record& record);

 private:
  const RecordBlock& block_;
  uint32_t at_;
  Id id_;
};

// Fields and values of one record.
class FieldReader {
 public:
  FieldReader(const RecordBlock& block, const Record& record)
      : run_(block.bytes()),
        name_at_(record.own_fields ? record.elements : 0),
        value_at_(record.elements),
        left_(record.fields),
        own_fields_(record.own_fields) {}
  bool next(packed::Element& field, packed::Element& value);

 private:
  std::string_view run_;
  size_t name_at_;
  size_t value_at_;
  size_t left_;
  bool own_fields_;
};

}  // namespace roxdb::containers
