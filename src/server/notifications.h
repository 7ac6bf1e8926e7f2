// notifications.h: what happens to keys, as messages of Pub/Sub.
//
//   notify-keyspace-events KEA:  SET k v  -->  channel __keyspace@0__:k    message "set"
//                                         -->  channel __keyevent@0__:set  message "k"
//
// The sink is armed while the setting asks for anything. Messages go out in the order of the
// events, in the same turn.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/engine.h"
#include "server/pubsub.h"

namespace roxdb::server {

class Notifications final : public engine::Sink {
 public:
  // Registers its setting. All must outlive this.
  Notifications(engine::Engine& engine, PubSub& pubsub, int sink_order);
  ~Notifications() override;

  void on_change(const engine::KeyChange& change) override;
  void on_miss(int db, std::string_view key) override;

 private:
  using Letters = uint32_t;  // one bit for each letter of the setting

  static Letters letter_of(engine::EventClass event_class);
  static bool parse(std::string_view text, Letters& letters);
  static std::string text_of(Letters letters);
  void publish(int db, std::string_view key, std::string_view event);

  engine::Engine& engine_;
  PubSub& pubsub_;
  const int order_;
  Letters letters_ = 0;
  std::string channel_;  // memory for the next one
};

}  // namespace roxdb::server
