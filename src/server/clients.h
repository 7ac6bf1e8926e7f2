// clients.h: all clients of a server, by id, and the limits they live under (reliability section
// 7): maxclients, timeout, auth-timeout, query and output buffers, and what all take together.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "engine/engine.h"
#include "server/client.h"
#include "server/client_memory.h"
#include "server/rate.h"

namespace roxdb::server {

// What INFO says about clients. Only the thread that owns the data writes it.
struct ClientStatistics {
  uint64_t connections_received = 0;
  uint64_t connections_rejected = 0;
  uint64_t input_bytes = 0;
  uint64_t output_bytes = 0;
  uint64_t reads = 0;   // pieces that came from sockets
  uint64_t writes = 0;  // and that were handed to them
  uint64_t query_limit_disconnections = 0;
  uint64_t output_limit_disconnections = 0;
  uint64_t evicted = 0;
};

// client-output-buffer-limit of one class. 0: no limit.
struct OutputLimit {
  uint64_t hard_bytes = 0;
  uint64_t soft_bytes = 0;
  uint64_t soft_seconds = 0;
};

class Clients {
 public:
  // The classes of client-output-buffer-limit; nobody is a replica so far.
  enum Class : uint8_t { kNormal, kReplica, kPubSub };
  static constexpr std::array<std::string_view, 3> kClassNames = {"normal", "slave", "pubsub"};

  // Registers the settings, INFO clients and the client part of INFO stats. `engine` must outlive
  // this.
  explicit Clients(engine::Engine& engine);
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  int64_t max() const { return clients_max_; }  // maxclients
  void reduce_max(int64_t max) { clients_max_ = max; }
  // Makes room for so many sockets and returns how many there is room for. Empty: for any number.
  std::function<int64_t(int64_t sockets)> make_room;
  bool full() const { return live_ >= static_cast<size_t>(clients_max_); }
  Client& add(std::unique_ptr<Link> link, Peer peer);
  // Null: there is none of that id, or it is closed.
  Client* find(uint64_t id);
  size_t size() const { return live_; }
  // All that are not closed, in order of their ids. `visit` may close any of them.
  template <class Visit>
  void for_each(Visit visit) {
    for (const auto& [id, client] : by_id_) {
      if (!client->is_closed()) visit(*client);
    }
  }

  // The client runs and sends nothing from now on; it is freed by the next sweep(). Cost O(1).
  void close(Client& client);
  // Back to what it was when it connected (RESET).
  void reset(Client& client);
  // Called when a client is reset or closed: whoever keeps something for it forgets it. REQUIRES:
  // before the first client.
  void on_forget(std::function<void(Client&)> forget) { forgets_.push_back(std::move(forget)); }
  // Lets the client read what it has been told, then closes it.
  void close_after_replies(Client& client) { client.halts |= Client::kLastReply; }
  // Frees what was closed. Nobody may hold a Client meanwhile.
  void sweep();

  // Closes clients that are idle, unauthenticated or over a soft limit for too long; takes the
  // samples of the rates. Called every 1000 / hz ms. Cost O(clients), once a second.
  void tick(uint64_t now_ms);
  static Class class_of(const Client& client) {
    return client.subscriptions != nullptr ? kPubSub : kNormal;
  }
  // Closes the client when it does not take its output within the limits.
  void check_output(Client& client);
  // Whether its output, and `more_bytes` behind that, are more than it may ever have waiting.
  bool is_over_hard_limit(const Client& client, size_t more_bytes) const;
  // Closes the client, which is over its limit.
  void close_overfull(Client& client);
  // The same for what it has sent and we could not execute yet.
  void check_input(Client& client);
  // The same for what all clients take together (maxmemory-clients). To be called when a client may
  // take more or less than before.
  void count_memory(Client& client) {
    if (memory_.is_on() && !client.is_closed()) [[unlikely]]
      memory_.count(client);
  }
  // Closes clients until the others are within the limit. `spared` as in ClientMemory::biggest().
  template <class Spared>
  void evict(const Spared& spared) {
    while (memory_.is_over_limit()) {
      Client* const client = memory_.biggest(spared);
      // Counted anew, they may all be within the limit.
      if (client == nullptr || !memory_.is_over_limit()) return;
      evict(*client);
    }
  }
  // The protocol's limits for this client.
  const resp::ParserLimits& parser_limits(const Client& client) const {
    return client.authenticated ? limits_ : limits_unauthenticated_;
  }

  uint64_t now_ms = 0;  // monotonic; the loop sets it every turn
  ClientStatistics statistics;

 private:
  void register_settings();
  void register_info();
  void check_age(Client& client);
  void evict(Client& client);
  uint64_t hard_limit_of(const Client& client) const;

  engine::Engine& engine_;
  std::map<uint64_t, std::unique_ptr<Client>> by_id_;
  std::vector<uint64_t> closed_;
  std::vector<std::function<void(Client&)>> forgets_;
  size_t live_ = 0;
  uint64_t last_id_ = 0;
  uint64_t ages_checked_ms_ = 0;

  resp::ParserLimits limits_;
  resp::ParserLimits limits_unauthenticated_{.authenticated = false};
  std::array<OutputLimit, 3> output_limits_ = {
      OutputLimit{}, OutputLimit{256u << 20, 64u << 20, 60}, OutputLimit{32u << 20, 8u << 20, 60}};
  int64_t clients_max_ = kMaxClients;
  int64_t default_protocol_ = 2;  // client-default-resp
  int64_t timeout_seconds_ = 0;
  int64_t auth_timeout_seconds_ = kAuthTimeoutMs / 1000;
  uint64_t input_bytes_max_ = kQueryBufferBytesMax;
  uint64_t bulk_bytes_max_ = kBulkBytesMax;

  ClientMemory memory_;
  Rate input_rate_;
  Rate output_rate_;
};

}  // namespace roxdb::server
