#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "app/tool.h"
#include "persist/aof_record.h"
#include "persist/files.h"
#include "persist/snapshot.h"

namespace roxdb::app {
namespace {

using persist::AofReader;
using persist::describe;
using persist::kRecordHeaderBytes;
using persist::RecordHeader;

void print_loss(uint64_t offset, uint64_t bytes, std::string_view why) {
  fmt::print("lost: offset={} bytes={} reason={}\n", offset, bytes, why);
}

int salvage_snapshot_file(Environment& environment, const std::string& from,
                          const std::string& to) {
  const persist::LoadResult result = persist::salvage_snapshot(environment, from, to);
  for (const persist::Loss& loss : result.losses) print_loss(loss.offset, loss.bytes, loss.why);
  if (!result.status.ok()) {
    fmt::print("{}\n", result.message);
    return result.exit_code;
  }
  fmt::print("{}: a whole snapshot: keys={}\n", to, result.entries_kept);
  return result.losses.empty() ? 0 : kToolIncomplete;
}

// Copies the intact units of one increment, record by record, into a new one.
//
//   old   | 1 | 2 | 3 ### | 6 | 7 ##    records, and damage
//   new   | 1 | 2 | - - - | 6 | 7       `-`: `synced` records that say nothing
//
// Sequences must follow each other without a gap (F4), and a base or another increment refers to
// them, so the units keep theirs, and records without a meaning take the place of those that are
// lost. The new file has an id of its own, as every file: each record gets a new hash.
class IncrementCopy {
 public:
  IncrementCopy(Environment& environment, std::string from, std::string to)
      : environment_(environment),
        from_(std::move(from)),
        to_(std::move(to)),
        temporary_(persist::temporary_path(to_, environment.process_id(), 0)),
        out_(environment) {}

  int run() {
    if (open() && copy_all() && finish()) {
      fmt::print("{}: a whole increment: units={}\n", to_, reader_->units());
      exit_code_ = has_losses_ ? kToolIncomplete : 0;
    }
    return exit_code_;
  }

 private:
  // Both return false.
  bool cannot(const std::string& path, const Status& status) {
    fmt::print("{}: {}\n", path, describe(status));
    exit_code_ = persist::kExitReadError;
    return false;
  }
  bool refuse(uint64_t offset, std::string_view why) {
    fmt::print("{}: offset={} reason={}; nothing was written\n", from_, offset, why);
    exit_code_ = persist::kExitLogRefused;
    return false;
  }
  void lose(uint64_t offset, uint64_t bytes, std::string_view why) {
    print_loss(offset, bytes, why);
    has_losses_ = true;
  }

  bool open() {
    auto file = environment_.open(from_, OpenMode::kRead);
    if (!file.ok()) return cannot(from_, file.status());
    file_ = *std::move(file);
    const auto size = file_->size();
    if (!size.ok()) return cannot(from_, size.status());
    if (!read_header(*size)) return false;
    reader_.emplace(*file_, header_, *size);
    good_from_ = header_.length;
    return true;
  }

  bool read_header(uint64_t size) {
    std::string why;
    const Status status =
        persist::read_file_header(*file_, persist::kLogMagic, persist::kLogMajor, header_, why);
    if (status.ok()) return begin(header_.sequence);
    if (status.code != Code::kCorrupt) return cannot(from_, status);
    const auto mended =
        persist::mend_file_header(*file_, persist::kLogMagic, persist::kLogMajor, header_);
    if (!mended.ok()) return cannot(from_, mended.status());
    if (*mended) {
      lose(0, persist::kFileHeaderBytes, why + "; one flipped bit, mended");
      return begin(header_.sequence);
    }
    if (header_.magic != persist::kLogMagic) {
      // Its name says what it was. Under the magic that it has, the other fields can be read.
      const persist::Magic magic = header_.magic;
      std::string ignored;
      const Status again =
          persist::read_file_header(*file_, magic, persist::kLogMajor, header_, ignored);
      if (again.code == Code::kIo) return cannot(from_, again);
    }
    if (header_.major > persist::kLogMajor || size < persist::kFileHeaderBytes) {
      return refuse(0, why);
    }
    // The id may be right all the same: records that verify under it are good. Where they begin to
    // count is not known then, and is what the first of them says.
    lose(0, persist::kFileHeaderBytes, why);
    header_.length = persist::kFileHeaderBytes;
    header_.sequence = 1;
    return true;
  }

  // The new file, whose first record will have this sequence.
  bool begin(uint64_t sequence) {
    persist::FileHeader header = persist::new_file_header(environment_, persist::kLogMagic);
    header.major = persist::kLogMajor;
    header.created_ms = header_.created_ms;
    header.flags = header_.flags;
    header.sequence = sequence;
    next_sequence_ = sequence;
    seed_ = header.seed();
    Status status = out_.create(temporary_);
    if (status.ok()) status = out_.append(persist::encode_file_header(header));
    is_begun_ = status.ok();
    return is_begun_ || cannot(to_, status);
  }

