// side_work.h: what a command has done besides what it was asked for, so that it can be said why it
// was slow. Whoever does such work says how long it took; whoever finds a span of time to have been
// slow asks what was said of it since it began.
//
//   turn      |------------------------------------------|
//   request   |----------- EXEC --------------|--- SET --|     a span is known by the moment at
//   command   |- ZADD -|- SORT -|-- ... ------|          |     which it began
//                   ^ table split                  ^ eviction
//
// A command without such work pays for noting when it began, and nothing is ever added up for it.
// Times are cycles of base/cycle_clock.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace roxdb::engine {

// Where the time of what was slow went.
enum class Cause : uint8_t {
  kWaiting,     // others of the same batch came first
  kExecuting,   // the commands themselves: whatever is none of the others
  kTableSplit,  // segments of the table of keys grew or were split
  kExpiry,      // keys and fields that were due were removed
  kEviction,    // keys went because of maxmemory
  kFork,
  kPageFaults,  // pages that a child shares were copied, or came from a disk
  kLogWrite,    // the records of the turn were written to the log
  kLogSync,     // replies, or everybody, waited until the log was on the disk
  kReply,       // replies were written to their sockets
};
inline constexpr size_t kCauses = 10;

// As LATENCY WHY calls it: "table-split".
std::string_view name_of(Cause cause);

class SideWork {
 public:
  enum class Span : uint8_t { kCommand, kRequest, kTurn };
  struct Amount {
    uint64_t cycles = 0;
    uint64_t count = 0;
  };

  void begin(Span span, uint64_t at) { began_[static_cast<size_t>(span)] = at; }
  uint64_t began(Span span) const { return began_[static_cast<size_t>(span)]; }
  // Some work has just ended, within all spans that run.
  void add(Cause cause, uint64_t cycles, uint64_t count = 1);
  // What was added within the span that began at this moment; nothing when another has begun since:
  // of a command that ran others, only its request knows.
  Amount of(Span span, uint64_t began, Cause cause) const;

 private:
  static constexpr size_t kSpans = 3;
  struct Window {
    uint64_t began = 0;  // of the span that the amounts belong to
    Amount amounts[kCauses];
  };

  uint64_t began_[kSpans] = {};
  Window windows_[kSpans];
};

}  // namespace roxdb::engine
