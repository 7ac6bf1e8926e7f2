#include "server/client.h"

#include <fmt/format.h>

#include "engine/waiting.h"
#include "server/acl/users.h"
#include "server/pubsub.h"
#include "server/tracking.h"
#include "server/transaction.h"

namespace roxdb::server {

std::string_view host_of(std::string_view address) {
  address = address.substr(0, address.rfind(':'));
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  return address;
}

Client::Client(uint64_t client_id, std::unique_ptr<Link> client_link, Peer client_peer,
               uint64_t now_ms)
    : Session(Kind::kClient),
      last_seen_ms(now_ms),
      id(client_id),
      connected_ms(now_ms),
      peer(std::move(client_peer)),
      link_(std::move(client_link)) {
  may_wait = true;
}

Client::~Client() = default;

Status Client::on_refused(const engine::CommandSpec* spec, const Status& why) {
  // CLIENT CACHING counts for the next command, also when that cannot run.
  if (tracking != nullptr && transaction == nullptr) tracking->said_caching = false;
  return transaction != nullptr ? transaction->owner().refused(*this, spec, why) : why;
}

void Client::on_queued(const engine::Prepared& prepared) {
  // What has failed already will not run: nothing more needs to be kept.
  if (!transaction->has_failed) transaction->add(prepared);
  queued_flags |= prepared.command->spec->flags;
}

size_t Client::output_bytes() const {
  size_t bytes = output.pending() + held_bytes + link_->unsent_bytes();
  for (const Parked& waiting : parked) bytes += waiting.output.pending();
  return bytes;
}

size_t Client::memory_bytes() const {
  size_t bytes = sizeof *this + link_->memory_bytes() + input.capacity() + output.capacity() +
                 engine::Waiting::bytes(*this);
  if (transaction != nullptr) bytes += transaction->memory_bytes();
  if (watched != nullptr) bytes += watched->memory_bytes();
  if (subscriptions != nullptr) bytes += subscriptions->memory_bytes();
  if (tracking != nullptr) bytes += tracking->memory_bytes();
  for (const Parked& waiting : parked) bytes += sizeof waiting + waiting.output.pending();
  return bytes + peer.address.capacity() + peer.local_address.capacity() + name.capacity() +
         lib_name.capacity() + lib_version.capacity();
}

std::string Client::flag_letters() const {
  std::string letters;
  if (is_monitor) letters += 'O';
  if (subscriptions != nullptr) letters += 'P';
  if (transaction != nullptr) letters += 'x';
  if ((halts & kHeld) != 0) letters += 'b';
  if (watched != nullptr && watched->changed) letters += 'd';
  if (tracking != nullptr) letters += tracking->flag_letters();
  if ((halts & kLastReply) != 0) letters += 'c';
  if ((halts & kClosed) != 0) letters += 'A';
  if (peer.is_unix_socket) letters += 'U';
  if (no_evict) letters += 'e';
  if (no_touch) letters += 'T';
  return letters.empty() ? "N" : letters;
}

std::string Client::describe(uint64_t now_ms) const {
  const auto subscriptions_to = [this](Topic::Kind topics) {
    return subscriptions != nullptr ? subscriptions->count(topics) : 0;
  };
  // `output` holds the replies of this very turn: it is what Redis calls the static buffer.
  const size_t unsent = output_bytes() - output.pending();
  return fmt::format(
      "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={}{}{} db={} sub={} psub={} "
      "ssub={} "
      "multi={} watch={} qbuf={} qbuf-free={} argv-mem=0 multi-mem={} rbs={} rbp={} obl={} oll={} "
      "omem={} tot-mem={} events={} cmd={} user={} redir={} resp={} lib-name={} lib-ver={} "
      "io-thread=0 tot-net-in={} tot-net-out={} tot-cmds={}",
      id, peer.address, peer.local_address, link_->descriptor(), name,
      (now_ms - connected_ms) / 1000, (now_ms - last_seen_ms) / 1000, flag_letters(),
      capability_letters().empty() ? "" : " capa=", capability_letters(), db,
      subscriptions_to(Topic::Kind::kChannel), subscriptions_to(Topic::Kind::kPattern),
      subscriptions_to(Topic::Kind::kShardChannel),
      transaction != nullptr ? static_cast<int64_t>(transaction->size()) : -1,
      watched != nullptr ? watched->keys.size() : 0, input.size(), input.capacity() - input.size(),
      transaction != nullptr ? transaction->memory_bytes() : 0, output.capacity(), output.pending(),
      output.pending(), link_->unsent_pieces() + parked.size(), unsent, memory_bytes(),
      unsent > 0 ? "rw" : "r", last_command != nullptr ? last_command->full_name : "NULL",
      user_name(), tracking != nullptr ? static_cast<int64_t>(tracking->redirect) : -1, protocol,
      lib_name, lib_version, received_bytes, sent_bytes, commands);
}

std::string_view Client::user_name() const {
  return user != nullptr ? std::string_view(user->name()) : kDefaultUser;
}

void Client::reset() {
  user = nullptr;
  db = 0;
  no_touch = false;
  no_evict = false;
  reply_mode = ReplyMode::kOn;
  name.clear();
}

}  // namespace roxdb::server
