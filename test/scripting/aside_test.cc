// A turn that stands still while a script takes long: others are served, and nobody whom it holds
// is read, sent to or freed (reliability S7).
#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>

#include "engine/busy.h"
#include "scripting/scripting.h"
#include "test/server/turn_fixture.h"

namespace {

using namespace roxdb;
using server::Client;
using server::test::request;
using server::test::Wire;

constexpr std::string_view kBusy =
    "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n";
constexpr std::string_view kEndless = "while true do pcall(function() end) end";

struct AsideFixture : server::test::TurnFixture, engine::BusyHost {
  AsideFixture() {
    engine.services.provide<engine::BusyHost>(this);
    set("busy-reply-threshold", "1");
    const auto prepare = scripting.scripts.on_made;
    scripting.scripts.on_made = [this, prepare](scripting::Interpreter& interpreter) {
      prepare(interpreter);
      const auto interval = interpreter.on_interval;
      // The clock stands still otherwise.
      interpreter.on_interval = [this, interval](scripting::ScriptRun& run) {
        environment.advance_ms(10);
        return interval(run);
      };
    };
  }
  void serve_others() override {
    ++turns;
    turn.step_aside([this] { poll(); });
  }

  scripting::Scripting scripting{engine, 100};
  std::function<void()> poll;
  int turns = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(scripting_aside, AsideFixture)

BOOST_AUTO_TEST_CASE(whoever_sent_in_the_same_turn_is_told_and_the_rest_stays_in_order) {
  Wire& busy_wire = add_wire();
  Wire& other_wire = add_wire();
  Client& busy = connect(busy_wire);
  Client& other = connect(other_wire);
  poll = [&] {
    BOOST_TEST(other_wire.sent == std::string("+OK\r\n") + std::string(kBusy));
    BOOST_TEST(busy_wire.sent == "");
    BOOST_TEST(turn.space_for(busy).empty());
    receive(other, request({"SCRIPT", "KILL"}) + request({"GET", "a"}));
  };
  receive(other, request({"SET", "o", "1"}));
  receive(busy,
          request({"SET", "a", "1"}) + request({"EVAL", kEndless, "0"}) + request({"GET", "a"}));
  receive(other, request({"GET", "o"}));
  receive(busy, request({"PING"}));
  turn.run();
  BOOST_TEST(turns == 1);
  BOOST_TEST(other_wire.sent == "+OK\r\n" + std::string(kBusy) + "+OK\r\n" + std::string(kBusy));
  BOOST_TEST(busy_wire.sent.starts_with("+OK\r\n-ERR Script killed by user with SCRIPT KILL..."));
  BOOST_TEST(busy_wire.sent.ends_with("\r\n$1\r\n1\r\n+PONG\r\n"));
  BOOST_TEST(!turn.is_aside());
}

// What was given back stands in the chunks of the batch that are still to come.
BOOST_AUTO_TEST_CASE(a_long_pipeline_behind_the_script_is_answered_once) {
  constexpr int kRequests = 100;
  Wire& busy_wire = add_wire();
  Wire& other_wire = add_wire();
  Client& busy = connect(busy_wire);
  Client& other = connect(other_wire);
  std::string pipeline;
  std::string refusals;
  for (int i = 0; i < kRequests; ++i) {
    pipeline += request({"SADD", "members", "a", "b"});
    refusals += kBusy;
  }
  poll = [&] {
    BOOST_TEST(other_wire.sent == refusals);
    receive(other, request({"SCRIPT", "KILL"}));
  };
  receive(busy, request({"EVAL", kEndless, "0"}));
  receive(other, pipeline);
  turn.run();
  BOOST_TEST(turns == 1);
  BOOST_TEST(other_wire.sent == refusals + "+OK\r\n");
}

BOOST_AUTO_TEST_CASE(clients_that_die_meanwhile_are_freed_when_the_command_has_ended) {
  Wire& busy_wire = add_wire();
  Wire& other_wire = add_wire();
  Wire& late_wire = add_wire();
  Client& busy = connect(busy_wire);
  Client& other = connect(other_wire);
  Client* late = nullptr;
  poll = [&] {
    if (turns == 1) {
      late = &connect(late_wire);
      receive(*late, request({"PING"}));
      turn.lost(busy);
      turn.lost(other);
      turn.lost(*late);
    } else {
      BOOST_TEST(busy_wire.is_open);
      Wire& killer_wire = add_wire();
      receive(connect(killer_wire), request({"SCRIPT", "KILL"}));
    }
  };
  receive(busy, request({"EVAL", kEndless, "0"}) + request({"SET", "never", "1"}));
  receive(other, request({"GET", "a"}));
  turn.run();
  turn.run();
  BOOST_TEST(turns == 2);
  BOOST_TEST(!busy_wire.is_open);
  BOOST_TEST(!other_wire.is_open);
  BOOST_TEST(!late_wire.is_open);
}

// It must not be closed while its commands run: what they put down for it would never go.
BOOST_AUTO_TEST_CASE(a_client_that_its_own_transaction_tells_too_much_is_closed_behind_it) {
  constexpr std::string_view kTellsMuch =
      "local message = string.rep('x', 50000) "
      "for i = 1, 5 do redis.call('PUBLISH', 'news', message) end "
      "while true do pcall(function() end) end";
  set("client-output-buffer-limit", "pubsub 100000 0 0");
  Wire& busy_wire = add_wire();
  Wire& other_wire = add_wire();
  Client& busy = connect(busy_wire);
  Client& other = connect(other_wire);
  poll = [&] {
    BOOST_TEST(!busy.is_closed());
    receive(other, request({"SCRIPT", "KILL"}));
  };
  receive(busy, request({"HELLO", "3"}) + request({"SUBSCRIBE", "news"}) + request({"MULTI"}) +
                    request({"EVAL", kTellsMuch, "0"}) + request({"SUBSCRIBE", "more"}) +
                    request({"EXEC"}));
  turn.run();
  turn.run();
  BOOST_TEST(turns == 1);
  BOOST_TEST(!busy_wire.is_open);
  other_wire.sent.clear();
  BOOST_TEST(run(other, other_wire, "PUBSUB NUMSUB news more") == "*4 $4 news :0 $4 more :0 ");
}

// The batch is executed early when a client's bytes fill it: what stands behind them waits.
BOOST_AUTO_TEST_CASE(a_client_whose_bytes_are_being_taken_is_left_alone) {
  Wire& busy_wire = add_wire();
  Wire& other_wire = add_wire();
  Client& busy = connect(busy_wire);
  Client& other = connect(other_wire);
  poll = [&] {
    BOOST_TEST(turn.space_for(busy).empty());
    BOOST_TEST(turn.space_for(other).empty());
    Wire& killer_wire = add_wire();
    receive(connect(killer_wire), request({"SCRIPT", "KILL"}));
  };
  receive(busy, request({"EVAL", kEndless, "0"}));
  std::string many;
  for (int i = 0; i < 600; ++i) many += request({"INCR", "n"});
  receive(other, many);
  turn.run();
  BOOST_TEST(turns == 1);
  BOOST_TEST(other_wire.sent.ends_with("\r\n:600\r\n"));
}

BOOST_AUTO_TEST_SUITE_END()
