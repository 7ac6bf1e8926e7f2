// hyperloglog: any string that passes for a HyperLogLog is read, counted, merged and added to
// without harm; one whose runs cover its registers then does what plain registers do.
//
// Input: one byte, hll-sparse-max-bytes in units of 16; then the string.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "test/fuzz/fuzz_target.h"
#include "test/fuzz/one_value.h"
#include "types/hyperloglog.h"

namespace {

using namespace roxdb;
using namespace roxdb::types;

void check(const HyperLogLogView& view, const HllRegisters& model) {
  ROX_ASSERT(view.is_valid() && view.check());
  HllRegisters registers{};
  ROX_ASSERT(view.merge_into(registers) && registers == model);
  ROX_ASSERT(view.count() == hll_count(model));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  Limits limits;
  limits.hll_sparse_bytes = size_t{data[0]} * 16;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if (!HyperLogLogView(bytes).is_valid()) return 0;

  roxdb::test::OneValue value(string_type(), limits);
  value.cell.set_pointer(StringValue::create(value.home, {.key = "key"}));
  StringValue string(value.home, value.cell);
  const Result<char*> room = string.resize(bytes.size());
  ROX_ASSERT(room.ok());
  std::memcpy(*room, bytes.data(), bytes.size());
  HyperLogLog hll(string, limits.hll_sparse_bytes);

  const bool is_whole = hll.view().check();
  HllRegisters model{};
  ROX_ASSERT(hll.view().merge_into(model) == is_whole);
  ROX_ASSERT(hll.view().count().has_value() == is_whole);
  static_cast<void>(hll.view().last_count());

  for (int i = 0; i < 40; ++i) {
    // Elements that say something about the input, and registers no element reaches so soon.
    const HllPlace place = i % 4 != 3
                               ? hll_place(std::to_string(i) + std::string(bytes.substr(0, 24)))
                               : HllPlace{static_cast<size_t>(i) * 419 % kHllRegisters,
                                          static_cast<uint8_t>(1 + i % 51)};
    const Result<bool> raised = hll.raise(place);
    ROX_ASSERT(raised.ok() || raised.status().text == kDamagedHll.text);
    if (!is_whole) continue;
    ROX_ASSERT(raised.ok() && *raised == (model[place.index] < place.value));
    model[place.index] = std::max(model[place.index], place.value);
  }
  if (is_whole) check(hll.view(), model);
  const Result<bool> was_sparse = hll.make_dense();
  ROX_ASSERT(was_sparse.ok() || !is_whole);
  if (is_whole) check(hll.view(), model);
  ROX_ASSERT(hll.forget_count().ok() && !hll.view().last_count());
  ROX_ASSERT(hll.keep_count(7).ok() && hll.view().last_count() == 7u);
  return 0;
}
