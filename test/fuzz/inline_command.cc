// inline_command: a line is split without a look beyond it, and its words, quoted again, are read
// as the same words.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "resp/inline_split.h"
#include "test/fuzz/fuzz_target.h"

namespace {

// `word` in double quotes, every byte of it as \xHH.
std::string quoted(std::string_view word) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    text += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return text + "\"";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<char> line(data, data + size);
  roxdb::resp::ArgVector words;
  if (!roxdb::resp::split_inline({line.data(), line.size()}, words)) {
    ROX_ASSERT(words.empty());
    return 0;
  }
  std::string again;
  for (const std::string_view word : words.all()) again += quoted(word) + " ";
  roxdb::resp::ArgVector words_again;
  ROX_ASSERT(roxdb::resp::split_inline(again, words_again));
  ROX_ASSERT(words_again.size() == words.size());
  for (size_t i = 0; i < words.size(); ++i) ROX_ASSERT(words_again[i] == words[i]);
  return 0;
}
