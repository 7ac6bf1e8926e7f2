// field_list.h: FIELDS numfields field [field ...], and the times that go with it, in the words of
// the commands for fields that expire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "commands/shared/expire_time.h"
#include "engine/call.h"

namespace roxdb::commands {

// The fields are the arguments from `first` to the last.
struct FieldList {
  size_t first = 0;
  size_t count = 0;
};

// Reads FIELDS at argument `index` and what follows. `invalid_count` is the error when numfields
// is not a positive number. REQUIRES: index < argc.
Result<FieldList> read_field_list(engine::Call& call, size_t index, std::string_view invalid_count);
inline constexpr std::string_view kCountNotPositive =
    "ERR Number of fields must be a positive integer";

// The expiry that argument `index` says: 0 ... types::kFieldExpireMsMax. "ERR value is not an
// integer or out of range", "ERR invalid expire time, must be >= 0", "ERR invalid expire time in
// 'hexpire' command".
Result<int64_t> read_field_expire_time(engine::Call& call, size_t index, ExpireUnit unit);

// Logs `command key [argument ...] FIELDS count field ...` in place of the request.
void log_fields(engine::Call& call, std::string_view command,
                std::initializer_list<std::string_view> arguments,
                const std::vector<std::string_view>& fields);
// Logs HDEL key field ...
void log_deleted_fields(engine::Call& call, const std::vector<std::string_view>& fields);

}  // namespace roxdb::commands
