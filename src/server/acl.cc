#include "server/acl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "engine/settings.h"
#include "server/pubsub.h"
#include "server/transaction.h"

namespace roxdb::server {
namespace {

constexpr size_t kFileBytesMax = 64u << 20;

Result<std::string> read_file(Environment& environment, const std::string& path) {
  ROX_TRY(const std::unique_ptr<File> file, environment.open(path, OpenMode::kRead));
  std::string text;
  char piece[16 << 10];
  while (true) {
    ROX_TRY(const size_t got, file->read_at(text.size(), piece, sizeof piece));
    if (got == 0) return text;
    text.append(piece, got);
    if (text.size() > kFileBytesMax) return io_error(EFBIG, "read");
  }
}

Status write_file(Environment& environment, const std::string& path, std::string_view text) {
  ROX_TRY(const std::unique_ptr<File> file, environment.open(path, OpenMode::kCreateNew));
  while (!text.empty()) {
    ROX_TRY(const size_t written, file->write(text));
    text.remove_prefix(written);
  }
  ROX_TRY(file->sync());
  return file->close();
}

// Whoever a session acts for; null: not a connection.
Client* client_behind(engine::Session& session) {
  engine::Session* one = &session;
  while (one->kind == engine::Session::Kind::kScript) one = one->principal;
  return one->kind == engine::Session::Kind::kClient ? static_cast<Client*>(one) : nullptr;
}

std::string_view why_not_in_exec(Denied denied) {
  switch (denied) {
    case Denied::kDatabase:
      return "no permission to access the database";
    case Denied::kKey:
      return "no permission to touch the specified keys";
    case Denied::kChannel:
      return "no permission to access one of the channels used as arguments";
    default:
      return "no permission to execute the command or subcommand";
  }
}

std::string why_not(const User& user, const AclRequest& request, Denied denied) {
  switch (denied) {
    case Denied::kDatabase:
      return "No permissions to access database";
    case Denied::kKey:
      return "No permissions to access a key";
    case Denied::kChannel:
      return "No permissions to access a channel";
    default:
      return fmt::format("User {} has no permissions to run the '{}' command", user.name(),
                         request.command.full_name);
  }
}

AclLog::Reason reason_of(Denied denied) {
  switch (denied) {
    case Denied::kDatabase:
      return AclLog::Reason::kDatabase;
    case Denied::kKey:
      return AclLog::Reason::kKey;
    case Denied::kChannel:
      return AclLog::Reason::kChannel;
    default:
      return AclLog::Reason::kCommand;
  }
}

std::string object_of(const AclRequest& request, const Decision& decision) {
  if (decision.denied == Denied::kDatabase && decision.db != engine::kEveryDatabase) {
    return std::to_string(decision.db);
  }
  return decision.arg == 0 ? request.command.full_name : std::string(request.args[decision.arg]);
}

}  // namespace

Acl::Acl(engine::Engine& engine, Clients& clients, int order)
    : log(engine),
      engine_(engine),
      clients_(clients),
      order_(order),
      vocabulary_(engine.commands()),
      users_(vocabulary_),
      authentication_(engine, clients, users_, log) {
  register_settings();
}

Acl::~Acl() {
  if (is_armed_) engine_.disarm(this);
}

// ---- decisions ----

engine::Verdict Acl::check(engine::Session& session, const engine::CommandSpec& spec,
                           engine::Args args, Status& refusal) {
  Client* const client = client_behind(session);
  if (client == nullptr) return engine::Verdict::kPass;
  if ((spec.flags & engine::kNoAuth) != 0) {
    const bool tries_password = (spec.flags & engine::kSecret) != 0;
    return tries_password ? authentication_.check_attempt(*client, refusal)
                          : engine::Verdict::kPass;
  }
  if (!client->authenticated) {
    refusal = user_error("NOAUTH Authentication required.");
    return engine::Verdict::kRefuse;
  }
  const User& user = user_of(*client);
  if (user.is_unlimited()) return engine::Verdict::kPass;
  // What is queued runs where the SELECT before it leads: EXEC asks again.
  const bool is_queued = client->transaction != nullptr && !engine_.has_open_unit();
  AclRequest request(vocabulary_.command_of(spec), args, is_queued ? -1 : session.db, room_);
  const Decision decision = user.check(request);
  if (decision.allowed()) return engine::Verdict::kPass;
  refusal = refuse(session, *client, request, decision);
  return engine::Verdict::kRefuse;
}

Status Acl::refuse(engine::Session& session, Client& client, const AclRequest& request,
                   const Decision& decision) {
  record(session, client, request, decision);
  if (session.kind == engine::Session::Kind::kScript) {
    refusal_ = "ERR ACL failure in script: " + why_not(user_of(client), request, decision.denied);
  } else if (engine_.has_open_unit()) {
    refusal_ = fmt::format(
        "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
        "call. This command is no longer allowed for the following reason: {}",
        why_not_in_exec(decision.denied));
  } else if (decision.by_pattern) {
    refusal_ = fmt::format("ERR {} option of SORT denied due to insufficient ACL permissions.",
                           upper_case(request.args[decision.arg - 1]));
  } else {
    refusal_ = "NOPERM " + why_not(user_of(client), request, decision.denied);
  }
  return user_error(refusal_);
}

void Acl::record(engine::Session& session, Client& client, const AclRequest& request,
                 const Decision& decision) {
  AclLog::Context context = AclLog::Context::kTopLevel;
  if (session.kind == engine::Session::Kind::kScript) {
    context = AclLog::Context::kScript;
  } else if (client.transaction != nullptr || engine_.has_open_unit()) {
    context = AclLog::Context::kMulti;
  }
  log.add({.reason = reason_of(decision.denied),
           .context = context,
           .object = object_of(request, decision),
           .user = user_of(client).name(),
           .client = client.describe(clients_.now_ms)});
}

Decision Acl::decide(const User& user, const engine::Command& command, engine::Args args,
                     int db) const {
  AclRequest::Room room;
  AclRequest request(command, args, db, room);
  return user.check(request);
}

bool Acl::allows(engine::Session& session, const engine::Command& command,
                 engine::Args args) const {
  const Client* const client = client_behind(session);
  return client == nullptr || decide(user_of(*client), command, args, session.db).allowed();
}

// ---- changes ----

bool Acl::set_user(std::string_view name, std::span<const std::string_view> words,
                   const Client* self, std::string& why) {
  if (!Users::is_name(name)) {
    why = "Usernames can't contain spaces or null characters";
    return false;
  }
  why.clear();
  std::vector<std::string> rules;
  std::string_view opened;
  if (!join_selectors(words, rules, opened)) {
    why = fmt::format("Unmatched parenthesis in acl selector starting at '{}'.", opened);
    return false;
  }
  const User* const known = users_.find(name);
  const bool hears_all = users_.new_users_hear_all;
  User changed = known != nullptr ? *known : User(name, vocabulary_, hears_all);
  changed.hears_all_after_reset(hears_all);
  for (std::string& rule : rules) {
    const Status status = why.empty() ? changed.apply(rule) : kOk;
    if (!status.ok()) {
      why = fmt::format("Error in ACL SETUSER modifier '{}': {}", rule, status.text);
    }
    explicit_bzero(rule.data(), rule.size());  // it may be a password (reliability S3)
  }
  if (!why.empty()) return false;
  User& user = users_.find_or_create(name);
  user = std::move(changed);
  close_listeners(&user, self);
  users_changed();
  return true;
}

bool Acl::delete_user(std::string_view name, const Client* self) {
  const User* const user = users_.find(name);
  if (user == nullptr) return false;
  dismiss(*user, self);
  users_.erase(*user);
  users_changed();
  return true;
}

// Nobody may act for a user who is about to go.
void Acl::dismiss(const User& user, const Client* self) {
  clients_.for_each([&](Client& client) {
    if (client.user != &user) return;
    client.user = nullptr;
    client.authenticated = false;
    close(client, self);
  });
}

// Those of a user, null: of any, who listen to what they may not listen to any more.
void Acl::close_listeners(const User* user, const Client* self) {
  clients_.for_each([&](Client& client) {
    const bool is_meant = user == nullptr || user == &user_of(client);
    if (is_meant && !may_listen(client)) close(client, self);
  });
}

// Whether a client might ask now for all that it listens to.
bool Acl::may_listen(const Client& client) const {
  const User& user = user_of(client);
  if (user.is_unlimited()) return true;
  if (client.is_monitor) {
    constexpr std::string_view kMonitor[] = {"MONITOR"};
    const engine::Command* const monitor = engine_.commands().find_declared(kMonitor);
    if (monitor != nullptr && !decide(user, *monitor, kMonitor, client.db).allowed()) return false;
  }
  const PubSub* const pubsub = engine_.services.find<PubSub>();
  if (pubsub == nullptr || client.subscriptions == nullptr) return true;
  using Kind = Topic::Kind;
  for (const Kind kind : {Kind::kChannel, Kind::kPattern, Kind::kShardChannel}) {
    for (const std::string& name : pubsub->names_of(client, kind)) {
      if (!user.allows_channel(name, kind == Kind::kPattern)) return false;
    }
  }
  return true;
}

void Acl::close(Client& client, const Client* self) {
  if (&client == self) {
    clients_.close_after_replies(client);
  } else {
    clients_.close(client);
  }
}

void Acl::users_changed() {
  const bool is_open = !authentication_.is_required();
  bool has_dismissed = false;
  clients_.for_each([&](Client& client) {
    // Who is being dismissed stays nobody to the end.
    if ((client.halts & Client::kLastReply) != 0) {
      has_dismissed = has_dismissed || !client.authenticated;
    } else if (is_open) {
      client.authenticated = true;
    }
  });
  const bool is_needed =
      users_.size() > 1 || !is_open || has_dismissed || !users_.default_user().is_unlimited();
  if (is_needed == is_armed_) return;
  is_armed_ = is_needed;
  if (is_armed_) {
    engine_.arm(this, order_);
  } else {
    engine_.disarm(this);
  }
}

// ---- the file ----

std::string Acl::file_path() const {
  if (file_.starts_with('/')) return file_;
  const engine::Setting* const directory = engine_.settings.find("dir");
  return directory != nullptr ? directory->get() + "/" + file_ : file_;
}

bool Acl::load_file(const Client* self, std::string& why) {
  const std::string path = file_path();
  const Result<std::string> text = read_file(engine_.environment(), path);
  if (!text.ok()) {
    const Status status = text.status();
    why = fmt::format("Error loading ACLs, opening file '{}': {}", path,
                      std::strerror(status.code == Code::kNotFound ? ENOENT : status.os_error));
    return false;
  }
  if (!users_.load(*text, path, why, [&](User& user) { dismiss(user, self); })) return false;
  close_listeners(nullptr, self);
  users_changed();
  return true;
}

Status Acl::save_file() {
  Environment& environment = engine_.environment();
  const std::string path = file_path();
  uint64_t chance;
  environment.random(&chance, sizeof chance);
  const std::string temporary = fmt::format("{}.tmp-{:016x}", path, chance);
  Status status = write_file(environment, temporary, users_.text());
  if (status.ok()) status = environment.rename(temporary, path);
  if (!status.ok()) {
    static_cast<void>(environment.remove(temporary));
    return status;
  }
  const size_t slash = path.rfind('/');
  return environment.sync_directory(slash == path.npos ? "." : path.substr(0, slash + 1));
}

// ---- the configuration ----

void Acl::register_settings() {
  engine::Settings& settings = engine_.settings;
  settings.add_string("requirepass", &password_, engine::Setting::kSecret).apply =
      [this](std::string&) {
        set_default_password();
        return true;
      };
  settings.add_string("aclfile", &file_, engine::Setting::kImmutable);
  settings.add_choice("acl-pubsub-default", &new_users_channels_, {"allchannels", "resetchannels"})
      .apply = [this](std::string&) {
    users_.new_users_hear_all = new_users_channels_ == 0;
    return true;
  };

  engine::Setting lines_setting;
  lines_setting.name = "user";
  lines_setting.flags = engine::Setting::kMultiple | engine::Setting::kFileOnly |
                        engine::Setting::kWords | engine::Setting::kSecret;
  lines_setting.get = [this] { return has_file() ? std::string() : users_.text(); };
  lines_setting.set = [this](std::span<const std::string> words, std::string& why) {
    return add_line(words.subspan(std::min(words_read_, words.size())), why);
  };
  lines_setting.apply = [this](std::string&) {
    words_read_ = 0;
    return true;
  };
  lines_setting.rewrite = [this] { return lines(); };
  settings.add(std::move(lines_setting));
}

void Acl::set_default_password() {
  User& user = users_.default_user();
  ROX_ASSERT(user.apply("resetpass").ok());
  ROX_ASSERT(user.apply(password_.empty() ? "nopass" : ">" + password_).ok());
  users_changed();
}

// One line, which is remembered until start(): what its rules mean depends on other settings.
bool Acl::add_line(std::span<const std::string> words, std::string& why) {
  if (words.empty() || !Users::is_name(words[0])) {
    why = "user must be followed by a username";
    return false;
  }
  const auto same = [&](const std::vector<std::string>& line) { return line[0] == words[0]; };
  if (std::any_of(lines_.begin(), lines_.end(), same)) {
    why = "Duplicate user found. A user can only be defined once in config files";
    return false;
  }
  Users trial(vocabulary_);
  const std::vector<std::string_view> rules(words.begin() + 1, words.end());
  if (!trial.define(words[0], rules, why)) return false;
  lines_.emplace_back(words.begin(), words.end());
  words_read_ += words.size();
  return true;
}

std::vector<std::string> Acl::lines() const {
  std::vector<std::string> out;
  if (has_file()) return out;
  users_.for_each([&](const User& user) {
    std::string line = "user " + engine::quote_word(user.name());
    const std::string text = user.text();
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find(' ', at), text.size());
      line += " " + engine::quote_word(std::string_view(text).substr(at, end - at));
      at = end + 1;
    }
    out.push_back(std::move(line));
  });
  return out;
}

bool Acl::start(std::string& why) {
  if (has_file() && !lines_.empty()) {
    why =
        "Configuring RoxDB with users defined in the configuration and at the same setting an ACL "
        "file path is invalid. This setup is very likely to lead to configuration errors and "
        "security holes, please define either an ACL file or declare users directly in your "
        "configuration, but not both.";
    return false;
  }
  for (const std::vector<std::string>& line : lines_) {
    const std::vector<std::string_view> rules(line.begin() + 1, line.end());
    if (!users_.define(line[0], rules, why)) return false;
  }
  lines_.clear();
  users_changed();
  return !has_file() || load_file(nullptr, why);
}

}  // namespace roxdb::server
