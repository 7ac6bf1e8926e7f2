#include "persist/aof_import.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/numbers.h"
#include "base/text.h"
#include "engine/settings.h"
#include "persist/files.h"
#include "persist/recovery.h"
#include "persist/replay.h"

namespace roxdb::persist {
namespace {

constexpr size_t kManifestBytesMax = 1u << 20;
constexpr size_t kBufferBytes = 4u << 20;
constexpr std::string_view kTimePrefix = "#TS:";
// Expiries are absolute, so without a time of its own a unit runs before all of them, and what has
// expired since does so afterwards.
constexpr int64_t kNoTimeMs = 1;

constexpr Status kCorrupt{Code::kCorrupt, 0, "foreign log"};

// "file <name> seq <number> type <b|i|h>", and perhaps more pairs.
bool read_line(const std::vector<std::string>& words, const std::string& log_directory,
               ForeignLog& log) {
  std::string name;
  std::string type;
  if (words.size() < 6 || words.size() % 2 != 0) return false;
  for (size_t i = 0; i < words.size(); i += 2) {
    if (words[i] == "file") name = words[i + 1];
    if (words[i] == "type") type = words[i + 1];
  }
  if (name.empty() || name.find('/') != std::string::npos) return false;
  const std::string path = log_directory + "/" + name;
  if (type == "b") {
    if (!log.base.empty()) return false;
    log.base = path;
  } else if (type == "i") {
    log.increments.push_back(path);
  } else if (type != "h") {
    return false;
  }
  return true;
}

// Cuts a file of requests into units. Bytes move forward through one buffer, which grows to hold
// the largest unit.
class ForeignReader {
 public:
  ForeignReader(File& file, Replay& replay) : file_(file), replay_(replay) {}

  Status run(const std::function<void(uint64_t)>& on_bytes, std::string& why) {
    for (bool at_end = false; !at_end;) {
      buffer_.resize(filled_ + kBufferBytes);
      const auto got = read_fully(file_, offset_, buffer_.data() + filled_, kBufferBytes);
      if (!got.ok()) return got.status();
      at_end = *got < kBufferBytes;
      offset_ += *got;
      filled_ += *got;
      size_t used = 0;
      ROX_TRY(take(std::string_view(buffer_.data(), filled_), used, why));
      std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(used),
                buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.begin());
      filled_ -= used;
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
                                     .time_ms = time_ms_};
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
  Replay& replay_;
  std::vector<char> buffer_;
  size_t filled_ = 0;
  uint64_t offset_ = 0;  // in the file, behind what the buffer holds
  int db_ = 0;
  int64_t time_ms_ = kNoTimeMs;
};

}  // namespace

Status find_foreign_log(Environment& environment, const std::string& directory,
                        const std::string& log_directory, const std::string& prefix,
                        std::optional<ForeignLog>& log, std::string& why) {
  const std::string manifest = log_directory + "/" + prefix + ".manifest";
  const auto text = read_file(environment, manifest, kManifestBytesMax);
  if (!text.ok() && text.status().code != Code::kNotFound) return text.status();
  if (text.ok()) {
    log.emplace();
    std::string_view rest = *text;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      std::vector<std::string> words;
      if (line.empty() || line[0] == '#') continue;
      if (engine::split_words(line, words) && read_line(words, log_directory, *log)) continue;
      why = fmt::format("file={} line={}", manifest, line);
      return kCorrupt;
    }
    return kOk;
  }
  const std::string single = directory + "/" + prefix;
  const auto file = environment.open(single, OpenMode::kRead);
  if (file.ok()) log = ForeignLog{{}, {single}};
  return file.ok() || file.status().code == Code::kNotFound ? kOk : file.status();
}

Status import_log(engine::Engine& engine, const ForeignLog& log, const LoadOptions& options,
                  int& exit_code, std::string& message) {
  if (!log.base.empty()) {
    LoadOptions base_options = options;
    base_options.keep_expired = true;
    const LoadResult base = load_snapshot(engine, log.base, base_options);
    if (!base.status.ok()) {
      exit_code = base.exit_code;
      message = base.message;
      return base.status;
    }
  }
  Replay replay(engine);
  for (const std::string& path : log.increments) {
    const auto refuse = [&](int code, const Status& status, uint64_t offset, std::string_view why) {
      exit_code = code;
      message = fmt::format("Can't import the append only file: file={} offset={} reason={}", path,
                            offset, why);
      return status;
    };
    auto file = engine.environment().open(path, OpenMode::kRead);
    if (!file.ok()) return refuse(kExitLogRefused, file.status(), 0, describe(file.status()));
    LoadProgress progress;
    ROX_TRY(progress.file_bytes_total, (*file)->size());
    ForeignReader reader(**file, replay);
    std::string why;
    const Status status = reader.run(
        [&](uint64_t bytes) {
          progress.file_bytes = bytes;
          progress.entries = replay.commands();
          if (options.on_progress) options.on_progress(progress);
        },
        why);
    if (status.code == Code::kIo) {
      return refuse(kExitReadError, status, reader.offset(), describe(status));
    }
    if (!status.ok()) return refuse(kExitLogRefused, status, reader.offset(), why);
    if (reader.left() > 0) {
      engine.log().warning(
          "The imported append only file ends inside a unit, which is left out: file={} bytes={}",
          path, reader.left());
    }
  }
  return kOk;
}

}  // namespace roxdb::persist
