#include "scripting/scripting.h"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>

#include "engine/memory_gate.h"
#include "test/scripting/script_fixture.h"

namespace {

using namespace roxdb;
using roxdb::scripting::test::ScriptFixture;
using namespace std::string_literals;

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

// Lets nobody write, within a script either.
struct NoWrites final : engine::Gate {
  bool asks_about_parts() const override { return true; }
  engine::Verdict check(engine::Session&, const engine::CommandSpec& spec, engine::Args,
                        Status& refusal) override {
    if ((spec.flags & engine::kWrite) == 0) return engine::Verdict::kPass;
    refusal = user_error("NOPERM no");
    return engine::Verdict::kRefuse;
  }
};

constexpr std::string_view kKilled = "-ERR Script killed by user with SCRIPT KILL...";

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

BOOST_AUTO_TEST_CASE(chance_is_another_in_each_call) {
  const std::string draw = "return math.random(1000000000)";
  BOOST_TEST(eval(draw) != eval(draw));
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

BOOST_FIXTURE_TEST_CASE(a_script_whose_writes_were_refused_can_be_killed, BusyFixture) {
  NoWrites no_writes;
  engine.arm(&no_writes, 0);
  host.serve = [&] { BOOST_TEST(ask({"SCRIPT", "KILL"}) == "+OK"); };
  BOOST_TEST(eval("redis.pcall('SET', 'a', 'b') while true do end").starts_with(kKilled));
  engine.disarm(&no_writes);
}

// However it catches its end, it has come.
BOOST_FIXTURE_TEST_CASE(a_script_that_was_killed_neither_writes_nor_answers, BusyFixture) {
  host.serve = [&] { BOOST_TEST(ask({"SCRIPT", "KILL"}) == "+OK"); };
  const std::string endless = "function() while true do end end";
  for (const std::string& script :
       {"pcall(" + endless + ") redis.call('SET', 'a', 'b') return 1",
        "pcall(" + endless + ") return redis.pcall('SET', 'a', 'b')",
        "pcall(" + endless + ") pcall(redis.call, 'SET', 'a', 'b') return 1",
        "xpcall(" + endless + ", " + endless + ") return 1", "pcall(" + endless + ") return 1",
        "pcall(" + endless + ") error('other')",
        "coroutine.resume(coroutine.create(" + endless + ")) redis.call('SET', 'a', 'b')"}) {
    BOOST_TEST_CONTEXT(script) {
      BOOST_TEST(eval(script).starts_with(kKilled));
      BOOST_TEST(log() == "");
      BOOST_TEST(run("EXISTS a") == ":0");
      BOOST_TEST(eval("local n = 0 for i = 1, 10 do n = n + 1 end return n") == ":10");
    }
  }
}

// Each of these ends long before the first interval of 100,000 instructions of one coroutine.
BOOST_FIXTURE_TEST_CASE(commands_and_coroutines_are_seen_to_take_long, BusyFixture) {
  host.serve = [&] { BOOST_TEST(ask({"SCRIPT", "KILL"}) == "+OK"); };
  for (const char* script :
       {"for i = 1, 100 do redis.call('PING') end return 1",
        "for i = 1, 100 do coroutine.wrap(function() end)() end return 1",
        "for i = 1, 100 do coroutine.resume(coroutine.create(function() end)) end return 1"}) {
    BOOST_TEST_CONTEXT(script) {
      environment.advance_ms(10);
      BOOST_TEST(eval(script).starts_with(kKilled));
    }
  }
}

// Each of these would take minutes, and few instructions.
BOOST_FIXTURE_TEST_CASE(what_takes_long_within_an_instruction_is_killed, BusyFixture) {
  host.serve = [&] { BOOST_TEST(ask({"SCRIPT", "KILL"}) == "+OK"); };
  const std::string match = "(string.rep('a', 2000), string.rep('.-', 6) .. 'b'";
  for (const std::string& script :
       {"return string.find" + match + ")", "return string.match" + match + ")",
        "for a in string.gmatch" + match + ") do end return 1",
        "return string.gsub" + match + ", '')",
        "pcall(string.find, " + match.substr(1) + ") return 1",
        "return coroutine.wrap(function(...) return string.find(...) end)" + match + ")",
        "local s = string.rep('a', 1e6) for i = 1, 20 do s:find('b', 1, true) end return 1"s,
        "local t = {} for i = 1, 1000 do t[i] = i end for i = 1, 20 do table.sort(t) end return 1"s,
        "local s = string.rep('x', 1e7) for i = 1, 20 do local t = s .. i end return 1"s,
        "coroutine.wrap(function() local s = string.rep('x', 1e7) "
        "for i = 1, 20 do local t = s .. i end end)() return 1"s}) {
    BOOST_TEST_CONTEXT(script) { BOOST_TEST(eval(script).substr(0, kKilled.size()) == kKilled); }
  }
}

BOOST_AUTO_TEST_CASE(a_full_memory_refuses_what_may_write_once_nothing_can_be_evicted) {
  engine::MemoryGate memory_gate(engine, 0);
  engine.services.provide(&memory_gate);
  const auto configure = [&](std::string_view name, std::string_view value) {
    const std::pair<std::string_view, std::string_view> pair[] = {{name, value}};
    std::string why;
    BOOST_REQUIRE(engine.settings.set(pair, false, why));
  };
  const auto eval_text = [&](std::string_view text) { return run_args({"EVAL", text, "0"}); };
  for (int i = 0; i < 20'000; ++i) run_args({"SET", std::to_string(i), "x"});
  configure("maxmemory", "1");
  BOOST_TEST(eval_text("#!lua\nreturn 1").starts_with("-OOM "));
  BOOST_TEST(eval_text("#!lua flags=no-writes\nreturn 1") == ":1");
  BOOST_TEST(eval_text("#!lua flags=allow-oom\nreturn 1") == ":1");
  configure("maxmemory-policy", "allkeys-random");
  BOOST_TEST(eval_text("#!lua\nreturn 1") == ":1");
  BOOST_TEST(memory_gate.is_full());
  BOOST_TEST(run("DBSIZE") != ":0");
}

BOOST_AUTO_TEST_SUITE_END()
