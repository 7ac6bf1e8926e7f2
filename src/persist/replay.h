// replay.h: runs the units of a log through the Engine.
//
// Each unit runs at its own time: the Engine's clock is set to the moment it first ran, so that a
// key is expired, or not yet, for it exactly as then, and the same log gives the same keyspace on
// any date (D4). Nothing else expires meanwhile. Requests are prepared and prefetched many at a
// time, as a batch of clients is. Gates, sinks and counters do not notice.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/engine.h"
#include "persist/aof_reader.h"
#include "resp/args.h"
#include "resp/parser.h"

namespace roxdb::persist {

class Replay {
 public:
  // A foreign log may hold two things that ours does not: SCRIPT commands, and scripts that failed
  // behind their writes, which fail again and are let pass, with a warning.
  enum class Origin : uint8_t { kOurs, kForeign };
  // Stops expiry and remembers counters until it dies; then the clock is the present one again.
  explicit Replay(engine::Engine& engine, Origin origin = Origin::kOurs);
  ~Replay();
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  // Code::kCorrupt, with the reason in `why`: bytes that are no requests, a command that this
  // version does not know or that changes no data, or one that answered with an error, which in the
  // log it never did. Some of the units before the one that failed have run.
  Status run(std::span<const AofReader::Unit> units, std::string& why);
  uint64_t commands() const { return commands_; }

 private:
  struct Request {
    size_t first_arg;
    size_t args;
    int db;
    int64_t time_ms;
  };

  Status collect(const AofReader::Unit& unit, std::string& why);
  Status execute(std::string& why);
  bool may_be_logged(const engine::Command& command) const;

  engine::Engine& engine_;
  const Origin origin_;
  engine::Session session_;
  resp::RequestParser parser_;
  resp::ArgVector args_;
  std::vector<uint64_t> hashes_;
  std::vector<Request> requests_;
  uint64_t commands_ = 0;

  const bool active_expire_;
  const uint64_t string_bytes_max_;
  const engine::Statistics statistics_;
  struct Counters {
    uint64_t calls, duration_cycles, rejected, failed;
  };
  std::vector<Counters> counters_;
};

}  // namespace roxdb::persist
