// files.h: how a data file comes into being, replaces an older one, and what is cleared away when
// that was interrupted (reliability F7, F8).
//
//   <name>.tmp.<pid>.<n>                                              <name>
//   TemporaryFile::create -> append ... append -> finish     ->      install_file
//                            sync every 16 MiB    sync, close        rename, sync the directory
//
// At every step a crash leaves the old file whole under its name, and beside it at most a temporary
// one that remove_stale_files() takes away at the next start. Whoever drops a TemporaryFile before
// finish() has succeeded leaves nothing behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/environment.h"
#include "base/log.h"
#include "base/status.h"

namespace roxdb::persist {

// So much is written between two syncs of a growing file, so that the last one is short.
inline constexpr uint64_t kSyncStepBytes = 16u << 20;

// "a/b/c" -> "a/b", "c" -> ".", "/c" -> "/".
std::string directory_of(std::string_view path);
// "a/b/c" -> "c".
std::string_view name_of(std::string_view path);

// <path>.tmp.<pid>.<n>; `n` tells the temporary files of one process and path apart.
std::string temporary_path(std::string_view path, pid_t pid, uint64_t n);
// Whether a file name, without directory, is one that temporary_path() makes.
bool is_temporary_name(std::string_view name);

// What went wrong, for a log line: "write: No space left on device".
std::string describe(const Status& status);

// Writes all of it, in as many calls as it takes.
Status write_all(File& file, std::string_view bytes);
// Reads until `size` bytes are there or the file ends; returns how many there are.
Result<size_t> read_fully(File& file, uint64_t offset, char* out, size_t size);
// The whole of a small file; Code::kCorrupt when it is larger than `size_max`.
Result<std::string> read_file(Environment& environment, const std::string& path, size_t size_max);

// A file that grows under a temporary name. All calls from one thread; the first error ends it.
class TemporaryFile {
 public:
  explicit TemporaryFile(Environment& environment) : environment_(environment) {}
  ~TemporaryFile();  // removes the file, unless finish() succeeded
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  // `path` is a temporary name whose file does not exist. REQUIRES: called once, first.
  Status create(const std::string& path);
  Status append(std::string_view bytes);
  // Everything is on the disk when ok, the directory entry excepted. The last call.
  Status finish();
  uint64_t size() const { return size_; }

 private:
  Environment& environment_;
  std::unique_ptr<File> file_;
  std::string path_;
  uint64_t size_ = 0;
  uint64_t synced_size_ = 0;
};

// Gives a finished temporary file its name; durable when ok. On an error the temporary file is
// removed, unless the rename itself was done: then both the old and the new content may be what a
// power cut leaves, each of them whole.
Status install_file(Environment& environment, const std::string& temporary,
                    const std::string& path);
// The name of an older file of this name: <path>.1 is the youngest of them.
std::string generation_path(std::string_view path, int age);
// install_file() that keeps what `path` was as <path>.1, what that was as <path>.2, and so on, up
// to <path>.<older>; what that was goes. The older ones move only after the new file is in place
// and durable: an error or a crash before that changes none of them. 0 <= older.
Status install_generation(Environment& environment, const std::string& temporary,
                          const std::string& path, int older);
// All of the above for a small file. `n` as in temporary_path().
Status replace_file(Environment& environment, const std::string& path, std::string_view bytes,
                    uint64_t n = 0);
// Makes a directory and its entry durable; ok when it exists.
Status make_durable_directory(Environment& environment, const std::string& path);

// Removes the temporary files of a directory and logs each (F8). An absent directory is empty.
Status remove_stale_files(Environment& environment, const std::string& directory,
                          const Logger& log);

}  // namespace roxdb::persist
