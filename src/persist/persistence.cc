#include "persist/persistence.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/numbers.h"
#include "persist/files.h"
#include "persist/persistence_state.h"

namespace roxdb::persist {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kProgressEveryNs = 5'000'000;
constexpr uint64_t kProgressLogNs = 5 * kSecondNs;
constexpr int kSinkOrder = 0;

constexpr Status kSnapshotMisconf = user_error(
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to "
    "disk. Commands that may modify the data set are disabled, because this instance is configured "
    "to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error "
    "option). Please check the Redis logs for details about the RDB error.");

bool read_save_points(std::span<const std::string> words, std::vector<SavePoint>& points) {
  if (words.size() % 2 != 0) return false;
  for (size_t i = 0; i < words.size(); i += 2) {
    const auto seconds = parse_int64(words[i]);
    const auto changes = parse_int64(words[i + 1]);
    if (!seconds || *seconds < 1 || !changes || *changes < 0) return false;
    points.push_back({*seconds, static_cast<uint64_t>(*changes)});
  }
  return true;
}

double per_second(uint64_t amount, uint64_t ns) {
  return ns == 0 ? 0 : static_cast<double>(amount) * 1e9 / static_cast<double>(ns);
}

double percent(const LoadProgress& progress) {
  if (progress.file_bytes_total == 0) return 0;
  return 100.0 * static_cast<double>(progress.file_bytes) /
         static_cast<double>(progress.file_bytes_total);
}

}  // namespace

// --- State --------------------------------------------------------------------------------------

Persistence::State::State(Persistence& owner, engine::Engine& engine_used, int order)
    : persistence(owner),
      engine(engine_used),
      gate_order(order),
      snapshotter(engine, directory),
      aof(engine, directory, snapshotter),
      scrubber(engine, snapshotter, aof),
      load_delay(engine.environment(), load_delay_us) {
  saved_at_ns = engine.environment().monotonic_ns();
  snapshotter.on_end = [this](bool ok) {
    if (ok) {
      saved_at_ns = engine.environment().monotonic_ns();
      flush_unsaved = false;
      scrubber.note_verified();
    }
    rearm();
  };
  scrubber.on_bad = [this](Scrubber::Bad bad) {
    Status failure;
    // What fails is logged there, and found bad again soon.
    if (bad == Scrubber::Bad::kLog) {
      static_cast<void>(aof.request_rewrite(failure));
    } else {
      static_cast<void>(persistence.request_save(true, failure));
    }
  };
  aof.on_state = [this] { rearm(); };
  aof.on_stop = [this] {
    // A snapshot that appears behind the end of the log counts as newer (manifest.h). One that was
    // begun before is older: it begins anew.
    if (!snapshotter.running()) return;
    snapshotter.cancel();
    save_scheduled = true;
  };
  aof.on_release = [this] {
    if (persistence.on_release) persistence.on_release();
  };
  aof.on_fatal = [this](int exit_code) {
    if (persistence.on_fatal) persistence.on_fatal(exit_code);
  };
  register_settings();
  engine.info.add("persistence", [this](engine::InfoWriter& info) { write_info(info); });
  engine.info.add("memory", [this](engine::InfoWriter& info) {
    info.field("mem_aof_buffer", aof.waiting_bytes());
  });
  engine.info.add("stats", [this](engine::InfoWriter& info) {
    info.field("total_forks", snapshotter.forks() + aof.forks());
    info.field("latest_fork_usec", std::max(snapshotter.last_fork_us(), aof.last_fork_us()));
  });
}

