#include "server/pause.h"

#include <algorithm>

#include "server/session.h"

namespace roxdb::server {

Pause::Pause(engine::Engine& engine, Turn& turn, int order)
    : engine_(engine), turn_(turn), order_(order) {
  engine.info.add("clients", [this](engine::InfoWriter& out) {
    out.field("paused_reason", is_on_ ? "client_pause" : "none");
    out.field("paused_actions", !is_on_ ? "none" : mode_ == Mode::kAll ? "all" : "write");
    out.field("paused_timeout_milliseconds",
              is_on_ ? end_ms_ - std::min(end_ms_, now_ms_) : uint64_t{0});
  });
}

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
  now_ms_ = now_ms;
  if (is_on_ && now_ms >= end_ms_) stop();
}

engine::Verdict Pause::check(engine::Session& session, const engine::CommandSpec& spec,
                             engine::Args args, Status&) {
  if (session.kind != engine::Session::Kind::kClient) return engine::Verdict::kPass;
  if (mode_ == Mode::kAll) return engine::Verdict::kPostpone;
  constexpr engine::Flags kChanges = engine::kWrite | engine::kMayReplicate;
  const engine::Flags changes = engine::flags_of(session, spec) & kChanges;
  const bool is_harmless =
      changes == 0 || (changes == engine::kMayReplicate && (spec.flags & changes) != 0 &&
                       says_no_writes && says_no_writes(spec, args));
  return is_harmless ? engine::Verdict::kPass : engine::Verdict::kPostpone;
}

}  // namespace roxdb::server
