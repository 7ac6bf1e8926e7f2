// script_fixture.h: an engine with all commands, in a simulated world, and its scripts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scripting/scripting.h"
#include "test/commands/command_fixture.h"

namespace roxdb::scripting::test {

struct ScriptFixture : commands::test::CommandFixture {
  Scripting scripting{engine, 1};

  // What a script replies, whose keys and arguments are one of each.
  std::string eval(std::string_view script) {
    return run_args({"EVAL", script, "1", "key", "argument"});
  }
  // The part of an error behind which only the place stands.
  std::string error(std::string_view script) {
    const std::string text = eval(script);
    return text.substr(0, text.find(" script: "));
  }
};

}  // namespace roxdb::scripting::test
