#include "commands/hash/edit.h"

#include "commands/shared/reply_measure.h"

namespace roxdb::commands {

using engine::Call;
using engine::Entry;
using types::HashValue;
using types::HashView;
namespace event = engine::event;

Result<std::optional<HashView>> read_hash(Call& call, size_t index) {
  ROX_TRY(const Entry* entry, call.read(index, engine::TypeId::kHash));
  if (entry == nullptr) return std::optional<HashView>();
  return std::optional<HashView>(HashView(*entry, call.now_ms()));
}

namespace {

// A field may be asked for many times.
uint64_t values_bytes_max(const Call& call, const HashView& hash, size_t first) {
  const uint64_t count = call.argc() - first;
  return reply_bytes_of(count, count * hash.bytes());
}

}  // namespace

Status check_values(Call& call, const HashView& hash, size_t first) {
  return check_reply(call, values_bytes_max(call, hash, first), [&](auto& reply) {
    char room[kIntegerDigitsMax];
    for (size_t i = first; i < call.argc() && !is_enough(reply); ++i) {
      if (const auto field = hash.find(call.arg(i), room)) reply.bulk(field->value);
    }
  });
}

Status reply_values(Call& call, const std::optional<HashView>& hash, size_t first) {
  if (hash) ROX_TRY(check_values(call, *hash, first));
  call.reply().array(call.argc() - first);
  for (size_t i = first; i < call.argc(); ++i) {
    char room[kIntegerDigitsMax];
    const auto field = hash ? hash->find(call.arg(i), room) : std::nullopt;
    if (field) {
      call.reply().bulk(field->value);
    } else {
      call.reply().null();
    }
  }
  return kOk;
}

void drop_if_due(Call& call, HashValue& hash, std::string_view field) {
  // What the log removed, it says itself (D4).
  if (call.session().kind == engine::Session::Kind::kReplay) return;
  if (!hash.erase_due(field, call.now_ms())) return;
  engine::Engine& engine = call.engine();
  const std::string_view command[] = {"HDEL", call.arg(1), field};
  engine.log(call.db(), command);
  engine.dirty++;
  engine.statistics.expired_fields++;
  engine.notify(call.db(), call.arg(1), event::kHExpired);
  // Replayed, the HDEL of the last field ends the key, and with it the key's own expiry.
  if (hash.empty()) call.set_expiry(1, hash.cell(), -1);
}

void erase_if_empty(Call& call, const HashValue& hash) {
  if (!hash.empty()) return;
  const bool is_logged = call.has_changed();
  call.erase_emptied(1);
  if (!is_logged) call.log_nothing();  // but for the fields that were due, which say so themselves
}

void note_expiry(Call& call, const HashValue& hash) {
  call.keyspace().lower_mark(call.key(1), hash.entry());
}

}  // namespace roxdb::commands
