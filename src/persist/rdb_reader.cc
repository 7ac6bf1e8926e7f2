#include "persist/rdb_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "base/limits.h"
#include "base/numbers.h"
#include "persist/crc64.h"
#include "persist/files.h"
#include "persist/lzf.h"
#include "types/string_value.h"

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
constexpr uint8_t kStringType = 0;

// Special forms of a string.
constexpr uint8_t kInt8 = 0;
constexpr uint8_t kInt16 = 1;
constexpr uint8_t kInt32 = 2;
constexpr uint8_t kLzf = 3;

constexpr Status corrupt(std::string_view why) { return {Code::kCorrupt, 0, why}; }

std::string_view type_name(uint8_t type) {
  switch (type) {
    case 1:
    case 10:
    case 14:
    case 18:
      return "list";
    case 2:
    case 11:
    case 20:
      return "set";
    case 3:
    case 5:
    case 12:
    case 17:
      return "zset";
    case 4:
    case 9:
    case 13:
    case 16:
    case 22:
    case 23:
    case 24:
    case 25:
      return "hash";
    case 6:
    case 7:
      return "module";
    case 15:
    case 19:
    case 21:
      return "stream";
    default:
      return "unknown";
  }
}

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

class RdbReader {
 public:
  RdbReader(File& file, const std::string& path, const LoadOptions& options, EntrySink& sink,
            LoadResult& result)
      : file_(file), path_(path), options_(options), sink_(sink), result_(result) {}

  void run() {
    result_.foreign = true;
    FileHeader header;
    header.flags = sink_.wants_lfu() ? kAccessIsLfu : 0;
    sink_.begin(header);
    Status status = read_all();
    sink_.flush();
    if (status.ok() && sink_.duplicates() > 0) status = corrupt("a key comes twice");
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

  uint64_t offset() const { return buffer_offset_ + position_; }

  Status read(char* out, size_t size) {
    while (size > 0) {
      if (position_ == buffer_size_) ROX_TRY(refill());
      const size_t taken = std::min(size, buffer_size_ - position_);
      std::memcpy(out, buffer_.data() + position_, taken);
      position_ += taken;
      out += taken;
      size -= taken;
    }
    return kOk;
  }

  Status refill() {
    add_to_sum();
    buffer_offset_ += buffer_size_;
    position_ = summed_ = buffer_size_ = 0;
    ROX_TRY(buffer_size_, file_.read_at(buffer_offset_, buffer_.data(), buffer_.size()));
    if (buffer_size_ == 0) return corrupt("the file ends too early");
    if (options_.on_progress && buffer_offset_ - reported_bytes_ >= kProgressStepBytes) {
      report_progress();
    }
    return kOk;
  }

  // The checksum takes in what has been read of the buffer.
  void add_to_sum() {
    sum_ = crc64(sum_, {buffer_.data() + summed_, position_ - summed_});
    summed_ = position_;
  }

  template <class T>
  Result<T> number() {
    T value;
    ROX_TRY(read(reinterpret_cast<char*>(&value), sizeof value));
    return value;
  }

  // Grows with what arrives.
  Status read_text(uint64_t size, std::string& out) {
    if (size > kBulkBytesMax) return corrupt("a string is longer than 512 MiB");
    out.clear();
    for (uint64_t left = size; left > 0;) {
      const size_t piece = std::min<uint64_t>(left, kAheadBytesMax);
      const size_t at = out.size();
      out.resize(at + piece);
      ROX_TRY(read(out.data() + at, piece));
      left -= piece;
    }
    return kOk;
  }

  // --- lengths and strings -------------------------------------------------------------------

  // A length, or the number of a special form.
  Result<uint64_t> length(bool& is_special) {
    is_special = false;
    ROX_TRY(const uint8_t first, number<uint8_t>());
    const uint64_t low = first & 0x3f;
    switch (first >> 6) {
      case 0:
        return low;
      case 1: {
        ROX_TRY(const uint8_t second, number<uint8_t>());
        return low << 8 | second;
      }
      case 2: {
        if (first == 0x80) {
          ROX_TRY(const uint32_t value, number<uint32_t>());
          return uint64_t{__builtin_bswap32(value)};
        }
        if (first != 0x81) return corrupt("an unknown form of length");
        ROX_TRY(const uint64_t value, number<uint64_t>());
        return __builtin_bswap64(value);
      }
      default:
        is_special = true;
        return low;
    }
  }

  Result<uint64_t> length() {
    bool is_special;
    ROX_TRY(const uint64_t value, length(is_special));
    if (is_special) return corrupt("a string stands where a length should");
    return value;
  }

  Status string(std::string& out) {
    bool is_special;
    ROX_TRY(const uint64_t form, length(is_special));
    if (!is_special) return read_text(form, out);
    switch (form) {
      case kInt8:
        return integer<int8_t>(out);
      case kInt16:
        return integer<int16_t>(out);
      case kInt32:
        return integer<int32_t>(out);
      case kLzf: {
        ROX_TRY(const uint64_t packed_size, length());
        ROX_TRY(const uint64_t size, length());
        ROX_TRY(read_text(packed_size, packed_));
        if (size > kBulkBytesMax || !lzf_unpack(packed_, size, out)) {
          return corrupt("a compressed string does not unpack to its size");
        }
        return kOk;
      }
      default:
        return corrupt("an unknown form of string");
    }
  }

  template <class T>
  Status integer(std::string& out) {
    ROX_TRY(const T value, number<T>());
    char digits[kIntegerDigitsMax];
    out.assign(digits, print_int64(value, digits));
    return kOk;
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
      if (sink_.duplicates() > 0 && !options_.salvage) return corrupt("a key comes twice");
    }
  }

