// process_info.h: what the operating system says about this process and machine, for INFO. Read
// only, and nothing else depends on it, so it stands beside the Environment: a figure that cannot
// be had is 0 or empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace roxdb {

struct CpuTimes {
  double user_seconds = 0;
  double system_seconds = 0;
};
enum class CpuScope : uint8_t { kProcess, kChildren, kThisThread };
CpuTimes cpu_times(CpuScope scope);

struct PageFaults {
  uint64_t minor = 0;  // a page was made, or copied because a child shares it
  uint64_t major = 0;  // it came from a disk
};
PageFaults page_faults();  // of this thread, since it began. A call of the system

size_t resident_bytes();         // of this process, in RAM now
size_t system_memory_bytes();    // of the machine, or of the container when it has less
std::string operating_system();  // "Linux 6.1.0 x86_64"
std::string executable_path();

}  // namespace roxdb
