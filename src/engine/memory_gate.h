// memory_gate.h: maxmemory. Above it keys are evicted before a command runs; when nothing may be
// evicted, commands that could take more memory are refused (reliability E13). Armed only while a
// limit is set, so that a server without one pays nothing.
//
// Candidates come from whole segments of the table, some hundreds for one cache miss per entry,
// and the few that the policy likes least go. That is closer to true LRU or LFU than the handful of
// random keys a sampling server looks at, and the table needs no list of all keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/engine.h"

namespace roxdb::engine {

class MemoryGate final : public Gate {
 public:
  // The values of maxmemory-policy, in Redis's order.
  enum class Policy : uint8_t {
    kVolatileLru,
    kVolatileLfu,
    kVolatileRandom,
    kVolatileTtl,
    kAllKeysLru,
    kAllKeysLfu,
    kAllKeysRandom,
    kNoEviction,
  };

  // Registers maxmemory and its kin with `engine`, which must outlive this; arms itself in it at
  // `order` whenever the limit is not 0.
  MemoryGate(Engine& engine, int order);
  ~MemoryGate() override;

  uint64_t limit() const { return limit_; }  // bytes; 0: none
  Policy policy() const { return static_cast<Policy>(policy_); }
  bool is_full() const;  // above the limit now

  Verdict check(Session& session, const CommandSpec& spec, Args args, Status& refusal) override;
  // Evicts until the limit is kept, nothing is left to evict or a bound of work is reached (the
  // next command goes on). False: above the limit, and there was nothing to evict.
  bool make_room();

 private:
  struct Candidate {
    Entry* entry;
    uint64_t rank;  // the highest goes first
  };

  void register_settings();
  bool only_volatile() const;
  uint64_t rank(const Entry& entry) const;
  size_t candidates_in(int db) const;  // keys the policy may evict
  // A database by chance, weighted by its candidates; -1: there are none at all.
  int pick_database() const;
  // Evicts from one database that has candidates; returns the bytes won.
  size_t evict_from(int db);
  size_t evict_found(int db, size_t count);

  Engine& engine_;
  const int order_;
  uint64_t limit_ = 0;
  int policy_ = static_cast<int>(Policy::kNoEviction);
  std::vector<Candidate> candidates_;
  std::vector<Entry*> found_;
};

}  // namespace roxdb::engine
