// record_reply.h: records of a stream as replies show them: [ID, [field, value, ...]].
#pragma once

#include "commands/shared/reply_measure.h"
#include "containers/record_log.h"
#include "resp/reply.h"
#include "types/stream.h"

namespace roxdb::commands {

// The most that so many records of a stream take in a reply.
uint64_t records_bytes_max(const types::Stream& stream, uint64_t records);

void reply_id(resp::Reply& reply, const containers::Id& id);
// Fields and values of the record the cursor stands on.
void reply_fields(resp::Reply& reply, const containers::RecordCursor& cursor);
// The record the cursor stands on.
void reply_record(resp::Reply& reply, const containers::RecordCursor& cursor);
// The record with this ID, or else nil in its place.
void reply_record(resp::Reply& reply, const types::Stream& stream, const containers::Id& id);
// The records of a range as an array; at most `count_max`, all when 0.
void reply_records(resp::Reply& reply, containers::RecordCursor cursor, uint64_t count_max);

}  // namespace roxdb::commands
