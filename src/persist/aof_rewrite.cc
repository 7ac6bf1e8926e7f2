// aof_rewrite.cc: the log turned on, rewritten, healed and turned off. Stages and order are told in
// aof.h.
#include "persist/aof_rewrite.h"
#include "persist/aof.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "persist/files.h"

namespace roxdb::persist {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kRetryFirstNs = 5 * kSecondNs;  // as of snapshots (E6)
constexpr uint64_t kRetryLastNs = 60 * kSecondNs;

// Removes files; what is left comes back.
std::vector<std::string> remove_files(Environment& environment, const std::string& directory,
                                      const std::vector<std::string>& names) {
  std::vector<std::string> left;
  for (const std::string& name : names) {
    const Status status = environment.remove(directory + "/" + name);
    if (!status.ok() && status.code != Code::kNotFound) left.push_back(name);
  }
  return left;
}

}  // namespace

// --- beginning and end --------------------------------------------------------------------------

void Aof::remember(const std::optional<Manifest>& manifest) {
  manifest_exists_ = manifest.has_value();
  manifest_ = manifest.value_or(Manifest{});
}

Status Aof::resume(const LoadedLog& log) {
  remember(log.manifest);
  ROX_TRY(find_next_number());
  ROX_TRY(clear_log_directory(environment_, engine_.log(), log_directory(), file_name_, manifest_));
  manifest_.retired.clear();
  const LoadedIncrement& last = log.increments.back();
  auto writer = std::make_unique<AofWriter>(path_of(last.file.name), last.header);
  ROX_TRY(std::shared_ptr<File> file, environment_.open(writer->path(), OpenMode::kAppend));
  // A process that was killed has left in the kernel what we now show to readers.
  ROX_TRY(file->sync());
  writer->attach(std::move(file), last.end);
  base_size_ = log.base.file_bytes;
  resting_size_ = log.bytes - base_size_ - last.end;
  use_writer(std::move(writer), log.next_sequence);
  size_after_rewrite_ = size_of_log();
  return kOk;
}

Status Aof::begin(uint64_t next_sequence,
                  const std::function<void(const SaveProgress&)>& on_progress) {
  ROX_TRY(make_durable_directory(environment_, log_directory()));
  ROX_TRY(find_next_number());
  // Our files in the directory without a manifest mean that somebody took it away: it is written
  // before the first of them. Not earlier: once it is there, a foreign log is not looked for any
  // more, and saving what was read from one takes long and may fail.
  const auto announce = [this]() -> Status { return manifest_exists_ ? kOk : note_ended(); };

  Manifest manifest;
  const uint64_t number = next_number_++;
  if (engine_.size() > 0) {
    manifest.base =
        ManifestFile{log_file_name(file_name_, number, LogFileKind::kBase), next_sequence - 1};
    SaveOptions options = snapshotter_.save_options();
    options.sequence = next_sequence - 1;
    options.log_base = true;
    SaveProgress progress;
    options.on_progress = [&](const SaveProgress& now) {
      if (on_progress) on_progress(now);
    };
    const std::string path = path_of(manifest.base->name);
    const std::string temporary = temporary_path(path, environment_.process_id(), number);
    ROX_TRY(write_snapshot(engine_, temporary, options, progress));
    ROX_TRY(announce());
    ROX_TRY(install_file(environment_, temporary, path));
    base_size_ = progress.file_bytes;
  }
  ROX_TRY(announce());
  const ManifestFile increment{log_file_name(file_name_, number, LogFileKind::kIncrement),
                               next_sequence};
  manifest.increments.push_back(increment);
  FileHeader header = new_file_header(environment_, kLogMagic);
  header.sequence = next_sequence;
  auto writer = std::make_unique<AofWriter>(path_of(increment.name), header);
  ROX_TRY(std::shared_ptr<File> file, AofWriter::create_file(environment_, writer->path(), header));
  ROX_TRY(environment_.sync_directory(log_directory()));
  ROX_TRY(replace_manifest(manifest));
  ROX_TRY(clear_log_directory(environment_, engine_.log(), log_directory(), file_name_, manifest_));

  writer->attach(std::move(file), kFileHeaderBytes);
  resting_size_ = 0;
  use_writer(std::move(writer), next_sequence);
  size_after_rewrite_ = size_of_log();
  return kOk;
}

