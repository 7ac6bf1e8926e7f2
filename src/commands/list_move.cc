// list_move.cc: elements from one list to another, in one unit, at once or when there are some
// (engine/waiting.h).
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/numbers.h"
#include "commands/list/ends.h"
#include "commands/shared/reply_measure.h"
#include "commands/shared/timeout.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/list_value.h"

namespace roxdb::commands {
namespace {

using containers::packed::Text;
using engine::Call;
using engine::CommandSpec;
using engine::Entry;
using engine::Example;
using engine::kBlocking;
using engine::kDenyOom;
using engine::kWrite;
using types::ListCursor;
using types::ListValue;
using types::ListView;
using types::TypeId;
using Encoded = ListValue::Encoded;
namespace errors = engine::errors;
namespace event = engine::event;

struct Route {
  End from;
  End to;
};

Result<Route> read_route(Call& call) {
  ROX_TRY(const End from, read_end(call, 3));
  ROX_TRY(const End to, read_end(call, 4));
  return Route{from, to};
}

// The key in argument 2 is none, or a list.
Status check_destination(Call& call) {
  const Entry* entry = call.peek(2);
  return entry == nullptr || entry->type() == TypeId::kList ? kOk : errors::kWrongType;
}

// Takes as many elements out of one list, puts them into the other, in this order and at that end,
// and tells the sinks. Both lists may be the same. REQUIRES: the source has as many, the
// destination is none or a list.
Status put_across(Call& call, Route route, const std::vector<std::string>& texts, bool in_block) {
  const bool is_same = call.arg(1) == call.arg(2);
  if (is_same) {  // taken out first, or what is put in could be taken
    ROX_TRY(std::optional<ListValue> list, call.edit<ListValue>(1));
    pop(*list, route.from, texts.size());
  }
  {
    ROX_TRY(ListValue list, call.edit_or_create<ListValue>(2));
    // A block keeps its order at either end: at the front its last element goes first.
    const bool last_first = in_block && route.to == End::kLeft;
    for (size_t i = 0; i < texts.size(); ++i) {
      push(list, route.to, Encoded(texts[last_first ? texts.size() - 1 - i : i]));
    }
    call.changed(push_event(route.to), 2, 0);  // the move counts where it takes from
  }
  ROX_TRY(std::optional<ListValue> source, call.edit<ListValue>(1));
  if (!is_same) pop(*source, route.from, texts.size());
  popped(call, 1, *source, route.from, texts.size());
  return kOk;
}

// The element at the source's end goes to the destination's and is the reply. False: no source.
Result<bool> move_one(Call& call, Route route) {
  ROX_TRY(std::optional<ListValue> source, call.edit<ListValue>(1));
  if (!source) return false;
  const std::vector<std::string> texts = {
      std::string(Text(end_of(source->view(), route.from).element()))};
  // May take an expired key out of the table, and then cells move: `source` is dead.
  ROX_TRY(check_destination(call));
  ROX_TRY(put_across(call, route, texts, false));
  call.reply().bulk(texts[0]);
  return true;
}

// LMOVE source destination LEFT|RIGHT LEFT|RIGHT -> the element, nil when there is none
Status lmove_command(Call& call) {
  ROX_TRY(const Route route, read_route(call));
  ROX_TRY(const bool done, move_one(call, route));
  return done ? kOk : call.reply_null();
}
constexpr Example kLMoveExamples[] = {
    {"RPUSH a 1 2 3", ":3"},        {"LMOVE a b RIGHT LEFT", "$3"},
    {"LMOVE a b LEFT RIGHT", "$1"}, {"LRANGE b 0 -1", "*[$3 $1]"},
    {"LMOVE b b LEFT RIGHT", "$3"}, {"LMOVE c b LEFT RIGHT", "$nil"}};
constexpr CommandSpec kLMove{
    .name = "LMOVE",
    .syntax = "source destination (LEFT | RIGHT) (LEFT | RIGHT)",
    .summary = "Moves an element from one end of a list to one end of another list.",
    .since = "6.2.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom,
    .keys = "1:RW,2:RW!u",
    .handler = lmove_command,
    .examples = kLMoveExamples,
};

constexpr Route kLastToFirst{End::kRight, End::kLeft};

// RPOPLPUSH source destination -> the element, nil when there is none
Status rpoplpush_command(Call& call) {
  ROX_TRY(const bool done, move_one(call, kLastToFirst));
  return done ? kOk : call.reply_null();
}
constexpr Example kRPopLPushExamples[] = {
    {"RPUSH a 1 2 3", ":3"}, {"RPOPLPUSH a b", "$3"}, {"RPOPLPUSH c b", "$nil"}};
constexpr CommandSpec kRPopLPush{
    .name = "RPOPLPUSH",
    .syntax = "source destination",
    .summary = "Moves the last element of a list to the front of another list.",
    .since = "1.2.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom,
    .keys = "1:RW,2:RW!u",
    .deprecated_since = "6.2.0",
    .replaced_by = "`LMOVE` with the `RIGHT` and `LEFT` arguments",
    .handler = rpoplpush_command,
    .examples = kRPopLPushExamples,
};

Status wait_for_source(Call& call, int64_t timeout_ms) {
  return call.wait({.type = TypeId::kList, .first_key = 1, .keys = 1, .timeout_ms = timeout_ms});
}

// BLMOVE source destination LEFT|RIGHT LEFT|RIGHT timeout -> the element | null: the time was up
Status blmove_command(Call& call) {
  if (call.timed_out()) return call.reply_null_array();
  ROX_TRY(const Route route, read_route(call));
  ROX_TRY(const int64_t timeout_ms, read_timeout(call, 5, TimeoutUnit::kSeconds));
  ROX_TRY(const bool done, move_one(call, route));
  if (done) {
    call.log_as({"LMOVE", call.arg(1), call.arg(2), end_name(route.from), end_name(route.to)});
    return kOk;
  }
  return call.may_wait() ? wait_for_source(call, timeout_ms) : call.reply_null();
}
constexpr Example kBLMoveExamples[] = {{"RPUSH a 1 2 3", ":3"},
                                       {"BLMOVE a b RIGHT LEFT 0", "$3"},
                                       {"BLMOVE a b RIGHT DOWN 0", "-ERR syntax error"}};
constexpr CommandSpec kBLMove{
    .name = "BLMOVE",
    .syntax = "source destination (LEFT | RIGHT) (LEFT | RIGHT) timeout",
    .summary = "Moves an element from one list to another; waits for one if need be.",
    .since = "6.2.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom | kBlocking,
    .keys = "1:RW,2:RW!u",
    .handler = blmove_command,
    .examples = kBLMoveExamples,
};

// BRPOPLPUSH source destination timeout -> the element | null: the time was up
Status brpoplpush_command(Call& call) {
  if (call.timed_out()) return call.reply_null_array();
  ROX_TRY(const int64_t timeout_ms, read_timeout(call, 3, TimeoutUnit::kSeconds));
  ROX_TRY(const bool done, move_one(call, kLastToFirst));
  if (done) {
    call.log_as({"RPOPLPUSH", call.arg(1), call.arg(2)});
    return kOk;
  }
  return call.may_wait() ? wait_for_source(call, timeout_ms) : call.reply_null();
}
constexpr Example kBRPopLPushExamples[] = {{"RPUSH a 1 2 3", ":3"}, {"BRPOPLPUSH a b 0", "$3"}};
constexpr CommandSpec kBRPopLPush{
    .name = "BRPOPLPUSH",
    .syntax = "source destination timeout",
    .summary =
        "Moves the last element of a list to the front of another list; waits for one if need be.",
    .since = "2.2.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom | kBlocking,
    .keys = "1:RW,2:RW!u",
    .deprecated_since = "6.2.0",
    .replaced_by = "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
    .handler = brpoplpush_command,
    .examples = kBRPopLPushExamples,
};

// ---- several elements ----

struct HowMany {
  size_t count = 1;
  bool exactly = false;   // all of them or none
  bool in_block = false;  // BULK: they keep their order; OBO: one by one
};

// [(COUNT | EXACTLY) count (OBO | BULK)], from argument `first` on.
Result<HowMany> read_how_many(Call& call, size_t first) {
  HowMany how;
  if (call.argc() == first) return how;
  if (call.argc() != first + 3) return errors::kSyntax;
  how.exactly = call.is(first, "EXACTLY");
  how.in_block = call.is(first + 2, "BULK");
  if (!how.exactly && !call.is(first, "COUNT")) return errors::kSyntax;
  if (!how.in_block && !call.is(first + 2, "OBO")) return errors::kSyntax;
  const auto count = parse_int64(call.arg(first + 1));
  if (!count || *count < 1) return user_error("ERR count should be greater than 0");
  how.count = static_cast<size_t>(*count);
  return how;
}

// The elements go across and are the reply, in the order they have at the destination. False: the
// source has none, or not enough.
Result<bool> move_many(Call& call, Route route, const HowMany& how) {
  ROX_TRY(std::optional<ListValue> source, call.edit<ListValue>(1));
  if (!source) return false;
  const ListView view = source->view();
  if (how.exactly && view.size() < how.count) return false;
  ROX_TRY(check_destination(call));
  const size_t count = std::min(how.count, view.size());
  const auto for_each = [&](auto&& visit) {  // the outer one first
    ListCursor cursor = end_of(view, route.from);
    for (size_t i = 0; i < count; ++i, step_inwards(cursor, route.from)) {
      visit(Text(cursor.element()).view());
    }
  };
  ROX_TRY(check_reply(call, reply_bytes_of(count, view.bytes()), [&](resp::Reply& reply) {
    for_each([&reply](std::string_view text) { reply.bulk(text); });
  }));
  std::vector<std::string> texts;
  texts.reserve(count);
  for_each([&texts](std::string_view text) { texts.emplace_back(text); });
  if (how.in_block && route.from == End::kRight) std::reverse(texts.begin(), texts.end());
  ROX_TRY(put_across(call, route, texts, how.in_block));
  // One by one at the front, the last to go stands first.
  if (!how.in_block && route.to == End::kLeft) std::reverse(texts.begin(), texts.end());
  call.reply().array(count);
  for (const std::string& text : texts) call.reply().bulk(text);
  return true;
}

// LMOVEM source destination LEFT|RIGHT LEFT|RIGHT [...] -> the elements | null: not enough
Status lmovem_command(Call& call) {
  ROX_TRY(const Route route, read_route(call));
  ROX_TRY(const HowMany how, read_how_many(call, 5));
  ROX_TRY(const bool done, move_many(call, route, how));
  return done ? kOk : call.reply_null_array();
}
constexpr Example kLMoveMExamples[] = {{"RPUSH a 1 2 3 4", ":4"},
                                       {"RPUSH b 5 6", ":2"},
                                       {"LMOVEM a b LEFT LEFT COUNT 2 OBO", "*[$2 $1]"},
                                       {"LMOVEM a b LEFT LEFT EXACTLY 3 BULK", "*nil"},
                                       {"LMOVEM a b LEFT LEFT EXACTLY 2 BULK", "*[$3 $4]"},
                                       {"LRANGE b 0 -1", "*[$3 $4 $2 $1 $5 $6]"},
                                       {"LMOVEM b a RIGHT LEFT", "*[$6]"}};
constexpr CommandSpec kLMoveM{
    .name = "LMOVEM",
    .syntax =
        "source destination (LEFT | RIGHT) (LEFT | RIGHT) [(COUNT | EXACTLY) count (OBO | BULK)]",
    .summary = "Moves elements, so many or up to so many, from one list to another.",
    .since = "8.10.0",
    .complexity = "O(N) where N is the number of elements moved",
    .flags = kWrite | kDenyOom,
    .keys = "1:RW,2:RW",
    .handler = lmovem_command,
    .examples = kLMoveMExamples,
};

// BLMOVEM source destination LEFT|RIGHT LEFT|RIGHT timeout [...] -> as LMOVEM
Status blmovem_command(Call& call) {
  if (call.timed_out()) return call.reply_null_array();
  ROX_TRY(const Route route, read_route(call));
  ROX_TRY(const int64_t timeout_ms, read_timeout(call, 5, TimeoutUnit::kSeconds));
  ROX_TRY(const HowMany how, read_how_many(call, 6));
  ROX_TRY(const bool done, move_many(call, route, how));
  if (!done) return call.may_wait() ? wait_for_source(call, timeout_ms) : call.reply_null_array();
  std::vector<std::string_view> words(call.args().begin(), call.args().end());
  words[0] = "LMOVEM";
  words.erase(words.begin() + 5);
  call.log_as(call.db(), words);
  return kOk;
}
constexpr Example kBLMoveMExamples[] = {{"RPUSH a 1 2 3 4", ":4"},
                                        {"BLMOVEM a b RIGHT LEFT 0 COUNT 2 OBO", "*[$3 $4]"},
                                        {"BLMOVEM a b RIGHT LEFT 0 COUNT 2", "-ERR syntax error"}};
constexpr CommandSpec kBLMoveM{
    .name = "BLMOVEM",
    .syntax =
        "source destination (LEFT | RIGHT) (LEFT | RIGHT) timeout "
        "[(COUNT | EXACTLY) count (OBO | BULK)]",
    .summary = "Moves elements from one list to another; waits for them if need be.",
    .since = "8.10.0",
    .complexity = "O(N) where N is the number of elements moved",
    .flags = kWrite | kDenyOom | kBlocking,
    .keys = "1:RW,2:RW",
    .handler = blmovem_command,
    .examples = kBLMoveMExamples,
};

constexpr const CommandSpec* kCommands[] = {&kBLMove, &kBLMoveM, &kBRPopLPush,
                                            &kLMove,  &kLMoveM,  &kRPopLPush};

}  // namespace

extern constinit const engine::CommandFamily kListMoveFamily;
constinit const engine::CommandFamily kListMoveFamily{"list", kCommands};

}  // namespace roxdb::commands
