// real_environment.cc: environment.h on Linux.
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/environment.h"
#include "base/numbers.h"

namespace roxdb {
namespace {

constexpr uint64_t kLockPatienceMs = 500;
constexpr uint64_t kLockRetryMs = 10;
// Where a child has to share the server's core it gets about a quarter of it: the server's clients
// wait for slices of it, nobody waits for a child.
constexpr int kChildNiceness = 5;

// A message on the pipe: its size in two bytes, then itself.
constexpr size_t kFrameHeaderBytes = sizeof(uint16_t);
static_assert(kFrameHeaderBytes + kChildMessageBytesMax <= PIPE_BUF, "a frame is written whole");

// Repeats a system call for as long as signals interrupt it.
template <class Call>
auto uninterrupted(Call call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

// The Status of the call named `what` that has just set errno.
Status failure(std::string_view what) {
  if (errno == ENOENT) return Status{Code::kNotFound, ENOENT, what};
  return io_error(errno, what);
}

constexpr char kZeros[64u << 10] = {};

// One descriptor, owned.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() { close(); }

  bool valid() const { return number_ >= 0; }
  int number() const { return number_; }
  // Linux frees the number whatever close() answers: never try it twice.
  int close() { return valid() ? ::close(std::exchange(number_, -1)) : 0; }

 private:
  int number_;
};

class RealFile final : public File {
 public:
  // `end`: where write() begins.
  RealFile(Descriptor descriptor, uint64_t end) : descriptor_(std::move(descriptor)), end_(end) {}

  Result<size_t> write(std::string_view bytes) override {
    ROX_ASSERT(!bytes.empty());
    const std::lock_guard guard(mutex_);
    ROX_TRY(const size_t written, write_at(end_, bytes));
    end_ += written;
    return written;
  }

  // In pieces, so that a write() waits for one of them at most.
  Status make_room(uint64_t offset, uint64_t size) override {
    const uint64_t room_end = offset + size;
    for (;;) {
      const std::lock_guard guard(mutex_);
      offset = std::max(offset, end_);
      if (offset >= room_end) return kOk;
      const size_t piece = std::min<uint64_t>(sizeof kZeros, room_end - offset);
      ROX_TRY(const size_t written, write_at(offset, {kZeros, piece}));
      offset += written;
    }
  }

  Result<size_t> read_at(uint64_t offset, char* out, size_t size) override {
    const ssize_t got = uninterrupted(
        [&] { return ::pread(descriptor_.number(), out, size, static_cast<off_t>(offset)); });
    if (got < 0) return failure("read");
    return static_cast<size_t>(got);
  }

  // Linux starts to write what is dirty and drops what is clean.
  void store_ahead(uint64_t size) override {
    ::posix_fadvise(descriptor_.number(), 0, static_cast<off_t>(size), POSIX_FADV_DONTNEED);
  }

  // Linux tells an error of writing back once. Whoever asks after that must hear it, too: what the
  // file has lost does not come back.
  Status sync() override {
    const std::lock_guard guard(sync_mutex_);
    if (!sync_error_.ok()) return sync_error_;
    if (uninterrupted([&] { return ::fdatasync(descriptor_.number()); }) < 0) {
      sync_error_ = failure("fdatasync");
    }
    return sync_error_;
  }

  Status truncate(uint64_t size) override {
    const auto length = static_cast<off_t>(size);
    const std::lock_guard guard(mutex_);
    if (uninterrupted([&] { return ::ftruncate(descriptor_.number(), length); }) < 0) {
      return failure("ftruncate");
    }
    end_ = size;
    return kOk;
  }

  Result<uint64_t> size() override {
    struct stat info;
    if (::fstat(descriptor_.number(), &info) < 0) return failure("fstat");
    return static_cast<uint64_t>(info.st_size);
  }

  Status close() override {
    // An interrupted close() has closed, and nothing it could still report was lost before sync().
    if (descriptor_.close() < 0 && errno != EINTR) return failure("close");
    return kOk;
  }

 private:
  Result<size_t> write_at(uint64_t offset, std::string_view bytes) {
    const ssize_t written = uninterrupted([&] {
      return ::pwrite(descriptor_.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    });
    if (written < 0) return failure("write");
    if (written == 0) return io_error(EIO, "write");  // no error and no progress: do not spin on it
    return static_cast<size_t>(written);
  }

  Descriptor descriptor_;
  std::mutex mutex_;       // guards end_, and what lies behind it
  std::mutex sync_mutex_;  // guards what follows, and makes syncs come one after another
  Status sync_error_;
  uint64_t end_;  // of what was written; room may follow
};

// The child's end of the pipe.
class PipeChannel final : public ChildChannel {
 public:
  explicit PipeChannel(int descriptor) : descriptor_(descriptor) {}

