#include "persist/rdb_value_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "base/numbers.h"
#include "persist/rdb_blob.h"
#include "types/hash_value.h"
#include "types/list_value.h"
#include "types/set_value.h"
#include "types/sorted_set_value.h"
#include "types/stream_value.h"
#include "types/string_value.h"

namespace roxdb::persist {
namespace {

using containers::packed::Encoded;
using types::Entry;
using types::EntryParts;
using types::ValueHome;

constexpr Status kDuplicate = rdb_corrupt("an element comes twice");
constexpr Status kNoScore = rdb_corrupt("a score is not a number");
constexpr Status kNoExpiryTime = rdb_corrupt("the expiry of a field is no time");

// An entry on its way, with a cell for those who edit values.
class ScratchEntry {
 public:
  ScratchEntry(const ValueHome& home, Entry* entry) : home_(home) { cell_.set_pointer(entry); }
  ~ScratchEntry() {
    if (Entry* const entry = take(); entry != nullptr) destroy_entry(home_, entry);
  }
  ScratchEntry(const ScratchEntry&) = delete;
  ScratchEntry& operator=(const ScratchEntry&) = delete;

  containers::Cell& cell() { return cell_; }
  Entry* take() {
    auto* const entry = static_cast<Entry*>(cell_.pointer());
    cell_.set_pointer(nullptr);
    return entry;
  }

