#include "types/entry.h"

namespace roxdb::types {

Entry* Entry::create(memory::Slabs& slabs, const EntryParts& parts) {
  ROX_ASSERT(parts.inline_bytes.size() <= kInlineBytesMax);
  const bool has_expiry = parts.expire_at_ms >= 0;
  const bool long_key = parts.key.size() > kKeyBytesShortMax;
  const size_t size =
      size_of(parts.key.size(), parts.inline_bytes.size(), has_expiry, parts.has_payload);
  auto* entry = new (slabs.take(size)) Entry;
  entry->set_access(parts.access);
  entry->kind_ = static_cast<uint8_t>(static_cast<uint8_t>(parts.type) << 4 | parts.encoding);
  entry->key_bits_ =
      static_cast<uint16_t>((long_key ? kLongKey : parts.key.size()) | (has_expiry ? kExpiry : 0) |
                            (parts.has_payload ? kPayload : 0));
  entry->inline_size_ = static_cast<uint16_t>(parts.inline_bytes.size());
  if (has_expiry) entry->set_expire_at_ms(parts.expire_at_ms);
  if (parts.has_payload) entry->set_payload(parts.payload);
  if (long_key) entry->set_word(entry->key_offset() - 8, parts.key.size());
  char* at = entry->mutable_bytes() + entry->key_offset();
  if (!parts.key.empty()) std::memcpy(at, parts.key.data(), parts.key.size());  // null has none
  if (!parts.inline_bytes.empty()) {
    std::memcpy(at + parts.key.size(), parts.inline_bytes.data(), parts.inline_bytes.size());
  }
  return entry;
}

EntryParts Entry::parts() const {
  return {.type = type(),
          .encoding = encoding(),
          .key = key(),
          .inline_bytes = inline_bytes(),
          .has_payload = has_payload(),
          .payload = has_payload() ? payload() : 0,
          .expire_at_ms = has_expiry() ? expire_at_ms() : -1,
          .access = access()};
}

}  // namespace roxdb::types
