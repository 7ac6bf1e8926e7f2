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
  // SIGINT or SIGTERM arrived.
  void on_signal(int signal);
  bool is_stopping() const { return is_stopping_; }

  std::function<void()> on_stop;

 private:
  void register_setting(const char* name, persist::ShutdownRequest* request, std::string* text);

  engine::Engine& engine_;
  Clients& clients_;
  persist::Persistence* const persistence_;
  bool is_stopping_ = false;
  bool has_failed_ = false;
  persist::ShutdownRequest on_sigint_;
  persist::ShutdownRequest on_sigterm_;
  std::string on_sigint_text_ = "default";
  std::string on_sigterm_text_ = "default";
};

}  // namespace roxdb::server
