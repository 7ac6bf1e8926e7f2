// simulated_server.h: an engine with its files in a simulated world, driven as the reactor drives
// it: units, the end of the turn, replies that wait for their ticket, ticks.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/call.h"
#include "engine/engine.h"
#include "engine/waiting.h"
#include "persist/aof.h"
#include "persist/persistence.h"
#include "persist/snapshotter.h"
#include "resp/inline_split.h"
#include "test/commands/reply_text.h"
#include "test/types/value_bytes.h"
#include "types/string_value.h"
#include "types/value_type.h"

namespace roxdb::commands {
extern constinit const engine::CommandFamily kStringFamily;
extern constinit const engine::CommandFamily kStringManyFamily;
extern constinit const engine::CommandFamily kCounterFamily;
extern constinit const engine::CommandFamily kGenericFamily;
extern constinit const engine::CommandFamily kExpireFamily;
extern constinit const engine::CommandFamily kBitmapFamily;
extern constinit const engine::CommandFamily kHyperloglogFamily;
extern constinit const engine::CommandFamily kListFamily;
extern constinit const engine::CommandFamily kListMoveFamily;
extern constinit const engine::CommandFamily kListPopFamily;
extern constinit const engine::CommandFamily kSetFamily;
extern constinit const engine::CommandFamily kSetSampleFamily;
extern constinit const engine::CommandFamily kHashFamily;
extern constinit const engine::CommandFamily kHashExpireFamily;
extern constinit const engine::CommandFamily kSortedSetFamily;
extern constinit const engine::CommandFamily kSortedSetPopFamily;
extern constinit const engine::CommandFamily kStreamFamily;
extern constinit const engine::CommandFamily kStreamGroupFamily;
extern constinit const engine::CommandFamily kStreamReadFamily;
extern constinit const engine::CommandFamily kServerFamily;
}  // namespace roxdb::commands
namespace roxdb::persist {
extern constinit const engine::CommandFamily kPersistCommandsFamily;
}

namespace roxdb::persist::test {

// Work is done, and its end reported, when the test says so.
class SteppedExecutor final : public Executor {
 public:
  void run(std::function<void()> work, std::function<void()> done) override {
    jobs_.push_back({std::move(work), std::move(done)});
  }
  bool idle() const { return jobs_.empty(); }
  // Does the oldest job, or what step_half() has left of it, and reports its end.
  void step() {
    if (jobs_.empty()) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    if (job.work) job.work();
    job.done();
  }
  // Does the oldest job; its end is reported by the next call.
  void step_half() {
    if (jobs_.empty()) return;
    if (!jobs_.front().work) return step();
    std::exchange(jobs_.front().work, nullptr)();
  }

 private:
  struct Job {
    std::function<void()> work;
    std::function<void()> done;
  };
  std::deque<Job> jobs_;
};

// What the databases hold: (database, key) -> (value, expiry). A string is its bytes; any other
// value is what its type would save, which does not depend on how it lies in memory.
using State = std::map<std::pair<int, std::string>, std::pair<std::string, int64_t>>;

inline std::string text_of(const types::Entry& entry) {
  if (entry.type() == types::TypeId::kString) return std::string(types::StringView(entry).view());
  const types::ValueType& type = *types::value_type(entry.type());
  types::test::BytesWriter bytes;
  type.save(entry, bytes);
  return std::string(type.name()) + ": " + bytes.text;
}

inline State state_of(engine::Engine& engine) {
  State state;
  for (int db = 0; db < engine.databases(); ++db) {
    const engine::Keyspace* keyspace = engine.keyspace_if_used(db);
    if (keyspace == nullptr) continue;
    keyspace->table().for_each([&](const types::Entry* entry) {
      state[{db, std::string(entry->key())}] = {text_of(*entry),
                                                entry->has_expiry() ? entry->expire_at_ms() : -1};
    });
  }
  return state;
}

// Monitoring's question; the real one belongs to a room above.
inline Status ping_command(engine::Call& call) {
  call.reply().simple("PONG");
  return kOk;
}
inline constexpr engine::CommandSpec kPing{.name = "PING",
                                           .summary = "Answers.",
                                           .since = "1.0.0",
                                           .complexity = "O(1)",
                                           .handler = ping_command};
inline constexpr const engine::CommandSpec* kTestCommands[] = {&kPing};
inline constexpr engine::CommandFamily kTestFamily{"connection", kTestCommands};

inline const engine::CommandFamily* const kFamilies[] = {&kTestFamily,
                                                         &commands::kStringFamily,
                                                         &commands::kStringManyFamily,
                                                         &commands::kCounterFamily,
                                                         &commands::kGenericFamily,
                                                         &commands::kExpireFamily,
                                                         &commands::kBitmapFamily,
                                                         &commands::kHyperloglogFamily,
                                                         &commands::kListFamily,
                                                         &commands::kListMoveFamily,
                                                         &commands::kListPopFamily,
                                                         &commands::kSetFamily,
                                                         &commands::kSetSampleFamily,
                                                         &commands::kHashFamily,
                                                         &commands::kHashExpireFamily,
                                                         &commands::kSortedSetFamily,
                                                         &commands::kSortedSetPopFamily,
                                                         &commands::kStreamFamily,
                                                         &commands::kStreamGroupFamily,
                                                         &commands::kStreamReadFamily,
                                                         &commands::kServerFamily,
                                                         &kPersistCommandsFamily};

// A client that may wait for keys.
struct WaitingClient final : engine::Session {
  explicit WaitingClient(std::string its_name)
      : Session(Kind::kLibrary), name(std::move(its_name)) {
    may_wait = true;
  }
  const std::string name;
};

class SimulatedServer : private engine::WaitingHost {
 public:
  using Setting = std::pair<std::string, std::string>;

