#include "persist/lzf.h"

#include <cstdint>

namespace roxdb::persist {

bool lzf_unpack(std::string_view input, size_t size, std::string& out) {
  out.clear();
  if (size / kLzfGrowthMax > input.size()) return false;
  out.reserve(size);
  size_t at = 0;
  const auto next = [&] { return static_cast<size_t>(static_cast<uint8_t>(input[at++])); };
  while (at < input.size()) {
    const size_t control = next();
    if (control < 32) {
      const size_t count = control + 1;
      if (count > input.size() - at || count > size - out.size()) return false;
      out.append(input.substr(at, count));
      at += count;
      continue;
    }
    size_t count = control >> 5;
    if (count == 7) {
      if (at == input.size()) return false;
      count += next();
    }
    if (at == input.size()) return false;
    const size_t back = ((control & 31) << 8) + next() + 1;
    count += 2;
    if (back > out.size() || count > size - out.size()) return false;
    for (; count > 0; --count) out.push_back(out[out.size() - back]);
  }
  return out.size() == size;
}

}  // namespace roxdb::persist
