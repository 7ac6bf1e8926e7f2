#include "engine/engine.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/memory.h"
#include "engine/call.h"
#include "resp/output_buffer.h"
#include "resp/reply_writer.h"
#include "test/sim/crashing_environment.h"

namespace {

using namespace roxdb;
using namespace roxdb::engine;

// A few commands of the test's own, so that the engine is tested and not a family.
Status put_command(Call& call) {
  ROX_TRY(call.set_string(1, call.arg(2)));
  call.changed(event::kSet);
  return call.reply_ok();
}
constexpr CommandSpec kPut{.name = "PUT",
                           .syntax = "key value",
                           .summary = "Sets a key.",
                           .since = "1.0.0",
                           .complexity = "O(1)",
                           .flags = kWrite,
                           .keys = "1:OW",
                           .handler = put_command};

Status put_for_command(Call& call) {
  ROX_TRY(const int64_t ms, call.integer(3));
  ROX_TRY(call.set_string(1, call.arg(2), call.now_ms() + ms));
  call.changed(event::kSet);
  const std::string at = std::to_string(call.now_ms() + ms);
  call.log_as({"PUTAT", call.arg(1), call.arg(2), at});
  return call.reply_ok();
}
constexpr CommandSpec kPutFor{.name = "PUTFOR",
                              .syntax = "key value milliseconds",
                              .summary = "Sets a key for a while.",
                              .since = "1.0.0",
                              .complexity = "O(1)",
                              .flags = kWrite,
                              .keys = "1:OW",
                              .handler = put_for_command};

Status take_command(Call& call) {
  const Entry* entry = call.read(1);
  if (entry == nullptr) return call.reply_null();
  return call.reply_string(*entry);
}
constexpr CommandSpec kTake{.name = "TAKE",
                            .syntax = "key",
                            .summary = "Reads a key.",
                            .since = "1.0.0",
                            .complexity = "O(1)",
                            .flags = kReadOnly,
                            .keys = "1:RO",
                            .handler = take_command};

Status fail_command(Call& call) { return call.fail("ERR no {}", call.arg(1)); }
constexpr CommandSpec kFail{.name = "FAIL",
                            .syntax = "word",
                            .summary = "Fails.",
                            .since = "1.0.0",
                            .complexity = "O(1)",
                            .handler = fail_command};

constexpr const CommandSpec* kSpecs[] = {&kPut, &kPutFor, &kTake, &kFail};
constexpr CommandFamily kFamily{"string", kSpecs};
constexpr const CommandFamily* kFamilies[] = {&kFamily};

class Recorder final : public Sink {
 public:
  void on_change(const KeyChange& change) override {
    text += "change " + std::to_string(change.db) + " " + std::string(change.key) + " " +
            std::string(change.event.name) + "\n";
  }
  void on_unit(std::span<const LogCommand> commands) override {
    text += "unit";
    for (const LogCommand& command : commands) {
      text += " [" + std::to_string(command.db);
      for (const std::string_view arg : command.args) text += " " + std::string(arg);
      text += "]";
    }
    text += "\n";
  }
  std::string take() { return std::exchange(text, {}); }
  std::string text;
};

class Refuser final : public Gate {
 public:
  Verdict check(Session&, const CommandSpec& spec, Args, Status& refusal) override {
    if ((spec.flags & kWrite) == 0) return Verdict::kPass;
    refusal = user_error("DENIED not now");
    return Verdict::kRefuse;
  }
};

struct Fixture {
  Fixture()
      : environment(7),
        engine({.environment = &environment, .hash_seed = 1, .families = kFamilies}),
        session(Session::Kind::kLibrary) {}

  std::string run(const std::string& line) {
    std::istringstream words(line);
    std::vector<std::string> storage;
    for (std::string word; words >> word;) storage.push_back(word);
    const std::vector<std::string_view> args(storage.begin(), storage.end());
    resp::OutputBuffer out;
    resp::RespWriter writer(out);
    engine.execute(session, args, writer);
    std::string_view pieces[4];
    std::string text;
    for (size_t i = 0, n = out.gather(pieces); i < n; ++i) text += pieces[i];
    return text;
  }

