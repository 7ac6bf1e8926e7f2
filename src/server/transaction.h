// transaction.h: MULTI, EXEC and WATCH.
//
//   MULTI --> queueing: each request is looked at, kept and answered with QUEUED
//                |      a request is refused: the transaction has failed
//                |-- DISCARD, RESET, the client leaves: nothing has happened
//                '-- EXEC --> a request was refused:   -EXECABORT
//                         --> a watched key changed:   null, nothing runs
//                         --> all run, as one unit (D2), each with a reply of its own
//
//   WATCH --> every change of a key is heard (while anybody watches) and marks who watches it
//
// The rights to each command are looked at again when it runs: they may have been taken away
// meanwhile (reliability S4).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "engine/key_map.h"
#include "server/clients.h"

namespace roxdb::server {

class Transactions;

// What one client has queued since MULTI.
class Transaction {
 public:
  explicit Transaction(Transactions& owner) : owner_(owner) {}
  ~Transaction() { clear(); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Transactions& owner() const { return owner_; }
  void add(const engine::Prepared& prepared);
  size_t size() const { return requests_.size(); }
  size_t memory_bytes() const;
  // The requests as they were added, in order. They live until the next add().
  std::span<const engine::Prepared> requests();
  // As new, and secrets are erased; memory is kept.
  void clear();

  bool has_failed = false;

 private:
  Transactions& owner_;
  bool has_secrets_ = false;                // among the arguments
  std::string text_;                        // of all arguments
  std::vector<std::string_view> args_;      // of all requests; they point nowhere until requests()
  std::vector<uint64_t> hashes_;            // one per argument
  std::vector<engine::Prepared> requests_;  // args and hashes: nothing but their number
};

// A client's side of WATCH.
struct WatchedKeys {
  size_t memory_bytes() const;

  std::vector<engine::KeyName> keys;
  size_t name_bytes = 0;  // of all keys
  bool changed = false;
};

// Who watches which keys.
class Watches final : public engine::Sink {
 public:
  Watches(engine::Engine& engine, int order);
  ~Watches() override;

  // Cost O(1), and O(W) for a key that W clients watch.
  void watch(Client& client, std::string_view key);
  // The client watches nothing any more, and whatever has changed is forgotten.
  void unwatch(Client& client);
  // Whether a key that the client watches has changed. A key that has expired meanwhile has, even
  // when nobody has removed it yet.
  bool has_changed(const Client& client);

  void on_change(const engine::KeyChange& change) override;
  void on_database_changed(int db) override;

 private:
  struct Watcher {
    Client* client;
    bool existed;  // the key, when the client began to watch; any change since has been heard of
  };

  engine::Engine& engine_;
  const int order_;
  engine::KeyMap<std::vector<Watcher>> watchers_;
  size_t clients_ = 0;
};

// The gate that queues, armed while any client is between MULTI and EXEC.
class Transactions final : public engine::Gate {
 public:
  // Registers what INFO clients says of it. All must outlive this.
  Transactions(engine::Engine& engine, Clients& clients, int gate_order, int sink_order);
  ~Transactions() override;

  void begin(Client& client);
  // The client runs its requests directly again; returns what was queued, null without a MULTI.
  std::unique_ptr<Transaction> end(Client& client);
  // Keeps the memory of a transaction that is over for the next one.
  void recycle(std::unique_ptr<Transaction> transaction);
  // What the client is told when a request is refused between MULTI and EXEC: the transaction has
  // failed, and when it is EXEC that was refused, it is over.
  Status refused(Client& client, const engine::CommandSpec* spec, const Status& why);

  engine::Verdict check(engine::Session& session, const engine::CommandSpec& spec,
                        engine::Args args, Status& refusal) override;

  Watches watches;

 private:
  engine::Engine& engine_;
  const int order_;
  size_t open_ = 0;
  std::unique_ptr<Transaction> spare_;
  std::string refusal_;
};

}  // namespace roxdb::server
