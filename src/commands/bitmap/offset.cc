#include "commands/bitmap/offset.h"

#include <algorithm>

#include "base/limits.h"
#include "base/numbers.h"
#include "commands/bitmap/bits.h"
#include "types/string_value.h"

namespace roxdb::commands {

using types::StringValue;

size_t bits_max(engine::Call& call) {
  return std::min<size_t>(call.engine().string_bytes_max, kStringBytesMax) * kBitsPerByte;
}

Result<size_t> read_bit_offset(engine::Call& call, size_t index, size_t field_bits) {
  std::string_view text = call.arg(index);
  const bool in_fields = field_bits > 0 && text.starts_with('#');
  if (in_fields) text.remove_prefix(1);
  const auto number = parse_int64(text);
  if (!number || *number < 0) return kBadBitOffset;
  auto offset = static_cast<uint64_t>(*number);
  if (in_fields && __builtin_mul_overflow(offset, field_bits, &offset)) return kBadBitOffset;
  if (offset >= bits_max(call)) return kBadBitOffset;
  return offset;
}

Result<OpenBitmap> open_bitmap(engine::Call& call, size_t bytes) {
  ROX_TRY(const std::optional<StringValue> found, call.edit<StringValue>(1));
  const size_t old_size = found ? found->size() : 0;
  ROX_TRY(StringValue string, call.edit_or_create<StringValue>(1));
  const Result<char*> data = string.resize(std::max(old_size, bytes));
  if (data.ok()) return OpenBitmap{*data, string.size(), !found || bytes > old_size};
  // The key was made for this value; without it nothing shall have happened.
  if (!found) call.engine().erase(call.db(), call.key(1), *call.find(1));
  return data.status();
}

}  // namespace roxdb::commands
