// acl_commands.cc: ACL: the users, their rights, and who was refused what.
#include <string.h>

#include "base/numbers.h"
#include "engine/call.h"
#include "server/acl.h"
#include "server/command_client.h"

namespace roxdb::server {
namespace {

using engine::Call;
using engine::CommandFamily;
using engine::CommandSpec;
using engine::Example;
using engine::Flags;
using engine::kAdmin;
using engine::kLoading;
using engine::kNoScript;
using engine::kSecret;
using engine::kStale;
namespace errors = engine::errors;

constexpr Flags kAclFlags = kNoScript | kLoading | kStale;
constexpr std::string_view kEverywhere = "request_policy:all_nodes,response_policy:all_succeeded";
constexpr Status kNoFile = user_error(
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users "
    "via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis "
    "configuration file set) in order to store users in the Redis configuration.");

constexpr CommandSpec kAcl{
    .name = "ACL",
    .syntax = "subcommand [argument...]",
    .summary = "Commands on users and their rights.",
    .since = "6.0.0",
    .complexity = "Depends on the subcommand.",
};

Status too_many_arguments(Call& call) {
  return call.fail("ERR unknown subcommand or wrong number of arguments for '{}'. Try ACL HELP.",
                   call.arg(1).substr(0, 128));
}

// ---- what there is ----

// ACL CAT [category] -> the categories | the commands of one
Status acl_cat_command(Call& call) {
  if (call.argc() > 3) return too_many_arguments(call);
  resp::Reply& reply = call.reply();
  const Vocabulary& vocabulary = call.service<Acl>().vocabulary();
  if (call.argc() == 2) {
    reply.array(Vocabulary::categories().size());
    for (const std::string_view name : Vocabulary::categories()) reply.bulk(name);
    return kOk;
  }
  const CommandSet* const category = vocabulary.category(call.arg(2));
  if (category == nullptr) return call.fail("ERR Unknown category '{}'", call.arg(2));
  const resp::Reply::Open open = reply.open(resp::Reply::Aggregate::kArray);
  size_t count = 0;
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    if (!category->has(i)) continue;
    reply.bulk(vocabulary.at(i).full_name);
    ++count;
  }
  reply.close(open, count);
  return kOk;
}
constexpr CommandSpec kAclCat{
    .name = "ACL CAT",
    .syntax = "[category]",
    .summary = "Returns the categories of commands, or the commands of one.",
    .since = "6.0.0",
    .complexity = "O(N) where N is the number of commands",
    .flags = kAclFlags,
    .handler = acl_cat_command,
};

Status acl_users_command(Call& call) {
  const Users& users = call.service<Acl>().users();
  call.reply().array(users.size());
  users.for_each([&](const User& user) { call.reply().bulk(user.name()); });
  return kOk;
}
constexpr CommandSpec kAclUsers{
    .name = "ACL USERS",
    .syntax = "",
    .summary = "Returns the names of all users.",
    .since = "6.0.0",
    .complexity = "O(N) where N is the number of users",
    .flags = kAclFlags | kAdmin,
    .handler = acl_users_command,
};

Status acl_list_command(Call& call) {
  const Users& users = call.service<Acl>().users();
  call.reply().array(users.size());
  users.for_each([&](const User& user) {
    call.reply().bulk(fmt::format("user {} {}", user.name(), user.text()));
  });
  return kOk;
}
constexpr CommandSpec kAclList{
    .name = "ACL LIST",
    .syntax = "",
    .summary = "Returns all users, each as a line that defines it.",
    .since = "6.0.0",
    .complexity = "O(N) where N is the number of users",
    .flags = kAclFlags | kAdmin,
    .handler = acl_list_command,
};

Status acl_whoami_command(Call& call) {
  const Client* const client = client_or_null(call);
  return call.reply_bulk(client != nullptr ? client->user_name() : kDefaultUser);
}
constexpr CommandSpec kAclWhoAmI{
    .name = "ACL WHOAMI",
    .syntax = "",
    .summary = "Returns the user of this connection.",
    .since = "6.0.0",
    .complexity = "O(1)",
    .flags = kAclFlags,
    .handler = acl_whoami_command,
};

// The fields of a selector; databases are shown where they are limited.
size_t selector_fields(const Selector& selector) {
  return selector.databases_text() == "alldbs" ? 3 : 4;
}

void reply_selector_fields(resp::Reply& reply, const Selector& selector) {
  const auto field = [&](std::string_view name, const std::string& text) {
    reply.bulk(name);
    reply.bulk(text);
  };
  field("commands", selector.commands_text());
  field("keys", selector.keys_text());
  field("channels", selector.channels_text());
  if (selector_fields(selector) == 4) field("databases", selector.databases_text());
}

// ACL GETUSER name -> flags, passwords, rights | null
Status acl_getuser_command(Call& call) {
  const User* const user = call.service<Acl>().users().find(call.arg(2));
  if (user == nullptr) return call.reply_null();
  resp::Reply& reply = call.reply();
  reply.map(3 + selector_fields(user->root()));
  reply.bulk("flags");
  const auto flags = user->flag_names();
  reply.set(flags.size());
  for (const std::string_view flag : flags) reply.bulk(flag);
  reply.bulk("passwords");
  const auto hashes = user->password_hashes();
  reply.array(hashes.size());
  for (const std::string& hash : hashes) reply.bulk(hash);
  reply_selector_fields(reply, user->root());
  reply.bulk("selectors");
  reply.array(user->other_selectors().size());
  for (const Selector& selector : user->other_selectors()) {
    reply.map(selector_fields(selector));
    reply_selector_fields(reply, selector);
  }
  return kOk;
}
constexpr CommandSpec kAclGetUser{
    .name = "ACL GETUSER",
    .syntax = "username",
    .summary = "Returns the rules of a user.",
    .since = "6.0.0",
    .complexity = "O(N) where N is the number of rules",
    .flags = kAclFlags | kAdmin | kSecret,
    .handler = acl_getuser_command,
};

// ACL DRYRUN user command [argument ...] -> OK | why not
Status acl_dryrun_command(Call& call) {
  const Acl& acl = call.service<Acl>();
  const User* const user = acl.users().find(call.arg(2));
  if (user == nullptr) return call.fail("ERR User '{}' not found", call.arg(2));
  const engine::Args request = call.args().subspan(3);
  const engine::Command* const command = call.engine().commands().find(request);
  if (command == nullptr) return call.fail("ERR Command '{}' not found", request[0]);
  const auto argc = static_cast<int64_t>(request.size());
  if (command->arity >= 0 ? argc != command->arity : argc < -command->arity) {
    return call.fail("ERR wrong number of arguments for '{}' command", command->full_name);
  }
  if (command->spec->handler == nullptr) {
    return call.fail("ERR Command '{}' not found", request[0]);
  }
  const Decision decision = acl.decide(*user, *command, request, call.db());
  const std::string_view object = request[decision.arg];
  const auto refused = [&](const std::string& what) {
    return call.reply_bulk(fmt::format("User {} has no permissions to {}", user->name(), what));
  };
  switch (decision.denied) {
    case Denied::kNothing:
      return call.reply_ok();
    case Denied::kDatabase:
      return refused(decision.db == engine::kEveryDatabase
                         ? "access all databases"
                         : fmt::format("access database {}", decision.db));
    case Denied::kCommand:
      return refused(fmt::format("run the '{}' command", command->full_name));
    case Denied::kKey:
      return refused(fmt::format("access the '{}' key", object));
    case Denied::kChannel:
      return refused(fmt::format("access the '{}' channel", object));
  }
  return kOk;
}
constexpr CommandSpec kAclDryRun{
    .name = "ACL DRYRUN",
    .syntax = "username command [argument...]",
    .summary = "Tells whether a user may run a command, without running it.",
    .since = "7.0.0",
    .complexity = "O(N) where N is the number of rules of the user",
    .flags = kAclFlags | kAdmin | kSecret,  // what it tries may be AUTH
    .handler = acl_dryrun_command,
};

// ACL GENPASS [bits] -> as many random bits, in hexadecimal digits
Status acl_genpass_command(Call& call) {
  constexpr int64_t kBitsMax = 4096;
  if (call.argc() > 3) return too_many_arguments(call);
  int64_t bits = 256;
  if (call.argc() == 3) {
    ROX_TRY(bits, call.integer(2));
    if (bits <= 0 || bits > kBitsMax) {
      return user_error(
          "ERR ACL GENPASS argument must be the number of bits for the output password, a positive "
          "number up to 4096");
    }
  }
  uint8_t bytes[kBitsMax / 8];
  const auto digits = static_cast<size_t>(bits + 3) / 4;
  call.engine().environment().random(bytes, (digits + 1) / 2);
  std::string text;
  for (size_t i = 0; i < digits; ++i) {
    text += "0123456789abcdef"[i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 15];
  }
  return call.reply_bulk(text);
}
constexpr CommandSpec kAclGenPass{
    .name = "ACL GENPASS",
    .syntax = "[bits]",
    .summary = "Returns a password that nobody can guess.",
    .since = "6.0.0",
    .complexity = "O(1)",
    .flags = kAclFlags,
    .handler = acl_genpass_command,
};

// ---- changes ----

// ACL SETUSER name rule ... -> OK. The rules are erased where they lie: some are passwords
// (reliability S3).
Status acl_setuser_command(Call& call) {
  std::string why;
  const bool done =
      call.service<Acl>().set_user(call.arg(2), call.args().subspan(3), client_or_null(call), why);
  for (size_t i = 3; i < call.argc(); ++i) {
    const std::string_view rule = call.arg(i);
    // The input is writable memory of ours; arguments are read-only views of it for good manners.
    if (!rule.empty() && std::string_view("><").find(rule[0]) != rule.npos) {
      explicit_bzero(const_cast<char*>(rule.data()), rule.size());
    }
  }
  return done ? call.reply_ok() : call.fail("ERR {}", why);
}
constexpr CommandSpec kAclSetUser{
    .name = "ACL SETUSER",
    .syntax = "username [rule...]",
    .summary = "Makes or changes a user by rules, applied in their order, all or none.",
    .since = "6.0.0",
    .complexity = "O(N*M) where N is the number of rules and M of connections",
    .flags = kAclFlags | kAdmin | kSecret,
    .tips = kEverywhere,
    .handler = acl_setuser_command,
};

// ACL DELUSER name ... -> how many there were; their connections are closed
Status acl_deluser_command(Call& call) {
  Acl& acl = call.service<Acl>();
  for (size_t i = 2; i < call.argc(); ++i) {
    if (call.arg(i) == kDefaultUser) {
      return user_error("ERR The 'default' user cannot be removed");
    }
  }
  int64_t deleted = 0;
  for (size_t i = 2; i < call.argc(); ++i) {
    deleted += acl.delete_user(call.arg(i), client_or_null(call)) ? 1 : 0;
  }
  return call.reply(deleted);
}
constexpr CommandSpec kAclDelUser{
    .name = "ACL DELUSER",
    .syntax = "username...",
    .summary = "Deletes users and closes their connections.",
    .since = "6.0.0",
    .complexity = "O(N*M) where N is the number of names and M of connections",
    .flags = kAclFlags | kAdmin | kSecret,
    .tips = kEverywhere,
    .handler = acl_deluser_command,
};

Status acl_load_command(Call& call) {
  Acl& acl = call.service<Acl>();
  if (!acl.has_file()) return kNoFile;
  std::string why;
  if (!acl.load_file(client_or_null(call), why)) return call.fail("ERR {}", why);
  return call.reply_ok();
}
constexpr CommandSpec kAclLoad{
    .name = "ACL LOAD",
    .syntax = "",
    .summary = "Makes the users those of the ACL file, all or none.",
    .since = "6.0.0",
    .complexity = "O(N) where N is the number of users",
    .flags = kAclFlags | kAdmin,
    .handler = acl_load_command,
};

Status acl_save_command(Call& call) {
  Acl& acl = call.service<Acl>();
  if (!acl.has_file()) return kNoFile;
  if (const Status status = acl.save_file(); !status.ok()) {
    call.engine().log().warning("Saving the ACL file: {}: {}", status.text,
                                strerror(status.os_error));
    return user_error(
        "ERR There was an error trying to save the ACLs. Please check the server logs for more "
        "information");
  }
  return call.reply_ok();
}
constexpr CommandSpec kAclSave{
    .name = "ACL SAVE",
    .syntax = "",
    .summary = "Writes all users to the ACL file.",
    .since = "6.0.0",
    .complexity = "O(N) where N is the number of users",
    .flags = kAclFlags | kAdmin,
    .tips = kEverywhere,
    .handler = acl_save_command,
};

// ---- what was refused ----

void reply_entry(resp::Reply& reply, const AclLog::Entry& entry, int64_t now_ms) {
  const auto text = [&](std::string_view name, std::string_view value) {
    reply.bulk(name);
    reply.bulk(value);
  };
  const auto number = [&](std::string_view name, int64_t value) {
    reply.bulk(name);
    reply.integer(value);
  };
  reply.map(10);
  number("count", static_cast<int64_t>(entry.count));
  text("reason", AclLog::name_of(entry.reason));
  text("context", AclLog::name_of(entry.context));
  text("object", entry.object);
  text("username", entry.user);
  reply.bulk("age-seconds");
  reply.real(static_cast<double>(now_ms - entry.updated_ms) / 1000);
  text("client-info", entry.client);
  number("entry-id", entry.id);
  number("timestamp-created", entry.created_ms);
  number("timestamp-last-updated", entry.updated_ms);
}

// ACL LOG [count | RESET] -> entries, the newest first | OK
Status acl_log_command(Call& call) {
  if (call.argc() > 3) return too_many_arguments(call);
  AclLog& log = call.service<Acl>().log;
  if (call.argc() == 3 && call.is(2, "RESET")) {
    log.clear();
    return call.reply_ok();
  }
  int64_t count = 10;
  if (call.argc() == 3) {
    ROX_TRY(count, call.integer(2));
  }
  const size_t shown =
      std::min(static_cast<size_t>(std::max<int64_t>(count, 0)), log.entries().size());
  call.reply().array(shown);
  for (size_t i = 0; i < shown; ++i) reply_entry(call.reply(), log.entries()[i], log.now_ms());
  return kOk;
}
constexpr CommandSpec kAclLog{
    .name = "ACL LOG",
    .syntax = "[count | RESET]",
    .summary = "Returns who was refused what, or forgets it.",
    .since = "6.0.0",
    .complexity = "O(N) where N is the number of entries",
    .flags = kAclFlags | kAdmin,
    .handler = acl_log_command,
};

Status acl_help_command(Call& call) {
  return call.reply_help({
      "CAT [<category>]",
      "    Return the categories of commands, or the commands of one.",
      "DELUSER <username> [<username> ...]",
      "    Delete users and close their connections.",
      "DRYRUN <username> <command> [<arg> ...]",
      "    Tell whether a user may run a command, without running it.",
      "GENPASS [<bits>]",
      "    Return a password of 256 bits, or as many.",
      "GETUSER <username>",
      "    Return the rules of a user.",
      "LIST",
      "    Return all users, each as a line that defines it.",
      "LOAD",
      "    Make the users those of the ACL file.",
      "LOG [<count> | RESET]",
      "    Return who was refused what, or forget it.",
      "SAVE",
      "    Write all users to the ACL file.",
      "SETUSER <username> <rule> [<rule> ...]",
      "    Make or change a user.",
      "USERS",
      "    Return the names of all users.",
      "WHOAMI",
      "    Return the user of this connection.",
  });
}
constexpr CommandSpec kAclHelp{
    .name = "ACL HELP",
    .syntax = "",
    .summary = "Tells what the subcommands do.",
    .since = "6.0.0",
    .complexity = "O(1)",
    .flags = kLoading | kStale,
    .handler = acl_help_command,
};

constexpr const CommandSpec* kCommands[] = {
    &kAcl,     &kAclCat,  &kAclDelUser, &kAclDryRun, &kAclGenPass, &kAclGetUser, &kAclHelp,
    &kAclList, &kAclLoad, &kAclLog,     &kAclSave,   &kAclSetUser, &kAclUsers,   &kAclWhoAmI};

}  // namespace

extern constinit const CommandFamily kAclCommandsFamily;
constinit const CommandFamily kAclCommandsFamily{"server", kCommands};

}  // namespace roxdb::server
