// cycle_clock.h: the processor's own counter, for timing every command: a call of the system's
// clock costs as much as a whole GET, reading the counter a tenth of that. Only differences mean
// anything; the owner learns the rate beside a real clock.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace roxdb {

inline uint64_t cycles_now() {
#if defined(__x86_64__)
  return __rdtsc();
#elif defined(__aarch64__)
  uint64_t value;
  asm volatile("mrs %0, cntvct_el0" : "=r"(value));
  return value;
#else
#error "no cycle counter known for this processor"
#endif
}

}  // namespace roxdb
