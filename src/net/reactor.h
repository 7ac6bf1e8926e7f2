// reactor.h: what happens when. The loop's turn, drawn once:
//
//   timers    on_tick: every 1000 / hz ms, expiry, save points, time limits of clients
//             on_deadline: when a client has waited for keys as long as it wanted to
//   poll      sockets: Connection -> Turn::received; Listeners -> new clients; ends of slow work
//   check     on_turn_end: Turn::run - the batch, the log, the replies
//
// Background work that did not finish within its budget goes on in the next turns, which then do
// not wait for sockets.
//
// A command that takes long calls serve_others(): the loop turns once within the turn that is under
// way. Sockets are served; data, files and clients' time limits are left alone until the command
// has ended, for what it has done so far is half of something.
#pragma once

#include <uv.h>

#include <functional>

#include "engine/busy.h"
#include "engine/engine.h"
#include "net/handle.h"
#include "net/loop.h"
#include "persist/persistence.h"
#include "server/clients.h"
#include "server/pause.h"
#include "server/rate.h"
#include "server/session.h"
#include "server/shutdown.h"

namespace roxdb::net {

class Reactor final : public engine::BusyHost {
 public:
  struct Parts {
    Loop& loop;
    engine::Engine& engine;
    persist::Persistence* persistence;  // null: none
    server::Clients& clients;
    server::Turn& turn;
    server::Pause& pause;
    server::Shutdown& shutdown;
    std::function<void()> on_tick;  // what else is to be done every 1000 / hz ms
  };
  // Arms timers, signals and the end of turns. All parts must outlive the Reactor.
  explicit Reactor(const Parts& parts);
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  void serve_others() override;
  // Called when SHUTDOWN NOSAVE has come while a command takes long, which cannot be waited for.
  std::function<void()> on_stop_aside;

  // While false, ticks leave the data alone: it is being loaded.
  void set_serving(bool serving) { serving_ = serving; }

 private:
  void register_info();
  void on_tick();
  void on_turn_end();
  void on_deadline();
  void arm_deadline();
  void resume_postponed();
  void work_in_background();
  void start_ticking();
  UvPtr<uv_signal_t> listen_for(int signal);

  Parts parts_;
  bool serving_ = false;
  bool work_left_ = false;
  int64_t ticks_per_second_ = 0;

  uint64_t turns_ = 0;               // of the loop, since CONFIG RESETSTAT
  uint64_t active_ns_at_reset_ = 0;  // Loop::active_ns() then
  server::Rate turn_rate_;
  server::Rate active_rate_;  // microseconds per second

  UvPtr<uv_timer_t> tick_;
  UvPtr<uv_timer_t> deadline_;
  uint64_t armed_deadline_ns_ = UINT64_MAX;  // what deadline_ is set to
  UvPtr<uv_check_t> turn_end_;
  UvPtr<uv_idle_t> busy_;  // runs while work is left, so that the loop does not wait
  UvPtr<uv_signal_t> sigint_;
  UvPtr<uv_signal_t> sigterm_;
};

}  // namespace roxdb::net
