// authentication_commands.cc: AUTH, HELLO, RESET, QUIT: how a connection begins, begins anew, ends.
#include <string.h>

#include "base/numbers.h"
#include "base/version.h"
#include "engine/call.h"
#include "server/acl.h"
#include "server/clients.h"
#include "server/command_client.h"

namespace roxdb::server {
namespace {

using engine::Call;
using engine::CommandFamily;
using engine::CommandSpec;
using engine::Flags;
using engine::kAllowBusy;
using engine::kCategoryConnection;
using engine::kFast;
using engine::kLoading;
using engine::kNoAuth;
using engine::kNoScript;
using engine::kNotQueued;
using engine::kSecret;
using engine::kStale;
namespace errors = engine::errors;

constexpr Flags kFirstFlags = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy;

Authentication& authentication(Call& call) { return call.service<Acl>().authentication(); }

// Lets the client in, or says that it may not. The password's bytes are erased where they lie, in
// the input they came with (reliability S3).
Status log_in(Call& call, Client& client, size_t user_index, size_t password_index) {
  const std::string_view user = user_index == 0 ? kDefaultUser : call.arg(user_index);
  const std::string_view password = call.arg(password_index);
  const bool right = authentication(call).log_in(client, user, password, call.arg(0));
  // The input is writable memory of ours; arguments are read-only views of it for good manners.
  explicit_bzero(const_cast<char*>(password.data()), password.size());
  if (right) return kOk;
  return user_error("WRONGPASS invalid username-password pair or user is disabled.");
}

// AUTH [user] password -> OK
Status auth_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  if (call.argc() > 3) return errors::kSyntax;
  if (call.argc() == 2 && !call.service<Acl>().users().default_user().needs_password()) {
    return user_error(
        "ERR AUTH <password> called without any password configured for the default user. Are you "
        "sure your configuration is correct?");
  }
  const size_t user_index = call.argc() == 3 ? 1 : 0;
  ROX_TRY(log_in(call, *client, user_index, call.argc() - 1));
  return call.reply_ok();
}
constexpr CommandSpec kAuth{
    .name = "AUTH",
    .syntax = "[username] password",
    .summary = "Tells who speaks on this connection.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the length of the password",
    .flags = kFirstFlags | kSecret,
    .acl = kCategoryConnection,
    .handler = auth_command,
};

struct HelloOptions {
  int protocol = 0;  // 0: as it is
  size_t user = 0;   // index of the argument; 0: no AUTH
  size_t name = 0;   // index of the argument; 0: no SETNAME
};

Result<HelloOptions> parse_hello(Call& call) {
  HelloOptions options;
  if (call.argc() < 2) return options;
  const auto protocol = parse_int64(call.arg(1));
  if (!protocol) return user_error("ERR Protocol version is not an integer or out of range");
  if (*protocol < 2 || *protocol > 3) return user_error("NOPROTO unsupported protocol version");
  options.protocol = static_cast<int>(*protocol);
  for (size_t i = 2; i < call.argc(); ++i) {
    const size_t left = call.argc() - 1 - i;
    if (call.is(i, "AUTH") && left >= 2) {
      options.user = i + 1;
      i += 2;
    } else if (call.is(i, "SETNAME") && left >= 1) {
      options.name = i + 1;
      ROX_TRY(check_name(call.arg(options.name)));  // before AUTH: it may set nothing by halves
      i += 1;
    } else {
      return call.fail("ERR Syntax error in HELLO option '{}'", call.arg(i));
    }
  }
  return options;
}

// HELLO [protocol [AUTH user password] [SETNAME name]] -> a map about the server
Status hello_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  ROX_TRY(const HelloOptions options, parse_hello(call));
  if (options.user != 0) ROX_TRY(log_in(call, *client, options.user, options.user + 1));
  if (!client->authenticated) {
    return user_error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
        "<proto> AUTH <user> <pass> option can be used to authenticate the client and select the "
        "RESP protocol version at the same time");
  }
  if (options.name != 0) ROX_TRY(set_name(*client, call.arg(options.name)));
  if (options.protocol != 0) client->protocol = static_cast<uint8_t>(options.protocol);

  resp::Reply& reply = call.reply();
  reply.set_protocol(client->protocol);
  reply.map(7);
  reply.bulk("server");
  reply.bulk("redis");
  reply.bulk("version");
  reply.bulk(kRedisVersion);
  reply.bulk("proto");
  reply.integer(client->protocol);
  reply.bulk("id");
  reply.integer(static_cast<int64_t>(client->id));
  reply.bulk("mode");
  reply.bulk("standalone");
  reply.bulk("role");
  reply.bulk("master");
  reply.bulk("modules");
  reply.array(0);
  return kOk;
}
constexpr CommandSpec kHello{
    .name = "HELLO",
    .syntax = "[protover [AUTH username password] [SETNAME clientname]]",
    .summary = "Chooses the protocol, tells who and what this connection is, and asks who we are.",
    .since = "6.0.0",
    .complexity = "O(1)",
    .flags = kFirstFlags | kSecret,
    .acl = kCategoryConnection,
    .handler = hello_command,
};

// RESET -> RESET
Status reset_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  call.service<Clients>().reset(*client);
  authentication(call).greet(*client);
  call.reply().set_protocol(client->protocol);
  call.reply().simple("RESET");
  return kOk;
}
constexpr CommandSpec kReset{
    .name = "RESET",
    .syntax = "",
    .summary = "Makes this connection what it was when it was new.",
    .since = "6.2.0",
    .complexity = "O(1)",
    .flags = kFirstFlags | kNotQueued,
    .acl = kCategoryConnection,
    .handler = reset_command,
};

// QUIT -> OK, and the connection closes
Status quit_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  call.service<Clients>().close_after_replies(*client);
  return call.reply_ok();
}
constexpr CommandSpec kQuit{
    .name = "QUIT",
    .syntax = "",
    .summary = "Closes this connection once all replies have been taken.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kFirstFlags | kNotQueued,
    .acl = kCategoryConnection,
    .arity = -1,
    .deprecated_since = "7.2.0",
    .replaced_by = "just closing the connection",
    .handler = quit_command,
};

constexpr const CommandSpec* kCommands[] = {&kAuth, &kHello, &kReset, &kQuit};

}  // namespace

extern constinit const CommandFamily kAuthenticationCommandsFamily;
constinit const CommandFamily kAuthenticationCommandsFamily{"connection", kCommands};

}  // namespace roxdb::server
