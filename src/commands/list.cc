// list.cc: putting elements into one list, looking at them and changing them where they are. Taking
// them out: list_pop.cc; from one list to another: list_move.cc.
#include <algorithm>
#include <optional>

#include "base/numbers.h"
#include "commands/list/ends.h"
#include "commands/shared/reply_measure.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/list_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Entry;
using engine::Example;
using engine::kDenyOom;
using engine::kFast;
using engine::kReadOnly;
using engine::kWrite;
using types::ListCursor;
using types::ListValue;
using types::ListView;
using types::TypeId;
using Encoded = ListValue::Encoded;
namespace errors = engine::errors;
namespace event = engine::event;

// ---- putting in ----

Status push_all(Call& call, ListValue& list, End end) {
  for (size_t i = 2; i < call.argc(); ++i) push(list, end, Encoded(call.arg(i)));
  call.changed(push_event(end), 1, static_cast<int64_t>(call.argc() - 2));
  return call.reply(static_cast<int64_t>(list.size()));
}

Status push_to(Call& call, End end) {
  ROX_TRY(ListValue list, call.edit_or_create<ListValue>(1));
  return push_all(call, list, end);
}

Status push_if_there(Call& call, End end) {
  ROX_TRY(std::optional<ListValue> list, call.edit<ListValue>(1));
  return list ? push_all(call, *list, end) : call.reply(0);
}

// LPUSH key element... -> elements the list has then
Status lpush_command(Call& call) { return push_to(call, End::kLeft); }
constexpr Example kLPushExamples[] = {
    {"LPUSH k a b", ":2"}, {"LPUSH k c", ":3"}, {"LRANGE k 0 -1", "*[$c $b $a]"}};
constexpr CommandSpec kLPush{
    .name = "LPUSH",
    .syntax = "key element...",
    .summary = "Puts elements, one after the other, at the front of a list.",
    .since = "1.0.0",
    .complexity = "O(1) for each element",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW!u",
    .handler = lpush_command,
    .examples = kLPushExamples,
};

// RPUSH key element... -> elements the list has then
Status rpush_command(Call& call) { return push_to(call, End::kRight); }
constexpr Example kRPushExamples[] = {
    {"RPUSH k a b", ":2"}, {"RPUSH k 3", ":3"}, {"LRANGE k 0 -1", "*[$a $b $3]"}};
constexpr CommandSpec kRPush{
    .name = "RPUSH",
    .syntax = "key element...",
    .summary = "Puts elements at the end of a list.",
    .since = "1.0.0",
    .complexity = "O(1) for each element",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW!u",
    .handler = rpush_command,
    .examples = kRPushExamples,
};

// LPUSHX key element... -> elements the list has then | 0: there is no such key
Status lpushx_command(Call& call) { return push_if_there(call, End::kLeft); }
constexpr Example kLPushXExamples[] = {
    {"LPUSHX k a", ":0"}, {"RPUSH k a", ":1"}, {"LPUSHX k b c", ":3"}, {"LINDEX k 0", "$c"}};
constexpr CommandSpec kLPushX{
    .name = "LPUSHX",
    .syntax = "key element...",
    .summary = "Puts elements at the front of a list that exists.",
    .since = "2.2.0",
    .complexity = "O(1) for each element",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW!u",
    .handler = lpushx_command,
    .examples = kLPushXExamples,
};

// RPUSHX key element... -> elements the list has then | 0: there is no such key
Status rpushx_command(Call& call) { return push_if_there(call, End::kRight); }
constexpr Example kRPushXExamples[] = {
    {"RPUSHX k a", ":0"}, {"RPUSH k a", ":1"}, {"RPUSHX k b c", ":3"}, {"LINDEX k -1", "$c"}};
constexpr CommandSpec kRPushX{
    .name = "RPUSHX",
    .syntax = "key element...",
    .summary = "Puts elements at the end of a list that exists.",
    .since = "2.2.0",
    .complexity = "O(1) for each element",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW!u",
    .handler = rpushx_command,
    .examples = kRPushXExamples,
};

// ---- looking ----

// LLEN key -> its elements, 0 when there is none
Status llen_command(Call& call) {
  ROX_TRY(const Entry* entry, call.read(1, TypeId::kList));
  return call.reply(entry != nullptr ? static_cast<int64_t>(ListView(*entry).size()) : 0);
}
constexpr Example kLLenExamples[] = {{"LLEN k", ":0"}, {"RPUSH k a b", ":2"}, {"LLEN k", ":2"}};
constexpr CommandSpec kLLen{
    .name = "LLEN",
    .syntax = "key",
    .summary = "Returns the length of a list.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO!u",
    .handler = llen_command,
    .examples = kLLenExamples,
};

