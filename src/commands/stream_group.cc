// stream_group.cc: consumer groups of streams: making and removing them, and saying what is done.
// Who has what: stream_pending.cc. Reading as a consumer: stream_read.cc.
#include <limits>
#include <vector>

#include "commands/stream/id_argument.h"
#include "commands/stream/lookup.h"
#include "commands/stream/options.h"
#include "engine/call.h"
#include "engine/command.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kDenyOom;
using engine::kFast;
using engine::kLoading;
using engine::kStale;
using engine::kWrite;
using types::Consumer;
using types::Group;
using types::Pending;
using types::References;
using types::Stream;
using types::StreamValue;
namespace errors = engine::errors;
namespace event = engine::event;

constexpr Status kNoKey = user_error(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use "
    "the MKSTREAM option to create an empty stream automatically.");

constexpr CommandSpec kXGroup{
    .name = "XGROUP",
    .summary = "Commands for consumer groups of streams.",
    .since = "5.0.0",
    .complexity = "Depends on the subcommand",
    .arity = -2,
};

// What XGROUP CREATE and SETID take behind the ID.
struct GroupOptions {
  bool makes_stream = false;
  int64_t records_read = Group::kReadUnknown;
};

Result<GroupOptions> read_group_options(Call& call, bool takes_mkstream) {
  const auto refuse = [&] {
    return call.fail(
        "ERR unknown subcommand or wrong number of arguments for '{}'. Try XGROUP HELP.",
        call.arg(1));
  };
  GroupOptions options;
  for (size_t at = 5; at < call.argc(); ++at) {
    if (takes_mkstream && call.is(at, "MKSTREAM")) {
      options.makes_stream = true;
    } else if (call.is(at, "ENTRIESREAD") && at + 1 < call.argc()) {
      ROX_TRY(options.records_read, call.integer(++at));
      if (options.records_read < Group::kReadUnknown) {
        return user_error("ERR value for ENTRIESREAD must be positive or -1");
      }
    } else {
      return refuse();
    }
  }
  // Each option once: Redis looks at the number of arguments, too.
  if (call.argc() > (takes_mkstream ? 8u : 7u)) return refuse();
  return options;
}

// No group has read more records than there ever were.
int64_t bounded_read(const Stream& stream, int64_t records_read) {
  if (records_read == Group::kReadUnknown) return records_read;
  return static_cast<int64_t>(std::min(static_cast<uint64_t>(records_read), stream.records_added));
}

// The stream of argument 2 and its group of argument 3, for the subcommands that need both.
struct Target {
  StreamValue stream;
  Group* group;
};
Result<Target> find_group(Call& call) {
  ROX_TRY(std::optional<StreamValue> stream, call.edit<StreamValue>(2));
  if (!stream) return kNoKey;
  Group* group = (*stream)->groups().find(call.arg(3));
  if (group == nullptr) return no_such_group(call, call.arg(2), call.arg(3));
  return Target{*stream, group};
}

// XGROUP CREATE key group id [MKSTREAM] [ENTRIESREAD count] -> OK
Status xgroup_create_command(Call& call) {
  ROX_TRY(const GroupOptions options, read_group_options(call, true));
  ROX_TRY(std::optional<StreamValue> present, call.edit<StreamValue>(2));
  if (!present && !options.makes_stream) return kNoKey;
  Id id = present ? (*present)->last_id : containers::kIdMin;
  if (call.arg(4) != "$") {
    ROX_TRY(id, read_id(call, 4));
  }
  if (!present) {
    ROX_TRY(present, call.edit_or_create<StreamValue>(2));
  }
  StreamValue& stream = *present;
  if (stream->groups().find(call.arg(3)) != nullptr) {
    return user_error("BUSYGROUP Consumer Group name already exists");
  }
  stream->add_group(stream.home(), call.arg(3), id, bounded_read(*stream, options.records_read));
  call.changed(event::kXGroupCreate, 2);
  return call.reply_ok();
}
constexpr Example kCreateExamples[] = {
    {"XGROUP CREATE s g $ MKSTREAM", "+OK"},
    {"XGROUP CREATE s g 0", "-BUSYGROUP Consumer Group name already exists"},
    {"XLEN s", ":0"}};
