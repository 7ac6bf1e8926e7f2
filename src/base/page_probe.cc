#include "base/page_probe.h"

#include <sys/mman.h>

#include <algorithm>

#include "base/cycle_clock.h"

namespace roxdb {
namespace {

constexpr size_t kPages = 8;
constexpr size_t kPageBytes = 4096;

void touch(char* pages) {
  for (size_t i = 0; i < kPages; ++i) {
    volatile char* const first = pages + i * kPageBytes;
    *first = static_cast<char>(*first + 1);
  }
}

}  // namespace

PageProbe::PageProbe() {
  void* const pages = ::mmap(nullptr, kPages * kPageBytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pages_ = pages == MAP_FAILED ? nullptr : static_cast<char*>(pages);
  if (pages_ != nullptr) touch(pages_);
}

PageProbe::~PageProbe() {
  if (pages_ != nullptr) ::munmap(pages_, kPages * kPageBytes);
}

uint64_t PageProbe::measure() {
  if (pages_ == nullptr) return 0;
  const uint64_t began = cycles_now();
  touch(pages_);
  return (cycles_now() - began) / kPages;
}

}  // namespace roxdb
