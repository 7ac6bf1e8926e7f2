#include "commands/server/digest.h"

#include <fmt/format.h>

#include <cstring>

#include "base/hash.h"
#include "types/string_value.h"
#include "types/value_stream.h"

namespace roxdb::commands {
namespace {

// 64 bits under three seeds: 160 of them make a digest. Not for adversaries.
class Fingerprint final : public types::ValueWriter {
 public:
  void write(std::string_view bytes) override {
    for (Checksum& checksum : checksums_) checksum.add(bytes);
  }
  Digest digest() const {
    uint64_t words[3];
    for (size_t i = 0; i < 3; ++i) words[i] = checksums_[i].value();
    Digest digest;
    std::memcpy(digest.bytes, words, Digest::kBytes);
    return digest;
  }

 private:
  Checksum checksums_[3] = {Checksum(1), Checksum(2), Checksum(3)};
};

void write_value(const engine::Entry& entry, Fingerprint& out) {
  out.byte(static_cast<uint8_t>(entry.type()));
  // A string's bytes count, not how they are stored.
  if (entry.type() == types::TypeId::kString) return out.write(types::StringView(entry));
  types::value_type(entry.type())->save(entry, out);
}

}  // namespace

Digest& Digest::operator^=(const Digest& other) {
  for (size_t i = 0; i < kBytes; ++i) bytes[i] ^= other.bytes[i];
  return *this;
}

std::string Digest::hex() const {
  std::string text;
  for (const uint8_t byte : bytes) fmt::format_to(std::back_inserter(text), "{:02x}", byte);
  return text;
}

Digest digest_of_value(const engine::Entry& entry) {
  Fingerprint fingerprint;
  write_value(entry, fingerprint);
  return fingerprint.digest();
}

Digest digest_of_data(engine::Engine& engine) {
  Digest sum;
  for (int db = 0; db < engine.databases(); ++db) {
    const engine::Keyspace* keys = engine.keyspace_if_used(db);
    if (keys == nullptr) continue;
    keys->table().for_each([&](const engine::Entry* entry) {
      if (entry->has_expiry() && entry->expire_at_ms() < engine.now_ms()) return;
      Fingerprint fingerprint;
      fingerprint.varint(static_cast<uint64_t>(db));
      fingerprint.text(entry->key());
      fingerprint.byte(entry->has_expiry() ? 1 : 0);
      write_value(*entry, fingerprint);
      sum ^= fingerprint.digest();
    });
  }
  return sum;
}

}  // namespace roxdb::commands
