#include "persist/file_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "persist/files.h"
#include "persist/rdb_reader.h"

namespace roxdb::persist {
namespace {

constexpr Status kDamaged{Code::kCorrupt, 0, "the file was read back"};

}  // namespace

FileCheck::FileCheck(Environment& environment, std::string path, Magic magic, uint64_t bytes_max)
    : environment_(environment), path_(std::move(path)), magic_(magic), bytes_max_(bytes_max) {}

FileCheck::State FileCheck::read_on(uint64_t bytes) {
  ROX_ASSERT(state_ == State::kReading);
  if (file_ == nullptr) state_ = open();
  if (state_ == State::kReading) state_ = snapshot_ ? read_blocks(bytes) : read_units(bytes);
  if (state_ != State::kReading) {
    snapshot_.reset();
    log_.reset();
    file_.reset();
  }
  return state_;
}

FileCheck::State FileCheck::open() {
  auto file = environment_.open(path_, OpenMode::kRead);
  if (file.status().code == Code::kNotFound) return State::kNotOurs;
  if (!file.ok()) return bad(file.status(), 0, describe(file.status()));
  file_ = *std::move(file);
  const auto size = file_->size();
  if (!size.ok()) return bad(size.status(), 0, describe(size.status()));
  if (bytes_max_ != UINT64_MAX && *size < bytes_max_) {
    return bad(kDamaged, *size, fmt::format("the file ends before its {} bytes", bytes_max_));
  }
  file_bytes_ = std::min(*size, bytes_max_);
  if (asks_disk_) file_->store_ahead(file_bytes_);

  char first[kRdbMagicBytes];
  const auto got = read_fully(*file_, 0, first, sizeof first);
  if (!got.ok()) return bad(got.status(), 0, describe(got.status()));
  if (magic_ == kSnapshotMagic && is_rdb({first, *got})) return State::kNotOurs;

  FileHeader header;
  std::string why;
  const bool is_log = magic_ == kLogMagic;
  const Status status =
      read_file_header(*file_, magic_, is_log ? kLogMajor : kSnapshotMajor, header, why);
  if (!status.ok()) return bad(status, 0, status.code == Code::kCorrupt ? why : describe(status));
  if (is_log) {
    log_.emplace(*file_, header, file_bytes_);
  } else {
    snapshot_.emplace(*file_, header, file_bytes_, 0, SnapshotReader::Verify::kHashes);
  }
  return State::kReading;
}

FileCheck::State FileCheck::read_blocks(uint64_t bytes) {
  SnapshotReader& reader = *snapshot_;
  const uint64_t begin = reader.offset();
  do {
    switch (reader.next()) {
      case SnapshotReader::Found::kBlock:
        blocks_++;
        break;
      case SnapshotReader::Found::kTrailer:
        if (reader.trailer().blocks != blocks_ ||
            reader.trailer().block_hashes != reader.block_hashes()) {
          return bad(kDamaged, reader.offset(), "the trailer knows other blocks");
        }
        return State::kGood;
      case SnapshotReader::Found::kDamage:
        const Status status = reader.status();
        return bad(status, reader.offset(),
                   status.code == Code::kCorrupt ? reader.why() : describe(status));
    }
  } while (reader.offset() - begin < bytes);
  return State::kReading;
}

FileCheck::State FileCheck::read_units(uint64_t bytes) {
  AofReader& reader = *log_;
  const uint64_t begin = reader.end();
  std::vector<AofReader::Unit> units;
  do {
    switch (reader.next(units)) {
      case AofReader::Outcome::kUnits:
        break;
      case AofReader::Outcome::kEnd:
        return State::kGood;
      case AofReader::Outcome::kReadError:
        return bad(reader.error(), reader.end(), describe(reader.error()));
      case AofReader::Outcome::kDamaged:
      case AofReader::Outcome::kUnknownKind:
        return bad(kDamaged, reader.damage().offset, reader.damage().why);
    }
  } while (reader.end() - begin < bytes);
  return State::kReading;
}

FileCheck::State FileCheck::bad(Status status, uint64_t offset, std::string_view why) {
  status_ = status;
  why_ = fmt::format("offset {}: {}", offset, why);
  return State::kBad;
}

}  // namespace roxdb::persist
