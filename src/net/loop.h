// loop.h: the one event loop, and the executor that lends its thread pool to the rooms below.
#pragma once

#include <uv.h>

#include "base/executor.h"

namespace roxdb::net {

class Loop {
 public:
  Loop();
  // Closes what is left: all owners of handles must be gone.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  uv_loop_t* handle() { return &loop_; }
  void run() { uv_run(&loop_, UV_RUN_DEFAULT); }       // until stop()
  void run_ready() { uv_run(&loop_, UV_RUN_NOWAIT); }  // one turn, without waiting
  // In the child of a fork(), before anything else is done with the loop.
  void after_fork() { uv_loop_fork(&loop_); }
  void stop() { uv_stop(&loop_); }
  uint64_t now_ms() const { return uv_now(&loop_); }  // monotonic, as of this turn's start
  // Time since the loop was made in which it has not waited for something to happen.
  uint64_t active_ns() { return uv_hrtime() - made_ns_ - uv_metrics_idle_time(&loop_); }

 private:
  uv_loop_t loop_;
  const uint64_t made_ns_ = uv_hrtime();
};

// Slow work on libuv's threads; `done` runs in a later turn of the loop. Work that is under way
// when the loop is destroyed is waited for.
class LoopExecutor final : public Executor {
 public:
  explicit LoopExecutor(Loop& loop) : loop_(loop) {}
  void run(std::function<void()> work, std::function<void()> done) override;

 private:
  Loop& loop_;
};

}  // namespace roxdb::net
