// table.h: the one hash table: keyspace, sets, hashes and sorted sets. Extendible hashing.
//
//   hash   | top bits: directory | next bits: word of the directory | ...        | low 16: tag |
//
//   directories (1, or 512)     words (2^bits)           segments (segment.h)
//   +----------------------+    +-------------------+    +------------------------------+
//   | words, mark, bits    |--->| segment, buckets  |--->| header | 8 cells | 8 cells | ..
//   | ...                  |    | segment, buckets  |--->| header | 8 cells | ...
//   +----------------------+    +-------------------+    +------------------------------+
//                                                                  `--> item, owned by others
//
// A segment of depth d holds the items whose hashes agree in the first d bits. A full one grows,
// up to 64 lines, then splits in two; nothing else moves and no second table ever exists. A word
// carries the bucket count, so a lookup goes from it to the bucket's line with no step between.
// One directory serves up to 2^12 words; beyond, 512 of them, so that a doubling stays small.
//
// Bytes per item. Children of a split hold about 222 items in 40 lines: 2560 / 222 = 11.5. Each
// form is left when 88 % full: 48 lines 3072 / 275 = 11.2, 56 lines 3584 / 331 = 10.8, 64 lines
// 4096 / 388 = 10.6, and split at 4096 / 444 = 9.2. The directory adds 0.02 to 0.1. So it is below
// 12 at any size above some hundred items, and 10.2 on average; were all segments of 4 KiB, it
// would be 18.5 after each split.
//
// Work of one call, at the most (largest_work() shows what it was):
//   find     the buckets of one overflowed run, nearly always one
//   insert   growth: 387 cells moved, items untouched. Split: 443 items read, some 10 us; a split
//            that leaves one half empty is followed by another, at most kDepthMax in all. A
//            directory doubles: 2^8 words are usual at 20 million items, 2^16 the most. Once in a
//            table's life 2^12 words are dealt out to 512 directories.
//   erase    a merge of 302 cells, or a smaller form, items untouched; words as above
//   scan     kScanStepsMax empty homes
// Only a chain costs more: see below.
//
// Shrinking: a segment moves to a smaller form when that is at most 70 % full; two buddies merge
// when together they fill at most 60 % of a largest segment, which is looked at on every eighth
// erase below half of that and on the last eight; a directory halves when its deepest segments are
// gone. A split needs 88 % and leaves 44 %, so no pair of calls can go back and forth.
//
// Items that do not separate: when a segment is full and all its items and the new one agree in the
// first kDepthMax bits, it is chained to further segments of its range, until they do separate. A
// keyed hash never comes here; find, insert and erase then cost O(chain).
//
// SCAN. Cursor: | 0 | 25 bits: where in the hash order | 5 bits: depth | 16 bits: tag |. It claims:
// "visited is every lasting item (present from start to end) whose hash is below `where`, or
// whose first `depth` bits are those of `where` and whose tag is below `tag`". The claim is about
// hashes, so it stays true whatever splits, merges, grows or shrinks. A step finds the segment R
// over `where`:
// - R is as deep as the cursor, or deeper: visit the home bucket that `tag` falls in and go on at
//   the first tag of the next home, within R. Homes ascend with tags in every size of segment, so
//   all smaller tags of R are visited: the claim holds for (R, next tag).
// - R is shallower, its other part merged in: only the claim "below `where`" holds, and R starts
//   at or below `where`: go on as if at tag 0.
// - past the last home of R, everything below its end is visited: (end of R, tag 0).
// The end of the last segment is the end of the scan. A merge costs one segment visited again.
//
// Marks: the table knows no time, but serves those who do. An item may have a mark; a segment
// and a directory carry lower bounds, so that collect_marked() reads only what can be due.
//
// I1  Every word of a segment's range, and no other, points to it; its depth is at most kDepthMax.
// I2  All hashes of a segment agree in its first `depth` bits, and each cell's tag is its hash's.
// I3  size() is the sum of the counts; bytes() the sum of all blocks.
// I4  The mark of a segment is at most those of its items and of its chain's. The mark of the
//     directory where its range begins is at most its own.
// I5  Only a chained segment has a chain, and its members are of the largest size.
// and those of segment.h.
// Source: R. Fagin et al., "Extendible Hashing", ACM TODS 4(3), 1979; segments of cache-line
// buckets: B. Lu et al., "Dash", PVLDB 13(8), 2020.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/cycle_clock.h"
#include "base/random.h"
#include "containers/segment.h"

