#include "base/hash.h"

// Inlined, XXH3 becomes straight code for the short keys that tables see; through the shared
// library every key would pay a call and a dispatch on its length.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

#include "base/assert.h"
#include "base/environment.h"
#include "base/random.h"

namespace roxdb {

static_assert(sizeof(HashSecret) >= XXH3_SECRET_SIZE_MIN);

HashSecret random_hash_secret(Environment& environment) {
  // Every byte of the secret is chance, which is what XXH3 asks of one; stretching a short seed
  // would only make it easier to guess.
  HashSecret secret;
  environment.random(secret.bytes, sizeof secret.bytes);
  return secret;
}

HashSecret hash_secret_from_seed(uint64_t seed) {
  HashSecret secret;
  Random random(seed);
  for (size_t at = 0; at < sizeof secret.bytes; at += sizeof(uint64_t)) {
    const uint64_t word = random.next();
    std::memcpy(secret.bytes + at, &word, sizeof word);
  }
  return secret;
}

namespace {

// XXH3 as three functions by length, each inlining its part of the library only. In one function
// the loops of the long keys make all others pay for a stack frame and six saved registers, which
// is more than the hash of a short key.
__attribute__((noinline)) uint64_t hash_over_128(std::string_view bytes, const HashSecret& secret) {
  return XXH3_64bits_withSecret(bytes.data(), bytes.size(), secret.bytes, sizeof secret.bytes);
}

__attribute__((noinline, flatten)) uint64_t hash_over_16(std::string_view bytes,
                                                         const HashSecret& secret) {
  if (bytes.size() > 128) return hash_over_128(bytes, secret);
  return XXH3_64bits_withSecret(bytes.data(), bytes.size(), secret.bytes, sizeof secret.bytes);
}

}  // namespace

__attribute__((flatten)) uint64_t hash_bytes(std::string_view bytes, const HashSecret& secret) {
  if (bytes.size() > 16) return hash_over_16(bytes, secret);
  return XXH3_64bits_withSecret(bytes.data(), bytes.size(), secret.bytes, sizeof secret.bytes);
}

uint64_t checksum(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Checksum::Checksum(uint64_t seed) : state_(new XXH3_state_t) {
  auto* state = static_cast<XXH3_state_t*>(state_);
  XXH3_INITSTATE(state);
  const XXH_errorcode result = XXH3_64bits_reset_withSeed(state, seed);
  ROX_ASSERT(result == XXH_OK);
}

Checksum::~Checksum() { delete static_cast<XXH3_state_t*>(state_); }

void Checksum::add(std::string_view bytes) {
  if (bytes.empty()) return;  // an empty view may have no address, which xxHash takes for an error
  const XXH_errorcode result =
      XXH3_64bits_update(static_cast<XXH3_state_t*>(state_), bytes.data(), bytes.size());
  ROX_ASSERT(result == XXH_OK);
}

uint64_t Checksum::value() const {
  return XXH3_64bits_digest(static_cast<const XXH3_state_t*>(state_));
}

}  // namespace roxdb
