// source.h: what ZUNION and its kin compute with: a sorted set, or a set, whose members all have
// the score 1.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/call.h"
#include "types/sorted_set_value.h"

namespace roxdb::commands {

class ScoreSource {
 public:
  // Nothing, as an absent key has it.
  ScoreSource() = default;
  explicit ScoreSource(const types::SortedSetView& view) : sorted_set_(view) {}

  size_t size() const { return sorted_set_ ? sorted_set_->size() : 0; }
  std::optional<double> score(std::string_view member) const {
    return sorted_set_ ? sorted_set_->score(member) : std::nullopt;
  }
  // visit(std::string_view member, double score), in no order; the view is dead after the visit. A
  // visitor that returns a bool ends the walk with false.
  template <class Visitor>
  void visit(Visitor&& visitor) const {
    if (sorted_set_) sorted_set_->visit(sorted_set_->all(), visitor);
  }

 private:
  std::optional<types::SortedSetView> sorted_set_;
};

// The source at an argument; kWrongType when it is neither.
Result<ScoreSource> read_score_source(engine::Call& call, size_t index);

}  // namespace roxdb::commands
