#include <boost/test/unit_test.hpp>
#include <string>

#include "base/limits.h"
#include "test/commands/command_fixture.h"

using roxdb::commands::test::CommandFixture;

namespace {

constexpr std::string_view kWrongType =
    "-WRONGTYPE Operation against a key holding the wrong kind of value";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_string, CommandFixture)

BOOST_AUTO_TEST_CASE(set_replaces_whatever_was_there_with_its_expiry) {
  check({{"SET k v EX 100", "+OK"},
         {"SET k w", "+OK"},
         {"TTL k", ":-1"},
         {"SET k v PX 100000", "+OK"},
         {"SET k w KEEPTTL", "+OK"},
         {"TTL k", ":100"},
         {"GET k", "$w"}});
  put_other_type("list");
  check({{"SET list v", "+OK"}, {"GET list", "$v"}});
}

BOOST_AUTO_TEST_CASE(set_conditions_decide_and_get_answers_the_old_value) {
  check({{"SET k v XX", "$nil"},
         {"EXISTS k", ":0"},
         {"SET k v NX", "+OK"},
         {"SET k w NX", "$nil"},
         {"SET k w NX GET", "$v"},
         {"GET k", "$v"},
         {"SET k w XX GET", "$v"},
         {"SET fresh v NX GET", "$nil"},
         {"GET fresh", "$v"},
         {"SET k x IFEQ nope", "$nil"},
         {"SET k x IFEQ w", "+OK"},
         {"SET k y IFEQ nope GET", "$x"},
         {"SET k y ifne x", "$nil"},
         {"SET k y IfNe nope", "+OK"},
         {"SET missing y IFEQ x", "$nil"},
         {"SET missing y IFNE x", "+OK"},
         {"SET n 12345", "+OK"},
         {"SET n w IFEQ 12345", "+OK"}});
}

BOOST_AUTO_TEST_CASE(set_compares_digests_without_case_and_wants_sixteen_digits) {
  check({{"SET k \"Hello world\"", "+OK"},
         {"SET k a IFDEQ b6acb9d84a38ff75", "$nil"},
         {"SET k a IFDEQ B6ACB9D84A38FF74", "+OK"},
         {"SET k b IFDNE b6acb9d84a38ff74", "+OK"},
         {"SET k c IFDEQ abc", "-ERR must be exactly 16 hexadecimal characters"},
         {"SET missing c IFDEQ abc", "$nil"},
         {"SET missing c IFDNE abc", "+OK"}});
}

BOOST_AUTO_TEST_CASE(options_of_one_kind_exclude_each_other_and_may_be_repeated) {
  for (const std::string_view options :
       {"NX XX", "NX IFEQ a", "IFEQ a IFNE a", "EX 1 PX 1", "EX 1 KEEPTTL", "KEEPTTL PXAT 1",
        "PERSIST", "EX", "IFEQ", "FOO", "ENX", "GET GET FOO"}) {
    BOOST_TEST_CONTEXT(options) {
      BOOST_TEST(run("SET k v " + std::string(options)) == "-ERR syntax error");
    }
  }
  check({{"SET k v EX 5 EX 100", "+OK"}, {"TTL k", ":100"}, {"SET k v XX XX GET GET", "$v"}});
}

BOOST_AUTO_TEST_CASE(an_expiry_must_be_positive_and_representable) {
  const std::string bad = "-ERR invalid expire time in 'set' command";
  for (const std::string_view option :
       {"EX 0", "EX -1", "PX 0", "EXAT 0", "PXAT -5", "EX 9223372036854775807",
        "EX 9223372036854776", "PX 9223372036854775807", "EXAT 9223372036854775807"}) {
    BOOST_TEST_CONTEXT(option) { BOOST_TEST(run("SET k v " + std::string(option)) == bad); }
  }
  check({{"SET k v EX abc", "-ERR value is not an integer or out of range"},
         {"EXISTS k", ":0"},
         {"SET k v PXAT 9223372036854775807", "+OK"},
         {"SETEX k 0 v", "-ERR invalid expire time in 'setex' command"},
         {"PSETEX k -1 v", "-ERR invalid expire time in 'psetex' command"},
         {"GETEX k PX 0", "-ERR invalid expire time in 'getex' command"}});
}

