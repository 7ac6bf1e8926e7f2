// expire_time.h: how requests name an expiry (EX, PX, EXAT, PXAT), made into the one form that is
// stored and logged: milliseconds of the Unix epoch.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/status.h"
#include "engine/call.h"

namespace roxdb::commands {

enum class ExpireUnit : uint8_t { kSeconds, kMilliseconds, kSecondsAt, kMillisecondsAt };

constexpr bool in_seconds(ExpireUnit unit) {
  return unit == ExpireUnit::kSeconds || unit == ExpireUnit::kSecondsAt;
}
constexpr bool from_now(ExpireUnit unit) {
  return unit == ExpireUnit::kSeconds || unit == ExpireUnit::kMilliseconds;
}

// The unit this word stands for: EX, PX, EXAT or PXAT, in any case.
std::optional<ExpireUnit> expire_unit(std::string_view word);

// A number of this unit as milliseconds of the epoch; nullopt when an int64 cannot hold that.
std::optional<int64_t> to_epoch_ms(int64_t number, ExpireUnit unit, int64_t now_ms);

// The expiry that argument `index` says, > 0. Errors: "ERR value is not an integer or out of
// range"; "ERR invalid expire time in 'set' command" when it is not positive or too far away.
Result<int64_t> read_expire_time(engine::Call& call, size_t index, ExpireUnit unit);

// "ERR invalid expire time in 'set' command", with the name of the running command.
Status invalid_expire_time(engine::Call& call);

// Whether a key that gets this expiry is gone at once, and is better deleted. Never while the log
// is replayed: what was not past when it was written must find its key on any date (D4).
bool is_past(engine::Call& call, int64_t expire_at_ms);

}  // namespace roxdb::commands
