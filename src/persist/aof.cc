// aof.cc: the way of the units: memory, file, sync, release; and trouble with any of them. Turning
// on and off and rewriting are in aof_rewrite.cc.
#include "persist/aof.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/latency_events.h"
#include "persist/aof_rewrite.h"
#include "persist/files.h"

namespace roxdb::persist {
namespace {

constexpr uint64_t kMsNs = 1'000'000;
constexpr uint64_t kSyncEveryNs = 1'000 * kMsNs;
constexpr uint64_t kUnsyncedNsMax = 2'000 * kMsNs;  // E7
// So much waits in memory behind a slow sync, whatever the policy; then writers wait.
constexpr uint64_t kWaitingBytesMax = 64u << 20;
// A disk whose slowest sync was shorter lately is waited for on the loop, up to so many bytes.
constexpr uint64_t kQuickSyncUsMax = 1'000;
constexpr uint64_t kQuickSyncBytesMax = 1u << 20;
constexpr uint64_t kRetryFirstNs = 100 * kMsNs;
constexpr uint64_t kRetryLastNs = 1'000 * kMsNs;
constexpr uint64_t kLogEveryNs = 30'000 * kMsNs;

bool is_file_name(std::span<const std::string> words, std::string& why) {
  if (words.size() == 1 && !words[0].empty() && words[0] != "." && words[0] != ".." &&
      words[0].find_first_of("/\r\n") == std::string::npos) {
    return true;
  }
  why = "it must be the name of a file, without a path";
  return false;
}

}  // namespace

Aof::Aof(engine::Engine& engine, const std::string& directory, Snapshotter& snapshotter)
    : engine_(engine),
      environment_(engine.environment()),
      directory_(directory),
      snapshotter_(snapshotter) {
  register_settings();
}

Aof::~Aof() { ROX_ASSERT(!syncing_ && !making_room_ && !storing_ahead_ && !job_running_); }

void Aof::register_settings() {
  engine::Settings& settings = engine_.settings;
  settings.add_bool("appendonly", &wanted_).apply = [this](std::string& why) {
    if (!serving_) return true;
    const Status status = apply_wanted();
    if (!status.ok()) why = describe(status);
    return status.ok();
  };
  settings.add_choice("appendfsync", &policy_, {"everysec", "always", "no"}).apply =
      [this](std::string&) {
        // Replies that wait for what the new policy does not ask for may go.
        if (recording()) update_released();
        return true;
      };
  settings.add_bool("no-appendfsync-on-rewrite", &no_sync_on_rewrite_);
  settings.add_integer("auto-aof-rewrite-percentage", &rewrite_percentage_, 0, INT32_MAX);
  settings.add_memory("auto-aof-rewrite-min-size", &rewrite_size_min_, 0, INT64_MAX);
  settings.add_bool("aof-load-truncated", &load_truncated_);
  settings.add_bool("aof-exit-on-error", &exit_on_error_);
  settings.add_integer("aof-write-deadline", &write_deadline_ms_, 0, INT32_MAX);
  const auto add_name = [&settings](std::string_view name, std::string* value) {
    settings.add_string(name, value, engine::Setting::kImmutable).set =
        [value](std::span<const std::string> words, std::string& why) {
          if (!is_file_name(words, why)) return false;
          *value = words[0];
          return true;
        };
  };
  add_name("appendfilename", &file_name_);
  add_name("appenddirname", &directory_name_);
}

std::string Aof::log_directory() const { return directory_ + "/" + directory_name_; }
std::string Aof::manifest_path() const { return path_of(manifest_name(file_name_)); }

AofWriter* Aof::current() const {
  if (writer_ != nullptr) return writer_.get();
  if (rewrite_ == nullptr || rewrite_->next == nullptr || !rewrite_->next->attached()) {
    return nullptr;
  }
  return rewrite_->next.get();
}

// --- units --------------------------------------------------------------------------------------

void Aof::append(std::span<const engine::LogCommand> commands) {
  const int64_t time_ms = engine_.now_ms();
  if (__builtin_expect(rewrite_ != nullptr && rewrite_->next != nullptr, 0)) {
    // The same sequences in both files, so no `synced` records: what is synced differs.
    uint64_t sequence = next_sequence_;
    rewrite_->next->append(commands, time_ms, sequence);
    if (writer_ == nullptr) next_sequence_ = sequence;
  } else if (__builtin_expect(writer_ != nullptr && writer_->synced_is_news(), 0)) {
    writer_->append_synced(time_ms, next_sequence_);
  }
  if (writer_ != nullptr) writer_->append(commands, time_ms, next_sequence_);
}

uint64_t Aof::end_turn() {
  if (fresh_requested_ || rewrite_requested_) settle();
  AofWriter* const writer = current();
  if (writer == nullptr) return 0;
  const uint64_t last = next_sequence_ - 1;
  if (writer->waiting_bytes() == 0 && released_ >= last) return 0;

  // While writes are refused, reads go on; only the turn that could not be stored waits (E3). A log
  // that is being turned on promises nothing yet.
  const bool promises = writer_ != nullptr && !refuses_writes();
  in_end_turn_ = true;
  const uint64_t now_ns = environment_.monotonic_ns();
  if (writer->waiting_bytes() > 0) {
    if (unsynced_since_ns_ == 0) unsynced_since_ns_ = now_ns;
    // A write could wait for the sync, and with it the loop. Under `no` there is nothing to hold
    // back for: the only syncs are a rewrite's, and what a reply means there is that the kernel has
    // the record.
    const bool may_write = !syncing_ || policy() == Policy::kNo;
    if (may_write && write_error_.ok()) write();
  }
  if (sync_is_due(now_ns)) start_sync(now_ns);
  update_pressure(now_ns);
  update_released();
  in_end_turn_ = false;
  return !promises || released_ >= last ? 0 : last;
}

bool Aof::write() {
  const Status status = current()->flush();
  // A log that is not in force yet: the bytes stay in memory and are tried again, at the latest
  // when it is to come into force.
  if (writer_ == nullptr) return status.ok();
  if (status.ok()) {
    written_ = next_sequence_ - 1;
    if (policy() == Policy::kEverySecond && !storing_ahead_ && writer_->take_store_ahead()) {
      store_ahead();
    }
  } else {
    write_failed(status);
  }
  return status.ok();
}

void Aof::tick() {
  const uint64_t now_ns = environment_.monotonic_ns();
  if (!write_error_.ok() && sync_error_.ok() && now_ns >= retry_at_ns_ && !syncing_ &&
      writer_ != nullptr && write()) {
    write_recovered();
  }
  if (sync_is_due(now_ns)) start_sync(now_ns);
  poll_child();
  if (rewrite_is_due(now_ns)) rewrite_requested_ = true;
  settle();
  update_pressure(now_ns);
}

// --- syncs --------------------------------------------------------------------------------------

bool Aof::sync_is_due(uint64_t now_ns) const {
  if (syncing_ || writer_ == nullptr || !sync_error_.ok() || written_ <= synced_) return false;
  switch (policy()) {
    case Policy::kAlways:
      return true;
    case Policy::kEverySecond:
      return now_ns - sync_started_ns_ >= kSyncEveryNs &&
             !(no_sync_on_rewrite_ && (child() != nullptr || snapshotter_.running()));
    case Policy::kNo:
      return false;
  }
  return false;
}

bool Aof::sync_is_quick() const {
  // A job may be syncing the same file: the loop must not queue behind it.
  return policy() == Policy::kAlways && !making_room_ && !job_running_ &&
         slow_sync_us_ <= kQuickSyncUsMax && writer_->size() - synced_size_ <= kQuickSyncBytesMax;
}

void Aof::start_sync(uint64_t now_ns) {
  struct Sync {
    std::shared_ptr<File> file;
    uint64_t sequence;
    uint64_t size;
    uint64_t log;
    Status status;
    uint64_t duration_us;
  };
  syncing_ = true;
  sync_started_ns_ = now_ns;
  auto sync = std::make_shared<Sync>();
  sync->file = writer_->file();
  sync->sequence = written_;
  sync->size = writer_->size();
  sync->log = logs_;
  const auto run = [this, &sync = *sync, quick = sync_is_quick()](auto work, auto done) {
    if (!quick) return engine_.executor().run(std::move(work), std::move(done));
    work();
    engine_.stalled(engine::Cause::kLogSync, sync.duration_us * 1000);
    done();
  };
  run(
      [sync, environment = &environment_] {
        const uint64_t began_ns = environment->monotonic_ns();
        sync->status = sync->file->sync();
        sync->duration_us = (environment->monotonic_ns() - began_ns) / 1000;
      },
      [this, sync] {
        syncing_ = false;
        last_sync_us_ = sync->duration_us;
        if (policy() == Policy::kAlways) {
          engine::report_latency(engine_.services, "aof-fsync-always", sync->duration_us * 1000);
        }
        // One slow sync counts at once, a quick one little: whoever waited on the loop for the
        // first one shall not wait for a second.
        if (!making_room_) slow_sync_us_ = std::max(last_sync_us_, slow_sync_us_ / 8 * 7);
        const bool in_use = writer_ != nullptr && writer_->file() == sync->file;
        if (!sync->status.ok()) {
          // Of a file that is not written to any more, a rewrite has made sure already.
          if (in_use) sync_failed(sync->status);
          return;
        }
        if (in_use) {
          synced_size_ = sync->size;
          writer_->note_synced(sync->sequence);
        }
        // What it says of another log, one that a fresh rewrite has replaced, is no news here.
        if (sync->log == logs_) synced_ = std::max(synced_, sync->sequence);
        sync_ended();
      });
}

void Aof::sync_ended() {
  last_sync_error_ = 0;
  if (policy() == Policy::kAlways && !making_room_ && writer_ != nullptr && writer_->wants_room()) {
    make_room();
  }
  unsynced_since_ns_ = next_sequence_ - 1 > synced_ ? sync_started_ns_ : 0;
  if (current() != nullptr && current()->waiting_bytes() > 0 && write_error_.ok()) write();
  const uint64_t now_ns = environment_.monotonic_ns();
  if (sync_is_due(now_ns)) start_sync(now_ns);
  update_pressure(now_ns);
  update_released();
}

// Its sync may be the one that hears of a failure to store records: it counts like any other.
void Aof::make_room() {
  making_room_ = true;
  auto status = std::make_shared<Status>();
  engine_.executor().run(
      [status, file = writer_->file(), offset = writer_->take_room()] {
        // A disk that is nearly full has none to give; it may still take the records.
        static_cast<void>(file->make_room(offset, AofWriter::kRoomBytes).ok());
        *status = file->sync();
      },
      [this, status, file = writer_->file()] {
        making_room_ = false;
        if (status->ok() || writer_ == nullptr) return;
        // A file at rest may have lost what is in no base yet.
        writer_->file() == file ? sync_failed(*status) : start_over();
      });
}

// The log of a busy second fills more memory than its sync should have to write, and than it is
// worth: nobody reads it.
void Aof::store_ahead() {
  storing_ahead_ = true;
  engine_.executor().run(
      [file = writer_->file(), size = writer_->size()] { file->store_ahead(size); },
      [this] { storing_ahead_ = false; });
}

void Aof::update_released() {
  uint64_t released = policy() == Policy::kAlways ? synced_ : written_;
  // E7: these wait in memory for the sync to end, two seconds at most; then replies wait, too.
  if (policy() == Policy::kEverySecond && syncing_ && !behind_ && !refuses_writes()) {
    released = next_sequence_ - 1;
  }
  if (released <= released_) return;
  released_ = released;
  if (!in_end_turn_ && on_release) on_release();
}

void Aof::update_pressure(uint64_t now_ns) {
  bool behind = false;
  if (syncing_ && current() != nullptr) {
    const bool too_old = policy() == Policy::kEverySecond && unsynced_since_ns_ != 0 &&
                         now_ns - unsynced_since_ns_ > kUnsyncedNsMax;
    behind = too_old || current()->waiting_bytes() > kWaitingBytesMax;
  }
  if (behind == std::exchange(behind_, behind)) return;
  if (behind) {
    delayed_syncs_++;
    engine_.log().warning(
        "Asynchronous AOF fsync is taking too long (disk is busy?). Writers wait for it: "
        "waiting={} bytes",
        current()->waiting_bytes());
  }
  if (on_state) on_state();
}

// --- trouble ------------------------------------------------------------------------------------

void Aof::write_failed(Status status) {
  const uint64_t now_ns = environment_.monotonic_ns();
  const bool first = write_error_.ok();
  write_error_ = status;
  retry_delay_ns_ = first ? kRetryFirstNs : std::min(2 * retry_delay_ns_, kRetryLastNs);
  retry_at_ns_ = now_ns + retry_delay_ns_;
  unlogged_errors_++;
  if (first || now_ns - logged_at_ns_ >= kLogEveryNs) {
    engine_.log().warning(
        "Error writing to the AOF file, writes are refused: file={} reason={} attempts={}",
        writer_->path(), describe(status), unlogged_errors_);
    logged_at_ns_ = now_ns;
    unlogged_errors_ = 0;
  }
  refuse_writes(status);
}

void Aof::write_recovered() {
  write_error_ = kOk;
  refusing_since_ns_ = 0;
  engine_.log().warning("AOF write error looks solved, writes are accepted again: file={}",
                        writer_->path());
  const uint64_t now_ns = environment_.monotonic_ns();
  if (sync_is_due(now_ns)) start_sync(now_ns);
  update_released();
  if (on_state) on_state();
}

// The kernel may have thrown the pages away: nothing more is written to this file. The state in
// memory begins a new log (E4).
void Aof::sync_failed(Status status) {
  sync_error_ = status;
  last_sync_error_ = status.os_error;
  engine_.log().warning(
      "Can't persist AOF for fsync error, writes are refused until a new log stands: file={} "
      "reason={}",
      writer_->path(), describe(status));
  logs_++;
  write_error_ = kOk;
  resting_size_ += writer_->size();
  writer_.reset();
  rewrite_retry_at_ns_ = 0;
  refuse_writes(status);
  if (rewrite_ != nullptr && !job_running_) drop_rewrite();
  settle();
}

void Aof::refuse_writes(Status status) {
  if (refusing_since_ns_ == 0) refusing_since_ns_ = environment_.monotonic_ns();
  refusal_ =
      fmt::format("MISCONF Errors writing to the AOF file: {}", std::strerror(status.os_error));
  if (on_state) on_state();
  if (exit_on_error_ && on_fatal) on_fatal(kExitLogUnwritable);
}

bool Aof::write_deadline_passed() const {
  return refuses_writes() && write_deadline_ms_ > 0 &&
         environment_.monotonic_ns() - refusing_since_ns_ >=
             static_cast<uint64_t>(write_deadline_ms_) * kMsNs;
}

// --- how it stands ------------------------------------------------------------------------------

std::vector<Aof::FileInUse> Aof::files_in_use() const {
  std::vector<FileInUse> files;
  if (writer_ == nullptr) return files;
  if (manifest_.base) files.push_back({path_of(manifest_.base->name), true, UINT64_MAX});
  for (const ManifestFile& file : manifest_.increments) {
    const std::string path = path_of(file.name);
    files.push_back({path, false, path == writer_->path() ? writer_->size() : UINT64_MAX});
  }
  return files;
}

bool Aof::at_rest() const {
  return !syncing_ && !making_room_ && !storing_ahead_ && !job_running_ && rewrite_ == nullptr &&
         !behind_ && !refuses_writes();
}

size_t Aof::waiting_bytes() const {
  const AofWriter* const writer = current();
  return writer != nullptr ? writer->waiting_bytes() : 0;
}

void Aof::write_info(engine::InfoWriter& info) const {
  const AofWriter* const writer = current();
  const uint64_t now_ns = environment_.monotonic_ns();
  const bool writes_ok = !refuses_writes();
  info.field("aof_enabled", enabled() ? 1 : 0);
  write_rewrite_info(info);
  info.field("aof_last_write_status", writes_ok ? "ok" : "err");
  info.field("aof_last_cow_size", last_copied_bytes_);
  info.field("module_fork_in_progress", 0);
  info.field("module_fork_last_cow_size", 0);
  if (!enabled()) return;
  const uint64_t size = writer != nullptr ? writer->size() : 0;
  const uint64_t waiting = waiting_bytes();
  info.field("aof_current_size", base_size_ + resting_size_ + size);
  info.field("aof_base_size", size_after_rewrite_);
  info.field("aof_pending_rewrite", fresh_requested_ || rewrite_requested_ ? 1 : 0);
  info.field("aof_buffer_length", waiting);
  info.field("aof_pending_bio_fsync", syncing_ ? 1 : 0);
  info.field("aof_delayed_fsync", delayed_syncs_);
  info.line("aof_last_sync_ms", "{:.3f}", static_cast<double>(last_sync_us_) / 1000);
  info.field("aof_last_sync_error",
             last_sync_error_ == 0 ? "none" : std::strerror(last_sync_error_));
  info.field("aof_unsynced_bytes", waiting + (size > synced_size_ ? size - synced_size_ : 0));
  info.field("aof_unsynced_age_ms",
             unsynced_since_ns_ != 0 ? (now_ns - unsynced_since_ns_) / kMsNs : 0);
}

}  // namespace roxdb::persist
