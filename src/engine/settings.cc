#include "engine/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/assert.h"
#include "base/glob.h"
#include "base/numbers.h"
#include "base/text.h"
#include "resp/inline_split.h"

namespace roxdb::engine {
namespace {

using Words = std::span<const std::string>;

// Like CONFIG SET: empty words between two blanks are no words.
std::vector<std::string> split_at_blanks(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// ---- one value: text -> checked value, with the error texts of Redis ----

std::optional<bool> read_bool(std::string_view word, std::string& why) {
  const std::string text = lower_case(word);
  if (text == "yes") return true;
  if (text == "no") return false;
  why = "argument must be 'yes' or 'no'";
  return std::nullopt;
}

template <class Number>
bool in_range(Number value, Number low, Number high, std::string& why) {
  if (value >= low && value <= high) return true;
  why = fmt::format("argument must be between {} and {} inclusive", low, high);
  return false;
}

std::optional<int64_t> read_integer(std::string_view word, int64_t low, int64_t high,
                                    std::string& why) {
  const std::optional<int64_t> value = parse_int64(word);
  if (!value) {
    why = "argument couldn't be parsed into an integer";
    return std::nullopt;
  }
  if (!in_range(*value, low, high, why)) return std::nullopt;
  return value;
}

std::optional<uint64_t> read_memory(std::string_view word, uint64_t low, uint64_t high,
                                    std::string& why) {
  const std::optional<uint64_t> value = parse_memory_size(word);
  if (!value) {
    why = "argument must be a memory value";
    return std::nullopt;
  }
  if (!in_range(*value, low, high, why)) return std::nullopt;
  return value;
}

std::optional<int> read_choice(std::string_view word, std::span<const std::string> names,
                               std::string& why) {
  const std::string text = lower_case(word);
  for (size_t index = 0; index < names.size(); ++index) {
    if (names[index] == text) return static_cast<int>(index);
  }
  why = fmt::format("argument(s) must be one of the following: {}", fmt::join(names, ", "));
  return std::nullopt;
}

bool is_octal(std::string_view word) {
  return !word.empty() && word.size() <= 4 &&
         word.find_first_not_of("01234567") == std::string_view::npos;
}

// The text an accepted setting keeps for a value; nullopt: refused.
std::optional<std::string> read_accepted(const Settings::Accepts& accepts, std::string_view word,
                                         std::string& why) {
  using Kind = Settings::Accepts::Kind;
  const auto low = static_cast<uint64_t>(accepts.low);
  const auto high = static_cast<uint64_t>(accepts.high);
  switch (accepts.kind) {
    case Kind::kText:
      return std::string(word);
    case Kind::kBool: {
      const std::optional<bool> value = read_bool(word, why);
      if (!value) return std::nullopt;
      return *value ? "yes" : "no";
    }
    case Kind::kInteger: {
      const std::optional<int64_t> value = read_integer(word, accepts.low, accepts.high, why);
      if (!value) return std::nullopt;
      return std::to_string(*value);
    }
    case Kind::kMemory: {
      const std::optional<uint64_t> value = read_memory(word, low, high, why);
      if (!value) return std::nullopt;
      return std::to_string(*value);
    }
    case Kind::kOctal:
      if (is_octal(word)) return std::string(word);
      why = "argument couldn't be parsed as an octal number";
      return std::nullopt;
    case Kind::kChoice: {
      std::vector<std::string> names;
      for (std::string& name : split_at_blanks(accepts.choices)) {
        if (name.ends_with(',')) name.pop_back();
        names.push_back(std::move(name));
      }
      const std::optional<int> index = read_choice(word, names, why);
      if (!index) return std::nullopt;
      return names[static_cast<size_t>(*index)];
    }
  }
  return std::nullopt;
}

// Insertions, deletions and exchanges of single letters between two names (Levenshtein).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t exchanged = diagonal + (a[i - 1] != b[j - 1] ? 1 : 0);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, exchanged});
    }
  }
  return row[b.size()];
}

bool is_pattern(std::string_view text) { return text.find_first_of("*?[") != text.npos; }

}  // namespace

// ---- registration ----

