// monitor.h: MONITOR: clients that see every command that others run, as it is about to run:
//
//   1339518083.107412 [0 127.0.0.1:60866] "set" "key" "value"
//
// A gate, the last one, that lets everything pass; armed while anybody looks on. Commands of
// administrators are not shown, nor are arguments that hold secrets (reliability S3).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/engine.h"
#include "server/clients.h"
#include "server/session.h"

namespace roxdb::server {

class Monitor final : public engine::Gate {
 public:
  // All must outlive this.
  Monitor(engine::Engine& engine, Clients& clients, Turn& turn, int order);
  ~Monitor() override;

  void start(Client& client);
  void stop(Client& client);

  // Shows a request to all who look on. Cost O(1) when there is nobody.
  void show(const engine::Session& session, const engine::CommandSpec& spec, engine::Args args);

  // A transaction shows its commands when they run, and EXEC behind them; a script those that it
  // calls.
  bool asks_about_parts() const override { return true; }
  // Refuses what a client that looks on may not do, and shows the rest to those who look on.
  engine::Verdict check(engine::Session& session, const engine::CommandSpec& spec,
                        engine::Args args, Status& refusal) override;

 private:
  engine::Engine& engine_;
  Clients& clients_;
  Turn& turn_;
  const int order_;
  std::vector<uint64_t> ids_;
};

}  // namespace roxdb::server
