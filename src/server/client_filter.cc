#include "server/client_filter.h"

#include <algorithm>
#include <array>

#include "base/numbers.h"
#include "base/text.h"
#include "server/acl.h"

namespace roxdb::server {
namespace {

constexpr std::string_view kKnownFlags = "NMSOPxbtRBudcAUrTeIE";
constexpr std::string_view kKnownCapabilities = "r";

// Nobody is a primary or a replica so far.
enum class ClientType : uint8_t { kNormal, kPrimary, kReplica, kPubSub };

std::optional<ClientType> parse_type(std::string_view word) {
  constexpr std::pair<std::string_view, ClientType> kTypes[] = {
      {"normal", ClientType::kNormal},   {"master", ClientType::kPrimary},
      {"primary", ClientType::kPrimary}, {"slave", ClientType::kReplica},
      {"replica", ClientType::kReplica}, {"pubsub", ClientType::kPubSub}};
  for (const auto& [name, type] : kTypes) {
    if (equal_ignore_case(word, name)) return type;
  }
  return std::nullopt;
}

// The words that options begin with, without their NOT-.
bool is_option_name(std::string_view word) {
  constexpr std::string_view kNames[] = {"ID",   "TYPE", "USER",     "ADDR",    "LADDR",
                                         "IP",   "NAME", "LIB-NAME", "LIB-VER", "FLAGS",
                                         "CAPA", "DB",   "SKIPME",   "MAXAGE",  "IDLE"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [&](std::string_view name) { return equal_ignore_case(word, name); });
}

bool take_not(std::string_view& word) {
  constexpr std::string_view kNot = "NOT-";
  if (!equal_ignore_case(word.substr(0, kNot.size()), kNot)) return false;
  word.remove_prefix(kNot.size());
  return true;
}

bool has_all(std::string_view letters, std::string_view wanted) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](char letter) { return letters.find(letter) != letters.npos; });
}

}  // namespace

struct ClientFilter::Option {
  std::string_view name;
  Field field;
};

Status ClientFilter::parse(engine::Call& call, size_t first, Status bad_id) {
  static constexpr Option kOptions[] = {{"TYPE", Field::kType},
                                        {"USER", Field::kUser},
                                        {"ADDR", Field::kAddr},
                                        {"LADDR", Field::kLocalAddr},
                                        {"IP", Field::kIp},
                                        {"NAME", Field::kName},
                                        {"LIB-NAME", Field::kLibName},
                                        {"LIB-VER", Field::kLibVersion},
                                        {"FLAGS", Field::kFlags},
                                        {"CAPA", Field::kCapabilities}};
  for (size_t at = first; at < call.argc();) {
    std::string_view name = call.arg(at);
    const bool negated = take_not(name);
    if (equal_ignore_case(name, "ID")) {
      ROX_TRY(parse_ids(call, ++at, negated, bad_id));
      continue;
    }
    if (at + 1 == call.argc()) return engine::errors::kSyntax;
    const std::string_view value = call.arg(at + 1);
    const auto option =
        std::find_if(std::begin(kOptions), std::end(kOptions),
                     [&](const Option& o) { return equal_ignore_case(name, o.name); });
    if (option != std::end(kOptions)) {
      ROX_TRY(parse_text(call, option->field, negated, value));
    } else if (equal_ignore_case(name, "DB")) {
      ROX_TRY(const int64_t db, call.integer(at + 1));
      (negated ? not_db_ : db_) = db;
    } else if (!negated && equal_ignore_case(name, "SKIPME")) {
      skip_self = equal_ignore_case(value, "yes");
      if (!skip_self && !equal_ignore_case(value, "no")) return engine::errors::kSyntax;
    } else if (!negated && (equal_ignore_case(name, "MAXAGE") || equal_ignore_case(name, "IDLE"))) {
      const std::string option_name = lower_case(name);
      const auto seconds = parse_int64(value);
      if (!seconds) return call.fail("ERR {} is not an integer or out of range", option_name);
      if (*seconds <= 0) return call.fail("ERR {} should be greater than 0", option_name);
      (option_name == "idle" ? idle_seconds_min_ : age_seconds_min_) = *seconds;
    } else {
      return engine::errors::kSyntax;
    }
    at += 2;
  }
  std::sort(ids_.begin(), ids_.end());
  std::sort(not_ids_.begin(), not_ids_.end());
  return kOk;
}

// One or more numbers, up to the next option.
Status ClientFilter::parse_ids(engine::Call& call, size_t& at, bool negated, Status bad_id) {
  if (at == call.argc()) return engine::errors::kSyntax;
  const size_t first = at;
  for (; at < call.argc(); ++at) {
    const auto id = parse_int64(call.arg(at));
    std::string_view word = call.arg(at);
    take_not(word);
    if (!id && at > first && is_option_name(word)) return kOk;
    if (!id || *id <= 0) return bad_id;
    (negated ? not_ids_ : ids_).push_back(static_cast<uint64_t>(*id));
  }
  return kOk;
}

Status ClientFilter::parse_text(engine::Call& call, Field field, bool negated,
                                std::string_view value) {
  if (field == Field::kType && !parse_type(value)) {
    return call.fail("ERR Unknown client type '{}'", value);
  }
  if (field == Field::kUser && call.service<Acl>().users().find(value) == nullptr) {
    return call.fail("ERR No such user '{}'", value);
  }
  if (field == Field::kFlags && (value.empty() || !has_all(kKnownFlags, value))) {
    return call.fail("ERR Unknown flags found in the provided filter: {}", value);
  }
  if (field == Field::kCapabilities && !has_all(kKnownCapabilities, value)) {
    return call.fail("ERR Unknown capa found in the {}: {}",
                     negated ? "NOT-CAPA filter" : "provided filter", value);
  }
  conditions_.push_back({field, negated, value});
  return kOk;
}

bool ClientFilter::matches(const Client& client, const Client* self, uint64_t now_ms) const {
  const auto contains = [&](const std::vector<uint64_t>& ids) {
    return std::binary_search(ids.begin(), ids.end(), client.id);
  };
  const auto seconds = [&](uint64_t since_ms) {
    return static_cast<int64_t>((now_ms - since_ms) / 1000);
  };
  if (skip_self && &client == self) return false;
  if (!ids_.empty() && !contains(ids_)) return false;
  if (contains(not_ids_)) return false;
  if (db_ && client.db != *db_) return false;
  if (not_db_ && client.db == *not_db_) return false;
  if (age_seconds_min_ && seconds(client.connected_ms) < *age_seconds_min_) return false;
  if (idle_seconds_min_ && seconds(client.last_seen_ms) < *idle_seconds_min_) return false;
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
    return holds(condition.field, condition.value, client) != condition.negated;
  });
}

bool ClientFilter::holds(Field field, std::string_view value, const Client& client) {
  switch (field) {
    case Field::kType:
      return parse_type(value) ==
             (client.subscriptions != nullptr ? ClientType::kPubSub : ClientType::kNormal);
    case Field::kUser:
      return client.user_name() == value;
    case Field::kAddr:
      return client.peer.address == value;
    case Field::kLocalAddr:
      return client.peer.local_address == value;
    case Field::kIp:
      return host_of(client.peer.address) == value;
    case Field::kName:
      return client.name == value;
    case Field::kLibName:
      return client.lib_name == value;
    case Field::kLibVersion:
      return client.lib_version == value;
    case Field::kFlags:
      return has_all(client.flag_letters(), value);
    case Field::kCapabilities:
      return has_all(client.capability_letters(), value);
  }
  return false;
}

}  // namespace roxdb::server
