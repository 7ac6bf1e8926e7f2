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

void Segment::take_all(const Segment& from) {
  for (uint32_t i = 0; i < from.bucket_count; ++i) {
    for (const Cell& cell : from.buckets()[i].cells) {
      if (cell.tag() != 0) place(cell.tag(), cell.pointer());
    }
  }
}

uint32_t Segment::farthest(uint32_t bucket) const {
  uint32_t steps = 0;
  for (const Cell& cell : buckets()[bucket].cells) {
    if (cell.tag() == 0) continue;
    steps = std::max(steps, distance(home_bucket(cell.tag(), bucket_count), bucket));
  }
  return steps;
}

// `cell` in bucket `hole` was left by an item with this home. First each hole is filled with an
// item from further on whose path leads over it; that leaves a hole there, and so on to the end of
// the overflowed run. Then the flags from `home` on are computed anew, from the end backwards.
void Segment::repair(uint32_t home, uint32_t hole, Cell* cell) {
  uint32_t end = hole;
  while (buckets()[end].overflowed()) {
    end = next(end);
    for (Cell& candidate : buckets()[end].cells) {
      if (candidate.tag() == 0) continue;
      const uint32_t steps = distance(home_bucket(candidate.tag(), bucket_count), end);
      if (steps < distance(hole, end)) continue;
      cell->word |= candidate.word & ~Cell::kOverflowed;
      candidate.word &= Cell::kOverflowed;
      cell = &candidate;
      hole = end;
      break;
    }
  }
  // How many buckets before `i` lies the farthest home of the items in `i` or after it: nothing
  // passes over `end`, so the count starts there.
  uint32_t reach = 0;
  for (uint32_t i = end; i != home;) {
    reach = std::max(reach, farthest(i));
    i = i == 0 ? bucket_count - 1 : i - 1;
    buckets()[i].set_overflowed(reach > 0);
    if (reach > 0) --reach;
  }
}

void Segment::check() const {
  uint32_t used = 0;
  uint64_t passed = 0;  // bit b: an item's path leads over bucket b
  for (uint32_t i = 0; i < bucket_count; ++i) {
    for (const Cell& cell : buckets()[i].cells) {
      const bool last = &cell == &buckets()[i].cells[7];
      ROX_ASSERT((cell.word & 7 & ~(last ? Cell::kOverflowed : 0)) == 0);
      ROX_ASSERT((cell.tag() == 0) == (cell.pointer() == nullptr));
      if (cell.tag() == 0) continue;
      ++used;
      for (uint32_t b = home_bucket(cell.tag(), bucket_count); b != i; b = next(b)) {
        passed |= uint64_t{1} << b;
      }
    }
  }
  ROX_ASSERT(used == count);
  ROX_ASSERT(count <= limit);
  for (uint32_t i = 0; i < bucket_count; ++i) {
    ROX_ASSERT(buckets()[i].overflowed() == ((passed >> i & 1) != 0));
    ROX_ASSERT(!buckets()[i].overflowed() || buckets()[i].match(0) == 0);
  }
}

}  // namespace roxdb::containers
