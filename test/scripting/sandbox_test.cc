// The rows of the table of known holes (reliability, S5) that concern scripts, and what one call
// may not leave to the next.
#include "scripting/sandbox.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "resp/reply_writer.h"
#include "test/scripting/script_fixture.h"

namespace {

using roxdb::scripting::test::ScriptFixture;
using namespace std::string_literals;

// Whatever was tried, the next caller finds everything as it was.
void check_unharmed(ScriptFixture& fixture) {
  BOOST_TEST(fixture.eval("return string.upper('abc') .. ('x'):rep(2) .. #KEYS .. ARGV[1]") ==
             "$ABCxx1argument");
  BOOST_TEST(fixture.eval("return redis.call('PING')") == "+PONG");
  BOOST_TEST(fixture.eval("return cjson.encode({1, bit.band(7, 3), math.abs(-1)})") == "$[1,3,1]");
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(scripting_sandbox, ScriptFixture)

// CVE-2025-49844, CVE-2024-46981: the collector works while a text is compiled, and finalizers.
BOOST_AUTO_TEST_CASE(nothing_is_freed_that_the_parser_or_a_finalizer_still_uses) {
  BOOST_TEST(eval("local n = 0 for i = 1, 300 do collectgarbage() "
                  "local f = loadstring('return \"' .. ('x'):rep(i * 50) .. '\"', 'name' .. i) "
                  "n = n + #f() end return n") == ":2257500");
  BOOST_TEST(
      error("return newproxy(true)") ==
      "-ERR user_script:1: Script attempted to access nonexistent global variable 'newproxy'");
  BOOST_TEST(eval("for i = 1, 1000 do setmetatable({}, {__gc = function() error('x') end}) end "
                  "collectgarbage() return 1") == ":1");
  check_unharmed(*this);
}

// CVE-2025-46817
BOOST_AUTO_TEST_CASE(unpack_counts_without_overflow) {
  for (const char* range :
       {"0,2147483647", "-2147483648,2147483647", "1,2147483647", "1,1000000"}) {
    BOOST_TEST_CONTEXT(range) {
      BOOST_TEST(error("return unpack({}," + std::string(range) + ")") ==
                 "-ERR user_script:1: too many results to unpack");
    }
  }
  BOOST_TEST(eval("return #{unpack({1,2,3}, 2, 3)}") == ":2");
  BOOST_TEST(eval("return select('#', unpack({}, 1, 7000))") == ":7000");
  check_unharmed(*this);
}

// CVE-2025-46818, CVE-2022-24735, CVE-2022-24736
BOOST_AUTO_TEST_CASE(what_scripts_share_cannot_be_changed) {
  for (const char* change : {"getmetatable('').__index = function() return 1 end",
                             "getmetatable('').x = 1",
                             "string.upper = 1",
                             "redis.call = 1",
                             "redis = 1",
                             "x = 1",
                             "_G.x = 1",
                             "_G = {}",
                             "rawset(_G, 'x', 1)",
                             "rawset(redis, 'call', 1)",
                             "rawset(string, 'upper', 1)",
                             "setmetatable(_G, {})",
                             "setmetatable(redis, {})",
                             "setmetatable(string, nil)",
                             "getmetatable(_G).__index = {}",
                             "getmetatable(_G).__newindex = nil",
                             "table.insert(redis, 1)",
                             "table.insert(_G, 'x')",
                             "math.random = 1",
                             "cjson.null = 1",
                             "cjson.encode = 1",
                             "bit.band = 1",
                             "struct.pack = 1",
                             "cmsgpack.pack = 1",
                             "os.clock = 1",
                             "coroutine.wrap = 1",
                             "table.sort(_G)",
                             "table.remove(string)",
                             "server.call = 1"}) {
    BOOST_TEST_CONTEXT(change) {
      BOOST_TEST(error(change).ends_with("Attempt to modify a readonly table"));
    }
  }
  // What is thrown gets the place where: not when it belongs to all.
  BOOST_TEST(eval("error(_G)").starts_with("-ERR "));
  BOOST_TEST(eval("error(redis)").starts_with("-ERR "));
  BOOST_TEST(eval("return {redis.source == nil, redis.line == nil}") == "*[:1 :1]");
  BOOST_TEST(error("return {source, line}") ==
             "-ERR user_script:1: Script attempted to access nonexistent global variable 'source'");
  BOOST_TEST(eval("local mt = getmetatable(redis) if mt then mt.__index = nil end return 1") ==
             ":1");
  BOOST_TEST(eval("KEYS[1] = 'changed' ARGV.more = 1 setmetatable(KEYS, {__index = {2,3}}) "
                  "return KEYS[2]") == ":3");
  BOOST_TEST(eval("return {KEYS[1], ARGV.more == nil, getmetatable(KEYS) == nil}") ==
             "*[$key :1 :1]");
  check_unharmed(*this);
}

BOOST_AUTO_TEST_CASE(what_a_call_tunes_is_forgotten_behind_it) {
  eval(
      "cjson.encode_max_depth(1) cjson.encode_number_precision(2) math.randomseed(7) "
      "collectgarbage('stop') collectgarbage('setpause', 100000)");
  BOOST_TEST(eval("return cjson.encode({{{0.12345}}})") == "$[[[0.12345]]]");
  const std::string seeded = eval("math.randomseed(7) return math.random(1000000)");
  BOOST_TEST(eval("return math.random(1000000)") != seeded);
  BOOST_TEST(eval("math.randomseed(7) return math.random(1000000)") == seeded);
  BOOST_TEST(eval("redis.setresp(3) return true") == "#t");
  BOOST_TEST(eval("return true") == ":1");
}

// CVE-2025-46819
BOOST_AUTO_TEST_CASE(unfinished_long_brackets_are_a_syntax_error) {
  for (const std::string& text :
       {"return [" + std::string(100'000, '='), "return [" + std::string(100'000, '=') + "[ abc",
        "--[" + std::string(100'000, '=') + "[", "return [=[ ]" + std::string(100'000, '=')}) {
    BOOST_TEST(
        eval(text).starts_with("-ERR Error compiling script (new function): user_script:1:"));
  }
  check_unharmed(*this);
}

// CVE-2024-31449, CVE-2022-24834, CVE-2018-11218, CVE-2018-11219, CVE-2015-8080, CVE-2020-14147
BOOST_AUTO_TEST_CASE(libraries_do_not_leave_their_memory) {
  BOOST_TEST(eval("return bit.tohex(65535, -2147483648)") == "$0000FFFF");
  BOOST_TEST(eval("return bit.tohex(1, -2^31) .. bit.tohex(1, 2^40)") == "$00000001");
  BOOST_TEST(error("return cjson.encode(string.rep('\\1', 60 * 1024 * 1024))") ==
             "-ERR user_script:1: not enough memory");
  BOOST_TEST(error("return cjson.decode(string.rep('[', 100000))") ==
             "-ERR user_script:1: Found too many nested data structures (1001) at character 1001");
  BOOST_TEST(error("cjson.decode_max_depth(2^31 - 1) return cjson.decode(string.rep('[', 100000))")
                 .starts_with("-ERR user_script:1: Found too many nested data structures ("));
  BOOST_TEST(error("local t = {} for i = 1, 100000 do t = {t} end return cjson.encode(t)") ==
             "-ERR user_script:1: Cannot serialise, excessive nesting (1001)");
  BOOST_TEST(error("return cmsgpack.unpack(string.rep('\\145', 100000))")
                 .starts_with("-ERR user_script:1: Found too many nested data structures ("));
  BOOST_TEST(error("return cmsgpack.unpack('\\221\\145')") ==
             "-ERR user_script:1: Missing bytes in input.");
  BOOST_TEST(error("return cmsgpack.unpack('\\221\\255\\255\\255\\255')").starts_with("-ERR "));
  BOOST_TEST(eval("local t = {} t.t = t return #cmsgpack.pack(t) < 100") == ":1");
  BOOST_TEST(error("return struct.pack('i99999999999', 1)") ==
             "-ERR user_script:1: integral size overflow");
  BOOST_TEST(error("return struct.unpack('c2147483647', 'abc')")
                 .starts_with("-ERR user_script:1: bad argument #2 to 'unpack' (data string too"));
  BOOST_TEST(error("return struct.unpack('c0', 'abc')").starts_with("-ERR "));
  BOOST_TEST(error("return struct.unpack('I4c0', '\\255\\255\\255\\255abc')").starts_with("-ERR "));
  BOOST_TEST(error("return struct.unpack('i', 'abcd', -1)").starts_with("-ERR "));
  BOOST_TEST(error("return struct.unpack('i', 'abcd', 2^53)").starts_with("-ERR "));
  check_unharmed(*this);
}

// CVE-2021-32626
BOOST_AUTO_TEST_CASE(many_values_and_deep_ones_do_not_overflow_a_stack) {
  BOOST_TEST(eval("local t = {} for i = 1, 7998 do t[i] = 'x' end "
                  "local r = redis.pcall('DEL', unpack(t, 1, 7990)) return r") == ":0");
  // All of them together are shorter than what a string keeps within itself.
  BOOST_TEST(eval("local t = {} for i = 1, 7500 do t[i] = '' end "
                  "return redis.call('SADD', 'k', unpack(t))") == ":1");
  BOOST_TEST(run("SMEMBERS k") == "~[$]");
  BOOST_TEST(error("local t = {} for i = 1, 8000 do t[i] = 'x' end return redis.call(unpack(t))") ==
             "-ERR user_script:1: too many results to unpack");
  BOOST_TEST(eval("local t = {} for i = 1, 100000 do t = {t} end return t")
                 .find("-ERR reached lua stack limit") != std::string::npos);
  BOOST_TEST(eval("local t = {} t[1] = t return t").find("-ERR reached lua stack limit") !=
             std::string::npos);
  BOOST_TEST(error("local function f() return f() + 1 end return f()") ==
             "-ERR user_script:1: stack overflow");
  BOOST_TEST(error("local function f() return coroutine.wrap(f)() end return f()")
                 .ends_with("C stack overflow"));
  BOOST_TEST(error("local function f() return coroutine.resume(coroutine.create(f)) end "
                   "local ok, why = f() return redis.error_reply(tostring(why))")
                 .starts_with("-"));
  BOOST_TEST(error("local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x")
                 .find("loop in gettable") != std::string::npos);
  BOOST_TEST(error("return loadstring(string.rep('(', 100000))()").starts_with("-ERR "));
  BOOST_TEST(error("return string.find(string.rep('a', 100000), string.rep('a?', 100000))") ==
             "-ERR user_script:1: pattern too complex");
  BOOST_TEST(
      eval("return string.find(string.rep('a', 9999) .. 'b', string.rep('a', 9999), 1, true)") ==
      ":1");
  check_unharmed(*this);
}

// CVE-2022-0543
BOOST_AUTO_TEST_CASE(no_library_leads_out) {
  for (const char* name : {"package", "io", "require", "dofile", "loadfile", "print", "debug",
                           "newproxy", "getfenv", "setfenv", "module", "jit", "ffi"}) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(error("return " + std::string(name)) ==
                 "-ERR user_script:1: Script attempted to access nonexistent global variable '" +
                     std::string(name) + "'");
      BOOST_TEST(eval("return rawget(_G, '" + std::string(name) + "')") == "$nil");
    }
  }
  BOOST_TEST(eval("local names = {} for name in pairs(os) do names[#names + 1] = name end "
                  "return names") == "*[$clock]");
  BOOST_TEST(eval("return string.dump") == "$nil");
  BOOST_TEST(eval("return {loadstring('\\27Lua')}") == "*[]");
  BOOST_TEST(eval("local f, why = loadstring('\\27Lua') return why") ==
             "$attempt to load chunk with wrong mode");
  BOOST_TEST(eval("local text = '\\27Lua' local f = load(function() local t = text text = nil "
                  "return t end) "
                  "return f == nil") == ":1");
  BOOST_TEST(eval("\x1bLua") ==
             "-ERR Error compiling script (new function): attempt to load chunk with wrong mode");
  check_unharmed(*this);
}