// Makes a whole and synced increment the log's.
void Aof::use_writer(std::unique_ptr<AofWriter> writer, uint64_t sequence) {
  writer_ = std::move(writer);
  synced_size_ = writer_->size();
  next_sequence_ = sequence;
  written_ = synced_ = sequence - 1;
  unsynced_since_ns_ = 0;
  write_error_ = sync_error_ = kOk;
  refusing_since_ns_ = 0;
  update_released();
  if (on_state) on_state();
}

Status Aof::shut_down(bool finish_first) {
  if (wanted_ && serving_ && writer_ == nullptr) {
    // The log is being turned on, or healed: the state in memory begins it at once.
    if (!finish_first) return kOk;
    if (job_running_) return {Code::kBusy, 0, "Writing initial AOF, can't exit"};
    drop_rewrite();
    return begin(next_sequence_, nullptr);
  }
  if (writer_ == nullptr) return kOk;
  // A job that switches increments may go on: whatever it gets done, this file is complete.
  if (rewrite_ != nullptr && !job_running_) drop_rewrite();
  ROX_TRY(writer_->flush());
  ROX_TRY(writer_->file()->sync());
  written_ = synced_ = next_sequence_ - 1;
  // What was whole once must never be taken for a torn tail.
  writer_->note_synced(synced_);
  if (writer_->synced_is_news()) {
    // The next increment has the same sequences, should we stay after all.
    uint64_t sequence = next_sequence_;
    if (rewrite_ != nullptr && rewrite_->next != nullptr) {
      rewrite_->next->append_synced(engine_.now_ms(), sequence);
    }
    writer_->append_synced(engine_.now_ms(), next_sequence_);
    ROX_TRY(writer_->flush());
    ROX_TRY(writer_->file()->sync());
    written_ = synced_ = next_sequence_ - 1;
  }
  synced_size_ = writer_->size();
  static_cast<void>(writer_->trim().ok());
  update_released();
  return kOk;
}

// --- on and off ---------------------------------------------------------------------------------

Status Aof::apply_wanted() {
  if (wanted_) {
    fresh_requested_ = writer_ == nullptr && rewrite_ == nullptr;
    return kOk;
  }
  fresh_requested_ = rewrite_requested_ = false;
  // A job that writes the manifest is let end first; settle() then comes back to it.
  return job_running_ ? kOk : stop();
}

Status Aof::stop() {
  if (writer_ == nullptr && rewrite_ == nullptr && !refuses_writes()) return kOk;
  if (on_stop) on_stop();
  if (rewrite_ != nullptr && rewrite_->child != nullptr) {
    engine_.log().notice("Killing AOF child {}: the append only file is being turned off",
                         rewrite_->child->pid());
  }
  drop_rewrite();
  if (const Status status = shut_down(false); !status.ok()) {
    engine_.log().warning("The append only file ends without its last units: reason={}",
                          describe(status));
  }
  ROX_TRY(note_ended());
  writer_.reset();
  write_error_ = sync_error_ = kOk;
  refusing_since_ns_ = 0;
  unsynced_since_ns_ = 0;
  behind_ = false;
  // Nobody waits for a log that is off.
  written_ = synced_ = next_sequence_ - 1;
  update_released();
  if (on_state) on_state();
  engine_.log().notice("The append only file is off");
  return kOk;
}

Status Aof::note_ended() {
  Manifest manifest = manifest_;
  ROX_TRY(manifest.ended, snapshot_identity(environment_, snapshotter_.path()));
  return replace_manifest(manifest);
}

Status Aof::before_snapshot() {
  const bool has_files = manifest_.base || !manifest_.increments.empty();
  // A log that is wanted and not there yet does not hold what the snapshot will.
  if (is_in_force() || !has_files || manifest_.ended) return kOk;
  // A job that replaces the manifest must have the last word.
  return job_running_ ? Status{Code::kBusy, 0, "the append only file is beginning"} : note_ended();
}

Status Aof::directory_changed(std::string& why) {
  if (writer_ != nullptr || rewrite_ != nullptr || job_running_) {
    why = "the append only file in the old one is in use";
    return {Code::kBusy, 0, "append only file"};
  }
  Manifest manifest;
  const Status status = read_manifest(environment_, manifest_path(), manifest, why);
  if (!status.ok() && status.code != Code::kNotFound) {
    if (why.empty()) why = describe(status);
    return status;
  }
  remember(status.ok() ? std::optional(std::move(manifest)) : std::nullopt);
  leftovers_.clear();
  manifest_uncertain_ = false;
  const Status listed = status.ok() ? find_next_number() : kOk;
  if (!listed.ok()) why = describe(listed);
  return listed;
}

