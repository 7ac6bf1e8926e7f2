// glob.h: Redis's patterns, byte for byte: * ? [abc] [a-z] [^a] \x.
//
// A pattern is taken apart once and then held against many texts. One from a client can never hang
// the server (CVE-2022-36021): no recursion, only the last '*' is ever tried again, and a class is
// a set of bytes, however long it was spelled. Cost: O(text) as a rule, O(elements x text) at worst
// and then cut off after kGlobStepsMax (limits.h), which counts as no match; of a pattern O(bytes)
// of time and memory. The length of a pattern is bounded by its caller (kPatternBytesMax).
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace roxdb {

class Glob {
 public:
  // The text of the pattern need not outlive this. `ignore_case` folds ASCII letters.
  explicit Glob(std::string_view pattern, bool ignore_case = false);

  // Whether the whole of `text` is what the pattern describes. Only the empty pattern matches the
  // empty text, as in Redis.
  bool matches(std::string_view text) const;

 private:
  enum class Kind : uint8_t { kByte, kAnyByte, kClass, kAnyText };
  struct Element {
    Kind kind;
    char byte;          // of kByte, folded
    uint32_t class_at;  // of kClass, in classes_
  };

  size_t add_class(std::string_view pattern, size_t at);
  bool matches_one(Element element, char c) const;

  bool ignore_case_;
  std::vector<Element> elements_;
  std::vector<std::bitset<256>> classes_;
};

// The same for a pattern that is used once.
inline bool glob_match(std::string_view pattern, std::string_view text, bool ignore_case = false) {
  return Glob(pattern, ignore_case).matches(text);
}

}  // namespace roxdb
