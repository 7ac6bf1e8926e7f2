// stream_read.cc: reading what comes behind an ID of several streams, alone (XREAD) or as a
// consumer of a group (XREADGROUP), and waiting for it.
//
// A group hands each record to one consumer. What the log says of that is not who asked, but who
// has what since when: see claim_log.h.
#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "commands/shared/timeout.h"
#include "commands/stream/claim_log.h"
#include "commands/stream/id_argument.h"
#include "commands/stream/lookup.h"
#include "commands/stream/record_reply.h"
#include "engine/call.h"
#include "engine/command.h"

namespace roxdb::commands {
namespace {

using containers::RecordCursor;
using engine::Call;
using engine::CommandSpec;
using engine::Example;
using engine::kBlocking;
using engine::kReadOnly;
using engine::kWrite;
using types::Consumer;
using types::Group;
using types::IdIndex;
using types::Pending;
using types::Stream;
using types::StreamValue;
namespace errors = engine::errors;

// The request, apart from the IDs.
struct ReadOptions {
  uint64_t count = 0;  // of records for each stream; 0: all
  std::optional<int64_t> wait_ms;
  std::optional<int64_t> claim_idle_ms;
  bool has_group = false;
  bool no_ack = false;
  std::string_view group;
  std::string_view consumer;
  size_t first_key = 0;
  size_t streams = 0;

