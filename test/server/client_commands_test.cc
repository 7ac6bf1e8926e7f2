#include <boost/test/unit_test.hpp>

#include "test/server/turn_fixture.h"

namespace roxdb::server::test {
namespace {

BOOST_FIXTURE_TEST_SUITE(server_client_commands, TurnFixture)

BOOST_AUTO_TEST_CASE(a_pause_of_no_length_lets_nobody_wait) {
  Wire& wire = add_wire();
  Client& client = connect(wire);
  receive(client, request({"CLIENT", "PAUSE", "0"}) + request({"PING"}));
  turn.run();
  BOOST_TEST(wire.sent == "+OK\r\n+PONG\r\n");
  BOOST_TEST(!pause.is_on());
}

BOOST_AUTO_TEST_CASE(a_pause_of_no_length_makes_another_one_stronger_but_not_shorter) {
  Wire& wire = add_wire();
  Client& client = connect(wire);
  receive(client, request({"CLIENT", "PAUSE", "50", "WRITE"}));
  receive(client, request({"CLIENT", "PAUSE", "0", "ALL"}) + request({"PING"}));
  turn.run();
  BOOST_TEST(wire.sent == "+OK\r\n+OK\r\n");
  pause.tick(clients.now_ms + 49);
  BOOST_TEST(pause.is_on());
  pause.tick(clients.now_ms + 50);
  turn.run();
  BOOST_TEST(wire.sent == "+OK\r\n+OK\r\n+PONG\r\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace roxdb::server::test
