#include "server/transaction.h"

#include <algorithm>

namespace roxdb::server {

// ---- one transaction ----

void Transaction::add(engine::Args args) {
  for (const std::string_view arg : args) {
    text_.append(arg);
    sizes_.push_back(arg.size());
  }
  ends_.push_back(sizes_.size());
}

size_t Transaction::memory_bytes() const {
  return sizeof *this + text_.capacity() + (sizes_.capacity() + ends_.capacity()) * sizeof(size_t);
}

// ---- watches ----

size_t WatchedKeys::memory_bytes() const {
  size_t bytes = sizeof *this + keys.capacity() * sizeof(Key);
  for (const Key& key : keys) bytes += key.name.name.capacity();
  return bytes;
}

Watches::Watches(engine::Engine& engine, int order)
    : engine_(engine), order_(order), watchers_(engine.secret()) {
  engine.info.add("clients", [this](engine::InfoWriter& out) {
    out.field("watching_clients", clients_);
    out.field("total_watched_keys", watchers_.size());
  });
}

Watches::~Watches() { engine_.disarm(this); }

void Watches::watch(Client& client, std::string_view key) {
  const auto named = [&](const WatchedKeys::Key& one) {
    return one.name.db == client.db && one.name.name == key;
  };
  if (client.watched == nullptr) {
    if (clients_++ == 0) engine_.arm(this, order_);
    client.watched = std::make_unique<WatchedKeys>();
  }
  WatchedKeys& watched = *client.watched;
  if (std::any_of(watched.keys.begin(), watched.keys.end(), named)) return;
  const bool exists = engine_.find(client.db, engine_.key(key)) != nullptr;
  watched.keys.push_back({{client.db, std::string(key)}, exists});
  watchers_[watched.keys.back().name].push_back(&client);
}

void Watches::unwatch(Client& client) {
  if (client.watched == nullptr) return;
  for (const WatchedKeys::Key& key : client.watched->keys) {
    const auto place = watchers_.find(key.name);
    std::erase(place->second, &client);
    if (place->second.empty()) watchers_.erase(place);
  }
  client.watched.reset();
  if (--clients_ == 0) engine_.disarm(this);
}

bool Watches::has_changed(const Client& client) {
  if (client.watched == nullptr) return false;
  for (const WatchedKeys::Key& key : client.watched->keys) {
    if (client.watched->changed) break;
    engine_.find(key.name.db,
                 engine_.key(key.name.name));  // one that is due goes now, and is heard
  }
  return client.watched->changed;
}

void Watches::mark(const std::vector<Client*>& clients) {
  for (Client* client : clients) client->watched->changed = true;
}

void Watches::on_change(const engine::KeyChange& change) {
  const auto place = watchers_.find(engine::KeyView{change.db, change.key});
  if (place != watchers_.end()) mark(place->second);
}

// A key that was absent and still is has not changed.
void Watches::on_database_changed(int db) {
  for (const auto& [name, clients] : watchers_) {
    if (db >= 0 && name.db != db) continue;
    const engine::Key key = engine_.key(name.name);
    const bool exists = engine_.keyspace(name.db).find(key) != nullptr;
    for (Client* client : clients) {
      const auto& keys = client->watched->keys;
      const auto watched = std::find_if(keys.begin(), keys.end(), [&](const WatchedKeys::Key& one) {
        return engine::KeyNameEqual{}(one.name, name);
      });
      client->watched->changed |= exists || watched->existed;
    }
  }
}

// ---- all transactions ----

Transactions::Transactions(engine::Engine& engine, Clients& clients, int gate_order, int sink_order)
    : watches(engine, sink_order), engine_(engine), order_(gate_order) {
  clients.on_forget([this](Client& client) {
    end(client);
    watches.unwatch(client);
  });
}

Transactions::~Transactions() { engine_.disarm(this); }

void Transactions::begin(Client& client) {
  client.transaction = std::make_unique<Transaction>(*this);
  client.queued_flags = 0;
  if (open_++ == 0) engine_.arm(this, order_);
}

std::unique_ptr<Transaction> Transactions::end(Client& client) {
  if (client.transaction != nullptr && --open_ == 0) engine_.disarm(this);
  client.queued_flags = 0;
  return std::move(client.transaction);
}

Status Transactions::refused(Client& client, const engine::CommandSpec* spec, const Status& why) {
  if (spec == nullptr || (spec->flags & engine::kRunsQueued) == 0) {
    client.transaction->has_failed = true;
    return why;
  }
  end(client);
  watches.unwatch(client);
  std::string_view text = why.text;
  if (text.starts_with("ERR ")) text.remove_prefix(4);
  refusal_ = "EXECABORT Transaction discarded because of: ";
  refusal_ += text;
  return user_error(refusal_);
}

engine::Verdict Transactions::check(engine::Session& session, const engine::CommandSpec& spec,
                                    engine::Args args, Status& refusal) {
  if (session.kind != engine::Session::Kind::kClient) return engine::Verdict::kPass;
  auto& client = static_cast<Client&>(session);
  if (client.transaction == nullptr || (spec.flags & engine::kNotQueued) != 0) {
    return engine::Verdict::kPass;
  }
  if ((spec.flags & engine::kNoMulti) != 0) {
    refusal = user_error("ERR Command not allowed inside a transaction");
    return engine::Verdict::kRefuse;
  }
  client.transaction->add(args);
  client.queued_flags |= spec.flags;
  return engine::Verdict::kQueued;
}

}  // namespace roxdb::server
