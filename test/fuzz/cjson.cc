// Texts for cjson.decode; what it makes of them is encoded and decoded again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "test/fuzz/fuzz_target.h"
#include "test/fuzz/script_world.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static roxdb::fuzz::ScriptWorld world;
  world.eval(
      "cjson.encode_sparse_array(true) cjson.encode_invalid_numbers(true) "
      "local value = cjson.decode(ARGV[1]) return cjson.decode(cjson.encode(value))",
      {input});
  return 0;
}
