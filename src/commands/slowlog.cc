// slowlog.cc: the logs of commands that stood out. SLOWLOG is that of the slow ones, COMMANDLOG
// asks for one of three: slow ones, large requests, large replies. SLOWLOG WHY, which other servers
// do not have, tells where the time went; records of GET keep the six fields that clients take
// apart.
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

CommandLog& slow_log(Call& call) { return call.service<CommandState>().slow_log; }

// How many of the newest records `count` asks for; -1: all.
size_t shown_of(const CommandLog& log, int64_t count) {
  const size_t all = log.records().size();
  return count < 0 ? all : std::min(all, static_cast<size_t>(count));
}

void reply_args(resp::Reply& reply, const CommandLog::Record& record) {
  reply.array(record.args.size());
  for (const std::string& arg : record.args) reply.bulk(arg);
}

// Each record: id, time, duration in us or size in bytes, arguments, who, name.
void reply_records(Call& call, const CommandLog& log, int64_t count) {
  const size_t shown = shown_of(log, count);
  resp::Reply& reply = call.reply();
  reply.array(shown);
  for (size_t i = 0; i < shown; ++i) {
    const CommandLog::Record& record = log.records()[i];
    reply.array(6);
    reply.integer(record.id);
    reply.integer(record.time_s);
    reply.integer(record.amount);
    reply_args(reply, record);
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
  reply_records(call, slow_log(call), count);
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

// SLOWLOG WHY [count] -> a map for each record, the newest first; `why` has the time by cause
Status slowlog_why_command(Call& call) {
  int64_t count = 10;
  if (call.argc() == 3) {
    ROX_TRY(count, count_at(call, 2));
  }
  const CommandLog& log = slow_log(call);
  const size_t shown = shown_of(log, count);
  resp::Reply& reply = call.reply();
  reply.array(shown);
  for (size_t i = 0; i < shown; ++i) {
    const CommandLog::Record& record = log.records()[i];
    reply.map(7);
    reply.bulk("id");
    reply.integer(record.id);
    reply.bulk("time");
    reply.integer(record.time_s);
    reply.bulk("duration-us");
    reply.integer(record.amount);
    reply.bulk("command");
    reply_args(reply, record);
    reply.bulk("address");
    reply.bulk(record.address);
    reply.bulk("name");
    reply.bulk(record.client_name);
    reply.bulk("why");
    reply_breakdown(reply, record.why);
  }
  return kOk;
}
constexpr Example kSlowLogWhyExamples[] = {
    {"SLOWLOG WHY -2", "-ERR count should be greater than or equal to -1"}};
constexpr CommandSpec kSlowLogWhy{
    .name = "SLOWLOG WHY",
    .syntax = "[count]",
    .summary = "Returns where the time of the last slow commands went.",
    .since = "8.0.0",
    .complexity = "O(N) where N is the number of records returned",
    .flags = kSlowLogFlags,
    .tips = kGetTips,
    .handler = slowlog_why_command,
    .examples = kSlowLogWhyExamples,
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
      "WHY [<count>]",
      "    Show where their time went: waiting for others of the same batch, executing, page "
      "faults",
      "    while a child saves, writing the log and the reply, waiting for the disk, ...",
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

Result<CommandLog*> log_at(Call& call, size_t index) {
  auto& state = call.service<CommandState>();
  if (call.is(index, "SLOW")) return &state.slow_log;
  if (call.is(index, "LARGE-REQUEST")) return &state.large_logs.requests;
  if (call.is(index, "LARGE-REPLY")) return &state.large_logs.replies;
  return user_error("ERR type should be one of the following: slow, large-request, large-reply");
}

// COMMANDLOG GET count type -> records, the newest first
Status commandlog_get_command(Call& call) {
  ROX_TRY(const int64_t count, count_at(call, 2));
  ROX_TRY(const CommandLog* const log, log_at(call, 3));
  reply_records(call, *log, count);
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
  ROX_TRY(const CommandLog* const log, log_at(call, 2));
  return call.reply(static_cast<int64_t>(log->records().size()));
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
  ROX_TRY(CommandLog* const log, log_at(call, 2));
  log->clear();
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

constexpr const CommandSpec* kCommands[] = {&kSlowLog,         &kSlowLogGet,    &kSlowLogWhy,
                                            &kSlowLogLen,      &kSlowLogReset,  &kSlowLogHelp,
                                            &kCommandLog,      &kCommandLogGet, &kCommandLogLen,
                                            &kCommandLogReset, &kCommandLogHelp};

}  // namespace

extern constinit const engine::CommandFamily kSlowlogFamily;
constinit const engine::CommandFamily kSlowlogFamily{"server", kCommands};

}  // namespace roxdb::commands
