// What every declaration of this room promises, checked from the declaration itself.
#include <boost/test/unit_test.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "test/commands/command_fixture.h"

namespace {

using namespace roxdb;
using namespace roxdb::commands::test;
using engine::Command;
using engine::CommandSpec;

// Families whose commands need nothing but an engine.
bool stands_alone(const Command& command) {
  return command.family->group == "string" || command.family->group == "generic" ||
         command.family->group == "list" || command.family->group == "hash" ||
         command.family->group == "bitmap" || command.family->group == "hll" ||
         command.family->group == "zset" || command.family->group == "geo";
}

std::vector<const Command*> commands_of(const engine::Engine& engine) {
  std::vector<const Command*> commands;
  for (const auto& command : engine.commands().all()) {
    if (stands_alone(*command)) commands.push_back(command.get());
  }
  return commands;
}

// Replays what was logged into a fresh engine at another date, as loading does.
Content replayed(const std::vector<Recorder::Logged>& log, int64_t now_ms) {
  CrashingEnvironment environment(1);
  environment.set_wall_us(now_ms * 1000);
  engine::Engine engine({.environment = &environment, .hash_seed = 2});
  engine::Session session(engine::Session::Kind::kReplay);
  ReplyText reply;
  for (const Recorder::Logged& logged : log) {
    session.db = logged.db;
    const std::vector<std::string_view> args(logged.args.begin(), logged.args.end());
    engine.execute(session, args, reply);
    const std::string text = reply.take();
    BOOST_TEST(text[0] != '-', logged.args[0] << " does not replay: " << text);
  }
  return content_of(engine);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(commands_declarations)

BOOST_AUTO_TEST_CASE(the_examples_hold) {
  const CommandFixture names;
  for (const Command* command : commands_of(names.engine)) {
    if (command->spec->examples.empty()) continue;
    CommandFixture fixture;
    for (const engine::Example& example : command->spec->examples) {
      BOOST_TEST_CONTEXT(command->full_name << ": " << example.request) {
        BOOST_TEST(fixture.run(example.request) == example.reply);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_command_with_an_effect_to_see_has_examples) {
  const CommandFixture fixture;
  for (const Command* command : commands_of(fixture.engine)) {
    if (command->spec->handler == nullptr || command->full_name.ends_with("|help")) continue;
    BOOST_TEST(!command->spec->examples.empty(), command->full_name << " has no example");
  }
}

BOOST_AUTO_TEST_CASE(too_few_and_too_many_arguments_are_refused) {
  CommandFixture fixture;
  for (const Command* command : commands_of(fixture.engine)) {
    if (command->spec->handler == nullptr) continue;
    std::vector<std::string_view> args;
    std::string name(command->spec->name);
    for (size_t at; (at = name.find(' ')) != std::string::npos;) name[at] = '\0';
    const size_t border = name.find('\0');
    args.push_back(std::string_view(name).substr(0, border));
    if (border != std::string::npos) args.push_back(std::string_view(name).substr(border + 1));
    const std::string refusal =
        "-ERR wrong number of arguments for '" + command->full_name + "' command";
    const auto least = static_cast<size_t>(std::abs(command->arity));
    BOOST_TEST_CONTEXT(command->full_name) {
      while (args.size() + 1 < least) args.push_back("0");
      if (args.size() < least) BOOST_TEST(fixture.run_args(args) == refusal);
      if (command->arity < 0) continue;
      while (args.size() <= least) args.push_back("0");
      BOOST_TEST(fixture.run_args(args) == refusal);
    }
  }
}

BOOST_AUTO_TEST_CASE(reading_changes_and_logs_nothing) {
  const CommandFixture names;
  for (const Command* command : commands_of(names.engine)) {
    if ((command->spec->flags & engine::kReadOnly) == 0) continue;
    CommandFixture fixture;
    for (const engine::Example& example : command->spec->examples) {
      const bool is_own = fixture.engine.commands().find_name(
                              example.request.substr(0, example.request.find(' '))) ==
                          fixture.engine.commands().find_name(
                              command->spec->name.substr(0, command->spec->name.find(' ')));
      const Content before = content_of(fixture.engine);
      fixture.log();
      fixture.events();
      fixture.run(example.request);
      if (!is_own) continue;
      BOOST_TEST_CONTEXT(command->full_name << ": " << example.request) {
        BOOST_TEST((content_of(fixture.engine) == before));
        BOOST_TEST(fixture.log() == "");
        BOOST_TEST(fixture.events() == "");
      }
    }
  }
}

// Random requests made of the examples' words on few keys, with time passing: what the log says
// gives the same keys, whenever it is replayed (D4).
BOOST_AUTO_TEST_CASE(replaying_the_log_gives_the_same_keys_on_any_date) {
  const char* const kWords[] = {"SET {} {} EX {}",
                                "SET {} {} NX",
                                "SET {} {} XX GET KEEPTTL",
                                "SET {} {}",
                                "SET {} {} IFEQ {}",
                                "SETEX {} 1 {}",
                                "PSETEX {} 3 {}",
                                "GETEX {} PX {}",
                                "GETEX {} PERSIST",
                                "GETDEL {}",
                                "GETSET {} {}",
                                "APPEND {} {}",
                                "SETRANGE {} {} {}",
                                "INCR {}",
                                "DECRBY {} {}",
                                "INCRBYFLOAT {} 0.{}",
                                "INCREX {} EX {} ENX",
                                "INCREX {} BYINT {} UBOUND 5 SATURATE",
                                "MSET {} {} {} {}",
                                "MSETNX {} {} {} {}",
                                "MSETEX 2 {} {} {} {} EX 1",
                                "DEL {} {}",
                                "DELEX {} IFEQ {}",
                                "DELIFEQ {} {}",
                                "RENAME {} {}",
                                "RENAMENX {} {}",
                                "COPY {} {}",
                                "COPY {} {} REPLACE",
                                "COPY {} {} DB 1",
                                "MOVE {} 1",
                                "EXPIRE {} {}",
                                "PEXPIRE {} {} LT",
                                "PEXPIREAT {} 1700000000050",
                                "PERSIST {}",
                                "SCAN 0",
                                "HSET {} {} {} {} {}",
                                "HSETNX {} {} {}",
                                "HDEL {} {} {}",
                                "HINCRBY {} {} {}",
                                "HINCRBYFLOAT {} {} 0.{}",
                                "HPEXPIRE {} {} FIELDS 2 {} {}",
                                "HPEXPIRE {} {} LT FIELDS 1 {}",
                                "HPEXPIREAT {} 1700000000050 FIELDS 1 {}",
                                "HPERSIST {} FIELDS 1 {}",
                                "HGETALL {}",
                                "HGETEX {} PX {} FIELDS 1 {}",
                                "HGETDEL {} FIELDS 1 {}",
                                "HSETEX {} PX {} FIELDS 1 {} {}",
                                "HSETEX {} FXX KEEPTTL FIELDS 1 {} {}",
                                "HSETEX {} FNX PX {} FIELDS 2 {} {} {} {}",
                                "ZADD {} {} {} {} {}",
                                "ZADD {} GT CH {} {}",
                                "ZADD {} INCR {} {}",
                                "ZINCRBY {} 0.{} {}",
                                "ZREM {} {}",
                                "ZPOPMIN {}",
                                "ZMPOP 2 {} {} MAX COUNT 2",
                                "BZPOPMAX {} {} 0",
                                "ZRANGESTORE {} {} {} {} BYSCORE",
                                "ZUNIONSTORE {} 2 {} {}",
                                "ZDIFFSTORE {} 2 {} {}",
                                "ZREMRANGEBYSCORE {} {} {}",
                                "ZREMRANGEBYRANK {} {} {}",
                                "GEOADD {} CH {} {} {}",
                                "GEOSEARCHSTORE {} {} FROMLONLAT {} {} BYRADIUS {}00 km",
                                "UNLINK {}",
                                "RPUSH {} {} {}",
                                "LPUSH {} {}",
                                "LPOP {}",
                                "RPOP {} 2",
                                "LMPOP 2 {} {} LEFT COUNT 2",
                                "BLPOP {} {} 0",
                                "LMOVE {} {} LEFT RIGHT",
                                "BLMOVE {} {} RIGHT RIGHT 0",
                                "LMOVEM {} {} LEFT LEFT COUNT 2 BULK",
                                "LSET {} {} {}",
                                "LINSERT {} BEFORE {} {}",
                                "LREM {} 0 {}",
                                "LTRIM {} 1 {}"};
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed);
      CommandFixture fixture;
      for (int step = 0; step < 1500; ++step) {
        std::string request = kWords[random.below(std::size(kWords))];
        for (size_t at; (at = request.find("{}")) != std::string::npos;) {
          // Small numbers are keys, values, times and offsets alike.
          request.replace(at, 2, std::to_string(random.below(8)));
        }
        fixture.session.db = random.below(10) == 0 ? 1 : 0;
        fixture.run(request);
        if (random.below(4) == 0) fixture.advance_ms(random.below(3));
        if (random.below(50) == 0) fixture.advance_ms(3000);
      }
      // Let everything due be removed and logged, then compare.
      while (fixture.engine.tick(1'000'000)) {
      }
      const Content content = content_of(fixture.engine);
      const int64_t now = fixture.engine.now_ms();
      constexpr int64_t kYearMs = int64_t{365} * 86'400'000;
      for (const int64_t date : {now - kYearMs, now, now + 10 * kYearMs}) {
        BOOST_TEST((replayed(fixture.recorder.log, date) == content));
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
