#include "net/loop.h"

#include <memory>
#include <utility>

#include "base/assert.h"

namespace roxdb::net {

Loop::Loop() {
  ROX_ASSERT(uv_loop_init(&loop_) == 0);
  ROX_ASSERT(uv_loop_configure(&loop_, UV_METRICS_IDLE_TIME) == 0);
}

Loop::~Loop() {
  // Close callbacks, and the ends of work under way.
  uv_run(&loop_, UV_RUN_DEFAULT);
  ROX_ASSERT(uv_loop_close(&loop_) == 0);
}

void LoopExecutor::run(std::function<void()> work, std::function<void()> done) {
  struct Job {
    uv_work_t request;
    std::function<void()> work;
    std::function<void()> done;
  };
  auto job = std::make_unique<Job>(Job{{}, std::move(work), std::move(done)});
  job->request.data = job.get();
  const int error = uv_queue_work(
      loop_.handle(), &job->request,
      [](uv_work_t* request) { static_cast<Job*>(request->data)->work(); },
      [](uv_work_t* request, int) {
        const std::unique_ptr<Job> finished(static_cast<Job*>(request->data));
        finished->work = nullptr;  // what it held is released before anybody hears of the end
        finished->done();
      });
  ROX_ASSERT(error == 0);  // only a missing callback is refused
  static_cast<void>(job.release());
}

}  // namespace roxdb::net
