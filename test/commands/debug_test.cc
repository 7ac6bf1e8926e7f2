#include "engine/reload.h"
#include "test/commands/server/server_fixture.h"

namespace roxdb::commands {
namespace {

struct Fixture : test::ServerFixture {
  Fixture() { configure("enable-debug-command", "yes"); }
};

struct Remote final : engine::Session {
  Remote() : Session(Kind::kClient) {}
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_debug, Fixture)

BOOST_AUTO_TEST_CASE(debug_is_closed_unless_opened) {
  const std::string_view args[] = {"DEBUG", "SET-ACTIVE-EXPIRE", "0"};
  const std::string refusal =
      "-ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", "
      "you can run it from a local connection, otherwise you need to set this option in the "
      "configuration file, and then restart the server.";
  Remote remote;
  const auto run_remotely = [&] {
    engine.execute(remote, args, reply);
    return reply.take();
  };
  BOOST_TEST(run_remotely() == "+OK");
  configure("enable-debug-command", "local");
  BOOST_TEST(run_remotely() == refusal);
  BOOST_TEST(run("DEBUG SET-ACTIVE-EXPIRE 1") == "+OK");
  configure("enable-debug-command", "no");
  BOOST_TEST(run("DEBUG SET-ACTIVE-EXPIRE 0") == refusal);
  BOOST_TEST(run("DEBUG HELP") == refusal);
  BOOST_TEST(engine.active_expire);
}

BOOST_AUTO_TEST_CASE(wrong_subcommands_are_named) {
  for (const std::string_view request :
       {"DEBUG nosuch", "DEBUG sleep", "DEBUG sleep 0 0", "DEBUG protocol"}) {
    const std::string name(request.substr(6, request.find(' ', 6) - 6));
    BOOST_TEST(run(request) == "-ERR unknown subcommand or wrong number of arguments for '" + name +
                                   "'. Try DEBUG HELP.");
  }
}

// The digest tells what is stored, not how or in which order it came there.
BOOST_AUTO_TEST_CASE(equal_data_has_an_equal_digest) {
  const std::string empty = run("DEBUG DIGEST");
  BOOST_TEST(empty == "$" + std::string(40, '0'));
  check({{"SET a 12", "+OK"}, {"SET b x", "+OK"}, {"SET c y PX 10000", "+OK"}});
  const std::string digest = run("DEBUG DIGEST");
  BOOST_TEST(digest != empty);

  Fixture other;
  // "12" by appending is stored as bytes, not as a number; and the table has grown meanwhile.
  other.run("DEBUG POPULATE 1000");
  for (int i = 0; i < 1000; ++i) other.run("DEL key:" + std::to_string(i));
  other.check({{"SET c y PX 5000", "+OK"}, {"SET b x", "+OK"}, {"APPEND a 1", ":1"}});
  other.check({{"APPEND a 2", ":2"}, {"DEBUG DIGEST", digest}});

  BOOST_TEST(run("DEBUG DIGEST-VALUE a b nosuch") == other.run("DEBUG DIGEST-VALUE a b nosuch"));
  for (const std::string_view change :
       {"SET a 13", "SET b 12", "PERSIST c", "SELECT 1", "SET a 12", "DEL b"}) {
    other.run(change);
    if (change.starts_with("SELECT")) continue;
    BOOST_TEST(other.run("DEBUG DIGEST") != digest, change);
  }
}

// Each line of a value's past ends in the same value; tables, blocks and encodings differ.
BOOST_AUTO_TEST_CASE(a_digest_knows_no_order_of_members_fields_or_blocks) {
  const auto built = [](std::initializer_list<std::string_view> past) {
    Fixture one;
    for (const std::string_view request : past) one.run(request);
    return one.run("DEBUG DIGEST");
  };
  const auto many = [](std::string_view command, int from, int to, int step) {
    std::string request(command);
    for (int i = from; i != to; i += step) {
      request += " m" + std::to_string(i);
      if (command[0] != 'S') request += " " + std::to_string(i);
    }
    return request;
  };
  BOOST_TEST(built({"SADD s 1 2 3"}) == built({"SADD s x 3 2 1", "SREM s x"}));
  BOOST_TEST(built({many("SADD s", 0, 300, 1)}) ==
             built({many("SADD s", 999, -1, -1), many("SREM s", 300, 1000, 1)}));
  BOOST_TEST(built({many("SADD s", 0, 300, 1)}) != built({many("SADD s", 0, 299, 1)}));
  BOOST_TEST(built({many("HSET h", 0, 900, 1)}) ==
             built({many("HSET h", 899, -1, -1), "COPY h c", "DEL h", "RENAME c h"}));
  BOOST_TEST(built({"HSET h a 1 b 2"}) != built({"HSET h a 2 b 1"}));
  BOOST_TEST(built({"HSET h a 1"}) != built({"HSETEX h EX 10 FIELDS 1 a 1"}));
  BOOST_TEST(built({"XADD x 1 a 1", "XADD x 2 b 2"}) ==
             built({"XADD x 1 a 1", "XADD x 1-1 c 3", "XADD x 2 b 2", "XDEL x 1-1"}));
  BOOST_TEST(built({"XADD x 1 a 1"}) != built({"XADD x 1 a 1", "XGROUP CREATE x g 0"}));
  BOOST_TEST(built({"XGROUP CREATE x g 0 MKSTREAM"}) != built({"XGROUP CREATE x g 7 MKSTREAM"}));
}

BOOST_AUTO_TEST_CASE(what_has_expired_is_not_in_the_digest) {
  run("SET a 1");
  const std::string digest = run("DEBUG DIGEST");
  check({{"DEBUG SET-ACTIVE-EXPIRE 0", "+OK"}, {"SET b 1 PX 10", "+OK"}});
  advance_ms(20);
  BOOST_TEST(run("DEBUG DIGEST") == digest);
}

BOOST_AUTO_TEST_CASE(background_expiry_can_be_stopped) {
  check({{"DEBUG SET-ACTIVE-EXPIRE 0", "+OK"}, {"SET a 1 PX 10", "+OK"}});
  advance_ms(20);
  engine.tick(1'000'000);
  BOOST_TEST(engine.size() == 1u);
  BOOST_TEST(run("DEBUG SET-ACTIVE-EXPIRE 1") == "+OK");
  engine.tick(1'000'000);
  BOOST_TEST(engine.size() == 0u);
}

BOOST_AUTO_TEST_CASE(populate_adds_keys_that_the_log_knows) {
  run("SET key:1 mine");
  log();
  check({{"DEBUG POPULATE 3", "+OK"},
         {"GET key:0", "$value:0"},
         {"GET key:1", "$mine"},
         {"GET key:2", "$value:2"},
         {"DEBUG POPULATE 1 p 10", "+OK"},
         {"GET p:0", "$value:0\\x00\\x00\\x00"},
         {"DEBUG POPULATE 1 q 3", "+OK"},
         {"GET q:0", "$val"},
         {"DEBUG POPULATE -1", "-ERR value is out of range, must be positive"},
         {"DEBUG POPULATE x", "-ERR value is out of range, must be positive"},
         {"DEBUG POPULATE 1 k 999999999999",
          "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"}});
  BOOST_TEST(log() == "SET key:0 value:0; SET key:2 value:2; SET p:0 value:0" +
                          std::string(3, '\0') + "; SET q:0 val");
}

BOOST_AUTO_TEST_CASE(object_describes_how_a_value_is_stored) {
  check({{"SET a 12", "+OK"}, {"DEBUG OBJECT nosuch", "-ERR no such key"}});
  const std::string text = run("DEBUG OBJECT a");
  BOOST_TEST(text.starts_with("+Value at:0x"), text);
  BOOST_TEST(text.find(" refcount:1 encoding:int serializedlength:") != text.npos, text);
  BOOST_TEST(text.ends_with(" lru_seconds_idle:0"), text);
  const std::string table = run("DEBUG HTSTATS 0");
  BOOST_TEST(table.find(" number of elements: 1\\x0a") != table.npos, table);
  BOOST_TEST(table.find("Hash table 1") == table.npos);
  BOOST_TEST(run("DEBUG HTSTATS 99") == "-ERR Out of range database");
}

BOOST_AUTO_TEST_CASE(object_shows_the_nodes_of_a_long_list) {
  engine.limits.list_node_size = 4;
  engine.limits.list_plain_depth = 1;
  run("RPUSH l 1 2 3 4");
  BOOST_TEST(run("DEBUG OBJECT l").find("ql_") == std::string::npos);
  run("RPUSH l 5 6 7 8");
  const std::string text = run("DEBUG OBJECT l");
  BOOST_TEST(text.find(" ql_nodes:2 ql_avg_node:4.00 ql_listpack_max:4 ql_compressed:1 "
                       "ql_uncompressed_size:") != text.npos,
             text);
}

BOOST_AUTO_TEST_CASE(tables_of_values_are_shown) {
  constexpr std::string_view kNone =
      "-ERR The value stored at the specified key is not represented using an hash table";
  engine.limits.set_packed_entries = 0;
  engine.limits.hash_packed_entries = 0;
  engine.limits.zset_packed_entries = 0;
  run("SADD s a b c");
  run("HSET h a 1 b 2 c 3");
  run("ZADD z 1 a 2 b 3 c");
  for (const std::string key : {"s", "h", "z"}) {
    const std::string text = run("DEBUG HTSTATS-KEY " + key + " full");
    BOOST_TEST(text.find(" number of elements: 3\\x0a") != text.npos, text);
  }
  check({{"SADD i 1", ":1"},
         {"SET a 1", "+OK"},
         {"DEBUG HTSTATS-KEY i", kNone},
         {"DEBUG HTSTATS-KEY a", kNone},
         {"DEBUG HTSTATS-KEY nosuch", "-ERR no such key"}});
}

BOOST_AUTO_TEST_CASE(the_room_of_a_string_is_shown) {
  check({{"SET key abc", "+OK"}, {"SET number 12", "+OK"}, {"RPUSH list a", ":1"}});
  const std::string text = run("DEBUG SDSLEN key");
  BOOST_TEST(text.starts_with("+key_sds_len:3, key_sds_avail:0, key_zmalloc: "), text);
  BOOST_TEST(text.ends_with(", val_sds_len:3, val_sds_avail:0, val_zmalloc: 0"), text);
  run("SETRANGE key 4999 x");
  run("APPEND key y");
  BOOST_TEST(run("DEBUG SDSLEN key").find(", val_sds_len:5001, val_sds_avail:") != text.npos);
  check({{"DEBUG SDSLEN number", "-ERR Not an sds encoded string."},
         {"DEBUG SDSLEN list", "-ERR Not an sds encoded string."},
         {"DEBUG SDSLEN nosuch", "-ERR no such key"}});
}

BOOST_AUTO_TEST_CASE(there_is_a_reply_of_every_type) {
  check({{"DEBUG PROTOCOL string", "$Hello World"},
         {"DEBUG PROTOCOL integer", ":12345"},
         {"DEBUG PROTOCOL double", ",3.141"},
         {"DEBUG PROTOCOL null", "$nil"},
         {"DEBUG PROTOCOL array", "*[:0 :1 :2]"},
         {"DEBUG PROTOCOL set", "~[:0 :1 :2]"},
         {"DEBUG PROTOCOL map", "%{:0 #f :1 #t :2 #f}"},
         {"DEBUG PROTOCOL attrib", "$Some real reply following the attribute"},
         {"DEBUG PROTOCOL push", "-ERR RESP2 is not supported by this command"},
         {"DEBUG PROTOCOL verbatim", "=txt:This is a verbatim\\x0astring"},
         {"DEBUG PROTOCOL bignum", "(1234567999999999999999999999999999999"},
         {"DEBUG PROTOCOL true", "#t"},
         {"DEBUG PROTOCOL false", "#f"},
         {"DEBUG PROTOCOL nosuch",
          "-ERR Wrong protocol type name. Please use one of the following: "
          "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"}});
}

BOOST_AUTO_TEST_CASE(sleep_lets_time_pass_for_everything) {
  run("SET a 1 PX 1000");
  check({{"DEBUG SLEEP 2.5", "+OK"}, {"GET a", "$nil"}, {"DEBUG SLEEP x", "+OK"}});
  BOOST_TEST(engine.now_ms() == kStartMs + 2500);
}

BOOST_AUTO_TEST_CASE(reload_and_loadaof_are_passed_on) {
  struct Service final : engine::Reload {
    std::string asked;
    std::string refuse;
    Status reload_snapshot(const Options& options, std::string& why) override {
      asked = std::string(options.save ? "save " : "") + (options.flush ? "flush " : "") +
              (options.merge ? "merge" : "");
      why = refuse;
      return refuse.empty() ? kOk : io_error(5, "read");
    }
    Status reload_aof(std::string&) override {
      asked = "aof";
      return kOk;
    }
    void skip_checksums(bool skip) override { asked = skip ? "skip" : "check"; }
  } service;
  BOOST_TEST(run("DEBUG RELOAD") == "-ERR DEBUG RELOAD needs a server with files");
  engine.services.provide<engine::Reload>(&service);
  BOOST_TEST(run("DEBUG RELOAD") == "+OK");
  BOOST_TEST(service.asked == "save flush ");
  BOOST_TEST(run("DEBUG RELOAD NOSAVE NOFLUSH MERGE") == "+OK");
  BOOST_TEST(service.asked == "merge");
  BOOST_TEST(run("DEBUG LOADAOF") == "+OK");
  BOOST_TEST(service.asked == "aof");
  BOOST_TEST(run("DEBUG SET-SKIP-CHECKSUM-VALIDATION 1") == "+OK");
  BOOST_TEST(service.asked == "skip");
  BOOST_TEST(run("DEBUG SET-SKIP-CHECKSUM-VALIDATION 0") == "+OK");
  BOOST_TEST(service.asked == "check");
  service.refuse = "Input/output error";
  BOOST_TEST(run("DEBUG RELOAD") == "-ERR Error trying to load the RDB dump: Input/output error");
  BOOST_TEST(run("DEBUG RELOAD NOW") ==
             "-ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
}

BOOST_AUTO_TEST_CASE(odds_and_ends_answer) {
  check({{"DEBUG STRINGMATCH-LEN a*c abc", ":1"},
         {"DEBUG STRINGMATCH-LEN b* abc", ":0"},
         {"DEBUG ERROR \"CODE text\"", "-CODE text"},
         {"DEBUG LOG hello", "+OK"},
         {"DEBUG QUICKLIST-PACKED-THRESHOLD 100b", "+OK"}});
  BOOST_TEST(run("DEBUG STRUCTSIZE").starts_with("+bits:64 entry:8 "));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::commands
