#include "persist/recovery.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "persist/files.h"
#include "persist/replay.h"

namespace roxdb::persist {
namespace {

constexpr Status kCorrupt{Code::kCorrupt, 0, "log"};

class LogLoader {
 public:
  LogLoader(engine::Engine& engine, const std::string& directory, const Manifest& manifest,
            const LogLoadOptions& options)
      : engine_(engine),
        environment_(engine.environment()),
        directory_(directory),
        options_(options),
        replay_(engine) {
    log_.manifest = manifest;
  }

  LoadedLog load() {
    log_.status = load_files();
    log_.commands = replay_.commands();
    return std::move(log_);
  }

 private:
  Status load_files() {
    ROX_TRY(add_up_sizes());
    if (log_.manifest.base) ROX_TRY(load_base(*log_.manifest.base));
    for (const ManifestFile& file : log_.manifest.increments) ROX_TRY(load_increment(file));
    return kOk;
  }

  std::string path_of(const ManifestFile& file) const { return directory_ + "/" + file.name; }

  Status refuse(std::string message) {
    log_.exit_code = kExitLogRefused;
    log_.message = std::move(message);
    return kCorrupt;
  }
  Status cannot_read(const ManifestFile& file, const Status& status) {
    log_.exit_code = kExitReadError;
    log_.message = fmt::format("Error reading the append only file: file={} reason={}",
                               path_of(file), describe(status));
    return status;
  }

  // What every file must have before anything is loaded: itself (R7).
  Status add_up_sizes() {
    std::string missing;
    const auto add = [&](const ManifestFile& file) -> Status {
      const auto opened = environment_.open(path_of(file), OpenMode::kRead);
      if (!opened.ok() && opened.status().code == Code::kNotFound) {
        missing += " " + file.name;
        return kOk;
      }
      if (!opened.ok()) return cannot_read(file, opened.status());
      const auto size = (*opened)->size();
      if (!size.ok()) return cannot_read(file, size.status());
      total_.file_bytes_total += *size;
      return kOk;
    };
    if (log_.manifest.base) ROX_TRY(add(*log_.manifest.base));
    for (const ManifestFile& file : log_.manifest.increments) ROX_TRY(add(file));
    if (missing.empty()) return kOk;
    std::string present;
    if (const auto entries = environment_.list(directory_); entries.ok()) {
      for (const DirectoryEntry& entry : *entries) present += " " + entry.name;
    }
    return refuse(
        fmt::format("The append only file's manifest names files that are missing: "
                    "directory={} missing={} present={}",
                    directory_, missing, present));
  }

  Status load_base(const ManifestFile& file) {
    LoadOptions options;
    options.threads = options_.threads;
    options.salvage = options_.salvage;
    // What follows may still need a key that expires today: the log says itself when it went.
    options.keep_expired = true;
    options.on_progress = [this](const LoadProgress& progress) {
      total_.file_bytes = progress.file_bytes;
      total_.entries = progress.entries;
      if (options_.on_progress) options_.on_progress(total_);
    };
    log_.base = load_snapshot(engine_, path_of(file), options);
    if (!log_.base.status.ok()) {
      log_.exit_code = log_.base.exit_code;
      log_.message = log_.base.message;
      return log_.base.status;
    }
    std::move(log_.base.losses.begin(), log_.base.losses.end(), std::back_inserter(log_.losses));
    if (log_.base.header_is_known && log_.base.header.sequence != file.sequence) {
      return refuse(
          fmt::format("The append only file's base is another one than its manifest "
                      "names: file={} sequence expected={} found={}",
                      path_of(file), file.sequence, log_.base.header.sequence));
    }
    log_.bytes += log_.base.file_bytes;
    log_.next_sequence = file.sequence + 1;
    return kOk;
  }