  // `settings` over: dir data, no save points, one thread for everything.
  SimulatedServer(Environment& environment, std::vector<Setting> settings,
                  Executor* executor = nullptr)
      : log_(make_log()),
        engine({.environment = &environment,
                .executor = executor,
                .log = &log_,
                .databases = 4,
                .hash_seed = 1,
                .families = kFamilies}),
        persistence(engine),
        session_(engine::Session::Kind::kLibrary) {
    settings.insert(settings.begin(), {{"dir", "data"}, {"save", ""}, {"snapshot-threads", "0"}});
    std::string why;
    for (const auto& [name, value] : settings) {
      std::vector<std::string> words;
      BOOST_TEST_REQUIRE(engine::split_words(value, words));
      if (words.empty()) words.emplace_back();
      BOOST_TEST_REQUIRE(engine.settings.load(name, words, why), name << ": " << why);
    }
    BOOST_TEST_REQUIRE(engine.settings.finish_loading(why), why);
    engine.waiting.set_host(this);
  }

  // 0, or the exit code.
  int load(Persistence::LoadOptions options = {}) {
    int exit_code = 0;
    const Status status = persistence.load(options, exit_code);
    BOOST_TEST(status.ok() == (exit_code == 0));
    return exit_code;
  }

  // Runs a command written as a person would type it; its reply as ReplyText writes it.
  std::string run(std::string_view line) {
    resp::ArgVector args;
    BOOST_TEST_REQUIRE(resp::split_inline(line, args));
    return run_args({args.all().begin(), args.all().end()});
  }
  std::string run_args(const std::vector<std::string_view>& args) {
    if (args.size() == 2 && args[0] == "SELECT") {
      session_.db = args[1][0] - '0';
      return "+OK";
    }
    commands::test::ReplyText reply;
    const engine::Verdict verdict = engine.execute(session_, args, reply);
    return verdict == engine::Verdict::kPostpone ? "postponed" : reply.take();
  }
  // As run(), for a client of that name, who may wait: then the answer is "waits", and what it is
  // told in the end goes to `late_replies`.
  std::string run_as(const std::string& name, std::string_view line) {
    resp::ArgVector args;
    BOOST_TEST_REQUIRE(resp::split_inline(line, args));
    auto& client = clients_[name];
    if (client == nullptr) client = std::make_unique<WaitingClient>(name);
    if (client->waiter != nullptr) return "waits";
    commands::test::ReplyText reply;
    const engine::Verdict verdict = engine.execute(*client, args.all(), reply);
    if (verdict == engine::Verdict::kWait) return "waits";
    return verdict == engine::Verdict::kPostpone ? "postponed" : reply.take();
  }
  // Lets go those whose time is up.
  void serve_waiting() {
    engine.waiting.check_deadlines();
    if (engine.waiting.is_due()) engine.waiting.serve();
  }
  // Several commands as one unit.
  void run_unit(const std::vector<std::string>& lines) {
    engine.begin_unit();
    for (const std::string& line : lines) run(line);
    engine.end_unit();
    serve_waiting();
  }
  bool set(std::string_view name, std::string_view value) {
    std::string why;
    const std::pair<std::string_view, std::string_view> pair(name, value);
    const bool ok = engine.settings.set({&pair, 1}, true, why);
    if (!ok) log_text += why + "\n";
    return ok;
  }
  std::string info(std::string_view field) {
    const std::string text = engine.info.text("persistence");
    const std::string name = "\r\n" + std::string(field) + ":";
    const size_t at = ("\r\n" + text).find(name);
    if (at == std::string::npos) return "absent";
    const size_t begin = at + name.size() - 2;
    return text.substr(begin, text.find("\r\n", begin) - begin);
  }
  State state() { return state_of(engine); }

  std::string log_text;
  std::vector<std::string> late_replies;            // "name: reply"
  std::function<void()> before_late_reply = [] {};  // a waiting command runs again

 private:
  resp::Reply& late_reply(engine::Session& /*session*/) override {
    before_late_reply();
    return late_reply_;
  }
  void end_wait(engine::Session& session) override {
    late_replies.push_back(static_cast<WaitingClient&>(session).name + ": " + late_reply_.take());
  }

  Logger make_log() {
    Logger log;
    log.sink = [this](LogLevel, std::string_view line) { log_text += std::string(line) + "\n"; };
    return log;
  }
  const Logger log_;

 public:
  engine::Engine engine;
  Persistence persistence;

 private:
  engine::Session session_;
  std::map<std::string, std::unique_ptr<WaitingClient>> clients_;
  commands::test::ReplyText late_reply_;
};

}  // namespace roxdb::persist::test
