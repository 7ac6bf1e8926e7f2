// Clients that wait for records of streams, alone and as consumers of a group.
#include <boost/test/unit_test.hpp>
#include <string>

#include "engine/waiting.h"
#include "test/server/turn_fixture.h"

namespace roxdb::server::test {
namespace {

struct StreamWaitingFixture : TurnFixture {
  ~StreamWaitingFixture() {
    engine.waiting.check();
    clients.for_each([this](Client& client) { clients.close(client); });
    BOOST_TEST(engine.waiting.sessions() == 0u);
  }

  // One client on a wire of its own.
  struct Peer {
    Wire& wire;
    Client& client;
  };
  Peer add() {
    Wire& wire = add_wire();
    return {wire, connect(wire, "127.0.0.1:" + std::to_string(40000 + wires.size()))};
  }
  // The peer sends a line, and the turn ends. What it is told, line ends as blanks.
  std::string run(const Peer& peer, const std::string& line) {
    receive(peer.client, line + "\r\n");
    turn.run();
    return told(peer);
  }
  // What the peer was told since the last call.
  static std::string told(const Peer& peer) {
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
};

// A stream with one record in a reply.
std::string one_record(const std::string& key, const std::string& id) {
  return "*1 *2 $" + std::to_string(key.size()) + " " + key + " *1 *2 $" +
         std::to_string(id.size()) + " " + id + " *2 $1 f $1 v";
}

// A stream with one record that was claimed after so many ms, delivered once before.
std::string one_claimed(const std::string& key, int idle_ms) {
  return "*1 *2 $1 " + key + " *1 *4 $3 1-0 *2 $1 f $1 v :" + std::to_string(idle_ms) + " :1";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(server_stream_waiting, StreamWaitingFixture)

BOOST_AUTO_TEST_CASE(every_reader_gets_a_record_that_comes) {
  const auto writer = add();
  const auto first = add();
  const auto second = add();
  BOOST_TEST(run(first, "XREAD BLOCK 0 STREAMS s $") == "");
  BOOST_TEST(run(second, "XREAD BLOCK 0 STREAMS other s 0 5") == "");
  BOOST_TEST(run(writer, "XADD s 3 f v") == "$3 3-0");
  BOOST_TEST(told(first) == one_record("s", "3-0"));
  BOOST_TEST(told(second) == "");
  run(writer, "XADD s 6 f v");
  BOOST_TEST(told(first) == "");
  BOOST_TEST(told(second) == one_record("s", "6-0"));
}

BOOST_AUTO_TEST_CASE(the_end_of_a_stream_is_where_it_was_when_the_wait_began) {
  const auto writer = add();
  const auto reader = add();
  run(writer, "XADD s 5 f v");
  BOOST_TEST(run(reader, "XREAD BLOCK 0 STREAMS s $") == "");
  run(writer, "XSETID s 9-0");
  BOOST_TEST(told(reader) == "");
  run(writer, "XADD s 10 f v");
  BOOST_TEST(told(reader) == one_record("s", "10-0"));
}

BOOST_AUTO_TEST_CASE(a_record_goes_to_the_consumer_that_waited_longest) {
  const auto writer = add();
  const auto first = add();
  const auto second = add();
  run(writer, "XGROUP CREATE s g $ MKSTREAM");
  BOOST_TEST(run(first, "XREADGROUP GROUP g a BLOCK 0 STREAMS s >") == "");
  BOOST_TEST(run(second, "XREADGROUP GROUP g b BLOCK 0 STREAMS s >") == "");
  run(writer, "XADD s 1 f v");
  BOOST_TEST(told(first) == one_record("s", "1-0"));
  BOOST_TEST(told(second) == "");
  run(writer, "XADD s 2 f v");
  BOOST_TEST(told(second) == one_record("s", "2-0"));
  BOOST_TEST(run(writer, "XPENDING s g") == "*4 :2 $3 1-0 $3 2-0 *2 *2 $1 a $1 1 *2 $1 b $1 1");
}

BOOST_AUTO_TEST_CASE(the_time_to_wait_ends_with_nil) {
  const auto writer = add();
  const auto reader = add();
  const auto consumer = add();
  run(writer, "XGROUP CREATE s g $ MKSTREAM");
  run(reader, "XREAD BLOCK 20 STREAMS s $");
  run(consumer, "XREADGROUP GROUP g c BLOCK 30 STREAMS s >");
  pass_ms(20);
  BOOST_TEST(told(reader) == "*-1");
  BOOST_TEST(told(consumer) == "");
  pass_ms(10);
  BOOST_TEST(told(consumer) == "*-1");
}

BOOST_AUTO_TEST_CASE(consumers_hear_that_their_group_or_stream_is_gone) {
  const std::string gone =
      "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option";
  const auto writer = add();
  const auto consumer = add();
  const auto reader = add();
  for (const std::string end : {"XGROUP DESTROY s g", "DEL s", "RENAME s t", "FLUSHALL"}) {
    BOOST_TEST_CONTEXT(end) {
      run(writer, "DEL s t");
      run(writer, "XGROUP CREATE s g $ MKSTREAM");
      run(consumer, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
      run(writer, end);
      BOOST_TEST(told(consumer) == gone);
    }
  }
  run(writer, "DEL s");
  run(writer, "XGROUP CREATE s g $ MKSTREAM");
  run(consumer, "XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
  run(reader, "XREAD BLOCK 0 STREAMS s $");
  run(writer, "SET s x");
  BOOST_TEST(told(consumer) ==
             "-WRONGTYPE Operation against a key holding the wrong kind of value");
  BOOST_TEST(told(reader) == "");  // it waits for a stream to come
  run(writer, "DEL s");
  run(writer, "XADD s 1 f v");
  BOOST_TEST(told(reader) == one_record("s", "1-0"));
}

BOOST_AUTO_TEST_CASE(a_history_is_never_waited_for) {
  const auto writer = add();
  const auto consumer = add();
  run(writer, "XGROUP CREATE s g $ MKSTREAM");
  BOOST_TEST(run(consumer, "XREADGROUP GROUP g c BLOCK 0 STREAMS s 0") == "*1 *2 $1 s *0");
}

// The oldest pending record says when to look again: each time anew, as others take it meanwhile.
BOOST_AUTO_TEST_CASE(a_claiming_reader_gets_what_became_idle_while_it_waited) {
  const auto writer = add();
  const auto busy = add();
  const auto claimer = add();
  run(writer, "XADD s 1 f v");
  run(writer, "XGROUP CREATE s g 0");
  run(busy, "XREADGROUP GROUP g a STREAMS s >");
  pass_ms(20);
  BOOST_TEST(run(claimer, "XREADGROUP GROUP g b BLOCK 0 CLAIM 50 STREAMS s >") == "");
  BOOST_TEST(engine.waiting.sessions_with_deadline() == 0u);
  pass_ms(29);
  BOOST_TEST(told(claimer) == "");
  run(busy, "XCLAIM s g c 0 1");  // idle from now on
  pass_ms(1);
  BOOST_TEST(told(claimer) == "");
  pass_ms(48);
  BOOST_TEST(told(claimer) == "");
  pass_ms(1);
  BOOST_TEST(told(claimer) == "*1 *2 $1 s *1 *4 $3 1-0 *2 $1 f $1 v :50 :2");
  BOOST_TEST(engine.waiting.next_deadline_ns() == UINT64_MAX);
}

// A moment to look again is no end of the wait, and the end comes with or without one.
BOOST_AUTO_TEST_CASE(a_claiming_reader_waits_on_until_its_time_is_up) {
  const auto writer = add();
  const auto claimer = add();
  run(writer, "XADD s 1 f v");
  run(writer, "XGROUP CREATE s g 0");
  run(writer, "XREADGROUP GROUP g a STREAMS s >");
  BOOST_TEST(run(claimer, "XREADGROUP GROUP g b BLOCK 100 CLAIM 50 STREAMS s >") == "");
  for (int round = 0; round < 4; ++round) {
    run(writer, "XCLAIM s g a 0 1 JUSTID");
    pass_ms(25);
    BOOST_TEST(told(claimer) == (round == 3 ? "*-1" : ""));
  }
  BOOST_TEST(engine.waiting.next_deadline_ns() == UINT64_MAX);
}

BOOST_AUTO_TEST_CASE(of_those_who_wait_to_claim_the_first_is_served_and_the_others_wait_on) {
  const auto writer = add();
  const auto first = add();
  const auto second = add();
  run(writer, "XADD s 1 f v");
  run(writer, "XGROUP CREATE s g 0");
  run(writer, "XREADGROUP GROUP g a STREAMS s >");
  BOOST_TEST(run(first, "XREADGROUP GROUP g b BLOCK 0 CLAIM 50 STREAMS s >") == "");
  BOOST_TEST(run(second, "XREADGROUP GROUP g c BLOCK 0 CLAIM 50 STREAMS s >") == "");
  pass_ms(50);
  BOOST_TEST(told(first) == "*1 *2 $1 s *1 *4 $3 1-0 *2 $1 f $1 v :50 :1");
  BOOST_TEST(told(second) == "");
  pass_ms(50);
  BOOST_TEST(told(second) == "*1 *2 $1 s *1 *4 $3 1-0 *2 $1 f $1 v :50 :2");
}

BOOST_AUTO_TEST_CASE(a_claiming_reader_looks_at_the_stream_that_is_due_first) {
  const auto writer = add();
  const auto claimer = add();
  for (const std::string key : {"s", "t"}) {
    run(writer, "XADD " + key + " 1 f v");
    run(writer, "XGROUP CREATE " + key + " g 0");
    run(writer, "XREADGROUP GROUP g a STREAMS " + key + " >");
    pass_ms(10);
  }
  run(writer, "XCLAIM s g a 0 1 JUSTID");
  BOOST_TEST(run(claimer, "XREADGROUP GROUP g b BLOCK 0 CLAIM 50 STREAMS s t > >") == "");
  pass_ms(40);
  BOOST_TEST(told(claimer) == one_claimed("t", 50));
}

BOOST_AUTO_TEST_CASE(a_claiming_reader_hears_of_records_that_are_dated_back) {
  const auto writer = add();
  const auto claimer = add();
  run(writer, "XADD s 1 f v");
  run(writer, "XGROUP CREATE s g $");
  BOOST_TEST(run(claimer, "XREADGROUP GROUP g b BLOCK 0 CLAIM 50 STREAMS s >") == "");
  BOOST_TEST(engine.waiting.next_deadline_ns() == UINT64_MAX);  // nothing is pending
  run(writer, "XCLAIM s g a 0 1 FORCE IDLE 30 JUSTID");
  BOOST_TEST(told(claimer) == "");
  pass_ms(20);
  BOOST_TEST(told(claimer) == one_claimed("s", 50));
}

// A pause for writers does not end the wait; it is made up for when the pause is over.
BOOST_AUTO_TEST_CASE(a_pause_delays_a_claim) {
  const auto writer = add();
  const auto claimer = add();
  run(writer, "XADD s 1 f v");
  run(writer, "XGROUP CREATE s g 0");
  run(writer, "XREADGROUP GROUP g a STREAMS s >");
  BOOST_TEST(run(claimer, "XREADGROUP GROUP g b BLOCK 0 CLAIM 50 STREAMS s >") == "");
  run(writer, "CLIENT PAUSE 100000 WRITE");
  told(writer);
  pass_ms(60);
  BOOST_TEST(told(claimer) == "");
  run(writer, "CLIENT UNPAUSE");
  turn.run();
  BOOST_TEST(told(claimer) == one_claimed("s", 60));
}

BOOST_AUTO_TEST_CASE(a_claiming_reader_gets_what_is_given_back) {
  const auto writer = add();
  const auto claimer = add();
  run(writer, "XADD s 1 f v");
  run(writer, "XGROUP CREATE s g 0");
  run(writer, "XREADGROUP GROUP g a STREAMS s >");
  BOOST_TEST(run(claimer, "XREADGROUP GROUP g b BLOCK 0 CLAIM 1000 STREAMS s >") == "");
  BOOST_TEST(run(writer, "XNACK s g FAIL IDS 1 1") == ":1");
  BOOST_TEST(told(claimer) == "*1 *2 $1 s *1 *4 $3 1-0 *2 $1 f $1 v :0 :1");
  BOOST_TEST(run(writer, "XPENDING s g - + 9") == "*1 *4 $3 1-0 $1 b :0 :2");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::server::test
