#include "scripting/eval_scripts.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "scripting/sha1.h"
#include "test/scripting/script_fixture.h"

using roxdb::scripting::kEvalScriptsMax;
using roxdb::scripting::sha1_hex;
using roxdb::scripting::test::ScriptFixture;

BOOST_FIXTURE_TEST_SUITE(scripting_eval_scripts, ScriptFixture)

BOOST_AUTO_TEST_CASE(the_scripts_used_last_are_kept) {
  const std::string first = "return 'first'";
  run_args({"EVAL", first, "0"});
  for (size_t i = 0; i < kEvalScriptsMax; ++i) {
    run_args({"EVAL", "return " + std::to_string(i), "0"});
    if (i % 100 == 0) BOOST_TEST(run_args({"EVALSHA", sha1_hex(first), "0"}) == "$first");
  }
  BOOST_TEST(scripting.scripts.size() == kEvalScriptsMax);
  BOOST_TEST(scripting.scripts.evicted() == 1u);
  BOOST_TEST(run_args({"EVALSHA", sha1_hex(first), "0"}) == "$first");
  BOOST_TEST(run_args({"EVALSHA", sha1_hex("return 0"), "0"}) ==
             "-NOSCRIPT No matching script. Please use EVAL.");
}

BOOST_AUTO_TEST_CASE(what_was_loaded_stays_until_a_flush) {
  const std::string kept = "return 'kept'";
  BOOST_TEST(run_args({"EVAL", kept, "0"}) == "$kept");
  BOOST_TEST(run_args({"SCRIPT", "LOAD", kept}) == "$" + sha1_hex(kept));
  for (size_t i = 0; i < 2 * kEvalScriptsMax; ++i) {
    run_args({"EVAL", "return " + std::to_string(i), "0"});
  }
  BOOST_TEST(run_args({"EVALSHA", sha1_hex(kept), "0"}) == "$kept");
  BOOST_TEST(run_args({"SCRIPT", "SHOW", sha1_hex(kept)}) == "$" + kept);
  BOOST_TEST(run("SCRIPT FLUSH") == "+OK");
  BOOST_TEST(scripting.scripts.size() == 0u);
  BOOST_TEST(scripting.scripts.script_bytes() == 0u);
  BOOST_TEST(run_args({"SCRIPT", "EXISTS", sha1_hex(kept)}) == "*[:0]");
}

BOOST_AUTO_TEST_CASE(a_script_is_known_by_its_sha1_in_any_case) {
  const std::string sha1 = sha1_hex("return 1");
  run("SCRIPT LOAD \"return 1\"");
  std::string upper = sha1;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  BOOST_TEST(run_args({"EVALSHA", upper, "0"}) == ":1");
  BOOST_TEST(run_args({"SCRIPT", "EXISTS", upper}) == "*[:1]");
}

BOOST_AUTO_TEST_SUITE_END()
