// shutdown.h: how a server ends (reliability D6). SHUTDOWN and the signals ask here; persistence
// makes everything safe first, and when it cannot, the server stays.
//
//   serving --request(): saved--> stopping: nothing more is executed --on_stop()--> the loop ends
//      ^          |
//      '----------'  not saved: the reason is logged; a second signal, or FORCE, leaves all the
//      same
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "engine/engine.h"
#include "persist/persistence.h"
#include "server/clients.h"

namespace roxdb::server {

class Shutdown {
 public:
  // Registers shutdown-on-sigint and shutdown-on-sigterm. `persistence` null: nothing to save.
  Shutdown(engine::Engine& engine, Clients& clients, persist::Persistence* persistence);

  // Ok: everything is safe, and on_stop() has been called. Blocks while a snapshot is written.
  Status request(const persist::ShutdownRequest& request);
  // SIGINT or SIGTERM arrived. In the middle of a script it is kept for run_pending(): what the
  // script has done so far is half of something, and must not be saved (D2).
  void on_signal(int signal);
  // At the end of a turn.
  void run_pending() {
    if (pending_signal_ != 0) on_signal(std::exchange(pending_signal_, 0));
  }
  bool is_stopping() const { return is_stopping_; }

  std::function<void()> on_stop;

 private:
  void register_setting(const char* name, persist::ShutdownRequest* request, std::string* text);

  engine::Engine& engine_;
  Clients& clients_;
  persist::Persistence* const persistence_;
  bool is_stopping_ = false;
  bool has_failed_ = false;
  int pending_signal_ = 0;
  persist::ShutdownRequest on_sigint_;
  persist::ShutdownRequest on_sigterm_;
  std::string on_sigint_text_ = "default";
  std::string on_sigterm_text_ = "default";
};

}  // namespace roxdb::server
