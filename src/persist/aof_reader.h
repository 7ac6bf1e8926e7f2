// aof_reader.h: reads one increment of the log, unit by unit, and judges what it cannot read.
//
//   next() ... next() ---- kEnd                            the file ends behind a unit, or nothing
//                    |                                     but zeros follow: room (aof_writer.h)
//                    `---- kDamaged ---- torn              cut back to end(): R1, R2, R3
//                                  `---- not torn          corruption: R4
//
// When is a damage a torn tail? A log only grows, and disks take it in sectors, in any order. So a
// power cut leaves, behind the last sync: an end anywhere, and sectors that were never written,
// which read as zeros. Then
//   - nothing valid follows the damage: the tail is torn; or
//   - something valid follows, but no `synced` record among it says that the damaged place was on
//     the disk, and a sector of the damage was never written: it is torn as well, and what follows
//     was never promised to anybody (D1 wants a prefix).
// Anything else was whole once and is not any more. Records are seeded by the file's random id, so
// nothing that a client stored in a value can look like a record.
//
// Cost: one pass, the file is never in memory. The first damage costs a second pass over what
// follows; behind it only the place to go on is looked for, so that a file of a million damages is
// read in linear time too. The hashes that this costs have a budget for the whole file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "persist/aof_record.h"
#include "persist/file_header.h"

namespace roxdb::persist {

struct Damage {
  uint64_t offset = 0;         // of the record that cannot be used
  std::string why;             // "hash expected 01.., found 02.."
  bool torn = false;           // a crash explains it
  uint64_t units_behind = 0;   // intact ones that follow it; counted for a file's first damage only
  uint64_t valid_offset = 0;   // of the first valid record behind it; 0: there is none
  uint64_t resume_offset = 0;  // of the first one that begins a unit; 0: there is none
  uint64_t resume_sequence = 0;
  uint64_t content_end = 0;  // behind the last byte of the file that is no zero; room follows it
};

class AofReader {
 public:
  struct Unit {
    std::string_view commands;  // RESP requests; alive until the next call
    int db = 0;
    int64_t time_ms = 0;
    uint64_t sequence = 0;  // of its first record
    uint64_t offset = 0;    // of its first record
  };
  enum class Outcome : uint8_t {
    kUnits,        // at least one
    kEnd,          // the file ends behind the last unit, room apart
    kDamaged,      // see damage()
    kUnknownKind,  // a record that only a later version can read: see damage()
    kReadError,    // see error()
  };

  // `file` outlives the reader and has `file_size` bytes; the header was read and verified.
  AofReader(File& file, const FileHeader& header, uint64_t file_size);

  // Takes in the next units: as many as lie in memory together, at most kUnitsMax.
  Outcome next(std::vector<Unit>& units);
  // Goes on behind a damage, where the next unit begins. False: there is none. Each call moves on,
  // and next() then takes in at least one record or finds kUnknownKind.
  bool skip_damage();

  uint64_t end() const { return end_; }                      // offset behind the last whole unit
  uint64_t next_sequence() const { return next_sequence_; }  // behind the last whole unit
  uint64_t units() const { return units_; }                  // whole ones so far
  uint64_t file_size() const { return file_size_; }
  const Damage& damage() const { return damage_; }
  Status error() const { return error_; }

 private:
  static constexpr size_t kUnitsMax = 256;

  enum class Step : uint8_t { kRecord, kEnd, kBad, kGap, kReadError };

  // The record at position_, verified, in memory. kBad, kGap: `why_` says what is wrong; kGap: it
  // is intact, but another one is due.
  Step read_record(RecordHeader& header, char*& record);
  Result<bool> only_zeros_follow();
  // The bytes [position_, position_ + size) in memory. Null: the file ends before.
  Result<char*> load(size_t size);
  bool in_memory(size_t size) const;
  // Moves behind the record; takes its unit in once it is whole.
  void accept(const RecordHeader& header, const char* record, std::vector<Unit>& units);

  Outcome damaged(bool explainable);
  Status examine(bool explainable);
  // Moves over valid records, counting them; true when nothing behind them needs to be looked at.
  Result<bool> pass_valid(uint64_t& synced_behind);
  // Moves to the first valid record at or behind `from`. False: there is none, or the budget of
  // bytes to hash is used up, which is then 0.
  Result<bool> seek_valid(uint64_t from);
  Result<bool> has_unwritten_sector(uint64_t from, uint64_t to);
  Status find_content_end();

  File& file_;
  const uint64_t seed_;
  const uint64_t file_size_;
  std::vector<char> buffer_;
  uint64_t buffer_offset_ = 0;  // of its first byte in the file
  size_t buffer_size_ = 0;
  uint64_t position_;  // of the next record
  uint64_t sequence_;  // the next record's

  Unit assembled_;  // goes on over several records
  std::string assembly_;
  bool assembling_ = false;
  uint64_t end_;
  uint64_t next_sequence_;
  uint64_t units_ = 0;
  std::string why_;
  Damage damage_;
  bool damage_skipped_ = false;
  uint64_t content_end_ = 0;  // 0: not looked for yet
  uint64_t hash_budget_;      // bytes that the search behind damages may still hash
  Status error_;
};

}  // namespace roxdb::persist
