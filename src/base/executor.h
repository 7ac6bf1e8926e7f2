// executor.h: where slow work goes. fsync, unlink and the release of big values run on another
// thread; their ends are reported on the thread that owns the data.
//
//   net::LoopExecutor   libuv's thread pool; `done` runs in a later loop turn
//   InlineExecutor      here: both at once, for the library, tools and simulations
#pragma once

#include <functional>

namespace roxdb {

class Executor {
 public:
  virtual ~Executor() = default;
  // Runs `work` away from the caller, then `done` on the thread that owns the data. `work` touches
  // nothing that thread may touch meanwhile.
  virtual void run(std::function<void()> work, std::function<void()> done) = 0;
};

class InlineExecutor final : public Executor {
 public:
  void run(std::function<void()> work, std::function<void()> done) override {
    work();
    done();
  }
};

}  // namespace roxdb
