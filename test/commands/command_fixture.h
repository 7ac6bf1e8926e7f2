// command_fixture.h: an engine with all commands in a simulated world, and what its sinks hear.
#pragma once

#include <boost/test/unit_test.hpp>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "resp/inline_split.h"
#include "test/commands/reply_text.h"
#include "test/sim/crashing_environment.h"
#include "test/types/value_bytes.h"

namespace roxdb::commands::test {

class Recorder final : public engine::Sink {
 public:
  void on_change(const engine::KeyChange& change) override {
    if (!events.empty()) events += ' ';
    events += std::string(change.event.name) + ":" + std::string(change.key);
  }
  void on_unit(std::span<const engine::LogCommand> commands) override {
    for (const engine::LogCommand& command : commands) {
      log.push_back({command.db, {command.args.begin(), command.args.end()}});
    }
  }

  struct Logged {
    int db;
    std::vector<std::string> args;
  };
  std::string events;
  std::vector<Logged> log;
};

// Every key of every database with its saved value and expiry: what a replay must give again.
using Content = std::map<std::pair<int, std::string>, std::pair<std::string, int64_t>>;

inline Content content_of(engine::Engine& engine) {
  Content content;
  for (int db = 0; db < engine.databases(); ++db) {
    if (engine.keyspace_if_used(db) == nullptr) continue;
    engine.keyspace(db).check();
    engine.keyspace(db).table().for_each([&](const engine::Entry* entry) {
      types::test::BytesWriter value;
      types::value_type(entry->type())->save(*entry, value);
      content[{db, std::string(entry->key())}] = {value.text,
                                                  entry->has_expiry() ? entry->expire_at_ms() : -1};
    });
  }
  return content;
}

struct CommandFixture {
  // The wall clock begins here.
  static constexpr int64_t kStartMs = 1'700'000'000'000;

  CommandFixture()
      : environment(7),
        engine({.environment = &environment, .hash_seed = 1}),
        session(engine::Session::Kind::kLibrary) {
    engine.arm(&recorder, 0);
  }
  ~CommandFixture() { engine.disarm(&recorder); }

  // Runs a command written as a person would type it, quotes included.
  std::string run(std::string_view line) {
    resp::ArgVector words;
    BOOST_REQUIRE(resp::split_inline(line, words));
    std::vector<std::string_view> args;
    for (size_t i = 0; i < words.size(); ++i) args.push_back(words[i]);
    return run_args(args);
  }
  std::string run_args(const std::vector<std::string_view>& args) {
    engine.execute(session, args, reply);
    BOOST_TEST(reply.replies() == 1u);
    return reply.take();
  }

  // Runs requests in order and holds each reply against the one expected.
  void check(std::initializer_list<std::pair<std::string_view, std::string_view>> script) {
    for (const auto& [request, expected] : script) {
      BOOST_TEST_CONTEXT(request) { BOOST_TEST(run(request) == expected); }
    }
  }
  // The same for what each request logs, whatever it replies.
  void check_log(std::initializer_list<std::pair<std::string_view, std::string_view>> script) {
    log();
    for (const auto& [request, expected] : script) {
      BOOST_TEST_CONTEXT(request) {
        run(request);
        BOOST_TEST(log() == expected);
      }
    }
  }
  // A key that holds something else than a string.
  void put_other_type(std::string_view key) {
    engine::Keyspace& keys = engine.keyspace(0);
    keys.insert(engine.key(key),
                engine::Entry::create(keys.slabs(), {.type = types::TypeId::kGraph, .key = key}));
  }

  // What was logged since the last call: commands separated by "; ", keys and values as they are.
  std::string log() {
    std::string text;
    for (const Recorder::Logged& logged : recorder.log) {
      if (!text.empty()) text += "; ";
      for (size_t i = 0; i < logged.args.size(); ++i) text += (i > 0 ? " " : "") + logged.args[i];
    }
    recorder.log.clear();
    return text;
  }
  std::string events() { return std::exchange(recorder.events, {}); }

  void advance_ms(uint64_t ms) {
    environment.advance_ms(ms);
    engine.refresh_clock();
  }

  CrashingEnvironment environment;
  engine::Engine engine;
  engine::Session session;
  Recorder recorder;
  ReplyText reply;
};

}  // namespace roxdb::commands::test
