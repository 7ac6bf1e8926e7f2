// key_delay.h: saving and loading slowly, for those who try out what happens meanwhile
// (rdb-key-save-delay, key-load-delay). Zero, and so nothing, unless somebody asks for it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/environment.h"

namespace roxdb::persist {

class KeyDelay {
 public:
  // `us`: for each key; below zero: 1 us for so many keys. It may change while it is slept off.
  KeyDelay(Environment& environment, const int64_t& us) : environment_(environment), us_(us) {}

  // So many keys are done, counted anew for each file. Sleeps what those since the last call ask
  // for, and calls `meanwhile` every few ms.
  template <class Meanwhile>
  void keys_done(uint64_t keys, Meanwhile meanwhile) {
    const uint64_t before = std::exchange(keys_, keys);
    if (us_ == 0) return;
    const auto fresh = static_cast<double>(keys > before ? keys - before : 0);
    const auto us = static_cast<double>(us_);
    for (owed_us_ += us > 0 ? fresh * us : fresh / -us; owed_us_ >= 1000 && us_ != 0;) {
      const double slice_us = std::min(owed_us_, kSliceUs);
      environment_.sleep_ms(static_cast<uint64_t>(slice_us / 1000));
      owed_us_ -= slice_us;
      meanwhile();
    }
    if (us_ == 0) owed_us_ = 0;
  }

 private:
  static constexpr double kSliceUs = 10'000;

  Environment& environment_;
  const int64_t& us_;
  uint64_t keys_ = 0;
  double owed_us_ = 0;
};

}  // namespace roxdb::persist
