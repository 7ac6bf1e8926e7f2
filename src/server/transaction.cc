#include "server/transaction.h"

#include <algorithm>
#include <cstring>

namespace roxdb::server {

// ---- one transaction ----

void Transaction::add(const engine::Prepared& prepared) {
  const engine::Args args = prepared.args;
  for (const std::string_view arg : args) text_.append(arg);
  has_secrets_ = has_secrets_ || (prepared.command->spec->flags & engine::kSecret) != 0;
  args_.insert(args_.end(), args.begin(), args.end());
  hashes_.insert(hashes_.end(), prepared.hashes, prepared.hashes + args.size());
  requests_.push_back(prepared);
}

size_t Transaction::memory_bytes() const {
  return sizeof *this + text_.capacity() + args_.capacity() * sizeof(std::string_view) +
         hashes_.capacity() * sizeof(uint64_t) + requests_.capacity() * sizeof(engine::Prepared);
}

std::span<const engine::Prepared> Transaction::requests() {
  const char* text = text_.data();
  size_t first = 0;
  for (engine::Prepared& request : requests_) {
    const size_t count = request.args.size();
    for (std::string_view& arg : std::span(args_).subspan(first, count)) {
      arg = {text, arg.size()};
      text += arg.size();
    }
    request.args = engine::Args(args_).subspan(first, count);
    request.hashes = hashes_.data() + first;
    first += count;
  }
  return requests_;
}

void Transaction::clear() {
  has_failed = false;
  if (has_secrets_) explicit_bzero(text_.data(), text_.size());  // reliability S3
  has_secrets_ = false;
  text_.clear();
  args_.clear();
  hashes_.clear();
  requests_.clear();
}

// ---- watches ----

size_t WatchedKeys::memory_bytes() const {
  return sizeof *this + keys.capacity() * sizeof(engine::KeyName) + name_bytes;
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
  if (client.watched == nullptr) {
    if (clients_++ == 0) engine_.arm(this, order_);
    client.watched = std::make_unique<WatchedKeys>();
  }
  const bool exists = engine_.find(client.db, engine_.key(key)) != nullptr;
  engine::KeyName name{client.db, std::string(key)};
  std::vector<Watcher>& watchers = watchers_[name];
  const auto is_client = [&](const Watcher& one) { return one.client == &client; };
  if (std::any_of(watchers.begin(), watchers.end(), is_client)) return;
  watchers.push_back({&client, exists});
  client.watched->name_bytes += name.name.size();
  client.watched->keys.push_back(std::move(name));
}

void Watches::unwatch(Client& client) {
  if (client.watched == nullptr) return;
  for (const engine::KeyName& key : client.watched->keys) {
    const auto place = watchers_.find(key);
    std::erase_if(place->second, [&](const Watcher& one) { return one.client == &client; });
    if (place->second.empty()) watchers_.erase(place);
  }
  client.watched.reset();
  if (--clients_ == 0) engine_.disarm(this);
}

bool Watches::has_changed(const Client& client) {
  if (client.watched == nullptr) return false;
  for (const engine::KeyName& key : client.watched->keys) {
    if (client.watched->changed) break;
    engine_.find(key.db, engine_.key(key.name));  // one that is due goes now, and is heard of
  }
  return client.watched->changed;
}

void Watches::on_change(const engine::KeyChange& change) {
  const auto place = watchers_.find(engine::KeyView{change.db, change.key});
  if (place == watchers_.end()) return;
  for (const Watcher& watcher : place->second) watcher.client->watched->changed = true;
}

// A key that was absent and still is has not changed.
void Watches::on_database_changed(int db) {
  for (const auto& [name, watchers] : watchers_) {
    if (db >= 0 && name.db != db) continue;
    const bool exists = engine_.keyspace(name.db).find(engine_.key(name.name)) != nullptr;
    for (const Watcher& watcher : watchers) {
      watcher.client->watched->changed |= exists || watcher.existed;
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
  client.transaction = spare_ != nullptr ? std::move(spare_) : std::make_unique<Transaction>(*this);
  client.queued_flags = engine::kRunsQueued;
  if (open_++ == 0) engine_.arm(this, order_);
}

std::unique_ptr<Transaction> Transactions::end(Client& client) {
  if (client.transaction != nullptr && --open_ == 0) engine_.disarm(this);
  client.queued_flags = 0;
  return std::move(client.transaction);
}

void Transactions::recycle(std::unique_ptr<Transaction> transaction) {
  constexpr size_t kKeptBytes = 64u << 10;
  if (transaction->memory_bytes() > kKeptBytes) return;
  transaction->clear();
  spare_ = std::move(transaction);
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
                                    engine::Args, Status& refusal) {
  if (session.kind != engine::Session::Kind::kClient) return engine::Verdict::kPass;
  auto& client = static_cast<Client&>(session);
  if (client.transaction == nullptr || (spec.flags & engine::kNotQueued) != 0) {
    return engine::Verdict::kPass;
  }
  if ((spec.flags & engine::kNoMulti) != 0) {
    refusal = user_error("ERR Command not allowed inside a transaction");
    return engine::Verdict::kRefuse;
  }
  return engine::Verdict::kQueued;
}

}  // namespace roxdb::server
