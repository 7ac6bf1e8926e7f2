// list_load: any bytes are refused as a list, or are one that a plain row of texts agrees with: as
// it was loaded, saved and loaded again, and after changes at its ends and inside.
//
// Input: one byte, list-max-listpack-size, from -5 on; then what ValueType::save() writes.
#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "containers/block_list.h"
#include "test/fuzz/fuzz_target.h"
#include "test/fuzz/one_value.h"
#include "types/list_value.h"

namespace {

using namespace roxdb;
using namespace roxdb::types;
using containers::packed::Encoded;

using Model = std::deque<std::string>;

std::string text_at(const ListCursor& cursor) {
  char room[kIntegerDigitsMax];
  return std::string(cursor.element().text(room));
}

Model model_of(const Entry& entry) {
  if (static_cast<ListEncoding>(entry.encoding()) != ListEncoding::kPacked) {
    entry.pointer<const containers::BlockList>()->check();
  }
  const ListView list(entry);
  Model model;
  for (ListCursor cursor = list.front(); cursor; cursor.next()) model.push_back(text_at(cursor));
  ROX_ASSERT(model.size() == list.size());
  size_t index = model.size();
  for (ListCursor cursor = list.back(); cursor; cursor.previous()) {
    ROX_ASSERT(text_at(cursor) == model[--index]);
  }
  ROX_ASSERT(index == 0);
  for (index = 0; index < model.size(); index += 1 + model.size() / 7) {
    ROX_ASSERT(text_at(list.at(index)) == model[index]);
  }
  return model;
}

void change(ListValue list, Model& model) {
  const std::string big(9'000, 'b');
  for (const std::string& text : {std::string("new"), std::string("-12345"), big}) {
    const Encoded element(text);
    list.push_front(element);
    model.push_front(text);
    list.push_back(element);
    model.push_back(text);
    const size_t middle = model.size() / 2;
    list.insert_before(list.view().at(middle), element);
    model.insert(model.begin() + static_cast<ptrdiff_t>(middle), text);
    list.insert_after(list.view().at(middle / 2), element);
    model.insert(model.begin() + static_cast<ptrdiff_t>(middle / 2) + 1, text);
    list.replace(list.view().at(middle / 3), element);
    model[middle / 3] = text;
  }
  const std::string common = model[model.size() / 3];
  const size_t equal = static_cast<size_t>(std::count(model.begin(), model.end(), common));
  ROX_ASSERT(list.remove_equal(Encoded(common), SIZE_MAX, false) == equal);
  std::erase(model, common);
  if (model.empty()) return;
  const size_t count = model.size() / 3;
  list.remove(count, count);
  const auto begin = model.begin() + static_cast<ptrdiff_t>(count);
  model.erase(begin, begin + static_cast<ptrdiff_t>(count));
}

void empty_from_both_ends(ListValue list, Model& model) {
  while (model.size() > 1) {
    ROX_ASSERT(text_at(list.view().front()) == model.front());
    list.pop_front();
    model.pop_front();
    if (model.size() == 1) break;
    ROX_ASSERT(text_at(list.view().back()) == model.back());
    list.pop_back();
    model.pop_back();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  Limits limits;
  limits.list_node_size = data[0] - 5;
  if (limits.list_node_size == 0) limits.list_node_size = 1;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  roxdb::test::OneValue value(list_type(), limits);
  if (!value.load(bytes)) return 0;
  Model model = model_of(value.entry());

  roxdb::test::OneValue twin(list_type(), limits);
  const std::string saved = value.saved();
  ROX_ASSERT(twin.load(saved) && twin.saved() == saved);
  ROX_ASSERT(model_of(twin.entry()) == model);
  twin.copy_from(value.entry());
  ROX_ASSERT(model_of(twin.entry()) == model);

  ListValue list(value.home, value.cell);
  change(list, model);
  ROX_ASSERT(model_of(value.entry()) == model);
  empty_from_both_ends(list, model);
  ROX_ASSERT(model_of(value.entry()) == model);
  return 0;
}
