// slowlog.cc: the slow log under both its names. COMMANDLOG asks for a type of log; of the three we
// keep the slow one, the logs of large requests and replies are always empty.
#include "commands/server/command_state.h"
#include "engine/call.h"
#include "engine/command.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::Flags;
using engine::kAdmin;
using engine::kLoading;
using engine::kStale;

constexpr Flags kSlowLogFlags = kAdmin | kLoading | kStale;
constexpr std::string_view kGetTips = "request_policy:all_nodes,nondeterministic_output";
constexpr std::string_view kLenTips =
    "request_policy:all_nodes,response_policy:agg_sum,nondeterministic_output";
constexpr std::string_view kResetTips = "request_policy:all_nodes,response_policy:all_succeeded";

constexpr Status kBadCount = user_error("ERR count should be greater than or equal to -1");

SlowLog& slow_log(Call& call) { return call.service<CommandState>().slow_log; }

// The first `count` records, all when it is -1. Each: id, time, duration in us, arguments, who,
// name.
void reply_records(Call& call, int64_t count) {
  const auto& records = slow_log(call).records();
  const size_t shown =
      count < 0 ? records.size() : std::min(records.size(), static_cast<size_t>(count));
  resp::Reply& reply = call.reply();
  reply.array(shown);
  for (size_t i = 0; i < shown; ++i) {
    const SlowLog::Record& record = records[i];
    reply.array(6);
    reply.integer(record.id);
    reply.integer(record.time_s);
    reply.integer(record.duration_us);
    reply.array(record.args.size());
    for (const std::string& arg : record.args) reply.bulk(arg);
    reply.bulk(record.address);
    reply.bulk(record.client_name);
  }
}

Result<int64_t> count_at(Call& call, size_t index) {
  const auto count = call.integer(index);
  if (!count.ok() || *count < -1) return kBadCount;
  return *count;
}

constexpr CommandSpec kSlowLog{
    .name = "SLOWLOG",
    .syntax = "subcommand [argument...]",
    .summary = "Commands on the log of slow commands.",
    .since = "2.2.12",
    .complexity = "Depends on the subcommand.",
};

// SLOWLOG GET [count] -> records, the newest first
Status slowlog_get_command(Call& call) {
  if (call.argc() > 3) {
    return call.fail(
        "ERR unknown subcommand or wrong number of arguments for '{}'. Try SLOWLOG HELP.",
        call.arg(1));
  }
  int64_t count = 10;
  if (call.argc() == 3) {
    ROX_TRY(count, count_at(call, 2));
  }
  reply_records(call, count);
  return kOk;
}
constexpr Example kSlowLogGetExamples[] = {
    {"SLOWLOG GET -2", "-ERR count should be greater than or equal to -1"}};
constexpr CommandSpec kSlowLogGet{
    .name = "SLOWLOG GET",
    .syntax = "[count]",
    .summary = "Returns the last slow commands.",
    .since = "2.2.12",
    .complexity = "O(N) where N is the number of records returned",
    .flags = kSlowLogFlags,
    .tips = kGetTips,
    .handler = slowlog_get_command,
    .examples = kSlowLogGetExamples,
};

Status slowlog_len_command(Call& call) {
  return call.reply(static_cast<int64_t>(slow_log(call).records().size()));
}
constexpr CommandSpec kSlowLogLen{
    .name = "SLOWLOG LEN",
    .syntax = "",
    .summary = "Returns the number of records in the slow log.",
    .since = "2.2.12",
    .complexity = "O(1)",
    .flags = kSlowLogFlags,
    .tips = kLenTips,
    .handler = slowlog_len_command,
};

Status slowlog_reset_command(Call& call) {
  slow_log(call).clear();
  return call.reply_ok();
}
constexpr Example kSlowLogResetExamples[] = {{"SLOWLOG RESET", "+OK"}};
constexpr CommandSpec kSlowLogReset{
    .name = "SLOWLOG RESET",
    .syntax = "",
    .summary = "Empties the slow log.",
    .since = "2.2.12",
    .complexity = "O(N) where N is the number of records",
    .flags = kSlowLogFlags,
    .tips = kResetTips,
    .handler = slowlog_reset_command,
    .examples = kSlowLogResetExamples,
};

