// scan_options.h: what SCAN, HSCAN, SSCAN and ZSCAN say alike: a cursor and options.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/glob.h"
#include "base/status.h"
#include "engine/call.h"

namespace roxdb::commands {

// MATCH: of keys, fields or members.
struct ScanPattern {
  std::string_view text = "*";

  bool matches(std::string_view name) const { return text == "*" || glob_match(text, name); }
};
// "ERR pattern too complex" when it is longer than kPatternBytesMax.
Result<ScanPattern> read_scan_pattern(std::string_view text);

struct ScanOptions {
  ScanPattern pattern;
  size_t count = 10;
  std::string_view type_name = {};  // empty: any
  bool no_values = false;           // NOVALUES of HSCAN, NOSCORES of ZSCAN
};

// What is walked over: some options have a meaning for one of them only.
enum class Scanned : uint8_t { kKeys, kFields, kMembers, kScores };

// The cursor at argument `index`. "ERR invalid cursor".
Result<uint64_t> read_scan_cursor(engine::Call& call, size_t index);
// The options from argument `first` on. "ERR syntax error", "ERR value is not an integer ...".
Result<ScanOptions> read_scan_options(engine::Call& call, size_t first, Scanned scanned);

}  // namespace roxdb::commands