namespace roxdb::containers {

struct TableStatistics {
  size_t items = 0;
  size_t segments = 0;  // those of chains included
  size_t chained = 0;   // members of chains beyond the first
  size_t buckets = 0;
  size_t overflowed = 0;  // buckets that a lookup may have to pass
  size_t directories = 0;
  size_t words = 0;
  size_t bytes = 0;
};

// The largest work one insert or erase has done in the life of the table.
struct TableWork {
  uint32_t cells = 0;   // moved between segments
  uint32_t words = 0;   // written in directories
  uint32_t splits = 0;  // of segments
};

// What of the table needs not know the type of its items. Used through Table.
class TableBase {
 public:
  static constexpr uint32_t kDepthMax = 25;
  static constexpr size_t kScanStepsMax = 64;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // The bytes of segments and directories; not those of items. O(1).
  size_t bytes() const { return bytes_; }
  size_t segment_count() const { return statistics().segments; }
  TableStatistics statistics() const;  // O(buckets)
  TableWork largest_work() const;
  // An item of this hash now has this mark: lowers the bounds. REQUIRES: it is in the table.
  void lower_mark(uint64_t hash, uint64_t mark);
  // A lower bound of all marks; kNoMark when there is none. O(directories).
  uint64_t lowest_mark() const;

  // Asks for the lines where an item of this hash goes; for lookups see Lookahead.
  void prefetch(uint64_t hash) const {
    const Bucket* home = home_of(word_of(hash), tag_of(hash));
    prefetch_line(home);
    prefetch_line(home + 1);
  }

 protected:
  friend class Lookahead;

  // What a segment's split, a chain and the checks must know of items.
  struct ItemAccess {
    const void* owner;
    uint64_t (*hash)(const void* owner, const void* item);
    uint64_t (*mark)(const void* owner, const void* item);
    uint32_t lines_max;
  };

  // | 16 bits: bucket count | 42 bits: address of the segment | 1: chained | 5: depth |
  struct Word {
    static constexpr uint64_t kAddress = 0x0000'ffff'ffff'ffc0;
    uint64_t bits;

    static Word of(const Segment* segment, uint32_t depth) {
      return {uint64_t{segment->bucket_count} << 48 | reinterpret_cast<uintptr_t>(segment) |
              uint64_t{segment->chain != nullptr} << 5 | depth};
    }
    Segment* segment() const { return reinterpret_cast<Segment*>(bits & kAddress); }
    uint32_t bucket_count() const { return static_cast<uint32_t>(bits >> 48); }
    bool chained() const { return (bits & 32) != 0; }
    uint32_t depth() const { return bits & 31; }
    bool operator==(const Word&) const = default;
  };

  TableBase();
  ~TableBase() { drop(); }
  TableBase(const TableBase&) = delete;
  TableBase& operator=(const TableBase&) = delete;
  void swap(TableBase& other) noexcept;
  void clear();

  Word word_of(uint64_t hash) const {
    const Directory& directory = directory_of(hash);
    return directory.words[directory.index(hash)];
  }
  static Bucket* home_of(Word word, uint32_t tag) {
    return word.segment()->buckets() + home_bucket(tag, word.bucket_count());
  }
  // The first hash after the range that holds `hash`; 0 after the last.
  static uint64_t end_of_range(uint64_t hash, uint32_t depth) {
    return (hash | ~uint64_t{0} >> depth) + 1;
  }

  Cell* add(Segment* segment, uint64_t hash, const void* item, uint64_t mark) {
    ++size_;
    if (mark < segment->mark) lower_mark(hash, mark);
    return segment->place(tag_of(hash), item);
  }
  // A segment that takes one more item of this hash.
  Segment* make_room(uint64_t hash, const ItemAccess& access);
  void* remove(uint64_t hash, Cell* cell, uint32_t lines_max) {
    const Word word = word_of(hash);
    Segment* segment = word.segment();
    while (!segment->holds(cell)) segment = segment->chain;
    void* item = cell->pointer();
    segment->remove(cell);
    --size_;
    if (segment->count <= segment->low) reduce(hash, segment, lines_max);
    return item;
  }

