#include "commands/set/members.h"

#include "commands/shared/reply_measure.h"

namespace roxdb::commands {

using engine::Call;
using types::SetView;

Result<std::optional<SetView>> read_set(Call& call, size_t index) {
  ROX_TRY(const engine::Entry* entry, call.read(index, engine::TypeId::kSet));
  if (entry == nullptr) return std::optional<SetView>();
  return std::optional<SetView>(SetView(*entry));
}

Status reply_members(Call& call, const SetView& set) {
  return reply_measured(call, reply_bytes_of(set.size(), set.bytes()), [&set](resp::Reply& reply) {
    reply.set(set.size());
    set.for_each([&reply](std::string_view member) { reply.bulk(member); });
  });
}

void erase_if_empty(Call& call, size_t index, const types::SetValue& set) {
  if (set.view().size() == 0) call.erase_emptied(index);
}

}  // namespace roxdb::commands
