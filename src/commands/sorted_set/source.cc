#include "commands/sorted_set/source.h"

namespace roxdb::commands {

size_t ScoreSource::size() const {
  if (const auto* sorted_set = std::get_if<types::SortedSetView>(&members_)) {
    return sorted_set->size();
  }
  const auto* set = std::get_if<types::SetView>(&members_);
  return set != nullptr ? set->size() : 0;
}

std::optional<double> ScoreSource::score(std::string_view member) const {
  if (const auto* sorted_set = std::get_if<types::SortedSetView>(&members_)) {
    return sorted_set->score(member);
  }
  const auto* set = std::get_if<types::SetView>(&members_);
  return set != nullptr && set->contains(member) ? std::optional(kSetScore) : std::nullopt;
}

Result<ScoreSource> read_score_source(engine::Call& call, size_t index) {
  const engine::Entry* entry = call.read(index);
  if (entry == nullptr) return ScoreSource();
  switch (entry->type()) {
    case types::TypeId::kSortedSet:
      return ScoreSource(types::SortedSetView(*entry));
    case types::TypeId::kSet:
      return ScoreSource(types::SetView(*entry));
    default:
      return engine::errors::kWrongType;
  }
}

}  // namespace roxdb::commands
