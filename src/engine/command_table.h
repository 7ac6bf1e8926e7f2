// command_table.h: all commands of an Engine, found by name, with what is derived from their
// declarations and counted about them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/command.h"
#include "engine/latency_histogram.h"

namespace roxdb::engine {

// One command at run time. Its declaration never changes; its counters do.
struct Command {
  const CommandSpec* spec;
  const CommandFamily* family;
  Command* container = nullptr;       // of a subcommand
  std::vector<Command*> subcommands;  // of a container
  std::string full_name;              // lower case, "client|id": as Redis shows it
  int arity = 0;
  uint16_t index = 0;       // position in all()
  bool is_renamed = false;  // it, or its container: requests need not begin with its own name

  // The plain case, for prefetching: keys at first, first + step, ... up to last (negative: from
  // the end); first 0: no keys or not so plain.
  int16_t first_key = 0;
  int16_t last_key = 0;
  int16_t key_step = 0;

  // COMMANDSTATS.
  uint64_t calls = 0;
  uint64_t duration_cycles = 0;
  uint64_t rejected = 0;
  uint64_t failed = 0;
  LatencyHistogram latencies;  // in cycles, while Engine::track_latencies
};

class CommandTable {
 public:
  explicit CommandTable(std::span<const CommandFamily* const> families);

  // By name in any case; `args` must hold at least the name. A container whose first argument
  // names none of its subcommands comes back itself. Null: unknown.
  Command* find(std::span<const std::string_view> args) const;
  // The same by the name of the declaration, whatever it was renamed to; only where no command is
  // declared with that name by the other one. This is how logs name commands, so that they can be
  // read whatever is renamed later.
  Command* find_declared(std::span<const std::string_view> args) const;
  Command* find_name(std::string_view name) const;  // "client|id", "client id" or "client"
  // Another name for a command (rename-command); an empty new name hides it.
  bool rename(std::string_view from, std::string_view to);

  std::span<const std::unique_ptr<Command>> all() const { return all_; }  // containers included

  // The keys of a request, exactly, without what is only routed like one. False: the request's key
  // arguments make no sense (numkeys out of range ...).
  static bool keys_of(const Command& command, std::span<const std::string_view> args,
                      std::vector<KeyAt>& keys);

 private:
  struct Cell {
    uint64_t first = 0;  // of the name, without case; see fold()
    uint64_t last = 0;
    std::string_view name;  // of a declaration, or in renamed_
    Command* command = nullptr;
    bool is_short_word = false;  // first, last and the size say all
    bool is_declared = false;
    bool hidden = false;
  };
  void add(std::string_view name, Command* command, bool is_declared);
  void grow();
  Command* lookup(std::string_view name) const;
  Command* lookup_declared(std::string_view name) const;
  template <class Accept>
  Command* lookup(std::string_view name, Accept accept) const;

  std::vector<std::unique_ptr<Command>> all_;
  std::vector<Cell> cells_;  // open addressing, a power of two, at most half full
  size_t names_ = 0;
  std::vector<std::unique_ptr<std::string>> renamed_;
};

// As COMMAND INFO lists them, lower case; and ACL categories with '@'.
std::vector<std::string_view> flag_names(const Command& command);
std::vector<std::string> category_names(const Command& command);

}  // namespace roxdb::engine
