// rate.h: how fast a counter moves, as INFO's instantaneous_... fields show it: the mean over the
// last 16 looks, one per 100 ms.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace roxdb::server {

inline constexpr uint64_t kRateSampleMs = 100;

class Rate {
 public:
  // `total` is the counter now, `now_ms` monotonic. Looks closer than kRateSampleMs count as one.
  void sample(uint64_t total, uint64_t now_ms) {
    const uint64_t elapsed_ms = now_ms - sampled_ms_;
    if (elapsed_ms < kRateSampleMs) return;
    // CONFIG RESETSTAT puts counters back.
    const uint64_t counted = total >= total_ ? total - total_ : total;
    samples_[next_] = counted * 1000 / elapsed_ms;
    next_ = (next_ + 1) % samples_.size();
    total_ = total;
    sampled_ms_ = now_ms;
  }
  uint64_t per_second() const {
    uint64_t sum = 0;
    for (const uint64_t sample : samples_) sum += sample;
    return sum / samples_.size();
  }

 private:
  std::array<uint64_t, 16> samples_{};
  size_t next_ = 0;
  uint64_t total_ = 0;
  uint64_t sampled_ms_ = 0;
};

}  // namespace roxdb::server
