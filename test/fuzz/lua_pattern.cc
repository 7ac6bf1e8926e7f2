// lua_pattern: string.find, match, gmatch and gsub say what those say that come with Lua.
//
// The pattern, the text, the replacement and the position stand behind each other, each ended by a
// zero but the last. All are short: Lua's own matcher is not stopped by a clock.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "test/fuzz/fuzz_target.h"
#include "test/fuzz/script_world.h"
#include "test/scripting/original_lua.h"

namespace {

constexpr size_t kPatternBytesMax = 14;
constexpr size_t kTextBytesMax = 20;

std::string_view take(std::string_view& input, size_t size_max) {
  const size_t end = std::min(input.find('\0'), input.size());
  const std::string_view piece = input.substr(0, end);
  input.remove_prefix(std::min(end + 1, input.size()));
  return piece.substr(0, size_max);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using roxdb::scripting::test::kAllMatching;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  static roxdb::fuzz::ScriptWorld world;
  static roxdb::scripting::test::OriginalLua original;
  const std::string_view pattern = take(input, kPatternBytesMax);
  const std::string_view text = take(input, kTextBytesMax);
  const std::string_view form = take(input, kTextBytesMax);
  const std::string_view position = take(input, 3);
  const std::string said = world.eval(kAllMatching, {text, pattern, form, position});
  if (said.starts_with("-ERR Script killed")) return 0;
  const std::string expected = original.run(kAllMatching, {text, pattern, form, position});
  ROX_ASSERT(said == "$" + std::to_string(expected.size()) + "\r\n" + expected + "\r\n");
  return 0;
}
