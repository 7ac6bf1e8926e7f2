// segment.h: one segment of a table: a small closed hash table in one allocation.
//
//   line 0     header: counts, mark, chain
//   line 1     bucket 0   | cell | cell | cell | cell | cell | cell | cell | cell |   64 bytes
//   ...                   63      48 47                                3  2      1 0
//   line n-1   bucket n-2     tag    |  address of an item, 8-aligned   | side | filter |
//
// n is one of kSegmentLines, and n * 64 is exactly a size class of jemalloc, so nothing is lost.
// The tag is 16 bits of the item's hash, never 0; a cell with tag 0 is free. The tag also says the
// home bucket, tag * buckets >> 16: a segment moves its cells to another size of segment, and
// repairs itself after a removal, without reading any item.
//
// An item goes to its home bucket or, when that is full, to the next one with room, wrapping. Each
// bucket that is passed over remembers it in its filter, 16 bits in the low bits of its cells, one
// of which the tag chooses; a lookup goes on to the next bucket only when its bit is set. So nearly
// always it reads one line, also for what is not there. A removal pulls back an item whose path
// leads over the hole and computes the filters anew, so churn leaves no trace.
//
// I1  An item with home h in bucket p: its bit is set in the filters of the buckets h .. p-1.
// I2  No other bits are set. So a bucket with a filter is full, and probing ends.
// I3  `count` is the number of cells in use, and at most `limit`, 88 % of all.
// I4  `mark` is at most the smallest mark of the items.
// Cost: averaged over the fillings of a growing table a lookup reads 1.16 lines for an item that is
// there and 1.13 for one that is not. (With a limit of 92 % it would be 1.22 and 1.25, for half a
// byte less per item.) Insert and remove touch the same lines and the header; a removal also the
// rest of its overflowed run. Never more than all 63.
//
// Source: linear probing into buckets, Knuth, TAOCP 3, 6.4; tags by SIMD as in Abseil's SwissTable;
// what was passed over is remembered per bucket as in Facebook's F14.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <cstddef>
#include <cstdint>

namespace roxdb::containers {

// The number of cache lines a segment may have. Up to 32 serve tables too small for more than one
// segment; a large table uses 40 to 64.
inline constexpr uint32_t kSegmentLines[] = {2, 4, 8, 16, 24, 32, 40, 48, 56, 64};
inline constexpr uint32_t kSegmentLinesMax = 64;
inline constexpr uint64_t kNoMark = UINT64_MAX;

// Where an item hangs. Valid until the next insert or erase of its table.
struct Cell {
  static constexpr uint64_t kAddress = 0x0000'ffff'ffff'fff8;
  static constexpr uint64_t kFilter = 3;  // two bits of the bucket's filter, not of the item
  static constexpr uint64_t kUpper = 4;   // while a segment splits: goes to the upper half

  uint64_t word;

  uint32_t tag() const { return static_cast<uint32_t>(word >> 48); }
  void* pointer() const { return reinterpret_cast<void*>(word & kAddress); }
  // The item moved: all else stays. REQUIRES: the pointer is aligned to 8.
  void set_pointer(const void* item) {
    word = (word & ~kAddress) | reinterpret_cast<uintptr_t>(item);
  }
};
static_assert(sizeof(Cell) == 8);

inline uint32_t tag_of(uint64_t hash) {
  const uint32_t tag = hash & 0xffff;
  return tag != 0 ? tag : 1;
}

// The home of a tag. Monotone in the tag whatever the bucket count: the SCAN cursor rests on it.
inline uint32_t home_bucket(uint32_t tag, uint32_t bucket_count) {
  return tag * bucket_count >> 16;
}

// The smallest tag at home in this bucket; 2^16 when there is none such.
inline uint32_t first_tag_of(uint32_t bucket, uint32_t bucket_count) {
  return ((bucket << 16) + bucket_count - 1) / bucket_count;
}

// GCC 12 takes a function that does nothing but prefetch for one without effect and drops the calls
// of it; the empty statement that it may not drop prevents that.
inline void prefetch_line(const void* address) {
  __builtin_prefetch(address);
  asm volatile("");
}

// The two lines an item's key is expected in.
inline void prefetch_item(const void* item) {
  prefetch_line(item);
  prefetch_line(static_cast<const char*>(item) + 64);
}

struct alignas(64) Bucket {
  Cell cells[8];

  // The cells with this tag (0: the free ones), as bits 3, 7, 11 ... 31 of a mask; see at().
  uint32_t match(uint32_t tag) const {
#if defined(__SSE2__)
    // 16-bit lanes: each cell shows its tag in the highest of its four, the others are noise that
    // the last step drops. SSE2 only, so that one binary runs everywhere.
    const __m128i wanted = _mm_set1_epi16(static_cast<short>(tag));
    const auto* pairs = reinterpret_cast<const __m128i*>(cells);
    const __m128i low = _mm_packs_epi16(_mm_cmpeq_epi16(_mm_load_si128(pairs), wanted),
                                        _mm_cmpeq_epi16(_mm_load_si128(pairs + 1), wanted));
    const __m128i high = _mm_packs_epi16(_mm_cmpeq_epi16(_mm_load_si128(pairs + 2), wanted),
                                         _mm_cmpeq_epi16(_mm_load_si128(pairs + 3), wanted));
    return (static_cast<uint32_t>(_mm_movemask_epi8(low)) |
            static_cast<uint32_t>(_mm_movemask_epi8(high)) << 16) &
           0x8888'8888u;
#else
    uint32_t mask = 0;
    for (uint32_t i = 0; i < 8; ++i) mask |= uint32_t{cells[i].tag() == tag} << (4 * i + 3);
    return mask;
#endif
  }
  // The first cell of a mask. REQUIRES: mask != 0.
  Cell* at(uint32_t mask) { return &cells[static_cast<uint32_t>(__builtin_ctz(mask)) >> 2]; }

