// edit.h: what the commands of hashes share: reading and editing a hash whose fields may be due.
//
// Whoever finds a key has had the engine remove what is due in it, up to a bound. So that a field
// due beyond it is gone for every command all the same,
// - readers look through a HashView of this moment, which passes over it;
// - editors first remove it, if they name it, and say so in the log: replay knows no other time
//   than the log's.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/status.h"
#include "engine/call.h"
#include "types/hash_value.h"

namespace roxdb::commands {

// The hash at argument `index` as it is now; none when absent. kWrongType.
Result<std::optional<types::HashView>> read_hash(engine::Call& call, size_t index);

// The values of the fields that the arguments from `first` on name, nil where there is none.
// kReplyTooLarge; asked beforehand by who changes the hash while it replies.
Status reply_values(engine::Call& call, const std::optional<types::HashView>& hash, size_t first);
Status check_values(engine::Call& call, const types::HashView& hash, size_t first);

// Removes a field that an edit of the key at argument 1 names, if it is due.
void drop_if_due(engine::Call& call, types::HashValue& hash, std::string_view field);

// An edit may have left the hash at argument 1 empty: then the key goes, with its event.
void erase_if_empty(engine::Call& call, const types::HashValue& hash);

// An edit may have given fields of the hash at argument 1 an earlier expiry.
void note_expiry(engine::Call& call, const types::HashValue& hash);

}  // namespace roxdb::commands
