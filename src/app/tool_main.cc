// roxdb-tool: looks after data files without a server, with the server's own readers (R13).
//
//   verify FILE...      reads every byte of snapshots, log increments and manifests; changes
//   nothing salvage FILE NEW    copies what is intact of a damaged snapshot into a new one
#include <fmt/core.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "base/environment.h"
#include "persist/manifest.h"
#include "persist/recovery.h"
#include "persist/snapshot.h"

namespace roxdb::app {
namespace {

constexpr int kExitUsage = 1;

constexpr const char* kHelp =
    "roxdb-tool verify FILE...     check snapshots, log files and manifests; changes nothing\n"
    "roxdb-tool salvage FILE NEW   copy what is intact of a snapshot to the new file NEW\n"
    "\n"
    "Exit codes: 0 all is well, 1 wrong use, 10 a damaged snapshot, 11 a damaged log,\n"
    "12 a file could not be read.\n";

bool begins_with(Environment& environment, const std::string& path, const persist::Magic& magic) {
  auto file = environment.open(path, OpenMode::kRead);
  if (!file.ok()) return false;
  char bytes[sizeof(persist::Magic)];
  const auto got = (*file)->read_at(0, bytes, sizeof bytes);
  return got.ok() && *got == sizeof bytes && std::memcmp(bytes, magic.data(), sizeof bytes) == 0;
}

int verify_log_file(Environment& environment, const std::string& path) {
  std::string report;
  const Status status = persist::verify_increment(environment, path, report);
  fmt::print("{}: {}\n", path, report);
  if (status.ok()) return 0;
  return status.code == Code::kIo ? persist::kExitReadError : persist::kExitLogRefused;
}

int verify_manifest(Environment& environment, const std::string& path) {
  persist::Manifest manifest;
  std::string why;
  const Status status = persist::read_manifest(environment, path, manifest, why);
  fmt::print("{}: {}\n", path, status.ok() ? "a whole manifest" : why);
  if (status.ok()) return 0;
  return status.code == Code::kIo ? persist::kExitReadError : persist::kExitLogRefused;
}

int verify_snapshot_file(Environment& environment, const std::string& path) {
  const persist::LoadResult result = persist::verify_snapshot(environment, path, {});
  if (result.status.ok()) {
    fmt::print("{}: a whole snapshot, keys={} bytes={}\n", path, result.counts.entries,
               result.file_bytes);
    return 0;
  }
  fmt::print("{}: {}\n", path, result.message);
  return result.exit_code;
}

int verify(Environment& environment, const std::string& path) {
  if (begins_with(environment, path, persist::kLogMagic)) {
    return verify_log_file(environment, path);
  }
  if (path.ends_with(".manifest.rox")) return verify_manifest(environment, path);
  return verify_snapshot_file(environment, path);
}

int salvage(Environment& environment, const std::string& from, const std::string& to) {
  const persist::LoadResult result = persist::salvage_snapshot(environment, from, to);
  for (const persist::Loss& loss : result.losses) {
    fmt::print("lost: offset={} bytes={} {}\n", loss.offset, loss.bytes, loss.why);
  }
  if (!result.status.ok()) {
    fmt::print(stderr, "{}\n", result.message);
    return result.exit_code;
  }
  fmt::print("{}: keys={} of {}\n", to, result.entries_kept, from);
  return 0;
}

int run(const std::vector<std::string>& args) {
  Environment& environment = real_environment();
  if (args.size() >= 2 && args[0] == "verify") {
    int worst = 0;
    for (size_t i = 1; i < args.size(); ++i) {
      worst = std::max(worst, verify(environment, args[i]));
    }
    return worst;
  }
  if (args.size() == 3 && args[0] == "salvage") return salvage(environment, args[1], args[2]);
  const bool asked = args.size() == 1 && (args[0] == "--help" || args[0] == "help");
  fmt::print(asked ? stdout : stderr, "{}", kHelp);
  return asked ? 0 : kExitUsage;
}

}  // namespace
}  // namespace roxdb::app

int main(int argc, char** argv) {
  return roxdb::app::run(std::vector<std::string>(argv + 1, argv + argc));
}
