#include "app/wiring.h"

#include <fmt/format.h>

#include "engine/accepted_settings.h"
#include "persist/aof.h"

namespace roxdb::app {

House::House()
    : engine({.environment = nullptr,
              .executor = &executor,
              .log = &log,
              .databases = kDatabases,
              .hash_seed = std::nullopt,
              .families = {}}) {
  engine.services.provide<engine::ConfigFile>(&config_file);
  engine.services.provide(&memory_gate);
  engine.services.provide(&clients);
  engine.services.provide(&acl);
  engine.services.provide(&pause);
  engine.services.provide(&transactions);
  engine.services.provide(&hot_keys);
  engine.services.provide(&monitor);
  engine.services.provide(&turn);
  engine.services.provide(&pubsub);
  engine.services.provide(&tracking);
  engine.services.provide(&shutdown);
  scripting.may_run = [this](engine::Session& session, const engine::Command& command,
                             engine::Args args) { return acl.allows(session, command, args); };
  pause.says_no_writes = [this](const engine::CommandSpec& spec, engine::Args args) {
    return scripting.says_no_writes(spec, args);
  };
  memory_gate.not_counted = [this] { return persistence.aof().waiting_bytes(); };
  register_settings();
  engine::add_accepted_settings(engine.settings);
}

House::~House() {
  reactor.reset();
  // Before anybody sees a connection end: who tries again is refused, not accepted and dropped.
  listeners.stop_listening();
  clients.for_each([this](server::Client& client) { clients.close(client); });
  clients.sweep();
  listeners.close();
  metrics.close();
  // Slow work under way reports to rooms that are about to go.
  loop.run();
}

void House::register_settings() {
  engine.settings
      .add_integer("databases", &databases_, 1, kDatabasesMax, engine::Setting::kImmutable)
      .apply = [this](std::string&) {
    engine.set_databases(static_cast<int>(databases_));
    return true;
  };

  engine::Setting rename;
  rename.name = "rename-command";
  rename.flags = engine::Setting::kMultiple | engine::Setting::kFileOnly;
  rename.get = [] { return std::string(); };
  rename.set = [this](std::span<const std::string> words, std::string& why) {
    renamed_commands_.assign(words.begin(), words.end());
    if (words.size() % 2 == 0) return true;
    why = "wrong number of arguments";
    return false;
  };
  rename.apply = [this](std::string& why) {
    for (size_t i = 0; i < renamed_commands_.size(); i += 2) {
      if (engine.commands().rename(renamed_commands_[i], renamed_commands_[i + 1])) continue;
      why = "No such command in rename-command, or target command name already exists";
      return false;
    }
    return true;
  };
  rename.rewrite = [this] {
    std::vector<std::string> lines;
    for (size_t i = 0; i < renamed_commands_.size(); i += 2) {
      lines.push_back(fmt::format("rename-command {} {}", engine::quote_word(renamed_commands_[i]),
                                  engine::quote_word(renamed_commands_[i + 1])));
    }
    return lines;
  };
  engine.settings.add(std::move(rename));
}

}  // namespace roxdb::app
