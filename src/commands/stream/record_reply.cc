#include "commands/stream/record_reply.h"

#include "commands/stream/id_argument.h"

namespace roxdb::commands {

using containers::RecordCursor;
namespace packed = containers::packed;

uint64_t records_bytes_max(const types::Stream& stream, uint64_t records) {
  const auto [bytes, fields] = stream.log().record_bound();
  constexpr uint64_t kOtherParts = 5;  // heads, ID, and what XREADGROUP adds
  uint64_t bytes_max = 0;
  const bool overflows = __builtin_mul_overflow(
      records, reply_bytes_of(uint64_t{2} * fields + kOtherParts, bytes), &bytes_max);
  return overflows ? UINT64_MAX : bytes_max;
}

void reply_id(resp::Reply& reply, const Id& id) { reply.bulk(IdText(id)); }

void reply_fields(resp::Reply& reply, const RecordCursor& cursor) {
  reply.array(size_t{2} * cursor.record().fields);
  containers::FieldReader fields = cursor.fields();
  packed::Element field;
  packed::Element value;
  while (fields.next(field, value)) {
    reply.bulk(packed::Text(field));
    reply.bulk(packed::Text(value));
  }
}

void reply_record(resp::Reply& reply, const RecordCursor& cursor) {
  reply.array(2);
  reply_id(reply, cursor.id());
  reply_fields(reply, cursor);
}

void reply_record(resp::Reply& reply, const types::Stream& stream, const Id& id) {
  RecordCursor cursor(stream.log(), id, id);
  if (cursor.next()) {
    reply_record(reply, cursor);
  } else {
    reply.null();
  }
}

void reply_records(resp::Reply& reply, RecordCursor cursor, uint64_t count_max) {
  const resp::Reply::Open open = reply.open(resp::Reply::Aggregate::kArray);
  size_t count = 0;
  while ((count_max == 0 || count < count_max) && cursor.next()) {
    reply_record(reply, cursor);
    count++;
  }
  reply.close(open, count);
}

}  // namespace roxdb::commands
