#include "persist/aof_import.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "base/limits.h"
#include "base/numbers.h"
#include "base/text.h"
#include "engine/settings.h"
#include "persist/files.h"
#include "persist/rdb_reader.h"
#include "persist/replay.h"
#include "persist/snapshot.h"

namespace roxdb::persist {
namespace {

constexpr size_t kManifestBytesMax = 1u << 20;
constexpr size_t kManifestLineBytesMax = 1024;  // what those who write them read
constexpr size_t kBufferBytes = 4u << 20;
constexpr std::string_view kTimePrefix = "#TS:";
// Expiries are absolute, so without a time of its own a unit runs before all of them, and what has
// expired since does so afterwards. One that counts from the present runs in the present.
constexpr int64_t kNoTimeMs = 1;

constexpr Status kCorrupt{Code::kCorrupt, 0, "foreign log"};

// One line of a manifest: "file <name> seq <number> type <b|i|h>", and perhaps more pairs.
struct ManifestLine {
  std::string name;
  uint64_t sequence = 0;
  std::string type;
};

std::optional<ManifestLine> read_line(std::string_view text) {
  std::vector<std::string> words;
  if (!engine::split_words(text, words) || words.size() < 6 || words.size() % 2 != 0) return {};
  ManifestLine line;
  std::optional<uint64_t> sequence;
  for (size_t i = 0; i < words.size(); i += 2) {
    if (words[i] == "file") line.name = words[i + 1];
    if (words[i] == "seq") sequence = parse_uint64(words[i + 1]);
    if (words[i] == "type") line.type = words[i + 1];
  }
  if (line.name.empty() || line.name.find('/') != std::string::npos || !sequence) return {};
  line.sequence = *sequence;
  return line;
}

// What a manifest names, in the order of loading: a base, then increments that count upwards. Not
// empty: what is wrong, in the words of those who wrote the file, and in `at` the line.
std::string_view read_manifest_text(std::string_view text, std::vector<ManifestLine>& files,
                                    std::string_view& at) {
  bool has_base = false;
  uint64_t sequence = 0;
  if (text.empty()) return "Found an empty AOF manifest";
  while (!text.empty()) {
    at = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(at.size() + 1, text.size()));
    if (at.size() > kManifestLineBytesMax) return "The AOF manifest file contains too long line";
    if (at.starts_with('#')) continue;
    std::optional<ManifestLine> line = read_line(at);
    if (!line) return "Invalid AOF manifest file format";
    if (line->type == "h") continue;  // of no use to them any more
    if (line->type == "b") {
      if (std::exchange(has_base, true)) return "Found duplicate base file information";
      files.insert(files.begin(), *std::move(line));
    } else if (line->type == "i") {
      if (line->sequence <= sequence) return "Found a non-monotonic sequence number";
      sequence = line->sequence;
      files.push_back(*std::move(line));
    } else {
      return "Unknown AOF file type";
    }
  }
  return {};
}

// Whether what a request leaves behind depends on when it runs. They write no such requests, but
// for scripts, before 5.0; people do who make a file for them to load.
bool counts_from_present(const resp::ArgVector& args) {
  constexpr std::string_view kAlways[] = {"EXPIRE",   "PEXPIRE", "SETEX",   "PSETEX", "HEXPIRE",
                                          "HPEXPIRE", "EVAL",    "EVALSHA", "FCALL"};
  constexpr std::string_view kWithOption[] = {"SET", "GETEX", "HSETEX", "HGETEX"};
  const auto is_name = [&args](std::string_view name) { return equal_ignore_case(args[0], name); };
  if (args.size() < 3) return false;
  if (std::any_of(std::begin(kAlways), std::end(kAlways), is_name)) return true;
  if (std::none_of(std::begin(kWithOption), std::end(kWithOption), is_name)) return false;
  for (size_t i = 2; i < args.size(); ++i) {
    if (equal_ignore_case(args[i], "EX") || equal_ignore_case(args[i], "PX")) return true;
  }
  return false;
}

// Cuts requests, from `offset` to the end of a file, into units. Bytes move forward through one
// buffer, which grows to hold the largest unit.
class ForeignReader {
 public:
  ForeignReader(File& file, uint64_t offset, int64_t present_ms, Replay& replay)
      : file_(file), present_ms_(present_ms), replay_(replay), offset_(offset) {}

  Status run(const std::function<void(uint64_t)>& on_bytes, std::string& why) {
    for (bool at_end = false; !at_end;) {
      buffer_.resize(filled_ + kBufferBytes);
      const auto got = read_fully(file_, offset_, buffer_.data() + filled_, kBufferBytes);
      if (!got.ok()) return got.status();
      at_end = *got < kBufferBytes;
      offset_ += *got;
      filled_ += *got;
      size_t used = 0;
      const Status status = take(std::string_view(buffer_.data(), filled_), used, why);
      std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(used),
                buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.begin());
      filled_ -= used;
      ROX_TRY(status);
      on_bytes(offset_);
    }
    return kOk;
  }
  // Bytes of an incomplete unit at the end.
  size_t left() const { return filled_; }
  uint64_t offset() const { return offset_ - filled_; }

