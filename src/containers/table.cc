#include "containers/table.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "base/memory.h"

namespace roxdb::containers {
namespace {

constexpr uint64_t kHighestBit = uint64_t{1} << 63;
constexpr uint32_t kScanWhereShift = 64 - TableBase::kDepthMax;

uint64_t start_of_range(uint64_t hash, uint32_t depth) { return hash & ~(~uint64_t{0} >> depth); }

uint32_t next_lines(uint32_t lines) {
  return *std::upper_bound(std::begin(kSegmentLines), std::end(kSegmentLines), lines);
}

// The most items of two segments that merge: 60 % of the cells of a largest one.
uint32_t merge_items_max(uint32_t lines_max) { return (lines_max - 1) * 8 * 60 / 100; }

// The most items of a segment that a smaller one replaces; 0 for the smallest.
uint32_t shrink_items_max(uint32_t lines) {
  const uint32_t* form =
      std::lower_bound(std::begin(kSegmentLines), std::end(kSegmentLines), lines);
  return form == std::begin(kSegmentLines) ? 0 : Segment::shrink_of(form[-1]);
}

size_t count_with_chain(const Segment* segment) {
  size_t count = 0;
  for (; segment != nullptr; segment = segment->chain) count += segment->count;
  return count;
}

}  // namespace

// ---- life ----

TableBase::TableBase() { start_empty(); }

void TableBase::start_empty() {
  directories_ = &root_;
  size_ = 0;
  bytes_ = 0;
  root_ = {.words = &root_word_, .mark = kNoMark, .mask = 0, .bits = 0, .shift = 63};
  root_word_ = Word::of(Segment::shared_empty(), 0);
  top_shift_ = 63;
}

void TableBase::drop() {
  uint64_t at = 0;
  do {
    const Word word = word_of(at);
    destroy_segments(word.segment());
    at = end_of_range(at, word.depth());
  } while (at != 0);
  for (size_t i = 0; i < directory_count(); ++i) {
    release_words(directories_[i].words, size_t{directories_[i].mask} + 1);
  }
  if (directories_ != &root_) {
    memory::release(directories_, directory_count() * sizeof(Directory));
  }
}

void TableBase::clear() {
  drop();
  start_empty();
}

void TableBase::swap(TableBase& other) noexcept {
  std::swap(directories_, other.directories_);
  std::swap(size_, other.size_);
  std::swap(bytes_, other.bytes_);
  std::swap(root_, other.root_);
  std::swap(root_word_, other.root_word_);
  std::swap(top_shift_, other.top_shift_);
  std::swap(splits_max_, other.splits_max_);
  std::swap(cells_max_, other.cells_max_);
  std::swap(words_max_, other.words_max_);
  // Pointers into the object itself do not travel.
  for (TableBase* table : {this, &other}) {
    if (table->directories_ == &root_ || table->directories_ == &other.root_) {
      table->directories_ = &table->root_;
    }
    if (table->root_.words == &root_word_ || table->root_.words == &other.root_word_) {
      table->root_.words = &table->root_word_;
    }
  }
}

// ---- batches ----

void Lookahead::run() {
  size_t left = count_ > 1 ? count_ : 0;
  count_ = 0;
  for (size_t i = 0; i < left; ++i) {
    Lookup& lookup = lookups_[i];
    const TableBase::Word word = lookup.table->word_of(lookup.hash);
    lookup.bucket = TableBase::home_of(word, tag_of(lookup.hash));
    lookup.end = word.segment()->buckets() + word.bucket_count();
    prefetch_line(lookup.bucket);
  }
  // One lookup in six passes its home and goes another round.
  while (left > 0) {
    size_t passed = 0;
    for (size_t i = 0; i < left; ++i) {
      const Lookup lookup = lookups_[i];
      const uint32_t tag = tag_of(lookup.hash);
      uint32_t mask = lookup.bucket->match(tag);
      if (mask == 0) {
        if (!lookup.bucket->passed(tag)) {
          // It is not there: who means to insert it begins with the head of the segment.
          prefetch_line(lookup.table->word_of(lookup.hash).segment());
          continue;
        }
        if (lookup.bucket + 1 == lookup.end) continue;  // those that wrap are too few to follow
        prefetch_line(lookup.bucket + 1);
        lookups_[passed] = lookup;
        ++lookups_[passed++].bucket;
      }
      for (; mask != 0; mask &= mask - 1) prefetch_item(lookup.bucket->at(mask)->pointer());
    }
    left = passed;
  }
}

// ---- blocks ----

TableBase::Word* TableBase::allocate_words(size_t count) {
  const size_t size = count * sizeof(Word);
  bytes_ += memory::block_bytes(size);
  return static_cast<Word*>(memory::allocate(size));
}

void TableBase::release_words(Word* words, size_t count) {
  if (words == &root_word_) return;
  bytes_ -= memory::block_bytes(count * sizeof(Word));
  memory::release(words, count * sizeof(Word));
}

Segment* TableBase::create_segment(uint32_t lines, uint32_t lines_max) {
  bytes_ += memory::block_bytes(size_t{lines} * 64);
  return Segment::create(lines, std::max(shrink_items_max(lines), merge_items_max(lines_max) / 2));
}

Segment* TableBase::create_segments(size_t count, uint32_t lines_max) {
  if (count == 0) return Segment::shared_empty();
  const size_t largest = Segment::limit_of(lines_max);
  if (count <= largest) {
    return create_segment(Segment::lines_for(static_cast<uint32_t>(count), lines_max), lines_max);
  }
  Segment* chain = nullptr;
  for (size_t room = 0; room < count; room += largest) {
    Segment* segment = create_segment(lines_max, lines_max);
    segment->chain = chain;
    chain = segment;
  }
  return chain;
}

void TableBase::destroy_segments(Segment* segment) {
  if (segment->empty_shared()) return;
  while (segment != nullptr) {
    Segment* next = segment->chain;
    bytes_ -= memory::block_bytes(size_t{segment->lines()} * 64);
    Segment::destroy(segment);
    segment = next;
  }
}

// ---- directories ----

void TableBase::point(uint64_t hash, uint32_t depth, Segment* segment, TableWork& work) {
  const Word word = Word::of(segment, depth);
  const uint64_t start = start_of_range(hash, depth);
  Directory* directory = &directory_of(start);
  directory->mark = std::min(directory->mark, segment->mark);
  if (depth >= top_bits()) {
    const size_t count = size_t{1} << (directory->bits + top_bits() - depth);
    std::fill_n(directory->words + directory->index(start), count, word);
    work.words += static_cast<uint32_t>(count);
    return;
  }
  for (size_t rest = size_t{1} << (top_bits() - depth); rest > 0; --rest, ++directory) {
    std::fill_n(directory->words, size_t{directory->mask} + 1, word);
    work.words += directory->mask + 1;
  }
}

// Gives a directory 2^bits words, twice or half of what it has. REQUIRES when halving: no segment
// has one word only.
void TableBase::set_bits(Directory& directory, uint32_t bits, TableWork& work) {
  const size_t count = size_t{1} << bits;
  const Word first = directory.words[0];
  Word* words = bits == 0 && &directory == &root_ ? &root_word_ : allocate_words(count);
  if (bits > directory.bits) {
    for (size_t i = 0; i < count; ++i) words[i] = directory.words[i / 2];
  } else {
    for (size_t i = 1; i < count; ++i) words[i] = directory.words[i * 2];
    words[0] = first;
  }
  release_words(directory.words, size_t{directory.mask} + 1);
  directory.words = words;
  directory.mask = static_cast<uint32_t>(count - 1);
  directory.bits = static_cast<uint16_t>(bits);
  directory.shift = static_cast<uint16_t>(63 - top_bits() - bits);
  work.words += static_cast<uint32_t>(count);
}

void TableBase::double_directory(uint64_t hash, TableWork& work) {
  if (directories_ == &root_ && root_.bits == kRootBitsMax) deal_out(work);
  Directory& directory = directory_of(hash);
  set_bits(directory, directory.bits + 1u, work);
}

void TableBase::halve_directory(uint64_t hash, TableWork& work) {
  Directory& directory = directory_of(hash);
  const auto halvable = [&] {
    // Segments that have one word only come in pairs, so every second word tells.
    for (size_t i = 0; i <= directory.mask; i += 2) {
      if (directory.words[i].depth() == directory.bits + top_bits()) return false;
    }
    return true;
  };
  bool halved = false;
  while (directory.bits > 0 && halvable()) {
    set_bits(directory, directory.bits - 1u, work);
    halved = true;
  }
  if (halved && top_bits() != 0 &&
      std::all_of(directories_, directories_ + directory_count(),
                  [](const Directory& each) { return each.bits <= kGatherBitsMax; })) {
    gather(work);
  }
}

// Each of the 512 gets as many words as its own deepest segment asks for.
void TableBase::deal_out(TableWork& work) {
  constexpr uint32_t kShareBits = kRootBitsMax - kTopBits;
  constexpr size_t kShare = size_t{1} << kShareBits;
  const size_t size = (size_t{1} << kTopBits) * sizeof(Directory);
  bytes_ += memory::block_bytes(size);
  auto* directories = static_cast<Directory*>(memory::allocate(size));
  for (size_t i = 0; i < size_t{1} << kTopBits; ++i) {
    const Word* share = root_.words + i * kShare;
    uint32_t depth = kTopBits;
    for (size_t j = 0; j < kShare; ++j) depth = std::max(depth, share[j].depth());
    const uint32_t bits = depth - kTopBits;
    const size_t count = size_t{1} << bits;
    directories[i] = {.words = allocate_words(count),
                      .mark = root_.mark,
                      .mask = static_cast<uint32_t>(count - 1),
                      .bits = static_cast<uint16_t>(bits),
                      .shift = static_cast<uint16_t>(63 - depth)};
    for (size_t j = 0; j < count; ++j) {
      directories[i].words[j] = share[j << (kShareBits - bits)];
    }
  }
  work.words += root_.mask + 1;
  release_words(root_.words, size_t{root_.mask} + 1);
  root_.words = &root_word_;
  directories_ = directories;
  top_shift_ = 63 - kTopBits;
}

void TableBase::gather(TableWork& work) {
  constexpr uint32_t kBits = kTopBits + kGatherBitsMax;
  Word* words = allocate_words(size_t{1} << kBits);
  uint64_t mark = kNoMark;
  for (size_t i = 0; i < directory_count(); ++i) {
    const Directory& directory = directories_[i];
    for (size_t j = 0; j < size_t{1} << kGatherBitsMax; ++j) {
      words[(i << kGatherBitsMax) + j] = directory.words[j >> (kGatherBitsMax - directory.bits)];
    }
    mark = std::min(mark, directory.mark);
    release_words(directory.words, size_t{directory.mask} + 1);
  }
  const size_t size = directory_count() * sizeof(Directory);
  bytes_ -= memory::block_bytes(size);
  memory::release(directories_, size);
  root_ = {
      .words = words, .mark = mark, .mask = (1u << kBits) - 1, .bits = kBits, .shift = 63 - kBits};
  directories_ = &root_;
  top_shift_ = 63;
  work.words += 1u << kBits;
}

// ---- growth ----

Segment* TableBase::make_room(uint64_t hash, const ItemAccess& access) {
  TableWork work;
  for (;;) {
    const Word word = word_of(hash);
    Segment* segment = word.segment();
    while (segment->count == segment->limit && segment->chain != nullptr) segment = segment->chain;
    if (segment->count < segment->limit) {
      note(work);
      return segment;
    }
    if (segment->empty_shared()) {
      point(hash, word.depth(), create_segment(kSegmentLines[0], access.lines_max), work);
    } else if (segment->lines() < access.lines_max) {
      resize(hash, word, next_lines(segment->lines()), access.lines_max, work);
    } else if (!split(hash, word, access, work)) {
      extend_chain(hash, word, access.lines_max, work);
    }
  }
}

void TableBase::resize(uint64_t hash, Word word, uint32_t lines, uint32_t lines_max,
                       TableWork& work) {
  Segment* old = word.segment();
  Segment* segment = create_segment(lines, lines_max);
  segment->mark = old->mark;
  SegmentFiller(segment).add_all(*old);
  work.cells += old->count;
  point(hash, word.depth(), segment, work);
  destroy_segments(old);
}

// Splits the full segment over `hash`, with its chain, unless all of its items agree with `hash` in
// the first kDepthMax bits. The first pass reads the items and notes the side in their cells, so
// that the second reads no item.
bool TableBase::split(uint64_t hash, Word word, const ItemAccess& access, TableWork& work) {
  const uint64_t side = kHighestBit >> word.depth();
  uint64_t differing = 0;
  size_t counts[2] = {};
  uint64_t marks[2] = {kNoMark, kNoMark};
  for (Segment* segment = word.segment(); segment != nullptr; segment = segment->chain) {
    for (uint32_t i = 0; i < segment->bucket_count; ++i) {
      segment->buckets()[segment->next(i)].prefetch_items();
      for (Cell& cell : segment->buckets()[i].cells) {
        if (cell.tag() == 0) continue;
        const uint64_t item_hash = access.hash(access.owner, cell.pointer());
        const bool upper = (item_hash & side) != 0;
        differing |= item_hash ^ hash;
        ++counts[upper];
        marks[upper] = std::min(marks[upper], access.mark(access.owner, cell.pointer()));
        cell.word = (cell.word & ~Cell::kUpper) | (upper ? Cell::kUpper : 0);
      }
    }
  }
  const bool separable = differing >> (64 - kDepthMax) != 0;
  Segment* halves[2] = {};
  if (separable) {
    for (const size_t half : {0, 1}) {
      halves[half] = create_segments(counts[half], access.lines_max);
      if (counts[half] > 0) halves[half]->mark = marks[half];
    }
  }
  SegmentFiller fillers[2] = {SegmentFiller(halves[0]), SegmentFiller(halves[1])};
  for (Segment* segment = word.segment(); segment != nullptr; segment = segment->chain) {
    for (uint32_t i = 0; i < segment->bucket_count; ++i) {
      for (Cell& cell : segment->buckets()[i].cells) {
        const bool upper = (cell.word & Cell::kUpper) != 0;
        cell.word &= ~Cell::kUpper;
        if (!separable || cell.tag() == 0) continue;
        fillers[upper].add(cell.tag(), cell.pointer());
      }
    }
  }
  if (!separable) return false;
  work.cells += static_cast<uint32_t>(counts[0] + counts[1]);
  ++work.splits;
  if (word.depth() == directory_of(hash).bits + top_bits()) double_directory(hash, work);
  point(hash & ~side, word.depth() + 1, halves[0], work);
  point(hash | side, word.depth() + 1, halves[1], work);
  destroy_segments(word.segment());
  return true;
}

void TableBase::extend_chain(uint64_t hash, Word word, uint32_t lines_max, TableWork& work) {
  Segment* first = word.segment();
  Segment* member = create_segment(lines_max, lines_max);
  member->chain = first->chain;
  first->chain = member;
  point(hash, word.depth(), first, work);
}

// ---- shrinking ----

// `segment` has just lost an item of this hash and is at its `low` mark or below.
void TableBase::reduce(uint64_t hash, Segment* segment, uint32_t lines_max) {
  TableWork work;
  Word word = word_of(hash);
  if (word.chained()) {
    reduce_chain(hash, word, segment, work);
  } else {
    // A look at the buddy is a cache miss: only every eighth time, until few items are left. Empty
    // buddies merge all the way.
    if (segment->count % 8 == 0 || segment->count < 8) {
      while (merge(hash, lines_max, work) && word_of(hash).segment()->count == 0) {
      }
      word = word_of(hash);
      segment = word.segment();
    }
    if (segment->count == 0 && !segment->empty_shared()) {
      point(hash, word.depth(), Segment::shared_empty(), work);
      destroy_segments(segment);
    } else if (segment->count <= shrink_items_max(segment->lines())) {
      const uint32_t lines = Segment::lines_for(segment->count, lines_max);
      if (lines < segment->lines()) resize(hash, word, lines, lines_max, work);
    }
  }
  note(work);
}

// Merges the segment over `hash` with its buddy. False when there is none, or one too full.
bool TableBase::merge(uint64_t hash, uint32_t lines_max, TableWork& work) {
  const Word word = word_of(hash);
  const uint32_t depth = word.depth();
  if (depth == 0) return false;
  const Word buddy = word_of(hash ^ kHighestBit >> (depth - 1));
  if (buddy.depth() != depth || buddy.chained()) return false;
  Segment* const parts[2] = {word.segment(), buddy.segment()};
  const uint32_t count = parts[0]->count + parts[1]->count;
  if (count > merge_items_max(lines_max)) return false;
  Segment* merged = create_segments(count, lines_max);
  SegmentFiller filler(merged);
  for (const Segment* part : parts) {
    if (part->count == 0) continue;
    filler.add_all(*part);
    merged->mark = std::min(merged->mark, part->mark);
  }
  work.cells += count;
  point(hash, depth - 1, merged, work);
  for (Segment* part : parts) destroy_segments(part);
  if (depth == directory_of(hash).bits + top_bits()) halve_directory(hash, work);
  return true;
}

// Folds a member that became low into the first segment of its chain, or the second into the first
// when that became low itself, so that no chain stays long for few items.
void TableBase::reduce_chain(uint64_t hash, Word word, Segment* member, TableWork& work) {
  Segment* first = word.segment();
  if (member == first) member = first->chain;
  if (first->count + member->count > Segment::shrink_of(first->lines())) return;
  Segment* before = first;
  while (before->chain != member) before = before->chain;
  work.cells += member->count;
  for (uint32_t i = 0; i < member->bucket_count; ++i) {
    for (const Cell& cell : member->buckets()[i].cells) {
      if (cell.tag() != 0) first->place(cell.tag(), cell.pointer());
    }
  }
  before->chain = member->chain;
  member->chain = nullptr;
  destroy_segments(member);
  point(hash, word.depth(), first, work);
}

// ---- marks ----

void TableBase::lower_mark(uint64_t hash, uint64_t mark) {
  const Word word = word_of(hash);
  Segment* segment = word.segment();
  if (mark >= segment->mark) return;
  segment->mark = mark;
  Directory& directory = directory_of(start_of_range(hash, word.depth()));
  directory.mark = std::min(directory.mark, mark);
}

uint64_t TableBase::lowest_mark() const {
  uint64_t lowest = kNoMark;
  for (size_t i = 0; i < directory_count(); ++i) lowest = std::min(lowest, directories_[i].mark);
  return lowest;
}

bool TableBase::skip_unmarked(uint64_t& at, uint64_t limit) const {
  while (directory_of(at).mark > limit) {
    at = end_of_range(at, top_bits());
    if (at == 0) return false;
  }
  return true;
}

void TableBase::finish_marked(uint64_t at, uint64_t next) {
  Directory& directory = directory_of(at);
  if (next != 0 && &directory_of(next) == &directory) return;
  uint64_t mark = kNoMark;
  const Segment* last = nullptr;
  for (size_t i = 0; i <= directory.mask; ++i) {
    const Segment* segment = directory.words[i].segment();
    if (segment == last) continue;
    mark = std::min(mark, segment->mark);
    last = segment;
  }
  if (directory.mark != mark) directory.mark = mark;
}

// ---- scan and sample ----

TableBase::ScanPosition TableBase::decode_cursor(uint64_t cursor) {
  return {.where = cursor >> 21 << kScanWhereShift,
          .depth = static_cast<uint32_t>(cursor >> 16 & 31),
          .tag = static_cast<uint32_t>(cursor & 0xffff)};
}

uint64_t TableBase::encode_cursor(const ScanPosition& position) {
  return position.where >> kScanWhereShift << 21 | uint64_t{position.depth} << 16 | position.tag;
}

// A segment's part of the hashes says how many items it should hold. It is accepted in proportion
// to how many it does hold, 5/4 being certain, so that items in fuller segments are not neglected.
const Segment* TableBase::random_segment(Random& random) const {
  constexpr int kTries = 16;
  for (int i = 0; i < kTries; ++i) {
    const Word word = word_of(random.next());
    if (word.depth() == 0) return word.segment();
    const uint64_t density = uint64_t{count_with_chain(word.segment())} << word.depth();
    if (random.below(size_ + size_ / 4 + 1) < density) return word.segment();
  }
  for (uint64_t at = random.next();;) {
    const Word word = word_of(at);
    if (word.segment()->count > 0 || word.chained()) return word.segment();
    at = end_of_range(at, word.depth());
  }
}

Cell* TableBase::random_cell(Random& random) const {
  if (size_ == 0) return nullptr;
  const Segment* segment = random_segment(random);
  if (segment->chain != nullptr) {
    uint64_t index = random.below(count_with_chain(segment));
    while (index >= segment->count) {
      index -= segment->count;
      segment = segment->chain;
    }
  }
  Bucket* buckets = const_cast<Bucket*>(segment->buckets());
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; ++i) {
    const uint64_t index = random.below(uint64_t{segment->bucket_count} * 8);
    Cell* cell = &buckets[index / 8].cells[index % 8];
    if (cell->tag() != 0) return cell;
  }
  for (uint64_t index = random.below(segment->count);; ++buckets) {
    for (Cell& cell : buckets->cells) {
      if (cell.tag() != 0 && index-- == 0) return &cell;
    }
  }
}

