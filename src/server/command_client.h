// command_client.h: the client behind a running command, for the commands of this room.
#pragma once

#include <algorithm>
#include <string_view>

#include "engine/call.h"
#include "server/client.h"

namespace roxdb::server {

// Null when the command comes from elsewhere: a program that embeds us, or a log somebody made.
inline Client* client_or_null(engine::Call& call) {
  return call.session().kind == engine::Session::Kind::kClient
             ? static_cast<Client*>(&call.session())
             : nullptr;
}

inline Result<Client*> client_of(engine::Call& call) {
  Client* const client = client_or_null(call);
  if (client == nullptr) return user_error("ERR this command needs a connection");
  return client;
}

// Whether a text can stand in CLIENT LIST without breaking it: no blanks, no control characters.
inline bool is_label(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '!' && c <= '~'; });
}

inline Status check_name(std::string_view name) {
  if (is_label(name)) return kOk;
  return user_error("ERR Client names cannot contain spaces, newlines or special characters.");
}

inline Status set_name(Client& client, std::string_view name) {
  ROX_TRY(check_name(name));
  client.name = name;
  return kOk;
}

}  // namespace roxdb::server
