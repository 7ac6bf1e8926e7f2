#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "persist/entry_sink.h"
#include "persist/file_header.h"
#include "persist/files.h"
#include "persist/rdb_reader.h"
#include "persist/snapshot.h"
#include "persist/snapshot_reader.h"
#include "persist/snapshot_writer.h"
#include "types/value_stream.h"
#include "types/value_type.h"

namespace roxdb::persist {
namespace {

using types::Entry;
using Found = SnapshotReader::Found;

constexpr Status corrupt(std::string_view why) { return {Code::kCorrupt, 0, why}; }

// Into another file.
class CopySink final : public PassingSink {
 public:
  CopySink(Environment& environment, std::string to)
      : environment_(environment), to_(std::move(to)) {}

  // As the original, but for the id: two files of one id could exchange blocks.
  void begin(const FileHeader* original) override {
    FileHeader header = new_file_header(environment_, kSnapshotMagic);
    header.major = kSnapshotMajor;
    header.minor = kSnapshotMinor;
    is_known_ = original != nullptr;
    if (is_known_) {
      header.created_ms = original->created_ms;
      header.flags = original->flags;
      header.sequence = original->sequence;
    }
    writer_.emplace(environment_, to_, header, SaveOptions{});
  }
  void accept(uint32_t database, Entry* entry) override {
    // A counter taken for a clock would tell one key from the other wrongly; now all are alike.
    if (!is_known_) entry->set_access(0);
    PassingSink::accept(database, entry);
  }
  Status accept_state(std::string_view bytes, std::string& /*why*/) override {
    writer_->add_state(bytes);
    return kOk;
  }
  // REQUIRES: begin() was called.
  Status finish() { return writer_->finish(); }

 private:
  void pass(uint32_t database, const Entry& entry) override { writer_->add(database, entry); }

  Environment& environment_;
  const std::string to_;
  bool is_known_ = true;  // the original's header
  std::optional<SnapshotWriter> writer_;
};

// Reads one snapshot into one sink. `found_` is always what the reader found last and nobody has
// looked at yet.
class Loader final : private types::ValueReader {
 public:
  Loader(File& file, std::string path, const LoadOptions& options, EntrySink& sink,
         LoadResult& result)
      : file_(file), path_(std::move(path)), options_(options), sink_(sink), result_(result) {}

  void run() {
    if (!read_header()) return;
    sink_.begin(result_.header_is_known ? &result_.header : nullptr);
    reader_.emplace(file_, result_.header, result_.file_bytes, options_.threads);
    found_ = reader_->next();
    bool goes_on = true;
    while (goes_on && found_ != Found::kTrailer) {
      goes_on = found_ == Found::kBlock ? read_block() : pass_damage();
    }
    sink_.flush();  // what waits there belongs to the good part, whatever came behind it
    if (goes_on) check_end();
    if (result_.status.ok() && options_.on_progress) report_progress(result_.file_bytes);
  }

 private:
  // --- the file ------------------------------------------------------------------------------

  bool read_header() {
    const auto size = file_.size();
    std::string why;
    Status status = size.status();
    if (size.ok()) {
      result_.file_bytes = result_.end = *size;
      status = read_file_header(file_, kSnapshotMagic, kSnapshotMajor, result_.header, why);
    }
    if (status.ok()) return true;
    if (options_.salvage && status.code == Code::kCorrupt) {
      const auto mended = mend_file_header(file_, kSnapshotMagic, kSnapshotMajor, result_.header);
      if (!mended.ok()) return refuse(0, mended.status(), describe(mended.status()));
      if (*mended || keep_only_id()) {
        lose(0, kFileHeaderBytes, *mended ? why + "; one flipped bit, mended" : why);
        return true;
      }
    }
    return refuse(0, status, status.code == Code::kCorrupt ? why : describe(status));
  }

  // Of a header that does not verify, the id may be right all the same: blocks that verify under it
  // are good, and show it. Nothing else of it is believed. False: it is no snapshot of ours.
  bool keep_only_id() {
    const FileHeader found = std::exchange(result_.header, FileHeader{});
    if (found.magic != kSnapshotMagic || found.major > kSnapshotMajor) return false;
    result_.header.magic = found.magic;
    result_.header.id = found.id;
    result_.header_is_known = false;
    return true;
  }

  // The reader met something that is no block. False: the end.
  bool pass_damage() {
    const uint64_t from = reader_->offset();
    const Status status = reader_->status();
    const std::string why = status.code == Code::kCorrupt ? reader_->why() : describe(status);
    if (!options_.salvage || status.code != Code::kCorrupt) {
      return refuse(from, status, why + good_behind());
    }
    const bool goes_on = reader_->search_on();
    if (!goes_on && reader_->status().code != Code::kCorrupt) {
      return refuse(from, reader_->status(), describe(reader_->status()));
    }
    if (goes_on) found_ = reader_->next();
    lose(from, (goes_on ? reader_->offset() : result_.file_bytes) - from,
         reader_->gave_up() ? why + "; too much behind it only looks like blocks" : why);
    return goes_on;
  }

