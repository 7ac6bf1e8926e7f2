// server.cc: commands on whole databases and on the server as such.
#include <fmt/format.h>

#include "base/text.h"
#include "base/version.h"
#include "commands/server/drawing.h"
#include "commands/shared/named_databases.h"
#include "engine/call.h"
#include "engine/command.h"
#include "engine/flush_listener.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kAdmin;
using engine::kCategoryAdmin;
using engine::kCategoryDangerous;
using engine::kCategoryKeyspace;
using engine::kFast;
using engine::kLoading;
using engine::kNoAsyncLoading;
using engine::kNoScript;
using engine::kReadOnly;
using engine::kStale;
using engine::kWrite;
namespace errors = engine::errors;

// DBSIZE -> number of keys, expired ones that nobody has met yet included
Status dbsize_command(Call& call) {
  const engine::Keyspace* keys = call.engine().keyspace_if_used(call.db());
  return call.reply(keys != nullptr ? static_cast<int64_t>(keys->size()) : 0);
}
constexpr Example kDbSizeExamples[] = {{"SET k v", "+OK"}, {"DBSIZE", ":1"}};
constexpr CommandSpec kDbSize{
    .name = "DBSIZE",
    .syntax = "",
    .summary = "Returns the number of keys of the database.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .acl = kCategoryKeyspace,
    .tips = "request_policy:all_shards,response_policy:agg_sum",
    .handler = dbsize_command,
    .examples = kDbSizeExamples,
};

// Empties one database, or all of them when `db` is -1. The memory is given back in the background
// unless SYNC says to wait for it.
Status flush(Call& call, int db) {
  if (call.argc() > 2) return errors::kSyntax;
  const bool waits = call.argc() == 2 && call.is(1, "SYNC");
  if (call.argc() == 2 && !waits && !call.is(1, "ASYNC")) return errors::kSyntax;
  call.engine().flush(db, !waits);
  call.changed_database(db);
  return call.reply_ok();
}

Status flushall_command(Call& call) {
  ROX_TRY(flush(call, -1));
  auto* const listener = call.engine().services.find<engine::FlushListener>();
  const bool replays = call.session().kind == engine::Session::Kind::kReplay;
  if (listener != nullptr && !replays) listener->all_databases_flushed();
  return kOk;
}
constexpr Example kFlushAllExamples[] = {{"SET k v", "+OK"},
                                         {"FLUSHALL", "+OK"},
                                         {"DBSIZE", ":0"},
                                         {"FLUSHALL NOW", "-ERR syntax error"}};
constexpr CommandSpec kFlushAll{
    .name = "FLUSHALL",
    .syntax = "[ASYNC | SYNC]",
    .summary = "Removes all keys of all databases, from the snapshot too when save points are set.",
    .since = "1.0.0",
    .complexity = "O(1); SYNC O(N) where N is the number of keys",
    .flags = kWrite,
    .acl = kCategoryKeyspace | kCategoryDangerous,
    .tips = "request_policy:all_shards,response_policy:all_succeeded",
    .find_databases = [](engine::Args,
                         std::vector<int>& dbs) { dbs.push_back(engine::kEveryDatabase); },
    .handler = flushall_command,
    .examples = kFlushAllExamples,
};

Status flushdb_command(Call& call) { return flush(call, call.db()); }
constexpr Example kFlushDbExamples[] = {
    {"SET k v", "+OK"}, {"SELECT 1", "+OK"}, {"SET k v", "+OK"}, {"FLUSHDB SYNC", "+OK"},
    {"DBSIZE", ":0"},   {"SELECT 0", "+OK"}, {"DBSIZE", ":1"}};
constexpr CommandSpec kFlushDb{
    .name = "FLUSHDB",
    .syntax = "[ASYNC | SYNC]",
    .summary = "Removes all keys of the database.",
    .since = "1.0.0",
    .complexity = "O(1); SYNC O(N) where N is the number of keys",
    .flags = kWrite,
    .acl = kCategoryKeyspace | kCategoryDangerous,
    .tips = "request_policy:all_shards,response_policy:all_succeeded",
    .handler = flushdb_command,
    .examples = kFlushDbExamples,
};

