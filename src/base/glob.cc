#include "base/glob.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/limits.h"

namespace roxdb {
namespace {

char folded(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

Glob::Glob(std::string_view pattern, bool ignore_case) : ignore_case_(ignore_case) {
  elements_.reserve(pattern.size());
  for (size_t at = 0; at < pattern.size();) {
    char byte = pattern[at++];
    if (byte == '*') {
      const bool is_repeated = !elements_.empty() && elements_.back().kind == Kind::kAnyText;
      if (!is_repeated) elements_.push_back({Kind::kAnyText, 0, 0});
    } else if (byte == '?') {
      elements_.push_back({Kind::kAnyByte, 0, 0});
    } else if (byte == '[') {
      at = add_class(pattern, at);
    } else {
      if (byte == '\\' && at < pattern.size()) byte = pattern[at++];
      elements_.push_back({Kind::kByte, ignore_case ? folded(byte) : byte, 0});
    }
  }
}

// A class, from the byte behind its '['; returns the place behind it. Redis's rules, which no
// standard shares: a class without ']' ends with the pattern; "a-]" is a range up to ']'; an
// escaped byte is itself, never the start of a range and never folded; bytes compare as signed, so
// 0xff lies below 'a'.
size_t Glob::add_class(std::string_view pattern, size_t at) {
  const bool inverted = at < pattern.size() && pattern[at] == '^';
  if (inverted) ++at;
  std::bitset<256> bytes;
  // Where ranges begin (+1) and have ended (-1), in the order of signed bytes.
  std::array<int, 257> borders{};
  const auto add_range = [&](char first, char last) {
    auto low = static_cast<signed char>(ignore_case_ ? folded(first) : first);
    auto high = static_cast<signed char>(ignore_case_ ? folded(last) : last);
    // As they are spelled, before letters are folded, decides which of them is the lower one.
    if (static_cast<signed char>(first) > static_cast<signed char>(last)) std::swap(low, high);
    if (low > high) return;
    borders[static_cast<size_t>(low + 128)]++;
    borders[static_cast<size_t>(high + 129)]--;
  };
  while (at < pattern.size() && pattern[at] != ']') {
    const size_t left = pattern.size() - at;
    if (pattern[at] == '\\' && left >= 2) {
      bytes.set(static_cast<unsigned char>(pattern[at + 1]));
      at += 2;
    } else if (left >= 3 && pattern[at + 1] == '-') {
      add_range(pattern[at], pattern[at + 2]);
      at += 3;
    } else {
      add_range(pattern[at], pattern[at]);
      ++at;
    }
  }
  if (at < pattern.size()) ++at;  // the ']'

  std::bitset<256> in_ranges;
  for (int byte = -128, open = 0; byte <= 127; ++byte) {
    open += borders[static_cast<size_t>(byte + 128)];
    in_ranges.set(static_cast<unsigned char>(byte), open > 0);
  }
  for (size_t c = 0; c < bytes.size(); ++c) {
    const char byte = static_cast<char>(c);
    if (in_ranges.test(static_cast<unsigned char>(ignore_case_ ? folded(byte) : byte)))
      bytes.set(c);
  }
  elements_.push_back({Kind::kClass, 0, static_cast<uint32_t>(classes_.size())});
  classes_.push_back(inverted ? ~bytes : bytes);
  return at;
}

inline bool Glob::matches_one(Element element, char c) const {
  switch (element.kind) {
    case Kind::kByte:
      return element.byte == (ignore_case_ ? folded(c) : c);
    case Kind::kAnyByte:
      return true;
    case Kind::kClass:
      return classes_[element.class_at].test(static_cast<unsigned char>(c));
    case Kind::kAnyText:
      break;
  }
  return false;
}

bool Glob::matches(std::string_view text) const {
  if (text.empty()) return elements_.empty();  // as in Redis, where not even "*" matches nothing

  // Only the last '*' is ever tried again: what an earlier one could gain by taking more, the last
  // one can gain too.
  constexpr size_t kNone = ~size_t{0};
  size_t element = 0;
  size_t in_text = 0;
  size_t behind_star = kNone;  // the element behind the last '*'
  size_t star_end = 0;         // where in the text that '*' ends for now
  // Text alone never uses the steps up, however long it is.
  size_t steps_left = kGlobStepsMax + kGlobStepsPerByte * text.size();

  while (in_text < text.size()) {
    if (element < elements_.size() && elements_[element].kind == Kind::kAnyText) {
      behind_star = ++element;
      star_end = in_text;
      if (behind_star == elements_.size()) return true;
      continue;
    }
    if (steps_left-- == 0) return false;
    if (element < elements_.size() && matches_one(elements_[element], text[in_text])) {
      ++element;
      ++in_text;
    } else if (behind_star != kNone) {
      element = behind_star;
      in_text = ++star_end;
    } else {
      return false;
    }
  }
  if (element < elements_.size() && elements_[element].kind == Kind::kAnyText) ++element;
  return element == elements_.size();
}

}  // namespace roxdb
