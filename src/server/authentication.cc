#include "server/authentication.h"

namespace roxdb::server {

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

bool Authentication::check(std::string_view user, std::string_view password) const {
  const Sha256 given = sha256(password);
  const bool matches = !password_hash_ || equal_constant_time(given, *password_hash_);
  return matches && user == kDefaultUser;
}

engine::Verdict Authentication::check(engine::Session& session, const engine::CommandSpec& spec,
                                      engine::Args, Status& refusal) {
  if (session.kind != engine::Session::Kind::kClient ||
      static_cast<const Client&>(session).authenticated || (spec.flags & engine::kNoAuth) != 0) {
    return engine::Verdict::kPass;
  }
  refusal = user_error("NOAUTH Authentication required.");
  return engine::Verdict::kRefuse;
}

}  // namespace roxdb::server
