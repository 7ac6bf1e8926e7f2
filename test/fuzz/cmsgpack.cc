// Bytes for cmsgpack.unpack; what it makes of them is packed and unpacked again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "test/fuzz/fuzz_target.h"
#include "test/fuzz/script_world.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static roxdb::fuzz::ScriptWorld world;
  world.eval("return {cmsgpack.unpack(cmsgpack.pack(cmsgpack.unpack(ARGV[1])))}", {input});
  world.eval("return {cmsgpack.unpack_one(ARGV[1], 1), cmsgpack.unpack_limit(ARGV[1], 2)}",
             {input});
  return 0;
}
