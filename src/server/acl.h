// acl.h: who may do what. The one place that decides it, for every way in which a command comes to
// run: direct, queued and again when EXEC runs it, called by a script, run again for a client that
// waited (reliability S4). The log's replay is nobody's and asks nobody.
//
//   request --gate--> nobody yet (authentication.h)                                  -NOAUTH
//                 '-> User::check --> commands, keys, channels, databases: allowed    it runs
//                                 '-> refused, noted in ACL LOG                      -NOPERM
//
// The gate is armed unless the default user, let in without a password and allowed everything, is
// the only one. Rights are looked at anew by each request, so what is taken away is gone at once,
// on open connections too; whose user is deleted is disconnected.
//
// Users are defined by the lines `user` of the configuration or by the file of `aclfile`, never by
// both; `requirepass` is the password of the default user.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "server/acl/acl_log.h"
#include "server/acl/users.h"
#include "server/authentication.h"
#include "server/clients.h"

namespace roxdb::server {

class Acl final : public engine::Gate {
 public:
  // Registers its settings; arms itself in `engine` at `order`. Both must outlive this.
  Acl(engine::Engine& engine, Clients& clients, int order);
  ~Acl() override;

  // Once the configuration has been read: makes its users. False: `why`; nobody may be served.
  bool start(std::string& why);

  Authentication& authentication() { return authentication_; }
  const Users& users() const { return users_; }
  const Vocabulary& vocabulary() const { return vocabulary_; }
  const User& user_of(const Client& client) const {
    return client.user != nullptr ? *client.user : users_.default_user();
  }

  bool asks_about_parts() const override { return true; }
  engine::Verdict check(engine::Session& session, const engine::CommandSpec& spec,
                        engine::Args args, Status& refusal) override;
  // Whether a user might run this request; nobody is told.
  Decision decide(const User& user, const engine::Command& command, engine::Args args,
                  int db) const;
  // Whether the one on whose behalf `session` runs might run this request.
  bool allows(engine::Session& session, const engine::Command& command, engine::Args args) const;

  // ---- changes ----

  // Clients that lose their user, or the right to what they listen to, are closed; `self`, who
  // asked for the change, after its reply.

  // ACL SETUSER: all rules or none. False: `why`, without "ERR ".
  bool set_user(std::string_view name, std::span<const std::string_view> rules, const Client* self,
                std::string& why);
  // False: there is none of that name.
  bool delete_user(std::string_view name, const Client* self);

  bool has_file() const { return !file_.empty(); }
  bool load_file(const Client* self, std::string& why);  // all of it or nothing
  Status save_file();  // the file has changed as a whole or not at all

  AclLog log;

 private:
  void register_settings();
  void set_default_password();
  bool add_line(std::span<const std::string> words, std::string& why);
  std::vector<std::string> lines() const;
  std::string file_path() const;

  void users_changed();
  void dismiss(const User& user, const Client* self);
  void close_listeners(const User* user, const Client* self);
  bool may_listen(const Client& client) const;
  void close(Client& client, const Client* self);
  Status refuse(engine::Session& session, Client& client, const AclRequest& request,
                const Decision& decision);
  void record(engine::Session& session, Client& client, const AclRequest& request,
              const Decision& decision);

  engine::Engine& engine_;
  Clients& clients_;
  const int order_;
  const Vocabulary vocabulary_;
  Users users_;
  Authentication authentication_;
  bool is_armed_ = false;
  AclRequest::Room room_;
  std::string refusal_;

  std::string password_;  // requirepass
  std::string file_;      // aclfile
  int new_users_channels_ = 1;
  std::vector<std::vector<std::string>> lines_;  // `user` of the configuration, before start()
  size_t words_read_ = 0;                        // of these lines
};

}  // namespace roxdb::server
