#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_geo, roxdb::commands::test::CommandFixture)

// Scores, positions and Geohashes as redis-server 7.0.15 gives them, corners of the map included.
BOOST_AUTO_TEST_CASE(places_become_the_scores_and_digits_that_redis_gives) {
  check({{"GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", ":2"},
         {"GEOADD k -180 -85.05112878 south 180 85.05112878 corner 0 0 zero", ":3"},
         {"ZSCORE k Palermo", ",3479099956230698"},
         {"ZSCORE k south", ",0"},
         {"ZSCORE k zero", ",3377699720527872"},
         {"GEOPOS k zero", "*[*[$0.00000268220901489 $0.00000126736058093]]"},
         {"GEOPOS k south", "*[*[$-179.99999731779098511 $-85.05112751263942528]]"},
         {"ZSCORE k corner", ",13510798882111488"},
         {"GEOPOS k corner", "*[*[$180 $85.0511287799999991]]"},
         {"GEOHASH k Palermo Catania zero", "*[$sqc8b49rny0 $sqdtr74hyu0 $s0000000000]"},
         {"GEOHASH k south corner", "*[$00bh0hbj200 $bp05b5048p0]"},
         {"GEODIST k Palermo Catania", "$166274.1516"},
         {"GEODIST k Palermo Catania mi", "$103.3182"},
         {"GEODIST k Palermo Catania FT", "$545518.8700"},
         {"GEODIST k Palermo Palermo", "$0.0000"}});
}

BOOST_AUTO_TEST_CASE(places_off_the_map_are_refused_before_anything_is_added) {
  check({{"GEOADD k 1 1 a 181 0 b", "-ERR invalid longitude,latitude pair 181.000000,0.000000"},
         {"GEOADD k 0 85.06 a", "-ERR invalid longitude,latitude pair 0.000000,85.060000"},
         {"GEOADD k x 0 a", "-ERR value is not a valid float"},
         {"GEOADD k nan 0 a", "-ERR value is not a valid float"},
         {"GEOADD k 0 0 a 1", "-ERR syntax error"},
         {"GEOADD k NX XX 0 0 a", "-ERR syntax error"},
         {"GEOADD k XX 0 0 a", ":0"},
         {"EXISTS k", ":0"}});
}

BOOST_AUTO_TEST_CASE(absent_keys_and_members_have_no_place) {
  check({{"GEOPOS k a b", "*[*nil *nil]"},
         {"GEOHASH k a", "*[$nil]"},
         {"GEODIST k a b", "$nil"},
         {"GEOPOS k", "*[]"},
         {"GEODIST k a b parsec", "-ERR unsupported unit provided. please use M, KM, FT, MI"},
         {"GEODIST k a b m x", "-ERR syntax error"}});
}

BOOST_AUTO_TEST_CASE(places_are_logged_as_scores) {
  check_log({{"GEOADD k CH 13.361389 38.115556 Palermo", "ZADD k CH 3479099956230698 Palermo"},
             {"GEOADD k NX 0 0 Palermo", ""},
             {"GEOADD k XX CH 0 0 Palermo", "ZADD k XX CH 3377699720527872 Palermo"}});
  events();
  run("GEOADD k 1 1 a");
  BOOST_TEST(events() == "zadd:k");
}

BOOST_AUTO_TEST_CASE(protocol_3_has_doubles_for_coordinates) {
  reply.set_protocol(3);
  check({{"GEOADD k 13.361389 38.115556 Palermo", ":1"},
         {"GEOPOS k Palermo", "*[*[,13.361389338970184 ,38.1155563954963]]"},
         {"GEODIST k Palermo Palermo", "$0.0000"}});
}

BOOST_AUTO_TEST_SUITE_END()