  Status send(std::string_view message) override {
    ROX_ASSERT(message.size() <= kChildMessageBytesMax);
    char frame[kFrameHeaderBytes + kChildMessageBytesMax];
    const auto size = static_cast<uint16_t>(message.size());
    std::memcpy(frame, &size, sizeof size);
    std::copy(message.begin(), message.end(), frame + kFrameHeaderBytes);
    const size_t frame_size = kFrameHeaderBytes + message.size();
    if (uninterrupted([&] { return ::write(descriptor_, frame, frame_size); }) < 0) {
      return failure("write to parent");
    }
    return kOk;
  }

 private:
  int descriptor_;
};

class RealChild final : public Child {
 public:
  RealChild(pid_t pid, Descriptor pipe) : pid_(pid), pipe_(std::move(pipe)) {}

  ~RealChild() override {
    kill();
    reap(0);
  }

  pid_t pid() const override { return pid_; }

  ChildState poll() override { return reap(WNOHANG); }

  ChildState wait() override {
    // A child that waits for room in the pipe would never end: read until it has closed its end.
    while (state_.running && drain()) {
      pollfd readable{pipe_.number(), POLLIN, 0};
      uninterrupted([&] { return ::poll(&readable, 1, -1); });
    }
    return reap(0);
  }

  bool receive(std::string& message) override {
    drain();
    uint16_t size;
    if (inbox_.size() < sizeof size) return false;
    std::memcpy(&size, inbox_.data(), sizeof size);
    if (inbox_.size() < kFrameHeaderBytes + size) return false;
    message.assign(inbox_, kFrameHeaderBytes, size);
    inbox_.erase(0, kFrameHeaderBytes + size);
    return true;
  }

  void kill() override {
    if (state_.running) ::kill(pid_, SIGKILL);
  }

 private:
  // Moves what the pipe holds to the inbox. False once the child has closed its end.
  bool drain() {
    char bytes[4096];
    for (;;) {
      const ssize_t got =
          uninterrupted([&] { return ::read(pipe_.number(), bytes, sizeof bytes); });
      if (got <= 0) return got < 0 && errno == EAGAIN;
      inbox_.append(bytes, static_cast<size_t>(got));
    }
  }

  ChildState reap(int options) {
    if (!state_.running) return state_;
    int status = 0;
    const pid_t ended = uninterrupted([&] { return ::waitpid(pid_, &status, options); });
    if (ended == 0) return state_;
    state_.running = false;
    state_.exited = true;
    if (ended < 0) {
      state_.exit_code = 255;  // another waitpid of this process took it; success is not known
    } else if (WIFSIGNALED(status)) {
      state_.signal = WTERMSIG(status);
    } else {
      state_.exit_code = WEXITSTATUS(status);
    }
    return state_;
  }

  pid_t pid_;
  Descriptor pipe_;
  std::string inbox_;  // bytes of the pipe, from the start of a frame
  ChildState state_;
};

// What a child undoes of its parent's signal handling: a handler of an event loop would write into
// a pipe that it shares with the parent. The crash reporter's signals stay as they are.
void reset_signal_actions() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2}) {
    ::sigaction(signal, &action, nullptr);
  }
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);  // a parent that is gone shows as EPIPE
}

constexpr const char* kOomScorePath = "/proc/self/oom_score_adj";

// No allocation: children call it between fork() and their work.
Status write_oom_score(int score) {
  const Descriptor file(::open(kOomScorePath, O_WRONLY | O_CLOEXEC));
  if (!file.valid()) return failure("open oom_score_adj");
  char text[kIntegerDigitsMax];
  const size_t size = print_int64(score, text);
  if (::write(file.number(), text, size) < 0) return failure("write oom_score_adj");
  return kOk;
}

