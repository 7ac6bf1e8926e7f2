// hot_keys.h: HOTKEYS: which keys cost most, in time or in bytes on the wire, while somebody asks.
//
//   idle --start()--> tracking (armed) --stop(), or its duration is over--> results --reset()-->
//   idle
//
// Every command is weighed, or one in `sample_ratio`; what it costs is shared by its keys. Of far
// more keys than are asked for the sums are kept; when they are too many, the cheaper half is
// forgotten. So a key that costs much is never missed, and one that became hot late has a sum that
// is too low by what it cost before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/process_info.h"
#include "engine/engine.h"
#include "engine/key_map.h"
#include "server/clients.h"

namespace roxdb::server {

// Sums by key; the highest ones are right.
class TopKeys {
 public:
  TopKeys(const HashSecret& secret, size_t count);

  // Cost O(1) on average.
  void add(std::string_view key, uint64_t amount);
  // The highest sums, at most `count` of the constructor, in descending order.
  std::vector<std::pair<std::string, uint64_t>> highest() const;

 private:
  struct Hash {
    using is_transparent = void;
    const HashSecret* secret;
    size_t operator()(std::string_view key) const { return hash_bytes(key, *secret); }
  };
  void forget_half();

  const size_t count_;
  const size_t keys_max_;
  std::unordered_map<std::string, uint64_t, Hash, std::equal_to<>> sums_;
};

class HotKeys final : public engine::Gate {
 public:
  struct Options {
    bool by_cpu = false;
    bool by_net = false;
    size_t count = 10;
    int64_t duration_ms = 0;  // 0: until stop()
    uint64_t sample_ratio = 1;
  };
  struct Results {
    Options options;
    bool active = true;
    int64_t start_ms;  // Unix epoch
    uint64_t start_ns;
    uint64_t duration_ns = 0;  // when it is no longer active
    uint64_t commands_ns = 0;  // spent in all commands
    uint64_t command_bytes = 0;
    CpuTimes cpu_at_start;
    CpuTimes cpu;  // since the start, when it is no longer active
    uint64_t net_at_start;
    uint64_t net_bytes = 0;         // since the start, when it is no longer active
    std::optional<TopKeys> by_cpu;  // nanoseconds
    std::optional<TopKeys> by_net;  // bytes
  };

  // All must outlive this.
  HotKeys(engine::Engine& engine, Clients& clients, int order);
  ~HotKeys() override;

  void start(const Options& options);  // REQUIRES: none is active
  void stop();
  void reset() { results_.reset(); }  // REQUIRES: none is active
  // Null: nothing has been tracked since the last reset. Figures that grow are up to date.
  const Results* results();

  bool asks_about_parts() const override { return true; }
  // Notes where a reply begins; lets everything pass.
  engine::Verdict check(engine::Session& session, const engine::CommandSpec& spec,
                        engine::Args args, Status& refusal) override;

 private:
  void weigh(const engine::Execution& execution);
  void update();

  engine::Engine& engine_;
  Clients& clients_;
  const int order_;
  std::optional<Results> results_;
  size_t output_before_ = 0;  // of the client whose command runs
  std::vector<engine::KeyAt> keys_;
};

}  // namespace roxdb::server