// CVE-2025-67733. The reply's text is what a client is sent: the writer makes one line of it.
BOOST_AUTO_TEST_CASE(an_error_is_one_line) {
  roxdb::resp::OutputBuffer out;
  roxdb::resp::RespWriter writer(out);
  for (const char* script :
       {"return redis.error_reply('ERR a\\r\\n+OK\\0b')", "return {err='ERR a\\r\\n+OK\\0b'}",
        "error('a\\r\\n+OK\\0b', 0)", "error({err='ERR a\\r\\n+OK\\0b'})",
        "return redis.call('nosuch\\r\\n+OK')", "return {ok='a\\r\\n+OK\\0'}",
        "return {big_number='1\\r\\n+OK'}"}) {
    BOOST_TEST_CONTEXT(script) {
      const std::vector<std::string_view> args{"EVAL", script, "0"};
      engine.execute(session, args, writer);
      std::array<std::string_view, 8> pieces;
      const size_t count = out.gather(pieces);
      std::string text;
      for (size_t i = 0; i < count; ++i) text += pieces[i];
      out.clear(0);
      BOOST_TEST(text.find("\r\n+OK") == std::string::npos);
      BOOST_TEST(text.find('\0') == std::string::npos);
    }
  }
}

// CVE-2021-32672, GHSA-fq2f-crmw-q97r
BOOST_AUTO_TEST_CASE(there_is_no_debugger) {
  BOOST_TEST(run("SCRIPT DEBUG YES") ==
             "-ERR SCRIPT DEBUG is not supported: there is no debugger for scripts");
  BOOST_TEST(run("SCRIPT DEBUG NO") == "+OK");
  BOOST_TEST(eval("redis.debug('x') return redis.breakpoint()") == "$nil");
}

