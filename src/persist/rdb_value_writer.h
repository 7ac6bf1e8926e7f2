// rdb_value_writer.h: one value in the RDB format, in the forms that Redis 7.0 reads.
//
// A form is the oldest that says all of a value, so that it travels everywhere: small collections
// as the listpacks and intsets they are in Redis too, large ones element by element. Only a hash of
// which fields expire needs a later one. Not said: when a consumer was last given something, which
// the format of 7.0 has no place for; and a pending record that was given back by its consumer
// belongs to one with the empty name.
#pragma once

#include <cstdint>
#include <optional>

#include "persist/rdb_format.h"
#include "persist/rdb_output.h"
#include "types/entry.h"
#include "types/stream.h"

namespace roxdb::persist {

// The number of the form a value is written in. `now_ms`: fields that are due by then are left out.
// None: the value has no other fields, or its type has no form.
std::optional<RdbType> rdb_type_of(const types::Entry& entry, int64_t now_ms);

// The lowest version of the format that knows the form.
constexpr uint16_t rdb_version_of(RdbType type) {
  return type >= RdbType::kHashExpiring ? kRdbVersionExpiringFields : kRdbVersion;
}

// Writes what stands behind the number and the key. REQUIRES: type == rdb_type_of(entry, now_ms).
// Beside the output it takes the memory of one node or one small collection.
void write_rdb_value(const types::Entry& entry, RdbType type, int64_t now_ms, RdbOutput& out);

// The value of a stream, as RdbType::kStream2.
void write_rdb_stream(const types::Stream& stream, RdbOutput& out);

}  // namespace roxdb::persist
