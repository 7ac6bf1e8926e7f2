// resp_request: a stream of requests comes to the same wherever the network cuts it.
//
// Input: byte 0 picks the limits, byte 1 the size of the pieces, the rest is the stream.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/random.h"
#include "resp/parser.h"
#include "test/fuzz/fuzz_target.h"

namespace {

using roxdb::resp::ArgVector;
using roxdb::resp::ParserLimits;
using roxdb::resp::RequestParser;

ParserLimits limits_of(uint8_t choice) {
  ParserLimits limits;
  if (choice & 1) limits = {.args_max = 4, .bulk_bytes_max = 20, .inline_bytes_max = 32};
  limits.authenticated = (choice & 2) == 0;
  return limits;
}

// Everything the stream said, as text: arguments, then the error or how much is left.
std::string read_in_pieces(std::string_view wire, const ParserLimits& limits, size_t piece_max,
                           uint64_t seed) {
  roxdb::Random random(seed);
  RequestParser parser;
  ArgVector args;
  std::string said;
  size_t consumed_total = 0;
  size_t arrived_total = 0;
  while (arrived_total < wire.size()) {
    const size_t piece = piece_max == 0 ? wire.size() : 1 + random.below(piece_max);
    arrived_total = std::min(arrived_total + piece, wire.size());
    for (;;) {
      // A copy of its own: views must not reach beyond it, and it moves between the pieces.
      const std::vector<char> arrived(wire.begin() + consumed_total, wire.begin() + arrived_total);
      args.clear();
      const auto consumed = parser.parse({arrived.data(), arrived.size()}, limits, args);
      if (!consumed.ok()) return said + std::string(consumed.status().text);
      ROX_ASSERT(*consumed <= arrived.size());
      if (*consumed == 0) {
        ROX_ASSERT(args.empty());
        ROX_ASSERT(parser.bytes_needed() > arrived.size());
        break;
      }
      for (const std::string_view arg : args.all()) {
        said += std::to_string(arg.size()) + ":";
        said += arg;
      }
      said += '\n';
      consumed_total += *consumed;
    }
  }
  return said + std::to_string(wire.size() - consumed_total);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const ParserLimits limits = limits_of(data[0]);
  const std::string_view wire(reinterpret_cast<const char*>(data + 2), size - 2);
  const std::string whole = read_in_pieces(wire, limits, 0, 0);
  // Byte by byte costs the square of what is kept here, so long inputs come in larger pieces.
  const size_t piece_max = std::max(size_t{data[1]} + 1, size / 256);
  ROX_ASSERT(read_in_pieces(wire, limits, piece_max, size) == whole);
  return 0;
}
