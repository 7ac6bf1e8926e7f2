#include "commands/sorted_set/bounds.h"

#include <algorithm>

#include "base/lenient_double.h"
#include "base/numbers.h"
#include "engine/errors.h"

namespace roxdb::commands {

using types::RankRange;
using types::SortedSetView;
namespace errors = engine::errors;

Result<Bounds::Border> Bounds::parse_border(RangeKind kind, std::string_view text) {
  Border border;
  if (kind == RangeKind::kRank) {
    const auto rank = parse_int64(text);
    if (!rank) return errors::kNotInteger;
    border.rank = *rank;
  } else if (kind == RangeKind::kScore) {
    border.open = text.starts_with('(');
    const std::string_view number = text.substr(border.open ? 1 : 0);
    const auto score = parse_double_leniently(number);
    if (!score) return user_error("ERR min or max is not a float");
    border.score = *score;
  } else if (text == "-" || text == "+") {
    border.infinity = text == "-" ? -1 : 1;
  } else {
    border.open = text.starts_with('(');
    if (!border.open && !text.starts_with('[')) {
      return user_error("ERR min or max not valid string range item");
    }
    border.member = text.substr(1);
  }
  return border;
}

Result<Bounds> Bounds::parse(RangeKind kind, std::string_view low, std::string_view high) {
  Bounds bounds;
  bounds.kind_ = kind;
  ROX_TRY(bounds.low_, parse_border(kind, low));
  ROX_TRY(bounds.high_, parse_border(kind, high));
  return bounds;
}

size_t Bounds::lex_rank(const SortedSetView& view, const Border& border, bool inclusive) {
  if (border.infinity != 0) return border.infinity < 0 ? 0 : view.size();
  return view.rank_of_member(border.member, inclusive);
}

RankRange Bounds::range_in(const SortedSetView& view, bool downwards) const {
  if (kind_ == RangeKind::kScore) {
    return {view.rank_of_score(low_.score, low_.open),
            view.rank_of_score(high_.score, !high_.open)};
  }
  if (kind_ == RangeKind::kLex) {
    return {lex_rank(view, low_, low_.open), lex_rank(view, high_, !high_.open)};
  }
  const auto size = static_cast<int64_t>(view.size());
  const auto place = [size](int64_t rank) {
    return rank < 0 ? std::max(rank, -size) + size : rank;
  };
  // A stop further below than the first member is before it; a start is that member.
  const int64_t first = place(low_.rank);
  const int64_t last = high_.rank < -size ? -1 : std::min(place(high_.rank), size - 1);
  if (first > last) return {};
  const auto begin = static_cast<size_t>(first);
  const auto end = static_cast<size_t>(last) + 1;
  return downwards ? RankRange{view.size() - end, view.size() - begin} : RankRange{begin, end};
}

RankRange Limit::applied_to(RankRange range, bool downwards) const {
  if (offset < 0 || range.empty()) return {};
  const size_t skipped = std::min(static_cast<uint64_t>(offset), uint64_t{range.size()});
  const size_t left = range.size() - skipped;
  const size_t taken = count < 0 ? left : std::min(static_cast<uint64_t>(count), uint64_t{left});
  if (downwards) return {range.last - skipped - taken, range.last - skipped};
  return {range.first + skipped, range.first + skipped + taken};
}

}  // namespace roxdb::commands
