// rdb_reader.h: reads the files of Redis and Valkey (reliability F6).
//
//   "REDIS0011"  aux...  ( [expiry] [idle | freq] type key value | select db | ... )...  255  CRC64
//
// Versions REDIS 1 to 12 and VALKEY 80, others only when RdbTrust says so, and every type of value
// they know (rdb_value_reader.h); a module's data and a library of functions are refused by name,
// never skipped. The checksum is verified where the version has one and the writer made one.
// Entries go to their sink as they are read: an error behind them is found later, so a refused file
// leaves them there, as a snapshot does. A collection without elements, which some writers left
// behind, is passed over.
//
// The lengths of the file are announcements: nothing is allocated for bytes that have not come.
// Source: the format as Redis 8.0 and Valkey 9.1 write it.
#pragma once

#include <string>
#include <string_view>

#include "base/environment.h"
#include "persist/entry_sink.h"
#include "persist/snapshot.h"

namespace roxdb::persist {

inline constexpr size_t kRdbMagicBytes = 9;

// Whether a file that begins with these bytes is an RDB file, of whatever version.
bool is_rdb(std::string_view first_bytes);

// Reads all of `file` into `sink`; what became of it is in `result`. With options.salvage what was
// read before an error stays good, and the rest is one loss.
void load_rdb(File& file, const std::string& path, const LoadOptions& options, EntrySink& sink,
              LoadResult& result);

}  // namespace roxdb::persist
