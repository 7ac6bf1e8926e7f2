// command_log.h: commands that stood out, the last ones first: those of SLOWLOG, and the three logs
// of COMMANDLOG.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/large_commands.h"

namespace roxdb::commands {

class CommandLog {
 public:
  struct Record {
    int64_t id;
    int64_t time_s;  // Unix epoch
    int64_t amount;  // what it stands out by: microseconds, or bytes
    std::vector<std::string>
        args;  // long ones, and long lists of them, are cut; secrets are not in
    std::string address;
    std::string client_name;
    uint64_t turn;          // serial of the turn it ran in; 0: none
    engine::Breakdown why;  // of a slow one; grows until its replies have gone out
  };

  explicit CommandLog(engine::Engine& engine) : engine_(engine) {}

  const std::deque<Record>& records() const { return records_; }  // the newest first
  void clear() { records_.clear(); }
  // Keeps nothing of commands that never are in these logs (engine::kSkipSlowlog).
  void add(const engine::Session& session, const engine::Command& command, engine::Args args,
           int64_t amount, uint64_t turn = 0, const engine::Breakdown& why = {});
  // The records of this turn say that it spent so much time for this.
  void complete(uint64_t turn, engine::Cause cause, const engine::Share& share);

  // Registers the setting that says how many are kept.
  engine::Setting& add_length(std::string_view name);

 private:
  void trim();

  engine::Engine& engine_;
  int64_t records_max_ = 128;
  int64_t next_id_ = 0;
  std::deque<Record> records_;
};

// The commands that took longer than slowlog-log-slower-than. Time is that of the handler and its
// sinks: what came before and after it is told by Record::why.
class SlowLog : public CommandLog {
 public:
  // Registers its settings with `engine` and observes it; `engine` must outlive this.
  explicit SlowLog(engine::Engine& engine);
  ~SlowLog();

 private:
  void observe();

  engine::Engine& engine_;
  int64_t slower_than_us_ = 10'000;  // < 0: off
};

// The commands whose requests or replies had more bytes than commandlog-request-larger-than and
// commandlog-reply-larger-than. A reply is what a request made, news for subscribers are none.
class LargeLogs final : public engine::LargeCommands {
 public:
  // Registers its settings with `engine` and provides itself as a service; `engine` must outlive
  // this.
  explicit LargeLogs(engine::Engine& engine);

  void on_large_request(const engine::Session& session, const engine::Command& command,
                        engine::Args args, uint64_t bytes) override;
  void on_large_reply(const engine::Session& session, const engine::Command& command,
                      engine::Args args, uint64_t bytes) override;

  CommandLog requests;
  CommandLog replies;

 private:
  int64_t request_bytes_min_ = 1 << 20;  // < 0: off
  int64_t reply_bytes_min_ = 1 << 20;
};

}  // namespace roxdb::commands