// The elements that a range of the client's covers; both ends are included, < 0 counts from the
// end.
struct Range {
  size_t begin;
  size_t count;
};

Range clip_range(int64_t start, int64_t stop, size_t list_size) {
  const auto size = static_cast<int64_t>(list_size);
  if (start < 0) start = std::max<int64_t>(start + size, 0);
  if (stop < 0) stop += size;
  stop = std::min(stop, size - 1);
  if (start > stop) return {0, 0};
  return {static_cast<size_t>(start), static_cast<size_t>(stop - start + 1)};
}

// An index of the client's; nothing when it is outside.
std::optional<size_t> clip_index(int64_t index, size_t size) {
  if (index < 0) index += static_cast<int64_t>(size);
  if (index < 0 || index >= static_cast<int64_t>(size)) return {};
  return static_cast<size_t>(index);
}

// LRANGE key start stop -> the elements between, ends included
Status lrange_command(Call& call) {
  ROX_TRY(const int64_t start, call.integer(2));
  ROX_TRY(const int64_t stop, call.integer(3));
  ROX_TRY(const Entry* entry, call.read(1, TypeId::kList));
  if (entry == nullptr) {
    call.reply().array(0);
    return kOk;
  }
  const ListView list(*entry);
  const Range range = clip_range(start, stop, list.size());
  return reply_measured(call, reply_bytes_of(range.count, list.bytes()), [&](resp::Reply& reply) {
    reply.array(range.count);
    if (range.count == 0) return;
    ListCursor cursor = list.at(range.begin);
    for (size_t i = 0; i < range.count; ++i, cursor.next()) reply_element(reply, cursor);
  });
}
constexpr Example kLRangeExamples[] = {{"RPUSH k a b c", ":3"},
                                       {"LRANGE k 0 1", "*[$a $b]"},
                                       {"LRANGE k -2 100", "*[$b $c]"},
                                       {"LRANGE k 2 1", "*[]"},
                                       {"LRANGE missing 0 -1", "*[]"}};
constexpr CommandSpec kLRange{
    .name = "LRANGE",
    .syntax = "key start stop",
    .summary = "Returns a part of a list.",
    .since = "1.0.0",
    .complexity = "O(S+N) where S is the distance of the part from the nearer end and N its length",
    .flags = kReadOnly,
    .keys = "1:RO",
    .handler = lrange_command,
    .examples = kLRangeExamples,
};

// LINDEX key index -> that element, nil when there is none
Status lindex_command(Call& call) {
  ROX_TRY(const Entry* entry, call.read(1, TypeId::kList));
  if (entry == nullptr) return call.reply_null();
  ROX_TRY(const int64_t index, call.integer(2));
  const ListView list(*entry);
  const std::optional<size_t> place = clip_index(index, list.size());
  if (!place) return call.reply_null();
  reply_element(call.reply(), list.at(*place));
  return kOk;
}
constexpr Example kLIndexExamples[] = {
    {"RPUSH k a b c", ":3"}, {"LINDEX k 1", "$b"}, {"LINDEX k -1", "$c"}, {"LINDEX k 3", "$nil"}};
constexpr CommandSpec kLIndex{
    .name = "LINDEX",
    .syntax = "key index",
    .summary = "Returns one element of a list.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the distance from the nearer end; O(1) for both ends",
    .flags = kReadOnly,
    .keys = "1:RO",
    .handler = lindex_command,
    .examples = kLIndexExamples,
};

struct PositionOptions {
  uint64_t rank = 1;  // the match to begin with
  bool from_back = false;
  std::optional<uint64_t> count;  // 0: all
  uint64_t looked_at_max = 0;     // 0: all
};

Result<uint64_t> read_not_negative(Call& call, size_t index, std::string_view error) {
  const auto value = parse_int64(call.arg(index));
  if (!value || *value < 0) return user_error(error);
  return static_cast<uint64_t>(*value);
}

Result<int64_t> read_rank(Call& call, size_t index) {
  ROX_TRY(const int64_t rank, call.integer(index));
  if (rank == INT64_MIN) {
    return call.fail("ERR value is out of range, value must between {} and {}", -INT64_MAX,
                     INT64_MAX);
  }
  if (rank == 0) {
    return user_error(
        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use "
        "negative to start from the end of the list");
  }
  return rank;
}

