#include "server/acl/vocabulary.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/text.h"

namespace roxdb::server {
namespace {

constexpr std::array<std::string_view, 21> kCategories = {
    "keyspace", "read",   "write",       "set",       "sortedset",  "list",        "hash",
    "string",   "bitmap", "hyperloglog", "geo",       "stream",     "pubsub",      "admin",
    "fast",     "slow",   "blocking",    "dangerous", "connection", "transaction", "scripting"};

// Commands of Redis 8 and Valkey 9 that this server does not have: rules that were written for
// those speak of them. In order.
constexpr std::string_view kElsewhere[] = {
    "arcount",   "ardel",          "ardelrange",  "arget",       "argetrange", "argrep",
    "arinfo",    "arinsert",       "arlastitems", "arlen",       "armget",     "armset",
    "arnext",    "arop",           "arring",      "arscan",      "arseek",     "arset",
    "asking",    "backup",         "cluster",     "clusterscan", "failover",   "himport",
    "hotkeys",   "migrate",        "psync",       "readonly",    "readwrite",  "replconf",
    "replicaof", "restore-asking", "sentinel",    "sflush",      "slaveof",    "sync",
    "vadd",      "vcard",          "vdim",        "vemb",        "vgetattr",   "vinfo",
    "vismember", "vlinks",         "vrandmember", "vrange",      "vrem",       "vsetattr",
    "vsim",      "wait",           "waitaof"};

// Declarations lie some hundred bytes apart.
size_t place_of(const engine::CommandSpec* spec, size_t cells) {
  const auto address = reinterpret_cast<uintptr_t>(spec);
  return static_cast<size_t>((address * 0x9e3779b97f4a7c15ull) >> 32) & (cells - 1);
}

}  // namespace

void CommandSet::set_all(bool are_in) {
  std::fill(words_.begin(), words_.end(), are_in ? UINT64_MAX : 0);
  const size_t used = size_ % 64;
  if (are_in && used != 0) words_.back() = (uint64_t{1} << used) - 1;
}

bool CommandSet::has_all() const {
  CommandSet all(size_);
  all.set_all(true);
  return *this == all;
}

Vocabulary::Vocabulary(const engine::CommandTable& table)
    : table_(table), categories_(kCategories.size(), CommandSet(table.all().size())) {
  size_t cells = 64;
  while (cells < size() * 2) cells *= 2;
  by_spec_.resize(cells);
  for (const auto& command : table.all()) {
    by_name_.emplace(command->full_name, command.get());
    size_t cell = place_of(command->spec, cells);
    while (by_spec_[cell] != nullptr) cell = (cell + 1) & (cells - 1);
    by_spec_[cell] = command.get();
    for (const std::string& name : category_names(*command)) {
      const auto found =
          std::find(kCategories.begin(), kCategories.end(), std::string_view(name).substr(1));
      ROX_ASSERT(found != kCategories.end());
      categories_[static_cast<size_t>(found - kCategories.begin())].set(command->index, true);
    }
  }
}

const engine::Command* Vocabulary::find(std::string_view name) const {
  const auto found = by_name_.find(lower_case(name));
  return found != by_name_.end() ? found->second : nullptr;
}

bool Vocabulary::is_elsewhere(std::string_view name) {
  const std::string lower = lower_case(name.substr(0, name.find('|')));
  return std::binary_search(std::begin(kElsewhere), std::end(kElsewhere), std::string_view(lower));
}

std::span<const std::string_view> Vocabulary::categories() { return kCategories; }

const CommandSet* Vocabulary::category(std::string_view name) const {
  for (size_t i = 0; i < kCategories.size(); ++i) {
    if (equal_ignore_case(kCategories[i], name)) return &categories_[i];
  }
  return nullptr;
}

const engine::Command& Vocabulary::command_of(const engine::CommandSpec& spec) const {
  size_t cell = place_of(&spec, by_spec_.size());
  while (by_spec_[cell]->spec != &spec) cell = (cell + 1) & (by_spec_.size() - 1);
  return *by_spec_[cell];
}

}  // namespace roxdb::server
