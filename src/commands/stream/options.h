// options.h: what commands that delete records of a stream have in common.
//
//   trimming    MAXLEN [= | ~] count | MINID [= | ~] id, with ~ also LIMIT count
//   references  KEEPREF | DELREF | ACKED
//   a block     IDS count id...
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "commands/stream/id_argument.h"
#include "engine/call.h"
#include "types/stream.h"

namespace roxdb::commands {

std::optional<types::References> references_of(std::string_view word);
std::string_view word_of(types::References references);

struct AddOptions {
  types::StreamTrim trim;
  bool keeps_missing = false;  // NOMKSTREAM
  size_t id_index = 0;         // XADD: the argument with the ID
};

// Reads the options from argument 2 on: those of XADD up to its ID, or those of XTRIM to the end.
// Errors: "ERR syntax error" and those that tell which rule was broken.
Result<AddOptions> read_add_options(engine::Call& call);
Result<AddOptions> read_trim_options(engine::Call& call);

// The words that make a replay delete the same records, when `trim` deleted some.
std::vector<std::string> settled_trim(const types::StreamTrim& trim, const types::Stream& stream);

struct IdsOptions {
  types::References references = types::References::kKeep;
  size_t first_id = 0;
  size_t count = 0;
};

// Reads [KEEPREF | DELREF | ACKED] IDS count id... from argument `first` to the end.
Result<IdsOptions> read_ids_options(engine::Call& call, size_t first);

// Logs the request although no keyspace event says that anything changed: what a group notes about
// deliveries is no change of the key in the eyes of watchers, as in Redis.
void log_unannounced(engine::Call& call);

}  // namespace roxdb::commands
