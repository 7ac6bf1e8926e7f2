#include "engine/memory_gate.h"

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>

#include "engine/call.h"
#include "test/commands/reply_text.h"
#include "test/sim/crashing_environment.h"

namespace roxdb::commands {
extern constinit const engine::CommandFamily kHashFamily;
extern constinit const engine::CommandFamily kHashExpireFamily;
}  // namespace roxdb::commands

namespace roxdb::engine {
namespace {

Status store(Call& call) {
  ROX_TRY(call.set_string(1, call.arg(2), call.argc() > 3 ? call.now_ms() + 1'000'000 : -1));
  call.changed(event::kSet);
  return call.reply_ok();
}
Status look(Call& call) { return call.reply(call.read(1) != nullptr ? 1 : 0); }

constexpr CommandSpec kStore{
    .name = "STORE",
    .syntax = "key value [TTL]",
    .summary = "Sets a key.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom,
    .keys = "1:RW",
    .handler = store,
};
constexpr CommandSpec kLook{
    .name = "LOOK",
    .syntax = "key",
    .summary = "Tells whether a key is there.",
    .since = "1.0.0",
    .complexity = "O(1)",
    .flags = kReadOnly,
    .keys = "1:RO",
    .handler = look,
};
constexpr const CommandSpec* kCommands[] = {&kStore, &kLook};
constinit const CommandFamily kFamily{"string", kCommands};
constinit const CommandFamily* const kFamilies[] = {&kFamily, &commands::kHashFamily,
                                                    &commands::kHashExpireFamily};

// Keeps what the log would get.
struct Recorder final : Sink {
  std::vector<std::string> lines;
  void on_change(const KeyChange& change) override {
    if (change.event.event_class == EventClass::kEvicted) lines.push_back("evicted");
  }
  void on_unit(std::span<const LogCommand> commands) override {
    for (const LogCommand& command : commands) lines.emplace_back(command.args[0]);
  }
};

struct Fixture {
  static constexpr size_t kKeys = 2000;

  CrashingEnvironment environment{1};
  Engine engine{{.environment = &environment, .hash_seed = 1, .families = kFamilies}};
  MemoryGate gate{engine, 1};
  Session session{Session::Kind::kLibrary};

