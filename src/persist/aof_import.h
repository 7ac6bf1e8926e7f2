// aof_import.h: the logs of Redis and Valkey, read once, at the first start on their directory
// (reliability F6). They stay as they are; what they lead to begins a log of ours.
//
//   <appenddirname>/<appendfilename>.manifest    since 7.0: a base and increments
//   <appendfilename>                             before: one file
//
// Any of the files holds RESP requests one behind the other, between them `#TS:<seconds>` lines,
// which are times, and may begin with an RDB file: that is what a rewrite there leaves behind, with
// or without requests after it. A base may be a snapshot of ours, too. MULTI ... EXEC is one unit.
//
// Only the last file may end inside a unit, which is left out, as there (aof-load-truncated). In
// any other what is missing stands before what is not: a hole, which is refused (D1).
// Source: the file format as observed in the files of redis-server 7.0.15.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "persist/recovery.h"

namespace roxdb::persist {

// Paths, in the order of loading.
struct ForeignLog {
  std::vector<std::string> files;
};

// Looks for one. Code::kCorrupt when there is a manifest that makes no sense; `why` says so, with
// its path and line.
Status find_foreign_log(Environment& environment, const std::string& directory,
                        const std::string& log_directory, const std::string& prefix,
                        std::optional<ForeignLog>& log, std::string& why);

// What became of one.
struct ImportedLog {
  Status status;        // kCorrupt, kIo
  int exit_code = 0;    // E19: 10, 11 or 12 when not ok
  std::string message;  // for the log, when not ok

  uint64_t bytes = 0;          // of its files
  uint64_t dropped_bytes = 0;  // of an incomplete unit at the end
};

// Loads it into the databases, which are empty. There is no salvage.
ImportedLog import_log(engine::Engine& engine, const ForeignLog& log,
                       const LogLoadOptions& options);

}  // namespace roxdb::persist