  const Segment* random_segment(Random& random) const;
  Cell* random_cell(Random& random) const;
  void check(const ItemAccess& access) const;

  // Where a scan stands; see the note at the door.
  struct ScanPosition {
    uint64_t where;
    uint32_t depth;
    uint32_t tag;
  };
  static ScanPosition decode_cursor(uint64_t cursor);
  static uint64_t encode_cursor(const ScanPosition& position);

  // Collecting marks: moves `at` over directories that hold no mark up to `limit`; false at the
  // end of the table.
  bool skip_unmarked(uint64_t& at, uint64_t limit) const;
  // The segment over `at` is done, the next begins at `next`: on the way out of a directory its
  // mark is computed anew.
  void finish_marked(uint64_t at, uint64_t next);

 private:
  static constexpr uint32_t kTopBits = 9;
  static constexpr uint32_t kRootBitsMax = 12;   // of the only directory
  static constexpr uint32_t kGatherBitsMax = 2;  // of each of the 512, to become one again

  struct Directory {
    Word* words;
    uint64_t mark;
    uint32_t mask;   // count of words - 1
    uint16_t bits;   // log2 of the count
    uint16_t shift;  // 63 - bits above and in this directory; the hash is shifted by 1 before, so
                     // that no shift is by 64
    size_t index(uint64_t hash) const { return (hash >> 1 >> shift) & mask; }
  };

  Directory& directory_of(uint64_t hash) const { return directories_[hash >> 1 >> top_shift_]; }
  uint32_t top_bits() const { return 63u - top_shift_; }
  size_t directory_count() const { return size_t{1} << top_bits(); }
  void start_empty();
  void drop();

  Word* allocate_words(size_t count);
  void release_words(Word* words, size_t count);
  Segment* create_segment(uint32_t lines, uint32_t lines_max);
  // Segments for `count` items: the shared empty one, one that fits, or a chain of the largest.
  Segment* create_segments(size_t count, uint32_t lines_max);
  void destroy_segments(Segment* segment);  // with its chain

  // Points all words of a range to its segment.
  void point(uint64_t hash, uint32_t depth, Segment* segment, TableWork& work);
  void set_bits(Directory& directory, uint32_t bits, TableWork& work);
  void double_directory(uint64_t hash, TableWork& work);
  void halve_directory(uint64_t hash, TableWork& work);
  void deal_out(TableWork& work);  // one directory -> 512
  void gather(TableWork& work);    // and back

  void resize(uint64_t hash, Word word, uint32_t lines, uint32_t lines_max, TableWork& work);
  bool split(uint64_t hash, Word word, const ItemAccess& access, TableWork& work);
  bool merge(uint64_t hash, uint32_t lines_max, TableWork& work);
  void extend_chain(uint64_t hash, Word word, uint32_t lines_max, TableWork& work);
  void reduce_chain(uint64_t hash, Word word, Segment* member, TableWork& work);
  void reduce(uint64_t hash, Segment* segment, uint32_t lines_max);
  void note(const TableWork& work);

  Directory* directories_;  // &root_, or 512 of them
  size_t size_ = 0;
  size_t bytes_ = 0;
  Directory root_;  // words is &root_word_ while one is enough
  Word root_word_;
  uint8_t top_shift_ = 63;  // 63 - log2 of the count of directories
  uint8_t splits_max_ = 0;  // the largest work; these stop at their highest values
  uint16_t cells_max_ = 0;
  uint32_t words_max_ = 0;
};
static_assert(sizeof(TableBase) == 64);

// The lookups of a batch, gathered so that they wait for memory together: first all of them ask for
// their buckets, then all of them for their items. A prefetch is not free: like a load it holds its
// place in the processor's window until the page is found, and only what fits into that window
// overlaps. So nothing but the next prefetch stands behind one. Spread over the parsing and hashing
// of their requests, the same prefetches cost a GET among millions of keys a quarter more time.
class Lookahead {
 public:
  // REQUIRES: until run() the table does not change. The 65th lookup runs those before it.
  void add(const TableBase& table, uint64_t hash) {
    if (count_ == kLookups) run();
    lookups_[count_++] = {&table, hash, nullptr, nullptr};
  }
  // Asks for everything added since the last run. A single lookup has nothing to overlap with: for
  // it nothing is done.
  void run();

