#include "persist/aof_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "persist/files.h"

namespace roxdb::persist {
namespace {

constexpr size_t kBufferBytes = 1u << 20;
constexpr uint64_t kSectorBytes = 512;  // what a disk writes whole or not at all
constexpr size_t kBackwardBytes = 64u << 10;
constexpr size_t kSequenceOffset = 8;

// Where the search behind damages ends: a file made to be read slowly shows us many beginnings of
// huge records. What was not looked at counts as valid, which is the careful answer.
constexpr uint64_t kSequencesAheadMax = uint64_t{1} << 40;  // random bytes pass one time in 2^24
constexpr uint64_t kHashesPerByte = 4;

bool is_known(uint8_t kind) {
  return kind == static_cast<uint8_t>(RecordKind::kCommands) ||
         kind == static_cast<uint8_t>(RecordKind::kSynced);
}

// A record of its own kind between those of a unit is not part of it, whatever its flags say.
bool continues_unit(const RecordHeader& header) {
  return (header.flags & kContinues) != 0 &&
         header.kind != static_cast<uint8_t>(RecordKind::kSynced);
}

uint64_t synced_of(const RecordHeader& header, const char* record) {
  uint64_t synced = 0;
  std::memcpy(&synced, record + kRecordHeaderBytes, std::min<size_t>(sizeof synced, header.length));
  return synced;
}

}  // namespace

AofReader::AofReader(File& file, const FileHeader& header, uint64_t file_size)
    : file_(file),
      seed_(header.seed()),
      file_size_(file_size),
      position_(header.length),
      sequence_(header.sequence),
      end_(header.length),
      next_sequence_(header.sequence),
      hash_budget_(kHashesPerByte * file_size + kBufferBytes) {}

AofReader::Outcome AofReader::next(std::vector<Unit>& units) {
  units.clear();
  if (!assembling_) std::string().swap(assembly_);  // the unit that was handed out
  while (units.size() < kUnitsMax) {
    // Reading on would move the bytes of the units that are there.
    if (!units.empty() && !in_memory(kRecordHeaderBytes)) break;
    RecordHeader header;
    char* record = nullptr;
    if (!units.empty()) {
      header = decode_record_header(buffer_.data() + (position_ - buffer_offset_));
      if (header.length == 0 || !in_memory(kRecordHeaderBytes + header.length)) break;
    }
    const Step step = read_record(header, record);
    if (step == Step::kRecord) {
      if (!is_known(header.kind) && (header.flags & kRecordMayBeSkipped) == 0) {
        if (!units.empty()) break;
        damage_ = {.offset = position_,
                   .why = fmt::format("a record of kind {}, which only a later version knows",
                                      header.kind)};
        return Outcome::kUnknownKind;
      }
      const bool was_assembling = assembling_;
      accept(header, record, units);
      // The bytes of this unit are in assembly_, which the next one may need.
      if (was_assembling && !assembling_) break;
      continue;
    }
    if (!units.empty()) break;
    if (step == Step::kReadError) return Outcome::kReadError;
    if (step == Step::kEnd) {
      if (!assembling_) return Outcome::kEnd;
      why_ = "the last unit is incomplete";
    }
    return damaged(step != Step::kGap);
  }
  return Outcome::kUnits;
}

AofReader::Step AofReader::read_record(RecordHeader& header, char*& record) {
  if (position_ == file_size_) return Step::kEnd;
  const auto failed = [this](Status status) {
    error_ = status;
    return Step::kReadError;
  };
  const auto bad = [this](std::string why) {
    why_ = std::move(why);
    return Step::kBad;
  };

  auto loaded = load(kRecordHeaderBytes);
  if (!loaded.ok()) return failed(loaded.status());
  if (*loaded != nullptr) header = decode_record_header(*loaded);
  if (*loaded == nullptr || header.length == 0) {
    const auto at_end = only_zeros_follow();
    if (!at_end.ok()) return failed(at_end.status());
    if (*at_end) return Step::kEnd;
  }
  if (*loaded == nullptr) return bad("the file ends inside a record's header");
  if (header.length == 0 || header.length > kRecordPayloadBytesMax) {
    return bad(fmt::format("a record of {} bytes", header.length));
  }
  const size_t size = kRecordHeaderBytes + header.length;
  loaded = load(size);
  if (!loaded.ok()) return failed(loaded.status());
  if (*loaded == nullptr) {
    return bad(fmt::format("the file ends inside a record of {} bytes", header.length));
  }
  record = *loaded;
  if (const uint64_t found = record_hash(record, size, seed_); found != header.hash) {
    return bad(fmt::format("hash expected {:016x}, found {:016x}", header.hash, found));
  }
  if (header.sequence != sequence_) {
    why_ = fmt::format("sequence expected {}, found {}", sequence_, header.sequence);
    return Step::kGap;
  }
  if (continues_unit(header) != assembling_) {
    why_ = assembling_ ? "a unit without its end" : "a unit without its beginning";
    return Step::kGap;
  }
  return Step::kRecord;
}

// Whether there is nothing but room from position_ on. Moves the bytes in memory.
Result<bool> AofReader::only_zeros_follow() {
  const uint64_t position = position_;
  bool zeros = true;
  while (zeros && position_ < file_size_) {
    // In small steps, which stay within what is in memory: there may be many such places.
    const size_t size = std::min<uint64_t>(kSectorBytes, file_size_ - position_);
    ROX_TRY(const char* bytes, load(size));
    zeros = std::all_of(bytes, bytes + size, [](char c) { return c == 0; });
    position_ += size;
  }
  position_ = position;
  return zeros;
}

void AofReader::accept(const RecordHeader& header, const char* record, std::vector<Unit>& units) {
  const std::string_view payload(record + kRecordHeaderBytes, header.length);
  const uint64_t offset = position_;
  position_ += kRecordHeaderBytes + payload.size();
  sequence_++;
  if (header.kind == static_cast<uint8_t>(RecordKind::kCommands)) {
    if (!continues_unit(header)) {
      assembled_ = {payload, header.db, header.time_ms, header.sequence, offset};
    }
    const bool ends = (header.flags & kMoreFollows) == 0;
    if (assembling_ || !ends) assembly_.append(payload);
    assembling_ = !ends;
    if (ends) {
      if (!assembly_.empty()) assembled_.commands = assembly_;
      units.push_back(assembled_);
      units_++;
    }
  }
  if (assembling_) return;
  end_ = position_;
  next_sequence_ = sequence_;
}

bool AofReader::in_memory(size_t size) const {
  return position_ >= buffer_offset_ && position_ + size <= buffer_offset_ + buffer_size_;
}

Result<char*> AofReader::load(size_t size) {
  if (size > file_size_ - position_) return nullptr;
  if (!in_memory(size)) {
    const size_t wanted = std::min<uint64_t>(std::max(size, kBufferBytes), file_size_ - position_);
    if (buffer_.size() < wanted) buffer_.resize(wanted);
    buffer_offset_ = position_;
    buffer_size_ = 0;
    ROX_TRY(buffer_size_, read_fully(file_, position_, buffer_.data(), wanted));
    if (buffer_size_ < size) return io_error(EIO, "the file became shorter while it was read");
  }
  return buffer_.data() + (position_ - buffer_offset_);
}

// --- damage ----------------------------------------------------------------------------------

AofReader::Outcome AofReader::damaged(bool explainable) {
  damage_ = {.offset = position_, .why = why_};
  const uint64_t position = position_;
  const uint64_t sequence = sequence_;
  Status status = find_content_end();
  // A record may end with zeros of its own.
  damage_.content_end = std::max(content_end_, end_);
  if (status.ok()) status = examine(explainable);
  position_ = position;
  sequence_ = sequence;
  if (!status.ok()) {
    error_ = status;
    return Outcome::kReadError;
  }
  return Outcome::kDamaged;
}

// Reads what follows the damage and judges it. Moves the reader about; damaged() moves it back.
Status AofReader::examine(bool explainable) {
  const uint64_t damaged_sequence = sequence_;
  const bool was_assembling = assembling_;
  uint64_t synced_behind = 0;

  for (uint64_t from = position_ + (explainable ? 1 : 0);; from = position_ + 1) {
    ROX_TRY(const bool found, seek_valid(from));
    if (!found) break;
    if (damage_.valid_offset == 0) damage_.valid_offset = position_;
    ROX_TRY(const bool enough, pass_valid(synced_behind));
    if (enough) break;
  }
  assembling_ = was_assembling;

  if (!explainable || hash_budget_ == 0) return kOk;
  if (damage_.valid_offset == 0) {
    damage_.torn = true;
  } else if (!damage_skipped_ && synced_behind < damaged_sequence) {
    ROX_TRY(damage_.torn, has_unwritten_sector(damage_.offset, damage_.valid_offset));
  }
  return kOk;
}

Result<bool> AofReader::pass_valid(uint64_t& synced_behind) {
  for (;;) {
    // Whether a unit's beginning is there is not asked here: any whole record counts.
    ROX_TRY(const char* bytes, load(kRecordHeaderBytes));
    assembling_ = bytes != nullptr && continues_unit(decode_record_header(bytes));
    RecordHeader header;
    char* record = nullptr;
    const Step step = read_record(header, record);
    if (step == Step::kReadError) return error_;
    if (step != Step::kRecord) return step == Step::kEnd;
    if (damage_.resume_offset == 0 && !assembling_) {
      damage_.resume_offset = position_;
      damage_.resume_sequence = sequence_;
      if (damage_skipped_) return true;
    }
    if (header.kind == static_cast<uint8_t>(RecordKind::kCommands)) {
      if ((header.flags & kMoreFollows) == 0) damage_.units_behind++;
    } else if (header.kind == static_cast<uint8_t>(RecordKind::kSynced)) {
      synced_behind = std::max(synced_behind, synced_of(header, record));
    }
    position_ += kRecordHeaderBytes + header.length;
    sequence_++;
  }
}

Result<bool> AofReader::seek_valid(uint64_t from) {
  const uint64_t sequence_min = sequence_;
  for (position_ = from; position_ + kRecordHeaderBytes < file_size_; ++position_) {
    ROX_TRY(char* bytes, load(kRecordHeaderBytes));
    uint64_t sequence;
    std::memcpy(&sequence, bytes + kSequenceOffset, sizeof sequence);
    if (sequence < sequence_min || sequence - sequence_min > kSequencesAheadMax) continue;
    const RecordHeader header = decode_record_header(bytes);
    // No record is of kind 0; the byte before a record would often look like the beginning of one.
    if (header.kind == 0 || header.length == 0 || header.length > kRecordPayloadBytesMax ||
        header.length > file_size_ - position_ - kRecordHeaderBytes) {
      continue;
    }
    const size_t size = kRecordHeaderBytes + header.length;
    if (hash_budget_ < size) {
      hash_budget_ = 0;
      return false;
    }
    hash_budget_ -= size;
    ROX_TRY(bytes, load(size));
    if (record_hash(bytes, size, seed_) != header.hash) continue;
    sequence_ = sequence;
    return true;
  }
  return false;
}

Result<bool> AofReader::has_unwritten_sector(uint64_t from, uint64_t to) {
  std::vector<char> sector(kSectorBytes);
  for (uint64_t at = from; at < to;) {
    const uint64_t sector_end = (at / kSectorBytes + 1) * kSectorBytes;
    if (sector_end > to) return false;  // it holds the beginning of a record that was written
    ROX_TRY(const size_t got, read_fully(file_, at, sector.data(), sector_end - at));
    if (std::all_of(sector.data(), sector.data() + got, [](char c) { return c == 0; })) return true;
    at = sector_end;
  }
  return false;
}

// From the end, once for a file.
Status AofReader::find_content_end() {
  if (content_end_ != 0) return kOk;
  std::vector<char> piece(kBackwardBytes);
  uint64_t end = file_size_;
  while (end > 0) {
    const uint64_t begin = end - std::min<uint64_t>(end, piece.size());
    ROX_TRY(size_t got, read_fully(file_, begin, piece.data(), end - begin));
    while (got > 0 && piece[got - 1] == 0) got--;
    content_end_ = begin + got;
    if (got > 0) break;
    end = begin;
  }
  return kOk;
}

bool AofReader::skip_damage() {
  if (damage_.resume_offset == 0) return false;
  position_ = damage_.resume_offset;
  sequence_ = damage_.resume_sequence;
  assembling_ = false;
  assembly_.clear();
  damage_skipped_ = true;
  return true;
}

}  // namespace roxdb::persist
