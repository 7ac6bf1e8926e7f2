// increx.cc: INCREX, a counter with bounds and an expiry: the whole of a rate limiter in one step.
//
//   value + increment, within [LBOUND, UBOUND]?   yes: store it, apply the expiry
//                                                 no, SATURATE: store the bound, apply the expiry
//                                                 no: change nothing, reply an increment of 0
//
// The bounds are those of the number type unless given; passing the type's own limits counts as
// passing a bound. Integers are int64, BYFLOAT counts in long double as INCRBYFLOAT does.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "commands/shared/expire_time.h"
#include "commands/shared/integer_text.h"
#include "commands/string/options.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/string_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Entry;
using engine::Event;
using engine::Example;
using engine::kDenyOom;
using engine::kFast;
using engine::kWrite;
namespace errors = engine::errors;
namespace event = engine::event;

struct Options {
  bool is_float = false;
  size_t increment_index = 0;  // of the argument with the number, 0: not given; so the next two
  size_t lower_index = 0;
  size_t upper_index = 0;
  size_t expire_index = 0;
  ExpireUnit unit = ExpireUnit::kSeconds;
  bool persists = false;
  bool only_without_expiry = false;  // ENX
  bool saturates = false;
};

// Unlike the options of SET, none may come twice.
Result<Options> read_options(const Call& call) {
  Options options;
  for (size_t i = 2; i < call.argc(); ++i) {
    // The number behind this word; false when it is missing or the word came before.
    const auto take_number = [&](size_t& index) {
      if (index != 0 || i + 1 == call.argc()) return false;
      index = ++i;
      return true;
    };
    const auto take_word = [](bool& word) { return !std::exchange(word, true); };
    bool good;
    if (call.is(i, "BYINT") || call.is(i, "BYFLOAT")) {
      const bool is_float = call.is(i, "BYFLOAT");
      good = take_number(options.increment_index);
      options.is_float = is_float;
    } else if (call.is(i, "LBOUND")) {
      good = take_number(options.lower_index);
    } else if (call.is(i, "UBOUND")) {
      good = take_number(options.upper_index);
    } else if (const auto unit = expire_unit(call.arg(i))) {
      good = take_number(options.expire_index) && !options.persists;
      options.unit = *unit;
    } else if (call.is(i, "PERSIST")) {
      good = take_word(options.persists) && options.expire_index == 0;
    } else if (call.is(i, "ENX")) {
      good = take_word(options.only_without_expiry);
    } else {
      good = call.is(i, "SATURATE") && take_word(options.saturates);
    }
    if (!good) return errors::kSyntax;
  }
  if (options.only_without_expiry && options.persists) return errors::kSyntax;
  if (options.only_without_expiry && options.expire_index == 0) {
    return user_error("ERR ENX flag requires an expiration");
  }
  return options;
}

// The two kinds of numbers.
struct Integers {
  using Number = int64_t;
  static constexpr Event kEvent = event::kIncrBy;
  static constexpr Status kNotNumber = errors::kNotInteger;
  static constexpr Status kNoDifference = user_error("ERR applied increment would overflow");
  static constexpr std::string_view kWanted = "an integer or out of range";
  static constexpr Number kLowest = std::numeric_limits<Number>::min();
  static constexpr Number kHighest = std::numeric_limits<Number>::max();

  static std::optional<Number> parse(std::string_view text) { return parse_int64(text); }
  static bool is_infinite(Number) { return false; }
  // False: the result is beyond the limits of the type; then it is the limit.
  static bool add(Number a, Number b, Number& sum) {
    if (!__builtin_add_overflow(a, b, &sum)) return true;
    sum = b > 0 ? kHighest : kLowest;
    return false;
  }
  static bool subtract(Number a, Number b, Number& difference) {
    return !__builtin_sub_overflow(a, b, &difference);
  }
  static std::string text(Number number) { return std::string(IntegerText(number)); }
  static void reply(Call& call, Number number) { call.reply().integer(number); }
};

struct Floats {
  using Number = long double;
  static constexpr Event kEvent = event::kIncrByFloat;
  static constexpr Status kNotNumber = errors::kNotFloat;
  static constexpr Status kNoDifference = user_error("ERR applied increment would be Infinity");
  static constexpr std::string_view kWanted = "a valid float";
  static constexpr Number kLowest = -LDBL_MAX;
  static constexpr Number kHighest = LDBL_MAX;

  static std::optional<Number> parse(std::string_view text) { return parse_long_double(text); }
  static bool is_infinite(Number number) { return std::isinf(number); }
  static bool add(Number a, Number b, Number& sum) {
    sum = a + b;
    if (!std::isinf(sum)) return true;
    sum = b > 0 ? kHighest : kLowest;
    return false;
  }
  static bool subtract(Number a, Number b, Number& difference) {
    difference = a - b;
    return !std::isinf(difference);
  }
  static std::string text(Number number) {
    char digits[kLongDoubleDigitsMax];
    return {digits, print_long_double(number, digits)};
  }
  static void reply(Call& call, Number number) {
    if (call.reply().protocol() >= 3) {
      call.reply().real(static_cast<double>(number));
    } else {
      call.reply().bulk(text(number));
    }
  }
};

