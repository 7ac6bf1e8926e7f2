// aof_rewrite.h: a rewrite of the log that is under way. Told in aof.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "persist/aof.h"

namespace roxdb::persist {

struct Aof::Rewrite {
  enum class Stage : uint8_t { kSwitching, kSaving, kInstalling };

  Stage stage = Stage::kSwitching;
  bool fresh = false;               // continues no log
  uint64_t sequence = 0;            // S: the first one behind the base
  ManifestFile base;                // to be
  ManifestFile increment;           // B; no name when the log stays off
  FileHeader header;                // B's
  std::unique_ptr<AofWriter> next;  // B, until it is the log
  std::unique_ptr<SnapshotChild> child;
  uint64_t began_ns = 0;

  // What the running job works with; the loop leaves it alone until the job has ended.
  std::shared_ptr<File> file;     // to be synced first, or null
  Status file_status;             // of that
  std::shared_ptr<File> created;  // B's file
  Manifest manifest;              // as it will be
  std::vector<std::string> not_removed;
};

}  // namespace roxdb::persist
