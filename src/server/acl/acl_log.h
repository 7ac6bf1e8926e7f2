// acl_log.h: ACL LOG: who was refused what, the newest first. The same refusal again within a
// minute counts up the entry that there is.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "engine/engine.h"

namespace roxdb::server {

class AclLog {
 public:
  enum class Reason : uint8_t { kAuth, kCommand, kKey, kChannel, kDatabase };
  enum class Context : uint8_t { kTopLevel, kMulti, kScript };
  static std::string_view name_of(Reason reason);
  static std::string_view name_of(Context context);

  struct Entry {
    Reason reason;
    Context context;
    std::string object;  // the command, key, channel or database
    std::string user;
    std::string client;  // a line of CLIENT LIST
    uint64_t count = 1;
    int64_t id = 0;
    int64_t created_ms = 0;  // wall clock
    int64_t updated_ms = 0;
  };

  // Registers acllog-max-len and what INFO stats says of refusals.
  explicit AclLog(engine::Engine& engine);

  // `entry` lacks the number and the times. What a client sent is kept up to kObjectBytesMax.
  void add(Entry entry);
  void clear() { entries_.clear(); }
  const std::deque<Entry>& entries() const { return entries_; }
  int64_t now_ms() const;

 private:
  static constexpr size_t kReasons = 5;
  void trim();

  engine::Engine& engine_;
  std::deque<Entry> entries_;
  int64_t entries_max_ = 128;
  int64_t next_id_ = 0;
  uint64_t refusals_[kReasons] = {};
};

}  // namespace roxdb::server