Status Aof::give_up_log() {
  if (!manifest_exists_) {
    // Files without a manifest would be taken for a log whose manifest was lost.
    const Status cleared =
        clear_log_directory(environment_, engine_.log(), log_directory(), file_name_, Manifest{});
    return cleared.code == Code::kNotFound ? kOk : cleared;
  }
  Manifest manifest = manifest_;
  manifest.ended = 0;
  return replace_manifest(manifest);
}

Status Aof::replace_manifest(const Manifest& manifest) {
  const Status status =
      replace_file(environment_, manifest_path(), encode_manifest(manifest), manifests_++);
  manifest_uncertain_ = !status.ok();
  if (!status.ok()) return status;
  manifest_ = manifest;
  manifest_exists_ = true;
  return kOk;
}

Status Aof::find_next_number() {
  ROX_TRY(const std::vector<DirectoryEntry> entries, environment_.list(log_directory()));
  for (const DirectoryEntry& entry : entries) {
    const auto number = log_file_number(file_name_, entry.name);
    if (number) next_number_ = std::max(next_number_, *number + 1);
  }
  return kOk;
}

// Does what is due and could not be done when it was asked for: in the middle of a unit, while a
// job or a child ran, or because it failed.
void Aof::settle() {
  if (!serving_ || job_running_ || engine_.is_aside()) return;
  if (!wanted_ && (writer_ != nullptr || refuses_writes())) {
    const Status status = stop();
    if (!status.ok()) {
      engine_.log().warning("Can't turn the append only file off: reason={}", describe(status));
    }
    return;
  }
  if (rewrite_ != nullptr) return;
  const uint64_t now_ns = environment_.monotonic_ns();
  if ((manifest_uncertain_ || !leftovers_.empty()) && manifest_exists_) {
    if (now_ns >= mend_at_ns_) return mend_manifest();  // which comes back here at its end
    if (manifest_uncertain_) return;
  }
  if (wanted_ && (writer_ == nullptr || fresh_requested_)) {
    // A failure is logged and counted there; it is tried again in time.
    if (now_ns >= rewrite_retry_at_ns_) static_cast<void>(start_rewrite(true).ok());
  } else if (rewrite_requested_ && !snapshotter_.running()) {
    static_cast<void>(start_rewrite(false).ok());
  }
}

void Aof::run_job(std::function<Status()> work, std::function<void(Status)> done) {
  job_running_ = true;
  auto status = std::make_shared<Status>();
  engine_.executor().run([status, work = std::move(work)] { *status = work(); },
                         [this, status, done = std::move(done)] {
                           job_running_ = false;
                           done(*status);
                           settle();
                         });
}

// The disk may hold another manifest than we believe, or files nobody needs: says it again.
void Aof::mend_manifest() {
  mend_at_ns_ = environment_.monotonic_ns() + kSecondNs;
  Manifest manifest = manifest_;
  manifest.retired = leftovers_;
  auto left = std::make_shared<std::vector<std::string>>();
  run_job(
      [environment = &environment_, path = manifest_path(), text = encode_manifest(manifest),
       directory = log_directory(), names = leftovers_, n = manifests_++, left]() -> Status {
        ROX_TRY(replace_file(*environment, path, text, n));
        *left = remove_files(*environment, directory, names);
        return kOk;
      },
      [this, left](Status status) {
        if (!status.ok()) return;
        manifest_uncertain_ = false;
        leftovers_ = *left;
      });
}

// --- rewriting ----------------------------------------------------------------------------------

const SnapshotChild* Aof::child() const {
  return rewrite_ != nullptr && rewrite_->stage != Rewrite::Stage::kInstalling
             ? rewrite_->child.get()
             : nullptr;
}

Aof::RewriteStart Aof::request_rewrite(Status& failure) {
  if (rewrite_ != nullptr) return RewriteStart::kAlreadyRunning;
  if (job_running_ || snapshotter_.running() || engine_.inside_larger_unit()) {
    rewrite_requested_ = true;
    return RewriteStart::kScheduled;
  }
  failure = start_rewrite(refuses_writes());
  return failure.ok() ? RewriteStart::kStarted : RewriteStart::kFailed;
}

