#include "net/handshakes.h"

#include <algorithm>

#include "base/limits.h"
#include "net/tls_connection.h"

namespace roxdb::net {
namespace {

// Those who may ask again in one turn: more than it has time for, and not all that wait.
constexpr size_t kResumedMax = 16;

}  // namespace

Handshakes::Handshakes(Loop& loop)
    : loop_(loop),
      timer_(make_handle<uv_timer_t>(loop.handle(), uv_timer_init, this)),
      turn_(make_handle<uv_prepare_t>(loop.handle(), uv_prepare_init, this)) {}

void Handshakes::close() {
  timer_.reset();
  turn_.reset();
}

void Handshakes::begin(TlsConnection& connection) {
  Ticket& ticket = connection.handshake;
  ticket.deadline_ms = loop_.now_ms() + static_cast<uint64_t>(timeout_seconds) * 1000;
  ticket.place = under_way_.insert(under_way_.end(), &connection);
  if (under_way_.size() > 1) return;
  arm_timer();
  uv_prepare_start(turn_.get(), [](uv_prepare_t* handle) {
    if (auto* const self = static_cast<Handshakes*>(handle->data)) self->on_turn();
  });
}

void Handshakes::end(TlsConnection& connection) {
  Ticket& ticket = connection.handshake;
  if (ticket.deadline_ms != 0) under_way_.erase(ticket.place);
  if (ticket.is_postponed) postponed_.erase(ticket.postponed);
  ticket = {};
}

bool Handshakes::has_time() const { return spent_ns_ < kTurnBudgetNs; }

void Handshakes::postpone(TlsConnection& connection) {
  Ticket& ticket = connection.handshake;
  if (ticket.is_postponed || ticket.deadline_ms == 0) return;
  ticket.is_postponed = true;
  ticket.postponed = postponed_.insert(postponed_.end(), &connection);
}

// Before the loop waits for sockets: whoever reads again now is ready at once.
void Handshakes::on_turn() {
  spent_ns_ = 0;
  for (size_t i = std::min(postponed_.size(), kResumedMax); i > 0; --i) {
    TlsConnection& connection = *postponed_.front();
    postponed_.pop_front();
    connection.handshake.is_postponed = false;
    connection.resume();
  }
  if (under_way_.empty()) uv_prepare_stop(turn_.get());
}

void Handshakes::on_timer() {
  while (!under_way_.empty() && under_way_.front()->handshake.deadline_ms <= loop_.now_ms()) {
    TlsConnection& connection = *under_way_.front();
    end(connection);
    connection.time_out();
  }
  arm_timer();
}

// One timer for the one that came first; it may find that this one is open by now.
void Handshakes::arm_timer() {
  if (under_way_.empty()) return;
  const uint64_t now_ms = loop_.now_ms();
  const uint64_t deadline_ms = under_way_.front()->handshake.deadline_ms;
  const auto on_fire = [](uv_timer_t* handle) {
    if (auto* const self = static_cast<Handshakes*>(handle->data)) self->on_timer();
  };
  uv_timer_start(timer_.get(), on_fire, deadline_ms > now_ms ? deadline_ms - now_ms : 0, 0);
}

}  // namespace roxdb::net
