#include "server/clients.h"

#include <algorithm>

#include "base/numbers.h"
#include "base/text.h"
#include "server/transaction.h"

namespace roxdb::server {
namespace {

constexpr uint64_t kAgeCheckMs = 1000;
// How long a client that we only wait for to read its last reply may read nothing.
constexpr uint64_t kLastReplyMs = 10'000;

// The largest request of somebody unknown, or what waits behind one that is answered late.
constexpr uint64_t kInputBytesMaxUnauthenticated = 256u << 10;

}  // namespace

Clients::Clients(engine::Engine& engine)
    : engine_(engine), memory_(engine, [this] {
        for_each([this](Client& client) {
          memory_.forget(client);
          count_memory(client);
        });
      }) {
  register_settings();
  register_info();
}

Client& Clients::add(std::unique_ptr<Link> link, Peer peer) {
  const uint64_t id = ++last_id_;
  auto client = std::make_unique<Client>(id, std::move(link), std::move(peer), now_ms);
  client->protocol = static_cast<uint8_t>(default_protocol_);
  ++live_;
  ++statistics.connections_received;
  return *by_id_.emplace_hint(by_id_.end(), id, std::move(client))->second;
}

Client* Clients::find(uint64_t id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() || found->second->is_closed() ? nullptr : found->second.get();
}

void Clients::close(Client& client) {
  if (client.is_closed()) return;
  client.halts |= Client::kClosed;
  engine_.waiting.forget(client);
  for (const auto& forget : forgets_) forget(client);
  memory_.forget(client);
  closed_.push_back(client.id);
  --live_;
}

void Clients::reset(Client& client) {
  for (const auto& forget : forgets_) forget(client);
  client.reset();
  client.protocol = static_cast<uint8_t>(default_protocol_);
}

void Clients::sweep() {
  for (const uint64_t id : closed_) by_id_.erase(id);
  closed_.clear();
}

void Clients::tick(uint64_t now) {
  input_rate_.sample(statistics.input_bytes, now);
  output_rate_.sample(statistics.output_bytes, now);
  if (now - ages_checked_ms_ < kAgeCheckMs) return;
  ages_checked_ms_ = now;
  for_each([this](Client& client) { check_age(client); });
}

void Clients::check_age(Client& client) {
  const uint64_t idle_ms = now_ms - client.last_seen_ms;
  const auto over = [](uint64_t ms, int64_t seconds) {
    return seconds > 0 && ms > static_cast<uint64_t>(seconds) * 1000;
  };
  // Who listens, looks on or waits is not idle.
  const bool is_waiting =
      client.subscriptions != nullptr || client.is_monitor || (client.halts & Client::kHeld) != 0;
  if (over(idle_ms, timeout_seconds_) && !is_waiting) {
    engine_.log().verbose("Closing idle client {}", client.peer.address);
    return close(client);
  }
  if (!client.authenticated && over(now_ms - client.connected_ms, auth_timeout_seconds_)) {
    engine_.log().verbose("Closing unauthenticated client {}", client.peer.address);
    return close(client);
  }
  if ((client.halts & Client::kLastReply) != 0 && idle_ms > kLastReplyMs) return close(client);
  check_output(client);
}

void Clients::check_output(Client& client) {
  const size_t waiting = client.output_bytes();
  const OutputLimit& limit = output_limits_[class_of(client)];
  bool over = waiting > hard_limit_of(client);
  if (limit.soft_bytes == 0 || waiting <= limit.soft_bytes) {
    client.output_over_soft_since = 0;
  } else if (client.output_over_soft_since == 0) {
    client.output_over_soft_since = now_ms;
  } else {
    over = over || now_ms - client.output_over_soft_since > limit.soft_seconds * 1000;
  }
  if (over) close_overfull(client);
}

uint64_t Clients::hard_limit_of(const Client& client) const {
  const uint64_t bytes = output_limits_[class_of(client)].hard_bytes;
  const uint64_t limit = bytes == 0 ? UINT64_MAX : bytes;
  return client.authenticated ? limit : std::min<uint64_t>(limit, kOutputBytesMaxUnauthenticated);
}

bool Clients::is_over_hard_limit(const Client& client, size_t more_bytes) const {
  return client.output_bytes() + more_bytes > hard_limit_of(client);
}

void Clients::close_overfull(Client& client) {
  if (client.is_closed()) return;
  ++statistics.output_limit_disconnections;
  engine_.log().warning(
      "Client {} scheduled to be closed ASAP for overcoming of output buffer limits.",
      client.describe(now_ms));
  close(client);
}

void Clients::check_input(Client& client) {
  // What is queued for EXEC has been sent and not executed, too.
  const size_t queued = client.transaction != nullptr ? client.transaction->memory_bytes() : 0;
  const uint64_t most = client.authenticated
                            ? input_bytes_max_
                            : std::min<uint64_t>(input_bytes_max_, kInputBytesMaxUnauthenticated);
  if (client.input.size() + queued <= most || client.is_closed()) return;
  ++statistics.query_limit_disconnections;
  engine_.log().warning("Closing client that reached max query buffer length: {}",
                        client.describe(now_ms));
  close(client);
}

void Clients::evict(Client& client) {
  ++statistics.evicted;
  engine_.log().notice("Evicting client: {}", client.describe(now_ms));
  close(client);
}

// ---- settings and INFO ----

namespace {

std::string text_of(std::span<const OutputLimit> limits) {
  std::string text;
  for (size_t i = 0; i < limits.size(); ++i) {
    text += fmt::format("{}{} {} {} {}", i > 0 ? " " : "", Clients::kClassNames[i],
                        limits[i].hard_bytes, limits[i].soft_bytes, limits[i].soft_seconds);
  }
  return text;
}

// Words in fours: class, hard limit, soft limit, seconds.
bool read_output_limits(std::span<const std::string> words, std::span<OutputLimit> limits,
                        std::string& why) {
  if (words.empty() || words.size() % 4 != 0) {
    why = "Wrong number of arguments in buffer limit configuration.";
    return false;
  }
  for (size_t i = 0; i < words.size(); i += 4) {
    std::string name = lower_case(words[i]);
    if (name == "replica") name = "slave";
    const auto found = std::find(Clients::kClassNames.begin(), Clients::kClassNames.end(), name);
    if (found == Clients::kClassNames.end()) {
      why = "Invalid client class specified in buffer limit configuration.";
      return false;
    }
    const auto hard_bytes = parse_memory_size(words[i + 1]);
    const auto soft_bytes = parse_memory_size(words[i + 2]);
    const auto soft_seconds = parse_uint64(words[i + 3]);
    if (!hard_bytes || !soft_bytes || !soft_seconds) {
      why = "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
      return false;
    }
    limits[static_cast<size_t>(found - Clients::kClassNames.begin())] = {*hard_bytes, *soft_bytes,
                                                                         *soft_seconds};
  }
  return true;
}

}  // namespace

void Clients::register_settings() {
  engine::Settings& settings = engine_.settings;
  settings.add_integer("maxclients", &clients_max_, 1, UINT32_MAX).apply =
      [this](std::string& why) {
        const int64_t room = make_room ? make_room(clients_max_) : clients_max_;
        if (room >= clients_max_) return true;
        why = fmt::format(
            "The operating system is not able to handle the specified number of clients, try with "
            "{}",
            room);
        return false;
      };
  settings.add_integer("timeout", &timeout_seconds_, 0, INT32_MAX);
  settings.add_integer("auth-timeout", &auth_timeout_seconds_, 0, INT32_MAX);
  settings.add_memory("client-query-buffer-limit", &input_bytes_max_, 1u << 20, INT64_MAX);
  settings.add_integer("client-default-resp", &default_protocol_, 2, 3,
                       engine::Setting::kImmutable | engine::Setting::kHidden);
  settings.add_memory("proto-max-bulk-len", &bulk_bytes_max_, 1u << 20, INT64_MAX).apply =
      [this](std::string&) {
        if (bulk_bytes_max_ > kBulkBytesMax) {
          engine_.log().warning("proto-max-bulk-len has been reduced to {}: {} is too much",
                                kBulkBytesMax, bulk_bytes_max_);
          bulk_bytes_max_ = kBulkBytesMax;
        }
        limits_.bulk_bytes_max = limits_unauthenticated_.bulk_bytes_max = bulk_bytes_max_;
        engine_.string_bytes_max = bulk_bytes_max_;
        return true;
      };

  engine::Setting limits;
  limits.name = "client-output-buffer-limit";
  limits.flags = engine::Setting::kMultiple;
  limits.get = [this] { return text_of(output_limits_); };
  limits.set = [this](std::span<const std::string> words, std::string& why) {
    auto changed = output_limits_;
    if (!read_output_limits(words, changed, why)) return false;
    output_limits_ = changed;
    const uint64_t hard_bytes = changed[kNormal].hard_bytes;
    engine_.reply_bytes_max =
        hard_bytes == 0 ? kReplyBytesMax : std::min<uint64_t>(hard_bytes, kReplyBytesMax);
    return true;
  };
  limits.rewrite = [this] {
    std::vector<std::string> lines;
    for (size_t i = 0; i < output_limits_.size(); ++i) {
      const OutputLimit& limit = output_limits_[i];
      lines.push_back(fmt::format("client-output-buffer-limit {} {} {} {}",
                                  i == kReplica ? "replica" : kClassNames[i], limit.hard_bytes,
                                  limit.soft_bytes, limit.soft_seconds));
    }
    return lines;
  };
  settings.add(std::move(limits));
}

void Clients::register_info() {
  engine_.info.on_reset([this] { statistics = {}; });
  engine_.info.add("clients", [this](engine::InfoWriter& out) {
    size_t input_most = 0;
    size_t output_most = 0;
    size_t postponed = 0;
    for_each([&](const Client& client) {
      postponed += (client.halts & Client::kPostponed) != 0 ? 1 : 0;
      input_most = std::max(input_most, client.input.size());
      output_most = std::max(output_most, client.output_bytes());
    });
    out.field("connected_clients", live_);
    out.field("cluster_connections", 0);
    out.field("maxclients", clients_max_);
    out.field("client_recent_max_input_buffer", input_most);
    out.field("client_recent_max_output_buffer", output_most);
    const engine::Waiting& waiting = engine_.waiting;
    out.field("blocked_clients", waiting.sessions() + postponed);
    out.field("clients_in_timeout_table", waiting.sessions_with_deadline());
    out.field("total_blocking_keys", waiting.keys());
    out.field("total_blocking_keys_on_nokey", waiting.keys_watched_for_end());
  });
  engine_.info.add("memory", [this](engine::InfoWriter& out) {
    // Subscribers count as normal ones here, as in Redis.
    size_t bytes = 0;
    for_each([&](const Client& client) { bytes += client.memory_bytes(); });
    out.field("mem_clients_normal", bytes);
    out.field("mem_clients_slaves", 0);
  });
  engine_.info.add("stats", [this](engine::InfoWriter& out) {
    const auto kib = [](const Rate& rate) {
      return fmt::format("{:.2f}", static_cast<double>(rate.per_second()) / 1024);
    };
    out.field("total_connections_received", statistics.connections_received);
    out.field("total_net_input_bytes", statistics.input_bytes);
    out.field("total_net_output_bytes", statistics.output_bytes);
    out.field("total_reads_processed", statistics.reads);
    out.field("total_writes_processed", statistics.writes);
    out.field("total_net_repl_input_bytes", 0);
    out.field("total_net_repl_output_bytes", 0);
    out.field("instantaneous_input_kbps", kib(input_rate_));
    out.field("instantaneous_output_kbps", kib(output_rate_));
    out.field("instantaneous_input_repl_kbps", "0.00");
    out.field("instantaneous_output_repl_kbps", "0.00");
    out.field("rejected_connections", statistics.connections_rejected);
    out.field("evicted_clients", statistics.evicted);
    out.field("client_query_buffer_limit_disconnections", statistics.query_limit_disconnections);
    out.field("client_output_buffer_limit_disconnections", statistics.output_limit_disconnections);
  });
}

}  // namespace roxdb::server
