#include "test/sim/crashing_environment.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <map>
#include <utility>

namespace roxdb {
namespace {

constexpr size_t kPageBytes = 4096;
// A disk that is nearly full: a file gets so much room at a time, so that one scenario writes over
// room and behind it, and the images of a sweep stay small.
constexpr uint64_t kRoomBytesMax = 5'000;

}  // namespace

// A child and the pipe to its parent. Without lag it has no calls left when the parent gets it.
class CrashingEnvironment::SimulatedChild final : public Child, public ChildChannel {
 public:
  SimulatedChild(CrashingEnvironment& environment, pid_t pid)
      : environment_(environment), pid_(pid) {}
  ~SimulatedChild() override { end(0, SIGKILL); }

  // ---- for the environment ----

  // A file of the disk, and what the body sees of it: its calls have not reached the disk yet.
  struct OwnFile {
    SimulatedDisk::NodePointer node;
    SimulatedDisk::NodePointer view;
  };
  std::map<std::string, OwnFile>& files() { return files_; }

  void note(Change call) { calls_.push_back(std::move(call)); }
  void body_returned(int exit_code) { exit_code_ = exit_code & 0xff; }

  // Does the next noted call, and ends behind the last one.
  void work() {
    if (!state_.running) return;
    if (environment_.stopped_) return end(0, SIGKILL);
    if (!calls_.empty()) {
      const Change call = std::move(calls_.front());
      calls_.pop_front();
      // The body was told that the call succeeded: where it does not, the child cannot go on.
      if (!call().ok()) return end(0, SIGKILL);
    }
    if (calls_.empty()) end(exit_code_, 0);
  }

  // ---- ChildChannel ----

  Status send(std::string_view message) override {
    ROX_ASSERT(message.size() <= kChildMessageBytesMax);
    if (environment_.recording_ != this) {
      messages_.emplace_back(message);
      return kOk;
    }
    note([this, text = std::string(message)] {
      messages_.push_back(text);
      return kOk;
    });
    return kOk;
  }

  // ---- Child ----

  pid_t pid() const override { return pid_; }
  ChildState poll() override {
    environment_.let_children_work();
    return state_;
  }
  ChildState wait() override {
    while (state_.running) work();
    return state_;
  }
  bool receive(std::string& message) override {
    environment_.let_children_work();
    if (messages_.empty()) return false;
    message = std::move(messages_.front());
    messages_.pop_front();
    return true;
  }
  void kill() override { end(0, SIGKILL); }

 private:
  void end(int exit_code, int signal) {
    if (!state_.running) return;
    state_ = {false, true, exit_code, signal};
    calls_.clear();
    std::erase(environment_.working_, this);
  }

  CrashingEnvironment& environment_;
  pid_t pid_;
  ChildState state_;
  int exit_code_ = 0;  // what the body returned
  std::deque<Change> calls_;
  std::map<std::string, OwnFile> files_;  // those the body opened, by path
  std::deque<std::string> messages_;
};

class CrashingEnvironment::OpenFile final : public File {
 public:
  // `view` is what the opener sees: `node` itself, or the private copy of a lagging child.
  OpenFile(CrashingEnvironment& environment, SimulatedDisk::NodePointer node,
           SimulatedDisk::NodePointer view, std::string path, OpenMode mode)
      : environment_(environment),
        node_(std::move(node)),
        view_(std::move(view)),
        path_(std::move(path)),
        writable_(mode != OpenMode::kRead),
        end_(view_->current.size()) {}

  Result<size_t> write(std::string_view bytes) override {
    ROX_ASSERT(!bytes.empty());
    check_writable();
    const bool was_alive = !environment_.stopped_;
    const Status status = environment_.perform(
        [this_disk = &environment_.disk_, node = node_, offset = end_, text = std::string(bytes)] {
          this_disk->write(*node, offset, text);
          return kOk;
        });
    if (!status.ok()) {
      if (was_alive) interrupt(bytes);
      return status;
    }
    if (view_ != node_) view_->current.write(end_, bytes);
    end_ += bytes.size();
    return bytes.size();
  }

  Status make_room(uint64_t offset, uint64_t size) override {
    check_writable();
    const uint64_t wanted = offset + size;
    const uint64_t end = std::min(wanted, std::max(offset, end_) + kRoomBytesMax);
    ROX_TRY(environment_.perform([this_disk = &environment_.disk_, node = node_, end] {
      this_disk->make_room(*node, end);
      return kOk;
    }));
    if (view_ != node_ && end > view_->current.size()) view_->current.resize(end);
    return end == wanted ? kOk : io_error(ENOSPC, "simulated room");
  }

  void store_ahead(uint64_t) override { ROX_ASSERT(open_); }

  Result<size_t> read_at(uint64_t offset, char* out, size_t size) override {
    ROX_ASSERT(open_);
    ROX_TRY(environment_.alive());
    return view_->current.read(offset, out, size);
  }

  Status sync() override {
    ROX_ASSERT(open_);
    int os_error = 0;
    if (path_.find(environment_.fail_sync_path_part_) != std::string::npos) {
      os_error = std::exchange(environment_.fail_sync_error_, 0);
    }
    ROX_TRY(environment_.perform([this_disk = &environment_.disk_, node = node_, os_error] {
      os_error == 0 ? this_disk->sync(*node) : this_disk->fail_sync(*node);
      return kOk;
    }));
    return os_error == 0 ? kOk : io_error(os_error, "simulated sync");
  }

