#include "commands/sorted_set/source.h"

namespace roxdb::commands {

Result<ScoreSource> read_score_source(engine::Call& call, size_t index) {
  const engine::Entry* entry = call.read(index);
  if (entry == nullptr) return ScoreSource();
  switch (entry->type()) {
    case types::TypeId::kSortedSet:
      return ScoreSource(types::SortedSetView(*entry));
    default:
      return engine::errors::kWrongType;
  }
}

}  // namespace roxdb::commands
