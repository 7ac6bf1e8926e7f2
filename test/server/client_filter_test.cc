#include "server/client_filter.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "test/server/turn_fixture.h"

namespace roxdb::server::test {
namespace {

// Three clients; the first one asks.
struct ThreeClients : TurnFixture {
  ThreeClients() {
    ask(1, {"CLIENT", "SETNAME", "first"});
    ask(2, {"CLIENT", "SETNAME", "second"});
    ask(2, {"SELECT", "5"});
    ask(2, {"CLIENT", "SETINFO", "LIB-NAME", "hiredis"});
    ask(3, {"CLIENT", "NO-EVICT", "on"});
  }
  std::string ask(uint64_t id, std::initializer_list<std::string_view> args) {
    Wire& wire = wires[id - 1];
    wire.sent.clear();
    receive(*clients.find(id), request(args));
    turn.run();
    return wire.sent;
  }
  // The ids that CLIENT LIST names, in order, as "1 3 "; or the error.
  std::string list(std::initializer_list<std::string_view> filters) {
    std::vector<std::string_view> args = {"CLIENT", "LIST"};
    args.insert(args.end(), filters);
    std::string bytes = "*" + std::to_string(args.size()) + "\r\n";
    for (const std::string_view arg : args) {
      bytes += "$" + std::to_string(arg.size()) + "\r\n" + std::string(arg) + "\r\n";
    }
    wires[0].sent.clear();
    receive(first, bytes);
    turn.run();
    std::string reply = wires[0].sent;
    if (reply.starts_with("-")) return reply.substr(0, reply.size() - 2);
    std::string ids;
    for (size_t at = 0; (at = reply.find("id=", at)) != std::string::npos; ++at) {
      if (at > 0 && reply[at - 1] != '\n') continue;  // "laddr" and the like
      ids += reply.substr(at + 3, reply.find(' ', at) - at - 3) + " ";
    }
    return ids;
  }

