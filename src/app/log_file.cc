#include "app/log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>

namespace roxdb::app {
namespace {

constexpr std::string_view kLevelMarks = ".-*#";
constexpr std::string_view kLevelNames[] = {"debug", "verbose", "notice", "warning"};
constexpr char kRole = 'M';  // a primary; there are no replicas yet
constexpr std::string_view kRoleName = "primary";

std::string text_of(const tm& time, const char* format) {
  char text[64];
  return {text, ::strftime(text, sizeof text, format, &time)};
}

// Between double quotes, for logfmt and JSON alike.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= ' ') {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    }
  }
  return out += '"';
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
  settings.add_choice("log-format", &format_, {"legacy", "logfmt", "json"});
  settings.add_choice("log-timestamp-format", &time_format_, {"legacy", "iso8601", "milliseconds"});
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

std::string LogFile::time_text() const {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const int64_t ms = now.tv_nsec / 1'000'000;
  if (time_format_ == kMilliseconds) return std::to_string(now.tv_sec * 1000 + ms);
  tm local{};
  ::localtime_r(&now.tv_sec, &local);
  if (time_format_ == kLegacyTime) {
    return fmt::format("{}.{:03}", text_of(local, "%d %b %Y %H:%M:%S"), ms);
  }
  const std::string zone = text_of(local, "%z");  // "+0130"
  return fmt::format("{}.{:03}{}:{}", text_of(local, "%Y-%m-%dT%H:%M:%S"), ms, zone.substr(0, 3),
                     zone.substr(3));
}

void LogFile::write_line(LogLevel level, std::string_view text) const {
  const auto index = static_cast<size_t>(level);
  std::string line;
  if (format_ == kLegacy) {
    line =
        fmt::format("{}:{} {} {} {}\n", ::getpid(), kRole, time_text(), kLevelMarks[index], text);
  } else if (format_ == kLogfmt) {
    line = fmt::format("pid={} role={} timestamp=\"{}\" level={} message={}\n", ::getpid(),
                       kRoleName, time_text(), kLevelNames[index], quoted(text));
  } else {
    line = fmt::format(R"({{"pid":{},"role":"{}","timestamp":"{}","level":"{}","message":{}}})"
                       "\n",
                       ::getpid(), kRoleName, time_text(), kLevelNames[index], quoted(text));
  }
  const int descriptor = open_raw();
  if (descriptor < 0) return;
  [[maybe_unused]] const ssize_t ignored = ::write(descriptor, line.data(), line.size());
  close_raw(descriptor);
}

int LogFile::open_raw() const { return path_.empty() ? STDOUT_FILENO : open_log(path_); }

void LogFile::close_raw(int descriptor) const {
  if (!path_.empty()) ::close(descriptor);
}

}  // namespace roxdb::app
