// config.cc: the settings, read, changed and written back at run time.
#include "base/limits.h"
#include "commands/server/command_state.h"
#include "engine/call.h"
#include "engine/command.h"
#include "engine/config_file.h"
#include "engine/errors.h"

namespace roxdb::commands {
namespace {

namespace errors = engine::errors;
using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::Flags;
using engine::kAdmin;
using engine::kLoading;
using engine::kNoScript;
using engine::kStale;

constexpr Flags kConfigFlags = kAdmin | kNoScript | kLoading | kStale;
constexpr std::string_view kEverywhere = "request_policy:all_nodes,response_policy:all_succeeded";

constexpr CommandSpec kConfig{
    .name = "CONFIG",
    .syntax = "subcommand [argument...]",
    .summary = "Commands on the configuration.",
    .since = "2.0.0",
    .complexity = "Depends on the subcommand.",
};

// CONFIG GET pattern... -> name and value of every setting that matches one of them
Status config_get_command(Call& call) {
  for (const std::string_view pattern : call.args().subspan(2)) {
    if (pattern.size() > kPatternBytesMax) return errors::kPatternTooComplex;
  }
  const auto found = call.engine().settings.match(call.args().subspan(2));
  call.reply().map(found.size());
  for (const auto& [name, value] : found) {
    call.reply().bulk(name);
    call.reply().bulk(value);
  }
  return kOk;
}
constexpr Example kConfigGetExamples[] = {{"CONFIG GET hz", "%{$hz $10}"},
                                          {"CONFIG GET hz HZ h?", "%{$hz $10}"},
                                          {"CONFIG GET no-such-setting", "%{}"}};
constexpr CommandSpec kConfigGet{
    .name = "CONFIG GET",
    .syntax = "parameter...",
    .summary = "Returns the settings whose names match one of the patterns.",
    .since = "2.0.0",
    .complexity = "O(N*M) where N is the number of patterns and M the number of settings",
    .flags = kConfigFlags,
    .handler = config_get_command,
    .examples = kConfigGetExamples,
};

// CONFIG SET name value [name value ...] -> OK: all of them hold | an error: none was changed
Status config_set_command(Call& call) {
  if (call.argc() % 2 != 0) return engine::errors::kSyntax;
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (size_t i = 2; i < call.argc(); i += 2) pairs.emplace_back(call.arg(i), call.arg(i + 1));
  const bool protected_allowed =
      call.service<CommandState>().protected_configs_allowed_for(call.session());
  std::string why;
  if (!call.engine().settings.set(pairs, protected_allowed, why)) return call.fail("{}", why);
  return call.reply_ok();
}
constexpr Example kConfigSetExamples[] = {
    {"CONFIG SET hz 20 slowlog-max-len 5", "+OK"},
    {"CONFIG GET hz slowlog-max-len", "%{$hz $20 $slowlog-max-len $5}"},
    {"CONFIG SET hz 10 no-such-setting 1",
     "-ERR Unknown option or number of arguments for CONFIG SET - 'no-such-setting'"},
    {"CONFIG GET hz", "%{$hz $20}"},
    {"CONFIG SET hz many",
     "-ERR CONFIG SET failed (possibly related to argument 'hz') - argument couldn't be parsed "
     "into an integer"}};
constexpr CommandSpec kConfigSet{
    .name = "CONFIG SET",
    .syntax = "(parameter value)...",
    .summary = "Changes settings at run time: all of them, or none when one is refused.",
    .since = "2.0.0",
    .complexity = "O(N) where N is the number of settings given",
    .flags = kConfigFlags,
    .tips = kEverywhere,
    .handler = config_set_command,
    .examples = kConfigSetExamples,
};

// CONFIG REWRITE -> OK: the configuration file says what holds now
Status config_rewrite_command(Call& call) {
  auto* file = call.engine().services.find<engine::ConfigFile>();
  if (file == nullptr || file->path().empty()) {
    return call.fail("ERR The server is running without a config file");
  }
  std::string why;
  if (!file->rewrite(call.engine().settings, false, why).ok()) {
    call.engine().log().warning("CONFIG REWRITE failed: {}", why);
    return call.fail("ERR Rewriting config file: {}", why);
  }
  call.engine().log().notice("CONFIG REWRITE executed with success.");
  return call.reply_ok();
}
constexpr Example kConfigRewriteExamples[] = {
    {"CONFIG REWRITE", "-ERR The server is running without a config file"}};
constexpr CommandSpec kConfigRewrite{
    .name = "CONFIG REWRITE",
    .syntax = "",
    .summary = "Writes the settings that hold now to the configuration file.",
    .since = "2.8.0",
    .complexity = "O(N) where N is the number of settings",
    .flags = kConfigFlags,
    .tips = kEverywhere,
    .handler = config_rewrite_command,
    .examples = kConfigRewriteExamples,
};

// CONFIG RESETSTAT -> OK: the counters of INFO begin again
Status config_resetstat_command(Call& call) {
  engine::Engine& engine = call.engine();
  // What is on its way to be freed is no statistic: it is still counted down.
  const uint64_t being_freed = engine.statistics.being_freed;
  engine.statistics = {};
  engine.statistics.being_freed = being_freed;
  for (const auto& command : engine.commands().all()) {
    command->calls = 0;
    command->duration_cycles = 0;
    command->rejected = 0;
    command->failed = 0;
    command->latencies.clear();
  }
  engine.info.reset();
  return call.reply_ok();
}
constexpr Example kConfigResetStatExamples[] = {{"CONFIG RESETSTAT", "+OK"}};
constexpr CommandSpec kConfigResetStat{
    .name = "CONFIG RESETSTAT",
    .syntax = "",
    .summary = "Sets the counters that INFO shows back to zero.",
    .since = "2.0.0",
    .complexity = "O(N) where N is the number of commands",
    .flags = kConfigFlags,
    .tips = kEverywhere,
    .handler = config_resetstat_command,
    .examples = kConfigResetStatExamples,
};

Status config_help_command(Call& call) {
  return call.reply_help({
      "GET <pattern> [<pattern> ...]",
      "    Show the settings whose names match a pattern.",
      "SET <setting> <value> [<setting> <value> ...]",
      "    Change settings, all or none of them.",
      "RESETSTAT",
      "    Set the counters of INFO to zero.",
      "REWRITE",
      "    Write the settings to the configuration file.",
  });
}
constexpr CommandSpec kConfigHelp{
    .name = "CONFIG HELP",
    .syntax = "",
    .summary = "Tells what the subcommands do.",
    .since = "5.0.0",
    .complexity = "O(1)",
    .flags = kLoading | kStale,
    .handler = config_help_command,
};

constexpr const CommandSpec* kCommands[] = {&kConfig,        &kConfigGet,       &kConfigSet,
                                            &kConfigRewrite, &kConfigResetStat, &kConfigHelp};

}  // namespace

extern constinit const engine::CommandFamily kConfigFamily;
constinit const engine::CommandFamily kConfigFamily{"server", kCommands};

}  // namespace roxdb::commands