BOOST_AUTO_TEST_CASE(a_value_with_an_expiry_in_the_past_is_gone_at_once) {
  check({{"SET k v EXAT 1", "+OK"},
         {"EXISTS k", ":0"},
         {"SET k v", "+OK"},
         {"SET k w PXAT 1 GET", "$v"},
         {"EXISTS k", ":0"},
         {"SET k v", "+OK"},
         {"GETEX k EXAT 1", "$v"},
         {"EXISTS k", ":0"}});
  BOOST_TEST(engine.size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_key_is_seen_to_the_millisecond_of_its_expiry_and_not_after) {
  check({{"SET k v PX 100", "+OK"}});
  advance_ms(100);
  check({{"GET k", "$v"}, {"PTTL k", ":0"}});
  advance_ms(1);
  check({{"GET k", "$nil"}, {"SET k w XX", "$nil"}, {"SETNX k w", ":1"}, {"TTL k", ":-1"}});
}

BOOST_AUTO_TEST_CASE(what_set_does_is_logged_settled) {
  check_log({{"SET k v", "SET k v"},
             {"SET k v NX", ""},
             {"SET k v XX", "SET k v"},
             {"SET k w GET", "SET k w"},
             {"SET k v IFEQ w", "SET k v"},
             {"SET k v IFEQ w", ""},
             {"SET k v EX 10", "SET k v PXAT 1700000010000"},
             {"SET k v KEEPTTL", "SET k v KEEPTTL"},
             {"SET k v PXAT 1700000020000", "SET k v PXAT 1700000020000"},
             {"SET k v EXAT 1", "DEL k"},
             {"SET k v EXAT 1", ""},
             {"SETNX k v", "SET k v"},
             {"SETNX k v", ""},
             {"SETEX k 10 v", "SET k v PXAT 1700000010000"},
             {"PSETEX k 10 v", "SET k v PXAT 1700000000010"},
             {"GETSET k w", "SET k w"},
             {"GETEX k", ""},
             {"GETEX k PERSIST", ""},
             {"GETEX k EX 10", "PEXPIREAT k 1700000010000"},
             {"GETEX k PERSIST", "PERSIST k"},
             {"GETEX k PXAT 1", "DEL k"},
             {"GETEX k PXAT 1", ""},
             {"APPEND k ab", "APPEND k ab"},
             {"SETRANGE k 1 xy", "SETRANGE k 1 xy"},
             {"SETRANGE k 1 \"\"", ""},
             {"GETDEL k", "DEL k"},
             {"GETDEL k", ""},
             {"GET k", ""}});
}

BOOST_AUTO_TEST_CASE(changes_are_told_under_redis_s_names) {
  run("SET k v");
  BOOST_TEST(events() == "new:k set:k");
  run("SET k v EX 10");
  BOOST_TEST(events() == "set:k expire:k");
  run("GETEX k PERSIST");
  BOOST_TEST(events() == "persist:k");
  run("APPEND k v");
  BOOST_TEST(events() == "append:k");
  run("SETRANGE k 1 v");
  BOOST_TEST(events() == "setrange:k");
  run("GETDEL k");
  BOOST_TEST(events() == "del:k");
}

BOOST_AUTO_TEST_CASE(ranges_are_clipped_to_the_value) {
  check({{"SET k \"Hello World\"", "+OK"},
         {"GETRANGE k 0 3", "$Hell"},
         {"GETRANGE k 0 -1", "$Hello World"},
         {"GETRANGE k -4 -1", "$orld"},
         {"GETRANGE k 5 3", "$"},
         {"GETRANGE k 5 5000", "$ World"},
         {"GETRANGE k -5000 10000", "$Hello World"},
         {"GETRANGE k 0 -100", "$H"},
         {"GETRANGE k -1 -100", "$"},
         {"GETRANGE k -100 -100", "$H"},
         {"GETRANGE k -100 -101", "$"},
         {"GETRANGE k -9223372036854775808 9223372036854775807", "$Hello World"},
         {"GETRANGE k a 1", "-ERR value is not an integer or out of range"},
         {"SUBSTR k 1 3", "$ell"},
         {"SET n 1234", "+OK"},
         {"GETRANGE n -3 -1", "$234"},
         {"SET e \"\"", "+OK"},
         {"GETRANGE e 0 -1", "$"},
         {"GETRANGE missing 0 -1", "$"}});
}

BOOST_AUTO_TEST_CASE(a_string_never_outgrows_its_bound) {
  const std::string too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)";
  const std::string offset = std::to_string(roxdb::kStringBytesMax);
  check({{"SETRANGE k " + offset + " x", too_long},
         {"SETRANGE k 9223372036854775807 x", too_long},
         {"SETRANGE k 9223372036854775808 x", "-ERR value is not an integer or out of range"},
         {"SETRANGE k -1 x", "-ERR offset is out of range"},
         {"SETRANGE k " + offset + " \"\"", ":0"},
         {"EXISTS k", ":0"}});
}