BOOST_AUTO_TEST_CASE(memory_of_a_call_is_limited_and_given_back) {
  for (const char* script :
       {"return #string.rep('x', 512 * 1024 * 1024)", "local t = {} for i = 1, 1e9 do t[i] = i end",
        "local s = 'x' while true do s = s .. s end",
        "local t = {} while true do t[#t + 1] = string.rep('x', 100000) .. #t end",
        "local s = string.rep('x', 1e8) while true do pcall(string.rep, s, 3) s = s .. 'x' end"}) {
    BOOST_TEST_CONTEXT(script) {
      BOOST_TEST(eval(script).find("not enough memory") != std::string::npos);
      BOOST_TEST(scripting.scripts.interpreter_bytes() < 50u << 20);
    }
  }
  check_unharmed(*this);
}

// Nothing of a text that could not be compiled or loaded is ever used again.
BOOST_AUTO_TEST_CASE(broken_texts_leave_no_garbage) {
  const std::string text(4u << 20, 'x');
  for (int i = 0; i < 30; ++i) {
    const std::string number = std::to_string(i);
    eval("local s = '" + text + number + "' +");
    run_args({"FUNCTION", "LOAD", "#!lua name=a\nlocal s = '" + text + number + "' error('no')"});
  }
  BOOST_TEST(scripting.scripts.interpreter_bytes() < 50u << 20);
  BOOST_TEST(scripting.libraries.interpreter_bytes() < 50u << 20);
}

