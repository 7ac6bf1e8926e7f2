// waiting.h: commands that wait for keys: BLPOP, BZPOPMIN, XREAD BLOCK and their kin.
//
//   handler finds nothing --call.wait()--> queue of each of its keys, in order of arrival
//                                             |
//   a unit changes such a key: noted          |   on_change()
//   that unit ends: serve()                   v
//       data there: the handler runs again, as a unit of its own, and replies
//       not enough for it: it waits on, in its place
//   the moment it named comes (WaitFor::again_ms): the handler runs again, and may wait on
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

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/gates_and_sinks.h"
#include "engine/key_map.h"
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
  int64_t again_ms = 0;    // from now: runs again then, too; 0: never. Each run says it anew
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

  // Enters the queues; the session's place and time stay those of its first wait, only the moment
  // to run again is a new one. The arguments are copied.
  void wait(Session& session, Args args, const WaitFor& what);
  // The session goes away. Nothing is replied.
  void forget(Session& session);
  // Ends the waiting with the next serve(); false when the session does not wait.
  bool unblock(Session& session, Unblock how);
  // Lets go those whose time is up, and run again those whose moment has come, with the next
  // serve(). Reads the monotonic clock.
  void check_deadlines();
  // A key has more for those who wait than it had, although nobody is told that it changed.
  void note(int db, std::string_view key);
  // Those that a gate has postponed may try again.
  void retry_postponed();
  // True: serve() has something to do.
  bool is_due() const { return is_due_; }
  // Runs what can run again, until nothing more becomes ready. REQUIRES: no unit is open.
  void serve();

  // When check_deadlines() has work: monotonic, UINT64_MAX: never.
  uint64_t next_deadline_ns() const { return std::min(first_of(deadlines_), first_of(moments_)); }
  size_t sessions() const { return waiters_.size(); }
  size_t sessions_with_deadline() const { return deadlines_.size(); }
  size_t keys() const;
  size_t keys_watched_for_end() const;  // by somebody who asked for WaitFor::when_gone
  // Bytes kept for one waiting session, about; 0 when it does not wait. Each of those that wait for
  // one key pays for its queue.
  static size_t bytes(const Session& session);
  // Its command runs to say that nothing came.
  static bool has_timed_out(const Session& session);

  void on_change(const KeyChange& change) override { note(change.db, change.key); }
  void on_database_changed(int db) override;

  void check() const;

 private:
  using Serial = uint64_t;                              // ascends as waiters arrive
  using Times = std::set<std::pair<uint64_t, Serial>>;  // monotonic ns
  struct Queue {
    std::map<Serial, Waiter*> waiters;
    size_t when_gone = 0;
    bool is_ready = false;  // on the list of those to be served
  };
  // What is waited for in one database.
  struct Database {
    explicit Database(const HashSecret& secret) : queues(secret) {}
    KeyMap<Queue> queues;
    size_t when_gone = 0;  // the sum of those of its queues
  };
  using QueueOfKey = KeyMap<Queue>::value_type;

  QueueOfKey* find_queue(int db, std::string_view key);
  void enter(Waiter& waiter, std::string_view key);
  void note_keys_of(int db, Database& database);
  void note(const KeyName& key, Queue& queue);
  void serve_key(const KeyName& key);
  void serve_leaving(Serial serial);
  void serve_moment(Serial serial);
  bool wakes(const Waiter& waiter, const KeyName& key) const;
  bool run_again(Waiter& waiter);
  void finish(Waiter& waiter);
  void leave(Waiter& waiter);
  void set_moment(Waiter& waiter, int64_t again_ms);
  uint64_t ns_after(int64_t ms) const;
  static uint64_t first_of(const Times& times) {
    return times.empty() ? UINT64_MAX : times.begin()->first;
  }

  Engine& engine_;
  WaitingHost* host_ = nullptr;
  std::map<Serial, std::unique_ptr<Waiter>> waiters_;
  std::map<int, Database> databases_;  // where somebody waits, or has waited
  Times deadlines_;
  Times moments_;  // to run again
  Serial last_serial_ = 0;

  bool is_due_ = false;
  bool is_serving_ = false;
  std::vector<KeyName> ready_;      // in the order in which they changed
  std::vector<KeyName> postponed_;  // changed, but a gate said: not now
  std::vector<Serial> leaving_;     // timed out or unblocked
  std::vector<Serial> due_;         // their moment has come
  std::vector<Serial> postponed_due_;
};

}  // namespace roxdb::engine
