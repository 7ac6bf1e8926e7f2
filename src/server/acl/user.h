// user.h: one user of ACL: how he proves who he is, and what he may do.
//
//   on off nopass >password <password #hash !hash resetpass sanitize-payload skip-sanitize-payload
//   (rule ...) clearselectors reset    and the rules of his own selector (selector.h)
//
// Passwords are kept as their SHA-256 and compared in a time that does not tell which of them, or
// how much of one, was right (reliability S3).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/sha256.h"
#include "base/status.h"
#include "server/acl/selector.h"

namespace roxdb::server {

// What a rule (...) that comes in several words is one rule again; `why` is the word that opens one
// which nothing closes.
bool join_selectors(std::span<const std::string_view> words, std::vector<std::string>& rules,
                    std::string_view& why);

class User {
 public:
  // Off, without rights and without a password. `any_channel`: acl-pubsub-default.
  User(std::string_view user_name, const Vocabulary& vocabulary, bool any_channel);

  const std::string& name() const { return name_; }
  bool is_on() const { return is_on_; }
  bool needs_password() const { return needs_password_; }

  // Nothing has changed when it fails; the text says why, in Redis's words.
  Status apply(std::string_view rule);
  // What the rule "reset" makes of the channels: all of them, or none.
  void hears_all_after_reset(bool all) { any_channel_ = all; }
  bool has_password(std::string_view password) const;
  Decision check(AclRequest& request) const;
  // Whether he may do everything; found once, when a rule is applied.
  bool is_unlimited() const { return is_unlimited_; }
  bool allows_channel(std::string_view channel, bool is_pattern) const;

  // Rules that give the same user again: a line of ACL LIST without "user <name> ".
  std::string text() const;
  std::vector<std::string_view> flag_names() const;
  std::vector<std::string> password_hashes() const;  // hexadecimal
  const Selector& root() const { return selectors_.front(); }
  std::span<const Selector> other_selectors() const { return std::span(selectors_).subspan(1); }

 private:
  enum class Payloads : uint8_t { kUnsaid, kChecked, kTrusted };

  Status apply_rule(std::string_view rule);
  Status apply_to_password(char kind, std::string_view text);
  Status add_selector(std::string_view rules);
  void reset();

  std::string name_;
  const Vocabulary* vocabulary_;
  bool any_channel_;
  bool is_on_ = false;
  bool needs_password_ = true;
  bool is_unlimited_ = false;
  bool has_unlimited_selector_ = false;  // besides his own
  Payloads payloads_ = Payloads::kUnsaid;
  std::vector<Sha256> passwords_;
  std::vector<Selector> selectors_;  // the first is his own
};

}  // namespace roxdb::server
