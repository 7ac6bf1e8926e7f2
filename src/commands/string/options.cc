#include "commands/string/options.h"

#include <fmt/core.h>

#include "base/hash.h"
#include "base/text.h"

namespace roxdb::commands {

using engine::Call;
using engine::Entry;
namespace errors = engine::errors;

namespace {

constexpr size_t kDigestChars = 16;

std::optional<Condition> existence_condition(std::string_view word) {
  if (equal_ignore_case(word, "NX")) return Condition::kAbsent;
  if (equal_ignore_case(word, "XX")) return Condition::kPresent;
  return std::nullopt;
}

// Takes the choice unless another one of its line was made; false then.
template <class T>
bool choose(T& choice, T made) {
  if (choice != T::kNone && choice != made) return false;
  choice = made;
  return true;
}

}  // namespace

Result<StringOptions> read_string_options(const Call& call, size_t first, unsigned takes) {
  StringOptions options;
  for (size_t i = first; i < call.argc(); ++i) {
    const std::string_view word = call.arg(i);
    const bool has_next = i + 1 < call.argc();
    if ((takes & kTakesExistence) != 0) {
      if (const auto condition = existence_condition(word)) {
        if (!choose(options.condition, *condition)) return errors::kSyntax;
        continue;
      }
    }
    if ((takes & kTakesValue) != 0 && has_next) {
      if (const auto condition = value_condition(word)) {
        if (!choose(options.condition, *condition)) return errors::kSyntax;
        options.operand = call.arg(++i);
        continue;
      }
    }
    if (has_next) {
      if (const auto unit = expire_unit(word)) {
        const bool other_unit = options.lifetime == Lifetime::kExpire && options.unit != *unit;
        if (other_unit || !choose(options.lifetime, Lifetime::kExpire)) return errors::kSyntax;
        options.unit = *unit;
        options.expire_index = ++i;
        continue;
      }
    }
    if ((takes & kTakesKeep) != 0 && call.is(i, "KEEPTTL")) {
      if (!choose(options.lifetime, Lifetime::kKeep)) return errors::kSyntax;
    } else if ((takes & kTakesPersist) != 0 && call.is(i, "PERSIST")) {
      if (!choose(options.lifetime, Lifetime::kPersist)) return errors::kSyntax;
    } else if ((takes & kTakesGet) != 0 && call.is(i, "GET")) {
      options.get = true;
    } else {
      return errors::kSyntax;
    }
  }
  return options;
}

Result<int64_t> expire_time_of(Call& call, const StringOptions& options) {
  if (options.lifetime != Lifetime::kExpire) return int64_t{-1};
  return read_expire_time(call, options.expire_index, options.unit);
}

std::optional<Condition> value_condition(std::string_view word) {
  if (equal_ignore_case(word, "IFEQ")) return Condition::kEqual;
  if (equal_ignore_case(word, "IFNE")) return Condition::kNotEqual;
  if (equal_ignore_case(word, "IFDEQ")) return Condition::kDigestEqual;
  if (equal_ignore_case(word, "IFDNE")) return Condition::kDigestNotEqual;
  return std::nullopt;
}

Result<bool> fulfils(const Entry* entry, Condition condition, std::string_view operand) {
  switch (condition) {
    case Condition::kNone:
      return true;
    case Condition::kAbsent:
      return entry == nullptr;
    case Condition::kPresent:
      return entry != nullptr;
    case Condition::kEqual:
    case Condition::kNotEqual:
    case Condition::kDigestEqual:
    case Condition::kDigestNotEqual:
      break;
  }
  const bool wants_equal = condition == Condition::kEqual || condition == Condition::kDigestEqual;
  if (entry == nullptr) return !wants_equal;
  if (entry->type() != types::TypeId::kString) return errors::kWrongType;
  const types::StringView value(*entry);
  if (condition == Condition::kEqual || condition == Condition::kNotEqual) {
    return (value.view() == operand) == wants_equal;
  }
  if (operand.size() != kDigestChars) {
    return user_error("ERR must be exactly 16 hexadecimal characters");
  }
  return equal_ignore_case(digest_text(value), operand) == wants_equal;
}

std::string digest_text(std::string_view bytes) {
  return fmt::format("{:016x}", checksum(bytes, 0));
}

}  // namespace roxdb::commands
