// Why it was slow, as the engine says it. The counter of cycles is the processor's own: what takes
// how long is not known here, but what has a part in it and what the parts add up to is.
#include "engine/slow_turns.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "engine/side_work.h"
#include "test/commands/command_fixture.h"

namespace roxdb::engine {
namespace {

using Span = SideWork::Span;

constexpr uint64_t kMs = 1'000'000;

struct OneBatch final : Batch {
  size_t position() const override { return at; }
  size_t at = 0;
};

struct Listener final : SlowTurns {
  void on_slow_turn(const SlowTurn& turn) override { turns.push_back(turn); }
  void on_log_sync(uint64_t, uint64_t) override {}
  void on_stall(Cause cause, uint64_t duration_ns) override {
    stalls.emplace_back(cause, duration_ns);
  }
  std::vector<SlowTurn> turns;
  std::vector<std::pair<Cause, uint64_t>> stalls;
};

// An engine to which everything is slow.
struct Fixture : commands::test::CommandFixture {
  Fixture() {
    engine.services.provide<SlowTurns>(&listener);
    observe(0);
  }
  ~Fixture() { engine.stop_observing(this); }

  void observe(uint64_t threshold_ns) {
    engine.observe(this, threshold_ns, [this](const Execution& one) {
      slow.push_back({one.command.full_name, one.duration_ns, one.turn, one.why});
    });
  }
  void end_turn() {
    const uint64_t now = engine.side_work.began(Span::kCommand);
    engine.end_turn(now, now);
  }

