#include "server/tracking.h"

#include <algorithm>
#include <utility>

#include "server/news.h"
#include "server/pubsub.h"

namespace roxdb::server {
namespace {

// Where RESP2 clients hear of changed keys.
constexpr std::string_view kChannel = "__redis__:invalidate";
// Keys that leave a table above its limit with each command that reads: enough to get below it
// soon after the limit was lowered, few enough that nobody waits.
constexpr size_t kKeysDroppedMax = 64;

// EVAL_RO and its kin read nothing themselves: what they call is looked at.
bool reads_keys(const engine::Command& command) {
  return (command.spec->flags & engine::kReadOnly) != 0 && command.family->group != "scripting";
}

}  // namespace

// ---- one client ----

size_t TrackingMode::memory_bytes() const {
  constexpr size_t kNodeBytes = sizeof(std::string) + 4 * sizeof(void*);
  return sizeof *this + prefixes.size() * kNodeBytes + prefix_bytes;
}

std::string TrackingMode::flag_letters() const {
  std::string letters = "t";
  if (is_broken) letters += 'R';
  if (broadcast) letters += 'B';
  return letters;
}

// ---- who tracks ----

Tracking::Tracking(engine::Engine& engine, Clients& clients, Turn& turn, int sink_order)
    : engine_(engine),
      clients_(clients),
      turn_(turn),
      order_(sink_order),
      table_(0, NameHash{&engine.secret()}) {
  clients.on_forget([this](Client& client) { stop(client); });
  turn.before_sending([this] { broadcast(); });
  engine.settings.add_integer("tracking-table-max-keys", &table_keys_max_, 0, INT64_MAX);
  engine.info.add("clients", [this](engine::InfoWriter& out) {
    out.field("tracking_clients", tracking_clients_);
  });
  engine.info.add("stats", [this](engine::InfoWriter& out) {
    out.field("tracking_total_keys", table_.size());
    out.field("tracking_total_items", table_ids_);
    out.field("tracking_total_prefixes", prefixes_.size());
  });
}

Tracking::~Tracking() {
  engine_.disarm(this);
  engine_.stop_observing(this);
}

void Tracking::start(Client& client, TrackingMode mode,
                     std::span<const std::string_view> prefixes) {
  if (client.tracking == nullptr) {
    client.tracking = std::make_unique<TrackingMode>();
    if (tracking_clients_++ == 0) {
      engine_.arm(this, order_);
      engine_.observe_all(this, [this](const engine::Execution& one) { on_command(one); });
    }
  }
  mode.prefixes = std::move(client.tracking->prefixes);
  mode.prefix_bytes = client.tracking->prefix_bytes;
  for (const std::string_view prefix : prefixes) {
    if (!mode.prefixes.emplace(prefix).second) continue;
    mode.prefix_bytes += prefix.size();
    prefixes_[std::string(prefix)].clients.push_back(client.id);
  }
  *client.tracking = std::move(mode);
}

void Tracking::stop(Client& client) {
  if (client.tracking == nullptr) return;
  for (const std::string& prefix : client.tracking->prefixes) {
    const auto found = prefixes_.find(prefix);
    std::erase(found->second.clients, client.id);
    if (found->second.clients.empty()) forget_prefix(found);
  }
  client.tracking.reset();
  if (--tracking_clients_ > 0) return;
  engine_.disarm(this);
  engine_.stop_observing(this);
  // Nobody is left who could be told of anything.
  table_.clear();
  table_ids_ = 0;
}

void Tracking::forget_prefix(Prefixes::iterator place) {
  if (!place->second.changed.empty()) {
    // The last one takes its place: their order is made when they are told.
    Prefixes::value_type* const last = broadcasts_.back();
    broadcasts_.pop_back();
    if (last != &*place) {
      broadcasts_[place->second.place] = last;
      last->second.place = place->second.place;
    }
  }
  prefixes_.erase(place);
}

bool Tracking::has_gone(uint64_t id) const {
  const Client* const client = clients_.find(id);
  return client == nullptr || client->tracking == nullptr || client->tracking->broadcast;
}

// ---- what is read ----

void Tracking::on_command(const engine::Execution& execution) {
  has_emptied_ = false;
  engine::Session& session = execution.session.kind == engine::Session::Kind::kScript
                                 ? *execution.session.principal
                                 : execution.session;
  if (session.kind != engine::Session::Kind::kClient) return;
  auto& client = static_cast<Client&>(session);
  if (client.tracking == nullptr) return;
  if (client.tracking->tracks_reads() && reads_keys(execution.command)) {
    keys_.clear();
    if (engine::CommandTable::keys_of(execution.command, execution.args, keys_)) {
      for (const engine::KeyAt& key : keys_) {
        if (!key.pattern) remember(client, execution.args[key.arg]);
      }
      limit_table();
    }
  }
  // CLIENT CACHING counts for the next command, or for the whole of the next transaction.
  const bool is_part = client.last_command != &execution.command;
  const engine::Command* const container = execution.command.container;
  const bool is_about_clients = container != nullptr && container->spec->name == "CLIENT";
  if (!is_part && !is_about_clients && client.transaction == nullptr) {
    client.tracking->said_caching = false;
  }
}

void Tracking::remember(const Client& client, std::string_view key) {
  auto found = table_.find(key);
  if (found == table_.end()) found = table_.emplace(std::string(key), Ids()).first;
  Ids& ids = found->second;
  auto place = std::lower_bound(ids.begin(), ids.end(), client.id);
  if (place != ids.end() && *place == client.id) return;
  if (ids.size() == ids.capacity()) {
    // Instead of growing with each client that comes and goes.
    table_ids_ -= std::erase_if(ids, [this](uint64_t id) { return has_gone(id); });
    place = std::lower_bound(ids.begin(), ids.end(), client.id);
  }
  ids.insert(place, client.id);
  ++table_ids_;
}

void Tracking::limit_table() {
  const auto keys_max = static_cast<size_t>(table_keys_max_);
  // As many as the command has brought, and some more when the limit has come down.
  const size_t drops_max = keys_.size() + kKeysDroppedMax;
  for (size_t i = 0; i < drops_max && keys_max != 0 && table_.size() > keys_max; ++i) {
    drop_random_key();
  }
  // Or the search for a key among empty buckets would take longer and longer.
  constexpr size_t kBucketsPerKeyMax = 16;
  constexpr size_t kBucketsKept = 1024;
  if (table_.bucket_count() > std::max(kBucketsKept, table_.size() * kBucketsPerKeyMax)) {
    table_.rehash(0);
  }
}

// Who has cached it is told that it has changed: then it need not be remembered any more.
void Tracking::drop_random_key() {
  size_t bucket = engine_.random.next() % table_.bucket_count();
  while (table_.begin(bucket) == table_.end(bucket)) bucket = (bucket + 1) % table_.bucket_count();
  tell_change(table_.find(table_.begin(bucket)->first), nullptr);
}

// ---- what has changed ----

void Tracking::on_change(const engine::KeyChange& change) {
  const Client* const writer = turn_.running();
  if (!prefixes_.empty()) note_for_broadcast(change.key, writer);
  if (const auto found = table_.find(change.key); found != table_.end()) {
    tell_change(found, writer);
  }
}

void Tracking::tell_change(Table::iterator place, const Client* writer) {
  const Table::node_type known = table_.extract(place);
  table_ids_ -= known.mapped().size();
  News news(turn_);
  for (const uint64_t id : known.mapped()) {
    if (has_gone(id)) continue;
    Client& client = *clients_.find(id);
    if (client.tracking->no_loop && &client == writer) continue;
    tell(client, news, [&](resp::Reply& reply) {
      reply.array(1);
      reply.bulk(known.key());
    });
  }
}

// From the longest prefix that fits to the shortest. A key is passed only by prefixes that stand
// between two of its beginnings; each of them rules out all beginnings that it does not share.
// Cost O(log N) for each that fits or stands between, of N prefixes.
void Tracking::note_for_broadcast(std::string_view key, const Client* writer) {
  std::string_view beginning = key;
  while (true) {
    auto place = prefixes_.upper_bound(beginning);
    if (place == prefixes_.begin()) return;
    auto& [text, prefix] = *--place;
    const auto differs = std::mismatch(text.begin(), text.end(), key.begin(), key.end()).first;
    const auto common = static_cast<size_t>(differs - text.begin());
    if (common < text.size()) {
      beginning = key.substr(0, common);
      continue;
    }
    if (prefix.changed.empty()) {
      prefix.place = broadcasts_.size();
      broadcasts_.push_back(&*place);
    }
    prefix.changed.insert_or_assign(std::string(key), writer != nullptr ? writer->id : 0);
    if (common == 0) return;
    beginning = key.substr(0, common - 1);
  }
}

void Tracking::broadcast() {
  if (broadcasts_.empty() || turn_.is_aside()) return;
  std::sort(broadcasts_.begin(), broadcasts_.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  for (Prefixes::value_type* const place : std::exchange(broadcasts_, {})) {
    broadcast(place->second);
    place->second.changed.clear();
  }
}

void Tracking::broadcast(const Prefix& prefix) {
  if (prefix.changed.empty()) return;
  News everything(turn_);
  for (const uint64_t id : prefix.clients) {
    Client* const client = clients_.find(id);
    if (client == nullptr) continue;
    const bool no_loop = client->tracking->no_loop;
    const auto is_told = [&](const auto& change) { return !no_loop || change.second != id; };
    const auto count =
        static_cast<size_t>(std::count_if(prefix.changed.begin(), prefix.changed.end(), is_told));
    if (count == 0) continue;
    // Most have changed nothing themselves: what they are told is the same.
    News some(turn_);
    News& news = count == prefix.changed.size() ? everything : some;
    tell(*client, news, [&](resp::Reply& reply) {
      reply.array(count);
      for (const auto& change : prefix.changed) {
        if (is_told(change)) reply.bulk(change.first);
      }
    });
  }
}

// A swap says so for two databases; clients are told once.
void Tracking::on_database_changed(int) {
  if (std::exchange(has_emptied_, true)) return;
  table_.clear();
  table_ids_ = 0;
  News news(turn_);
  clients_.for_each([&](Client& client) {
    if (client.tracking == nullptr) return;
    tell(client, news, [](resp::Reply& reply) { reply.null(); });
  });
}

template <class WriteKeys>
void Tracking::tell(Client& client, News& news, const WriteKeys& write_keys) {
  TrackingMode& mode = *client.tracking;
  Client* const listener = mode.redirect == 0 ? &client : clients_.find(mode.redirect);
  if (listener == nullptr) {
    mode.is_broken = true;
    if (client.protocol < 3) return;
    return News(turn_).tell(client, [&](resp::Reply& reply) {
      reply.push(2);
      reply.bulk("tracking-redir-broken");
      reply.integer(static_cast<int64_t>(mode.redirect));
    });
  }
  // RESP2 has no way to say it but as a message, and that only to somebody who expects messages.
  if (listener->protocol < 3 && (mode.redirect == 0 || !listener->is_subscribed)) return;
  news.tell(*listener, [&](resp::Reply& reply) {
    if (reply.protocol() >= 3) {
      reply.push(2);
      reply.bulk("invalidate");
    } else {
      reply.push(3);
      reply.bulk("message");
      reply.bulk(kChannel);
    }
    write_keys(reply);
  });
}

}  // namespace roxdb::server
