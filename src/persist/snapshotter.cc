#include "persist/snapshotter.h"

#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/numbers.h"
#include "persist/files.h"
#include "persist/key_delay.h"

namespace roxdb::persist {
namespace {

// Messages of a child: one letter, then what it says.
constexpr char kProgressMessage = 'p';  // a SaveProgress
constexpr char kDoneMessage = 'd';      // a SaveProgress: the file is complete and on the disk
constexpr char kFailedMessage = 'f';    // why, as text

constexpr uint64_t kProgressEveryNs = 100'000'000;
constexpr uint64_t kCopiedEveryNs = 2'000'000'000;  // asking takes ms on a large process
constexpr uint64_t kRetryFirstNs = 5'000'000'000;
constexpr uint64_t kRetryLastNs = 60'000'000'000;
constexpr int kThreadsMax = 16;
constexpr int kKeepMax = 100;

std::string progress_message(char kind, const SaveProgress& progress) {
  std::string message(1 + sizeof progress, kind);
  std::memcpy(message.data() + 1, &progress, sizeof progress);
  static_assert(sizeof(SaveProgress) < kChildMessageBytesMax);
  return message;
}

// Pages this process has as its own: in a forked child, those that one side has written to since.
// 0 where nobody can tell.
uint64_t copied_bytes(Environment& environment) {
  const auto file = environment.open("/proc/self/smaps_rollup", OpenMode::kRead);
  if (!file.ok()) return 0;
  char bytes[4096];
  const auto size = read_fully(**file, 0, bytes, sizeof bytes);
  if (!size.ok()) return 0;
  std::string_view text(bytes, *size);
  constexpr std::string_view kField = "Private_Dirty:";
  const size_t at = text.find(kField);
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + kField.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return parse_uint64(text.substr(0, text.find(' '))).value_or(0) * 1024;
}

// What the child does.
int save_in_child(engine::Engine& engine, const std::string& temporary, SaveOptions options,
                  ChildChannel& channel) {
  Environment& environment = engine.environment();
  uint64_t told_at_ns = environment.monotonic_ns();
  uint64_t copied_at_ns = told_at_ns;
  uint64_t copied = 0;
  const auto tell = [&](SaveProgress progress) {
    const uint64_t now_ns = environment.monotonic_ns();
    if (now_ns - told_at_ns < kProgressEveryNs) return;
    told_at_ns = now_ns;
    if (now_ns - copied_at_ns >= kCopiedEveryNs) {
      copied_at_ns = now_ns;
      copied = copied_bytes(environment);
    }
    progress.copied_bytes = copied;
    // A parent that is gone takes this process with it: nobody is left to act on an error.
    static_cast<void>(channel.send(progress_message(kProgressMessage, progress)).ok());
  };
  KeyDelay delay(environment, options.key_delay_us);
  options.on_progress = [&](const SaveProgress& progress) {
    tell(progress);
    delay.keys_done(progress.entries, [&] { tell(progress); });
  };
  SaveProgress progress;
  const Status status = write_snapshot(engine, temporary, options, progress);
  if (!status.ok()) {
    std::string message = kFailedMessage + describe(status);
    message.resize(std::min(message.size(), kChildMessageBytesMax));
    static_cast<void>(channel.send(message).ok());
    return 1;
  }
  progress.copied_bytes = copied_bytes(environment);
  return channel.send(progress_message(kDoneMessage, progress)).ok() ? 0 : 1;
}

}  // namespace

// --- SnapshotChild -------------------------------------------------------------------------------

SnapshotChild::SnapshotChild(engine::Engine& engine, std::string path, std::string temporary,
                             int older)
    : engine_(engine), path_(std::move(path)), temporary_(std::move(temporary)), older_(older) {}

Result<std::unique_ptr<SnapshotChild>> SnapshotChild::start(engine::Engine& engine,
                                                            const std::string& path, uint64_t n,
                                                            const SaveOptions& options) {
  Environment& environment = engine.environment();
  const std::string temporary = temporary_path(path, environment.process_id(), n);
  std::unique_ptr<SnapshotChild> child(new SnapshotChild(engine, path, temporary, options.older));
  child->progress_.entries_total = engine.size();
  const uint64_t began_ns = environment.monotonic_ns();
  ROX_TRY(child->child_, environment.fork([&engine, temporary, options](ChildChannel& channel) {
    return save_in_child(engine, temporary, options, channel);
  }));
  engine.freeze_access = true;
  child->heard_at_ns_ = environment.monotonic_ns();
  child->fork_us_ = (child->heard_at_ns_ - began_ns) / 1000;
  engine.forked(child->heard_at_ns_ - began_ns);
  return child;
}

SnapshotChild::~SnapshotChild() {
  if (child_ == nullptr) return;
  const pid_t pid = child_->pid();
  child_.reset();  // kills and reaps: from here on nobody writes to the file
  if (state_ == State::kRunning) engine_.freeze_access = false;
  if (installed_) return;
  const Status status = engine_.environment().remove(temporary_);
  if (!status.ok() && status.code != Code::kNotFound) {
    engine_.log().warning("Could not remove a temporary file: file={} child={} reason={}",
                          temporary_, pid, describe(status));
  }
}

SnapshotChild::State SnapshotChild::poll() {
  if (state_ != State::kRunning) return state_;
  const ChildState ended = child_->poll();
  receive();
  if (ended.exited) {
    end(ended);
  } else if (engine_.environment().monotonic_ns() - heard_at_ns_ > kChildSilenceNsMax) {
    // Not waited for: a disk that hangs may keep it from dying at once.
    child_->kill();
    silenced_ = true;
  }
  return state_;
}

SnapshotChild::State SnapshotChild::wait() {
  if (state_ != State::kRunning) return state_;
  const ChildState ended = child_->wait();
  receive();
  end(ended);
  return state_;
}

void SnapshotChild::receive() {
  std::string message;
  while (child_->receive(message)) {
    heard_at_ns_ = engine_.environment().monotonic_ns();
    const std::string_view body = std::string_view(message).substr(1);
    if (message[0] == kFailedMessage) {
      failure_ = body;
    } else if (body.size() == sizeof progress_) {
      std::memcpy(&progress_, body.data(), sizeof progress_);
      reported_ = message[0] == kDoneMessage;
    }
  }
}

void SnapshotChild::end(const ChildState& ended) {
  engine_.freeze_access = false;
  if (ended.signal == 0 && ended.exit_code == 0 && reported_) {
    state_ = State::kSucceeded;
    return;
  }
  state_ = State::kFailed;
  if (silenced_) {
    failure_ = fmt::format("child {} made no progress for {} s and was killed", child_->pid(),
                           kChildSilenceNsMax / 1'000'000'000);
  } else if (ended.signal != 0) {
    failure_ = fmt::format("child {} was killed by signal {}", child_->pid(), ended.signal);
  } else if (failure_.empty()) {
    failure_ = fmt::format("child {} left with code {}", child_->pid(), ended.exit_code);
  }
}

Status SnapshotChild::install() {
  ROX_ASSERT(state_ == State::kSucceeded && !installed_);
  ROX_TRY(install_generation(engine_.environment(), temporary_, path_, older_));
  installed_ = true;
  return kOk;
}

// --- Snapshotter ---------------------------------------------------------------------------------

// Guarded by the mutex: `done` and `status`. `owner` belongs to the thread that owns the data; null
// when nobody waits for the end any more.
struct Snapshotter::Installation {
  Snapshotter* owner;
  std::mutex mutex;
  std::condition_variable ended;
  bool done = false;
  Status status;

  void run(SnapshotChild& child) {
    const Status result = child.install();
    const std::lock_guard guard(mutex);
    status = result;
    done = true;
    ended.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex);
    ended.wait(lock, [this] { return done; });
  }
};

Snapshotter::Snapshotter(engine::Engine& engine, const std::string& directory)
    : engine_(engine), directory_(directory), last_save_s_(engine.environment().now_ms() / 1000) {
  engine::Settings& settings = engine.settings;
  engine::Setting& name =
      settings.add_string("dbfilename", &file_name_, engine::Setting::kProtected);
  name.set = [this](std::span<const std::string> words, std::string& why) {
    if (words.size() != 1 || words[0].empty() || words[0] == "." || words[0] == ".." ||
        words[0].find('/') != std::string::npos) {
      why = "dbfilename can't be a path, just a filename";
      return false;
    }
    file_name_ = words[0];
    return true;
  };
  settings.add_bool("rdbcompression", &compress_);
  settings.add_integer("snapshot-threads", &threads_, 0, kThreadsMax);
  settings.add_integer("rdb-key-save-delay", &key_delay_us_, INT32_MIN, INT32_MAX,
                       engine::Setting::kHidden);
  settings.add_memory("snapshot-write-rate", &write_rate_, 0, uint64_t{1} << 40);
  settings.add_integer("snapshot-keep", &keep_, 1, kKeepMax);
}

Snapshotter::~Snapshotter() {
  if (installation_ == nullptr) return;
  installation_->wait();  // it uses the child
  installation_->owner = nullptr;
}

std::string Snapshotter::path() const { return directory_ + "/" + file_name_; }

SaveOptions Snapshotter::save_options() const {
  SaveOptions options;
  options.threads = threads();
  options.compress = compress_;
  options.key_delay_us = key_delay_us_;
  return options;
}

Status Snapshotter::start(uint64_t sequence) {
  if (running()) return {Code::kBusy, 0, "a snapshot is being saved"};
  SaveOptions options = save_options();
  options.sequence = sequence;
  options.older = static_cast<int>(keep_ - 1);
  options.bytes_per_second_max = write_rate_;
  started_at_ns_ = engine_.environment().monotonic_ns();
  dirty_at_start_ = engine_.dirty;
  auto child = SnapshotChild::start(engine_, path(), children_++, options);
  if (!child.ok()) {
    engine_.log().warning(
        "Can't save in background: {}; a process this large needs memory overcommit "
        "(vm.overcommit_memory=1) to fork",
        describe(child.status()));
    note_end(false);
    return child.status();
  }
  child_ = *std::move(child);
  forks_++;
  last_fork_us_ = child_->fork_us();
  engine_.log().notice("Background saving started by pid {}", child_->pid());
  return kOk;
}

void Snapshotter::poll() {
  if (!running() || installation_ != nullptr) return;
  const bool ended = child_->poll() != SnapshotChild::State::kRunning;
  copied_bytes_peak_ = std::max(copied_bytes_peak_, child_->progress().copied_bytes);
  if (ended) child_ended();
}

void Snapshotter::wait() {
  if (running() && installation_ == nullptr) {
    child_->wait();
    child_ended();
  }
  if (installation_ != nullptr) {
    installation_->wait();
    installed();
  }
}

void Snapshotter::cancel() {
  if (!running()) return;
  if (installation_ != nullptr) return wait();  // too late to be undone
  child_.reset();
  engine_.log().notice("Background saving cancelled");
}

void Snapshotter::child_ended() {
  if (child_->state() == SnapshotChild::State::kFailed) {
    return background_ended(std::string(child_->failure()));
  }
  auto installation = std::make_shared<Installation>();
  installation->owner = this;
  installation_ = installation;
  engine_.executor().run([installation, child = child_.get()] { installation->run(*child); },
                         [installation] {
                           if (installation->owner != nullptr) installation->owner->installed();
                         });
}

void Snapshotter::installed() {
  const std::shared_ptr<Installation> installation = std::exchange(installation_, nullptr);
  installation->owner = nullptr;
  background_ended(installation->status.ok() ? std::string() : describe(installation->status));
}

void Snapshotter::background_ended(const std::string& why) {
  const SaveProgress progress = child_->progress();
  child_.reset();
  last_copied_bytes_ = progress.copied_bytes;
  last_duration_s_ = seconds_since(started_at_ns_);
  if (why.empty()) {
    engine_.dirty -= std::min(engine_.dirty, dirty_at_start_);
    engine_.log().notice("Background saving terminated with success: keys={} bytes={} copied={}",
                         progress.entries, progress.file_bytes, progress.copied_bytes);
  } else {
    engine_.log().warning("Background saving failed: {}", why);
  }
  note_end(why.empty());
}

int64_t Snapshotter::seconds_since(uint64_t began_ns) const {
  return static_cast<int64_t>((engine_.environment().monotonic_ns() - began_ns) / 1'000'000'000);
}

Status Snapshotter::save(uint64_t sequence) {
  if (running()) return {Code::kBusy, 0, "a snapshot is being saved"};
  SaveOptions options = save_options();
  options.sequence = sequence;
  options.older = static_cast<int>(keep_ - 1);
  const Status status = save_snapshot(engine_, path(), options);
  if (status.ok()) {
    engine_.dirty = 0;
    engine_.log().notice("DB saved on disk");
  } else {
    engine_.log().warning("Saving failed: {}", describe(status));
  }
  note_end(status.ok());
  return status;
}

void Snapshotter::note_end(bool ok) {
  if (ok) {
    last_save_s_ = engine_.environment().now_ms() / 1000;
    saves_++;
    failures_ = 0;
    retry_at_ns_ = 0;
  } else {
    const uint64_t pause_ns = kRetryFirstNs << std::min<uint64_t>(failures_, 8);
    retry_at_ns_ = engine_.environment().monotonic_ns() + std::min(pause_ns, kRetryLastNs);
    failures_++;
  }
  if (on_end) on_end(ok);
}

void Snapshotter::note_load(const LoadResult& result) {
  loaded_entries_ = result.entries_kept;
  loaded_expired_ = result.expired;
}

void Snapshotter::write_info(engine::InfoWriter& info, const SnapshotChild* other) const {
  const SnapshotChild* child = running() ? child_.get() : other;
  const SaveProgress progress = child != nullptr ? child->progress() : SaveProgress{};
  const double done = progress.entries_total == 0 ? 0.0
                                                  : 100.0 * static_cast<double>(progress.entries) /
                                                        static_cast<double>(progress.entries_total);
  info.field("current_cow_peak", std::max(copied_bytes_peak_, progress.copied_bytes));
  info.field("current_cow_size", progress.copied_bytes);
  info.field("current_cow_size_age", 0);
  info.line("current_fork_perc", "{:.2f}", done);
  info.field("current_save_keys_processed", progress.entries);
  info.field("current_save_keys_total", progress.entries_total);
  info.field("rdb_changes_since_last_save", engine_.dirty);
  info.field("rdb_bgsave_in_progress", running() ? 1 : 0);
  info.field("rdb_last_save_time", last_save_s_);
  info.field("rdb_last_bgsave_status", last_ok() ? "ok" : "err");
  info.field("rdb_last_bgsave_time_sec", last_duration_s_);
  info.field("rdb_current_bgsave_time_sec", running() ? seconds_since(started_at_ns_) : -1);
  info.field("rdb_saves", saves_);
  info.field("rdb_last_cow_size", last_copied_bytes_);
  info.field("rdb_last_load_keys_expired", loaded_expired_);
  info.field("rdb_last_load_keys_loaded", loaded_entries_);
}

}  // namespace roxdb::persist
