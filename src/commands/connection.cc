// connection.cc: commands on the connection that need no server behind it. What a client is, and
// the commands on that, are in server/.
#include "commands/shared/named_databases.h"
#include "engine/call.h"
#include "engine/command.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kCategoryConnection;
using engine::kFast;
using engine::kLoading;
using engine::kStale;

// ECHO message -> the same bytes
Status echo_command(Call& call) { return call.reply_bulk(call.arg(1)); }
constexpr Example kEchoExamples[] = {{"ECHO hello", "$hello"}};
constexpr CommandSpec kEcho{
    .name = "ECHO",
    .syntax = "message",
    .summary = "Returns what it was given.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kLoading | kStale | kFast,
    .acl = kCategoryConnection,
    .handler = echo_command,
    .examples = kEchoExamples,
};

// PING [message] -> PONG | the message; among messages of Pub/Sub it looks like one of them
Status ping_command(Call& call) {
  if (call.argc() > 2) return call.fail("ERR wrong number of arguments for 'ping' command");
  if (call.session().is_subscribed && call.reply().protocol() == 2) {
    call.reply().array(2);
    call.reply().bulk("pong");
    return call.reply_bulk(call.argc() == 2 ? call.arg(1) : "");
  }
  if (call.argc() == 2) return call.reply_bulk(call.arg(1));
  call.reply().simple("PONG");
  return kOk;
}
constexpr Example kPingExamples[] = {
    {"PING", "+PONG"},
    {"PING hello", "$hello"},
    {"PING a b", "-ERR wrong number of arguments for 'ping' command"}};
constexpr CommandSpec kPing{
    .name = "PING",
    .syntax = "[message]",
    .summary = "Tells whether the server answers, and can store what it acknowledges.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kFast,
    .acl = kCategoryConnection,
    .tips = "request_policy:all_shards,response_policy:all_succeeded",
    .handler = ping_command,
    .examples = kPingExamples,
};

// SELECT index -> OK
Status select_command(Call& call) {
  ROX_TRY(call.session().db, call.database(1));
  return call.reply_ok();
}
constexpr Example kSelectExamples[] = {
    {"SELECT 1", "+OK"},
    {"SELECT -1", "-ERR DB index is out of range"},
    {"SELECT x", "-ERR value is not an integer or out of range"}};
constexpr CommandSpec kSelect{
    .name = "SELECT",
    .syntax = "index",
    .summary = "Chooses the database that later commands of this connection work on.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kLoading | kStale | kFast,
    .acl = kCategoryConnection,
    .find_databases = [](engine::Args args, std::vector<int>& dbs) { add_database(args[1], dbs); },
    .handler = select_command,
    .examples = kSelectExamples,
};

constexpr const CommandSpec* kCommands[] = {&kEcho, &kPing, &kSelect};

}  // namespace

extern constinit const engine::CommandFamily kConnectionFamily;
constinit const engine::CommandFamily kConnectionFamily{"connection", kCommands};

}  // namespace roxdb::commands
