#include "base/assert.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstring>

namespace roxdb {
namespace {

void write_to_standard_error(std::string_view text) {
  // Nobody is left to tell when standard error refuses.
  [[maybe_unused]] ssize_t ignored = ::write(STDERR_FILENO, text.data(), text.size());
  ignored = ::write(STDERR_FILENO, "\n", 1);
}

std::atomic<FaultHandler> fault_handler{write_to_standard_error};

}  // namespace

void set_fault_handler(FaultHandler handler) { fault_handler.store(handler); }

void assertion_failed(const char* condition, const char* file, int line) {
  // A handler that breaks an invariant itself must not run again: taking it out leaves the second
  // failure with the plain text on standard error.
  const FaultHandler handler = fault_handler.exchange(write_to_standard_error);

  // Everything stands on the stack: the heap may be what is broken.
  char text[512];
  size_t used = 0;
  const auto add = [&](std::string_view piece) {
    const size_t size = std::min(piece.size(), sizeof text - used);
    std::memcpy(text + used, piece.data(), size);
    used += size;
  };
  char digits[16];
  const char* digits_end = std::to_chars(digits, digits + sizeof digits, line).ptr;
  add("invariant broken: ");
  add(file);
  add(":");
  add({digits, static_cast<size_t>(digits_end - digits)});
  add(": ");
  add(condition);
  handler({text, used});
  ::_exit(kExitInvariant);
}

}  // namespace roxdb
