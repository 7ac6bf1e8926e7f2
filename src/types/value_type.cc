#include "types/value_type.h"

#include "types/hash_value.h"
#include "types/list_value.h"
#include "types/set_value.h"
#include "types/sorted_set_value.h"
#include "types/stream_value.h"
#include "types/string_value.h"

namespace roxdb::types {

const ValueType* value_type(TypeId id) {
  switch (id) {
    case TypeId::kString:
      return &string_type();
    case TypeId::kList:
      return &list_type();
    case TypeId::kSet:
      return &set_type();
    case TypeId::kHash:
      return &hash_type();
    case TypeId::kSortedSet:
      return &sorted_set_type();
    case TypeId::kStream:
      return &stream_type();
    default:
      return nullptr;
  }
}

}  // namespace roxdb::types
