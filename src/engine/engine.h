// engine.h: the library's heart. All state of one database server hangs off an Engine; two of them
// live in one process without knowing of each other. It names no socket, starts no thread and asks
// nobody for the time but its Environment.
//
//   prepare()          name -> command, keys -> hashes           one chunk of a batch at a time,
//   Lookahead::run()   asks for buckets and entries of all       so that memory is waited for
//   prepare_members()  members of big collections -> hashes      once per chunk and step
//   Lookahead::run()   asks for buckets and items of all
//   execute()          gates, handler, sinks
//
// execute(session, args, reply) does it for a single command.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "base/executor.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/page_probe.h"
#include "base/process_info.h"
#include "engine/command_table.h"
#include "engine/gates_and_sinks.h"
#include "engine/info.h"
#include "engine/keyspace.h"
#include "engine/services.h"
#include "engine/session.h"
#include "engine/settings.h"
#include "engine/slow_turns.h"
#include "engine/waiting.h"
#include "resp/reply.h"

namespace roxdb::engine {

using containers::Lookahead;

// Counters that INFO stats shows. Only the thread that owns the data writes them.
struct Statistics {
  uint64_t commands_processed = 0;
  uint64_t keyspace_hits = 0;
  uint64_t keyspace_misses = 0;
  uint64_t expired_keys = 0;
  uint64_t expired_fields = 0;  // of hashes
  uint64_t evicted_keys = 0;
  uint64_t expired_time_cap_reached = 0;
  uint64_t error_replies = 0;
  uint64_t freed_in_background = 0;
  uint64_t being_freed = 0;  // handed to the executor, not yet done
  uint64_t expire_ns = 0;    // spent looking for what is due and removing it
  std::vector<std::pair<std::string, uint64_t>> errors;  // by code: "ERR", "WRONGTYPE"
  uint64_t errors_of_more_codes = 0;                     // beyond kErrorCodesMax
};

// One request on its way through prepare and execute.
struct Prepared {
  Command* command = nullptr;  // null: unknown
  bool is_runnable = false;    // it has a handler and its arguments are as many as they should be
  bool names_members = false;  // prepare_members() has something to look for
  Args args;
  uint64_t* hashes = nullptr;  // one per argument; 0: not a key, or not hashed
};

// How long a command took, for those who watch (slow log, latency monitor).
struct Execution {
  const Command& command;
  Session& session;
  Args args;
  uint64_t duration_ns;
  Breakdown why = {};
  uint64_t turn = 0;  // the serial of the turn it ran in; 0: in none
};

class Engine {
  // A command of the running unit: its arguments lie in unit_text_.
  struct UnitCommand {
    int db;
    size_t args;  // in unit_args_: the first one
    size_t count;
  };
  // The turn that runs; all zero when none does. Times are cycles.
  struct Turn {
    const Batch* batch = nullptr;  // null: none runs
    size_t requests = 0;
    uint64_t serial = 0;
    uint64_t began = 0;
    const Command* slowest = nullptr;
    uint64_t slowest_cycles = 0;
    uint64_t waited_cycles = 0;  // those behind a slow command, until it had ended
    uint64_t waiting = 0;        // how many
  };

