#include "server/authentication.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "test/server/turn_fixture.h"

namespace roxdb::server::test {
namespace {

constexpr std::string_view kWrong =
    "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
constexpr std::string_view kNoAuth = "-NOAUTH Authentication required.\r\n";

BOOST_FIXTURE_TEST_SUITE(server_authentication, TurnFixture)

BOOST_AUTO_TEST_CASE(nothing_runs_before_the_password_is_said) {
  set("requirepass", "secret");
  Wire& wire = add_wire();
  Client& client = connect(wire);
  receive(client, request({"SET", "k", "1"}) + request({"AUTH", "guess"}) +
                      request({"AUTH", "secret"}) + request({"SET", "k", "2"}));
  turn.run();
  BOOST_TEST(wire.sent == std::string(kNoAuth) + std::string(kWrong) + "+OK\r\n+OK\r\n");
}

BOOST_AUTO_TEST_CASE(hello_lets_in_as_auth_does) {
  set("requirepass", "secret");
  Wire& wire = add_wire();
  Client& client = connect(wire);
  receive(client, request({"HELLO", "3"}));
  turn.run();
  BOOST_TEST(wire.sent.starts_with("-NOAUTH HELLO must be called"));
  wire.sent.clear();
  receive(client, request({"HELLO", "3", "AUTH", "default", "secret", "SETNAME", "me"}) +
                      request({"CLIENT", "GETNAME"}));
  turn.run();
  BOOST_TEST(wire.sent.starts_with("%7\r\n$6\r\nserver\r\n"));
  BOOST_TEST(wire.sent.ends_with("$2\r\nme\r\n"));
}

// The limits of the unauthenticated hold for what stands before AUTH only, in the same read too.
BOOST_AUTO_TEST_CASE(the_limits_before_auth_end_with_it) {
  set("requirepass", "secret");
  const std::string many =
      request({"MSET", "a", "1", "b", "2", "c", "3", "d", "4", "e", "5", "f", "6"});
  Wire& wire = add_wire();
  Client& client = connect(wire);
  receive(client, request({"AUTH", "secret"}) + many);
  turn.run();
  BOOST_TEST(wire.sent == "+OK\r\n+OK\r\n");

  Wire& stranger_wire = add_wire();
  Client& stranger = connect(stranger_wire);
  receive(stranger, many);
  turn.run();
  BOOST_TEST(stranger_wire.sent == "-ERR Protocol error: unauthenticated multibulk length\r\n");
  BOOST_TEST(!stranger_wire.is_open);
}

BOOST_AUTO_TEST_CASE(a_stranger_that_reads_nothing_is_closed_soon) {
  set("requirepass", "secret");
  Wire& wire = add_wire();
  wire.takes_nothing = true;
  Client& client = connect(wire);
  for (int i = 0; i < 100 && wire.is_open; ++i) {
    receive(client, request({"PING"}));
    turn.run();
  }
  BOOST_TEST(!wire.is_open);
}

BOOST_AUTO_TEST_CASE(a_stranger_that_says_nothing_is_closed_after_auth_timeout) {
  set("requirepass", "secret");
  set("auth-timeout", "30");
  Wire& wire = add_wire();
  connect(wire);
  clients.now_ms += 30'000;
  clients.tick(clients.now_ms);
  turn.run();
  BOOST_TEST(wire.is_open);
  clients.now_ms += 1'001;
  clients.tick(clients.now_ms);
  turn.run();
  BOOST_TEST(!wire.is_open);
}

BOOST_AUTO_TEST_CASE(whoever_guesses_too_often_waits_and_nobody_else_does) {
  set("requirepass", "secret");
  Wire& wire = add_wire();
  Client& guesser = connect(wire, "10.0.0.1:1000");
  std::string answers;
  for (int i = 0; i < 10; ++i) {
    receive(guesser, request({"AUTH", "guess"}));
    answers += kWrong;
  }
  turn.run();
  BOOST_TEST(wire.sent == answers);

  // A new connection of the same host does not help.
  Wire& again_wire = add_wire();
  Client& again = connect(again_wire, "10.0.0.1:1001");
  Wire& other_wire = add_wire();
  Client& other = connect(other_wire, "10.0.0.2:1000");
  receive(again, request({"AUTH", "secret"}));
  receive(other, request({"AUTH", "secret"}));
  turn.run();
  BOOST_TEST(again_wire.sent == "");
  BOOST_TEST(other_wire.sent == "+OK\r\n");

  clients.now_ms += 999;
  turn.resume_postponed();
  turn.run();
  BOOST_TEST(again_wire.sent == "");
  clients.now_ms += 1;
  turn.resume_postponed();
  turn.run();
  BOOST_TEST(again_wire.sent == "+OK\r\n");
}

BOOST_AUTO_TEST_CASE(without_a_password_auth_says_that_there_is_none) {
  Wire& wire = add_wire();
  Client& client = connect(wire);
  receive(client, request({"AUTH", "x"}) + request({"AUTH", "default", "x"}) +
                      request({"AUTH", "somebody", "x"}));
  turn.run();
  BOOST_TEST(wire.sent.starts_with("-ERR AUTH <password> called without any password"));
  BOOST_TEST(wire.sent.ends_with("+OK\r\n" + std::string(kWrong)));
}

BOOST_AUTO_TEST_CASE(taking_the_password_away_lets_everybody_in) {
  set("requirepass", "secret");
  Wire& wire = add_wire();
  Client& client = connect(wire);
  set("requirepass", "");
  receive(client, request({"PING"}));
  turn.run();
  BOOST_TEST(wire.sent == "+PONG\r\n");
}

BOOST_AUTO_TEST_CASE(reset_makes_a_client_a_stranger_again) {
  set("requirepass", "secret");
  Wire& wire = add_wire();
  Client& client = connect(wire);
  receive(client, request({"AUTH", "secret"}) + request({"SELECT", "3"}) +
                      request({"CLIENT", "SETNAME", "me"}) + request({"RESET"}) +
                      request({"CLIENT", "GETNAME"}));
  turn.run();
  BOOST_TEST(wire.sent == "+OK\r\n+OK\r\n+OK\r\n+RESET\r\n" + std::string(kNoAuth));
  BOOST_TEST(client.db == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace roxdb::server::test
