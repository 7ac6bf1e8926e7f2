// MULTI, EXEC and WATCH: what is queued, what runs as one unit, and what keeps it from running.
#include "server/transaction.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "engine/memory_gate.h"
#include "test/server/turn_fixture.h"

namespace roxdb::server::test {
namespace {

struct TransactionFixture : TwoClients {
  TransactionFixture() { engine.arm(&log, kLogSink); }
  ~TransactionFixture() {
    clients.for_each([this](Client& client) { clients.close(client); });
    engine.disarm(&log);
    // Nobody watches or queues any more: nothing is left armed.
    BOOST_TEST(!engine.has_listeners());
    BOOST_TEST(info("watching_clients") == "0");
    BOOST_TEST(info("total_watched_keys") == "0");
  }

  std::string info(const std::string& field) { return TurnFixture::info("clients", field); }

  UnitLog log;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(server_transaction, TransactionFixture)

BOOST_AUTO_TEST_CASE(what_is_queued_runs_at_exec_as_one_unit) {
  BOOST_TEST(a("MULTI") == "+OK ");
  BOOST_TEST(a("SET k 1") == "+QUEUED ");
  BOOST_TEST(a("INCR k") == "+QUEUED ");
  BOOST_TEST(a("GET k") == "+QUEUED ");
  BOOST_TEST(b("GET k") == "$-1 ");
  BOOST_TEST(client_a.describe(clients.now_ms).find(" multi=3 ") != std::string::npos);
  BOOST_TEST(client_a.flag_letters() == "x");
  BOOST_TEST(log.units.empty());
  BOOST_TEST(a("EXEC") == "*3 +OK :2 $1 2 ");
  BOOST_TEST(log.units == std::vector<std::string>{"SET k 1, INCR k"});
  BOOST_TEST(client_a.describe(clients.now_ms).find(" multi=-1 ") != std::string::npos);
  BOOST_TEST(a("GET k") == "$1 2 ");
}

BOOST_AUTO_TEST_CASE(a_pipeline_may_hold_several_transactions) {
  BOOST_TEST(a("MULTI\r\nSET a 1\r\nEXEC\r\nMULTI\r\nGET a\r\nEXEC\r\nGET a") ==
             "+OK +QUEUED *1 +OK +OK +QUEUED *1 $1 1 $1 1 ");
}

BOOST_AUTO_TEST_CASE(an_error_of_one_command_does_not_stop_the_others) {
  a("SET s text");
  log.units.clear();
  a("MULTI");
  a("INCR s");
  a("SET t 1");
  BOOST_TEST(a("EXEC") == "*2 -ERR value is not an integer or out of range +OK ");
  BOOST_TEST(log.units == std::vector<std::string>{"SET t 1"});
}

BOOST_AUTO_TEST_CASE(what_cannot_be_queued_makes_exec_fail) {
  for (const char* wrong : {"NOSUCH", "SET", "CLIENT NOSUCH"}) {
    a("MULTI");
    a("SET k 1");
    BOOST_TEST(a(wrong).starts_with("-ERR "));
    BOOST_TEST(a("SET k 2") == "+QUEUED ");
    BOOST_TEST(a("EXEC") == "-EXECABORT Transaction discarded because of previous errors. ");
    BOOST_TEST(a("GET k") == "$-1 ");
  }
}

BOOST_AUTO_TEST_CASE(a_refused_exec_ends_the_transaction) {
  a("MULTI");
  a("SET k 1");
  BOOST_TEST(a("EXEC now") ==
             "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' "
             "command ");
  BOOST_TEST(a("GET k") == "$-1 ");
  BOOST_TEST(a("EXEC") == "-ERR EXEC without MULTI ");
}

BOOST_AUTO_TEST_CASE(nesting_is_refused_and_harmless) {
  a("MULTI");
  BOOST_TEST(a("MULTI") == "-ERR MULTI calls can not be nested ");
  BOOST_TEST(a("WATCH k") == "-ERR WATCH inside MULTI is not allowed ");
  BOOST_TEST(a("EXEC") == "*0 ");
}

BOOST_AUTO_TEST_CASE(discard_forgets_everything) {
  BOOST_TEST(a("DISCARD") == "-ERR DISCARD without MULTI ");
  a("WATCH k");
  a("MULTI");
  a("SET k 1");
  BOOST_TEST(a("DISCARD") == "+OK ");
  BOOST_TEST(info("watching_clients") == "0");
  BOOST_TEST(a("GET k") == "$-1 ");
}

BOOST_AUTO_TEST_CASE(a_watched_key_that_changes_stops_the_transaction) {
  for (const char* change : {"SET k 2", "DEL k", "EXPIRE k 100", "RENAME k other", "COPY other k",
                             "FLUSHALL", "FLUSHDB", "SWAPDB 0 1", "GETDEL k", "SETRANGE k 0 z"}) {
    a("FLUSHALL");
    a("SET k 1");
    a("SET other 1");
    a("WATCH k");
    BOOST_TEST(info("watching_clients") == "1");
    b(change);
    a("MULTI");
    a("GET other");
    const bool changed = std::string_view(change) != "COPY other k";
    BOOST_TEST(a("EXEC").starts_with(changed ? "*-1 " : "*1 "), change);
    BOOST_TEST(info("watching_clients") == "0");
  }
}

BOOST_AUTO_TEST_CASE(what_does_not_change_a_watched_key_lets_it_run) {
  a("SET k 1");
  a("WATCH k absent");
  b("GET k");
  b("SET other 1");
  b("DEL absent");
  b("SELECT 1");
  b("SET k 2");
  b("FLUSHDB");
  a("MULTI");
  BOOST_TEST(a("EXEC") == "*0 ");
}

BOOST_AUTO_TEST_CASE(one_s_own_change_counts_too_before_multi) {
  a("WATCH k");
  a("SET k 1");
  a("MULTI");
  a("SET k 2");
  BOOST_TEST(a("EXEC") == "*-1 ");
  BOOST_TEST(a("GET k") == "$1 1 ");
}

BOOST_AUTO_TEST_CASE(an_absent_key_that_a_flush_leaves_absent_has_not_changed) {
  a("WATCH k");
  b("FLUSHALL");
  a("MULTI");
  BOOST_TEST(a("EXEC") == "*0 ");
  a("WATCH k");
  b("SELECT 1");
  b("SET k 1");
  b("SWAPDB 0 1");
  a("MULTI");
  BOOST_TEST(a("EXEC") == "*-1 ");
}

BOOST_AUTO_TEST_CASE(a_key_that_expires_has_changed_even_before_it_is_removed) {
  a("SET k 1 PX 50");
  a("WATCH k");
  environment.advance_ms(100);
  a("MULTI");
  BOOST_TEST(a("EXEC") == "*-1 ");
  // One that had expired before is absent, and remains so.
  engine.active_expire = false;
  a("SET k 1 PX 50");
  environment.advance_ms(100);
  a("WATCH k");
  a("MULTI");
  BOOST_TEST(a("EXEC") == "*0 ");
}

BOOST_AUTO_TEST_CASE(unwatch_forgets_what_has_changed) {
  a("WATCH k");
  b("SET k 1");
  BOOST_TEST(client_a.flag_letters() == "d");
  BOOST_TEST(a("UNWATCH") == "+OK ");
  a("MULTI");
  BOOST_TEST(a("EXEC") == "*0 ");
}

BOOST_AUTO_TEST_CASE(a_blocking_command_does_not_wait) {
  a("MULTI");
  BOOST_TEST(a("BLPOP l 0") == "+QUEUED ");
  BOOST_TEST(a("EXEC") == "*1 *-1 ");
  // Outside it waits again.
  BOOST_TEST(a("BLPOP l 0") == "");
  b("MULTI");
  b("RPUSH l 1");
  b("RPUSH l 2");
  b("LLEN l");
  // Served when the whole is done: inside, nobody took anything.
  BOOST_TEST(b("EXEC") == "*3 :1 :2 :2 ");
  BOOST_TEST(wire_a.sent == "*2\r\n$1\r\nl\r\n$1\r\n1\r\n");
  BOOST_TEST(log.units == (std::vector<std::string>{"RPUSH l 1, RPUSH l 2", "LPOP l"}));
}

BOOST_AUTO_TEST_CASE(reset_and_leaving_end_it) {
  a("WATCH k");
  a("MULTI");
  a("SET k 1");
  BOOST_TEST(a("RESET") == "+RESET ");
  BOOST_TEST(a("EXEC") == "-ERR EXEC without MULTI ");
  a("WATCH k");
  a("MULTI");
  clients.close(client_a);
  turn.run();
  BOOST_TEST(info("watching_clients") == "0");
  BOOST_TEST(b("SET k 1") == "+OK ");
}

BOOST_AUTO_TEST_CASE(select_inside_holds_for_what_follows) {
  a("MULTI");
  a("SELECT 1");
  a("SET k 1");
  BOOST_TEST(a("EXEC") == "*2 +OK +OK ");
  BOOST_TEST(a("GET k") == "$1 1 ");
  BOOST_TEST(b("GET k") == "$-1 ");
}

BOOST_AUTO_TEST_CASE(memory_that_is_short_refuses_the_whole) {
  a("MULTI");
  a("SET k 1");
  engine::MemoryGate gate(engine, -1);
  set("maxmemory", "1");
  BOOST_TEST(a("EXEC") ==
             "-EXECABORT Transaction discarded because of: OOM command not allowed when used "
             "memory > 'maxmemory'. ");
  // What is queued takes memory, whatever it does.
  a("MULTI");
  BOOST_TEST(a("GET k").starts_with("-OOM "));
  BOOST_TEST(a("EXEC").starts_with("-EXECABORT "));
  a("MULTI");
  BOOST_TEST(a("DISCARD") == "+OK ");
  BOOST_TEST(a("GET k") == "$-1 ");
  set("maxmemory", "0");
}

// All of it runs, but nobody keeps what the client may not take.
BOOST_AUTO_TEST_CASE(replies_beyond_the_limit_are_dropped_while_exec_runs) {
  set("client-output-buffer-limit", "normal 300000 0 0");
  a("SET long " + std::string(60'000, 'x'));
  a("SETRANGE long 199999 x");
  a("MULTI");
  for (int i = 0; i < 200; ++i) a("GET long");
  a("SET last 1");
  receive(client_a, "EXEC\r\n");
  turn.run();
  BOOST_TEST(!wire_a.is_open);
  BOOST_TEST(wire_a.sent == "");
  BOOST_TEST(b("GET last") == "$1 1 ");
}

BOOST_AUTO_TEST_CASE(replies_beyond_the_limit_are_dropped_for_who_wants_none) {
  set("client-output-buffer-limit", "normal 300000 0 0");
  a("SETRANGE long 199999 x");
  a("MULTI");
  a("CLIENT REPLY OFF");
  for (int i = 0; i < 20; ++i) a("GET long");
  a("SET last 1");
  receive(client_a, "EXEC\r\n");
  turn.run();
  BOOST_TEST(!wire_a.is_open);
  BOOST_TEST(b("GET last") == "$1 1 ");
}

BOOST_AUTO_TEST_CASE(what_is_queued_counts_as_input) {
  set("client-query-buffer-limit", "1mb");
  const std::string echo = request({"ECHO", std::string(100'000, 'x')});
  a("MULTI");
  for (int i = 0; i < 20 && wire_a.is_open; ++i) {
    receive(client_a, echo);
    turn.run();
  }
  BOOST_TEST(!wire_a.is_open);
}

BOOST_AUTO_TEST_CASE(what_has_failed_keeps_nothing_more) {
  a("MULTI");
  a("NOSUCH");
  const size_t bytes = client_a.transaction->memory_bytes();
  for (int i = 0; i < 100; ++i) BOOST_TEST(a("PING") == "+QUEUED ");
  BOOST_TEST(client_a.transaction->memory_bytes() == bytes);
}

BOOST_AUTO_TEST_CASE(a_postponed_command_still_skips_its_reply) {
  pause.start(Pause::Mode::kWrites, clients.now_ms + 1000);
  BOOST_TEST(a("CLIENT REPLY SKIP\r\nSET k v\r\nPING") == "");
  pause.stop();
  turn.run();
  BOOST_TEST(wire_a.sent == "+PONG\r\n");
}

BOOST_AUTO_TEST_CASE(a_pause_of_writes_holds_an_exec_that_writes) {
  a("MULTI");
  a("SET k 1");
  pause.start(Pause::Mode::kWrites, clients.now_ms + 1000);
  BOOST_TEST(a("EXEC") == "");
  BOOST_TEST(b("GET k") == "$-1 ");
  pause.stop();
  turn.run();
  BOOST_TEST(wire_a.sent == "*1\r\n+OK\r\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::server::test