constexpr CommandSpec kCreate{
    .name = "XGROUP CREATE",
    .syntax = "key group (id | $) [MKSTREAM] [ENTRIESREAD entries-read]",
    .summary = "Makes a consumer group that reads what comes behind an ID.",
    .since = "5.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom,
    .keys = "2:RW!u",
    .handler = xgroup_create_command,
    .examples = kCreateExamples,
};

// XGROUP SETID key group id [ENTRIESREAD count] -> OK
Status xgroup_setid_command(Call& call) {
  ROX_TRY(const GroupOptions options, read_group_options(call, false));
  ROX_TRY(const Target target, find_group(call));
  Id id = target.stream->last_id;
  if (call.arg(4) == "-") {
    id = containers::kIdMin;
  } else if (call.arg(4) == "+") {
    id = containers::kIdMax;
  } else if (call.arg(4) != "$") {
    ROX_TRY(id, read_id(call, 4));
  }
  target.group->last_delivered = id;
  target.group->records_read = bounded_read(*target.stream, options.records_read);
  call.changed(event::kXGroupSetId, 2);
  return call.reply_ok();
}
constexpr Example kSetIdExamples[] = {
    {"XGROUP CREATE s g $ MKSTREAM", "+OK"},
    {"XGROUP SETID s g 5-1", "+OK"},
    {"XGROUP SETID s h 5-1", "-NOGROUP No such consumer group 'h' for key name 's'"}};
constexpr CommandSpec kSetId{
    .name = "XGROUP SETID",
    .syntax = "key group (id | $) [ENTRIESREAD entries-read]",
    .summary = "Sets behind which ID a group goes on reading.",
    .since = "5.0.0",
    .complexity = "O(1)",
    .flags = kWrite,
    .keys = "2:RW!u",
    .handler = xgroup_setid_command,
    .examples = kSetIdExamples,
};

// XGROUP DESTROY key group -> 1, or 0 when there was none
Status xgroup_destroy_command(Call& call) {
  ROX_TRY(std::optional<StreamValue> stream, call.edit<StreamValue>(2));
  if (!stream) return kNoKey;
  Group* group = (*stream)->groups().find(call.arg(3));
  if (group == nullptr) return call.reply(0);
  (*stream)->remove_group(stream->home(), group);
  call.changed(event::kXGroupDestroy, 2);
  return call.reply(1);
}
constexpr Example kDestroyExamples[] = {{"XGROUP CREATE s g $ MKSTREAM", "+OK"},
                                        {"XGROUP DESTROY s g", ":1"},
                                        {"XGROUP DESTROY s g", ":0"}};
constexpr CommandSpec kDestroy{
    .name = "XGROUP DESTROY",
    .syntax = "key group",
    .summary = "Removes a consumer group with all it knows.",
    .since = "5.0.0",
    .complexity = "O(N) where N is the number of pending records of the group",
    .flags = kWrite,
    .keys = "2:RW!u",
    .handler = xgroup_destroy_command,
    .examples = kDestroyExamples,
};

// XGROUP CREATECONSUMER key group consumer -> 1, or 0 when it was there
Status xgroup_createconsumer_command(Call& call) {
  ROX_TRY(const Target target, find_group(call));
  if (target.group->consumers().find(call.arg(4)) != nullptr) return call.reply(0);
  find_or_add_consumer(call, target.stream.home(), *target.group, call.arg(2), call.arg(4));
  return call.reply(1);
}
constexpr Example kCreateConsumerExamples[] = {{"XGROUP CREATE s g $ MKSTREAM", "+OK"},
                                               {"XGROUP CREATECONSUMER s g c", ":1"},
                                               {"XGROUP CREATECONSUMER s g c", ":0"}};
