#include "test/sim/failing_environment.h"

#include <algorithm>

namespace roxdb {

class FailingEnvironment::WrappedFile final : public File {
 public:
  WrappedFile(FailingEnvironment& environment, std::unique_ptr<File> file, std::string path)
      : environment_(environment), file_(std::move(file)), path_(std::move(path)) {}

  Result<size_t> write(std::string_view bytes) override {
    if (const Fault* fault = environment_.hit(CallKind::kWrite, path_)) {
      if (fault->flips) {
        std::string flipped(bytes);
        flipped.back() = static_cast<char>(flipped.back() ^ 1);
        return file_->write(flipped);
      }
      if (fault->short_bytes == 0) return io_error(fault->os_error, "injected");
      bytes = bytes.substr(0, fault->short_bytes);
    }
    return file_->write(bytes);
  }

  Status make_room(uint64_t offset, uint64_t size) override {
    ROX_TRY(environment_.fail(CallKind::kMakeRoom, path_));
    return file_->make_room(offset, size);
  }

  void store_ahead(uint64_t size) override { file_->store_ahead(size); }

  Result<size_t> read_at(uint64_t offset, char* out, size_t size) override {
    ROX_TRY(environment_.fail(CallKind::kRead, path_));
    return file_->read_at(offset, out, size);
  }

  Status sync() override {
    ROX_TRY(environment_.fail(CallKind::kSync, path_));
    return file_->sync();
  }

  Status truncate(uint64_t size) override {
    ROX_TRY(environment_.fail(CallKind::kTruncate, path_));
    return file_->truncate(size);
  }

  Result<uint64_t> size() override {
    ROX_TRY(environment_.fail(CallKind::kSize, path_));
    return file_->size();
  }

  // Closes the wrapped file all the same: a close() that reports an error has closed.
  Status close() override {
    const Status injected = environment_.fail(CallKind::kClose, path_);
    const Status closed = file_->close();
    return injected.ok() ? closed : injected;
  }

 private:
  FailingEnvironment& environment_;
  std::unique_ptr<File> file_;
  std::string path_;
};

class FailingEnvironment::WrappedChild final : public Child {
 public:
  WrappedChild(FailingEnvironment& environment, std::unique_ptr<Child> child)
      : environment_(environment), child_(std::move(child)) {}

  pid_t pid() const override { return child_->pid(); }
  ChildState poll() override { return ended(child_->poll()); }
  ChildState wait() override { return ended(child_->wait()); }
  bool receive(std::string& message) override { return child_->receive(message); }
  void kill() override { child_->kill(); }

 private:
  ChildState ended(ChildState state) {
    if (state.running) return state;
    if (!has_ended_) {
      has_ended_ = true;
      if (const Fault* fault = environment_.hit(CallKind::kChildEnd, {})) {
        signal_ = fault->os_error;
      }
    }
    if (signal_ != 0) {
      state.exit_code = 0;
      state.signal = signal_;
    }
    return state;
  }

  FailingEnvironment& environment_;
  std::unique_ptr<Child> child_;
  bool has_ended_ = false;
  int signal_ = 0;  // what it is said to have been killed by
};

uint64_t FailingEnvironment::calls(CallKind kind, const std::string& path_part) const {
  uint64_t count = 0;
  for (const auto& [call, times] : calls_) {
    if (kind != CallKind::kAny && kind != call.first) continue;
    if (call.second.find(path_part) != std::string::npos) count += times;
  }
  return count;
}

const Fault* FailingEnvironment::hit(CallKind kind, const std::string& path) {
  ++calls_[{kind, path}];
  const Fault* hitting = nullptr;
  for (Armed& armed : faults_) {
    const Fault& fault = armed.fault;
    if (fault.kind != CallKind::kAny && fault.kind != kind) continue;
    if ((fault.short_bytes > 0 || fault.flips) && kind != CallKind::kWrite) continue;
    if (path.find(fault.path_part) == std::string::npos) continue;
    ++armed.seen;
    if (armed.seen >= fault.nth && armed.seen - fault.nth < fault.times) hitting = &fault;
  }
  if (hitting != nullptr) ++injected_;
  return hitting;
}

Status FailingEnvironment::fail(CallKind kind, const std::string& path) {
  const Fault* fault = hit(kind, path);
  if (fault == nullptr) return kOk;
  const Code code = fault->os_error == ENOENT ? Code::kNotFound : Code::kIo;
  return Status{code, fault->os_error, "injected"};
}

Result<std::unique_ptr<File>> FailingEnvironment::open(const std::string& path, OpenMode mode) {
  ROX_TRY(fail(CallKind::kOpen, path));
  ROX_TRY(std::unique_ptr<File> file, wrapped_.open(path, mode));
  return std::unique_ptr<File>(std::make_unique<WrappedFile>(*this, std::move(file), path));
}

Status FailingEnvironment::rename(const std::string& from, const std::string& to) {
  ROX_TRY(fail(CallKind::kRename, from));
  return wrapped_.rename(from, to);
}

Status FailingEnvironment::link(const std::string& from, const std::string& to) {
  ROX_TRY(fail(CallKind::kLink, from));
  return wrapped_.link(from, to);
}

Status FailingEnvironment::remove(const std::string& path) {
  ROX_TRY(fail(CallKind::kRemove, path));
  return wrapped_.remove(path);
}

Status FailingEnvironment::make_directory(const std::string& path) {
  ROX_TRY(fail(CallKind::kMakeDirectory, path));
  return wrapped_.make_directory(path);
}

Status FailingEnvironment::sync_directory(const std::string& path) {
  ROX_TRY(fail(CallKind::kSyncDirectory, path));
  return wrapped_.sync_directory(path);
}

Result<std::vector<DirectoryEntry>> FailingEnvironment::list(const std::string& path) {
  ROX_TRY(fail(CallKind::kList, path));
  return wrapped_.list(path);
}

Result<std::unique_ptr<DirectoryLock>> FailingEnvironment::lock_directory(
    const std::string& directory, pid_t& owner) {
  owner = 0;
  ROX_TRY(fail(CallKind::kLock, directory));
  return wrapped_.lock_directory(directory, owner);
}

Result<std::unique_ptr<Child>> FailingEnvironment::fork(std::function<int(ChildChannel&)> body) {
  ROX_TRY(fail(CallKind::kFork, {}));
  ROX_TRY(std::unique_ptr<Child> child, wrapped_.fork(std::move(body)));
  return std::unique_ptr<Child>(std::make_unique<WrappedChild>(*this, std::move(child)));
}

}  // namespace roxdb