void Aof::start_over() { fresh_requested_ = writer_ != nullptr; }

bool Aof::rewrite_is_due(uint64_t now_ns) const {
  if (writer_ == nullptr || rewrite_ != nullptr || rewrite_percentage_ == 0 ||
      now_ns < rewrite_retry_at_ns_ || snapshotter_.running() ||
      size_of_log() <= rewrite_size_min_) {
    return false;
  }
  const uint64_t before = std::max<uint64_t>(size_after_rewrite_, 1);
  const double growth_percent =
      100.0 * static_cast<double>(size_of_log()) / static_cast<double>(before) - 100.0;
  if (growth_percent < static_cast<double>(rewrite_percentage_)) return false;
  engine_.log().notice("Starting automatic rewriting of AOF on {:.0f}% growth", growth_percent);
  return true;
}

uint64_t Aof::size_of_log() const {
  return base_size_ + resting_size_ + (current() != nullptr ? current()->size() : 0);
}

Status Aof::start_rewrite(bool fresh) {
  ROX_ASSERT(rewrite_ == nullptr && !job_running_);
  rewrite_requested_ = fresh_requested_ = false;
  auto rewrite = std::make_shared<Rewrite>();
  rewrite->fresh = fresh || writer_ == nullptr;
  if (const Status status = prepare_rewrite(*rewrite); !status.ok()) {
    rewrite_ = std::move(rewrite);
    abandon_rewrite(describe(status));
    return status;
  }
  rewrite_ = std::move(rewrite);
  engine_.log().notice("Background append only file rewriting started by pid {}",
                       rewrite_->child->pid());
  switch_increments();
  if (on_state) on_state();
  return kOk;
}

Status Aof::prepare_rewrite(Rewrite& rewrite) {
  rewrite.began_ns = environment_.monotonic_ns();
  if (!rewrite.fresh && writer_->waiting_bytes() > 0 && !write()) return write_error_;
  if (!manifest_exists_) ROX_TRY(make_durable_directory(environment_, log_directory()));
  // An older log may lie there that was never loaded: its names are taken.
  if (writer_ == nullptr) ROX_TRY(find_next_number());
  if (!manifest_exists_) ROX_TRY(note_ended());
  const uint64_t number = next_number_++;
  rewrite.sequence = next_sequence_;
  rewrite.base = {log_file_name(file_name_, number, LogFileKind::kBase), next_sequence_ - 1};
  if (wanted_) {
    rewrite.increment = {log_file_name(file_name_, number, LogFileKind::kIncrement),
                         next_sequence_};
    rewrite.header = new_file_header(environment_, kLogMagic);
    rewrite.header.sequence = next_sequence_;
    rewrite.next = std::make_unique<AofWriter>(path_of(rewrite.increment.name), rewrite.header);
  }
  SaveOptions options = snapshotter_.save_options();
  options.sequence = next_sequence_ - 1;
  options.log_base = true;
  ROX_TRY(rewrite.child,
          SnapshotChild::start(engine_, path_of(rewrite.base.name), number, options));
  forks_++;
  last_fork_us_ = rewrite.child->fork_us();
  return kOk;
}

void Aof::switch_increments() {
  Rewrite& rewrite = *rewrite_;
  if (rewrite.next == nullptr) {
    rewrite.stage = Rewrite::Stage::kSaving;
    return;
  }
  if (!rewrite.fresh) {
    rewrite.file = writer_->file();
    rewrite.manifest = manifest_;
    rewrite.manifest.increments.push_back(rewrite.increment);
  }
  // The manifest is ours alone while the job runs.
  run_job(
      [environment = &environment_, shared = rewrite_, directory = log_directory(),
       path = path_of(rewrite.increment.name), manifest_file = manifest_path(),
       n = manifests_++]() -> Status {
        Rewrite& job = *shared;
        if (job.file != nullptr) {
          job.file_status = job.file->sync();
          ROX_TRY(job.file_status);
        }
        ROX_TRY(job.created, AofWriter::create_file(*environment, path, job.header));
        ROX_TRY(environment->sync_directory(directory));
        if (job.fresh) return kOk;
        return replace_file(*environment, manifest_file, encode_manifest(job.manifest), n);
      },
      [this](Status status) { switched(status); });
}

