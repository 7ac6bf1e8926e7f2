// counter.cc: string values that are numbers. INCREX has a story of its own: increx.cc.
#include <cmath>
#include <limits>

#include "commands/shared/integer_text.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/string_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kDenyOom;
using engine::kFast;
using engine::kWrite;
using types::StringValue;
namespace errors = engine::errors;
namespace event = engine::event;

// Adds to the integer at argument 1 and replies the sum; a missing key counts as 0. For a key that
// is an integer already this is one look into the table and no allocation.
Status add(Call& call, int64_t increment) {
  ROX_TRY(std::optional<StringValue> string, call.edit<StringValue>(1));
  int64_t sum = 0;
  if (string) {
    const auto value = string->integer();
    if (!value) return errors::kNotInteger;
    sum = *value;
  }
  if (__builtin_add_overflow(sum, increment, &sum)) return errors::kOverflow;
  if (string) {
    string->assign_integer(sum);
  } else {
    ROX_TRY(call.set_string(1, IntegerText(sum)));
  }
  call.changed(event::kIncrBy);
  return call.reply(sum);
}

// INCR key -> the value after the increment
Status incr_command(Call& call) { return add(call, 1); }
constexpr Example kIncrExamples[] = {{"INCR k", ":1"},
                                     {"SET k 9223372036854775807", "+OK"},
                                     {"INCR k", "-ERR increment or decrement would overflow"},
                                     {"SET k abc", "+OK"},
                                     {"INCR k", "-ERR value is not an integer or out of range"}};
constexpr CommandSpec kIncr{
    .name = "INCR",
    .syntax = "key",
    .summary = "Adds one to the integer at a key; a missing key counts as 0.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW",
    .handler = incr_command,
    .examples = kIncrExamples,
};

// DECR key -> the value after the decrement
Status decr_command(Call& call) { return add(call, -1); }
constexpr Example kDecrExamples[] = {{"DECR k", ":-1"}, {"DECR k", ":-2"}};
constexpr CommandSpec kDecr{
    .name = "DECR",
    .syntax = "key",
    .summary = "Takes one from the integer at a key; a missing key counts as 0.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW",
    .handler = decr_command,
    .examples = kDecrExamples,
};

// INCRBY key increment -> the value after the increment
Status incrby_command(Call& call) {
  ROX_TRY(const int64_t increment, call.integer(2));
  return add(call, increment);
}
constexpr Example kIncrByExamples[] = {{"INCRBY k 5", ":5"}, {"INCRBY k -7", ":-2"}};
constexpr CommandSpec kIncrBy{
    .name = "INCRBY",
    .syntax = "key increment",
    .summary = "Adds to the integer at a key; a missing key counts as 0.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW",
    .handler = incrby_command,
    .examples = kIncrByExamples,
};

// DECRBY key decrement -> the value after the decrement
Status decrby_command(Call& call) {
  ROX_TRY(const int64_t decrement, call.integer(2));
  if (decrement == std::numeric_limits<int64_t>::min()) {
    return user_error("ERR decrement would overflow");
  }
  return add(call, -decrement);
}
constexpr Example kDecrByExamples[] = {
    {"DECRBY k 5", ":-5"}, {"DECRBY k -9223372036854775808", "-ERR decrement would overflow"}};
constexpr CommandSpec kDecrBy{
    .name = "DECRBY",
    .syntax = "key decrement",
    .summary = "Takes from the integer at a key; a missing key counts as 0.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW",
    .handler = decrby_command,
    .examples = kDecrByExamples,
};

// INCRBYFLOAT key increment -> the value after the increment, as text
Status incrbyfloat_command(Call& call) {
  ROX_TRY(std::optional<StringValue> string, call.edit<StringValue>(1));
  long double sum = 0;
  if (string) {
    const auto value = parse_long_double(string->view());
    if (!value) return errors::kNotFloat;
    sum = *value;
  }
  const auto increment = parse_long_double(call.arg(2));
  if (!increment) return errors::kNotFloat;
  sum += *increment;
  if (std::isnan(sum) || std::isinf(sum)) return errors::kNaNOrInfinity;

  char digits[kLongDoubleDigitsMax];
  const std::string_view text(digits, print_long_double(sum, digits));
  if (string) {
    ROX_TRY(string->assign(text));
  } else {
    ROX_TRY(call.set_string(1, text));
  }
  call.changed(event::kIncrByFloat);
  call.log_as({"SET", call.arg(1), text, "KEEPTTL"});
  return call.reply_bulk(text);
}
constexpr Example kIncrByFloatExamples[] = {
    {"INCRBYFLOAT k 10.5", "$10.5"},
    {"INCRBYFLOAT k 0.1", "$10.6"},
    {"INCRBYFLOAT k -10.6", "$0"},
    {"INCRBYFLOAT k inf", "-ERR increment would produce NaN or Infinity"}};
constexpr CommandSpec kIncrByFloat{
    .name = "INCRBYFLOAT",
    .syntax = "key increment",
    .summary = "Adds to the decimal number at a key; a missing key counts as 0.",
    .since = "2.6.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW",
    .handler = incrbyfloat_command,
    .examples = kIncrByFloatExamples,
};

constexpr const CommandSpec* kCommands[] = {&kDecr, &kDecrBy, &kIncr, &kIncrBy, &kIncrByFloat};

}  // namespace

extern constinit const engine::CommandFamily kCounterFamily;
constinit const engine::CommandFamily kCounterFamily{"string", kCommands};

}  // namespace roxdb::commands
