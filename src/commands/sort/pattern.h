// pattern.h: the keys that SORT finds from elements.
//
//   "weight_*"     the string at the key that the element makes in place of the first '*'
//   "user_*->age"  the field of the hash at that key; "->" counts behind the '*' only
//   "#"            the element itself
//   "nosort"       without '*': nothing
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/numbers.h"
#include "engine/call.h"
#include "types/string_value.h"

namespace roxdb::commands {

// Views the text it is read from.
struct SortPattern {
  explicit SortPattern(std::string_view text);

  bool has_star = false;
  bool is_element = false;
  std::string_view before_star;
  std::string_view behind_star;
  std::string_view field;  // empty: the key is a string
};

// Follows patterns. Reads count as those of other commands, unless they are only a trial.
class PatternReader {
 public:
  explicit PatternReader(engine::Call& call, bool is_trial = false);
  // Where the pattern leads from an element; none: no such key, of another type, no such field.
  // The view is dead after the next call.
  std::optional<std::string_view> read(const SortPattern& pattern, std::string_view element);

 private:
  engine::Call& call_;
  const bool is_trial_;
  int64_t fields_at_ms_;  // those due before are not there
  std::string key_;
  std::optional<types::StringView> string_;  // with the digits of an integer
  char digits_[kIntegerDigitsMax];           // of a field
};

}  // namespace roxdb::commands
