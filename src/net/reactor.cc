#include "net/reactor.h"

#include <signal.h>

#include <algorithm>

#include "base/limits.h"

namespace roxdb::net {
namespace {

template <class Handle>
Reactor* owner_of(Handle* handle) {
  return static_cast<Reactor*>(handle->data);
}

}  // namespace

Reactor::Reactor(const Parts& parts)
    : parts_(parts),
      tick_(make_handle<uv_timer_t>(parts.loop.handle(), uv_timer_init, this)),
      deadline_(make_handle<uv_timer_t>(parts.loop.handle(), uv_timer_init, this)),
      turn_end_(make_handle<uv_check_t>(parts.loop.handle(), uv_check_init, this)),
      busy_(make_handle<uv_idle_t>(parts.loop.handle(), uv_idle_init, this)),
      sigint_(listen_for(SIGINT)),
      sigterm_(listen_for(SIGTERM)) {
  parts_.clients.now_ms = parts_.loop.now_ms();
  uv_check_start(turn_end_.get(), [](uv_check_t* handle) {
    if (Reactor* self = owner_of(handle)) self->on_turn_end();
  });
  start_ticking();
  register_info();
  parts_.shutdown.on_stop = [this] { parts_.loop.stop(); };
  if (parts_.persistence != nullptr) {
    parts_.persistence->on_release = [this] {
      parts_.turn.send_released();
      resume_postponed();
    };
  }
}

Reactor::~Reactor() {
  parts_.shutdown.on_stop = nullptr;
  if (parts_.persistence != nullptr) parts_.persistence->on_release = nullptr;
}

void Reactor::register_info() {
  engine::InfoSections& info = parts_.engine.info;
  const auto active_us = [this] { return (parts_.loop.active_ns() - active_ns_at_reset_) / 1000; };
  info.add("stats", [this, active_us](engine::InfoWriter& out) {
    double command_cycles = 0;
    for (const auto& command : parts_.engine.commands().all()) {
      command_cycles += static_cast<double>(command->duration_cycles);
    }
    const uint64_t turns_per_second = turn_rate_.per_second();
    out.field("eventloop_cycles", turns_);
    out.field("eventloop_duration_sum", active_us());
    out.line("eventloop_duration_cmd_sum", "{:.0f}",
             command_cycles * parts_.engine.ns_per_cycle() / 1000);
    out.field("instantaneous_eventloop_cycles_per_sec", turns_per_second);
    out.field("instantaneous_eventloop_duration_usec",
              turns_per_second == 0 ? 0 : active_rate_.per_second() / turns_per_second);
  });
  info.add("cpu", [this](engine::InfoWriter& out) {
    out.line("used_active_time_main_thread", "{:.6f}",
             static_cast<double>(parts_.loop.active_ns()) / 1e9);
  });
  info.on_reset([this] {
    turns_ = 0;
    active_ns_at_reset_ = parts_.loop.active_ns();
  });
}

UvPtr<uv_signal_t> Reactor::listen_for(int signal) {
  UvPtr<uv_signal_t> handle = make_handle<uv_signal_t>(parts_.loop.handle(), uv_signal_init, this);
  const auto on_signal = [](uv_signal_t* arrived, int number) {
    if (Reactor* self = owner_of(arrived)) self->parts_.shutdown.on_signal(number);
  };
  uv_signal_start(handle.get(), on_signal, signal);
  return handle;
}

void Reactor::start_ticking() {
  ticks_per_second_ = parts_.engine.hz;
  const auto period_ms = static_cast<uint64_t>(std::max<int64_t>(1, 1000 / ticks_per_second_));
  const auto on_timer = [](uv_timer_t* handle) {
    if (Reactor* self = owner_of(handle)) self->on_tick();
  };
  uv_timer_start(tick_.get(), on_timer, period_ms, period_ms);
}

void Reactor::serve_others() {
  parts_.turn.step_aside([this] { parts_.loop.run_ready(); });
  if (parts_.shutdown.is_stopping() && on_stop_aside) on_stop_aside();
}

void Reactor::on_tick() {
  if (parts_.turn.is_aside()) return;
  parts_.clients.now_ms = parts_.loop.now_ms();
  parts_.clients.tick(parts_.clients.now_ms);
  parts_.pause.tick(parts_.clients.now_ms);
  turn_rate_.sample(turns_, parts_.clients.now_ms);
  active_rate_.sample(parts_.loop.active_ns() / 1000, parts_.clients.now_ms);
  if (parts_.on_tick) parts_.on_tick();
  if (serving_) {
    work_in_background();
    if (parts_.persistence != nullptr) {
      parts_.persistence->tick();
      if (parts_.persistence->write_deadline_passed()) parts_.turn.drop_parked();
    }
  }
  resume_postponed();
  if (ticks_per_second_ != parts_.engine.hz) start_ticking();
  // What the tick has done must not wait for the next socket: postponed clients go on, records of
  // expired keys are written, closed clients are freed.
  parts_.turn.run();
  arm_deadline();
}

void Reactor::on_turn_end() {
  turns_++;
  parts_.clients.now_ms = parts_.loop.now_ms();
  if (work_left_ && !parts_.turn.is_aside()) work_in_background();
  parts_.turn.run();
  if (!parts_.turn.is_aside()) parts_.shutdown.run_pending();
  arm_deadline();
}

void Reactor::on_deadline() {
  armed_deadline_ns_ = UINT64_MAX;
  parts_.clients.now_ms = parts_.loop.now_ms();
  parts_.engine.waiting.check_deadlines();
  parts_.turn.run();
  arm_deadline();
}

// The loop counts from when its turn began, so the timer may fire early: then it is set again.
void Reactor::arm_deadline() {
  const uint64_t next_ns = parts_.engine.waiting.next_deadline_ns();
  if (next_ns == armed_deadline_ns_) return;
  armed_deadline_ns_ = next_ns;
  if (next_ns == UINT64_MAX) {
    uv_timer_stop(deadline_.get());
    return;
  }
  constexpr uint64_t kNsPerMs = 1'000'000;
  const uint64_t now_ns = parts_.engine.environment().monotonic_ns();
  const uint64_t left_ms = next_ns <= now_ns ? 0 : (next_ns - now_ns + kNsPerMs - 1) / kNsPerMs;
  const auto on_timer = [](uv_timer_t* handle) {
    if (Reactor* self = owner_of(handle)) self->on_deadline();
  };
  uv_timer_start(deadline_.get(), on_timer, left_ms, 0);
}

// Gates say what must wait, not when it may go on: it is asked again.
void Reactor::resume_postponed() {
  if (!parts_.pause.is_on()) parts_.turn.resume_postponed();
}

void Reactor::work_in_background() {
  const bool had_work_left = work_left_;
  // While clients are paused nothing changes, so that a replica can take over what it sees.
  work_left_ = !parts_.pause.is_on() && parts_.engine.tick(kTurnBudgetNs);
  parts_.turn.mark_changed();
  if (work_left_ && !had_work_left) {
    uv_idle_start(busy_.get(), [](uv_idle_t*) {});
  } else if (!work_left_ && had_work_left) {
    uv_idle_stop(busy_.get());
  }
}

}  // namespace roxdb::net
