// command.cc: COMMAND, the declarations of all commands as clients and tools read them.
#include "engine/command.h"

#include <algorithm>
#include "base/glob.h"
#include "base/limits.h"
#include "base/text.h"
#include "commands/server/syntax_tree.h"
#include "engine/call.h"
#include "engine/command_table.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::Command;
using engine::CommandSpec;
using engine::CommandTable;
using engine::Example;
using engine::Flags;
using engine::kCategoryConnection;
using engine::KeyAccess;
using engine::KeySpec;
using engine::kLoading;
using engine::kStale;
using resp::Reply;
namespace errors = engine::errors;

constexpr Flags kCommandFlags = kLoading | kStale;
constexpr std::string_view kAnyOrder = "nondeterministic_output_order";

// ---- keys ----

struct AccessNames {
  std::string_view access;
  std::string_view effects[2];
  size_t effects_count;
};

AccessNames names_of(KeyAccess access) {
  switch (access) {
    case KeyAccess::kReadOnly:
      return {"RO", {"access"}, 1};
    case KeyAccess::kReadWrite:
      return {"RW", {"access", "update"}, 2};
    case KeyAccess::kOverwrite:
      return {"OW", {"update"}, 1};
    case KeyAccess::kRemove:
      return {"RM", {"delete"}, 1};
    case KeyAccess::kNone:
      return {{}, {}, 0};
  }
  return {"RW", {"access", "update"}, 2};
}

void reply_access(Reply& reply, KeyAccess access, bool not_key, bool incomplete) {
  const AccessNames names = names_of(access);
  const size_t effects = not_key ? 0 : names.effects_count;
  const size_t named = names.access.empty() ? 0 : 1;
  reply.set(named + effects + (not_key ? 1 : 0) + (incomplete ? 1 : 0));
  if (named > 0) reply.simple(names.access);
  for (size_t i = 0; i < effects; ++i) reply.simple(names.effects[i]);
  if (not_key) reply.simple("not_key");
  if (incomplete) reply.simple("incomplete");
}

void reply_field(Reply& reply, std::string_view name, int64_t value) {
  reply.bulk(name);
  reply.integer(value);
}

// The head of "begin_search" or "find_keys": `fields` of its spec follow.
void reply_search(Reply& reply, std::string_view part, std::string_view type, size_t fields) {
  reply.bulk(part);
  reply.map(2);
  reply.bulk("type");
  reply.bulk(type);
  reply.bulk("spec");
  reply.map(fields);
}

void reply_key_spec(Reply& reply, const KeySpec& spec) {
  reply.map(3);
  reply.bulk("flags");
  reply_access(reply, spec.access, spec.not_key, spec.incomplete);
  switch (spec.begin) {
    case KeySpec::Begin::kIndex:
      reply_search(reply, "begin_search", "index", 1);
      reply_field(reply, "index", spec.index);
      break;
    case KeySpec::Begin::kKeyword:
      reply_search(reply, "begin_search", "keyword", 2);
      reply.bulk("keyword");
      reply.bulk(spec.keyword);
      reply_field(reply, "startfrom", spec.index);
      break;
    case KeySpec::Begin::kNone:
    case KeySpec::Begin::kUnknown:
      reply_search(reply, "begin_search", "unknown", 0);
      reply_search(reply, "find_keys", "unknown", 0);
      return;
  }
  if (spec.find == KeySpec::Find::kCount) {
    reply_search(reply, "find_keys", "keynum", 3);
    reply_field(reply, "keynumidx", 0);
    reply_field(reply, "firstkey", spec.first);
  } else {
    reply_search(reply, "find_keys", "range", 3);
    reply_field(reply, "lastkey", spec.last);
  }
  reply_field(reply, "keystep", spec.step);
  if (spec.find == KeySpec::Find::kRange) reply_field(reply, "limit", spec.first_half ? 2 : 0);
}

// ---- COMMAND INFO ----

size_t count_tips(std::string_view tips) {
  return tips.empty() ? 0 : 1 + static_cast<size_t>(std::count(tips.begin(), tips.end(), ','));
}

