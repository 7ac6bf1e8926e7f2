#include "engine/memory_gate.h"

#include <algorithm>
#include <cmath>

#include "base/cycle_clock.h"
#include "base/memory.h"
#include "types/value_type.h"

namespace roxdb::engine {
namespace {

constexpr Status kOutOfMemory =
    user_error("OOM command not allowed when used memory > 'maxmemory'.");

// From one segment go the worst of its keys: one in this many at the usual maxmemory-samples, at
// least one. Fewer would pay a segment's cache misses for less; more would take keys that other
// segments hold worse ones than.
constexpr size_t kCandidatesPerVictim = 32;
constexpr size_t kUsualSamples = 5;
// Segments looked at before one command may go on, whatever the memory says, at the usual
// maxmemory-eviction-tenacity.
constexpr size_t kSegmentsPerCommand = 64;
constexpr int64_t kUsualTenacity = 10;
constexpr int64_t kEndlessTenacity = 100;
// Segments without a candidate before one is sought in another way.
constexpr int kEmptySamplesMax = 8;

size_t bytes_of(const Entry& entry) {
  const size_t payload =
      entry.has_payload() ? types::value_type(entry.type())->payload_bytes(entry, 5) : 0;
  return entry.occupied_bytes() + payload;
}

}  // namespace

MemoryGate::MemoryGate(Engine& engine, int order) : engine_(engine), order_(order) {
  register_settings();
  engine.info.add("stats", [this](InfoWriter& out) {
    out.field("total_eviction_exceeded_time", exceeded_total_ms());
    out.field("current_eviction_exceeded_time", exceeded_ms());
  });
  engine.info.add("memory", [this](InfoWriter& out) {
    out.field("mem_not_counted_for_evict", not_counted_bytes());
  });
  engine.info.on_reset([this] { exceeded_ms_ = 0; });
}

MemoryGate::~MemoryGate() { engine_.disarm(this); }

void MemoryGate::register_settings() {
  Settings& settings = engine_.settings;
  settings.add_memory("maxmemory", &limit_, 0, UINT64_MAX).apply = [this](std::string&) {
    if (limit_ == 0) {
      engine_.disarm(this);
    } else {
      engine_.arm(this, order_);
      make_room();
    }
    return true;
  };
  settings
      .add_choice("maxmemory-policy", &policy_,
                  {"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru",
                   "allkeys-lfu", "allkeys-random", "noeviction"})
      .apply = [this](std::string&) {
    engine_.uses_lfu = policy() == Policy::kVolatileLfu || policy() == Policy::kAllKeysLfu;
    engine_.refresh_clock();
    return true;
  };
  settings.add_integer("maxmemory-samples", &samples_, 1, 64);
  settings.add_integer("maxmemory-eviction-tenacity", &tenacity_, 0, kEndlessTenacity);
  settings.add_integer("lfu-log-factor", &engine_.lfu_log_factor, 0, INT32_MAX);
  settings.add_integer("lfu-decay-time", &engine_.lfu_decay_minutes, 0, INT32_MAX);
}

int64_t MemoryGate::exceeded_ms() const {
  return exceeded_since_ms_ == 0 ? 0 : engine_.now_ms() - exceeded_since_ms_;
}

void MemoryGate::note_exceeded(bool is_exceeded) {
  if (is_exceeded == (exceeded_since_ms_ != 0)) return;
  exceeded_ms_ += exceeded_ms();
  exceeded_since_ms_ = is_exceeded ? engine_.now_ms() : 0;
}

size_t MemoryGate::counted_bytes() const {
  const size_t used = memory::used_bytes();
  return used - std::min(used, not_counted_bytes());
}

bool MemoryGate::is_full() const { return limit_ != 0 && counted_bytes() > limit_; }

Verdict MemoryGate::check(Session& session, const CommandSpec& spec, Args, Status& refusal) {
  // What would be evicted while a unit stands still may be what it has just changed.
  if (engine_.is_aside() || make_room()) return Verdict::kPass;
  // Whatever is queued for a transaction takes memory.
  const bool is_queued =
      (session.queued_flags & kRunsQueued) != 0 && (spec.flags & kNotQueued) == 0;
  if (!is_queued && (flags_of(session, spec) & kDenyOom) == 0) return Verdict::kPass;
  refusal = kOutOfMemory;
  return Verdict::kRefuse;
}

size_t MemoryGate::candidates_per_victim() const {
  return static_cast<size_t>(samples_) * kCandidatesPerVictim / kUsualSamples;
}

// As Redis scales its time limit: in proportion up to the usual, then 15 % more with every step.
size_t MemoryGate::segments_per_command() const {
  if (tenacity_ == kEndlessTenacity) return SIZE_MAX;
  if (tenacity_ <= kUsualTenacity) {
    return 1 + (kSegmentsPerCommand - 1) * static_cast<size_t>(tenacity_) / kUsualTenacity;
  }
  return static_cast<size_t>(static_cast<double>(kSegmentsPerCommand) *
                             std::pow(1.15, static_cast<double>(tenacity_ - kUsualTenacity)));
}

bool MemoryGate::only_volatile() const { return policy() <= Policy::kVolatileTtl; }

bool MemoryGate::make_room() {
  if (is_paused) return true;
  const size_t used = counted_bytes();
  const bool is_exceeded = limit_ != 0 && used > limit_;
  note_exceeded(is_exceeded);
  if (!is_exceeded) return true;
  if (policy() == Policy::kNoEviction) return false;
  const uint64_t began = cycles_now();
  // Big values are freed elsewhere and later, so what is won is added up and not measured.
  const size_t wanted = used - limit_;
  size_t won = 0;
  for (size_t i = 0, most = segments_per_command(); won < wanted && i < most; ++i) {
    const int db = pick_database();
    if (db < 0) return false;
    won += evict_from(db);
  }
  engine_.evicted(cycles_now() - began);
  return true;
}

size_t MemoryGate::candidates_in(int db) const {
  const Keyspace* keys = engine_.keyspace_if_used(db);
  if (keys == nullptr) return 0;
  return only_volatile() ? keys->expires() : keys->size();
}

int MemoryGate::pick_database() const {
  size_t total = 0;
  for (int db = 0; db < engine_.databases(); ++db) total += candidates_in(db);
  if (total == 0) return -1;
  uint64_t at = engine_.random.below(total);
  for (int db = 0;; ++db) {
    const size_t count = candidates_in(db);
    if (at < count) return db;
    at -= count;
  }
}

uint64_t MemoryGate::rank(const Entry& entry) const {
  switch (policy()) {
    case Policy::kVolatileLru:
    case Policy::kAllKeysLru:
      return engine_.idle_seconds(entry);
    case Policy::kVolatileLfu:
    case Policy::kAllKeysLfu:
      return UINT8_MAX - engine_.frequency(entry);
    case Policy::kVolatileTtl:
      return UINT64_MAX - static_cast<uint64_t>(entry.expire_at_ms());
    case Policy::kVolatileRandom:
    case Policy::kAllKeysRandom:
    case Policy::kNoEviction:
      return 0;
  }
  return 0;
}

size_t MemoryGate::evict_from(int db) {
  Keyspace& keys = engine_.keyspace(db);
  const uint64_t salt = engine_.random.next() | 1;
  const auto lot_of = [salt](const Entry* entry) {
    return (reinterpret_cast<uintptr_t>(entry) >> 3) * salt;
  };
  for (int sample = 0; sample < kEmptySamplesMax; ++sample) {
    candidates_.clear();
    keys.table().sample_segment(engine_.random, [&](Entry* entry) {
      if (only_volatile() && !entry->has_expiry()) return;
      candidates_.push_back({entry, rank(*entry), lot_of(entry)});
    });
    if (candidates_.empty()) continue;
    const size_t count = std::min(
        candidates_.size(), std::max(candidates_.size() / candidates_per_victim(), size_t{1}));
    std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<ptrdiff_t>(count),
                      candidates_.end(), [](const Candidate& a, const Candidate& b) {
                        return a.rank != b.rank ? a.rank > b.rank : a.lot > b.lot;
                      });
    return evict_found(db, count);
  }
  // Keys are few and far between, but there are some.
  candidates_.clear();
  if (only_volatile()) {
    find_volatile(keys);
  } else {
    candidates_.push_back({keys.table().sample(engine_.random), 0, 0});
  }
  return evict_found(db, candidates_.size());
}

// The marks lead to keys that expire. They lead to hashes whose fields do, too: those stay.
void MemoryGate::find_volatile(Keyspace& keys) {
  uint64_t cursor = 0;
  do {
    found_.clear();
    cursor = keys.table().collect_marked(containers::kNoMark - 1, cursor, 1, SIZE_MAX, found_);
    for (Entry* entry : found_) {
      if (entry->has_expiry()) {
        candidates_.push_back({entry, 0, 0});
      } else {
        keys.lower_mark(engine_.key(entry->key()), *entry);
      }
    }
  } while (candidates_.empty() && cursor != 0);
}

size_t MemoryGate::evict_found(int db, size_t count) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    const Entry& entry = *candidates_[i].entry;
    bytes += bytes_of(entry);
    const Key key = engine_.key(entry.key());
    engine_.evict(db, key, *engine_.keyspace(db).find(key));
  }
  return bytes;
}

}  // namespace roxdb::engine
