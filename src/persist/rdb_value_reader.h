// rdb_value_reader.h: one value of the RDB format, in any of its forms, made into an entry.
//
// Files and payloads come from anywhere, so nothing is believed: counts, sizes, order, duplicates,
// NaN scores, pending records of two consumers. Every value is built as its type builds it, in the
// encoding that the limits of its home ask for, whichever the writer had.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "persist/rdb_format.h"
#include "persist/rdb_input.h"
#include "types/entry.h"
#include "types/stream.h"
#include "types/value_home.h"

namespace roxdb::persist {

// Whether the number is that of a value which read_rdb_value() knows.
bool is_rdb_value(uint8_t type, RdbDialect dialect);

// Reads what stands behind the number of a type and the key. `parts` brings key, expiry and access
// clock. Null: a collection without elements, which cannot be a value. Code::kCorrupt, kIo,
// kNoMemory. REQUIRES: is_rdb_value(type, dialect).
Result<types::Entry*> read_rdb_value(RdbInput& in, uint8_t type, RdbDialect dialect,
                                     const types::EntryParts& parts, const types::ValueHome& home);

// Frees an entry that was made and is not wanted, its value included.
void destroy_entry(const types::ValueHome& home, types::Entry* entry);

// The value of a stream. `stream` is empty before, and holds anything after an error.
Status read_rdb_stream(RdbInput& in, RdbType type, const types::ValueHome& home,
                       types::Stream& stream);

}  // namespace roxdb::persist
