// handshakes.h: TLS connections that are not open yet. A handshake costs as much as a thousand
// commands, and whoever asks for one has shown nothing yet: each gets so much time until it must be
// done, and all together get so much of a turn of the loop.
//
//   begin() --> under way --end()--> open, or gone
//                 |  ^ '--deadline--> TlsConnection::time_out()
//     postpone(): |  | TlsConnection::resume(), in a later turn
//                 v  |
//               postponed
//
// Cost: O(1) each; nothing while no handshake is under way.
#pragma once

#include <uv.h>

#include <cstdint>
#include <list>

#include "net/handle.h"
#include "net/loop.h"

namespace roxdb::net {

class TlsConnection;

class Handshakes {
 public:
  // What a connection keeps while its handshake is under way.
  struct Ticket {
    std::list<TlsConnection*>::iterator place;
    std::list<TlsConnection*>::iterator postponed;
    uint64_t deadline_ms = 0;  // monotonic; 0: not under way
    bool is_postponed = false;
  };

  explicit Handshakes(Loop& loop);
  Handshakes(const Handshakes&) = delete;
  Handshakes& operator=(const Handshakes&) = delete;

  // Gives the handles back. REQUIRES: no handshake is under way, and none will be.
  void close();

  void begin(TlsConnection& connection);
  // It is open, or it is gone. Any number of times.
  void end(TlsConnection& connection);

  // Whether this turn has time for another step. What a step took is spent afterwards.
  bool has_time() const;
  void spend(uint64_t ns) { spent_ns_ += ns; }
  void postpone(TlsConnection& connection);

  int64_t timeout_seconds = 10;  // tls-handshake-timeout

 private:
  void on_turn();
  void on_timer();
  void arm_timer();

  Loop& loop_;
  std::list<TlsConnection*> under_way_;  // as they came, so by deadline
  std::list<TlsConnection*> postponed_;  // as they asked
  uint64_t spent_ns_ = 0;                // in this turn
  UvPtr<uv_timer_t> timer_;
  UvPtr<uv_prepare_t> turn_;
};

}  // namespace roxdb::net