  std::string run(std::vector<std::string_view> args) {
    commands::test::ReplyText reply;
    engine.execute(session, args, reply);
    return reply.take();
  }
  void configure(std::string_view name, std::string_view value) {
    const std::pair<std::string_view, std::string_view> pair[] = {{name, value}};
    std::string why;
    BOOST_TEST_REQUIRE(engine.settings.set(pair, false, why));
  }
  void fill(bool with_expiry) {
    for (size_t i = 0; i < kKeys; ++i) {
      const std::string key = fmt::format("key:{}", i);
      BOOST_TEST_REQUIRE(run(with_expiry
                                 ? std::vector<std::string_view>{"STORE", key, "value", "TTL"}
                                 : std::vector<std::string_view>{"STORE", key, "value"}) == "+OK");
    }
  }
  // Sets the limit so that `bytes` are too many.
  void limit_below_use(size_t bytes) {
    BOOST_TEST_REQUIRE(memory::used_bytes() > bytes);
    configure("maxmemory", std::to_string(memory::used_bytes() - bytes));
  }
  bool has(size_t i) {
    return engine.keyspace(0).find(engine.key(fmt::format("key:{}", i))) != nullptr;
  }
  Entry& entry(size_t i) {
    return Keyspace::entry(*engine.keyspace(0).find(engine.key(fmt::format("key:{}", i))));
  }
};

constexpr std::string_view kRefusal = "-OOM command not allowed when used memory > 'maxmemory'.";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(engine_memory_gate, Fixture)

BOOST_AUTO_TEST_CASE(without_eviction_only_what_may_take_memory_is_refused) {
  fill(false);
  limit_below_use(1);
  BOOST_TEST(run({"STORE", "key:0", "x"}) == kRefusal);
  BOOST_TEST(run({"LOOK", "key:0"}) == ":1");
  BOOST_TEST(engine.size() == kKeys);
  configure("maxmemory", "0");
  BOOST_TEST(run({"STORE", "key:0", "x"}) == "+OK");
}

BOOST_AUTO_TEST_CASE(every_policy_for_all_keys_makes_room) {
  for (const std::string_view policy : {"allkeys-lru", "allkeys-lfu", "allkeys-random"}) {
    BOOST_TEST_CONTEXT(policy) {
      configure("maxmemory", "0");
      configure("maxmemory-policy", policy);
      fill(false);
      const size_t before = engine.size();
      limit_below_use(4096);
      for (int i = 0; i < 100 && gate.is_full(); ++i) run({"LOOK", "key:0"});
      BOOST_TEST(!gate.is_full());
      BOOST_TEST(engine.size() < before);
      BOOST_TEST(engine.size() > before / 2);
      BOOST_TEST(run({"STORE", "another", "x"}) == "+OK");
      engine.keyspace(0).check();
    }
  }
}

BOOST_AUTO_TEST_CASE(volatile_policies_take_only_keys_that_expire) {
  for (const std::string_view policy :
       {"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"}) {
    BOOST_TEST_CONTEXT(policy) {
      configure("maxmemory", "0");
      configure("maxmemory-policy", policy);
      engine.flush(-1, false);
      fill(false);
      BOOST_TEST_REQUIRE(run({"STORE", "rare", "x", "TTL"}) == "+OK");
      limit_below_use(10'000);  // far more than the one candidate can give
      BOOST_TEST(!engine.keyspace(0).find(engine.key("rare")));
      BOOST_TEST(engine.size() == kKeys);
      BOOST_TEST(run({"STORE", "key:0", "x"}) == kRefusal);
    }
  }
}

// The marks that lead to keys that expire lead to such hashes, too, and go on doing so.
BOOST_AUTO_TEST_CASE(volatile_policies_spare_hashes_of_which_only_fields_expire) {
  constexpr size_t kHashes = 50;
  configure("maxmemory-policy", "volatile-lru");
  fill(false);
  for (size_t i = 0; i < kHashes; ++i) {
    const std::string key = fmt::format("hash:{}", i);
    BOOST_TEST_REQUIRE(run({"HSET", key, "field", "value"}) == ":1");
    BOOST_TEST_REQUIRE(run({"HPEXPIRE", key, "1000000", "FIELDS", "1", "field"}) == "*[:1]");
  }
  BOOST_TEST_REQUIRE(run({"STORE", "rare", "x", "TTL"}) == "+OK");
  limit_below_use(10'000);
  run({"STORE", "key:0", "x"});
  BOOST_TEST(!engine.keyspace(0).find(engine.key("rare")));
  BOOST_TEST(engine.size() == kKeys + kHashes);
  BOOST_TEST(engine.keyspace(0).table().lowest_mark() < containers::kNoMark);
}

BOOST_AUTO_TEST_CASE(nothing_goes_while_data_is_loaded) {
  configure("maxmemory-policy", "allkeys-lru");
  fill(false);
  gate.is_paused = true;
  limit_below_use(10'000);
  BOOST_TEST(run({"LOOK", "key:0"}) == ":1");
  BOOST_TEST(engine.size() == kKeys);
  gate.is_paused = false;
  run({"LOOK", "key:0"});
  BOOST_TEST(engine.size() < kKeys);
}

// The least recently used key of one segment goes, so of two halves of which one was touched,
// the other one loses.
BOOST_AUTO_TEST_CASE(lru_keeps_what_was_used) {
  configure("maxmemory-policy", "allkeys-lru");
  fill(false);
  for (size_t i = 0; i < kKeys; i += 2) entry(i).set_access(entry(i).access() - 100);
  limit_below_use(kKeys * 4);
  size_t idle_gone = 0;
  size_t used_gone = 0;
  for (size_t i = 0; i < kKeys; ++i) (i % 2 == 0 ? idle_gone : used_gone) += has(i) ? 0 : 1;
  BOOST_TEST(idle_gone > 0u);
  BOOST_TEST(used_gone == 0u);
}

BOOST_AUTO_TEST_CASE(ttl_takes_what_expires_first) {
  configure("maxmemory-policy", "volatile-ttl");
  fill(true);
  for (size_t i = 0; i < kKeys; i += 2) {
    Cell& cell = *engine.keyspace(0).find(engine.key(fmt::format("key:{}", i)));
    engine.keyspace(0).set_expiry(engine.key(fmt::format("key:{}", i)), cell,
                                  engine.now_ms() + 100'000);
  }
  limit_below_use(kKeys * 4);
  size_t late_gone = 0;
  for (size_t i = 1; i < kKeys; i += 2) late_gone += has(i) ? 0 : 1;
  BOOST_TEST(engine.size() < kKeys);
  BOOST_TEST(late_gone == 0u);
}

BOOST_AUTO_TEST_CASE(an_eviction_is_logged_as_a_deletion) {
  configure("maxmemory-policy", "allkeys-random");
  fill(false);
  Recorder recorder;
  engine.arm(&recorder, 1);
  limit_below_use(1);
  engine.disarm(&recorder);
  const size_t gone = kKeys - engine.size();
  BOOST_TEST_REQUIRE(gone > 0u);
  BOOST_TEST(engine.statistics.evicted_keys == gone);
  BOOST_TEST(recorder.lines.size() == 2 * gone);
  BOOST_TEST(recorder.lines[0] == "evicted");
  BOOST_TEST(recorder.lines[1] == "DEL");
}

BOOST_AUTO_TEST_CASE(databases_share_the_loss) {
  configure("maxmemory-policy", "allkeys-lru");
  fill(false);
  session.db = 3;
  fill(false);
  limit_below_use(kKeys * 20);
  for (int i = 0; i < 100 && gate.is_full(); ++i) run({"LOOK", "key:0"});
  BOOST_TEST(!gate.is_full());
  BOOST_TEST(engine.keyspace(0).size() < kKeys);
  BOOST_TEST(engine.keyspace(3).size() < kKeys);
}

// A new key gets the cell of the one that has just gone. Were equals taken in the order of the
// table, newcomers would go next, and old keys never.
BOOST_AUTO_TEST_CASE(among_equals_new_keys_are_as_safe_as_old_ones) {
  configure("maxmemory-policy", "allkeys-random");
  fill(false);
  limit_below_use(0);
  for (size_t i = 0; i < kKeys; ++i) {
    const std::string key = fmt::format("new:{}", i);
    BOOST_TEST_REQUIRE(run({"STORE", key, "value"}) == "+OK");
  }
  size_t old_left = 0;
  for (size_t i = 0; i < kKeys; ++i) old_left += has(i) ? 1 : 0;
  // Each of the keys has lost about as many of its kind as there are: 1/e of the old are left.
  BOOST_TEST(old_left < kKeys / 2);
  BOOST_TEST(old_left > kKeys / 5);
}

BOOST_AUTO_TEST_CASE(tenacity_is_how_much_one_command_may_do) {
  const auto evicted_at_once = [this](std::string_view tenacity) {
    configure("maxmemory", "0");
    configure("maxmemory-eviction-tenacity", tenacity);
    engine.flush(-1, false);
    fill(false);
    const uint64_t before = engine.statistics.evicted_keys;
    limit_below_use(kKeys * 16);
    return engine.statistics.evicted_keys - before;
  };
  configure("maxmemory-policy", "allkeys-random");
  configure("maxmemory-samples", "64");  // few keys of each segment
  const uint64_t least = evicted_at_once("0");
  const uint64_t all = evicted_at_once("100");
  BOOST_TEST(least > 0u);
  BOOST_TEST(least < 20u);
  BOOST_TEST(all > 10 * least);
}

BOOST_AUTO_TEST_CASE(the_time_above_the_limit_is_told) {
  fill(false);
  BOOST_TEST(gate.exceeded_total_ms() == 0);
  limit_below_use(1);
  run({"STORE", "key:0", "x"});
  environment.advance_ms(100);
  engine.refresh_clock();
  BOOST_TEST(gate.exceeded_ms() == 100);
  configure("maxmemory", "1gb");
  environment.advance_ms(50);
  engine.refresh_clock();
  BOOST_TEST(gate.exceeded_ms() == 0);
  BOOST_TEST(gate.exceeded_total_ms() == 100);
}

// Evictions are logged: were the log counted while it waits for a slow disk, one would ask for the
// next.
BOOST_AUTO_TEST_CASE(what_waits_for_the_disk_is_not_counted) {
  configure("maxmemory-policy", "allkeys-random");
  fill(false);
  size_t waiting = 100'000;
  gate.not_counted = [&waiting] { return waiting; };
  limit_below_use(50'000);
  BOOST_TEST(!gate.is_full());
  BOOST_TEST(engine.size() == kKeys);
  waiting = 0;
  BOOST_TEST(gate.is_full());
  run({"LOOK", "key:0"});
  BOOST_TEST(engine.size() < kKeys);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::engine
