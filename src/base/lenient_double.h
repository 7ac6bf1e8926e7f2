// lenient_double.h: a double in a text from a client, with all that strtod() lets pass.
#pragma once

#include <optional>
#include <string_view>

namespace roxdb {

// As parse_double() of numbers.h; but blanks in front are skipped, a NUL ends the text, no text is
// 0, too much is infinite and too little 0. Refused: NaN, and what has anything else behind it.
std::optional<double> parse_double_leniently(std::string_view text);

}  // namespace roxdb
