#include "engine/side_work.h"

namespace roxdb::engine {

std::string_view name_of(Cause cause) {
  constexpr std::string_view kNames[kCauses] = {"waiting",  "executing", "table-split", "expiry",
                                                "eviction", "fork",      "page-faults", "log-write",
                                                "log-sync", "reply"};
  return kNames[static_cast<size_t>(cause)];
}

void SideWork::add(Cause cause, uint64_t cycles, uint64_t count) {
  for (size_t span = 0; span < kSpans; ++span) {
    Window& window = windows_[span];
    if (window.began != began_[span]) window = {.began = began_[span], .amounts = {}};
    Amount& amount = window.amounts[static_cast<size_t>(cause)];
    amount.cycles += cycles;
    amount.count += count;
  }
}

SideWork::Amount SideWork::of(Span span, uint64_t began, Cause cause) const {
  const Window& window = windows_[static_cast<size_t>(span)];
  return window.began == began ? window.amounts[static_cast<size_t>(cause)] : Amount{};
}

}  // namespace roxdb::engine
