#include "types/sorted_set_value.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <string>

#include "base/assert.h"
#include "base/limits.h"
#include "types/packed_bytes.h"

namespace roxdb::types {
namespace {

namespace packed = containers::packed;
using containers::ScoredItem;
using Outcome = Added::Outcome;

constexpr size_t kCountBytes = sizeof(uint32_t);
constexpr char kDoubleMark = 'd';
constexpr uint64_t kLongScore = 1;
constexpr Status kNotSaved{Code::kCorrupt, 0, "not a saved sorted set"};

SortedSetEncoding encoding_of(const Entry& entry) {
  return static_cast<SortedSetEncoding>(entry.encoding());
}

LargeSortedSet* large_of(uint64_t payload) {
  return reinterpret_cast<LargeSortedSet*>(static_cast<uintptr_t>(payload));
}

uint32_t read_count(std::string_view bytes) {
  uint32_t count;
  std::memcpy(&count, bytes.data(), sizeof count);
  return count;
}

// The integer that is the same number, sign of zero included.
std::optional<int64_t> integral(double score) {
  constexpr double kLimit = 0x1p63;
  if (!(score >= -kLimit && score < kLimit)) return std::nullopt;
  const auto integer = static_cast<int64_t>(score);
  if (static_cast<double>(integer) != score || (integer == 0 && std::signbit(score))) {
    return std::nullopt;
  }
  return integer;
}

// A score on its way into a packed set.
class PackedScore {
 public:
  explicit PackedScore(double score) : encoded_(encode(score)) {}
  PackedScore(const PackedScore&) = delete;
  PackedScore& operator=(const PackedScore&) = delete;
  size_t size() const { return encoded_.size(); }
  char* write(char* out) const { return encoded_.write(out); }

 private:
  packed::Encoded encode(double score) {
    if (const auto integer = integral(score)) return packed::Encoded(*integer);
    auto bits = std::bit_cast<uint64_t>(score);
    size_t size = 0;
    text_[size++] = kDoubleMark;
    for (; bits != 0; bits <<= 8) text_[size++] = static_cast<char>(bits >> 56);
    return packed::Encoded(std::string_view(text_, size));
  }

