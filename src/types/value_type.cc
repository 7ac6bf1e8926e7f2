#include "types/value_type.h"

#include "types/string_value.h"

namespace roxdb::types {

const ValueType* value_type(TypeId id) {
  switch (id) {
    case TypeId::kString:
      return &string_type();
    default:
      return nullptr;
  }
}

}  // namespace roxdb::types