  Status read_magic() {
    char magic[kRdbMagicBytes];
    ROX_TRY(read(magic, sizeof magic));
    const std::string_view text(magic, sizeof magic);
    const bool is_valkey = text.starts_with("VALKEY");
    // Leading zeros, which our number parser refuses, belong to it.
    for (const char digit : text.substr(is_valkey ? 6 : 5)) {
      if (digit < '0' || digit > '9') return corrupt("no version behind the magic");
      version_ = 10 * version_ + (digit - '0');
    }
    if (is_valkey ? version_ != 80 : version_ < 1 || version_ > 12) {
      return refuse(
          fmt::format("format version {} of {}; this program reads 1 to 12 of Redis and "
                      "80 of Valkey",
                      version_, is_valkey ? "Valkey" : "Redis"));
    }
    return kOk;
  }

  Status read_end() {
    add_to_sum();
    const uint64_t found = sum_;
    if (version_ >= 5) {
      ROX_TRY(const uint64_t expected, number<uint64_t>());
      if (expected != 0 && expected != found) {
        why_ = fmt::format("checksum expected {:016x}, found {:016x}", expected, found);
        return corrupt("checksum");
      }
    }
    if (offset() != result_.file_bytes) return corrupt("bytes behind the end");
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
      case kFunctionOfReleaseCandidate:
        return refuse("a library of functions, which this version cannot hold");
      case kModuleAux: {
        ROX_TRY(const uint64_t module, length());
        return refuse(fmt::format("data of the module {}, which this version does not have",
                                  module_name(module)));
      }
      default:
        return refuse(fmt::format("opcode {}, which this version does not know", code));
    }
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
    if (type != kStringType) {
      return refuse(fmt::format(
          "a value of type {} ({}), which this version does not have, under the key \"{}\"", type,
          type_name(type), shown(key_)));
    }
    ROX_TRY(string(value_));
    types::EntryParts parts;
    parts.key = key_;
    // Some writers have keys that expired before 1970.
    if (expire_at_ms_) parts.expire_at_ms = std::max<int64_t>(*expire_at_ms_, 0);
    parts.access = sink_.access_of(idle_seconds_, frequency_);
    if (home_ == nullptr) home_ = sink_.home(database_);
    ROX_TRY(types::Entry * entry, types::create_string(home_->slabs, parts, value_));
    result_.counts.entries++;
    result_.counts.expiring += uint64_t{entry->has_expiry()};
    result_.counts.by_type[0]++;
    sink_.accept(database_, entry);
    expire_at_ms_.reset();
    idle_seconds_.reset();
    frequency_.reset();
    return kOk;
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
  size_t position_ = 0;  // of the next byte in it
  size_t summed_ = 0;    // how much of it is in sum_
  uint64_t sum_ = 0;
  uint64_t reported_bytes_ = 0;

  int version_ = 0;
  uint32_t database_ = 0;
  const types::ValueHome* home_ = nullptr;  // of that database; null: not asked for yet
  std::optional<int64_t> expire_at_ms_;  // of the next entry, as the two below
  std::optional<uint64_t> idle_seconds_;
  std::optional<uint8_t> frequency_;
  std::string key_;
  std::string value_;
  std::string packed_;
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