  struct Slow {
    std::string name;
    uint64_t duration_ns;
    uint64_t turn;
    Breakdown why;
  };
  OneBatch batch;
  Listener listener;
  std::vector<Slow> slow;
};

uint64_t sum_of(const Breakdown& why) {
  uint64_t sum = 0;
  why.for_each([&sum](Cause cause, const Share& share) {
    if (cause != Cause::kWaiting) sum += share.ns;
  });
  return sum;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(engine_slow_turns, Fixture)

BOOST_AUTO_TEST_CASE(side_work_belongs_to_the_spans_in_which_it_was_done) {
  SideWork work;
  work.begin(Span::kTurn, 10);
  work.begin(Span::kRequest, 10);
  work.begin(Span::kCommand, 10);
  work.add(Cause::kExpiry, 5);
  work.begin(Span::kCommand, 20);  // the second command of an EXEC
  work.add(Cause::kExpiry, 7, 3);
  work.add(Cause::kEviction, 1);
  BOOST_TEST(work.of(Span::kCommand, 20, Cause::kExpiry).cycles == 7u);
  BOOST_TEST(work.of(Span::kCommand, 20, Cause::kExpiry).count == 3u);
  BOOST_TEST(work.of(Span::kRequest, 10, Cause::kExpiry).cycles == 12u);
  BOOST_TEST(work.of(Span::kRequest, 10, Cause::kExpiry).count == 4u);
  BOOST_TEST(work.of(Span::kTurn, 10, Cause::kEviction).count == 1u);
  work.begin(Span::kRequest, 30);
  BOOST_TEST(work.of(Span::kRequest, 30, Cause::kExpiry).count == 0u);
  work.add(Cause::kFork, 1);
  BOOST_TEST(work.of(Span::kRequest, 30, Cause::kExpiry).count == 0u);
  BOOST_TEST(work.of(Span::kRequest, 10, Cause::kExpiry).count == 0u);  // it is over
  BOOST_TEST(work.of(Span::kTurn, 10, Cause::kExpiry).count == 4u);
}

BOOST_AUTO_TEST_CASE(the_parts_add_up_to_the_whole) {
  engine.begin_turn(batch, 1);
  for (int i = 0; i < 2000; ++i) run_args({"SET", "key:" + std::to_string(i), "v"});
  end_turn();
  BOOST_TEST_REQUIRE(listener.turns.size() == 1u);
  for (const Slow& one : slow) BOOST_TEST(sum_of(one.why) <= one.duration_ns);
  for (const Slow& one : slow) BOOST_TEST(sum_of(one.why) + kCauses >= one.duration_ns);
  const SlowTurn& turn = listener.turns.front();
  BOOST_TEST(sum_of(turn.why) <= turn.duration_ns);
  BOOST_TEST(sum_of(turn.why) + kCauses >= turn.duration_ns);
  BOOST_TEST(turn.requests == 1u);
}

BOOST_AUTO_TEST_CASE(growth_of_the_table_is_told_where_it_happened) {
  for (int i = 0; i < 2000; ++i) run_args({"SET", "key:" + std::to_string(i), "v"});
  size_t growths = 0;
  for (const Slow& one : slow) growths += one.why[Cause::kTableSplit].count;
  BOOST_TEST(growths > 10u);    // segments hold some 400 keys, and begin small
  BOOST_TEST(growths < 1000u);  // most found a place
  slow.clear();
  run("SET key:7 again");
  BOOST_TEST(slow.back().why[Cause::kTableSplit].count == 0u);
}

BOOST_AUTO_TEST_CASE(a_key_that_was_due_is_told) {
  run("SET gone 1 PX 5");
  run("SET here 1");
  advance_ms(10);
  run("GET gone");
  BOOST_TEST(slow.back().why[Cause::kExpiry].count == 1u);
  BOOST_TEST(slow.back().why[Cause::kExpiry].ns > 0u);
  run("GET here");
  BOOST_TEST(slow.back().why[Cause::kExpiry].count == 0u);
}

BOOST_AUTO_TEST_CASE(who_came_first_and_who_had_to_wait_is_told) {
  engine.begin_turn(batch, 10);
  run("SET a 1");
  batch.at = 3;
  run("SORT nosuch");
  const Slow& sort = slow.back();
  BOOST_TEST(sort.why[Cause::kWaiting].count == 3u);
  BOOST_TEST(sort.turn == engine.turn_serial());
  end_turn();
  BOOST_TEST_REQUIRE(listener.turns.size() == 1u);
  const SlowTurn& turn = listener.turns.front();
  BOOST_TEST(turn.requests == 10u);
  BOOST_TEST(turn.serial == sort.turn);
  BOOST_TEST(turn.why[Cause::kWaiting].count == 9u);  // all others behind the first one
  BOOST_TEST(turn.why[Cause::kWaiting].ns <= turn.duration_ns);
  BOOST_TEST(turn.slowest_ns > 0u);
  BOOST_TEST(engine.turn_serial() == 0u);
}

// Client-side caching hears of every command: that makes none of them slow.
BOOST_AUTO_TEST_CASE(who_hears_of_all_finds_nothing_slow) {
  engine.stop_observing(this);
  size_t heard = 0;
  bool was_explained = false;
  engine.observe_all(this, [&](const Execution& one) {
    ++heard;
    one.why.for_each([&](Cause, const Share&) { was_explained = true; });
  });
  for (const bool ticked : {false, true}) {
    if (ticked) engine.tick(0);
    BOOST_TEST(engine.slow_ns() == UINT64_MAX);
    engine.begin_turn(batch, 1);
    run("SET a 1");
    end_turn();
  }
  BOOST_TEST(heard == 2u);
  BOOST_TEST(!was_explained);
  BOOST_TEST(listener.turns.empty());
}

BOOST_AUTO_TEST_CASE(what_nobody_asks_for_is_told_to_nobody) {
  observe(3'600'000 * kMs);
  slow.clear();
  engine.tick(0);
  engine.begin_turn(batch, 1);
  run("SET a 1");
  end_turn();
  engine.stalled(Cause::kFork, 3'599'999 * kMs);
  BOOST_TEST(slow.empty());
  BOOST_TEST(listener.turns.empty());
  BOOST_TEST(listener.stalls.empty());
  engine.stop_observing(this);
  engine.stalled(Cause::kFork, 3'600'001 * kMs);
  BOOST_TEST(listener.stalls.empty());
}

BOOST_AUTO_TEST_CASE(what_keeps_everybody_waiting_counts_for_the_turn_or_for_itself) {
  engine.stalled(Cause::kFork, kMs - 1);  // nobody notices
  engine.stalled(Cause::kFork, 30 * kMs);
  BOOST_TEST_REQUIRE(listener.stalls.size() == 1u);
  BOOST_TEST((listener.stalls.front() == std::pair(Cause::kFork, 30 * kMs)));
  engine.begin_turn(batch, 1);
  engine.stalled(Cause::kFork, 1);
  end_turn();
  BOOST_TEST(listener.stalls.size() == 1u);
  BOOST_TEST(listener.turns.front().why[Cause::kFork].count == 1u);
}

// Pages that a command touches for the first time are counted like those that it copies.
BOOST_AUTO_TEST_CASE(page_faults_are_told_while_a_child_shares_the_pages) {
  engine.forked(kMs);
  run("SETRANGE without 30000000 x");
  BOOST_TEST(slow.back().why[Cause::kPageFaults].count == 0u);
  engine.freeze_access = true;
  run("SETRANGE with 30000000 x");
  BOOST_TEST(slow.back().why[Cause::kPageFaults].count > 0u);
  BOOST_TEST(sum_of(slow.back().why) <= slow.back().duration_ns);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::engine