BOOST_AUTO_TEST_CASE(a_missing_key_counts_as_empty_when_bytes_are_added) {
  check({{"APPEND a 12", ":2"},
         {"OBJECT ENCODING a", "$int"},
         {"APPEND a 3", ":3"},
         {"OBJECT ENCODING a", "$raw"},
         {"APPEND empty \"\"", ":0"},
         {"EXISTS empty", ":1"},
         {"SETRANGE s 2 xy", ":4"},
         {"GET s", "$\\x00\\x00xy"},
         {"SETRANGE none 0 \"\"", ":0"},
         {"EXISTS none", ":0"}});
}

// A reply that is sent without a copy must not change under the hands of its reader.
BOOST_AUTO_TEST_CASE(a_big_value_in_a_reply_survives_its_overwriting) {
  struct Keeper final : roxdb::resp::Reply {
    void simple(std::string_view) override {}
    void error(std::string_view) override {}
    void integer(int64_t) override {}
    void real(double) override {}
    void boolean(bool) override {}
    void null() override {}
    void null_array() override {}
    void bulk(std::string_view) override {}
    void bulk_shared(std::string_view bytes, const roxdb::SharedRef& owner) override {
      view = bytes;
      held = owner;
    }
    void verbatim(std::string_view, std::string_view) override {}
    void big_number(std::string_view) override {}
    void array(size_t) override {}
    void map(size_t) override {}
    void set(size_t) override {}
    void push(size_t) override {}
    void attribute(size_t) override {}
    Open open(Aggregate kind) override { return {0, kind}; }
    void close(Open, size_t) override {}
    std::string_view view;
    roxdb::SharedRef held;
  } keeper;
  const std::string old(5000, 'a');
  const std::string fresh(5000, 'b');
  for (const std::string_view command : {"GET", "SET"}) {
    run_args({"SET", "k", old});
    std::vector<std::string_view> read = {"GET", "k"};
    if (command == "SET") read = {"SET", "k", old, "GET"};
    engine.execute(session, read, keeper);
    run_args({"SET", "k", fresh});
    run_args({"APPEND", "k", "c"});
    BOOST_TEST(keeper.view == old);
    BOOST_TEST(run("GETRANGE k -2 -1") == "$bc");
  }
}

BOOST_AUTO_TEST_CASE(keys_of_other_types_are_refused_and_stay) {
  put_other_type("list");
  for (const std::string_view request :
       {"GET list", "SET list v GET", "SET list v IFEQ v", "SET list v IFDNE 0000000000000000",
        "GETSET list v", "GETDEL list", "GETEX list", "APPEND list v", "STRLEN list",
        "GETRANGE list 0 1", "SUBSTR list 0 1", "SETRANGE list 0 v", "SETRANGE list 0 \"\"",
        "INCR list", "DECRBY list 1", "INCRBYFLOAT list 1", "INCREX list", "DIGEST list",
        "DELIFEQ list v"}) {
    BOOST_TEST_CONTEXT(request) {
      BOOST_TEST(run(request) == kWrongType);
      BOOST_TEST(run("EXISTS list") == ":1");
    }
  }
  BOOST_TEST(log() == "");
  check({{"MGET list missing", "*[$nil $nil]"},
         {"DELEX list IFEQ v", "-ERR Key should be of string type if conditions are specified"},
         {"LCS list missing", "-ERR The specified keys must contain string values"},
         {"SET list v NX", "$nil"},
         {"DELEX list", ":1"}});
}

BOOST_AUTO_TEST_SUITE_END()
