// vocabulary.h: what the rules of ACL can speak of: commands and subcommands by their own names
// (rename-command changes nothing here) and categories, each a set of commands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/command_table.h"

namespace roxdb::server {

// One bit for each command of the table.
class CommandSet {
 public:
  explicit CommandSet(size_t commands) : words_((commands + 63) / 64), size_(commands) {}

  bool has(size_t index) const { return (words_[index / 64] >> (index % 64) & 1) != 0; }
  void set(size_t index, bool is_in) {
    const uint64_t bit = uint64_t{1} << (index % 64);
    words_[index / 64] = is_in ? words_[index / 64] | bit : words_[index / 64] & ~bit;
  }
  void set_all(bool are_in);
  bool has_all() const;
  friend bool operator==(const CommandSet&, const CommandSet&) = default;

 private:
  std::vector<uint64_t> words_;
  size_t size_;
};

class Vocabulary {
 public:
  // The table must outlive this.
  explicit Vocabulary(const engine::CommandTable& table);

  // "get", "config" or "config|get", in any case; null: there is none.
  const engine::Command* find(std::string_view name) const;
  // Whether a command of this name, or the container of this subcommand, is one of Redis or Valkey
  // that this server lacks.
  static bool is_elsewhere(std::string_view name);
  // The names of the categories without '@', in the order of ACL CAT.
  static std::span<const std::string_view> categories();
  // Null: there is none of that name, which may be in any case.
  const CommandSet* category(std::string_view name) const;

  size_t size() const { return table_.all().size(); }
  const engine::Command& at(size_t index) const { return *table_.all()[index]; }
  // The command at run time of a declaration. Cost O(1), two nanoseconds.
  const engine::Command& command_of(const engine::CommandSpec& spec) const;

 private:
  const engine::CommandTable& table_;
  std::map<std::string, const engine::Command*, std::less<>> by_name_;  // lower case
  std::vector<CommandSet> categories_;                                  // as categories()
  std::vector<const engine::Command*> by_spec_;  // open addressing, at most half full
};

}  // namespace roxdb::server
