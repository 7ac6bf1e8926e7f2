// shutdown_commands.cc: SHUTDOWN.
#include "engine/call.h"
#include "server/shutdown.h"

namespace roxdb::server {
namespace {

using engine::Call;
using engine::CommandFamily;
using engine::CommandSpec;
using persist::ShutdownRequest;

// SHUTDOWN [options] -> nothing: the connection closes; an error when the data could not be saved
Status shutdown_command(Call& call) {
  ShutdownRequest request;
  bool aborts = false;
  for (size_t i = 1; i < call.argc(); ++i) {
    using Save = ShutdownRequest::Save;
    if (call.is(i, "NOSAVE") && request.save != Save::kAlways) {
      request.save = Save::kNever;
    } else if (call.is(i, "SAVE") && request.save != Save::kNever) {
      request.save = Save::kAlways;
    } else if (call.is(i, "FORCE")) {
      request.force = true;
    } else if (call.is(i, "ABORT")) {
      aborts = true;
    } else if (!call.is(i, "NOW") && !call.is(i, "SAFE") && !call.is(i, "FAILOVER")) {
      // NOW, SAFE and FAILOVER are about replicas, of which there are none to wait for or promote.
      return engine::errors::kSyntax;
    }
  }
  if (aborts && call.argc() > 2) return engine::errors::kSyntax;
  if (aborts) return user_error("ERR No shutdown in progress.");
  if (!call.service<Shutdown>().request(request).ok()) {
    return user_error("ERR Errors trying to SHUTDOWN. Check logs.");
  }
  return kOk;
}
constexpr CommandSpec kShutdown{
    .name = "SHUTDOWN",
    .syntax = "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT] [SAFE] [FAILOVER]",
    .summary = "Saves what the configuration says should be saved, and ends the server.",
    .since = "1.0.0",
    .complexity = "O(N) when saving, where N is the total number of keys in all databases.",
    .flags = engine::kAdmin | engine::kAllowBusy | engine::kLoading | engine::kNoMulti |
             engine::kNoScript | engine::kStale,
    .handler = shutdown_command,
};

constexpr const CommandSpec* kCommands[] = {&kShutdown};

}  // namespace

extern constinit const CommandFamily kShutdownCommandsFamily;
constinit const CommandFamily kShutdownCommandsFamily{"server", kCommands};

}  // namespace roxdb::server