// ---- statistics and checks ----

void TableBase::note(const TableWork& work) {
  const auto raise = [](auto& most, uint32_t now) {
    using Field = std::remove_reference_t<decltype(most)>;
    most = std::max(most,
                    static_cast<Field>(std::min<uint32_t>(now, std::numeric_limits<Field>::max())));
  };
  raise(cells_max_, work.cells);
  raise(words_max_, work.words);
  raise(splits_max_, work.splits);
}

TableWork TableBase::largest_work() const {
  return {.cells = cells_max_, .words = words_max_, .splits = splits_max_};
}

TableStatistics TableBase::statistics() const {
  TableStatistics sums{.items = size_, .directories = directory_count(), .bytes = bytes_};
  for (size_t i = 0; i < directory_count(); ++i) sums.words += size_t{directories_[i].mask} + 1;
  uint64_t at = 0;
  do {
    const Word word = word_of(at);
    at = end_of_range(at, word.depth());
    const Segment* segment = word.segment();
    if (segment->empty_shared()) continue;
    for (; segment != nullptr; segment = segment->chain) {
      ++sums.segments;
      sums.chained += segment != word.segment();
      sums.buckets += segment->bucket_count;
      for (uint32_t i = 0; i < segment->bucket_count; ++i) {
        sums.overflowed += segment->buckets()[i].overflowed();
      }
    }
  } while (at != 0);
  return sums;
}

