// stream.cc: records of streams: adding, reading ranges, deleting. XREAD: stream_read.cc.
#include <algorithm>
#include <string>
#include <vector>

#include "commands/stream/id_argument.h"
#include "commands/stream/lookup.h"
#include "commands/stream/options.h"
#include "commands/stream/record_reply.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/stream_value.h"

namespace roxdb::commands {
namespace {

using containers::RecordCursor;
using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kDenyOom;
using engine::kFast;
using engine::kReadOnly;
using engine::kWrite;
using types::References;
using types::Stream;
using types::StreamTrim;
using types::StreamValue;
namespace errors = engine::errors;
namespace event = engine::event;

// The request with the ID and the trimming as they came out.
void log_add(Call& call, const AddOptions& options, const Id& id, const Stream& stream,
             uint64_t trimmed) {
  const IdText id_text(id);
  const std::vector<std::string> trim =
      trimmed > 0 ? settled_trim(options.trim, stream) : std::vector<std::string>();
  std::vector<std::string_view> args{"XADD", call.arg(1)};
  args.insert(args.end(), trim.begin(), trim.end());
  args.push_back(id_text);
  const auto pairs = call.args().subspan(options.id_index + 1);
  args.insert(args.end(), pairs.begin(), pairs.end());
  call.log_as(call.db(), args);
}

// XADD key [options] id field value... -> the ID of the record, nil when NOMKSTREAM kept the key
// missing
Status xadd_command(Call& call) {
  ROX_TRY(const AddOptions options, read_add_options(call));
  const size_t pairs_at = options.id_index + 1;
  if (pairs_at + 2 > call.argc() || (call.argc() - pairs_at) % 2 != 0) {
    return call.fail("ERR wrong number of arguments for '{}' command", call.command().full_name);
  }
  ROX_TRY(const NewId asked, read_new_id(call, options.id_index));
  if (asked.is_settled() && asked.id == containers::kIdMin) {
    return user_error("ERR The ID specified in XADD must be greater than 0-0");
  }
  const auto pairs = call.args().subspan(pairs_at);
  ROX_TRY(std::optional<StreamValue> present, call.edit<StreamValue>(1));
  if (!present && options.keeps_missing) return call.reply_null();
  const Id last = present ? (*present)->last_id : containers::kIdMin;
  if (last == containers::kIdMax) {
    return user_error(
        "ERR The stream has exhausted the last possible ID, unable to add more items");
  }
  const auto id = asked.resolve(last, call.now_ms());
  if (!id) {
    return user_error(
        "ERR The ID specified in XADD is equal or smaller than the target stream top item");
  }
  if (!containers::RecordLog::fits(pairs)) {
    return user_error("ERR Elements are too large to be stored");
  }
  if (!present) {
    ROX_TRY(present, call.edit_or_create<StreamValue>(1));
  }
  StreamValue& stream = *present;
  stream->append(stream.home(), *id, pairs);
  call.changed(event::kXAdd);
  const uint64_t trimmed = stream->trim(stream.home(), options.trim);
  if (trimmed > 0) call.engine().notify(call.db(), call.arg(1), event::kXTrim);
  if (!asked.is_settled() || options.trim.approximate) {
    log_add(call, options, *id, *stream, trimmed);
  }
  reply_id(call.reply(), *id);
  return kOk;
}
constexpr Example kXAddExamples[] = {
    {"XADD s 5-1 a 1 b 2", "$5-1"},
    {"XADD s 5-* a 1", "$5-2"},
    {"XADD s 5-2 a 1",
     "-ERR The ID specified in XADD is equal or smaller than the target stream top item"},
    {"XADD s MAXLEN 1 6 a 1", "$6-0"},
    {"XRANGE s - +", "*[*[$6-0 *[$a $1]]]"},
    {"XADD none NOMKSTREAM * a 1", "$nil"}};
constexpr CommandSpec kXAdd{
    .name = "XADD",
    .syntax =
        "key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] "
        "[(MAXLEN | MINID) [= | ~] threshold [LIMIT count]] (* | id) (field value)...",
    .summary = "Adds a record to the end of a stream, and drops the oldest ones if asked to.",
    .since = "5.0.0",
    .complexity = "O(1) for adding, O(N) for trimming where N is the number of records deleted",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW!u",
    .tips = "nondeterministic_output",
    .handler = xadd_command,
    .examples = kXAddExamples,
};

// XTRIM key strategy -> how many records were deleted
Status xtrim_command(Call& call) {
  ROX_TRY(const AddOptions options, read_trim_options(call));
  ROX_TRY(std::optional<StreamValue> stream, call.edit<StreamValue>(1));
  if (!stream) return call.reply(0);
  const uint64_t deleted = (*stream)->trim(stream->home(), options.trim);
  if (deleted > 0) {
    call.changed(event::kXTrim);
    if (options.trim.approximate) {
      const std::vector<std::string> trim = settled_trim(options.trim, **stream);
      std::vector<std::string_view> args{"XTRIM", call.arg(1)};
      args.insert(args.end(), trim.begin(), trim.end());
      call.log_as(call.db(), args);
    }
  }
  return call.reply(static_cast<int64_t>(deleted));
}
constexpr Example kXTrimExamples[] = {
    {"XADD s 1 a 1", "$1-0"},   {"XADD s 2 a 1", "$2-0"},  {"XADD s 3 a 1", "$3-0"},
    {"XTRIM s MAXLEN 2", ":1"}, {"XTRIM s MINID 3", ":1"}, {"XTRIM s MAXLEN ~ 0 LIMIT 0", ":1"}};
constexpr CommandSpec kXTrim{
    .name = "XTRIM",
    .syntax = "key (MAXLEN | MINID) [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED]",
    .summary = "Deletes the oldest records of a stream.",
    .since = "5.0.0",
    .complexity = "O(N) where N is the number of records deleted; whole blocks cost O(1)",
    .flags = kWrite,
    .keys = "1:RW!u",
    .tips = "nondeterministic_output",
    .handler = xtrim_command,
    .examples = kXTrimExamples,
};

// XLEN key -> the number of records
Status xlen_command(Call& call) {
  ROX_TRY(const Stream* stream, read_stream(call, 1));
  return call.reply(stream == nullptr ? 0 : static_cast<int64_t>(stream->size()));
}
constexpr Example kXLenExamples[] = {
    {"XLEN s", ":0"}, {"XADD s 1-1 a 1", "$1-1"}, {"XLEN s", ":1"}};
constexpr CommandSpec kXLen{
    .name = "XLEN",
    .syntax = "key",
    .summary = "Returns the number of records in a stream.",
    .since = "5.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO!u",
    .handler = xlen_command,
    .examples = kXLenExamples,
};

Status reply_range(Call& call, size_t start_index, size_t end_index,
                   RecordCursor::Direction direction) {
  ROX_TRY(const Id start, read_interval_start(call, start_index));
  ROX_TRY(const Id end, read_interval_end(call, end_index));
  std::optional<int64_t> count;
  for (size_t at = 4; at < call.argc(); at += 2) {
    if (!call.is(at, "COUNT") || at + 1 == call.argc()) return errors::kSyntax;
    ROX_TRY(const int64_t asked, call.integer(at + 1));
    count = std::max<int64_t>(asked, 0);
  }
  ROX_TRY(const Stream* stream, read_stream(call, 1));
  if (stream == nullptr) {
    call.reply().array(0);
  } else if (count && *count == 0) {
    call.reply().null_array();
  } else {
    const auto count_max = static_cast<uint64_t>(count.value_or(0));
    const uint64_t records = count ? std::min<uint64_t>(count_max, stream->size()) : stream->size();
    return reply_measured(call, records_bytes_max(*stream, records), [&](resp::Reply& reply) {
      reply_records(reply, RecordCursor(stream->log(), start, end, direction), count_max);
    });
  }
  return kOk;
}

// XRANGE key start end [COUNT count] -> records, oldest first
Status xrange_command(Call& call) {
  return reply_range(call, 2, 3, RecordCursor::Direction::kForward);
}
constexpr Example kXRangeExamples[] = {{"XADD s 1-1 a 1", "$1-1"},
                                       {"XADD s 1-2 b 2", "$1-2"},
                                       {"XRANGE s - +", "*[*[$1-1 *[$a $1]] *[$1-2 *[$b $2]]]"},
                                       {"XRANGE s (1-1 1 COUNT 1", "*[*[$1-2 *[$b $2]]]"},
                                       {"XRANGE s + -", "*[]"}};
constexpr CommandSpec kXRange{
    .name = "XRANGE",
    .syntax = "key start end [COUNT count]",
    .summary = "Returns the records of a range of IDs, oldest first.",
    .since = "5.0.0",
    .complexity = "O(log N + M) where M is the number of records returned",
    .flags = kReadOnly,
    .keys = "1:RO",
    .handler = xrange_command,
    .examples = kXRangeExamples,
};

// XREVRANGE key end start [COUNT count] -> records, newest first
Status xrevrange_command(Call& call) {
  return reply_range(call, 3, 2, RecordCursor::Direction::kBackward);
}
constexpr Example kXRevRangeExamples[] = {
    {"XADD s 1-1 a 1", "$1-1"},
    {"XADD s 1-2 b 2", "$1-2"},
    {"XREVRANGE s + -", "*[*[$1-2 *[$b $2]] *[$1-1 *[$a $1]]]"},
    {"XREVRANGE s + - COUNT 1", "*[*[$1-2 *[$b $2]]]"}};
constexpr CommandSpec kXRevRange{
    .name = "XREVRANGE",
    .syntax = "key end start [COUNT count]",
    .summary = "Returns the records of a range of IDs, newest first.",
    .since = "5.0.0",
    .complexity = "O(log N + M) where M is the number of records returned",
    .flags = kReadOnly,
    .keys = "1:RO",
    .handler = xrevrange_command,
    .examples = kXRevRangeExamples,
};

// XDEL key id... -> how many of them were there
Status xdel_command(Call& call) {
  ROX_TRY(std::optional<StreamValue> stream, call.edit<StreamValue>(1));
  if (!stream) return call.reply(0);
  ROX_TRY(const std::vector<Id> ids, read_ids(call, 2, call.argc() - 2));
  int64_t deleted = 0;
  for (const Id& id : ids) {
    if ((*stream)->erase(stream->home(), id, References::kKeep) == Stream::Erased::kErased) {
      deleted++;
    }
  }
  if (deleted > 0) call.changed(event::kXDel);
  return call.reply(deleted);
}
constexpr Example kXDelExamples[] = {
    {"XADD s 1-1 a 1", "$1-1"}, {"XDEL s 1-1 1-2", ":1"}, {"XLEN s", ":0"}, {"EXISTS s", ":1"}};
constexpr CommandSpec kXDel{
    .name = "XDEL",
    .syntax = "key id...",
    .summary = "Deletes records of a stream; what groups know of them stays.",
    .since = "5.0.0",
    .complexity = "O(N log M) where N is the number of IDs and M that of blocks",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .handler = xdel_command,
    .examples = kXDelExamples,
};

// XDELEX key [KEEPREF | DELREF | ACKED] IDS count id... -> for each: -1 absent, 1 deleted, 2 not
// deleted, because a group has not read or acknowledged it
Status xdelex_command(Call& call) {
  ROX_TRY(std::optional<StreamValue> stream, call.edit<StreamValue>(1));
  ROX_TRY(const IdsOptions options, read_ids_options(call, 2));
  if (!stream) {
    call.reply().array(options.count);
    for (size_t i = 0; i < options.count; ++i) call.reply().integer(-1);
    return kOk;
  }
  ROX_TRY(const std::vector<Id> ids, read_ids(call, options.first_id, options.count));
  bool has_erased = false;
  call.reply().array(ids.size());
  for (const Id& id : ids) {
    const Stream::Erased erased = (*stream)->erase(stream->home(), id, options.references);
    has_erased = has_erased || erased == Stream::Erased::kErased;
    call.reply().integer(erased == Stream::Erased::kErased       ? 1
                         : erased == Stream::Erased::kReferenced ? 2
                                                                 : -1);
  }
  if (has_erased) {
    call.changed(event::kXDel);
  } else if (options.references == References::kDelete) {
    log_unannounced(call);  // references of records that were gone already
  }
  return kOk;
}
constexpr Example kXDelExExamples[] = {{"XADD s 1-1 a 1", "$1-1"},
                                       {"XADD s 1-2 a 1", "$1-2"},
                                       {"XGROUP CREATE s g 1-1", "+OK"},
                                       {"XDELEX s ACKED IDS 3 1-1 1-2 1-0", "*[:1 :2 :-1]"},
                                       {"XDELEX s IDS 2 1-2 1-3", "*[:1 :-1]"}};
constexpr CommandSpec kXDelEx{
    .name = "XDELEX",
    .syntax = "key [KEEPREF | DELREF | ACKED] IDS numids id...",
    .summary = "Deletes records of a stream, with a say in what groups know of them.",
    .since = "8.2.0",
    .complexity = "O(N log M) where N is the number of IDs and M that of blocks",
    .flags = kWrite | kFast,
    .keys = "1:RW!u",
    .handler = xdelex_command,
    .examples = kXDelExExamples,
};

// XSETID key id [ENTRIESADDED count] [MAXDELETEDID id] -> OK
Status xsetid_command(Call& call) {
  ROX_TRY(const Id id, read_id(call, 2));
  std::optional<uint64_t> added;
  std::optional<Id> max_deleted;
  for (size_t at = 3; at < call.argc(); at += 2) {
    const bool has_more = at + 1 < call.argc();
    if (has_more && call.is(at, "ENTRIESADDED")) {
      ROX_TRY(const int64_t count, call.integer(at + 1));
      if (count < 0) return user_error("ERR entries_added must be positive");
      added = static_cast<uint64_t>(count);
    } else if (has_more && call.is(at, "MAXDELETEDID")) {
      ROX_TRY(max_deleted, read_id(call, at + 1));
      if (id < *max_deleted) {
        return user_error(
            "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
      }
    } else {
      return errors::kSyntax;
    }
  }
  ROX_TRY(std::optional<StreamValue> found, call.edit<StreamValue>(1));
  if (!found) return errors::kNoSuchKey;
  StreamValue& stream = *found;
  if (id < stream->max_deleted_id) {
    return user_error(
        "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
  }
  if (stream->size() > 0) {
    if (id < *stream->log().last()) {
      return user_error(
          "ERR The ID specified in XSETID is smaller than the target stream top item");
    }
    if (added && *added < stream->size()) {
      return user_error(
          "ERR The entries_added specified in XSETID is smaller than the target stream length");
    }
  }
  stream->set_last_id(stream.home(), id);
  if (added) stream->records_added = *added;
  if (max_deleted && *max_deleted != containers::kIdMin) stream->max_deleted_id = *max_deleted;
  call.changed(event::kXSetId);
  return call.reply_ok();
}
constexpr Example kXSetIdExamples[] = {{"XADD s 1-1 a 1", "$1-1"},
                                       {"XSETID s 9-0", "+OK"},
                                       {"XADD s 9-* a 1", "$9-1"},
                                       {"XSETID none 9-0", "-ERR no such key"}};
constexpr CommandSpec kXSetId{
    .name = "XSETID",
    .syntax = "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]",
    .summary = "Sets what a stream knows of its past: its last ID and its counts.",
    .since = "5.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom | kFast,
    .keys = "1:RW!u",
    .handler = xsetid_command,
    .examples = kXSetIdExamples,
};

constexpr const CommandSpec* kCommands[] = {&kXAdd,   &kXDel,      &kXDelEx, &kXLen,
                                            &kXRange, &kXRevRange, &kXSetId, &kXTrim};

}  // namespace

extern constinit const engine::CommandFamily kStreamFamily;
constinit const engine::CommandFamily kStreamFamily{"stream", kCommands};

}  // namespace roxdb::commands
