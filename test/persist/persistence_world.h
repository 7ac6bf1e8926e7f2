// persistence_world.h: a simulated world with a server in it, for the tests of what snapshot and
// log do while it serves, when it starts, and when it reads its files back.
#pragma once

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "persist/persistence.h"
#include "test/persist/contents.h"
#include "test/persist/simulated_server.h"
#include "test/sim/crashing_environment.h"
#include "test/sim/failing_environment.h"

namespace roxdb::persist::test {

using Settings = std::vector<SimulatedServer::Setting>;

inline const Settings kAlways = {{"appendonly", "yes"}, {"appendfsync", "always"}};
inline const Settings kEverySecond = {{"appendonly", "yes"}};
inline const Settings kNever = {{"appendonly", "yes"}, {"appendfsync", "no"}};
inline const Settings kNoLog = {};

inline constexpr std::string_view kIncrement = "data/appendonlydir/appendonly.aof.1.incr.rox";
inline constexpr std::string_view kManifest = "data/appendonlydir/appendonly.aof.manifest.rox";

// A world with a server in it, and what other servers find on its disk.
struct World {
  World() : disk(3, empty_data_directory()), environment(disk) {}

  SimulatedServer& start(Settings settings, Executor* executor = nullptr) {
    server = std::make_unique<SimulatedServer>(environment, std::move(settings), executor);
    BOOST_TEST_REQUIRE(server->load() == 0, server->log_text);
    return *server;
  }
  // A command and the end of its turn.
  std::string turn(std::string_view line) {
    std::string reply = server->run(line);
    ticket = server->persistence.end_turn();
    return reply;
  }
  void wait(uint64_t ms) {
    for (uint64_t waited = 0; waited < ms; waited += 100) {
      disk.advance_ms(100);
      server->engine.refresh_clock();
      server->persistence.tick();
      server->persistence.end_turn();
    }
  }
  DiskImage image() const { return disk.kill_images().at(0); }
  void leave() {
    if (server) BOOST_TEST(server->persistence.shut_down({}).ok(), server->log_text);
    server.reset();
  }

  CrashingEnvironment disk;
  FailingEnvironment environment;
  std::unique_ptr<SimulatedServer> server;
  uint64_t ticket = 0;
};

// A server that starts on a disk made by hand.
struct Restart {
  Restart(const DiskImage& image, Settings settings, Persistence::LoadOptions options = {},
          int64_t now_ms = 0)
      : disk(4, image) {
    if (now_ms != 0) disk.set_wall_us(now_ms * 1'000);
    server = std::make_unique<SimulatedServer>(disk, std::move(settings));
    exit_code = server->load(std::move(options));
  }
  bool says(std::string_view text) const {
    return server->log_text.find(text) != std::string::npos;
  }
  DiskImage image() const { return disk.kill_images().at(0); }

  CrashingEnvironment disk;
  std::unique_ptr<SimulatedServer> server;
  int exit_code = 0;
};

inline State restarted(const DiskImage& image, const Settings& settings) {
  Restart restart(image, settings);
  BOOST_TEST(restart.exit_code == 0, restart.server->log_text);
  return restart.server->state();
}

}  // namespace roxdb::persist::test