  Status load_increment(const ManifestFile& file) {
    const auto opened = environment_.open(path_of(file), OpenMode::kRead);
    if (!opened.ok()) return cannot_read(file, opened.status());
    const auto size = (*opened)->size();
    if (!size.ok()) return cannot_read(file, size.status());
    LoadedIncrement found{.file = file, .size = *size};

    if (*size == 0 && !log_.manifest.base && log_.manifest.increments.size() == 1) {
      engine_.log().warning("The append only file is empty: file={}", path_of(file));
      return kOk;  // R8: there is no other data, so nothing is lost
    }
    std::string why;
    const Status header = read_file_header(**opened, kLogMagic, kLogMajor, found.header, why);
    if (header.code == Code::kIo) return cannot_read(file, header);
    if (!header.ok()) return refuse_at(file, 0, why);
    if (found.header.sequence != file.sequence) {
      return refuse_at(file, 0,
                       fmt::format("its first sequence expected {}, found {}", file.sequence,
                                   found.header.sequence));
    }
    if (file.sequence > log_.next_sequence) {
      return refuse_at(file, 0,
                       fmt::format("units {} to {} are missing before it", log_.next_sequence,
                                   file.sequence - 1));
    }

    AofReader reader(**opened, found.header, *size);
    ROX_TRY(replay(file, reader, found));
    found.end = reader.end();
    found.next_sequence = reader.next_sequence();
    log_.next_sequence = std::max(log_.next_sequence, found.next_sequence);
    log_.bytes += found.end;
    log_.increments.push_back(std::move(found));
    return kOk;
  }

  Status replay(const ManifestFile& file, AofReader& reader, LoadedIncrement& found) {
    const uint64_t bytes_before = total_.file_bytes;
    std::vector<AofReader::Unit> units;
    for (;;) {
      switch (reader.next(units)) {
        case AofReader::Outcome::kUnits:
          ROX_TRY(run(file, units));
          total_.file_bytes = bytes_before + reader.end();
          if (options_.on_progress) options_.on_progress(total_);
          break;
        case AofReader::Outcome::kEnd:
          return kOk;
        case AofReader::Outcome::kReadError:
          return cannot_read(file, reader.error());
        case AofReader::Outcome::kUnknownKind:
          return refuse_at(file, reader.damage().offset, reader.damage().why);
        case AofReader::Outcome::kDamaged:
          if (options_.salvage) {
            note_loss(reader);
            if (reader.skip_damage()) break;
            found.torn = true;
            found.damage = reader.damage();
            return kOk;
          }
          if (!reader.damage().torn) return refuse_damage(file, reader);
          if (!options_.load_truncated) return refuse_torn(file, reader);
          found.torn = true;
          found.damage = reader.damage();
          return kOk;
      }
    }
  }

  Status run(const ManifestFile& file, std::vector<AofReader::Unit>& units) {
    // Those that an earlier increment had as well.
    const auto seen = [this](const AofReader::Unit& unit) {
      return unit.sequence < log_.next_sequence;
    };
    units.erase(units.begin(), std::find_if_not(units.begin(), units.end(), seen));
    log_.units += units.size();
    total_.entries += units.size();
    std::string why;
    if (replay_.run(units, why).ok()) return kOk;
    if (options_.salvage) {
      log_.losses.push_back({units.front().offset, 0, file.name + ": " + why});
      return kOk;
    }
    return refuse_at(file, units.front().offset, why);
  }

  void note_loss(const AofReader& reader) {
    const Damage& damage = reader.damage();
    const uint64_t next = damage.resume_offset != 0 ? damage.resume_offset : damage.content_end;
    log_.losses.push_back({damage.offset, next - damage.offset, damage.why});
  }

  Status refuse_at(const ManifestFile& file, uint64_t offset, std::string_view why) {
    return refuse(fmt::format(
        "Bad file format reading the append only file: file={} offset={} reason={}; units good "
        "before={}",
        path_of(file), offset, why, log_.units));
  }
  Status refuse_damage(const ManifestFile& file, const AofReader& reader) {
    const Damage& damage = reader.damage();
    const std::string path = path_of(file);
    return refuse(fmt::format(
        "Bad file format reading the append only file: file={} offset={} reason={}; units good "
        "before={} behind={}; nothing was changed. `roxdb-tool verify {}` shows the damage, "
        "`roxdb-tool salvage {} NEW` copies what is intact of this file, `roxdb-server --salvage` "
        "starts with all that is intact",
        path, damage.offset, damage.why, log_.units, damage.units_behind, path, path));
  }
  Status refuse_torn(const ManifestFile& file, const AofReader& reader) {
    return refuse(fmt::format(
        "Unexpected end of file reading the append only file: file={} offset={} reason={}; units "
        "good before={}. `aof-load-truncated yes` starts without the incomplete unit",
        path_of(file), reader.damage().offset, reader.damage().why, log_.units));
  }

