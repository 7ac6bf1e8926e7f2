// client_memory.h: maxmemory-clients: what all connections take together, and who goes when that is
// more than they may.
//
//   class    0         1         2              ...   20
//   bytes    < 32 KiB  < 64 KiB  < 128 KiB      ...   from 16 GiB on
//
// Clients stand in the class of what they took when it was last counted: after each turn in which
// they were told something or sent something. Some client of the highest class goes first, so that
// nobody goes who takes less than half of what another takes. Who has said CLIENT NO-EVICT counts
// in the sum and stands in no class. Nothing is counted while the setting is 0.
//
// I1  sum() is the sum of Client::counted_bytes over all clients that are not closed.
// I2  A client that has a place (Client::memory_place) stands there in its class, and nowhere else.
// Cost: count() and forget() O(1); nothing for a client that nothing has happened to.
// Source: reliability section 7; Redis 7.0, maxmemory-clients.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "engine/engine.h"
#include "server/client.h"

namespace roxdb::server {

class ClientMemory {
 public:
  // Registers maxmemory-clients; `on_set`: all clients are to be counted anew, or forgotten.
  // `engine` must outlive this.
  ClientMemory(engine::Engine& engine, std::function<void()> on_set);
  ClientMemory(const ClientMemory&) = delete;
  ClientMemory& operator=(const ClientMemory&) = delete;

  bool is_on() const { return bytes_max_ != 0 || percent_max_ != 0; }
  // Counts what the client takes now. REQUIRES: is_on(), it is not closed.
  void count(Client& client);
  void forget(Client& client);

  size_t sum() const { return sum_; }
  bool is_over_limit() const;
  // One that may be evicted, of the highest class there is: null when there is none. Whoever is
  // looked at is counted anew, since a client that reads what it was told takes less and less.
  //   spared   bool(const Client&): those who must not be touched now
  template <class Spared>
  Client* biggest(const Spared& spared) {
    for (size_t i = kClasses; i-- > 0;) {
      for (size_t k = classes_[i].size(); k-- > 0;) {
        Client& client = *classes_[i][k];
        if (spared(client)) continue;
        count(client);
        if (class_of(client.counted_bytes) >= i) return &client;
      }
    }
    return nullptr;
  }

  void check() const;  // I2

 private:
  static constexpr size_t kClasses = 21;

  static size_t class_of(size_t bytes);
  void leave_class(Client& client);
  uint64_t limit() const;  // bytes; 0: none

  engine::Engine& engine_;
  uint64_t bytes_max_ = 0;
  uint64_t percent_max_ = 0;  // of maxmemory; at most one of the two is not 0
  size_t sum_ = 0;
  std::array<std::vector<Client*>, kClasses> classes_;
};

}  // namespace roxdb::server
