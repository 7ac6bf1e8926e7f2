// command.h: what a command is. One declaration beside its handler says everything about it;
// COMMAND, ACL, routing, the reference, the generic tests and the fuzzers read it from here.
//
//   constexpr Example kAppendExamples[] = {{"APPEND k ab", ":2"}};
//   constexpr CommandSpec kAppend{.name = "APPEND", .syntax = "key value", ...};
//   constexpr const CommandSpec* kCommands[] = {&kAppend, ...};
//   extern constinit const CommandFamily kStringFamily;
//   constinit const CommandFamily kStringFamily{"string", kCommands};
//
// A subcommand is a command whose name has two words ("CLIENT ID"); its container ("CLIENT") has a
// spec of its own, without a handler.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/command_notation.h"

namespace roxdb::engine {

class Call;
using Handler = Status (*)(Call& call);

// A key of a concrete request.
struct KeyAt {
  size_t arg;
  KeyAccess access;
  bool unread = false;   // "!u"
  bool pattern = false;  // names keys that only the running command will know (BY of SORT)
};
// Adds the keys of a request that its declaration can only call "??", or "!v".
using KeyFinder = void (*)(std::span<const std::string_view> args, std::vector<KeyAt>& keys);
// Adds the databases that a request names, where their numbers are such, or kEveryDatabase.
using DatabaseFinder = void (*)(std::span<const std::string_view> args, std::vector<int>& dbs);
inline constexpr int kEveryDatabase = -1;

// Where channels stand that it takes a right to speak or to listen to.
enum class ChannelsAt : uint8_t {
  kNowhere,
  kFirst,        // PUBLISH
  kAll,          // SUBSCRIBE: all arguments
  kAllPatterns,  // PSUBSCRIBE: patterns, each of which must be allowed as it stands
};

// What COMMAND INFO calls flags. One bit each; `flag_names` in command.cc has their texts.
using Flags = uint32_t;
inline constexpr Flags kWrite = 1u << 0;
inline constexpr Flags kReadOnly = 1u << 1;
inline constexpr Flags kDenyOom = 1u << 2;  // refused above maxmemory
inline constexpr Flags kAdmin = 1u << 3;
inline constexpr Flags kPubSub = 1u << 4;
inline constexpr Flags kNoScript = 1u << 5;
inline constexpr Flags kBlocking = 1u << 6;
inline constexpr Flags kLoading = 1u << 7;  // allowed while data is loaded
inline constexpr Flags kStale = 1u << 8;    // allowed on a replica without its primary
inline constexpr Flags kFast = 1u << 9;
inline constexpr Flags kNoAuth = 1u << 10;  // allowed before AUTH
inline constexpr Flags kAllowBusy = 1u << 11;
inline constexpr Flags kNoAsyncLoading = 1u << 12;
inline constexpr Flags kNoMulti = 1u << 13;
inline constexpr Flags kAsking = 1u << 14;
inline constexpr Flags kSkipMonitor = 1u << 15;
inline constexpr Flags kSkipSlowlog = 1u << 16;
inline constexpr Flags kSecret = 1u << 17;        // arguments hold passwords: redact (S3)
inline constexpr Flags kMayReplicate = 1u << 18;  // reaches the log though it is no write (PUBLISH)
inline constexpr Flags kRunsQueued = 1u << 19;    // EXEC: does what the commands before it said
inline constexpr Flags kNotQueued = 1u << 20;     // runs at once between MULTI and EXEC
inline constexpr Flags kNoMandatoryKeys = 1u << 21;  // its number of keys may be 0

// ACL categories beyond those that family and flags imply.
using Categories = uint32_t;
inline constexpr Categories kCategoryDangerous = 1u << 0;
inline constexpr Categories kCategoryConnection = 1u << 1;
inline constexpr Categories kCategoryKeyspace = 1u << 2;
inline constexpr Categories kCategoryAdmin = 1u << 3;
inline constexpr Categories kCategoryNotRead = 1u << 4;   // reads no key: not in @read
inline constexpr Categories kCategorySortable = 1u << 5;  // @list, @set and @sortedset

// A use that the reference shows and the tests run, in order, on an empty keyspace. `reply` is in
// the notation of the tests: ":2", "+OK", "$ab", "$nil", "-ERR ...", "*[...]".
struct Example {
  std::string_view request;
  std::string_view reply;
};

struct CommandSpec {
  std::string_view name;  // upper case; "CLIENT ID"
  Syntax syntax = {};     // of the arguments; the arity is computed from it
  std::string_view summary;
  std::string_view since;  // the Redis version whose behaviour we follow
  std::string_view complexity;
  Flags flags = 0;
  Keys keys = {};        // where keys stand
  Members members = {};  // where members of the collection at the first key stand
  Categories acl = 0;
  std::string_view tips = {};  // comma separated, as COMMAND INFO lists them
  int arity = 0;               // 0: computed from the syntax
  std::string_view deprecated_since = {};
  std::string_view replaced_by = {};
  KeyFinder find_keys = nullptr;  // where `keys` says "??" or "!v"
  DatabaseFinder find_databases = nullptr;
  ChannelsAt channels = ChannelsAt::kNowhere;
  Handler handler = nullptr;  // null: a container
  std::span<const Example> examples = {};
};

struct CommandFamily {
  std::string_view group;  // "string", "generic", ...: COMMAND DOCS' group and an ACL category
  std::span<const CommandSpec* const> commands;
};

// Written by the build from the list of files that define families.
extern const CommandFamily* const kCommandFamilies[];
extern const size_t kCommandFamiliesCount;

}  // namespace roxdb::engine
