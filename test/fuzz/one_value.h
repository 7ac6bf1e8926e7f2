// one_value.h: the world of a target that loads a value: its home, its cell, and what must hold of
// every value however strange the bytes were it was made of.
#pragma once

#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/memory.h"
#include "containers/segment.h"
#include "test/types/value_bytes.h"
#include "types/entry.h"
#include "types/value_home.h"
#include "types/value_type.h"

namespace roxdb::test {

class OneValue {
 public:
  OneValue(const types::ValueType& type, const types::Limits& its_limits)
      : limits(its_limits), type_(type) {}
  ~OneValue() {
    destroy();
    ROX_ASSERT(slabs.used_bytes() == 0);
  }
  OneValue(const OneValue&) = delete;
  OneValue& operator=(const OneValue&) = delete;

  // Makes the value of what ValueType::save() writes. False: it is refused, and nothing of it is
  // left.
  bool load(std::string_view bytes) {
    types::test::BytesReader in(bytes);
    const auto loaded = type_.load(in, {.key = "key"}, home);
    if (!loaded.ok()) {
      ROX_ASSERT(loaded.status().code == Code::kCorrupt && slabs.used_bytes() == 0);
      return false;
    }
    cell.set_pointer(*loaded);
    return true;
  }
  // A second value in the place of this one, from the same home.
  void copy_from(const types::Entry& entry) {
    destroy();
    cell.set_pointer(type_.copy(entry, entry.parts(), home));
  }
  const types::Entry& entry() const { return *static_cast<const types::Entry*>(cell.pointer()); }
  std::string saved() const {
    types::test::BytesWriter out;
    type_.save(entry(), out);
    return out.text;
  }

  memory::Slabs slabs;
  const HashSecret secret = hash_secret_from_seed(1);
  const types::Limits limits;
  const types::ValueHome home{slabs, secret, limits};
  containers::Cell cell{};

 private:
  void destroy() {
    auto* const old = static_cast<types::Entry*>(cell.pointer());
    if (old == nullptr) return;
    if (old->has_payload()) {
      memory::SlabSink sink(slabs);
      type_.release_payload(old->payload(), old->encoding(), sink);
    }
    types::Entry::destroy(slabs, old);
    cell.set_pointer(nullptr);
  }

  const types::ValueType& type_;
};

}  // namespace roxdb::test
