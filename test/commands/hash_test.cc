#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

BOOST_FIXTURE_TEST_SUITE(commands_hash, roxdb::commands::test::CommandFixture)

namespace {

const std::string kWrongType = "-WRONGTYPE Operation against a key holding the wrong kind of value";

}  // namespace

BOOST_AUTO_TEST_CASE(hset_counts_new_fields_and_sets_all) {
  check({{"HSET h f 1 g 2 f 3", ":2"},
         {"HGETALL h", "%{$f $3 $g $2}"},
         {"HSET h f", "-ERR wrong number of arguments for 'hset' command"},
         {"HSET h f 1 g", "-ERR wrong number of arguments for 'hset' command"},
         {"HMSET h f 1 g", "-ERR wrong number of arguments for 'hmset' command"},
         {"HSET none f 1 g", "-ERR wrong number of arguments for 'hset' command"},
         {"EXISTS none", ":0"},
         {"HSET h \"\" \"\"", ":1"},
         {"HGET h \"\"", "$"}});
}

BOOST_AUTO_TEST_CASE(values_come_back_byte_by_byte_whatever_they_look_like) {
  for (const std::string_view value :
       {"0", "-1", "007", "9223372036854775807", "9223372036854775808", "1.0", "\" 1\"",
        "\"\\x00\\xff\\r\\n\"", "-0"}) {
    BOOST_TEST_CONTEXT(value) {
      run("HSET h " + std::string(value) + " " + std::string(value));
      run("SET s " + std::string(value));
      const std::string expected = run("GET s");
      BOOST_TEST(run("HGET h " + std::string(value)) == expected);
      BOOST_TEST(run("HSTRLEN h " + std::string(value)) == run("STRLEN s"));
    }
  }
}

// The limits are Redis's; one field too many, or one byte.
BOOST_AUTO_TEST_CASE(the_encoding_changes_at_the_configured_limits) {
  check({{"HSET h f 1", ":1"}, {"OBJECT ENCODING h", "$listpack"}});
  run("HSET h g " + std::string(64, 'v'));
  BOOST_TEST(run("OBJECT ENCODING h") == "$listpack");
  run("HSET h g " + std::string(65, 'v'));
  BOOST_TEST(run("OBJECT ENCODING h") == "$hashtable");
  check({{"HDEL h g", ":1"}, {"OBJECT ENCODING h", "$hashtable"}, {"HGET h f", "$1"}});

  engine.limits.hash_packed_entries = 3;
  check({{"HSET n a 1 b 2 c 3", ":3"},
         {"OBJECT ENCODING n", "$listpack"},
         {"HSET n a 4", ":0"},
         {"OBJECT ENCODING n", "$listpack"},
         {"HINCRBY n d 1", ":1"},
         {"OBJECT ENCODING n", "$hashtable"},
         {"HMGET n a b c d", "*[$4 $2 $3 $1]"},
         {"HSET lower a 1 b 2 c 3", ":3"}});
  engine.limits.hash_packed_entries = 2;
  check({{"OBJECT ENCODING lower", "$listpack"},
         {"HSET lower a 4", ":0"},
         {"OBJECT ENCODING lower", "$hashtable"}});
}

BOOST_AUTO_TEST_CASE(a_hash_without_fields_is_no_key) {
  for (const std::string_view limit : {"512", "0"}) {
    engine.limits.hash_packed_entries = limit == "0" ? 0 : 512;
    check({{"HSET h a 1 b 2", ":2"},
           {"HDEL h x y", ":0"},
           {"HDEL h a a b x", ":2"},
           {"EXISTS h", ":0"},
           {"HDEL h a", ":0"}});
  }
}