void Persistence::State::register_settings() {
  engine::Settings& settings = engine.settings;
  engine::Setting& dir = settings.add_string("dir", &directory, engine::Setting::kProtected);
  // Whoever asks for it looks for files there, and has another working directory.
  dir.get = [this] { return engine.environment().absolute_path(directory); };
  dir.default_text = dir.get();
  dir.set = [this](std::span<const std::string> words, std::string& why) {
    if (words.size() != 1 || words[0].empty()) {
      why = "it must be the path of a directory";
      return false;
    }
    if (loading) {
      why = "it cannot be changed while data is loaded";
      return false;
    }
    Environment& environment = engine.environment();
    if (serving && environment.absolute_path(words[0]) != environment.absolute_path(directory)) {
      if (aof.recording()) {
        why = "the append only file is in the old one: turn it off first";
        return false;
      }
      pid_t holder = 0;
      auto taken = environment.lock_directory(words[0], holder);
      if (!taken.ok()) {
        why = describe(taken.status());
        return false;
      }
      const std::string old = std::exchange(directory, words[0]);
      if (!aof.directory_changed(why).ok()) {
        directory = old;
        return false;
      }
      lock = *std::move(taken);
    }
    directory = words[0];
    return true;
  };
  settings.add_bool("stop-writes-on-bgsave-error", &stop_writes_on_save_error).apply =
      [this](std::string&) {
        rearm();
        return true;
      };
  settings.add_choice("rdb-version-check", &version_check, {"strict", "relaxed"});
  settings.add_integer("key-load-delay", &load_delay_us, INT32_MIN, INT32_MAX,
                       engine::Setting::kHidden);

  engine::Setting save;
  save.name = "save";
  save.flags = engine::Setting::kMultiple;
  save.get = [this] {
    std::string text;
    for (const SavePoint& point : save_points) {
      text += fmt::format("{}{} {}", text.empty() ? "" : " ", point.seconds, point.changes);
    }
    return text;
  };
  save.set = [this](std::span<const std::string> words, std::string& why) {
    std::vector<SavePoint> points;
    // A command line gives them as one word: --save "3600 1 300 100".
    std::vector<std::string> split;
    if (words.size() == 1 && engine::split_words(words[0], split)) words = split;
    if (!read_save_points(words, points)) {
      why = "Invalid save parameters";
      return false;
    }
    save_points = std::move(points);
    return true;
  };
  save.apply = [this](std::string&) {
    rearm();
    return true;
  };
  save.rewrite = [this] {
    std::vector<std::string> lines;
    for (const SavePoint& point : save_points) {
      lines.push_back(fmt::format("save {} {}", point.seconds, point.changes));
    }
    if (lines.empty()) lines.push_back("save \"\"");
    return lines;
  };
  settings.add(std::move(save));

  // Directives whose meaning is always on here: the base is a snapshot, records carry their time,
  // files are hashed and synced in steps, and old ones go as soon as they may.
  constexpr engine::Settings::Accepts kBool{.kind = engine::Settings::Accepts::Kind::kBool};
  for (const std::string_view name :
       {"aof-use-rdb-preamble", "aof-rewrite-incremental-fsync", "rdb-save-incremental-fsync"}) {
    settings.add_accepted(name, "yes", engine::Setting::kMutable, kBool);
  }
  settings.add_accepted("rdbchecksum", "yes", engine::Setting::kImmutable, kBool);
  settings.add_accepted("aof-timestamp-enabled", "no", engine::Setting::kMutable, kBool);
  settings.add_accepted("aof-disable-auto-gc", "no", engine::Setting::kHidden, kBool);
}

bool Persistence::State::snapshot_refuses() const {
  return stop_writes_on_save_error && !save_points.empty() && !snapshotter.last_ok();
}

void Persistence::State::rearm() {
  if (aof.recording()) {
    engine.arm(static_cast<engine::Sink*>(&persistence), kSinkOrder);
  } else {
    engine.disarm(static_cast<engine::Sink*>(&persistence));
  }
  if (snapshot_refuses() || aof.refuses_writes() || aof.behind()) {
    engine.arm(static_cast<engine::Gate*>(&persistence), gate_order);
  } else {
    engine.disarm(static_cast<engine::Gate*>(&persistence));
  }
}

Status Persistence::State::start_save() {
  if (engine.dirty > 0) ROX_TRY(aof.before_snapshot());
  return snapshotter.start(aof.last_sequence());
}

Status Persistence::State::save() {
  if (engine.dirty > 0) ROX_TRY(aof.before_snapshot());
  return snapshotter.save(aof.last_sequence());
}

void Persistence::State::save_flushed() {
  flush_in_unit = false;
  // One that was begun since the flush would be in the way.
  snapshotter.cancel();
  flush_unsaved = !save().ok();
}

const SavePoint* Persistence::State::due_save_point() const {
  const uint64_t now_ns = engine.environment().monotonic_ns();
  if (now_ns < snapshotter.retry_at_ns()) return nullptr;
  for (const SavePoint& point : save_points) {
    if (engine.dirty >= std::max<uint64_t>(point.changes, 1) &&
        now_ns - saved_at_ns > static_cast<uint64_t>(point.seconds) * kSecondNs) {
      return &point;
    }
  }
  return nullptr;
}

