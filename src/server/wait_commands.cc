// wait_commands.cc: WAIT and WAITAOF, which answer how safe is what has been written so far: on how
// many replicas it is, and whether it is on the disk here (reliability D3). There are no replicas
// yet, so none has ever answered; a client that wants some waits until its time is up.
#include <string>

#include "base/numbers.h"
#include "commands/shared/timeout.h"
#include "engine/call.h"
#include "engine/command.h"
#include "persist/aof.h"
#include "persist/persistence.h"

namespace roxdb::server {
namespace {

using commands::read_timeout;
using commands::TimeoutUnit;
using engine::Call;
using engine::CommandSpec;
using engine::Example;

constexpr int64_t kReplicas = 0;
constexpr int64_t kLookAgainMs = 5;  // a sync ends on its own time, and tells nobody here

// WAIT numreplicas timeout -> replicas that have all that was written, by the end of the wait
Status wait_command(Call& call) {
  ROX_TRY(const int64_t wanted, call.integer(1));
  if (call.timed_out()) return call.reply(kReplicas);
  ROX_TRY(const int64_t timeout_ms, read_timeout(call, 2, TimeoutUnit::kMilliseconds));
  if (wanted <= kReplicas || !call.may_wait()) return call.reply(kReplicas);
  return call.wait({.type = {}, .first_key = 0, .keys = 0, .timeout_ms = timeout_ms});
}
constexpr Example kWaitExamples[] = {
    {"WAIT 0 100", ":0"},
    {"WAIT many 0", "-ERR value is not an integer or out of range"},
    {"WAIT 0 -1", "-ERR timeout is negative"}};
constexpr CommandSpec kWait{
    .name = "WAIT",
    .syntax = "numreplicas timeout",
    .summary = "Waits until replicas have what has been written, and returns how many do.",
    .since = "3.0.0",
    .complexity = "O(1)",
    .flags = engine::kBlocking,
    .acl = engine::kCategoryConnection,
    .tips = "request_policy:all_shards,response_policy:agg_min",
    .handler = wait_command,
    .examples = kWaitExamples,
};

Status reply_safety(Call& call, bool is_synced) {
  call.reply().array(2);
  call.reply().integer(is_synced ? 1 : 0);
  call.reply().integer(kReplicas);
  return kOk;
}

// WAITAOF numlocal numreplicas timeout -> [1 when it is on the disk here, replicas that have it on
// theirs]. What is waited for is all that anybody has written by now; the request that runs again
// has its place in the log where the timeout was.
Status waitaof_command(Call& call) {
  ROX_TRY(const int64_t wanted_here, call.integer(1));
  if (wanted_here < 0 || wanted_here > 1) {
    return user_error("ERR value is out of range, value must between 0 and 1");
  }
  ROX_TRY(const int64_t wanted_there, call.integer(2));
  if (wanted_there < 0) return user_error("ERR value is out of range, must be positive");
  auto* const persistence = call.engine().services.find<persist::Persistence>();
  persist::Aof* const aof = persistence != nullptr ? &persistence->aof() : nullptr;
  const bool is_logged = aof != nullptr && aof->enabled();
  if (wanted_here > 0 && !is_logged) {
    return user_error(
        "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
  }
  const bool runs_again = call.session().waiter != nullptr;
  int64_t timeout_ms = 0;
  if (!runs_again) {
    ROX_TRY(timeout_ms, read_timeout(call, 3, TimeoutUnit::kMilliseconds));
  }
  const uint64_t target = !is_logged   ? 0
                          : runs_again ? parse_uint64(call.arg(3)).value_or(0)
                                       : aof->last_sequence();
  const bool is_synced = is_logged && aof->has_synced(target);
  const bool is_done = (is_synced || wanted_here == 0) && wanted_there <= kReplicas;
  if (is_done || call.timed_out() || !call.may_wait()) return reply_safety(call, is_synced);
  const std::string target_text = std::to_string(target);
  const std::string_view again[] = {call.arg(0), call.arg(1), call.arg(2), target_text};
  return call.wait({.type = {},
                    .first_key = 0,
                    .keys = 0,
                    .timeout_ms = timeout_ms,
                    // Nobody brings news of a replica.
                    .again_ms = wanted_here > 0 && !is_synced ? kLookAgainMs : 0,
                    .args = again});
}
constexpr Example kWaitAofExamples[] = {
    {"WAITAOF 0 0 0", "*[:0 :0]"},
    {"WAITAOF 2 0 0", "-ERR value is out of range, value must between 0 and 1"},
    {"WAITAOF 0 -1 0", "-ERR value is out of range, must be positive"}};
constexpr CommandSpec kWaitAof{
    .name = "WAITAOF",
    .syntax = "numlocal numreplicas timeout",
    .summary = "Waits until what has been written is on the disk, here and of replicas.",
    .since = "7.2.0",
    .complexity = "O(1)",
    .flags = engine::kBlocking,
    .acl = engine::kCategoryConnection,
    .tips = "request_policy:all_shards,response_policy:agg_min",
    .handler = waitaof_command,
    .examples = kWaitAofExamples,
};

constexpr const CommandSpec* kCommands[] = {&kWait, &kWaitAof};

}  // namespace

extern constinit const engine::CommandFamily kWaitCommandsFamily;
constinit const engine::CommandFamily kWaitCommandsFamily{"generic", kCommands};

}  // namespace roxdb::server
