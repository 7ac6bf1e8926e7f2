#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "test/commands/command_fixture.h"

using roxdb::commands::test::CommandFixture;

namespace {

constexpr std::string_view kWrongType =
    "-WRONGTYPE Operation against a key holding the wrong kind of value";
constexpr std::string_view kNotOne = "-WRONGTYPE Key is not a valid HyperLogLog string value.";
constexpr std::string_view kDamaged = "-INVALIDOBJ Corrupted HLL object detected";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands_hyperloglog, CommandFixture)

BOOST_AUTO_TEST_CASE(pfadd_tells_whether_anything_has_changed) {
  check({{"PFADD k", ":1"},  // the key is new
         {"PFADD k", ":0"},
         {"TYPE k", "+string"},
         {"OBJECT ENCODING k", "$raw"},
         {"PFADD k a b", ":1"},
         {"PFADD k b a", ":0"},
         {"PFCOUNT k", ":2"}});
  check_log({{"PFADD k a", ""}, {"PFADD k c", "PFADD k c"}, {"PFADD n", "PFADD n"}});
  events();
  run("PFADD k d");
  BOOST_TEST(events() == "pfadd:k");
}

BOOST_AUTO_TEST_CASE(pfcount_of_one_key_keeps_its_answer_in_it) {
  run("PFADD k a b c");
  check_log({{"PFCOUNT k", "PFCOUNT k"}, {"PFCOUNT k", ""}, {"PFADD k a", ""}, {"PFCOUNT k", ""}});
  const std::string counted = run("GET k");
  run("PFADD k d");
  BOOST_TEST(run("GET k") != counted);
  check({{"PFCOUNT k", ":4"}, {"PFCOUNT k", ":4"}});
}

BOOST_AUTO_TEST_CASE(counts_and_merges_of_several_keys_are_those_of_the_union) {
  check({{"PFADD a 1 2 3", ":1"},
         {"PFADD b 3 4 5", ":1"},
         {"PFCOUNT a b missing", ":5"},
         {"PFCOUNT missing nothing", ":0"},
         {"PFMERGE a b missing", "+OK"},
         {"PFCOUNT a", ":5"},
         {"PFMERGE new", "+OK"},
         {"PFCOUNT new", ":0"},
         {"PFDEBUG TODENSE b", ":1"},
         {"PFMERGE new b", "+OK"},
         {"PFDEBUG ENCODING new", "+dense"},
         {"PFCOUNT new", ":3"}});
  check_log({{"PFCOUNT a b", ""}, {"PFMERGE a", "PFMERGE a"}});
}

BOOST_AUTO_TEST_CASE(a_value_becomes_dense_at_the_limit) {
  engine.limits.hll_sparse_bytes = 24;
  check({{"PFADD k a", ":1"},
         {"PFDEBUG ENCODING k", "+sparse"},
         {"PFADD k b c d", ":1"},
         {"PFDEBUG ENCODING k", "+dense"},
         {"STRLEN k", ":12304"},
         {"PFCOUNT k", ":4"},
         {"PFDEBUG DECODE k", "-ERR HLL encoding is not sparse"}});
}

