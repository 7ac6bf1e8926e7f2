#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "persist/crc64.h"
#include "persist/rdb_payload.h"
#include "test/commands/command_fixture.h"

namespace roxdb::persist {
namespace {

using commands::test::CommandFixture;

// The payload of "-5", as redis-server 7.0.15 gives it.
constexpr std::string_view kMinusFive = "\"\\x00\\xc0\\xfb\\n\\x00I\\xc4\\xc6\\xf4\\xd7&?h\"";

// A payload of this value in a form of this version, with its checksum.
std::string sealed(std::string body, char version) {
  body += version;
  body += '\0';
  const uint64_t sum = crc64(0, body);
  return body.append(reinterpret_cast<const char*>(&sum), sizeof sum);
}

struct Fixture : CommandFixture {
  std::string restore(const std::string& words) {
    const size_t at = words.find("PAYLOAD");
    return run("RESTORE " + words.substr(0, at) + std::string(kMinusFive) + words.substr(at + 7));
  }
  // The payload of a key, out of the hands of the reply.
  std::string dumped(std::string_view key) {
    const engine::Cell* cell = engine.find(0, engine.key(key));
    BOOST_TEST_REQUIRE(cell != nullptr);
    std::string out;
    const auto* const entry = static_cast<const types::Entry*>(cell->pointer());
    BOOST_TEST_REQUIRE(make_payload(*entry, engine.now_ms(), 1 << 20, out).ok());
    return out;
  }
};

constexpr const char* kValues[] = {
    "SET string text",
    "RPUSH list a 1 -2 1000",
    "SADD integers 1 2 70000",
    "SADD set a 7",
    "HSET hash f v n 42",
    "HSETEX expiring EX 100 FIELDS 1 f v",
    "ZADD zset 1.5 a -2 b inf c",
    "XADD stream 5-1 f v",
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(persist_rdb_commands, Fixture)

BOOST_AUTO_TEST_CASE(a_value_travels_to_another_key) {
  for (const char* const command : kValues) {
    BOOST_TEST_CONTEXT(command) {
      BOOST_TEST(run(command).front() != '-');
      const std::string key(
          std::string_view(command).substr(std::string_view(command).find(' ') + 1));
      const std::string name = key.substr(0, key.find(' '));
      const std::string payload = dumped(name);
      BOOST_TEST(run_args({"RESTORE", "copy", "0", payload, "REPLACE"}) == "+OK");
      BOOST_TEST(dumped("copy") == payload);
      const auto content = commands::test::content_of(engine);
      BOOST_TEST(content.at({0, "copy"}).first == content.at({0, name}).first);
    }
  }
}

BOOST_AUTO_TEST_CASE(dump_gives_the_bytes_of_redis) {
  run("SET k -5");
  BOOST_TEST(run("DUMP k") == "$\\x00\\xc0\\xfb\\x0a\\x00I\\xc4\\xc6\\xf4\\xd7&?h");
  BOOST_TEST(run("DUMP absent") == "$nil");
}

// In the order in which Redis finds them.
BOOST_AUTO_TEST_CASE(what_cannot_be_restored_is_refused_as_redis_does) {
  run("SET k old");
  check({
      {"RESTORE k -1 x WHAT", "-ERR syntax error"},
      {"RESTORE k -1 x IDLETIME 1 FREQ 1", "-ERR syntax error"},
      {"RESTORE k -1 x FREQ 1 IDLETIME 1", "-ERR syntax error"},
      {"RESTORE k -1 x IDLETIME", "-ERR syntax error"},
      {"RESTORE k -1 x IDLETIME -1", "-ERR Invalid IDLETIME value, must be >= 0"},
      {"RESTORE k -1 x IDLETIME x", "-ERR value is not an integer or out of range"},
      {"RESTORE k -1 x FREQ 256", "-ERR Invalid FREQ value, must be >= 0 and <= 255"},
      {"RESTORE k -1 x FREQ -1", "-ERR Invalid FREQ value, must be >= 0 and <= 255"},
      {"RESTORE k -1 x", "-BUSYKEY Target key name already exists."},
      {"RESTORE k -1 x REPLACE", "-ERR Invalid TTL value, must be >= 0"},
      {"RESTORE k x x REPLACE", "-ERR value is not an integer or out of range"},
      {"RESTORE k 9223372036854775807 x REPLACE", "-ERR Invalid TTL value, must be >= 0"},
      {"RESTORE k 0 x REPLACE", "-ERR DUMP payload version or checksum are wrong"},
      {"GET k", "$old"},
  });
  const auto restore_bytes = [&](const std::string& payload) {
    return run_args({"RESTORE", "k", "0", payload, "REPLACE"});
  };
  const std::string value("\0\1x", 3);
  for (const char version : {'\x0d', '\x4f', '\x51'}) {
    BOOST_TEST(restore_bytes(sealed(value, version)) ==
               "-ERR DUMP payload version or checksum are wrong");
  }
  BOOST_TEST(restore_bytes(sealed("\x07what", 10)) == "-ERR Bad data format");
  BOOST_TEST(restore_bytes(sealed(value + "y", 10)) == "-ERR Bad data format");
  BOOST_TEST(run("GET k") == "$old");
  for (const char version : {'\x01', '\x0c', '\x50'}) {
    BOOST_TEST(restore_bytes(sealed(value, version)) == "+OK");
  }
  BOOST_TEST(run("GET k") == "$x");
}

BOOST_AUTO_TEST_CASE(a_restored_key_lives_as_long_as_it_is_told) {
  log();
  BOOST_TEST(restore("k 1000 PAYLOAD") == "+OK");
  BOOST_TEST(run("PEXPIRETIME k") == ":1700000001000");
  BOOST_TEST(log().find("RESTORE k 1700000001000 ") == 0u);
  BOOST_TEST(restore("k 1700000002000 PAYLOAD ABSTTL REPLACE") == "+OK");
  BOOST_TEST(run("PEXPIRETIME k") == ":1700000002000");
  BOOST_TEST(restore("k 0 PAYLOAD REPLACE") == "+OK");
  BOOST_TEST(run("PEXPIRETIME k") == ":-1");
  BOOST_TEST(events() == "new:k restore:k restore:k restore:k");
  BOOST_TEST_REQUIRE(engine.commands().rename("restore", "undump"));
  log();
  run("UNDUMP k 3000 " + std::string(kMinusFive) + " REPLACE");
  BOOST_TEST(log().find("RESTORE k 1700000003000 ") == 0u);
}

BOOST_AUTO_TEST_CASE(a_key_whose_time_is_over_is_not_made_and_takes_the_old_one_along) {
  events();
  BOOST_TEST(restore("k 1 PAYLOAD ABSTTL") == "+OK");
  BOOST_TEST(run("EXISTS k") == ":0");
  BOOST_TEST(log() == "");
  BOOST_TEST(events() == "");
  run("SET k old");
  log();
  events();
  BOOST_TEST(restore("k 1 PAYLOAD ABSTTL REPLACE") == "+OK");
  BOOST_TEST(run("EXISTS k") == ":0");
  BOOST_TEST(log() == "DEL k");
  BOOST_TEST(events() == "del:k");
}

BOOST_AUTO_TEST_CASE(idle_time_and_frequency_are_taken_over) {
  BOOST_TEST(restore("k 0 PAYLOAD IDLETIME 500") == "+OK");
  BOOST_TEST(run("OBJECT IDLETIME k") == ":500");
  engine.uses_lfu = true;
  BOOST_TEST(restore("k 0 PAYLOAD REPLACE FREQ 77") == "+OK");
  BOOST_TEST(run("OBJECT FREQ k") == ":77");
}

// What was logged gives the same values, on any later date.
BOOST_AUTO_TEST_CASE(replay_gives_the_same_values) {
  for (const char* const command : kValues) {
    run(command);
    const std::string_view rest =
        std::string_view(command).substr(std::string_view(command).find(' ') + 1);
    const std::string name(rest.substr(0, rest.find(' ')));
    const std::string payload = dumped(name);
    BOOST_TEST(run_args({"RESTORE", "of " + name, "5000", payload}) == "+OK");
    BOOST_TEST(run_args({"RESTORE", "of " + name, "0", payload, "REPLACE", "FREQ", "9"}) == "+OK");
    BOOST_TEST(run_args({"RESTORE", "brief " + name, "5000", payload}) == "+OK");
  }
  const auto content = commands::test::content_of(engine);
  CommandFixture other;
  other.advance_ms(1'000'000);
  engine::Session replay(engine::Session::Kind::kReplay);
  other.engine.expire_on_access = false;
  for (const commands::test::Recorder::Logged& logged : recorder.log) {
    const std::vector<std::string_view> args(logged.args.begin(), logged.args.end());
    commands::test::ReplyText answer;
    other.engine.execute(replay, args, answer);
    BOOST_TEST(answer.take().front() != '-');
  }
  BOOST_TEST((commands::test::content_of(other.engine) == content));
}

// Somebody had lowered the guard then, and raised it again.
BOOST_AUTO_TEST_CASE(replay_takes_what_was_accepted_whatever_is_believed_now) {
  const std::string of_the_future = sealed(std::string("\0\1x", 3), '\x46');
  std::string unsealed = sealed(std::string("\0\1y", 3), '\x0a');
  unsealed.back() = static_cast<char>(unsealed.back() ^ 1);
  engine::Session replay(engine::Session::Kind::kReplay);
  for (const std::string& payload : {of_the_future, unsealed}) {
    const std::vector<std::string_view> args = {"RESTORE", "k", "0", payload, "REPLACE"};
    BOOST_TEST(run_args(args) == "-ERR DUMP payload version or checksum are wrong");
    engine.execute(replay, args, reply);
    BOOST_TEST(reply.take() == "+OK");
  }
  BOOST_TEST(run("GET k") == "$y");
}

// Times that would overflow whoever reckons with them.
BOOST_AUTO_TEST_CASE(times_out_of_range_are_bad_data) {
  const auto raw = [](int64_t value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof value);
  };
  const auto with_all = [](std::string text, const std::string& old, const std::string& other) {
    for (size_t at = 0; (at = text.find(old, at)) != std::string::npos; at += other.size()) {
      text.replace(at, old.size(), other);
    }
    return text;
  };
  const auto resealed = [](const std::string& payload) {
    return sealed(payload.substr(0, payload.size() - 10), payload[payload.size() - 10]);
  };
  run("HSETEX hash PXAT 70368744177663 FIELDS 1 f v");
  run("XADD stream 5-1 f v");
  run("XGROUP CREATE stream g 0");
  run("XREADGROUP GROUP g c STREAMS stream >");
  const std::string latest = raw(70'368'744'177'663);
  const std::string hash = dumped("hash");
  const std::string stream = dumped("stream");
  BOOST_TEST_REQUIRE(stream.find(raw(kStartMs)) != std::string::npos);
  for (const std::string& payload :
       {with_all(hash, latest, raw(70'368'744'177'664)), with_all(hash, latest, raw(INT64_MAX)),
        with_all(stream, raw(kStartMs), raw(INT64_MIN))}) {
    BOOST_TEST(run_args({"RESTORE", "k", "0", resealed(payload)}) == "-ERR Bad data format");
  }
  BOOST_TEST(run_args({"RESTORE", "h", "0", resealed(hash)}) == "+OK");
  check({{"HPEXPIRETIME h FIELDS 1 f", "*[:70368744177663]"},
         {"HEXPIRETIME h FIELDS 1 f", "*[:70368744178]"}});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::persist
