// source.h: what ZUNION and its kin compute with: a sorted set, or a set, whose members all have
// the score 1.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <variant>

#include "engine/call.h"
#include "types/set_value.h"
#include "types/sorted_set_value.h"

namespace roxdb::commands {

class ScoreSource {
 public:
  // Nothing, as an absent key has it.
  ScoreSource() = default;
  explicit ScoreSource(const types::SortedSetView& view) : members_(view) {}
  explicit ScoreSource(const types::SetView& view) : members_(view) {}

  size_t size() const;
  std::optional<double> score(std::string_view member) const;
  // visit(std::string_view member, double score), in no order, until it says false; the view is
  // dead after the visit.
  template <class Visitor>
  void visit(Visitor&& visitor) const {
    if (const auto* sorted_set = std::get_if<types::SortedSetView>(&members_)) {
      sorted_set->visit(sorted_set->all(), visitor);
    } else if (const auto* set = std::get_if<types::SetView>(&members_)) {
      set->all_of([&](std::string_view member) { return visitor(member, kSetScore); });
    }
  }

 private:
  static constexpr double kSetScore = 1;

  std::variant<std::monostate, types::SortedSetView, types::SetView> members_;
};

// The source at an argument; kWrongType when it is neither.
Result<ScoreSource> read_score_source(engine::Call& call, size_t index);

}  // namespace roxdb::commands
