// named_databases.h: for those who ask which databases a request names
// (CommandSpec::find_databases).
#pragma once

#include <climits>
#include <string_view>
#include <vector>

#include "base/numbers.h"

namespace roxdb::commands {

// What is no number of a database is nobody's: the command refuses it.
inline void add_database(std::string_view number, std::vector<int>& dbs) {
  const auto db = parse_int64(number);
  if (db && *db >= 0 && *db <= INT_MAX) dbs.push_back(static_cast<int>(*db));
}

}  // namespace roxdb::commands
