// inspect.h: looking at a key without using it, as EXISTS, TTL, TYPE and OBJECT do: it counts as a
// hit or a miss, but not as an access that keeps the key from eviction.
#pragma once

#include "engine/call.h"

namespace roxdb::commands {

// Null when absent.
inline const engine::Entry* inspect(engine::Call& call, size_t index) {
  const engine::Entry* entry = call.peek(index);
  if (entry != nullptr) {
    call.engine().statistics.keyspace_hits++;
  } else {
    call.engine().missed(call.db(), call.arg(index));
  }
  return entry;
}

// The same, but nobody is told that the key was missed.
inline const engine::Entry* inspect_silently(engine::Call& call, size_t index) {
  const engine::Entry* entry = call.peek(index);
  engine::Statistics& statistics = call.engine().statistics;
  (entry != nullptr ? statistics.keyspace_hits : statistics.keyspace_misses)++;
  return entry;
}

}  // namespace roxdb::commands
