// latency_histogram.h: how long something took, and how often: counts in buckets that are a
// sixteenth of their lower bound wide, so that every figure read from it is at most 6 % too high.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace roxdb::engine {

class LatencyHistogram {
 public:
  // Any unit. Cost: some instructions and one cache line; 5 KiB are taken with the first call.
  void add(uint64_t duration) {
    if (counts_ == nullptr) [[unlikely]]
      counts_ = std::make_unique<uint64_t[]>(kBuckets);
    counts_[bucket(duration)]++;
  }
  void clear() { counts_.reset(); }
  bool empty() const { return counts_ == nullptr; }

  // Calls visit(bound, count) for each bucket that is not empty, in ascending order; what is in it
  // took less than `bound`.
  template <class Visit>
  void for_each(Visit visit) const {
    for (size_t i = 0; counts_ != nullptr && i < kBuckets; ++i) {
      if (counts_[i] > 0) visit(bound(i), counts_[i]);
    }
  }

 private:
  static constexpr unsigned kBits = 4;  // of a duration that are looked at behind the highest one
  static constexpr size_t kSteps = size_t{1} << kBits;
  static constexpr unsigned kDurationBits = 40;  // longer ones count as the longest
  static constexpr size_t kBuckets = (kDurationBits - kBits + 1) * kSteps;

  static size_t bucket(uint64_t duration) {
    if (duration < kSteps) return static_cast<size_t>(duration);
    duration = std::min(duration, (uint64_t{1} << kDurationBits) - 1);
    const auto shift = static_cast<unsigned>(std::bit_width(duration)) - 1 - kBits;
    return (shift + 1) * kSteps + static_cast<size_t>((duration >> shift) & (kSteps - 1));
  }
  static uint64_t bound(size_t bucket) {
    if (bucket < kSteps) return bucket + 1;
    const auto shift = static_cast<unsigned>(bucket / kSteps - 1);
    return ((uint64_t{1} << kBits) + bucket % kSteps + 1) << shift;
  }

  std::unique_ptr<uint64_t[]> counts_;
};

}  // namespace roxdb::engine
