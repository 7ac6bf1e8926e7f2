#include "persist/workers.h"

#include <boost/test/unit_test.hpp>
#include <iterator>
#include <thread>

namespace roxdb::persist {
namespace {

class Square final : public Workers::Job {
 public:
  uint64_t value = 0;
  std::thread::id ran_on;

 private:
  void run() override {
    value *= value;
    ran_on = std::this_thread::get_id();
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(persist_workers)

// A ring of jobs, reused in order, as the writer and the reader use them.
BOOST_AUTO_TEST_CASE(every_job_has_run_once_when_it_is_finished) {
  for (const int threads : {0, 1, 2, 5}) {
    Square ring[7];
    Workers workers(threads);
    for (uint64_t i = 0; i < 20'000; ++i) {
      Square& job = ring[i % std::size(ring)];
      if (i >= std::size(ring)) {
        workers.finish(job);
        const uint64_t before = i - std::size(ring);
        BOOST_TEST_REQUIRE(job.value == before * before);
      }
      job.value = i;
      workers.submit(job);
    }
    for (Square& job : ring) workers.finish(job);
  }
}

BOOST_AUTO_TEST_CASE(without_threads_the_owner_does_the_work) {
  Workers workers(0);
  Square job;
  job.value = 3;
  workers.submit(job);
  BOOST_TEST(job.value == 3u);
  workers.finish(job);
  BOOST_TEST(job.value == 9u);
  BOOST_TEST((job.ran_on == std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(jobs_may_be_left_behind) {
  Square jobs[100];
  Workers workers(2);
  for (Square& job : jobs) workers.submit(job);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::persist
