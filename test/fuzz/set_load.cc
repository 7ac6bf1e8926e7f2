// set_load: any bytes are refused as a set, or are one that a plain set agrees with: as it was
// loaded, saved and loaded again, and after changes, in every encoding.
//
// Input: one byte, how many integers and how many packed members there may be; then what
// ValueType::save() writes.
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/random.h"
#include "test/fuzz/fuzz_target.h"
#include "test/fuzz/one_value.h"
#include "types/set_value.h"

namespace {

using namespace roxdb;
using namespace roxdb::types;

using Model = std::set<std::string>;

void check_form(const Entry& entry) {
  const SetView view(entry);
  if (view.encoding() == SetEncoding::kTable) return entry.pointer<const SetTable>()->check();
  if (view.encoding() == SetEncoding::kPacked) return;  // no more than its members
  const IntegerRun run = view.integers();
  for (size_t i = 1; i < run.size(); ++i) ROX_ASSERT(run.at(i - 1) < run.at(i));
}

Model model_of(const Entry& entry) {
  check_form(entry);
  const SetView view(entry);
  Model model;
  view.for_each([&](std::string_view member) {
    const bool is_new = model.emplace(member).second;
    ROX_ASSERT(is_new);
  });
  ROX_ASSERT(model.size() == view.size());
  for (const std::string& member : model) ROX_ASSERT(view.contains(member));
  return model;
}

void add(SetValue set, Model& model, const std::string& member) {
  ROX_ASSERT(set.add(member) == model.insert(member).second);
}

// Half of the members go; integers of every width and words come, and some go again.
void change(SetValue set, Model& model, uint64_t seed) {
  const std::vector<std::string> members(model.begin(), model.end());
  for (size_t i = 0; i < members.size(); i += 2) {
    model.erase(members[i]);
    ROX_ASSERT(set.remove(members[i]) && !set.remove(members[i]));
  }
  for (int shift = 0; shift < 64; shift += 7) {
    const uint64_t high_bits = ~uint64_t{0} << shift;
    add(set, model, std::to_string(static_cast<int64_t>(high_bits)));
    add(set, model, std::to_string(static_cast<int64_t>(~high_bits)));
  }
  add(set, model, "word");
  add(set, model, std::string(70, 'm'));  // longer than a packed set takes
  Random random(seed);
  std::string popped;
  for (size_t left = model.size() / 2; left > 0; --left) {
    const std::string member(set.pop(random, popped));
    ROX_ASSERT(model.erase(member) == 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  Limits limits;
  limits.set_integers = data[0] & 15;
  limits.set_packed_entries = data[0] >> 4;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  roxdb::test::OneValue value(set_type(), limits);
  if (!value.load(bytes)) return 0;
  Model model = model_of(value.entry());

  roxdb::test::OneValue twin(set_type(), limits);
  ROX_ASSERT(twin.load(value.saved()));
  ROX_ASSERT(model_of(twin.entry()) == model);
  twin.copy_from(value.entry());
  ROX_ASSERT(model_of(twin.entry()) == model);

  change(SetValue(value.home, value.cell), model, size);
  ROX_ASSERT(model_of(value.entry()) == model);
  return 0;
}
