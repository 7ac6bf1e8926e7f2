// events.h: what happens to a key, under the names that keyspace notifications give it.
#pragma once

#include <cstdint>
#include <string_view>

namespace roxdb::engine {

// The letters of notify-keyspace-events.
enum class EventClass : uint8_t {
  kGeneric,
  kString,
  kList,
  kSet,
  kHash,
  kSortedSet,
  kStream,
  kExpired,
  kEvicted,
  kNew
};

struct Event {
  EventClass event_class;
  std::string_view name;
};

namespace event {
inline constexpr Event kSet{EventClass::kString, "set"};
inline constexpr Event kSetRange{EventClass::kString, "setrange"};
inline constexpr Event kAppend{EventClass::kString, "append"};
inline constexpr Event kIncrBy{EventClass::kString, "incrby"};
inline constexpr Event kIncrByFloat{EventClass::kString, "incrbyfloat"};
inline constexpr Event kLPush{EventClass::kList, "lpush"};
inline constexpr Event kRPush{EventClass::kList, "rpush"};
inline constexpr Event kLPop{EventClass::kList, "lpop"};
inline constexpr Event kRPop{EventClass::kList, "rpop"};
inline constexpr Event kLSet{EventClass::kList, "lset"};
inline constexpr Event kLInsert{EventClass::kList, "linsert"};
inline constexpr Event kLRem{EventClass::kList, "lrem"};
inline constexpr Event kLTrim{EventClass::kList, "ltrim"};
inline constexpr Event kDel{EventClass::kGeneric, "del"};
inline constexpr Event kExpire{EventClass::kGeneric, "expire"};
inline constexpr Event kPersist{EventClass::kGeneric, "persist"};
inline constexpr Event kRenameFrom{EventClass::kGeneric, "rename_from"};
inline constexpr Event kRenameTo{EventClass::kGeneric, "rename_to"};
inline constexpr Event kMoveFrom{EventClass::kGeneric, "move_from"};
inline constexpr Event kMoveTo{EventClass::kGeneric, "move_to"};
inline constexpr Event kCopyTo{EventClass::kGeneric, "copy_to"};
inline constexpr Event kRestore{EventClass::kGeneric, "restore"};
inline constexpr Event kExpired{EventClass::kExpired, "expired"};
inline constexpr Event kEvicted{EventClass::kEvicted, "evicted"};
inline constexpr Event kNew{EventClass::kNew, "new"};
}  // namespace event

}  // namespace roxdb::engine
