// Scripts of any text: the parser, the machine, the libraries and redis.call must neither crash nor
// leave something to the next script.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "test/fuzz/fuzz_target.h"
#include "test/fuzz/script_world.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  roxdb::fuzz::ScriptWorld world;
  world.run({"RPUSH", "list", "a", "b"});
  world.eval(input, {"argument"});
  ROX_ASSERT(world.eval("return ('a'):upper() == 'A' and #KEYS or -1", {}) == ":0\r\n");
  return 0;
}