// SWAPDB index1 index2 -> OK: clients of one see the keys of the other
Status swapdb_command(Call& call) {
  const auto first = call.integer(1, INT32_MIN, INT32_MAX);
  if (!first.ok()) return user_error("ERR invalid first DB index");
  const auto second = call.integer(2, INT32_MIN, INT32_MAX);
  if (!second.ok()) return user_error("ERR invalid second DB index");
  const int64_t databases = call.engine().databases();
  if (*first < 0 || *first >= databases || *second < 0 || *second >= databases) {
    return errors::kDbOutOfRange;
  }
  if (*first != *second) {
    call.engine().swap_databases(static_cast<int>(*first), static_cast<int>(*second));
    call.changed_database(static_cast<int>(*first));
    call.engine().notify_database_changed(static_cast<int>(*second));
  }
  return call.reply_ok();
}
constexpr Example kSwapDbExamples[] = {{"SET k v", "+OK"},
                                       {"SWAPDB 0 1", "+OK"},
                                       {"DBSIZE", ":0"},
                                       {"SWAPDB 0 99", "-ERR DB index is out of range"},
                                       {"SWAPDB x 1", "-ERR invalid first DB index"}};
constexpr CommandSpec kSwapDb{
    .name = "SWAPDB",
    .syntax = "index1 index2",
    .summary = "Exchanges two databases, for all clients at once.",
    .since = "4.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kFast,
    .acl = kCategoryKeyspace | kCategoryDangerous,
    .find_databases =
        [](engine::Args args, std::vector<int>& dbs) {
          add_database(args[1], dbs);
          add_database(args[2], dbs);
        },
    .handler = swapdb_command,
    .examples = kSwapDbExamples,
};

// TIME -> seconds of the Unix epoch, microseconds of the second
Status time_command(Call& call) {
  const int64_t now_us = call.engine().environment().now_us();
  call.reply().array(2);
  call.reply().bulk(fmt::format_int(now_us / 1'000'000).str());
  call.reply().bulk(fmt::format_int(now_us % 1'000'000).str());
  return kOk;
}
constexpr CommandSpec kTime{
    .name = "TIME",
    .syntax = "",
    .summary = "Returns the time of the server's clock.",
    .since = "2.6.0",
    .complexity = "O(1)",
    .flags = kLoading | kStale | kFast,
    .tips = "nondeterministic_output",
    .handler = time_command,
};

// ROLE -> "master", offset, replicas
Status role_command(Call& call) {
  call.reply().array(3);
  call.reply().bulk("master");
  call.reply().integer(0);
  call.reply().array(0);
  return kOk;
}
constexpr Example kRoleExamples[] = {{"ROLE", "*[$master :0 *[]]"}};
constexpr CommandSpec kRole{
    .name = "ROLE",
    .syntax = "",
    .summary = "Returns the part the server plays in replication.",
    .since = "2.8.12",
    .complexity = "O(1)",
    .flags = kNoScript | kLoading | kStale | kFast,
    .acl = kCategoryAdmin | kCategoryDangerous,
    .handler = role_command,
    .examples = kRoleExamples,
};

// LOLWUT [VERSION version] [columns] [rows] -> a drawing, another one each time
Status lolwut_command(Call& call) {
  size_t next = 1;
  if (call.argc() > 2 && call.is(1, "VERSION")) {
    ROX_TRY(call.integer(2).status());
    next = 3;
  }
  int64_t size[2] = {64, 24};
  for (size_t i = 0; i < 2 && next < call.argc(); ++i, ++next) {
    ROX_TRY(size[i], call.integer(next));
  }
  std::string text = draw_automaton(call.engine().random, size[0], size[1]);
  fmt::format_to(std::back_inserter(text), "\nRoxDB ver. {}\n", kVersion);
  call.reply().verbatim("txt", text);
  return kOk;
}
constexpr Example kLolwutExamples[] = {
    {"LOLWUT VERSION x", "-ERR value is not an integer or out of range"}};
