// resp_reply: the reply reader survives any bytes and reads the same whole and in pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "resp/reply_reader.h"
#include "test/fuzz/fuzz_target.h"

namespace {

using roxdb::resp::ReplyReader;
using roxdb::resp::ReplyValue;

// The tree as text. Recursion is bounded by kReplyDepthMax, which is part of what is tested.
void show(const ReplyValue& value, std::string& out) {
  out += std::to_string(static_cast<int>(value.type)) + "(" + std::to_string(value.integer) +
         std::to_string(value.boolean) + std::to_string(value.real) + value.text;
  out.append(value.format.begin(), value.format.end());
  for (const ReplyValue& item : value.items) show(item, out);
  out += '|';
  for (const ReplyValue& attribute : value.attributes) show(attribute, out);
  out += ')';
}

std::string read_in_pieces(std::string_view wire, size_t piece_max) {
  ReplyReader reader;
  std::string out;
  while (!wire.empty()) {
    const std::string_view front = wire.substr(0, piece_max);
    const std::vector<char> piece(front.begin(), front.end());
    const auto taken = reader.read({piece.data(), piece.size()});
    if (!taken.ok()) return out + std::string(taken.status().text);
    ROX_ASSERT(*taken == piece.size() || reader.complete());
    ROX_ASSERT(*taken > 0);
    wire.remove_prefix(*taken);
    if (reader.complete()) show(reader.take(), out);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view wire(reinterpret_cast<const char*>(data + 1), size - 1);
  ROX_ASSERT(read_in_pieces(wire, wire.size()) == read_in_pieces(wire, size_t{data[0]} + 1));
  return 0;
}
