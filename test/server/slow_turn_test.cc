// What a turn says of slow and of large requests: where they stood in the batch, how long replies
// waited for the disk, how many bytes they had.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "engine/large_commands.h"
#include "engine/slow_turns.h"
#include "persist/persistence.h"
#include "test/persist/simulated_server.h"
#include "test/server/turn_fixture.h"

namespace roxdb::server {
namespace {

using engine::Cause;

constexpr uint64_t kMs = 1'000'000;

struct Listener final : engine::SlowTurns, engine::LargeCommands {
  void on_slow_turn(const engine::SlowTurn& turn) override { turns.push_back(turn); }
  void on_log_sync(uint64_t serial, uint64_t waited_ns) override {
    syncs.emplace_back(serial, waited_ns);
  }
  void on_stall(Cause, uint64_t) override {}
  void on_large_request(const engine::Session&, const engine::Command& command, engine::Args,
                        uint64_t bytes) override {
    large += "request " + command.full_name + " " + std::to_string(bytes) + "; ";
  }
  void on_large_reply(const engine::Session&, const engine::Command& command, engine::Args,
                      uint64_t bytes) override {
    large += "reply " + command.full_name + " " + std::to_string(bytes) + "; ";
  }

  std::vector<engine::SlowTurn> turns;
  std::vector<std::pair<uint64_t, uint64_t>> syncs;  // serial, ns
  std::string large;
};

struct Fixture : test::TwoClients {
  Fixture() {
    engine.services.provide<engine::SlowTurns>(&listener);
    engine.services.provide<engine::LargeCommands>(&listener);
    engine.observe(this, 0, [this](const engine::Execution& one) {
      slow.emplace_back(one.command.full_name, one.why);
    });
  }
  ~Fixture() { engine.stop_observing(this); }

  Listener listener;
  std::vector<std::pair<std::string, engine::Breakdown>> slow;
};

// A server whose log is synced before it answers, when the test says so.
struct AlwaysFixture {
  AlwaysFixture() {
    const std::pair<std::string_view, std::string> settings[] = {{"dir", "data"},
                                                                 {"save", ""},
                                                                 {"snapshot-threads", "0"},
                                                                 {"appendonly", "yes"},
                                                                 {"appendfsync", "always"}};
    std::string why;
    for (const auto& [name, value] : settings) {
      BOOST_TEST_REQUIRE(engine.settings.load(name, {&value, 1}, why), why);
    }
    BOOST_TEST_REQUIRE(engine.settings.finish_loading(why), why);
    BOOST_TEST_REQUIRE(environment.make_directory("data").ok());
    int exit_code = 0;
    BOOST_TEST_REQUIRE(persistence.load({}, exit_code).ok());
    persistence.on_release = [this] { turn.send_released(); };
    engine.services.provide<engine::SlowTurns>(&listener);
  }
  ~AlwaysFixture() {
    engine.stop_observing(this);
    while (!executor.idle()) executor.step();
  }

  void send(std::string_view line) {
    const std::span<char> space = turn.space_for(client);
    std::memcpy(space.data(), line.data(), line.size());
    turn.received(client, line.size());
    turn.run();
  }