template <class Kind>
Result<typename Kind::Number> read_number(Call& call, size_t index, std::string_view name,
                                          typename Kind::Number absent) {
  if (index == 0) return absent;
  const auto number = Kind::parse(call.arg(index));
  if (!number) return call.fail("ERR {} is not {}", name, Kind::kWanted);
  return *number;
}

// Stores the new value with what becomes of the expiry, and what the log shall say.
Status store(Call& call, std::string_view text, const Options& options, int64_t expire_at_ms,
             Event event) {
  const std::string_view key = call.arg(1);
  const Entry* entry = call.peek(1);
  const bool had_expiry = entry != nullptr && entry->has_expiry();
  const bool expires = expire_at_ms >= 0 && !(options.only_without_expiry && had_expiry);
  if (expires && is_past(call, expire_at_ms)) {
    if (call.erase(1)) call.log_as({"DEL", key});
    return kOk;
  }
  const bool keeps_expiry = !expires && !options.persists;
  ROX_TRY(call.set_string(1, text, expires ? expire_at_ms : -1, keeps_expiry));
  call.changed(event);
  if (expires) {
    call.engine().notify(call.db(), key, event::kExpire);
    call.log_as({"SET", key, text, "PXAT", IntegerText(expire_at_ms)});
  } else if (keeps_expiry) {
    call.log_as({"SET", key, text, "KEEPTTL"});
  } else {
    if (had_expiry) call.engine().notify(call.db(), key, event::kPersist);
    call.log_as({"SET", key, text});
  }
  return kOk;
}

template <class Kind>
Status count(Call& call, const Options& options) {
  using Number = typename Kind::Number;
  ROX_TRY(const Number increment, read_number<Kind>(call, options.increment_index, "Increment", 1));
  if (Kind::is_infinite(increment)) {
    return user_error("ERR BYFLOAT increment cannot be Infinity");
  }
  ROX_TRY(const Number lower,
          read_number<Kind>(call, options.lower_index, "LBOUND", Kind::kLowest));
  ROX_TRY(const Number upper,
          read_number<Kind>(call, options.upper_index, "UBOUND", Kind::kHighest));
  if (lower > upper) return user_error("ERR LBOUND can't be greater than UBOUND");
  int64_t expire_at_ms = -1;
  if (options.expire_index != 0) {
    ROX_TRY(expire_at_ms, read_expire_time(call, options.expire_index, options.unit));
  }

  Number old = 0;
  if (const Entry* entry = call.peek(1); entry != nullptr) {
    if (entry->type() != types::TypeId::kString) return errors::kWrongType;
    const auto value = Kind::parse(types::StringView(*entry));
    if (!value) return Kind::kNotNumber;
    if (Kind::is_infinite(*value)) return user_error("ERR value cannot be Infinity");
    old = *value;
  }
  Number sum;
  const bool within = Kind::add(old, increment, sum) && lower <= sum && sum <= upper;
  Number applied = 0;
  if (within || options.saturates) {
    sum = std::clamp(sum, lower, upper);
    if (!Kind::subtract(sum, old, applied)) return Kind::kNoDifference;
    ROX_TRY(store(call, Kind::text(sum), options, expire_at_ms, Kind::kEvent));
  } else {
    sum = old;
  }
  call.reply().array(2);
  Kind::reply(call, sum);
  Kind::reply(call, within ? increment : applied);
  return kOk;
}

// INCREX key [...] -> [the value then, the increment that was applied]
Status increx_command(Call& call) {
  ROX_TRY(const Options options, read_options(call));
  return options.is_float ? count<Floats>(call, options) : count<Integers>(call, options);
}
constexpr Example kIncrExExamples[] = {{"INCREX k", "*[:1 :1]"},
                                       {"INCREX k BYINT 5 UBOUND 5", "*[:1 :0]"},
                                       {"INCREX k BYINT 5 UBOUND 5 SATURATE EX 10", "*[:5 :4]"},
                                       {"INCREX k BYFLOAT 0.5 EX 100 ENX", "*[$5.5 $0.5]"},
                                       {"TTL k", ":10"},
                                       {"INCREX k ENX", "-ERR ENX flag requires an expiration"}};
constexpr CommandSpec kIncrEx{
    .name = "INCREX",
    .syntax =
        "key [BYFLOAT increment | BYINT increment] [SATURATE] [LBOUND lower] [UBOUND upper] "
        "[EX seconds | PX milliseconds | EXAT unix-time-seconds | "
        "PXAT unix-time-milliseconds | PERSIST] [ENX]",
    .summary =
        "Adds to the number at a key within bounds, and says how long it lives; a missing "
        "key counts as 0.",
    .since = "8.8.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW",
    .handler = increx_command,
    .examples = kIncrExExamples,
};

constexpr const CommandSpec* kCommands[] = {&kIncrEx};

}  // namespace

extern constinit const engine::CommandFamily kIncrexFamily;
constinit const engine::CommandFamily kIncrexFamily{"string", kCommands};

}  // namespace roxdb::commands
