// aof_import.h: the logs of Redis and Valkey, read once, at the first start on their directory
// (reliability F6). They stay as they are; what they lead to begins a log of ours.
//
//   <appenddirname>/<appendfilename>.manifest    since 7.0: a base and increments
//   <appendfilename>                             before: one file
//
// An increment is RESP requests one behind the other; `#TS:<seconds>` lines between them are times.
// MULTI ... EXEC is one unit, and a unit without its end is left out, as there. A base is a
// snapshot, ours or one that load_snapshot() imports.
// Source: the file format as observed in the files of redis-server 7.0.15.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "persist/snapshot.h"

namespace roxdb::persist {

// Paths, in the order of loading.
struct ForeignLog {
  std::string base;  // empty: none
  std::vector<std::string> increments;
};

// Looks for one. Code::kCorrupt when there is a manifest that makes no sense; `why` says so.
Status find_foreign_log(Environment& environment, const std::string& directory,
                        const std::string& log_directory, const std::string& prefix,
                        std::optional<ForeignLog>& log, std::string& why);

// Loads it into the databases, which are empty. Not ok: `exit_code` and `message` as in LoadedLog.
Status import_log(engine::Engine& engine, const ForeignLog& log, const LoadOptions& options,
                  int& exit_code, std::string& message);

}  // namespace roxdb::persist
