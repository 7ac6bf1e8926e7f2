// client_commands.cc: CLIENT, commands on one's own connection and on those of others.
#include "base/numbers.h"
#include "engine/call.h"
#include "server/client_filter.h"
#include "server/clients.h"
#include "server/command_client.h"
#include "server/pause.h"

namespace roxdb::server {
namespace {

using engine::Call;
using engine::CommandFamily;
using engine::CommandSpec;
using engine::Flags;
using engine::kAdmin;
using engine::kCategoryConnection;
using engine::kLoading;
using engine::kNoScript;
using engine::kStale;
namespace errors = engine::errors;

constexpr Flags kClientFlags = kNoScript | kLoading | kStale;
constexpr std::string_view kEverywhere = "request_policy:all_nodes,response_policy:all_succeeded";

constexpr CommandSpec kClient{
    .name = "CLIENT",
    .syntax = "subcommand [argument...]",
    .summary = "Commands on connections.",
    .since = "2.4.0",
    .complexity = "Depends on the subcommand.",
};

// ---- one's own connection ----

// CLIENT ID -> integer
Status client_id_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  return call.reply(static_cast<int64_t>(client->id));
}
constexpr CommandSpec kClientId{
    .name = "CLIENT ID",
    .syntax = "",
    .summary = "Returns the number of this connection, which no other one ever has.",
    .since = "5.0.0",
    .complexity = "O(1)",
    .flags = kClientFlags,
    .acl = kCategoryConnection,
    .handler = client_id_command,
};

// CLIENT INFO -> one line of CLIENT LIST
Status client_info_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  call.reply().verbatim("txt", client->describe(call.service<Clients>().now_ms) + "\n");
  return kOk;
}
constexpr CommandSpec kClientInfo{
    .name = "CLIENT INFO",
    .syntax = "",
    .summary = "Returns what CLIENT LIST says of this connection.",
    .since = "6.2.0",
    .complexity = "O(1)",
    .flags = kClientFlags,
    .acl = kCategoryConnection,
    .tips = "nondeterministic_output",
    .handler = client_info_command,
};

// CLIENT GETNAME -> name | null
Status client_getname_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  return client->name.empty() ? call.reply_null() : call.reply_bulk(client->name);
}
constexpr CommandSpec kClientGetName{
    .name = "CLIENT GETNAME",
    .syntax = "",
    .summary = "Returns the name of this connection.",
    .since = "2.6.9",
    .complexity = "O(1)",
    .flags = kClientFlags,
    .acl = kCategoryConnection,
    .handler = client_getname_command,
};

// CLIENT SETNAME name -> OK; an empty name takes it away
Status client_setname_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  ROX_TRY(set_name(*client, call.arg(2)));
  return call.reply_ok();
}
constexpr CommandSpec kClientSetName{
    .name = "CLIENT SETNAME",
    .syntax = "connection-name",
    .summary = "Gives this connection a name for CLIENT LIST.",
    .since = "2.6.9",
    .complexity = "O(1)",
    .flags = kClientFlags,
    .acl = kCategoryConnection,
    .tips = kEverywhere,
    .handler = client_setname_command,
};

// CLIENT SETINFO LIB-NAME | LIB-VER value -> OK
Status client_setinfo_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  const bool is_name = call.is(2, "LIB-NAME");
  if (!is_name && !call.is(2, "LIB-VER")) {
    return call.fail("ERR Unrecognized option '{}'", call.arg(2));
  }
  if (!is_label(call.arg(3))) {
    return call.fail("ERR {} cannot contain spaces, newlines or special characters.",
                     is_name ? "lib-name" : "lib-ver");
  }
  (is_name ? client->lib_name : client->lib_version) = call.arg(3);
  return call.reply_ok();
}
constexpr CommandSpec kClientSetInfo{
    .name = "CLIENT SETINFO",
    .syntax = "(LIB-NAME libname | LIB-VER libver)",
    .summary = "Tells which library, in which version, speaks on this connection.",
    .since = "7.2.0",
    .complexity = "O(1)",
    .flags = kClientFlags,
    .acl = kCategoryConnection,
    .tips = kEverywhere,
    .handler = client_setinfo_command,
};