  Status truncate(uint64_t size) override {
    check_writable();
    ROX_TRY(environment_.perform([this_disk = &environment_.disk_, node = node_, size] {
      this_disk->truncate(*node, size);
      return kOk;
    }));
    if (view_ != node_) view_->current.resize(size);
    end_ = size;
    return kOk;
  }

  Result<uint64_t> size() override {
    ROX_ASSERT(open_);
    ROX_TRY(environment_.alive());
    return view_->current.size();
  }

  Status close() override {
    ROX_ASSERT(open_);
    open_ = false;
    return environment_.alive();
  }

 private:
  void check_writable() const { ROX_ASSERT(open_ && writable_); }

  // Adds the disks of a process killed in this write: see kill_images().
  void interrupt(std::string_view bytes) {
    const FileContent before = node_->current;
    for (uint64_t end = (end_ / kPageBytes + 1) * kPageBytes; end < end_ + bytes.size();
         end += kPageBytes) {
      node_->current.write(end_, bytes.substr(0, end - end_));
      environment_.interrupted_.push_back(environment_.disk_.everything());
      environment_.interrupted_.back().rule = "killed in a write";
      node_->current = before;
    }
  }

  CrashingEnvironment& environment_;
  SimulatedDisk::NodePointer node_;
  SimulatedDisk::NodePointer view_;
  std::string path_;
  bool writable_;
  uint64_t end_;  // where the next write goes: room may lie behind
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

Status CrashingEnvironment::perform(Change change) {
  if (recording_ != nullptr) {
    ROX_TRY(alive());
    recording_->note([this, change = std::move(change)] { return perform_now(change); });
    return kOk;
  }
  let_children_work();
  return perform_now(change);
}

Status CrashingEnvironment::perform_now(const Change& change) {
  if (!stopped_ && ++changes_ == crash_at_) stopped_ = true;
  ROX_TRY(alive());
  return change();
}

void CrashingEnvironment::let_children_work() {
  const std::vector<SimulatedChild*> working = working_;  // those that end leave working_
  for (SimulatedChild* child : working) {
    for (uint64_t call = 0; call < child_calls_per_turn_; ++call) child->work();
  }
}

Result<std::unique_ptr<File>> CrashingEnvironment::open(const std::string& path, OpenMode mode) {
  ROX_TRY(alive());
  if (recording_ != nullptr) return open_in_child(path, mode);
  SimulatedDisk::NodePointer node;
  if (mode == OpenMode::kCreateNew) {
    node = disk_.new_file();
    ROX_TRY(perform([this, path, node] { return disk_.link_file(path, node); }));
  } else {
    ROX_TRY(node, disk_.find(path));
    if (node->is_directory) return io_error(EISDIR, "simulated open");
  }
  return std::unique_ptr<File>(std::make_unique<OpenFile>(*this, node, node, path, mode));
}

Result<std::unique_ptr<File>> CrashingEnvironment::open_in_child(const std::string& path,
                                                                 OpenMode mode) {
  std::map<std::string, SimulatedChild::OwnFile>& files = recording_->files();
  const auto existing = disk_.find(path);
  if (mode == OpenMode::kCreateNew) {
    if (existing.ok() || files.contains(path)) return io_error(EEXIST, "simulated open");
    const SimulatedDisk::NodePointer node = disk_.new_file();
    files[path] = {node, disk_.new_file()};
    ROX_TRY(perform([this, path, node] { return disk_.link_file(path, node); }));
  } else if (!files.contains(path)) {
    if (!existing.ok()) return existing.status();
    if ((*existing)->is_directory) return io_error(EISDIR, "simulated open");
    files[path] = {*existing, disk_.new_file()};
    files[path].view->current = (*existing)->current;
  }
  const SimulatedChild::OwnFile& file = files[path];
  return std::unique_ptr<File>(std::make_unique<OpenFile>(*this, file.node, file.view, path, mode));
}

Status CrashingEnvironment::rename(const std::string& from, const std::string& to) {
  return perform([this, from, to] { return disk_.rename(from, to); });
}

Status CrashingEnvironment::link(const std::string& from, const std::string& to) {
  ROX_TRY(alive());
  ROX_TRY(const SimulatedDisk::NodePointer node, disk_.find(from));
  if (node->is_directory) return io_error(EPERM, "simulated link");
  return perform([this, to, node] { return disk_.link_file(to, node); });
}

Status CrashingEnvironment::remove(const std::string& path) {
  if (recording_ != nullptr) recording_->files().erase(path);
  return perform([this, path] { return disk_.remove(path); });
}

Status CrashingEnvironment::make_directory(const std::string& path) {
  return perform([this, path] { return disk_.make_directory(path); });
}

Status CrashingEnvironment::sync_directory(const std::string& path) {
  return perform([this, path] { return disk_.sync_directory(path); });
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
  const std::string name(kLockFileName);
  if (!node->entries.contains(name)) {
    ROX_TRY(perform([&] { return disk_.create_file(directory + "/" + name).status(); }));
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
  if (recording_ != nullptr) return io_error(EAGAIN, "simulated fork");
  auto child = std::make_unique<SimulatedChild>(*this, ++last_child_);
  const bool lags = child_calls_per_turn_ > 0;
  if (lags) recording_ = child.get();
  child->body_returned(body(*child));
  recording_ = nullptr;
  if (lags) {
    working_.push_back(child.get());
  } else {
    child->work();  // nothing is left to do but to end
  }
  return std::unique_ptr<Child>(std::move(child));
}

}  // namespace roxdb
