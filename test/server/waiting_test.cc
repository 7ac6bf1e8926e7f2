// Clients that wait for keys: who is served when, and with what. Engine and server together.
#include "engine/waiting.h"

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "test/server/turn_fixture.h"

namespace roxdb::server::test {
namespace {

// One client on a wire of its own.
struct Peer {
  Wire& wire;
  Client& client;
};

struct WaitingFixture : TurnFixture {
  WaitingFixture() { engine.arm(&log, 0); }
  ~WaitingFixture() {
    engine.waiting.check();
    clients.for_each([this](Client& client) { clients.close(client); });
    BOOST_TEST(engine.waiting.sessions() == 0u);
    BOOST_TEST(engine.waiting.keys() == 0u);
  }

  server::test::Peer add() {
    Wire& wire = add_wire();
    return {wire, connect(wire, "127.0.0.1:" + std::to_string(40000 + wires.size()))};
  }
  // The peer sends a line; it does not run before the turn ends.
  void send(const server::test::Peer& peer, const std::string& line) {
    receive(peer.client, line + "\r\n");
  }
  // The same, and the turn ends.
  void run(const server::test::Peer& peer, const std::string& line) {
    send(peer, line);
    turn.run();
  }
  // What the peer was told since the last call, line ends as blanks.
  static std::string told(const server::test::Peer& peer) {
    std::string text = std::exchange(peer.wire.sent, {});
    for (size_t at; (at = text.find("\r\n")) != std::string::npos;) text.replace(at, 2, " ");
    if (!text.empty()) text.pop_back();
    return text;
  }
  void pass_ms(uint64_t ms) {
    environment.advance_ms(ms);
    engine.waiting.check_deadlines();
    turn.run();
  }