Setting& Settings::add(Setting setting) {
  std::string key = lower_case(setting.name);
  if (const Registered* old = lookup(key)) {
    ROX_ASSERT((old->setting.flags & Setting::kAccepted) != 0);
    by_name_.erase(lower_case(old->setting.name));
  }
  return insert(std::move(key), std::move(setting));
}

// REQUIRES: no setting has this name.
Setting& Settings::insert(std::string key, Setting setting) {
  if (setting.default_text.empty()) setting.default_text = setting.get();
  if ((setting.flags & Setting::kMultiple) != 0) setting.flags |= Setting::kWords;
  auto registered = std::make_unique<Registered>(Registered{std::move(setting), {}, false});
  return by_name_.emplace(std::move(key), std::move(registered)).first->second->setting;
}

Setting& Settings::add_bool(std::string_view name, bool* value, uint8_t flags) {
  Setting setting;
  setting.name = name;
  setting.flags = flags;
  setting.get = [value] { return std::string(*value ? "yes" : "no"); };
  setting.set = [value](Words words, std::string& why) {
    const std::optional<bool> read = read_bool(words[0], why);
    if (read) *value = *read;
    return read.has_value();
  };
  return add(std::move(setting));
}

Setting& Settings::add_integer(std::string_view name, int64_t* value, int64_t low, int64_t high,
                               uint8_t flags) {
  Setting setting;
  setting.name = name;
  setting.flags = flags;
  setting.get = [value] { return std::to_string(*value); };
  setting.set = [value, low, high](Words words, std::string& why) {
    const std::optional<int64_t> read = read_integer(words[0], low, high, why);
    if (read) *value = *read;
    return read.has_value();
  };
  return add(std::move(setting));
}

Setting& Settings::add_memory(std::string_view name, uint64_t* value, uint64_t low, uint64_t high,
                              uint8_t flags) {
  Setting setting;
  setting.name = name;
  setting.flags = flags;
  setting.get = [value] { return std::to_string(*value); };
  setting.set = [value, low, high](Words words, std::string& why) {
    const std::optional<uint64_t> read = read_memory(words[0], low, high, why);
    if (read) *value = *read;
    return read.has_value();
  };
  return add(std::move(setting));
}

Setting& Settings::add_string(std::string_view name, std::string* value, uint8_t flags) {
  Setting setting;
  setting.name = name;
  setting.flags = flags;
  setting.get = [value] { return *value; };
  setting.set = [value](Words words, std::string&) {
    *value = words[0];
    return true;
  };
  return add(std::move(setting));
}

Setting& Settings::add_choice(std::string_view name, int* value, std::vector<std::string> names,
                              uint8_t flags) {
  ROX_ASSERT(*value >= 0 && static_cast<size_t>(*value) < names.size());
  Setting setting;
  setting.name = name;
  setting.flags = flags;
  setting.get = [value, names] { return names[static_cast<size_t>(*value)]; };
  setting.set = [value, names = std::move(names)](Words words, std::string& why) {
    const std::optional<int> read = read_choice(words[0], names, why);
    if (read) *value = *read;
    return read.has_value();
  };
  return add(std::move(setting));
}

void Settings::add_accepted(std::span<const Accepted> all) {
  std::set<std::string, std::less<>> older_names;
  for (const auto& [unused, registered] : by_name_) {
    const std::vector<std::string>& aliases = registered->setting.aliases;
    older_names.insert(aliases.begin(), aliases.end());
  }
  const auto is_known = [&](std::string_view name) {
    return by_name_.contains(name) || older_names.contains(name);
  };
  for (const Accepted& one : all) {
    if (is_known(one.name)) continue;
    Setting setting;
    setting.name = one.name;
    setting.flags = static_cast<uint8_t>(one.flags | Setting::kAccepted);
    setting.default_text = one.value;
    for (std::string& alias : split_at_blanks(one.aliases)) {
      if (is_known(alias)) continue;
      older_names.insert(alias);
      setting.aliases.push_back(std::move(alias));
    }
    // The closures are the only owners of the text: it lives as long as the setting.
    const auto value = std::make_shared<std::string>(one.value);
    setting.get = [value] { return *value; };
    setting.set = [value, accepts = one.accepts](Words words, std::string& why) {
      if (accepts.kind == Accepts::Kind::kText) {
        *value = fmt::format("{}", fmt::join(words, " "));
        return true;
      }
      const std::optional<std::string> read = read_accepted(accepts, words[0], why);
      if (read) *value = *read;
      return read.has_value();
    };
    insert(std::string(one.name), std::move(setting));
  }
}