  Listener listener;
  test::Wire wire;
  CrashingEnvironment environment{7};
  persist::test::SteppedExecutor executor;
  engine::Engine engine{{.environment = &environment,
                         .executor = &executor,
                         .log = nullptr,
                         .databases = kDatabases,
                         .hash_seed = 1,
                         .families = {}}};
  persist::Persistence persistence{engine};
  Clients clients{engine};
  Turn turn{engine, clients, &persistence};
  Client& client =
      clients.add(std::make_unique<test::WireLink>(wire), {.address = "127.0.0.1:40000",
                                                           .local_address = "127.0.0.1:6379",
                                                           .is_local = true,
                                                           .is_unix_socket = false});
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(server_slow_turn, Fixture)

BOOST_AUTO_TEST_CASE(requests_know_how_many_stood_before_them) {
  receive(client_a, "PING\r\nSET a 1\r\n");
  receive(client_b, "GET a\r\n");
  turn.run();
  BOOST_TEST_REQUIRE(slow.size() == 3u);
  BOOST_TEST(slow[0].second[Cause::kWaiting].count == 0u);
  BOOST_TEST(slow[2].first == "get");
  BOOST_TEST(slow[2].second[Cause::kWaiting].count == 2u);
  BOOST_TEST_REQUIRE(listener.turns.size() == 1u);
  BOOST_TEST(listener.turns[0].requests == 3u);
  BOOST_TEST(listener.turns[0].why[Cause::kWaiting].count == 2u);
}

BOOST_AUTO_TEST_CASE(each_turn_has_a_serial_of_its_own) {
  a("PING");
  b("PING");
  BOOST_TEST_REQUIRE(listener.turns.size() == 2u);
  BOOST_TEST(listener.turns[0].serial + 1 == listener.turns[1].serial);
}

// The commands inside are parts of the one that was sent, which alone stood in the batch.
BOOST_AUTO_TEST_CASE(a_transaction_knows_what_its_commands_did) {
  a("SET k 1 PX 5");
  environment.advance_ms(10);
  a("MULTI");
  a("GET k");
  slow.clear();
  receive(client_b, "PING\r\n");
  receive(client_a, "EXEC\r\n");
  turn.run();
  BOOST_TEST_REQUIRE(slow.size() == 3u);
  BOOST_TEST(slow[1].first == "get");
  BOOST_TEST(slow[1].second[Cause::kExpiry].count == 1u);
  BOOST_TEST(slow[1].second[Cause::kWaiting].count == 0u);
  BOOST_TEST(slow[2].first == "exec");
  BOOST_TEST(slow[2].second[Cause::kExpiry].count == 1u);
  BOOST_TEST(slow[2].second[Cause::kWaiting].count == 1u);
}

BOOST_AUTO_TEST_CASE(large_requests_are_told_with_their_bytes) {
  engine.large_request_bytes = 30;
  const std::string set = test::request({"SET", "key", std::string(40, 'x')});
  receive(client_a, "PING\r\n" + set + "GET key\r\n" + set);
  turn.run();
  const std::string size = std::to_string(set.size());
  BOOST_TEST(listener.large == "request set " + size + "; request set " + size + "; ");
  listener.large.clear();
  a("GET key");
  BOOST_TEST(listener.large.empty());
  engine.large_request_bytes = 0;
  a("PING");
  BOOST_TEST(listener.large == "request ping 6; ");
}

BOOST_AUTO_TEST_CASE(large_replies_are_told_with_their_bytes) {
  a("SET small x");
  a("SET large " + std::string(100, 'x'));
  const std::string huge(200'000, 'x');  // sent from where it lies
  receive(client_a, test::request({"SET", "huge", huge}));
  turn.run();
  engine.large_reply_bytes = 50;
  receive(client_a, "GET small\r\nGET large\r\nGET huge\r\nGET small\r\n");
  turn.run();
  BOOST_TEST(listener.large ==
             "reply get 108; reply get " +
                 std::to_string(huge.size() + std::string("$200000\r\n\r\n").size()) + "; ");
  listener.large.clear();
  a("CLIENT REPLY SKIP");
  a("GET large");  // nobody is told
  a("NOSUCH " + std::string(100, 'x'));
  a("GET");
  BOOST_TEST(listener.large.empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(server_slow_turn_always, AlwaysFixture)

BOOST_AUTO_TEST_CASE(how_long_replies_waited_for_the_disk_is_told) {
  engine.observe(this, 20 * kMs, [](const engine::Execution&) {});
  send("SET a 1\r\n");
  BOOST_TEST(wire.sent.empty());
  environment.advance_ms(30);
  executor.step();
  BOOST_TEST(wire.sent == "+OK\r\n");
  BOOST_TEST_REQUIRE(listener.syncs.size() == 1u);
  BOOST_TEST(listener.syncs[0].second == 30 * kMs);
  BOOST_TEST(listener.syncs[0].first != 0u);
}

BOOST_AUTO_TEST_CASE(a_short_wait_is_not_told) {
  engine.observe(this, 20 * kMs, [](const engine::Execution&) {});
  send("SET a 1\r\n");
  environment.advance_ms(10);
  executor.step();
  BOOST_TEST(wire.sent == "+OK\r\n");
  BOOST_TEST(listener.syncs.empty());
}

// Each of them waited since its own turn.
BOOST_AUTO_TEST_CASE(turns_that_one_sync_releases_are_told_one_by_one) {
  engine.observe(this, 20 * kMs, [](const engine::Execution&) {});
  send("SET a 1\r\n");
  environment.advance_ms(30);
  send("SET b 1\r\n");
  environment.advance_ms(25);
  send("SET c 1\r\n");
  executor.step();
  environment.advance_ms(25);
  while (!executor.idle()) executor.step();
  BOOST_TEST(wire.sent == "+OK\r\n+OK\r\n+OK\r\n");
  BOOST_TEST_REQUIRE(listener.syncs.size() == 3u);
  BOOST_TEST(listener.syncs[0].second == 55 * kMs);
  BOOST_TEST(listener.syncs[1].second == 50 * kMs);
  BOOST_TEST(listener.syncs[2].second == 25 * kMs);
  BOOST_TEST(listener.syncs[0].first + 1 == listener.syncs[1].first);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::server
