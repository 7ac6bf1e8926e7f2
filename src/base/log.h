// log.h: one line per event, for the people who are called at night.
//
//   04211:M 21 Nov 2026 11:43:02.123 * DB loaded from snapshot: keys=12 bytes=4096 seconds=0.002
//
// The levels and the line format are Redis's (tools grep for them). Never pass keys or values at
// kNotice or above (reliability O1). A logger is owned by the application and handed down; a null
// sink drops everything, which is what the library does by default.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <functional>
#include <string_view>

namespace roxdb {

enum class LogLevel : uint8_t { kDebug, kVerbose, kNotice, kWarning, kNothing };

class Logger {
 public:
  using Sink = std::function<void(LogLevel, std::string_view line)>;

  LogLevel level = LogLevel::kNotice;
  Sink sink;  // gets the text without time and newline; empty: drop

  template <class... Args>
  void log(LogLevel at, fmt::format_string<Args...> format, Args&&... args) const {
    if (at < level || !sink) return;
    write(at, format, fmt::make_format_args(args...));
  }
  template <class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) const {
    log(LogLevel::kDebug, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void verbose(fmt::format_string<Args...> format, Args&&... args) const {
    log(LogLevel::kVerbose, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void notice(fmt::format_string<Args...> format, Args&&... args) const {
    log(LogLevel::kNotice, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warning(fmt::format_string<Args...> format, Args&&... args) const {
    log(LogLevel::kWarning, format, std::forward<Args>(args)...);
  }

 private:
  void write(LogLevel at, fmt::string_view format, fmt::format_args args) const;
};

}  // namespace roxdb
