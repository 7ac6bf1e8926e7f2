// main.cc: roxdb-server, from its arguments to its exit code (reliability E19).
#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "app/command_line.h"
#include "app/crash_report.h"
#include "app/wiring.h"
#include "base/version.h"

namespace roxdb::app {
namespace {

constexpr int kExitConfiguration = 1;

// libuv's threads sync, unlink and release: two of them, one that waits for the disk and one that
// does not have to wait behind it.
constexpr const char* kThreads = "2";

int complain(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  return kExitConfiguration;
}

// The configuration, with the defaults of a server that nobody configured: persistent.
bool configure(House& house, const CommandLine& line, std::string& why) {
  if (!house.config_file.load(line.config_path, line.lines, house.engine.settings, why)) {
    return false;
  }
  if (!house.acl.start(why)) return false;
  const bool is_configured = !line.config_path.empty() || house.config_file.has("save") ||
                             house.config_file.has("appendonly");
  if (is_configured) return true;
  const std::string yes[] = {"yes"};
  return house.engine.settings.load("appendonly", yes, why) &&
         house.engine.settings.finish_loading(why);
}

std::string title_of(const House& house, const std::string& program) {
  std::string title = house.process.title_template;
  const auto replace = [&title](std::string_view name, const std::string& value) {
    for (size_t at = 0; (at = title.find(name, at)) != std::string::npos; at += value.size()) {
      title.replace(at, name.size(), value);  // the value may hold its own name: go on behind it
    }
  };
  replace("{title}", program);
  replace("{listen-addr}", house.listeners.first_address());
  replace("{server-mode}", "");
  replace("{port}", std::to_string(house.listeners.port()));
  replace("{tls-port}", std::to_string(house.listeners.tls_port()));
  replace("{unixsocket}", house.listeners.unix_path());
  replace("{config-file}", house.config_file.path());
  while (title.ends_with(' ')) title.pop_back();
  return title;
}

// On a terminal, a long load shows how far it has come.
void show_progress(const House& house) {
  fmt::print("\r{}\x1b[K", house.persistence.progress_bar());
  std::fflush(stdout);
}

std::string pid_path(const House& house) {
  constexpr const char* kPidPath = "/var/run/roxdb.pid";
  const bool is_named = !house.process.pid_path.empty();
  return !is_named && house.process.daemonize ? kPidPath : house.process.pid_path;
}

// Ends at once what cannot be ended in order, and leaves nothing that says we are still there.
[[noreturn]] void leave(House& house, PidFile& pid_file, int exit_code) {
  house.listeners.stop_listening();
  pid_file.remove();
  ::_exit(exit_code);
}

// Data comes in while clients are told to wait. 0: loaded | the exit code.
int load(House& house, const CommandLine& line, PidFile& pid_file) {
  constexpr uint64_t kShowMs = 200;
  const bool is_watched = ::isatty(STDOUT_FILENO) != 0;
  uint64_t shown_ms = house.loop.now_ms();
  persist::Persistence::LoadOptions options;
  options.restore_file = line.restore_path;
  options.salvage = line.salvage;
  options.on_progress = [&] {
    house.loop.run_ready();
    // SHUTDOWN while loading: nothing has changed, nothing must be saved.
    if (house.shutdown.is_stopping()) leave(house, pid_file, 0);
    if (!is_watched || house.loop.now_ms() - shown_ms < kShowMs) return;
    shown_ms = house.loop.now_ms();
    show_progress(house);
  };
  int exit_code = 0;
  house.engine.arm(&house.loading_gate, kLoadingGate);
  house.memory_gate.is_paused = true;
  const Status status = house.persistence.load(options, exit_code);
  house.engine.disarm(&house.loading_gate);
  house.memory_gate.is_paused = false;
  if (is_watched) fmt::print("\r\x1b[K");
  if (status.ok()) return 0;
  house.log.warning("Fatal error loading the DB, exiting with code {}: {}", exit_code, status.text);
  return exit_code;
}

int serve(House& house, const CommandLine& line, ProcessTitle& title) {
  std::unique_ptr<CrashReport> crash_report;
  if (house.engine.settings.find("crash-log-enabled")->get() == "yes") {
    crash_report = std::make_unique<CrashReport>(house.log_file, house.engine, house.turn);
  }
  house.log.notice("oO0OoO0OoO0Oo RoxDB is starting oO0OoO0OoO0Oo");
  house.log.notice("RoxDB version={}, bits={}, pid={}, just started", kVersion, sizeof(void*) * 8,
                   ::getpid());
  house.log.notice("PID: {}", ::getpid());
  if (const Status status = house.listeners.open(); !status.ok()) return kExitConfiguration;
  // Not before we listen: until then the file may be that of a server that does.
  PidFile pid_file(pid_path(house), house.log);
  const auto show_title = [&house, &title] {
    if (house.process.set_title) title.set(title_of(house, title.program()));
  };
  show_title();
  house.process.on_title = show_title;
  house.persistence.on_fatal = [&house, &pid_file](int exit_code) {
    house.log.warning("Exiting with code {}: the log cannot be written", exit_code);
    leave(house, pid_file, exit_code);
  };
  house.reactor = std::make_unique<net::Reactor>(
      net::Reactor::Parts{house.loop, house.engine, &house.persistence, house.clients, house.turn,
                          house.pause, house.shutdown, [&house] { house.command_state.tick(); }});
  house.engine.services.provide<engine::BusyHost>(house.reactor.get());
  house.reactor->on_stop_aside = [&house, &pid_file] { leave(house, pid_file, 0); };
  house.command_state.info.mark_startup();
  house.log.notice("Server initialized");
  if (const int exit_code = load(house, line, pid_file); exit_code != 0) return exit_code;
  house.reactor->set_serving(true);
  house.log.notice("Ready to accept connections");
  notify_supervisor("READY=1\nSTATUS=Ready to accept connections\n");
  house.loop.run();
  notify_supervisor("STOPPING=1\n");
  house.log.warning("RoxDB is now ready to exit, bye bye...");
  return 0;
}

int run(const CommandLine& line, ProcessTitle& title) {
  House house;
  std::string why;
  if (!configure(house, line, why)) return complain(why);
  if (line.task == CommandLine::Task::kCheckConfig) {
    fmt::print("The configuration is in order.\n");
    return 0;
  }
  if (!house.log_file.check(why)) return complain(why);
  if (house.process.daemonize) {
    if (const Status status = become_daemon(); !status.ok()) {
      return complain(std::strerror(status.os_error));
    }
    house.loop.after_fork();
  }
  allow_core_dumps(house.process.core_dumps);
  const int64_t wanted = house.clients.max();
  if (const int64_t room = raise_descriptor_limit(wanted); room < wanted) {
    house.log.warning(
        "maxclients has been reduced to {}: {} would take more descriptors than can "
        "be had ('ulimit -n')",
        room, wanted);
    house.clients.reduce_max(room);
  }
  house.clients.make_room = raise_descriptor_limit;
  return serve(house, line, title);
}

int start(int argc, char** argv) {
  const std::vector<std::string> args(argv + std::min(argc, 1), argv + argc);
  ProcessTitle title(argc, argv);
  const CommandLine line = parse_command_line(args);
  if (!line.error.empty()) return complain(line.error + "\n" + help_text());
  if (line.task == CommandLine::Task::kShowVersion) {
    fmt::print("RoxDB server v={} bits={}\n", kVersion, sizeof(void*) * 8);
    return 0;
  }
  if (line.task == CommandLine::Task::kShowHelp) {
    fmt::print("{}", help_text());
    return 0;
  }
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);  // a peer that is gone is an error of the write
  ::setenv("UV_THREADPOOL_SIZE", kThreads, 0);
  disable_huge_pages();
  return run(line, title);
}

}  // namespace
}  // namespace roxdb::app

int main(int argc, char** argv) { return roxdb::app::start(argc, argv); }
