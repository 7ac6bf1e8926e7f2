// slow_turns.h: why it was slow. A turn runs a batch of requests, writes the log and sends the
// replies; the counter of cycles is read at the corners of that walk, and only when two of them lie
// too far apart is anything computed.
//
//   batch begins      command begins    ends      executed    log written    replies sent
//   |---- waiting -----|-- executing ----|-- ... --|-- log-write --|-- reply --|
//                         |     |    |                  |      |
//              table-split  expiry  eviction          fork  log-sync, which with appendfsync always
//                        page-faults                        may go on after the turn has ended
//
// A slow turn is told to SlowTurns, when somebody provides it as a service. How long is too long is
// what the least patient observer of commands says (Engine::observe).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/side_work.h"

namespace roxdb::engine {

struct Command;

struct Share {
  uint64_t ns = 0;
  // Of kWaiting: requests that ran before this one, or had to wait for a slow one; else how often.
  uint64_t count = 0;
};

// Where the time of one command or turn went. All but kWaiting and what of kLogSync came after the
// replies were due add up to its duration.
class Breakdown {
 public:
  Share& operator[](Cause cause) { return shares_[static_cast<size_t>(cause)]; }
  const Share& operator[](Cause cause) const { return shares_[static_cast<size_t>(cause)]; }
  // Calls visit(cause, share) for each that has a part in it.
  template <class Visit>
  void for_each(Visit visit) const {
    for (size_t i = 0; i < kCauses; ++i) {
      if (shares_[i].ns != 0 || shares_[i].count != 0) visit(static_cast<Cause>(i), shares_[i]);
    }
  }

 private:
  std::array<Share, kCauses> shares_;
};

// The batch that runs, as its owner knows it. Asked only when something was slow.
class Batch {
 public:
  virtual size_t position() const = 0;  // of the request that runs: so many came before it

 protected:
  ~Batch() = default;
};

struct SlowTurn {
  uint64_t serial;
  uint64_t duration_ns;
  size_t requests;
  const Command* slowest;  // of those that took too long by themselves; null: none did
  uint64_t slowest_ns;
  Breakdown why;
};

class SlowTurns {
 public:
  virtual void on_slow_turn(const SlowTurn& turn) = 0;
  // The replies of a turn, slow itself or not, waited so long for the sync of the log.
  virtual void on_log_sync(uint64_t serial, uint64_t waited_ns) = 0;
  // Something that belongs to no turn kept everybody waiting.
  virtual void on_stall(Cause cause, uint64_t duration_ns) = 0;

 protected:
  ~SlowTurns() = default;
};

}  // namespace roxdb::engine