Result<PositionOptions> read_position_options(Call& call) {
  PositionOptions options;
  for (size_t i = 3; i < call.argc(); i += 2) {
    if (i + 1 == call.argc()) return errors::kSyntax;
    if (call.is(i, "RANK")) {
      ROX_TRY(const int64_t rank, read_rank(call, i + 1));
      options.from_back = rank < 0;
      options.rank = static_cast<uint64_t>(rank < 0 ? -rank : rank);
    } else if (call.is(i, "COUNT")) {
      ROX_TRY(options.count, read_not_negative(call, i + 1, "ERR COUNT can't be negative"));
    } else if (call.is(i, "MAXLEN")) {
      ROX_TRY(options.looked_at_max,
              read_not_negative(call, i + 1, "ERR MAXLEN can't be negative"));
    } else {
      return errors::kSyntax;
    }
  }
  return options;
}

// LPOS key element [...] -> its index, nil when it is not there; with COUNT an array of indexes
Status lpos_command(Call& call) {
  ROX_TRY(const PositionOptions options, read_position_options(call));
  ROX_TRY(const Entry* entry, call.read(1, TypeId::kList));
  if (entry == nullptr && !options.count) return call.reply_null();
  if (entry == nullptr) {
    call.reply().array(0);
    return kOk;
  }
  const ListView list(*entry);
  const Encoded wanted(call.arg(2));
  const End end = options.from_back ? End::kRight : End::kLeft;
  const uint64_t wanted_max = options.count.value_or(1);
  const uint64_t found_max = wanted_max == 0 ? list.size() : std::min(wanted_max, list.size());
  return reply_measured(call, reply_bytes_of(found_max, 0), [&](resp::Reply& reply) {
    resp::Reply::Open array{};
    if (options.count) array = reply.open(resp::Reply::Aggregate::kArray);
    uint64_t matches = 0;
    uint64_t found = 0;
    uint64_t looked_at = 0;
    for (ListCursor cursor = end_of(list, end); cursor; step_inwards(cursor, end), ++looked_at) {
      if (options.looked_at_max != 0 && looked_at == options.looked_at_max) break;
      if (!cursor.is(wanted) || ++matches < options.rank) continue;
      const uint64_t index = options.from_back ? list.size() - 1 - looked_at : looked_at;
      reply.integer(static_cast<int64_t>(index));
      if (++found == wanted_max) break;
    }
    if (options.count) {
      reply.close(array, found);
    } else if (found == 0) {
      reply.null();
    }
  });
}
constexpr Example kLPosExamples[] = {{"RPUSH k a b c 1 2 3 c c", ":8"},
                                     {"LPOS k c", ":2"},
                                     {"LPOS k c RANK 2", ":6"},
                                     {"LPOS k c RANK -1 COUNT 2", "*[:7 :6]"},
                                     {"LPOS k c COUNT 0 MAXLEN 7", "*[:2 :6]"},
                                     {"LPOS k x", "$nil"}};
constexpr CommandSpec kLPos{
    .name = "LPOS",
    .syntax = "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
    .summary = "Returns where an element stands in a list.",
    .since = "6.0.6",
    .complexity = "O(N) where N is the number of elements looked at",
    .flags = kReadOnly,
    .keys = "1:RO",
    .handler = lpos_command,
    .examples = kLPosExamples,
};

// ---- changing in place ----

// LSET key index element -> OK
Status lset_command(Call& call) {
  ROX_TRY(std::optional<ListValue> list, call.edit<ListValue>(1));
  if (!list) return errors::kNoSuchKey;
  ROX_TRY(const int64_t index, call.integer(2));
  const ListView view = list->view();
  const std::optional<size_t> place = clip_index(index, view.size());
  if (!place) return errors::kIndexOutOfRange;
  list->replace(view.at(*place), Encoded(call.arg(3)));
  call.changed(event::kLSet);
  return call.reply_ok();
}
constexpr Example kLSetExamples[] = {{"RPUSH k a b c", ":3"},
                                     {"LSET k -1 x", "+OK"},
                                     {"LRANGE k 0 -1", "*[$a $b $x]"},
                                     {"LSET k 3 x", "-ERR index out of range"},
                                     {"LSET missing 0 x", "-ERR no such key"}};
constexpr CommandSpec kLSet{
    .name = "LSET",
    .syntax = "key index element",
    .summary = "Replaces one element of a list.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the distance from the nearer end; O(1) for both ends",
    .flags = kWrite | kDenyOom,
    .keys = "1:RW!u",
    .handler = lset_command,
    .examples = kLSetExamples,
};