BOOST_AUTO_TEST_CASE(integers_in_fields_count_up_to_their_limits) {
  const std::string overflow = "-ERR increment or decrement would overflow";
  const std::string refusal = "-ERR hash value is not an integer";
  check({{"HINCRBY h n 9223372036854775807", ":9223372036854775807"},
         {"HINCRBY h n 1", overflow},
         {"HGET h n", "$9223372036854775807"},
         {"HINCRBY none n x", "-ERR value is not an integer or out of range"},
         {"EXISTS none", ":0"},
         {"HSET h s 1.5 t \" 1\"", ":2"},
         {"HINCRBY h s 1", refusal},
         {"HINCRBY h t 1", refusal}});
}

BOOST_AUTO_TEST_CASE(floats_in_fields_count_and_are_logged_as_their_result) {
  check({{"HINCRBYFLOAT h f 10.50", "$10.5"},
         {"HINCRBYFLOAT h f -5e1", "$-39.5"},
         {"HINCRBYFLOAT h f x", "-ERR value is not a valid float"},
         {"HINCRBYFLOAT h f inf", "-ERR value is NaN or Infinity"},
         {"HSET h s abc m 1e4931", ":2"},
         {"HINCRBYFLOAT h s 1", "-ERR hash value is not a float"},
         {"HGET h s", "$abc"}});
  check_log({{"HINCRBYFLOAT h f 0.5", "HSET h f -39"},
             {"HEXPIREAT h 9999999999 FIELDS 1 f", "HPEXPIREAT h 9999999999000 FIELDS 1 f"},
             {"HINCRBYFLOAT h f 1", "HSETEX h KEEPTTL FIELDS 1 f -38"},
             {"HINCRBY h f 1", "HINCRBY h f 1"}});
  BOOST_TEST(run("HEXPIRETIME h FIELDS 1 f") == "*[:9999999999]");
}

BOOST_AUTO_TEST_CASE(changes_are_told_and_logged_and_what_changes_nothing_is_not) {
  check_log({{"HSET h a 1 b 2", "HSET h a 1 b 2"},
             {"HSETNX h a 2", ""},
             {"HSETNX h c 2", "HSETNX h c 2"},
             {"HDEL h x", ""},
             {"HDEL h a x", "HDEL h a x"},
             {"HINCRBY h c x", ""},
             {"HGET h c", ""}});
  events();
  run("HSET n a 1");
  BOOST_TEST(events() == "new:n hset:n");
  run("HINCRBY n b 1");
  BOOST_TEST(events() == "hincrby:n");
  run("HINCRBYFLOAT n b 1");
  BOOST_TEST(events() == "hincrbyfloat:n");
  run("HDEL n a");
  BOOST_TEST(events() == "hdel:n");
  run("HDEL n b");
  BOOST_TEST(events() == "hdel:n del:n");
}

BOOST_AUTO_TEST_CASE(a_key_of_another_type_is_refused) {
  run("SET s x");
  for (const std::string_view request : {"HSET s f 1",
                                         "HMSET s f 1",
                                         "HSETNX s f 1",
                                         "HGET s f",
                                         "HMGET s f",
                                         "HDEL s f",
                                         "HEXISTS s f",
                                         "HLEN s",
                                         "HSTRLEN s f",
                                         "HINCRBY s f 1",
                                         "HINCRBYFLOAT s f 1",
                                         "HGETALL s",
                                         "HKEYS s",
                                         "HVALS s",
                                         "HSCAN s 0",
                                         "HRANDFIELD s",
                                         "HRANDFIELD s 1",
                                         "HEXPIRE s 1 FIELDS 1 f",
                                         "HPERSIST s FIELDS 1 f",
                                         "HTTL s FIELDS 1 f",
                                         "HGETDEL s FIELDS 1 f",
                                         "HGETEX s FIELDS 1 f",
                                         "HSETEX s FIELDS 1 f 1"}) {
    BOOST_TEST_CONTEXT(request) { BOOST_TEST(run(request) == kWrongType); }
  }
  run("HSET h f 1");
  BOOST_TEST(run("GET h") == kWrongType);
  BOOST_TEST(run("TYPE h") == "+hash");
}

BOOST_AUTO_TEST_SUITE_END()
