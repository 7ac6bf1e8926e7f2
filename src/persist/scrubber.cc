#include "persist/scrubber.h"

#include <utility>

#include "persist/files.h"

namespace roxdb::persist {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kDayNs = 24 * 3600 * kSecondNs;
constexpr uint64_t kAgainNs = 60 * kSecondNs;
// With ten ticks a second 40 MB/s, and some ms of one core for each.
constexpr uint64_t kSliceBytes = 4u << 20;

}  // namespace

struct Scrubber::Pass {
  std::vector<std::unique_ptr<FileCheck>> files;  // the snapshot first
  size_t at = 0;                                  // which one is being read
  size_t good = 0;
  bool snapshot_is_bad = false;
  bool log_is_bad = false;
};

Scrubber::Scrubber(engine::Engine& engine, const Snapshotter& snapshotter, const Aof& aof)
    : engine_(engine), snapshotter_(snapshotter), aof_(aof) {
  engine.settings.add_bool("persist-scrub", &enabled_).apply = [this](std::string&) {
    if (serving_ && enabled_) due_at_ns_ = engine_.environment().monotonic_ns();
    return true;
  };
}

void Scrubber::serve() {
  serving_ = true;
  due_at_ns_ = engine_.environment().monotonic_ns() + kDayNs;
}

void Scrubber::note_verified() {
  if (!log_is_bad_) note(Result::kGood);
}

void Scrubber::note(Result result) {
  result_ = result;
  verified_at_s_ = engine_.environment().now_ms() / 1000;
}

void Scrubber::tick() {
  if (!enabled_) return put_off();
  if (reading_ || !serving_ || !aof_.at_rest()) return;
  if (pass_ == nullptr) {
    if (engine_.environment().monotonic_ns() < due_at_ns_) return;
    begin();
  }
  reading_ = true;
  engine_.executor().run([pass = pass_] { pass->files[pass->at]->read_on(kSliceBytes); },
                         [this, pass = pass_] {
                           reading_ = false;
                           if (pass == pass_) slice_read(*pass);
                         });
}

void Scrubber::begin() {
  Environment& environment = engine_.environment();
  pass_ = std::make_shared<Pass>();
  pass_->files.push_back(
      std::make_unique<FileCheck>(environment, snapshotter_.path(), kSnapshotMagic));
  for (const Aof::FileInUse& file : aof_.files_in_use()) {
    pass_->files.push_back(std::make_unique<FileCheck>(
        environment, file.path, file.is_base ? kSnapshotMagic : kLogMagic, file.bytes));
  }
  for (const auto& file : pass_->files) file->ask_disk();
}

void Scrubber::slice_read(Pass& pass) {
  const FileCheck& file = *pass.files[pass.at];
  switch (file.state()) {
    case FileCheck::State::kReading:
      return;
    case FileCheck::State::kGood:
      pass.good++;
      break;
    case FileCheck::State::kNotOurs:
      break;
    case FileCheck::State::kBad:
      engine_.log().warning("A data file is not as it was written: file={} reason={}", file.path(),
                            file.why());
      (pass.at == 0 ? pass.snapshot_is_bad : pass.log_is_bad) = true;
      break;
  }
  if (++pass.at == pass.files.size()) end();
}

void Scrubber::end() {
  const std::shared_ptr<Pass> pass = std::exchange(pass_, nullptr);
  const bool bad = pass->snapshot_is_bad || pass->log_is_bad;
  due_at_ns_ = engine_.environment().monotonic_ns() + (bad ? kAgainNs : kDayNs);
  log_is_bad_ = pass->log_is_bad;
  if (bad) {
    note(Result::kBad);
  } else if (pass->good > 0) {
    note(Result::kGood);
    engine_.log().notice("The data files were read back: all is as it was written: files={}",
                         pass->good);
  }
  if (pass->log_is_bad) on_bad(Bad::kLog);
  if (pass->snapshot_is_bad) on_bad(Bad::kSnapshot);
}

void Scrubber::write_info(engine::InfoWriter& info) const {
  constexpr std::string_view kWords[] = {"never", "ok", "bad"};
  info.field("snapshot_last_verify", kWords[static_cast<size_t>(result_)]);
  info.field("snapshot_last_verify_time", verified_at_s_);
}

}  // namespace roxdb::persist
