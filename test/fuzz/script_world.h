// script_world.h: scripts on a small database in a simulated world, for the targets that run some.
// None runs for long: the first look at the time, after 100,000 instructions, ends it.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "resp/reply_writer.h"
#include "scripting/eval_scripts.h"
#include "scripting/scripting.h"
#include "test/sim/crashing_environment.h"

namespace roxdb::fuzz {

class ScriptWorld {
 public:
  ScriptWorld() {
    scripting_.scripts.on_made = [](scripting::Interpreter& interpreter) {
      interpreter.on_interval = [](scripting::ScriptRun&) { return true; };
    };
  }

  // The first bytes of the reply.
  std::string run(const std::vector<std::string_view>& args) {
    resp::OutputBuffer out;
    resp::RespWriter reply(out, 3);
    engine_.execute(session_, args, reply);
    std::array<std::string_view, 1> front;
    return out.gather(front) > 0 ? std::string(front[0]) : std::string();
  }
  std::string eval(std::string_view script, const std::vector<std::string_view>& arguments) {
    std::vector<std::string_view> args{"EVAL", script, "0"};
    args.insert(args.end(), arguments.begin(), arguments.end());
    return run(args);
  }

 private:
  CrashingEnvironment environment_{1};
  engine::Engine engine_{{.environment = &environment_, .hash_seed = 1}};
  engine::Session session_{engine::Session::Kind::kLibrary};
  scripting::Scripting scripting_{engine_, 1};
};

}  // namespace roxdb::fuzz