void Aof::switched(Status status) {
  Rewrite& rewrite = *rewrite_;
  rewrite.file.reset();
  if (!status.ok()) {
    if (!rewrite.fresh) manifest_uncertain_ = true;
    leftovers_.push_back(rewrite.increment.name);
    if (!rewrite.file_status.ok() && writer_ != nullptr) sync_failed(rewrite.file_status);
    if (rewrite_ != nullptr) abandon_rewrite(describe(status));
    return;
  }
  if (!rewrite.fresh) manifest_ = rewrite.manifest;
  if (!rewrite.fresh && writer_ == nullptr) return abandon_rewrite("the log before it is broken");
  rewrite.stage = Rewrite::Stage::kSaving;
  rewrite.next->attach(std::move(rewrite.created), kFileHeaderBytes);
  if (rewrite.fresh) return;

  resting_size_ += writer_->size();
  synced_ = std::max(synced_, rewrite.sequence - 1);
  const std::shared_ptr<AofWriter> resting = std::move(writer_);
  engine_.executor().run([resting] { static_cast<void>(resting->trim().ok()); }, [] {});
  writer_ = std::move(rewrite.next);
  synced_size_ = writer_->size();
  if (writer_->waiting_bytes() > 0 && write_error_.ok()) write();
  if (next_sequence_ - 1 <= synced_) unsynced_since_ns_ = 0;
  update_released();
}

void Aof::poll_child() {
  if (rewrite_ == nullptr || rewrite_->stage != Rewrite::Stage::kSaving || job_running_) return;
  switch (rewrite_->child->poll()) {
    case SnapshotChild::State::kRunning:
      return;
    case SnapshotChild::State::kFailed:
      return abandon_rewrite(rewrite_->child->failure());
    case SnapshotChild::State::kSucceeded:
      return install_base();
  }
}

void Aof::install_base() {
  Rewrite& rewrite = *rewrite_;
  last_copied_bytes_ = rewrite.child->progress().copied_bytes;
  // Units that were promised by the old increment must be in the new one before it goes.
  if (!write_error_.ok() && !rewrite.fresh) return;
  AofWriter* const writer = rewrite.next != nullptr ? rewrite.next.get() : writer_.get();
  uint64_t sequence = written_;
  uint64_t size = 0;
  if (rewrite.increment.name.empty()) {
    sequence = rewrite.sequence - 1;
  } else {
    if (rewrite.fresh) {
      if (const Status status = writer->flush(); !status.ok()) {
        return abandon_rewrite(fmt::format("writing {}: {}", writer->path(), describe(status)));
      }
      sequence = next_sequence_ - 1;
    }
    rewrite.file = writer->file();
    size = writer->size();
  }

  rewrite.manifest = {};
  rewrite.manifest.base = rewrite.base;
  if (!rewrite.increment.name.empty()) rewrite.manifest.increments = {rewrite.increment};
  rewrite.manifest.retired = leftovers_;
  if (manifest_.base) rewrite.manifest.retired.push_back(manifest_.base->name);
  for (const ManifestFile& file : manifest_.increments) {
    if (file != rewrite.increment) rewrite.manifest.retired.push_back(file.name);
  }
  if (rewrite.increment.name.empty()) rewrite.manifest.ended = manifest_.ended;
  rewrite.stage = Rewrite::Stage::kInstalling;
  run_job(
      [environment = &environment_, shared = rewrite_, directory = log_directory(),
       manifest_file = manifest_path(), n = manifests_++]() -> Status {
        Rewrite& job = *shared;
        if (job.file != nullptr) {
          job.file_status = job.file->sync();
          ROX_TRY(job.file_status);
        }
        ROX_TRY(job.child->install());
        ROX_TRY(replace_file(*environment, manifest_file, encode_manifest(job.manifest), n));
        job.not_removed = remove_files(*environment, directory, job.manifest.retired);
        return kOk;
      },
      [this, sequence, size](Status status) { installed(status, sequence, size); });
}

