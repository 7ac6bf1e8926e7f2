#include "server/monitor.h"

#include <fmt/format.h>

#include <iterator>
#include <string>

namespace roxdb::server {
namespace {

constexpr int64_t kUsPerSecond = 1'000'000;

void append_quoted(std::string& out, std::string_view text) {
  constexpr std::string_view kEscaped = "\n\r\t\a\b\\\"";
  constexpr std::string_view kLetters = "nrtab\\\"";
  out += " \"";
  for (const char c : text) {
    if (const size_t at = kEscaped.find(c); at != std::string_view::npos) {
      out += '\\';
      out += kLetters[at];
    } else if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  out += '"';
}

}  // namespace

Monitor::Monitor(engine::Engine& engine, Clients& clients, Turn& turn, int order)
    : engine_(engine), clients_(clients), turn_(turn), order_(order) {
  clients.on_forget([this](Client& client) { stop(client); });
}

Monitor::~Monitor() { engine_.disarm(this); }

void Monitor::start(Client& client) {
  if (client.is_monitor) return;
  client.is_monitor = true;
  ids_.push_back(client.id);
  engine_.arm(this, order_);
}

void Monitor::stop(Client& client) {
  if (!client.is_monitor) return;
  client.is_monitor = false;
  std::erase(ids_, client.id);
  if (ids_.empty()) engine_.disarm(this);
}

engine::Verdict Monitor::check(engine::Session& session, const engine::CommandSpec& spec,
                               engine::Args args, Status& refusal) {
  const bool is_client = session.kind == engine::Session::Kind::kClient;
  if (is_client && static_cast<Client&>(session).is_monitor &&
      (spec.flags & (engine::kWrite | engine::kReadOnly | engine::kMayReplicate)) != 0) {
    refusal = user_error("ERR Replica can't interact with the keyspace");
    return engine::Verdict::kRefuse;
  }
  const bool runs_again = session.waiter != nullptr;
  const bool is_shown_later = (spec.flags & engine::kRunsQueued) != 0;
  if (!runs_again && !is_shown_later) show(session, spec, args);
  return engine::Verdict::kPass;
}

void Monitor::show(const engine::Session& session, const engine::CommandSpec& spec,
                   engine::Args args) {
  if (ids_.empty() || (spec.flags & engine::kAdmin) != 0) return;
  const bool is_client = session.kind == engine::Session::Kind::kClient;
  const int64_t now_us = engine_.environment().now_us();
  std::string line = fmt::format("+{}.{:06} [{} {}]", now_us / kUsPerSecond, now_us % kUsPerSecond,
                                 session.db, is_client ? session.address() : "lua");
  const bool has_secrets = (spec.flags & engine::kSecret) != 0;
  for (size_t i = 0; i < args.size(); ++i) {
    append_quoted(line, has_secrets && i > 0 ? "(redacted)" : args[i]);
  }
  line += "\r\n";
  for (const uint64_t id : ids_) {
    if (Client* const client = clients_.find(id)) turn_.push(*client, line, {});
  }
}

}  // namespace roxdb::server
