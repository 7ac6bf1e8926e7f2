#include "server/authentication.h"

#include "server/transaction.h"

namespace roxdb::server {
namespace {

constexpr uint64_t kFailuresMax = 10;
constexpr uint64_t kFailureWindowMs = 10'000;
constexpr uint64_t kWaitMs = 1000;
constexpr size_t kHostsMax = 1024;

}  // namespace

bool Authentication::is_required() const {
  const User& user = users_.default_user();
  return user.needs_password() || !user.is_on();
}

void Authentication::greet(Client& client) const {
  client.user = nullptr;
  client.authenticated = !is_required();
}

bool Authentication::log_in(Client& client, std::string_view name, std::string_view password,
                            std::string_view word) {
  const User* const user = users_.find(name);
  const bool matches = (user != nullptr ? *user : users_.default_user()).has_password(password);
  if (user != nullptr && user->is_on() && matches) {
    client.user = user;
    client.authenticated = true;
    return true;
  }
  note_failure(client);
  log_.add({.reason = AclLog::Reason::kAuth,
            .context =
                engine_.inside_larger_unit() ? AclLog::Context::kMulti : AclLog::Context::kTopLevel,
            .object = std::string(word),
            .user = std::string(name),
            .client = client.describe(clients_.now_ms)});
  return false;
}

void Authentication::log_in_by_certificate(Client& client, std::span<const std::string> names) {
  for (const std::string& name : names) {
    const User* const user = users_.find(name);
    if (user == nullptr || !user->is_on()) continue;
    client.user = user;
    client.authenticated = true;
    return;
  }
  if (names.empty() || names.front().empty()) return;
  log_.add({.reason = AclLog::Reason::kAuth,
            .context = AclLog::Context::kTopLevel,
            .object = "certificate",
            .user = names.front(),
            .client = client.describe(clients_.now_ms)});
}

engine::Verdict Authentication::check_attempt(Client& client, Status& refusal) {
  if (engine_.has_open_unit()) {
    if (!has_failed_often(client)) return engine::Verdict::kPass;
    refusal = user_error("ERR too many wrong passwords: try again, and not in a transaction");
    return engine::Verdict::kRefuse;
  }
  if (client.transaction != nullptr || !must_wait(client)) return engine::Verdict::kPass;
  return engine::Verdict::kPostpone;
}

bool Authentication::is_over(const Failures& failures) const {
  return clients_.now_ms - failures.first_ms > kFailureWindowMs;
}

bool Authentication::has_failed_often(const Client& client) const {
  if (failures_.empty()) return false;
  const auto found = failures_.find(host_of(client.peer.address));
  return found != failures_.end() && found->second.count >= kFailuresMax && !is_over(found->second);
}

// Asked again after each tick while it says true.
bool Authentication::must_wait(Client& client) const {
  if (!has_failed_often(client)) return false;
  if (client.password_wait_until_ms == 0) {
    client.password_wait_until_ms = clients_.now_ms + kWaitMs;
    return true;
  }
  if (clients_.now_ms < client.password_wait_until_ms) return true;
  client.password_wait_until_ms = 0;
  return false;
}

void Authentication::note_failure(const Client& client) {
  if (failures_.size() >= kHostsMax) {
    std::erase_if(failures_, [this](const auto& entry) { return is_over(entry.second); });
  }
  if (failures_.size() >= kHostsMax) return;  // an attack from everywhere: there is no one to slow
  Failures& failures =
      failures_.try_emplace(std::string(host_of(client.peer.address)), Failures{clients_.now_ms, 0})
          .first->second;
  if (is_over(failures)) failures = {clients_.now_ms, 0};
  ++failures.count;
}

}  // namespace roxdb::server