void Persistence::State::note_progress(const LoadProgress& now) {
  progress = now;
  const uint64_t now_ns = engine.environment().monotonic_ns();
  if (now_ns - progress_logged_ns >= kProgressLogNs) {
    progress_logged_ns = now_ns;
    engine.log().notice("Loading: {:.1f}% of {} bytes, {:.1f} MB/s, {} keys or units", percent(now),
                        now.file_bytes_total,
                        per_second(now.file_bytes, now_ns - load_started_ns) / 1e6, now.entries);
  }
  if (now_ns - progress_told_ns >= kProgressEveryNs) tell_progress();
  load_delay.keys_done(progress.entries, [this] { tell_progress(); });
}

void Persistence::State::tell_progress() {
  progress_told_ns = engine.environment().monotonic_ns();
  if (on_progress) on_progress();
}

void Persistence::State::write_info(engine::InfoWriter& info) const {
  info.field("loading", loading ? 1 : 0);
  info.field("async_loading", 0);
  snapshotter.write_info(info, aof.child());
  aof.write_info(info);
  info.field("last_recovery_result", recovery_result);
  info.field("last_recovery_dropped_bytes", recovery_dropped_bytes);
  scrubber.write_info(info);
  if (!loading) return;
  const uint64_t elapsed_ns = engine.environment().monotonic_ns() - load_started_ns;
  const double rate = per_second(progress.file_bytes, elapsed_ns);
  const uint64_t left =
      progress.file_bytes_total - std::min(progress.file_bytes, progress.file_bytes_total);
  info.field("loading_start_time", load_started_s);
  info.field("loading_total_bytes", progress.file_bytes_total);
  info.field("loading_rdb_used_mem", 0);
  info.field("loading_loaded_bytes", progress.file_bytes);
  info.line("loading_loaded_perc", "{:.2f}", percent(progress));
  info.field("loading_eta_seconds",
             rate > 0 ? static_cast<uint64_t>(static_cast<double>(left) / rate) : 1);
}

// --- Persistence --------------------------------------------------------------------------------

Persistence::Persistence(engine::Engine& engine, int gate_order)
    : state_(std::make_unique<State>(*this, engine, gate_order)) {
  engine.services.provide(this);
  engine.services.provide<engine::Reload>(this);
  engine.services.provide<engine::FlushListener>(this);
}

Persistence::~Persistence() {
  state_->engine.disarm(static_cast<engine::Gate*>(this));
  state_->engine.disarm(static_cast<engine::Sink*>(this));
}

bool Persistence::is_loading() const { return state_->loading; }
Snapshotter& Persistence::snapshotter() { return state_->snapshotter; }
Aof& Persistence::aof() { return state_->aof; }
uint64_t Persistence::end_turn() {
  if (state_->flush_in_unit && !state_->engine.is_aside()) state_->save_flushed();
  return state_->aof.end_turn();
}
uint64_t Persistence::released() const { return state_->aof.released(); }
bool Persistence::write_deadline_passed() const { return state_->aof.write_deadline_passed(); }

std::string Persistence::progress_bar() const {
  constexpr size_t kCells = 40;
  const LoadProgress& progress = state_->progress;
  const uint64_t elapsed_ns = state_->engine.environment().monotonic_ns() - state_->load_started_ns;
  const auto full = std::min(
      kCells, static_cast<size_t>(percent(progress) * static_cast<double>(kCells) / 100.0));
  return fmt::format("[{}{}] {:3.0f}%  {:.0f} MB/s  {} keys", std::string(full, '#'),
                     std::string(kCells - full, '-'), percent(progress),
                     per_second(progress.file_bytes, elapsed_ns) / 1e6, progress.entries);
}

void Persistence::tick() {
  State& state = *state_;
  state.snapshotter.poll();
  state.aof.tick();
  if (state.snapshotter.running() || state.aof.rewriting()) return state.scrubber.put_off();
  const uint64_t now_ns = state.engine.environment().monotonic_ns();
  if (state.save_scheduled || (state.flush_unsaved && now_ns >= state.snapshotter.retry_at_ns())) {
    state.save_scheduled = false;
    // A failure is logged and counted there.
    static_cast<void>(state.start_save().ok());
  } else if (const SavePoint* point = state.due_save_point()) {
    state.engine.log().notice("{} changes in {} seconds. Saving...", point->changes,
                              point->seconds);
    static_cast<void>(state.start_save().ok());
  } else {
    state.scrubber.tick();
  }
}