constexpr CommandSpec kLolwut{
    .name = "LOLWUT",
    .syntax = "[VERSION version] [columns [rows]]",
    .summary = "Draws something, and tells the version.",
    .since = "5.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .handler = lolwut_command,
    .examples = kLolwutExamples,
};

constexpr CommandSpec kModule{
    .name = "MODULE",
    .syntax = "subcommand [argument...]",
    .summary = "Commands on loadable modules, of which there are none.",
    .since = "4.0.0",
    .complexity = "Depends on the subcommand.",
};

Status module_list_command(Call& call) {
  call.reply().array(0);
  return kOk;
}
constexpr Example kModuleListExamples[] = {{"MODULE LIST", "*[]"}};
constexpr CommandSpec kModuleList{
    .name = "MODULE LIST",
    .syntax = "",
    .summary = "Returns the modules that are loaded: none.",
    .since = "4.0.0",
    .complexity = "O(1)",
    .flags = kAdmin | kNoScript,
    .tips = "nondeterministic_output_order",
    .handler = module_list_command,
    .examples = kModuleListExamples,
};

// Foreign code never enters this process (reliability S1).
Status module_load_command(Call& call) { return call.fail("ERR modules cannot be loaded"); }
constexpr Example kModuleLoadExamples[] = {{"MODULE LOAD x.so", "-ERR modules cannot be loaded"}};
constexpr CommandSpec kModuleLoad{
    .name = "MODULE LOAD",
    .syntax = "path [arg...]",
    .summary = "Refused: foreign code never enters the server.",
    .since = "4.0.0",
    .complexity = "O(1)",
    .flags = kAdmin | kNoAsyncLoading | kNoScript,
    .handler = module_load_command,
    .examples = kModuleLoadExamples,
};
constexpr Example kModuleLoadExExamples[] = {
    {"MODULE LOADEX x.so", "-ERR modules cannot be loaded"}};
constexpr CommandSpec kModuleLoadEx{
    .name = "MODULE LOADEX",
    .syntax = "path [(CONFIG name value)...] [ARGS arg...]",
    .summary = "Refused: foreign code never enters the server.",
    .since = "7.0.0",
    .complexity = "O(1)",
    .flags = kAdmin | kNoAsyncLoading | kNoScript,
    .handler = module_load_command,
    .examples = kModuleLoadExExamples,
};

Status module_unload_command(Call& call) {
  return call.fail("ERR Error unloading module: no such module with that name");
}
constexpr Example kModuleUnloadExamples[] = {
    {"MODULE UNLOAD x", "-ERR Error unloading module: no such module with that name"}};
constexpr CommandSpec kModuleUnload{
    .name = "MODULE UNLOAD",
    .syntax = "name",
    .summary = "Fails, since no module is ever loaded.",
    .since = "4.0.0",
    .complexity = "O(1)",
    .flags = kAdmin | kNoAsyncLoading | kNoScript,
    .handler = module_unload_command,
    .examples = kModuleUnloadExamples,
};

Status module_help_command(Call& call) {
  return call.reply_help({
      "LIST",
      "    Show the modules that are loaded.",
  });
}
constexpr CommandSpec kModuleHelp{
    .name = "MODULE HELP",
    .syntax = "",
    .summary = "Tells what the subcommands do.",
    .since = "5.0.0",
    .complexity = "O(1)",
    .flags = kLoading | kStale,
    .handler = module_help_command,
};

constexpr const CommandSpec* kCommands[] = {
    &kDbSize, &kFlushAll,   &kFlushDb,    &kSwapDb,       &kTime,         &kRole,      &kLolwut,
    &kModule, &kModuleList, &kModuleLoad, &kModuleLoadEx, &kModuleUnload, &kModuleHelp};

}  // namespace

extern constinit const engine::CommandFamily kServerFamily;
constinit const engine::CommandFamily kServerFamily{"server", kCommands};

}  // namespace roxdb::commands
