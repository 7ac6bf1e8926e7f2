#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_hash_getex, roxdb::commands::test::CommandFixture)

BOOST_AUTO_TEST_CASE(hgetdel_returns_and_removes) {
  check({{"HSET h f 1 g 2 i 3", ":3"}});
  log();
  events();
  BOOST_TEST(run("HGETDEL h FIELDS 3 f x f") == "*[$1 $nil $nil]");
  BOOST_TEST(log() == "HDEL h f");
  BOOST_TEST(events() == "hdel:h");
  BOOST_TEST(run("HGETDEL h FIELDS 1 x") == "*[$nil]");
  BOOST_TEST(log() == "");
  BOOST_TEST(run("HGETDEL h FIELDS 2 g i") == "*[$2 $3]");
  BOOST_TEST(events() == "hdel:h del:h");
  check({{"HGETDEL h FIELDS 2 g i", "*[$nil $nil]"},
         {"HGETDEL h FIELDS 0 g", "-ERR Number of fields must be a positive integer"},
         {"HGETDEL h FIELDS 2 g",
          "-ERR The `numfields` parameter must match the number of arguments"},
         {"HGETDEL h FIELD 1 g",
          "-ERR Mandatory argument FIELDS is missing or not at the right position"}});
}

BOOST_AUTO_TEST_CASE(hgetex_reads_and_sets_an_expiry) {
  check_log({{"HSET h f 1 g 2", "HSET h f 1 g 2"},
             {"HGETEX h FIELDS 1 f", ""},
             {"HGETEX h EX 10 FIELDS 2 f x", "HPEXPIREAT h 1700000010000 FIELDS 1 f"},
             {"HGETEX h PERSIST FIELDS 2 f g", "HPERSIST h FIELDS 1 f"},
             {"HGETEX h PERSIST FIELDS 2 f g", ""},
             {"HGETEX h PXAT 1700000000001 FIELDS 1 f", "HPEXPIREAT h 1700000000001 FIELDS 1 f"},
             {"HGETEX h EXAT 1 FIELDS 2 f f", "HDEL h f"}});
  events();
  BOOST_TEST(run("HGETEX h PX 0 FIELDS 1 g") == "*[$2]");
  BOOST_TEST(events() == "hdel:h del:h");
  const std::string missing =
      "-ERR Mandatory argument FIELDS is missing or not at the right position";
  check({{"HGETEX h EX 10 FIELDS 2 f g", "*[$nil $nil]"},
         {"EXISTS h", ":0"},
         {"HGETEX h EX 10 FIELDS", "-ERR wrong number of arguments for 'hgetex' command"},
         {"HGETEX h EX x FIELDS 1 f", "-ERR value is not an integer or out of range"},
         {"HGETEX h EX -1 FIELDS 1 f", "-ERR invalid expire time, must be >= 0"},
         {"HGETEX h EX 10 PERSIST FIELDS 1 f", missing},
         {"HGETEX h NX FIELDS 1 f", missing},
         {"HGETEX h FIELDS 1 f g",
          "-ERR The `numfields` parameter must match the number of arguments"}});
}

BOOST_AUTO_TEST_CASE(hgetex_says_which_part_is_missing) {
  check({{"HGETEX h PXAT 1 1", "-ERR wrong number of arguments for 'hgetex' command"},
         {"HGETEX h PXAT 1 FIELDS", "-ERR wrong number of arguments for 'hgetex' command"},
         {"HGETEX h PXAT 1 1 f",
          "-ERR Mandatory argument FIELDS is missing or not at the right position"}});
}

BOOST_AUTO_TEST_CASE(hsetex_sets_all_or_none) {
  check_log({{"HSETEX h FXX FIELDS 1 f 1", ""},
             {"HSETEX h EX 10 FIELDS 2 f 1 g 2", "HSETEX h PXAT 1700000010000 FIELDS 2 f 1 g 2"},
             {"HSETEX h FNX FIELDS 2 x 1 g 2", ""},
             {"HSETEX h FXX FIELDS 2 x 1 g 2", ""},
             {"HSETEX h FXX KEEPTTL FIELDS 1 f 2", "HSETEX h KEEPTTL FIELDS 1 f 2"},
             {"HSETEX h FNX FIELDS 1 x 2", "HSET h x 2"},
             {"HSETEX h NX FIELDS 1 y 2", ""},
             {"HSETEX none XX FIELDS 1 y 2", ""},
             {"HSETEX h XX FNX PX 5 FIELDS 1 y 2", "HSETEX h PXAT 1700000000005 FIELDS 1 y 2"},
             {"HSETEX h PXAT 5 FIELDS 2 y 2 none 3", "HDEL h y"}});
  check({{"HGETALL h", "%{$f $2 $g $2 $x $2}"},
         {"HTTL h FIELDS 3 f g x", "*[:10 :10 :-1]"},
         {"EXISTS none", ":0"},
         {"HSETEX none EXAT 1 FIELDS 1 f 1", ":1"},
         {"EXISTS none", ":0"}});
  events();
  run("HSETEX n EX 10 FIELDS 1 f 1");
  BOOST_TEST(events() == "new:n hset:n hexpire:n");
  run("HSETEX n FIELDS 1 f 1");
  BOOST_TEST(events() == "hset:n");
}

BOOST_AUTO_TEST_CASE(hsetex_refuses_what_redis_refuses) {
  const std::string arity = "-ERR wrong number of arguments for 'hsetex' command";
  check(
      {{"HSETEX h FIELDS 1 f", arity},
       {"HSETEX h FIELDS 2 f 1", arity},
       {"HSETEX h FIELDS 1 f 1 g", arity},
       {"HSETEX h EX 10 FNX FIELDS", arity},
       {"HSETEX h FIELDS 0 f 1", "-ERR invalid number of fields"},
       {"HSETEX h FIELDS x f 1", "-ERR invalid number of fields"},
       {"HSETEX h EX 10 PX 10 FIELDS 1 f 1",
        "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"},
       {"HSETEX h EX 10 KEEPTTL FIELDS 1 f 1",
        "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"},
       {"HSETEX h FNX FXX FIELDS 1 f 1", "-ERR Only one of FXX or FNX arguments can be specified"},
       {"HSETEX h NX XX FIELDS 1 f 1", "-ERR Only one of XX or NX arguments can be specified"},
       {"HSETEX h NONSENSE FIELDS 1 f 1", "-ERR unknown argument: NONSENSE"},
       {"HSETEX h FNX FXX KEEPTTL EX", "-ERR Only one of FXX or FNX arguments can be specified"},
       {"HSETEX h FNX NX KEEPTTL FNX", "-ERR Only one of FXX or FNX arguments can be specified"},
       {"HSETEX h FNX NX f EX", "-ERR unknown argument: f"},
       {"HSETEX h FNX NX NX EX", "-ERR Only one of XX or NX arguments can be specified"},
       {"HSETEX h FNX XX EX 1", arity},
       {"HSETEX h FNX XX EX x FIELDS 1 f 1", "-ERR value is not an integer or out of range"},
       {"EXISTS h", ":0"}});
}

BOOST_AUTO_TEST_SUITE_END()