// CLIENT CAPA capability... -> OK; unknown ones are ignored
Status client_capa_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  for (size_t i = 2; i < call.argc(); ++i) {
    if (call.is(i, "REDIRECT")) client->follows_redirects = true;
  }
  return call.reply_ok();
}
constexpr CommandSpec kClientCapa{
    .name = "CLIENT CAPA",
    .syntax = "capability...",
    .summary = "Tells what the library that speaks on this connection can do.",
    .since = "8.0.0",
    .complexity = "O(1)",
    .flags = kClientFlags | engine::kAllowBusy,
    .acl = kCategoryConnection,
    .handler = client_capa_command,
};

// A switch of the connection that is ON or OFF.
Status set_switch(Call& call, bool Client::*value) {
  ROX_TRY(Client * client, client_of(call));
  if (!call.is(2, "ON") && !call.is(2, "OFF")) return errors::kSyntax;
  client->*value = call.is(2, "ON");
  return call.reply_ok();
}

Status client_no_evict_command(Call& call) { return set_switch(call, &Client::no_evict); }
constexpr CommandSpec kClientNoEvict{
    .name = "CLIENT NO-EVICT",
    .syntax = "(ON | OFF)",
    .summary = "Spares this connection when connections take too much memory.",
    .since = "7.0.0",
    .complexity = "O(1)",
    .flags = kClientFlags | kAdmin,
    .acl = kCategoryConnection,
    .handler = client_no_evict_command,
};

Status client_no_touch_command(Call& call) { return set_switch(call, &Client::no_touch); }
constexpr CommandSpec kClientNoTouch{
    .name = "CLIENT NO-TOUCH",
    .syntax = "(ON | OFF)",
    .summary = "Lets reads of this connection leave no trace in the access times of keys.",
    .since = "7.2.0",
    .complexity = "O(1)",
    .flags = kClientFlags,
    .acl = kCategoryConnection,
    .handler = client_no_touch_command,
};

// CLIENT REPLY ON -> OK; OFF and SKIP -> nothing
Status client_reply_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  using Mode = Client::ReplyMode;
  if (call.is(2, "ON")) {
    client->reply_mode = Mode::kOn;
    client->skips_reply = false;
    return call.reply_ok();
  }
  if (call.is(2, "OFF")) {
    client->reply_mode = Mode::kOff;
    return kOk;
  }
  if (!call.is(2, "SKIP")) return errors::kSyntax;
  if (client->reply_mode != Mode::kOff) client->reply_mode = Mode::kSkipNext;
  return kOk;
}
constexpr CommandSpec kClientReply{
    .name = "CLIENT REPLY",
    .syntax = "(ON | OFF | SKIP)",
    .summary = "Says whether the server replies: always, never, or not to the next command.",
    .since = "3.2.0",
    .complexity = "O(1)",
    .flags = kClientFlags,
    .acl = kCategoryConnection,
    .handler = client_reply_command,
};

// ---- connections of others ----

// CLIENT LIST [filter ...] -> a line per client, oldest first
Status client_list_command(Call& call) {
  Clients& clients = call.service<Clients>();
  ClientFilter filter;
  ROX_TRY(filter.parse(call, 2, user_error("ERR Invalid client ID")));
  const Client* self = client_or_null(call);
  std::string text;
  clients.for_each([&](const Client& client) {
    if (filter.matches(client, self, clients.now_ms))
      text += client.describe(clients.now_ms) + "\n";
  });
  call.reply().verbatim("txt", text);
  return kOk;
}
constexpr CommandSpec kClientList{
    .name = "CLIENT LIST",
    .syntax =
        "[TYPE (NORMAL | MASTER | PRIMARY | REPLICA | SLAVE | PUBSUB)] [ID client-id...] "
        "[USER username] [ADDR ip:port] [LADDR ip:port] [IP ip] [NAME name] "
        "[LIB-NAME name] [LIB-VER version] [DB index] [FLAGS flags] [CAPA capability] "
        "[MAXAGE seconds] [IDLE seconds] [SKIPME (YES | NO)] [NOT-filter value...]",
    .summary = "Returns what is known of the connections, or of those that fit.",
    .since = "2.4.0",
    .complexity = "O(N) where N is the number of connections",
    .flags = kClientFlags | kAdmin,
    .acl = kCategoryConnection,
    .tips = "nondeterministic_output",
    .handler = client_list_command,
};

