#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "app/tool.h"
#include "persist/files.h"
#include "persist/snapshot.h"

namespace roxdb::app {
namespace {

using persist::AofReader;
using persist::describe;
using persist::LoadedIncrement;
using persist::ManifestFile;

constexpr std::string_view kManifestSuffix = ".manifest.rox";
constexpr std::string_view kIncrementSuffix = ".incr.rox";

int exit_code_of(const Status& status, int refused) {
  if (status.ok()) return 0;
  return status.code == Code::kCorrupt ? refused : persist::kExitReadError;
}

std::string torn_text(const LoadedIncrement& found) {
  return fmt::format("a torn tail, which a start cuts off: offset={} bytes={} reason={}", found.end,
                     found.torn_bytes(), found.damage.why);
}

int verify_snapshot_file(Environment& environment, const std::string& path) {
  const persist::LoadResult result = persist::verify_snapshot(environment, path, {});
  if (!result.status.ok()) {
    fmt::print("{}\n", result.message);  // it begins with the path
    return result.exit_code;
  }
  fmt::print("{}: a whole {}: keys={} bytes={}\n", path, result.foreign ? "RDB file" : "snapshot",
             result.counts.entries, result.file_bytes);
  return 0;
}

int verify_increment_file(Environment& environment, const std::string& path) {
  const IncrementCheck check = check_increment(environment, path);
  fmt::print("{}: {}\n", path, check.report);
  if (check.found.torn) return kToolIncomplete;
  return exit_code_of(check.status, persist::kExitLogRefused);
}

int verify_log(Environment& environment, const std::string& path) {
  const LogCheck check = check_log(environment, path);
  if (check.exit_code != 0) return check.exit_code;
  const auto is_torn = [](const LoadedIncrement& increment) { return increment.torn; };
  const auto& increments = check.log.increments;
  if (std::any_of(increments.begin(), increments.end(), is_torn)) return kToolIncomplete;
  fmt::print("{}: a whole log: units up to {}\n", path, check.log.next_sequence - 1);
  return 0;
}

// Reads the files of one log in order. Goes on behind a damaged one, so that all damage is shown.
class LogChecker {
 public:
  LogChecker(Environment& environment, const std::string& manifest_path)
      : environment_(environment), directory_(persist::directory_of(manifest_path)) {
    std::string why;
    const Status status =
        persist::read_manifest(environment, manifest_path, check_.log.manifest, why);
    if (status.ok()) return;
    fmt::print("{}: {}\n", manifest_path, why.empty() ? describe(status) : why);
    check_.exit_code = exit_code_of(status, persist::kExitLogRefused);
  }

  LogCheck run() {
    if (check_.exit_code != 0) return std::move(check_);
    const persist::Manifest& manifest = check_.log.manifest;
    if (manifest.base) read_base(*manifest.base);
    for (const ManifestFile& file : manifest.increments) read_increment(file);
    return std::move(check_);
  }

 private:
  std::string path_of(const ManifestFile& file) const { return directory_ + "/" + file.name; }

  void refuse(int exit_code) { check_.exit_code = std::max(check_.exit_code, exit_code); }
  void refuse(const ManifestFile& file, std::string_view why) {
    fmt::print("{}: {}\n", path_of(file), why);
    refuse(persist::kExitLogRefused);
  }

  bool is_missing(const ManifestFile& file) {
    const auto opened = environment_.open(path_of(file), OpenMode::kRead);
    if (opened.ok() || opened.status().code != Code::kNotFound) return false;
    refuse(file, "missing; the manifest names it");
    return true;
  }

  void read_base(const ManifestFile& file) {
    check_.log.next_sequence = file.sequence + 1;
    if (is_missing(file)) return;
    refuse(verify_snapshot_file(environment_, path_of(file)));
    // One that cannot be read has been refused for that already.
    const auto opened = environment_.open(path_of(file), OpenMode::kRead);
    if (!opened.ok()) return;
    persist::FileHeader header;
    std::string why;
    const Status status = persist::read_file_header(**opened, persist::kSnapshotMagic,
                                                    persist::kSnapshotMajor, header, why);
    if (status.ok() && header.sequence != file.sequence) {
      refuse(file,
             fmt::format("not the file that the manifest names: sequence expected={} found={}",
                         file.sequence, header.sequence));
    }
  }

