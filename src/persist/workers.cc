#include "persist/workers.h"

#include <algorithm>
#include <system_error>

#include "base/assert.h"

namespace roxdb::persist {

Workers::Workers(int threads) {
  for (int i = 0; i < threads; ++i) {
    try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      break;  // a limit of threads: the owner does their part
    }
  }
}

Workers::~Workers() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
    queue_.clear();
  }
  queued_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::submit(Job& job) {
  {
    const std::lock_guard guard(mutex_);
    ROX_ASSERT(job.state_ == Job::State::kIdle);
    job.state_ = Job::State::kQueued;
    queue_.push_back(&job);
  }
  queued_.notify_one();
}

void Workers::finish(Job& job) {
  std::unique_lock lock(mutex_);
  ROX_ASSERT(job.state_ != Job::State::kIdle);
  if (job.state_ == Job::State::kQueued) {
    std::erase(queue_, &job);
    job.state_ = Job::State::kIdle;
    lock.unlock();
    job.run();
    return;
  }
  done_.wait(lock, [&] { return job.state_ == Job::State::kDone; });
  job.state_ = Job::State::kIdle;
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    queued_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    Job& job = *queue_.front();
    queue_.pop_front();
    job.state_ = Job::State::kRunning;
    lock.unlock();
    job.run();
    lock.lock();
    job.state_ = Job::State::kDone;
    done_.notify_one();
  }
}

}  // namespace roxdb::persist
