// log_request.h: for commands that log themselves as they were received, and something else, too;
// for all others dispatch does it.
#pragma once

#include <string_view>
#include <vector>

#include "engine/call.h"
#include "engine/command_table.h"

namespace roxdb::commands {

// Under its own name: what it was renamed to may mean nothing when the log is read.
inline void log_request(engine::Call& call) {
  if (!call.command().is_renamed) [[likely]] {
    return call.log_as(call.db(), call.args());
  }
  std::vector<std::string_view> args(call.args().begin(), call.args().end());
  args[0] = call.command().spec->name;
  call.log_as(call.db(), args);
}

}  // namespace roxdb::commands
