// timeout.h: how long a blocking command waits, as its arguments say it.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "engine/call.h"

namespace roxdb::commands {

enum class TimeoutUnit : uint8_t { kSeconds, kMilliseconds };

// Milliseconds from now, 0: for ever. Seconds may have a fraction, which is rounded up. Errors:
// "ERR timeout is not a float or out of range" (of milliseconds: "an integer"), "ERR timeout is
// negative", "ERR timeout is out of range".
Result<int64_t> read_timeout(engine::Call& call, size_t index, TimeoutUnit unit);

}  // namespace roxdb::commands
