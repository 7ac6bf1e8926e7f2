#include "types/hash_field.h"

#include <new>

namespace roxdb::types {
namespace {

char* put(char* out, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());  // null has no bytes to copy
  return out + bytes.size();
}

}  // namespace

HashField* HashField::create(memory::Slabs& slabs, std::string_view name, std::string_view value,
                             int64_t expire_at_ms) {
  const bool is_long = name.size() > kShortBytesMax || value.size() > kShortBytesMax;
  const bool has_expiry = expire_at_ms >= 0;
  const size_t head_bytes = size_t{is_long ? 10u : 2u} + (has_expiry ? 8 : 0);
  const size_t size = head_bytes + name.size() + value.size();
  auto* field = new (slabs.take(memory::Slabs::occupied(size))) HashField;
  field->head_ = static_cast<uint16_t>((has_expiry ? kExpiry : 0) | (is_long ? kLong : 0));
  if (is_long) {
    const auto name_bytes = static_cast<uint32_t>(name.size());
    std::memcpy(field->mutable_bytes() + kLongSizes, &name_bytes, sizeof name_bytes);
  } else {
    field->head_ = static_cast<uint16_t>(field->head_ | name.size() << kNameShift);
  }
  field->set_value_size(value.size());
  if (has_expiry) field->set_expire_at_ms(expire_at_ms);
  put(put(field->mutable_bytes() + field->name_offset(), name), value);
  return field;
}

HashField* HashField::copy(memory::Slabs& slabs, const HashField& field) {
  void* block = slabs.take(field.block_size());
  std::memcpy(block, field.bytes(), field.size());
  return static_cast<HashField*>(block);
}

bool HashField::overwrite(std::string_view value) {
  if (value.size() != value_size()) {
    if (!is_long() && value.size() > kShortBytesMax) return false;
    const size_t fresh_size = name_offset() + name_size() + value.size();
    if (memory::Slabs::occupied(fresh_size) != block_size()) return false;
    set_value_size(value.size());
  }
  put(mutable_bytes() + name_offset() + name_size(), value);
  return true;
}

void HashField::set_value_size(size_t size) {
  if (is_long()) {
    const auto value_bytes = static_cast<uint32_t>(size);
    std::memcpy(mutable_bytes() + kLongSizes + 4, &value_bytes, sizeof value_bytes);
  } else {
    constexpr unsigned kBelow = (1u << kValueShift) - 1;
    head_ = static_cast<uint16_t>((head_ & kBelow) | size << kValueShift);
  }
}

}  // namespace roxdb::types
