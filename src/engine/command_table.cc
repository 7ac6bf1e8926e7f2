#include "engine/command_table.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/numbers.h"
#include "base/text.h"

namespace roxdb::engine {
namespace {

// The first eight and the last eight bytes of a name, without the bit that tells 'a' from 'A'. For
// a name of letters only, up to sixteen of them, they are the name itself.
struct Folded {
  uint64_t first;
  uint64_t last;
  uint64_t hash;
};

Folded fold(std::string_view name) {
  constexpr uint64_t kNoCase = 0xdfdfdfdfdfdfdfdfull;
  const char* bytes = name.data();
  const size_t size = name.size();
  uint64_t first = 0;
  uint64_t last = 0;
  if (size >= 8) {
    std::memcpy(&first, bytes, 8);
    std::memcpy(&last, bytes + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(&first, bytes, 4);
    std::memcpy(&last, bytes + size - 4, 4);
  } else if (size > 0) {
    first = static_cast<unsigned char>(bytes[0]);
    last = static_cast<unsigned char>(bytes[size / 2]) |
           uint64_t{static_cast<unsigned char>(bytes[size - 1])} << 8;
  }
  first &= kNoCase;
  last &= kNoCase;
  const uint64_t mixed = (first ^ (last << 21 | last >> 43) ^ size << 7) * 0x9e3779b97f4a7c15ull;
  return {first, last, mixed ^ mixed >> 29};
}

bool is_short_word(std::string_view name) {
  const auto is_letter = [](char c) { return to_upper(c) >= 'A' && to_upper(c) <= 'Z'; };
  return name.size() <= 16 && std::all_of(name.begin(), name.end(), is_letter);
}

int words_of(std::string_view name) {
  return 1 + static_cast<int>(std::count(name.begin(), name.end(), ' '));
}

std::string full_name(std::string_view name) {
  std::string text = lower_case(name);
  std::replace(text.begin(), text.end(), ' ', '|');
  return text;
}

// The three old-style numbers of COMMAND, from the key specs: ranges widen to their union.
void derive_plain_keys(Command& command) {
  const Keys& keys = command.spec->keys;
  for (size_t i = 0; i < keys.count; ++i) {
    const KeySpec& spec = keys.specs[i];
    if (spec.begin != KeySpec::Begin::kIndex || spec.find != KeySpec::Find::kRange) continue;
    const auto last = static_cast<int16_t>(spec.last >= 0 ? spec.index + spec.last : spec.last);
    if (command.first_key == 0) {
      command.first_key = spec.index;
      command.last_key = last;
      command.key_step = spec.step;
    } else if (spec.index == command.last_key + 1 && command.last_key > 0) {
      command.last_key = last;  // "1:RO,2:OW" is 1,2,1
    }
  }
}

// Adds the word behind each STORE: whichever counts in the end, rights are asked to all. That word
// may be another STORE, when this one was the value of an option.
void add_stored_keys(const KeySpec& spec, std::span<const std::string_view> args,
                     std::vector<KeyAt>& keys) {
  for (auto at = static_cast<size_t>(spec.index); at + 1 < args.size(); ++at) {
    if (equal_ignore_case(args[at], spec.keyword)) {
      keys.push_back({at + 1, spec.access, spec.unread});
    }
  }
}

// Adds the keys of one spec; false when the request's numbers make no sense.
bool add_keys(const KeySpec& spec, std::span<const std::string_view> args,
              std::vector<KeyAt>& keys) {
  const auto argc = static_cast<int64_t>(args.size());
  int64_t begin = spec.index;
  switch (spec.begin) {
    case KeySpec::Begin::kNone:
    case KeySpec::Begin::kUnknown:
      return true;
    case KeySpec::Begin::kIndex:
      if (begin >= argc) return spec.find == KeySpec::Find::kRange;
      break;
    case KeySpec::Begin::kKeyword: {
      if (spec.access == KeyAccess::kOverwrite) {
        add_stored_keys(spec, args, keys);
        return true;
      }
      // Sought forwards from an index, or backwards from the end when it is negative.
      const int64_t step = begin > 0 ? 1 : -1;
      int64_t at = begin > 0 ? begin : argc + begin;
      while (at > 0 && at < argc &&
             !equal_ignore_case(args[static_cast<size_t>(at)], spec.keyword)) {
        at += step;
      }
      if (at <= 0 || at >= argc - 1) return true;  // not there: no keys
      begin = at + 1;
      break;
    }
  }
  int64_t first = begin;
  int64_t last = 0;
  if (spec.find == KeySpec::Find::kCount) {
    const auto count = parse_int64(args[static_cast<size_t>(begin)]);
    if (!count || *count < 0 || *count > argc) return false;
    first = begin + spec.first;
    last = first + (*count - 1) * spec.step;
    if (*count == 0) return true;
    if (first + *count * spec.step > argc) return false;
  } else if (spec.last >= 0) {
    last = begin + spec.last;
  } else {
    last = argc + spec.last;
    if (spec.first_half) last = first + (last - first + 1) / 2 - 1;
  }
  for (int64_t at = first; at <= last && at < argc; at += spec.step) {
    keys.push_back({static_cast<size_t>(at), spec.access, spec.unread});
  }
  return true;
}

}  // namespace

CommandTable::CommandTable(std::span<const CommandFamily* const> families) {
  size_t specs = 0;
  for (const CommandFamily* family : families) specs += family->commands.size();
  size_t cells = 64;
  while (cells < specs * 4) cells *= 2;
  cells_.resize(cells);
  for (const CommandFamily* family : families) {
    for (const CommandSpec* spec : family->commands) {
      auto command = std::make_unique<Command>();
      command->spec = spec;
      command->family = family;
      command->full_name = full_name(spec->name);
      command->arity = spec->arity != 0 ? spec->arity : spec->syntax.arity(words_of(spec->name));
      command->index = static_cast<uint16_t>(all_.size());
      derive_plain_keys(*command);
      if (words_of(spec->name) == 1) add(spec->name, command.get(), true);
      all_.push_back(std::move(command));
    }
  }
  for (const auto& command : all_) {
    const size_t space = command->spec->name.find(' ');
    if (space == std::string_view::npos) continue;
    Command* container = lookup(command->spec->name.substr(0, space));
    ROX_ASSERT(container != nullptr);  // a family declares the container beside its subcommands
    command->container = container;
    container->subcommands.push_back(command.get());
  }
}

void CommandTable::add(std::string_view name, Command* command, bool is_declared) {
  ROX_ASSERT(lookup(name) == nullptr);
  if (++names_ * 2 > cells_.size()) grow();
  const Folded folded = fold(name);
  size_t at = folded.hash & (cells_.size() - 1);
  while (cells_[at].command != nullptr) at = (at + 1) & (cells_.size() - 1);
  cells_[at] = {folded.first, folded.last, name, command, is_short_word(name), is_declared, false};
}

void CommandTable::grow() {
  std::vector<Cell> cells(cells_.size() * 2);
  for (const Cell& cell : cells_) {
    if (cell.command == nullptr) continue;
    size_t at = fold(cell.name).hash & (cells.size() - 1);
    while (cells[at].command != nullptr) at = (at + 1) & (cells.size() - 1);
    cells[at] = cell;
  }
  cells_ = std::move(cells);
}

template <class Accept>
Command* CommandTable::lookup(std::string_view name, Accept accept) const {
  const Folded folded = fold(name);
  for (size_t at = folded.hash & (cells_.size() - 1);; at = (at + 1) & (cells_.size() - 1)) {
    const Cell& cell = cells_[at];
    if (cell.command == nullptr) return nullptr;
    if (cell.first != folded.first || cell.last != folded.last || cell.name.size() != name.size()) {
      continue;
    }
    // Outside the letters the dropped bit tells characters apart.
    if ((cell.is_short_word || equal_ignore_case(cell.name, name)) && accept(cell)) {
      return cell.command;
    }
  }
}

Command* CommandTable::lookup(std::string_view name) const {
  return lookup(name, [](const Cell& cell) { return !cell.hidden; });
}

Command* CommandTable::lookup_declared(std::string_view name) const {
  Command* const command = lookup(name, [](const Cell& cell) { return cell.is_declared; });
  return command != nullptr ? command : lookup(name);
}

namespace {

// The subcommand that the second argument names, or the container itself.
Command* subcommand_of(Command* command, std::span<const std::string_view> args) {
  if (command == nullptr || command->subcommands.empty() || args.size() < 2) return command;
  for (Command* subcommand : command->subcommands) {
    const std::string_view name = subcommand->spec->name;
    if (equal_ignore_case(name.substr(name.find(' ') + 1), args[1])) return subcommand;
  }
  return command;
}

}  // namespace

Command* CommandTable::find(std::span<const std::string_view> args) const {
  return subcommand_of(lookup(args[0]), args);
}

Command* CommandTable::find_declared(std::span<const std::string_view> args) const {
  return subcommand_of(lookup_declared(args[0]), args);
}

Command* CommandTable::find_name(std::string_view name) const {
  const size_t border = name.find_first_of("| ");
  if (border == std::string_view::npos) return lookup(name);
  const std::string_view words[] = {name.substr(0, border), name.substr(border + 1)};
  Command* command = find(words);
  return command != nullptr && command->container != nullptr ? command : nullptr;
}

bool CommandTable::rename(std::string_view from, std::string_view to) {
  Command* command = lookup(from);
  if (command == nullptr || (!to.empty() && lookup(to) != nullptr)) return false;
  for (Cell& cell : cells_) {
    if (cell.command == command && equal_ignore_case(cell.name, from)) cell.hidden = true;
  }
  command->is_renamed = true;
  for (Command* subcommand : command->subcommands) subcommand->is_renamed = true;
  if (!to.empty()) {
    renamed_.push_back(std::make_unique<std::string>(to));
    add(*renamed_.back(), command, false);
  }
  return true;
}

bool CommandTable::keys_of(const Command& command, std::span<const std::string_view> args,
                           std::vector<KeyAt>& keys) {
  const Keys& declared = command.spec->keys;
  for (size_t i = 0; i < declared.count; ++i) {
    if (declared.specs[i].not_key || declared.specs[i].varies) continue;
    if (!add_keys(declared.specs[i], args, keys)) return false;
  }
  if (command.spec->find_keys != nullptr) command.spec->find_keys(args, keys);
  return true;
}

std::vector<std::string_view> flag_names(const Command& command) {
  static constexpr std::pair<Flags, std::string_view> kNames[] = {
      {kWrite, "write"},
      {kReadOnly, "readonly"},
      {kDenyOom, "denyoom"},
      {kAdmin, "admin"},
      {kPubSub, "pubsub"},
      {kNoScript, "noscript"},
      {kBlocking, "blocking"},
      {kLoading, "loading"},
      {kStale, "stale"},
      {kSkipMonitor, "skip_monitor"},
      {kSkipSlowlog, "skip_slowlog"},
      {kAsking, "asking"},
      {kFast, "fast"},
      {kNoAuth, "no_auth"},
      {kNoAsyncLoading, "no_async_loading"},
      {kNoMulti, "no_multi"},
      {kNoMandatoryKeys, "no_mandatory_keys"},
      {kAllowBusy, "allow_busy"},
  };
  std::vector<std::string_view> names;
  for (const auto& [flag, name] : kNames) {
    if ((command.spec->flags & flag) != 0) names.push_back(name);
  }
  const Keys& keys = command.spec->keys;
  for (size_t i = 0; i < keys.count; ++i) {
    const KeySpec& spec = keys.specs[i];
    if (spec.begin == KeySpec::Begin::kUnknown || spec.begin == KeySpec::Begin::kKeyword ||
        spec.find == KeySpec::Find::kCount) {
      names.push_back("movablekeys");
      break;
    }
  }
  return names;
}

std::vector<std::string> category_names(const Command& command) {
  const CommandSpec& spec = *command.spec;
  std::vector<std::string> names;
  if ((spec.flags & kWrite) != 0) names.push_back("@write");
  if ((spec.flags & kReadOnly) != 0 && !(spec.acl & kCategoryNotRead)) names.push_back("@read");
  if ((spec.flags & kAdmin) != 0 || (spec.acl & kCategoryAdmin) != 0) names.push_back("@admin");
  if ((spec.flags & kAdmin) != 0 || (spec.acl & kCategoryDangerous) != 0) {
    names.push_back("@dangerous");
  }
  if ((spec.flags & kPubSub) != 0) names.push_back("@pubsub");
  names.push_back((spec.flags & kFast) != 0 ? "@fast" : "@slow");
  if ((spec.flags & kBlocking) != 0) names.push_back("@blocking");
  if ((spec.acl & kCategoryKeyspace) != 0) names.push_back("@keyspace");
  if ((spec.acl & kCategoryConnection) != 0) names.push_back("@connection");
  if ((spec.acl & kCategorySortable) != 0) {
    names.insert(names.end(), {"@list", "@set", "@sortedset"});
  }
  // Families whose group is a category of its own.
  static constexpr std::pair<std::string_view, std::string_view> kGroups[] = {
      {"string", "@string"},
      {"list", "@list"},
      {"set", "@set"},
      {"zset", "@sortedset"},
      {"hash", "@hash"},
      {"stream", "@stream"},
      {"bitmap", "@bitmap"},
      {"hll", "@hyperloglog"},
      {"geo", "@geo"},
      {"scripting", "@scripting"},
      {"transactions", "@transaction"}};
  for (const auto& [group, name] : kGroups) {
    // A container does nothing itself: to Redis it is in no group.
    if (spec.handler != nullptr && command.family->group == group) names.emplace_back(name);
  }
  return names;
}

}  // namespace roxdb::engine
