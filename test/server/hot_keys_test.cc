// HOTKEYS: what is asked for, what is refused, and that the keys that cost most are found.
#include "server/hot_keys.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "test/server/turn_fixture.h"

namespace roxdb::server::test {
namespace {

struct HotKeysFixture : TurnFixture {
  ~HotKeysFixture() {
    clients.for_each([this](Client& one) { clients.close(one); });
  }
  // What the client is told to a line, line ends as blanks.
  std::string run(const std::string& line) {
    receive(client, line + "\r\n");
    turn.run();
    std::string text = std::exchange(wire.sent, {});
    for (size_t at; (at = text.find("\r\n")) != std::string::npos;) text.replace(at, 2, " ");
    return text;
  }

  Wire& wire = add_wire();
  Client& client = connect(wire);
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(server_hot_keys, HotKeysFixture)

BOOST_AUTO_TEST_CASE(a_search_begins_ends_and_is_forgotten) {
  BOOST_TEST(run("HOTKEYS GET") == "*-1 ");
  BOOST_TEST(run("HOTKEYS STOP") == "$-1 ");
  BOOST_TEST(run("HOTKEYS START METRICS 2 CPU NET") == "+OK ");
  BOOST_TEST(run("HOTKEYS START METRICS 1 CPU") ==
             "-ERR hotkey tracking session already in progress ");
  BOOST_TEST(run("HOTKEYS RESET") ==
             "-ERR hotkey tracking session in progress, stop tracking first ");
  run("SET key value");
  BOOST_TEST(run("HOTKEYS STOP") == "+OK ");
  const std::string text = run("HOTKEYS GET");
  BOOST_TEST(text.starts_with("*1 *24 $15 tracking-active :0 $12 sample-ratio :1 "), text);
  BOOST_TEST(text.find("$14 by-cpu-time-us *2 $3 key :") != std::string::npos, text);
  // SET, key and value, and +OK with its line end.
  BOOST_TEST(text.find("$12 by-net-bytes *2 $3 key :16 ") != std::string::npos, text);
  run("SET key value");
  BOOST_TEST(run("HOTKEYS GET") == text);
  BOOST_TEST(run("HOTKEYS RESET") == "+OK ");
  BOOST_TEST(run("HOTKEYS GET") == "*-1 ");
}

BOOST_AUTO_TEST_CASE(wrong_requests_are_named) {
  const std::pair<const char*, const char*> wrong[] = {
      {"HOTKEYS START", "METRICS parameter is required"},
      {"HOTKEYS START METRICS 0", "METRICS count"},
      {"HOTKEYS START METRICS x CPU", "METRICS count"},
      {"HOTKEYS START METRICS 2 CPU", "METRICS count does not match number of metric types"},
      {"HOTKEYS START METRICS 9223372036854775807 CPU", "METRICS count does not match"},
      {"HOTKEYS START METRICS 1 CPU NET", "syntax error"},
      {"HOTKEYS START METRICS 2 GPU NYET", "METRICS no valid metrics"},
      {"HOTKEYS START METRICS 2 NET NET", "METRICS NET"},
      {"HOTKEYS START METRICS 1 CPU COUNT 0", "COUNT must be between 1 and 64"},
      {"HOTKEYS START METRICS 1 CPU COUNT 65", "COUNT must be between 1 and 64"},
      {"HOTKEYS START METRICS 1 CPU SAMPLE 0", "SAMPLE ratio must be positive"},
      {"HOTKEYS START METRICS 1 CPU DURATION -1", "DURATION must be non-negative"},
      {"HOTKEYS START METRICS 1 CPU SLOTS 1 0", "cannot be used in non-cluster mode"},
      {"HOTKEYS START METRICS 1 CPU COUNT", "syntax error"}};
  for (const auto& [line, text] : wrong) {
    const std::string reply = run(line);
    BOOST_TEST(reply.starts_with("-ERR "), reply);
    BOOST_TEST(reply.find(text) != std::string::npos, reply);
  }
  BOOST_TEST(run("HOTKEYS GET") == "*-1 ");
}

BOOST_AUTO_TEST_CASE(a_search_ends_when_its_time_is_up) {
  run("HOTKEYS START METRICS 1 NET DURATION 1");
  run("SET a 1");
  environment.advance_ms(2000);
  run("SET b 1");
  const std::string text = run("HOTKEYS GET");
  BOOST_TEST(text.find("tracking-active :0 ") != std::string::npos, text);
  BOOST_TEST(text.find("collection-duration-ms :1000 ") != std::string::npos, text);
  BOOST_TEST(text.find("$1 a ") != std::string::npos, text);
  BOOST_TEST(text.find("$1 b ") == std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(commands_of_a_transaction_count) {
  run("HOTKEYS START METRICS 1 NET");
  run("MULTI");
  run("SET a 1");
  run("SET b 1");
  run("SET a 2");
  BOOST_TEST(run("HOTKEYS GET") == "+QUEUED ");
  run("EXEC");
  // Each is three arguments, five bytes, and +OK.
  BOOST_TEST(run("HOTKEYS GET").find("by-net-bytes *4 $1 a :20 $1 b :10 ") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_keys_that_cost_most_are_found_among_many) {
  TopKeys keys(engine.secret(), 10);
  for (uint64_t i = 0; i < 200'000; ++i) {
    keys.add("cold" + std::to_string(i), 1);
    if (i % 10 == 0) keys.add("hot" + std::to_string(i / 10 % 10), 3);
  }
  const auto highest = keys.highest();
  BOOST_TEST_REQUIRE(highest.size() == 10u);
  for (const auto& [key, sum] : highest) {
    BOOST_TEST(key.starts_with("hot"), key);
    BOOST_TEST(sum == 6000u);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::server::test
