#include "persist/start.h"

#include <fmt/core.h>

#include <utility>

#include "engine/extra_state.h"
#include "persist/files.h"

namespace roxdb::persist {
namespace {

constexpr Status kRefused{Code::kCorrupt, 0, "the data cannot be loaded"};
constexpr std::string_view kLossesName = "roxdb-losses.txt";

// Drops all that a file brings.
void empty(engine::Engine& engine) {
  engine.flush(-1, false);
  if (auto* const extra = engine.services.find<engine::ExtraState>()) extra->clear();
}

}  // namespace

Status Persistence::Start::refuse(int exit_code, const Status& status, const std::string& message) {
  exit_code_ = exit_code;
  log_.warning("{}", message);
  return status;
}

Status Persistence::Start::run() {
  ROX_TRY(take_lock());
  ROX_TRY(clear_stale_files());
  if (!options_.restore_file.empty()) return restore();
  ROX_TRY(find_manifest());
  return state_.aof.wanted() ? load_with_log() : load_without_log();
}

Status Persistence::Start::take_lock() {
  pid_t owner = 0;
  auto lock = environment_.lock_directory(state_.directory, owner);
  if (lock.ok()) {
    state_.lock = *std::move(lock);
    return kOk;
  }
  if (lock.status().code == Code::kBusy) {
    return refuse(kExitDirectoryLocked, lock.status(),
                  fmt::format("Another server uses this data directory: directory={} pid={}",
                              state_.directory, owner));
  }
  return refuse(kExitConfiguration, lock.status(),
                fmt::format("Can't use the data directory: directory={} reason={}",
                            state_.directory, describe(lock.status())));
}

Status Persistence::Start::clear_stale_files() {
  for (const std::string& directory : {state_.directory, state_.aof.log_directory()}) {
    if (const Status status = remove_stale_files(environment_, directory, log_); !status.ok()) {
      return refuse(kExitReadError, status,
                    fmt::format("Can't clear temporary files: directory={} reason={}", directory,
                                describe(status)));
    }
  }
  return kOk;
}

Status Persistence::Start::find_manifest() {
  const Aof& aof = state_.aof;
  const std::string path = aof.manifest_path();
  std::string why;
  Manifest manifest;
  const Status status = read_manifest(environment_, path, manifest, why);
  if (status.ok()) {
    manifest_ = std::move(manifest);
    state_.aof.remember(manifest_);
    return kOk;
  }
  std::string present;
  if (const auto entries = environment_.list(aof.log_directory()); entries.ok()) {
    for (const DirectoryEntry& entry : *entries) {
      if (log_file_number(aof.file_prefix(), entry.name)) present += " " + entry.name;
    }
  } else if (entries.status().code != Code::kNotFound) {
    return refuse(kExitReadError, entries.status(),
                  fmt::format("Can't list the log's directory: directory={} reason={}",
                              aof.log_directory(), describe(entries.status())));
  }
  if (status.code == Code::kIo) {
    return refuse(kExitReadError, status,
                  fmt::format("Error reading the AOF manifest: file={} "
                              "reason={}",
                              path, describe(status)));
  }
  if (status.code == Code::kCorrupt) {
    return refuse(kExitLogRefused, status,
                  fmt::format("Invalid AOF manifest file format: file={} reason={} present={}",
                              path, why, present));
  }
  if (present.empty()) return kOk;
  return refuse(kExitLogRefused, kRefused,
                fmt::format("The AOF manifest is missing, and files that it named are there: "
                            "file={} present={}",
                            path, present));
}

// --- what is loaded -----------------------------------------------------------------------------

Status Persistence::Start::load_without_log() {
  uint64_t sequence = 1;
  ROX_TRY(load_file(state_.snapshotter.path(), false, sequence));
  if (manifest_ && !manifest_->ended) {
    log_.warning("There is an append only file, and it is not loaded: appendonly is no");
  }
  return has_losses_ ? replace_snapshot("damaged") : kOk;
}

Status Persistence::Start::load_with_log() {
  const bool has_files = manifest_ && (manifest_->base || !manifest_->increments.empty());
  if (has_files && !(manifest_->ended && snapshot_is_newer())) return replay_log();
  if (!manifest_) {
    std::optional<ForeignLog> foreign;
    std::string why;
    const Status status =
        find_foreign_log(environment_, state_.directory, state_.aof.log_directory(),
                         state_.aof.file_prefix(), foreign, why);
    if (status.code == Code::kCorrupt) {
      return refuse(kExitLogRefused, status, why);
    }
    if (!status.ok()) {
      return refuse(kExitReadError, status,
                    fmt::format("Can't look for an append only file: reason={}", describe(status)));
    }
    if (foreign) return import(*foreign);
  }
  uint64_t sequence = 1;
  ROX_TRY(load_file(state_.snapshotter.path(), false, sequence));
  return begin_log(sequence);
}

bool Persistence::Start::snapshot_is_newer() {
  const auto identity = snapshot_identity(environment_, state_.snapshotter.path());
  // One that cannot be read is for load_file() to report.
  return !identity.ok() || (*identity != 0 && *identity != *manifest_->ended);
}

Status Persistence::Start::load_file(const std::string& path, bool must_exist, uint64_t& sequence) {
  persist::LoadOptions options;
  options.threads = state_.snapshotter.threads();
  options.salvage = options_.salvage;
  options.rdb_trust = state_.persistence.rdb_trust();
  options.on_progress = [this](const LoadProgress& progress) { state_.note_progress(progress); };
  const LoadResult result = load_snapshot(state_.engine, path, options);
  if (result.status.code == Code::kNotFound && !must_exist) return kOk;
  if (!result.status.ok()) return refuse(result.exit_code, result.status, result.message);
  sequence = result.header.sequence + 1;
  state_.snapshotter.note_load(result);
  if (result.foreign) state_.recovery_result = "imported";
  ROX_TRY(note_losses(result.losses));
  if (path == state_.snapshotter.path() && result.losses.empty()) state_.scrubber.note_verified();
  report("disk", result.file_bytes);
  return kOk;
}

LogLoadOptions Persistence::Start::log_options() {
  LogLoadOptions options;
  options.load_truncated = state_.aof.load_truncated();
  options.salvage = options_.salvage;
  options.threads = state_.snapshotter.threads();
  options.rdb_trust = state_.persistence.rdb_trust();
  options.on_progress = [this](const LoadProgress& progress) { state_.note_progress(progress); };
  return options;
}

Status Persistence::Start::replay_log() {
  const std::string directory = state_.aof.log_directory();
  LoadedLog log = load_log(state_.engine, directory, *manifest_, log_options());
  if (!log.status.ok()) return refuse(log.exit_code, log.status, log.message);
  state_.snapshotter.note_load(log.base);
  const auto snapshot = environment_.open(state_.snapshotter.path(), OpenMode::kRead);
  if (snapshot.ok()) {
    log_.notice("The append only file was loaded; the snapshot beside it was not: file={}",
                state_.snapshotter.path());
  }
  report("append only file", log.bytes);
  ROX_TRY(note_losses(log.losses));
  if (has_losses_) return begin_log(log.next_sequence);

  for (const LoadedIncrement& increment : log.increments) {
    if (!increment.torn) continue;
    state_.recovery_result = "torn-tail";
    state_.recovery_dropped_bytes += increment.torn_bytes();
  }
  if (const Status status =
          mend_log(environment_, log_, directory, state_.aof.manifest_path(), log);
      !status.ok()) {
    return refuse(kExitLogUnwritable, status,
                  fmt::format("Can't mend the append only file: reason={}", describe(status)));
  }
  state_.aof.remember(log.manifest);
  if (log.manifest.ended || log.increments.empty()) return begin_log(log.next_sequence);
  if (const Status status = state_.aof.resume(log); !status.ok()) {
    return refuse(kExitLogUnwritable, status,
                  fmt::format("Can't open the append only file: reason={}", describe(status)));
  }
  return kOk;
}

Status Persistence::Start::import(const ForeignLog& log) {
  const ImportedLog imported = import_log(state_.engine, log, log_options());
  if (!imported.status.ok()) return refuse(imported.exit_code, imported.status, imported.message);
  state_.recovery_result = "imported";
  state_.recovery_dropped_bytes = imported.dropped_bytes;
  report("an imported append only file", imported.bytes);
  return begin_log(1);
}

Status Persistence::Start::begin_log(uint64_t sequence) {
  log_.notice("Creating a new append only file: directory={} keys={}", state_.aof.log_directory(),
              state_.engine.size());
  const auto on_progress = [this](const SaveProgress& saved) {
    // Clients are answered meanwhile; how far this is shows nowhere.
    static_cast<void>(saved);
    state_.note_progress(state_.progress);
  };
  if (const Status status = state_.aof.begin(sequence, on_progress); !status.ok()) {
    return refuse(kExitLogUnwritable, status,
                  fmt::format("Can't create the append only file: directory={} reason={}",
                              state_.aof.log_directory(), describe(status)));
  }
  return kOk;
}

// --- restoring and salvage ----------------------------------------------------------------------

Status Persistence::Start::restore() {
  uint64_t sequence = 1;
  ROX_TRY(load_file(options_.restore_file, true, sequence));
  log_.warning("Restored: file={} keys={}", options_.restore_file, state_.engine.size());
  // A damaged manifest is no reason to refuse: what it names stays, under other names.
  Manifest manifest;
  std::string why;
  const Status status = read_manifest(environment_, state_.aof.manifest_path(), manifest, why);
  if (status.code != Code::kNotFound) state_.aof.remember(std::move(manifest));
  if (state_.aof.wanted()) {
    ROX_TRY(begin_log(sequence));
  } else if (const Status ended = state_.aof.give_up_log(); !ended.ok()) {
    return refuse(kExitLogUnwritable, ended,
                  fmt::format("Can't write the AOF manifest: reason={}", describe(ended)));
  }
  if (options_.restore_file == state_.snapshotter.path()) return kOk;
  return replace_snapshot("before-restore");
}

Status Persistence::Start::replace_snapshot(const std::string& suffix) {
  const std::string path = state_.snapshotter.path();
  const auto failed = [&](const Status& status) {
    return refuse(
        kExitSnapshotRefused, status,
        fmt::format("Can't replace the snapshot: file={} reason={}", path, describe(status)));
  };
  const std::string temporary = temporary_path(path, environment_.process_id(), 0);
  SaveProgress progress;
  if (const Status status =
          write_snapshot(state_.engine, temporary, state_.snapshotter.save_options(), progress);
      !status.ok()) {
    return failed(status);
  }
  std::string aside;
  Status status = free_name(fmt::format("{}.{}", path, suffix), aside);
  if (status.ok()) status = environment_.rename(path, aside);
  if (status.ok()) log_.warning("The old snapshot was kept: file={}", aside);
  if (status.code == Code::kNotFound) status = kOk;
  if (status.ok()) status = install_file(environment_, temporary, path);
  return status.ok() ? kOk : failed(status);
}

// `path`, or the first of <path>.2, <path>.3 ... that no file has.
Status Persistence::Start::free_name(const std::string& path, std::string& free) {
  constexpr int kTriesMax = 1000;
  free = path;
  for (int n = 2; n < kTriesMax; ++n) {
    const auto file = environment_.open(free, OpenMode::kRead);
    if (!file.ok()) return file.status().code == Code::kNotFound ? kOk : file.status();
    free = fmt::format("{}.{}", path, n);
  }
  return Status{Code::kBusy, 0, "no free name for the old snapshot"};
}

Status Persistence::Start::note_losses(const std::vector<Loss>& losses) {
  if (losses.empty()) return kOk;
  has_losses_ = true;
  state_.recovery_result = "salvaged";
  std::string text;
  for (const Loss& loss : losses) {
    text += fmt::format("offset={} bytes={} reason={}\n", loss.offset, loss.bytes, loss.why);
    state_.recovery_dropped_bytes += loss.bytes;
    log_.warning("Lost: offset={} bytes={} reason={}", loss.offset, loss.bytes, loss.why);
  }
  const std::string path = fmt::format("{}/{}", state_.directory, kLossesName);
  if (const Status status = replace_file(environment_, path, text); !status.ok()) {
    return refuse(
        kExitSnapshotRefused, status,
        fmt::format("Can't write the list of losses: file={} reason={}", path, describe(status)));
  }
  return kOk;
}

void Persistence::Start::report(const std::string& source, uint64_t bytes) const {
  const double seconds =
      static_cast<double>(environment_.monotonic_ns() - state_.load_started_ns) / 1e9;
  log_.notice("DB loaded from {}: {:.3f} seconds, keys={} bytes={}", source, seconds,
              state_.engine.size(), bytes);
}

// --- Persistence --------------------------------------------------------------------------------

Status Persistence::load(const LoadOptions& options, int& exit_code) {
  State& state = *state_;
  Environment& environment = state.engine.environment();
  state.loading = true;
  state.load_started_s = environment.now_ms() / 1000;
  state.load_started_ns = state.progress_logged_ns = environment.monotonic_ns();
  state.on_progress = options.on_progress;
  Start start(state, options);
  const Status status = start.run();
  state.loading = false;
  state.on_progress = nullptr;
  state.engine.refresh_clock();
  exit_code = start.exit_code();
  if (!status.ok()) return status;
  state.engine.dirty = 0;
  state.serving = true;
  state.saved_at_ns = environment.monotonic_ns();
  state.aof.serve();
  state.scrubber.serve();
  state.rearm();
  return kOk;
}

Status Persistence::reload_snapshot(const Reload::Options& options, std::string& why) {
  State& state = *state_;
  if (options.save) {
    if (const Status status = save(); !status.ok()) {
      why = describe(status);
      return status;
    }
  }
  persist::LoadOptions load;
  load.threads = state.snapshotter.threads();
  load.replace = options.merge;
  load.rdb_trust = rdb_trust();
  // What is due goes as always, with a deletion in the log, which knows the key.
  load.keep_expired = true;
  const std::string path = state.snapshotter.path();
  // A file that cannot be loaded is no reason to lose what is in memory. One just saved was proved.
  if (options.flush && !options.save) {
    const LoadResult verified = verify_snapshot(state.engine.environment(), path, load);
    if (!verified.status.ok()) {
      state.engine.log().warning("{}", verified.message);
      why = verified.message;
      return verified.status;
    }
  }
  if (options.flush) empty(state.engine);
  const LoadResult result = load_snapshot(state.engine, path, load);
  state.engine.refresh_clock();
  // The log leads to what was in memory before; from here it has to lead to what is now.
  if (!options.save || !options.flush || !result.status.ok()) state.aof.start_over();
  if (!result.status.ok()) {
    why = result.message;
    return result.status;
  }
  state.engine.dirty = 0;
  state.snapshotter.note_load(result);
  return kOk;
}

Status Persistence::reload_aof(std::string& why) {
  State& state = *state_;
  const auto manifest = state.aof.manifest_for_reload();
  if (!manifest.ok()) {
    why = describe(manifest.status());
    return manifest.status();
  }
  empty(state.engine);
  LogLoadOptions options;
  options.load_truncated = false;
  options.threads = state.snapshotter.threads();
  const LoadedLog log = load_log(state.engine, state.aof.log_directory(), *manifest, options);
  why = log.message;
  return log.status;
}

}  // namespace roxdb::persist