 private:
  struct Lookup {
    const TableBase* table;
    uint64_t hash;
    Bucket* bucket;  // where it stands
    Bucket* end;     // of the segment
  };
  static constexpr size_t kLookups = 64;  // their lines together are a third of the nearest cache

  size_t count_ = 0;
  Lookup lookups_[kLookups];
};

// The table of the items of one Owner, a small object held by value:
//
//   struct Owner {
//     using Item = ...;                      // aligned to 8
//     uint64_t hash(const Item&) const;      // of its key; all 64 bits should be good
//     bool equals(const Item&, std::string_view key) const;
//     uint64_t mark(const Item&) const;      // kNoMark when marks are not used
//     void grew(uint64_t cycles) const;      // an insert had to make room first; may be absent
//     static constexpr uint32_t kLinesMax = 64;  // may be absent; see kSegmentLines
//   };
//
// Debug builds split early unless the Owner says otherwise. The table owns segments, not items:
// whoever drops it has released them. An empty table allocates nothing. Not thread-safe; visitors
// must not insert or erase.
template <class Owner>
class Table : public TableBase {
 public:
  using Item = typename Owner::Item;

  Table() = default;
  explicit Table(Owner owner) : owner_(std::move(owner)) {}
  Table(Table&& other) noexcept : owner_(other.owner_) { TableBase::swap(other); }
  Table& operator=(Table&& other) noexcept {
    swap(other);
    return *this;
  }
  void swap(Table& other) noexcept {
    std::swap(owner_, other.owner_);
    TableBase::swap(other);
  }
  Owner& owner() { return owner_; }
  const Owner& owner() const { return owner_; }
  static Item* item(const Cell* cell) { return static_cast<Item*>(cell->pointer()); }

  // The cell of the item with this key; null when there is none.
  Cell* find(uint64_t hash, std::string_view key) const;
  // REQUIRES: no item has the key of this one; `hash` is what the Owner says of it.
  Cell* insert(uint64_t hash, Item* item) {
    Segment* segment = word_of(hash).segment();
    if (__builtin_expect(segment->count >= segment->limit, 0)) segment = grow(hash);
    return add(segment, hash, item, owner_.mark(*item));
  }
  // Takes the cell out and returns its item. REQUIRES: `cell` is that of an item with this hash.
  Item* erase(uint64_t hash, Cell* cell) {
    return static_cast<Item*>(remove(hash, cell, lines_max()));
  }
  // The item moved or was rebuilt with the same key. When its mark became smaller, lower_mark().
  void replace(Cell* cell, Item* item) { cell->set_pointer(item); }

  // Visits the items of one home bucket, visit(Item*), and returns where to go on, 0 at the end;
  // begins at 0. Passes at most kScanStepsMax empty homes, so it may visit nothing. Any cursor is
  // valid: what a client makes up leads somewhere. An item present during the whole of a scan is
  // visited at least once, others may be; some twice.
  template <class Visitor>
  uint64_t scan(uint64_t cursor, Visitor&& visit) const;

  // A random item, all about equally likely (each within some per cent, given a good hash); null
  // when empty. O(1) expected; O(segments) when nearly all segments are empty.
  Item* sample(Random& random) const {
    const Cell* cell = random_cell(random);
    return cell != nullptr ? item(cell) : nullptr;
  }
  // All items of a random segment, none when the table is empty: many candidates for one miss. The
  // visitor reads the head of each, its first bytes, and no more.
  template <class Visitor>
  void sample_segment(Random& random, Visitor&& visit) const;
  // All items, segments in the order of hashes. A visitor may release its item when the table is
  // cleared or dropped afterwards.
  template <class Visitor>
  void for_each(Visitor&& visit) const;

