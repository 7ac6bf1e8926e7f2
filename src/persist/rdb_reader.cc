#include "persist/rdb_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "persist/crc64.h"
#include "persist/files.h"
#include "persist/rdb_format.h"
#include "persist/rdb_input.h"
#include "persist/rdb_output.h"
#include "persist/rdb_value_reader.h"

namespace roxdb::persist {
namespace {

constexpr size_t kBufferBytes = 256u << 10;
constexpr uint64_t kProgressStepBytes = 4u << 20;
constexpr size_t kShownKeyBytes = 64;  // of a key, in a message

// What stands where a type could: not a value.
enum Opcode : uint8_t {
  kSlotImport = 243,
  kSlotInfo = 244,
  kFunction = 245,
  kFunctionOfReleaseCandidate = 246,
  kModuleAux = 247,
  kIdle = 248,
  kFrequency = 249,
  kAux = 250,
  kResize = 251,
  kExpiryMs = 252,
  kExpirySeconds = 253,
  kSelect = 254,
  kEnd = 255,
};

// Nine characters of six bits, then ten bits of encoding version.
std::string module_name(uint64_t id) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string name;
  for (unsigned shift = 58; shift >= 10; shift -= 6) name += kLetters[id >> shift & 63];
  return name;
}

std::string shown(std::string_view key) {
  std::string text;
  for (const char c : key.substr(0, kShownKeyBytes)) {
    if (c >= ' ' && c <= '~') {
      text += c;
    } else {
      text += fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
    }
  }
  return key.size() > kShownKeyBytes ? text + "..." : text;
}

class RdbReader final : private RdbInput {
 public:
  RdbReader(File& file, const std::string& path, const LoadOptions& options, EntrySink& sink,
            LoadResult& result)
      : file_(file), path_(path), options_(options), sink_(sink), result_(result) {}

  void run() {
    result_.foreign = true;
    FileHeader header;
    header.flags = sink_.wants_lfu() ? kAccessIsLfu : 0;
    sink_.begin(&header);
    Status status = read_all();
    sink_.flush();
    if (status.ok() && sink_.duplicates() > 0) status = rdb_corrupt("a key comes twice");
    if (status.ok()) {
      if (options_.on_progress) report_progress();
      return;
    }
    const std::string why = why_.empty() ? describe(status) : why_;
    if (options_.salvage && (status.code == Code::kCorrupt || status.code == Code::kError)) {
      result_.losses.push_back({offset(), result_.file_bytes - offset(), why});
    } else {
      result_.refuse(path_, offset(), status, why);
    }
  }

 private:
  // --- bytes ---------------------------------------------------------------------------------

  size_t position() const { return buffer_size_ - window_.size(); }
  uint64_t offset() const { return buffer_offset_ + position(); }

  Status refill() override {
    add_to_sum();
    buffer_offset_ += buffer_size_;
    summed_ = buffer_size_ = 0;
    ROX_TRY(buffer_size_, file_.read_at(buffer_offset_, buffer_.data(), buffer_.size()));
    if (buffer_size_ == 0) return rdb_corrupt("the file ends too early");
    window_ = {buffer_.data(), buffer_size_};
    if (options_.on_progress && buffer_offset_ - reported_bytes_ >= kProgressStepBytes) {
      report_progress();
    }
    return kOk;
  }

  // The checksum takes in what has been read of the buffer.
  void add_to_sum() {
    sum_ = crc64(sum_, {buffer_.data() + summed_, position() - summed_});
    summed_ = position();
  }

  // --- the file ------------------------------------------------------------------------------

  Status read_all() {
    ROX_TRY(result_.file_bytes, file_.size());
    ROX_TRY(read_magic());
    for (;;) {
      // A damage is reported where the record begins that it is in.
      ROX_TRY(const uint8_t code, number<uint8_t>());
      if (code == kEnd) return read_end();
      ROX_TRY(code <= kTypeMax ? read_entry(code) : read_opcode(code));
      if (sink_.duplicates() > 0 && !options_.salvage) return rdb_corrupt("a key comes twice");
    }
  }

  Status read_magic() {
    char magic[kRdbMagicBytes];
    ROX_TRY(read(magic, sizeof magic));
    const std::string_view text(magic, sizeof magic);
    const bool is_valkey = text.starts_with("VALKEY");
    // Leading zeros, which our number parser refuses, belong to it.
    for (const char digit : text.substr(is_valkey ? 6 : 5)) {
      if (digit < '0' || digit > '9') return rdb_corrupt("no version behind the magic");
      version_ = 10 * version_ + (digit - '0');
    }
    if (is_valkey) dialect_ = RdbDialect::kValkey;
    const bool is_known =
        is_valkey ? version_ == kValkeyVersion : version_ >= 1 && version_ <= kRdbVersionMax;
    if (!is_known && !options_.rdb_trust.any_version) {
      return refuse(
          fmt::format("Can't handle RDB format version {} of {}; this program reads 1 to {} of "
                      "Redis and {} of Valkey; `rdb-version-check relaxed` tries",
                      version_, is_valkey ? "Valkey" : "Redis", kRdbVersionMax, kValkeyVersion));
    }
    return kOk;
  }

  Status read_end() {
    add_to_sum();
    const uint64_t found = sum_;
    if (version_ >= 5) {
      ROX_TRY(const uint64_t expected, number<uint64_t>());
      if (expected != 0 && expected != found && !options_.rdb_trust.any_checksum) {
        why_ = fmt::format("checksum expected {:016x}, found {:016x}", expected, found);
        return rdb_corrupt("checksum");
      }
    }
    result_.end = offset();
    if (result_.end != result_.file_bytes && !options_.requests_may_follow) {
      return rdb_corrupt("bytes behind the end");
    }
    return kOk;
  }