// Closes a client now; the one that asks is closed once it has its answer.
void kill(Clients& clients, Client& client, const Client* self) {
  if (&client == self) {
    clients.close_after_replies(client);
  } else {
    clients.close(client);
  }
}

// CLIENT KILL address -> OK; CLIENT KILL filter ... -> how many were closed
Status client_kill_command(Call& call) {
  Clients& clients = call.service<Clients>();
  const Client* self = client_or_null(call);
  if (call.argc() == 3) {
    Client* found = nullptr;
    clients.for_each([&](Client& client) {
      if (client.peer.address == call.arg(2)) found = &client;
    });
    if (found == nullptr) return user_error("ERR No such client");
    kill(clients, *found, self);
    return call.reply_ok();
  }
  ClientFilter filter;
  filter.skip_self = true;
  ROX_TRY(filter.parse(call, 2, user_error("ERR client-id should be greater than 0")));
  int64_t killed = 0;
  clients.for_each([&](Client& client) {
    if (!filter.matches(client, self, clients.now_ms)) return;
    kill(clients, client, self);
    ++killed;
  });
  return call.reply(killed);
}
constexpr CommandSpec kClientKill{
    .name = "CLIENT KILL",
    .syntax = "(ip:port | filter value...)",
    .summary =
        "Closes the connection with this address, or all that fit the filters of CLIENT "
        "LIST.",
    .since = "2.4.0",
    .complexity = "O(N) where N is the number of connections",
    .flags = kClientFlags | kAdmin,
    .acl = kCategoryConnection,
    .arity = -3,
    .handler = client_kill_command,
};

// CLIENT PAUSE milliseconds [WRITE | ALL] -> OK
Status client_pause_command(Call& call) {
  Pause::Mode mode = Pause::Mode::kAll;
  if (call.argc() > 4) return errors::kSyntax;
  if (call.argc() == 4) {
    if (call.is(3, "WRITE")) {
      mode = Pause::Mode::kWrites;
    } else if (!call.is(3, "ALL")) {
      return user_error("ERR CLIENT PAUSE mode must be WRITE or ALL");
    }
  }
  const auto timeout_ms = parse_int64(call.arg(2));
  if (!timeout_ms) return user_error("ERR timeout is not an integer or out of range");
  if (*timeout_ms < 0) return user_error("ERR timeout is negative");
  const uint64_t now_ms = call.service<Clients>().now_ms;
  Pause& pause = call.service<Pause>();
  // One of no length would last until the next tick; it may still make another one stronger.
  if (*timeout_ms > 0 || pause.is_on()) {
    pause.start(mode, now_ms + static_cast<uint64_t>(*timeout_ms));
  }
  return call.reply_ok();
}
constexpr CommandSpec kClientPause{
    .name = "CLIENT PAUSE",
    .syntax = "timeout [WRITE | ALL]",
    .summary = "Lets all commands, or those that write, wait for so many milliseconds.",
    .since = "3.0.0",
    .complexity = "O(1)",
    .flags = kClientFlags | kAdmin,
    .acl = kCategoryConnection,
    .handler = client_pause_command,
};

Status client_unpause_command(Call& call) {
  call.service<Pause>().stop();
  return call.reply_ok();
}
constexpr CommandSpec kClientUnpause{
    .name = "CLIENT UNPAUSE",
    .syntax = "",
    .summary = "Ends a pause.",
    .since = "6.2.0",
    .complexity = "O(N) where N is the number of connections that wait",
    .flags = kClientFlags | kAdmin,
    .acl = kCategoryConnection,
    .handler = client_unpause_command,
};

