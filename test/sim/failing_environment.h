// failing_environment.h: wraps any Environment and makes chosen calls fail.
//
//   FailingEnvironment failing(real_environment());
//   failing.add({.kind = CallKind::kWrite, .path_part = ".aof", .nth = 3, .os_error = ENOSPC});
//   failing.add({.kind = CallKind::kWrite, .nth = 5, .times = 2, .short_bytes = 1});
//
// A call that fails does not reach the wrapped Environment. A sweep runs the scenario once without
// faults, asks calls() how many there are of a kind, then runs it once for each.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/environment.h"

namespace roxdb {

enum class CallKind : uint8_t {
  kAny,  // in a Fault or a question: every kind below
  kOpen,
  kRead,
  kSize,
  kWrite,
  kMakeRoom,
  kSync,
  kTruncate,
  kClose,
  kRename,  // on the path it starts from
  kLink,    // likewise
  kRemove,
  kMakeDirectory,
  kSyncDirectory,
  kList,
  kLock,
  kFork,      // path ""
  kChildEnd,  // path ""; a child that has ended otherwise is said to be killed, see Fault
};

// From the nth to the (nth + times - 1)th call of `kind` on a path that contains `path_part`.
// Counted from the moment the fault is added.
struct Fault {
  CallKind kind = CallKind::kAny;
  std::string path_part = {};
  uint64_t nth = 1;
  uint64_t times = 1;      // kAlways: for good
  int os_error = EIO;      // what it fails with; of kChildEnd the signal
  size_t short_bytes = 0;  // > 0: a write does not fail but takes so many bytes at most
  bool flips = false;      // a write does not fail but stores its last byte with a bit flipped

  static constexpr uint64_t kAlways = ~uint64_t{0};
};

class FailingEnvironment final : public Environment {
 public:
  // `wrapped` outlives this.
  explicit FailingEnvironment(Environment& wrapped) : wrapped_(wrapped) {}

  // ---- for the test ----

  void add(Fault fault) { faults_.push_back({std::move(fault), 0}); }
  void clear() { faults_.clear(); }  // the trouble is over; counts of calls() go on
  uint64_t calls(CallKind kind, const std::string& path_part = {}) const;
  uint64_t injected() const { return injected_; }  // calls that failed or were cut short by a fault

  // ---- Environment ----

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status link(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status make_directory(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  Result<std::unique_ptr<DirectoryLock>> lock_directory(const std::string& directory,
                                                        pid_t& owner) override;
  int64_t now_ms() override { return wrapped_.now_ms(); }
  int64_t now_us() override { return wrapped_.now_us(); }
  uint64_t monotonic_ns() override { return wrapped_.monotonic_ns(); }
  void sleep_ms(uint64_t ms) override { wrapped_.sleep_ms(ms); }
  void random(void* out, size_t size) override { wrapped_.random(out, size); }
  Result<std::unique_ptr<Child>> fork(std::function<int(ChildChannel&)> body) override;
  pid_t process_id() override { return wrapped_.process_id(); }

 private:
  class WrappedFile;
  class WrappedChild;

  struct Armed {
    Fault fault;
    uint64_t seen;  // calls it was held against and matched
  };

  // Counts one call; the fault that hits it, or null. Valid until the next call.
  const Fault* hit(CallKind kind, const std::string& path);
  // hit() for calls that can only fail.
  Status fail(CallKind kind, const std::string& path);

  Environment& wrapped_;
  std::vector<Armed> faults_;
  std::map<std::pair<CallKind, std::string>, uint64_t> calls_;
  uint64_t injected_ = 0;
};

}  // namespace roxdb