  char text_[1 + sizeof(double)];
  packed::Encoded encoded_;
};

bool comes_before(double score, std::string_view member, double other_score,
                  std::string_view other_member) {
  if (score != other_score) return score < other_score;
  return member < other_member;
}

// What the rule makes of the score of a member that is there; none: it stays.
std::optional<Added> decide(double old_score, double& score, AddRule rule) {
  if (rule.only_new) return Added{Outcome::kRefused, 0};
  if (rule.increment) {
    score += old_score;
    if (std::isnan(score)) return Added{Outcome::kNotNumber, 0};
  }
  if ((rule.only_less && score >= old_score) || (rule.only_greater && score <= old_score)) {
    return Added{Outcome::kRefused, 0};
  }
  if (score == old_score) return Added{Outcome::kSame, old_score};
  return std::nullopt;
}

void release_large(LargeSortedSet* large, memory::BlockSink& sink) {
  const auto give = [&sink](void* block, size_t size) { sink.give(block, size); };
  large->table.for_each([&](ScoredItem* item) { give(item, item->size()); });
  large->order.clear(give);
  large->~LargeSortedSet();
  give(large, sizeof(LargeSortedSet));
}

LargeSortedSet* create_large(const ValueHome& home) {
  return new (home.slabs.take(sizeof(LargeSortedSet))) LargeSortedSet(home.secret);
}

// The entry that holds a large set. `parts` may be those of the packed entry before.
Entry* create_large_entry(const ValueHome& home, EntryParts parts, LargeSortedSet* large) {
  parts.type = TypeId::kSortedSet;
  parts.encoding = static_cast<uint8_t>(SortedSetEncoding::kLarge);
  parts.inline_bytes = {};
  parts.has_payload = true;
  parts.payload = reinterpret_cast<uintptr_t>(large);
  return Entry::create(home.slabs, parts);
}

Entry* create_packed_entry(const ValueHome& home, EntryParts parts, std::string_view bytes) {
  parts.type = TypeId::kSortedSet;
  parts.encoding = static_cast<uint8_t>(SortedSetEncoding::kPacked);
  return PackedBytes::create(home.slabs, parts, bytes);
}

// May a packed set of `count` members in `bytes` bytes take this one?
bool fits_packed(const Limits& limits, uint64_t count, size_t bytes, std::string_view member) {
  constexpr size_t kPairBytesMax = kStringBytesMax + 32;
  return member.size() <= limits.zset_packed_value_bytes &&
         count < static_cast<uint64_t>(limits.zset_packed_entries) &&
         bytes <= kPackedBytesMax - kPairBytesMax;
}

// ---- saved form ----

uint64_t zigzag(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}

int64_t unzigzag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

std::optional<uint64_t> short_form(double score) {
  const auto integer = integral(score);
  if (!integer) return std::nullopt;
  const uint64_t word = zigzag(*integer);
  if (word >> 63 != 0) return std::nullopt;
  return word << 1;
}

void save_score(double score, ValueWriter& out) {
  if (const auto word = short_form(score)) {
    out.varint(*word);
  } else {
    out.varint(kLongScore);
    out.word(std::bit_cast<uint64_t>(score));
  }
}

Result<double> load_score(ValueReader& in) {
  ROX_TRY(const uint64_t head, in.varint());
  if (head % 2 == 0) {
    const auto score = static_cast<double>(unzigzag(head >> 1));
    if (short_form(score) != head) return kNotSaved;  // no double is this integer
    return score;
  }
  if (head != kLongScore) return kNotSaved;
  ROX_TRY(const uint64_t bits, in.word());
  const auto score = std::bit_cast<double>(bits);
  if (std::isnan(score) || short_form(score)) return kNotSaved;
  return score;
}

// A set that is being loaded: packed as long as it may be, then large. Members arrive in order.
class Loader {
 public:
  explicit Loader(const ValueHome& home) : home_(home), bytes_(kCountBytes, '\0') {}
  ~Loader() {
    if (large_ == nullptr) return;
    memory::SlabSink sink(home_.slabs);
    release_large(large_, sink);
  }
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  Status add(std::string_view member, double score) {
    if (count_ > 0 && !comes_before(last_score_, last_member_, score, member)) return kNotSaved;
    last_score_ = score;
    last_member_ = member;
    if (large_ == nullptr && !fits_packed(home_.limits, count_, bytes_.size(), member)) {
      ROX_TRY(grow_large());
    }
    ++count_;
    if (large_ != nullptr) return insert_large(member, score);
    const packed::Encoded encoded(member);
    const PackedScore packed_score(score);
    const size_t size = bytes_.size();
    bytes_.resize(size + encoded.size() + packed_score.size());
    packed_score.write(encoded.write(bytes_.data() + size));
    return kOk;
  }

  Result<Entry*> finish(const EntryParts& parts) {
    if (large_ != nullptr) return create_large_entry(home_, parts, std::exchange(large_, nullptr));
    ROX_TRY(check_distinct());
    const auto count = static_cast<uint32_t>(count_);
    std::memcpy(bytes_.data(), &count, sizeof count);
    return create_packed_entry(home_, parts, bytes_);
  }

 private:
  Status insert_large(std::string_view member, double score) {
    const uint64_t hash = hash_bytes(member, home_.secret);
    if (large_->table.find(hash, member) != nullptr) return kNotSaved;
    large_->insert(home_.slabs, hash, member, score);
    return kOk;
  }

  Status grow_large() {
    large_ = create_large(home_);
    const std::string_view pairs = std::string_view(bytes_).substr(kCountBytes);
    for (size_t offset = 0; offset < pairs.size();) {
      const packed::Element member = packed::read(pairs, offset);
      const packed::Element score = packed::read(pairs, member.next());
      ROX_TRY(insert_large(packed::Text(member), packed_score(score)));
      offset = score.next();
    }
    return kOk;
  }

