// scan_options.h: what SCAN, HSCAN, SSCAN and ZSCAN say alike: a cursor and options.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/glob.h"
#include "base/status.h"
#include "engine/call.h"

namespace roxdb::commands {

// MATCH: of keys, fields or members. "*" alone matches the empty name, too.
struct ScanPattern {
  std::optional<Glob> glob;  // none: "*"

  bool matches(std::string_view name) const { return !glob || glob->matches(name); }
};
// "ERR pattern too complex" when it is longer than kPatternBytesMax.
Result<ScanPattern> read_scan_pattern(std::string_view text);

struct ScanOptions {
  ScanPattern pattern;
  size_t count = 10;
  std::string_view type_name = {};  // empty: any
  bool no_values = false;           // NOVALUES of HSCAN, NOSCORES of ZSCAN
};

// How much one call looks at: COUNT items, with the rest of the bucket where the last one lies; and
// no more steps than that, so that it ends where a table is empty, too.
class ScanEffort {
 public:
  explicit ScanEffort(size_t count) : count_(count) {}
  void step() { steps_++; }
  void visit() { items_++; }
  bool is_spent() const { return steps_ >= count_ || items_ >= count_; }

 private:
  const size_t count_;
  size_t steps_ = 0;
  size_t items_ = 0;
};

// What is walked over: some options have a meaning for one of them only.
enum class Scanned : uint8_t { kKeys, kFields, kMembers, kScores };

// The cursor at argument `index`. "ERR invalid cursor".
Result<uint64_t> read_scan_cursor(engine::Call& call, size_t index);
// The options from argument `first` on. "ERR syntax error", "ERR value is not an integer ...".
Result<ScanOptions> read_scan_options(engine::Call& call, size_t first, Scanned scanned);

}  // namespace roxdb::commands
