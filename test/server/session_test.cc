#include "server/session.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "test/server/turn_fixture.h"

namespace roxdb::server::test {
namespace {

std::string bulk(const std::string& bytes) {
  return "$" + std::to_string(bytes.size()) + "\r\n" + bytes + "\r\n";
}

BOOST_FIXTURE_TEST_SUITE(server_session, TurnFixture)

BOOST_AUTO_TEST_CASE(replies_of_a_turn_go_out_in_one_write_per_client) {
  Wire& first_wire = add_wire();
  Wire& second_wire = add_wire();
  Client& first = connect(first_wire);
  Client& second = connect(second_wire);
  receive(first, request({"SET", "k", "1"}) + request({"GET", "k"}));
  receive(second, request({"INCR", "k"}));
  BOOST_TEST(first_wire.sends == 0);
  turn.run();
  BOOST_TEST(first_wire.sent == "+OK\r\n$1\r\n1\r\n");
  BOOST_TEST(second_wire.sent == ":2\r\n");
  BOOST_TEST(first_wire.sends == 1);
  BOOST_TEST(second_wire.sends == 1);
}

// Small requests are cut in the read buffer, the second value is big enough to be read in place,
// the third grows its buffer several times.
BOOST_AUTO_TEST_CASE(requests_are_the_same_wherever_reads_cut_them) {
  const std::string small(3'000, 's');
  const std::string middle(100'000, 'm');
  const std::string big(900'000, 'b');
  const std::string bytes = request({"SET", "s", small}) + "PING\r\n" +
                            request({"SET", "m", middle}) + request({"GET", "s"}) +
                            request({"SET", "b", big}) + request({"GET", "m"}) +
                            request({"STRLEN", "b"}) + "*0\r\n" + request({"GET", "b"});
  const std::string wanted = "+OK\r\n+PONG\r\n+OK\r\n" + bulk(small) + "+OK\r\n" + bulk(middle) +
                             ":900000\r\n" + bulk(big);
  for (const size_t piece : {7, 100, 1'000, 16'000, 17'000, 65'536, 100'000, 2'000'000}) {
    BOOST_TEST_CONTEXT("reads of " << piece << " bytes") {
      Wire& wire = add_wire();
      Client& client = connect(wire);
      receive(client, bytes, piece);
      turn.run();
      BOOST_TEST((wire.sent == wanted));
      BOOST_TEST(client.input.capacity() == 0u);
    }
  }
}

// Another client's reads lie between the pieces, in the same buffer.
BOOST_AUTO_TEST_CASE(a_request_cut_between_turns_is_put_together_again) {
  const std::string bytes = request({"SET", "key", "value"}) + request({"GET", "key"});
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    BOOST_TEST_CONTEXT("cut at byte " << cut) {
      Wire& wire = add_wire();
      Wire& other_wire = add_wire();
      Client& client = connect(wire);
      Client& other = connect(other_wire);
      receive(client, std::string_view(bytes).substr(0, cut));
      receive(other, request({"PING"}));
      turn.run();
      receive(other, request({"PING"}));
      receive(client, std::string_view(bytes).substr(cut));
      turn.run();
      BOOST_TEST(wire.sent == "+OK\r\n$5\r\nvalue\r\n");
      BOOST_TEST(other_wire.sent == "+PONG\r\n+PONG\r\n");
    }
  }
}

BOOST_AUTO_TEST_CASE(an_announced_argument_costs_no_memory_before_it_comes) {
  Wire& wire = add_wire();
  Client& client = connect(wire);
  receive(client, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\n");
  BOOST_TEST(turn.space_for(client).size() <= kAheadBytesMax);
  BOOST_TEST(client.input.capacity() <= 2 * kAheadBytesMax);
  receive(client, std::string(1'000'000, 'x'));
  BOOST_TEST(client.input.capacity() <= 2'500'000u);
}

BOOST_AUTO_TEST_CASE(an_idle_client_owns_no_buffer) {
  Wire& wire = add_wire();
  Client& client = connect(wire);
  receive(client, request({"SET", "k", std::string(300'000, 'x')}), 1'000);
  receive(client, request({"GET", "k"}));
  turn.run();
  BOOST_TEST(client.input.capacity() == 0u);
  BOOST_TEST(client.output.capacity() == 0u);
}

BOOST_AUTO_TEST_CASE(a_batch_larger_than_its_bounds_is_executed_in_parts_in_order) {
  Wire& wire = add_wire();
  Client& client = connect(wire);
  std::string bytes;
  std::string wanted;
  for (int i = 1; i <= 5'000; ++i) {
    bytes += request({"INCR", "counter"});
    wanted += ":" + std::to_string(i) + "\r\n";
  }
  receive(client, bytes);
  turn.run();
  BOOST_TEST((wire.sent == wanted));
}

BOOST_AUTO_TEST_CASE(a_protocol_error_is_answered_behind_the_replies_before_it) {
  Wire& wire = add_wire();
  Client& client = connect(wire);
  receive(client, request({"SET", "k", "1"}) + "*1\r\n+oops\r\n" + request({"DEL", "k"}));
  turn.run();
  BOOST_TEST(wire.sent == "+OK\r\n-ERR Protocol error: expected '$', got '+'\r\n");
  BOOST_TEST(!wire.is_open);
  BOOST_TEST(engine.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_client_that_leaves_is_answered_what_it_asked) {
  Wire& wire = add_wire();
  Client& client = connect(wire);
  receive(client, request({"SET", "k", "1"}) + request({"GET", "k"}) + "*1\r\n$4\r\nPI");
  turn.ended(client);
  turn.run();
  BOOST_TEST(wire.sent == "+OK\r\n$1\r\n1\r\n");
  BOOST_TEST(!wire.is_open);
}

BOOST_AUTO_TEST_CASE(quit_closes_behind_its_reply_and_runs_nothing_more) {
  Wire& wire = add_wire();
  Client& client = connect(wire);
  receive(client, request({"QUIT"}) + request({"SET", "k", "1"}));
  turn.run();
  BOOST_TEST(wire.sent == "+OK\r\n");
  BOOST_TEST(!wire.is_open);
  BOOST_TEST(engine.size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_browser_is_cut_off_before_anything_runs) {
  for (const std::string_view line : {"POST / HTTP/1.1\r\n", "Host: localhost:6379\r\n"}) {
    Wire& wire = add_wire();
    Client& client = connect(wire);
    receive(client, std::string(line) + "SET k 1\r\n");
    turn.run();
    BOOST_TEST(wire.sent == "");
    BOOST_TEST(!wire.is_open);
    BOOST_TEST(engine.size() == 0u);
  }
}

// ---- a client killed within the batch (reliability S7) ----

BOOST_AUTO_TEST_CASE(requests_of_a_client_killed_earlier_in_the_batch_do_not_run) {
  Wire& killer_wire = add_wire();
  Wire& victim_wire = add_wire();
  Client& killer = connect(killer_wire);
  Client& victim = connect(victim_wire);
  receive(killer, request({"CLIENT", "KILL", "ID", std::to_string(victim.id)}));
  receive(victim, request({"SET", "k", "1"}));
  turn.run();
  BOOST_TEST(killer_wire.sent == ":1\r\n");
  BOOST_TEST(victim_wire.sent == "");
  BOOST_TEST(!victim_wire.is_open);
  BOOST_TEST(engine.size() == 0u);
  BOOST_TEST(clients.size() == 1u);
}

BOOST_AUTO_TEST_CASE(replies_of_a_client_killed_later_in_the_batch_are_dropped) {
  Wire& killer_wire = add_wire();
  Wire& victim_wire = add_wire();
  Client& victim = connect(victim_wire);
  Client& killer = connect(killer_wire);
  receive(victim, request({"SET", "k", "1"}) + "*1\r\n$4\r\nPI");
  receive(killer, request({"CLIENT", "KILL", "ID", std::to_string(victim.id)}));
  turn.run();
  BOOST_TEST(!victim_wire.is_open);
  BOOST_TEST(victim_wire.sent == "");
  BOOST_TEST(engine.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_client_that_kills_itself_gets_its_answer_first) {
  Wire& wire = add_wire();
  Client& client = connect(wire);
  receive(client, request({"CLIENT", "KILL", "ID", std::to_string(client.id), "SKIPME", "no"}) +
                      request({"SET", "k", "1"}));
  turn.run();
  BOOST_TEST(wire.sent == ":1\r\n");
  BOOST_TEST(!wire.is_open);
  BOOST_TEST(engine.size() == 0u);
}

// The big request makes the batch run from within received(), with the killed client's read buffer
// still in use.
BOOST_AUTO_TEST_CASE(a_client_killed_by_a_batch_that_ran_early_is_not_touched_again) {
  Wire& killer_wire = add_wire();
  Wire& victim_wire = add_wire();
  Client& killer = connect(killer_wire);
  Client& victim = connect(victim_wire);
  receive(killer, request({"CLIENT", "KILL", "ID", std::to_string(victim.id)}));
  receive(victim, request({"SET", "k", std::string(200'000, 'x')}) + request({"PING"}));
  turn.run();
  BOOST_TEST(!victim_wire.is_open);
  BOOST_TEST(victim_wire.sent == "");
}

// ---- postponed clients ----

BOOST_AUTO_TEST_CASE(paused_requests_run_in_order_once_the_pause_is_over) {
  Wire& wire = add_wire();
  Wire& boss_wire = add_wire();
  Client& client = connect(wire);
  Client& boss = connect(boss_wire);
  receive(boss, request({"CLIENT", "PAUSE", "100000", "WRITE"}));
  receive(client, request({"GET", "k"}) + request({"APPEND", "k", "a"}) + request({"GET", "k"}));
  receive(client, request({"APPEND", "k", "b"}) + "*3\r\n$6\r\nAPP");
  turn.run();
  BOOST_TEST(wire.sent == "$-1\r\n");
  receive(client, "END\r\n$1\r\nk\r\n$1\r\nc\r\n" + request({"GET", "k"}));
  turn.run();
  BOOST_TEST(wire.sent == "$-1\r\n");
  BOOST_TEST(info("clients", "blocked_clients") == "1");
  receive(boss, request({"CLIENT", "UNPAUSE"}));
  turn.run();
  BOOST_TEST(wire.sent == "$-1\r\n:1\r\n$1\r\na\r\n:2\r\n:3\r\n$3\r\nabc\r\n");
  BOOST_TEST(client.input.capacity() == 0u);
}

// The client's later requests stand in the batch already when the pause ends within it.
BOOST_AUTO_TEST_CASE(a_pause_that_ends_within_the_batch_does_not_reorder_requests) {
  Wire& wire = add_wire();
  Wire& boss_wire = add_wire();
  Client& client = connect(wire);
  Client& boss = connect(boss_wire);
  receive(boss, request({"CLIENT", "PAUSE", "100000", "WRITE"}));
  receive(client, request({"APPEND", "k", "a"}));
  receive(boss, request({"CLIENT", "UNPAUSE"}));
  receive(client, request({"APPEND", "k", "b"}) + request({"GET", "k"}));
  turn.run();
  BOOST_TEST(wire.sent == ":1\r\n:2\r\n$2\r\nab\r\n");
}

BOOST_AUTO_TEST_CASE(a_pause_ends_by_itself) {
  Wire& wire = add_wire();
  Client& client = connect(wire);
  receive(client, request({"CLIENT", "PAUSE", "50"}) + request({"PING"}));
  turn.run();
  BOOST_TEST(wire.sent == "+OK\r\n");
  pause.tick(clients.now_ms + 49);
  turn.run();
  BOOST_TEST(wire.sent == "+OK\r\n");
  pause.tick(clients.now_ms + 50);
  turn.run();
  BOOST_TEST(wire.sent == "+OK\r\n+PONG\r\n");
}

BOOST_AUTO_TEST_CASE(a_paused_client_cannot_send_more_than_the_query_buffer_holds) {
  Wire& wire = add_wire();
  Client& client = connect(wire);
  set("client-query-buffer-limit", "1mb");
  receive(client, request({"CLIENT", "PAUSE", "100000"}));
  turn.run();
  for (int i = 0; i < 20 && !client.is_closed(); ++i) {
    receive(client, request({"SET", "k", std::string(100'000, 'x')}));
  }
  BOOST_TEST(client.is_closed());
  turn.run();
  BOOST_TEST(!wire.is_open);
  BOOST_TEST(clients.statistics.query_limit_disconnections == 1u);
}

// ---- CLIENT REPLY ----

BOOST_AUTO_TEST_CASE(replies_can_be_switched_off_on_and_for_one_command) {
  Wire& wire = add_wire();
  Client& client = connect(wire);
  receive(client, request({"CLIENT", "REPLY", "SKIP"}) + request({"SET", "k", "1"}) +
                      request({"GET", "k"}) + request({"CLIENT", "REPLY", "OFF"}) +
                      request({"GET", "k"}) + request({"NO-SUCH-COMMAND"}) +
                      request({"CLIENT", "REPLY", "SKIP"}) + request({"CLIENT", "REPLY", "ON"}) +
                      request({"PING"}));
  turn.run();
  BOOST_TEST(wire.sent == "$1\r\n1\r\n+OK\r\n+PONG\r\n");
}

// ---- limits ----

BOOST_AUTO_TEST_CASE(output_over_the_hard_limit_closes_the_client) {
  set("client-output-buffer-limit", "normal 1000 0 0");
  Wire& wire = add_wire();
  wire.takes_nothing = true;
  Client& client = connect(wire);
  receive(client, request({"ECHO", std::string(990, 'x')}));
  turn.run();
  BOOST_TEST(wire.is_open);
  receive(client, request({"PING"}));
  turn.run();
  BOOST_TEST(!wire.is_open);
  BOOST_TEST(clients.statistics.output_limit_disconnections == 1u);
}

BOOST_AUTO_TEST_CASE(output_over_the_soft_limit_may_last_its_seconds) {
  set("client-output-buffer-limit", "normal 0 100 5");
  Wire& wire = add_wire();
  wire.takes_nothing = true;
  Client& client = connect(wire);
  receive(client, request({"ECHO", std::string(200, 'x')}));
  turn.run();
  clients.now_ms += 5'000;
  clients.tick(clients.now_ms);
  BOOST_TEST(!client.is_closed());
  clients.now_ms += 1'001;
  clients.tick(clients.now_ms);
  BOOST_TEST(client.is_closed());
}

BOOST_AUTO_TEST_CASE(idle_clients_are_closed_after_the_timeout) {
  set("timeout", "10");
  Wire& idle_wire = add_wire();
  Wire& busy_wire = add_wire();
  connect(idle_wire);
  Client& busy = connect(busy_wire);
  for (int second = 0; second < 12; ++second) {
    clients.now_ms += 1'000;
    receive(busy, request({"PING"}));
    clients.tick(clients.now_ms);
    turn.run();
  }
  BOOST_TEST(!idle_wire.is_open);
  BOOST_TEST(busy_wire.is_open);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace roxdb::server::test
