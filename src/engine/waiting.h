// waiting.h: commands that wait for keys: BLPOP, BZPOPMIN, XREAD BLOCK and their kin.
//
//   handler finds nothing --call.wait()--> queue of each of its keys, in order of arrival
//                                             |
//   a unit changes such a key: noted          |   on_change()
//   that unit ends: serve()                   v
//       data there: the handler runs again, as a unit of its own, and replies
//       not enough for it: it waits on, in its place
//   the time is up, or CLIENT UNBLOCK: the handler runs once more and call.timed_out() is true
//   CLIENT UNBLOCK ... ERROR: the reply is -UNBLOCKED, the handler is not asked
//   the client is gone: forget()
//
// A handler that may wait looks like this:
//
//   Status blpop_command(Call& call) {
//     if (call.timed_out()) return call.reply_null_array();
//     ROX_TRY(const int64_t timeout_ms, read_timeout(call, call.argc() - 1, ...));
//     ... a key that has what is wanted: act, reply, call.log_as() what was done; return ...
//     if (!call.may_wait()) return call.reply_null_array();
//     return call.wait({.type = TypeId::kList, .first_key = 1, .keys = n, ...});
//   }
//
// In a transaction, a script or a library nobody may wait: it is as if the time were up at once.
// It must have changed nothing when it waits. What its arguments mean only now ("$" of XREAD) it
// replaces: see WaitFor::args. Keys are served in the order in which they changed, clients of one
// key first come first served, each until the key holds no more; what a service itself changes
// (BLMOVE onto a waited key) comes next. All of it happens before anything else runs, so the log of
// a served pop is in the same turn as the push, and written before the reply goes out (D1, D3).
//
// The sink is armed while somebody waits; without, changes cost nothing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "engine/gates_and_sinks.h"
#include "engine/session.h"
#include "resp/reply.h"
#include "types/entry.h"

namespace roxdb::engine {

class Engine;

// What a command waits for.
struct WaitFor {
  types::TypeId type;  // keys that hold another type are not looked at
  size_t first_key;    // argument numbers
  size_t keys;
  int64_t timeout_ms = 0;  // from now; 0: for ever
  bool when_gone = false;  // runs again, too, when a key vanishes or changes its type
  Args args = {};          // the request to run again; empty: as it was received
};

// Whoever has sessions that may wait. Sessions are made with Session::may_wait.
class WaitingHost {
 public:
  // Where the reply to a waiting command goes that is about to be run again.
  virtual resp::Reply& late_reply(Session& session) = 0;
  // It has been made: the session goes on with its next request.
  virtual void end_wait(Session& session) = 0;

 protected:
  ~WaitingHost() = default;
};

class Waiting final : public Sink {
 public:
  enum class Unblock : uint8_t { kTimeOut, kError };

  explicit Waiting(Engine& engine);
  ~Waiting();

  // REQUIRED before a session that may wait runs anything. Outlives their waiting.
  void set_host(WaitingHost* host) { host_ = host; }

  // Enters the queues; the session's place and time stay those of its first wait. The arguments are
  // copied.
  void wait(Session& session, Args args, const WaitFor& what);
  // The session goes away. Nothing is replied.
  void forget(Session& session);
  // Ends the waiting with the next serve(); false when the session does not wait.
  bool unblock(Session& session, Unblock how);
  // Lets go those whose time is up, with the next serve(). Reads the monotonic clock.
  void check_deadlines();
  // Those that a gate has postponed may try again.
  void retry_postponed();
  // True: serve() has something to do.
  bool is_due() const { return is_due_; }
  // Runs what can run again, until nothing more becomes ready. REQUIRES: no unit is open.
  void serve();

  // When check_deadlines() has work: monotonic, UINT64_MAX: never.
  uint64_t next_deadline_ns() const {
    return deadlines_.empty() ? UINT64_MAX : deadlines_.begin()->first;
  }
  size_t sessions() const { return waiters_.size(); }
  size_t sessions_with_deadline() const { return deadlines_.size(); }
  size_t keys() const { return queues_.size(); }
  size_t keys_watched_for_end() const;  // by somebody who asked for WaitFor::when_gone
  // Bytes kept for one waiting session; 0 when it does not wait.
  static size_t bytes(const Session& session);
  // Its command runs to say that nothing came.
  static bool has_timed_out(const Session& session);

  void on_change(const KeyChange& change) override { note(change.db, change.key); }
  void on_database_changed(int db) override;

  void check() const;

 private:
  using Serial = uint64_t;  // ascends as waiters arrive
  struct KeyName {
    int db;
    std::string name;
  };
  struct KeyView {
    int db;
    std::string_view name;
  };
  // Clients choose the names: the table's keyed hash serves here, too.
  struct Hash {
    using is_transparent = void;
    const Engine* engine;
    size_t operator()(const KeyView& key) const;
    size_t operator()(const KeyName& key) const { return (*this)(KeyView{key.db, key.name}); }
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.db == b.db && std::string_view(a.name) == std::string_view(b.name);
    }
  };
  struct Queue {
    std::map<Serial, Waiter*> waiters;
    size_t when_gone = 0;
    bool is_ready = false;  // on the list of those to be served
  };

  void note(int db, std::string_view key);
  void note(const KeyName& key, Queue& queue);
  void serve_key(const KeyName& key);
  void serve_leaving(Serial serial);
  bool wakes(const Waiter& waiter, const KeyName& key) const;
  bool run_again(Waiter& waiter);
  void finish(Waiter& waiter);
  void leave(Waiter& waiter);

  Engine& engine_;
  WaitingHost* host_ = nullptr;
  std::map<Serial, std::unique_ptr<Waiter>> waiters_;
  std::unordered_map<KeyName, Queue, Hash, Equal> queues_{0, Hash{&engine_}};
  std::set<std::pair<uint64_t, Serial>> deadlines_;
  Serial last_serial_ = 0;

  bool is_due_ = false;
  bool is_serving_ = false;
  std::vector<KeyName> ready_;      // in the order in which they changed
  std::vector<KeyName> postponed_;  // changed, but a gate said: not now
  std::vector<Serial> leaving_;     // timed out or unblocked
};

}  // namespace roxdb::engine
