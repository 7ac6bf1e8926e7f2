// roxdb-tool: looks after data files without a server (tool.h).
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "app/tool.h"
#include "base/version.h"

namespace roxdb::app {
namespace {

constexpr std::string_view kHelp =
    "Usage: roxdb-tool verify FILE...\n"
    "       roxdb-tool salvage FILE NEW\n"
    "       roxdb-tool repair DIRECTORY | MANIFEST\n"
    "\n"
    "  verify   reads every byte of snapshots (*.rdb, *.base.rox), increments of the log\n"
    "           (*.incr.rox), manifests with all that they name (*.manifest.rox) and RDB files;\n"
    "           changes nothing\n"
    "  salvage  copies what is intact of a snapshot or an increment to the file NEW, which does\n"
    "           not exist yet, and lists what is lost; FILE stays as it is. NEW may take the\n"
    "           place of FILE, or, a snapshot, be started with `roxdb-server --restore NEW`\n"
    "  repair   cuts the torn tail off the log in a data directory, as a start of the server\n"
    "           would, and keeps what it cuts off in FILE.cut-FROM-TO; damage that no crash\n"
    "           explains is left alone. The server must not run\n"
    "\n"
    "Exit codes: 0 all is well; 1 wrong use; 2 usable, but there is a torn tail, or salvage lists\n"
    "losses; 10 a damaged snapshot; 11 a damaged log; 12 a file could not be read or written;\n"
    "13 a server uses the directory. Of several files the highest.\n";

int run(const std::vector<std::string>& args) {
  Environment& environment = real_environment();
  const std::string command = args.empty() ? "" : args[0];
  if (command == "verify" && args.size() >= 2) {
    int worst = 0;
    for (size_t i = 1; i < args.size(); ++i) worst = std::max(worst, verify(environment, args[i]));
    return worst;
  }
  if (command == "salvage" && args.size() == 3) return salvage(environment, args[1], args[2]);
  if (command == "repair" && args.size() == 2) return repair(environment, args[1]);
  if (command == "--version" || command == "-v") {
    fmt::print("RoxDB tool v={}\n", kVersion);
    return 0;
  }
  const bool asked = command == "--help" || command == "-h" || command == "help";
  fmt::print(asked ? stdout : stderr, "{}", kHelp);
  return asked ? 0 : kToolUsage;
}

}  // namespace
}  // namespace roxdb::app

int main(int argc, char** argv) {
  return roxdb::app::run(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
}