// CLIENT UNBLOCK id [TIMEOUT | ERROR] -> 1 | 0: that client does not wait for keys
Status client_unblock_command(Call& call) {
  if (call.argc() > 4) {
    return user_error(
        "ERR unknown subcommand or wrong number of arguments for 'UNBLOCK'. Try CLIENT HELP.");
  }
  if (call.argc() == 4 && !call.is(3, "TIMEOUT") && !call.is(3, "ERROR")) {
    return user_error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  }
  ROX_TRY(const int64_t id, call.integer(2));
  Client* const client = id > 0 ? call.service<Clients>().find(static_cast<uint64_t>(id)) : nullptr;
  if (client == nullptr) return call.reply(0);
  const auto how = call.argc() == 4 && call.is(3, "ERROR") ? engine::Waiting::Unblock::kError
                                                           : engine::Waiting::Unblock::kTimeOut;
  return call.reply(int64_t{call.engine().waiting.unblock(*client, how)});
}
constexpr CommandSpec kClientUnblock{
    .name = "CLIENT UNBLOCK",
    .syntax = "client-id [TIMEOUT | ERROR]",
    .summary = "Ends the waiting of a connection that a blocking command holds.",
    .since = "5.0.0",
    .complexity = "O(log N) where N is the number of connections",
    .flags = kClientFlags | kAdmin,
    .acl = kCategoryConnection,
    .handler = client_unblock_command,
};

Status client_help_command(Call& call) {
  return call.reply_help({
      "CACHING (YES|NO)",
      "    Say whether the keys of the next command are remembered.",
      "CAPA <capability> [<capability> [...]]",
      "    Tell what the library on this connection can do: REDIRECT.",
      "GETNAME",
      "    Return the name of this connection.",
      "GETREDIR",
      "    Return the connection that hears of changed keys instead of this one.",
      "ID",
      "    Return the number of this connection.",
      "INFO",
      "    Return what LIST says of this connection.",
      "KILL <ip:port>",
      "    Close the connection with this address.",
      "KILL <filter> <value> [<filter> <value> [...]]",
      "    Close all connections that fit: the filters of LIST, and",
      "    * SKIPME (YES|NO)",
      "      Spare this connection (default: yes).",
      "LIST [<filter> <value> [...]]",
      "    Return a line about each connection that fits. Filters, most with a NOT- form:",
      "    * ID <id> [<id> [...]], ADDR <ip:port>, LADDR <ip:port>, IP <ip>",
      "    * NAME <name>, USER <user>, LIB-NAME <name>, LIB-VER <version>",
      "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB), FLAGS <letters>, CAPA <letters>, DB <index>",
      "    * MAXAGE <seconds>, IDLE <seconds>",
      "NO-EVICT (ON|OFF)",
      "    Spare this connection when connections take too much memory.",
      "NO-TOUCH (ON|OFF)",
      "    Leave the access times of keys alone.",
      "PAUSE <timeout> [WRITE|ALL]",
      "    Let commands wait for <timeout> milliseconds.",
      "REPLY (ON|OFF|SKIP)",
      "    Say whether this connection wants replies.",
      "SETINFO (LIB-NAME|LIB-VER) <value>",
      "    Tell which library speaks on this connection.",
      "SETNAME <name>",
      "    Give this connection a name.",
      "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
      "         [OPTIN] [OPTOUT] [NOLOOP]",
      "    Say whether this connection is told when keys change that it has read.",
      "TRACKINGINFO",
      "    Return how this connection tracks keys.",
      "UNBLOCK <id> [TIMEOUT|ERROR]",
      "    End the waiting of a blocked connection.",
      "UNPAUSE",
      "    End a pause.",
  });
}
constexpr CommandSpec kClientHelp{
    .name = "CLIENT HELP",
    .syntax = "",
    .summary = "Tells what the subcommands do.",
    .since = "5.0.0",
    .complexity = "O(1)",
    .flags = kLoading | kStale,
    .acl = kCategoryConnection,
    .handler = client_help_command,
};

constexpr const CommandSpec* kCommands[] = {
    &kClient,        &kClientId,      &kClientInfo,    &kClientGetName,
    &kClientSetName, &kClientSetInfo, &kClientNoEvict, &kClientNoTouch,
    &kClientReply,   &kClientList,    &kClientKill,    &kClientPause,
    &kClientUnpause, &kClientUnblock, &kClientHelp,    &kClientCapa};

}  // namespace

extern constinit const CommandFamily kClientCommandsFamily;
constinit const CommandFamily kClientCommandsFamily{"connection", kCommands};

}  // namespace roxdb::server
