// value_bytes.h: values written to and read from memory, for the tests of this room and those
// above.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "types/value_stream.h"

namespace roxdb::types::test {

class BytesWriter final : public ValueWriter {
 public:
  void write(std::string_view bytes) override { text += bytes; }
  std::string text;
};

// Fails as a file that ends.
class BytesReader final : public ValueReader {
 public:
  explicit BytesReader(std::string_view bytes) : left(bytes) {}
  Status read(char* out, size_t size) override {
    if (size > left.size()) return {Code::kCorrupt, 0, "the input ended"};
    std::memcpy(out, left.data(), size);
    left.remove_prefix(size);
    return kOk;
  }
  std::string_view left;
};

}  // namespace roxdb::types::test