// ---- looking up ----

Settings::Registered* Settings::lookup(std::string_view name) const {
  const std::string key = lower_case(name);
  if (const auto found = by_name_.find(key); found != by_name_.end()) return found->second.get();
  for (const auto& [unused, registered] : by_name_) {
    for (const std::string& alias : registered->setting.aliases) {
      if (alias == key) return registered.get();
    }
  }
  return nullptr;
}

const Setting* Settings::find(std::string_view name) const {
  const Registered* registered = lookup(name);
  return registered != nullptr ? &registered->setting : nullptr;
}

std::vector<std::pair<std::string, std::string>> Settings::match(
    std::span<const std::string_view> patterns) const {
  // Keyed by the name in lower case, shown as the client spelled it when it spelled it out.
  std::map<std::string, std::pair<std::string, std::string>> found;
  for (const std::string_view pattern : patterns) {
    if (!is_pattern(pattern)) {
      const Setting* setting = find(pattern);
      if (setting != nullptr && (setting->flags & Setting::kFileOnly) == 0) {
        found.try_emplace(lower_case(pattern), std::string(pattern), setting->get());
      }
      continue;
    }
    const Glob glob(pattern, true);
    for_each([&](const Setting& setting) {
      if ((setting.flags & (Setting::kHidden | Setting::kFileOnly)) != 0) return;
      if (glob.matches(setting.name)) {
        found.try_emplace(lower_case(setting.name), setting.name, setting.get());
      }
      for (const std::string& alias : setting.aliases) {
        if (glob.matches(alias)) found.try_emplace(alias, alias, setting.get());
      }
    });
  }
  std::vector<std::pair<std::string, std::string>> out;
  for (auto& [unused, shown] : found) out.push_back(std::move(shown));
  return out;
}

void Settings::for_each(const std::function<void(const Setting&)>& visit) const {
  for (const auto& [unused, registered] : by_name_) visit(registered->setting);
}

std::string Settings::nearest(std::string_view name) const {
  const std::string wanted = lower_case(name);
  std::string best;
  size_t best_distance = wanted.size() / 4 + 2;  // further away it is no misspelling
  const auto consider = [&](const std::string& candidate) {
    if (const size_t steps = distance(wanted, candidate); steps < best_distance) {
      best = candidate;
      best_distance = steps;
    }
  };
  for_each([&](const Setting& setting) {
    consider(setting.name);
    for (const std::string& alias : setting.aliases) consider(alias);
  });
  return best;
}

// ---- setting ----

bool Settings::assign(Setting& setting, std::vector<std::string> words, std::string& why) {
  if ((setting.flags & Setting::kWords) != 0) {
    if (words.size() == 1 && words[0].empty()) words.clear();
  } else if (words.size() != 1) {
    why = "wrong number of arguments";
    return false;
  }
  return setting.set(words, why);
}

bool Settings::load(std::string_view name, std::span<const std::string> words, std::string& why) {
  Registered* registered = lookup(name);
  if (registered == nullptr) {
    why = "Bad directive or wrong number of arguments";
    return false;
  }
  Setting& setting = registered->setting;
  const bool multiple = (setting.flags & Setting::kMultiple) != 0;
  // An empty value takes back what the lines before it said.
  const bool clears = words.size() == 1 && words[0].empty();
  std::vector<std::string> all(words.begin(), words.end());
  // Several words may come as one: --shutdown-on-sigterm "nosave force".
  const bool splits = (setting.flags & (Setting::kWords | Setting::kFileOnly)) == Setting::kWords;
  if (splits && all.size() == 1 && !clears) all = split_at_blanks(all[0]);
  if (multiple && !clears) {
    all.insert(all.begin(), registered->loaded.begin(), registered->loaded.end());
  }
  if (!assign(setting, all, why)) return false;
  if (clears) all.clear();
  if (multiple) registered->loaded = std::move(all);
  registered->touched = true;
  return true;
}