  size_t id_index(size_t stream) const { return first_key + streams + stream; }
};

Status only_by_group(Call& call, std::string_view option) {
  return call.fail("ERR The {} option is only supported by XREADGROUP. You called XREAD instead.",
                   option);
}

Result<int64_t> read_claim_idle(Call& call, size_t index) {
  const auto idle_ms = parse_int64(call.arg(index));
  if (!idle_ms) return user_error("ERR min-idle-time is not an integer");
  if (*idle_ms < 0) return user_error("ERR min-idle-time must be a positive integer");
  return *idle_ms;
}

Result<ReadOptions> read_options(Call& call, bool is_group) {
  ReadOptions options;
  for (size_t at = 1; at < call.argc() && options.first_key == 0; ++at) {
    const size_t more = call.argc() - 1 - at;
    if (more >= 1 && call.is(at, "BLOCK")) {
      ROX_TRY(options.wait_ms, read_timeout(call, ++at, TimeoutUnit::kMilliseconds));
    } else if (more >= 1 && call.is(at, "COUNT")) {
      ROX_TRY(const int64_t count, call.integer(++at));
      options.count = static_cast<uint64_t>(std::max<int64_t>(count, 0));
    } else if (more >= 1 && call.is(at, "STREAMS")) {
      options.first_key = at + 1;
    } else if (more >= 2 && call.is(at, "GROUP")) {
      if (!is_group) return only_by_group(call, "GROUP");
      options.has_group = true;
      options.group = call.arg(at + 1);
      options.consumer = call.arg(at + 2);
      at += 2;
    } else if (call.is(at, "NOACK")) {
      if (!is_group) return only_by_group(call, "NOACK");
      options.no_ack = true;
    } else if (more >= 1 && call.is(at, "CLAIM")) {
      if (!is_group) return only_by_group(call, "CLAIM");
      ROX_TRY(options.claim_idle_ms, read_claim_idle(call, ++at));
    } else {
      return errors::kSyntax;
    }
  }
  if (options.first_key == 0) return errors::kSyntax;
  const size_t names = call.argc() - options.first_key;
  if (names % 2 != 0) {
    return call.fail(
        "ERR Unbalanced '{}' list of streams: for each stream key an ID{} must be specified.",
        call.command().full_name, is_group ? " or '>'" : ", '+', or '$'");
  }
  options.streams = names / 2;
  if (is_group && !options.has_group) return user_error("ERR Missing GROUP option for XREADGROUP");
  return options;
}

// COUNT of things that there are so many of; 0: all.
uint64_t at_most(uint64_t count, uint64_t size) {
  return count == 0 ? size : std::min(count, size);
}

uint64_t add_bytes(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

// The reply, begun with the first stream that has something to give. RESP3 shows the streams as a
// map, RESP2 as pairs.
class StreamsReply {
 public:
  explicit StreamsReply(resp::Reply& reply) : reply_(reply) {}
  // The caller adds the records next.
  void add(std::string_view key) {
    using Aggregate = resp::Reply::Aggregate;
    const bool is_map = reply_.protocol() >= 3;
    if (streams_++ == 0) open_ = reply_.open(is_map ? Aggregate::kMap : Aggregate::kArray);
    if (!is_map) reply_.array(2);
    reply_.bulk(key);
  }
  // False: there was nothing, and nothing was said.
  bool close() {
    if (streams_ > 0) reply_.close(*open_, streams_);
    return streams_ > 0;
  }

 private:
  resp::Reply& reply_;
  std::optional<resp::Reply::Open> open_;
  size_t streams_ = 0;
};

// Nothing is there. Waits if the request wants to, else says so. In `again_ms` there is more, even
// if no key changes; 0: never.
Status wait_or_say(Call& call, const ReadOptions& options, engine::Args args, int64_t again_ms) {
  if (!options.wait_ms || call.timed_out() || !call.may_wait()) return call.reply_null_array();
  return call.wait({.type = types::TypeId::kStream,
                    .first_key = options.first_key,
                    .keys = options.streams,
                    .timeout_ms = *options.wait_ms,
                    .when_gone = options.has_group,
                    .again_ms = again_ms,
                    .args = args});
}

// --- XREAD ---------------------------------------------------------------------------------

// Behind which ID to read. "$": what comes from now on; "+": the last record.
Result<Id> read_after(Call& call, size_t index, const Stream* stream) {
  const std::string_view text = call.arg(index);
  if (text == "$") return stream == nullptr ? containers::kIdMin : stream->last_id;
  if (text == "+") {
    if (stream == nullptr) return containers::kIdMin;
    const auto last = stream->log().last();
    return last ? *id_before(*last) : stream->last_id;
  }
  if (text == ">") {
    return user_error(
        "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> "
        "<consumer> option.");
  }
  return read_id(call, index);
}

// XREAD [COUNT count] [BLOCK ms] STREAMS key... id... -> for each stream with something behind the
// ID: its key and the records; nil when there is nothing
Status xread_command(Call& call) {
  ROX_TRY(const ReadOptions options, read_options(call, false));
  std::vector<const Stream*> streams(options.streams);
  std::vector<Id> after(options.streams);
  for (size_t i = 0; i < options.streams; ++i) {
    ROX_TRY(streams[i], read_stream(call, options.first_key + i));
    ROX_TRY(after[i], read_after(call, options.id_index(i), streams[i]));
  }
  uint64_t bytes_max = 0;
  bool has_more = false;
  for (size_t i = 0; i < options.streams; ++i) {
    if (streams[i] == nullptr) continue;
    const auto start = id_after(after[i]);
    const auto last = streams[i]->log().last();
    if (!start || !last || *last < *start) {
      streams[i] = nullptr;
      continue;
    }
    has_more = true;
    bytes_max = add_bytes(
        bytes_max, records_bytes_max(*streams[i], at_most(options.count, streams[i]->size())));
  }
  if (has_more) {
    return reply_measured(call, bytes_max, [&](auto& reply) {
      StreamsReply shown(reply);
      for (size_t i = 0; i < options.streams && !is_enough(reply); ++i) {
        if (streams[i] == nullptr) continue;
        shown.add(call.arg(options.first_key + i));
        reply_records(reply,
                      RecordCursor(streams[i]->log(), *id_after(after[i]), containers::kIdMax),
                      options.count);
      }
      shown.close();
    });
  }
  // When it runs again, "$" must still mean what it means now.
  std::vector<IdText> settled(after.begin(), after.end());
  std::vector<std::string_view> args(call.args().begin(), call.args().end());
  for (size_t i = 0; i < options.streams; ++i) args[options.id_index(i)] = settled[i];
  return wait_or_say(call, options, args, 0);
}
constexpr Example kXReadExamples[] = {
    {"XADD s 1-1 a 1", "$1-1"},
    {"XADD s 1-2 b 2", "$1-2"},
    {"XREAD COUNT 1 STREAMS s none 0 0", "*[*[$s *[*[$1-1 *[$a $1]]]]]"},
    {"XREAD STREAMS s +", "*[*[$s *[*[$1-2 *[$b $2]]]]]"},
    {"XREAD STREAMS s 1-2", "*nil"}};
constexpr CommandSpec kXRead{
    .name = "XREAD",
    .syntax = "[COUNT count] [BLOCK milliseconds] STREAMS key... id...",
    .summary = "Returns the records of streams behind given IDs; waits for some if need be.",
    .since = "5.0.0",
    .complexity = "O(log N + M) for each stream, where M is the number of records returned",
    .flags = kReadOnly | kBlocking,
    .keys = "after(STREAMS,1)..end|half:RO",
    .arity = -4,
    .handler = xread_command,
    .examples = kXReadExamples,
};

// --- XREADGROUP ----------------------------------------------------------------------------

// One stream of the request.
struct Source {
  StreamValue stream;
  Group* group;
  std::optional<Id> history_after;  // its own pending records behind this ID; none: new ones
};

// Nobody's, or pending for long enough.
bool can_claim(const Call& call, const Pending& pending, int64_t idle_ms) {
  return pending.consumer == nullptr || call.now_ms() - pending.delivered_at_ms >= idle_ms;
}

Result<Source> read_source(Call& call, const ReadOptions& options, size_t stream_number) {
  const size_t key_index = options.first_key + stream_number;
  const size_t id_index = options.id_index(stream_number);
  ROX_TRY(std::optional<StreamValue> stream, call.edit<StreamValue>(key_index));
  Group* group = stream ? (*stream)->groups().find(options.group) : nullptr;
  if (group == nullptr) {
    return call.fail(
        "NOGROUP No such key '{}' or consumer group '{}' in XREADGROUP with GROUP option",
        shown(call.arg(key_index)), shown(options.group));
  }
  const std::string_view text = call.arg(id_index);
  if (text == "$" || text == "+") {
    return call.fail(
        "ERR The {} ID is meaningless in the context of XREADGROUP: you want to read the history "
        "of this consumer by specifying a proper ID, or use the > ID to get new messages. The {} "
        "ID would just return an empty result set.",
        text, text);
  }
  Source source{*stream, group, std::nullopt};
  if (text == ">") return source;
  ROX_TRY(const Id after, read_id(call, id_index));
  if (after != containers::kIdMax)
    source.history_after = after;  // to Redis that one means ">", too
  return source;
}

// About what reading a source would show, without doing it.
void preview(resp::Reply& reply, const Call& call, const ReadOptions& options,
             const Source& source) {
  const types::Stream& stream = *source.stream;
  uint64_t count = 0;
  const auto is_full = [&] { return options.count != 0 && count >= options.count; };
  const auto show = [&](const Id& id) {
    reply_record(reply, stream, id);
    count++;
  };
  if (source.history_after) {
    const Consumer* consumer = source.group->consumers().find(options.consumer);
    const auto start = id_after(*source.history_after);
    if (consumer == nullptr || !start) return;
    for (IdIndex::Place place = consumer->pending().at_or_after(*start); place && !is_full();
         place.next()) {
      show(place.item()->id);
    }
    return;
  }
  if (options.claim_idle_ms) {
    for (const Pending* pending = source.group->oldest(); pending != nullptr && !is_full();
         pending = pending->later) {
      if (!can_claim(call, *pending, *options.claim_idle_ms)) break;
      show(pending->id);
    }
  }
  const auto start = id_after(source.group->last_delivered);
  if (!start || is_full()) return;
  reply_records(reply, RecordCursor(stream.log(), *start, containers::kIdMax),
                options.count == 0 ? 0 : options.count - count);
}

uint64_t preview_bytes_max(const ReadOptions& options, const Source& source) {
  const uint64_t pending = source.group->pending().size();
  const uint64_t rows = source.history_after    ? pending
                        : options.claim_idle_ms ? pending + source.stream->size()
                                                : source.stream->size();
  return records_bytes_max(*source.stream, at_most(options.count, rows));
}

// Serves one stream to one consumer.
class GroupReader {
 public:
  GroupReader(Call& call, const ReadOptions& options, const Source& source, std::string_view key,
              Consumer* consumer)
      : call_(call),
        options_(options),
        stream_(source.stream),
        slabs_(source.stream.home().slabs),
        group_(*source.group),
        key_(key),
        consumer_(consumer),
        log_(call, key, group_) {}

  // What the consumer has pending behind an ID, as it was given: a record that is gone from the
  // stream shows as its ID alone.
  void reply_history(const Id& after) {
    std::vector<Pending*> rows;
    if (const auto start = id_after(after)) {
      for (IdIndex::Place place = consumer_->pending().at_or_after(*start);
           place && !is_enough(rows.size()); place.next()) {
        rows.push_back(place.as<Pending>());
      }
    }
    call_.reply().array(rows.size());
    for (Pending* pending : rows) {
      RecordCursor cursor(stream_->log(), pending->id, pending->id);
      if (cursor.next()) {
        deliver_again(*pending);
        reply_record(call_.reply(), cursor);
      } else {
        call_.reply().array(2);
        reply_id(call_.reply(), pending->id);
        call_.reply().null_array();
      }
    }
  }

  // Records that were pending for too long, then new ones. False: neither, and nothing was said.
  bool reply_new(StreamsReply& reply) {
    const std::vector<Pending*> idle = take_idle();
    const auto start = id_after(group_.last_delivered);
    const auto last = stream_->log().last();
    const bool has_new = start && last && *start <= *last && !is_enough(idle.size());
    if (idle.empty() && !has_new) return false;
    reply.add(key_);
    const resp::Reply::Open open = call_.reply().open(resp::Reply::Aggregate::kArray);
    size_t count = 0;
    for (Pending* pending : idle) {
      reply_claimed(*pending);
      count++;
    }
    if (has_new) {
      RecordCursor cursor(stream_->log(), *start, containers::kIdMax);
      while (!is_enough(count) && cursor.next()) {
        reply_fresh(cursor);
        count++;
      }
      log_.add_progress();
    }
    call_.reply().close(open, count);
    call_.engine().dirty++;
    return true;
  }

 private:
  bool is_enough(size_t count) const { return options_.count != 0 && count >= options_.count; }

  // The pending records to claim, those that waited longest first. Those gone from the stream are
  // dropped on the way.
  std::vector<Pending*> take_idle() {
    std::vector<Pending*> idle;
    if (!options_.claim_idle_ms) return idle;
    for (Pending* pending = group_.oldest(); pending != nullptr && !is_enough(idle.size());) {
      Pending* const later = pending->later;
      if (!can_claim(call_, *pending, *options_.claim_idle_ms)) break;
      if (stream_->log().contains(pending->id)) {
        idle.push_back(pending);
      } else {
        log_.add_dropped(pending->id);
        group_.remove(slabs_, pending);
      }
      pending = later;
    }
    return idle;
  }

  void deliver_again(Pending& pending) {
    group_.assign(slabs_, &pending, consumer_);
    group_.set_time(&pending, call_.now_ms());
    if (pending.deliveries < static_cast<uint64_t>(INT64_MAX)) pending.deliveries++;
    consumer_->active_at_ms = call_.now_ms();
    log_.add(pending);
  }

  // With CLAIM a record tells how long it waited and how often it was delivered before.
  void reply_claimed(Pending& pending) {
    RecordCursor cursor(stream_->log(), pending.id, pending.id);
    const bool is_there = cursor.next();
    ROX_ASSERT(is_there);
    const bool was_nobodys = pending.consumer == nullptr;
    call_.reply().array(4);
    reply_id(call_.reply(), pending.id);
    reply_fields(call_.reply(), cursor);
    call_.reply().integer(
        was_nobodys ? 0 : std::max<int64_t>(call_.now_ms() - pending.delivered_at_ms, 0));
    call_.reply().integer(static_cast<int64_t>(pending.deliveries));
    deliver_again(pending);
  }

  void reply_fresh(const RecordCursor& cursor) {
    const Id id = cursor.id();
    stream_->note_delivery(group_, id);
    if (options_.claim_idle_ms) {
      call_.reply().array(4);
      reply_id(call_.reply(), id);
      reply_fields(call_.reply(), cursor);
      call_.reply().integer(0);
      call_.reply().integer(0);
    } else {
      reply_record(call_.reply(), cursor);
    }
    if (options_.no_ack) return;
    // After XGROUP SETID a record may come once more, while somebody still has it pending.
    Pending* pending = group_.find(id);
    if (pending == nullptr) {
      pending = group_.add(slabs_, id, consumer_, call_.now_ms(), 1);
    } else {
      group_.assign(slabs_, pending, consumer_);
      group_.set_time(pending, call_.now_ms());
      pending->deliveries = 1;
    }
    consumer_->active_at_ms = call_.now_ms();
    log_.add(*pending);
  }

  Call& call_;
  const ReadOptions& options_;
  const StreamValue& stream_;
  memory::Slabs& slabs_;
  Group& group_;
  std::string_view key_;
  Consumer* consumer_;
  ClaimLog log_;
};

// In how many ms the first record of a group that is pending now can be claimed; 0: none is
// pending. REQUIRES: none can be claimed yet.
int64_t claimable_in_ms(const Call& call, const Group& group, int64_t idle_ms) {
  const Pending* const oldest = group.oldest();
  if (oldest == nullptr) return 0;
  int64_t at_ms = 0;
  if (__builtin_add_overflow(oldest->delivered_at_ms, idle_ms, &at_ms)) at_ms = INT64_MAX;
  return std::max<int64_t>(at_ms - call.now_ms(), 1);
}

// XREADGROUP GROUP group consumer [options] STREAMS key... id... -> as XREAD
Status xreadgroup_command(Call& call) {
  ROX_TRY(const ReadOptions options, read_options(call, true));
  std::vector<Source> sources;
  sources.reserve(options.streams);
  for (size_t i = 0; i < options.streams; ++i) {
    ROX_TRY(Source source, read_source(call, options, i));
    sources.push_back(source);
  }
  uint64_t bytes_max = 0;
  for (const Source& source : sources) {
    bytes_max = add_bytes(bytes_max, preview_bytes_max(options, source));
  }
  ROX_TRY(check_reply(call, bytes_max, [&](auto& reply) {
    for (size_t i = 0; i < sources.size() && !is_enough(reply); ++i) {
      preview(reply, call, options, sources[i]);
    }
  }));
  StreamsReply reply(call.reply());
  for (size_t i = 0; i < options.streams; ++i) {
    const Source& source = sources[i];
    const std::string_view key = call.arg(options.first_key + i);
    Consumer* consumer =
        find_or_add_consumer(call, source.stream.home(), *source.group, key, options.consumer);
    consumer->seen_at_ms = call.now_ms();
    GroupReader reader(call, options, source, key, consumer);
    if (source.history_after) {
      reply.add(key);
      reader.reply_history(*source.history_after);
    } else {
      reader.reply_new(reply);
    }
  }
  if (reply.close()) return kOk;
  int64_t again_ms = 0;
  if (options.claim_idle_ms) {
    for (const Source& source : sources) {
      const int64_t in_ms = claimable_in_ms(call, *source.group, *options.claim_idle_ms);
      if (in_ms > 0 && (again_ms == 0 || in_ms < again_ms)) again_ms = in_ms;
    }
  }
  return wait_or_say(call, options, {}, again_ms);
}
constexpr Example kXReadGroupExamples[] = {
    {"XADD s 1-1 a 1", "$1-1"},
    {"XGROUP CREATE s g 0", "+OK"},
    {"XREADGROUP GROUP g c STREAMS s >", "*[*[$s *[*[$1-1 *[$a $1]]]]]"},
    {"XREADGROUP GROUP g c STREAMS s >", "*nil"},
    {"XREADGROUP GROUP g c STREAMS s 0", "*[*[$s *[*[$1-1 *[$a $1]]]]]"},
    {"XREADGROUP GROUP g d CLAIM 0 STREAMS s >", "*[*[$s *[*[$1-1 *[$a $1] :0 :2]]]]"},
    {"XREADGROUP GROUP g c STREAMS s 0", "*[*[$s *[]]]"}};
// A group or a consumer may be called STREAMS, wherever GROUP stands.
void find_streams(engine::Args args, std::vector<engine::KeyAt>& keys) {
  size_t at = 1;
  while (at < args.size() && !equal_ignore_case(args[at], "STREAMS")) {
    at += equal_ignore_case(args[at], "GROUP") ? 3 : 1;
  }
  if (at >= args.size()) return;
  const size_t count = (args.size() - at - 1) / 2;
  for (size_t i = 1; i <= count; ++i) keys.push_back({at + i, engine::KeyAccess::kReadOnly});
}
constexpr CommandSpec kXReadGroup{
    .name = "XREADGROUP",
    .syntax =
        "GROUP group consumer [COUNT count] [BLOCK milliseconds] [CLAIM min-idle-time] "
        "[NOACK] STREAMS key... id...",
    .summary = "Hands records of streams to a consumer of a group; waits for some if need be.",
    .since = "5.0.0",
    .complexity =
        "O(M log N) for each stream, where M is the number of records returned and N that "
        "of pending ones",
    .flags = kWrite | kBlocking,
    .keys = "after(STREAMS,4)..end|half:RO!v",
    .arity = -7,
    .find_keys = find_streams,
    .handler = xreadgroup_command,
    .examples = kXReadGroupExamples,
};

constexpr const CommandSpec* kCommands[] = {&kXRead, &kXReadGroup};

}  // namespace

extern constinit const engine::CommandFamily kStreamReadFamily;
constinit const engine::CommandFamily kStreamReadFamily{"stream", kCommands};

}  // namespace roxdb::commands
