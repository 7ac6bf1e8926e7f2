// What the declarations of the server's families promise, checked from the declarations.
#include "test/commands/server/server_fixture.h"

namespace roxdb::commands {

extern const engine::CommandFamily kCommandFamily;
extern const engine::CommandFamily kConfigFamily;
extern const engine::CommandFamily kConnectionFamily;
extern const engine::CommandFamily kDebugFamily;
extern const engine::CommandFamily kInfoFamily;
extern const engine::CommandFamily kMemoryFamily;
extern const engine::CommandFamily kServerFamily;
extern const engine::CommandFamily kSlowlogFamily;

namespace {

using engine::Command;
using test::ServerFixture;

constexpr const engine::CommandFamily* kFamilies[] = {
    &kCommandFamily, &kConfigFamily, &kConnectionFamily, &kDebugFamily,
    &kInfoFamily,    &kMemoryFamily, &kServerFamily,     &kSlowlogFamily};

std::vector<const Command*> commands_of(const engine::Engine& engine) {
  std::vector<const Command*> commands;
  for (const auto& command : engine.commands().all()) {
    const auto* end = std::end(kFamilies);
    if (std::find(std::begin(kFamilies), end, command->family) != end) {
      commands.push_back(command.get());
    }
  }
  return commands;
}

// The words that call a command: {"config", "get"}.
std::vector<std::string_view> words_of(const Command& command) {
  const std::string_view name = command.full_name;
  const size_t border = name.find('|');
  if (border == name.npos) return {name};
  return {name.substr(0, border), name.substr(border + 1)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(commands_server_declarations)

BOOST_AUTO_TEST_CASE(the_examples_hold) {
  const ServerFixture names;
  size_t examples = 0;
  for (const Command* command : commands_of(names.engine)) {
    if (command->spec->examples.empty()) continue;
    ServerFixture fixture;
    for (const engine::Example& example : command->spec->examples) {
      ++examples;
      BOOST_TEST_CONTEXT(command->full_name << ": " << example.request) {
        BOOST_TEST(fixture.run(example.request) == example.reply);
      }
    }
  }
  BOOST_TEST(examples > 50u);
}

BOOST_AUTO_TEST_CASE(too_few_and_too_many_arguments_are_refused) {
  ServerFixture fixture;
  for (const Command* command : commands_of(fixture.engine)) {
    BOOST_TEST_CONTEXT(command->full_name) {
      const std::string refusal =
          "-ERR wrong number of arguments for '" + command->full_name + "' command";
      std::vector<std::string_view> args = words_of(*command);
      const auto least = static_cast<size_t>(std::abs(command->arity));
      if (least > args.size()) {
        args.resize(least - 1, "0");
        BOOST_TEST(fixture.run_args(args) == refusal);
      }
      if (command->arity > 0) {
        args.resize(least + 1, "0");
        BOOST_TEST(fixture.run_args(args) == refusal);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(help_of_every_container_names_its_subcommands) {
  ServerFixture fixture;
  for (const Command* command : commands_of(fixture.engine)) {
    if (command->subcommands.empty()) continue;
    const std::string help = fixture.run(command->full_name + " HELP");
    BOOST_TEST_CONTEXT(command->full_name << ": " << help) {
      BOOST_TEST(help.find("Subcommands are:") != help.npos);
      for (const Command* subcommand : command->subcommands) {
        // MODULE cannot load anything, and does not speak of it.
        if (command->full_name == "module" && subcommand->full_name != "module|list") continue;
        const std::string_view name = subcommand->spec->name;
        const std::string line = "+" + std::string(name.substr(name.find(' ') + 1));
        BOOST_TEST(help.find(line) != help.npos, line);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_subcommand_is_named) {
  ServerFixture fixture;
  for (const Command* command : commands_of(fixture.engine)) {
    if (command->subcommands.empty()) continue;
    BOOST_TEST(fixture.run(command->full_name + " nosuch") ==
               "-ERR unknown subcommand 'nosuch'. Try " + std::string(command->spec->name) +
                   " HELP.");
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_write_changes_no_key_and_logs_nothing) {
  const ServerFixture names;
  for (const Command* command : commands_of(names.engine)) {
    if (command->spec->handler == nullptr || (command->spec->flags & engine::kWrite) != 0) continue;
    ServerFixture fixture;
    fixture.configure("enable-debug-command", "yes");
    fixture.run("SET k v");
    const auto before = test::content_of(fixture.engine);
    fixture.log();
    fixture.events();
    std::vector<std::string_view> args = words_of(*command);
    args.resize(std::max(args.size(), static_cast<size_t>(std::abs(command->arity))), "k");
    fixture.run_args(args);
    BOOST_TEST_CONTEXT(command->full_name) {
      BOOST_TEST((test::content_of(fixture.engine) == before));
      BOOST_TEST(fixture.log() == "");
      BOOST_TEST(fixture.events() == "");
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::commands