void TableBase::check(const ItemAccess& access) const {
  size_t items = 0;
  size_t bytes =
      directories_ == &root_ ? 0 : memory::block_bytes(directory_count() * sizeof(Directory));
  uint64_t range_end = 0;  // of the segment that the last word pointed to
  Word range_word{};
  for (size_t i = 0; i < directory_count(); ++i) {
    const Directory& directory = directories_[i];
    const size_t words = size_t{directory.mask} + 1;
    ROX_ASSERT(words == size_t{1} << directory.bits);
    ROX_ASSERT(directory.shift == 63 - top_bits() - directory.bits);
    if (directory.words != &root_word_) bytes += memory::block_bytes(words * sizeof(Word));
    for (size_t j = 0; j < words; ++j) {
      const uint64_t at = i << 1 << top_shift_ | j << 1 << directory.shift;
      const Word word = directory.words[j];
      if (at != range_end) {
        ROX_ASSERT(word == range_word);
        continue;
      }
      ROX_ASSERT(word.depth() <= kDepthMax && word.depth() <= directory.bits + top_bits());
      ROX_ASSERT(start_of_range(at, word.depth()) == at);
      ROX_ASSERT(word == Word::of(word.segment(), word.depth()));
      range_word = word;
      range_end = end_of_range(at, word.depth());
      const uint64_t mark = word.segment()->mark;
      ROX_ASSERT(mark >= directory.mark);
      for (const Segment* segment = word.segment(); segment != nullptr; segment = segment->chain) {
        segment->check();
        items += segment->count;
        if (!segment->empty_shared()) bytes += memory::block_bytes(size_t{segment->lines()} * 64);
        ROX_ASSERT(!word.chained() || segment->lines() == access.lines_max);
        for (uint32_t b = 0; b < segment->bucket_count; ++b) {
          for (const Cell& cell : segment->buckets()[b].cells) {
            if (cell.tag() == 0) continue;
            const uint64_t hash = access.hash(access.owner, cell.pointer());
            ROX_ASSERT(cell.tag() == tag_of(hash));
            ROX_ASSERT(start_of_range(hash, word.depth()) == at);
            ROX_ASSERT(access.mark(access.owner, cell.pointer()) >= mark);
          }
        }
      }
    }
  }
  ROX_ASSERT(range_end == 0);
  ROX_ASSERT(items == size_);
  ROX_ASSERT(bytes == bytes_);
}

}  // namespace roxdb::containers
