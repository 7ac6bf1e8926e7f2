// gates_and_sinks.h: who may refuse a command before it runs, and who hears of a change after it.
//
//   request --> gate --> gate --> handler --> keys changed --> sink.on_change, at once
//                 \                    \----> unit complete --> sink.on_unit, in order
//                  `-- refused: an error reply, no effect at all (E17)
//
// app/wiring.cc lists both, in order, on one page. Only armed ones are visited: a gate that can
// refuse nothing now and a sink that nobody listens to cost the hot path nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/status.h"
#include "engine/command.h"
#include "engine/events.h"
#include "engine/session.h"

namespace roxdb::engine {

using Args = std::span<const std::string_view>;

enum class Verdict : uint8_t {
  kPass,
  kRefuse,    // `refusal` is the error reply
  kQueued,    // for the EXEC of a transaction: the session keeps it; the reply says so
  kPostpone,  // not now: the session keeps the request and tries again later
  kWait,      // the handler waits for keys: it has replied nothing and will run again (waiting.h)
};

// What a request does: its command's flags, and for EXEC those of all that it will run.
inline Flags flags_of(const Session& session, const CommandSpec& spec) {
  return (spec.flags & kRunsQueued) == 0 ? spec.flags : spec.flags | session.queued_flags;
}

class Gate {
 public:
  virtual ~Gate() = default;
  // Whether it is asked about the parts of a larger unit, too: each command of a transaction when
  // EXEC runs it, each call of a script. Rights are; what was settled for the whole is not.
  virtual bool asks_about_parts() const { return false; }
  virtual Verdict check(Session& session, const CommandSpec& spec, Args args, Status& refusal) = 0;
};

// One key changed. Views live during the call.
struct KeyChange {
  int db;
  std::string_view key;
  Event event;
};

// What to write down so that replay gives the same keyspace: one command in settled form.
struct LogCommand {
  int db;
  Args args;
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual void on_change(const KeyChange& change) { static_cast<void>(change); }
  // A key was looked for to be read, and was not there.
  virtual void on_miss(int db, std::string_view key) {
    static_cast<void>(db);
    static_cast<void>(key);
  }
  // A whole database was emptied or swapped: every key of it may have changed. -1: all databases.
  virtual void on_database_changed(int db) { static_cast<void>(db); }
  // One unit is complete: all its commands become visible, and durable, together (D2).
  virtual void on_unit(std::span<const LogCommand> commands) { static_cast<void>(commands); }
};

}  // namespace roxdb::engine
