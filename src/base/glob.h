// glob.h: Redis's patterns, byte for byte: * ? [abc] [a-z] [^a] \x.
//
// A pattern from a client can never hang the server (CVE-2022-36021): no recursion, and only the
// last '*' is ever tried again. Cost: O(text) as a rule, O(pattern x text) at worst and then cut
// off after kGlobStepsMax (limits.h), which counts as no match. KEYS and its kin multiply that by
// the number of keys; the length of a pattern is bounded by its caller (kPatternBytesMax).
#pragma once

#include <string_view>

namespace roxdb {

// Whether the whole of `text` is what `pattern` describes. `ignore_case` folds ASCII letters.
// Only the empty pattern matches the empty text, as in Redis.
bool glob_match(std::string_view pattern, std::string_view text, bool ignore_case = false);

}  // namespace roxdb
