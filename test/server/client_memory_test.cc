// maxmemory-clients: who is closed when all clients together take too much.
#include "server/client_memory.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "base/random.h"
#include "engine/memory_gate.h"
#include "test/server/turn_fixture.h"

namespace roxdb::server::test {
namespace {

struct ClientMemoryFixture : TurnFixture {
  ClientMemoryFixture() { engine.services.provide(&gate); }
  ~ClientMemoryFixture() {
    clients.for_each([this](Client& client) { clients.close(client); });
    clients.sweep();
  }

  // Sends the first part of an argument, so that the client takes at least so much.
  void hold(Client& client, size_t bytes) {
    receive(client, "*2\r\n$3\r\nGET\r\n$" + std::to_string(bytes + 1) + "\r\n");
    receive(client, std::string(bytes, 'x'));
    turn.run();
  }
  size_t sum() {
    size_t bytes = 0;
    clients.for_each([&](const Client& client) { bytes += client.memory_bytes(); });
    return bytes;
  }
  void limit(size_t bytes) {
    set("maxmemory-clients", std::to_string(bytes));
    turn.run();
  }
  std::string evicted() { return info("stats", "evicted_clients"); }

  engine::MemoryGate gate{engine, 100};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(server_client_memory, ClientMemoryFixture)

BOOST_AUTO_TEST_CASE(who_takes_most_goes_first_and_nobody_goes_without_need) {
  Wire& small_wire = add_wire();
  Wire& middle_wire = add_wire();
  Wire& big_wire = add_wire();
  Client& big = connect(big_wire);
  Client& small = connect(small_wire);
  Client& middle = connect(middle_wire);
  limit(8u << 20);
  hold(small, 40'000);
  hold(middle, 300'000);
  hold(big, 1'000'000);
  BOOST_TEST(evicted() == "0");
  limit(sum());
  BOOST_TEST(evicted() == "0");
  const size_t others = small.memory_bytes() + middle.memory_bytes();
  limit(sum() - 1);
  BOOST_TEST(!big_wire.is_open);
  BOOST_TEST(middle_wire.is_open);
  BOOST_TEST(sum() == others);
  limit(others - 1);
  BOOST_TEST(!middle_wire.is_open);
  BOOST_TEST(small_wire.is_open);
  BOOST_TEST(evicted() == "2");
}

BOOST_AUTO_TEST_CASE(what_grows_is_seen_in_the_turn_in_which_it_grows) {
  limit(1u << 20);
  Wire& wire = add_wire();
  Wire& other_wire = add_wire();
  Client& other = connect(other_wire);
  hold(connect(wire), 2'000'000);
  BOOST_TEST(!wire.is_open);
  // What is told to somebody who does not read, and what waits for EXEC.
  other_wire.takes_nothing = true;
  const std::string value(400'000, 'x');
  receive(other, request({"SET", "k", value}));
  for (int i = 0; i < 3; ++i) receive(other, request({"GET", "k"}));
  turn.run();
  BOOST_TEST(!other_wire.is_open);
  Wire& third_wire = add_wire();
  Client& third = connect(third_wire);
  receive(third, request({"MULTI"}));
  for (int i = 0; i < 3 && third_wire.is_open; ++i) {
    receive(third, request({"SET", "k", value}));
    turn.run();
  }
  BOOST_TEST(!third_wire.is_open);
  BOOST_TEST(evicted() == "3");
}

BOOST_AUTO_TEST_CASE(a_request_that_takes_too_much_is_not_run) {
  Wire& wire = add_wire();
  Client& client = connect(wire);
  limit(1u << 20);
  receive(client, request({"SET", "k", std::string(2'000'000, 'x')}));
  BOOST_TEST(client.is_closed());
  turn.run();
  Wire& other_wire = add_wire();
  BOOST_TEST(run(connect(other_wire), other_wire, "EXISTS k") == ":0 ");
}

// Otherwise a client that has read all it was told would go for what it took once.
BOOST_AUTO_TEST_CASE(what_a_client_has_read_meanwhile_does_not_count) {
  Wire& reader_wire = add_wire();
  Wire& sender_wire = add_wire();
  Client& reader = connect(reader_wire);
  Client& sender = connect(sender_wire);
  receive(sender, request({"SETRANGE", "k", "4500000", "x"}));
  turn.run();
  limit(6u << 20);
  reader_wire.takes_nothing = true;
  receive(reader, request({"GET", "k"}));
  turn.run();
  BOOST_TEST(reader.counted_bytes > 4'500'000u);
  reader_wire.unsent = 0;  // and nobody has said so
  hold(sender, 1'600'000);
  BOOST_TEST(reader_wire.is_open);
  BOOST_TEST(sender_wire.is_open);
  BOOST_TEST(reader.counted_bytes < 100'000u);
  reader_wire.unsent = 50'000;
  turn.sent_some(reader);
  BOOST_TEST(reader.counted_bytes > 50'000u);
}

BOOST_AUTO_TEST_CASE(who_asked_for_it_is_spared_and_counts_all_the_same) {
  Wire& spared_wire = add_wire();
  Wire& other_wire = add_wire();
  Client& spared = connect(spared_wire);
  Client& other = connect(other_wire);
  limit(500'000);
  run(spared, spared_wire, "CLIENT NO-EVICT ON");
  receive(spared,
          request({"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", std::string(1'000'000, 'x')}));
  run(other, other_wire, "PING");
  BOOST_TEST(spared_wire.is_open);
  BOOST_TEST(!other_wire.is_open);
  BOOST_TEST(evicted() == "1");
  receive(spared, request({"CLIENT", "NO-EVICT", "OFF"}));
  turn.run();
  BOOST_TEST(!spared_wire.is_open);
}

BOOST_AUTO_TEST_CASE(the_limit_may_be_a_part_of_maxmemory) {
  set("maxmemory-clients", "5%");
  BOOST_TEST(engine.settings.find("maxmemory-clients")->get() == "5%");
  Wire& wire = add_wire();
  Client& client = connect(wire);
  hold(client, 900'000);
  BOOST_TEST(wire.is_open);  // a part of nothing
  set("maxmemory", "100mb");
  turn.run();
  BOOST_TEST(wire.is_open);
  set("maxmemory", "10mb");
  turn.run();
  BOOST_TEST(!wire.is_open);
  const auto refusal = [this](std::string_view value) {
    std::string why;
    const std::pair<std::string_view, std::string_view> pair[] = {{"maxmemory-clients", value}};
    BOOST_TEST(!engine.settings.set(pair, false, why));
    return why.substr(why.find(" - ") + 3);
  };
  for (const std::string_view value : {"-1", "-1%", "%", "many", "", "1 2"}) {
    BOOST_TEST_CONTEXT(value) {
      BOOST_TEST(refusal(value) == "argument must be a memory or percent value");
    }
  }
  BOOST_TEST(refusal("101%") == "percentage argument must be less or equal to 100");
}

BOOST_AUTO_TEST_CASE(nothing_is_counted_and_nobody_goes_while_there_is_no_limit) {
  limit(1u << 20);
  limit(0);
  Wire& wire = add_wire();
  Client& client = connect(wire);
  hold(client, 3'000'000);
  BOOST_TEST(wire.is_open);
  BOOST_TEST(client.counted_bytes == 0u);
  limit(1);
  BOOST_TEST(!wire.is_open);
}

// Random loads beside a plain sum, in an engine whose clients are counted by nobody else.
BOOST_AUTO_TEST_CASE(classes_hold_everybody_who_may_go) {
  engine::Engine other{{.environment = &environment,
                        .executor = nullptr,
                        .log = nullptr,
                        .databases = 1,
                        .hash_seed = 1,
                        .families = {}}};
  ClientMemory memory(other, [] {});
  Random random(7);
  std::vector<Client*> some;
  for (int i = 0; i < 20; ++i) some.push_back(&connect(add_wire()));
  for (int step = 0; step < 5'000; ++step) {
    const size_t which = random.below(some.size());
    Client& client = *some[which];
    wires[which].unsent = random.below(2) << random.below(40);
    client.no_evict = random.below(8) == 0;
    if (random.below(10) == 0) {
      memory.forget(client);
    } else {
      memory.count(client);
    }
    memory.check();
    size_t sum = 0;
    for (const Client* one : some) sum += one->counted_bytes;
    BOOST_TEST_REQUIRE(memory.sum() == sum);
  }
  for (Client* client : some) memory.forget(*client);
  BOOST_TEST(memory.sum() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::server::test
