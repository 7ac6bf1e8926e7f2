// bounds.h: the texts that say which part of a sorted set is meant.
//
//   by rank   start stop        0 is the lowest, -1 the highest; both ends are in it
//   by score  1.5  (1.5  -inf   '(' leaves the bound itself out
//   by lex    [ab  (ab  -  +    members as bytes; '-' before all, '+' behind all
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "types/sorted_set_value.h"

namespace roxdb::commands {

enum class RangeKind : uint8_t { kRank, kScore, kLex };

// A range as it was asked for; where it lies in a set, range_in() says.
class Bounds {
 public:
  // "ERR value is not an integer or out of range", "ERR min or max is not a float", "ERR min or max
  // not valid string range item". Views the texts.
  static Result<Bounds> parse(RangeKind kind, std::string_view low, std::string_view high);

  // The range in a set; empty when there is none. For ranks, `downwards` counts from the highest.
  types::RankRange range_in(const types::SortedSetView& view, bool downwards = false) const;

 private:
  struct Border {
    int64_t rank = 0;
    double score = 0;
    std::string_view member = {};
    bool open = false;  // the bound itself is left out
    int infinity = 0;   // lex: -1 before all members, 1 behind them
  };
  static Result<Border> parse_border(RangeKind kind, std::string_view text);
  static size_t lex_rank(const types::SortedSetView& view, const Border& border, bool inclusive);

  RangeKind kind_ = RangeKind::kRank;
  Border low_;
  Border high_;
};

// LIMIT of a range: leaves out `offset` members, then takes `count`; all when that is negative.
struct Limit {
  int64_t offset = 0;
  int64_t count = -1;
  types::RankRange applied_to(types::RankRange range, bool downwards) const;
};

}  // namespace roxdb::commands
