#include "containers/segment.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/memory.h"

namespace roxdb::containers {
namespace {

struct EmptySegment {
  Segment header;
  Bucket bucket;
};
constinit const EmptySegment kEmptySegment{
    {.count = 0, .limit = 0, .bucket_count = 1, .low = 0, .mark = kNoMark, .chain = nullptr}, {}};

}  // namespace

Segment* Segment::shared_empty() { return const_cast<Segment*>(&kEmptySegment.header); }

Segment* Segment::create(uint32_t lines, uint32_t low) {
  auto* segment = static_cast<Segment*>(memory::allocate_aligned(size_t{lines} * 64));
  std::memset(static_cast<void*>(segment), 0, size_t{lines} * 64);
  segment->limit = limit_of(lines);
  segment->bucket_count = lines - 1;
  segment->low = low;
  segment->mark = kNoMark;
  return segment;
}

void Segment::destroy(Segment* segment) {
  if (!segment->empty_shared()) memory::release(segment, size_t{segment->lines()} * 64);
}

uint32_t Segment::lines_for(uint32_t count, uint32_t lines_max) {
  for (const uint32_t lines : kSegmentLines) {
    if (lines >= lines_max) break;
    if (count <= fit_of(lines)) return lines;
  }
  return lines_max;
}

// `cell` in bucket `hole` was left by an item with this home. First each hole is filled with an
// item from further on whose path leads over it; that leaves a hole there, and so on to the end of
// the overflowed run. Then the filters from `home` to the end are computed anew.
void Segment::repair(uint32_t home, uint32_t hole, Cell* cell) {
  const auto steps_from_home = [this](const Cell& each, uint32_t bucket) {
    return distance(home_bucket(each.tag(), bucket_count), bucket);
  };
  uint32_t end = hole;
  while (buckets()[end].overflowed()) {
    end = next(end);
    for (Cell& candidate : buckets()[end].cells) {
      if (candidate.tag() == 0) continue;
      if (steps_from_home(candidate, end) < distance(hole, end)) continue;
      cell->word |= candidate.word & ~Cell::kFilter;
      candidate.word &= Cell::kFilter;
      cell = &candidate;
      hole = end;
      break;
    }
  }
  for (uint32_t i = home; i != end; i = next(i)) buckets()[i].clear_filter();
  for (uint32_t i = home; i != end;) {
    i = next(i);
    for (const Cell& each : buckets()[i].cells) {
      if (each.tag() == 0) continue;
      // What lies before `home` on an item's path has kept its filter.
      uint32_t steps = std::min(steps_from_home(each, i), distance(home, i));
      for (uint32_t before = i; steps > 0; --steps) {
        before = before == 0 ? bucket_count - 1 : before - 1;
        buckets()[before].pass(each.tag());
      }
    }
  }
}

void Segment::check() const {
  uint32_t used = 0;
  Bucket filters[kSegmentLinesMax] = {};  // what the items' paths ask for
  for (uint32_t i = 0; i < bucket_count; ++i) {
    for (const Cell& cell : buckets()[i].cells) {
      ROX_ASSERT((cell.word & Cell::kUpper) == 0);
      ROX_ASSERT((cell.tag() == 0) == (cell.pointer() == nullptr));
      if (cell.tag() == 0) continue;
      ++used;
      for (uint32_t b = home_bucket(cell.tag(), bucket_count); b != i; b = next(b)) {
        filters[b].pass(cell.tag());
      }
    }
  }
  ROX_ASSERT(used == count);
  ROX_ASSERT(count <= limit);
  for (uint32_t i = 0; i < bucket_count; ++i) {
    for (uint32_t j = 0; j < 8; ++j) {
      ROX_ASSERT((buckets()[i].cells[j].word & Cell::kFilter) == filters[i].cells[j].word);
    }
    ROX_ASSERT(!buckets()[i].overflowed() || buckets()[i].match(0) == 0);
  }
}

}  // namespace roxdb::containers