 public:
  struct Options {
    Environment* environment = nullptr;  // null: the real one
    Executor* executor = nullptr;        // null: work is done at once
    const Logger* log = nullptr;         // null: silence
    int databases = kDatabases;
    std::optional<uint64_t> hash_seed;                    // tests only: a repeatable table hash
    std::span<const CommandFamily* const> families = {};  // empty: all of the build's table
  };
  explicit Engine(const Options& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // --- commands ----------------------------------------------------------------------------

  // Runs one command: exactly one reply is made, unless the verdict is kPostpone or kWait. Those
  // who waited for what it changed are served before it returns.
  Verdict execute(Session& session, Args args, resp::Reply& reply);
  // The same in steps, for batches. `hashes` has one element per argument, all 0, and outlives
  // execute(). `ahead`: where the request's keys are added, for the caller to run before the first
  // execute(); null: nowhere. What changes behind a run costs only speed.
  Prepared prepare(const Session& session, Args args, uint64_t* hashes, Lookahead* ahead = nullptr);
  // The second step of reading ahead, once what prepare() added has run: adds the members that the
  // request names of a big collection. REQUIRES: names_members.
  void prepare_members(const Session& session, const Prepared& prepared, Lookahead& ahead) const;
  // Both steps for requests that are prepared already. `ahead` must be empty.
  void look_ahead(const Session& session, std::span<const Prepared> requests,
                  Lookahead& ahead) const;
  Verdict execute(Session& session, const Prepared& prepared, resp::Reply& reply);

  CommandTable& commands() { return commands_; }
  const CommandTable& commands() const { return commands_; }

  // --- data --------------------------------------------------------------------------------

  int databases() const { return static_cast<int>(keyspaces_.size()); }
  // Changes the number of databases. REQUIRES: all empty, before serving.
  void set_databases(int count);
  Keyspace& keyspace(int db);  // created at first use
  const Keyspace* keyspace_if_used(int db) const {
    return keyspaces_[static_cast<size_t>(db)].get();
  }
  uint64_t hash(std::string_view key) const { return hash_bytes(key, secret_); }
  Key key(std::string_view name) const { return {name, hash(name)}; }
  const HashSecret& secret() const { return secret_; }

  // The live cell of a key: an expired one is removed (and logged) first. Null when absent.
  Cell* find(int db, const Key& key);
  // Removes a key that memory needs; logged as a deletion. `key` may be the entry's own bytes.
  void evict(int db, const Key& key, Cell& cell);
  // Removes a key; a big value is freed in the background. Nobody is told.
  void erase(int db, const Key& key, Cell& cell);
  void flush(int db, bool in_background);  // -1: all
  void swap_databases(int a, int b);
  // Puts other databases, as many, in the place of all; returns the old ones. Null members are
  // empty. Nobody is told.
  std::vector<std::unique_ptr<Keyspace>> exchange(std::vector<std::unique_ptr<Keyspace>> databases);
  // Total keys of all databases.
  size_t size() const;

  // --- time --------------------------------------------------------------------------------

  // Wall clock in ms as of the last refresh; the server refreshes once per batch and after whatever
  // takes long, so that all commands of a batch agree on what has expired.
  int64_t now_ms() const { return now_ms_; }
  void refresh_clock();
  // Sets it to another moment, until the next refresh: each unit of the log is replayed at the time
  // it first ran.
  void set_clock(int64_t now_ms);
  // Redis's access clock for Entry::access(): minutes and counter (LFU) or seconds (LRU).
  uint32_t fresh_access() const;
  void touch(Entry& entry);
  uint32_t idle_seconds(const Entry& entry) const;
  uint8_t frequency(const Entry& entry) const;
  uint64_t string_bytes_max = kStringBytesMax;  // of what APPEND and SETRANGE may grow to
  uint64_t reply_bytes_max = kReplyBytesMax;    // of one reply, or what clients may be sent
  // From this size on LargeCommands is told of a request or a reply.
  uint64_t large_request_bytes = UINT64_MAX;
  uint64_t large_reply_bytes = UINT64_MAX;
  types::Limits limits;   // where values change their encoding
  bool uses_lfu = false;  // set by maxmemory-policy
  int64_t lfu_log_factor = 10;
  int64_t lfu_decay_minutes = 1;

  // Background work: expiry by segment marks, trash, within `budget_ns`. Called every
  // 1000 / hz ms. Returns true when work is left over and it wants to run again soon.
  bool tick(uint64_t budget_ns);
  int64_t hz = 10;             // the setting of that name
  bool freeze_access = false;  // while a child shares our pages: reads must not write to them
  bool active_expire = true;   // DEBUG SET-ACTIVE-EXPIRE
  bool expire_on_access =
      true;  // false while loading, and on a replica: an expired key is only hidden

  // --- changes -----------------------------------------------------------------------------

  // Units nest; the outermost end hands everything logged since to the sinks as one (D2).
  void begin_unit() { unit_depth_++; }
  void end_unit() {
    if (--unit_depth_ == 0 && !unit_commands_.empty()) deliver_unit();
  }
  // Something runs: what a gate is asked about now is a part of it.
  bool has_open_unit() const { return unit_depth_ > 0; }
  // While it lives, the running unit stands still and commands of others are units of their own.
  // They change no data: what the unit has done so far is half of something. Nor does anything
  // expire meanwhile, and the unit's clock stands still.
  class Aside {
   public:
    explicit Aside(Engine& engine)
        : engine_(engine), expires_(engine.expire_on_access), now_ms_(engine.now_ms()) {
      exchange();
      engine_.is_aside_ = true;
      engine_.expire_on_access = false;
    }
    ~Aside() {
      exchange();
      engine_.is_aside_ = false;
      engine_.expire_on_access = expires_;
      engine_.set_clock(now_ms_);
    }
    Aside(const Aside&) = delete;
    Aside& operator=(const Aside&) = delete;

   private:
    void exchange();

    Engine& engine_;
    const bool expires_;
    const int64_t now_ms_;
    int unit_depth_ = 0;
    std::string unit_text_;
    std::vector<std::pair<size_t, size_t>> unit_args_;
    std::vector<UnitCommand> unit_commands_;
    Turn turn_;
  };
  // The running command is part of a larger unit: the state of this moment is half of one.
  bool inside_larger_unit() const { return unit_depth_ > 1 || is_aside_; }
  bool is_aside() const { return is_aside_; }
  // Adds a command to the unit; bytes are copied.
  void log(int db, Args args);
  void notify(int db, std::string_view key, Event event) {
    if (has_listeners()) [[unlikely]]
      deliver_change({db, key, event});
  }
  void notify_database_changed(int db);
  // Counts the text of an error reply, or of what stands for one in a script.
  void count_error(std::string_view text);
  // A read found no such key: counts it.
  void missed(int db, std::string_view key) {
    statistics.keyspace_misses++;
    if (has_listeners()) [[unlikely]]
      deliver_miss(db, key);
  }
  uint64_t dirty = 0;  // changes since the last save; persistence resets it

  void arm(Gate* gate, int order);  // visited in ascending order
  void disarm(Gate* gate);
  void arm(Sink* sink, int order);
  void disarm(Sink* sink);
  // False: nobody listens, and what a change would say need not even be put together.
  bool has_listeners() const { return !sinks_.empty() && !silent_; }
  // Calls `observer` after each command that took at least `threshold_ns`, parts of larger units
  // included, and tells it why. `owner` is its name: who observes already, observes this instead.
  void observe(const void* owner, uint64_t threshold_ns,
               std::function<void(const Execution&)> observer);
  // The same after every command, at the cost of two calls. It is not told why (Execution::why is
  // empty unless somebody else finds the command slow), so that nothing is looked up for it.
  void observe_all(const void* owner, std::function<void(const Execution&)> observer);
  void stop_observing(const void* owner);
  bool track_latencies = true;  // whether each command's histogram grows (latency-tracking)
  // Command::duration_cycles in these units is nanoseconds.
  double ns_per_cycle() const;

  // --- what was slow, and why: see slow_turns.h --------------------------------------------

  SideWork side_work;
  // The shortest time that somebody wants to hear of; UINT64_MAX: nobody does.
  uint64_t slow_ns() const;
  // A turn begins with a batch of so many requests, which lives until end_turn(); refreshes the
  // clock.
  void begin_turn(const Batch& batch, size_t requests);
  // Its replies are sent. In cycles: when its commands had run, and when its log was written.
  // Tells SlowTurns if the turn was slow.
  void end_turn(uint64_t executed_at, uint64_t logged_at);
  uint64_t turn_serial() const { return turn_.serial; }  // 0 outside of turns
  // Something has just kept everybody waiting for so long, in a turn or outside of one.
  void stalled(Cause cause, uint64_t duration_ns);
  // The same for evicting keys, which may happen before every command.
  void evicted(uint64_t cycles);
  // A child was just forked: its pages are ours until one of us writes to them.
  void forked(uint64_t duration_ns);

  // --- what hangs off it -------------------------------------------------------------------

  Environment& environment() { return *environment_; }
  Executor& executor() { return *executor_; }
  const Logger& log() const { return *log_; }
  Services services;
  Settings settings;
  InfoSections info;
  Statistics statistics;
  Random random;
  Waiting waiting{*this};

 private:
  friend class Call;
  friend class Waiting;

  void deliver_unit();
  void deliver_change(const KeyChange& change);
  void deliver_miss(int db, std::string_view key);
  Verdict pass_gates(Session& session, const Prepared& prepared, resp::Reply& reply);
  // Tells the session, and replies what it says.
  void refuse(Session& session, const CommandSpec* spec, const Status& why, resp::Reply& reply);
  // The part of execute() behind the gates.
  Verdict run(Session& session, const Prepared& prepared, resp::Reply& reply);
  // Answers what cannot run at all: unknown, wrong number of arguments.
  void refuse_malformed(Session& session, const Prepared& prepared, resp::Reply& reply);
  // A command begins: so does a request, unless it is a part of one.
  void begin_next(uint64_t cycles) {
    side_work.begin(SideWork::Span::kCommand, cycles);
    if (unit_depth_ == 0) side_work.begin(SideWork::Span::kRequest, cycles);
  }
  struct Observer {
    const void* owner;
    uint64_t threshold_ns;
    bool hears_all;  // whatever was slow or not
    std::function<void(const Execution&)> call;
  };
  void add_observer(Observer observer);
  void set_slow_cycles(uint64_t cycles);
  void report(Session& session, const Prepared& prepared, uint64_t began, uint64_t cycles);
  void explain(Execution& execution, uint64_t began, uint64_t cycles);
  void report_slow_turn(uint64_t executed_at, uint64_t logged_at, uint64_t ended_at);
  Breakdown breakdown(SideWork::Span span, uint64_t began, uint64_t cycles) const;
  uint64_t ns_of(uint64_t cycles) const {
    return static_cast<uint64_t>(static_cast<double>(cycles) * observed_ns_per_cycle_);
  }
  void note_page_faults();
  void reply_error(resp::Reply& reply, const Status& status);
  void expire(int db, const Key& key, Cell& cell);
  // Removes fields of a hash that are due, some at a time, and the key when none are left: false.
  bool expire_fields(int db, const Key& key, Cell& cell);
  // Removes what is due of a key: itself, or fields of it. False: the key is gone.
  bool expire_due_of(int db, const Key& key, Cell& cell);
  void remove(int db, const Key& key, Cell& cell, Event event);
  bool expire_due(uint64_t deadline_ns);
  void empty_trash(Keyspace& keyspace);
  void freed_in_background(size_t count);
  struct ReturningGarbage;
  bool take_back_garbage();

  Environment* environment_;
  InlineExecutor inline_executor_;
  Executor* executor_;
  Logger silence_;
  const Logger* log_;
  HashSecret secret_;
  CommandTable commands_;
  std::vector<std::unique_ptr<Keyspace>> keyspaces_;
  std::vector<std::pair<int, Gate*>> gates_;
  std::vector<std::pair<int, Sink*>> sinks_;

  int unit_depth_ = 0;
  bool is_aside_ = false;  // an Aside lives
  bool silent_ = false;    // the log is being replayed: nobody is told
  std::string unit_text_;
  std::vector<std::pair<size_t, size_t>> unit_args_;  // (offset, size) in unit_text_
  std::vector<UnitCommand> unit_commands_;

  int64_t now_ms_ = 0;
  uint32_t access_clock_ = 0;
  uint64_t start_cycles_ = 0;
  uint64_t start_ns_ = 0;
  uint64_t slow_cycles_ = UINT64_MAX;      // what the least patient observer calls slow
  uint64_t reported_cycles_ = UINT64_MAX;  // the same, or 0 when somebody hears of all
  double observed_ns_per_cycle_ = 1;       // as of the last tick
  Turn turn_;
  uint64_t turns_ = 0;
  PageProbe page_probe_;
  uint64_t page_copy_cycles_ = 0;  // what a page costs that a child shares
  PageFaults page_faults_;         // as of page_faults_at_
  uint64_t page_faults_at_ = 0;    // cycles
  std::vector<Observer> observers_;

  size_t expire_db_ = 0;  // where the background cycle goes on
  uint64_t expire_cursor_ = 0;
  std::vector<Entry*> due_;
  std::vector<std::shared_ptr<ReturningGarbage>> garbage_;  // taken apart, not yet in its slabs
};

}  // namespace roxdb::engine