  UnitLog log;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(server_waiting, WaitingFixture)

BOOST_AUTO_TEST_CASE(a_pop_waits_for_a_push) {
  const auto worker = add();
  const auto pusher = add();
  run(worker, "BLPOP k 0");
  BOOST_TEST(told(worker) == "");
  run(pusher, "RPUSH k x");
  BOOST_TEST(told(worker) == "*2 $1 k $1 x");
  BOOST_TEST(told(pusher) == ":1");
  run(pusher, "EXISTS k");
  BOOST_TEST(told(pusher) == ":0");
}

// The pop is a unit of its own, behind the push and in the same turn: one write of the log covers
// both replies.
BOOST_AUTO_TEST_CASE(a_served_pop_is_logged_behind_the_push) {
  const auto worker = add();
  const auto pusher = add();
  run(worker, "BLMPOP 0 2 j k RIGHT COUNT 2");
  BOOST_TEST(log.units.empty());
  run(pusher, "RPUSH k 1 2 3");
  const std::vector<std::string> expected = {"RPUSH k 1 2 3", "RPOP k 2"};
  BOOST_TEST(log.units == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(who_came_first_is_served_first) {
  const auto pusher = add();
  std::vector<server::test::Peer> workers;
  for (int i = 0; i < 4; ++i) {
    workers.push_back(add());
    run(workers.back(), i % 2 == 0 ? "BLPOP k 0" : "BRPOP j k 0");
  }
  run(pusher, "RPUSH k 1 2 3");
  BOOST_TEST(told(workers[0]) == "*2 $1 k $1 1");
  BOOST_TEST(told(workers[1]) == "*2 $1 k $1 3");
  BOOST_TEST(told(workers[2]) == "*2 $1 k $1 2");
  BOOST_TEST(told(workers[3]) == "");
  run(pusher, "LPUSH k 4");
  BOOST_TEST(told(workers[3]) == "*2 $1 k $1 4");
}

BOOST_AUTO_TEST_CASE(the_first_key_that_came_to_hold_something_is_taken) {
  const auto worker = add();
  const auto pusher = add();
  run(worker, "BLPOP a b b 0");
  run(pusher, "RPUSH b 1");
  BOOST_TEST(told(worker) == "*2 $1 b $1 1");
  // Nothing waits any more for either.
  run(pusher, "RPUSH a 2");
  BOOST_TEST(told(worker) == "");
}

BOOST_AUTO_TEST_CASE(what_a_service_moves_wakes_the_next) {
  const auto mover = add();
  const auto second = add();
  const auto worker = add();
  const auto pusher = add();
  run(mover, "BLMOVE a b LEFT RIGHT 0");
  run(second, "BRPOPLPUSH b c 0");
  run(worker, "BLPOP c 0");
  run(pusher, "RPUSH a x");
  BOOST_TEST(told(mover) == "$1 x");
  BOOST_TEST(told(second) == "$1 x");
  BOOST_TEST(told(worker) == "*2 $1 c $1 x");
  const std::vector<std::string> expected = {"RPUSH a x", "LMOVE a b LEFT RIGHT", "RPOPLPUSH b c",
                                             "LPOP c"};
  BOOST_TEST(log.units == expected, boost::test_tools::per_element());
}

// Each gives the other what it has waited for; they must not do so for ever.
BOOST_AUTO_TEST_CASE(a_circle_of_moves_comes_to_rest) {
  const auto one = add();
  const auto other = add();
  const auto pusher = add();
  run(one, "BLMOVE a b LEFT LEFT 0");
  run(other, "BLMOVE b a LEFT LEFT 0");
  run(pusher, "RPUSH a x");
  BOOST_TEST(told(one) == "$1 x");
  BOOST_TEST(told(other) == "$1 x");
  run(pusher, "LRANGE a 0 -1");
  BOOST_TEST(told(pusher) == ":1 *1 $1 x");
}

BOOST_AUTO_TEST_CASE(the_time_to_wait_ends) {
  const auto worker = add();
  const auto mover = add();
  run(worker, "BLPOP k 0.05");
  run(mover, "BLMOVE a b LEFT LEFT 0.06");
  BOOST_TEST(engine.waiting.sessions_with_deadline() == 2u);
  pass_ms(49);
  BOOST_TEST(told(worker) == "");
  pass_ms(1);
  BOOST_TEST(told(worker) == "*-1");
  BOOST_TEST(told(mover) == "");
  pass_ms(100);
  BOOST_TEST(told(mover) == "*-1");
  BOOST_TEST(engine.waiting.next_deadline_ns() == UINT64_MAX);
}

// Whatever the key holds by then: the answer is that no list came.
BOOST_AUTO_TEST_CASE(a_key_of_another_type_is_waited_out) {
  const auto worker = add();
  const auto other = add();
  run(worker, "BLPOP k 1");
  run(other, "SET k v");
  BOOST_TEST(told(worker) == "");
  run(other, "DEL k");
  run(other, "RPUSH k x");
  BOOST_TEST(told(worker) == "*2 $1 k $1 x");
  run(worker, "BLPOP k 1");
  run(other, "SET k v");
  pass_ms(1000);
  BOOST_TEST(told(worker) == "*-1");
}

BOOST_AUTO_TEST_CASE(a_destination_of_another_type_is_told_when_the_move_is_due) {
  const auto mover = add();
  const auto other = add();
  run(other, "SET s v");
  run(mover, "BLMOVE a s LEFT LEFT 0");
  BOOST_TEST(told(mover) == "");
  run(other, "RPUSH a x");
  BOOST_TEST(told(mover) == "-WRONGTYPE Operation against a key holding the wrong kind of value");
  told(other);
  run(other, "LLEN a");
  BOOST_TEST(told(other) == ":1");
}

BOOST_AUTO_TEST_CASE(however_a_list_comes_to_be_it_is_noticed) {
  const auto worker = add();
  const auto other = add();
  run(other, "RPUSH src x");
  for (const char* const request : {"RENAME src k", "LMOVE src k LEFT LEFT"}) {
    BOOST_TEST_CONTEXT(request) {
      run(worker, "BLPOP k 0");
      run(other, request);
      BOOST_TEST(told(worker) == "*2 $1 k $1 x");
      run(other, "RPUSH src x");
    }
  }
  run(worker, "BLPOP k 0");
  run(other, "COPY src k");
  BOOST_TEST(told(worker) == "*2 $1 k $1 x");
  run(worker, "SELECT 1");
  run(worker, "BLPOP src 0");
  told(worker);
  run(other, "SWAPDB 0 1");
  BOOST_TEST(told(worker) == "*2 $3 src $1 x");
}

// One database that holds less than what is waited for, one that holds more, one that holds none.
BOOST_AUTO_TEST_CASE(whatever_a_change_of_databases_brings_is_noticed) {
  const auto worker = add();
  const auto other = add();
  for (const std::string fill : {"", "MSET 1 v 2 v 3 v 4 v 5 v"}) {
    run(other, "FLUSHALL");
    run(worker, "BLPOP a b c 0");
    run(other, "FLUSHALL");
    run(other, "SELECT 2");
    run(other, "SWAPDB 0 1");
    BOOST_TEST(told(worker) == "");
    if (!fill.empty()) run(other, fill);
    run(other, "RPUSH b x");
    run(other, "SET c text");
    BOOST_TEST(told(worker) == "");
    run(other, "SWAPDB 2 0");
    BOOST_TEST(told(worker) == "*2 $1 b $1 x");
  }
}

BOOST_AUTO_TEST_CASE(keys_that_are_waited_for_are_charged_to_who_waits) {
  const auto worker = add();
  std::string keys;
  for (int i = 1000; i < 2000; ++i) keys += fmt::format(" key:{}", i);
  BOOST_TEST(engine::Waiting::bytes(worker.client) == 0u);
  run(worker, "BLPOP" + keys + " 0");
  BOOST_TEST(engine.waiting.keys() == 1000u);
  const size_t bytes = engine::Waiting::bytes(worker.client);
  BOOST_TEST(bytes > 200'000u);
  BOOST_TEST(bytes < 400'000u);
}

BOOST_AUTO_TEST_CASE(databases_are_told_apart) {
  const auto worker = add();
  const auto other = add();
  run(worker, "SELECT 3");
  run(worker, "BLPOP k 0");
  told(worker);
  run(other, "RPUSH k x");
  BOOST_TEST(told(worker) == "");
  run(other, "MOVE k 3");
  BOOST_TEST(told(worker) == "*2 $1 k $1 x");
}

BOOST_AUTO_TEST_CASE(who_is_gone_is_not_served) {
  const auto closed = add();
  const auto killed = add();
  const auto ended = add();
  const auto last = add();
  const auto pusher = add();
  for (const auto* peer : {&closed, &killed, &ended, &last}) run(*peer, "BLPOP k 0");
  const std::string killed_id = std::to_string(killed.client.id);
  turn.lost(closed.client);
  turn.ended(ended.client);
  run(pusher, "CLIENT KILL ID " + killed_id);
  run(pusher, "RPUSH k x");
  BOOST_TEST(told(closed) == "");
  BOOST_TEST(told(killed) == "");
  BOOST_TEST(told(ended) == "");
  BOOST_TEST(told(last) == "*2 $1 k $1 x");
  BOOST_TEST(!ended.wire.is_open);
}

BOOST_AUTO_TEST_CASE(waiting_can_be_ended_by_others) {
  const auto worker = add();
  const auto other = add();
  const std::string id = std::to_string(worker.client.id);
  run(other, "CLIENT UNBLOCK " + id);
  BOOST_TEST(told(other) == ":0");
  run(worker, "BLPOP k 0");
  run(other, "CLIENT UNBLOCK " + id);
  BOOST_TEST(told(other) == ":1");
  BOOST_TEST(told(worker) == "*-1");
  run(worker, "BLMOVE a b LEFT LEFT 0");
  run(other, "CLIENT UNBLOCK " + id + " ERROR");
  BOOST_TEST(told(worker) == "-UNBLOCKED client unblocked via CLIENT UNBLOCK");
  run(other, "CLIENT UNBLOCK 12345 TIMEOUT");
  BOOST_TEST(told(other) == ":1 :0");
  run(worker, "PING");
  BOOST_TEST(told(worker) == "+PONG");
}

BOOST_AUTO_TEST_CASE(what_was_sent_behind_a_wait_comes_behind_it) {
  const auto worker = add();
  const auto pusher = add();
  run(worker, "BLPOP k 0\r\nPING\r\nBLPOP k 0\r\nECHO end");
  run(worker, "ECHO behind");
  BOOST_TEST(told(worker) == "");
  run(pusher, "RPUSH k x");
  BOOST_TEST(told(worker) == "*2 $1 k $1 x +PONG");
  run(pusher, "RPUSH k y");
  BOOST_TEST(told(worker) == "*2 $1 k $1 y $3 end $6 behind");
}

// Waiting begins and ends within one batch: later requests still keep their order.
BOOST_AUTO_TEST_CASE(a_wait_within_a_batch_keeps_the_order) {
  const auto worker = add();
  const auto pusher = add();
  send(worker, "BLPOP k 0\r\nECHO 1");
  send(pusher, "RPUSH k x");
  send(worker, "ECHO 2");
  turn.run();
  BOOST_TEST(told(worker) == "*2 $1 k $1 x $1 1 $1 2");
}

// A request that is cut in two where the waiting begins.
BOOST_AUTO_TEST_CASE(a_request_behind_a_wait_may_come_in_pieces) {
  const auto worker = add();
  const auto pusher = add();
  receive(worker.client, "BLPOP k 0\r\n*2\r\n$4\r\nEC");
  turn.run();
  receive(worker.client, "HO\r\n$2\r\nhi");
  turn.run();
  run(pusher, "RPUSH k x");
  BOOST_TEST(told(worker) == "*2 $1 k $1 x");
  receive(worker.client, "\r\n");
  turn.run();
  BOOST_TEST(told(worker) == "$2 hi");
}

BOOST_AUTO_TEST_CASE(who_needs_more_waits_on_in_its_place) {
  const auto greedy = add();
  const auto modest = add();
  const auto pusher = add();
  run(greedy, "BLMOVEM k l LEFT RIGHT 0 EXACTLY 3 OBO");
  run(pusher, "RPUSH k 1");
  run(modest, "BLMOVEM k m LEFT RIGHT 0 EXACTLY 2 OBO");
  BOOST_TEST(told(greedy) == "");
  BOOST_TEST(told(modest) == "");
  run(pusher, "RPUSH k 2 3 4");
  BOOST_TEST(told(greedy) == "*3 $1 1 $1 2 $1 3");
  BOOST_TEST(told(modest) == "");
  run(pusher, "RPUSH k 5");
  BOOST_TEST(told(modest) == "*2 $1 4 $1 5");
}

BOOST_AUTO_TEST_CASE(replies_nobody_wants_are_not_sent) {
  const auto worker = add();
  const auto pusher = add();
  run(worker, "CLIENT REPLY SKIP\r\nBLPOP k 0\r\nPING");
  run(pusher, "RPUSH k x");
  BOOST_TEST(told(worker) == "+PONG");
  run(worker, "CLIENT REPLY OFF\r\nBLPOP k 0");
  run(pusher, "RPUSH k x");
  BOOST_TEST(told(worker) == "");
  run(pusher, "EXISTS k");
  BOOST_TEST(told(pusher) == ":1 :1 :0");
}

BOOST_AUTO_TEST_CASE(a_pause_is_waited_out) {
  const auto worker = add();
  const auto pusher = add();
  const auto timed = add();
  run(worker, "BLPOP k 0");
  run(timed, "BLPOP other 0.5");
  run(pusher, "CLIENT PAUSE 1000 WRITE");
  run(pusher, "RPUSH k x");
  BOOST_TEST(told(worker) == "");
  pass_ms(500);
  BOOST_TEST(told(timed) == "*-1");
  clients.now_ms += 1001;
  pause.tick(clients.now_ms);
  turn.run();
  BOOST_TEST(told(worker) == "*2 $1 k $1 x");
}

BOOST_AUTO_TEST_CASE(waiting_is_shown) {
  const auto worker = add();
  const auto other = add();
  run(worker, "BLPOP k j 10");
  BOOST_TEST(worker.client.flag_letters() == "b");
  run(other, "INFO clients");
  const std::string info = told(other);
  for (const char* const line :
       {"blocked_clients:1 ", "clients_in_timeout_table:1 ", "total_blocking_keys:2 "}) {
    BOOST_TEST(info.find(line) != std::string::npos, line);
  }
  run(other, "RPUSH j x");
  BOOST_TEST(worker.client.flag_letters() == "N");
  told(other);
  run(other, "INFO clients");
  BOOST_TEST(told(other).find("blocked_clients:0 ") != std::string::npos);
}

// A thousand workers on one queue: each element goes to one, in order.
BOOST_AUTO_TEST_CASE(many_can_wait_for_one_key) {
  std::vector<server::test::Peer> workers;
  for (int i = 0; i < 1000; ++i) {
    workers.push_back(add());
    run(workers.back(), "BLPOP k 0");
  }
  const auto pusher = add();
  for (int i = 0; i < 1000; ++i) {
    run(pusher, "RPUSH k " + std::to_string(1000 + i));
    BOOST_TEST_REQUIRE(told(workers[static_cast<size_t>(i)]) ==
                       "*2 $1 k $4 " + std::to_string(1000 + i));
  }
}

// ---- waiting for others to have what was written ----

// There is nobody who could.
BOOST_AUTO_TEST_CASE(wait_ends_with_its_time) {
  const auto client = add();
  run(client, "WAIT 0 0");
  BOOST_TEST(told(client) == ":0");
  run(client, "WAIT 1 50");
  BOOST_TEST(told(client) == "");
  pass_ms(49);
  BOOST_TEST(told(client) == "");
  pass_ms(2);
  BOOST_TEST(told(client) == ":0");
  run(client, "MULTI");
  run(client, "WAIT 1 0");
  run(client, "EXEC");
  BOOST_TEST(told(client) == "+OK +QUEUED *1 :0");
}

BOOST_AUTO_TEST_CASE(without_a_log_nothing_is_on_the_disk) {
  const auto client = add();
  run(client, "WAITAOF 1 0 0");
  BOOST_TEST(told(client) ==
             "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
  run(client, "WAITAOF 0 1 20");
  BOOST_TEST(told(client) == "");
  pass_ms(10);
  BOOST_TEST(told(client) == "");
  pass_ms(11);
  BOOST_TEST(told(client) == "*2 :0 :0");
}

// A command that an operator ends has run and failed.
BOOST_AUTO_TEST_CASE(a_wait_that_ends_with_an_error_is_counted) {
  const auto worker = add();
  const auto other = add();
  run(worker, "BLPOP k 0");
  run(other, fmt::format("CLIENT UNBLOCK {} ERROR", worker.client.id));
  BOOST_TEST(told(worker) == "-UNBLOCKED client unblocked via CLIENT UNBLOCK");
  const std::string_view name[] = {"BLPOP"};
  const engine::Command& command = *engine.commands().find(name);
  BOOST_TEST(command.calls == 1u);
  BOOST_TEST(command.failed == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::server::test