 private:
  const ValueHome& home_;
  containers::Cell cell_{};
};

// Calls visit(const BlobElement&) for each element of a blob; a visitor refuses with its Status.
template <class Visitor>
Status for_each_element(BlobForm form, std::string_view blob, Visitor&& visit) {
  BlobReader reader(form, blob);
  ROX_TRY(reader.open());
  for (BlobElement element;;) {
    ROX_TRY(const bool is_there, reader.next(element));
    if (!is_there) return kOk;
    ROX_TRY(visit(element));
  }
}

// ---- lists --------------------------------------------------------------------------------

Status read_list(RdbInput& in, RdbType type, types::ListBuilder& list) {
  std::string text;
  const auto push = [&](const BlobElement& element) {
    list.push_back(element.encoded());
    return kOk;
  };
  if (type == RdbType::kListZiplist) {
    ROX_TRY(in.string(text));
    return for_each_element(BlobForm::kZiplist, text, push);
  }
  ROX_TRY(uint64_t left, in.length());  // elements, or nodes of some
  for (; left > 0; --left) {
    uint64_t node = kNodePacked;
    if (type == RdbType::kListListpacks) {
      ROX_TRY(node, in.length());
      if (node != kNodePlain && node != kNodePacked) return rdb_corrupt("a node of no known form");
    }
    ROX_TRY(in.string(text));
    if (type == RdbType::kListZiplists) {
      ROX_TRY(for_each_element(BlobForm::kZiplist, text, push));
    } else if (type == RdbType::kListListpacks && node == kNodePacked) {
      ROX_TRY(for_each_element(BlobForm::kListpack, text, push));
    } else {
      list.push_back(Encoded(text));
    }
  }
  return kOk;
}

Result<Entry*> make_list(RdbInput& in, RdbType type, const EntryParts& parts,
                         const ValueHome& home) {
  types::ListBuilder list(home);
  ROX_TRY(read_list(in, type, list));
  return list.size() > 0 ? list.finish(parts) : nullptr;
}

// ---- sets ---------------------------------------------------------------------------------

Status read_set(RdbInput& in, RdbType type, types::SetValue set) {
  std::string text;
  if (type == RdbType::kSet) {
    ROX_TRY(uint64_t left, in.length());
    for (; left > 0; --left) {
      ROX_TRY(in.string(text));
      if (!set.add(text)) return kDuplicate;
    }
    return kOk;
  }
  ROX_TRY(in.string(text));
  const BlobForm form = type == RdbType::kSetIntset ? BlobForm::kIntset : BlobForm::kListpack;
  return for_each_element(form, text, [&](const BlobElement& element) {
    char room[kIntegerDigitsMax];
    return set.add(element.text(room)) ? kOk : kDuplicate;
  });
}

Result<Entry*> make_set(RdbInput& in, RdbType type, const EntryParts& parts,
                        const ValueHome& home) {
  types::ScratchSet set(home, parts);
  ROX_TRY(read_set(in, type, set.value()));
  return set.view().size() > 0 ? set.take() : nullptr;
}

// ---- sorted sets --------------------------------------------------------------------------

Result<double> score_from(std::string_view text) {
  const auto score = parse_double(text);
  if (!score) return kNoScore;
  return *score;
}

// Of the oldest form: a size and decimal text, or a size that is none.
Result<double> read_text_score(RdbInput& in) {
  constexpr uint8_t kNan = 253;
  constexpr uint8_t kInfinity = 254;
  constexpr uint8_t kMinusInfinity = 255;
  ROX_TRY(const uint8_t size, in.number<uint8_t>());
  if (size == kNan) return kNoScore;
  if (size == kInfinity) return std::numeric_limits<double>::infinity();
  if (size == kMinusInfinity) return -std::numeric_limits<double>::infinity();
  char text[kNan];
  ROX_TRY(in.read(text, size));
  return score_from({text, size});
}

Status add_scored(types::SortedSetValue& set, std::string_view member, double score) {
  if (std::isnan(score)) return kNoScore;
  const auto added = set.add(member, score);
  return added.outcome == types::Added::Outcome::kAdded ? kOk : kDuplicate;
}

Status read_scored_pairs(RdbInput& in, RdbType type, types::SortedSetValue& set) {
  std::string member;
  ROX_TRY(uint64_t left, in.length());
  for (; left > 0; --left) {
    ROX_TRY(in.string(member));
    if (type == RdbType::kSortedSet) {
      ROX_TRY(const double score, in.number<double>());
      ROX_TRY(add_scored(set, member, score));
    } else {
      ROX_TRY(const double score, read_text_score(in));
      ROX_TRY(add_scored(set, member, score));
    }
  }
  return kOk;
}

Status read_sorted_set(RdbInput& in, RdbType type, types::SortedSetValue set) {
  if (type == RdbType::kSortedSet || type == RdbType::kSortedSetText) {
    return read_scored_pairs(in, type, set);
  }
  std::string blob;
  ROX_TRY(in.string(blob));
  const auto form = type == RdbType::kSortedSetZiplist ? BlobForm::kZiplist : BlobForm::kListpack;
  BlobReader reader(form, blob);
  ROX_TRY(reader.open());
  for (BlobElement member;;) {
    ROX_TRY(const bool is_there, reader.next(member));
    if (!is_there) return kOk;
    BlobElement element;
    ROX_TRY(reader.expect(element));
    double score = static_cast<double>(element.integer);
    if (!element.is_integer) {
      ROX_TRY(score, score_from(element.bytes));
    }
    char room[kIntegerDigitsMax];
    ROX_TRY(add_scored(set, member.text(room), score));
  }
}

Result<Entry*> make_sorted_set(RdbInput& in, RdbType type, const EntryParts& parts,
                               const ValueHome& home) {
  ScratchEntry scratch(home, types::SortedSetValue::create(home, parts));
  const ValueHome aside = home.aside();
  types::SortedSetValue set(aside, scratch.cell());
  ROX_TRY(read_sorted_set(in, type, set));
  return set.size() > 0 ? scratch.take() : nullptr;
}

// ---- hashes -------------------------------------------------------------------------------

// An expiry behind a field; 0: none.
Result<int64_t> packed_expiry(int64_t expire_at_ms) {
  if (expire_at_ms == 0) return types::kNoExpiry;
  if (expire_at_ms < 0 || expire_at_ms > types::kFieldExpireMsMax) return kNoExpiryTime;
  return expire_at_ms;
}

// As Valkey writes it; -1: none. It takes expiries that are later than any of ours: to whoever
// waits for one of them, the latest that we have is as good.
Result<int64_t> read_valkey_expiry(RdbInput& in) {
  ROX_TRY(const int64_t expire_at_ms, in.number<int64_t>());
  if (expire_at_ms == -1) return types::kNoExpiry;
  if (expire_at_ms <= 0) return kNoExpiryTime;
  return std::min(expire_at_ms, types::kFieldExpireMsMax);
}

// In front of a field: 0, or ms of the epoch counted from one less than `least_ms`.
Result<int64_t> read_expiry(RdbInput& in, int64_t least_ms) {
  ROX_TRY(const uint64_t distance, in.length());
  if (distance == 0) return types::kNoExpiry;
  if (least_ms < 1 || least_ms > types::kFieldExpireMsMax) return kNoExpiryTime;
  const int64_t base_ms = least_ms - 1;
  if (distance > static_cast<uint64_t>(types::kFieldExpireMsMax - base_ms)) return kNoExpiryTime;
  return base_ms + static_cast<int64_t>(distance);
}

Status read_fields(RdbInput& in, RdbType type, RdbDialect dialect, types::HashBuilder& hash) {
  const bool is_valkey = dialect == RdbDialect::kValkey && type == RdbType::kHashExpiringAbsolute;
  int64_t least_ms = 1;
  if (type == RdbType::kHashExpiring) {
    ROX_TRY(least_ms, in.number<int64_t>());
  }
  std::string name;
  std::string value;
  ROX_TRY(uint64_t left, in.length());
  for (; left > 0; --left) {
    int64_t expire_at_ms = types::kNoExpiry;
    if (type != RdbType::kHash && !is_valkey) {
      ROX_TRY(expire_at_ms, read_expiry(in, least_ms));
    }
    ROX_TRY(in.string(name));
    ROX_TRY(in.string(value));
    if (is_valkey) {
      ROX_TRY(expire_at_ms, read_valkey_expiry(in));
    }
    ROX_TRY(hash.add(name, value, expire_at_ms));
  }
  return kOk;
}

Status read_packed_fields(BlobForm form, std::string_view blob, bool expiring,
                          types::HashBuilder& hash) {
  BlobReader reader(form, blob);
  ROX_TRY(reader.open());
  for (BlobElement name;;) {
    ROX_TRY(const bool is_there, reader.next(name));
    if (!is_there) return kOk;
    BlobElement value;
    ROX_TRY(reader.expect(value));
    int64_t expire_at_ms = types::kNoExpiry;
    if (expiring) {
      BlobElement expiry;
      ROX_TRY(reader.expect(expiry));
      if (!expiry.is_integer) return kNoExpiryTime;
      ROX_TRY(expire_at_ms, packed_expiry(expiry.integer));
    }
    char name_room[kIntegerDigitsMax];
    char value_room[kIntegerDigitsMax];
    ROX_TRY(hash.add(name.text(name_room), value.text(value_room), expire_at_ms));
  }
}

Status read_hash(RdbInput& in, RdbType type, RdbDialect dialect, types::HashBuilder& hash) {
  std::string blob;
  switch (type) {
    case RdbType::kHashZipmap:
      ROX_TRY(in.string(blob));
      return read_packed_fields(BlobForm::kZipmap, blob, false, hash);
    case RdbType::kHashZiplist:
      ROX_TRY(in.string(blob));
      return read_packed_fields(BlobForm::kZiplist, blob, false, hash);
    case RdbType::kHashListpack:
      ROX_TRY(in.string(blob));
      return read_packed_fields(BlobForm::kListpack, blob, false, hash);
    case RdbType::kHashExpiringListpack:
      ROX_TRY(in.number<int64_t>().status());  // the least expiry, which the fields tell again
      [[fallthrough]];
    case RdbType::kHashExpiringListpackOld:
      ROX_TRY(in.string(blob));
      return read_packed_fields(BlobForm::kListpack, blob, true, hash);
    default:
      return read_fields(in, type, dialect, hash);
  }
}

constexpr bool is_expiring(RdbType type) { return type >= RdbType::kHashExpiringAbsolute; }

Result<Entry*> make_hash(RdbInput& in, RdbType type, RdbDialect dialect, const EntryParts& parts,
                         const ValueHome& home) {
  types::HashBuilder hash(home, is_expiring(type));
  ROX_TRY(read_hash(in, type, dialect, hash));
  return hash.empty() ? Result<Entry*>(nullptr) : hash.finish(parts);
}

// -------------------------------------------------------------------------------------------

Result<Entry*> make_string(RdbInput& in, const EntryParts& parts, const ValueHome& home) {
  std::string text;
  ROX_TRY(in.string(text));
  return types::create_string(home.slabs, parts, text);
}

Result<Entry*> make_stream(RdbInput& in, RdbType type, const EntryParts& parts,
                           const ValueHome& home) {
  ScratchEntry scratch(home, types::StreamValue::create(home, parts));
  const types::StreamValue stream(home, scratch.cell());
  ROX_TRY(read_rdb_stream(in, type, home, *stream));
  return scratch.take();
}

}  // namespace

bool is_rdb_value(uint8_t type, RdbDialect dialect) {
  switch (static_cast<RdbType>(type)) {
    case RdbType::kModuleOfReleaseCandidate:
    case RdbType::kModule:
      return false;
    case RdbType::kHashExpiringListpackOld:
    case RdbType::kHashExpiring:
    case RdbType::kHashExpiringListpack:
      return dialect == RdbDialect::kRedis;
    default:
      return type <= kRdbTypeMax && type != 8;
  }
}

void destroy_entry(const ValueHome& home, Entry* entry) {
  if (entry->has_payload()) {
    memory::SlabSink sink(home.slabs);
    types::value_type(entry->type())->release_payload(entry->payload(), entry->encoding(), sink);
  }
  Entry::destroy(home.slabs, entry);
}

Result<Entry*> read_rdb_value(RdbInput& in, uint8_t number, RdbDialect dialect,
                              const EntryParts& parts, const ValueHome& home) {
  const auto type = static_cast<RdbType>(number);
  switch (type) {
    case RdbType::kString:
      return make_string(in, parts, home);
    case RdbType::kList:
    case RdbType::kListZiplist:
    case RdbType::kListZiplists:
    case RdbType::kListListpacks:
      return make_list(in, type, parts, home);
    case RdbType::kSet:
    case RdbType::kSetIntset:
    case RdbType::kSetListpack:
      return make_set(in, type, parts, home);
    case RdbType::kSortedSetText:
    case RdbType::kSortedSet:
    case RdbType::kSortedSetZiplist:
    case RdbType::kSortedSetListpack:
      return make_sorted_set(in, type, parts, home);
    case RdbType::kStream:
    case RdbType::kStream2:
    case RdbType::kStream3:
      return make_stream(in, type, parts, home);
    case RdbType::kHash:
    case RdbType::kHashZipmap:
    case RdbType::kHashZiplist:
    case RdbType::kHashListpack:
    case RdbType::kHashExpiringAbsolute:
    case RdbType::kHashExpiringListpackOld:
    case RdbType::kHashExpiring:
    case RdbType::kHashExpiringListpack:
      return make_hash(in, type, dialect, parts, home);
    case RdbType::kModuleOfReleaseCandidate:
    case RdbType::kModule:
      break;
  }
  ROX_ASSERT(!is_rdb_value(number, dialect));
  return rdb_corrupt("a value of no known type");
}

}  // namespace roxdb::persist