Status slowlog_help_command(Call& call) {
  return call.reply_help({
      "GET [<count>]",
      "    Show the last <count> slow commands (10; -1: all): id, time, microseconds, arguments,",
      "    client address, client name.",
      "LEN",
      "    Show how many there are.",
      "RESET",
      "    Forget them.",
  });
}
constexpr CommandSpec kSlowLogHelp{
    .name = "SLOWLOG HELP",
    .syntax = "",
    .summary = "Tells what the subcommands do.",
    .since = "6.2.0",
    .complexity = "O(1)",
    .flags = kLoading | kStale,
    .handler = slowlog_help_command,
};

constexpr CommandSpec kCommandLog{
    .name = "COMMANDLOG",
    .syntax = "subcommand [argument...]",
    .summary = "Commands on the logs of slow and large commands.",
    .since = "8.0.0",
    .complexity = "Depends on the subcommand.",
};

// True: the slow log is meant; false: one of those that are always empty.
Result<bool> means_slow_log(Call& call, size_t index) {
  if (call.is(index, "SLOW")) return true;
  if (call.is(index, "LARGE-REQUEST") || call.is(index, "LARGE-REPLY")) return false;
  return user_error("ERR type should be one of the following: slow, large-request, large-reply");
}

// COMMANDLOG GET count type -> records, the newest first
Status commandlog_get_command(Call& call) {
  ROX_TRY(const int64_t count, count_at(call, 2));
  ROX_TRY(const bool slow, means_slow_log(call, 3));
  reply_records(call, slow ? count : 0);
  return kOk;
}
constexpr Example kCommandLogGetExamples[] = {
    {"COMMANDLOG GET 10 large-reply", "*[]"},
    {"COMMANDLOG GET 10 quick",
     "-ERR type should be one of the following: slow, large-request, large-reply"}};
constexpr CommandSpec kCommandLogGet{
    .name = "COMMANDLOG GET",
    .syntax = "count type",
    .summary = "Returns the last records of one of the logs.",
    .since = "8.0.0",
    .complexity = "O(N) where N is the number of records returned",
    .flags = kSlowLogFlags,
    .tips = kGetTips,
    .handler = commandlog_get_command,
    .examples = kCommandLogGetExamples,
};

Status commandlog_len_command(Call& call) {
  ROX_TRY(const bool slow, means_slow_log(call, 2));
  return call.reply(slow ? static_cast<int64_t>(slow_log(call).records().size()) : 0);
}
constexpr Example kCommandLogLenExamples[] = {{"COMMANDLOG LEN large-request", ":0"}};
constexpr CommandSpec kCommandLogLen{
    .name = "COMMANDLOG LEN",
    .syntax = "type",
    .summary = "Returns the number of records in one of the logs.",
    .since = "8.0.0",
    .complexity = "O(1)",
    .flags = kSlowLogFlags,
    .tips = kLenTips,
    .handler = commandlog_len_command,
    .examples = kCommandLogLenExamples,
};

Status commandlog_reset_command(Call& call) {
  ROX_TRY(const bool slow, means_slow_log(call, 2));
  if (slow) slow_log(call).clear();
  return call.reply_ok();
}
constexpr Example kCommandLogResetExamples[] = {{"COMMANDLOG RESET slow", "+OK"}};
constexpr CommandSpec kCommandLogReset{
    .name = "COMMANDLOG RESET",
    .syntax = "type",
    .summary = "Empties one of the logs.",
    .since = "8.0.0",
    .complexity = "O(N) where N is the number of records",
    .flags = kSlowLogFlags,
    .tips = kResetTips,
    .handler = commandlog_reset_command,
    .examples = kCommandLogResetExamples,
};

Status commandlog_help_command(Call& call) {
  return call.reply_help({
      "GET <count> <type>",
      "    Show the last <count> records (-1: all) of the log <type>: slow, large-request or",
      "    large-reply.",
      "LEN <type>",
      "    Show how many there are.",
      "RESET <type>",
      "    Forget them.",
  });
}
constexpr CommandSpec kCommandLogHelp{
    .name = "COMMANDLOG HELP",
    .syntax = "",
    .summary = "Tells what the subcommands do.",
    .since = "8.0.0",
    .complexity = "O(1)",
    .flags = kLoading | kStale,
    .handler = commandlog_help_command,
};

constexpr const CommandSpec* kCommands[] = {
    &kSlowLog,    &kSlowLogGet,    &kSlowLogLen,    &kSlowLogReset,    &kSlowLogHelp,
    &kCommandLog, &kCommandLogGet, &kCommandLogLen, &kCommandLogReset, &kCommandLogHelp};

}  // namespace

extern constinit const engine::CommandFamily kSlowlogFamily;
constinit const engine::CommandFamily kSlowlogFamily{"server", kCommands};

}  // namespace roxdb::commands
