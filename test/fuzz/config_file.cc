// config_file: a configuration is read or refused with a reason; what CONFIG REWRITE makes of any
// text is what it makes of its own work, too.
#include "app/config_file.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "engine/accepted_settings.h"
#include "engine/engine.h"
#include "engine/memory_gate.h"
#include "test/fuzz/fuzz_target.h"
#include "test/sim/crashing_environment.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using roxdb::app::rewritten;
  roxdb::CrashingEnvironment environment(1);
  roxdb::engine::Engine engine({.environment = &environment, .hash_seed = 1});
  roxdb::engine::MemoryGate memory_gate(engine, 0);
  add_accepted_settings(engine.settings);

  const std::string text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    // Files of this machine are no input.
    if (line.find("nclude") == line.npos && line.find("NCLUDE") == line.npos) lines.push_back(line);
  }
  std::string why;
  roxdb::app::ConfigFile file;
  if (!file.load("", lines, engine.settings, why)) ROX_ASSERT(!why.empty());
  const std::string once = rewritten(text, engine.settings);
  ROX_ASSERT(rewritten(once, engine.settings) == once);
  return 0;
}
