// authentication.h: who speaks on a connection. It begins as the default user, when that one is let
// in without a password, else as nobody; AUTH and HELLO name a user.
//
// Whoever guesses is slowed down: once an address has failed ten times in ten seconds, each further
// attempt of its clients waits for a second before it is looked at; nobody else waits.
//
//   AUTH --check_attempt: too many failures?--> postponed for a second --> log_in()
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "engine/engine.h"
#include "server/acl/acl_log.h"
#include "server/acl/users.h"
#include "server/clients.h"

namespace roxdb::server {

class Authentication {
 public:
  // All must outlive this.
  Authentication(engine::Engine& engine, Clients& clients, const Users& users, AclLog& log)
      : engine_(engine), clients_(clients), users_(users), log_(log) {}

  // Whether a new connection must say who it is.
  bool is_required() const;
  // The client is as when it connected: the default user, or nobody.
  void greet(Client& client) const;
  // True: the client is in. Takes as long when the password is wrong, or the user. `word`, of the
  // running command, is what ACL LOG names.
  bool log_in(Client& client, std::string_view name, std::string_view password,
              std::string_view word);
  // The client is the first of the users whom its certificate names that is there and on, or still
  // who it was when there is none of them, which ACL LOG then says. No name is nobody's.
  void log_in_by_certificate(Client& client, std::span<const std::string> names);
  // Whether the client may try a password now. What is queued is not tried yet; part of a unit
  // cannot wait and is refused.
  engine::Verdict check_attempt(Client& client, Status& refusal);

 private:
  struct Failures {
    uint64_t first_ms;
    uint64_t count;
  };

  bool is_over(const Failures& failures) const;
  bool has_failed_often(const Client& client) const;
  bool must_wait(Client& client) const;
  void note_failure(const Client& client);

  engine::Engine& engine_;
  Clients& clients_;
  const Users& users_;
  AclLog& log_;
  std::map<std::string, Failures, std::less<>> failures_;  // by host
};

}  // namespace roxdb::server
