#include "engine/call.h"

#include "base/numbers.h"
#include "base/text.h"

namespace roxdb::engine {

bool Call::is(size_t index, std::string_view word) const {
  return equal_ignore_case(arg(index), word);
}

Result<int64_t> Call::integer(size_t index) const {
  const auto value = parse_int64(arg(index));
  if (!value) return errors::kNotInteger;
  return *value;
}

Result<int64_t> Call::integer(size_t index, int64_t low, int64_t high) const {
  const auto value = parse_int64(arg(index));
  if (!value || *value < low || *value > high) return errors::kNotInteger;
  return *value;
}

Result<int> Call::database(size_t index) {
  ROX_TRY(const int64_t db, integer(index));
  if (db < INT32_MIN || db > INT32_MAX) {
    return fail("ERR value is out of range, value must between {} and {}", INT32_MIN, INT32_MAX);
  }
  if (db < 0 || db >= engine_.databases()) return errors::kDbOutOfRange;
  return static_cast<int>(db);
}

Result<double> Call::real(size_t index) const {
  const auto value = parse_double(arg(index));
  if (!value) return errors::kNotFloat;
  return *value;
}

// --- keys ---------------------------------------------------------------------------------------

Key Call::key(size_t index) const {
  uint64_t& hash = prepared_.hashes[index];
  if (hash == 0) hash = engine_.hash(arg(index));
  return {arg(index), hash};
}

const Entry* Call::read(size_t index) { return read(session_.db, key(index)); }

const Entry* Call::read(int db, const Key& key) {
  Cell* cell = engine_.find(db, key);
  if (cell == nullptr) {
    engine_.missed(db, key.name);
    return nullptr;
  }
  engine_.statistics.keyspace_hits++;
  Entry& entry = Keyspace::entry(*cell);
  if (!session_.no_touch) engine_.touch(entry);
  return &entry;
}

const Entry* Call::peek(size_t index) {
  Cell* cell = engine_.find(session_.db, key(index));
  return cell != nullptr ? &Keyspace::entry(*cell) : nullptr;
}

Result<const Entry*> Call::read(size_t index, TypeId type) {
  const Entry* entry = read(index);
  if (entry != nullptr && entry->type() != type) return errors::kWrongType;
  return entry;
}

Cell* Call::find(size_t index) {
  Cell* cell = engine_.find(session_.db, key(index));
  if (cell != nullptr && !session_.no_touch) engine_.touch(Keyspace::entry(*cell));
  return cell;
}

Cell* Call::insert_new(size_t index, Entry* entry) {
  Cell* cell = keyspace().insert(key(index), entry);
  engine_.notify(session_.db, arg(index), event::kNew);
  return cell;
}

Status Call::set_string(size_t index, std::string_view bytes, int64_t expire_at_ms,
                        bool keep_expiry) {
  return set_string(session_.db, key(index), bytes, expire_at_ms, keep_expiry);
}

Status Call::set_string(int db, const Key& key, std::string_view bytes, int64_t expire_at_ms,
                        bool keep_expiry) {
  Cell* cell = engine_.find(db, key);
  Keyspace& keys = engine_.keyspace(db);
  EntryParts parts{.key = key.name, .expire_at_ms = expire_at_ms, .access = engine_.fresh_access()};
  if (cell == nullptr) {
    ROX_TRY(Entry * entry, types::create_string(keys.slabs(), parts, bytes));
    keys.insert(key, entry);
    engine_.notify(db, key.name, event::kNew);
    return kOk;
  }
  Entry& old = Keyspace::entry(*cell);
  if (keep_expiry && old.has_expiry()) parts.expire_at_ms = old.expire_at_ms();
  const bool same_shape = old.has_expiry() == (parts.expire_at_ms >= 0);
  const size_t old_size = old.type() == TypeId::kString ? types::string_size(old) : 0;
  if (same_shape && old.type() == TypeId::kString && types::overwrite_string(old, bytes)) {
    keys.sizes().resize(TypeId::kString, old_size, bytes.size());
    old.set_access(parts.access);
    if (old.has_expiry()) keys.set_expiry(key, *cell, parts.expire_at_ms);
    return kOk;
  }
  ROX_TRY(Entry * entry, types::create_string(keys.slabs(), parts, bytes));
  keys.replace(key, *cell, entry);
  if (keys.has_trash()) engine_.empty_trash(keys);
  return kOk;
}

void Call::replace(size_t index, Entry* entry) {
  Cell* cell = engine_.find(session_.db, key(index));
  if (cell == nullptr) {
    insert_new(index, entry);
    return;
  }
  Keyspace& keys = keyspace();
  keys.replace(key(index), *cell, entry);
  if (keys.has_trash()) engine_.empty_trash(keys);
}

bool Call::erase(size_t index) { return erase(session_.db, key(index)); }

bool Call::erase(int db, const Key& key, Event event, int64_t count) {
  Cell* cell = engine_.find(db, key);
  if (cell == nullptr) return false;
  engine_.erase(db, key, *cell);
  changed(db, key.name, event, count);
  return true;
}

void Call::set_expiry(size_t index, Cell& cell, int64_t expire_at_ms) {
  keyspace().set_expiry(key(index), cell, expire_at_ms);
}

// --- effects ------------------------------------------------------------------------------------

void Call::changed(Event event, size_t key_index, int64_t count) {
  changed(session_.db, arg(key_index), event, count);
}

void Call::changed(int db, std::string_view key, Event event, int64_t count) {
  changed_ = true;
  engine_.dirty += static_cast<uint64_t>(count);
  engine_.notify(db, key, event);
}

void Call::log_as(std::initializer_list<std::string_view> args) {
  log_as(session_.db, Args(args.begin(), args.size()));
}

void Call::log_as(int db, Args args) {
  log_mode_ = LogMode::kSettled;
  engine_.log(db, args);
}

void Call::changed_database(int db) {
  changed_ = true;
  engine_.dirty++;
  engine_.notify_database_changed(db);
}

// --- waiting ------------------------------------------------------------------------------------

bool Call::timed_out() const { return Waiting::has_timed_out(session_); }

Status Call::wait(const WaitFor& what) {
  waits_ = true;
  engine_.waiting.wait(session_, what.args.empty() ? args() : what.args, what);
  return kOk;
}

// --- the reply ----------------------------------------------------------------------------------

Status Call::reply_string(const Entry& entry) {
  if (entry.encoding() == static_cast<uint8_t>(types::StringEncoding::kShared)) {
    auto* big = entry.pointer<types::BigString>();
    reply_.bulk_shared(big->view(), SharedRef::share(big));
  } else {
    reply_.bulk(types::StringView(entry));
  }
  return kOk;
}

Status Call::reply_help(std::initializer_list<std::string_view> lines) {
  const std::string_view container =
      command().container != nullptr ? command().container->spec->name : command().spec->name;
  reply_.array(lines.size() + 3);
  reply_.simple(
      fmt::format("{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", container));
  for (const std::string_view line : lines) reply_.simple(line);
  reply_.simple("HELP");
  reply_.simple("    Prints this help.");
  return kOk;
}

}  // namespace roxdb::engine
