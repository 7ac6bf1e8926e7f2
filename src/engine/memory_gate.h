// memory_gate.h: maxmemory. Above it keys are evicted before a command runs; when nothing may be
// evicted, commands that could take more memory are refused (reliability E13). Armed only while a
// limit is set, so that a server without one pays nothing.
//
// Candidates come from whole segments of the table, some hundreds for one cache miss per entry,
// and the few that the policy likes least go. That is closer to true LRU or LFU than the handful of
// random keys a sampling server looks at, and the table needs no list of all keys. Among those that
// are equally bad the lot decides: a new key takes the cell of the last one evicted, so in the
// order of the table it would be the next to go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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
  // Milliseconds above the limit, as commands found it: this time, and all times.
  int64_t exceeded_ms() const;
  int64_t exceeded_total_ms() const { return exceeded_ms_ + exceeded_ms(); }
  Policy policy() const { return static_cast<Policy>(policy_); }
  bool is_full() const;  // above the limit now
  // Bytes in use that the limit does not mean, as the log that waits for the disk: eviction is
  // logged, and would otherwise make itself necessary. Empty: none.
  std::function<size_t()> not_counted;

  Verdict check(Session& session, const CommandSpec& spec, Args args, Status& refusal) override;
  // Evicts until the limit is kept, nothing is left to evict or a bound of work is reached (the
  // next command goes on). False: above the limit, and there was nothing to evict.
  bool make_room();

  // While data is loaded: a key that went would be missing to what the log does with it next.
  bool is_paused = false;

 private:
  struct Candidate {
    Entry* entry;
    uint64_t rank;  // the highest goes first
    uint64_t lot;   // and among equals the highest of these
  };

  void register_settings();
  size_t not_counted_bytes() const { return not_counted ? not_counted() : 0; }
  size_t counted_bytes() const;
  void note_exceeded(bool is_exceeded);
  size_t candidates_per_victim() const;
  size_t segments_per_command() const;
  bool only_volatile() const;
  uint64_t rank(const Entry& entry) const;
  size_t candidates_in(int db) const;  // keys the policy may evict
  // A database by chance, weighted by its candidates; -1: there are none at all.
  int pick_database() const;
  // Evicts from one database that has candidates; returns the bytes won.
  size_t evict_from(int db);
  void find_volatile(Keyspace& keys);
  size_t evict_found(int db, size_t count);

  Engine& engine_;
  const int order_;
  uint64_t limit_ = 0;
  int64_t exceeded_since_ms_ = 0;  // 0: below the limit
  int64_t exceeded_ms_ = 0;        // the times before
  int policy_ = static_cast<int>(Policy::kNoEviction);
  int64_t samples_ = 5;    // maxmemory-samples: see candidates_per_victim()
  int64_t tenacity_ = 10;  // maxmemory-eviction-tenacity: see segments_per_command()
  std::vector<Candidate> candidates_;
  std::vector<Entry*> found_;
};

}  // namespace roxdb::engine