  // Equal members have equal bytes, and their order here does not matter.
  Status check_distinct() const {
    const std::string_view pairs = std::string_view(bytes_).substr(kCountBytes);
    std::vector<std::string_view> members;
    members.reserve(count_);
    for (size_t offset = 0; offset < pairs.size(); offset = packed::skip(pairs, offset, 2)) {
      members.push_back(pairs.substr(offset, packed::size_at(pairs.data() + offset)));
    }
    std::sort(members.begin(), members.end());
    const bool distinct = std::adjacent_find(members.begin(), members.end()) == members.end();
    return distinct ? kOk : kNotSaved;
  }

  const ValueHome& home_;
  std::string bytes_;  // of a packed set
  LargeSortedSet* large_ = nullptr;
  uint64_t count_ = 0;
  double last_score_ = 0;
  std::string last_member_;
};

class SortedSetType final : public ValueType {
 public:
  TypeId id() const override { return TypeId::kSortedSet; }
  std::string_view name() const override { return "zset"; }
  std::string_view encoding_name(const Entry& entry) const override {
    return encoding_of(entry) == SortedSetEncoding::kPacked ? "listpack" : "skiplist";
  }

  size_t size(const Entry& entry) const override { return SortedSetView(entry).size(); }
  size_t payload_bytes(const Entry& entry, size_t /*samples*/) const override {
    if (encoding_of(entry) == SortedSetEncoding::kPacked) return PackedBytes::payload_bytes(entry);
    const LargeSortedSet& large = *large_of(entry.payload());
    return memory::Slabs::occupied(sizeof large) + large.table.bytes() + large.order.bytes() +
           large.item_bytes;
  }
  size_t free_effort(const Entry& entry) const override {
    if (encoding_of(entry) == SortedSetEncoding::kPacked) return 1;
    return large_of(entry.payload())->order.size();
  }
  void release_payload(uint64_t payload, uint8_t encoding, memory::BlockSink& sink) const override {
    if (encoding == static_cast<uint8_t>(SortedSetEncoding::kPacked)) {
      PackedBytes::release(payload, sink);
    } else {
      release_large(large_of(payload), sink);
    }
  }

  void look_ahead(const Entry& entry, std::string_view member,
                  containers::Lookahead& ahead) const override {
    if (encoding_of(entry) == SortedSetEncoding::kPacked) return PackedBytes::look_ahead(entry);
    const auto& table = large_of(entry.payload())->table;
    ahead.add(table, hash_bytes(member, *table.owner().secret));
  }

  std::optional<containers::TableStatistics> table_statistics(const Entry& entry) const override {
    if (encoding_of(entry) == SortedSetEncoding::kPacked) return std::nullopt;
    return large_of(entry.payload())->table.statistics();
  }

  void save(const Entry& entry, ValueWriter& out) const override {
    const SortedSetView view(entry);
    out.varint(view.size());
    view.visit(view.all(), [&](std::string_view member, double score) {
      save_score(score, out);
      out.text(member);
    });
  }

  Result<Entry*> load(ValueReader& in, EntryParts parts, const ValueHome& home) const override {
    ROX_TRY(const uint64_t count, in.varint());
    if (count == 0) return kNotSaved;
    Loader loader(home);
    std::string member;
    for (uint64_t i = 0; i < count; ++i) {
      ROX_TRY(const double score, load_score(in));
      ROX_TRY(in.text(member, kStringBytesMax));
      ROX_TRY(loader.add(member, score));
    }
    return loader.finish(parts);
  }