bool Settings::finish_loading(std::string& why) {
  for (auto& [name, registered] : by_name_) {
    registered->loaded.clear();
    if (!std::exchange(registered->touched, false) || !registered->setting.apply) continue;
    if (std::string reason; !registered->setting.apply(reason)) {
      why = fmt::format("{}: {}", name, reason);
      return false;
    }
  }
  return true;
}

bool Settings::set(std::span<const std::pair<std::string_view, std::string_view>> pairs,
                   bool protected_allowed, std::string& why) {
  const auto failed = [&why](std::string_view name, std::string_view reason) {
    why =
        fmt::format("ERR CONFIG SET failed (possibly related to argument '{}') - {}", name, reason);
    return false;
  };

  struct Change {
    std::string_view name;
    Setting* setting;
    std::string old_value;
  };
  std::vector<Change> changes;
  for (const auto& [name, unused] : pairs) {
    Registered* registered = lookup(name);
    if (registered == nullptr || (registered->setting.flags & Setting::kFileOnly) != 0) {
      why = fmt::format("ERR Unknown option or number of arguments for CONFIG SET - '{}'", name);
      return false;
    }
    Setting& setting = registered->setting;
    if ((setting.flags & Setting::kImmutable) != 0)
      return failed(name, "can't set immutable config");
    if ((setting.flags & Setting::kProtected) != 0 && !protected_allowed) {
      return failed(name, "can't set protected config");
    }
    for (const Change& change : changes) {
      // As in Redis, the same setting may come again under an older name; the last one counts.
      if (lower_case(change.name) == lower_case(name)) return failed(name, "duplicate parameter");
    }
    changes.push_back({name, &setting, setting.get()});
  }

  const auto words_of = [](const Setting& setting, std::string_view value) {
    if ((setting.flags & Setting::kWords) != 0) return split_at_blanks(value);
    return std::vector<std::string>{std::string(value)};
  };
  // What get() said is always a value that set() takes back, and what was applied once can be
  // applied again; should the world have changed meanwhile, the error of the first failure counts.
  const auto undo = [&](size_t count, bool applied) {
    std::string ignored;
    for (size_t i = 0; i < count; ++i) {
      assign(*changes[i].setting, words_of(*changes[i].setting, changes[i].old_value), ignored);
    }
    for (size_t i = 0; applied && i < count; ++i) {
      if (changes[i].setting->apply) changes[i].setting->apply(ignored);
    }
  };

  std::string reason;
  for (size_t i = 0; i < changes.size(); ++i) {
    Setting& setting = *changes[i].setting;
    if (!assign(setting, words_of(setting, pairs[i].second), reason)) {
      undo(i, false);
      return failed(changes[i].name, reason);
    }
  }
  for (const Change& change : changes) {
    if (change.setting->apply && !change.setting->apply(reason)) {
      undo(changes.size(), true);
      return failed(change.name, reason);
    }
  }
  return true;
}

// ---- lines of the configuration file ----

std::vector<std::string> Settings::lines(const Setting& setting) {
  if (setting.rewrite) return setting.rewrite();
  const std::string value = setting.get();
  if ((setting.flags & Setting::kWords) == 0 || value.empty()) {
    return {fmt::format("{} {}", setting.name, quote_word(value))};
  }
  std::string line = setting.name;
  for (const std::string& word : split_at_blanks(value)) line += " " + quote_word(word);
  return {line};
}

bool split_words(std::string_view line, std::vector<std::string>& words) {
  resp::ArgVector args;
  if (!resp::split_inline(line, args)) return false;
  for (const std::string_view word : args.all()) words.emplace_back(word);
  return true;
}

std::string quote_word(std::string_view word) {
  const auto is_plain = [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\'' && c != '\\';
  };
  if (!word.empty() && word[0] != '#' && std::all_of(word.begin(), word.end(), is_plain)) {
    return std::string(word);
  }
  std::string out = "\"";
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
  return out;
}

}  // namespace roxdb::engine