  engine::Engine& engine_;
  Environment& environment_;
  const std::string& directory_;
  const LogLoadOptions& options_;
  Replay replay_;
  LoadProgress total_;
  LoadedLog log_;
};

Status cut(Environment& environment, const std::string& path, uint64_t size) {
  ROX_TRY(const std::unique_ptr<File> file, environment.open(path, OpenMode::kAppend));
  ROX_TRY(file->truncate(size));
  ROX_TRY(file->sync());
  return file->close();
}

// <path>.orphan, or the first of .orphan.2, .orphan.3 ... that is free.
Status set_aside(Environment& environment, const Logger& logger, const std::string& path) {
  constexpr int kTriesMax = 1000;
  std::string target = path + ".orphan";
  for (int n = 2; n < kTriesMax; ++n) {
    const auto existing = environment.open(target, OpenMode::kRead);
    if (!existing.ok() && existing.status().code == Code::kNotFound) break;
    target = fmt::format("{}.orphan.{}", path, n);
  }
  ROX_TRY(environment.rename(path, target));
  logger.warning("Set aside a file that the append only file's manifest does not name: file={}",
                 target);
  return kOk;
}

}  // namespace

LoadedLog load_log(engine::Engine& engine, const std::string& directory, const Manifest& manifest,
                   const LogLoadOptions& options) {
  return LogLoader(engine, directory, manifest, options).load();
}

Status mend_log(Environment& environment, const Logger& logger, const std::string& directory,
                const std::string& manifest_path, LoadedLog& log) {
  for (const LoadedIncrement& increment : log.increments) {
    // What is behind the end of an increment that is not torn is room.
    if (increment.size <= increment.end) continue;
    const std::string path = directory + "/" + increment.file.name;
    ROX_TRY(cut(environment, path, increment.end));
    if (!increment.torn) continue;
    logger.warning(
        "Unexpected end of file reading the append only file: cut back to the last whole unit: "
        "file={} offset={} bytes dropped={} units dropped={} reason={}",
        path, increment.end, increment.torn_bytes(), increment.damage.units_behind,
        increment.damage.why);
  }
  // A crash while increments were switched: all that the last one holds, the one before it has too.
  bool forgotten = false;
  while (log.increments.size() > 1 && log.increments.back().next_sequence < log.next_sequence) {
    log.manifest.retired.push_back(log.increments.back().file.name);
    log.manifest.increments.pop_back();
    log.increments.pop_back();
    forgotten = true;
  }
  if (forgotten) return replace_file(environment, manifest_path, encode_manifest(log.manifest));
  return kOk;
}

Status clear_log_directory(Environment& environment, const Logger& logger,
                           const std::string& directory, std::string_view prefix,
                           const Manifest& manifest) {
  ROX_TRY(const std::vector<DirectoryEntry> entries, environment.list(directory));
  for (const DirectoryEntry& entry : entries) {
    if (!log_file_number(prefix, entry.name)) continue;
    const std::string path = directory + "/" + entry.name;
    const auto is_it = [&](const ManifestFile& file) { return file.name == entry.name; };
    if ((manifest.base && is_it(*manifest.base)) ||
        std::any_of(manifest.increments.begin(), manifest.increments.end(), is_it)) {
      continue;
    }
    const auto& retired = manifest.retired;
    if (std::find(retired.begin(), retired.end(), entry.name) != retired.end()) {
      ROX_TRY(environment.remove(path));
    } else {
      ROX_TRY(set_aside(environment, logger, path));
    }
  }
  return kOk;
}

}  // namespace roxdb::persist
