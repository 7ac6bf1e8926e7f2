// A format up to the first zero, and bytes for it: struct.size, unpack and pack.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "test/fuzz/fuzz_target.h"
#include "test/fuzz/script_world.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static roxdb::fuzz::ScriptWorld world;
  const size_t border = std::min(input.find('\0'), input.size());
  const std::string_view format = input.substr(0, border);
  const std::string_view bytes = input.substr(std::min(border + 1, input.size()));
  world.eval("return struct.size(ARGV[1])", {format});
  world.eval("return {struct.unpack(ARGV[1], ARGV[2])}", {format, bytes});
  world.eval("return struct.pack(ARGV[1], 1, 'text', 2.5, ARGV[2], -1)", {format, bytes});
  return 0;
}
