// rdb_payload.h: one value as DUMP gives it and RESTORE takes it.
//
//   OFFSET  SIZE  MEANING
//   0       1     type, see rdb_format.h
//   1       ..    value
//   ..      2     version of the format, little endian: Redis's, or 80: Valkey's
//   ..      8     CRC64 of all before it, little endian; unlike in files, zero is no excuse
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "persist/rdb_format.h"
#include "types/entry.h"
#include "types/value_home.h"

namespace roxdb::persist {

// A payload that has a known version and its checksum, and is not read yet.
struct RdbPayload {
  std::string_view bytes;  // type and value
  RdbDialect dialect;
};

// Code::kCorrupt: too short, of a version that we do not read, or not what was written.
Result<RdbPayload> open_payload(std::string_view bytes, RdbTrust trust = {});

// The entry that the payload describes; `parts` brings key, expiry and access clock. Never null.
// Code::kCorrupt: not a value, a value without elements, or one of a module. Code::kNoMemory.
Result<types::Entry*> load_payload(const RdbPayload& payload, const types::EntryParts& parts,
                                   const types::ValueHome& home);

// Appends the payload of a value to `out`, which is empty; it is not made longer than `bytes_max`.
// kOk; Code::kNotFound: the value has no form, or nothing left by `now_ms`; Code::kNoMemory: it is
// longer than that.
Status make_payload(const types::Entry& entry, int64_t now_ms, size_t bytes_max, std::string& out);

}  // namespace roxdb::persist
