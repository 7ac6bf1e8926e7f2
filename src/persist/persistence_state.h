// persistence_state.h: what Persistence holds, for the files that implement it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "persist/aof.h"
#include "persist/key_delay.h"
#include "persist/persistence.h"
#include "persist/scrubber.h"
#include "persist/snapshotter.h"

namespace roxdb::persist {

// "save 3600 1": after so long with so many changes.
struct SavePoint {
  int64_t seconds;
  uint64_t changes;
};

struct Persistence::State {
  State(Persistence& owner, engine::Engine& engine_used, int order);

  void register_settings();
  void write_info(engine::InfoWriter& info) const;
  bool snapshot_refuses() const;  // E6
  // Arms gate and sink when there is something for them to do, and only then.
  void rearm();
  // Saves in a child, or at once.
  Status start_save();
  Status save();
  const SavePoint* due_save_point() const;
  // Puts an empty snapshot in the place of the one with the keys that FLUSHALL has removed.
  void save_flushed();
  void note_progress(const LoadProgress& now);
  void tell_progress();

  Persistence& persistence;
  engine::Engine& engine;
  const int gate_order;
  std::string directory = ".";
  bool stop_writes_on_save_error = true;
  std::vector<SavePoint> save_points = {{3600, 1}, {300, 100}, {60, 10000}};

  int version_check = 0;  // 0: strict, 1: relaxed
  int64_t load_delay_us = 0;
  bool skips_checksums = false;

  std::unique_ptr<DirectoryLock> lock;
  Snapshotter snapshotter;
  Aof aof;
  Scrubber scrubber;
  bool save_scheduled = false;
  bool flush_in_unit = false;  // FLUSHALL was part of a unit that goes on: to be saved behind it
  bool flush_unsaved = false;  // saving failed: the keys would come back
  uint64_t saved_at_ns = 0;    // monotonic: the last good save, at first our start

  // Loading.
  bool loading = false;
  bool serving = false;  // loaded: settings that move files are no longer free
  LoadProgress progress;
  int64_t load_started_s = 0;
  uint64_t load_started_ns = 0;
  uint64_t progress_told_ns = 0;
  uint64_t progress_logged_ns = 0;
  KeyDelay load_delay;
  std::function<void()> on_progress;

  // O3.
  std::string recovery_result = "clean";
  uint64_t recovery_dropped_bytes = 0;
};

}  // namespace roxdb::persist