 private:
  // Runs the whole units at the front of `bytes`; `used`: their size.
  Status take(std::string_view bytes, size_t& used, std::string& why) {
    resp::ArgVector args;
    while (used < bytes.size()) {
      const std::string_view rest = bytes.substr(used);
      if (rest[0] == '#') {
        const size_t end = rest.find('\n');
        if (end == std::string_view::npos) return kOk;
        read_time(rest.substr(0, end));
        used += end + 1;
        continue;
      }
      Unit unit;
      ROX_TRY(measure(rest, args, unit, why));
      if (unit.size == 0) return kOk;
      const AofReader::Unit requests{.commands = rest.substr(unit.begin, unit.end - unit.begin),
                                     .db = db_,
                                     .time_ms = unit.in_present ? present_ms_ : time_ms_};
      ROX_TRY(replay_.run({&requests, 1}, why));
      db_ = unit.db;
      used += unit.size;
    }
    return kOk;
  }

  struct Unit {
    size_t begin = 0;  // of its requests, without MULTI
    size_t end = 0;    // without EXEC
    size_t size = 0;   // with both; 0: it is not all there
    int db = 0;        // behind it
    bool in_present = false;
  };

  // The unit at the front.
  Status measure(std::string_view bytes, resp::ArgVector& args, Unit& unit, std::string& why) {
    bool in_transaction = false;
    unit.db = db_;
    for (size_t at = 0; at < bytes.size();) {
      resp::RequestParser parser;
      args.clear();
      const auto parsed =
          bytes[at] == '*' ? parser.parse(bytes.substr(at), {}, args) : Result<size_t>(kCorrupt);
      if (!parsed.ok()) {
        why = "bytes that are no command";
        return kCorrupt;
      }
      if (*parsed == 0) return kOk;
      const size_t request = std::exchange(at, at + *parsed);
      const std::string_view name = args.empty() ? std::string_view() : args[0];
      unit.in_present |= time_ms_ == kNoTimeMs && counts_from_present(args);
      if (args.size() == 2 && equal_ignore_case(name, "SELECT")) {
        unit.db = static_cast<int>(
            std::min<uint64_t>(parse_uint64(args[1]).value_or(kDatabasesMax), kDatabasesMax));
      }
      if (equal_ignore_case(name, "MULTI")) {
        in_transaction = true;
        unit.begin = at;
      } else if (!in_transaction || equal_ignore_case(name, "EXEC")) {
        unit.end = in_transaction ? request : at;
        unit.size = at;
        return kOk;
      }
    }
    return kOk;
  }

  void read_time(std::string_view line) {
    if (!line.starts_with(kTimePrefix)) return;
    line.remove_prefix(kTimePrefix.size());
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto seconds = parse_int64(line);
    if (seconds && *seconds > 0 && *seconds < INT64_MAX / 1000) time_ms_ = *seconds * 1000;
  }

  File& file_;
  const int64_t present_ms_;
  Replay& replay_;
  std::vector<char> buffer_;
  size_t filled_ = 0;
  uint64_t offset_;  // in the file, behind what the buffer holds
  int db_ = 0;
  int64_t time_ms_ = kNoTimeMs;
};

class LogImport {
 public:
  LogImport(engine::Engine& engine, const ForeignLog& log, const LogLoadOptions& options)
      : engine_(engine), log_(log), options_(options), replay_(engine, Replay::Origin::kForeign) {}

  ImportedLog run() {
    imported_.status = load_files();
    return std::move(imported_);
  }

 private:
  // All of them are there before the first is loaded.
  Status load_files() {
    std::vector<std::unique_ptr<File>> files;
    for (const std::string& path : log_.files) {
      auto file = engine_.environment().open(path, OpenMode::kRead);
      if (!file.ok()) return refuse(kExitLogRefused, path, 0, file.status());
      const auto size = (*file)->size();
      if (!size.ok()) return refuse(kExitReadError, path, 0, size.status());
      imported_.bytes += *size;
      files.push_back(*std::move(file));
    }
    for (size_t i = 0; i < files.size(); ++i) {
      uint64_t end = 0;
      ROX_TRY(load_snapshot_at_front(*files[i], log_.files[i], end));
      ROX_TRY(load_requests(*files[i], log_.files[i], end, i + 1 == files.size()));
    }
    return kOk;
  }

