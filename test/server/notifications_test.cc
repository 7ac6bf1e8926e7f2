// Keyspace notifications: which events are told, where, and in what order.
#include "server/notifications.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "test/server/turn_fixture.h"

namespace roxdb::server::test {
namespace {

struct NotificationsFixture : TurnFixture {
  NotificationsFixture() {
    receive(listener, "PSUBSCRIBE __key*\r\n");
    turn.run();
    listener_wire.sent.clear();
  }
  ~NotificationsFixture() {
    set("notify-keyspace-events", "");
    BOOST_TEST(!engine.has_listeners());
  }

  std::string setting() {
    const std::string_view name[] = {"notify-keyspace-events"};
    return engine.settings.match(name).at(0).second;
  }
  // What the listener hears of it, as "channel message" each.
  std::string events(const std::string& line) {
    receive(client, line + "\r\n");
    turn.run();
    std::string text;
    std::string_view rest = listener_wire.sent;
    int field = 0;
    while (!rest.empty()) {
      const std::string_view word = rest.substr(0, rest.find("\r\n"));
      rest.remove_prefix(word.size() + 2);
      if (word[0] == '*') field = 0;
      if (word[0] == '*' || word[0] == '$') continue;
      if (++field > 2) text += (text.empty() ? "" : " ") + std::string(word);
    }
    listener_wire.sent.clear();
    wire.sent.clear();
    return text;
  }

  Wire& listener_wire = add_wire();
  Client& listener = connect(listener_wire);
  Wire& wire = add_wire();
  Client& client = connect(wire);
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(server_notifications, NotificationsFixture)

BOOST_AUTO_TEST_CASE(the_setting_is_shown_in_one_order) {
  const std::pair<const char*, const char*> kTexts[] = {
      {"KEA", "AKE"},         {"g$lshzxetd", "A"}, {"xKE", "xKE"}, {"KEmxg", "gxKEm"},
      {"nK", "nK"},           {"Az", "A"},         {"K", "K"},     {"", ""},
      {"KEAnmoc", "AnKEmoc"}, {"dKt", "tdK"},      {"A", "A"}};
  for (const auto& [given, shown] : kTexts) {
    set("notify-keyspace-events", given);
    BOOST_TEST(setting() == shown);
  }
  std::string why;
  const std::pair<std::string_view, std::string_view> wrong[] = {{"notify-keyspace-events", "KEq"}};
  BOOST_TEST(!engine.settings.set(wrong, true, why));
  BOOST_TEST(setting() == "A");
}

BOOST_AUTO_TEST_CASE(nothing_is_armed_that_nobody_asked_for) {
  for (const char* text : {"", "A", "g$x"}) {
    set("notify-keyspace-events", text);
    BOOST_TEST(!engine.has_listeners());
  }
  set("notify-keyspace-events", "KA");
  BOOST_TEST(engine.has_listeners());
}

BOOST_AUTO_TEST_CASE(an_event_is_told_by_key_and_by_name) {
  set("notify-keyspace-events", "KEA");
  BOOST_TEST(events("SET k v") == "__keyspace@0__:k set __keyevent@0__:set k");
  set("notify-keyspace-events", "KA");
  BOOST_TEST(events("SET k v") == "__keyspace@0__:k set");
  set("notify-keyspace-events", "EA");
  BOOST_TEST(events("SET k v") == "__keyevent@0__:set k");
  BOOST_TEST(events("GET k") == "");
}

BOOST_AUTO_TEST_CASE(only_the_classes_that_were_asked_for_are_told) {
  set("notify-keyspace-events", "Eg");
  BOOST_TEST(events("SET k v") == "");
  BOOST_TEST(events("DEL k") == "__keyevent@0__:del k");
  set("notify-keyspace-events", "E$");
  BOOST_TEST(events("SET k v EX 100") == "__keyevent@0__:set k");
  set("notify-keyspace-events", "EA");
  BOOST_TEST(events("SET k v EX 100") == "__keyevent@0__:set k __keyevent@0__:expire k");
}

BOOST_AUTO_TEST_CASE(new_keys_and_missing_ones_are_told_only_when_named) {
  set("notify-keyspace-events", "KEA");
  BOOST_TEST(events("GET k") == "");
  set("notify-keyspace-events", "Em");
  BOOST_TEST(events("GET k") == "__keyevent@0__:keymiss k");
  BOOST_TEST(events("TTL k") == "__keyevent@0__:keymiss k");
  set("notify-keyspace-events", "EnA");
  BOOST_TEST(events("SET k v") == "__keyevent@0__:new k __keyevent@0__:set k");
  BOOST_TEST(events("SET k w") == "__keyevent@0__:set k");
}

BOOST_AUTO_TEST_CASE(the_database_is_in_the_channel) {
  set("notify-keyspace-events", "EA");
  events("SELECT 3");
  BOOST_TEST(events("SET k v") == "__keyevent@3__:set k");
}

BOOST_AUTO_TEST_CASE(a_transaction_tells_in_order) {
  set("notify-keyspace-events", "EA");
  BOOST_TEST(events("MULTI\r\nSET a 1\r\nRPUSH l 1\r\nDEL a\r\nEXEC") ==
             "__keyevent@0__:set a __keyevent@0__:rpush l __keyevent@0__:del a");
}

BOOST_AUTO_TEST_CASE(what_expires_by_itself_is_told_in_the_same_turn) {
  set("notify-keyspace-events", "EA");
  events("SET k v PX 10");
  environment.advance_ms(1'000);
  engine.tick(1'000'000'000);
  BOOST_TEST(events("PING") == "__keyevent@0__:expired k");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::server::test
