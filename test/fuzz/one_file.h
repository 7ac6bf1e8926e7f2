// one_file.h: the world of a target that loads a file: a simulated disk with that file alone.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "test/sim/crashing_environment.h"

namespace roxdb::test {

class OneFile {
 public:
  static constexpr const char* kPath = "file";

  explicit OneFile(std::string_view bytes) : environment(1, disk_of(bytes)) {}

  std::unique_ptr<File> open() {
    auto file = environment.open(kPath, OpenMode::kRead);
    ROX_ASSERT(file.ok());
    return *std::move(file);
  }

  CrashingEnvironment environment;

 private:
  static DiskImage disk_of(std::string_view bytes) {
    DiskImage disk;
    disk.files[kPath] = FileContent(bytes);
    return disk;
  }
};

}  // namespace roxdb::test
