#include "commands/hash/field_list.h"

#include "commands/shared/integer_text.h"
#include "types/hash_table.h"

namespace roxdb::commands {

using engine::Call;

Result<FieldList> read_field_list(Call& call, size_t index, std::string_view invalid_count) {
  if (index + 1 == call.argc()) {
    return call.fail("ERR wrong number of arguments for '{}' command", call.command().full_name);
  }
  if (!call.is(index, "FIELDS")) {
    return user_error("ERR Mandatory argument FIELDS is missing or not at the right position");
  }
  const auto count = parse_int64(call.arg(index + 1));
  if (!count || *count < 1) return user_error(invalid_count);
  const FieldList fields{.first = index + 2, .count = call.argc() - index - 2};
  if (fields.count != static_cast<uint64_t>(*count)) {
    return user_error("ERR The `numfields` parameter must match the number of arguments");
  }
  return fields;
}

Result<int64_t> read_field_expire_time(Call& call, size_t index, ExpireUnit unit) {
  ROX_TRY(const int64_t number, call.integer(index));
  if (number < 0) return user_error("ERR invalid expire time, must be >= 0");
  const auto expire_at_ms = to_epoch_ms(number, unit, call.now_ms());
  if (!expire_at_ms || *expire_at_ms > types::kFieldExpireMsMax) return invalid_expire_time(call);
  return *expire_at_ms;
}

void log_fields(Call& call, std::string_view command,
                std::initializer_list<std::string_view> arguments,
                const std::vector<std::string_view>& fields) {
  const IntegerText count(static_cast<int64_t>(fields.size()));
  std::vector<std::string_view> words{command, call.arg(1)};
  words.insert(words.end(), arguments);
  words.insert(words.end(), {"FIELDS", count});
  words.insert(words.end(), fields.begin(), fields.end());
  call.log_as(call.db(), words);
}

void log_deleted_fields(Call& call, const std::vector<std::string_view>& fields) {
  std::vector<std::string_view> words{"HDEL", call.arg(1)};
  words.insert(words.end(), fields.begin(), fields.end());
  call.log_as(call.db(), words);
}

}  // namespace roxdb::commands
