// crashing_environment.h: a world in memory that stops at a chosen call. Disk, clock, chance and
// children of it are simulated; nothing of the real machine is touched.
//
//   scenario ----> CrashingEnvironment(seed) ---- crash_at(n): the n-th call that changes the disk
//                          |                      and every call after it fail, nothing changes
//            disk_images(seed, count)             any more; the program unwinds as from any error
//                          |
//              image, image, image ...            each a disk as the power cut may have left it
//                          |
//       recovery <---- CrashingEnvironment(seed, image)     what it finds must satisfy the contract
//
// (scenario, seed, n) and the number of the image reproduce a failure. A sweep runs the scenario
// once without a crash, asks changes() for the number of calls, then runs it once for each n.
// Which images are legal is told in simulated_disk.h; kill_images() are those of kill -9.
//
// Children: fork() runs the body at once and in place, so it sees the memory of that instant. By
// default its calls take effect at once too, and the child has ended when fork() returns. With
// let_children_lag() they are only noted down, against a private view of the files it writes, and
// take effect a few at a time while the parent goes on:
//
//   parent        fork() --- write ----------- write ----------- poll: running --- write --- ...
//   body          all of it
//   its effects           |create |write|      |write |sync|                |message, end|
//
// Either way they count like any others, and when the world stops the child counts as killed.
//
// Room for a file (File::make_room) is made as far as the disk has some, a few thousand bytes;
// asked for more, the call says ENOSPC.
#pragma once

#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/environment.h"
#include "base/random.h"
#include "test/sim/simulated_disk.h"

namespace roxdb {

class CrashingEnvironment final : public Environment {
 public:
  // What every call answers once the world has stopped.
  static constexpr Status kStopped{Code::kIo, EIO, "the simulated world has stopped"};

  // Starts with `disk`, all of it synced, or an empty one. `seed` feeds random() only.
  explicit CrashingEnvironment(uint64_t seed, const DiskImage& disk = {});

  // ---- for the test ----

  // Stops the world at the n-th call (1: the first) that changes the disk: create, write, make
  // room, sync, truncate, rename, link, remove, make and sync directory. Failed ones count. 0:
  // never.
  void crash_at(uint64_t n) { crash_at_ = n; }
  void crash() { stopped_ = true; }  // now, between two calls
  bool crashed() const { return stopped_; }
  uint64_t changes() const { return changes_; }  // calls counted so far

  // The next sync of a file whose path contains `path_part` fails with `os_error`, and what it
  // should have stored is lost to the disk for good (L7).
  void fail_sync(std::string path_part, int os_error);

  // Children forked from now on do `calls` of their calls before each change of the disk by their
  // parent and each look at a child. 0, the start: all of them in fork(). A lagging child sees its
  // own files only as far as it opened them itself, must not rename them, and cannot fork.
  void let_children_lag(uint64_t calls) { child_calls_per_turn_ = calls; }

  // Disks after a power cut at this moment: SimulatedDisk::images().
  std::vector<DiskImage> disk_images(uint64_t seed, size_t count_max) const {
    return disk_.images(seed, count_max);
  }
  // Disks after kill -9 at this moment: all that was handed to the kernel, and, when the call the
  // world stopped at was a write, also each beginning of it that ends with a page, for the kernel
  // may be interrupted between two pages.
  std::vector<DiskImage> kill_images() const;

  // The wall clock stands still unless told or slept; it may jump either way. The monotonic clock
  // only advances.
  void set_wall_us(int64_t us) { wall_us_ = us; }
  void advance_ms(uint64_t ms);  // both clocks

  // ---- Environment ----

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status link(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status make_directory(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  // As the real one leaves an empty lock file behind; a crash releases no lock, but a new
  // environment knows none.
  Result<std::unique_ptr<DirectoryLock>> lock_directory(const std::string& directory,
                                                        pid_t& owner) override;
  int64_t now_ms() override { return wall_us_ / 1'000; }
  int64_t now_us() override { return wall_us_; }
  uint64_t monotonic_ns() override { return monotonic_ns_; }
  void sleep_ms(uint64_t ms) override { advance_ms(ms); }
  void random(void* out, size_t size) override;
  Result<std::unique_ptr<Child>> fork(std::function<int(ChildChannel&)> body) override;
  pid_t process_id() override { return 1; }

 private:
  class OpenFile;
  class Lock;
  class SimulatedChild;
  using Change = std::function<Status()>;

  Status alive() const { return stopped_ ? kStopped : kOk; }
  // Does one call that changes the disk, or notes it down for the child whose body is running.
  Status perform(Change change);
  // Counts the call and does it; kStopped at the one the world stops at and ever after.
  Status perform_now(const Change& change);
  void let_children_work();
  Result<std::unique_ptr<File>> open_in_child(const std::string& path, OpenMode mode);

  SimulatedDisk disk_;
  Random random_;
  int64_t wall_us_ = 1'700'000'000'000'000;
  uint64_t monotonic_ns_ = 1'000'000'000;
  uint64_t crash_at_ = 0;
  uint64_t changes_ = 0;
  bool stopped_ = false;
  std::vector<DiskImage> interrupted_;  // by the write the world stopped at: see kill_images()
  std::string fail_sync_path_part_;
  int fail_sync_error_ = 0;    // 0: no sync fails
  std::set<uint64_t> locked_;  // serials of directories
  pid_t last_child_ = 1;
  uint64_t child_calls_per_turn_ = 0;
  SimulatedChild* recording_ = nullptr;   // the lagging child whose body is running
  std::vector<SimulatedChild*> working_;  // lagging children with calls left to do
};

}  // namespace roxdb