  bool copy_all() {
    std::vector<AofReader::Unit> units;
    for (;;) {
      switch (reader_->next(units)) {
        case AofReader::Outcome::kUnits:
          if (!is_begun_ && !begin(header_.sequence)) return false;
          if (!copy_good()) return false;
          break;
        case AofReader::Outcome::kEnd:
          return is_begun_ ? copy_good() : refuse(0, "there is no intact unit");
        case AofReader::Outcome::kReadError:
          return cannot(from_, reader_->error());
        case AofReader::Outcome::kUnknownKind:
          return refuse(reader_->damage().offset, reader_->damage().why);
        case AofReader::Outcome::kDamaged:
          // `synced` records may stand behind the last unit.
          if (is_begun_ && !copy_good()) return false;
          if (!pass_damage()) return exit_code_ == 0;
      }
    }
  }

  // False: nothing intact follows, or the copy cannot go on.
  bool pass_damage() {
    const persist::Damage& damage = reader_->damage();
    const bool goes_on = reader_->skip_damage();
    const uint64_t to = goes_on ? damage.resume_offset : damage.content_end;
    // Where the header does not tell, any sequence may be the first.
    if (is_begun_ || to > good_from_) lose(good_from_, to - good_from_, damage.why);
    if (!goes_on && !is_begun_) return refuse(0, "there is no intact unit");
    if (!goes_on) return false;
    const uint64_t lost_bytes = to - good_from_;
    good_from_ = to;
    if (!is_begun_) return begin(damage.resume_sequence);
    return fill(damage.resume_sequence, lost_bytes);
  }

  // Up to the last whole unit that was read.
  bool copy_good() {
    for (; good_from_ < reader_->end(); ++next_sequence_) {
      record_.resize(kRecordHeaderBytes);
      if (!read_record()) return false;
      const RecordHeader header = persist::decode_record_header(record_.data());
      record_.resize(kRecordHeaderBytes + header.length);
      if (!read_record()) return false;
      const uint64_t hash = persist::record_hash(record_.data(), record_.size(), seed_);
      std::memcpy(record_.data() + persist::kRecordHashOffset, &hash, sizeof hash);
      if (const Status status = out_.append(record_); !status.ok()) return cannot(to_, status);
      good_from_ += record_.size();
    }
    return true;
  }

  // The first bytes of the record at good_from_, as many as record_ has room for.
  bool read_record() {
    const auto got = persist::read_fully(*file_, good_from_, record_.data(), record_.size());
    if (!got.ok()) return cannot(from_, got.status());
    if (*got < record_.size()) return cannot(from_, io_error(EIO, "the file became shorter"));
    return true;
  }

  // Takes the place of the records up to `sequence`, which stood in `lost_bytes`.
  bool fill(uint64_t sequence, uint64_t lost_bytes) {
    const uint64_t missing = sequence - next_sequence_;
    if (missing > lost_bytes / kRecordHeaderBytes) {
      return refuse(good_from_, fmt::format("{} records are missing where {} bytes are damaged",
                                            missing, lost_bytes));
    }
    persist::RecordBuffer filling(seed_);
    while (next_sequence_ < sequence) {
      filling.append_synced(0, header_.created_ms, next_sequence_);
      if (const Status status = out_.append(filling.bytes()); !status.ok()) {
        return cannot(to_, status);
      }
      filling.clear();
    }
    return true;
  }

  bool finish() {
    Status status = out_.finish();
    if (status.ok()) status = persist::install_file(environment_, temporary_, to_);
    return status.ok() || cannot(to_, status);
  }

  Environment& environment_;
  const std::string from_;
  const std::string to_;
  const std::string temporary_;
  std::unique_ptr<File> file_;
  persist::FileHeader header_;  // of the old file
  std::optional<AofReader> reader_;
  persist::TemporaryFile out_;  // removes what is not finished
  uint64_t seed_ = 0;           // of the new file
  bool is_begun_ = false;
  uint64_t next_sequence_ = 1;  // of the next record in the new file
  uint64_t good_from_ = 0;      // in the old file: behind what has been copied or lost
  std::string record_;
  bool has_losses_ = false;
  int exit_code_ = 0;
};

}  // namespace

int salvage(Environment& environment, const std::string& from, const std::string& to) {
  if (environment.open(to, OpenMode::kRead).ok()) {
    fmt::print("{}: exists already\n", to);
    return kToolUsage;
  }
  switch (kind_of(environment, from)) {
    case FileKind::kSnapshot:
      return salvage_snapshot_file(environment, from, to);
    case FileKind::kIncrement:
      return IncrementCopy(environment, from, to).run();
    case FileKind::kManifest:
      fmt::print(
          "{}: a manifest; salvage the files that it names, or load them with `roxdb-server "
          "--salvage`\n",
          from);
      return kToolUsage;
  }
  return kToolUsage;
}

}  // namespace roxdb::app
