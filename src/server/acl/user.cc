#include "server/acl/user.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace roxdb::server {
namespace {

constexpr Status kSyntax = user_error("Syntax error");
constexpr Status kNoSuchPassword =
    user_error("The password you are trying to remove from the user does not exist");
constexpr Status kNoHash = user_error(
    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
    "characters");

std::string hexadecimal(const Sha256& hash) {
  std::string text;
  for (const uint8_t byte : hash) fmt::format_to(std::back_inserter(text), "{:02x}", byte);
  return text;
}

std::optional<Sha256> parse_hash(std::string_view text) {
  Sha256 hash;
  if (text.size() != hash.size() * 2) return std::nullopt;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) return std::nullopt;
    const auto digit = static_cast<uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    hash[i / 2] = static_cast<uint8_t>(i % 2 == 0 ? digit << 4 : hash[i / 2] | digit);
  }
  return hash;
}

}  // namespace

bool join_selectors(std::span<const std::string_view> words, std::vector<std::string>& rules,
                    std::string_view& why) {
  bool is_open = false;
  rules.reserve(words.size());  // or passwords would stay where they stood before it grew
  for (const std::string_view word : words) {
    if (is_open) {
      rules.back() += ' ';
      rules.back() += word;
    } else {
      rules.emplace_back(word);
      if (!word.starts_with('(')) continue;
      why = word;
    }
    is_open = !word.ends_with(')');
  }
  return !is_open;
}

User::User(std::string_view user_name, const Vocabulary& vocabulary, bool any_channel)
    : name_(user_name),
      vocabulary_(&vocabulary),
      any_channel_(any_channel),
      selectors_(1, Selector(vocabulary)) {
  if (any_channel_) static_cast<void>(apply("allchannels"));
}

// ---- rules ----

Status User::apply(std::string_view rule) {
  ROX_TRY(apply_rule(rule));
  is_unlimited_ = has_unlimited_selector_ || selectors_.front().is_unlimited();
  return kOk;
}

Status User::apply_rule(std::string_view rule) {
  const auto is = [rule](std::string_view word) { return equal_ignore_case(rule, word); };
  if (is("on") || is("off")) {
    is_on_ = is("on");
  } else if (is("nopass") || is("resetpass")) {
    needs_password_ = is("resetpass");
    passwords_.clear();
  } else if (is("sanitize-payload")) {
    payloads_ = Payloads::kChecked;
  } else if (is("skip-sanitize-payload")) {
    payloads_ = Payloads::kTrusted;
  } else if (is("clearselectors")) {
    selectors_.erase(selectors_.begin() + 1, selectors_.end());
    has_unlimited_selector_ = false;
  } else if (is("reset")) {
    reset();
  } else if (!rule.empty() && std::string_view("><#!").find(rule[0]) != std::string_view::npos) {
    return apply_to_password(rule[0], rule.substr(1));
  } else if (rule.size() >= 2 && rule.starts_with('(') && rule.ends_with(')')) {
    return add_selector(rule.substr(1, rule.size() - 2));
  } else {
    return selectors_.front().apply(rule);
  }
  return kOk;
}

Status User::apply_to_password(char kind, std::string_view text) {
  const bool is_hash = kind == '#' || kind == '!';
  const bool adds = kind == '>' || kind == '#';
  const std::optional<Sha256> hash = is_hash ? parse_hash(text) : sha256(text);
  if (!hash) return kNoHash;
  const auto found = std::find(passwords_.begin(), passwords_.end(), *hash);
  if (adds) {
    if (found == passwords_.end()) passwords_.push_back(*hash);
    needs_password_ = true;
    return kOk;
  }
  if (found == passwords_.end()) return kNoSuchPassword;
  passwords_.erase(found);
  return kOk;
}

// Words between blanks, each a rule of a selector; nothing nests, and what closed a selector in its
// text could not stand within.
Status User::add_selector(std::string_view rules) {
  Selector selector(*vocabulary_);
  while (!rules.empty()) {
    const size_t end = std::min(rules.find_first_of(" \t\n\v\f\r"), rules.size());
    const std::string_view rule = rules.substr(0, end);
    if (rule.ends_with(')')) return kSyntax;
    if (!rule.empty()) ROX_TRY(selector.apply(rule));
    rules.remove_prefix(std::min(end + 1, rules.size()));
  }
  has_unlimited_selector_ = has_unlimited_selector_ || selector.is_unlimited();
  selectors_.push_back(std::move(selector));
  return kOk;
}

void User::reset() {
  is_on_ = false;
  needs_password_ = true;
  passwords_.clear();
  payloads_ = Payloads::kChecked;
  selectors_.assign(1, Selector(*vocabulary_));
  has_unlimited_selector_ = false;
  if (any_channel_) static_cast<void>(selectors_.front().apply("allchannels"));
}

// ---- questions ----

bool User::has_password(std::string_view password) const {
  const Sha256 given = sha256(password);
  bool matches = !needs_password_;
  for (const Sha256& known : passwords_) matches |= equal_constant_time(given, known);
  return matches;
}

Decision User::check(AclRequest& request) const {
  Decision refused{.denied = Denied::kDatabase};
  bool is_first = true;
  for (const Selector& selector : selectors_) {
    const Decision decision = selector.check(request);
    if (decision.allowed()) return decision;
    if (is_first || decision.denied > refused.denied ||
        (decision.denied == refused.denied && decision.arg > refused.arg)) {
      refused = decision;
    }
    is_first = false;
  }
  return refused;
}

bool User::allows_channel(std::string_view channel, bool is_pattern) const {
  return std::any_of(selectors_.begin(), selectors_.end(), [&](const Selector& selector) {
    return selector.allows_channel(channel, is_pattern);
  });
}

std::vector<std::string_view> User::flag_names() const {
  std::vector<std::string_view> names = {is_on_ ? "on" : "off"};
  if (!needs_password_) names.emplace_back("nopass");
  if (payloads_ == Payloads::kTrusted) names.emplace_back("skip-sanitize-payload");
  if (payloads_ == Payloads::kChecked) names.emplace_back("sanitize-payload");
  return names;
}

std::vector<std::string> User::password_hashes() const {
  std::vector<std::string> hashes;
  for (const Sha256& hash : passwords_) hashes.push_back(hexadecimal(hash));
  return hashes;
}

std::string User::text() const {
  std::string text = fmt::format("{}", fmt::join(flag_names(), " "));
  for (const std::string& hash : password_hashes()) text += " #" + hash;
  text += " " + selectors_.front().text();
  for (const Selector& selector : other_selectors()) text += " (" + selector.text() + ")";
  return text;
}

}  // namespace roxdb::server
