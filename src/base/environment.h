// environment.h: the seam to the outside. Clock, files, random numbers and child processes.
//
// Everything that persistence and the engine need from the operating system goes through one
// Environment, so that tests can put a liar in its place: a disk that tears, loses, delays or
// refuses, a clock that jumps, a child that dies (test/sim). No other code opens, writes, syncs,
// renames, forks or asks for the time; `make check` looks for such calls.
//
//   RealEnvironment       base/real_environment.cc, the operating system
//   FailingEnvironment    test/sim: the n-th call of a kind fails
//   CrashingEnvironment   test/sim: every legal disk image after a power cut at call n
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace roxdb {

// A file that is open. Closing is explicit where the result matters (close()), else the
// destructor closes and drops the error. Offsets and sizes are in bytes.
class File {
 public:
  virtual ~File() = default;
  // Appends behind the bytes that were there when it was opened or were written since. May write
  // fewer bytes than given; > 0 when ok. REQUIRES: `bytes` is not empty; not opened with kRead.
  virtual Result<size_t> write(std::string_view bytes) = 0;
  // Makes [offset, offset + size) room: zeros, over which write() goes from where it is. A sync of
  // what is written there has no new size and no new blocks to store. May run on another thread
  // than write() and truncate(), and never writes zeros over bytes. On an error part of the room is
  // there. REQUIRES: as write().
  virtual Status make_room(uint64_t offset, uint64_t size) = 0;
  // Reads up to `size` bytes at `offset`; 0 means the end of the file.
  virtual Result<size_t> read_at(uint64_t offset, char* out, size_t size) = 0;
  // Begins to store the first `size` bytes, so that the next sync() is short, and lets go of the
  // memory in which the system keeps those that are stored. A hint: it promises nothing and loses
  // nothing. May block, and run on another thread than all other calls.
  virtual void store_ahead(uint64_t size) = 0;
  virtual Status sync() = 0;                   // fdatasync: content and size are on disk when ok
  virtual Status truncate(uint64_t size) = 0;  // later writes append at the new end
  virtual Result<uint64_t> size() = 0;         // room included
  virtual Status close() = 0;  // at most once, and the last call; closed even when not ok
};

// The file DirectoryLock locks. It stays when the lock is gone: deleting it would let two processes
// lock two files of one name.
inline constexpr std::string_view kLockFileName = ".roxdb.lock";

// A message from a child is at most this long, so that a pipe takes it whole or not at all.
inline constexpr size_t kChildMessageBytesMax = 512;

enum class OpenMode : uint8_t {
  kRead,       // must exist
  kCreateNew,  // O_EXCL, never follows a symbolic link, mode 0600; for reading and appending
  kAppend,     // must exist; opened for reading and appending
};

// What one directory entry is. `size` is 0 for anything but a regular file.
struct DirectoryEntry {
  std::string name;
  bool is_file = false;
  bool is_directory = false;
  uint64_t size = 0;
};

// The lock a process holds on a directory; released by the destructor.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

// What a child tells its parent while it works: a pipe in production.
class ChildChannel {
 public:
  virtual ~ChildChannel() = default;
  // One message arrives as one message, in order. Blocks while the parent is far behind.
  // REQUIRES: message.size() <= kChildMessageBytesMax.
  virtual Status send(std::string_view message) = 0;
};

// How a child stands. Exactly one of running / exited is true.
struct ChildState {
  bool running = true;
  bool exited = false;
  int exit_code = 0;  // when exited by itself
  int signal = 0;     // when killed: the signal, else 0
};

// A child process. The destructor kills and reaps it when it still runs.
class Child {
 public:
  virtual ~Child() = default;
  virtual pid_t pid() const = 0;
  virtual ChildState poll() = 0;  // never blocks
  virtual ChildState wait() = 0;  // blocks until it has ended; its messages stay to be received
  // The next message; never blocks. False: nothing new. Messages outlive the child, so one that
  // has ended is asked until it says false.
  virtual bool receive(std::string& message) = 0;
  virtual void kill() = 0;  // SIGKILL; poll() or wait() reaps
};

class Environment {
 public:
  virtual ~Environment() = default;

  // Files. Paths are relative to the process or absolute; no call follows a symbolic link when
  // it creates. A missing file is Code::kNotFound, everything else Code::kIo with errno.
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;  // replaces `to`
  // A second name for a file; an error when `to` exists. Not every file system can do that.
  virtual Status link(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;          // a file
  virtual Status make_directory(const std::string& path) = 0;  // mode 0700; ok when it exists
  virtual Status sync_directory(const std::string& path) = 0;
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& path) = 0;  // by name
  // Takes the exclusive lock of `directory`, which a second Environment or Engine of this process
  // respects too. Code::kBusy when somebody holds it, after waiting half a second for a predecessor
  // that is just dying; then `owner` gets the holder's process id, 0 when unknown.
  virtual Result<std::unique_ptr<DirectoryLock>> lock_directory(const std::string& directory,
                                                                pid_t& owner) = 0;

  // The path from the root, whatever the working directory is; `path` itself when it cannot be
  // told.
  virtual std::string absolute_path(const std::string& path) { return path; }

  // Time.
  virtual int64_t now_ms() = 0;  // wall clock, Unix epoch: only expiry and log records use it
  virtual int64_t now_us() = 0;  // wall clock, Unix epoch
  virtual uint64_t monotonic_ns() = 0;     // never steps back: timers and durations
  virtual void sleep_ms(uint64_t ms) = 0;  // blocks the caller; the children and tools use it

  // Chance: bytes nobody can predict (getrandom).
  virtual void random(void* out, size_t size) = 0;

  // Forks; `body` runs in the child with the memory of this instant and its result is the exit
  // code (0..255). The child holds no directory lock, has the default signal actions and a lower
  // priority, runs no exit handlers, and is killed with its parent: with the *thread* that called
  // this, so call it from one that lives on. In a simulation the body runs at once, in place.
  virtual Result<std::unique_ptr<Child>> fork(std::function<int(ChildChannel&)> body) = 0;
  virtual pid_t process_id() = 0;
  // How gladly the kernel ends this process when memory has run out, and from now on the children
  // of fork(): oom_score_adj, -1000 to 1000. A simulated process is never ended.
  virtual Result<int> oom_score() { return 0; }
  virtual Status set_oom_score(int /*own*/, int /*children*/) { return kOk; }
};

// The operating system. Lives as long as the process.
Environment& real_environment();

}  // namespace roxdb