// One table may stand in a value many times: what is small in memory need not be so in its text.
BOOST_AUTO_TEST_CASE(a_text_that_says_one_table_many_times_is_limited_like_memory) {
  const std::string nearly_full =
      "local base, kept = string.rep('x', 1e6), {} "
      "for i = 1, 258 do kept[i] = base .. i collectgarbage() end ";
  BOOST_TEST(error(nearly_full + "local t = {} for i = 1, 100 do t = {t, t} end "
                                 "return cjson.encode(t)") ==
             "-ERR user_script:1: not enough memory");
  BOOST_TEST(error(nearly_full + "local t = {} for i = 1, 8 do local u = {} "
                                 "for j = 1, 30 do u[j] = t end t = u end "
                                 "return cmsgpack.pack(t)") ==
             "-ERR user_script:1: not enough memory");
  check_unharmed(*this);
}

BOOST_AUTO_TEST_CASE(a_reply_is_measured_before_it_is_made) {
  engine.reply_bytes_max = 1u << 20;
  for (const char* script :
       {"local t = {} for i = 1, 100 do t = {t, t} end return t",
        "local t = {} for i = 1, 100 do t = {map = {[1] = t, [2] = t}} end return t",
        "local s, t = string.rep('x', 1e5), {} for i = 1, 100 do t[i] = s end return t",
        "local s, t = string.rep('x', 1e5), {} for i = 1, 100 do t[s .. i] = 1 end "
        "return {set = t}",
        "return string.rep('x', 2^21)"}) {
    BOOST_TEST_CONTEXT(script) { BOOST_TEST(eval(script) == "-ERR reply too large"); }
  }
  BOOST_TEST(eval("return {1, {'x', {}}, {ok = 'fine'}}") == "*[:1 *[$x *[]] +fine]");
  check_unharmed(*this);
}

BOOST_AUTO_TEST_CASE(xpcall_returns_what_lua_returns) {
  BOOST_TEST(eval("return {xpcall(function() return 1, 'a' end, function() end)}") ==
             "*[:1 :1 $a]");
  BOOST_TEST(eval("local ok, why = xpcall(function() error('x', 0) end, "
                  "function(text) return text .. 'y' end) return {ok == false, why}") ==
             "*[:1 $xy]");
  BOOST_TEST(eval("return {xpcall(function() error('x', 0) end, 5)}") ==
             "*[$nil $error in error handling]");
  BOOST_TEST(error("xpcall(function() end)") ==
             "-ERR user_script:1: bad argument #2 to 'xpcall' (value expected)");
}

BOOST_AUTO_TEST_CASE(proxies_look_like_what_they_stand_for) {
  BOOST_TEST(eval("local n = 0 for k, v in pairs(string) do n = n + 1 end return n > 10") == ":1");
  BOOST_TEST(eval("return type(next(redis)) .. type(rawget(redis, 'call')) .. type(redis)") ==
             "$stringfunctiontable");
  BOOST_TEST(eval("local k = next(_G) return _G[k] ~= nil") == ":1");
  BOOST_TEST(eval("return getmetatable('').__index == string") == ":1");
  BOOST_TEST(eval("return redis == server") == ":1");
}

BOOST_AUTO_TEST_SUITE_END()
