// LATENCY and what it is made from. Time is the simulated world's: only what a test reports takes
// any.
#include "test/commands/server/server_fixture.h"

namespace roxdb::commands {
namespace {

constexpr uint64_t kMs = 1'000'000;

struct Fixture : test::ServerFixture {
  Fixture() { run("CONFIG SET latency-monitor-threshold 10"); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_latency, Fixture)

BOOST_AUTO_TEST_CASE(the_worst_of_each_second_is_kept) {
  state.latency.report("fork", 9 * kMs);
  BOOST_TEST(run("LATENCY LATEST") == "*[]");
  state.latency.report("fork", 12 * kMs);
  state.latency.report("fork", 30 * kMs);
  state.latency.report("fork", 20 * kMs);
  BOOST_TEST(run("LATENCY LATEST") == "*[*[$fork :1700000000 :30 :30 :62 :3]]");
  environment.advance_ms(5000);
  state.latency.report("fork", 11 * kMs);
  state.latency.report("aof-write", 11 * kMs);
  BOOST_TEST(run("LATENCY LATEST") ==
             "*[*[$aof-write :1700000005 :11 :11 :11 :1] *[$fork :1700000005 :11 :30 :73 :4]]");
  BOOST_TEST(run("LATENCY HISTORY fork") == "*[*[:1700000000 :30] *[:1700000005 :11]]");
  BOOST_TEST(run("LATENCY RESET fork nosuch") == ":1");
  BOOST_TEST(run("LATENCY HISTORY fork") == "*[]");
  BOOST_TEST(run("LATENCY RESET") == ":1");
}

BOOST_AUTO_TEST_CASE(the_last_160_are_kept) {
  for (int i = 0; i < 200; ++i) {
    environment.advance_ms(1000);
    state.latency.report("fork", 15 * kMs);
  }
  BOOST_TEST(state.latency.events().at("fork").samples.size() == 160u);
  BOOST_TEST(state.latency.events().at("fork").samples.front().time_s == 1'700'000'041);
}

BOOST_AUTO_TEST_CASE(a_threshold_of_zero_keeps_nothing) {
  run("CONFIG SET latency-monitor-threshold 0");
  state.latency.report("fork", 1000 * kMs);
  BOOST_TEST(run("LATENCY LATEST") == "*[]");
  BOOST_TEST(run("LATENCY DOCTOR").find("the latency monitor is off") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(slow_commands_are_events) {
  // A cycle of the processor is taken for a nanosecond as long as nobody knows better: with this
  // threshold everything is slow.
  engine::Execution slow{*engine.commands().find_name("get"), session, {}, 25 * kMs};
  state.latency.report((slow.command.spec->flags & engine::kFast) != 0 ? "fast-command" : "command",
                       slow.duration_ns);
  BOOST_TEST(run("LATENCY LATEST") == "*[*[$fast-command :1700000000 :25 :25 :25 :1]]");
}

BOOST_AUTO_TEST_CASE(a_graph_has_a_column_for_each_sample) {
  for (const uint64_t ms : {10, 20, 40, 10}) {
    state.latency.report("fork", ms * kMs);
    environment.advance_ms(60'000);
  }
  const std::string graph =
      latency_graph(state.latency.events().at("fork"), "fork", kStartMs / 1000 + 240);
  BOOST_TEST(graph == "fork - high 40 ms, low 10 ms (all time high 40 ms)\n" +
                          std::string(80, '-') +
                          "\n"
                          "  # \n"
                          "  | \n"
                          " _| \n"
                          "_||_\n"
                          "\n"
                          "4321\n"
                          "mmmm\n");
}

BOOST_AUTO_TEST_CASE(the_report_names_what_stands_out_and_what_helps) {
  BOOST_TEST(run("LATENCY DOCTOR").find("All is well") != std::string::npos);
  state.latency.report("fork", 10 * kMs);
  environment.advance_ms(4000);
  state.latency.report("fork", 30 * kMs);
  const std::string report = run("LATENCY DOCTOR");
  BOOST_TEST(report.find("fork: 2 latency spikes (average 20ms, mean deviation 10ms, period 2.00 "
                         "sec). Worst all time event 30ms.") != std::string::npos,
             report);
  BOOST_TEST(report.find("Starting a snapshot") != std::string::npos);
  BOOST_TEST(report.find("Keys are evicted") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_histogram_counts_the_calls_of_each_command) {
  run("CONFIG RESETSTAT");
  run("SET a 1");
  run("GET a");
  run("GET a");
  const std::string text = run("LATENCY HISTOGRAM get set nosuch config");
  BOOST_TEST(text.find("$get %{$calls :2 $histogram_usec %{") != std::string::npos, text);
  BOOST_TEST(text.find("$set %{$calls :1 $histogram_usec %{") != std::string::npos, text);
  BOOST_TEST(text.find("$config|resetstat %{$calls :1 ") != std::string::npos, text);
  BOOST_TEST(run("LATENCY HISTOGRAM del") == "%{}");
  const std::string info = engine.info.text("latencystats");
  BOOST_TEST(info.find("latency_percentiles_usec_get:p50=") != std::string::npos, info);
  BOOST_TEST(info.find(",p99.9=") != std::string::npos, info);
  run("CONFIG SET latency-tracking-info-percentiles \"25 75.5\"");
  BOOST_TEST(engine.info.text("latencystats").find(",p75.5=") != std::string::npos);
  BOOST_TEST(run("CONFIG SET latency-tracking-info-percentiles 101").starts_with("-ERR "));
  run("CONFIG SET latency-tracking no");
  run("CONFIG RESETSTAT");
  run("GET a");
  BOOST_TEST(run("LATENCY HISTOGRAM get") == "%{}");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::commands
