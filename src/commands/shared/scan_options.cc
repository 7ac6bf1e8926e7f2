#include "commands/shared/scan_options.h"

#include <charconv>

#include "base/limits.h"
#include "engine/errors.h"

namespace roxdb::commands {

using engine::Call;
namespace errors = engine::errors;

Result<ScanPattern> read_scan_pattern(std::string_view text) {
  if (text.size() > kPatternBytesMax) return errors::kPatternTooComplex;
  if (text == "*") return ScanPattern{};
  return ScanPattern{Glob(text)};
}

Result<uint64_t> read_scan_cursor(Call& call, size_t index) {
  const std::string_view text = call.arg(index);
  uint64_t cursor;
  const char* end = text.data() + text.size();
  const auto [parsed_to, error] = std::from_chars(text.data(), end, cursor);
  if (error != std::errc() || parsed_to != end) return user_error("ERR invalid cursor");
  return cursor;
}

Result<ScanOptions> read_scan_options(Call& call, size_t first, Scanned scanned) {
  ScanOptions options;
  for (size_t i = first; i < call.argc(); i += 2) {
    const bool no_scores = call.is(i, "NOSCORES");
    if (no_scores || call.is(i, "NOVALUES")) {
      if (no_scores && scanned != Scanned::kScores) {
        return user_error("ERR NOSCORES option can only be used in ZSCAN");
      }
      if (!no_scores && scanned != Scanned::kFields) {
        return user_error("ERR NOVALUES option can only be used in HSCAN");
      }
      options.no_values = true;
      i--;  // a word alone
      continue;
    }
    if (i + 1 == call.argc()) return errors::kSyntax;
    if (call.is(i, "COUNT")) {
      ROX_TRY(const int64_t count, call.integer(i + 1));
      if (count < 1) return errors::kSyntax;
      options.count = static_cast<size_t>(count);
    } else if (call.is(i, "MATCH")) {
      ROX_TRY(options.pattern, read_scan_pattern(call.arg(i + 1)));
    } else if (call.is(i, "TYPE") && scanned == Scanned::kKeys) {
      options.type_name = call.arg(i + 1);
    } else {
      return errors::kSyntax;
    }
  }
  return options;
}

}  // namespace roxdb::commands