  // Appends items with mark <= limit to `found`, from `cursor` on (0: the start), until it holds
  // `items_max` or `segments_max` headers were read; returns where to go on, 0 at the end. May add
  // one segment's items more. The bounds forget what was found: the caller erases these items, or
  // calls lower_mark() for those that stay. REQUIRES: limit < kNoMark, the maxima are not 0.
  uint64_t collect_marked(uint64_t limit, uint64_t cursor, size_t items_max, size_t segments_max,
                          std::vector<Item*>& found);

  void clear() { TableBase::clear(); }  // drops segments and cells, not items. O(segments)
  void check() const { TableBase::check(access()); }

 private:
  static constexpr uint32_t lines_max() {
    if constexpr (requires { Owner::kLinesMax; }) {
      return Owner::kLinesMax;
    } else {
#if defined(ROX_DEBUG)
      return 8;
#else
      return kSegmentLinesMax;
#endif
    }
  }
  ItemAccess access() const {
    return {.owner = &owner_,
            .hash =
                [](const void* owner, const void* item) {
                  return static_cast<const Owner*>(owner)->hash(*static_cast<const Item*>(item));
                },
            .mark =
                [](const void* owner, const void* item) {
                  return static_cast<const Owner*>(owner)->mark(*static_cast<const Item*>(item));
                },
            .lines_max = lines_max()};
  }
  Segment* grow(uint64_t hash) {
    if constexpr (requires { owner_.grew(uint64_t{}); }) {
      const uint64_t began = cycles_now();
      Segment* const segment = make_room(hash, access());
      owner_.grew(cycles_now() - began);
      return segment;
    } else {
      return make_room(hash, access());
    }
  }
  Cell* find_in(Bucket* buckets, uint32_t bucket_count, uint32_t tag, std::string_view key) const;
  // Out of line: no keyed hash comes here.
  [[gnu::noinline]] Cell* find_in_chain(Segment* segment, uint32_t tag, std::string_view key) const;
  template <class Visitor>
  static size_t visit_home(const Segment* segment, uint32_t home, Visitor& visit);
  template <class Visitor>
  static void visit_segment(const Segment* segment, Visitor& visit);

