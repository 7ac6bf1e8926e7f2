// glob: whatever the pattern, matching ends soon and looks at nothing beyond the two texts. Without
// classes and escapes, it says what a slow and simple matcher says.
//
// The first byte is the length of the pattern, the rest the pattern and the text.
#include "base/glob.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "test/fuzz/fuzz_target.h"

namespace {

// matches[i] says whether the pattern so far describes the first i bytes of the text.
bool simple_match(std::string_view pattern, std::string_view text) {
  if (text.empty()) return pattern.empty();
  std::vector<bool> matches(text.size() + 1, false);
  matches[0] = true;
  for (const char c : pattern) {
    std::vector<bool> next(text.size() + 1, false);
    next[0] = c == '*' && matches[0];
    for (size_t i = 1; i <= text.size(); ++i) {
      next[i] =
          c == '*' ? matches[i] || next[i - 1] : matches[i - 1] && (c == '?' || c == text[i - 1]);
    }
    matches = next;
  }
  return matches[text.size()];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t length = std::min<size_t>(data[0], size - 1);
  // Copies, so that a look beyond either is a look beyond a block.
  const std::vector<char> pattern_bytes(data + 1, data + 1 + length);
  const std::vector<char> text_bytes(data + 1 + length, data + size);
  const std::string_view pattern(pattern_bytes.data(), pattern_bytes.size());
  const std::string_view text(text_bytes.data(), text_bytes.size());
  const bool matches = roxdb::glob_match(pattern, text);
  ROX_ASSERT(!matches || roxdb::glob_match(pattern, text, true));
  constexpr size_t kSimpleBytesMax = 256;  // so many that no search is cut off
  if (text.size() <= kSimpleBytesMax && pattern.find_first_of("[\\") == pattern.npos) {
    ROX_ASSERT(matches == simple_match(pattern, text));
  }
  return 0;
}
