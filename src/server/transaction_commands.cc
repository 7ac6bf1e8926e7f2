// transaction_commands.cc: MULTI, EXEC, DISCARD, WATCH, UNWATCH.
#include <algorithm>
#include <span>
#include <utility>

#include "engine/call.h"
#include "server/command_client.h"
#include "server/monitor.h"
#include "server/session.h"
#include "server/transaction.h"

namespace roxdb::server {
namespace {

using engine::Call;
using engine::CommandFamily;
using engine::CommandSpec;
using engine::Example;
using engine::Flags;
using engine::kAllowBusy;
using engine::kFast;
using engine::kLoading;
using engine::kNoScript;
using engine::kNotQueued;
using engine::kRunsQueued;
using engine::kSkipSlowlog;
using engine::kStale;

constexpr Flags kTransactionFlags = kNoScript | kLoading | kStale | kFast | kAllowBusy;

// MULTI -> OK
Status multi_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  if (client->transaction != nullptr) return user_error("ERR MULTI calls can not be nested");
  call.service<Transactions>().begin(*client);
  return call.reply_ok();
}
constexpr CommandSpec kMulti{
    .name = "MULTI",
    .syntax = "",
    .summary = "Begins a transaction: what follows is queued and runs at once with EXEC.",
    .since = "1.2.0",
    .complexity = "O(1)",
    .flags = kTransactionFlags | kNotQueued,
    .handler = multi_command,
};

// Runs the requests one after the other, with replies and effects of their own; all of it is part
// of the unit that EXEC is.
void run(Call& call, Client& client, Transaction& transaction) {
  engine::Engine& engine = call.engine();
  engine::Session& session = call.session();
  Turn& turn = call.service<Turn>();
  const bool could_wait = std::exchange(session.may_wait, false);
  call.reply().array(transaction.size());
  constexpr size_t kChunkRequests = 64;
  containers::Lookahead ahead;
  std::span<const engine::Prepared> left = transaction.requests();
  while (!left.empty()) {
    const auto chunk = left.first(std::min(left.size(), kChunkRequests));
    left = left.subspan(chunk.size());
    engine.look_ahead(session, chunk, ahead);
    for (const engine::Prepared& request : chunk) {
      engine.execute(session, request, call.reply());
      turn.bound_output(client);
    }
  }
  session.may_wait = could_wait;
}

// EXEC -> an array of the replies, or null when a watched key has changed
Status exec_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  Transactions& transactions = call.service<Transactions>();
  if (client->transaction == nullptr) return user_error("ERR EXEC without MULTI");
  const bool has_changed = transactions.watches.has_changed(*client);
  transactions.watches.unwatch(*client);
  std::unique_ptr<Transaction> transaction = transactions.end(*client);
  const bool runs = !transaction->has_failed && !has_changed;
  if (runs) run(call, *client, *transaction);
  // Behind what it has run, or who watches would take a transaction that did not run for open.
  if (auto* const monitor = call.engine().services.find<Monitor>()) {
    monitor->show(*client, *call.command().spec, call.args());
  }
  if (transaction->has_failed) {
    return user_error("EXECABORT Transaction discarded because of previous errors.");
  }
  if (has_changed) return call.reply_null_array();
  transactions.recycle(std::move(transaction));
  return kOk;
}
constexpr CommandSpec kExec{
    .name = "EXEC",
    .syntax = "",
    .summary = "Runs all commands that were queued since MULTI, with nobody in between.",
    .since = "1.2.0",
    .complexity = "Depends on the commands of the transaction",
    .flags = kNoScript | kLoading | kStale | kSkipSlowlog | kNotQueued | kRunsQueued,
    .handler = exec_command,
};

// DISCARD -> OK
Status discard_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  Transactions& transactions = call.service<Transactions>();
  if (transactions.end(*client) == nullptr) return user_error("ERR DISCARD without MULTI");
  transactions.watches.unwatch(*client);
  return call.reply_ok();
}
constexpr CommandSpec kDiscard{
    .name = "DISCARD",
    .syntax = "",
    .summary = "Forgets all commands that were queued since MULTI, and all watched keys.",
    .since = "2.0.0",
    .complexity = "O(N) where N is the number of queued commands",
    .flags = kTransactionFlags | kNotQueued,
    .handler = discard_command,
};

// WATCH key ... -> OK
Status watch_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  if (client->transaction != nullptr) return user_error("ERR WATCH inside MULTI is not allowed");
  Watches& watches = call.service<Transactions>().watches;
  // What has changed already will not come right by watching more.
  if (client->watched == nullptr || !client->watched->changed) {
    for (size_t i = 1; i < call.argc(); ++i) watches.watch(*client, call.arg(i));
  }
  return call.reply_ok();
}
constexpr CommandSpec kWatch{
    .name = "WATCH",
    .syntax = "key...",
    .summary = "Makes the next EXEC run nothing if one of these keys changes before.",
    .since = "2.2.0",
    .complexity = "O(N) where N is the number of keys, times the keys that are watched already",
    .flags = kTransactionFlags | kNotQueued,
    .keys = "1..end:RO!u",
    .handler = watch_command,
};

// UNWATCH -> OK
Status unwatch_command(Call& call) {
  ROX_TRY(Client * client, client_of(call));
  call.service<Transactions>().watches.unwatch(*client);
  return call.reply_ok();
}
constexpr CommandSpec kUnwatch{
    .name = "UNWATCH",
    .syntax = "",
    .summary = "Forgets all watched keys.",
    .since = "2.2.0",
    .complexity = "O(N) where N is the number of watched keys",
    .flags = kTransactionFlags,
    .handler = unwatch_command,
};

constexpr const CommandSpec* kCommands[] = {&kMulti, &kExec, &kDiscard, &kWatch, &kUnwatch};

}  // namespace

extern constinit const CommandFamily kTransactionCommandsFamily;
constinit const CommandFamily kTransactionCommandsFamily{"transactions", kCommands};

}  // namespace roxdb::server
