// users.h: all users by name, and the text that they are written down as: a line
// "user <name> <rule>..." each, the words of which stand between blanks and are not quoted. The
// file of `aclfile` is such a text, as Redis writes and reads it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "server/acl/user.h"

namespace roxdb::server {

inline constexpr std::string_view kDefaultUser = "default";

class Users {
 public:
  // There is one user, "default", who is let in without a password and may do everything.
  explicit Users(const Vocabulary& vocabulary);
  Users(Users&&) = default;
  Users& operator=(Users&&) = default;

  // Users stay where they are until they are erased; the default user stays for ever.
  User& default_user() const { return *by_name_.find(kDefaultUser)->second; }
  User* find(std::string_view name) const;
  User& find_or_create(std::string_view name);
  void erase(const User& user) { by_name_.erase(user.name()); }
  size_t size() const { return by_name_.size(); }
  template <class Visit>
  void for_each(Visit visit) const {  // by name
    for (const auto& [name, user] : by_name_) visit(*user);
  }

  // Adds a user who is not there, or makes the default one anew, by these rules. False: `why`, in
  // Redis's words, begins with a rule that is wrong.
  bool define(std::string_view name, std::span<const std::string_view> rules, std::string& why);
  static bool is_name(std::string_view name);

  std::string text() const;
  // All users are those of the text; the default one is the usual one when it does not say
  // otherwise. False: nothing has changed, and `why` tells of each wrong line, named "<origin>:5".
  // `leaving` is called for each user who was there and is not any more, before he goes.
  bool load(std::string_view text, std::string_view origin, std::string& why,
            const std::function<void(User&)>& leaving);

  bool new_users_hear_all = false;  // acl-pubsub-default allchannels

 private:
  std::unique_ptr<User> fresh(std::string_view name) const;
  std::unique_ptr<User> usual_default() const;
  void read_line(std::string_view line, const std::string& place, size_t number, std::string& why);

  const Vocabulary* vocabulary_;
  std::map<std::string, std::unique_ptr<User>, std::less<>> by_name_;
};

}  // namespace roxdb::server
