#include "scripting/function_libraries.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "test/scripting/script_fixture.h"

namespace {

using roxdb::scripting::test::ScriptFixture;
using Policy = roxdb::scripting::FunctionLibraries::Policy;

std::string library(const std::string& name, const std::string& function,
                    const std::string& value) {
  return "#!lua name=" + name + "\nredis.register_function('" + function +
         "', function(keys, args) return " + value + " end)";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(scripting_function_libraries, ScriptFixture)

BOOST_AUTO_TEST_CASE(what_changes_libraries_is_logged_as_it_came) {
  const std::string code = library("a", "f", "1");
  BOOST_TEST(run_args({"FUNCTION", "LOAD", code}) == "$a");
  BOOST_TEST(log() == "FUNCTION LOAD " + code);
  BOOST_TEST(run_args({"FUNCTION", "LOAD", code}) == "-ERR Library 'a' already exists");
  BOOST_TEST(log() == "");
  BOOST_TEST(run("FCALL f 0") == ":1");
  BOOST_TEST(log() == "");
  BOOST_TEST(run("FUNCTION DELETE a") == "+OK");
  BOOST_TEST(log() == "FUNCTION DELETE a");
  BOOST_TEST(run("FUNCTION FLUSH") == "+OK");
  BOOST_TEST(log() == "FUNCTION FLUSH");
}

BOOST_AUTO_TEST_CASE(functions_are_found_in_any_case_and_libraries_only_in_theirs) {
  run_args({"FUNCTION", "LOAD", library("a", "Func", "1")});
  BOOST_TEST(run("FCALL fUNC 0") == ":1");
  BOOST_TEST(run_args({"FUNCTION", "LOAD", library("A", "func", "2")}) ==
             "-ERR Function func already exists");
  BOOST_TEST(run_args({"FUNCTION", "LOAD", library("A", "other", "2")}) == "$A");
  BOOST_TEST(run("FUNCTION DELETE a") == "+OK");
  BOOST_TEST(run("FCALL func 0") == "-ERR Function not found");
  BOOST_TEST(run("FCALL OTHER 0") == ":2");
}

BOOST_AUTO_TEST_CASE(a_library_that_cannot_be_loaded_leaves_the_old_one) {
  run_args({"FUNCTION", "LOAD", library("a", "f", "1")});
  run_args({"FUNCTION", "LOAD", library("b", "g", "2")});
  for (const std::string& bad :
       {library("a", "g", "3"), std::string("#!lua name=a\nerror('x')"),
        std::string("#!lua name=a\n+"), std::string("#!lua name=a\nlocal x = 1")}) {
    BOOST_TEST(run_args({"FUNCTION", "LOAD", "REPLACE", bad}).starts_with("-ERR "));
    BOOST_TEST(run("FCALL f 0") == ":1");
    BOOST_TEST(run("FCALL g 0") == ":2");
  }
  BOOST_TEST(run_args({"FUNCTION", "LOAD", "REPLACE", library("a", "h", "3")}) == "$a");
  BOOST_TEST(run("FCALL f 0") == "-ERR Function not found");
  BOOST_TEST(run("FCALL h 0") == ":3");
}

BOOST_AUTO_TEST_CASE(a_payload_is_restored_as_a_whole_or_not_at_all) {
  auto& libraries = scripting.libraries;
  run_args({"FUNCTION", "LOAD", library("a", "f", "1")});
  run_args({"FUNCTION", "LOAD", library("b", "g", "2")});
  const std::string payload = libraries.dump();
  std::string why;
  BOOST_TEST(!libraries.restore(payload, Policy::kAppend, 0, why));
  BOOST_TEST(why == "Library a already exists");
  libraries.flush(false);
  run_args({"FUNCTION", "LOAD", library("c", "g", "3")});
  why.clear();
  BOOST_TEST(!libraries.restore(payload, Policy::kReplace, 0, why));
  BOOST_TEST(why == "Function g already exists");
  BOOST_TEST(libraries.libraries().size() == 1u);
  BOOST_TEST(run("FCALL g 0") == ":3");
  why.clear();
  BOOST_TEST(libraries.restore(payload, Policy::kFlush, 0, why));
  BOOST_TEST(run("FCALL g 0") == ":2");
  BOOST_TEST(libraries.dump() == payload);
}

BOOST_AUTO_TEST_CASE(every_cut_and_every_flipped_byte_of_a_payload_is_refused) {
  auto& libraries = scripting.libraries;
  run_args({"FUNCTION", "LOAD", library("a", "f", "1")});
  const std::string payload = libraries.dump();
  for (size_t i = 0; i < payload.size(); ++i) {
    std::string bad = payload;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    for (const std::string& text : {payload.substr(0, i), bad}) {
      std::string why;
      BOOST_TEST(!libraries.restore(text, Policy::kFlush, 0, why));
      BOOST_TEST(libraries.libraries().size() == 1u);
    }
  }
}

// What save() wrote is loaded into another engine; a second time it is there already.
BOOST_AUTO_TEST_CASE(state_travels_to_another_engine) {
  run_args({"FUNCTION", "LOAD", library("a", "f", "1")});
  ScriptFixture other;
  std::string why;
  BOOST_TEST(other.scripting.libraries.load(scripting.libraries.save(), false, why).ok());
  BOOST_TEST(other.run("FCALL f 0") == ":1");
  BOOST_TEST(!other.scripting.libraries.load(scripting.libraries.save(), false, why).ok());
  BOOST_TEST(other.scripting.libraries.load(scripting.libraries.save(), true, why).ok());
  BOOST_TEST(!other.scripting.libraries.load("\xf5\x80nonsense", false, why).ok());
}

// The clock of this engine goes on.
BOOST_AUTO_TEST_CASE(the_time_that_a_library_may_take_to_load_is_limited) {
  roxdb::engine::Engine real({.hash_seed = 1});
  roxdb::scripting::FunctionLibraries libraries(real);
  const std::string code =
      "#!lua name=a\nfor i = 1, 1e6 do end "
      "redis.register_function('f', function() return 1 end)";
  std::string why;
  BOOST_TEST(libraries.load(code, false, 1, why) == nullptr);
  BOOST_TEST(why == "Error registering functions: ERR FUNCTION LOAD timeout");
  BOOST_TEST(libraries.load("#!lua name=a\nlocal a = ('a'):rep(2000):find(('.-'):rep(6) .. 'b')",
                            false, 1, why) == nullptr);
  BOOST_TEST(why == "Error registering functions: ERR FUNCTION LOAD timeout");
  BOOST_TEST(libraries.load(code, false, 0, why) != nullptr);
  const std::string payload = libraries.dump();
  BOOST_TEST(!libraries.restore(payload, Policy::kFlush, 1, why));
  BOOST_TEST(why ==
             "Failed creating the library: Error registering functions: ERR FUNCTION LOAD timeout");
  BOOST_TEST(libraries.functions() == 1u);
  BOOST_TEST(libraries.restore(payload, Policy::kFlush, 0, why));
}

// None of them takes long.
BOOST_AUTO_TEST_CASE(the_time_of_many_small_libraries_is_limited_too) {
  roxdb::engine::Engine real({.hash_seed = 1});
  roxdb::scripting::FunctionLibraries libraries(real);
  std::string why;
  for (int i = 0; i < 3; ++i) {
    const std::string number = std::to_string(i);
    BOOST_TEST_REQUIRE(libraries.load("#!lua name=a" + number + "\nredis.register_function('f" +
                                          number + "', function() return 1 end)",
                                      false, 0, why) != nullptr);
  }
  const std::string payload = libraries.dump();
  BOOST_TEST(!libraries.restore(payload, Policy::kFlush, 1, why));
  BOOST_TEST(why == "FUNCTION LOAD timeout");
  BOOST_TEST(libraries.functions() == 3u);
}

// A library may keep something between two calls: it is its own.
BOOST_AUTO_TEST_CASE(a_library_keeps_its_own_values_and_nothing_of_the_callers) {
  run_args({"FUNCTION", "LOAD",
            "#!lua name=a\nlocal n, kept = 0, nil\n"
            "redis.register_function('count', function() n = n + 1 return n end)\n"
            "redis.register_function('keep', function(keys) kept = keys return 1 end)\n"
            "redis.register_function('show', function() return kept end)"});
  BOOST_TEST(run("FCALL count 0") == ":1");
  BOOST_TEST(run("FCALL count 0") == ":2");
  run("FCALL keep 1 mine");
  run("FCALL count 1 other");
  BOOST_TEST(run("FCALL show 0") == "*[$mine]");
}

BOOST_AUTO_TEST_SUITE_END()
