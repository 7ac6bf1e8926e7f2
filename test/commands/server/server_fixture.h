// server_fixture.h: an engine with all commands and what those of the server's families need.
#pragma once

#include "commands/server/command_state.h"
#include "engine/memory_gate.h"
#include "test/commands/command_fixture.h"

namespace roxdb::commands::test {

struct ServerFixture : CommandFixture {
  CommandState state{engine};
  engine::MemoryGate memory_gate{engine, 0};

  // As the configuration file would set it; also what CONFIG SET must not change.
  void configure(std::string_view name, std::string_view value) {
    const std::string word(value);
    std::string why;
    BOOST_TEST_REQUIRE(engine.settings.load(name, {&word, 1}, why), why);
    BOOST_TEST_REQUIRE(engine.settings.finish_loading(why), why);
  }
};

}  // namespace roxdb::commands::test
