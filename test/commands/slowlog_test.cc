#include "engine/accepted_settings.h"
#include "test/commands/server/server_fixture.h"

namespace roxdb::commands {
namespace {

struct Fixture : test::ServerFixture {
  Fixture() { run("CONFIG SET slowlog-log-slower-than 0"); }  // everything is slow
  // The arguments of the newest record.
  std::string newest() {
    const auto& records = state.slow_log.records();
    BOOST_TEST_REQUIRE(!records.empty());
    std::string text;
    for (const std::string& arg : records.front().args) text += (text.empty() ? "" : " ") + arg;
    return text;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_slowlog, Fixture)

BOOST_AUTO_TEST_CASE(the_newest_comes_first_and_the_oldest_goes) {
  check({{"SLOWLOG RESET", "+OK"}, {"CONFIG SET slowlog-max-len 2", "+OK"}});
  check({{"SET a 1", "+OK"}, {"SET b 2", "+OK"}, {"SET c 3", "+OK"}});
  const auto& records = state.slow_log.records();
  BOOST_TEST_REQUIRE(records.size() == 2u);
  BOOST_TEST(newest() == "SET c 3");
  BOOST_TEST(records[0].id == records[1].id + 1);
  BOOST_TEST(records[0].time_s == kStartMs / 1000);
  BOOST_TEST(records[0].amount >= 0);
  BOOST_TEST(run("CONFIG SET slowlog-max-len 0") == "+OK");
  BOOST_TEST(run("SLOWLOG LEN") == ":0");
  BOOST_TEST(run("SLOWLOG GET -1") == "*[]");
}

BOOST_AUTO_TEST_CASE(a_record_tells_what_and_who) {
  run("SLOWLOG RESET");
  run("SET key value");
  const std::string text = run("SLOWLOG GET 1");
  BOOST_TEST(text.starts_with("*[*[:"), text);
  BOOST_TEST(text.ends_with("*[$SET $key $value] $?:0 $]]"), text);
}

BOOST_AUTO_TEST_CASE(get_counts) {
  run("SLOWLOG RESET");
  for (int i = 0; i < 20; ++i) run("PING");
  const auto shown = [this](const std::string& request) {
    const std::string text = run(request);
    size_t count = 0;
    for (size_t at = 0; (at = text.find("*[:", at)) != text.npos; ++at) ++count;
    return count;
  };
  BOOST_TEST(shown("SLOWLOG GET") == 10u);
  BOOST_TEST(shown("SLOWLOG GET 5") == 5u);
  BOOST_TEST(shown("SLOWLOG GET 0") == 0u);
  BOOST_TEST(shown("SLOWLOG GET -1") >= 20u);
  BOOST_TEST(shown("COMMANDLOG GET 3 slow") == 3u);
  check({{"SLOWLOG GET x", "-ERR count should be greater than or equal to -1"},
         {"SLOWLOG GET 1 2",
          "-ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP."}});
}

BOOST_AUTO_TEST_CASE(below_zero_nothing_is_logged) {
  check({{"CONFIG SET commandlog-execution-slower-than -1", "+OK"},
         {"SLOWLOG RESET", "+OK"},
         {"PING", "+PONG"},
         {"SLOWLOG LEN", ":0"}});
}

BOOST_AUTO_TEST_CASE(long_requests_are_cut) {
  const std::string big(200, 'x');
  std::vector<std::string_view> args(100, "k");
  args[0] = "DEL";
  args[1] = big;
  run_args(args);
  const auto& record = state.slow_log.records().front();
  BOOST_TEST_REQUIRE(record.args.size() == 32u);
  BOOST_TEST(record.args[1] == big.substr(0, 128) + "... (72 more bytes)");
  BOOST_TEST(record.args[30] == "k");
  BOOST_TEST(record.args[31] == "... (69 more arguments)");
}

BOOST_AUTO_TEST_CASE(large_commands_have_logs_of_their_own) {
  const engine::Command& get = *engine.commands().find_name("get");
  const std::string_view args[] = {"GET", "k"};
  run("CONFIG SET commandlog-large-reply-max-len 2");
  auto* const large = engine.services.find<engine::LargeCommands>();
  large->on_large_request(session, get, args, 100);
  for (const uint64_t bytes : {200, 300, 400}) large->on_large_reply(session, get, args, bytes);
  check({{"COMMANDLOG LEN large-request", ":1"},
         {"COMMANDLOG LEN large-reply", ":2"},
         {"COMMANDLOG GET -1 large-request", "*[*[:0 :1700000000 :100 *[$GET $k] $?:0 $]]"},
         {"COMMANDLOG GET 1 large-reply", "*[*[:2 :1700000000 :400 *[$GET $k] $?:0 $]]"},
         {"COMMANDLOG RESET large-reply", "+OK"},
         {"COMMANDLOG LEN large-request", ":1"},
         {"COMMANDLOG LEN large-reply", ":0"}});
}

BOOST_AUTO_TEST_CASE(how_large_is_large_can_be_said) {
  BOOST_TEST(engine.large_request_bytes == 1048576u);
  run("CONFIG SET commandlog-request-larger-than 0 commandlog-reply-larger-than -1");
  BOOST_TEST(engine.large_request_bytes == 0u);
  BOOST_TEST(engine.large_reply_bytes == UINT64_MAX);
}

// S3: who may read the slow log must not learn a password from it.
BOOST_AUTO_TEST_CASE(secrets_are_not_shown) {
  std::string password;
  engine.settings.add_string("requirepass", &password, engine::Setting::kSecret);
  check({{"CONFIG SET requirepass hunter2 hz 20", "+OK"}});
  BOOST_TEST(newest() == "CONFIG SET requirepass (redacted) hz 20");
  BOOST_TEST(password == "hunter2");
  run("CONFIG SET RequirePass hunter3 no-such-setting 1");
  BOOST_TEST(newest() == "CONFIG SET RequirePass (redacted) no-such-setting 1");
  engine::add_accepted_settings(engine.settings);
  for (const std::string name : {"masteruser", "primaryuser", "masterauth", "primaryauth"}) {
    run("CONFIG SET " + name + " somebody");
    BOOST_TEST(newest() == "CONFIG SET " + name + " (redacted)");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::commands