// LINSERT key BEFORE|AFTER pivot element -> elements the list has then | -1: no pivot | 0: no key
Status linsert_command(Call& call) {
  const bool after = call.is(2, "AFTER");
  if (!after && !call.is(2, "BEFORE")) return errors::kSyntax;
  ROX_TRY(std::optional<ListValue> list, call.edit<ListValue>(1));
  if (!list) return call.reply(0);
  const Encoded pivot(call.arg(3));
  ListCursor cursor = list->view().front();
  while (cursor && !cursor.is(pivot)) cursor.next();
  if (!cursor) return call.reply(-1);
  const Encoded element(call.arg(4));
  if (after) {
    list->insert_after(cursor, element);
  } else {
    list->insert_before(cursor, element);
  }
  call.changed(event::kLInsert);
  return call.reply(static_cast<int64_t>(list->size()));
}
constexpr Example kLInsertExamples[] = {
    {"RPUSH k a c", ":2"},          {"LINSERT k BEFORE c b", ":3"},
    {"LINSERT k AFTER c d", ":4"},  {"LRANGE k 0 -1", "*[$a $b $c $d]"},
    {"LINSERT k AFTER x y", ":-1"}, {"LINSERT missing AFTER x y", ":0"}};
constexpr CommandSpec kLInsert{
    .name = "LINSERT",
    .syntax = "key (BEFORE | AFTER) pivot element",
    .summary = "Puts an element before or behind another one.",
    .since = "2.2.0",
    .complexity = "O(N) where N is the number of elements in front of the pivot",
    .flags = kWrite | kDenyOom,
    .keys = "1:RW!u",
    .handler = linsert_command,
    .examples = kLInsertExamples,
};

// LREM key count element -> how many were removed
Status lrem_command(Call& call) {
  ROX_TRY(const int64_t count, call.integer(2));
  ROX_TRY(std::optional<ListValue> list, call.edit<ListValue>(1));
  if (!list) return call.reply(0);
  const auto wanted = static_cast<uint64_t>(count);
  const size_t count_max = count == 0 ? SIZE_MAX : count < 0 ? 0 - wanted : wanted;
  const size_t removed = list->remove_equal(Encoded(call.arg(3)), count_max, count < 0);
  if (removed > 0) {
    const bool is_empty = list->size() == 0;
    call.changed(event::kLRem, 1, static_cast<int64_t>(removed));
    if (is_empty) call.erase_emptied(1);
  }
  return call.reply(static_cast<int64_t>(removed));
}
constexpr Example kLRemExamples[] = {{"RPUSH k a b a c a", ":5"},
                                     {"LREM k -2 a", ":2"},
                                     {"LRANGE k 0 -1", "*[$a $b $c]"},
                                     {"LREM k 0 x", ":0"}};
constexpr CommandSpec kLRem{
    .name = "LREM",
    .syntax = "key count element",
    .summary = "Removes elements that are equal to one, from the front or the end of a list.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the length of the list",
    .flags = kWrite,
    .keys = "1:RW!u",
    .handler = lrem_command,
    .examples = kLRemExamples,
};

// LTRIM key start stop -> OK
Status ltrim_command(Call& call) {
  ROX_TRY(const int64_t start, call.integer(2));
  ROX_TRY(const int64_t stop, call.integer(3));
  ROX_TRY(std::optional<ListValue> list, call.edit<ListValue>(1));
  if (!list) return call.reply_ok();
  const size_t size = list->size();
  const Range kept = clip_range(start, stop, size);
  if (kept.count == size) {  // heard of, as in Redis, but nothing that need be logged
    call.engine().notify(call.db(), call.arg(1), event::kLTrim);
    return call.reply_ok();
  }
  if (kept.count > 0) {
    list->remove(kept.begin + kept.count, size - kept.begin - kept.count);
    list->remove(0, kept.begin);
  }
  call.changed(event::kLTrim, 1, static_cast<int64_t>(size - kept.count));
  if (kept.count == 0) call.erase_emptied(1);
  return call.reply_ok();
}
constexpr Example kLTrimExamples[] = {{"RPUSH k a b c d", ":4"},
                                      {"LTRIM k 1 -2", "+OK"},
                                      {"LRANGE k 0 -1", "*[$b $c]"},
                                      {"LTRIM k 5 9", "+OK"},
                                      {"EXISTS k", ":0"}};
constexpr CommandSpec kLTrim{
    .name = "LTRIM",
    .syntax = "key start stop",
    .summary = "Removes the elements outside of a range.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the number of elements removed",
    .flags = kWrite,
    .keys = "1:RW!u",
    .handler = ltrim_command,
    .examples = kLTrimExamples,
};

constexpr const CommandSpec* kCommands[] = {&kLIndex, &kLInsert, &kLLen,   &kLPos,
                                            &kLPush,  &kLPushX,  &kLRange, &kLRem,
                                            &kLSet,   &kLTrim,   &kRPush,  &kRPushX};

}  // namespace

extern constinit const engine::CommandFamily kListFamily;
constinit const engine::CommandFamily kListFamily{"list", kCommands};

}  // namespace roxdb::commands
