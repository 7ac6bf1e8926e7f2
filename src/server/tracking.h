// tracking.h: client-side caching: a client keeps what it has read, and is told when that is no
// longer true.
//
//   CLIENT TRACKING ON          each key that a reading command of the client names is remembered;
//                               a change of it tells the client, once, and forgets the key
//   CLIENT TRACKING ON BCAST    nothing is remembered: each change of a key with one of the
//   client's
//                               prefixes is told, all of a turn in one message per prefix
//
//   reading command --observer--> table: key -> ids of clients
//   change of a key --sink-------> table ---------------------> push, behind the running reply
//                         '------> prefixes --before sending--> push
//
// Keys are told by name alone: the same key of another database is told of, too, as in Redis. The
// table holds at most tracking-table-max-keys keys; beyond, one of them is told as if it had
// changed. A client that leaves costs nothing: its id stays until the key changes or more clients
// read it.
// Both hooks are armed while anybody tracks; otherwise there are none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "engine/engine.h"
#include "server/clients.h"
#include "server/session.h"

namespace roxdb::server {

class News;

// What one client has asked for.
struct TrackingMode {
  size_t memory_bytes() const;
  std::string flag_letters() const;  // of CLIENT LIST
  // Whether the keys of the command that has just run are remembered.
  bool tracks_reads() const { return !broadcast && (opt_in ? said_caching : !said_caching); }

  uint64_t redirect = 0;  // id of the client that is told instead; 0: itself
  bool broadcast = false;
  bool opt_in = false;
  bool opt_out = false;
  bool no_loop = false;                         // is not told of its own changes
  bool said_caching = false;                    // CLIENT CACHING, for the next command
  bool is_broken = false;                       // `redirect` is gone
  std::set<std::string, std::less<>> prefixes;  // of a broadcast one
  size_t prefix_bytes = 0;                      // of their texts
};

class Tracking final : public engine::Sink {
 public:
  // Registers its setting and what INFO says of it. All must outlive this.
  Tracking(engine::Engine& engine, Clients& clients, Turn& turn, int sink_order);
  ~Tracking() override;

  // Begins, or goes on in another mode; `prefixes` come on top of those it has. REQUIRES: the modes
  // fit, and no prefixes overlap. Cost O(log N) for each new one, with N prefixes of all clients.
  void start(Client& client, TrackingMode mode, std::span<const std::string_view> prefixes);
  void stop(Client& client);

  void on_change(const engine::KeyChange& change) override;
  void on_database_changed(int db) override;

 private:
  struct NameHash {
    using is_transparent = void;
    const HashSecret* secret;
    size_t operator()(std::string_view name) const { return hash_bytes(name, *secret); }
  };
  using Ids = std::vector<uint64_t>;
  using Table = std::unordered_map<std::string, Ids, NameHash, std::equal_to<>>;
  struct Prefix {
    Ids clients;
    std::map<std::string, uint64_t> changed;  // in this turn, with the id of who did it last; 0: us
    size_t place = 0;                         // in broadcasts_, unless `changed` is empty
  };
  using Prefixes = std::map<std::string, Prefix, std::less<>>;

  void on_command(const engine::Execution& execution);
  void remember(const Client& client, std::string_view key);
  void limit_table();
  void drop_random_key();
  void tell_change(Table::iterator place, const Client* writer);
  void note_for_broadcast(std::string_view key, const Client* writer);
  void broadcast();
  void broadcast(const Prefix& prefix);
  void forget_prefix(Prefixes::iterator place);
  bool has_gone(uint64_t id) const;
  // Tells that client, or whom it has named instead, what `write_keys(resp::Reply&)` says.
  template <class WriteKeys>
  void tell(Client& client, News& news, const WriteKeys& write_keys);

  engine::Engine& engine_;
  Clients& clients_;
  Turn& turn_;
  const int order_;
  size_t tracking_clients_ = 0;
  Table table_;
  size_t table_ids_ = 0;
  int64_t table_keys_max_ = 1'000'000;  // 0: no limit
  Prefixes prefixes_;
  std::vector<Prefixes::value_type*> broadcasts_;  // those of which Prefix::changed is not empty
  bool has_emptied_ = false;  // all are told to forget everything, in the command that runs now
  std::vector<engine::KeyAt> keys_;
};

}  // namespace roxdb::server
