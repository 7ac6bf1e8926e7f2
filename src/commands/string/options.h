// options.h: the options that SET, GETEX and MSETEX have in common, and the conditions on a value
// that SET and DELEX have.
//
//   condition   NX | XX | IFEQ value | IFNE value | IFDEQ digest | IFDNE digest
//   lifetime    EX seconds | PX ms | EXAT seconds | PXAT ms | KEEPTTL | PERSIST
//   GET
//
// One word of each line at most; the same word may come twice, then the last one counts, as in
// Redis.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "commands/shared/expire_time.h"
#include "engine/call.h"

namespace roxdb::commands {

enum class Condition : uint8_t {
  kNone,
  kAbsent,          // NX
  kPresent,         // XX
  kEqual,           // IFEQ
  kNotEqual,        // IFNE
  kDigestEqual,     // IFDEQ
  kDigestNotEqual,  // IFDNE
};

enum class Lifetime : uint8_t { kNone, kExpire, kKeep, kPersist };

struct StringOptions {
  Condition condition = Condition::kNone;
  std::string_view operand = {};  // of a condition on the value
  Lifetime lifetime = Lifetime::kNone;
  ExpireUnit unit = ExpireUnit::kSeconds;  // of kExpire
  size_t expire_index = 0;                 // of kExpire: the argument with the number
  bool get = false;
};

// What a command takes of them, added up; EX, PX, EXAT and PXAT it always takes.
inline constexpr unsigned kTakesExistence = 1;  // NX, XX
inline constexpr unsigned kTakesValue = 2;      // IFEQ, IFNE, IFDEQ, IFDNE
inline constexpr unsigned kTakesGet = 4;
inline constexpr unsigned kTakesKeep = 8;
inline constexpr unsigned kTakesPersist = 16;

// Reads the arguments from `first` to the end. "ERR syntax error". Numbers are not looked at yet:
// Redis refuses a wrong word first, whatever stands before it.
Result<StringOptions> read_string_options(const engine::Call& call, size_t first, unsigned takes);

// The expiry the options ask for, -1 when they ask for none. Errors: see read_expire_time().
Result<int64_t> expire_time_of(engine::Call& call, const StringOptions& options);

// The condition on a value this word stands for; nullopt when it is none.
std::optional<Condition> value_condition(std::string_view word);

// Whether a key fulfils a condition; `entry` null: it is absent, and so equal to nothing. Errors:
// kWrongType when the condition looks at the value; a digest that is not 16 characters long.
Result<bool> fulfils(const engine::Entry* entry, Condition condition, std::string_view operand);

// XXH3 with 64 bits, seed 0, as 16 hexadecimal digits: what DIGEST shows.
std::string digest_text(std::string_view bytes);

}  // namespace roxdb::commands