void reply_info(Reply& reply, const Command& command) {
  const CommandSpec& spec = *command.spec;
  reply.array(10);
  reply.bulk(command.full_name);
  reply.integer(command.arity);
  const auto flags = flag_names(command);
  reply.set(flags.size());
  for (const std::string_view flag : flags) reply.simple(flag);
  reply.integer(command.first_key);
  reply.integer(command.last_key);
  reply.integer(command.key_step);
  const auto categories = category_names(command);
  reply.set(categories.size());
  for (const std::string& category : categories) reply.simple(category);
  reply.set(count_tips(spec.tips));
  for (std::string_view rest = spec.tips; !rest.empty();) {
    const size_t end = std::min(rest.find(','), rest.size());
    reply.bulk(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  reply.set(spec.keys.count);
  for (size_t i = 0; i < spec.keys.count; ++i) reply_key_spec(reply, spec.keys.specs[i]);
  reply.set(command.subcommands.size());
  for (const Command* subcommand : command.subcommands) reply_info(reply, *subcommand);
}

bool is_top_level(const Command& command) { return command.container == nullptr; }

size_t count_top_level(const CommandTable& table) {
  size_t count = 0;
  for (const auto& command : table.all()) count += is_top_level(*command) ? 1 : 0;
  return count;
}

Status reply_all_infos(Call& call) {
  const CommandTable& table = call.engine().commands();
  call.reply().array(count_top_level(table));
  for (const auto& command : table.all()) {
    if (is_top_level(*command)) reply_info(call.reply(), *command);
  }
  return kOk;
}

// COMMAND -> what COMMAND INFO says of every command
Status command_command(Call& call) {
  if (call.argc() == 1) return reply_all_infos(call);
  return call.fail("ERR unknown subcommand '{}'. Try COMMAND HELP.", call.arg(1).substr(0, 128));
}
constexpr Example kCommandExamples[] = {
    {"COMMAND NOSUCH", "-ERR unknown subcommand 'NOSUCH'. Try COMMAND HELP."}};
constexpr CommandSpec kCommand{
    .name = "COMMAND",
    .syntax = "[subcommand [argument...]]",
    .summary = "Returns the declarations of all commands.",
    .since = "2.8.13",
    .complexity = "O(N) where N is the number of commands",
    .flags = kCommandFlags,
    .acl = kCategoryConnection,
    .tips = kAnyOrder,
    .handler = command_command,
    .examples = kCommandExamples,
};

Status command_count_command(Call& call) {
  return call.reply(static_cast<int64_t>(count_top_level(call.engine().commands())));
}
constexpr CommandSpec kCommandCount{
    .name = "COMMAND COUNT",
    .syntax = "",
    .summary = "Returns the number of commands, subcommands apart.",
    .since = "2.8.13",
    .complexity = "O(N) where N is the number of commands",
    .flags = kCommandFlags,
    .acl = kCategoryConnection,
    .handler = command_count_command,
};

// COMMAND INFO [name ...] -> of each: name, arity, flags, keys, categories ... | nil: unknown
Status command_info_command(Call& call) {
  if (call.argc() == 2) return reply_all_infos(call);
  call.reply().array(call.argc() - 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    const Command* command = call.engine().commands().find_name(call.arg(i));
    if (command == nullptr) {
      call.reply().null_array();
    } else {
      reply_info(call.reply(), *command);
    }
  }
  return kOk;
}
constexpr Example kCommandInfoExamples[] = {
    {"COMMAND INFO echo nosuch",
     "*[*[$echo :2 ~[+loading +stale +fast] :0 :0 :0 ~[+@fast +@connection] ~[] ~[] ~[]] *nil]"}};
constexpr CommandSpec kCommandInfo{
    .name = "COMMAND INFO",
    .syntax = "[command-name...]",
    .summary = "Returns the declarations of commands.",
    .since = "2.8.13",
    .complexity = "O(N) where N is the number of names, or of commands without any",
    .flags = kCommandFlags,
    .acl = kCategoryConnection,
    .tips = kAnyOrder,
    .handler = command_info_command,
    .examples = kCommandInfoExamples,
};

// ---- COMMAND DOCS ----

// Our folders' names of groups are not always those that clients know.
std::string_view group_of(const Command& command) {
  const std::string_view group = command.family->group;
  if (group == "zset") return "sorted-set";
  if (group == "hll") return "hyperloglog";
  return group;
}

void reply_text(Reply& reply, std::string_view name, std::string_view text) {
  reply.bulk(name);
  reply.bulk(text);
}

// `keys_seen` counts the arguments that are keys so far: the n-th belongs to the n-th key spec.
void reply_arguments(Reply& reply, const std::vector<SyntaxNode>& nodes, const CommandSpec& spec,
                     size_t& keys_seen) {
  reply.array(nodes.size());
  for (const SyntaxNode& node : nodes) {
    const bool is_key = node.type == "key" && spec.keys.count > 0;
    const size_t flags = size_t{node.is_optional} + size_t{node.is_repeated} +
                         size_t{node.is_repeated && node.repeats_token};
    reply.map(2 + size_t{is_key} + size_t{!node.token.empty()} + size_t{flags != 0} +
              size_t{!node.children.empty()});
    reply_text(reply, "name", node.name);
    reply_text(reply, "type", node.type);
    if (is_key) {
      const size_t index = std::min(keys_seen++, spec.keys.count - 1);
      reply_field(reply, "key_spec_index", static_cast<int64_t>(index));
    }
    if (!node.token.empty()) reply_text(reply, "token", node.token);
    if (flags != 0) {
      reply.bulk("flags");
      reply.set(flags);
      if (node.is_optional) reply.simple("optional");
      if (node.is_repeated) reply.simple("multiple");
      if (node.is_repeated && node.repeats_token) reply.simple("multiple_token");
    }
    if (!node.children.empty()) {
      reply.bulk("arguments");
      reply_arguments(reply, node.children, spec, keys_seen);
    }
  }
}

void reply_docs(Reply& reply, const Command& command) {
  const CommandSpec& spec = *command.spec;
  const bool is_deprecated = !spec.deprecated_since.empty();
  const bool is_container = !command.subcommands.empty();
  const auto arguments = is_container ? std::vector<SyntaxNode>() : parse_syntax(spec.syntax.text);
  reply.bulk(command.full_name);
  reply.map(4 + (is_deprecated ? 3 : 0) + size_t{!arguments.empty()} + size_t{is_container});
  reply_text(reply, "summary", spec.summary);
  reply_text(reply, "since", spec.since);
  reply_text(reply, "group", group_of(command));
  reply_text(reply, "complexity", spec.complexity);
  if (is_deprecated) {
    reply.bulk("doc_flags");
    reply.set(1);
    reply.simple("deprecated");
    reply_text(reply, "deprecated_since", spec.deprecated_since);
    reply_text(reply, "replaced_by", spec.replaced_by);
  }
  if (!arguments.empty()) {
    size_t keys_seen = 0;
    reply.bulk("arguments");
    reply_arguments(reply, arguments, spec, keys_seen);
  }
  if (is_container) {
    reply.bulk("subcommands");
    reply.map(command.subcommands.size());
    for (const Command* subcommand : command.subcommands) reply_docs(reply, *subcommand);
  }
}

// COMMAND DOCS [name ...] -> name and description of each that exists
Status command_docs_command(Call& call) {
  const CommandTable& table = call.engine().commands();
  std::vector<const Command*> chosen;
  for (size_t i = 2; i < call.argc(); ++i) {
    if (const Command* command = table.find_name(call.arg(i))) chosen.push_back(command);
  }
  if (call.argc() == 2) {
    for (const auto& command : table.all()) {
      if (is_top_level(*command)) chosen.push_back(command.get());
    }
  }
  call.reply().map(chosen.size());
  for (const Command* command : chosen) reply_docs(call.reply(), *command);
  return kOk;
}
constexpr Example kCommandDocsExamples[] = {{"COMMAND DOCS nosuch", "%{}"}};
constexpr CommandSpec kCommandDocs{
    .name = "COMMAND DOCS",
    .syntax = "[command-name...]",
    .summary = "Returns descriptions of commands and of their arguments.",
    .since = "7.0.0",
    .complexity = "O(N) where N is the number of names, or of commands without any",
    .flags = kCommandFlags,
    .acl = kCategoryConnection,
    .tips = kAnyOrder,
    .handler = command_docs_command,
    .examples = kCommandDocsExamples,
};

// ---- COMMAND GETKEYS ----

// The keys of the request in the arguments from 2 on; their indexes count from there.
Status find_keys(Call& call, std::vector<engine::KeyAt>& keys) {
  const engine::Args request = call.args().subspan(2);
  const Command* command = call.engine().commands().find(request);
  if (command == nullptr || (!command->subcommands.empty() && request.size() > 1)) {
    return user_error("ERR Invalid command specified");
  }
  const engine::Keys& declared = command->spec->keys;
  const auto is_key = [](const engine::KeySpec& spec) {
    return spec.begin != engine::KeySpec::Begin::kNone && !spec.not_key;
  };
  if (std::none_of(declared.specs.begin(), declared.specs.end(), is_key)) {
    return user_error("ERR The command has no key arguments");
  }
  const auto arity = static_cast<int64_t>(command->arity);
  const auto argc = static_cast<int64_t>(request.size());
  if (arity >= 0 ? argc != arity : argc < -arity) {
    return user_error("ERR Invalid number of arguments specified for command");
  }
  if (!CommandTable::keys_of(*command, request, keys)) {
    keys.clear();
    if ((command->spec->flags & engine::kNoMandatoryKeys) != 0) return kOk;
    return user_error("ERR Invalid arguments specified for command");
  }
  std::erase_if(keys, [](const engine::KeyAt& key) { return key.pattern; });
  return kOk;
}

// COMMAND GETKEYS command [arg ...] -> its keys
Status command_getkeys_command(Call& call) {
  std::vector<engine::KeyAt> keys;
  ROX_TRY(find_keys(call, keys));
  call.reply().array(keys.size());
  for (const engine::KeyAt& key : keys) call.reply().bulk(call.arg(2 + key.arg));
  return kOk;
}
constexpr Example kCommandGetKeysExamples[] = {
    {"COMMAND GETKEYS SET a b", "*[$a]"},
    {"COMMAND GETKEYS ECHO a", "-ERR The command has no key arguments"},
    {"COMMAND GETKEYS NOSUCH a", "-ERR Invalid command specified"},
    {"COMMAND GETKEYS SET a", "-ERR Invalid number of arguments specified for command"}};
constexpr CommandSpec kCommandGetKeys{
    .name = "COMMAND GETKEYS",
    .syntax = "command [arg...]",
    .summary = "Returns the keys of a request.",
    .since = "2.8.13",
    .complexity = "O(N) where N is the number of arguments",
    .flags = kCommandFlags,
    .acl = kCategoryConnection,
    .handler = command_getkeys_command,
    .examples = kCommandGetKeysExamples,
};

// COMMAND GETKEYSANDFLAGS command [arg ...] -> its keys, each with what happens to it
Status command_getkeysandflags_command(Call& call) {
  std::vector<engine::KeyAt> keys;
  ROX_TRY(find_keys(call, keys));
  call.reply().array(keys.size());
  for (const engine::KeyAt& key : keys) {
    call.reply().array(2);
    call.reply().bulk(call.arg(2 + key.arg));
    reply_access(call.reply(), key.access, false, false);
  }
  return kOk;
}
constexpr Example kCommandGetKeysAndFlagsExamples[] = {
    {"COMMAND GETKEYSANDFLAGS GET a", "*[*[$a ~[+RO +access]]]"}};
constexpr CommandSpec kCommandGetKeysAndFlags{
    .name = "COMMAND GETKEYSANDFLAGS",
    .syntax = "command [arg...]",
    .summary = "Returns the keys of a request and what it does to each.",
    .since = "7.0.0",
    .complexity = "O(N) where N is the number of arguments",
    .flags = kCommandFlags,
    .acl = kCategoryConnection,
    .handler = command_getkeysandflags_command,
    .examples = kCommandGetKeysAndFlagsExamples,
};

// ---- COMMAND LIST ----

bool has_category(const Command& command, std::string_view category) {
  for (const std::string& name : category_names(command)) {
    if (equal_ignore_case(std::string_view(name).substr(1), category)) return true;
  }
  return false;
}

// COMMAND LIST [FILTERBY ...] -> names, those of subcommands too
Status command_list_command(Call& call) {
  enum class Filter : uint8_t { kNone, kModule, kCategory, kPattern };
  Filter filter = Filter::kNone;
  std::string_view wanted;
  if (call.argc() > 2) {
    if (call.argc() != 5 || !call.is(2, "FILTERBY")) return errors::kSyntax;
    wanted = call.arg(4);
    if (call.is(3, "MODULE")) {
      filter = Filter::kModule;
    } else if (call.is(3, "ACLCAT")) {
      filter = Filter::kCategory;
    } else if (call.is(3, "PATTERN")) {
      filter = Filter::kPattern;
      if (wanted.size() > kPatternBytesMax) return errors::kPatternTooComplex;
    } else {
      return errors::kSyntax;
    }
  }
  const Glob pattern(filter == Filter::kPattern ? wanted : std::string_view(), true);
  const auto matches = [&](const Command& command) {
    switch (filter) {
      case Filter::kNone:
        return true;
      case Filter::kModule:
        return false;  // no command comes from a module
      case Filter::kCategory:
        return has_category(command, wanted);
      case Filter::kPattern:
        return pattern.matches(command.full_name);
    }
    return false;
  };
  const Reply::Open list = call.reply().open(Reply::Aggregate::kArray);
  size_t count = 0;
  for (const auto& command : call.engine().commands().all()) {
    if (!matches(*command)) continue;
    call.reply().bulk(command->full_name);
    ++count;
  }
  call.reply().close(list, count);
  return kOk;
}
constexpr Example kCommandListExamples[] = {{"COMMAND LIST FILTERBY PATTERN pin?", "*[$ping]"},
                                            {"COMMAND LIST FILTERBY MODULE json", "*[]"},
                                            {"COMMAND LIST FILTERBY PATTERN", "-ERR syntax error"}};
constexpr CommandSpec kCommandList{
    .name = "COMMAND LIST",
    .syntax = "[FILTERBY (MODULE module-name | ACLCAT category | PATTERN pattern)]",
    .summary = "Returns the names of commands.",
    .since = "7.0.0",
    .complexity = "O(N) where N is the number of commands",
    .flags = kCommandFlags,
    .acl = kCategoryConnection,
    .tips = kAnyOrder,
    .handler = command_list_command,
    .examples = kCommandListExamples,
};

Status command_help_command(Call& call) {
  return call.reply_help({
      "(no subcommand)",
      "    Show the declarations of all commands.",
      "COUNT",
      "    Show how many commands there are.",
      "DOCS [<command> ...]",
      "    Describe commands and their arguments.",
      "GETKEYS <request>",
      "    Show the keys of a request.",
      "GETKEYSANDFLAGS <request>",
      "    Show the keys of a request and what it does to them.",
      "INFO [<command> ...]",
      "    Show the declarations of commands.",
      "LIST [FILTERBY (MODULE <name> | ACLCAT <category> | PATTERN <pattern>)]",
      "    Show the names of commands.",
  });
}
constexpr CommandSpec kCommandHelp{
    .name = "COMMAND HELP",
    .syntax = "",
    .summary = "Tells what the subcommands do.",
    .since = "5.0.0",
    .complexity = "O(1)",
    .flags = kCommandFlags,
    .acl = kCategoryConnection,
    .handler = command_help_command,
};

constexpr const CommandSpec* kCommands[] = {
    &kCommand,        &kCommandCount,           &kCommandInfo, &kCommandDocs,
    &kCommandGetKeys, &kCommandGetKeysAndFlags, &kCommandList, &kCommandHelp};

}  // namespace

extern constinit const engine::CommandFamily kCommandFamily;
constinit const engine::CommandFamily kCommandFamily{"server", kCommands};

}  // namespace roxdb::commands
