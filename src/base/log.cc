#include "base/log.h"

#include <fmt/format.h>

#include <algorithm>

namespace roxdb {
namespace {

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

}  // namespace

void Logger::write(LogLevel at, fmt::string_view format, fmt::format_args args) const {
  fmt::memory_buffer line;
  fmt::vformat_to(fmt::appender(line), format, args);
  const std::string_view text(line.data(), line.size());
  if (std::none_of(text.begin(), text.end(), is_control)) return sink(at, text);

  // An argument may be a client's bytes: nobody outside may end a line and forge the next one.
  fmt::memory_buffer escaped;
  for (const char c : text) {
    if (is_control(c)) {
      fmt::format_to(fmt::appender(escaped), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      escaped.push_back(c);
    }
  }
  sink(at, {escaped.data(), escaped.size()});
}

}  // namespace roxdb
