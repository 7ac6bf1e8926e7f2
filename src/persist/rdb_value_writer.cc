#include "persist/rdb_value_writer.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/numbers.h"
#include "types/hash_value.h"
#include "types/list_value.h"
#include "types/set_value.h"
#include "types/sorted_set_value.h"
#include "types/stream_value.h"
#include "types/string_value.h"

namespace roxdb::persist {
namespace {

using types::Entry;
using types::HashView;
using types::PackedFields;

constexpr size_t kNodeBytesMax = 8u << 10;     // of a list; one longer element has its own node
constexpr size_t kBlobBytesMax = 1024u << 10;  // a packed value beyond is written by element

bool is_small(const Entry& entry) { return types::PackedBytes::of(entry).size() <= kBlobBytesMax; }

// ---- strings, lists, sets -----------------------------------------------------------------

void write_string(const Entry& entry, RdbOutput& out) {
  if (types::string_encoding(entry) == types::StringEncoding::kInteger) {
    out.string(static_cast<int64_t>(entry.payload()));
  } else {
    out.string(types::StringView(entry).view());
  }
}

void write_node(ListpackWriter& node, RdbOutput& out) {
  out.length(kNodePacked);
  out.string(node.finish());
  node.clear();
}

void write_list(const Entry& entry, RdbOutput& out) {
  const types::ListView list(entry);
  const bool is_packed = entry.encoding() == static_cast<uint8_t>(types::ListEncoding::kPacked);
  size_t count_place = 0;
  if (is_packed) {
    out.length(1);  // it is smaller than a node may be
  } else {
    count_place = out.reserve_length();
  }
  uint32_t nodes = 0;
  ListpackWriter node;
  for (types::ListCursor cursor = list.front(); cursor; cursor.next()) {
    const bool fits = node.size() + cursor.bytes().size() <= kNodeBytesMax;
    if (!fits && !node.empty() && !is_packed) {
      write_node(node, out);
      nodes++;
    }
    node.add(cursor.element());
  }
  write_node(node, out);
  if (!is_packed) out.fill_length(count_place, nodes + 1);
}

void write_integers(const Entry& entry, RdbOutput& out) {
  const types::IntegerRun integers = types::SetView(entry).integers();
  std::string blob;
  const uint32_t head[] = {static_cast<uint32_t>(integers.width()),
                           static_cast<uint32_t>(integers.size())};
  blob.append(reinterpret_cast<const char*>(head), sizeof head);
  blob.append(integers.bytes());
  out.string(blob);
}

void write_set(const Entry& entry, RdbOutput& out) {
  const types::SetView set(entry);
  out.length(set.size());
  set.for_each([&](std::string_view member) { out.string(member); });
}

// ---- sorted sets --------------------------------------------------------------------------

void write_scored_listpack(const Entry& entry, RdbOutput& out) {
  const types::SortedSetView set(entry);
  ListpackWriter pairs;
  set.visit(set.all(), [&](std::string_view member, double score) {
    char digits[kDoubleDigitsMax];
    pairs.add(member);
    pairs.add(std::string_view(digits, print_double(score, digits)));
  });
  out.string(pairs.finish());
}

// From the highest score on: what Redis appends to its order costs no search.
void write_sorted_set(const Entry& entry, RdbOutput& out) {
  const types::SortedSetView set(entry);
  out.length(set.size());
  set.visit_downwards(set.all(), [&](std::string_view member, double score) {
    out.string(member);
    out.number(score);
  });
}

// ---- hashes -------------------------------------------------------------------------------

RdbType hash_type_of(const Entry& entry, const HashView& hash) {
  bool expires = false;
  if (is_expiring(hash.encoding())) {
    hash.for_each([&](const HashView::Field& field) {
      expires = expires || field.expire_at_ms != types::kNoExpiry;
    });
  }
  if (is_table(hash.encoding()) || !is_small(entry)) {
    return expires ? RdbType::kHashExpiring : RdbType::kHash;
  }
  return expires ? RdbType::kHashExpiringListpack : RdbType::kHashListpack;
}

// The first field to expire stands first, those that never do stand last.
void write_fields_listpack(const HashView& hash, bool expiring, RdbOutput& out) {
  const auto rank = [](const PackedFields::Field& field) {
    return static_cast<uint64_t>(field.expire_at_ms);  // none is the highest
  };
  std::vector<PackedFields::Field> fields;
  hash.packed().for_each([&](const PackedFields::Field& field) {
    if (!hash.is_due(field.expire_at_ms)) fields.push_back(field);
  });
  if (expiring) {
    std::stable_sort(fields.begin(), fields.end(),
                     [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    out.number(fields.front().expire_at_ms);
  }
  ListpackWriter blob;
  for (const PackedFields::Field& field : fields) {
    blob.add(field.name);
    blob.add(field.value);
    if (expiring) blob.add(std::max<int64_t>(field.expire_at_ms, 0));
  }
  out.string(blob.finish());
}

void write_fields(const HashView& hash, bool expiring, RdbOutput& out) {
  int64_t least_ms = 0;
  if (expiring) {
    auto least = static_cast<uint64_t>(types::kNoExpiry);
    hash.for_each([&](const HashView::Field& field) {
      least = std::min(least, static_cast<uint64_t>(field.expire_at_ms));
    });
    least_ms = static_cast<int64_t>(least);
    out.number(least_ms);
  }
  out.length(hash.live_size());
  hash.for_each([&](const HashView::Field& field) {
    const bool expires = field.expire_at_ms != types::kNoExpiry;
    if (expiring) {
      out.length(expires ? static_cast<uint64_t>(field.expire_at_ms - least_ms) + 1 : 0);
    }
    out.string(field.name);
    out.string(field.value);
  });
}

}  // namespace

std::optional<RdbType> rdb_type_of(const Entry& entry, int64_t now_ms) {
  switch (entry.type()) {
    case types::TypeId::kString:
      return RdbType::kString;
    case types::TypeId::kList:
      return RdbType::kListListpacks;
    case types::TypeId::kSet:
      return types::SetView(entry).encoding() == types::SetEncoding::kIntegers ? RdbType::kSetIntset
                                                                               : RdbType::kSet;
    case types::TypeId::kSortedSet:
      return entry.encoding() == static_cast<uint8_t>(types::SortedSetEncoding::kPacked) &&
                     is_small(entry)
                 ? RdbType::kSortedSetListpack
                 : RdbType::kSortedSet;
    case types::TypeId::kHash: {
      const HashView hash(entry, now_ms);
      if (hash.live_size() == 0) return std::nullopt;
      return hash_type_of(entry, hash);
    }
    case types::TypeId::kStream:
      return RdbType::kStream2;
    default:
      return std::nullopt;
  }
}

void write_rdb_value(const Entry& entry, RdbType type, int64_t now_ms, RdbOutput& out) {
  switch (type) {
    case RdbType::kString:
      return write_string(entry, out);
    case RdbType::kListListpacks:
      return write_list(entry, out);
    case RdbType::kSetIntset:
      return write_integers(entry, out);
    case RdbType::kSet:
      return write_set(entry, out);
    case RdbType::kSortedSetListpack:
      return write_scored_listpack(entry, out);
    case RdbType::kSortedSet:
      return write_sorted_set(entry, out);
    case RdbType::kHash:
    case RdbType::kHashExpiring:
      return write_fields({entry, now_ms}, type == RdbType::kHashExpiring, out);
    case RdbType::kHashListpack:
    case RdbType::kHashExpiringListpack:
      return write_fields_listpack({entry, now_ms}, type == RdbType::kHashExpiringListpack, out);
    case RdbType::kStream2:
      return write_rdb_stream(types::stream_of(entry), out);
    default:
      ROX_ASSERT(false);
  }
}

}  // namespace roxdb::persist
