#include "server/authentication.h"

namespace roxdb::server {
namespace {

constexpr uint64_t kFailuresMax = 10;
constexpr uint64_t kFailureWindowMs = 10'000;
constexpr uint64_t kWaitMs = 1000;
constexpr size_t kHostsMax = 1024;

}  // namespace

Authentication::Authentication(engine::Engine& engine, Clients& clients, int order)
    : engine_(engine), clients_(clients), order_(order) {
  engine_.settings.add_string("requirepass", &password_, engine::Setting::kSecret).apply =
      [this](std::string&) {
        apply();
        return true;
      };
}

void Authentication::apply() {
  if (!password_.empty()) {
    // Whoever is connected stays in, as in Redis.
    password_hash_ = sha256(password_);
    engine_.arm(this, order_);
    return;
  }
  password_hash_.reset();
  engine_.disarm(this);
  clients_.for_each([](Client& client) { client.authenticated = true; });
}

bool Authentication::log_in(Client& client, std::string_view user, std::string_view password) {
  const Sha256 given = sha256(password);
  const bool matches = !password_hash_ || equal_constant_time(given, *password_hash_);
  if (matches && user == kDefaultUser) {
    client.authenticated = true;
    return true;
  }
  note_failure(client);
  return false;
}

engine::Verdict Authentication::check(engine::Session& session, const engine::CommandSpec& spec,
                                      engine::Args, Status& refusal) {
  if (session.kind != engine::Session::Kind::kClient) return engine::Verdict::kPass;
  auto& client = static_cast<Client&>(session);
  if ((spec.flags & engine::kNoAuth) != 0) {
    const bool tries_password = (spec.flags & engine::kSecret) != 0;
    return tries_password && must_wait(client) ? engine::Verdict::kPostpone
                                               : engine::Verdict::kPass;
  }
  if (client.authenticated) return engine::Verdict::kPass;
  refusal = user_error("NOAUTH Authentication required.");
  return engine::Verdict::kRefuse;
}

// Asked again after each tick while it says true.
bool Authentication::must_wait(Client& client) {
  if (failures_.empty()) return false;
  const auto found = failures_.find(host_of(client.peer.address));
  if (found == failures_.end() || found->second.count < kFailuresMax ||
      clients_.now_ms - found->second.first_ms > kFailureWindowMs) {
    return false;
  }
  if (client.password_wait_until_ms == 0) {
    client.password_wait_until_ms = clients_.now_ms + kWaitMs;
    return true;
  }
  if (clients_.now_ms < client.password_wait_until_ms) return true;
  client.password_wait_until_ms = 0;
  return false;
}

void Authentication::note_failure(const Client& client) {
  if (failures_.size() >= kHostsMax) forget_old_failures();
  if (failures_.size() >= kHostsMax) return;  // an attack from everywhere: there is no one to slow
  Failures& failures =
      failures_.try_emplace(std::string(host_of(client.peer.address)), Failures{clients_.now_ms, 0})
          .first->second;
  if (clients_.now_ms - failures.first_ms > kFailureWindowMs) failures = {clients_.now_ms, 0};
  ++failures.count;
}

void Authentication::forget_old_failures() {
  std::erase_if(failures_, [this](const auto& entry) {
    return clients_.now_ms - entry.second.first_ms > kFailureWindowMs;
  });
}

}  // namespace roxdb::server
