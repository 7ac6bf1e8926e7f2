// pubsub.h: who listens to which channels, and how a message gets to all of them.
//
//   SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE --> Topic <--> Subscriptions of the client
//   PUBLISH --> the channel's Topic, and each pattern that matches
//                 '--> News: its bytes, made once --> Turn::push to each subscriber
//
// Topics are channels, patterns and sharded channels, each kind with names of its own. A topic
// exists while somebody listens to it. Subscribers stand in no order; a client knows its place in
// each of its topics, so it leaves in O(1), however many others listen.
//
// A client that has subscriptions and speaks RESP2 cannot tell replies from messages: the gate,
// armed while anybody has subscriptions, lets it only subscribe, unsubscribe, PING, RESET and QUIT.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/glob.h"
#include "base/hash.h"
#include "engine/engine.h"
#include "server/clients.h"
#include "server/session.h"

namespace roxdb::server {

struct Topic {
  enum class Kind : uint8_t { kChannel, kPattern, kShardChannel };
  static constexpr size_t kKinds = 3;

  Kind kind;
  std::string_view name;             // of its entry in the map of topics
  std::unique_ptr<const Glob> glob;  // of a pattern
  std::vector<Client*> subscribers;
};

// A client's side. It has one while it has subscriptions.
struct Subscriptions {
  size_t count(Topic::Kind kind) const { return places[static_cast<size_t>(kind)].size(); }
  size_t memory_bytes() const;

  // By kind and topic: the client's index in Topic::subscribers.
  std::array<std::unordered_map<Topic*, size_t>, Topic::kKinds> places;
  size_t name_bytes = 0;  // of all topics
};

class PubSub final : public engine::Gate {
 public:
  // Names come from clients: the hash is the keyed one (reliability S8).
  struct NameHash {
    using is_transparent = void;
    const HashSecret* secret;
    size_t operator()(std::string_view name) const { return hash_bytes(name, *secret); }
  };
  using Topics = std::unordered_map<std::string, Topic, NameHash, std::equal_to<>>;

  // Registers what INFO says of it. All must outlive this.
  PubSub(engine::Engine& engine, Clients& clients, Turn& turn, int gate_order);
  ~PubSub() override;

  // Nothing happens when the client does, or does not, listen already.
  void subscribe(Client& client, Topic::Kind kind, std::string_view name);
  void unsubscribe(Client& client, Topic::Kind kind, std::string_view name);

  // What the client listens to, as of now, in no order.
  static std::vector<std::string> names_of(const Client& client, Topic::Kind kind);

  // Tells everybody who listens to the channel, by name or by pattern; returns how many times it
  // was told. Cost O(subscribers + patterns).
  size_t publish(std::string_view channel, std::string_view message);
  // The same for a sharded channel, which no pattern matches.
  size_t publish_sharded(std::string_view channel, std::string_view message);
  // Nobody would hear a message: none need be made.
  bool nobody_listens() const { return clients_subscribed_ == 0; }

  const Topics& topics(Topic::Kind kind) const { return topics_[static_cast<size_t>(kind)]; }
  size_t subscribers(Topic::Kind kind, std::string_view name) const;

  engine::Verdict check(engine::Session& session, const engine::CommandSpec& spec,
                        engine::Args args, Status& refusal) override;

 private:
  Topics& topics_of(Topic::Kind kind) { return topics_[static_cast<size_t>(kind)]; }
  void leave(Client& client, Topic& topic);
  void end(Client& client);

  engine::Engine& engine_;
  Turn& turn_;
  const int order_;
  std::array<Topics, Topic::kKinds> topics_;
  size_t clients_subscribed_ = 0;
  std::string refusal_;
};

}  // namespace roxdb::server