  CrashingEnvironment environment;
  Engine engine;
  Session session;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(engine_engine, Fixture)

BOOST_AUTO_TEST_CASE(commands_are_found_in_any_case) {
  BOOST_TEST(run("put k v") == "+OK\r\n");
  BOOST_TEST(run("TaKe k") == "$1\r\nv\r\n");
}

BOOST_AUTO_TEST_CASE(what_cannot_run_is_refused_with_the_usual_texts) {
  BOOST_TEST(run("NOPE a") == "-ERR unknown command 'NOPE', with args beginning with: 'a' \r\n");
  BOOST_TEST(run("PUT k") == "-ERR wrong number of arguments for 'put' command\r\n");
  BOOST_TEST(run("FAIL luck") == "-ERR no luck\r\n");
  BOOST_TEST(engine.statistics.error_replies == 3u);
}

BOOST_AUTO_TEST_CASE(a_refused_command_has_no_effect_at_all) {
  Refuser refuser;
  Recorder recorder;
  engine.arm(&refuser, 1);
  engine.arm(&recorder, 1);
  BOOST_TEST(run("PUT k v") == "-DENIED not now\r\n");
  BOOST_TEST(recorder.take() == "");
  BOOST_TEST(engine.size() == 0u);
  engine.disarm(&refuser);
  BOOST_TEST(run("PUT k v") == "+OK\r\n");
}

BOOST_AUTO_TEST_CASE(a_change_reaches_the_sinks_as_received_or_settled) {
  Recorder recorder;
  engine.arm(&recorder, 1);
  run("PUT k v");
  BOOST_TEST(recorder.take() == "change 0 k new\nchange 0 k set\nunit [0 PUT k v]\n");
  session.db = 3;
  run("PUTFOR k v 50");
  const std::string at = std::to_string(engine.now_ms() + 50);
  BOOST_TEST(recorder.take() == "change 3 k new\nchange 3 k set\nunit [3 PUTAT k v " + at + "]\n");
  run("TAKE k");
  BOOST_TEST(recorder.take() == "");
}

BOOST_AUTO_TEST_CASE(replay_reaches_no_sink_and_no_gate) {
  Refuser refuser;
  Recorder recorder;
  engine.arm(&refuser, 1);
  engine.arm(&recorder, 1);
  Session replay(Session::Kind::kReplay);
  resp::OutputBuffer out;
  resp::RespWriter writer(out);
  const std::string_view args[] = {"PUT", "k", "v"};
  BOOST_TEST((engine.execute(replay, args, writer) == Verdict::kPass));
  BOOST_TEST(recorder.take() == "");
  BOOST_TEST(engine.size() == 1u);
}

// The text of a large unit is not kept for the next one.
BOOST_AUTO_TEST_CASE(a_large_unit_leaves_no_memory_behind) {
  Recorder recorder;
  engine.arm(&recorder, 1);
  const std::string value(1u << 20, 'v');
  const auto unit = [&](const std::string& text) {
    engine.begin_unit();
    run("PUT k " + text);
    run("PUT k x");
    engine.end_unit();
    recorder.take();
  };
  unit("x");
  const size_t before = memory::used_bytes();
  unit(value);
  BOOST_TEST(memory::used_bytes() <= before + (100u << 10));
}

// Expired at t means: visible at t, gone one millisecond later, whatever the background does.
BOOST_AUTO_TEST_CASE(an_expired_key_is_never_visible) {
  Recorder recorder;
  run("PUTFOR k v 50");
  engine.arm(&recorder, 1);
  environment.advance_ms(50);
  engine.refresh_clock();
  BOOST_TEST(run("TAKE k") == "$1\r\nv\r\n");
  environment.advance_ms(1);
  engine.refresh_clock();
  BOOST_TEST(run("TAKE k") == "$-1\r\n");
  BOOST_TEST(recorder.take() == "change 0 k expired\nunit [0 DEL k]\n");
  BOOST_TEST(engine.size() == 0u);
}

BOOST_AUTO_TEST_CASE(the_background_cycle_removes_exactly_what_is_due) {
  for (int i = 0; i < 5000; ++i) {
    run("PUTFOR k" + std::to_string(i) + " v " + std::to_string(i % 2 == 0 ? 10 : 1000));
  }
  for (int i = 0; i < 1000; ++i) run("PUT stays" + std::to_string(i) + " v");
  BOOST_TEST(engine.keyspace(0).expires() == 5000u);
  environment.advance_ms(11);
  while (engine.tick(1'000'000)) {
  }
  BOOST_TEST(engine.size() == 3500u);
  BOOST_TEST(engine.statistics.expired_keys == 2500u);
  engine.keyspace(0).check();
  environment.advance_ms(1000);
  while (engine.tick(1'000'000)) {
  }
  BOOST_TEST(engine.size() == 1000u);
  engine.keyspace(0).check();
}

BOOST_AUTO_TEST_CASE(batches_give_the_same_as_single_commands) {
  std::vector<std::vector<std::string_view>> requests = {
      {"PUT", "a", "1"}, {"TAKE", "a"}, {"NOPE"}, {"PUT", "a", "2"}, {"TAKE", "a"}, {"TAKE"}};
  std::vector<std::vector<uint64_t>> hashes;
  std::vector<Prepared> prepared;
  containers::Lookahead ahead;
  for (const auto& request : requests) {
    hashes.emplace_back(request.size(), 0);
    prepared.push_back(engine.prepare(session, request, hashes.back().data(), &ahead));
  }
  ahead.run();
  resp::OutputBuffer out;
  resp::RespWriter writer(out);
  for (const Prepared& request : prepared) engine.execute(session, request, writer);
  std::string_view pieces[4];
  BOOST_TEST_REQUIRE(out.gather(pieces) == 1u);
  BOOST_TEST(pieces[0] ==
             "+OK\r\n$1\r\n1\r\n-ERR unknown command 'NOPE', with args beginning with: \r\n"
             "+OK\r\n$1\r\n2\r\n-ERR wrong number of arguments for 'take' command\r\n");
}

BOOST_AUTO_TEST_CASE(flushing_gives_every_byte_back) {
  const size_t before = memory::used_bytes();
  for (int i = 0; i < 10'000; ++i) run("PUT key" + std::to_string(i) + " " + std::string(100, 'v'));
  BOOST_TEST(memory::used_bytes() > before + 1'000'000);
  engine.flush(-1, true);
  BOOST_TEST(engine.size() == 0u);
  // What stays is the engine's own: the list of keyspaces.
  BOOST_TEST(memory::used_bytes() < before + 4096);
}

BOOST_AUTO_TEST_SUITE_END()
