#include "engine/waiting.h"

#include <algorithm>

#include "base/assert.h"
#include "engine/engine.h"

namespace roxdb::engine {
namespace {

// Among the sinks its place does not matter: it only takes notes.
constexpr int kSinkOrder = 1000;

constexpr Status kUnblocked = user_error("UNBLOCKED client unblocked via CLIENT UNBLOCK");

}  // namespace

// One session that waits. The views look into `text`.
struct Waiter {
  enum class Leaves : uint8_t { kNo, kTimedOut, kWithError };

  Session& session;
  uint64_t serial;
  int db;
  types::TypeId type;
  bool when_gone;
  Leaves leaves = Leaves::kNo;
  uint64_t deadline_ns = UINT64_MAX;
  uint64_t moment_ns = UINT64_MAX;  // to run again
  std::string text;
  std::vector<std::string_view> args;
  std::vector<std::string_view> keys;
  size_t queue_bytes = 0;
};

Waiting::Waiting(Engine& engine) : engine_(engine) {}
Waiting::~Waiting() = default;

bool Waiting::has_timed_out(const Session& session) {
  return session.waiter != nullptr && session.waiter->leaves == Waiter::Leaves::kTimedOut;
}

// ---- coming and going ----

void Waiting::wait(Session& session, Args args, const WaitFor& what) {
  if (session.waiter != nullptr) return set_moment(*session.waiter, what.again_ms);
  ROX_ASSERT(host_ != nullptr && session.may_wait);
  if (waiters_.empty()) engine_.arm(this, kSinkOrder);
  const Serial serial = ++last_serial_;
  auto waiter = std::make_unique<Waiter>(Waiter{.session = session,
                                                .serial = serial,
                                                .db = session.db,
                                                .type = what.type,
                                                .when_gone = what.when_gone,
                                                .text = {},
                                                .args = {},
                                                .keys = {}});
  size_t bytes = 0;
  for (const std::string_view arg : args) bytes += arg.size();
  waiter->text.reserve(bytes);
  for (const std::string_view arg : args) {
    const size_t at = waiter->text.size();
    waiter->text.append(arg);
    waiter->args.push_back({waiter->text.data() + at, arg.size()});
  }
  for (size_t i = what.first_key; i < what.first_key + what.keys; ++i) {
    enter(*waiter, waiter->args[i]);
  }
  if (what.timeout_ms > 0) {
    waiter->deadline_ns = ns_after(what.timeout_ms);
    deadlines_.emplace(waiter->deadline_ns, serial);
  }
  set_moment(*waiter, what.again_ms);
  session.waiter = waiter.get();
  waiters_.emplace_hint(waiters_.end(), serial, std::move(waiter));
}

void Waiting::enter(Waiter& waiter, std::string_view key) {
  // What the maps' nodes have beside their content, and a cell of the table.
  constexpr size_t kNodesBytes = 8 * sizeof(void*);
  Database& database = databases_.try_emplace(waiter.db, engine_.secret()).first->second;
  Queue& queue = database.queues[{waiter.db, std::string(key)}];
  const auto [place, is_new] = queue.waiters.emplace(waiter.serial, &waiter);
  if (!is_new) return;  // named twice
  queue.when_gone += size_t{waiter.when_gone};
  database.when_gone += size_t{waiter.when_gone};
  waiter.keys.push_back(key);
  waiter.queue_bytes += sizeof(QueueOfKey) + key.size() + sizeof(*place) + kNodesBytes;
}

// Monotonic; never UINT64_MAX, which means never.
uint64_t Waiting::ns_after(int64_t ms) const {
  constexpr uint64_t kNsPerMs = 1'000'000;
  const uint64_t now_ns = engine_.environment().monotonic_ns();
  const uint64_t ms_max = (UINT64_MAX - 1 - now_ns) / kNsPerMs;
  return now_ns + std::min(static_cast<uint64_t>(ms), ms_max) * kNsPerMs;
}

void Waiting::set_moment(Waiter& waiter, int64_t again_ms) {
  moments_.erase({waiter.moment_ns, waiter.serial});
  waiter.moment_ns = UINT64_MAX;
  if (again_ms <= 0) return;
  waiter.moment_ns = ns_after(again_ms);
  moments_.emplace(waiter.moment_ns, waiter.serial);
}

void Waiting::leave(Waiter& waiter) {
  const auto database = databases_.find(waiter.db);
  for (const std::string_view key : waiter.keys) {
    KeyMap<Queue>& queues = database->second.queues;
    const auto place = queues.find(KeyView{waiter.db, key});
    Queue& queue = place->second;
    queue.waiters.erase(waiter.serial);
    queue.when_gone -= size_t{waiter.when_gone};
    database->second.when_gone -= size_t{waiter.when_gone};
    if (queue.waiters.empty()) queues.erase(place);
  }
  // Clients come and go all the time, but some have waited for a million keys.
  constexpr size_t kBucketsKept = 1024;
  if (database != databases_.end() && database->second.queues.empty() &&
      database->second.queues.bucket_count() > kBucketsKept) {
    databases_.erase(database);
  }
  deadlines_.erase({waiter.deadline_ns, waiter.serial});
  moments_.erase({waiter.moment_ns, waiter.serial});
  waiter.session.waiter = nullptr;
  waiters_.erase(waiter.serial);
  if (waiters_.empty()) engine_.disarm(this);
}

void Waiting::forget(Session& session) {
  if (session.waiter != nullptr) leave(*session.waiter);
}

bool Waiting::unblock(Session& session, Unblock how) {
  Waiter* const waiter = session.waiter;
  if (waiter == nullptr || waiter->leaves != Waiter::Leaves::kNo) return false;
  waiter->leaves = how == Unblock::kError ? Waiter::Leaves::kWithError : Waiter::Leaves::kTimedOut;
  leaving_.push_back(waiter->serial);
  is_due_ = true;
  return true;
}

void Waiting::check_deadlines() {
  if (deadlines_.empty() && moments_.empty()) return;
  const uint64_t now_ns = engine_.environment().monotonic_ns();
  for (const auto& [deadline_ns, serial] : deadlines_) {
    if (deadline_ns > now_ns) break;
    unblock(waiters_.at(serial)->session, Unblock::kTimeOut);
  }
  while (first_of(moments_) <= now_ns) {
    const Serial serial = moments_.begin()->second;
    set_moment(*waiters_.at(serial), 0);
    due_.push_back(serial);
    is_due_ = true;
  }
}

// ---- ready keys ----

// Null: nobody waits for this key.
Waiting::QueueOfKey* Waiting::find_queue(int db, std::string_view key) {
  const auto database = databases_.find(db);
  if (database == databases_.end() || database->second.queues.empty()) return nullptr;
  const auto place = database->second.queues.find(KeyView{db, key});
  return place == database->second.queues.end() ? nullptr : &*place;
}

void Waiting::note(int db, std::string_view key) {
  if (QueueOfKey* const found = find_queue(db, key)) note(found->first, found->second);
}

void Waiting::note(const KeyName& key, Queue& queue) {
  if (queue.is_ready) return;
  queue.is_ready = true;
  ready_.push_back(key);
  is_due_ = true;
}

void Waiting::on_database_changed(int db) {
  for (auto& [number, database] : databases_) {
    if (db < 0 || number == db) note_keys_of(number, database);
  }
}

// Only those that are there, as a rule: a client may wait for a million that are not. Nothing is
// looked up as a command does it: that removes what has expired, and logs it too early.
void Waiting::note_keys_of(int db, Database& database) {
  const Keyspace* const keyspace = engine_.keyspace_if_used(db);
  const size_t size = keyspace == nullptr ? 0 : keyspace->size();
  if (database.when_gone > 0 || size >= database.queues.size()) {
    for (auto& [key, queue] : database.queues) {
      if (queue.when_gone > 0 ||
          (size > 0 && keyspace->table().find(engine_.hash(key.name), key.name) != nullptr)) {
        note(key, queue);
      }
    }
  } else if (size > 0) {
    keyspace->table().for_each([&](const types::Entry* entry) { note(db, entry->key()); });
  }
}

void Waiting::retry_postponed() {
  for (const KeyName& key : std::exchange(postponed_, {})) note(key.db, key.name);
  is_due_ = is_due_ || !postponed_due_.empty();
  due_.insert(due_.end(), postponed_due_.begin(), postponed_due_.end());
  postponed_due_.clear();
}

// ---- serving ----

void Waiting::serve() {
  if (is_serving_) return;
  is_serving_ = true;
  while (is_due_) {
    is_due_ = false;
    for (const Serial serial : std::exchange(leaving_, {})) serve_leaving(serial);
    for (const Serial serial : std::exchange(due_, {})) serve_moment(serial);
    for (const KeyName& key : std::exchange(ready_, {})) serve_key(key);
  }
  is_serving_ = false;
}

void Waiting::serve_leaving(Serial serial) {
  const auto place = waiters_.find(serial);
  if (place == waiters_.end()) return;  // served, or gone, meanwhile
  Waiter& waiter = *place->second;
  if (waiter.leaves == Waiter::Leaves::kWithError) {
    std::vector<uint64_t> hashes(waiter.args.size());
    if (Command* const command =
            engine_.prepare(waiter.session, waiter.args, hashes.data()).command) {
      command->calls++;
      command->failed++;
    }
    engine_.reply_error(host_->late_reply(waiter.session), kUnblocked);
    return finish(waiter);
  }
  run_again(waiter);
}

void Waiting::serve_moment(Serial serial) {
  const auto place = waiters_.find(serial);
  if (place == waiters_.end() || place->second->leaves != Waiter::Leaves::kNo) return;
  if (!run_again(*place->second)) postponed_due_.push_back(serial);
}

// Clients that come while the key is served wait for the next change.
void Waiting::serve_key(const KeyName& key) {
  const Serial last = last_serial_;
  Serial served = 0;
  if (QueueOfKey* const found = find_queue(key.db, key.name)) found->second.is_ready = false;
  while (true) {
    QueueOfKey* const found = find_queue(key.db, key.name);
    if (found == nullptr) return;
    Queue& queue = found->second;
    const auto next = queue.waiters.upper_bound(served);
    if (next == queue.waiters.end() || next->first > last) return;
    served = next->first;
    if (queue.when_gone == 0 && engine_.find(key.db, engine_.key(key.name)) == nullptr) return;
    Waiter& waiter = *next->second;
    if (!wakes(waiter, key) || run_again(waiter)) continue;
    postponed_.push_back(key);
    return;
  }
}

bool Waiting::wakes(const Waiter& waiter, const KeyName& key) const {
  if (waiter.leaves != Waiter::Leaves::kNo) return false;
  if (waiter.when_gone) return true;
  Cell* const cell = engine_.find(key.db, engine_.key(key.name));
  return cell != nullptr && Keyspace::entry(*cell).type() == waiter.type;
}

// False: a gate has said that it cannot run now.
bool Waiting::run_again(Waiter& waiter) {
  Session& session = waiter.session;
  std::vector<uint64_t> hashes(waiter.args.size());
  resp::Reply& reply = host_->late_reply(session);
  const Prepared prepared = engine_.prepare(session, waiter.args, hashes.data());
  // An answer that says "nothing came" is owed whatever the gates think.
  const Verdict verdict = waiter.leaves == Waiter::Leaves::kTimedOut
                              ? engine_.run(session, prepared, reply)
                              : engine_.execute(session, prepared, reply);
  if (verdict == Verdict::kPostpone) return false;
  if (verdict != Verdict::kWait) finish(waiter);
  return true;
}

void Waiting::finish(Waiter& waiter) {
  Session& session = waiter.session;
  leave(waiter);
  host_->end_wait(session);
}

// ---- what is told of it ----

size_t Waiting::keys() const {
  size_t keys = 0;
  for (const auto& [number, database] : databases_) keys += database.queues.size();
  return keys;
}

size_t Waiting::keys_watched_for_end() const {
  size_t keys = 0;
  for (const auto& [number, database] : databases_) {
    if (database.when_gone == 0) continue;
    for (const auto& [key, queue] : database.queues) keys += size_t{queue.when_gone > 0};
  }
  return keys;
}

size_t Waiting::bytes(const Session& session) {
  const Waiter* const waiter = session.waiter;
  if (waiter == nullptr) return 0;
  return sizeof *waiter + waiter->queue_bytes + waiter->text.capacity() +
         (waiter->args.capacity() + waiter->keys.capacity()) * sizeof(std::string_view);
}

void Waiting::check() const {
  size_t places = 0;
  for (const auto& [number, database] : databases_) {
    size_t when_gone = 0;
    for (const auto& [key, queue] : database.queues) {
      ROX_ASSERT(!queue.waiters.empty() && key.db == number);
      places += queue.waiters.size();
      when_gone += queue.when_gone;
    }
    ROX_ASSERT(when_gone == database.when_gone);
  }
  for (const auto& [serial, waiter] : waiters_) {
    ROX_ASSERT(waiter->serial == serial && waiter->session.waiter == waiter.get());
    ROX_ASSERT(waiter->deadline_ns == UINT64_MAX ||
               deadlines_.contains({waiter->deadline_ns, serial}));
    ROX_ASSERT(waiter->moment_ns == UINT64_MAX || moments_.contains({waiter->moment_ns, serial}));
    places -= waiter->keys.size();
  }
  ROX_ASSERT(places == 0 && deadlines_.size() <= waiters_.size() &&
             moments_.size() <= waiters_.size());
}

}  // namespace roxdb::engine