// `sequence` and `size`: what the job's sync of the increment has covered.
void Aof::installed(Status status, uint64_t sequence, uint64_t size) {
  Rewrite& rewrite = *rewrite_;
  rewrite.file.reset();
  if (!status.ok()) {
    // Whether the new manifest is on the disk is not known: no file may go.
    manifest_uncertain_ = true;
    leftovers_.push_back(rewrite.base.name);
    if (rewrite.fresh) leftovers_.push_back(rewrite.increment.name);
    if (!rewrite.file_status.ok() && !rewrite.fresh && writer_ != nullptr) {
      sync_failed(rewrite.file_status);
    }
    if (rewrite_ != nullptr) abandon_rewrite(describe(status));
    return;
  }
  manifest_ = rewrite.manifest;
  manifest_.retired.clear();
  leftovers_ = rewrite.not_removed;
  manifest_uncertain_ = false;
  base_size_ = rewrite.child->progress().file_bytes;
  resting_size_ = 0;
  rewrite_failures_ = 0;
  rewrite_retry_at_ns_ = 0;
  const uint64_t duration_ns = environment_.monotonic_ns() - rewrite.began_ns;
  last_rewrite_s_ = static_cast<int64_t>(duration_ns / kSecondNs);

  if (rewrite.fresh && rewrite.next != nullptr) {
    const bool healed = refuses_writes();
    logs_++;
    writer_ = std::move(rewrite.next);
    write_error_ = sync_error_ = kOk;
    refusing_since_ns_ = 0;
    // What came during the job was written as it came, unless it still waits.
    written_ = std::max(written_, writer_->waiting_bytes() == 0 ? next_sequence_ - 1 : sequence);
    unsynced_since_ns_ = environment_.monotonic_ns();
    engine_.log().notice("The append only file is {}: base={}", healed ? "sound again" : "on",
                         rewrite.base.name);
  }
  if (writer_ != nullptr && writer_->file() != nullptr && size > 0) {
    synced_ = std::max(synced_, sequence);
    synced_size_ = size;
    writer_->note_synced(sequence);
  }
  engine_.log().notice(
      "Background AOF rewrite finished successfully: keys={} bytes={} seconds={:.3f}",
      rewrite.child->progress().entries, base_size_, static_cast<double>(duration_ns) / 1e9);
  rewrite_.reset();
  if (writer_ != nullptr && writer_->waiting_bytes() > 0 && write_error_.ok() && !syncing_) write();
  if (next_sequence_ - 1 <= synced_) unsynced_since_ns_ = 0;
  size_after_rewrite_ = size_of_log();
  update_released();
  if (on_state) on_state();
}

void Aof::abandon_rewrite(const std::string& why) {
  const uint64_t pause_ns =
      std::min(kRetryFirstNs << std::min<uint64_t>(rewrite_failures_, 8), kRetryLastNs);
  rewrite_failures_++;
  rewrite_retry_at_ns_ = environment_.monotonic_ns() + pause_ns;
  engine_.log().warning("Background AOF rewrite failed: {}; the files before it stay", why);
  drop_rewrite();
}

void Aof::drop_rewrite() {
  if (rewrite_ == nullptr) return;
  if (rewrite_->fresh && rewrite_->next != nullptr && rewrite_->next->attached()) {
    leftovers_.push_back(rewrite_->increment.name);
  }
  rewrite_.reset();
  if (on_state) on_state();
}

Result<Manifest> Aof::manifest_for_reload() {
  if (!manifest_.base && manifest_.increments.empty()) {
    return user_error("ERR there is no append only file");
  }
  // The files that the manifest still names are being removed.
  if (job_running_) return user_error("ERR the append only file is being rewritten");
  if (writer_ != nullptr) ROX_TRY(writer_->flush());
  return manifest_;
}

void Aof::write_rewrite_info(engine::InfoWriter& info) const {
  const uint64_t now_ns = environment_.monotonic_ns();
  info.field("aof_rewrite_in_progress", rewrite_ != nullptr ? 1 : 0);
  info.field("aof_rewrite_scheduled", rewrite_requested_ ? 1 : 0);
  info.field("aof_last_rewrite_time_sec", last_rewrite_s_);
  info.field(
      "aof_current_rewrite_time_sec",
      rewrite_ != nullptr ? static_cast<int64_t>((now_ns - rewrite_->began_ns) / kSecondNs) : -1);
  info.field("aof_last_bgrewrite_status", rewrite_failures_ == 0 ? "ok" : "err");
  info.field("aof_rewrites", forks_);
  info.field("aof_rewrites_consecutive_failures", rewrite_failures_);
}

}  // namespace roxdb::persist
