// aof_record.h: what an increment of the log looks like (reliability F4).
//
//   +--------+----------+----------+-- ... --+----------+
//   | header | record S | record   |         | record   |     header: file_header.h, magic
//   +--------+----------+   S+1    +-- ... --+   S+n    |     kLogMagic; its `sequence` is S
//                       +----------+         +----------+
//
// A record, 32 bytes and its payload:
//
//   OFFSET  SIZE  MEANING                                               little endian
//   0       4     payload length, 1 ... 16 MiB; 0 is the end, if only zeros follow
//   4       1     kind: 1 commands, 2 synced; never 0
//   5       1     flags: bit 0, more of the unit follows in the next record; bit 1, it goes on with
//                 the unit of the record before; bit 2, a reader that does not know the kind may
//                 skip the record
//   6       2     database in which the unit begins
//   8       8     sequence: one more than that of the record before it
//   16      8     ms of the Unix epoch at which the unit ran
//   24      8     XXH3-64 of header and payload, this field taken as 0, seeded by the file id
//   32      ..    payload
//
// commands  One unit: RESP requests (*3 $3 SET ...) one behind the other, cut into several records
//           where they are longer than 16 MiB. `SELECT n` among them changes the database of those
//           behind it, and goes no further than the unit.
// synced    8 bytes, a sequence: every record of this file up to it was on the disk before this
//           record was written. A power cut leaves holes only behind the last such point, and that
//           is how the reader tells a torn tail from a damaged log (aof_reader.h).
//
// Every record has a time and a number, so that a log can be replayed up to a chosen moment: the
// unit that begins with record N is unit N. Version 1.0.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "engine/gates_and_sinks.h"

namespace roxdb::persist {

inline constexpr uint16_t kLogMajor = 1;
inline constexpr size_t kRecordHeaderBytes = 32;
inline constexpr size_t kRecordPayloadBytesMax = 16u << 20;

enum class RecordKind : uint8_t { kCommands = 1, kSynced = 2 };

inline constexpr uint8_t kMoreFollows = 1;
inline constexpr uint8_t kContinues = 2;
inline constexpr uint8_t kRecordMayBeSkipped = 4;

struct RecordHeader {
  uint32_t length = 0;
  uint8_t kind = 0;
  uint8_t flags = 0;
  uint16_t db = 0;
  uint64_t sequence = 0;
  int64_t time_ms = 0;
  uint64_t hash = 0;
};
static_assert(sizeof(RecordHeader) == kRecordHeaderBytes &&
              std::endian::native == std::endian::little);
inline constexpr size_t kRecordHashOffset = 24;

// The header at `bytes`, which has kRecordHeaderBytes. Nothing is checked.
RecordHeader decode_record_header(const char* bytes);
// The hash that a record should carry. `record` is header and payload; its hash field is set to 0
// for the time of the call.
uint64_t record_hash(char* record, size_t size, uint64_t seed);

// Records on their way to the file: the units of a turn, encoded one behind the other.
// Cost of a unit: one pass over its bytes, and no allocation once the buffer has its size.
class RecordBuffer {
 public:
  explicit RecordBuffer(uint64_t seed) : seed_(seed) {}

  // `sequence` is that of the next record, and moves behind those appended.
  void append_unit(std::span<const engine::LogCommand> commands, int64_t time_ms,
                   uint64_t& sequence);
  void append_synced(uint64_t synced_sequence, int64_t time_ms, uint64_t& sequence);

  std::string_view bytes() const { return {bytes_.get(), size_}; }
  bool empty() const { return size_ == 0; }
  // Forgets the bytes, and gives room back that only a huge turn needed.
  void clear();

 private:
  char* room(size_t size);  // at the end; not counted before commit
  void commit(size_t size) { size_ += size; }
  void seal(char* record, const RecordHeader& header) const;
  void append_split(size_t payload_size, RecordHeader header, uint64_t& sequence);

  uint64_t seed_;
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace roxdb::persist
