// script_commands.cc: SCRIPT: what the server knows of the scripts that EVAL runs.
#include "engine/call.h"
#include "scripting/scripting.h"

namespace roxdb::scripting {
namespace {

using engine::Call;
using engine::CommandFamily;
using engine::CommandSpec;
using engine::kNoScript;
using engine::kStale;

constexpr std::string_view kToAll = "request_policy:all_nodes,response_policy:all_succeeded";

constexpr CommandSpec kScript{
    .name = "SCRIPT",
    .syntax = "subcommand [argument...]",
    .summary = "Commands on the scripts that the server knows.",
    .since = "2.6.0",
    .complexity = "Depends on the subcommand.",
};

// SCRIPT LOAD script -> its SHA1
Status script_load_command(Call& call) {
  std::string why;
  const Script* const script =
      call.service<Scripting>().scripts.find_or_add(call.arg(2), true, why);
  if (script == nullptr) return call.fail("{}", why);
  return call.reply_bulk(script->sha1);
}
constexpr CommandSpec kScriptLoad{
    .name = "SCRIPT LOAD",
    .syntax = "script",
    .summary = "Compiles a script and keeps it for EVALSHA.",
    .since = "2.6.0",
    .complexity = "O(N) with N being the length in bytes of the script.",
    .flags = kNoScript | kStale,
    .tips = kToAll,
    .handler = script_load_command,
};

// SCRIPT EXISTS sha1 ... -> 1 or 0 for each
Status script_exists_command(Call& call) {
  const EvalScripts& scripts = call.service<Scripting>().scripts;
  call.reply().array(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    call.reply().integer(scripts.find(call.arg(i)) != nullptr ? 1 : 0);
  }
  return kOk;
}
constexpr CommandSpec kScriptExists{
    .name = "SCRIPT EXISTS",
    .syntax = "sha1...",
    .summary = "Tells which scripts the server knows.",
    .since = "2.6.0",
    .complexity = "O(N) with N being the number of scripts.",
    .flags = kNoScript,
    .tips = "request_policy:all_shards,response_policy:agg_logical_and",
    .handler = script_exists_command,
};

// SCRIPT FLUSH [ASYNC | SYNC] -> OK
Status script_flush_command(Call& call) {
  const bool is_async = call.argc() == 3 && call.is(2, "ASYNC");
  if (call.argc() > 3 || (call.argc() == 3 && !is_async && !call.is(2, "SYNC"))) {
    return user_error("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
  }
  call.service<Scripting>().scripts.flush(is_async);
  return call.reply_ok();
}
constexpr CommandSpec kScriptFlush{
    .name = "SCRIPT FLUSH",
    .syntax = "[ASYNC | SYNC]",
    .summary = "Forgets all scripts.",
    .since = "2.6.0",
    .complexity = "O(N) with N being the number of scripts in cache",
    .flags = kNoScript,
    .tips = kToAll,
    .handler = script_flush_command,
};

Status script_kill_command(Call& call) {
  ROX_TRY(call.service<Scripting>().kill(true));
  return call.reply_ok();
}
constexpr CommandSpec kScriptKill{
    .name = "SCRIPT KILL",
    .syntax = "",
    .summary = "Ends the script that runs, unless it has written something.",
    .since = "2.6.0",
    .complexity = "O(1)",
    .flags = kNoScript | engine::kAllowBusy,
    .tips = "request_policy:all_shards,response_policy:one_succeeded",
    .handler = script_kill_command,
};

// SCRIPT SHOW sha1 -> its text
Status script_show_command(Call& call) {
  const EvalScripts& scripts = call.service<Scripting>().scripts;
  const Script* const script = scripts.find(call.arg(2));
  if (script == nullptr) return user_error("NOSCRIPT No matching script.");
  return call.reply_bulk(script->text);
}
constexpr CommandSpec kScriptShow{
    .name = "SCRIPT SHOW",
    .syntax = "sha1",
    .summary = "Returns the text of a script.",
    .since = "8.0.0",
    .complexity = "O(1)",
    .flags = kNoScript | kStale,
    .handler = script_show_command,
};

// SCRIPT DEBUG YES | SYNC | NO: there is no debugger, so NO is all that can be had.
Status script_debug_command(Call& call) {
  if (call.is(2, "NO")) return call.reply_ok();
  if (call.is(2, "YES") || call.is(2, "SYNC")) {
    return user_error("ERR SCRIPT DEBUG is not supported: there is no debugger for scripts");
  }
  return user_error("ERR Use SCRIPT DEBUG YES/SYNC/NO");
}
constexpr CommandSpec kScriptDebug{
    .name = "SCRIPT DEBUG",
    .syntax = "(YES | SYNC | NO)",
    .summary = "Says that there is no debugger for scripts.",
    .since = "3.2.0",
    .complexity = "O(1)",
    .flags = kNoScript,
    .handler = script_debug_command,
};

Status script_help_command(Call& call) {
  return call.reply_help({
      "DEBUG (YES|SYNC|NO)",
      "    There is no debugger for scripts.",
      "EXISTS <sha1> [<sha1> ...]",
      "    Show which of the scripts are known.",
      "FLUSH [ASYNC|SYNC]",
      "    Forget all scripts. ASYNC frees their memory in the background.",
      "KILL",
      "    End the script that runs, unless it has written something.",
      "LOAD <script>",
      "    Keep a script without running it, and show its SHA1.",
      "SHOW <sha1>",
      "    Show the text of a script.",
  });
}
constexpr CommandSpec kScriptHelp{
    .name = "SCRIPT HELP",
    .syntax = "",
    .summary = "Tells what the subcommands do.",
    .since = "5.0.0",
    .complexity = "O(1)",
    .flags = engine::kLoading | kStale,
    .handler = script_help_command,
};

constexpr const CommandSpec* kCommands[] = {&kScript,      &kScriptDebug, &kScriptExists,
                                            &kScriptFlush, &kScriptHelp,  &kScriptKill,
                                            &kScriptLoad,  &kScriptShow};

}  // namespace

extern constinit const CommandFamily kScriptCommandsFamily;
constinit const CommandFamily kScriptCommandsFamily{"scripting", kCommands};

}  // namespace roxdb::scripting
