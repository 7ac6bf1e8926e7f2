#include "base/glob.h"

#include <cstddef>
#include <utility>

#include "base/limits.h"

namespace roxdb {
namespace {

char folded(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// What stands at one place of a pattern, held against one byte of text.
struct Step {
  bool matches;
  size_t next;  // the place behind it in the pattern
};

// A class, from the byte behind its '['. Redis's rules, which no standard shares: a class without
// ']' ends with the pattern; "a-]" is a range up to ']'; an escaped byte is itself, never the
// start of a range and never folded; bytes compare as signed, so 0xff lies below 'a'.
Step match_class(std::string_view pattern, size_t at, char c, bool ignore_case) {
  const bool inverted = at < pattern.size() && pattern[at] == '^';
  if (inverted) ++at;
  bool found = false;
  while (at < pattern.size() && pattern[at] != ']') {
    const size_t left = pattern.size() - at;
    if (pattern[at] == '\\' && left >= 2) {
      found |= pattern[at + 1] == c;
      at += 2;
    } else if (left >= 3 && pattern[at + 1] == '-') {
      auto low = static_cast<signed char>(pattern[at]);
      auto high = static_cast<signed char>(pattern[at + 2]);
      auto byte = static_cast<signed char>(c);
      if (low > high) std::swap(low, high);
      if (ignore_case) {
        low = static_cast<signed char>(folded(static_cast<char>(low)));
        high = static_cast<signed char>(folded(static_cast<char>(high)));
        byte = static_cast<signed char>(folded(c));
      }
      found |= low <= byte && byte <= high;
      at += 3;
    } else {
      found |= ignore_case ? folded(pattern[at]) == folded(c) : pattern[at] == c;
      ++at;
    }
  }
  if (at < pattern.size()) ++at;  // the ']'
  return {found != inverted, at};
}

// The one element of the pattern at `at`, which is not a '*', against `c`.
Step match_one(std::string_view pattern, size_t at, char c, bool ignore_case) {
  char expected = pattern[at];
  if (expected == '?') return {true, at + 1};
  if (expected == '[') return match_class(pattern, at + 1, c, ignore_case);
  if (expected == '\\' && at + 1 < pattern.size()) expected = pattern[++at];
  return {ignore_case ? folded(expected) == folded(c) : expected == c, at + 1};
}

}  // namespace

bool glob_match(std::string_view pattern, std::string_view text, bool ignore_case) {
  if (text.empty()) return pattern.empty();  // as in Redis, where not even "*" matches nothing

  // Only the last '*' is ever tried again: what an earlier one could gain by taking more, the last
  // one can gain too.
  constexpr size_t kNone = ~size_t{0};
  size_t in_pattern = 0;
  size_t in_text = 0;
  size_t behind_star = kNone;  // place in the pattern behind the last '*'
  size_t star_end = 0;         // where in the text that '*' ends for now
  // Bytes of pattern that may still be read. Text alone never uses them up, however long it is.
  size_t steps_left = kGlobStepsMax + kGlobStepsPerByte * text.size();

  while (in_text < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      behind_star = ++in_pattern;
      star_end = in_text;
      if (behind_star == pattern.size()) return true;
      continue;
    }
    Step step{false, in_pattern};
    if (in_pattern < pattern.size()) {
      step = match_one(pattern, in_pattern, text[in_text], ignore_case);
    }
    const size_t steps = step.next - in_pattern + 1;
    if (steps > steps_left) return false;
    steps_left -= steps;
    if (step.matches) {
      in_pattern = step.next;
      ++in_text;
    } else if (behind_star != kNone) {
      in_pattern = behind_star;
      in_text = ++star_end;
    } else {
      return false;
    }
  }
  while (in_pattern < pattern.size() && pattern[in_pattern] == '*') ++in_pattern;
  return in_pattern == pattern.size();
}

}  // namespace roxdb
