#include "server/notifications.h"

#include <fmt/format.h>

#include <iterator>

namespace roxdb::server {
namespace {

// The letters that CONFIG GET shows, in its order; a letter's bit is its place.
constexpr std::string_view kLetters = "g$lshzxetdnKEmoc";
// All that A stands for. Somebody who wants to hear of keys that come into being or are not there
// must say so.
constexpr std::string_view kAllOfA = "g$lshzxetd";

constexpr uint32_t bit_of(char letter) { return 1u << kLetters.find(letter); }
constexpr uint32_t bits_of(std::string_view letters) {
  uint32_t bits = 0;
  for (const char letter : letters) bits |= bit_of(letter);
  return bits;
}

}  // namespace

Notifications::Notifications(engine::Engine& engine, PubSub& pubsub, int sink_order)
    : engine_(engine), pubsub_(pubsub), order_(sink_order) {
  engine::Setting setting;
  setting.name = "notify-keyspace-events";
  setting.get = [this] { return text_of(letters_); };
  setting.set = [this](std::span<const std::string> words, std::string& why) {
    if (words.size() == 1 && parse(words[0], letters_)) return true;
    why = "Invalid event class character. Use 'Ag$lshzxeKEtmdnoc'.";
    return false;
  };
  setting.apply = [this](std::string&) {
    if ((letters_ & bits_of("KE")) != 0) {
      engine_.arm(this, order_);
    } else {
      engine_.disarm(this);
    }
    return true;
  };
  engine.settings.add(std::move(setting));
}

Notifications::~Notifications() { engine_.disarm(this); }

bool Notifications::parse(std::string_view text, Letters& letters) {
  Letters parsed = 0;
  for (const char letter : text) {
    if (letter == 'A') {
      parsed |= bits_of(kAllOfA);
    } else if (kLetters.find(letter) != kLetters.npos) {
      parsed |= bit_of(letter);
    } else {
      return false;
    }
  }
  letters = parsed;
  return true;
}

std::string Notifications::text_of(Letters letters) {
  std::string text;
  if ((letters & bits_of(kAllOfA)) == bits_of(kAllOfA)) {
    text = "A";
    letters &= ~bits_of(kAllOfA);
  }
  for (const char letter : kLetters) {
    if ((letters & bit_of(letter)) != 0) text += letter;
  }
  return text;
}

Notifications::Letters Notifications::letter_of(engine::EventClass event_class) {
  using engine::EventClass;
  switch (event_class) {
    case EventClass::kGeneric:
      return bit_of('g');
    case EventClass::kString:
      return bit_of('$');
    case EventClass::kList:
      return bit_of('l');
    case EventClass::kSet:
      return bit_of('s');
    case EventClass::kHash:
      return bit_of('h');
    case EventClass::kSortedSet:
      return bit_of('z');
    case EventClass::kStream:
      return bit_of('t');
    case EventClass::kExpired:
      return bit_of('x');
    case EventClass::kEvicted:
      return bit_of('e');
    case EventClass::kNew:
      return bit_of('n');
  }
  return 0;
}

void Notifications::on_change(const engine::KeyChange& change) {
  if (change.event.name.empty()) return;
  if ((letters_ & letter_of(change.event.event_class)) == 0) return;
  publish(change.db, change.key, change.event.name);
}

void Notifications::on_miss(int db, std::string_view key) {
  if ((letters_ & bit_of('m')) != 0) publish(db, key, "keymiss");
}

void Notifications::publish(int db, std::string_view key, std::string_view event) {
  if (pubsub_.nobody_listens()) return;
  const auto send = [&](std::string_view kind, std::string_view name, std::string_view message) {
    channel_.clear();
    fmt::format_to(std::back_inserter(channel_), "__{}@{}__:{}", kind, db, name);
    pubsub_.publish(channel_, message);
  };
  if ((letters_ & bit_of('K')) != 0) send("keyspace", key, event);
  if ((letters_ & bit_of('E')) != 0) send("keyevent", event, key);
}

}  // namespace roxdb::server
