// What is kept of slow turns, and how it is shown. Turns are made up, time is the simulated
// world's.
#include "commands/server/why_slow.h"

#include "test/commands/server/server_fixture.h"

namespace roxdb::commands {
namespace {

using engine::Cause;

constexpr uint64_t kMs = 1'000'000;

struct Fixture : test::ServerFixture {
  // What takes less than an hour is not slow: only what a test makes up is.
  Fixture() { run("CONFIG SET slowlog-log-slower-than 3600000000"); }

  void slow_turn(uint64_t serial, uint64_t executing_ms, uint64_t log_ms) {
    engine::SlowTurn turn{.serial = serial,
                          .duration_ns = (executing_ms + log_ms) * kMs,
                          .requests = 3,
                          .slowest = engine.commands().find_name("sort"),
                          .slowest_ns = executing_ms * kMs,
                          .why = {}};
    turn.why[Cause::kExecuting] = {executing_ms * kMs, 1};
    turn.why[Cause::kWaiting] = {executing_ms * kMs, 2};
    turn.why[Cause::kLogWrite] = {log_ms * kMs, 1};
    turn.why[Cause::kReply] = {999, 1};  // too little to be counted for a cause
    state.why_slow.on_slow_turn(turn);
  }
  void expect_in(const std::string& text, const std::string& part) {
    BOOST_TEST(text.find(part) != std::string::npos, part << " is not in " << text);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_why_slow, Fixture)

BOOST_AUTO_TEST_CASE(nothing_was_slow) {
  BOOST_TEST(run("LATENCY WHY") ==
             "%{$window-seconds :3600 $slower-than-us :3600000000 $all %{$turns :0 $sum-us :0 "
             "$worst-us :0} $causes %{} $last *[]}");
  BOOST_TEST(why_slow_report(state.why_slow).empty());
  run("CONFIG SET slowlog-log-slower-than -1");
  expect_in(run("LATENCY WHY"), "$slower-than-us :-1");
}

BOOST_AUTO_TEST_CASE(causes_are_added_up_and_the_last_turns_shown) {
  slow_turn(1, 30, 1);
  environment.advance_ms(1000);
  slow_turn(2, 10, 50);
  const std::string text = run("LATENCY WHY 1");
  expect_in(text, "$all %{$turns :2 $sum-us :91000 $worst-us :60000}");
  expect_in(text,
            "$causes %{$waiting %{$turns :2 $sum-us :40000 $worst-us :30000} $executing %{$turns "
            ":2 $sum-us :40000 $worst-us :30000} $log-write %{$turns :2 $sum-us :51000 $worst-us "
            ":50000}}");
  expect_in(text,
            "$last *[%{$time :1700000001 $duration-us :60000 $requests :3 $slowest $sort "
            "$slowest-us :10000 $why %{$waiting %{$us :10000 $count :2} $executing %{$us :10000 "
            "$count :1} $log-write %{$us :50000 $count :1} $reply %{$us :0 $count :1}}}]");
  check({{"LATENCY WHY -2", "-ERR count should be greater than or equal to -1"},
         {"LATENCY WHY x", "-ERR value is not an integer or out of range"}});
}

BOOST_AUTO_TEST_CASE(an_hour_is_remembered) {
  slow_turn(1, 30, 1);
  environment.advance_ms(30 * 60'000);
  slow_turn(2, 10, 1);
  BOOST_TEST(state.why_slow.totals().all.turns == 2u);
  environment.advance_ms(30 * 60'000);
  BOOST_TEST(state.why_slow.totals().all.turns == 1u);
  BOOST_TEST(state.why_slow.totals().all.worst_ns == 11 * kMs);
  slow_turn(3, 5, 0);  // in the place of the first one's minute
  BOOST_TEST(state.why_slow.totals().all.turns == 2u);
  environment.advance_ms(60 * 60'000);
  BOOST_TEST(state.why_slow.totals().all.turns == 0u);
  BOOST_TEST(state.why_slow.last().size() == 3u);
  run("LATENCY RESET command");
  BOOST_TEST(state.why_slow.last().size() == 3u);
  run("LATENCY RESET");
  BOOST_TEST(state.why_slow.last().empty());
}

BOOST_AUTO_TEST_CASE(the_last_128_turns_are_kept) {
  for (uint64_t i = 1; i <= 200; ++i) slow_turn(i, 1, 1);
  BOOST_TEST(state.why_slow.last().size() == 128u);
  BOOST_TEST(state.why_slow.last().front().serial == 200u);
  BOOST_TEST(run("LATENCY WHY -1").size() > run("LATENCY WHY 100").size());
}

// The log's sync ends when the turn is long over.
BOOST_AUTO_TEST_CASE(a_sync_is_added_to_the_turn_that_waited_for_it) {
  slow_turn(1, 10, 1);
  slow_turn(2, 20, 1);
  state.why_slow.on_log_sync(1, 200 * kMs);
  BOOST_TEST(state.why_slow.last().back().duration_ns == 211 * kMs);
  BOOST_TEST(state.why_slow.last().back().why[Cause::kLogSync].ns == 200 * kMs);
  const WhySlow::Totals totals = state.why_slow.totals();
  BOOST_TEST(totals.all.turns == 2u);
  BOOST_TEST(totals.all.worst_ns == 211 * kMs);
  BOOST_TEST(totals.all.sum_ns == 232 * kMs);
  BOOST_TEST(totals.causes[static_cast<size_t>(Cause::kLogSync)].turns == 1u);
  // A turn that was quick itself.
  state.why_slow.on_log_sync(7, 50 * kMs);
  BOOST_TEST(state.why_slow.last().front().duration_ns == 50 * kMs);
  BOOST_TEST(state.why_slow.totals().all.turns == 3u);
}

BOOST_AUTO_TEST_CASE(what_stops_everybody_outside_of_turns_is_an_entry_of_its_own) {
  state.why_slow.on_stall(Cause::kFork, 40 * kMs);
  expect_in(run("LATENCY WHY"),
            "$duration-us :40000 $requests :0 $slowest $ $slowest-us :0 $why %{$fork %{$us :40000 "
            "$count :1}}");
}

BOOST_AUTO_TEST_CASE(records_of_the_slow_log_are_completed) {
  engine::Breakdown why;
  why[Cause::kExecuting] = {15 * kMs, 1};
  const engine::Command& command = *engine.commands().find_name("sort");
  const std::string_view args[] = {"SORT", "k"};
  state.slow_log.add(session, command, args, 15'000, 4, why);
  state.slow_log.add(session, command, args, 16'000, 5, why);
  state.slow_log.add(session, command, args, 17'000);  // in no turn
  slow_turn(4, 15, 2);
  state.why_slow.on_log_sync(4, 3 * kMs);
  state.why_slow.on_log_sync(0, 4 * kMs);  // of those that are in no turn, nobody knows which
  const auto& records = state.slow_log.records();
  BOOST_TEST(records[0].why[Cause::kLogSync].ns == 0u);
  BOOST_TEST(records[0].why[Cause::kLogWrite].ns == 0u);
  BOOST_TEST(records[1].why[Cause::kLogWrite].ns == 0u);
  BOOST_TEST(records[2].why[Cause::kLogWrite].ns == 2 * kMs);
  const std::string text = run("SLOWLOG WHY -1");
  expect_in(text,
            "%{$id :0 $time :1700000000 $duration-us :15000 $command *[$SORT $k] $address $?:0 "
            "$name $ $why %{$executing %{$us :15000 $count :1} $log-write %{$us :2000 $count :1} "
            "$log-sync %{$us :3000 $count :1} $reply %{$us :0 $count :1}}}");
  // Other clients take six fields apart.
  expect_in(run("SLOWLOG GET 1"), "*[*[:2 :1700000000 :17000 *[$SORT $k] $?:0 $]]");
}

BOOST_AUTO_TEST_CASE(the_doctor_says_it_in_words) {
  slow_turn(1, 10, 50);
  const std::string report = run("LATENCY DOCTOR");
  expect_in(report, "there were 1, of 60.0 ms together, the worst of 60.0 ms");
  const size_t log = report.find("- log-write: 50.0 ms in 1 turns, at worst 50.0 ms; ");
  const size_t executing = report.find("- executing: 10.0 ms in 1 turns");
  BOOST_TEST(log != std::string::npos, report);
  BOOST_TEST(executing != std::string::npos, report);
  BOOST_TEST(log < executing);  // what took the most comes first
  BOOST_TEST(text_of(state.why_slow.last().front().why) ==
             "log-write 50.0 ms, waiting 10.0 ms, executing 10.0 ms");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::commands
