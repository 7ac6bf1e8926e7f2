#include "commands/list/ends.h"

#include <algorithm>

#include "commands/shared/reply_measure.h"

namespace roxdb::commands {

using engine::Call;
using types::ListCursor;
using types::ListValue;

Result<End> read_end(Call& call, size_t index) {
  if (call.is(index, "LEFT")) return End::kLeft;
  if (call.is(index, "RIGHT")) return End::kRight;
  return engine::errors::kSyntax;
}

void pop(ListValue& list, End end, size_t count) {
  if (count != 1) return list.remove(end == End::kLeft ? 0 : list.size() - count, count);
  end == End::kLeft ? list.pop_front() : list.pop_back();
}

void reply_element(resp::Reply& reply, const ListCursor& cursor) {
  reply.bulk(containers::packed::Text(cursor.element()));
}

void popped(Call& call, size_t key_index, const ListValue& list, End end, size_t count) {
  const bool is_empty = list.size() == 0;
  call.changed(pop_event(end), key_index, static_cast<int64_t>(count));
  if (is_empty) call.erase_emptied(key_index);
}

Status pop_and_reply(Call& call, size_t key_index, ListValue& list, End end, size_t count,
                     bool shows_key) {
  const types::ListView view = list.view();
  count = std::min(count, view.size());
  const auto show = [&](resp::Reply& reply) {
    if (shows_key) {
      reply.array(2);
      reply.bulk(call.arg(key_index));
    }
    reply.array(count);
    ListCursor cursor = end_of(view, end);
    for (size_t i = 0; i < count; ++i, step_inwards(cursor, end)) reply_element(reply, cursor);
  };
  ROX_TRY(reply_measured(call, reply_bytes_of(count, view.bytes()), show));
  pop(list, end, count);
  popped(call, key_index, list, end, count);
  return kOk;
}

}  // namespace roxdb::commands