Status Persistence::shut_down(const ShutdownRequest& request) {
  State& state = *state_;
  // The files hold everything, and memory a part of it: there is nothing to save, and much to lose.
  if (state.loading) return kOk;
  const bool saves =
      request.save == ShutdownRequest::Save::kAlways ||
      (request.save == ShutdownRequest::Save::kByConfiguration && !state.save_points.empty());
  if (state.snapshotter.running()) state.snapshotter.cancel();
  Status status = state.aof.shut_down(request.save != ShutdownRequest::Save::kNever);
  if (!status.ok()) {
    state.engine.log().warning("Error writing the append only file, can't exit: {}",
                               describe(status));
  }
  if (saves && (status.ok() || request.force)) {
    state.engine.log().notice("Saving the final RDB snapshot before exiting.");
    const Status saved = state.save();
    if (!saved.ok()) {
      state.engine.log().warning("Error trying to save the DB, can't exit: {}", describe(saved));
      status = saved;
    }
  }
  return request.force ? kOk : status;
}

// --- commands -----------------------------------------------------------------------------------

void Persistence::all_databases_flushed() {
  State& state = *state_;
  if (!state.serving) return;
  // A child that saves the removed keys would have the last word, and holds their memory.
  if (state.snapshotter.running()) state.snapshotter.cancel();
  if (state.save_points.empty()) return;
  // In the middle of a unit the state is one that must not be seen.
  if (state.engine.inside_larger_unit()) {
    state.flush_in_unit = true;
  } else {
    state.save_flushed();
  }
}

Status Persistence::save() { return state_->save(); }

Persistence::SaveStart Persistence::request_save(bool may_schedule, Status& failure) {
  State& state = *state_;
  if (state.snapshotter.running()) return SaveStart::kAlreadyRunning;
  if (state.aof.rewriting() && !may_schedule) return SaveStart::kOtherChild;
  if (state.aof.rewriting() || state.engine.inside_larger_unit()) {
    state.save_scheduled = true;
    return SaveStart::kScheduled;
  }
  failure = state.start_save();
  return failure.ok() ? SaveStart::kStarted : SaveStart::kFailed;
}

Persistence::SaveCancel Persistence::cancel_save() {
  State& state = *state_;
  if (state.snapshotter.running()) {
    state.snapshotter.cancel();
    return SaveCancel::kRunning;
  }
  return std::exchange(state.save_scheduled, false) ? SaveCancel::kScheduled : SaveCancel::kNothing;
}

void Persistence::skip_checksums(bool skip) { state_->skips_checksums = skip; }

RdbTrust Persistence::rdb_trust() const {
  return {.any_version = state_->version_check != 0, .any_checksum = state_->skips_checksums};
}

// --- gate and sink ------------------------------------------------------------------------------

engine::Verdict Persistence::check(engine::Session& session, const engine::CommandSpec& spec,
                                   engine::Args, Status& refusal) {
  const State& state = *state_;
  const engine::Flags flags = engine::flags_of(session, spec);
  const bool writes = (flags & engine::kWrite) != 0;
  // Monitoring asks with PING whether all is well (E18). A script is not refused as a whole: what
  // it writes is.
  if (writes || spec.name == "PING") {
    if (state.aof.refuses_writes()) {
      refusal = user_error(state.aof.refusal());
      return engine::Verdict::kRefuse;
    }
    if (state.snapshot_refuses()) {
      refusal = kSnapshotMisconf;
      return engine::Verdict::kRefuse;
    }
  }
  // What may add to the log waits while the log is behind; a message adds nothing.
  const bool may_write =
      writes || (flags & (engine::kMayReplicate | engine::kPubSub)) == engine::kMayReplicate;
  // Only a server has somebody who asks again.
  const bool can_wait = session.kind == engine::Session::Kind::kClient;
  return may_write && can_wait && state.aof.behind() ? engine::Verdict::kPostpone
                                                     : engine::Verdict::kPass;
}

void Persistence::on_unit(std::span<const engine::LogCommand> commands) {
  state_->aof.append(commands);
}

}  // namespace roxdb::persist
