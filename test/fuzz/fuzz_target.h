// fuzz_target.h: what every fuzz target includes.
//
// A target breaks by a sanitizer's report or by ROX_ASSERT. The latter leaves the process quietly,
// which a fuzzer takes for its own end: here it aborts, so that the input is kept.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/assert.h"

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  roxdb::set_fault_handler([](std::string_view text) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
    std::abort();
  });
  return 0;
}
