// digest.h: fingerprints of data, for DEBUG DIGEST: the same data gives the same digest, wherever
// and in whatever order it was built.
//
// The digest of a dataset is the exclusive or of one fingerprint per key, each over database, key,
// value and whether it expires, so the order of tables does not matter; nothing stored is 0. That
// of a set or a hash is likewise the one of its members, or of its fields.
#pragma once

#include <cstdint>
#include <string>

#include "engine/engine.h"

namespace roxdb::commands {

struct Digest {
  static constexpr size_t kBytes = 20;
  uint8_t bytes[kBytes] = {};

  Digest& operator^=(const Digest& other);
  std::string hex() const;  // 40 digits
};

// Of everything that has not expired. Cost O(bytes stored).
Digest digest_of_data(engine::Engine& engine);
// Of one value; fields of a hash that are due by `now_ms` do not count.
Digest digest_of_value(const engine::Entry& entry, int64_t now_ms);

}  // namespace roxdb::commands