  // `end`: where the requests begin.
  Status load_snapshot_at_front(File& file, const std::string& path, uint64_t& end) {
    char first[kRdbMagicBytes];
    const auto got = read_fully(file, 0, first, sizeof first);
    if (!got.ok()) return refuse(kExitReadError, path, 0, got.status());
    const std::string_view front(first, *got);
    const std::string_view ours(kSnapshotMagic.data(), kSnapshotMagic.size());
    if (!is_rdb(front) && !front.starts_with(ours)) return kOk;
    LoadOptions options;
    options.threads = options_.threads;
    // What follows may still need a key that expires today: the log says itself when it went.
    options.keep_expired = true;
    options.rdb_trust = options_.rdb_trust;
    options.requests_may_follow = true;
    options.on_progress = [this](const LoadProgress& progress) {
      report(progress.file_bytes, progress.entries);
    };
    const LoadResult result = load_snapshot(engine_, path, options);
    end = result.end;
    entries_ += result.counts.entries;
    if (result.status.ok()) return kOk;
    imported_.exit_code = result.exit_code;
    imported_.message = result.message;
    return result.status;
  }

  Status load_requests(File& file, const std::string& path, uint64_t from, bool is_last) {
    ForeignReader reader(file, from, engine_.environment().now_ms(), replay_);
    std::string why;
    const Status status =
        reader.run([this](uint64_t bytes) { report(bytes, replay_.commands()); }, why);
    if (status.code == Code::kIo) return refuse(kExitReadError, path, reader.offset(), status);
    if (!status.ok()) {
      return refuse(kExitLogRefused, status, "Bad file format", path, reader.offset(), why);
    }
    bytes_before_ += reader.offset() + reader.left();
    if (reader.left() == 0) return kOk;
    constexpr std::string_view kTorn = "Unexpected end of file";
    if (!is_last || !options_.load_truncated) {
      return refuse(kExitLogRefused, kCorrupt, kTorn, path, reader.offset(),
                    is_last ? "`aof-load-truncated yes` starts without the incomplete unit"
                            : "more follows in other files, and would follow a hole");
    }
    imported_.dropped_bytes = reader.left();
    engine_.log().warning(
        "{} reading the append only file: left out what is no whole unit: file={} offset={} "
        "bytes={}",
        kTorn, path, reader.offset(), reader.left());
    return kOk;
  }

  void report(uint64_t file_bytes, uint64_t entries) {
    if (!options_.on_progress) return;
    options_.on_progress({.file_bytes = bytes_before_ + file_bytes,
                          .file_bytes_total = imported_.bytes,
                          .entries = entries_ + entries});
  }

  Status refuse(int exit_code, const std::string& path, uint64_t offset, const Status& status) {
    return refuse(exit_code, status, "Error", path, offset, describe(status));
  }
  Status refuse(int exit_code, const Status& status, std::string_view what, const std::string& path,
                uint64_t offset, std::string_view why) {
    imported_.exit_code = exit_code;
    imported_.message = fmt::format(
        "{} reading the append only file: file={} offset={} reason={}; units good "
        "before={}",
        what, path, offset, why, replay_.commands());
    return status;
  }

  engine::Engine& engine_;
  const ForeignLog& log_;
  const LogLoadOptions& options_;
  Replay replay_;
  ImportedLog imported_;
  uint64_t bytes_before_ = 0;  // of the files that are loaded
  uint64_t entries_ = 0;       // of their snapshots
};

}  // namespace

Status find_foreign_log(Environment& environment, const std::string& directory,
                        const std::string& log_directory, const std::string& prefix,
                        std::optional<ForeignLog>& log, std::string& why) {
  const auto exists = [&environment](const std::string& path) -> Result<bool> {
    const auto file = environment.open(path, OpenMode::kRead);
    if (!file.ok() && file.status().code != Code::kNotFound) return file.status();
    return file.ok();
  };
  const std::string single = directory + "/" + prefix;
  const std::string manifest = log_directory + "/" + prefix + ".manifest";
  const auto text = read_file(environment, manifest, kManifestBytesMax);
  if (!text.ok()) {
    if (text.status().code != Code::kNotFound) return text.status();
    ROX_TRY(const bool is_there, exists(single));
    if (is_there) log = ForeignLog{{single}};
    return kOk;
  }
  std::vector<ManifestLine> lines;
  std::string_view at;
  if (const std::string_view what = read_manifest_text(*text, lines, at); !what.empty()) {
    why = fmt::format("{}: file={} line={}", what, manifest, at);
    return kCorrupt;
  }
  log.emplace();
  for (const ManifestLine& line : lines) {
    std::string path = log_directory + "/" + line.name;
    // A crash while 7.0 moved the one file of before into the directory.
    if (line.type == "b" && line.name == prefix) {
      ROX_TRY(const bool was_moved, exists(path));
      if (!was_moved) path = single;
    }
    log->files.push_back(std::move(path));
  }
  return kOk;
}

ImportedLog import_log(engine::Engine& engine, const ForeignLog& log,
                       const LogLoadOptions& options) {
  return LogImport(engine, log, options).run();
}

}  // namespace roxdb::persist
