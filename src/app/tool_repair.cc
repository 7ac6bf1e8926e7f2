#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "app/tool.h"
#include "persist/files.h"
#include "persist/persistence.h"

namespace roxdb::app {
namespace {

using persist::describe;
using persist::LoadedIncrement;

constexpr std::string_view kManifestSuffix = ".manifest.rox";
constexpr size_t kPieceBytes = 1u << 20;

// Manifests in `directory`, or, when there are none, in the directories in it.
Result<std::vector<std::string>> find_manifests(Environment& environment,
                                                const std::string& directory, bool look_deeper) {
  ROX_TRY(const std::vector<DirectoryEntry> entries, environment.list(directory));
  std::vector<std::string> found;
  for (const DirectoryEntry& entry : entries) {
    if (entry.is_file && entry.name.ends_with(kManifestSuffix)) {
      found.push_back(directory + "/" + entry.name);
    }
  }
  if (!found.empty() || !look_deeper) return found;
  for (const DirectoryEntry& entry : entries) {
    if (!entry.is_directory) continue;
    const auto deeper = find_manifests(environment, directory + "/" + entry.name, false);
    if (deeper.ok()) found.insert(found.end(), deeper->begin(), deeper->end());
  }
  return found;
}

int complain(const std::string& path, const Status& status) {
  fmt::print("{}: {}\n", path, describe(status));
  return persist::kExitReadError;
}

// Copies the bytes that a repair will cut off to the file `kept`. One of that name is what an
// interrupted repair has left, of the same bytes.
Status keep_tail(Environment& environment, const std::string& path, uint64_t from, uint64_t to,
                 const std::string& kept) {
  ROX_TRY(const std::unique_ptr<File> file, environment.open(path, OpenMode::kRead));
  const std::string temporary = persist::temporary_path(kept, environment.process_id(), 0);
  persist::TemporaryFile copy(environment);
  ROX_TRY(copy.create(temporary));
  std::vector<char> piece(kPieceBytes);
  while (from < to) {
    const size_t wanted = std::min<uint64_t>(piece.size(), to - from);
    ROX_TRY(const size_t got, persist::read_fully(*file, from, piece.data(), wanted));
    if (got == 0) break;
    ROX_TRY(copy.append({piece.data(), got}));
    from += got;
  }
  ROX_TRY(copy.finish());
  return persist::install_file(environment, temporary, kept);
}

int repair_log(Environment& environment, const std::string& manifest_path) {
  const std::string directory = persist::directory_of(manifest_path);
  pid_t owner = 0;
  const auto lock = environment.lock_directory(directory + "/..", owner);
  if (!lock.ok() && lock.status().code == Code::kBusy) {
    fmt::print("{}: a server uses it: pid={}\n", directory, owner);
    return persist::kExitDirectoryLocked;
  }
  if (!lock.ok()) return complain(directory + "/..", lock.status());

  LogCheck check = check_log(environment, manifest_path);
  if (check.exit_code != 0) {
    fmt::print(
        "{}: nothing was changed: this is damage and no torn tail. `roxdb-tool salvage FILE NEW` "
        "copies what is intact of one file\n",
        manifest_path);
    return check.exit_code;
  }
  for (const LoadedIncrement& increment : check.log.increments) {
    if (!increment.torn) continue;
    const std::string path = directory + "/" + increment.file.name;
    const uint64_t to = increment.end + increment.torn_bytes();
    const std::string kept = fmt::format("{}.cut-{}-{}", path, increment.end, to);
    if (const Status status = keep_tail(environment, path, increment.end, to, kept); !status.ok()) {
      return complain(kept, status);
    }
    fmt::print("{}: kept what is cut off: bytes={}\n", kept, increment.torn_bytes());
  }
  Logger logger;
  logger.sink = [](LogLevel level, std::string_view line) {
    static_cast<void>(level);
    fmt::print("{}\n", line);
  };
  if (const Status status =
          persist::mend_log(environment, logger, directory, manifest_path, check.log);
      !status.ok()) {
    return complain(manifest_path, status);
  }
  fmt::print("{}: the log is whole: units up to {}\n", manifest_path, check.log.next_sequence - 1);
  return 0;
}

}  // namespace

int repair(Environment& environment, const std::string& path) {
  if (path.ends_with(kManifestSuffix)) return repair_log(environment, path);
  const auto found = find_manifests(environment, path, true);
  if (!found.ok()) return complain(path, found.status());
  if (found->size() == 1) return repair_log(environment, found->front());
  fmt::print("{}: {}\n", path,
             found->empty() ? "no log of ours is here" : "several logs are here, name a manifest");
  for (const std::string& manifest : *found) fmt::print("  {}\n", manifest);
  return kToolUsage;
}

}  // namespace roxdb::app
