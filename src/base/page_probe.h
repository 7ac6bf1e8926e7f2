// page_probe.h: what it costs to write to a page that a child shares. Between machines that differs
// by more than ten times (a bare one 0.5 us, a virtual one 8 us), so it is tried out on a few pages
// of its own whenever there is a child.
#pragma once

#include <cstdint>

namespace roxdb {

class PageProbe {
 public:
  PageProbe();
  ~PageProbe();
  PageProbe(const PageProbe&) = delete;
  PageProbe& operator=(const PageProbe&) = delete;

  // Cycles (cycle_clock.h) that one page takes. REQUIRES: a child was forked since the last call,
  // else it measures nothing but a write. Cost: 8 pages.
  uint64_t measure();

 private:
  char* pages_;  // null: there was no memory, and nothing is measured
};

}  // namespace roxdb
