// process.h: roxdb-server as a process of its machine: daemon, pid file, title, supervisor, limits.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/environment.h"
#include "base/log.h"
#include "engine/settings.h"

namespace roxdb::app {

// What proc-title-template may name.
inline constexpr std::string_view kTitleVariables[] = {
    "{title}",    "{listen-addr}", "{server-mode}", "{port}",
    "{tls-port}", "{unixsocket}",  "{config-file}"};

// The settings of the process, as the configuration has them.
struct ProcessSettings {
  explicit ProcessSettings(engine::Settings& settings);
  ProcessSettings(const ProcessSettings&) = delete;
  ProcessSettings& operator=(const ProcessSettings&) = delete;

  bool daemonize = false;
  std::string pid_path;  // pidfile; empty: none unless daemonize
  int supervised = 0;    // index of kSupervisedNames
  bool show_logo = false;
  bool set_title = true;
  std::string title_template = "{title} {listen-addr} {server-mode}";
  std::function<void()> on_title;  // it has been changed; empty: nobody shows it yet
  bool core_dumps = false;         // crash-core: off, because they hold user data (S12)
};

// oom-score-adj and its values: whom the kernel ends first when memory has run out. Ours and that
// of the children which save; there are no replicas yet, whose value is kept and shown.
class OomScore {
 public:
  OomScore(engine::Settings& settings, Environment& environment, const Logger& log);
  OomScore(const OomScore&) = delete;
  OomScore& operator=(const OomScore&) = delete;

 private:
  enum Mode : int { kNo, kYes, kRelative, kAbsolute };  // yes means relative
  bool set_values(std::span<const std::string> words, std::string& why);
  bool apply(std::string& why);

  Environment& environment_;
  const Logger& log_;
  int mode_ = kNo;
  std::array<int, 3> values_ = {0, 200, 800};  // primary, replica, child
  std::optional<int> before_;                  // what it was when we changed it first
};

// Goes to the background: the caller goes on in a new session, its parent ends with code 0.
// REQUIRES: no thread has been started. Code::kIo.
Status become_daemon();

// The file that tells others our process id. An empty path: none.
class PidFile {
 public:
  PidFile(std::string path, const Logger& log);
  ~PidFile() { remove(); }
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

  // Unless another process has put its own id there. Any number of times.
  void remove();

 private:
  std::string path_;
  std::string text_;
};

// Tells systemd, which gave us NOTIFY_SOCKET, how we are: "READY=1", "STOPPING=1". Nothing happens
// when nobody listens.
void notify_supervisor(std::string_view state);

// What ps shows. The arguments of the command line, passwords perhaps, are erased (S3).
class ProcessTitle {
 public:
  // Takes over the memory of the arguments and the environment, which moves elsewhere. Call first
  // thing in main().
  ProcessTitle(int argc, char** argv);
  void set(std::string_view title);
  const std::string& program() const { return program_; }

 private:
  char* begin_ = nullptr;
  size_t size_ = 0;
  std::string program_;
};

// No transparent huge pages: after a fork one written byte would copy 2 MiB of them.
void disable_huge_pages();
// Makes room for this many sockets besides our own files; returns how many there is room for.
int64_t raise_descriptor_limit(int64_t sockets);
void allow_core_dumps(bool allowed);

}  // namespace roxdb::app
