// wiring.h: the plan of the house on one page: every room's object, in the order in which they are
// built and need each other. There is no other place where rooms meet.
//
//   gates, in order           loading, ACL, busy with a script, memory, disk, Pub/Sub, pause,
//   MULTI,
//                             HOTKEYS, MONITOR
//   sinks, in order           the log, WATCH, client tracking, notifications
//   services for commands     what the constructor provides, and what rooms provide themselves
#pragma once

#include <memory>

#include "app/config_file.h"
#include "app/log_file.h"
#include "app/process.h"
#include "base/log.h"
#include "commands/server/command_state.h"
#include "engine/engine.h"
#include "engine/memory_gate.h"
#include "net/listeners.h"
#include "net/loop.h"
#include "net/metrics_server.h"
#include "net/reactor.h"
#include "persist/persistence.h"
#include "scripting/scripting.h"
#include "server/acl.h"
#include "server/clients.h"
#include "server/hot_keys.h"
#include "server/loading_gate.h"
#include "server/metrics.h"
#include "server/monitor.h"
#include "server/notifications.h"
#include "server/pause.h"
#include "server/pubsub.h"
#include "server/session.h"
#include "server/shutdown.h"
#include "server/tracking.h"
#include "server/transaction.h"

namespace roxdb::app {

// Gates in the order in which they are asked. What a client may not know comes before what it may.
enum GateOrder : int {
  kLoadingGate,
  kAclGate,
  kBusyGate,
  kMemoryGate,
  kDiskGate,
  kPubSubGate,
  kPauseGate,        // what is refused anyway is refused at once
  kTransactionGate,  // only what could run now is queued
  kHotKeysGate,      // weighs what runs
  kMonitorGate,      // the last: sees what runs
};

// Sinks in the order in which they hear of a change. The log, which is told of whole units and not
// of changes, is the first (persist/persistence.cc).
enum SinkOrder : int {
  kWatchSink = 1,
  kTrackingSink,
  kNotificationSink,
};

class House {
 public:
  House();
  ~House();
  House(const House&) = delete;
  House& operator=(const House&) = delete;

  // Before the configuration is read.
  Logger log;
  net::Loop loop;
  net::LoopExecutor executor{loop};
  engine::Engine engine;
  LogFile log_file{log, engine.settings};
  ProcessSettings process{engine.settings};
  OomScore oom_score{engine.settings, engine.environment(), log};
  ConfigFile config_file;
  commands::CommandState command_state{engine};
  engine::MemoryGate memory_gate{engine, kMemoryGate};
  persist::Persistence persistence{engine, kDiskGate};
  scripting::Scripting scripting{engine, kBusyGate};
  server::Clients clients{engine};
  server::Acl acl{engine, clients, kAclGate};
  server::Turn turn{engine, clients, &persistence};
  server::Transactions transactions{engine, clients, kTransactionGate, kWatchSink};
  server::PubSub pubsub{engine, clients, turn, kPubSubGate};
  server::Tracking tracking{engine, clients, turn, kTrackingSink};
  server::HotKeys hot_keys{engine, clients, kHotKeysGate};
  server::Monitor monitor{engine, clients, turn, kMonitorGate};
  server::Notifications notifications{engine, pubsub, kNotificationSink};
  server::LoadingGate loading_gate;
  server::Pause pause{engine, turn, kPauseGate};
  server::Shutdown shutdown{engine, clients, &persistence};
  net::Listeners listeners{loop, engine, clients, turn, acl.authentication()};
  net::MetricsServer metrics{loop, engine, [this] { return server::metrics_text(engine); }};

  // Once it has been read, and we are the process that will serve.
  std::unique_ptr<net::Reactor> reactor;

 private:
  void register_settings();

  int64_t databases_ = kDatabases;
  std::vector<std::string> renamed_commands_;  // old and new name by turns
};

}  // namespace roxdb::app