  void check_end() {
    result_.counts.block_hashes = reader_->block_hashes();
    const SnapshotCounts& found = result_.counts;
    const SnapshotCounts& announced = reader_->trailer();
    std::string why;
    if (sink_.duplicates() > 0) {
      why = fmt::format("{} keys come twice", sink_.duplicates());
    } else if (result_.losses.empty() && announced != found) {
      why = fmt::format(
          "the trailer tells of {} blocks, {} entries, {} with an expiry; there are {}, {}, {}, or "
          "blocks are not those it knew",
          announced.blocks, announced.entries, announced.expiring, found.blocks, found.entries,
          found.expiring);
    }
    if (why.empty()) return;
    if (options_.salvage) {
      lose(reader_->offset(), 0, why);
    } else {
      refuse(reader_->offset(), corrupt("trailer"), why);
    }
  }

  // For the message: what is intact behind a damage.
  std::string good_behind() {
    uint64_t entries = 0;
    while (reader_->status().code == Code::kCorrupt && reader_->search_on()) {
      Found found;
      while ((found = reader_->next()) == Found::kBlock) entries += reader_->header().entries;
      if (found == Found::kTrailer) break;
    }
    return fmt::format("; {} intact entries behind it", entries);
  }

  void lose(uint64_t offset, uint64_t bytes, std::string why) {
    result_.losses.push_back({offset, bytes, std::move(why)});
  }

  // Returns false.
  bool refuse(uint64_t offset, Status status, std::string_view why) {
    result_.refuse(path_, offset, status, why);
    return false;
  }

  void report_progress(uint64_t file_bytes) {
    options_.on_progress({.file_bytes = file_bytes,
                          .file_bytes_total = result_.file_bytes,
                          .entries = result_.counts.entries});
  }

  // --- blocks --------------------------------------------------------------------------------

  // The block that was found, and those its last value goes on in. False: the end.
  bool read_block() {
    const uint64_t offset = reader_->offset();
    begin_block();
    interrupted_ = false;
    const Status status = read_entries(BlockHeader(reader_->header()));
    if (status.ok() && sink_.duplicates() > 0 && !options_.salvage) {
      return refuse(offset, corrupt("duplicates"),
                    "a key comes twice, here or in the block before");
    }
    if (!status.ok() && !pass_bad_block(offset, status)) return false;
    if (!interrupted_) found_ = reader_->next();
    return true;
  }

  // Of one value, too, that goes on for many blocks: whoever waits for it is told so meanwhile.
  void begin_block() {
    if (options_.on_progress) report_progress(reader_->offset());
    result_.counts.blocks++;
  }

  // A verified block that makes no sense, or a value that does not go on. False: the end.
  bool pass_bad_block(uint64_t offset, Status status) {
    if (options_.salvage && status.code != Code::kNoMemory) {
      lose(offset, (interrupted_ ? reader_->offset() : reader_->end_offset()) - offset,
           std::string(status.text));
      return true;
    }
    // Whatever keeps a value from going on is the better reason.
    if (interrupted_ && found_ == Found::kDamage) return true;
    return refuse(offset, status, describe(status));
  }

  Status read_entries(const BlockHeader& header) {
    switch (header.type) {
      case static_cast<uint8_t>(BlockType::kEntries):
        break;
      case static_cast<uint8_t>(BlockType::kContinuation):
        return corrupt("a value goes on that did not begin");
      case static_cast<uint8_t>(BlockType::kState):
        return read_state(header);
      default:
        if ((header.flags & kBlockMayBeSkipped) != 0) return kOk;
        return user_error(
            because(fmt::format("a block of type {}, written by a later version", header.type)));
    }
    home_ = sink_.home(header.database);
    if (home_ == nullptr) {
      return user_error(because(fmt::format(
          "database {} is above what the setting `databases` allows", header.database)));
    }
    left_ = reader_->raw();
    database_ = header.database;
    for (uint32_t i = 0; i < header.entries; ++i) ROX_TRY(read_entry());
    return left_.empty() ? kOk : corrupt("bytes behind the last entry of a block");
  }

  Status read_state(const BlockHeader& header) {
    left_ = reader_->raw();
    database_ = header.database;
    std::string bytes;
    ROX_TRY(text(bytes, kBulkBytesMax));
    if (!left_.empty()) return corrupt("bytes behind the state");
    std::string why;
    Status status = sink_.accept_state(bytes, why);
    if (!status.ok()) status.text = because(std::move(why));
    return status;
  }

  // Keeps a text for as long as a Status may point to it.
  std::string_view because(std::string why) { return why_ = std::move(why); }

  // --- entries -------------------------------------------------------------------------------