// Whatever limit holds then: what was sparse stays so, and the log says what became dense.
BOOST_AUTO_TEST_CASE(replay_gives_the_same_bytes_under_any_limit) {
  for (const uint64_t limit : {0u, 24u, 100'000u}) {
    engine.limits.hll_sparse_bytes = limit;
    const std::string name = "k" + std::to_string(limit);
    for (int i = 0; i < 3000; i += 3) {
      run("PFADD " + name + " " + std::to_string(i) + " " + std::to_string(i + 1) + " x");
    }
    run("PFADD other" + name + " a b c");
    run("PFMERGE merged" + name + " other" + name);
    run("PFMERGE more" + name + " " + name + " other" + name);
    run("PFCOUNT " + name);
  }
  check({{"PFDEBUG ENCODING k24", "+dense"}, {"PFDEBUG ENCODING k100000", "+sparse"}});
  const auto content = roxdb::commands::test::content_of(engine);
  for (const uint64_t limit : {0u, 3000u, 100'000u}) {
    CommandFixture other;
    other.engine.limits.hll_sparse_bytes = limit;
    roxdb::engine::Session replay(roxdb::engine::Session::Kind::kReplay);
    for (const roxdb::commands::test::Recorder::Logged& logged : recorder.log) {
      const std::vector<std::string_view> args(logged.args.begin(), logged.args.end());
      roxdb::commands::test::ReplyText answer;
      other.engine.execute(replay, args, answer);
      BOOST_TEST(answer.take().front() != '-');
    }
    BOOST_TEST((roxdb::commands::test::content_of(other.engine) == content));
  }
  engine.limits.hll_sparse_bytes = 0;
  check_log({{"PFADD small a", "PFADD small a; PFDEBUG TODENSE small"},
             {"PFADD small b c", "PFADD small b c"},
             {"PFMERGE new small", "PFMERGE new small"}});
  BOOST_TEST_REQUIRE(engine.commands().rename("pfadd", "sketch"));
  check_log({{"SKETCH other a", "PFADD other a; PFDEBUG TODENSE other"}});
}

BOOST_AUTO_TEST_CASE(what_holds_no_hyperloglog_is_refused_and_left_alone) {
  put_other_type("list");
  run("SET s HYLL");
  run("SET n 12345678901234567");
  for (const std::string_view key : {"s", "n"}) {
    const std::string name(key);
    check({{"PFADD " + name + " a", kNotOne},
           {"PFCOUNT " + name, kNotOne},
           {"PFCOUNT missing " + name, kNotOne},
           {"PFMERGE to " + name, kNotOne},
           {"PFMERGE " + name, kNotOne},
           {"PFDEBUG ENCODING " + name, kNotOne}});
  }
  check({{"PFADD list a", kWrongType},
         {"PFCOUNT list", kWrongType},
         {"PFMERGE to list", kWrongType},
         {"PFDEBUG GETREG list", kWrongType},
         {"PFDEBUG GETREG missing", "-ERR The specified key does not exist"},
         {"EXISTS to", ":0"},
         {"GET s", "$HYLL"}});
}

// Runs whose lengths add up to more than there are registers: CVE-2025-32023.
BOOST_AUTO_TEST_CASE(damaged_runs_are_refused_and_nothing_is_changed) {
  std::string damaged("HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80", 16);
  for (int i = 0; i < 8; ++i) damaged += "\x7f\xff";
  run_args({"SET", "k", damaged});
  run("PFADD good a");
  const std::string before = run("GET k");
  check_log({{"PFADD k a b", ""}, {"PFCOUNT k", ""}, {"PFMERGE good k", ""}});
  check({{"PFADD k a b", kDamaged},
         {"PFCOUNT k", kDamaged},
         {"PFCOUNT good k", kDamaged},
         {"PFMERGE k", kDamaged},
         {"PFMERGE good k", kDamaged},
         {"PFDEBUG TODENSE k", kDamaged},
         {"PFDEBUG GETREG k", kDamaged},
         {"PFCOUNT good", ":1"}});
  BOOST_TEST(run("GET k") == before);
}

BOOST_AUTO_TEST_CASE(pfdebug_shows_runs_and_registers) {
  check({{"PFADD k a", ":1"},
         {"PFDEBUG DECODE k", "$Z:12711 v:2,1 Z:3672"},
         {"PFDEBUG NOSUCH k", "-ERR Unknown PFDEBUG subcommand 'NOSUCH'"}});
  log();
  const std::string registers = run("PFDEBUG GETREG k");
  BOOST_TEST(log() == "PFDEBUG GETREG k");  // it is dense now
  std::string wanted = "*[";
  for (int i = 0; i < 16384; ++i) wanted += i == 12711 ? ":2 " : ":0 ";
  wanted.back() = ']';
  BOOST_TEST((registers == wanted));
  check({{"PFDEBUG TODENSE k", ":0"}, {"PFCOUNT k", ":1"}, {"PFSELFTEST", "+OK"}});
}

BOOST_AUTO_TEST_SUITE_END()
