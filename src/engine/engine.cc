#include "engine/engine.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"
#include "base/cycle_clock.h"
#include "base/slab_garbage.h"
#include "engine/latency_events.h"
#include "engine/limit_settings.h"

namespace roxdb::engine {
namespace {

std::span<const CommandFamily* const> families_of(const Engine::Options& options) {
  if (!options.families.empty()) return options.families;
  return {kCommandFamilies, kCommandFamiliesCount};
}

uint64_t random_seed(Environment& environment) {
  uint64_t seed;
  environment.random(&seed, sizeof seed);
  return seed;
}

constexpr uint32_t kAccessMask = (1u << 24) - 1;
constexpr uint8_t kLfuStart = 5;  // a new key's counter: not evicted before it had a chance

}  // namespace

Engine::Engine(const Options& options)
    : random(options.hash_seed ? *options.hash_seed
                               : random_seed(options.environment != nullptr ? *options.environment
                                                                            : real_environment())),
      environment_(options.environment != nullptr ? options.environment : &real_environment()),
      executor_(options.executor != nullptr ? options.executor : &inline_executor_),
      log_(options.log != nullptr ? options.log : &silence_),
      secret_(options.hash_seed ? hash_secret_from_seed(*options.hash_seed)
                                : random_hash_secret(*environment_)),
      commands_(families_of(options)) {
  set_databases(options.databases);
  add_limit_settings(settings, limits);
  start_cycles_ = cycles_now();
  start_ns_ = environment_->monotonic_ns();
  refresh_clock();
}

Engine::~Engine() = default;

// --- data ---------------------------------------------------------------------------------------

void Engine::set_databases(int count) {
  ROX_ASSERT(count > 0 && count <= kDatabasesMax && size() == 0);
  keyspaces_.clear();
  keyspaces_.resize(static_cast<size_t>(count));
  expire_db_ = 0;
  expire_cursor_ = 0;
}

Keyspace& Engine::keyspace(int db) {
  std::unique_ptr<Keyspace>& keyspace = keyspaces_[static_cast<size_t>(db)];
  if (keyspace == nullptr) keyspace = std::make_unique<Keyspace>(secret_, limits, side_work);
  return *keyspace;
}

Cell* Engine::find(int db, const Key& key) {
  Keyspace* keyspace = keyspaces_[static_cast<size_t>(db)].get();
  if (keyspace == nullptr) return nullptr;
  Cell* cell = keyspace->find(key);
  if (cell == nullptr) return nullptr;
  const Entry& entry = Keyspace::entry(*cell);
  if (__builtin_expect(is_due(entry, now_ms_), 0)) {
    // The log says itself what expired, and when: until then its commands must find the key,
    // whatever the date of the replay is (D4).
    if (silent_) return cell;
    if (expire_on_access) {
      const uint64_t began = cycles_now();
      const bool lives = expire_due_of(db, key, *cell);
      side_work.add(Cause::kExpiry, cycles_now() - began);
      return lives ? cell : nullptr;
    }
    if (entry.has_expiry() && entry.expire_at_ms() < now_ms_) return nullptr;
  }
  return cell;
}

bool Engine::expire_due_of(int db, const Key& key, Cell& cell) {
  const Entry& entry = Keyspace::entry(cell);
  if (!entry.has_expiry() || entry.expire_at_ms() >= now_ms_) return expire_fields(db, key, cell);
  expire(db, key, cell);
  return false;
}

bool Engine::expire_fields(int db, const Key& key, Cell& cell) {
  constexpr size_t kFieldsMax = 512;  // some 200 us; what is left, readers pass over
  Keyspace& keys = keyspace(db);
  const std::string name(key.name);  // may be the entry's own bytes, which move
  types::HashValue hash(keys.home(), cell);
  std::vector<std::string> fields;
  const size_t count = hash.take_due(now_ms_, kFieldsMax, has_listeners() ? &fields : nullptr);
  const bool emptied = hash.empty();
  // The table has forgotten the mark if it led here, and does not know the next one.
  if (!emptied) keys.lower_mark(key, Keyspace::entry(cell));
  if (count == 0) return true;
  statistics.expired_fields += count;
  dirty += count;
  if (emptied) erase(db, key, cell);
  if (has_listeners()) {
    begin_unit();
    std::vector<std::string_view> command{"HDEL", name};
    command.insert(command.end(), fields.begin(), fields.end());
    log(db, command);
    notify(db, name, event::kHExpired);
    if (emptied) notify(db, name, event::kDel);
    end_unit();
  }
  return !emptied;
}

void Engine::expire(int db, const Key& key, Cell& cell) {
  statistics.expired_keys++;
  remove(db, key, cell, event::kExpired);
}

void Engine::evict(int db, const Key& key, Cell& cell) {
  statistics.evicted_keys++;
  remove(db, key, cell, event::kEvicted);
}

void Engine::remove(int db, const Key& key, Cell& cell, Event event) {
  dirty++;
  if (has_listeners()) {
    // The key's bytes die with the entry; listeners hear of it after it is gone.
    const std::string name(key.name);
    erase(db, key, cell);
    begin_unit();
    const std::string_view command[] = {"DEL", name};
    log(db, command);
    notify(db, name, event);
    end_unit();
  } else {
    erase(db, key, cell);
  }
}

void Engine::erase(int db, const Key& key, Cell& cell) {
  Keyspace& keys = keyspace(db);
  keys.erase(key, cell);
  if (keys.has_trash()) empty_trash(keys);
}

void Engine::flush(int db, bool in_background) {
  const size_t first = db < 0 ? 0 : static_cast<size_t>(db);
  const size_t last = db < 0 ? keyspaces_.size() : first + 1;
  for (size_t i = first; i < last; ++i) {
    if (keyspaces_[i] == nullptr) continue;
    if (in_background) {
      // Shared because std::function must be copyable; there is only ever one holder.
      std::shared_ptr<Keyspace> old(std::move(keyspaces_[i]));
      const size_t count = old->size();
      statistics.being_freed += count;
      executor_->run([old = std::move(old)]() mutable { old.reset(); },
                     [this, count] { freed_in_background(count); });
    }
    keyspaces_[i].reset();
  }
  expire_cursor_ = 0;
}

void Engine::swap_databases(int a, int b) {
  std::swap(keyspaces_[static_cast<size_t>(a)], keyspaces_[static_cast<size_t>(b)]);
}

std::vector<std::unique_ptr<Keyspace>> Engine::exchange(
    std::vector<std::unique_ptr<Keyspace>> databases) {
  ROX_ASSERT(databases.size() == keyspaces_.size());
  expire_cursor_ = 0;
  return std::exchange(keyspaces_, std::move(databases));
}

size_t Engine::size() const {
  size_t sum = 0;
  for (const auto& keyspace : keyspaces_) sum += keyspace != nullptr ? keyspace->size() : 0;
  return sum;
}

// Big values on their way out: taken apart on another thread, then taken back by their slabs.
struct Engine::ReturningGarbage {
  std::vector<Keyspace::Trash> trash;
  std::shared_ptr<memory::Slabs> slabs;
  memory::SlabGarbage blocks;
};

void Engine::empty_trash(Keyspace& keyspace) {
  // Shared because std::function must be copyable; there is only ever one user at a time.
  auto garbage = std::make_shared<ReturningGarbage>();
  garbage->trash = keyspace.take_trash();
  garbage->slabs = keyspace.shared_slabs();
  statistics.being_freed += garbage->trash.size();
  executor_->run(
      [garbage] {
        for (const Keyspace::Trash& value : garbage->trash) {
          types::value_type(value.type)
              ->release_payload(value.payload, value.encoding, garbage->blocks);
        }
      },
      [this, garbage] {
        freed_in_background(garbage->trash.size());
        garbage_.push_back(garbage);
        take_back_garbage();
      });
}

// Some slabs at a time, so that nobody waits for a huge value. True: more are left.
bool Engine::take_back_garbage() {
  constexpr size_t kSlabsMax = 512;  // some 50 us
  while (!garbage_.empty()) {
    ReturningGarbage& garbage = *garbage_.back();
    // A keyspace that was dropped meanwhile frees its slabs as a whole.
    if (garbage.slabs.use_count() > 1 && garbage.slabs->take_back(garbage.blocks, kSlabsMax)) {
      return true;
    }
    garbage_.pop_back();
  }
  return false;
}

void Engine::freed_in_background(size_t count) {
  statistics.being_freed -= count;
  statistics.freed_in_background += count;
}

// --- time ---------------------------------------------------------------------------------------

void Engine::refresh_clock() {
  begin_next(cycles_now());
  set_clock(environment_->now_ms());
}

void Engine::set_clock(int64_t now_ms) {
  now_ms_ = now_ms;
  access_clock_ = uses_lfu ? static_cast<uint32_t>(now_ms_ / 60'000) & 0xffff
                           : static_cast<uint32_t>(now_ms_ / 1000) & kAccessMask;
}

double Engine::ns_per_cycle() const {
  const uint64_t cycles = cycles_now() - start_cycles_;
  const uint64_t ns = environment_->monotonic_ns() - start_ns_;
  return cycles == 0 || ns == 0 ? 1.0 : static_cast<double>(ns) / static_cast<double>(cycles);
}

uint32_t Engine::fresh_access() const {
  return uses_lfu ? access_clock_ << 8 | kLfuStart : access_clock_;
}

uint8_t Engine::frequency(const Entry& entry) const {
  const uint32_t access = entry.access();
  const uint32_t counter = access & 0xff;
  const uint32_t minutes = (access_clock_ - (access >> 8)) & 0xffff;
  const auto decay = lfu_decay_minutes > 0 ? minutes / static_cast<uint32_t>(lfu_decay_minutes) : 0;
  return static_cast<uint8_t>(decay > counter ? 0 : counter - decay);
}

uint32_t Engine::idle_seconds(const Entry& entry) const {
  return (access_clock_ - entry.access()) & kAccessMask;
}

void Engine::touch(Entry& entry) {
  if (freeze_access) return;
  uint32_t access = access_clock_;
  if (uses_lfu) {
    // The counter is logarithmic: each step needs about lfu_log_factor times more hits.
    uint32_t counter = frequency(entry);
    if (counter < 255) {
      const double above = counter > kLfuStart ? counter - kLfuStart : 0;
      const double chance = 1.0 / (above * static_cast<double>(lfu_log_factor) + 1);
      if (static_cast<double>(random.next() >> 11) * 0x1p-53 < chance) counter++;
    }
    access = access_clock_ << 8 | counter;
  }
  // Compared first: an unchanged line stays clean, in the cache and for a forked child.
  if (entry.access() != access) entry.set_access(access);
}

// --- background ---------------------------------------------------------------------------------

bool Engine::tick(uint64_t budget_ns) {
  refresh_clock();
  const uint64_t shortest_ns = slow_ns();
  observed_ns_per_cycle_ = ns_per_cycle();
  set_slow_cycles(
      shortest_ns == UINT64_MAX
          ? UINT64_MAX
          : static_cast<uint64_t>(static_cast<double>(shortest_ns) / observed_ns_per_cycle_));
  if (shortest_ns != UINT64_MAX) page_faults_ = page_faults();
  for (const auto& keyspace : keyspaces_) {
    if (keyspace != nullptr && keyspace->has_trash()) empty_trash(*keyspace);
  }
  const bool garbage_left = take_back_garbage();
  if (!active_expire || !expire_on_access) return garbage_left;
  const uint64_t began_ns = environment_->monotonic_ns();
  const bool due_left = expire_due(began_ns + budget_ns);
  const uint64_t duration_ns = environment_->monotonic_ns() - began_ns;
  statistics.expire_ns += duration_ns;
  report_latency(services, "expire-cycle", duration_ns);
  stalled(Cause::kExpiry, duration_ns);
  return due_left || garbage_left;
}

// Removes what is due, database after database, a few segments at a time. True: the time was up
// before everything was seen.
bool Engine::expire_due(uint64_t deadline_ns) {
  constexpr size_t kDueMax = 128;  // between two looks at the clock
  constexpr size_t kSegmentsMax = 1024;
  for (size_t visited = 0; visited < keyspaces_.size();) {
    Keyspace* keys = keyspaces_[expire_db_].get();
    if (keys != nullptr && keys->table().lowest_mark() < static_cast<uint64_t>(now_ms_)) {
      due_.clear();
      expire_cursor_ = keys->table().collect_marked(static_cast<uint64_t>(now_ms_ - 1),
                                                    expire_cursor_, kDueMax, kSegmentsMax, due_);
      for (Entry* entry : due_) {
        const Key due = key(entry->key());
        if (Cell* cell = keys->find(due)) {
          // A huge hash in pieces, as long as there is time; the mark tells of the rest.
          while (expire_due_of(static_cast<int>(expire_db_),
                               {Keyspace::entry(*cell).key(), due.hash}, *cell) &&
                 is_due(Keyspace::entry(*cell), now_ms_) &&
                 environment_->monotonic_ns() < deadline_ns) {
          }
        }
      }
      if (expire_cursor_ != 0) {
        if (environment_->monotonic_ns() < deadline_ns) continue;
        statistics.expired_time_cap_reached++;
        return true;
      }
    }
    expire_cursor_ = 0;
    expire_db_ = (expire_db_ + 1) % keyspaces_.size();
    visited++;
  }
  return false;
}

// --- changes ------------------------------------------------------------------------------------

void Engine::log(int db, Args args) {
  if (!has_listeners()) return;
  unit_commands_.push_back({db, unit_args_.size(), args.size()});
  for (const std::string_view arg : args) {
    unit_args_.emplace_back(unit_text_.size(), arg.size());
    unit_text_.append(arg);
  }
}

namespace {

// Of what a large unit took the next ones keep 64 KiB. By an exchange: a string that is assigned an
// empty one keeps all of its room.
template <class Container>
void clear_and_keep_little(Container& container) {
  constexpr size_t kKeptBytes = 64u << 10;
  container.clear();
  if (container.capacity() * sizeof(container[0]) > kKeptBytes) Container().swap(container);
}

}  // namespace

void Engine::deliver_unit() {
  std::vector<std::string_view> views;
  views.reserve(unit_args_.size());
  for (const auto& [offset, size] : unit_args_) {
    views.push_back(std::string_view(unit_text_).substr(offset, size));
  }
  std::vector<LogCommand> commands;
  commands.reserve(unit_commands_.size());
  for (const UnitCommand& command : unit_commands_) {
    commands.push_back({command.db, Args(views).subspan(command.args, command.count)});
  }
  for (const auto& [order, sink] : sinks_) sink->on_unit(commands);
  clear_and_keep_little(unit_commands_);
  clear_and_keep_little(unit_args_);
  clear_and_keep_little(unit_text_);
}

void Engine::deliver_change(const KeyChange& change) {
  for (const auto& [order, sink] : sinks_) sink->on_change(change);
}

void Engine::deliver_miss(int db, std::string_view key) {
  for (const auto& [order, sink] : sinks_) sink->on_miss(db, key);
}

void Engine::Aside::exchange() {
  std::swap(unit_depth_, engine_.unit_depth_);
  std::swap(unit_text_, engine_.unit_text_);
  std::swap(unit_args_, engine_.unit_args_);
  std::swap(unit_commands_, engine_.unit_commands_);
  std::swap(turn_, engine_.turn_);
}

void Engine::notify_database_changed(int db) {
  if (!has_listeners()) return;
  for (const auto& [order, sink] : sinks_) sink->on_database_changed(db);
}

namespace {

template <class T>
void insert_in_order(std::vector<std::pair<int, T*>>& list, T* member, int order) {
  const auto same = [&](const auto& entry) { return entry.second == member; };
  if (std::any_of(list.begin(), list.end(), same)) return;
  const auto later = [&](const auto& entry) { return entry.first > order; };
  list.insert(std::find_if(list.begin(), list.end(), later), {order, member});
}

}  // namespace

void Engine::arm(Gate* gate, int order) { insert_in_order(gates_, gate, order); }
void Engine::disarm(Gate* gate) {
  std::erase_if(gates_, [&](const auto& entry) { return entry.second == gate; });
}
void Engine::arm(Sink* sink, int order) { insert_in_order(sinks_, sink, order); }
void Engine::disarm(Sink* sink) {
  std::erase_if(sinks_, [&](const auto& entry) { return entry.second == sink; });
}

void Engine::observe(const void* owner, uint64_t threshold_ns,
                     std::function<void(const Execution&)> observer) {
  add_observer({owner, threshold_ns, false, std::move(observer)});
}

void Engine::observe_all(const void* owner, std::function<void(const Execution&)> observer) {
  add_observer({owner, 0, true, std::move(observer)});
}

void Engine::add_observer(Observer observer) {
  stop_observing(observer.owner);
  observers_.push_back(std::move(observer));
  observed_ns_per_cycle_ = ns_per_cycle();
  set_slow_cycles(slow_ns());  // tick() makes it exact; no clock runs slower than 1 GHz
}

void Engine::stop_observing(const void* owner) {
  std::erase_if(observers_, [owner](const Observer& one) { return one.owner == owner; });
  set_slow_cycles(slow_ns());
}

void Engine::set_slow_cycles(uint64_t cycles) {
  slow_cycles_ = cycles;
  const bool is_all_heard = std::any_of(observers_.begin(), observers_.end(),
                                        [](const Observer& one) { return one.hears_all; });
  reported_cycles_ = is_all_heard ? 0 : cycles;
}

uint64_t Engine::slow_ns() const {
  uint64_t least = UINT64_MAX;
  for (const Observer& one : observers_) {
    if (!one.hears_all) least = std::min(least, one.threshold_ns);
  }
  return least;
}

}  // namespace roxdb::engine
