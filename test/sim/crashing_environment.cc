#include "test/sim/crashing_environment.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <utility>

namespace roxdb {
namespace {

constexpr size_t kPageBytes = 4096;

// A child that has already ended when its parent first sees it.
class EndedChild final : public Child, public ChildChannel {
 public:
  explicit EndedChild(pid_t pid) : pid_(pid) {
    state_.running = false;
    state_.exited = true;
  }

  void end(int exit_code, int signal) {
    state_.exit_code = exit_code;
    state_.signal = signal;
  }

  Status send(std::string_view message) override {
    ROX_ASSERT(message.size() <= kChildMessageBytesMax);
    messages_.emplace_back(message);
    return kOk;
  }

  pid_t pid() const override { return pid_; }
  ChildState poll() override { return state_; }
  ChildState wait() override { return state_; }
  bool receive(std::string& message) override {
    if (messages_.empty()) return false;
    message = std::move(messages_.front());
    messages_.pop_front();
    return true;
  }
  void kill() override {}  // too late

 private:
  pid_t pid_;
  ChildState state_;
  std::deque<std::string> messages_;
};

}  // namespace

class CrashingEnvironment::OpenFile final : public File {
 public:
  OpenFile(CrashingEnvironment& environment, SimulatedDisk::NodePointer node, std::string path,
           OpenMode mode)
      : environment_(environment),
        node_(std::move(node)),
        path_(std::move(path)),
        writable_(mode != OpenMode::kRead) {}

  Result<size_t> write(std::string_view bytes) override {
    ROX_ASSERT(!bytes.empty());
    check_open();
    ROX_ASSERT(writable_);
    const bool was_alive = !environment_.stopped_;
    if (const Status status = environment_.change(); !status.ok()) {
      if (was_alive) interrupt(bytes);
      return status;
    }
    environment_.disk_.append(*node_, bytes);
    return bytes.size();
  }

  Result<size_t> read_at(uint64_t offset, char* out, size_t size) override {
    check_open();
    ROX_TRY(environment_.alive());
    return node_->current.read(offset, out, size);
  }

  Status sync() override {
    check_open();
    ROX_TRY(environment_.change());
    if (environment_.fail_sync_error_ != 0 &&
        path_.find(environment_.fail_sync_path_part_) != std::string::npos) {
      environment_.disk_.fail_sync(*node_);
      return io_error(std::exchange(environment_.fail_sync_error_, 0), "simulated sync");
    }
    environment_.disk_.sync(*node_);
    return kOk;
  }

  Status truncate(uint64_t size) override {
    check_open();
    ROX_ASSERT(writable_);
    ROX_TRY(environment_.change());
    environment_.disk_.truncate(*node_, size);
    return kOk;
  }

  Result<uint64_t> size() override {
    check_open();
    ROX_TRY(environment_.alive());
    return node_->current.size();
  }

  Status close() override {
    check_open();
    open_ = false;
    return environment_.alive();
  }

 private:
  // The contract of File: close() is the last call.
  void check_open() const { ROX_ASSERT(open_); }

  void interrupt(std::string_view bytes) {
    const FileContent before = node_->current;
    const uint64_t offset = before.size();
    for (uint64_t end = (offset / kPageBytes + 1) * kPageBytes; end < offset + bytes.size();
         end += kPageBytes) {
      node_->current.write(offset, bytes.substr(0, end - offset));
      environment_.interrupted_.push_back(environment_.disk_.everything());
      environment_.interrupted_.back().rule = "killed in a write";
      node_->current = before;
    }
  }

  CrashingEnvironment& environment_;
  SimulatedDisk::NodePointer node_;
  std::string path_;
  bool writable_;
  bool open_ = true;
};

class CrashingEnvironment::Lock final : public DirectoryLock {
 public:
  Lock(CrashingEnvironment& environment, uint64_t serial)
      : environment_(environment), serial_(serial) {}
  ~Lock() override { environment_.locked_.erase(serial_); }

 private:
  CrashingEnvironment& environment_;
  uint64_t serial_;
};

CrashingEnvironment::CrashingEnvironment(uint64_t seed, const DiskImage& disk)
    : disk_(disk), random_(seed) {}

void CrashingEnvironment::fail_sync(std::string path_part, int os_error) {
  fail_sync_path_part_ = std::move(path_part);
  fail_sync_error_ = os_error;
}

std::vector<DiskImage> CrashingEnvironment::kill_images() const {
  std::vector<DiskImage> images = {disk_.everything()};
  images.insert(images.end(), interrupted_.begin(), interrupted_.end());
  return images;
}

void CrashingEnvironment::advance_ms(uint64_t ms) {
  wall_us_ += static_cast<int64_t>(ms * 1'000);
  monotonic_ns_ += ms * 1'000'000;
}

Status CrashingEnvironment::change() {
  if (!stopped_ && ++changes_ == crash_at_) stopped_ = true;
  return alive();
}

Result<std::unique_ptr<File>> CrashingEnvironment::open(const std::string& path, OpenMode mode) {
  ROX_TRY(mode == OpenMode::kCreateNew ? change() : alive());
  auto node = mode == OpenMode::kCreateNew ? disk_.create_file(path) : disk_.find(path);
  if (!node.ok()) return node.status();
  if ((*node)->is_directory) return io_error(EISDIR, "simulated open");
  return std::unique_ptr<File>(std::make_unique<OpenFile>(*this, *std::move(node), path, mode));
}

Status CrashingEnvironment::rename(const std::string& from, const std::string& to) {
  ROX_TRY(change());
  return disk_.rename(from, to);
}

Status CrashingEnvironment::remove(const std::string& path) {
  ROX_TRY(change());
  return disk_.remove(path);
}

Status CrashingEnvironment::make_directory(const std::string& path) {
  ROX_TRY(change());
  return disk_.make_directory(path);
}

Status CrashingEnvironment::sync_directory(const std::string& path) {
  ROX_TRY(change());
  return disk_.sync_directory(path);
}

Result<std::vector<DirectoryEntry>> CrashingEnvironment::list(const std::string& path) {
  ROX_TRY(alive());
  return disk_.list(path);
}

Result<std::unique_ptr<DirectoryLock>> CrashingEnvironment::lock_directory(
    const std::string& directory, pid_t& owner) {
  owner = 0;
  ROX_TRY(alive());
  ROX_TRY(const SimulatedDisk::NodePointer node, disk_.find(directory));
  if (!node->is_directory) return io_error(ENOTDIR, "simulated lock");
  if (!node->entries.contains(std::string(kLockFileName))) {
    ROX_TRY(change());
    ROX_TRY(disk_.create_file(directory + "/" + std::string(kLockFileName)).status());
  }
  if (!locked_.insert(node->serial).second) {
    owner = process_id();
    return Status{Code::kBusy, EWOULDBLOCK, "simulated lock"};
  }
  return std::unique_ptr<DirectoryLock>(std::make_unique<Lock>(*this, node->serial));
}

void CrashingEnvironment::random(void* out, size_t size) {
  auto* bytes = static_cast<unsigned char*>(out);
  std::generate_n(bytes, size, [this] { return static_cast<unsigned char>(random_.next()); });
}

Result<std::unique_ptr<Child>> CrashingEnvironment::fork(std::function<int(ChildChannel&)> body) {
  ROX_TRY(alive());
  auto child = std::make_unique<EndedChild>(++last_child_);
  const int exit_code = body(*child);
  // A world that stops takes its children with it.
  child->end(stopped_ ? 0 : exit_code & 0xff, stopped_ ? SIGKILL : 0);
  return std::unique_ptr<Child>(std::move(child));
}

}  // namespace roxdb
