// reload.h: data to disk and back in one command, for tests (DEBUG RELOAD, DEBUG LOADAOF, DEBUG
// SET-SKIP-CHECKSUM-VALIDATION). Whoever owns the files provides it as a service; without one these
// commands are refused.
#pragma once

#include <string>

#include "base/status.h"

namespace roxdb::engine {

class Reload {
 public:
  struct Options {
    bool save = true;   // write a snapshot first; else what is there is loaded
    bool flush = true;  // drop the data in memory before loading
    bool merge =
        false;  // without flush: a key of the file replaces one in memory; else it is an error
  };

  virtual ~Reload() = default;
  // Both block until the data is in memory again. On an error `why` is for a person to read; the
  // keyspace then holds what had been loaded so far, or all that it held before: a snapshot that is
  // damaged is refused before the data is dropped.
  virtual Status reload_snapshot(const Options& options, std::string& why) = 0;
  // Everything logged so far is written, then the log alone is replayed into an empty keyspace.
  // While no log is written it is the one that is there, as BGREWRITEAOF has left it.
  virtual Status reload_aof(std::string& why) = 0;
  // Whether RDB files and payloads are believed whose checksum is wrong.
  virtual void skip_checksums(bool skip) = 0;
};

}  // namespace roxdb::engine