  Client& first = connect(add_wire(), "127.0.0.1:1001");
  Client& second = connect(add_wire(), "127.0.0.1:1002");
  Client& third = connect(add_wire(), "[::1]:1003");
};

BOOST_FIXTURE_TEST_SUITE(server_client_filter, ThreeClients)

BOOST_AUTO_TEST_CASE(each_filter_finds_the_clients_it_describes) {
  BOOST_TEST(list({}) == "1 2 3 ");
  BOOST_TEST(list({"ID", "3", "1", "99"}) == "1 3 ");
  BOOST_TEST(list({"NOT-ID", "3", "1"}) == "2 ");
  BOOST_TEST(list({"ADDR", "127.0.0.1:1002"}) == "2 ");
  BOOST_TEST(list({"NOT-ADDR", "127.0.0.1:1002"}) == "1 3 ");
  BOOST_TEST(list({"LADDR", "127.0.0.1:6379"}) == "1 2 3 ");
  BOOST_TEST(list({"IP", "127.0.0.1"}) == "1 2 ");
  BOOST_TEST(list({"IP", "::1"}) == "3 ");
  BOOST_TEST(list({"NAME", "second"}) == "2 ");
  BOOST_TEST(list({"NOT-NAME", "second"}) == "1 3 ");
  BOOST_TEST(list({"LIB-NAME", "hiredis"}) == "2 ");
  BOOST_TEST(list({"DB", "5"}) == "2 ");
  BOOST_TEST(list({"NOT-DB", "5"}) == "1 3 ");
  BOOST_TEST(list({"FLAGS", "e"}) == "3 ");
  BOOST_TEST(list({"FLAGS", "N"}) == "1 2 ");
  BOOST_TEST(list({"TYPE", "normal"}) == "1 2 3 ");
  BOOST_TEST(list({"TYPE", "replica"}) == "");
  BOOST_TEST(list({"USER", "default"}) == "1 2 3 ");
  BOOST_TEST(list({"SKIPME", "yes"}) == "2 3 ");
  BOOST_TEST(list({"SKIPME", "no"}) == "1 2 3 ");
}

BOOST_AUTO_TEST_CASE(what_a_library_can_do_is_shown_and_found) {
  BOOST_TEST(ask(2, {"CLIENT", "CAPA", "nosuch", "Redirect"}) == "+OK\r\n");
  BOOST_TEST(ask(2, {"CLIENT", "INFO"}).find(" flags=N capa=r db=5 ") != std::string::npos);
  BOOST_TEST(ask(1, {"CLIENT", "INFO"}).find("capa=") == std::string::npos);
  BOOST_TEST(ask(1, {"CLIENT", "CAPA"}).starts_with("-ERR wrong number of arguments"));
  BOOST_TEST(list({"CAPA", "r"}) == "2 ");
  BOOST_TEST(list({"NOT-CAPA", "r"}) == "1 3 ");
  BOOST_TEST(list({"CAPA", "rx"}) == "-ERR Unknown capa found in the provided filter: rx");
  BOOST_TEST(list({"NOT-CAPA", "x"}) == "-ERR Unknown capa found in the NOT-CAPA filter: x");
}

BOOST_AUTO_TEST_CASE(all_filters_must_hold) {
  BOOST_TEST(list({"ID", "1", "2", "IP", "127.0.0.1", "NAME", "first"}) == "1 ");
  BOOST_TEST(list({"IP", "127.0.0.1", "NOT-NAME", "first", "DB", "5"}) == "2 ");
}

BOOST_AUTO_TEST_CASE(ages_count_from_the_connect_and_from_the_last_bytes) {
  clients.now_ms += 10'000;
  ask(2, {"PING"});
  BOOST_TEST(list({"MAXAGE", "10"}) == "1 2 3 ");
  BOOST_TEST(list({"MAXAGE", "11"}) == "");
  BOOST_TEST(list({"IDLE", "10"}) == "3 ");
}

BOOST_AUTO_TEST_CASE(what_is_no_filter_is_refused_as_redis_does) {
  BOOST_TEST(list({"FOO"}) == "-ERR syntax error");
  BOOST_TEST(list({"FOO", "bar"}) == "-ERR syntax error");
  BOOST_TEST(list({"TYPE"}) == "-ERR syntax error");
  BOOST_TEST(list({"TYPE", "foo"}) == "-ERR Unknown client type 'foo'");
  BOOST_TEST(list({"ID"}) == "-ERR syntax error");
  BOOST_TEST(list({"ID", "a"}) == "-ERR Invalid client ID");
  BOOST_TEST(list({"ID", "1", "a"}) == "-ERR Invalid client ID");
  BOOST_TEST(list({"ID", "0"}) == "-ERR Invalid client ID");
  BOOST_TEST(list({"USER", "nobody"}) == "-ERR No such user 'nobody'");
  BOOST_TEST(list({"SKIPME", "maybe"}) == "-ERR syntax error");
  BOOST_TEST(list({"MAXAGE", "x"}) == "-ERR maxage is not an integer or out of range");
  BOOST_TEST(list({"IDLE", "0"}) == "-ERR idle should be greater than 0");
  BOOST_TEST(list({"FLAGS", "?"}) == "-ERR Unknown flags found in the provided filter: ?");
}

BOOST_AUTO_TEST_CASE(kill_closes_what_list_would_show_but_not_oneself) {
  BOOST_TEST(ask(1, {"CLIENT", "KILL", "IP", "127.0.0.1"}) == ":1\r\n");
  BOOST_TEST(!wires[1].is_open);
  BOOST_TEST(wires[0].is_open);
  BOOST_TEST(ask(1, {"CLIENT", "KILL", "[::1]:1003"}) == "+OK\r\n");
  BOOST_TEST(!wires[2].is_open);
  BOOST_TEST(ask(1, {"CLIENT", "KILL", "[::1]:1003"}) == "-ERR No such client\r\n");
  BOOST_TEST(ask(1, {"CLIENT", "KILL", "ID", "x", "SKIPME", "no"}) ==
             "-ERR client-id should be greater than 0\r\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace roxdb::server::test
