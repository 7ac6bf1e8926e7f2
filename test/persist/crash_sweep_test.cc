// The contract of reliability section 1, tried at every call: a scenario runs in a simulated world
// that stops at call n, for every n; each disk that a power cut or kill -9 may leave is recovered;
// what comes up must be the state after the first k units, for a k that the policy allows.
//
// A failure prints scenario, policy, executor, n and image; SWEEP=<scenario> in the environment
// limits a run to one.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "test/persist/contents.h"
#include "test/persist/simulated_server.h"
#include "test/sim/crashing_environment.h"
#include "test/sim/failing_environment.h"

namespace {

using namespace roxdb;
using namespace roxdb::persist;
using namespace roxdb::persist::test;

// Two seconds of E7, and the ticks that notice them.
constexpr int64_t kEverySecondLossMs = 2'300;

enum class Work : uint8_t { kAtOnce, kStepped };

struct Setup {
  std::string name;
  std::string policy;  // appendfsync; "off": no log
  Work work;
  uint64_t lag = 0;  // of children, in calls
};

// One run of a scenario until its end or the crash, and what it was told.
class Run {
 public:
  // `failing`: wraps `environment`, or null.
  Run(CrashingEnvironment& environment, const Setup& setup,
      std::vector<SimulatedServer::Setting> settings, FailingEnvironment* failing = nullptr)
      : environment_(environment), policy_(setup.policy) {
    environment.let_children_lag(setup.lag);
    Environment* const seen =
        failing != nullptr ? failing : static_cast<Environment*>(&environment);
    server = std::make_unique<SimulatedServer>(*seen, std::move(settings),
                                               setup.work == Work::kStepped ? &executor : nullptr);
    loaded = server->load() == 0;
    states.push_back(server->state());
    server->persistence.on_release = [this] { note_released(); };
    // What was done so far is a unit; what a waiting client does next is another.
    server->before_late_reply = [this] { unit_done(); };
  }

  ~Run() {
    while (!executor.idle()) executor.step_half();
  }

  bool over() const { return !loaded || environment_.crashed(); }

  // One unit in a turn of its own, or several in one.
  void turn(const std::vector<std::string>& lines) {
    if (over()) return;
    server->engine.refresh_clock();
    for (const std::string& line : lines) {
      const std::string reply = server->run(line);
      if (reply.starts_with("-MISCONF")) refused_at_ms = std::min(refused_at_ms, now_ms());
      BOOST_TEST_REQUIRE(!reply.starts_with("-ERR unknown"), reply);
      if (reply.starts_with("-") || reply == "postponed") continue;
      refused_at_ms = INT64_MAX;
      unit_done();
    }
    end_turn();
  }
  void unit(const std::vector<std::string>& lines) {
    if (over()) return;
    server->engine.refresh_clock();
    server->run_unit(lines);
    unit_done();
    end_turn();
  }
  // A client of its own says something, and may have to wait; not while it waits.
  void ask(const std::string& client, const std::string& line) {
    if (over()) return;
    server->engine.refresh_clock();
    const std::string reply = server->run_as(client, line);
    BOOST_TEST_REQUIRE(!reply.starts_with("-ERR"), reply);
    if (!reply.starts_with("-") && reply != "postponed" && reply != "waits") unit_done();
    end_turn();
  }
  // Time goes by: the executor works, the server ticks.
  void wait(uint64_t ms) {
    if (over()) return;
    environment_.advance_ms(ms);
    executor.step_half();
    server->serve_waiting();
    server->persistence.tick();
    end_turn();
  }
  // Until no child and no job is left.
  void settle() {
    for (int i = 0; i < 100 && !over(); ++i) wait(10);
  }
  bool set(std::string_view name, std::string_view value) {
    if (over()) return false;
    const bool ok = server->set(name, value);
    end_turn();
    return ok;
  }
  int64_t now_ms() { return environment_.now_ms(); }
  CrashingEnvironment& environment() { return environment_; }
  // Everything so far is on the disk; asked only when no crash made it doubtful.
  void all_is_durable() {
    if (!over()) floor = states.size() - 1;
  }
  // The same after seconds of rest, in which only the policy `no` syncs nothing.
  void all_has_settled() {
    if (policy_ != "no") all_is_durable();
  }
  void log_is(bool on) {
    if (!over()) log_promises = on;
  }

