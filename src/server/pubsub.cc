#include "server/pubsub.h"

#include <algorithm>
#include <utility>

#include "base/glob.h"
#include "base/text.h"
#include "server/news.h"

namespace roxdb::server {
namespace {

constexpr size_t index_of(Topic::Kind kind) { return static_cast<size_t>(kind); }

bool may_be_said_by_subscribers(std::string_view command) {
  constexpr std::string_view kNames[] = {"PING",         "SUBSCRIBE",  "UNSUBSCRIBE",
                                         "PSUBSCRIBE",   "SSUBSCRIBE", "SUNSUBSCRIBE",
                                         "PUNSUBSCRIBE", "RESET",      "QUIT"};
  return std::find(std::begin(kNames), std::end(kNames), command) != std::end(kNames);
}

// Nobody is closed or leaves meanwhile: push() promises it.
template <class Say>
size_t tell_all(Turn& turn, const Topic& topic, const Say& say) {
  News news(turn);
  for (Client* client : topic.subscribers) news.tell(*client, say);
  return topic.subscribers.size();
}

size_t tell_channel(Turn& turn, const Topic& topic, std::string_view word,
                    std::string_view message) {
  return tell_all(turn, topic, [&](resp::Reply& reply) {
    reply.push(3);
    reply.bulk(word);
    reply.bulk(topic.name);
    reply.bulk(message);
  });
}

}  // namespace

size_t Subscriptions::memory_bytes() const {
  // A node of the map with its cell, and the client's cell in the topic.
  constexpr size_t kEntryBytes = sizeof(std::pair<Topic*, size_t>) + 3 * sizeof(void*);
  size_t bytes = sizeof *this + name_bytes;
  for (const auto& topics : places) bytes += topics.size() * kEntryBytes;
  return bytes;
}

PubSub::PubSub(engine::Engine& engine, Clients& clients, Turn& turn, int gate_order)
    : engine_(engine),
      turn_(turn),
      order_(gate_order),
      topics_{Topics(0, NameHash{&engine.secret()}), Topics(0, NameHash{&engine.secret()}),
              Topics(0, NameHash{&engine.secret()})} {
  clients.on_forget([this](Client& client) { end(client); });
  engine.info.add("clients", [this](engine::InfoWriter& out) {
    out.field("pubsub_clients", clients_subscribed_);
  });
  engine.info.add("stats", [this](engine::InfoWriter& out) {
    out.field("pubsub_channels", topics(Topic::Kind::kChannel).size());
    out.field("pubsub_patterns", topics(Topic::Kind::kPattern).size());
    out.field("pubsubshard_channels", topics(Topic::Kind::kShardChannel).size());
  });
}

PubSub::~PubSub() { engine_.disarm(this); }

// ---- who listens ----

void PubSub::subscribe(Client& client, Topic::Kind kind, std::string_view name) {
  if (client.subscriptions == nullptr) {
    client.subscriptions = std::make_unique<Subscriptions>();
    client.is_subscribed = true;
    if (clients_subscribed_++ == 0) engine_.arm(this, order_);
  }
  Topics& all = topics_of(kind);
  auto found = all.find(name);
  if (found == all.end()) {
    found = all.emplace(std::string(name), Topic{kind, {}, nullptr, {}}).first;
    found->second.name = found->first;
    if (kind == Topic::Kind::kPattern) found->second.glob = std::make_unique<Glob>(name);
  }
  Topic& topic = found->second;
  Subscriptions& mine = *client.subscriptions;
  if (!mine.places[index_of(kind)].emplace(&topic, topic.subscribers.size()).second) return;
  topic.subscribers.push_back(&client);
  mine.name_bytes += name.size();
}

void PubSub::unsubscribe(Client& client, Topic::Kind kind, std::string_view name) {
  Topics& all = topics_of(kind);
  const auto found = all.find(name);
  if (client.subscriptions == nullptr || found == all.end()) return;
  if (client.subscriptions->places[index_of(kind)].count(&found->second) == 0) return;
  leave(client, found->second);
  const auto& places = client.subscriptions->places;
  const auto is_empty = [](const auto& topics) { return topics.empty(); };
  if (std::all_of(places.begin(), places.end(), is_empty)) end(client);
}

// The last subscriber takes the place that becomes free. REQUIRES: the client has that topic.
void PubSub::leave(Client& client, Topic& topic) {
  Subscriptions& mine = *client.subscriptions;
  auto& places = mine.places[index_of(topic.kind)];
  const auto own = places.find(&topic);
  const size_t place = own->second;
  places.erase(own);
  mine.name_bytes -= topic.name.size();
  Client* const last = topic.subscribers.back();
  topic.subscribers.pop_back();
  if (last != &client) {
    topic.subscribers[place] = last;
    last->subscriptions->places[index_of(topic.kind)][&topic] = place;
  }
  Topics& all = topics_of(topic.kind);
  if (topic.subscribers.empty()) all.erase(all.find(topic.name));
}

void PubSub::end(Client& client) {
  if (client.subscriptions == nullptr) return;
  for (auto& places : client.subscriptions->places) {
    while (!places.empty()) leave(client, *places.begin()->first);
  }
  client.subscriptions.reset();
  client.is_subscribed = false;
  if (--clients_subscribed_ == 0) engine_.disarm(this);
}

std::vector<std::string> PubSub::names_of(const Client& client, Topic::Kind kind) {
  std::vector<std::string> names;
  if (client.subscriptions == nullptr) return names;
  for (const auto& [topic, place] : client.subscriptions->places[index_of(kind)]) {
    names.emplace_back(topic->name);
  }
  return names;
}

size_t PubSub::subscribers(Topic::Kind kind, std::string_view name) const {
  const auto found = topics(kind).find(name);
  return found != topics(kind).end() ? found->second.subscribers.size() : 0;
}

// ---- messages ----

size_t PubSub::publish(std::string_view channel, std::string_view message) {
  size_t told = 0;
  const Topics& channels = topics(Topic::Kind::kChannel);
  if (const auto found = channels.find(channel); found != channels.end()) {
    told += tell_channel(turn_, found->second, "message", message);
  }
  for (const auto& [unused, topic] : topics(Topic::Kind::kPattern)) {
    if (!topic.glob->matches(channel)) continue;
    told += tell_all(turn_, topic, [&](resp::Reply& reply) {
      reply.push(4);
      reply.bulk("pmessage");
      reply.bulk(topic.name);
      reply.bulk(channel);
      reply.bulk(message);
    });
  }
  return told;
}

size_t PubSub::publish_sharded(std::string_view channel, std::string_view message) {
  const Topics& channels = topics(Topic::Kind::kShardChannel);
  const auto found = channels.find(channel);
  return found == channels.end() ? 0 : tell_channel(turn_, found->second, "smessage", message);
}

// ---- the gate ----

engine::Verdict PubSub::check(engine::Session& session, const engine::CommandSpec& spec,
                              engine::Args, Status& refusal) {
  if (!session.is_subscribed) return engine::Verdict::kPass;
  const auto& client = static_cast<const Client&>(session);
  if (client.protocol >= 3 || may_be_said_by_subscribers(spec.name)) return engine::Verdict::kPass;
  std::string name = lower_case(spec.name);
  std::replace(name.begin(), name.end(), ' ', '|');
  refusal_ = "ERR Can't execute '" + name +
             "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this "
             "context";
  refusal = user_error(refusal_);
  return engine::Verdict::kRefuse;
}

}  // namespace roxdb::server