  void read_increment(const ManifestFile& file) {
    if (is_missing(file)) return;
    IncrementCheck check = check_increment(environment_, path_of(file));
    check.found.file = file;
    const bool is_only_file =
        !check_.log.manifest.base && check_.log.manifest.increments.size() == 1;
    if (check.found.size == 0 && check.status.code == Code::kCorrupt && is_only_file) {
      fmt::print("{}: empty; a start begins without data\n", path_of(file));  // R8
      return;
    }
    fmt::print("{}: {}\n", path_of(file), check.report);
    refuse(exit_code_of(check.status, persist::kExitLogRefused));
    const uint64_t first = check.found.header.sequence;
    uint64_t& next = check_.log.next_sequence;
    if (check.status.ok() && first != file.sequence) {
      refuse(file, fmt::format("not the file that the manifest names: first sequence expected={} "
                               "found={}",
                               file.sequence, first));
    } else if (file.sequence > next && check_.exit_code == 0) {
      refuse(file, fmt::format("units {} to {} are missing before it", next, file.sequence - 1));
    }
    next = std::max(next, check.found.next_sequence);
    check_.log.increments.push_back(std::move(check.found));
  }

  Environment& environment_;
  const std::string directory_;
  LogCheck check_;
};

// Reads to the end, or to what cannot be read. Header and size are known.
void read_units(File& file, IncrementCheck& check) {
  LoadedIncrement& found = check.found;
  AofReader reader(file, found.header, found.size);
  std::vector<AofReader::Unit> units;
  AofReader::Outcome outcome;
  while ((outcome = reader.next(units)) == AofReader::Outcome::kUnits) continue;

  found.end = reader.end();
  found.next_sequence = reader.next_sequence();
  const persist::Damage& damage = reader.damage();
  if (outcome == AofReader::Outcome::kReadError) {
    check.status = reader.error();
    check.report = describe(check.status);
  } else if (outcome == AofReader::Outcome::kEnd) {
    check.report =
        fmt::format("a whole increment: units={} sequences={}..{} bytes={}", reader.units(),
                    found.header.sequence, found.next_sequence - 1, found.end);
    if (found.size > found.end) {
      check.report += fmt::format("; behind it room for more: bytes={}", found.size - found.end);
    }
  } else if (outcome == AofReader::Outcome::kDamaged && damage.torn) {
    found.torn = true;
    found.damage = damage;
    check.report = fmt::format("units={} and {}", reader.units(), torn_text(found));
  } else {
    check.status = {Code::kCorrupt, 0, "log"};
    check.report = fmt::format("damaged: offset={} reason={}; units good before={} behind={}",
                               damage.offset, damage.why, reader.units(), damage.units_behind);
  }
}

}  // namespace

FileKind kind_of(Environment& environment, const std::string& path) {
  persist::Magic magic = {};
  if (const auto file = environment.open(path, OpenMode::kRead); file.ok()) {
    // What cannot be read keeps a magic of zeros, and whoever reads it next says why.
    static_cast<void>(persist::read_fully(**file, 0, magic.data(), magic.size()).ok());
  }
  if (magic == persist::kLogMagic) return FileKind::kIncrement;
  if (magic == persist::kSnapshotMagic) return FileKind::kSnapshot;
  if (path.ends_with(kManifestSuffix)) return FileKind::kManifest;
  return path.ends_with(kIncrementSuffix) ? FileKind::kIncrement : FileKind::kSnapshot;
}

IncrementCheck check_increment(Environment& environment, const std::string& path) {
  IncrementCheck check;
  const auto file = environment.open(path, OpenMode::kRead);
  check.status = file.status();
  if (file.ok()) {
    const auto size = (*file)->size();
    check.status = size.status();
    if (size.ok()) {
      check.found.size = *size;
      check.status = persist::read_file_header(**file, persist::kLogMagic, persist::kLogMajor,
                                               check.found.header, check.report);
    }
  }
  if (check.status.ok()) {
    read_units(**file, check);
  } else if (check.report.empty()) {
    check.report = describe(check.status);
  }
  return check;
}

LogCheck check_log(Environment& environment, const std::string& manifest_path) {
  return LogChecker(environment, manifest_path).run();
}

int verify(Environment& environment, const std::string& path) {
  switch (kind_of(environment, path)) {
    case FileKind::kSnapshot:
      return verify_snapshot_file(environment, path);
    case FileKind::kIncrement:
      return verify_increment_file(environment, path);
    case FileKind::kManifest:
      return verify_log(environment, path);
  }
  return kToolUsage;
}

}  // namespace roxdb::app
