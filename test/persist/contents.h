// contents.h: what an Engine's databases hold, as a plain value that tests compare.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <ostream>
#include <string>
#include <utility>

#include "base/random.h"
#include "engine/engine.h"
#include "test/sim/disk_image.h"
#include "types/string_value.h"

namespace roxdb::persist {

// The disk that a simulated server begins with: an empty directory "data".
inline DiskImage empty_data_directory() {
  DiskImage image;
  image.directories.insert("data");
  return image;
}

struct Record {
  std::string value;
  int64_t expire_at_ms = -1;
  uint32_t access = 0;

  friend bool operator==(const Record&, const Record&) = default;
};

using Contents = std::map<std::pair<int, std::string>, Record>;

inline std::ostream& operator<<(std::ostream& out, const Contents& contents) {
  out << contents.size() << " entries";
  for (const auto& [key, record] : contents) {
    out << "\n  " << key.first << ' ' << key.second.substr(0, 40) << " = "
        << record.value.substr(0, 40) << " (" << record.value.size() << " bytes) expiry "
        << record.expire_at_ms << " access " << record.access;
    if (out.tellp() > 4096) return out << "\n  ...";
  }
  return out;
}

// REQUIRES: the keys are absent.
inline void fill(engine::Engine& engine, const Contents& contents) {
  for (const auto& [place, record] : contents) {
    engine::Keyspace& keyspace = engine.keyspace(place.first);
    types::EntryParts parts;
    parts.key = place.second;
    parts.expire_at_ms = record.expire_at_ms;
    parts.access = record.access;
    const auto entry = types::create_string(keyspace.slabs(), parts, record.value);
    ROX_ASSERT(entry.ok());
    keyspace.insert(engine.key(place.second), *entry);
  }
}

inline Contents contents_of(const engine::Engine& engine) {
  Contents contents;
  for (int db = 0; db < engine.databases(); ++db) {
    const engine::Keyspace* keyspace = engine.keyspace_if_used(db);
    if (keyspace == nullptr) continue;
    keyspace->check();
    keyspace->table().for_each([&](const types::Entry* entry) {
      const Record record{std::string(types::StringView(*entry).view()),
                          entry->has_expiry() ? entry->expire_at_ms() : -1, entry->access()};
      const bool is_new = contents.emplace(std::pair(db, entry->key()), record).second;
      ROX_ASSERT(is_new);
    });
  }
  return contents;
}

inline std::string random_bytes(Random& random, size_t size) {
  std::string bytes(size + sizeof(uint64_t), '\0');
  for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
    const uint64_t word = random.next();
    std::memcpy(bytes.data() + at, &word, sizeof word);
  }
  bytes.resize(size);
  return bytes;
}

// Keys and values of all kinds and many sizes, in three databases; nothing has expired by
// `now_ms`. Values that no codec shrinks are among them.
inline Contents random_contents(Random& random, size_t entries, int64_t now_ms) {
  Contents contents;
  while (contents.size() < entries) {
    const auto db = static_cast<int>(random.below(3));
    std::string key = "key:" + std::to_string(random.below(1'000'000));
    if (random.below(50) == 0) key = random_bytes(random, random.below(20'000));
    Record record;
    record.access = static_cast<uint32_t>(random.next()) & 0xffffff;
    if (random.below(3) == 0) {
      record.expire_at_ms = now_ms + static_cast<int64_t>(random.below(100'000'000));
    }
    switch (random.below(5)) {
      case 0:
        record.value = std::to_string(static_cast<int64_t>(random.next()));
        break;
      case 1:
        record.value = random_bytes(random, random.below(100));
        break;
      case 2:
        record.value = random_bytes(random, random.below(3'000));
        break;
      default:
        record.value = "{\"id\":" + std::to_string(random.below(1000)) + ",\"tags\":[\"red\"]}";
        break;
    }
    contents[{db, key}] = record;
  }
  return contents;
}

}  // namespace roxdb::persist
