#include "app/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "base/limits.h"
#include "base/numbers.h"

namespace roxdb::app {

namespace {

bool is_title_template(std::string_view text) {
  for (size_t at = 0; (at = text.find('{', at)) != std::string_view::npos;) {
    const size_t end = text.find('}', at);
    if (end == std::string_view::npos) return false;
    const std::string_view name = text.substr(at, end + 1 - at);
    if (std::find(std::begin(kTitleVariables), std::end(kTitleVariables), name) ==
        std::end(kTitleVariables)) {
      return false;
    }
    at = end;
  }
  return text.find_first_not_of(' ') != std::string_view::npos;
}

}  // namespace

ProcessSettings::ProcessSettings(engine::Settings& settings) {
  using engine::Setting;
  settings.add_bool("daemonize", &daemonize, Setting::kImmutable);
  settings.add_string("pidfile", &pid_path, Setting::kImmutable);
  settings.add_choice("supervised", &supervised, {"no", "systemd", "upstart", "auto"},
                      Setting::kImmutable);
  settings.add_bool("always-show-logo", &show_logo, Setting::kImmutable);
  settings.add_bool("set-proc-title", &set_title, Setting::kImmutable);
  Setting& title = settings.add_string("proc-title-template", &title_template);
  title.set = [this](std::span<const std::string> words, std::string& why) {
    if (words.size() != 1 || !is_title_template(words[0])) {
      why = "template format is invalid or contains unknown variables";
      return false;
    }
    title_template = words[0];
    return true;
  };
  title.apply = [this](std::string&) {
    if (on_title) on_title();
    return true;
  };
  settings.add_bool("crash-core", &core_dumps, Setting::kImmutable);
}

OomScore::OomScore(engine::Settings& settings, Environment& environment, const Logger& log)
    : environment_(environment), log_(log) {
  settings.add_choice("oom-score-adj", &mode_, {"no", "yes", "relative", "absolute"}).apply =
      [this](std::string& why) { return apply(why); };
  engine::Setting values;
  values.name = "oom-score-adj-values";
  values.flags = engine::Setting::kWords;
  values.get = [this] { return fmt::format("{}", fmt::join(values_, " ")); };
  values.set = [this](std::span<const std::string> words, std::string& why) {
    return set_values(words, why);
  };
  values.apply = [this](std::string& why) { return apply(why); };
  settings.add(std::move(values));
}

bool OomScore::set_values(std::span<const std::string> words, std::string& why) {
  if (words.size() != values_.size()) {
    why = "wrong number of arguments";
    return false;
  }
  std::array<int, 3> wanted{};
  for (size_t i = 0; i < wanted.size(); ++i) {
    const std::optional<int64_t> value = parse_int64(words[i]);
    if (!value || *value < -2000 || *value > 2000) {
      why = "Invalid oom-score-adj-values, elements must be between -2000 and 2000";
      return false;
    }
    wanted[i] = static_cast<int>(*value);
  }
  values_ = wanted;
  return true;
}

bool OomScore::apply(std::string& why) {
  if (mode_ == kNo && !before_) return true;  // whoever else has set it may
  if (!before_) {
    const Result<int> found = environment_.oom_score();
    if (found.ok()) before_ = *found;
  }
  const auto score = [this](int value) {
    if (mode_ == kNo) return *before_;
    return std::clamp(mode_ == kAbsolute ? value : *before_ + value, -1000, 1000);
  };
  const Status status = before_ ? environment_.set_oom_score(score(values_[0]), score(values_[2]))
                                : io_error(ENOENT, "oom_score_adj");
  if (!status.ok()) {
    log_.warning("Unable to set oom_score_adj: {}", strerror(status.os_error));
    why = "Failed to set current oom_score_adj. Check server logs";
    return false;
  }
  if (mode_ == kNo) before_.reset();
  return true;
}

Status become_daemon() {
  const pid_t child = ::fork();
  if (child < 0) return io_error(errno, "fork");
  if (child > 0) ::_exit(0);
  ::setsid();
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing < 0) return io_error(errno, "open");
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, stream);
  if (nothing > STDERR_FILENO) ::close(nothing);
  return kOk;
}

PidFile::PidFile(std::string path, const Logger& log) : path_(std::move(path)) {
  if (path_.empty()) return;
  const int descriptor =
      ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (descriptor < 0) {
    log.warning("Can't write the pid file {}: {}", path_, strerror(errno));
    path_.clear();
    return;
  }
  text_ = fmt::format("{}\n", ::getpid());
  [[maybe_unused]] const ssize_t ignored = ::write(descriptor, text_.data(), text_.size());
  ::close(descriptor);
}

void PidFile::remove() {
  if (path_.empty()) return;
  const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  char found[32];
  const ssize_t size = descriptor < 0 ? -1 : ::read(descriptor, found, sizeof found);
  if (descriptor >= 0) ::close(descriptor);
  if (size >= 0 && std::string_view(found, static_cast<size_t>(size)) == text_) {
    ::unlink(path_.c_str());
  }
  path_.clear();
}

// Source: sd_notify(3).
void notify_supervisor(std::string_view state) {
  const char* const path = ::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  const size_t length = ::strlen(path);
  if (length >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  ::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // a name without a file
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return;
  [[maybe_unused]] const ssize_t ignored = ::sendto(
      socket, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
  ::close(socket);
}

// The strings of arguments and environment lie one behind the other; together they are the room
// for a title.
ProcessTitle::ProcessTitle(int argc, char** argv) {
  if (argc == 0) return;
  program_ = argv[0];
  char* end = argv[0];
  const auto take = [&end](char* text) {
    if (text == end) end += ::strlen(text) + 1;
  };
  for (int i = 0; i < argc; ++i) take(argv[i]);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    take(*entry);
    // Never freed: the environment lives as long as the process.
    if (char* const copy = ::strdup(*entry); copy != nullptr) *entry = copy;
  }
  begin_ = argv[0];
  size_ = static_cast<size_t>(end - begin_);
}

void ProcessTitle::set(std::string_view title) {
  if (size_ == 0) return;
  ::memset(begin_, 0, size_);
  ::memcpy(begin_, title.data(), std::min(title.size(), size_ - 1));
}

void disable_huge_pages() { ::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); }

int64_t raise_descriptor_limit(int64_t sockets) {
  const int64_t wanted = sockets + kReservedDescriptors;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return sockets;
  if (limit.rlim_cur >= static_cast<rlim_t>(wanted)) return sockets;
  const rlim_t had = limit.rlim_cur;
  limit.rlim_cur = static_cast<rlim_t>(wanted);
  limit.rlim_max = std::max(limit.rlim_max, limit.rlim_cur);
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return sockets;
  // Not allowed to raise the hard limit: take all of it.
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min(limit.rlim_max, static_cast<rlim_t>(wanted));
  if (::setrlimit(RLIMIT_NOFILE, &limit) < 0) limit.rlim_cur = had;
  const auto have = static_cast<int64_t>(limit.rlim_cur);
  if (have >= wanted) return sockets;
  return std::max<int64_t>(1, have - kReservedDescriptors);
}

void allow_core_dumps(bool allowed) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_CORE, &limit) < 0) return;
  limit.rlim_cur = allowed ? limit.rlim_max : 0;
  ::setrlimit(RLIMIT_CORE, &limit);
}

}  // namespace roxdb::app
