// assert.h: our own invariants, checked in production too.
//
// ROX_ASSERT guards what only a bug of ours can break; it names file, line and the condition, runs
// the fault handler (which may flush a log) and leaves with kExitInvariant. What a client, a file,
// a disk or the machine's memory may do is never asserted: it travels as a Status.
#pragma once

#include <string_view>

namespace roxdb {

inline constexpr int kExitInvariant = 16;

// Called once with the text of the broken invariant before the process ends. The default writes it
// to standard error. Must not allocate.
using FaultHandler = void (*)(std::string_view text);
void set_fault_handler(FaultHandler handler);

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace roxdb

#define ROX_ASSERT(condition)                        \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::roxdb::assertion_failed(#condition, __FILE__, __LINE__))
