// client_filter.h: which clients CLIENT LIST shows and CLIENT KILL closes.
//
//   [ID id...] [TYPE t] [USER u] [ADDR a] [LADDR a] [IP i] [NAME n] [LIB-NAME n] [LIB-VER v]
//   [DB n] [FLAGS letters] [CAPA letters] [MAXAGE seconds] [IDLE seconds] [SKIPME yes | no]
//
// All that are given must hold. Most exist as NOT-... too. As in Valkey 9, whose filters are a
// superset of Redis 8's.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/call.h"
#include "server/clients.h"

namespace roxdb::server {

class ClientFilter {
 public:
  // Reads all arguments from `first` on. Views into them are kept. `bad_id`: what to say of an id
  // that is none.
  Status parse(engine::Call& call, size_t first, Status bad_id);

  bool matches(const Client& client, const Client* self, uint64_t now_ms) const;
  bool skip_self = false;

 private:
  enum class Field : uint8_t {
    kType,
    kUser,
    kAddr,
    kLocalAddr,
    kIp,
    kName,
    kLibName,
    kLibVersion,
    kFlags,
    kCapabilities
  };
  struct Condition {
    Field field;
    bool negated;
    std::string_view value;
  };
  struct Option;

  Status parse_ids(engine::Call& call, size_t& at, bool negated, Status bad_id);
  Status parse_text(engine::Call& call, Field field, bool negated, std::string_view value);
  static bool holds(Field field, std::string_view value, const Client& client);

  std::vector<uint64_t> ids_;  // sorted; empty: any
  std::vector<uint64_t> not_ids_;
  std::vector<Condition> conditions_;
  std::optional<int64_t> db_;
  std::optional<int64_t> not_db_;
  std::optional<int64_t> age_seconds_min_;
  std::optional<int64_t> idle_seconds_min_;
};

}  // namespace roxdb::server