constexpr CommandSpec kCreateConsumer{
    .name = "XGROUP CREATECONSUMER",
    .syntax = "key group consumer",
    .summary = "Makes a consumer of a group.",
    .since = "6.2.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom,
    .keys = "2:RW!u",
    .handler = xgroup_createconsumer_command,
    .examples = kCreateConsumerExamples,
};

// XGROUP DELCONSUMER key group consumer -> how many records it had pending
Status xgroup_delconsumer_command(Call& call) {
  ROX_TRY(const Target target, find_group(call));
  Consumer* consumer = target.group->consumers().find(call.arg(4));
  if (consumer == nullptr) return call.reply(0);
  const size_t pending = target.group->remove_consumer(target.stream.home().slabs, consumer);
  call.changed(event::kXGroupDelConsumer, 2);
  return call.reply(static_cast<int64_t>(pending));
}
constexpr Example kDelConsumerExamples[] = {
    {"XADD s 1-1 a 1", "$1-1"},
    {"XGROUP CREATE s g 0", "+OK"},
    {"XREADGROUP GROUP g c STREAMS s >", "*[*[$s *[*[$1-1 *[$a $1]]]]]"},
    {"XGROUP DELCONSUMER s g c", ":1"},
    {"XGROUP DELCONSUMER s g c", ":0"}};
constexpr CommandSpec kDelConsumer{
    .name = "XGROUP DELCONSUMER",
    .syntax = "key group consumer",
    .summary = "Removes a consumer of a group; what it had pending is nobody's.",
    .since = "5.0.0",
    .complexity = "O(N) where N is the number of its pending records",
    .flags = kWrite,
    .keys = "2:RW!u",
    .handler = xgroup_delconsumer_command,
    .examples = kDelConsumerExamples,
};

// XGROUP HELP -> lines of text
Status xgroup_help_command(Call& call) {
  return call.reply_help({
      "CREATE <key> <group> <id|$> [MKSTREAM] [ENTRIESREAD <count>]",
      "    Makes a group that reads what comes behind <id>; $ is the end of the stream.",
      "    MKSTREAM: makes an empty stream when the key is missing.",
      "    ENTRIESREAD: how many records of the stream count as read.",
      "CREATECONSUMER <key> <group> <consumer>",
      "    Makes a consumer of the group.",
      "DELCONSUMER <key> <group> <consumer>",
      "    Removes a consumer and forgets what it had pending.",
      "DESTROY <key> <group>",
      "    Removes the group.",
      "SETID <key> <group> <id|$> [ENTRIESREAD <count>]",
      "    Sets behind which ID the group goes on.",
  });
}
constexpr CommandSpec kHelp{
    .name = "XGROUP HELP",
    .summary = "Describes the subcommands.",
    .since = "5.0.0",
    .complexity = "O(1)",
    .flags = kLoading | kStale,
    .handler = xgroup_help_command,
};

// XACK key group id... -> how many of them were pending
Status xack_command(Call& call) {
  ROX_TRY(std::optional<StreamValue> stream, call.edit<StreamValue>(1));
  Group* group = stream ? (*stream)->groups().find(call.arg(2)) : nullptr;
  if (group == nullptr) return call.reply(0);
  ROX_TRY(const std::vector<Id> ids, read_ids(call, 3, call.argc() - 3));
  int64_t acknowledged = 0;
  for (const Id& id : ids) {
    if (Pending* pending = group->find(id); pending != nullptr) {
      group->remove(stream->home().slabs, pending);
      acknowledged++;
    }
  }
  if (acknowledged > 0) log_unannounced(call);
  return call.reply(acknowledged);
}
constexpr Example kXAckExamples[] = {
    {"XADD s 1-1 a 1", "$1-1"},
    {"XGROUP CREATE s g 0", "+OK"},
    {"XREADGROUP GROUP g c STREAMS s >", "*[*[$s *[*[$1-1 *[$a $1]]]]]"},
    {"XACK s g 1-1 1-2", ":1"},
    {"XACK s none 1-1", ":0"}};
