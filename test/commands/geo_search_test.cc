#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>

#include <fmt/core.h>

#include "base/random.h"
#include "test/commands/command_fixture.h"

namespace {

struct SicilyFixture : roxdb::commands::test::CommandFixture {
  SicilyFixture() {
    run("GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania");
    run("GEOADD k 12.758489 38.788135 edge1 17.241510 38.788135 edge2");
    log();
    events();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_geo_search, SicilyFixture)

BOOST_AUTO_TEST_CASE(shapes_hold_what_lies_within_them) {
  check({{"GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km ASC", "*[$Catania $Palermo]"},
         {"GEOSEARCH k FROMLONLAT 15 37 BYBOX 400 400 km ASC WITHDIST",
          "*[*[$Catania $56.4413] *[$Palermo $190.4424] *[$edge2 $279.7403] *[$edge1 $279.7405]]"},
         {"GEOSEARCH k FROMMEMBER Catania BYRADIUS 0 m", "*[$Catania]"},
         {"GEOSEARCH k FROMLONLAT 0 0 BYRADIUS 1 m", "*[]"},
         {"GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 30000 km DESC COUNT 1", "*[$edge1]"},
         {"GEOSEARCH missing FROMMEMBER x BYRADIUS 1 km", "*[]"},
         {"GEORADIUSBYMEMBER missing x nonsense z", "*[]"}});
}

BOOST_AUTO_TEST_CASE(what_is_shown_comes_in_a_fixed_order) {
  check({{"GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 100 km WITHCOORD WITHHASH WITHDIST",
          "*[*[$Catania $56.4413 :3479447370796909 *[$15.08726745843887329 "
          "$37.50266842333162032]]]"}});
}

BOOST_AUTO_TEST_CASE(a_count_takes_the_nearest_unless_any_will_do) {
  check({{"GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 400 km COUNT 1", "*[$Catania]"},
         {"GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 400 km COUNT 2 DESC", "*[$edge1 $edge2]"},
         {"GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 400 km ANY",
          "-ERR the ANY argument requires COUNT argument"},
         {"GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 400 km COUNT 0", "-ERR COUNT must be > 0"}});
  for (int count = 1; count <= 6; ++count) {
    const std::string found =
        run("GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 400 km COUNT " + std::to_string(count) + " ANY");
    BOOST_TEST(std::count(found.begin(), found.end(), '$') == std::min(count, 4));
  }
}

BOOST_AUTO_TEST_CASE(a_polygon_has_its_own_center) {
  check({{"GEOSEARCH k BYPOLYGON 4 12 37 16 37 16 38.5 12 38.5 ASC", "*[$Palermo $Catania]"},
         {"GEOSEARCH k BYPOLYGON 3 12 39 14 39 13 37 ASC", "*[$Palermo $edge1]"},
         {"GEOSEARCH k BYPOLYGON 3 12 39 14 39 13 38.5", "*[$edge1]"},
         // A concave one: Catania lies in its notch.
         {"GEOSEARCH k BYPOLYGON 5 12 36 18 36 18 41 15 37 12 41 ASC", "*[$Palermo $edge2 $edge1]"},
         {"GEOSEARCH k BYPOLYGON 2 12 36 18 36 WITHDIST",
          "-ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"},
         {"GEOSEARCH k BYPOLYGON 4 12 36 18 36 18 39",
          "-ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"},
         {"GEOSEARCH k BYPOLYGON 9223372036854775807 12 36 18 36",
          "-ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"},
         {"GEOSEARCH k FROMMEMBER edge1 BYPOLYGON 3 12 39 14 39 13 37", "-ERR syntax error"},
         {"GEOSEARCH k BYPOLYGON 3 12 39 14 39 13 37 FROMLONLAT 12 37", "-ERR syntax error"}});
}

BOOST_AUTO_TEST_CASE(requests_that_say_too_much_or_too_little_are_refused) {
  const std::string from = "-ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ";
  const std::string by = "-ERR exactly one of BYRADIUS and BYBOX can be specified for ";
  check({{"geosearch k BYRADIUS 1 km ASC WITHDIST", from + "geosearch"},
         {"GEOSEARCH k FROMLONLAT 15 37 ASC WITHDIST", by + "GEOSEARCH"},
         {"GEOSEARCH k FROMLONLAT 15 37 FROMMEMBER Palermo BYRADIUS 1 km", "-ERR syntax error"},
         {"GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 1 km BYBOX 1 1 km", "-ERR syntax error"},
         {"GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 1 km STOREDIST", "-ERR syntax error"},
         {"GEOSEARCH k FROMLONLAT 15 37 BYRADIUS x km", "-ERR need numeric radius"},
         {"GEOSEARCH k FROMLONLAT 15 37 BYRADIUS -1 km", "-ERR radius cannot be negative"},
         {"GEOSEARCH k FROMLONLAT 15 37 BYBOX x 1 km", "-ERR need numeric width"},
         {"GEOSEARCH k FROMLONLAT 15 37 BYBOX 1 x km", "-ERR need numeric height"},
         {"GEOSEARCH k FROMLONLAT 15 37 BYBOX 1 -1 km", "-ERR height or width cannot be negative"},
         {"GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 1 yd",
          "-ERR unsupported unit provided. please use M, KM, FT, MI"},
         {"GEOSEARCHSTORE d k FROMLONLAT 15 37 BYRADIUS 1 km WITHDIST",
          "-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options"},
         {"GEORADIUS k 15 37 1 km STORE d WITHCOORD",
          "-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD "
          "options"},
         {"GEORADIUSBYMEMBER k x 1 km", "-ERR could not decode requested zset member"}});
}

BOOST_AUTO_TEST_CASE(what_is_stored_replaces_the_destination) {
  put_other_type("d");
  check({{"GEOSEARCHSTORE d k FROMLONLAT 15 37 BYRADIUS 200 km", ":2"},
         {"GEODIST d Palermo Catania", "$166274.1516"},
         {"GEORADIUS k 15 37 200 km STORE e STOREDIST d COUNT 1", ":1"},
         {"ZRANGE d 0 -1 WITHSCORES", "*[$Catania ,56.4412578701582]"},
         {"EXISTS e", ":0"},
         {"GEOSEARCHSTORE d k FROMLONLAT 0 0 BYRADIUS 1 m", ":0"},
         {"EXISTS d", ":0"},
         {"GEOSEARCHSTORE d missing FROMMEMBER x BYRADIUS 1 m", ":0"}});
  events();
  run("GEORADIUS k 15 37 200 km STORE d");
  run("GEOSEARCHSTORE d k FROMLONLAT 15 37 BYRADIUS 200 km");
  run("GEOSEARCHSTORE d k FROMLONLAT 0 0 BYRADIUS 1 m");
  BOOST_TEST(events() == "new:d georadiusstore:d geosearchstore:d del:d");
}

// Searching cells finds what looking at every member finds, all over the world.
BOOST_AUTO_TEST_CASE(no_member_of_a_circle_is_missed) {
  roxdb::Random random(5);
  const auto between = [&](double low, double high) {
    return low + (high - low) * static_cast<double>(random.below(1'000'000)) / 1e6;
  };
  engine.limits.zset_packed_entries = 0;
  for (int i = 0; i < 400; ++i) {
    run(fmt::format("GEOADD world {} {} m{}", between(-180, 180), between(-84, 84), i));
  }
  for (int i = 0; i < 60; ++i) {
    const std::string center = fmt::format("c {} {}", between(-150, 150), between(-60, 60));
    const double radius = between(1, 2'000);
    run("DEL all");
    run("ZUNIONSTORE all 1 world");
    run(fmt::format("GEOADD all {} c", center.substr(2)));
    int expected = 0;
    for (int member = 0; member < 400; ++member) {
      const std::string distance = run(fmt::format("GEODIST all c m{} km", member));
      expected += std::stod(distance.substr(1)) <= radius;
    }
    const std::string found =
        run(fmt::format("GEOSEARCH world FROMLONLAT {} BYRADIUS {} km", center.substr(2), radius));
    BOOST_TEST(std::count(found.begin(), found.end(), '$') == expected);
  }
}

BOOST_AUTO_TEST_SUITE_END()
