// hash.h: XXH3 under a secret. Every table of a process hashes with bytes taken from getrandom at
// start, so that nobody outside can choose keys that collide (reliability S8). Checksums of files
// use the seeded form: a file's id is the seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace roxdb {

class Environment;

// 192 bytes that key the table hash. One per Engine; copied freely.
struct HashSecret {
  alignas(16) unsigned char bytes[192];
};
HashSecret random_hash_secret(Environment& environment);
HashSecret hash_secret_from_seed(uint64_t seed);  // for tests and `hash-seed`: repeatable

uint64_t hash_bytes(std::string_view bytes, const HashSecret& secret);
uint64_t checksum(std::string_view bytes, uint64_t seed);  // XXH3-64 with a seed

// XXH3-64 over pieces, as checksum() over their concatenation.
class Checksum {
 public:
  explicit Checksum(uint64_t seed);
  ~Checksum();
  Checksum(const Checksum&) = delete;
  Checksum& operator=(const Checksum&) = delete;
  void add(std::string_view bytes);
  uint64_t value() const;

 private:
  void* state_;
};

}  // namespace roxdb
