// call.h: one running command, as its handler sees it: arguments, keys, values, the reply, and
// what the command did.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "engine/engine.h"
#include "engine/errors.h"
#include "types/string_value.h"

namespace roxdb::engine {

class Call {
 public:
  Call(Engine& engine, Session& session, const Prepared& prepared, resp::Reply& reply)
      : engine_(engine), session_(session), prepared_(prepared), reply_(reply) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // --- the request -------------------------------------------------------------------------

  // Argument 0 is the command's name. All views live as long as the call.
  size_t argc() const { return prepared_.args.size(); }
  std::string_view arg(size_t index) const { return prepared_.args[index]; }
  Args args() const { return prepared_.args; }
  // True when the argument is this word, in any case. `word` is upper case.
  bool is(size_t index, std::string_view word) const;
  const Command& command() const { return *prepared_.command; }
  Engine& engine() { return engine_; }
  Session& session() { return session_; }
  int db() const { return session_.db; }
  int64_t now_ms() const { return engine_.now_ms(); }
  template <class T>
  T& service() {
    return engine_.services.get<T>();
  }

  // Numbers, with Redis's error texts.
  Result<int64_t> integer(size_t index) const;  // "ERR value is not an integer or out of range"
  Result<int64_t> integer(size_t index, int64_t low, int64_t high) const;
  Result<double> real(size_t index) const;  // "ERR value is not a valid float"
  Result<int> database(size_t index);       // "ERR DB index is out of range"

  // --- keys --------------------------------------------------------------------------------

  // The key that argument `index` is; its hash is computed at most once per request.
  Key key(size_t index) const;

  // Reading: null when absent. Counts a hit or a miss and touches the access clock, unless the
  // session asked not to (CLIENT NO-TOUCH).
  const Entry* read(size_t index);
  const Entry* read(int db, const Key& key);
  // Reading without a trace: OBJECT, EXISTS for the debugger, conditions of SET.
  const Entry* peek(size_t index);
  // Reading a key that must be of one type: null when absent; kWrongType.
  Result<const Entry*> read(size_t index, TypeId type);
  Result<const Entry*> read_string(size_t index) { return read(index, TypeId::kString); }

  // For changes: null when absent. The cell is valid until the next insert or erase.
  Cell* find(size_t index);

  // The value of a key for edits. V: types::StringValue, types::HashValue, ... kWrongType.
  template <class V>
  Result<std::optional<V>> edit(size_t index) {
    Cell* cell = find(index);
    if (cell == nullptr) return std::optional<V>();
    if (Keyspace::entry(*cell).type() != V::kType) return errors::kWrongType;
    return std::optional<V>(V(keyspace().home(), *cell));
  }
  // The same; an absent key comes into being as an empty value of that type. So whatever the
  // command may refuse is looked at before, or the key is left behind empty.
  template <class V>
  Result<V> edit_or_create(size_t index) {
    Cell* cell = find(index);
    if (cell == nullptr) {
      const EntryParts parts{.key = arg(index), .access = engine_.fresh_access()};
      cell = insert_new(index, V::create(keyspace().home(), parts));
    } else if (Keyspace::entry(*cell).type() != V::kType) {
      return errors::kWrongType;
    }
    return V(keyspace().home(), *cell);
  }

  // Sets a key to a string, whatever it was. An old expiry goes unless `keep_expiry`; a new one is
  // `expire_at_ms` unless that is -1. Code::kNoMemory.
  Status set_string(size_t index, std::string_view bytes, int64_t expire_at_ms = -1,
                    bool keep_expiry = false);
  Status set_string(int db, const Key& key, std::string_view bytes, int64_t expire_at_ms,
                    bool keep_expiry);
  // Puts an entry made for the key at `index` in its place, whatever was there.
  void replace(size_t index, Entry* entry);
  // Removes a key; false when it was absent. Tells the sinks.
  bool erase(size_t index);
  bool erase(int db, const Key& key, Event event = event::kDel, int64_t count = 1);
  // Removes a key that an edit left without a value: for save points that is part of the edit,
  // which changed() has told of.
  void erase_emptied(size_t index) { erase(session_.db, key(index), event::kDel, 0); }
  void set_expiry(size_t index, Cell& cell, int64_t expire_at_ms);  // -1 removes it

  Keyspace& keyspace() { return engine_.keyspace(session_.db); }

  // --- effects -----------------------------------------------------------------------------

  // A key changed: watchers, notifications and tracking hear of it now, and the command is logged
  // as received when it ends, unless log_as() says otherwise. `count` is what save points count of
  // it; 0 for another event of the same change.
  void changed(Event event, size_t key_index = 1, int64_t count = 1);
  void changed(int db, std::string_view key, Event event, int64_t count = 1);
  // Logs this command in place of the request: effects, not intentions (D4). Several calls log
  // several commands, in order, as one unit. Bytes are copied.
  void log_as(std::initializer_list<std::string_view> args);
  void log_as(int db, Args args);
  // Something changed that is no key of this request (a flush, a swap): log the request.
  void changed_database(int db);
  // The command changed nothing that replay must repeat, although a key changed in memory.
  void log_nothing() { log_mode_ = LogMode::kSettled; }
  bool has_changed() const { return changed_; }

  // --- waiting: see waiting.h --------------------------------------------------------------

  // The time to wait is over: the command runs to say so, whatever the keys hold now.
  bool timed_out() const;
  // False: what the command wants is there now, or it answers that it is not.
  bool may_wait() const { return session_.may_wait; }
  // Returned by a handler that has neither changed nor replied anything. REQUIRES: may_wait().
  Status wait(const WaitFor& what);

  // --- the reply ---------------------------------------------------------------------------

  resp::Reply& reply() { return reply_; }
  // One scalar and done: return call.reply(5);
  Status reply(int64_t value) {
    reply_.integer(value);
    return kOk;
  }
  Status reply_ok() {
    reply_.ok();
    return kOk;
  }
  Status reply_null() {
    reply_.null();
    return kOk;
  }
  Status reply_null_array() {
    reply_.null_array();
    return kOk;
  }
  Status reply_bulk(std::string_view bytes) {
    reply_.bulk(bytes);
    return kOk;
  }
  // A string value; big ones are sent without a copy.
  Status reply_string(const Entry& entry);
  // A user's mistake with a text made from the request; returned by the handler. The text lives as
  // long as the call.
  template <class... A>
  Status fail(fmt::format_string<A...> format, A&&... args) {
    failure_ = fmt::format(format, std::forward<A>(args)...);
    return user_error(failure_);
  }
  // HELP of a container: the lines between the usual first and last ones.
  Status reply_help(std::initializer_list<std::string_view> lines);

 private:
  friend class Engine;
  // The key comes into being; `entry` is of its keyspace's slabs.
  Cell* insert_new(size_t index, Entry* entry);

  enum class LogMode : uint8_t { kAsReceived, kSettled };

  Engine& engine_;
  Session& session_;
  const Prepared& prepared_;
  resp::Reply& reply_;
  bool changed_ = false;
  bool waits_ = false;
  LogMode log_mode_ = LogMode::kAsReceived;
  int logged_db_ = -1;  // where the request belongs, when not where the session stands now
  std::string failure_;
};

}  // namespace roxdb::engine
