// session.h: on whose behalf commands run. A client connection, the log's replay and the library's
// handle each have one; the server's Client derives from it.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"

namespace roxdb::engine {

struct CommandSpec;
struct Prepared;  // engine.h
struct Waiter;    // waiting.h

class Session {
 public:
  enum class Kind : uint8_t {
    kClient,   // a connection; is a server::Client
    kScript,   // what a script calls; acts with the rights of its `principal`
    kReplay,   // the log or a snapshot being loaded: no gates, no sinks
    kLibrary,  // an embedding program
  };

  explicit Session(Kind session_kind) : kind(session_kind) {}
  virtual ~Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Whether it acts from this machine: what the value `local` of enable-debug-command allows.
  virtual bool is_local() const { return kind != Kind::kClient; }
  // As SLOWLOG shows them: "127.0.0.1:40314", and what CLIENT SETNAME said.
  virtual std::string address() const { return "?:0"; }
  virtual std::string client_name() const { return {}; }
  // A request was refused before it ran, with `why`; returns what is replied, whose text lives
  // until the next call. `spec` is null for a command that is not known. A transaction that is
  // being queued fails here.
  virtual Status on_refused(const CommandSpec* spec, const Status& why) {
    static_cast<void>(spec);
    return why;
  }
  // A gate has queued this request: keeps what it needs of it. Views die after the call.
  virtual void on_queued(const Prepared& prepared) { static_cast<void>(prepared); }

  const Kind kind;
  Session* principal = nullptr;  // of a script: whose rights it has; never null for kScript
  uint32_t queued_flags = 0;     // of all commands that its EXEC would run (command.h)
  bool no_touch = false;         // CLIENT NO-TOUCH: reads leave the access clocks alone
  bool is_subscribed = false;    // to Pub/Sub: under RESP2, PING answers as a message would look
  int db = 0;                    // SELECT
  // Whether commands may wait for keys; else they answer at once, as in a transaction.
  bool may_wait = false;
  Waiter* waiter = nullptr;  // it waits, or runs again because it does
};

}  // namespace roxdb::engine
