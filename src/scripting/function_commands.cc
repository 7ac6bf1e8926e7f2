// function_commands.cc: FUNCTION: libraries of functions. What changes them is logged as received.
#include "base/glob.h"
#include "base/limits.h"
#include "engine/call.h"
#include "engine/errors.h"
#include "scripting/scripting.h"

namespace roxdb::scripting {
namespace {

using engine::Call;
using engine::CommandFamily;
using engine::CommandSpec;
using engine::Flags;
using engine::kDenyOom;
using engine::kNoScript;
using engine::kWrite;

constexpr std::string_view kToShards = "request_policy:all_shards,response_policy:all_succeeded";
// What the text of a library may take to register its functions, and those of a payload.
constexpr uint64_t kLoadTimeNs = 500'000'000;

// What was loaded once is loaded again, however long it takes.
uint64_t load_time_ns(Call& call) {
  return call.session().kind == engine::Session::Kind::kReplay ? 0 : kLoadTimeNs;
}

FunctionLibraries& libraries_of(Call& call) { return call.service<Scripting>().libraries; }

// No key has changed, but the data has: logged as received, and worth a snapshot.
void log_change(Call& call) {
  call.engine().dirty++;
  call.log_as(call.db(), call.args());
}

constexpr CommandSpec kFunction{
    .name = "FUNCTION",
    .syntax = "subcommand [argument...]",
    .summary = "Commands on libraries of functions.",
    .since = "7.0.0",
    .complexity = "Depends on the subcommand.",
};

// FUNCTION LOAD [REPLACE] code -> name of the library
Status function_load_command(Call& call) {
  bool replaces = false;
  for (size_t i = 2; i + 1 < call.argc(); ++i) {
    if (!call.is(i, "REPLACE")) return call.fail("ERR Unknown option given: {}", call.arg(i));
    replaces = true;
  }
  std::string why;
  const Library* const library =
      libraries_of(call).load(call.arg(call.argc() - 1), replaces, load_time_ns(call), why);
  if (library == nullptr) return call.fail("ERR {}", why);
  log_change(call);
  return call.reply_bulk(library->name);
}
constexpr CommandSpec kFunctionLoad{
    .name = "FUNCTION LOAD",
    .syntax = "[REPLACE] function-code",
    .summary = "Loads a library.",
    .since = "7.0.0",
    .complexity = "O(1) (considering compilation time is redundant)",
    .flags = kWrite | kDenyOom | kNoScript,
    .tips = kToShards,
    .handler = function_load_command,
};

// FUNCTION DELETE library -> OK
Status function_delete_command(Call& call) {
  if (!libraries_of(call).erase(call.arg(2))) return user_error("ERR Library not found");
  log_change(call);
  return call.reply_ok();
}
constexpr CommandSpec kFunctionDelete{
    .name = "FUNCTION DELETE",
    .syntax = "library-name",
    .summary = "Deletes a library and its functions.",
    .since = "7.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kNoScript,
    .tips = kToShards,
    .handler = function_delete_command,
};

// FUNCTION FLUSH [ASYNC | SYNC] -> OK
Status function_flush_command(Call& call) {
  if (call.argc() > 3) {
    return call.fail(
        "ERR unknown subcommand or wrong number of arguments for '{}'. Try FUNCTION HELP.",
        call.arg(1));
  }
  const bool is_async = call.argc() == 3 && call.is(2, "ASYNC");
  if (call.argc() == 3 && !is_async && !call.is(2, "SYNC")) {
    return user_error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  }
  libraries_of(call).flush(is_async);
  log_change(call);
  return call.reply_ok();
}
constexpr CommandSpec kFunctionFlush{
    .name = "FUNCTION FLUSH",
    .syntax = "[ASYNC | SYNC]",
    .summary = "Deletes all libraries.",
    .since = "7.0.0",
    .complexity = "O(N) where N is the number of functions deleted",
    .flags = kWrite | kNoScript,
    .tips = kToShards,
    .handler = function_flush_command,
};

// FUNCTION DUMP -> all libraries as a payload
Status function_dump_command(Call& call) { return call.reply_bulk(libraries_of(call).dump()); }
constexpr CommandSpec kFunctionDump{
    .name = "FUNCTION DUMP",
    .syntax = "",
    .summary = "Returns all libraries as a payload for FUNCTION RESTORE.",
    .since = "7.0.0",
    .complexity = "O(N) where N is the number of functions",
    .flags = kNoScript,
    .handler = function_dump_command,
};

// FUNCTION RESTORE payload [FLUSH | APPEND | REPLACE] -> OK
Status function_restore_command(Call& call) {
  using Policy = FunctionLibraries::Policy;
  if (call.argc() > 4) {
    return call.fail(
        "ERR unknown subcommand or wrong number of arguments for '{}'. Try FUNCTION HELP.",
        call.arg(1));
  }
  Policy policy = Policy::kAppend;
  if (call.argc() == 4) {
    if (call.is(3, "FLUSH")) {
      policy = Policy::kFlush;
    } else if (call.is(3, "REPLACE")) {
      policy = Policy::kReplace;
    } else if (!call.is(3, "APPEND")) {
      return user_error(
          "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
    }
  }
  std::string why;
  if (!libraries_of(call).restore(call.arg(2), policy, load_time_ns(call), why)) {
    return call.fail("ERR {}", why);
  }
  log_change(call);
  return call.reply_ok();
}
constexpr CommandSpec kFunctionRestore{
    .name = "FUNCTION RESTORE",
    .syntax = "serialized-value [FLUSH | APPEND | REPLACE]",
    .summary = "Loads the libraries of a payload.",
    .since = "7.0.0",
    .complexity = "O(N) where N is the number of functions on the payload",
    .flags = kWrite | kDenyOom | kNoScript,
    .tips = kToShards,
    .handler = function_restore_command,
};

Status function_kill_command(Call& call) {
  ROX_TRY(call.service<Scripting>().kill(false));
  return call.reply_ok();
}
constexpr CommandSpec kFunctionKill{
    .name = "FUNCTION KILL",
    .syntax = "",
    .summary = "Ends the function that runs, unless it has written something.",
    .since = "7.0.0",
    .complexity = "O(1)",
    .flags = kNoScript | engine::kAllowBusy,
    .tips = "request_policy:all_shards,response_policy:one_succeeded",
    .handler = function_kill_command,
};

void reply_function(resp::Reply& reply, const Function& function) {
  reply.map(3);
  reply.bulk("name");
  reply.bulk(function.name);
  reply.bulk("description");
  if (function.description) {
    reply.bulk(*function.description);
  } else {
    reply.null();
  }
  reply.bulk("flags");
  reply.set(static_cast<size_t>(__builtin_popcount(function.flags)));
  for (const auto& [name, flag] : kFlagNames) {
    if ((function.flags & flag) != 0) reply.simple(name);
  }
}

void reply_library(resp::Reply& reply, const Library& library, bool with_code) {
  reply.map(with_code ? 4 : 3);
  reply.bulk("library_name");
  reply.bulk(library.name);
  reply.bulk("engine");
  reply.bulk("LUA");
  reply.bulk("functions");
  reply.array(library.functions.size());
  for (const auto& [name, function] : library.functions) reply_function(reply, function);
  if (!with_code) return;
  reply.bulk("library_code");
  reply.bulk(library.code);
}

// FUNCTION LIST [LIBRARYNAME pattern] [WITHCODE] -> libraries with their functions
Status function_list_command(Call& call) {
  bool with_code = false;
  std::optional<Glob> pattern;
  for (size_t i = 2; i < call.argc(); ++i) {
    if (!with_code && call.is(i, "WITHCODE")) {
      with_code = true;
    } else if (!pattern && call.is(i, "LIBRARYNAME")) {
      if (i + 1 == call.argc()) return user_error("ERR library name argument was not given");
      if (call.arg(++i).size() > kPatternBytesMax) return engine::errors::kPatternTooComplex;
      pattern.emplace(call.arg(i), true);
    } else {
      return call.fail("ERR Unknown argument {}", call.arg(i));
    }
  }
  const resp::Reply::Open list = call.reply().open(resp::Reply::Aggregate::kArray);
  size_t count = 0;
  for (const auto& [name, library] : libraries_of(call).libraries()) {
    if (pattern && !pattern->matches(name)) continue;
    reply_library(call.reply(), *library, with_code);
    ++count;
  }
  call.reply().close(list, count);
  return kOk;
}
constexpr CommandSpec kFunctionList{
    .name = "FUNCTION LIST",
    .syntax = "[LIBRARYNAME library-name-pattern] [WITHCODE]",
    .summary = "Returns what libraries there are.",
    .since = "7.0.0",
    .complexity = "O(N) where N is the number of functions",
    .flags = kNoScript,
    .tips = "nondeterministic_output_order",
    .handler = function_list_command,
};

// FUNCTION STATS -> what runs, and how many libraries and functions there are
Status function_stats_command(Call& call) {
  const Scripting& scripting = call.service<Scripting>();
  const ScriptRun* const run = scripting.running();
  if (run != nullptr && run->is_eval) {
    return user_error(
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.");
  }
  resp::Reply& reply = call.reply();
  reply.map(2);
  reply.bulk("running_script");
  if (run == nullptr) {
    reply.null();
  } else {
    reply.map(3);
    reply.bulk("name");
    reply.bulk(run->name);
    reply.bulk("command");
    reply.array(run->request.size());
    for (const std::string_view arg : run->request) reply.bulk(arg);
    reply.bulk("duration_ms");
    reply.integer(static_cast<int64_t>(scripting.running_ms()));
  }
  reply.bulk("engines");
  reply.map(1);
  reply.bulk("LUA");
  reply.map(2);
  reply.bulk("libraries_count");
  reply.integer(static_cast<int64_t>(scripting.libraries.libraries().size()));
  reply.bulk("functions_count");
  reply.integer(static_cast<int64_t>(scripting.libraries.functions()));
  return kOk;
}
constexpr CommandSpec kFunctionStats{
    .name = "FUNCTION STATS",
    .syntax = "",
    .summary = "Returns which function runs, and how many there are.",
    .since = "7.0.0",
    .complexity = "O(1)",
    .flags = kNoScript | engine::kAllowBusy,
    .tips = "nondeterministic_output,request_policy:all_shards,response_policy:special",
    .handler = function_stats_command,
};

Status function_help_command(Call& call) {
  return call.reply_help({
      "DELETE <library>",
      "    Delete a library and its functions.",
      "DUMP",
      "    Show all libraries as a payload for RESTORE.",
      "FLUSH [ASYNC|SYNC]",
      "    Delete all libraries. ASYNC frees their memory in the background.",
      "KILL",
      "    End the function that runs, unless it has written something.",
      "LIST [LIBRARYNAME <pattern>] [WITHCODE]",
      "    Show libraries and their functions, with their code if asked to.",
      "LOAD [REPLACE] <code>",
      "    Load a library: its first line is \"#!lua name=<library>\".",
      "RESTORE <payload> [FLUSH|APPEND|REPLACE]",
      "    Load the libraries of a payload: in place of all (FLUSH), beside them (APPEND, the",
      "    default), or in place of those with the same name (REPLACE).",
      "STATS",
      "    Show the function that runs, and how many libraries and functions there are.",
  });
}
constexpr CommandSpec kFunctionHelp{
    .name = "FUNCTION HELP",
    .syntax = "",
    .summary = "Tells what the subcommands do.",
    .since = "7.0.0",
    .complexity = "O(1)",
    .flags = engine::kLoading | engine::kStale,
    .handler = function_help_command,
};

constexpr const CommandSpec* kCommands[] = {
    &kFunction,     &kFunctionDelete, &kFunctionDump, &kFunctionFlush,   &kFunctionHelp,
    &kFunctionKill, &kFunctionList,   &kFunctionLoad, &kFunctionRestore, &kFunctionStats};

}  // namespace

extern constinit const CommandFamily kFunctionCommandsFamily;
constinit const CommandFamily kFunctionCommandsFamily{"scripting", kCommands};

}  // namespace roxdb::scripting
