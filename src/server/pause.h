// pause.h: CLIENT PAUSE. While it lasts, requests of clients wait where they are: all of them, or
// only those that could change something. Nothing expires in the background meanwhile.
//
//   not paused --start()--> paused (armed) --stop(), or tick() after the end--> not paused
#pragma once

#include <cstdint>
#include <functional>

#include "engine/engine.h"

namespace roxdb::server {

class Turn;

class Pause final : public engine::Gate {
 public:
  enum class Mode : uint8_t { kWrites, kAll };

  // Adds to INFO clients. Both must outlive this.
  Pause(engine::Engine& engine, Turn& turn, int order);

  // A pause that is on already is never made shorter, or weaker.
  void start(Mode mode, uint64_t end_ms);  // monotonic
  void stop();
  void tick(uint64_t now_ms);
  bool is_on() const { return is_on_; }
  // Whether a request that may write says of itself that it does not: a script. Empty: none does.
  std::function<bool(const engine::CommandSpec& spec, engine::Args args)> says_no_writes;

  engine::Verdict check(engine::Session& session, const engine::CommandSpec& spec,
                        engine::Args args, Status& refusal) override;

 private:
  engine::Engine& engine_;
  Turn& turn_;
  const int order_;
  bool is_on_ = false;
  Mode mode_ = Mode::kWrites;
  uint64_t end_ms_ = 0;
  uint64_t now_ms_ = 0;  // as of the last tick
};

}  // namespace roxdb::server