  // Was an item passed on that could have this tag?
  bool passed(uint32_t tag) const { return (cells[tag & 7].word & filter_bit(tag)) != 0; }
  void pass(uint32_t tag) { cells[tag & 7].word |= filter_bit(tag); }
  static uint64_t filter_bit(uint32_t tag) { return uint64_t{1} << (tag >> 3 & 1); }
  bool overflowed() const {
    uint64_t any = 0;
    for (const Cell& cell : cells) any |= cell.word;
    return (any & Cell::kFilter) != 0;
  }
  void clear_filter() {
    for (Cell& cell : cells) cell.word &= ~Cell::kFilter;
  }
  void prefetch_items() const {
    for (const Cell& cell : cells) {
      if (cell.tag() != 0) prefetch_item(cell.pointer());
    }
  }
  void prefetch_heads() const {
    for (const Cell& cell : cells) {
      if (cell.tag() != 0) prefetch_line(cell.pointer());
    }
  }
};
static_assert(sizeof(Bucket) == 64);

// The header; the buckets follow it.
struct alignas(64) Segment {
  uint32_t count;         // cells in use
  uint32_t limit;         // of count; 0 only in the shared empty segment
  uint32_t bucket_count;  // n - 1
  uint32_t low;           // at this count or below a smaller form may do; see Table
  uint64_t mark;          // lower bound, kNoMark when no item has one
  Segment* chain;         // further segment of the same range when its items do not separate

  static Segment* create(uint32_t lines, uint32_t low);
  static void destroy(Segment* segment);
  // What a table without items points at: a lookup finds nothing and needs no test for it. It is
  // constant data; insert sees limit 0 and makes a real one.
  static Segment* shared_empty();

  // The most items a segment of so many lines takes, 88 % of its cells; the number it is created
  // for, 80 %, leaves room to grow; an existing segment is replaced at 70 % of the smaller one.
  static constexpr uint32_t limit_of(uint32_t lines) { return (lines - 1) * 8 * 88 / 100; }
  static constexpr uint32_t fit_of(uint32_t lines) { return (lines - 1) * 8 * 80 / 100; }
  static constexpr uint32_t shrink_of(uint32_t lines) { return (lines - 1) * 8 * 70 / 100; }
  static uint32_t lines_for(uint32_t count,
                            uint32_t lines_max);  // smallest that fits, or lines_max

  bool empty_shared() const { return limit == 0; }
  uint32_t lines() const { return bucket_count + 1; }
  Bucket* buckets() { return reinterpret_cast<Bucket*>(this + 1); }
  const Bucket* buckets() const { return reinterpret_cast<const Bucket*>(this + 1); }
  uint32_t next(uint32_t bucket) const { return bucket + 1 == bucket_count ? 0 : bucket + 1; }
  // Steps forward from `from` to `to`.
  uint32_t distance(uint32_t from, uint32_t to) const {
    return to >= from ? to - from : to + bucket_count - from;
  }
  bool holds(const Cell* cell) const {
    const auto* bucket = reinterpret_cast<const Bucket*>(cell);
    return bucket >= buckets() && bucket < buckets() + bucket_count;
  }

  // REQUIRES: count < limit, tag != 0.
  Cell* place(uint32_t tag, const void* item) {
    for (uint32_t i = home_bucket(tag, bucket_count);; i = next(i)) {
      Bucket& bucket = buckets()[i];
      if (const uint32_t free = bucket.match(0); free != 0) {
        Cell* cell = bucket.at(free);  // a bucket with room has no filter to keep
        cell->word = uint64_t{tag} << 48 | reinterpret_cast<uintptr_t>(item);
        ++count;
        return cell;
      }
      bucket.pass(tag);
    }
  }

  // REQUIRES: holds(cell), in use. Moves other cells.
  void remove(Cell* cell) {
    const auto bucket = static_cast<uint32_t>(reinterpret_cast<Bucket*>(cell) - buckets());
    const uint32_t home = home_bucket(cell->tag(), bucket_count);
    cell->word &= Cell::kFilter;
    --count;
    if (home != bucket || buckets()[bucket].overflowed()) repair(home, bucket, cell);
  }

  // Asserts I1 to I3.
  void check() const;

 private:
  void repair(uint32_t home, uint32_t hole, Cell* cell);
};
static_assert(sizeof(Segment) == 64);

// Fills a fresh segment, or a chain of them. Faster than place(), which would load again what it
// has just stored: here the room in each bucket is known without looking.
class SegmentFiller {
 public:
  explicit SegmentFiller(Segment* segment) : segment_(segment) {}

  // REQUIRES: there is room in the chain.
  void add(uint32_t tag, const void* item) {
    if (segment_->count == segment_->limit) *this = SegmentFiller(segment_->chain);
    uint32_t i = home_bucket(tag, segment_->bucket_count);
    while (used_[i] == 8) {
      segment_->buckets()[i].pass(tag);
      i = segment_->next(i);
    }
    Cell& cell = segment_->buckets()[i].cells[used_[i]++];
    cell.word = uint64_t{tag} << 48 | reinterpret_cast<uintptr_t>(item);
    ++segment_->count;
  }
  void add_all(const Segment& from) {
    for (uint32_t i = 0; i < from.bucket_count; ++i) {
      for (const Cell& cell : from.buckets()[i].cells) {
        if (cell.tag() != 0) add(cell.tag(), cell.pointer());
      }
    }
  }

 private:
  Segment* segment_;
  uint8_t used_[kSegmentLinesMax] = {};  // cells of each bucket
};

}  // namespace roxdb::containers
