#include "app/log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace roxdb::app {
namespace {

constexpr std::string_view kLevelMarks = ".-*#";
constexpr char kRole = 'M';  // a primary; there are no replicas yet

std::string time_text() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm local{};
  ::localtime_r(&now.tv_sec, &local);
  char text[64];
  const size_t size = ::strftime(text, sizeof text, "%d %b %Y %H:%M:%S.", &local);
  return fmt::format("{}{:03}", std::string_view(text, size), now.tv_nsec / 1'000'000);
}

int open_log(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

}  // namespace

LogFile::LogFile(Logger& log, engine::Settings& settings) : log_(log) {
  log_.sink = [this](LogLevel level, std::string_view text) { write_line(level, text); };
  settings.add_choice("loglevel", &level_, {"debug", "verbose", "notice", "warning", "nothing"})
      .apply = [this](std::string&) {
    log_.level = static_cast<LogLevel>(level_);
    return true;
  };
  settings.add_string("logfile", &path_, engine::Setting::kImmutable);
}

bool LogFile::check(std::string& why) const {
  if (path_.empty()) return true;
  const int descriptor = open_log(path_);
  if (descriptor < 0) {
    why = fmt::format("Can't open the log file: {}", std::strerror(errno));
    return false;
  }
  ::close(descriptor);
  return true;
}

void LogFile::write_line(LogLevel level, std::string_view text) const {
  const std::string line = fmt::format("{}:{} {} {} {}\n", ::getpid(), kRole, time_text(),
                                       kLevelMarks[static_cast<size_t>(level)], text);
  const int descriptor = open_raw();
  if (descriptor < 0) return;
  [[maybe_unused]] const ssize_t ignored = ::write(descriptor, line.data(), line.size());
  if (!path_.empty()) ::close(descriptor);
}

int LogFile::open_raw() const { return path_.empty() ? STDOUT_FILENO : open_log(path_); }

}  // namespace roxdb::app
