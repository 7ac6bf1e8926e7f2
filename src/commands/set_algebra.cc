// set_algebra.cc: union, intersection and difference of sets, shown, stored or counted.
#include <algorithm>
#include <optional>
#include <vector>

#include "commands/set/members.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/set_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Event;
using engine::Example;
using engine::kDenyOom;
using engine::kReadOnly;
using engine::kWrite;
using types::ScratchSet;
using types::SetView;
namespace errors = engine::errors;
namespace event = engine::event;

enum class Operation : uint8_t { kUnion, kIntersection, kDifference };

// One for each key; none where the key is absent, which is an empty set.
using Sources = std::vector<std::optional<SetView>>;

// The sets at `count` arguments from `first` on. kWrongType.
Result<Sources> read_sources(Call& call, size_t first, size_t count) {
  Sources sources;
  sources.reserve(count);
  for (size_t i = first; i < first + count; ++i) {
    ROX_TRY(const std::optional<SetView> set, read_set(call, i));
    sources.push_back(set);
  }
  return sources;
}

bool is_in(const std::optional<SetView>& set, std::string_view member) {
  return set && set->contains(member);
}

size_t size_of(const std::optional<SetView>& set) { return set ? set->size() : 0; }

// Each member of the intersection once: visit(std::string_view) says whether to go on. Cost
// O(the smallest set * sets).
template <class Visitor>
void intersect(Sources sources, Visitor&& visit) {
  std::sort(sources.begin(), sources.end(),
            [](const auto& a, const auto& b) { return size_of(a) < size_of(b); });
  if (!sources.front()) return;
  sources.front()->all_of([&](std::string_view member) {
    const bool in_all = std::all_of(sources.begin() + 1, sources.end(),
                                    [&](const auto& set) { return is_in(set, member); });
    return !in_all || visit(member);
  });
}

// Each member of the first set that is in no other. Cost O(the first set * sets).
template <class Visitor>
void subtract(const Sources& sources, Visitor&& visit) {
  if (!sources.front()) return;
  sources.front()->all_of([&](std::string_view member) {
    const bool in_other = std::any_of(sources.begin() + 1, sources.end(),
                                      [&](const auto& set) { return is_in(set, member); });
    return in_other || visit(member);
  });
}

// Into `result`, which is empty. Ends when it has `limit` members; 0: no limit.
void unite(const Sources& sources, ScratchSet& result, size_t limit = 0) {
  size_t count = 0;
  for (const auto& set : sources) {
    if (!set) continue;
    const bool goes_on = set->all_of([&](std::string_view member) {
      count += result.value().add(member) ? 1 : 0;
      return limit == 0 || count < limit;
    });
    if (!goes_on) return;
  }
}

void evaluate(Operation operation, const Sources& sources, ScratchSet& result) {
  const auto add = [&result](std::string_view member) {
    result.value().add(member);
    return true;
  };
  switch (operation) {
    case Operation::kUnion:
      return unite(sources, result);
    case Operation::kIntersection:
      return intersect(sources, add);
    case Operation::kDifference:
      return subtract(sources, add);
  }
}

Status show(Call& call, Operation operation) {
  ROX_TRY(const Sources sources, read_sources(call, 1, call.argc() - 1));
  ScratchSet result(call.keyspace().home(), {});
  evaluate(operation, sources, result);
  return reply_members(call, result.view());
}

Status store(Call& call, Operation operation, Event stored) {
  ROX_TRY(const Sources sources, read_sources(call, 2, call.argc() - 2));
  ScratchSet result(call.keyspace().home(),
                    {.key = call.arg(1), .access = call.engine().fresh_access()});
  evaluate(operation, sources, result);
  const auto size = static_cast<int64_t>(result.view().size());
  if (size == 0) {
    call.erase(1);
    return call.reply(0);
  }
  call.replace(1, result.take());
  call.changed(stored);
  return call.reply(size);
}

