// server_info.h: the sections of INFO that concern the engine and the process. Rooms with more to
// say (clients, persistence) add their own; see engine/info.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace roxdb::commands {

// "512B", "1.50K", "2.00G": how INFO writes bytes for people.
std::string human_bytes(uint64_t bytes);

// What INFO memory and MEMORY STATS say, of one instant.
struct MemoryFigures {
  size_t used;             // memory::used_bytes()
  size_t peak;             // the highest `used` seen
  size_t startup;          // `used` before any data
  size_t overhead;         // startup, tables: what would be there without keys and values
  size_t dataset;          // used - overhead
  double dataset_percent;  // of what came after the start
  double peak_percent;
  size_t resident;   // of the process
  size_t allocated;  // the allocator's view; equal to `used` where it cannot tell
  size_t active;
  size_t allocator_resident;
};

class ServerInfo {
 public:
  // Registers its sections with `engine`, which must outlive this.
  explicit ServerInfo(engine::Engine& engine);

  // Everything is there but the data: what is used now is not theirs.
  void mark_startup();
  // Takes samples for the peak and the rates. Called every 1000 / hz ms, or never.
  void tick();
  MemoryFigures memory();
  const std::string& run_id() const { return run_id_; }
  uint64_t uptime_seconds() const;

 private:
  void register_settings();
  void write_server(engine::InfoWriter& out);
  void write_memory(engine::InfoWriter& out);
  void write_stats(engine::InfoWriter& out);
  void write_replication(engine::InfoWriter& out);
  void write_cpu(engine::InfoWriter& out);
  void write_command_stats(engine::InfoWriter& out);
  void write_latency_stats(engine::InfoWriter& out);
  void write_error_stats(engine::InfoWriter& out);
  void write_keyspace(engine::InfoWriter& out);
  void write_key_sizes(engine::InfoWriter& out);

  engine::Engine& engine_;
  uint64_t started_ns_;
  size_t startup_bytes_;
  size_t peak_bytes_ = 0;
  std::string run_id_;                                // 40 hexadecimal digits, new with every start
  std::vector<double> percentiles_ = {50, 99, 99.9};  // latency-tracking-info-percentiles

  // Commands per second: the mean of the last samples, as of tick().
  static constexpr size_t kSamples = 16;
  static constexpr uint64_t kSampleNs = 100'000'000;
  uint64_t sampled_ns_;
  uint64_t sampled_commands_ = 0;
  uint64_t rates_[kSamples] = {};
  size_t next_rate_ = 0;
};

}  // namespace roxdb::commands
