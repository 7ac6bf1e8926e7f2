// latency_events.h: what made everybody wait besides commands: a fork, a cycle of expiry. Whoever
// does such things measures them and reports; who collects the reports is a service, or nobody.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/services.h"

namespace roxdb::engine {

class LatencyEvents {
 public:
  // `event` is one of Redis's names for LATENCY ("fork", "expire-cycle", "eviction-cycle",
  // "aof-write", "aof-fsync-always") and lives for ever.
  virtual void report(std::string_view event, uint64_t duration_ns) = 0;

 protected:
  ~LatencyEvents() = default;
};

inline void report_latency(const Services& services, std::string_view event, uint64_t duration_ns) {
  if (auto* const events = services.find<LatencyEvents>()) events->report(event, duration_ns);
}

}  // namespace roxdb::engine
