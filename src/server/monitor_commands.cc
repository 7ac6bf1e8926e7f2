// monitor_commands.cc: MONITOR.
#include "engine/call.h"
#include "server/command_client.h"
#include "server/monitor.h"

namespace roxdb::server {
namespace {

using engine::Call;
using engine::CommandFamily;
using engine::CommandSpec;
using engine::kAdmin;
using engine::kLoading;
using engine::kNoScript;
using engine::kStale;

// MONITOR -> OK, and from now on a line for each command
Status monitor_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  if (!call.may_wait()) {
    return user_error("ERR MONITOR isn't allowed for DENY BLOCKING client");
  }
  call.service<Monitor>().start(*client);
  return call.reply_ok();
}
constexpr CommandSpec kMonitorSpec{
    .name = "MONITOR",
    .syntax = "",
    .summary = "Shows every command that others run, until this connection is reset or closed.",
    .since = "1.0.0",
    .complexity = "O(1); each command costs more while anybody looks on",
    .flags = kAdmin | kNoScript | kLoading | kStale,
    .handler = monitor_command,
};

constexpr const CommandSpec* kCommands[] = {&kMonitorSpec};

}  // namespace

extern constinit const CommandFamily kMonitorCommandsFamily;
constinit const CommandFamily kMonitorCommandsFamily{"server", kCommands};

}  // namespace roxdb::server
