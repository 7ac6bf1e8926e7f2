// scrubber.h: reads the data files back while there is nothing else to do (reliability O5), so that
// a disk that forgets is noticed while the data is still in memory.
//
//   tick() --- due? --> the snapshot, the log's base, its increments: FileCheck
//                       a slice of one of them with each tick, on the executor
//                            |-- all good: again in a day
//                            `-- one is bad: on_bad(), whose file is rewritten; again in a minute
//
// A save or a rewrite replaces the files: put_off() then, and the pass begins anew behind it. What
// a save has written was read back by the save (snapshot.h), and what was loaded by the load, so
// these count as verified too: note_verified().
//
// Setting registered here: persist-scrub. Turned on while serving, the first pass is due at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "persist/aof.h"
#include "persist/file_check.h"
#include "persist/snapshotter.h"

namespace roxdb::persist {

class Scrubber {
 public:
  // All outlive this.
  Scrubber(engine::Engine& engine, const Snapshotter& snapshotter, const Aof& aof);

  // Goes on with a pass, or begins one that is due. To be called while no child works.
  void tick();
  // The files are being replaced: what has been read of them says nothing.
  void put_off() { pass_.reset(); }
  // The snapshot has been read and every hash in it agreed. The log, once found bad, stays so until
  // it has been read again.
  void note_verified();
  // From here on a day counts.
  void serve();

  enum class Bad : uint8_t { kSnapshot, kLog };
  std::function<void(Bad bad)> on_bad;  // set before the first tick

  // snapshot_last_verify: never, ok or bad; snapshot_last_verify_time: when that was, Unix epoch.
  void write_info(engine::InfoWriter& info) const;

 private:
  enum class Result : uint8_t { kNever, kGood, kBad };
  struct Pass;

  void begin();
  void slice_read(Pass& pass);
  void end();
  void note(Result result);

  engine::Engine& engine_;
  const Snapshotter& snapshotter_;
  const Aof& aof_;
  bool enabled_ = false;
  bool serving_ = false;
  uint64_t due_at_ns_ = 0;
  bool reading_ = false;  // the executor has a slice
  // Shared with the executor's job, which may end when nobody wants the pass any more.
  std::shared_ptr<Pass> pass_;
  bool log_is_bad_ = false;
  Result result_ = Result::kNever;
  int64_t verified_at_s_ = -1;
};

}  // namespace roxdb::persist
