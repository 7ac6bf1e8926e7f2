// log_file.h: where the lines of the Logger go: standard output, or `logfile`. The form is Redis's,
// which tools read, or with `log-format` one for machines:
//
//   4211:M 21 Nov 2026 11:43:02.123 * Ready to accept connections
//   pid=4211 role=primary timestamp="21 Nov 2026 11:43:02.123" level=notice message="Ready to ..."
//   {"pid":4211,"role":"primary","timestamp":"...","level":"notice","message":"Ready to ..."}
//
// The file is opened for every line, so that it can be moved away at any time. A line that cannot
// be written is lost: there is nobody to tell.
#pragma once

#include <string>
#include <string_view>

#include "base/log.h"
#include "engine/settings.h"

namespace roxdb::app {

class LogFile {
 public:
  // Becomes the sink of `log`. Registers loglevel, logfile, log-format and log-timestamp-format.
  // All must live as long as lines come.
  LogFile(Logger& log, engine::Settings& settings);
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // False: the file cannot be opened; `why` says so.
  bool check(std::string& why) const;
  // A descriptor to write to, for those who must not allocate: only a system call is made. A
  // process that is about to end may leave it open.
  int open_raw() const;
  void close_raw(int descriptor) const;

 private:
  enum Format : int { kLegacy, kLogfmt, kJson };
  enum TimeFormat : int { kLegacyTime, kIso8601, kMilliseconds };

  void write_line(LogLevel level, std::string_view text) const;
  std::string time_text() const;

  Logger& log_;
  int level_ = static_cast<int>(LogLevel::kNotice);
  std::string path_;  // empty: standard output
  int format_ = kLegacy;
  int time_format_ = kLegacyTime;
};

}  // namespace roxdb::app
