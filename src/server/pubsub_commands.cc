// pubsub_commands.cc: SUBSCRIBE and its kin, PUBLISH, SPUBLISH, PUBSUB.
#include "base/glob.h"
#include "base/limits.h"
#include "engine/call.h"
#include "engine/errors.h"
#include "resp/reply_writer.h"
#include "server/command_client.h"
#include "server/pubsub.h"

namespace roxdb::server {
namespace {

namespace errors = engine::errors;
using engine::Call;
using engine::ChannelsAt;
using engine::CommandFamily;
using engine::CommandSpec;
using engine::Flags;
using engine::kFast;
using engine::kLoading;
using engine::kMayReplicate;
using engine::kNoScript;
using engine::kPubSub;
using engine::kStale;
using Kind = Topic::Kind;

constexpr Flags kListenFlags = kPubSub | kNoScript | kLoading | kStale;
constexpr Flags kPublishFlags = kPubSub | kLoading | kStale | kFast | kMayReplicate;
constexpr Flags kQuestionFlags = kPubSub | kLoading | kStale;

// ---- listening ----

// How many the replies count: channels and patterns together, sharded channels
// by themselves.
size_t counted(const Client& client, Kind kind) {
  if (client.subscriptions == nullptr) return 0;
  const Subscriptions& mine = *client.subscriptions;
  if (kind == Kind::kShardChannel) return mine.count(kind);
  return mine.count(Kind::kChannel) + mine.count(Kind::kPattern);
}

// One answer: the word, the name and the count. `name` null: there was nothing
// to leave.
void write_answer(resp::Reply& reply, std::string_view word, const std::string_view* name,
                  size_t count) {
  reply.push(3);
  reply.bulk(word);
  if (name != nullptr) {
    reply.bulk(*name);
  } else {
    reply.null();
  }
  reply.integer(static_cast<int64_t>(count));
}

// What is answered here are news rather than replies: a client that wants no
// replies gets them.
void answer(Call& call, Client& client, std::string_view word, const std::string_view* name,
            Kind kind) {
  const size_t count = counted(client, kind);
  if (!client.is_muted()) return write_answer(call.reply(), word, name, count);
  resp::OutputBuffer output;
  resp::RespWriter writer(output, client.protocol);
  write_answer(writer, word, name, count);
  std::string_view bytes[1];
  output.gather(bytes);
  call.service<Turn>().push(client, bytes[0], {});
}

Status subscribe(Call& call, Kind kind, std::string_view word) {
  ROX_TRY(Client * client, client_of(call));
  PubSub& pubsub = call.service<PubSub>();
  for (size_t i = 1; i < call.argc(); ++i) {
    const std::string_view name = call.arg(i);
    pubsub.subscribe(*client, kind, name);
    answer(call, *client, word, &name, kind);
  }
  return kOk;
}

Status unsubscribe(Call& call, Kind kind, std::string_view word) {
  ROX_TRY(Client * client, client_of(call));
  PubSub& pubsub = call.service<PubSub>();
  const auto leave = [&](std::string_view name) {
    pubsub.unsubscribe(*client, kind, name);
    answer(call, *client, word, &name, kind);
  };
  for (size_t i = 1; i < call.argc(); ++i) leave(call.arg(i));
  if (call.argc() > 1) return kOk;
  const std::vector<std::string> names = pubsub.names_of(*client, kind);
  for (const std::string& name : names) leave(name);
  if (names.empty()) answer(call, *client, word, nullptr, kind);
  return kOk;
}

// SUBSCRIBE channel ... -> for each: "subscribe", channel, how many channels
// and patterns
Status subscribe_command(Call& call) { return subscribe(call, Kind::kChannel, "subscribe"); }
constexpr CommandSpec kSubscribe{
    .name = "SUBSCRIBE",
    .syntax = "channel...",
    .summary = "Listens to channels.",
    .since = "2.0.0",
    .complexity = "O(N) where N is the number of channels",
    .flags = kListenFlags,
    .channels = ChannelsAt::kAll,
    .handler = subscribe_command,
};

// UNSUBSCRIBE [channel ...] -> for each of them, or of all it listens to:
// "unsubscribe", channel, how many channels and patterns are left
Status unsubscribe_command(Call& call) { return unsubscribe(call, Kind::kChannel, "unsubscribe"); }
constexpr CommandSpec kUnsubscribe{
    .name = "UNSUBSCRIBE",
    .syntax = "[channel...]",
    .summary = "Listens no more to these channels, or to any.",
    .since = "2.0.0",
    .complexity = "O(N) where N is the number of channels",
    .flags = kListenFlags,
    .handler = unsubscribe_command,
};

// PSUBSCRIBE pattern ... -> as SUBSCRIBE
Status psubscribe_command(Call& call) {
  // Every message of anybody pays for what is kept here.
  for (const std::string_view pattern : call.args().subspan(1)) {
    if (pattern.size() > kPatternBytesMax) return errors::kPatternTooComplex;
  }
  return subscribe(call, Kind::kPattern, "psubscribe");
}
constexpr CommandSpec kPSubscribe{
    .name = "PSUBSCRIBE",
    .syntax = "pattern...",
    .summary = "Listens to all channels with names that match.",
    .since = "2.0.0",
    .complexity = "O(N) where N is the number of patterns",
    .flags = kListenFlags,
    .channels = ChannelsAt::kAllPatterns,
    .handler = psubscribe_command,
};

// PUNSUBSCRIBE [pattern ...] -> as UNSUBSCRIBE
Status punsubscribe_command(Call& call) {
  return unsubscribe(call, Kind::kPattern, "punsubscribe");
}
constexpr CommandSpec kPUnsubscribe{
    .name = "PUNSUBSCRIBE",
    .syntax = "[pattern...]",
    .summary = "Listens no more by these patterns, or by any.",
    .since = "2.0.0",
    .complexity = "O(N) where N is the number of patterns",
    .flags = kListenFlags,
    .handler = punsubscribe_command,
};

// SSUBSCRIBE channel ... -> for each: "ssubscribe", channel, how many sharded
// channels
Status ssubscribe_command(Call& call) { return subscribe(call, Kind::kShardChannel, "ssubscribe"); }
constexpr CommandSpec kSSubscribe{
    .name = "SSUBSCRIBE",
    .syntax = "shardchannel...",
    .summary = "Listens to sharded channels.",
    .since = "7.0.0",
    .complexity = "O(N) where N is the number of channels",
    .flags = kListenFlags,
    .keys = "1..end:-!n",
    .channels = ChannelsAt::kAll,
    .handler = ssubscribe_command,
};

// SUNSUBSCRIBE [channel ...] -> as UNSUBSCRIBE, counting sharded channels
Status sunsubscribe_command(Call& call) {
  return unsubscribe(call, Kind::kShardChannel, "sunsubscribe");
}
constexpr CommandSpec kSUnsubscribe{
    .name = "SUNSUBSCRIBE",
    .syntax = "[shardchannel...]",
    .summary = "Listens no more to these sharded channels, or to any.",
    .since = "7.0.0",
    .complexity = "O(N) where N is the number of channels",
    .flags = kListenFlags,
    .keys = "1..end:-!n",
    .handler = sunsubscribe_command,
};

// ---- speaking ----

// PUBLISH channel message -> how many times it was delivered
Status publish_command(Call& call) {
  return call.reply(static_cast<int64_t>(call.service<PubSub>().publish(call.arg(1), call.arg(2))));
}
constexpr CommandSpec kPublish{
    .name = "PUBLISH",
    .syntax = "channel message",
    .summary = "Sends a message to all who listen to a channel.",
    .since = "2.0.0",
    .complexity = "O(N + M) where N is the number of listeners and M that of patterns",
    .flags = kPublishFlags,
    .channels = ChannelsAt::kFirst,
    .handler = publish_command,
};

// SPUBLISH channel message -> how many clients it was delivered to
Status spublish_command(Call& call) {
  return call.reply(
      static_cast<int64_t>(call.service<PubSub>().publish_sharded(call.arg(1), call.arg(2))));
}
constexpr CommandSpec kSPublish{
    .name = "SPUBLISH",
    .syntax = "shardchannel message",
    .summary = "Sends a message to all who listen to a sharded channel.",
    .since = "7.0.0",
    .complexity = "O(N) where N is the number of listeners",
    .flags = kPublishFlags,
    .keys = "1:-!n",
    .channels = ChannelsAt::kFirst,
    .handler = spublish_command,
};

// ---- asking ----

constexpr CommandSpec kPubSubContainer{
    .name = "PUBSUB",
    .syntax = "subcommand [argument...]",
    .summary = "Commands about who listens to what.",
    .since = "2.8.0",
    .complexity = "Depends on the subcommand.",
};

Status reply_channels(Call& call, Kind kind) {
  if (call.argc() > 3) {
    return call.fail(
        "ERR unknown subcommand or wrong number of arguments for "
        "'{}'. Try PUBSUB HELP.",
        call.arg(1));
  }
  if (call.argc() == 3 && call.arg(2).size() > kPatternBytesMax) return errors::kPatternTooComplex;
  std::optional<Glob> pattern;
  if (call.argc() == 3) pattern.emplace(call.arg(2));
  resp::Reply& reply = call.reply();
  const resp::Reply::Open open = reply.open(resp::Reply::Aggregate::kArray);
  size_t count = 0;
  for (const auto& [name, topic] : call.service<PubSub>().topics(kind)) {
    if (pattern && !pattern->matches(name)) continue;
    reply.bulk(name);
    ++count;
  }
  reply.close(open, count);
  return kOk;
}

Status reply_counts(Call& call, Kind kind) {
  const PubSub& pubsub = call.service<PubSub>();
  call.reply().array((call.argc() - 2) * 2);
  for (size_t i = 2; i < call.argc(); ++i) {
    call.reply().bulk(call.arg(i));
    call.reply().integer(static_cast<int64_t>(pubsub.subscribers(kind, call.arg(i))));
  }
  return kOk;
}

// PUBSUB CHANNELS [pattern] -> names
Status pubsub_channels_command(Call& call) { return reply_channels(call, Kind::kChannel); }
constexpr CommandSpec kPubSubChannels{
    .name = "PUBSUB CHANNELS",
    .syntax = "[pattern]",
    .summary = "Returns the channels that somebody listens to by name.",
    .since = "2.8.0",
    .complexity = "O(N) where N is the number of channels",
    .flags = kQuestionFlags,
    .handler = pubsub_channels_command,
};

// PUBSUB NUMSUB [channel ...] -> for each: name, listeners
Status pubsub_numsub_command(Call& call) { return reply_counts(call, Kind::kChannel); }
constexpr CommandSpec kPubSubNumSub{
    .name = "PUBSUB NUMSUB",
    .syntax = "[channel...]",
    .summary = "Returns how many listen to each of these channels by name.",
    .since = "2.8.0",
    .complexity = "O(N) where N is the number of channels asked for",
    .flags = kQuestionFlags,
    .handler = pubsub_numsub_command,
};

// PUBSUB NUMPAT -> how many patterns somebody listens by
Status pubsub_numpat_command(Call& call) {
  return call.reply(static_cast<int64_t>(call.service<PubSub>().topics(Kind::kPattern).size()));
}
constexpr CommandSpec kPubSubNumPat{
    .name = "PUBSUB NUMPAT",
    .syntax = "",
    .summary = "Returns the number of different patterns that somebody listens by.",
    .since = "2.8.0",
    .complexity = "O(1)",
    .flags = kQuestionFlags,
    .handler = pubsub_numpat_command,
};

// PUBSUB SHARDCHANNELS [pattern] -> names
Status pubsub_shardchannels_command(Call& call) {
  return reply_channels(call, Kind::kShardChannel);
}
constexpr CommandSpec kPubSubShardChannels{
    .name = "PUBSUB SHARDCHANNELS",
    .syntax = "[pattern]",
    .summary = "Returns the sharded channels that somebody listens to.",
    .since = "7.0.0",
    .complexity = "O(N) where N is the number of sharded channels",
    .flags = kQuestionFlags,
    .handler = pubsub_shardchannels_command,
};

// PUBSUB SHARDNUMSUB [channel ...] -> for each: name, listeners
Status pubsub_shardnumsub_command(Call& call) { return reply_counts(call, Kind::kShardChannel); }
constexpr CommandSpec kPubSubShardNumSub{
    .name = "PUBSUB SHARDNUMSUB",
    .syntax = "[shardchannel...]",
    .summary = "Returns how many listen to each of these sharded channels.",
    .since = "7.0.0",
    .complexity = "O(N) where N is the number of channels asked for",
    .flags = kQuestionFlags,
    .handler = pubsub_shardnumsub_command,
};

Status pubsub_help_command(Call& call) {
  return call.reply_help({
      "CHANNELS [<pattern>]",
      "    Return the channels that somebody listens to, all or those that "
      "match.",
      "NUMPAT",
      "    Return the number of patterns that somebody listens by.",
      "NUMSUB [<channel> ...]",
      "    Return how many listen to each of these channels, patterns not "
      "counted.",
      "SHARDCHANNELS [<pattern>]",
      "    Return the sharded channels that somebody listens to, all or those "
      "that match.",
      "SHARDNUMSUB [<shardchannel> ...]",
      "    Return how many listen to each of these sharded channels.",
  });
}
constexpr CommandSpec kPubSubHelp{
    .name = "PUBSUB HELP",
    .syntax = "",
    .summary = "Tells what the subcommands do.",
    .since = "6.2.0",
    .complexity = "O(1)",
    .flags = kLoading | kStale,
    .handler = pubsub_help_command,
};

constexpr const CommandSpec* kCommands[] = {
    &kSubscribe,           &kUnsubscribe,       &kPSubscribe,   &kPUnsubscribe,
    &kSSubscribe,          &kSUnsubscribe,      &kPublish,      &kSPublish,
    &kPubSubContainer,     &kPubSubChannels,    &kPubSubNumSub, &kPubSubNumPat,
    &kPubSubShardChannels, &kPubSubShardNumSub, &kPubSubHelp};

}  // namespace

extern constinit const CommandFamily kPubsubCommandsFamily;
constinit const CommandFamily kPubsubCommandsFamily{"pubsub", kCommands};

}  // namespace roxdb::server
