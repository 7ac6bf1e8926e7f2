#include "base/process_info.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

#include "base/numbers.h"

namespace roxdb {
namespace {

// The first line of a file of /proc or /sys; empty when there is none.
std::string first_line(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  char text[256];
  const ssize_t size = ::read(fd, text, sizeof text);
  ::close(fd);
  std::string line(text, size > 0 ? static_cast<size_t>(size) : 0);
  return line.substr(0, line.find('\n'));
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

size_t page_bytes() { return static_cast<size_t>(::sysconf(_SC_PAGESIZE)); }

}  // namespace

CpuTimes cpu_times(CpuScope scope) {
  rusage usage{};
  const int who = scope == CpuScope::kProcess    ? RUSAGE_SELF
                  : scope == CpuScope::kChildren ? RUSAGE_CHILDREN
                                                 : RUSAGE_THREAD;
  ::getrusage(who, &usage);
  return {seconds(usage.ru_utime), seconds(usage.ru_stime)};
}

PageFaults page_faults() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return {static_cast<uint64_t>(usage.ru_minflt), static_cast<uint64_t>(usage.ru_majflt)};
}

size_t resident_bytes() {
  // "size resident shared ...", in pages.
  const std::string line = first_line("/proc/self/statm");
  const size_t begin = line.find(' ');
  if (begin == std::string::npos) return 0;
  const size_t end = line.find(' ', begin + 1);
  const auto pages = parse_uint64(std::string_view(line).substr(begin + 1, end - begin - 1));
  return pages ? *pages * page_bytes() : 0;
}

size_t system_memory_bytes() {
  const size_t machine = static_cast<size_t>(::sysconf(_SC_PHYS_PAGES)) * page_bytes();
  // cgroup 2; "max" is no number and no limit.
  const auto container = parse_uint64(first_line("/sys/fs/cgroup/memory.max"));
  return container ? std::min<size_t>(machine, *container) : machine;
}

std::string operating_system() {
  utsname name{};
  if (::uname(&name) != 0) return {};
  return std::string(name.sysname) + " " + name.release + " " + name.machine;
}

std::string executable_path() {
  char path[4096];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  return std::string(path, size > 0 ? static_cast<size_t>(size) : 0);
}

}  // namespace roxdb
