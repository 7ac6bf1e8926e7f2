// authentication.h: who may speak. `requirepass`, AUTH, and the gate before everything that is
// not said before AUTH. There is one user so far, "default".
//
// Passwords are compared by their SHA-256, in constant time (reliability S3). Whoever guesses is
// slowed down: once an address has failed ten times in ten seconds, each further attempt of its
// clients waits for a second before it is looked at; nobody else waits.
//
//   AUTH --gate: too many failures?--> postponed for a second --> log_in()
#pragma once

#include <map>
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
  // True: the client is in. Takes as long when the password is wrong. Without a password anything
  // is right.
  bool log_in(Client& client, std::string_view user, std::string_view password);

  engine::Verdict check(engine::Session& session, const engine::CommandSpec& spec,
                        engine::Args args, Status& refusal) override;

 private:
  struct Failures {
    uint64_t first_ms;
    uint64_t count;
  };

  void apply();
  bool must_wait(Client& client);
  void note_failure(const Client& client);
  void forget_old_failures();

  engine::Engine& engine_;
  Clients& clients_;
  const int order_;
  std::string password_;
  std::optional<Sha256> password_hash_;
  std::map<std::string, Failures, std::less<>> failures_;  // by host
};

}  // namespace roxdb::server