  Status read_opcode(uint8_t code) {
    std::string ignored;
    switch (code) {
      case kSlotInfo:
        for (int i = 0; i < 3; ++i) ROX_TRY(length().status());
        return kOk;
      case kAux:
        ROX_TRY(string(ignored));
        return string(ignored);
      case kResize:
        ROX_TRY(length().status());
        return length().status();
      case kSelect: {
        ROX_TRY(const uint64_t db, length());
        database_ = static_cast<uint32_t>(std::min<uint64_t>(db, UINT32_MAX));
        home_ = sink_.home(database_);
        if (home_ != nullptr) return kOk;
        return refuse(fmt::format("database {} is above what the setting `databases` allows", db));
      }
      case kExpiryMs: {
        ROX_TRY(expire_at_ms_, number<int64_t>());
        return kOk;
      }
      case kExpirySeconds: {
        ROX_TRY(const int32_t seconds, number<int32_t>());
        expire_at_ms_ = int64_t{seconds} * 1000;
        return kOk;
      }
      case kIdle: {
        ROX_TRY(idle_seconds_, length());
        return kOk;
      }
      case kFrequency: {
        ROX_TRY(frequency_, number<uint8_t>());
        return kOk;
      }
      case kFunction:
        return read_library();
      case kFunctionOfReleaseCandidate:
        return refuse("a library of functions of a release candidate of Redis 7.0");
      case kModuleAux: {
        ROX_TRY(const uint64_t module, length());
        return refuse(fmt::format("data of the module {}, which this version does not have",
                                  module_name(module)));
      }
      default:
        return refuse(fmt::format("opcode {}, which this version does not know", code));
    }
  }

  Status read_library() {
    std::string code;
    ROX_TRY(string(code));
    std::string state;
    RdbOutput output(state, SIZE_MAX);
    output.byte(kFunction);
    output.string(code);
    std::string why;
    const Status status = sink_.accept_state(state, why);
    return status.ok() ? kOk : refuse(why);
  }

  Status read_entry(uint8_t type) {
    ROX_TRY(string(key_));
    if (type == 7) {
      ROX_TRY(const uint64_t module, length());
      return refuse(
          fmt::format("a value of type 7 (module {}), which this version does not have, "
                      "under the key \"{}\"",
                      module_name(module), shown(key_)));
    }
    if (!is_rdb_value(type, dialect_)) {
      return refuse(
          fmt::format("a value of type {}, which this version does not have, under the key \"{}\"",
                      type, shown(key_)));
    }
    types::EntryParts parts;
    parts.key = key_;
    // Some writers have keys that expired before 1970.
    if (expire_at_ms_) parts.expire_at_ms = std::max<int64_t>(*expire_at_ms_, 0);
    parts.access = sink_.access_of(idle_seconds_, frequency_);
    if (home_ == nullptr) home_ = sink_.home(database_);
    ROX_TRY(types::Entry * entry, read_value(type, parts));
    expire_at_ms_.reset();
    idle_seconds_.reset();
    frequency_.reset();
    if (entry == nullptr) {
      result_.empty_keys++;
      return kOk;
    }
    result_.counts.entries++;
    result_.counts.expiring += uint64_t{entry->has_expiry()};
    result_.counts.by_type[static_cast<size_t>(entry->type())]++;
    sink_.accept(database_, entry);
    return kOk;
  }

  // What is wrong with a value is said with its key.
  Result<types::Entry*> read_value(uint8_t type, const types::EntryParts& parts) {
    auto entry = read_rdb_value(*this, type, dialect_, parts, *home_);
    if (!entry.ok() && entry.status().code == Code::kCorrupt) {
      why_ = fmt::format("{}; under the key \"{}\"", entry.status().text, shown(key_));
    }
    return entry;
  }

  Status refuse(std::string why) {
    why_ = std::move(why);
    return user_error(why_);
  }

  void report_progress() {
    reported_bytes_ = offset();
    options_.on_progress({.file_bytes = offset(),
                          .file_bytes_total = result_.file_bytes,
                          .entries = result_.counts.entries});
  }

  static constexpr uint8_t kTypeMax = 99;  // what is between types and opcodes is unknown

  File& file_;
  const std::string& path_;
  const LoadOptions& options_;
  EntrySink& sink_;
  LoadResult& result_;

  std::vector<char> buffer_ = std::vector<char>(kBufferBytes);
  uint64_t buffer_offset_ = 0;  // of its first byte in the file
  size_t buffer_size_ = 0;
  size_t summed_ = 0;  // how much of it is in sum_
  uint64_t sum_ = 0;
  uint64_t reported_bytes_ = 0;

  int version_ = 0;
  RdbDialect dialect_ = RdbDialect::kRedis;
  uint32_t database_ = 0;
  const types::ValueHome* home_ = nullptr;  // of that database; null: not asked for yet
  std::optional<int64_t> expire_at_ms_;     // of the next entry, as the two below
  std::optional<uint64_t> idle_seconds_;
  std::optional<uint8_t> frequency_;
  std::string key_;
  std::string why_;
};

}  // namespace

bool is_rdb(std::string_view first_bytes) {
  return first_bytes.starts_with("REDIS") || first_bytes.starts_with("VALKEY");
}

void load_rdb(File& file, const std::string& path, const LoadOptions& options, EntrySink& sink,
              LoadResult& result) {
  RdbReader(file, path, options, sink, result).run();
}

}  // namespace roxdb::persist
