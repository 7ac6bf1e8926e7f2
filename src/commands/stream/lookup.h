// lookup.h: the stream, the group and the consumer that a request names.
#pragma once

#include <string_view>

#include "base/status.h"
#include "engine/call.h"
#include "types/stream_value.h"

namespace roxdb::commands {

// The stream at a key for reading; null when absent. kWrongType.
inline Result<const types::Stream*> read_stream(engine::Call& call, size_t index) {
  ROX_TRY(const engine::Entry* entry, call.read(index, types::TypeId::kStream));
  return entry == nullptr ? nullptr : &types::stream_of(*entry);
}

// A word of the request in an error text: to Redis it ends at a NUL.
inline std::string_view shown(std::string_view word) { return word.substr(0, word.find('\0')); }

inline Status no_such_key_or_group(engine::Call& call, std::string_view key,
                                   std::string_view group) {
  return call.fail("NOGROUP No such key '{}' or consumer group '{}'", shown(key), shown(group));
}
inline Status no_such_group(engine::Call& call, std::string_view key, std::string_view group) {
  return call.fail("NOGROUP No such consumer group '{}' for key name '{}'", shown(group),
                   shown(key));
}

// The consumer of this name; created, announced and logged when it is new. `key`: of the stream.
inline types::Consumer* find_or_add_consumer(engine::Call& call, const types::ValueHome& home,
                                             types::Group& group, std::string_view key,
                                             std::string_view name) {
  if (types::Consumer* consumer = group.consumers().find(name); consumer != nullptr) {
    return consumer;
  }
  types::Consumer* consumer = group.add_consumer(home.slabs, name, call.now_ms());
  call.changed(call.db(), key, engine::event::kXGroupCreateConsumer);
  call.log_as({"XGROUP", "CREATECONSUMER", key, group.name(), name});
  return consumer;
}

}  // namespace roxdb::commands
