// workers.h: a few threads that take pieces of work off one owner.
//
//   owner     submit(a) submit(b) submit(c) ... finish(a) ... finish(b) ...    in its own order
//   threads             run a     run b ...                                    in any order
//
// The owner keeps the order: it finishes jobs in the order it needs them, and a job nobody has
// begun by then it runs itself. So no thread at all is a legal number, and makes everything
// deterministic.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace roxdb::persist {

class Workers {
 public:
  // One piece of work. Lives until finish() has returned or the Workers are gone.
  class Job {
   public:
    virtual ~Job() = default;

   protected:
    virtual void run() = 0;  // on any thread: touches nothing that is not the job's own

   private:
    friend class Workers;
    enum class State : uint8_t { kIdle, kQueued, kRunning, kDone };
    State state_ = State::kIdle;
  };

  // Fewer threads than asked for when the system gives no more.
  explicit Workers(int threads);
  ~Workers();  // waits for running jobs; queued ones never run
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // REQUIRES: the job is new or finished.
  void submit(Job& job);
  // When it returns the job has run. REQUIRES: submitted, not finished since.
  void finish(Job& job);

 private:
  void work();

  std::mutex mutex_;  // guards everything below, and the states of jobs
  std::condition_variable queued_;
  std::condition_variable done_;
  std::deque<Job*> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace roxdb::persist
