#include "commands/server/drawing.h"
#include "test/commands/server/server_fixture.h"

namespace roxdb::commands {

BOOST_FIXTURE_TEST_SUITE(commands_server, test::ServerFixture)

BOOST_AUTO_TEST_CASE(a_flush_empties_what_it_names_and_is_logged_where_it_was_said) {
  check({{"SET a 1", "+OK"}, {"SELECT 2", "+OK"}, {"SET b 1", "+OK"}, {"SET c 1", "+OK"}});
  recorder.log.clear();
  BOOST_TEST(run("FLUSHDB ASYNC") == "+OK");
  BOOST_TEST_REQUIRE(recorder.log.size() == 1u);
  BOOST_TEST(recorder.log[0].db == 2);
  BOOST_TEST(log() == "FLUSHDB ASYNC");
  BOOST_TEST(engine.size() == 1u);
  BOOST_TEST(engine.statistics.freed_in_background == 2u);
  BOOST_TEST(engine.statistics.being_freed == 0u);

  BOOST_TEST(run("FLUSHALL SYNC") == "+OK");
  BOOST_TEST(log() == "FLUSHALL SYNC");
  BOOST_TEST(engine.size() == 0u);
  BOOST_TEST(engine.statistics.freed_in_background == 2u);
}

BOOST_AUTO_TEST_CASE(a_refused_flush_removes_nothing) {
  run("SET a 1");
  log();
  for (const std::string_view request :
       {"FLUSHALL x", "FLUSHALL SYNC ASYNC", "FLUSHDB x", "FLUSHDB ASYNC SYNC"}) {
    BOOST_TEST(run(request) == "-ERR syntax error");
  }
  BOOST_TEST(engine.size() == 1u);
  BOOST_TEST(log() == "");
}

BOOST_AUTO_TEST_CASE(databases_change_places_for_everybody) {
  check({{"SET a zero", "+OK"}, {"SELECT 1", "+OK"}, {"SET a one", "+OK"}});
  log();
  check({{"SWAPDB 0 1", "+OK"}, {"GET a", "$zero"}, {"SELECT 0", "+OK"}, {"GET a", "$one"}});
  BOOST_TEST(log() == "SWAPDB 0 1");
  check({{"SWAPDB 1 1", "+OK"},
         {"SWAPDB 0 16", "-ERR DB index is out of range"},
         {"SWAPDB -1 0", "-ERR DB index is out of range"},
         {"SWAPDB 0 b", "-ERR invalid second DB index"}});
  BOOST_TEST(log() == "");
}

BOOST_AUTO_TEST_CASE(time_is_that_of_the_environment) {
  environment.set_wall_us(1'700'000'123'000'456);
  BOOST_TEST(run("TIME") == "*[$1700000123 $456]");
}

// Whatever size is asked for, a picture has a bounded one.
BOOST_AUTO_TEST_CASE(drawings_have_the_size_asked_for_within_bounds) {
  Random random(1);
  for (const auto& [columns, rows, width, height] : {std::array<int64_t, 4>{64, 24, 64, 24},
                                                     {8, 1, 8, 1},
                                                     {-5, -5, 8, 1},
                                                     {INT64_MAX, INT64_MAX, 200, 100}}) {
    const std::string text = draw_automaton(random, columns, rows);
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') == height);
    const std::string line = text.substr(0, text.find('\n'));
    // A full cell is three bytes of UTF-8.
    const int64_t cells = std::count_if(line.begin(), line.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    });
    BOOST_TEST(cells == width);
  }
  BOOST_TEST(run("LOLWUT").ends_with("RoxDB ver. 0.1.0\\x0a"));
  BOOST_TEST(run("LOLWUT VERSION 5 20 3").ends_with("RoxDB ver. 0.1.0\\x0a"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::commands
