#include <boost/test/unit_test.hpp>
#include <string>

#include "test/commands/command_fixture.h"

namespace {

using roxdb::commands::test::CommandFixture;

struct Fixture : CommandFixture {
  // Runs a test on a packed hash and on a table.
  template <class Test>
  void in_both_encodings(Test&& test) {
    for (const int64_t entries : {512, 0}) {
      engine.limits.hash_packed_entries = entries;
      BOOST_TEST_CONTEXT("hash-max-listpack-entries " << entries) { test(); }
      run("FLUSHALL");
      log();
      events();
    }
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_hash_expire, Fixture)

BOOST_AUTO_TEST_CASE(a_field_is_there_up_to_its_expiry_and_not_after) {
  in_both_encodings([&] {
    check({{"HSET h f 1 g 2", ":2"}, {"HPEXPIRE h 100 FIELDS 1 f", "*[:1]"}});
    advance_ms(100);
    BOOST_TEST(run("HGET h f") == "$1");
    advance_ms(1);
    log();
    events();
    BOOST_TEST(run("HGET h f") == "$nil");
    BOOST_TEST(log() == "HDEL h f");
    BOOST_TEST(events() == "hexpired:h");
    check({{"HLEN h", ":1"}, {"HGETALL h", "%{$g $2}"}, {"HEXISTS h f", ":0"}});
    BOOST_TEST(engine.statistics.expired_fields > 0u);
  });
}

BOOST_AUTO_TEST_CASE(a_hash_goes_with_its_last_field) {
  in_both_encodings([&] {
    check({{"HSET h f 1 g 2", ":2"}, {"HPEXPIRE h 100 FIELDS 2 f g", "*[:1 :1]"}});
    advance_ms(101);
    log();
    events();
    BOOST_TEST(run("EXISTS h") == ":0");
    BOOST_TEST(log() == "HDEL h f g");
    BOOST_TEST(events() == "hexpired:h del:h");
    BOOST_TEST(engine.size() == 0u);
  });
}

// Nobody asks for the key: the background cycle finds it by the marks.
BOOST_AUTO_TEST_CASE(due_fields_go_by_themselves) {
  in_both_encodings([&] {
    check({{"HSET h f 1 g 2", ":2"},
           {"HPEXPIRE h 100 FIELDS 1 f", "*[:1]"},
           {"HPEXPIRE h 200 FIELDS 1 g", "*[:1]"},
           {"HSET other f 1", ":1"},
           {"SET s x PX 150", "+OK"}});
    log();
    const std::string_view logged[] = {"", "HDEL h f", "DEL s", "HDEL h g"};
    for (const std::string_view expected : logged) {
      engine.tick(1'000'000);
      BOOST_TEST(log() == expected);
      advance_ms(expected.empty() ? 101 : 50);
    }
    engine.keyspace(0).check();
    BOOST_TEST(engine.size() == 1u);
  });
}

BOOST_AUTO_TEST_CASE(an_expiry_moves_and_goes_with_rename_copy_and_overwriting) {
  in_both_encodings([&] {
    check({{"HSET h f 1 g 2", ":2"},
           {"HEXPIRE h 10 FIELDS 1 f", "*[:1]"},
           {"RENAME h r", "+OK"},
           {"COPY r c", ":1"},
           {"HTTL r FIELDS 2 f g", "*[:10 :-1]"},
           {"HSET c f 3", ":0"},
           {"HTTL c FIELDS 1 f", "*[:-1]"},
           {"HINCRBY r f 1", ":2"},
           {"HTTL r FIELDS 1 f", "*[:10]"}});
    advance_ms(10'001);
    engine.tick(1'000'000);
    check({{"HGETALL r", "%{$g $2}"}, {"HLEN c", ":2"}});
    engine.keyspace(0).check();
  });
}

// In every way a hash comes by its first expiry, and loses its last.
BOOST_AUTO_TEST_CASE(hashes_with_expiries_are_counted) {
  const auto counted = [this](int db = 0) {
    engine.keyspace(db).check();
    return engine.keyspace(db).expiring_hashes();
  };
  for (const int64_t packed_entries : {512, 0}) {
    engine.limits.hash_packed_entries = packed_entries;
    run("FLUSHALL");
    run("HSET a f 1 g 2 h 3");
    BOOST_TEST(counted() == 0u);
    run("HEXPIRE a 10 FIELDS 2 f g");
    run("HSETEX b EX 10 FIELDS 1 f 1");
    BOOST_TEST(counted() == 2u);
    run("HDEL a f");
    BOOST_TEST(counted() == 2u);
    run("HSET a g 3");  // which takes the expiry away
    BOOST_TEST(counted() == 1u);
    run("HGETEX a EX 10 FIELDS 1 g");
    run("HPERSIST b FIELDS 1 f");
    BOOST_TEST(counted() == 1u);
    run("HGETDEL a FIELDS 1 g");
    BOOST_TEST(counted() == 0u);
    run("HPEXPIRE a 10 FIELDS 1 h");
    run("COPY a b REPLACE");
    run("RENAME a c");
    BOOST_TEST(counted() == 2u);
    run("MOVE c 1");
    run("SET b text");
    BOOST_TEST(counted() == 0u);
    BOOST_TEST(counted(1) == 1u);
    run("SWAPDB 0 1");
    BOOST_TEST(counted() == 1u);
    advance_ms(20);
    run("EXISTS c");
    BOOST_TEST(counted() == 0u);
    run("HSETEX a EX 10 FIELDS 1 f 1");
    run("PEXPIRE a 10");  // the key's own is another matter
    BOOST_TEST(counted() == 1u);
    run("DEL a");
    BOOST_TEST(counted() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(conditions_look_at_the_expiry_a_field_has) {
  in_both_encodings([&] {
    check({{"HSET h f 1", ":1"},
           {"HEXPIRE h 100 XX FIELDS 1 f", "*[:0]"},
           {"HEXPIRE h 100 GT FIELDS 1 f", "*[:0]"},
           {"HEXPIRE h 100 NX FIELDS 1 f", "*[:1]"},
           {"HEXPIRE h 50 NX FIELDS 1 f", "*[:0]"},
           {"HEXPIRE h 100 GT FIELDS 1 f", "*[:0]"},
           {"HEXPIRE h 100 LT FIELDS 1 f", "*[:0]"},
           {"HEXPIRE h 101 GT FIELDS 1 f", "*[:1]"},
           {"HEXPIRE h 100 LT FIELDS 1 f", "*[:1]"},
           {"HEXPIRE h 7 XX FIELDS 2 f f", "*[:1 :1]"},
           {"HTTL h FIELDS 1 f", "*[:7]"},
           {"HSET h g 1", ":1"},
           {"HEXPIRE h 100 LT FIELDS 1 g", "*[:1]"}});
  });
}

BOOST_AUTO_TEST_CASE(a_time_that_is_past_deletes_at_once) {
  in_both_encodings([&] {
    check({{"HSET h f 1 g 2", ":2"}});
    log();
    events();
    BOOST_TEST(run("HPEXPIREAT h 1 FIELDS 3 f f x") == "*[:2 :-2 :-2]");
    BOOST_TEST(log() == "HDEL h f");
    BOOST_TEST(events() == "hdel:h");
    BOOST_TEST(run("HEXPIRE h 0 FIELDS 1 g") == "*[:2]");
    BOOST_TEST(events() == "hdel:h del:h");
    BOOST_TEST(run("EXISTS h") == ":0");
  });
}

BOOST_AUTO_TEST_CASE(what_happens_is_logged_in_settled_form) {
  check_log({{"HSET h f 1 g 2 i 3", "HSET h f 1 g 2 i 3"},
             {"HEXPIRE h 10 FIELDS 3 f x g", "HPEXPIREAT h 1700000010000 FIELDS 2 f g"},
             {"HEXPIRE h 10 NX FIELDS 2 f g", ""},
             {"HPEXPIRE h 5 LT FIELDS 2 f i", "HPEXPIREAT h 1700000000005 FIELDS 2 f i"},
             {"HPERSIST h FIELDS 1 x", ""},
             {"HPERSIST h FIELDS 2 f x", "HPERSIST h FIELDS 2 f x"},
             {"HTTL h FIELDS 1 f", ""}});
  events();
  run("HEXPIRE h 10 FIELDS 1 f");
  BOOST_TEST(events() == "hexpire:h");
  run("HPERSIST h FIELDS 1 f");
  BOOST_TEST(events() == "hpersist:h");
}

BOOST_AUTO_TEST_CASE(malformed_requests_are_refused_as_redis_refuses_them) {
  const std::string missing =
      "-ERR Mandatory argument FIELDS is missing or not at the right position";
  const std::string mismatch = "-ERR The `numfields` parameter must match the number of arguments";
  check({{"HSET h f 1", ":1"},
         {"HEXPIRE h x FIELDS 1 f", "-ERR value is not an integer or out of range"},
         {"HEXPIRE h -1 FIELDS 1 f", "-ERR invalid expire time, must be >= 0"},
         {"HEXPIRE h 70368744178 FIELDS 1 f", "-ERR invalid expire time in 'hexpire' command"},
         {"HPEXPIREAT h 70368744177664 FIELDS 1 f",
          "-ERR invalid expire time in 'hpexpireat' command"},
         {"HPEXPIREAT h 70368744177663 FIELDS 1 f", "*[:1]"},
         {"HEXPIRE h 10 FIELD 1 f", missing},
         {"HEXPIRE h 10 NX 1 f g", missing},
         {"HEXPIRE h 10 FIELDS 0 f", "-ERR Parameter `numFields` should be greater than 0"},
         {"HEXPIRE h 10 FIELDS x f", "-ERR Parameter `numFields` should be greater than 0"},
         {"HEXPIRE h 10 FIELDS 2 f", mismatch},
         {"HEXPIRE h 10 FIELDS 1 f g", mismatch},
         {"HEXPIRE h 10 NX FIELDS 1", mismatch},
         {"HTTL h FIELDS 0 f", "-ERR Number of fields must be a positive integer"},
         {"HTTL h FIELDS 2 f", mismatch},
         {"HTTL h f 1 f", missing},
         {"HPERSIST h FIELDS 2 f", mismatch},
         {"HPTTL h FIELDS 1 f", "*[:68668744177663]"}});
}

BOOST_AUTO_TEST_CASE(seconds_are_rounded_up) {
  check({{"HSET h f 1", ":1"},
         {"HPEXPIREAT h 1700000001001 FIELDS 1 f", "*[:1]"},
         {"HTTL h FIELDS 1 f", "*[:2]"},
         {"HPTTL h FIELDS 1 f", "*[:1001]"},
         {"HEXPIRETIME h FIELDS 1 f", "*[:1700000002]"},
         {"HPEXPIRETIME h FIELDS 1 f", "*[:1700000001001]"}});
}

// More fields fall due at one moment than one access removes: every command agrees that they are
// gone, and the log, replayed, says the same.
BOOST_AUTO_TEST_CASE(a_due_field_is_gone_before_it_is_removed) {
  for (int i = 0; i < 3000; ++i) run("HSETEX h PX 100 FIELDS 1 f" + std::to_string(i) + " 5");
  run("HSET h stays 1");
  advance_ms(101);
  engine.active_expire = false;
  log();
  BOOST_TEST(run("HEXISTS h f7") == ":0");
  BOOST_TEST(log().starts_with("HDEL h f"));
  std::string left;  // one that is still in the table
  engine.keyspace(0).table().for_each([&](const roxdb::types::Entry* entry) {
    const roxdb::types::HashView view(*entry, roxdb::types::HashView::kBeforeAll);
    BOOST_TEST_REQUIRE(view.size() > 1500u);
    view.for_each([&](const auto& field) {
      if (field.name != "stays") left = field.name;
    });
  });
  const auto logged_last = [&] {
    const std::string text = log();
    const size_t at = text.rfind("; ");
    const size_t before = at == std::string::npos ? at : text.rfind("; ", at - 1);
    return before == std::string::npos ? text : text.substr(before + 2);
  };
  BOOST_TEST(run("HGETALL h") == "%{$stays $1}");
  BOOST_TEST(run("HRANDFIELD h 2") == "*[$stays]");
  log();
  BOOST_TEST(run("HINCRBY h " + left + " 1") == ":1");
  BOOST_TEST(logged_last().ends_with("HINCRBY h " + left + " 1"));
  BOOST_TEST(run("HTTL h FIELDS 1 " + left) == "*[:-1]");
  while (run("HLEN h") != ":2") BOOST_TEST_REQUIRE(!log().empty());
  engine.keyspace(0).check();
}

BOOST_AUTO_TEST_SUITE_END()