constexpr CommandSpec kXAck{
    .name = "XACK",
    .syntax = "key group id...",
    .summary = "Says that delivered records are done.",
    .since = "5.0.0",
    .complexity = "O(N log M) where N is the number of IDs and M that of pending records",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .handler = xack_command,
    .examples = kXAckExamples,
};

// XACKDEL key group [KEEPREF | DELREF | ACKED] IDS count id... -> for each: -1 not pending,
// 1 acknowledged and deleted, 2 acknowledged, but another group has not
Status xackdel_command(Call& call) {
  ROX_TRY(std::optional<StreamValue> stream, call.edit<StreamValue>(1));
  ROX_TRY(const IdsOptions options, read_ids_options(call, 3));
  Group* group = stream ? (*stream)->groups().find(call.arg(2)) : nullptr;
  if (group == nullptr) {
    call.reply().array(options.count);
    for (size_t i = 0; i < options.count; ++i) call.reply().integer(-1);
    return kOk;
  }
  ROX_TRY(const std::vector<Id> ids, read_ids(call, options.first_id, options.count));
  bool has_acknowledged = false;
  bool has_erased = false;
  call.reply().array(ids.size());
  for (const Id& id : ids) {
    Pending* pending = group->find(id);
    if (pending == nullptr) {
      call.reply().integer(-1);
      continue;
    }
    group->remove(stream->home().slabs, pending);
    has_acknowledged = true;
    const Stream::Erased erased = (*stream)->erase(stream->home(), id, options.references);
    has_erased = has_erased || erased == Stream::Erased::kErased;
    call.reply().integer(erased == Stream::Erased::kReferenced ? 2 : 1);
  }
  if (has_erased) {
    call.changed(event::kXDel);
  } else if (has_acknowledged) {
    log_unannounced(call);
  }
  return kOk;
}
constexpr Example kXAckDelExamples[] = {
    {"XADD s 1-1 a 1", "$1-1"},
    {"XGROUP CREATE s g 0", "+OK"},
    {"XREADGROUP GROUP g c STREAMS s >", "*[*[$s *[*[$1-1 *[$a $1]]]]]"},
    {"XACKDEL s g IDS 2 1-1 1-2", "*[:1 :-1]"},
    {"XLEN s", ":0"}};
constexpr CommandSpec kXAckDel{
    .name = "XACKDEL",
    .syntax = "key group [KEEPREF | DELREF | ACKED] IDS numids id...",
    .summary = "Says that delivered records are done, and deletes them.",
    .since = "8.2.0",
    .complexity = "O(N log M) where N is the number of IDs and M that of pending records",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .handler = xackdel_command,
    .examples = kXAckDelExamples,
};

// What XNACK asks for.
struct NackOptions {
  enum class Mode : uint8_t { kSilent, kFail, kFatal };
  Mode mode = Mode::kFail;
  size_t first_id = 0;
  size_t count = 0;
  std::optional<uint64_t> deliveries;  // RETRYCOUNT
  bool force = false;
};

constexpr auto kDeliveriesMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());

uint64_t deliveries_after(const NackOptions& options, uint64_t deliveries) {
  if (options.deliveries) return *options.deliveries;
  switch (options.mode) {
    case NackOptions::Mode::kSilent:
      return deliveries > 0 ? deliveries - 1 : 0;
    case NackOptions::Mode::kFail:
      return deliveries;
    case NackOptions::Mode::kFatal:
      break;
  }
  return kDeliveriesMax;
}

