// MONITOR: who looks on sees what others run, and may do little else.
#include "server/monitor.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "test/server/turn_fixture.h"

namespace roxdb::server::test {
namespace {

struct MonitorFixture : TurnFixture {
  ~MonitorFixture() {
    clients.for_each([this](Client& client) { clients.close(client); });
  }
  std::string run(Client& client, Wire& wire, const std::string& line) {
    receive(client, line + "\r\n");
    turn.run();
    return std::exchange(wire.sent, {});
  }
  // What who looks on has seen since, without the times.
  std::string seen() {
    std::string text;
    std::string rest = std::exchange(wire_a.sent, {});
    while (!rest.empty()) {
      const size_t end = rest.find("\r\n");
      const std::string line = rest.substr(0, end);
      rest.erase(0, end + 2);
      const size_t blank = line.find(' ');
      BOOST_TEST(line.starts_with("+"), line);
      BOOST_TEST(line.find('.') == blank - 7, line);  // microseconds
      text += line.substr(blank + 1) + "\n";
    }
    return text;
  }

  Wire& wire_a = add_wire();
  Client& client_a = connect(wire_a, "127.0.0.1:40001");
  Wire& wire_b = add_wire();
  Client& client_b = connect(wire_b, "127.0.0.1:40002");
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(server_monitor, MonitorFixture)

BOOST_AUTO_TEST_CASE(each_command_is_shown_with_where_it_comes_from) {
  BOOST_TEST(run(client_a, wire_a, "MONITOR") == "+OK\r\n");
  BOOST_TEST(client_a.flag_letters() == "O");
  run(client_b, wire_b, "SET key \"a\\x00\\n\\\"\\\\\xff\"");
  run(client_b, wire_b, "SELECT 3");
  run(client_b, wire_b, "get key");
  BOOST_TEST(seen() ==
             "[0 127.0.0.1:40002] \"SET\" \"key\" \"a\\x00\\n\\\"\\\\\\xff\"\n"
             "[0 127.0.0.1:40002] \"SELECT\" \"3\"\n"
             "[3 127.0.0.1:40002] \"get\" \"key\"\n");
}

BOOST_AUTO_TEST_CASE(what_does_not_run_is_not_shown) {
  run(client_a, wire_a, "MONITOR");
  wire_a.sent.clear();
  run(client_b, wire_b, "NOSUCH");
  run(client_b, wire_b, "SET key");
  run(client_b, wire_b, "CONFIG GET maxmemory");  // an administrator's
  BOOST_TEST(seen() == "");
}

BOOST_AUTO_TEST_CASE(secrets_are_not_shown) {
  run(client_a, wire_a, "MONITOR");
  wire_a.sent.clear();
  run(client_b, wire_b, "AUTH default secret");
  run(client_b, wire_b, "HELLO 3 AUTH default secret");
  BOOST_TEST(seen().find("secret") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_transaction_is_shown_when_it_runs) {
  run(client_a, wire_a, "MONITOR");
  wire_a.sent.clear();
  run(client_b, wire_b, "MULTI");
  run(client_b, wire_b, "SET a 1");
  run(client_b, wire_b, "GET a");
  BOOST_TEST(seen() == "[0 127.0.0.1:40002] \"MULTI\"\n");
  run(client_b, wire_b, "EXEC");
  BOOST_TEST(seen() ==
             "[0 127.0.0.1:40002] \"SET\" \"a\" \"1\"\n"
             "[0 127.0.0.1:40002] \"GET\" \"a\"\n"
             "[0 127.0.0.1:40002] \"EXEC\"\n");
}

// Else who looks on would take the transaction for open.
BOOST_AUTO_TEST_CASE(the_end_of_a_transaction_that_does_not_run_is_shown) {
  run(client_a, wire_a, "MONITOR");
  wire_a.sent.clear();
  run(client_b, wire_b, "MULTI");
  run(client_b, wire_b, "NOSUCH");
  BOOST_TEST(run(client_b, wire_b, "EXEC").starts_with("-EXECABORT"));
  BOOST_TEST(seen() ==
             "[0 127.0.0.1:40002] \"MULTI\"\n"
             "[0 127.0.0.1:40002] \"EXEC\"\n");
}

BOOST_AUTO_TEST_CASE(who_looks_on_may_not_touch_keys) {
  run(client_a, wire_a, "MONITOR");
  BOOST_TEST(run(client_a, wire_a, "GET a") == "-ERR Replica can't interact with the keyspace\r\n");
  BOOST_TEST(run(client_a, wire_a, "RESET").find("+RESET\r\n") != std::string::npos);
  wire_a.sent.clear();
  run(client_b, wire_b, "GET a");
  BOOST_TEST(seen() == "");
  BOOST_TEST(run(client_a, wire_a, "GET a") == "$-1\r\n");
}

BOOST_AUTO_TEST_CASE(who_looks_on_is_not_idle) {
  set("timeout", "1");
  run(client_a, wire_a, "MONITOR");
  clients.now_ms += 5000;
  clients.tick(clients.now_ms);
  turn.run();
  BOOST_TEST(wire_a.is_open);
  BOOST_TEST(!wire_b.is_open);
}

BOOST_AUTO_TEST_CASE(a_command_that_waits_is_shown_once) {
  run(client_a, wire_a, "MONITOR");
  wire_a.sent.clear();
  Wire& wire_c = add_wire();
  Client& client_c = connect(wire_c, "127.0.0.1:40003");
  run(client_b, wire_b, "BLPOP list 0");
  run(client_c, wire_c, "RPUSH list x");
  BOOST_TEST(wire_b.sent.starts_with("*2"));
  BOOST_TEST(seen() ==
             "[0 127.0.0.1:40002] \"BLPOP\" \"list\" \"0\"\n"
             "[0 127.0.0.1:40003] \"RPUSH\" \"list\" \"x\"\n");
}

BOOST_AUTO_TEST_CASE(several_may_look_on_and_leave) {
  run(client_a, wire_a, "MONITOR");
  run(client_b, wire_b, "MONITOR");
  clients.close(client_b);
  turn.run();
  wire_a.sent.clear();
  Wire& wire_c = add_wire();
  Client& client_c = connect(wire_c, "127.0.0.1:40003");
  run(client_c, wire_c, "PING");
  BOOST_TEST(seen() == "[0 127.0.0.1:40003] \"PING\"\n");
}

BOOST_AUTO_TEST_CASE(a_transaction_cannot_begin_to_look_on) {
  run(client_a, wire_a, "MULTI");
  run(client_a, wire_a, "MONITOR");
  BOOST_TEST(run(client_a, wire_a, "EXEC").starts_with("*1\r\n-ERR MONITOR isn't allowed"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::server::test
