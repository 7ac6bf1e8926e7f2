#include "server/pause.h"

#include <algorithm>

#include "server/session.h"

namespace roxdb::server {

void Pause::start(Mode mode, uint64_t end_ms) {
  mode_ = is_on_ ? std::max(mode_, mode) : mode;
  end_ms_ = is_on_ ? std::max(end_ms_, end_ms) : end_ms;
  is_on_ = true;
  engine_.arm(this, order_);
}

void Pause::stop() {
  if (!is_on_) return;
  is_on_ = false;
  engine_.disarm(this);
  turn_.resume_postponed();
}

void Pause::tick(uint64_t now_ms) {
  if (is_on_ && now_ms >= end_ms_) stop();
}

engine::Verdict Pause::check(engine::Session& session, const engine::CommandSpec& spec,
                             engine::Args, Status&) {
  constexpr engine::Flags kChanges = engine::kWrite | engine::kMayReplicate;
  const bool waits = session.kind == engine::Session::Kind::kClient &&
                     (mode_ == Mode::kAll || (engine::flags_of(session, spec) & kChanges) != 0);
  return waits ? engine::Verdict::kPostpone : engine::Verdict::kPass;
}

}  // namespace roxdb::server
