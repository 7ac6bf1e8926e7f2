// members.h: what the commands of sets share.
#pragma once

#include <cstddef>
#include <optional>

#include "base/status.h"
#include "engine/call.h"
#include "types/set_value.h"

namespace roxdb::commands {

// The set at argument `index`; none when absent. kWrongType.
Result<std::optional<types::SetView>> read_set(engine::Call& call, size_t index);

// All members. kReplyTooLarge.
Status reply_members(engine::Call& call, const types::SetView& set);

// An edit may have left the set at argument `index` empty: then the key goes, with its event.
void erase_if_empty(engine::Call& call, size_t index, const types::SetValue& set);

}  // namespace roxdb::commands