class RealEnvironment final : public Environment {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    switch (mode) {
      case OpenMode::kRead:
        flags |= O_RDONLY;
        break;
      case OpenMode::kCreateNew:
        flags |= O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
        break;
      case OpenMode::kAppend:
        flags |= O_RDWR;
        break;
    }
    Descriptor descriptor(uninterrupted([&] { return ::open(path.c_str(), flags, 0600); }));
    if (!descriptor.valid()) return failure("open");
    uint64_t end = 0;
    if (mode == OpenMode::kAppend) {
      struct stat info;
      if (::fstat(descriptor.number(), &info) < 0) return failure("fstat");
      end = static_cast<uint64_t>(info.st_size);
    }
    return std::unique_ptr<File>(std::make_unique<RealFile>(std::move(descriptor), end));
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) < 0) return failure("rename");
    return kOk;
  }

  Status link(const std::string& from, const std::string& to) override {
    if (::link(from.c_str(), to.c_str()) < 0) return failure("link");
    return kOk;
  }

  std::string absolute_path(const std::string& path) override {
    char resolved[PATH_MAX];
    return ::realpath(path.c_str(), resolved) != nullptr ? resolved : path;
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) < 0) return failure("unlink");
    return kOk;
  }

  Status make_directory(const std::string& path) override {
    if (::mkdir(path.c_str(), 0700) == 0) return kOk;
    if (errno != EEXIST) return failure("mkdir");
    struct stat info;
    if (::stat(path.c_str(), &info) < 0) return failure("stat");
    return S_ISDIR(info.st_mode) ? kOk : io_error(ENOTDIR, "mkdir");
  }

  Status sync_directory(const std::string& path) override {
    const Descriptor directory(open_directory(path));
    if (!directory.valid()) return failure("open directory");
    if (uninterrupted([&] { return ::fsync(directory.number()); }) == 0) return kOk;
    // A file system answers so that has no way to sync a directory and none to need it.
    return errno == EINVAL ? kOk : failure("fsync directory");
  }

  Result<std::vector<DirectoryEntry>> list(const std::string& path) override {
    const int number = open_directory(path);
    if (number < 0) return failure("open directory");
    const auto close = [](DIR* stream) { ::closedir(stream); };
    const std::unique_ptr<DIR, decltype(close)> stream(::fdopendir(number), close);
    if (!stream) {
      const Status status = failure("fdopendir");
      ::close(number);
      return status;
    }
    std::vector<DirectoryEntry> entries;
    for (;;) {
      errno = 0;
      const dirent* found = ::readdir(stream.get());
      if (found == nullptr) break;
      DirectoryEntry entry;
      entry.name = found->d_name;
      if (entry.name == "." || entry.name == "..") continue;
      struct stat info;
      if (::fstatat(number, found->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno == ENOENT) continue;  // removed since readdir() saw it
        return failure("fstatat");
      }
      entry.is_file = S_ISREG(info.st_mode);
      entry.is_directory = S_ISDIR(info.st_mode);
      if (entry.is_file) entry.size = static_cast<uint64_t>(info.st_size);
      entries.push_back(std::move(entry));
    }
    if (errno != 0) return failure("readdir");
    std::sort(entries.begin(), entries.end(),
              [](const auto& left, const auto& right) { return left.name < right.name; });
    return entries;
  }

  Result<std::unique_ptr<DirectoryLock>> lock_directory(const std::string& directory,
                                                        pid_t& owner) override;

  int64_t now_ms() override { return now_us() / 1'000; }

  int64_t now_us() override {
    timespec now;
    ::clock_gettime(CLOCK_REALTIME, &now);
    return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
  }

  uint64_t monotonic_ns() override {
    timespec now;
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
  }

  void sleep_ms(uint64_t ms) override {
    const uint64_t until_ns = monotonic_ns() + ms * 1'000'000;
    timespec until;
    until.tv_sec = static_cast<time_t>(until_ns / 1'000'000'000);
    until.tv_nsec = static_cast<long>(until_ns % 1'000'000'000);
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
    }
  }

  void random(void* out, size_t size) override {
    auto* at = static_cast<char*>(out);
    while (size > 0) {
      const ssize_t got = uninterrupted([&] { return ::getrandom(at, size, 0); });
      ROX_ASSERT(got > 0);  // Linux promises it; without it there is no secret and no start
      at += got;
      size -= static_cast<size_t>(got);
    }
  }

  Result<std::unique_ptr<Child>> fork(std::function<int(ChildChannel&)> body) override;

  pid_t process_id() override { return ::getpid(); }

  Result<int> oom_score() override {
    const Descriptor file(::open(kOomScorePath, O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return failure("open oom_score_adj");
    char text[kIntegerDigitsMax + 1];
    const ssize_t size = ::read(file.number(), text, sizeof text);
    if (size <= 1) return failure("read oom_score_adj");
    return static_cast<int>(parse_int64({text, static_cast<size_t>(size - 1)}).value_or(0));
  }

  Status set_oom_score(int own, int children) override {
    ROX_TRY(write_oom_score(own));
    child_oom_score_ = children;
    return kOk;
  }

 private:
  class Lock;

  static int open_directory(const std::string& path) {
    return uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  }

  std::optional<int> child_oom_score_;  // once set_oom_score() was called
  std::mutex mutex_;                    // guards locks_, and keeps it still while fork() copies us
  std::vector<int> locks_;              // descriptors of the lock files this process has open
};

// flock() and not fcntl(): an fcntl() lock does not keep two engines of one process apart, and goes
// when anybody in the process closes the file. The price is that a forked child shares the lock and
// would keep it beyond our death; so fork() closes it in the child.
class RealEnvironment::Lock final : public DirectoryLock {
 public:
  Lock(RealEnvironment& environment, int number) : environment_(environment), number_(number) {}

  ~Lock() override {
    const std::lock_guard guard(environment_.mutex_);
    // In a forked child the list is empty and the number may mean another file by now.
    if (std::erase(environment_.locks_, number_) > 0) ::close(number_);
  }

  int number() const { return number_; }

  // The text of the file is for people, and for the message of whoever comes second: a process id
  // and a newline. What locks is the flock, so a text left by a killed process does no harm.
  Status write_owner(pid_t owner) {
    char text[kIntegerDigitsMax + 1];
    size_t size = print_int64(owner, text);
    text[size++] = '\n';
    if (::ftruncate(number_, 0) < 0) return failure("ftruncate lock file");
    if (::pwrite(number_, text, size, 0) < 0) return failure("write lock file");
    return kOk;
  }

  // 0 when the text is not there, or not yet whole.
  pid_t read_owner() {
    char text[kIntegerDigitsMax + 1];
    const ssize_t size = ::pread(number_, text, sizeof text, 0);
    if (size < 2 || text[size - 1] != '\n') return 0;
    return static_cast<pid_t>(parse_int64({text, static_cast<size_t>(size - 1)}).value_or(0));
  }

 private:
  RealEnvironment& environment_;
  int number_;  // of the lock file
};

Result<std::unique_ptr<DirectoryLock>> RealEnvironment::lock_directory(const std::string& directory,
                                                                       pid_t& owner) {
  owner = 0;
  const std::string path = directory + "/" + std::string(kLockFileName);
  std::unique_ptr<Lock> lock;
  {
    // A fork between open() and the list would leave the child a share of the lock to come.
    const std::lock_guard guard(mutex_);
    const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
    const int number = uninterrupted([&] { return ::open(path.c_str(), flags, 0600); });
    if (number < 0) return failure("open lock file");
    locks_.push_back(number);
    lock = std::make_unique<Lock>(*this, number);
  }

  // A predecessor that was just killed may still be on its way out of the kernel.
  for (uint64_t waited_ms = 0;; waited_ms += kLockRetryMs) {
    if (uninterrupted([&] { return ::flock(lock->number(), LOCK_EX | LOCK_NB); }) == 0) break;
    if (errno != EWOULDBLOCK) return failure("flock");
    if (waited_ms >= kLockPatienceMs) {
      owner = lock->read_owner();
      return Status{Code::kBusy, EWOULDBLOCK, "flock"};
    }
    sleep_ms(kLockRetryMs);
  }
  ROX_TRY(lock->write_owner(process_id()));
  return std::unique_ptr<DirectoryLock>(std::move(lock));
}

Result<std::unique_ptr<Child>> RealEnvironment::fork(std::function<int(ChildChannel&)> body) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return failure("pipe");
  Descriptor from_child(ends[0]);
  Descriptor to_parent(ends[1]);
  // Only our end: the child blocks when the pipe is full.
  if (::fcntl(from_child.number(), F_SETFL, O_NONBLOCK) < 0) return failure("fcntl");

  const pid_t parent = ::getpid();
  // No signal may reach the child before it has dropped the handlers of its parent.
  sigset_t every_signal;
  sigset_t before;
  ::sigfillset(&every_signal);
  std::unique_lock guard(mutex_);
  ::pthread_sigmask(SIG_SETMASK, &every_signal, &before);
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (const int descriptor : locks_) ::close(descriptor);
    locks_.clear();
    guard.unlock();
    reset_signal_actions();
    ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + kChildNiceness);
    // A child that cannot be made an easier victim is still one.
    if (child_oom_score_) static_cast<void>(write_oom_score(*child_oom_score_).ok());
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    // Asked first and checked then: a parent that died in between is noticed either way.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    from_child.close();
    PipeChannel channel(to_parent.number());
    ::_exit(body(channel));
  }
  const int fork_error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return io_error(fork_error, "fork");
  return std::unique_ptr<Child>(std::make_unique<RealChild>(pid, std::move(from_child)));
}

}  // namespace

Environment& real_environment() {
  static RealEnvironment environment;
  return environment;
}

}  // namespace roxdb
