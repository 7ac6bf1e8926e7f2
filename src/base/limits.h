// limits.h: every bound on what comes from outside (reliability section 7). Defaults of settable
// limits; the settings live with their owners.
#pragma once

#include <cstddef>
#include <cstdint>

namespace roxdb {

inline constexpr size_t kBulkBytesMax = 512u << 20;   // proto-max-bulk-len
inline constexpr size_t kInlineBytesMax = 64u << 10;  // one inline request
inline constexpr size_t kArgsMax = 1u << 20;          // arguments of one command
inline constexpr size_t kArgsMaxUnauthenticated = 10;
inline constexpr size_t kBulkBytesMaxUnauthenticated = 16u << 10;
inline constexpr size_t kOutputBytesMaxUnauthenticated = 1u << 10;
inline constexpr uint64_t kAuthTimeoutMs = 30'000;
inline constexpr size_t kAheadBytesMax = 64u << 10;       // allocated beyond what has arrived
inline constexpr size_t kQueryBufferBytesMax = 1u << 30;  // client-query-buffer-limit
inline constexpr size_t kReplyBytesMax = 1u << 30;        // one reply
inline constexpr size_t kReplyDepthMax = 128;             // nesting of a reply we read
inline constexpr size_t kErrorCodesMax = 128;             // that are counted one by one
inline constexpr size_t kPatternBytesMax = 64u << 10;
// Bytes of pattern one match may read: a fixed number, and so many more for each byte of its text.
inline constexpr size_t kGlobStepsMax = 1'000'000;
inline constexpr size_t kGlobStepsPerByte = 64;
inline constexpr size_t kStringBytesMax = 512u << 20;      // one string value
inline constexpr uint64_t kLcsProductMax = 1'000'000'000;  // LCS: product of the two lengths
inline constexpr size_t kLcsBytesMax = 512u << 20;
inline constexpr int kMaxClients = 10'000;
inline constexpr int kReservedDescriptors = 32;
inline constexpr int kDatabases = 16;
inline constexpr int kDatabasesMax = 65'536;          // a log record names one in 16 bits
inline constexpr uint64_t kTurnBudgetNs = 1'000'000;  // background work per loop turn

}  // namespace roxdb
