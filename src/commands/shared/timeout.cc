#include "commands/shared/timeout.h"

#include <cmath>
#include <limits>

#include "base/numbers.h"

namespace roxdb::commands {

Result<int64_t> read_timeout(engine::Call& call, size_t index, TimeoutUnit unit) {
  constexpr Status kTooFar = user_error("ERR timeout is out of range");
  constexpr int64_t kMsMax = std::numeric_limits<int64_t>::max();
  int64_t timeout_ms;
  if (unit == TimeoutUnit::kSeconds) {
    const auto seconds = parse_long_double(call.arg(index));
    if (!seconds) return user_error("ERR timeout is not a float or out of range");
    const long double ms = std::ceil(*seconds * 1000.0L);
    if (ms > static_cast<long double>(kMsMax)) return kTooFar;
    timeout_ms = ms < 0 ? -1 : static_cast<int64_t>(ms);
  } else {
    const auto ms = parse_int64(call.arg(index));
    if (!ms) return user_error("ERR timeout is not an integer or out of range");
    timeout_ms = *ms;
  }
  if (timeout_ms < 0) return user_error("ERR timeout is negative");
  if (timeout_ms > kMsMax - call.now_ms()) return kTooFar;
  return timeout_ms;
}

}  // namespace roxdb::commands