// numkeys key... [LIMIT limit] -> number of members of the result, at most the limit
Status count(Call& call, Operation operation) {
  const auto keys = parse_int64(call.arg(1));
  if (!keys || *keys < 1) return user_error("ERR numkeys should be greater than 0");
  if (static_cast<uint64_t>(*keys) > call.argc() - 2) {
    return user_error("ERR Number of keys can't be greater than number of args");
  }
  const auto key_count = static_cast<size_t>(*keys);
  size_t limit = 0;
  for (size_t i = 2 + key_count; i < call.argc(); i += 2) {
    if (!call.is(i, "LIMIT") || i + 1 == call.argc()) return errors::kSyntax;
    const auto wanted = parse_int64(call.arg(i + 1));
    if (!wanted || *wanted < 0) return user_error("ERR LIMIT can't be negative");
    limit = static_cast<size_t>(*wanted);
  }
  ROX_TRY(const Sources sources, read_sources(call, 2, key_count));
  size_t found = 0;
  const auto add = [&](std::string_view) { return ++found != limit; };
  switch (operation) {
    case Operation::kUnion: {
      ScratchSet result(call.keyspace().home(), {});
      unite(sources, result, limit);
      found = result.view().size();
      break;
    }
    case Operation::kIntersection:
      intersect(sources, add);
      break;
    case Operation::kDifference:
      subtract(sources, add);
      break;
  }
  return call.reply(static_cast<int64_t>(found));
}

// SINTER key... -> members that are in all
Status sinter_command(Call& call) { return show(call, Operation::kIntersection); }
constexpr Example kSInterExamples[] = {
    {"SADD a 1 2 3", ":3"}, {"SADD b 2 3 4", ":3"}, {"SINTER a b", "~[$2 $3]"}};
constexpr CommandSpec kSInter{
    .name = "SINTER",
    .syntax = "key...",
    .summary = "Returns the members that several sets have in common.",
    .since = "1.0.0",
    .complexity = "O(N*M) where N is the size of the smallest set and M the number of sets",
    .flags = kReadOnly,
    .keys = "1..end:RO",
    .tips = "nondeterministic_output_order",
    .handler = sinter_command,
    .examples = kSInterExamples,
};

// SUNION key... -> members that are in any
Status sunion_command(Call& call) { return show(call, Operation::kUnion); }
constexpr Example kSUnionExamples[] = {
    {"SADD a 1 2", ":2"}, {"SADD b 2 3", ":2"}, {"SUNION a b none", "~[$1 $2 $3]"}};
constexpr CommandSpec kSUnion{
    .name = "SUNION",
    .syntax = "key...",
    .summary = "Returns the members of several sets together.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the number of members of all sets",
    .flags = kReadOnly,
    .keys = "1..end:RO",
    .tips = "nondeterministic_output_order",
    .handler = sunion_command,
    .examples = kSUnionExamples,
};

// SDIFF key... -> members of the first that are in no other
Status sdiff_command(Call& call) { return show(call, Operation::kDifference); }
constexpr Example kSDiffExamples[] = {
    {"SADD a 1 2 3", ":3"}, {"SADD b 2", ":1"}, {"SDIFF a b", "~[$1 $3]"}};
constexpr CommandSpec kSDiff{
    .name = "SDIFF",
    .syntax = "key...",
    .summary = "Returns the members of a set that none of the others has.",
    .since = "1.0.0",
    .complexity = "O(N*M) where N is the size of the first set and M the number of sets",
    .flags = kReadOnly,
    .keys = "1..end:RO",
    .tips = "nondeterministic_output_order",
    .handler = sdiff_command,
    .examples = kSDiffExamples,
};

// SINTERSTORE destination key... -> members of the result
Status sinterstore_command(Call& call) {
  return store(call, Operation::kIntersection, event::kSInterStore);
}
constexpr Example kSInterStoreExamples[] = {{"SADD a 1 2", ":2"},           {"SADD b 2 3", ":2"},
                                            {"SINTERSTORE d a b", ":1"},    {"SMEMBERS d", "~[$2]"},
                                            {"SINTERSTORE d a none", ":0"}, {"EXISTS d", ":0"}};
constexpr CommandSpec kSInterStore{
    .name = "SINTERSTORE",
    .syntax = "destination key...",
    .summary = "Stores the members that several sets have in common.",
    .since = "1.0.0",
    .complexity = "O(N*M) where N is the size of the smallest set and M the number of sets",
    .flags = kWrite | kDenyOom,
    .keys = "1:OW,2..end:RO",
    .handler = sinterstore_command,
    .examples = kSInterStoreExamples,
};

// SUNIONSTORE destination key... -> members of the result
Status sunionstore_command(Call& call) {
  return store(call, Operation::kUnion, event::kSUnionStore);
}
constexpr Example kSUnionStoreExamples[] = {
    {"SADD a 1", ":1"}, {"SADD b 2", ":1"}, {"SUNIONSTORE a a b", ":2"}, {"SCARD a", ":2"}};
