// hash_load: any bytes are refused as a hash, or are one that a plain map agrees with: as it was
// loaded, saved and loaded again, and after changes and expiries, in every encoding.
//
// Input: one byte, how many fields may be packed; then what ValueType::save() writes.
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "test/fuzz/fuzz_target.h"
#include "test/fuzz/one_value.h"
#include "types/hash_value.h"

namespace {

using namespace roxdb;
using namespace roxdb::types;

// Name to value and expiry, kNoExpiry.
using Model = std::map<std::string, std::pair<std::string, int64_t>>;

void check_form(const Entry& entry) {
  if (is_table(hash_encoding(entry))) {
    entry.pointer<const HashTable>()->check();
    return;
  }
  const PackedFields fields(entry);
  size_t count = 0;
  fields.for_each([&](const PackedFields::Field& field) {
    count++;
    if (field.expire_at_ms < 0) return;
    ROX_ASSERT(field_mark(entry) <= static_cast<uint64_t>(field.expire_at_ms));
  });
  ROX_ASSERT(count == fields.count());
}

Model model_of(const Entry& entry) {
  check_form(entry);
  const HashView view(entry, HashView::kBeforeAll);
  Model model;
  view.for_each([&](const HashView::Field& field) {
    const bool is_new =
        model.emplace(field.name, std::pair(std::string(field.value), field.expire_at_ms)).second;
    ROX_ASSERT(is_new);
  });
  ROX_ASSERT(model.size() == view.size());
  for (const auto& [name, content] : model) {
    char room[kIntegerDigitsMax];
    const auto found = view.find(name, room);
    ROX_ASSERT(found && found->value == content.first && found->expire_at_ms == content.second);
  }
  return model;
}

// Sets, expires and erases fields of the hash and of the model alike.
void change(HashValue hash, Model& model) {
  std::vector<std::string> names;
  for (const auto& [name, content] : model) names.push_back(name);
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i];
    switch (i % 5) {
      case 0:
        model[name] = {name + "!", kNoExpiry};
        ROX_ASSERT(!hash.set(name, name + "!"));
        break;
      case 1:
        model[name].first = "7";
        ROX_ASSERT(!hash.set(name, "7", kKeepExpiry));
        break;
      case 2:
        model[name].second = static_cast<int64_t>(1000 + i);
        hash.set_expiry(name, static_cast<int64_t>(1000 + i));
        break;
      case 3:
        model.erase(name);
        ROX_ASSERT(hash.erase(name) && !hash.erase(name));
        break;
      default:
        break;
    }
  }
  const std::string long_name(70, 'n');  // longer than a packed hash takes
  ROX_ASSERT(hash.set(long_name, "", 5) == !model.contains(long_name));
  model[long_name] = {"", 5};
}

void expire(HashValue hash, Model& model, int64_t now_ms) {
  std::vector<std::string> taken;
  while (field_mark(hash.entry()) < static_cast<uint64_t>(now_ms)) {
    hash.take_due(now_ms, 3, &taken);
  }
  const size_t before = model.size();
  std::erase_if(model, [now_ms](const auto& field) {
    return field.second.second >= 0 && field.second.second < now_ms;
  });
  ROX_ASSERT(taken.size() == before - model.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Limits limits{.hash_packed_entries = data[0]};
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  roxdb::test::OneValue value(hash_type(), limits);
  if (!value.load(bytes)) return 0;
  Model model = model_of(value.entry());

  roxdb::test::OneValue twin(hash_type(), limits);
  ROX_ASSERT(twin.load(value.saved()));
  ROX_ASSERT(model_of(twin.entry()) == model);
  twin.copy_from(value.entry());
  ROX_ASSERT(model_of(twin.entry()) == model);

  HashValue hash(value.home, value.cell);
  change(hash, model);
  ROX_ASSERT(model_of(value.entry()) == model);
  expire(hash, model, 1'010);
  if (!hash.empty()) ROX_ASSERT(model_of(value.entry()) == model);
  ROX_ASSERT(hash.empty() == model.empty());
  return 0;
}
