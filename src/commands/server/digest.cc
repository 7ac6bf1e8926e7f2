#include "commands/server/digest.h"

#include <fmt/format.h>

#include <cstring>

#include "base/hash.h"
#include "types/hash_value.h"
#include "types/set_value.h"
#include "types/stream_value.h"
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

// Members and fields come in the order of a table that nobody else has: each has a fingerprint of
// its own.
Digest digest_of_members(const engine::Entry& entry) {
  Digest sum;
  types::SetView(entry).for_each([&sum](std::string_view member) {
    Fingerprint fingerprint;
    fingerprint.write(member);
    sum ^= fingerprint.digest();
  });
  return sum;
}

Digest digest_of_fields(const engine::Entry& entry, int64_t now_ms) {
  Digest sum;
  types::HashView(entry, now_ms).for_each([&sum](const types::HashView::Field& field) {
    Fingerprint fingerprint;
    fingerprint.text(field.name);
    fingerprint.text(field.value);
    fingerprint.byte(field.expire_at_ms >= 0 ? 1 : 0);
    sum ^= fingerprint.digest();
  });
  return sum;
}

// Records, and how far each group has come: how records share blocks depends on those deleted, and
// who has what since when differs from one server to the next.
void write_stream(const types::Stream& stream, Fingerprint& out) {
  const auto write_id = [&out](const containers::Id& id) {
    out.word(id.ms);
    out.word(id.seq);
  };
  containers::RecordCursor cursor(stream.log(), containers::kIdMin, containers::kIdMax);
  while (cursor.next()) {
    write_id(cursor.id());
    containers::FieldReader fields = cursor.fields();
    containers::packed::Element name;
    containers::packed::Element value;
    while (fields.next(name, value)) {
      out.text(containers::packed::Text(name));
      out.text(containers::packed::Text(value));
    }
  }
  write_id(stream.last_id);
  for (const types::Group* group : stream.groups()) {
    out.text(group->name());
    write_id(group->last_delivered);
  }
}

// What counts is the value, not how it is stored.
void write_value(const engine::Entry& entry, int64_t now_ms, Fingerprint& out) {
  const auto write_digest = [&out](const Digest& digest) {
    out.write({reinterpret_cast<const char*>(digest.bytes), Digest::kBytes});
  };
  out.byte(static_cast<uint8_t>(entry.type()));
  switch (entry.type()) {
    case types::TypeId::kString:
      return out.write(types::StringView(entry));
    case types::TypeId::kSet:
      return write_digest(digest_of_members(entry));
    case types::TypeId::kHash:
      return write_digest(digest_of_fields(entry, now_ms));
    case types::TypeId::kStream:
      return write_stream(types::stream_of(entry), out);
    default:
      types::value_type(entry.type())->save(entry, out);
  }
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

Digest digest_of_value(const engine::Entry& entry, int64_t now_ms) {
  Fingerprint fingerprint;
  write_value(entry, now_ms, fingerprint);
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
      write_value(*entry, engine.now_ms(), fingerprint);
      sum ^= fingerprint.digest();
    });
  }
  return sum;
}

}  // namespace roxdb::commands