  size_t acknowledged() const { return acknowledged_; }
  // Units that a power cut must not take (`everysec`): acknowledged longer ago than the bound.
  size_t acknowledged_before_ms(int64_t ms) const {
    size_t count = 0;
    while (count < acknowledged_at_ms_.size() && acknowledged_at_ms_[count] <= ms) count++;
    return count;
  }

  SteppedExecutor executor;
  std::unique_ptr<SimulatedServer> server;
  bool loaded = false;
  std::vector<State> states;  // after 0, 1, 2 ... units
  // What is promised. `floor` units are on the disk whatever the policy is; of those behind them,
  // what the policy says, unless the log is off.
  size_t floor = 0;
  bool log_promises = true;
  int64_t refused_at_ms = INT64_MAX;  // no unit was accepted since

 private:
  void unit_done() {
    states.push_back(server->state());
    tickets_.push_back(0);
  }
  void end_turn() {
    const uint64_t ticket = server->persistence.end_turn();
    for (uint64_t& waiting : tickets_) {
      if (waiting == 0) waiting = ticket == 0 ? kNow : ticket;
    }
    note_released();
    executor_turn();
  }
  void executor_turn() {
    if (++turns_ % 3 == 0) executor.step_half();
  }
  void note_released() {
    if (environment_.crashed()) return;
    while (acknowledged_ < tickets_.size() &&
           (tickets_[acknowledged_] == kNow ||
            (tickets_[acknowledged_] != 0 &&
             tickets_[acknowledged_] <= server->persistence.released()))) {
      acknowledged_++;
      acknowledged_at_ms_.push_back(environment_.now_ms());
    }
  }

  static constexpr uint64_t kNow = UINT64_MAX;

