#include "server/acl/selector.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>

#include "base/glob.h"
#include "base/limits.h"
#include "base/numbers.h"
#include "base/text.h"

namespace roxdb::server {
namespace {

constexpr Status kSyntax = user_error("Syntax error");
constexpr Status kUnknown = user_error("Unknown command or category name in ACL");
constexpr Status kFirstOfSubcommand =
    user_error("Allowing first-arg of a subcommand is not supported");
constexpr Status kAfterAllKeys = user_error(
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have "
    "any effect. Try 'resetkeys' to start with an empty list of patterns");
constexpr Status kAfterAllChannels = user_error(
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not "
    "have any effect. Try 'resetchannels' to start with an empty list of channels");
constexpr Status kNoDatabase = user_error("The provided database ID is out of range");

// Blanks separate rules, so no rule can hold one.
bool has_blank(std::string_view text) {
  constexpr std::string_view kBlanks(" \t\n\v\f\r\0", 7);
  return text.find_first_of(kBlanks) != std::string_view::npos;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

// ---- a request ----

bool AclRequest::find_keys() {
  if (sought_ == Keys::kNotSought) {
    room_.keys.clear();
    const bool found = engine::CommandTable::keys_of(command, args, room_.keys);
    sought_ = found ? Keys::kFound : Keys::kUnknown;
  }
  return sought_ == Keys::kFound;
}

const std::vector<int>& AclRequest::databases() {
  if (!has_databases_) {
    room_.databases.clear();
    if (command.spec->find_databases != nullptr) {
      command.spec->find_databases(args, room_.databases);
    }
  }
  has_databases_ = true;
  return room_.databases;
}

// ---- rules ----

Selector::Selector(const Vocabulary& vocabulary)
    : vocabulary_(&vocabulary), commands_(vocabulary.size()) {}

Status Selector::apply(std::string_view rule) {
  const auto is = [rule](std::string_view word) { return equal_ignore_case(rule, word); };
  if (is("allkeys") || rule == "~*") {
    all_keys_ = true;
    keys_.clear();
  } else if (is("resetkeys")) {
    all_keys_ = false;
    keys_.clear();
  } else if (is("allchannels") || rule == "&*") {
    all_channels_ = true;
    channels_.clear();
  } else if (is("resetchannels")) {
    all_channels_ = false;
    channels_.clear();
  } else if (is("allcommands") || is("+@all")) {
    allow_all(true);
  } else if (is("nocommands") || is("-@all")) {
    allow_all(false);
  } else if (is("alldbs")) {
    all_databases_ = true;
    databases_.clear();
  } else if (is("resetdbs")) {
    all_databases_ = false;
    databases_.clear();
  } else if (equal_ignore_case(rule.substr(0, 3), "db=")) {
    return set_databases(rule.substr(3));
  } else if (rule.starts_with('~') || rule.starts_with('%')) {
    return add_key_pattern(rule);
  } else if (rule.starts_with('&')) {
    return add_channel(rule.substr(1));
  } else if (rule.starts_with('+') || rule.starts_with('-')) {
    return apply_to_commands(rule.substr(1), rule[0] == '+');
  } else {
    return kSyntax;
  }
  return kOk;
}

Status Selector::apply_to_commands(std::string_view rule, bool allows) {
  if (rule.starts_with('@')) return apply_to_category(rule.substr(1), allows);
  if (const engine::Command* command = vocabulary_->find(rule); command != nullptr) {
    allow(*command, allows);
    remember(rule, allows);
    return kOk;
  }
  if (Vocabulary::is_elsewhere(rule) && !has_blank(rule)) {
    remember(rule, allows);
    return kOk;
  }
  const size_t border = rule.rfind('|');
  if (!allows || border == std::string_view::npos) return kUnknown;
  return add_first_argument(rule.substr(0, border), rule.substr(border + 1));
}

Status Selector::apply_to_category(std::string_view name, bool allows) {
  const CommandSet* category = vocabulary_->category(name);
  if (category == nullptr) return kUnknown;
  // A container stands before its subcommands and takes them along, whatever they are in.
  for (size_t i = 0; i < vocabulary_->size(); ++i) {
    const engine::Command& command = vocabulary_->at(i);
    if (command.container == nullptr && category->has(i)) allow(command, allows);
  }
  for (size_t i = 0; i < vocabulary_->size(); ++i) {
    const engine::Command& command = vocabulary_->at(i);
    if (command.container != nullptr && category->has(i)) allow(command, allows);
  }
  remember("@" + std::string(name), allows);
  return kOk;
}

Status Selector::add_first_argument(std::string_view name, std::string_view word) {
  const engine::Command* command = vocabulary_->find(name);
  if (command == nullptr) return kUnknown;
  if (command->container != nullptr) return kFirstOfSubcommand;
  if (word.empty() || has_blank(word)) return kSyntax;
  if (!command->subcommands.empty()) return kUnknown;
  const std::string lower = lower_case(word);
  const auto same = [&](const FirstArgument& one) {
    return one.command == command->index && one.word == lower;
  };
  if (std::none_of(first_arguments_.begin(), first_arguments_.end(), same)) {
    first_arguments_.push_back({command->index, lower});
  }
  remember(command->full_name + "|" + lower, true);
  return kOk;
}

void Selector::allow(const engine::Command& command, bool allows) {
  commands_.set(command.index, allows);
  std::erase_if(first_arguments_,
                [&](const FirstArgument& one) { return one.command == command.index; });
  for (const engine::Command* subcommand : command.subcommands) {
    commands_.set(subcommand->index, allows);
  }
}

void Selector::allow_all(bool allows) {
  commands_.set_all(allows);
  all_commands_at_first_ = allows;
  first_arguments_.clear();
  rules_.clear();
}

// Takes back what the new rule overrules: the same name, and what is under it.
void Selector::remember(std::string_view name, bool allows) {
  const std::string lower = lower_case(name);
  std::erase_if(rules_, [&](std::string_view rule) {
    rule.remove_prefix(1);
    return rule.starts_with(lower) && (rule.size() == lower.size() || rule[lower.size()] == '|');
  });
  rules_.push_back((allows ? "+" : "-") + lower);
}

Status Selector::add_key_pattern(std::string_view rule) {
  bool reads = true;
  bool writes = true;
  const bool names_rights = take(rule, '%');
  if (names_rights) {
    reads = writes = false;
    while (!rule.empty() && rule[0] != '~') {
      bool& right = to_upper(rule[0]) == 'R' ? reads : writes;
      if ((to_upper(rule[0]) != 'R' && to_upper(rule[0]) != 'W') || right) return kSyntax;
      right = true;
      rule.remove_prefix(1);
    }
    if (!reads && !writes) return kSyntax;
  }
  // Behind rights the pattern may be left out: "%RW" gives them to no key, as "%RW~" does.
  if (!(names_rights && rule.empty()) && !take(rule, '~')) return kSyntax;
  if (has_blank(rule) || rule.size() > kPatternBytesMax) return kSyntax;
  if (all_keys_) return kAfterAllKeys;
  const auto same = std::find_if(keys_.begin(), keys_.end(),
                                 [&](const KeyPattern& one) { return one.text == rule; });
  if (same != keys_.end()) {
    same->reads = same->reads || reads;
    same->writes = same->writes || writes;
  } else {
    keys_.push_back({std::string(rule), Glob(rule), reads, writes});
  }
  return kOk;
}

Status Selector::add_channel(std::string_view pattern) {
  if (has_blank(pattern) || pattern.size() > kPatternBytesMax) return kSyntax;
  if (all_channels_) return kAfterAllChannels;
  const bool is_known = std::any_of(channels_.begin(), channels_.end(),
                                    [&](const ChannelPattern& one) { return one.text == pattern; });
  if (!is_known) channels_.push_back({std::string(pattern), Glob(pattern)});
  return kOk;
}

Status Selector::set_databases(std::string_view numbers) {
  std::vector<int> databases;
  while (true) {
    const size_t end = numbers.find(',');
    const auto db = parse_int64(numbers.substr(0, end));
    if (!db) return kSyntax;
    if (*db < 0 || *db > INT_MAX) return kNoDatabase;
    if (std::find(databases.begin(), databases.end(), *db) == databases.end()) {
      databases.push_back(static_cast<int>(*db));
    }
    if (end == std::string_view::npos) break;
    numbers.remove_prefix(end + 1);
  }
  all_databases_ = false;
  databases_ = std::move(databases);
  return kOk;
}

// ---- decisions ----

bool Selector::is_unlimited() const {
  return all_keys_ && all_channels_ && all_databases_ && commands_.has_all();
}

Decision Selector::check(AclRequest& request) const {
  const engine::CommandSpec& spec = *request.command.spec;
  if (!all_databases_) {
    if (const Decision dbs = check_databases(request); !dbs.allowed()) return dbs;
  }
  if (!commands_.has(request.command.index) && !allows_first_argument(request)) {
    return {.denied = Denied::kCommand};
  }
  if (!all_keys_ && spec.keys.count > 0) {
    if (const Decision keys = check_keys(request); !keys.allowed()) return keys;
  }
  if (all_channels_ || spec.channels == engine::ChannelsAt::kNowhere) return {};
  return check_channels(request);
}

bool Selector::allows_first_argument(const AclRequest& request) const {
  const engine::Command& command = request.command;
  if ((command.spec->flags & engine::kNoAuth) != 0) return true;
  return request.args.size() > 1 &&
         std::any_of(
             first_arguments_.begin(), first_arguments_.end(), [&](const FirstArgument& one) {
               return one.command == command.index && equal_ignore_case(one.word, request.args[1]);
             });
}

Decision Selector::check_keys(AclRequest& request) const {
  if (!request.find_keys()) return {.denied = Denied::kKey};
  for (const engine::KeyAt& key : request.keys()) {
    const bool writes = key.access != engine::KeyAccess::kReadOnly;
    const bool reads = !key.unread && (key.access == engine::KeyAccess::kReadOnly ||
                                       key.access == engine::KeyAccess::kReadWrite);
    const bool allowed =
        key.pattern ? allows_reading_any_key() : allows_key(request.args[key.arg], reads, writes);
    if (allowed) continue;
    return {
        .denied = Denied::kKey, .by_pattern = key.pattern, .arg = static_cast<uint32_t>(key.arg)};
  }
  return {};
}

bool Selector::allows_key(std::string_view key, bool reads, bool writes) const {
  return std::any_of(keys_.begin(), keys_.end(), [&](const KeyPattern& pattern) {
    return pattern.reads >= reads && pattern.writes >= writes && pattern.glob.matches(key);
  });
}

bool Selector::allows_reading_any_key() const {
  return all_keys_ || std::any_of(keys_.begin(), keys_.end(), [](const KeyPattern& pattern) {
           return pattern.reads && pattern.text == "*";
         });
}

Decision Selector::check_channels(const AclRequest& request) const {
  using engine::ChannelsAt;
  const ChannelsAt where = request.command.spec->channels;
  const size_t end =
      where == ChannelsAt::kFirst ? std::min<size_t>(2, request.args.size()) : request.args.size();
  for (uint32_t i = 1; i < end; ++i) {
    if (!allows_channel(request.args[i], where == ChannelsAt::kAllPatterns)) {
      return {.denied = Denied::kChannel, .arg = i};
    }
  }
  return {};
}

bool Selector::allows_channel(std::string_view channel, bool is_pattern) const {
  return all_channels_ || std::any_of(channels_.begin(), channels_.end(), [&](const auto& allowed) {
           return is_pattern ? allowed.text == channel : allowed.glob.matches(channel);
         });
}

bool Selector::allows_database(int db) const {
  return all_databases_ || std::find(databases_.begin(), databases_.end(), db) != databases_.end();
}

Decision Selector::check_databases(AclRequest& request) const {
  const engine::CommandSpec& spec = *request.command.spec;
  const std::span keys(spec.keys.specs.data(), spec.keys.count);
  const bool names_keys = std::any_of(keys.begin(), keys.end(),
                                      [](const engine::KeySpec& key) { return !key.not_key; });
  const bool uses_own = (spec.flags & (engine::kWrite | engine::kReadOnly)) != 0 || names_keys;
  if (uses_own && request.db >= 0 && !allows_database(request.db)) {
    return {.denied = Denied::kDatabase, .db = request.db};
  }
  for (const int db : request.databases()) {
    if (!allows_database(db)) return {.denied = Denied::kDatabase, .db = db};
  }
  return {};
}

// ---- texts ----

std::string Selector::commands_text() const {
  std::string text = all_commands_at_first_ ? "+@all" : "-@all";
  for (const std::string& rule : rules_) text += " " + rule;
  return text;
}

std::string Selector::keys_text() const {
  if (all_keys_) return "~*";
  std::string text;
  for (const KeyPattern& pattern : keys_) {
    const std::string_view rights = !pattern.writes ? "%R" : !pattern.reads ? "%W" : "";
    fmt::format_to(std::back_inserter(text), "{}{}~{}", text.empty() ? "" : " ", rights,
                   pattern.text);
  }
  return text;
}

std::string Selector::channels_text() const {
  if (all_channels_) return "&*";
  std::string text;
  for (const ChannelPattern& pattern : channels_) {
    fmt::format_to(std::back_inserter(text), "{}&{}", text.empty() ? "" : " ", pattern.text);
  }
  return text;
}

std::string Selector::databases_text() const {
  if (all_databases_) return "alldbs";
  return databases_.empty() ? "resetdbs" : fmt::format("db={}", fmt::join(databases_, ","));
}

std::string Selector::text() const {
  std::string text = keys_text();
  const auto add = [&text](std::string_view more) {
    if (!text.empty() && !more.empty()) text += ' ';
    text += more;
  };
  if (!all_channels_) add("resetchannels");
  add(channels_text());
  if (!all_databases_) add(databases_text());
  add(commands_text());
  return text;
}

}  // namespace roxdb::server