  [[no_unique_address]] Owner owner_;
};

template <class Owner>
inline Cell* Table<Owner>::find_in(Bucket* buckets, uint32_t bucket_count, uint32_t tag,
                                   std::string_view key) const {
  for (Bucket* bucket = buckets + home_bucket(tag, bucket_count);;) {
    for (uint32_t mask = bucket->match(tag); mask != 0; mask &= mask - 1) {
      Cell* cell = bucket->at(mask);
      if (__builtin_expect(owner_.equals(*item(cell), key), 1)) return cell;
    }
    if (__builtin_expect(!bucket->passed(tag), 1)) return nullptr;
    if (++bucket == buckets + bucket_count) bucket = buckets;
  }
}

// The bucket count is taken from the word and not from the header, which is a line of its own.
template <class Owner>
inline Cell* Table<Owner>::find(uint64_t hash, std::string_view key) const {
  const Word word = word_of(hash);
  const uint32_t tag = tag_of(hash);
  Cell* cell = find_in(word.segment()->buckets(), word.bucket_count(), tag, key);
  if (__builtin_expect(!word.chained(), 1) || cell != nullptr) return cell;
  return find_in_chain(word.segment()->chain, tag, key);
}

template <class Owner>
Cell* Table<Owner>::find_in_chain(Segment* segment, uint32_t tag, std::string_view key) const {
  for (; segment != nullptr; segment = segment->chain) {
    Cell* cell = find_in(segment->buckets(), segment->bucket_count, tag, key);
    if (cell != nullptr) return cell;
  }
  return nullptr;
}

template <class Owner>
template <class Visitor>
size_t Table<Owner>::visit_home(const Segment* segment, uint32_t home, Visitor& visit) {
  size_t visited = 0;
  for (; segment != nullptr; segment = segment->chain) {
    for (uint32_t i = home;; i = segment->next(i)) {
      const Bucket& bucket = segment->buckets()[i];
      for (const Cell& cell : bucket.cells) {
        if (cell.tag() == 0 || home_bucket(cell.tag(), segment->bucket_count) != home) continue;
        visit(item(&cell));
        ++visited;
      }
      if (!bucket.overflowed()) break;
    }
  }
  return visited;
}

template <class Owner>
template <class Visitor>
uint64_t Table<Owner>::scan(uint64_t cursor, Visitor&& visit) const {
  ScanPosition position = decode_cursor(cursor);
  for (size_t steps = 0; steps < kScanStepsMax; ++steps) {
    const Word word = word_of(position.where);
    if (word.depth() < position.depth) position.tag = 0;
    const uint32_t home = home_bucket(position.tag, word.bucket_count());
    const size_t visited = visit_home(word.segment(), home, visit);
    position.depth = word.depth();
    position.tag = first_tag_of(home + 1, word.bucket_count());
    if (home + 1 == word.bucket_count()) {
      position = {.where = end_of_range(position.where, word.depth()), .depth = 0, .tag = 0};
      if (position.where == 0) return 0;
    }
    if (visited > 0) break;
  }
  return encode_cursor(position);
}

// The items of the next bucket are asked for while those of this one are visited.
template <class Owner>
template <class Visitor>
void Table<Owner>::visit_segment(const Segment* segment, Visitor& visit) {
  for (; segment != nullptr; segment = segment->chain) {
#if defined(ROX_DEBUG)
    uint32_t bucket = segment->count % segment->bucket_count;  // nobody may rely on an order
#else
    uint32_t bucket = 0;
#endif
    segment->buckets()[bucket].prefetch_items();
    for (uint32_t i = 0; i < segment->bucket_count; ++i) {
      const uint32_t following = segment->next(bucket);
      segment->buckets()[following].prefetch_items();
      for (const Cell& cell : segment->buckets()[bucket].cells) {
        if (cell.tag() != 0) visit(item(&cell));
      }
      bucket = following;
    }
  }
}

// Heads come from all over the memory: two buckets of them are under way while a third is visited.
template <class Owner>
template <class Visitor>
void Table<Owner>::sample_segment(Random& random, Visitor&& visit) const {
  if (empty()) return;
  for (const Segment* segment = random_segment(random); segment != nullptr;
       segment = segment->chain) {
    constexpr uint32_t kAhead = 2;
    const Bucket* const buckets = segment->buckets();
    const uint32_t count = segment->bucket_count;
    for (uint32_t i = 0; i < std::min(kAhead, count); ++i) buckets[i].prefetch_heads();
    for (uint32_t i = 0; i < count; ++i) {
      if (i + kAhead < count) buckets[i + kAhead].prefetch_heads();
      for (const Cell& cell : buckets[i].cells) {
        if (cell.tag() != 0) visit(item(&cell));
      }
    }
  }
}

template <class Owner>
template <class Visitor>
void Table<Owner>::for_each(Visitor&& visit) const {
  uint64_t at = 0;
  do {
    const Word word = word_of(at);
    visit_segment(word.segment(), visit);
    at = end_of_range(at, word.depth());
  } while (at != 0);
}

template <class Owner>
uint64_t Table<Owner>::collect_marked(uint64_t limit, uint64_t cursor, size_t items_max,
                                      size_t segments_max, std::vector<Item*>& found) {
  uint64_t at = cursor;
  do {
    if (!skip_unmarked(at, limit)) return 0;
    const Word word = word_of(at);
    Segment* segment = word.segment();
    if (segment->mark <= limit) {
      uint64_t smallest = kNoMark;
      auto collect = [&](Item* item) {
        const uint64_t mark = owner_.mark(*item);
        if (mark <= limit) {
          found.push_back(item);
        } else if (mark < smallest) {
          smallest = mark;
        }
      };
      visit_segment(segment, collect);
      segment->mark = smallest;
    }
    const uint64_t next = end_of_range(at, word.depth());
    finish_marked(at, next);
    at = next;
  } while (at != 0 && found.size() < items_max && --segments_max > 0);
  return at;
}

}  // namespace roxdb::containers