  Status read_entry() {
    char head[4];
    ROX_TRY(read(head, sizeof head));
    const auto first = static_cast<uint8_t>(head[0]);
    const size_t type_number = first & kEntryTypeMask;
    if ((first & ~(kEntryTypeMask | kEntryHasExpiry)) != 0) return corrupt("an unknown entry flag");
    types::EntryParts parts;
    parts.type = static_cast<types::TypeId>(type_number);
    std::memcpy(&parts.access, head + 1, 3);
    if ((first & kEntryHasExpiry) != 0) {
      ROX_TRY(const uint64_t at, word());
      parts.expire_at_ms = static_cast<int64_t>(at);
      if (parts.expire_at_ms < 0) return corrupt("an expiry before 1970");
    }
    ROX_TRY(text(key_, kBulkBytesMax));
    parts.key = key_;
    const types::ValueType* type =
        type_number < types::kTypesMax ? types::value_type(parts.type) : nullptr;
    if (type == nullptr) {
      return user_error(because(
          fmt::format("a value of type {}, which this version does not have", type_number)));
    }
    ROX_TRY(Entry * entry, type->load(*this, parts, *home_));
    result_.counts.entries++;
    result_.counts.expiring += uint64_t{entry->has_expiry()};
    result_.counts.by_type[type_number]++;
    sink_.accept(database_, entry);
    return kOk;
  }

  Status read(char* out, size_t size) override {
    if (size > left_.size()) return read_over_border(out, size);
    left_.remove_prefix(left_.copy(out, size));
    return kOk;
  }

  Status read_over_border(char* out, size_t size) {
    while (size > left_.size()) {
      const size_t taken = left_.copy(out, left_.size());
      out += taken;
      size -= taken;
      left_ = {};
      ROX_TRY(take_continuation());
    }
    return read(out, size);
  }

  Status take_continuation() {
    if (interrupted_) return corrupt("a value ends too early");
    found_ = reader_->next();
    if (found_ == Found::kBlock) {
      const BlockHeader& header = reader_->header();
      if (header.type == static_cast<uint8_t>(BlockType::kContinuation) &&
          header.database == database_) {
        begin_block();
        left_ = reader_->raw();
        return kOk;
      }
    }
    interrupted_ = true;
    return corrupt("a value ends too early");
  }

  File& file_;
  const std::string path_;
  const LoadOptions& options_;
  EntrySink& sink_;
  LoadResult& result_;
  std::optional<SnapshotReader> reader_;
  Found found_ = Found::kDamage;

  // The block in hand.
  std::string_view left_;  // of its raw bytes
  uint32_t database_ = 0;
  const types::ValueHome* home_ = nullptr;
  bool interrupted_ = false;  // its last value did not go on: found_ is what came instead
  std::string key_;
  std::string why_;
};

LoadResult load(Environment& environment, const std::string& path, const LoadOptions& options,
                EntrySink& sink) {
  LoadResult result;
  const auto file = environment.open(path, OpenMode::kRead);
  if (!file.ok()) {
    result.refuse(path, 0, file.status(), describe(file.status()));
    return result;
  }
  char first[kRdbMagicBytes];
  const auto size = read_fully(**file, 0, first, sizeof first);
  if (!size.ok()) {
    result.refuse(path, 0, size.status(), describe(size.status()));
  } else if (is_rdb({first, *size})) {
    load_rdb(**file, path, options, sink, result);
  } else {
    Loader(**file, path, options, sink, result).run();
  }
  return result;
}

}  // namespace

void LoadResult::refuse(const std::string& path, uint64_t offset, Status why_status,
                        std::string_view why) {
  status = why_status;
  switch (status.code) {
    case Code::kIo:
    case Code::kNotFound:
      exit_code = kExitReadError;
      break;
    case Code::kNoMemory:
      exit_code = memory::kExitNoMemory;
      break;
    default:
      exit_code = kExitSnapshotRefused;
      break;
  }
  message =
      fmt::format("{}: offset {}: {}; {} entries before it", path, offset, why, counts.entries);
  if (status.code == Code::kCorrupt) {
    message += fmt::format(
        "; `roxdb-tool salvage {} NEW` copies what is intact to the new file NEW", path);
  }
}

LoadResult load_snapshot(engine::Engine& engine, const std::string& path,
                         const LoadOptions& options) {
  EngineSink sink(engine, options);
  LoadResult result = load(engine.environment(), path, options, sink);
  result.entries_kept = sink.kept();
  result.expired = sink.expired();
  if (result.empty_keys > 0) {
    engine.log().warning(
        "Keys of collections without elements were left out: file={} empty keys "
        "skipped: {}",
        path, result.empty_keys);
  }
  return result;
}

LoadResult verify_snapshot(Environment& environment, const std::string& path,
                           const LoadOptions& options) {
  PassingSink sink;
  return load(environment, path, options, sink);
}

LoadResult salvage_snapshot(Environment& environment, const std::string& from,
                            const std::string& to) {
  LoadOptions options;
  options.salvage = true;
  CopySink sink(environment, to);
  LoadResult result = load(environment, from, options, sink);
  if (!result.status.ok()) return result;
  if (const Status status = sink.finish(); !status.ok()) {
    result.refuse(to, 0, status, describe(status));
    return result;
  }
  result.entries_kept = result.counts.entries;
  return result;
}

}  // namespace roxdb::persist
