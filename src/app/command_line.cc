#include "app/command_line.h"

#include "base/text.h"
#include "engine/settings.h"

namespace roxdb::app {
namespace {

bool is_option(const std::string& arg) { return arg.starts_with("--"); }

// The option at args[i] and its values, as a line; `i` is moved behind them.
std::string take_line(const std::vector<std::string>& args, size_t& i) {
  // `--port 7000` may also come as one argument, blanks and all.
  std::string line = is_option(args[i]) ? args[i].substr(2) : args[i];
  const std::string name = line;
  ++i;
  const bool has_value = line.find(' ') != std::string::npos;
  // What follows a bare name is its value, whatever it looks like; only `--save` may do without.
  if (!has_value && i < args.size() && (!is_option(args[i]) || name != "save")) {
    line += " " + engine::quote_word(args[i++]);
  } else if (!has_value && name == "save") {
    line += " \"\"";
  }
  while (i < args.size() && !is_option(args[i])) line += " " + engine::quote_word(args[i++]);
  return line;
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& all_args) {
  CommandLine out;
  std::vector<std::string> args = all_args;
  size_t i = 0;
  if (!args.empty() && (args[0] == "-v" || args[0] == "--version")) {
    out.task = CommandLine::Task::kShowVersion;
    return out;
  }
  if (!args.empty() && (args[0] == "-h" || args[0] == "--help")) {
    out.task = CommandLine::Task::kShowHelp;
    return out;
  }
  if (!args.empty() && !is_option(args[0])) out.config_path = args[i++];
  // As the last word it is never a value, as in Redis.
  if (args.size() > i && args.back() == "-") {
    args.pop_back();
    if (!out.config_path.empty()) {
      out.error = "the configuration comes from a file or from standard input, not from both";
      return out;
    }
    out.config_path = "-";
  }
  while (i < args.size()) {
    if (args[i] == "--check-config") {
      out.task = CommandLine::Task::kCheckConfig;
      ++i;
    } else if (args[i] == "--salvage") {
      out.salvage = true;
      ++i;
    } else if (args[i] == "--restore") {
      if (i + 1 == args.size()) {
        out.error = "--restore: which file?";
        return out;
      }
      out.restore_path = args[i + 1];
      i += 2;
    } else if (is_option(args[i]) || (i + 1 < args.size() && !is_option(args[i + 1]))) {
      // Redis lets the first option behind the file do without its dashes.
      out.lines.push_back(take_line(args, i));
    } else {
      out.error = "not an option: '" + args[i] + "'";
      return out;
    }
  }
  return out;
}

std::string help_text() {
  return "Usage: roxdb-server [FILE | -] [--directive value...]...\n"
         "\n"
         "  FILE              configuration in redis.conf's syntax; - reads it from standard "
         "input\n"
         "  --directive value as a line of the file, and stronger: --port 7000 --save 900 1\n"
         "  --restore FILE    starts from this snapshot, whatever the data directory holds\n"
         "  --salvage         loads what can be read of damaged files and lists what is lost\n"
         "  --check-config    reads the configuration, says what is wrong with it, and ends\n"
         "  -v, --version     -h, --help\n"
         "\n"
         "Without a file, and without --save and --appendonly, the server is persistent: an\n"
         "append-only file synced every second, and snapshots, in --dir or the current directory.\n"
         "\n"
         "  roxdb-server\n"
         "  roxdb-server /etc/roxdb.conf --loglevel verbose\n"
         "  roxdb-server --port 7777 --dir /var/lib/roxdb --appendfsync always\n"
         "  echo 'maxmemory 128mb' | roxdb-server -\n";
}

}  // namespace roxdb::app