  Entry* copy(const Entry& entry, EntryParts parts, const ValueHome& home) const override {
    if (encoding_of(entry) == SortedSetEncoding::kPacked) {
      return create_packed_entry(home, parts, PackedBytes::of(entry));
    }
    LargeSortedSet* large = create_large(home);
    const SortedSetView view(entry);
    view.visit(view.all(), [&](std::string_view member, double score) {
      large->insert(home.slabs, hash_bytes(member, home.secret), member, score);
    });
    return create_large_entry(home, parts, large);
  }
};

}  // namespace

double packed_score(const packed::Element& element) {
  if (element.is_integer()) return static_cast<double>(element.integer());
  uint64_t bits = 0;
  unsigned shift = 64;
  for (const char byte : element.text().substr(1)) {
    shift -= 8;
    bits |= uint64_t{static_cast<unsigned char>(byte)} << shift;
  }
  return std::bit_cast<double>(bits);
}

void LargeSortedSet::insert(memory::Slabs& slabs, uint64_t hash, std::string_view member,
                            double score) {
  ScoredItem* item = ScoredItem::create(slabs, score, member);
  table.insert(hash, item);
  order.insert(slabs, item);
  item_bytes += memory::Slabs::occupied(item->size());
}

ScoredItem* LargeSortedSet::find(std::string_view member) const {
  const containers::Cell* cell = table.find(hash_bytes(member, *table.owner().secret), member);
  return cell != nullptr ? table.item(cell) : nullptr;
}

// ---- reading ----

SortedSetView::SortedSetView(const Entry& entry) {
  if (encoding_of(entry) == SortedSetEncoding::kLarge) {
    large_ = large_of(entry.payload());
  } else {
    const std::string_view bytes = PackedBytes::of(entry);
    count_ = read_count(bytes);
    pairs_ = bytes.substr(kCountBytes);
  }
}

std::optional<double> SortedSetView::score(std::string_view member) const {
  if (large_ != nullptr) {
    const ScoredItem* item = large_->find(member);
    return item != nullptr ? std::optional(item->score()) : std::nullopt;
  }
  const size_t offset = packed::find(pairs_, packed::Encoded(member), 0, 2);
  if (offset == packed::kNotFound) return std::nullopt;
  return packed_score(packed::read(pairs_, packed::skip(pairs_, offset, 1)));
}

std::optional<RankedScore> SortedSetView::find(std::string_view member) const {
  if (large_ != nullptr) {
    const ScoredItem* item = large_->find(member);
    if (item == nullptr) return std::nullopt;
    return RankedScore{large_->order.rank(item), item->score()};
  }
  const size_t wanted = packed::find(pairs_, packed::Encoded(member), 0, 2);
  if (wanted == packed::kNotFound) return std::nullopt;
  size_t rank = 0;
  for (size_t offset = 0; offset < wanted; ++rank) offset = packed::skip(pairs_, offset, 2);
  return RankedScore{rank, packed_score(packed::read(pairs_, packed::skip(pairs_, wanted, 1)))};
}

size_t SortedSetView::rank_of_score(double score, bool inclusive) const {
  if (large_ != nullptr) return large_->order.rank_of_score(score, inclusive);
  size_t rank = 0;
  for (size_t offset = 0; offset < pairs_.size(); ++rank) {
    const Element element = packed::read(pairs_, packed::skip(pairs_, offset, 1));
    const double other = packed_score(element);
    if (!(other < score || (inclusive && other == score))) break;
    offset = element.next();
  }
  return rank;
}

size_t SortedSetView::rank_of_member(std::string_view member, bool inclusive) const {
  if (large_ != nullptr) return large_->order.rank_of_member(member, inclusive);
  size_t rank = 0;
  for (size_t offset = 0; offset < pairs_.size(); ++rank) {
    const int order = packed::Text(packed::read(pairs_, offset)).view().compare(member);
    if (order > 0 || (order == 0 && !inclusive)) break;
    offset = packed::skip(pairs_, offset, 2);
  }
  return rank;
}

void SortedSetView::check() const {
  size_t count = 0;
  double last_score = 0;
  std::string last_member;
  visit(all(), [&](std::string_view member, double member_score) {
    ROX_ASSERT(!std::isnan(member_score));
    ROX_ASSERT(count == 0 || comes_before(last_score, last_member, member_score, member));
    ROX_ASSERT(score(member) == member_score);  // this very one: members are distinct
    last_score = member_score;
    last_member = member;
    ++count;
  });
  ROX_ASSERT(count == size());
  if (large_ == nullptr) {
    ROX_ASSERT(packed::check(pairs_) == 2 * count);
    return;
  }
  large_->table.check();
  large_->order.check();
  ROX_ASSERT(large_->table.size() == count);
  size_t bytes = 0;
  large_->table.for_each([&](const ScoredItem* item) {
    bytes += memory::Slabs::occupied(item->size());
    ROX_ASSERT(large_->order.at(large_->order.rank(item)).item() == item);
  });
  ROX_ASSERT(bytes == large_->item_bytes);
}

// ---- editing ----

Entry* SortedSetValue::create(const ValueHome& home, EntryParts parts) {
  constexpr char kEmpty[kCountBytes] = {};
  return create_packed_entry(home, parts, {kEmpty, sizeof kEmpty});
}

LargeSortedSet* SortedSetValue::large() const {
  return encoding_of(entry()) == SortedSetEncoding::kLarge ? large_of(entry().payload()) : nullptr;
}

Added SortedSetValue::add(std::string_view member, double score, AddRule rule) {
  LargeSortedSet* const set = large();
  const Added added =
      set != nullptr ? add_large(*set, member, score, rule) : add_packed(member, score, rule);
  if (added.outcome == Outcome::kAdded) home_->resized(kType, size() - 1, size());
  return added;
}

void SortedSetValue::has_shrunk(size_t removed) const {
  home_->resized(kType, view().size() + removed, view().size());
}

Added SortedSetValue::add_large(LargeSortedSet& set, std::string_view member, double score,
                                AddRule rule) {
  const uint64_t hash = hash_bytes(member, home_->secret);
  if (const containers::Cell* cell = set.table.find(hash, member)) {
    ScoredItem* item = set.table.item(cell);
    if (const auto decided = decide(item->score(), score, rule)) return *decided;
    set.order.rescore(home_->slabs, item, score);
    return {Outcome::kUpdated, score};
  }
  if (rule.only_existing) return {Outcome::kRefused, 0};
  set.insert(home_->slabs, hash, member, score);
  return {Outcome::kAdded, score};
}

Added SortedSetValue::add_packed(std::string_view member, double score, AddRule rule) {
  const std::string_view pairs = PackedBytes::of(entry()).substr(kCountBytes);
  const size_t offset = packed::find(pairs, packed::Encoded(member), 0, 2);
  if (offset != packed::kNotFound) {
    const double old = packed_score(packed::read(pairs, packed::skip(pairs, offset, 1)));
    if (const auto decided = decide(old, score, rule)) return *decided;
    rescore_packed(offset, member, score);
    return {Outcome::kUpdated, score};
  }
  if (rule.only_existing) return {Outcome::kRefused, 0};
  if (!fits_packed(home_->limits, size(), pairs.size(), member)) {
    grow_large().insert(home_->slabs, hash_bytes(member, home_->secret), member, score);
  } else {
    insert_packed(member, score);
  }
  return {Outcome::kAdded, score};
}

void SortedSetValue::insert_packed(std::string_view member, double score) {
  PackedBytes value(*home_, *cell_);
  const std::string_view pairs = value.bytes().substr(kCountBytes);
  size_t offset = 0;
  while (offset < pairs.size()) {
    const packed::Element other = packed::read(pairs, offset);
    const packed::Element other_score = packed::read(pairs, other.next());
    const double number = packed_score(other_score);
    if (number > score || (number == score && packed::Text(other).view() > member)) break;
    offset = other_score.next();
  }
  const packed::Encoded encoded(member);
  const PackedScore encoded_score(score);
  char* out = value.splice(kCountBytes + offset, 0, encoded.size() + encoded_score.size());
  encoded_score.write(encoded.write(out));
  const uint32_t count = read_count(value.bytes()) + 1;
  std::memcpy(value.data(), &count, sizeof count);
}

// The pair at `offset` gets another score, and another place when the order asks for it.
void SortedSetValue::rescore_packed(size_t offset, std::string_view member, double score) {
  PackedBytes value(*home_, *cell_);
  const std::string_view pairs = value.bytes().substr(kCountBytes);
  const size_t score_offset = packed::skip(pairs, offset, 1);
  const size_t end = packed::skip(pairs, score_offset, 1);
  const PackedScore encoded(score);
  bool stays = true;
  if (end < pairs.size()) {
    const packed::Element next = packed::read(pairs, end);
    stays = comes_before(score, member, packed_score(packed::read(pairs, next.next())),
                         packed::Text(next));
  }
  const double old = packed_score(packed::read(pairs, score_offset));
  // Only a lower score can meet those in front, and where they begin is not known.
  if (stays && (score > old || offset == 0)) {
    encoded.write(value.splice(kCountBytes + score_offset, end - score_offset, encoded.size()));
    return;
  }
  remove_packed(offset, end, 1);
  insert_packed(member, score);
}

void SortedSetValue::remove_packed(size_t begin, size_t end, size_t count) {
  PackedBytes value(*home_, *cell_);
  value.splice(kCountBytes + begin, end - begin, 0);
  const uint32_t left = read_count(value.bytes()) - static_cast<uint32_t>(count);
  std::memcpy(value.data(), &left, sizeof left);
}

LargeSortedSet& SortedSetValue::grow_large() {
  LargeSortedSet* const set = create_large(*home_);
  view().visit(view().all(), [&](std::string_view member, double score) {
    set->insert(home_->slabs, hash_bytes(member, home_->secret), member, score);
  });
  Entry* const old = &entry();
  cell_->set_pointer(create_large_entry(*home_, old->parts(), set));
  if (old->has_payload()) {
    memory::SlabSink sink(home_->slabs);
    PackedBytes::release(old->payload(), sink);
  }
  Entry::destroy(home_->slabs, old);
  return *set;
}

bool SortedSetValue::erase(std::string_view member) {
  LargeSortedSet* const set = large();
  if (set == nullptr) {
    const std::string_view pairs = PackedBytes::of(entry()).substr(kCountBytes);
    const size_t offset = packed::find(pairs, packed::Encoded(member), 0, 2);
    if (offset == packed::kNotFound) return false;
    remove_packed(offset, packed::skip(pairs, offset, 2), 1);
    has_shrunk(1);
    return true;
  }
  const uint64_t hash = hash_bytes(member, home_->secret);
  containers::Cell* cell = set->table.find(hash, member);
  if (cell == nullptr) return false;
  ScoredItem* item = set->table.erase(hash, cell);
  set->order.erase(home_->slabs, item);
  set->item_bytes -= memory::Slabs::occupied(item->size());
  home_->slabs.give(item, item->size());
  has_shrunk(1);
  return true;
}

void SortedSetValue::erase(RankRange range) {
  if (range.empty()) return;
  LargeSortedSet* const set = large();
  if (set == nullptr) {
    const std::string_view pairs = PackedBytes::of(entry()).substr(kCountBytes);
    const size_t begin = packed::skip(pairs, 0, 2 * range.first);
    remove_packed(begin, packed::skip(pairs, begin, 2 * range.size()), range.size());
    has_shrunk(range.size());
    return;
  }
  set->order.erase_range(home_->slabs, range.first, range.last, [&](ScoredItem* item) {
    const uint64_t hash = set->table.owner().hash(*item);
    set->table.erase(hash, set->table.find(hash, item->member()));
    set->item_bytes -= memory::Slabs::occupied(item->size());
    home_->slabs.give(item, item->size());
  });
  has_shrunk(range.size());
}

const ValueType& sorted_set_type() {
  static const SortedSetType kType;
  return kType;
}

}  // namespace roxdb::types
