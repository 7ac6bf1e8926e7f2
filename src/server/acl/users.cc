#include "server/acl/users.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace roxdb::server {
namespace {

constexpr std::string_view kBlanks(" \t\n\v\f\r", 6);

// The words of a line that stand between spaces; other blanks at its ends are no part of it.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  const size_t last = line.find_last_not_of(kBlanks);
  line = line.substr(0, last == std::string_view::npos ? 0 : last + 1);
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    if (end > 0) words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

}  // namespace

Users::Users(const Vocabulary& vocabulary) : vocabulary_(&vocabulary) {
  by_name_.emplace(kDefaultUser, usual_default());
}

std::unique_ptr<User> Users::fresh(std::string_view name) const {
  return std::make_unique<User>(name, *vocabulary_, new_users_hear_all);
}

std::unique_ptr<User> Users::usual_default() const {
  auto user = fresh(kDefaultUser);
  for (const std::string_view rule : {"allcommands", "allkeys", "allchannels", "on", "nopass"}) {
    ROX_ASSERT(user->apply(rule).ok());
  }
  return user;
}

User* Users::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found != by_name_.end() ? found->second.get() : nullptr;
}

User& Users::find_or_create(std::string_view name) {
  if (User* const user = find(name)) return *user;
  return *by_name_.emplace(name, fresh(name)).first->second;
}

bool Users::is_name(std::string_view name) {
  // Control characters would reach the terminal of whoever looks at CLIENT LIST (reliability S11).
  const auto is_unfit = [](char c) {
    return (static_cast<unsigned char>(c) <= ' ') || c == '\x7f';
  };
  return !name.empty() && std::none_of(name.begin(), name.end(), is_unfit);
}

bool Users::define(std::string_view name, std::span<const std::string_view> words,
                   std::string& why) {
  std::vector<std::string> rules;
  std::string_view opened;
  if (!join_selectors(words, rules, opened)) {
    why = fmt::format("Unmatched parenthesis in acl selector starting at '{}'", opened);
    return false;
  }
  User user = *fresh(name);
  for (const std::string& rule : rules) {
    if (const Status status = user.apply(rule); !status.ok()) {
      // Other rules than those on commands may hold a password.
      const bool is_on_commands = rule.starts_with('+') || rule.starts_with('-');
      why = is_on_commands ? fmt::format("Error in applying operation '{}': {}", rule, status.text)
                           : std::string(status.text);
      return false;
    }
  }
  const auto place = by_name_.find(name);
  if (place == by_name_.end()) {
    by_name_.emplace(name, std::make_unique<User>(std::move(user)));
  } else {
    *place->second = std::move(user);
  }
  return true;
}

std::string Users::text() const {
  std::string text;
  for_each([&](const User& user) {
    fmt::format_to(std::back_inserter(text), "user {} {}\n", user.name(), user.text());
  });
  return text;
}

void Users::read_line(std::string_view line, const std::string& place, size_t number,
                      std::string& why) {
  const std::vector<std::string_view> words = words_of(line);
  const auto complain = [&](std::string_view complaint) {
    why += complaint;
    why += ". ";
  };
  if (words.empty()) return;
  if (words[0] != "user" || words.size() < 2) {
    return complain(
        fmt::format("{} should start with user keyword followed by the username", place));
  }
  const std::string_view name = words[1];
  if (!is_name(name)) {
    return complain(fmt::format("'{}: username '{}' contains invalid characters", place, name));
  }
  if (find(name) != nullptr) {
    return complain(fmt::format("WARNING: Duplicate user '{}' found on line {}", name, number));
  }
  std::string reason;
  if (!define(name, std::span(words).subspan(2), reason)) {
    complain(fmt::format("{}: {}", place, reason));
  }
}

bool Users::load(std::string_view text, std::string_view origin, std::string& why,
                 const std::function<void(User&)>& leaving) {
  Users read(*vocabulary_);
  read.new_users_hear_all = new_users_hear_all;
  const std::unique_ptr<User> usual = std::move(read.by_name_.begin()->second);
  read.by_name_.clear();
  why.clear();
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    read.read_line(text.substr(0, end), fmt::format("{}:{}", origin, number), number, why);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!why.empty()) {
    why +=
        "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
    return false;
  }
  if (read.find(kDefaultUser) == nullptr) {
    read.by_name_.emplace(kDefaultUser, std::make_unique<User>(*usual));
  }
  std::erase_if(by_name_, [&](const auto& entry) {
    if (read.find(entry.first) != nullptr) return false;
    leaving(*entry.second);
    return true;
  });
  for (auto& [name, user] : read.by_name_) {
    if (User* const here = find(name)) {
      *here = std::move(*user);
    } else {
      by_name_.emplace(name, std::move(user));
    }
  }
  return true;
}

}  // namespace roxdb::server
