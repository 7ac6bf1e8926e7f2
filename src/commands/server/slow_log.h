// slow_log.h: the commands that took longer than slowlog-log-slower-than, the last ones first.
// Time is that of the handler and its sinks: waiting for the network or the log's sync is not in
// it.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace roxdb::commands {

// One request as it may be shown to others: secrets are "(redacted)" (reliability S3), long
// arguments and long lists of them are cut.
std::vector<std::string> presentable(const engine::Engine& engine, const engine::Command& command,
                                     engine::Args args);

class SlowLog {
 public:
  struct Record {
    int64_t id;
    int64_t time_s;  // Unix epoch
    int64_t duration_us;
    std::vector<std::string> args;
    std::string address;
    std::string client_name;
  };

  // Registers its settings with `engine` and observes it; `engine` must outlive this.
  explicit SlowLog(engine::Engine& engine);
  ~SlowLog();

  const std::deque<Record>& records() const { return records_; }  // the newest first
  void clear() { records_.clear(); }

 private:
  void observe();
  void record(const engine::Execution& execution);
  void trim();

  engine::Engine& engine_;
  int64_t slower_than_us_ = 10'000;  // < 0: off
  int64_t records_max_ = 128;
  int64_t next_id_ = 0;
  std::deque<Record> records_;
};

}  // namespace roxdb::commands
