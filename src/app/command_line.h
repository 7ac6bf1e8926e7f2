// command_line.h: the arguments of roxdb-server, in redis-server's forms.
//
//   roxdb-server [FILE | -] [--name value...]... [--restore FILE] [--salvage] [--check-config] [-]
//
// An option is a line of the configuration file: `--save 900 1 --port 7000` are the lines "save 900
// 1" and "port 7000". They stand behind the lines of the file, and so win.
#pragma once

#include <string>
#include <vector>

namespace roxdb::app {

struct CommandLine {
  enum class Task : uint8_t { kServe, kCheckConfig, kShowVersion, kShowHelp };
  Task task = Task::kServe;
  std::string config_path;  // empty: none; "-": standard input
  std::vector<std::string> lines;
  std::string restore_path;  // --restore
  bool salvage = false;      // --salvage
  std::string error;         // not empty: what is wrong
};

CommandLine parse_command_line(const std::vector<std::string>& args);  // without argv[0]

std::string help_text();

}  // namespace roxdb::app
