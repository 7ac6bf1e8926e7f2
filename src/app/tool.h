// tool.h: what roxdb-tool does with data files, with the server's own readers (reliability R13).
//
//   verify    any file of ours, or an RDB file: reads every byte, changes nothing. A manifest
//             stands for its log: base and increments, and whether they follow each other.
//   salvage   one snapshot or increment: what verifies goes to a new file, what does not is listed.
//   repair    the log of one directory: what a start does to a torn tail (R1 to R3) and nothing
//             else. What is cut off is kept beside it.
//
// Nothing here needs the memory that the data would take: files are read block by block, unit by
// unit. What a start alone can notice, two entries of one key or a command that fails, is not
// looked for.
#pragma once

#include <string>
#include <vector>

#include "base/environment.h"
#include "persist/recovery.h"

namespace roxdb::app {

// Exit codes of the tool, beside those of a start that is refused: 10, 11, 12, 13 (E19).
inline constexpr int kToolUsage = 1;
inline constexpr int kToolIncomplete = 2;  // usable, but a torn tail or a loss was reported

enum class FileKind : uint8_t { kSnapshot, kIncrement, kManifest };
// By its first bytes, or by its name where these are not ours. An RDB file counts as a snapshot.
FileKind kind_of(Environment& environment, const std::string& path);

// What reading one increment to its end has found.
struct IncrementCheck {
  Status status;       // kCorrupt, kIo, kNotFound; ok with a torn tail, which is no damage
  std::string report;  // one line: how much there is; else place and reason
  persist::LoadedIncrement found;
};
IncrementCheck check_increment(Environment& environment, const std::string& path);

// What reading all files of a log has found.
struct LogCheck {
  int exit_code = 0;       // 0, 10, 11 or 12; torn tails are no damage
  persist::LoadedLog log;  // manifest, increments and next_sequence, as load_log() fills them
};
// Prints a line for each file.
LogCheck check_log(Environment& environment, const std::string& manifest_path);

// The three commands. They print what they find and return the exit code.
int verify(Environment& environment, const std::string& path);
int salvage(Environment& environment, const std::string& from, const std::string& to);
// `path` is a manifest, its directory, or the data directory around that.
int repair(Environment& environment, const std::string& path);

}  // namespace roxdb::app
