// large_commands.h: who hears of requests and replies of Engine::large_request_bytes and
// large_reply_bytes or more. A service; whoever has clients tells it.
#pragma once

#include <cstdint>

#include "engine/gates_and_sinks.h"

namespace roxdb::engine {

struct Command;

class LargeCommands {
 public:
  virtual void on_large_request(const Session& session, const Command& command, Args args,
                                uint64_t bytes) = 0;
  virtual void on_large_reply(const Session& session, const Command& command, Args args,
                              uint64_t bytes) = 0;

 protected:
  ~LargeCommands() = default;
};

}  // namespace roxdb::engine
