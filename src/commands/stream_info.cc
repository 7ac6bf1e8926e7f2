// stream_info.cc: XINFO, looking into a stream, its groups and their consumers.
#include <algorithm>

#include "commands/stream/lookup.h"
#include "commands/stream/record_reply.h"
#include "engine/call.h"
#include "engine/command.h"

namespace roxdb::commands {
namespace {

using containers::Id;
using containers::RecordCursor;
using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kLoading;
using engine::kReadOnly;
using engine::kStale;
using types::Consumer;
using types::Group;
using types::IdIndex;
using types::Pending;
using types::Stream;
namespace errors = engine::errors;

constexpr CommandSpec kXInfo{
    .name = "XINFO",
    .summary = "Commands that look into a stream.",
    .since = "5.0.0",
    .complexity = "Depends on the subcommand",
    .arity = -2,
};

// One pair of a map.
void reply_pair(resp::Reply& reply, std::string_view name, uint64_t value) {
  reply.bulk(name);
  reply.integer(static_cast<int64_t>(value));
}
void reply_pair(resp::Reply& reply, std::string_view name, const Id& id) {
  reply.bulk(name);
  reply_id(reply, id);
}
void reply_pair(resp::Reply& reply, std::string_view name, std::optional<int64_t> value) {
  reply.bulk(name);
  if (value) {
    reply.integer(*value);
  } else {
    reply.null();
  }
}

void reply_progress(resp::Reply& reply, const Stream& stream, const Group& group) {
  const bool is_known = group.records_read != Group::kReadUnknown;
  reply_pair(reply, "entries-read",
             is_known ? std::optional<int64_t>(group.records_read) : std::nullopt);
  reply_pair(reply, "lag", stream.lag(group));
}

// Milliseconds since then, never less than 0.
uint64_t ms_since(const Call& call, int64_t then_ms) {
  return static_cast<uint64_t>(std::max<int64_t>(call.now_ms() - then_ms, 0));
}

// The seven pairs that both forms of XINFO STREAM begin with.
constexpr size_t kHeadPairs = 7;
void reply_head(resp::Reply& reply, const Stream& stream) {
  reply_pair(reply, "length", stream.size());
  // Redis keeps blocks in a radix tree, and so are they called; the root counts as a node of it.
  reply_pair(reply, "radix-tree-keys", stream.log().blocks());
  reply_pair(reply, "radix-tree-nodes", stream.log().index_nodes() + 1);
  reply_pair(reply, "last-generated-id", stream.last_id);
  reply_pair(reply, "max-deleted-entry-id", stream.max_deleted_id);
  reply_pair(reply, "entries-added", stream.records_added);
  reply_pair(reply, "recorded-first-entry-id", stream.first_id());
}

void reply_end(resp::Reply& reply, const Stream& stream, std::string_view name,
               RecordCursor::Direction direction) {
  reply.bulk(name);
  RecordCursor cursor(stream.log(), containers::kIdMin, containers::kIdMax, direction);
  if (cursor.next()) {
    reply_record(reply, cursor);
  } else {
    reply.null();
  }
}

// The rows of pending records, with whose they are unless `is_own`; at most `count`, all when 0.
void reply_pending(resp::Reply& reply, const IdIndex& index, uint64_t count, bool is_own) {
  const uint64_t rows = count == 0 ? index.size() : std::min<uint64_t>(count, index.size());
  reply.bulk("pending");
  reply.array(rows);
  IdIndex::Place place = index.first();
  for (uint64_t i = 0; i < rows; ++i, place.next()) {
    const auto* pending = place.as<const Pending>();
    reply.array(is_own ? 3 : 4);
    reply_id(reply, pending->id);
    if (!is_own) {
      reply.bulk(pending->consumer == nullptr ? std::string_view() : pending->consumer->name());
    }
    reply.integer(pending->delivered_at_ms);
    reply.integer(static_cast<int64_t>(pending->deliveries));
  }
}

void reply_full_group(resp::Reply& reply, const Stream& stream, const Group& group,
                      uint64_t count) {
  reply.map(7);
  reply.bulk("name");
  reply.bulk(group.name());
  reply_pair(reply, "last-delivered-id", group.last_delivered);
  reply_progress(reply, stream, group);
  reply_pair(reply, "pel-count", group.pending().size());
  reply_pending(reply, group.pending(), count, false);
  reply.bulk("consumers");
  reply.array(group.consumers().size());
  for (const Consumer* consumer : group.consumers()) {
    reply.map(5);
    reply.bulk("name");
    reply.bulk(consumer->name());
    reply.bulk("seen-time");
    reply.integer(consumer->seen_at_ms);
    reply.bulk("active-time");
    reply.integer(consumer->active_at_ms);
    reply_pair(reply, "pel-count", consumer->pending().size());
    reply_pending(reply, consumer->pending(), count, true);
  }
}

// XINFO STREAM key [FULL [COUNT count]] -> a map
Status xinfo_stream_command(Call& call) {
  ROX_TRY(const Stream* stream, read_stream(call, 2));
  if (stream == nullptr) return errors::kNoSuchKey;
  if (call.argc() == 3) {
    constexpr uint64_t kOtherParts = 32;
    const uint64_t ends = records_bytes_max(*stream, 2) + reply_bytes_of(kOtherParts, 0);
    return reply_measured(call, ends, [&](resp::Reply& reply) {
      reply.map(kHeadPairs + 3);
      reply_head(reply, *stream);
      reply_pair(reply, "groups", stream->groups().size());
      reply_end(reply, *stream, "first-entry", RecordCursor::Direction::kForward);
      reply_end(reply, *stream, "last-entry", RecordCursor::Direction::kBackward);
    });
  }
  constexpr uint64_t kRowsDefault = 10;
  uint64_t count = kRowsDefault;
  const bool has_count = call.argc() == 6 && call.is(4, "COUNT");
  if (!call.is(3, "FULL") || (call.argc() != 4 && !has_count)) {
    return call.fail(
        "ERR unknown subcommand or wrong number of arguments for '{}'. Try XINFO HELP.",
        call.arg(1));
  }
  if (has_count) {
    ROX_TRY(const int64_t asked, call.integer(5));
    if (asked >= 0) count = static_cast<uint64_t>(asked);
  }
  return reply_measured(call, UINT64_MAX, [&](resp::Reply& reply) {
    reply.map(kHeadPairs + 2);
    reply_head(reply, *stream);
    reply.bulk("entries");
    reply_records(reply, RecordCursor(stream->log(), containers::kIdMin, containers::kIdMax),
                  count);
    reply.bulk("groups");
    reply.array(stream->groups().size());
    for (const Group* group : stream->groups()) reply_full_group(reply, *stream, *group, count);
  });
}
constexpr Example kStreamExamples[] = {
    {"XADD s 1-1 a 1", "$1-1"},
    {"XINFO STREAM s",
     "%{$length :1 $radix-tree-keys :1 $radix-tree-nodes :2 $last-generated-id $1-1 "
     "$max-deleted-entry-id $0-0 $entries-added :1 $recorded-first-entry-id $1-1 $groups :0 "
     "$first-entry *[$1-1 *[$a $1]] $last-entry *[$1-1 *[$a $1]]}"},
    {"XINFO STREAM none", "-ERR no such key"}};
constexpr CommandSpec kStream{
    .name = "XINFO STREAM",
    .syntax = "key [FULL [COUNT count]]",
    .summary = "Shows what a stream holds and knows of its past.",
    .since = "5.0.0",
    .complexity = "O(1); with FULL O(N) where N is the number of rows shown",
    .flags = kReadOnly,
    .keys = "2:RO",
    .handler = xinfo_stream_command,
    .examples = kStreamExamples,
};

// XINFO GROUPS key -> a map for each group, by name
Status xinfo_groups_command(Call& call) {
  ROX_TRY(const Stream* stream, read_stream(call, 2));
  if (stream == nullptr) return errors::kNoSuchKey;
  resp::Reply& reply = call.reply();
  reply.array(stream->groups().size());
  for (const Group* group : stream->groups()) {
    reply.map(6);
    reply.bulk("name");
    reply.bulk(group->name());
    reply_pair(reply, "consumers", group->consumers().size());
    reply_pair(reply, "pending", group->pending().size());
    reply_pair(reply, "last-delivered-id", group->last_delivered);
    reply_progress(reply, *stream, *group);
  }
  return kOk;
}
constexpr Example kGroupsExamples[] = {{"XADD s 1-1 a 1", "$1-1"},
                                       {"XGROUP CREATE s g 0", "+OK"},
                                       {"XINFO GROUPS s",
                                        "*[%{$name $g $consumers :0 $pending :0 $last-delivered-id "
                                        "$0-0 $entries-read $nil $lag :1}]"}};
constexpr CommandSpec kGroups{
    .name = "XINFO GROUPS",
    .syntax = "key",
    .summary = "Lists the consumer groups of a stream.",
    .since = "5.0.0",
    .complexity = "O(N) where N is the number of groups",
    .flags = kReadOnly,
    .keys = "2:RO",
    .handler = xinfo_groups_command,
    .examples = kGroupsExamples,
};

// XINFO CONSUMERS key group -> a map for each consumer, by name
Status xinfo_consumers_command(Call& call) {
  ROX_TRY(const Stream* stream, read_stream(call, 2));
  if (stream == nullptr) return errors::kNoSuchKey;
  const Group* group = stream->groups().find(call.arg(3));
  if (group == nullptr) {
    return no_such_group(call, call.arg(2), call.arg(3));
  }
  resp::Reply& reply = call.reply();
  reply.array(group->consumers().size());
  for (const Consumer* consumer : group->consumers()) {
    const bool was_active = consumer->active_at_ms != Consumer::kNeverActive;
    reply.map(4);
    reply.bulk("name");
    reply.bulk(consumer->name());
    reply_pair(reply, "pending", consumer->pending().size());
    reply_pair(reply, "idle", ms_since(call, consumer->seen_at_ms));
    reply.bulk("inactive");
    reply.integer(was_active ? static_cast<int64_t>(ms_since(call, consumer->active_at_ms)) : -1);
  }
  return kOk;
}
constexpr Example kConsumersExamples[] = {
    {"XGROUP CREATE s g 0 MKSTREAM", "+OK"},
    {"XGROUP CREATECONSUMER s g c", ":1"},
    {"XINFO CONSUMERS s g", "*[%{$name $c $pending :0 $idle :0 $inactive :-1}]"}};
constexpr CommandSpec kConsumers{
    .name = "XINFO CONSUMERS",
    .syntax = "key group",
    .summary = "Lists the consumers of a group.",
    .since = "5.0.0",
    .complexity = "O(N) where N is the number of consumers",
    .flags = kReadOnly,
    .keys = "2:RO",
    .tips = "nondeterministic_output",
    .handler = xinfo_consumers_command,
    .examples = kConsumersExamples,
};

// XINFO HELP -> lines of text
Status xinfo_help_command(Call& call) {
  return call.reply_help({
      "CONSUMERS <key> <group>",
      "    The consumers of a group.",
      "GROUPS <key>",
      "    The groups of a stream.",
      "STREAM <key> [FULL [COUNT <count>]]",
      "    The stream itself; FULL: with records, groups and consumers, <count> of each.",
  });
}
constexpr CommandSpec kHelp{
    .name = "XINFO HELP",
    .summary = "Describes the subcommands.",
    .since = "5.0.0",
    .complexity = "O(1)",
    .flags = kLoading | kStale,
    .handler = xinfo_help_command,
};

constexpr const CommandSpec* kCommands[] = {&kXInfo, &kConsumers, &kGroups, &kHelp, &kStream};

}  // namespace

extern constinit const engine::CommandFamily kStreamInfoFamily;
constinit const engine::CommandFamily kStreamInfoFamily{"stream", kCommands};

}  // namespace roxdb::commands
