#include "scripting/scripting.h"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>

#include "test/scripting/script_fixture.h"

namespace {

using namespace roxdb;
using roxdb::scripting::test::ScriptFixture;

// Whoever would serve others; time passes meanwhile.
struct Host final : engine::BusyHost {
  void serve_others() override { serve(); }
  std::function<void()> serve;
};

struct BusyFixture : ScriptFixture {
  BusyFixture() {
    engine.services.provide<engine::BusyHost>(&host);
    std::string why;
    const std::string one[] = {"1"};
    BOOST_REQUIRE(engine.settings.load("busy-reply-threshold", one, why));
    BOOST_REQUIRE(engine.settings.finish_loading(why));
    // The clock stands still otherwise.
    const auto prepare = scripting.scripts.on_made;
    scripting.scripts.on_made = [this, prepare](scripting::Interpreter& interpreter) {
      prepare(interpreter);
      const auto interval = interpreter.on_interval;
      interpreter.on_interval = [this, interval](scripting::ScriptRun& run) {
        environment.advance_ms(10);
        return interval(run);
      };
    };
  }
  // What another session is told while a script runs.
  std::string ask(std::initializer_list<std::string_view> request) {
    commands::test::ReplyText text;
    engine::Session other(engine::Session::Kind::kClient);
    const std::vector<std::string_view> args(request);
    const auto verdict = engine.execute(other, args, text);
    return verdict == engine::Verdict::kPostpone ? "postponed" : text.take();
  }
  Host host;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(scripting_scripting, ScriptFixture)

BOOST_AUTO_TEST_CASE(effects_are_one_unit_and_the_script_is_not_logged) {
  BOOST_TEST(eval("redis.call('SET', KEYS[1], ARGV[1]) redis.call('INCR', 'n') "
                  "return redis.call('GET', KEYS[1])") == "$argument");
  BOOST_TEST(log() == "SET key argument; INCR n");
  BOOST_TEST(eval("return redis.call('GET', 'n')") == "$1");
  BOOST_TEST(log() == "");
  BOOST_TEST(error("redis.call('SET', 'a', 'b') redis.call('LPUSH', 'a', 'x')") ==
             "-WRONGTYPE Operation against a key holding the wrong kind of value");
  BOOST_TEST(log() == "SET a b");
}

BOOST_AUTO_TEST_CASE(a_script_that_selects_a_database_leaves_its_caller_where_it_was) {
  eval("redis.call('SELECT', 3) redis.call('SET', 'there', 'x')");
  BOOST_TEST(session.db == 0);
  BOOST_TEST(run("EXISTS there") == ":0");
  run("SELECT 3");
  BOOST_TEST(run("GET there") == "$x");
}

BOOST_AUTO_TEST_CASE(read_only_scripts_write_nothing) {
  BOOST_TEST(run("EVAL_RO \"return redis.call('SET', 'a', 'b')\" 0")
                 .starts_with("-ERR Write commands are not allowed from read-only scripts."));
  BOOST_TEST(run_args({"EVAL", "#!lua flags=no-writes\nreturn redis.call('SET', 'a', 'b')", "0"})
                 .starts_with("-ERR Write commands are not allowed from read-only scripts."));
  BOOST_TEST(run_args({"EVAL_RO", "#!lua\nreturn 1", "0"}) ==
             "-ERR Can not execute a script with write flag using *_ro command.");
  BOOST_TEST(run("EXISTS a") == ":0");
}

BOOST_AUTO_TEST_CASE(numbers_travel_as_redis_writes_them) {
  for (const auto& [number, text] :
       std::initializer_list<std::pair<const char*, const char*>>{{"1", "1"},
                                                                  {"-7", "-7"},
                                                                  {"0", "0"},
                                                                  {"-0", "-0"},
                                                                  {"0.1", "0.10000000000000001"},
                                                                  {"2^53", "9007199254740992"},
                                                                  {"1e15", "1000000000000000"},
                                                                  {"1e17", "1e+17"},
                                                                  {"1e16", "10000000000000000"},
                                                                  {"1/3", "0.33333333333333331"},
                                                                  {"1/0", "inf"}}) {
    BOOST_TEST_CONTEXT(number) {
      BOOST_TEST(eval("return redis.call('ECHO', " + std::string(number) + ")") ==
                 "$" + std::string(text));
    }
  }
}

BOOST_FIXTURE_TEST_CASE(others_are_told_busy_and_may_kill, BusyFixture) {
  int turns = 0;
  host.serve = [&] {
    ++turns;
    BOOST_TEST(ask({"PING"}) ==
               "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN "
               "NOSAVE.");
    BOOST_TEST(ask({"FUNCTION", "KILL"}).starts_with("-BUSY"));
    if (turns == 3) BOOST_TEST(ask({"SCRIPT", "KILL"}) == "+OK");
  };
  const std::string reply_text =
      run_args({"EVAL", "redis.call('PING') while true do pcall(function() end) end", "0"});
  BOOST_TEST(turns == 3);
  BOOST_TEST(reply_text.starts_with("-ERR Script killed by user with SCRIPT KILL..."));
  BOOST_TEST(ask({"PING"}) == "+PONG");
}

BOOST_FIXTURE_TEST_CASE(a_script_that_has_written_cannot_be_killed, BusyFixture) {
  int turns = 0;
  host.serve = [&] {
    BOOST_TEST(ask({"SCRIPT", "KILL"}).starts_with("-UNKILLABLE"));
    BOOST_TEST(ask({"GET", "a"}).starts_with("-BUSY"));
    ++turns;
  };
  BOOST_TEST(
      eval("redis.call('SET', 'a', 'b') for i = 1, 1e6 do end return redis.call('GET', 'a')") ==
      "$b");
  BOOST_TEST(turns > 0);
  BOOST_TEST(log() == "SET a b");
  BOOST_TEST(run("SCRIPT KILL") == "-NOTBUSY No scripts in execution right now.");
}

BOOST_AUTO_TEST_SUITE_END()
