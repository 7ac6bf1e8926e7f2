// restore_payload: a value of RESTORE, whatever is in it. What is taken is a whole value: it passes
// the checks of its type, and its own payload gives it again.
//
// Input: byte 0: bits 0 and 1 choose the version of the footer, bit 2 small limits of the packed
// encodings. The rest is type and value; version and checksum are made right behind them.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/limits.h"
#include "base/memory.h"
#include "containers/block_list.h"
#include "persist/crc64.h"
#include "persist/rdb_payload.h"
#include "persist/rdb_value_reader.h"
#include "test/fuzz/fuzz_target.h"
#include "types/hash_value.h"
#include "types/list_value.h"
#include "types/set_value.h"
#include "types/sorted_set_value.h"
#include "types/stream_value.h"

namespace {

using namespace roxdb;
using namespace roxdb::persist;

constexpr int64_t kBeforeAllMs = 0;  // no field is due

std::string payload_of(std::string_view body, uint16_t version) {
  std::string bytes(body);
  bytes.append(reinterpret_cast<const char*>(&version), sizeof version);
  const uint64_t sum = crc64(0, bytes);
  return bytes.append(reinterpret_cast<const char*>(&sum), sizeof sum);
}

types::Limits limits_of(bool small) {
  types::Limits limits;
  if (!small) return limits;
  limits.hash_packed_entries = limits.set_integers = limits.set_packed_entries = 3;
  limits.zset_packed_entries = limits.list_node_size = limits.stream_block_entries = 3;
  limits.hash_packed_value_bytes = limits.zset_packed_value_bytes = 8;
  limits.set_packed_value_bytes = 8;
  return limits;
}

void check_stream(const types::Stream& stream) {
  stream.check();
  for (const types::Group* group : stream.groups()) group->check();
}

// What a packed value promises of itself its own target looks after.
void check(const types::Entry& entry) {
  switch (entry.type()) {
    case types::TypeId::kList:
      if (entry.encoding() == static_cast<uint8_t>(types::ListEncoding::kPacked)) return;
      return entry.pointer<const containers::BlockList>()->check();
    case types::TypeId::kSet:
      if (entry.encoding() != static_cast<uint8_t>(types::SetEncoding::kTable)) return;
      return entry.pointer<const types::SetTable>()->check();
    case types::TypeId::kHash:
      if (!types::is_table(types::hash_encoding(entry))) return;
      return entry.pointer<const types::HashTable>()->check();
    case types::TypeId::kSortedSet:
      return types::SortedSetView(entry).check();
    case types::TypeId::kStream:
      return check_stream(types::stream_of(entry));
    default:
      return;
  }
}

types::Entry* load(const std::string& bytes, const types::ValueHome& home) {
  const auto payload = open_payload(bytes);
  ROX_ASSERT(payload.ok());
  const auto entry = load_payload(*payload, {.key = "key"}, home);
  if (entry.ok()) return *entry;
  ROX_ASSERT(entry.status().code == Code::kCorrupt && !entry.status().text.empty());
  return nullptr;
}

std::string payload_of(const types::Entry& entry) {
  std::string bytes;
  ROX_ASSERT(make_payload(entry, kBeforeAllMs, kReplyBytesMax, bytes).ok());
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  constexpr uint16_t kVersions[] = {kRdbVersion, kRdbVersionExpiringFields, kValkeyVersion, 1};
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  memory::Slabs slabs;
  const HashSecret secret = hash_secret_from_seed(1);
  const types::Limits limits = limits_of((data[0] & 4) != 0);
  const types::ValueHome home{slabs, secret, limits};

  if (types::Entry* entry = load(payload_of(body, kVersions[data[0] & 3]), home)) {
    check(*entry);
    const std::string bytes = payload_of(*entry);
    types::Entry* const again = load(bytes, home);
    ROX_ASSERT(again != nullptr);
    check(*again);
    // Tables may show their elements in another order.
    ROX_ASSERT(payload_of(*again).size() == bytes.size());
    destroy_entry(home, again);
    destroy_entry(home, entry);
  }
  ROX_ASSERT(slabs.used_bytes() == 0);
  return 0;
}