Result<NackOptions> read_nack_options(Call& call) {
  NackOptions options;
  if (call.is(3, "SILENT")) {
    options.mode = NackOptions::Mode::kSilent;
  } else if (call.is(3, "FATAL")) {
    options.mode = NackOptions::Mode::kFatal;
  } else if (!call.is(3, "FAIL")) {
    return user_error("ERR mode must be SILENT, FAIL, or FATAL");
  }
  for (size_t at = 4; at < call.argc(); ++at) {
    const bool has_more = at + 1 < call.argc();
    if (has_more && options.count == 0 && call.is(at, "IDS")) {
      const auto count = parse_int64(call.arg(at + 1));
      if (!count || *count <= 0) {
        return user_error("ERR numids must be a positive integer");
      }
      options.first_id = at + 2;
      if (static_cast<uint64_t>(*count) > call.argc() - options.first_id) {
        return user_error("ERR number of IDs doesn't match numids");
      }
      options.count = static_cast<size_t>(*count);
      at = options.first_id + options.count - 1;
    } else if (has_more && call.is(at, "RETRYCOUNT")) {
      ROX_TRY(const int64_t count, call.integer(++at));
      if (count < 0) return user_error("ERR Invalid RETRYCOUNT value, must be >= 0");
      options.deliveries = static_cast<uint64_t>(count);
    } else if (call.is(at, "FORCE")) {
      options.force = true;
    } else {
      return call.fail("ERR Unrecognized XNACK option '{}'", shown(call.arg(at)));
    }
  }
  if (options.count == 0) return user_error("ERR syntax error, expected IDS keyword");
  return options;
}

// XNACK key group mode IDS count id... -> how many records were given back to the group
Status xnack_command(Call& call) {
  ROX_TRY(const NackOptions options, read_nack_options(call));
  ROX_TRY(std::optional<StreamValue> stream, call.edit<StreamValue>(1));
  Group* group = stream ? (*stream)->groups().find(call.arg(2)) : nullptr;
  if (group == nullptr) return no_such_key_or_group(call, call.arg(1), call.arg(2));
  ROX_TRY(const std::vector<Id> ids, read_ids(call, options.first_id, options.count));
  memory::Slabs& slabs = stream->home().slabs;
  int64_t given_back = 0;
  for (const Id& id : ids) {
    Pending* pending = group->find(id);
    if (pending != nullptr) {
      // Time 0 is before every delivery: these are the first to be claimed, in this order.
      group->assign(slabs, pending, nullptr);
      group->set_time(pending, 0);
      pending->deliveries = deliveries_after(options, pending->deliveries);
    } else if (options.force && (*stream)->log().contains(id)) {
      group->add(slabs, id, nullptr, 0, deliveries_after(options, 0));
    } else {
      continue;
    }
    given_back++;
  }
  if (given_back > 0) {
    log_unannounced(call);
    // No event tells of it, but readers that wait to claim something can do so now.
    call.engine().waiting.note(call.db(), call.arg(1));
  }
  return call.reply(given_back);
}
constexpr Example kXNackExamples[] = {
    {"XADD s 1-1 a 1", "$1-1"},
    {"XGROUP CREATE s g 0", "+OK"},
    {"XREADGROUP GROUP g c STREAMS s >", "*[*[$s *[*[$1-1 *[$a $1]]]]]"},
    {"XNACK s g FAIL IDS 2 1-1 1-2", ":1"},
    {"XPENDING s g - + 9", "*[*[$1-1 $ :-1 :1]]"}};
constexpr CommandSpec kXNack{
    .name = "XNACK",
    .syntax = "key group (SILENT | FAIL | FATAL) IDS numids id... [RETRYCOUNT count] [FORCE]",
    .summary = "Gives delivered records back to their group, for others to claim at once.",
    .since = "8.8.0",
    .complexity = "O(N log M) where N is the number of IDs and M that of pending records",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .handler = xnack_command,
    .examples = kXNackExamples,
};

constexpr const CommandSpec* kCommands[] = {&kXAck,           &kXAckDel,     &kXGroup,  &kCreate,
                                            &kCreateConsumer, &kDelConsumer, &kDestroy, &kHelp,
                                            &kSetId,          &kXNack};

}  // namespace

extern constinit const engine::CommandFamily kStreamGroupFamily;
constinit const engine::CommandFamily kStreamGroupFamily{"stream", kCommands};

}  // namespace roxdb::commands
