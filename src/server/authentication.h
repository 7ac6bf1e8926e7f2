// authentication.h: who may speak. `requirepass`, AUTH, and the gate before everything that is
// not said before AUTH. There is one user so far, "default".
//
// The password itself is not kept, only its SHA-256, except in the text of the setting, which
// CONFIG GET shows as Redis does.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/sha256.h"
#include "engine/engine.h"
#include "server/clients.h"

namespace roxdb::server {

inline constexpr std::string_view kDefaultUser = "default";

class Authentication final : public engine::Gate {
 public:
  // Registers requirepass; arms itself in `engine` at `order` while there is a password.
  Authentication(engine::Engine& engine, Clients& clients, int order);

  bool is_required() const { return password_hash_.has_value(); }
  // Whether this is the user's password. Takes as long when it is not. Without a password anything
  // is right.
  bool check(std::string_view user, std::string_view password) const;

  engine::Verdict check(engine::Session& session, const engine::CommandSpec& spec,
                        engine::Args args, Status& refusal) override;

 private:
  void apply();

  engine::Engine& engine_;
  Clients& clients_;
  const int order_;
  std::string password_;
  std::optional<Sha256> password_hash_;
};

}  // namespace roxdb::server