constexpr CommandSpec kSUnionStore{
    .name = "SUNIONSTORE",
    .syntax = "destination key...",
    .summary = "Stores the members of several sets together.",
    .since = "1.0.0",
    .complexity = "O(N) where N is the number of members of all sets",
    .flags = kWrite | kDenyOom,
    .keys = "1:OW,2..end:RO",
    .handler = sunionstore_command,
    .examples = kSUnionStoreExamples,
};

// SDIFFSTORE destination key... -> members of the result
Status sdiffstore_command(Call& call) {
  return store(call, Operation::kDifference, event::kSDiffStore);
}
constexpr Example kSDiffStoreExamples[] = {
    {"SADD a 1 2", ":2"}, {"SADD b 2", ":1"}, {"SDIFFSTORE d a b", ":1"}, {"SMEMBERS d", "~[$1]"}};
constexpr CommandSpec kSDiffStore{
    .name = "SDIFFSTORE",
    .syntax = "destination key...",
    .summary = "Stores the members of a set that none of the others has.",
    .since = "1.0.0",
    .complexity = "O(N*M) where N is the size of the first set and M the number of sets",
    .flags = kWrite | kDenyOom,
    .keys = "1:OW,2..end:RO",
    .handler = sdiffstore_command,
    .examples = kSDiffStoreExamples,
};

// SINTERCARD numkeys key... [LIMIT limit] -> how many are in all
Status sintercard_command(Call& call) { return count(call, Operation::kIntersection); }
constexpr Example kSInterCardExamples[] = {{"SADD a 1 2 3", ":3"},
                                           {"SADD b 2 3 4", ":3"},
                                           {"SINTERCARD 2 a b", ":2"},
                                           {"SINTERCARD 2 a b LIMIT 1", ":1"}};
constexpr CommandSpec kSInterCard{
    .name = "SINTERCARD",
    .syntax = "numkeys key... [LIMIT limit]",
    .summary = "Counts the members that several sets have in common.",
    .since = "7.0.0",
    .complexity = "O(N*M) where N is the size of the smallest set and M the number of sets",
    .flags = kReadOnly,
    .keys = "count@1:RO",
    .handler = sintercard_command,
    .examples = kSInterCardExamples,
};

// SUNIONCARD numkeys key... [LIMIT limit] -> how many are in any
Status sunioncard_command(Call& call) { return count(call, Operation::kUnion); }
constexpr Example kSUnionCardExamples[] = {{"SADD a 1 2 3", ":3"},
                                           {"SADD b 2 3 4", ":3"},
                                           {"SUNIONCARD 2 a b", ":4"},
                                           {"SUNIONCARD 2 a b LIMIT 2", ":2"}};
constexpr CommandSpec kSUnionCard{
    .name = "SUNIONCARD",
    .syntax = "numkeys key... [LIMIT limit]",
    .summary = "Counts the members of several sets together.",
    .since = "8.10.0",
    .complexity = "O(N) where N is the number of members of all sets",
    .flags = kReadOnly,
    .keys = "count@1:RO",
    .handler = sunioncard_command,
    .examples = kSUnionCardExamples,
};

// SDIFFCARD numkeys key... [LIMIT limit] -> how many of the first are in no other
Status sdiffcard_command(Call& call) { return count(call, Operation::kDifference); }
constexpr Example kSDiffCardExamples[] = {
    {"SADD a 1 2 3", ":3"}, {"SADD b 2", ":1"}, {"SDIFFCARD 2 a b", ":2"}};
constexpr CommandSpec kSDiffCard{
    .name = "SDIFFCARD",
    .syntax = "numkeys key... [LIMIT limit]",
    .summary = "Counts the members of a set that none of the others has.",
    .since = "8.10.0",
    .complexity = "O(N*M) where N is the size of the first set and M the number of sets",
    .flags = kReadOnly,
    .keys = "count@1:RO",
    .handler = sdiffcard_command,
    .examples = kSDiffCardExamples,
};

constexpr const CommandSpec* kCommands[] = {&kSInter,      &kSUnion,      &kSDiff,
                                            &kSInterStore, &kSUnionStore, &kSDiffStore,
                                            &kSInterCard,  &kSUnionCard,  &kSDiffCard};

}  // namespace

extern constinit const engine::CommandFamily kSetAlgebraFamily;
constinit const engine::CommandFamily kSetAlgebraFamily{"set", kCommands};

}  // namespace roxdb::commands
