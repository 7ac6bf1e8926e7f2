// sorted_set_load: any bytes are refused as a sorted set, or are one that can be read, changed and
// saved again, in either encoding.
//
// Input: one byte, how many members may be packed; then what ValueType::save() writes.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "test/fuzz/fuzz_target.h"
#include "types/sorted_set_value.h"

namespace {

using namespace roxdb;
using namespace roxdb::types;

class Bytes final : public ValueReader, public ValueWriter {
 public:
  explicit Bytes(std::string_view bytes) : left(bytes) {}
  Status read(char* out, size_t size) override {
    if (size > left.size()) return {Code::kCorrupt, 0, "the input ended"};
    std::memcpy(out, left.data(), size);
    left.remove_prefix(size);
    return kOk;
  }
  void write(std::string_view bytes) override { written += bytes; }

  std::string_view left;
  std::string written;
};

std::string saved_form(const Entry& entry) {
  Bytes out({});
  sorted_set_type().save(entry, out);
  return out.written;
}

// Turns the order of the set upside down, then takes half of it away.
void change(SortedSetValue set) {
  std::string member;
  for (size_t rank = set.size(); rank-- > 0;) {
    set.view().visit({rank, rank + 1}, [&](std::string_view name, double) { member = name; });
    set.add(member, -static_cast<double>(rank));
  }
  set.view().check();
  set.erase(RankRange{0, set.size() / 2});
  set.view().check();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  memory::Slabs slabs;
  const HashSecret secret = hash_secret_from_seed(1);
  Limits limits;
  limits.zset_packed_entries = data[0];
  const ValueHome home{slabs, secret, limits};
  Bytes in({reinterpret_cast<const char*>(data + 1), size - 1});
  const auto loaded = sorted_set_type().load(in, {.key = "z"}, home);
  if (!loaded.ok()) {
    ROX_ASSERT(slabs.used_bytes() == 0);
    return 0;
  }
  SortedSetView(**loaded).check();
  const std::string saved = saved_form(**loaded);
  Bytes again(saved);
  const auto twin = sorted_set_type().load(again, {.key = "z"}, home);
  ROX_ASSERT(twin.ok() && again.left.empty());
  ROX_ASSERT(saved_form(**twin) == saved);

  containers::Cell cell{};
  cell.set_pointer(*loaded);
  change(SortedSetValue(home, cell));
  memory::SlabSink sink(slabs);
  for (Entry* entry : {static_cast<Entry*>(cell.pointer()), *twin}) {
    if (entry->has_payload()) {
      sorted_set_type().release_payload(entry->payload(), entry->encoding(), sink);
    }
    Entry::destroy(slabs, entry);
  }
  ROX_ASSERT(slabs.used_bytes() == 0);
  return 0;
}
