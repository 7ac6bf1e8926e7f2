// integer_text.h: the decimal text of an integer, for settled log commands and new values.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/numbers.h"

namespace roxdb::commands {

class IntegerText {
 public:
  explicit IntegerText(int64_t value) : size_(print_int64(value, digits_)) {}
  operator std::string_view() const { return {digits_, size_}; }  // NOLINT: reads like one

 private:
  size_t size_;
  char digits_[kIntegerDigitsMax];
};

}  // namespace roxdb::commands
