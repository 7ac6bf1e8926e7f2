#include "commands/shared/expire_time.h"

#include "base/text.h"

namespace roxdb::commands {

using engine::Call;

std::optional<ExpireUnit> expire_unit(std::string_view word) {
  if (equal_ignore_case(word, "EX")) return ExpireUnit::kSeconds;
  if (equal_ignore_case(word, "PX")) return ExpireUnit::kMilliseconds;
  if (equal_ignore_case(word, "EXAT")) return ExpireUnit::kSecondsAt;
  if (equal_ignore_case(word, "PXAT")) return ExpireUnit::kMillisecondsAt;
  return std::nullopt;
}

std::optional<int64_t> to_epoch_ms(int64_t number, ExpireUnit unit, int64_t now_ms) {
  int64_t ms = number;
  if (in_seconds(unit) && __builtin_mul_overflow(ms, int64_t{1000}, &ms)) return std::nullopt;
  if (from_now(unit) && __builtin_add_overflow(ms, now_ms, &ms)) return std::nullopt;
  return ms;
}

Result<int64_t> read_expire_time(Call& call, size_t index, ExpireUnit unit) {
  ROX_TRY(const int64_t number, call.integer(index));
  if (number <= 0) return invalid_expire_time(call);
  const auto expire_at_ms = to_epoch_ms(number, unit, call.now_ms());
  if (!expire_at_ms) return invalid_expire_time(call);
  return *expire_at_ms;
}

Status invalid_expire_time(Call& call) {
  return call.fail("ERR invalid expire time in '{}' command", call.command().full_name);
}

bool is_past(Call& call, int64_t expire_at_ms) {
  return expire_at_ms <= call.now_ms() && call.session().kind != engine::Session::Kind::kReplay;
}

}  // namespace roxdb::commands