  CrashingEnvironment& environment_;
  const std::string policy_;
  std::vector<uint64_t> tickets_;  // of units; 0: the turn has not ended
  size_t acknowledged_ = 0;
  std::vector<int64_t> acknowledged_at_ms_;
  uint64_t turns_ = 0;
};

struct Scenario {
  std::string name;
  std::vector<SimulatedServer::Setting> settings;
  void (*run)(Run& run);
};

std::vector<SimulatedServer::Setting> settings_of(const Scenario& scenario, const Setup& setup) {
  std::vector<SimulatedServer::Setting> settings = scenario.settings;
  if (setup.policy != "off") settings.emplace_back("appendfsync", setup.policy);
  return settings;
}

// Units that section 1 promises after a crash now.
size_t least_units(const Run& run, const Setup& setup, bool power_cut, int64_t now_ms) {
  if (!run.log_promises || setup.policy == "off") return run.floor;
  if (setup.policy == "always") return std::max(run.floor, run.acknowledged());
  if (setup.policy == "everysec") {
    // In memory while a sync runs, or not on the disk yet: two seconds of accepted units.
    const int64_t last_ms = std::min(now_ms, run.refused_at_ms);
    return std::max(run.floor, run.acknowledged_before_ms(last_ms - kEverySecondLossMs));
  }
  return power_cut ? run.floor : std::max(run.floor, run.acknowledged());
}

// With the log on, whether it was at first or not: what a user's configuration says in the end.
std::vector<SimulatedServer::Setting> settings_after(const Scenario& scenario, const Setup& setup) {
  auto settings = settings_of(scenario, setup);
  if (setup.policy != "off") settings.emplace_back("appendonly", "yes");
  return settings;
}

std::string long_value(size_t size, char c) { return std::string(size, c); }

void write_mixed_units(Run& run, int first, int count) {
  for (int i = first; i < first + count; ++i) {
    const std::string n = std::to_string(i);
    switch (i % 10) {
      case 0:
        run.turn({"SET a" + n + " " + long_value(40, 'x')});
        break;
      case 1:
        run.turn({"INCR counter", "RPUSH list a " + n, "SADD set a b " + n});
        break;
      case 2:
        run.turn({"APPEND text " + n, "INCRBY counter 10"});
        break;
      case 3:
        run.turn({"SET big" + n + " " + long_value(700, 'y'), "HSET hash f" + n + " v g " + n});
        break;
      case 4:
        run.unit({"SET pair1 " + n, "SELECT 1", "SET pair2 " + n, "SELECT 0"});
        break;
      case 5:
        run.turn({"MSET m1 " + n + " m2 " + n, "DEL a" + std::to_string(i - 5), "INCR counter"});
        break;
      case 6:
        run.turn({"SET ttl " + n + " EX 1000", "ZADD sorted " + n + " m" + n + " 0.5 half",
                  "HEXPIRE hash 1000 FIELDS 1 g"});
        run.wait(400);
        break;
      case 7:
        run.turn({"SET short " + n + " PX 300", "GET short"});
        run.wait(100);
        break;
      case 8:
        run.turn({"SET large " + long_value(2'500, 'z'), "XADD stream * f " + n,
                  "LMOVE list moved RIGHT LEFT"});
        break;
      default:
        run.wait(700);
        run.turn({"GETDEL m1", "SPOP set", "ZPOPMIN sorted", "PFADD hll " + n, "PFCOUNT hll"});
        break;
    }
  }
}

// --- scenarios

void thirty_mixed_units(Run& run) { write_mixed_units(run, 0, 30); }

void rewrite_while_writing(Run& run) {
  write_mixed_units(run, 0, 8);
  run.turn({"BGREWRITEAOF"});
  write_mixed_units(run, 8, 12);
  run.settle();
  write_mixed_units(run, 20, 3);
}

void snapshot_while_writing(Run& run) {
  write_mixed_units(run, 0, 6);
  run.turn({"BGSAVE"});
  write_mixed_units(run, 6, 8);
  run.settle();
  run.turn({"SAVE"});
  write_mixed_units(run, 14, 2);
}

void both_while_writing(Run& run) {
  write_mixed_units(run, 0, 4);
  run.turn({"BGSAVE"});
  write_mixed_units(run, 4, 3);
  run.turn({"BGREWRITEAOF"});
  write_mixed_units(run, 7, 6);
  run.settle();
  run.turn({"BGREWRITEAOF"});
  write_mixed_units(run, 13, 3);
  run.turn({"BGSAVE SCHEDULE"});
  run.settle();
}

void shut_down_during_a_snapshot(Run& run) {
  write_mixed_units(run, 0, 6);
  run.turn({"BGSAVE"});
  write_mixed_units(run, 6, 3);
  // Shutting down waits for a snapshot that is being named, and here nobody else does the work.
  while (!run.executor.idle()) run.executor.step();
  if (!run.over() && run.server->persistence.shut_down({}).ok()) run.all_is_durable();
}

void shut_down_during_a_rewrite(Run& run) {
  write_mixed_units(run, 0, 6);
  run.turn({"BGREWRITEAOF"});
  write_mixed_units(run, 6, 3);
  if (!run.over() && run.server->persistence.shut_down({}).ok()) run.all_is_durable();
}

void log_off_and_on(Run& run) {
  write_mixed_units(run, 0, 7);
  if (run.set("appendonly", "no")) {
    run.all_is_durable();
    run.log_is(false);
  }
  write_mixed_units(run, 7, 5);
  run.turn({"SAVE"});
  run.all_is_durable();
  write_mixed_units(run, 12, 3);
  run.set("appendonly", "yes");
  write_mixed_units(run, 15, 4);
  run.settle();
  // What was acknowledged before the log stood may still be on its way to the disk.
  run.turn({"SET on again"});
  run.settle();
  run.all_has_settled();
  run.log_is(true);
  write_mixed_units(run, 19, 5);
}

// Starts without a log, so nothing is promised until it stands.
void log_on_at_run_time(Run& run) {
  run.log_is(false);
  write_mixed_units(run, 0, 5);
  run.set("appendonly", "yes");
  write_mixed_units(run, 5, 4);
  run.settle();
  run.turn({"SET on now"});
  run.settle();
  run.all_has_settled();
  run.log_is(true);
  write_mixed_units(run, 9, 6);
  run.turn({"BGREWRITEAOF"});
  write_mixed_units(run, 15, 3);
  run.settle();
}

// A sync that fails loses what it should have stored (E4).
void sync_fails_and_heals(Run& run) {
  write_mixed_units(run, 0, 7);
  run.environment().fail_sync("incr", EIO);
  write_mixed_units(run, 7, 8);
  for (int i = 0; i < 20; ++i) run.wait(500);
  write_mixed_units(run, 15, 6);
}

void sync_fails_during_a_rewrite(Run& run) {
  write_mixed_units(run, 0, 4);
  run.turn({"BGREWRITEAOF"});
  run.environment().fail_sync("incr", EIO);
  write_mixed_units(run, 4, 8);
  for (int i = 0; i < 20; ++i) run.wait(500);
  write_mixed_units(run, 12, 6);
}

// Elements are handed to clients that wait for them: each push, each pop and each move is a unit of
// its own, whoever caused it.
void handed_over(Run& run) {
  for (int round = 0; round < 4; ++round) {
    const std::string n = std::to_string(round);
    run.ask("ann", "BLPOP other jobs 0");
    run.ask("bob", "BZPOPMIN ranks 0");
    run.ask("cy", "BLMOVE raw jobs LEFT RIGHT 0");
    run.turn({"RPUSH raw first" + n, "ZADD ranks 2 x" + n + " 1 y" + n});
    if (round == 1) run.turn({"BGREWRITEAOF"});
    run.ask("ann", "BLMPOP 0 2 other jobs RIGHT COUNT 2");
    run.ask("cy", "BRPOP jobs 0");
    run.ask("dan", "BRPOPLPUSH nothing jobs 0.1");
    run.unit({"RPUSH jobs a" + n + " b" + n + " c" + n + " d" + n, "SET done " + n});
    if (round == 2) run.turn({"BGSAVE"});
    run.ask("eve", "BZMPOP 0 2 none ranks MAX COUNT 5");
    run.turn({"LPOP jobs"});
    run.wait(400);
  }
  run.settle();
}

// Only snapshots: the state is that of the last one whose success was shown, or a later one's.
void snapshots_only(Run& run) {
  run.log_is(false);
  for (int round = 0; round < 3; ++round) {
    write_mixed_units(run, 8 * round, 5);
    run.turn({"BGSAVE"});
    const size_t saved = run.states.size() - 2;  // BGSAVE itself counts as a unit
    write_mixed_units(run, 8 * round + 5, 3);
    run.settle();
    if (!run.over() && run.server->info("rdb_last_bgsave_status") == "ok") run.floor = saved;
  }
  run.turn({"SAVE"});
  run.all_is_durable();
  write_mixed_units(run, 24, 2);
}

// FLUSHALL is answered when the snapshot without the keys is on the disk.
void flushed(Run& run) {
  run.log_is(false);
  write_mixed_units(run, 0, 6);
  run.turn({"SAVE"});
  run.all_is_durable();
  write_mixed_units(run, 6, 4);
  run.turn({"BGSAVE"});
  run.turn({"FLUSHALL"});
  run.all_is_durable();
  write_mixed_units(run, 10, 4);
  run.unit({"SET before flush", "FLUSHALL", "SET behind flush"});
  run.all_is_durable();
  write_mixed_units(run, 14, 4);
}

const std::vector<SimulatedServer::Setting> kLogOn = {{"appendonly", "yes"}};
const std::vector<SimulatedServer::Setting> kSavePoints = {{"appendonly", "yes"}, {"save", "1 3"}};

const Scenario kLogScenarios[] = {
    {"first start and mixed units", kLogOn, thirty_mixed_units},
    {"log rewrite while writing", kLogOn, rewrite_while_writing},
    {"snapshot while writing", kLogOn, snapshot_while_writing},
    {"both while writing", kSavePoints, both_while_writing},
    {"shutdown during a snapshot", kSavePoints, shut_down_during_a_snapshot},
    {"shutdown during a rewrite", kLogOn, shut_down_during_a_rewrite},
    {"log off and on", kLogOn, log_off_and_on},
    {"log on at run time", {{"appendonly", "no"}}, log_on_at_run_time},
    {"sync fails and heals", kLogOn, sync_fails_and_heals},
    {"sync fails during a rewrite", kLogOn, sync_fails_during_a_rewrite},
    {"handed over to waiting clients", kLogOn, handed_over},
};

const Setup kLogSetups[] = {
    {"always, work at once", "always", Work::kAtOnce},
    {"always, stepped work, lagging children", "always", Work::kStepped, 2},
    {"everysec, work at once", "everysec", Work::kAtOnce},
    {"everysec, stepped work, lagging children", "everysec", Work::kStepped, 2},
    {"no, work at once", "no", Work::kAtOnce},
    {"no, stepped work, lagging children", "no", Work::kStepped, 2},
};

const Setup kSnapshotSetups[] = {
    {"work at once", "off", Work::kAtOnce},
    {"stepped work, lagging children", "off", Work::kStepped, 2},
};

const Scenario kSnapshotScenarios[] = {
    {"snapshots only", {}, snapshots_only},
    {"flushed", {{"save", "3600 1"}}, flushed},
    {"save points only",
     {{"save", "1 3"}},
     [](Run& run) {
       run.log_is(false);
       thirty_mixed_units(run);
     }},
};

// --- the sweep

constexpr size_t kImagesPerCrash = 35;

bool is_wanted(const std::string& name) {
  const char* only = std::getenv("SWEEP");
  return only == nullptr || name.find(only) != std::string::npos;
}

struct Sweep {
  uint64_t images = 0;
  uint64_t runs = 0;
  uint64_t images_with_room = 0;  // zeros behind the last byte of an increment
};

bool has_room(const DiskImage& image) {
  return std::any_of(image.files.begin(), image.files.end(), [](const auto& file) {
    // No record ends with so many zeros.
    char last[16] = {};
    const uint64_t size = file.second.size();
    return file.first.ends_with(".incr.rox") && size >= kFileHeaderBytes + sizeof last &&
           file.second.read(size - sizeof last, last, sizeof last) == sizeof last &&
           std::all_of(std::begin(last), std::end(last), [](char c) { return c == 0; });
  });
}

// What a client sees: a key that has expired may be there or not.
State visible(const State& state, int64_t now_ms) {
  State live = state;
  std::erase_if(live, [now_ms](const auto& entry) {
    const int64_t expire_at_ms = entry.second.second;
    return expire_at_ms >= 0 && expire_at_ms <= now_ms;
  });
  return live;
}

// The states after 0, 1, 2 ... units as a client sees them at one moment.
std::vector<State> visible(const std::vector<State>& states, int64_t now_ms) {
  std::vector<State> live;
  for (const State& state : states) live.push_back(visible(state, now_ms));
  return live;
}

// The smallest k >= least with states[k] == state; SIZE_MAX: none.
size_t find_state(const std::vector<State>& states, const State& state, size_t least) {
  for (size_t k = least; k < states.size(); ++k) {
    if (states[k] == state) return k;
  }
  return SIZE_MAX;
}

// What a disk must come up as.
struct Expected {
  std::vector<State> states;  // visible now
  size_t least;               // units that are promised
  int64_t now_ms;
};

void check_image(const std::vector<SimulatedServer::Setting>& settings, const DiskImage& image,
                 const Expected& expected, bool again) {
  const int64_t now_ms = expected.now_ms;
  CrashingEnvironment environment(99, image);
  environment.set_wall_us(now_ms * 1'000);
  SimulatedServer server(environment, settings);
  const int exit_code = server.load();
  BOOST_TEST_REQUIRE(exit_code == 0, server.log_text);
  const State state = visible(server.state(), now_ms);
  const size_t k = find_state(expected.states, state, expected.least);
  BOOST_TEST_REQUIRE(k != SIZE_MAX, "not the state after any of the units "
                                        << expected.least << " to " << expected.states.size() - 1
                                        << ", but " << find_state(expected.states, state, 0) << "\n"
                                        << server.log_text);
  if (!again) return;
  // What was recovered goes on: append, leave cleanly, come back; nothing is repaired twice.
  server.run("SET after recovery");
  server.persistence.end_turn();
  const State after = server.state();
  BOOST_TEST_REQUIRE(server.persistence.shut_down({}).ok());
  CrashingEnvironment next(100, environment.disk_images(1, 2).at(0));
  next.set_wall_us(now_ms * 1'000);
  SimulatedServer second(next, settings);
  BOOST_TEST_REQUIRE(second.load() == 0, second.log_text);
  if (second.persistence.aof().enabled()) BOOST_TEST_REQUIRE((second.state() == after));
  BOOST_TEST_REQUIRE(second.info("last_recovery_result") == "clean");
}

void sweep_scenario(const Scenario& scenario, const Setup& setup, size_t images_per_crash,
                    Sweep& sweep) {
  if (!is_wanted(scenario.name)) return;
  const Sweep before = sweep;
  const auto settings = settings_after(scenario, setup);
  uint64_t calls = 0;
  {
    CrashingEnvironment environment(1, empty_data_directory());
    Run run(environment, setup, settings_of(scenario, setup));
    scenario.run(run);
    BOOST_TEST_REQUIRE(run.loaded, run.server->log_text);
    calls = environment.changes();
  }
  for (uint64_t n = 1; n <= calls + 1; ++n) {
    CrashingEnvironment environment(1, empty_data_directory());
    environment.crash_at(n);
    Run run(environment, setup, settings_of(scenario, setup));
    scenario.run(run);
    sweep.runs++;
    const int64_t now_ms = environment.now_ms();
    Expected expected{visible(run.states, now_ms), 0, now_ms};
    size_t number = 0;
    for (const bool power_cut : {false, true}) {
      const auto images =
          power_cut ? environment.disk_images(n, images_per_crash) : environment.kill_images();
      expected.least = least_units(run, setup, power_cut, now_ms);
      for (const DiskImage& image : images) {
        sweep.images++;
        sweep.images_with_room += uint64_t{has_room(image)};
        BOOST_TEST_CONTEXT(scenario.name << ", " << setup.name << ", call " << n << " of " << calls
                                         << ", image " << number << " (" << image.rule << ")") {
          check_image(settings, image, expected, number % 16 == 3);
        }
        number++;
      }
    }
  }
  BOOST_TEST_MESSAGE(scenario.name << ", " << setup.name << ": " << sweep.images - before.images
                                   << " images after " << sweep.runs - before.runs << " crashes");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(persist_crash_sweep)

BOOST_AUTO_TEST_CASE(every_disk_a_crash_leaves_comes_up_as_the_contract_says) {
  Sweep sweep;
  for (const Scenario& scenario : kLogScenarios) {
    for (const Setup& setup : kLogSetups) sweep_scenario(scenario, setup, kImagesPerCrash, sweep);
  }
  for (const Scenario& scenario : kSnapshotScenarios) {
    for (const Setup& setup : kSnapshotSetups) {
      sweep_scenario(scenario, setup, kImagesPerCrash, sweep);
    }
  }
  BOOST_TEST_MESSAGE(sweep.images << " disk images recovered after " << sweep.runs << " crashes");
  BOOST_TEST((sweep.images >= 50'000u || std::getenv("SWEEP") != nullptr), sweep.images);
  // Under `always` records go over room, and what a crash leaves of it must not be taken for a
  // loss.
  BOOST_TEST_MESSAGE(sweep.images_with_room << " of them with room behind the log");
  BOOST_TEST((sweep.images_with_room >= 1'000u || std::getenv("SWEEP") != nullptr),
             sweep.images_with_room);
}

// What the sweep above takes for granted of that scenario.
BOOST_AUTO_TEST_CASE(the_scenario_of_waiting_clients_hands_elements_over) {
  CrashingEnvironment environment(1, empty_data_directory());
  const Setup setup{"plain", "always", Work::kAtOnce};
  Run run(environment, setup, {{"appendonly", "yes"}, {"appendfsync", "always"}});
  handed_over(run);
  std::vector<std::string> expected;
  for (const std::string n : {"0", "1", "2", "3"}) {
    expected.push_back("cy: $first" + n);
    expected.push_back("ann: *[$jobs $first" + n + "]");
    expected.push_back("bob: *[$ranks $y" + n + " ,1]");
    expected.push_back("ann: *[$jobs *[$d" + n + " $c" + n + "]]");
    expected.push_back("cy: *[$jobs $b" + n + "]");
    expected.push_back("dan: *nil");
  }
  BOOST_TEST(run.server->late_replies == expected, boost::test_tools::per_element());
  BOOST_TEST(run.acknowledged() == run.states.size() - 1);
}

// R14: a crash during recovery, at any call, leaves a disk from which the same comes up.
BOOST_AUTO_TEST_CASE(a_recovery_that_crashes_can_be_repeated) {
  uint64_t images = 0;
  for (const Scenario& scenario : kLogScenarios) {
    if (!is_wanted(scenario.name)) continue;
    const Setup& setup = kLogSetups[3];  // everysec, stepped: the most is on its way
    const auto settings = settings_after(scenario, setup);
    for (uint64_t n = 20;; n += 13) {
      CrashingEnvironment environment(1, empty_data_directory());
      environment.crash_at(n);
      Run run(environment, setup, settings_of(scenario, setup));
      scenario.run(run);
      if (!environment.crashed()) break;
      const int64_t now_ms = environment.now_ms();
      const Expected expected{visible(run.states, now_ms), least_units(run, setup, true, now_ms),
                              now_ms};
      for (const DiskImage& image : environment.disk_images(n, 5)) {
        for (uint64_t m = 1;; ++m) {
          CrashingEnvironment recovery(2, image);
          recovery.set_wall_us(now_ms * 1'000);
          recovery.crash_at(m);
          SimulatedServer server(recovery, settings);
          static_cast<void>(server.load());
          if (!recovery.crashed()) break;
          for (const DiskImage& next : recovery.disk_images(m, 6)) {
            images++;
            BOOST_TEST_CONTEXT(scenario.name << ", call " << n << ", image " << image.rule
                                             << ", recovery's call " << m << ", image "
                                             << next.rule) {
              check_image(settings, next, expected, false);
            }
          }
        }
      }
    }
  }
  BOOST_TEST_MESSAGE(images << " disk images of crashed recoveries recovered");
  BOOST_TEST((images >= 1'000u || std::getenv("SWEEP") != nullptr), images);
}

// T1: every call fails once, and every write once takes a single byte. The server goes on, or does
// not start; once the trouble is over it accepts writes again by itself, and nothing acknowledged
// is missing.
BOOST_AUTO_TEST_CASE(any_call_that_fails_is_survived) {
  uint64_t injections = 0;
  uint64_t runs = 0;
  constexpr int kErrors[] = {ENOSPC, EIO, EACCES};
  for (const Scenario& scenario : kLogScenarios) {
    if (!is_wanted(scenario.name) || scenario.name.find("log o") != std::string::npos) continue;
    for (const Setup& setup : kLogSetups) {
      for (const bool is_short : {false, true}) {
        runs++;
        for (uint64_t nth = 1;; ++nth) {
          CrashingEnvironment environment(1, empty_data_directory());
          FailingEnvironment failing(environment);
          Fault fault{.nth = nth, .os_error = kErrors[(runs + nth) % std::size(kErrors)]};
          if (is_short) fault = {.kind = CallKind::kWrite, .nth = nth, .short_bytes = 1};
          failing.add(fault);
          Run run(environment, setup, settings_of(scenario, setup), &failing);
          scenario.run(run);
          if (failing.injected() == 0) break;
          injections++;
          failing.clear();
          BOOST_TEST_CONTEXT(scenario.name << ", " << setup.name << ", call " << nth
                                           << " fails with " << fault.os_error << "/"
                                           << fault.short_bytes << "\n"
                                           << run.server->log_text) {
            if (run.loaded) {
              for (int i = 0; i < 150; ++i) run.wait(500);
              const size_t before = run.states.size();
              run.turn({"SET healed yes"});
              BOOST_TEST_REQUIRE(run.states.size() == before + 1);
              for (int i = 0; i < 20; ++i) run.wait(500);
              BOOST_TEST_REQUIRE(run.acknowledged() == run.states.size() - 1);
            }
            const State expected = run.loaded ? run.states.back() : State{};
            for (const DiskImage& image : environment.disk_images(nth, 3)) {
              CrashingEnvironment next(2, image);
              next.set_wall_us(environment.now_us());
              SimulatedServer server(next, settings_of(scenario, setup));
              BOOST_TEST_REQUIRE(server.load() == 0, server.log_text);
              if (setup.policy != "no" || image.rule == "everything") {
                BOOST_TEST_REQUIRE((server.state() == expected), server.log_text);
              }
            }
          }
        }
      }
    }
  }
  BOOST_TEST_MESSAGE(injections << " failed calls survived");
  BOOST_TEST((injections >= 2'000u || std::getenv("SWEEP") != nullptr), injections);
}

// D8: a program that embeds the engine saves by the same rules.
BOOST_AUTO_TEST_CASE(an_embedded_save_leaves_the_old_file_or_the_new_one) {
  std::vector<State> states;
  const auto save_thrice = [&states](CrashingEnvironment& environment) {
    engine::Engine engine({.environment = &environment, .hash_seed = 1, .families = kFamilies});
    states = {{}};
    size_t saved = 0;
    Random random(1);
    for (int round = 1; round <= 3; ++round) {
      engine.flush(-1, false);
      fill(engine, random_contents(random, 5, environment.now_ms()));
      states.push_back(state_of(engine));
      if (!save_snapshot(engine, "data/embedded.rox", {}).ok()) break;
      saved = static_cast<size_t>(round);
    }
    return saved;
  };
  CrashingEnvironment whole(1, empty_data_directory());
  BOOST_TEST(save_thrice(whole) == 3u);
  for (uint64_t n = 1; n <= whole.changes() + 1; ++n) {
    CrashingEnvironment environment(1, empty_data_directory());
    environment.crash_at(n);
    const size_t saved = save_thrice(environment);
    for (const DiskImage& image : environment.disk_images(n, 60)) {
      CrashingEnvironment next(2, image);
      engine::Engine engine({.environment = &next, .hash_seed = 1, .families = kFamilies});
      const LoadResult result = load_snapshot(engine, "data/embedded.rox", {});
      const size_t found = find_state(states, state_of(engine), saved);
      BOOST_TEST_CONTEXT("call " << n << ", image " << image.rule << ": " << result.message) {
        BOOST_TEST_REQUIRE((result.status.ok() || result.status.code == Code::kNotFound));
        BOOST_TEST_REQUIRE(found != SIZE_MAX);
        BOOST_TEST_REQUIRE((result.status.ok() || saved == 0));
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
