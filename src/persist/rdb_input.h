// rdb_input.h: lengths, strings and numbers of the RDB format, read from a file or a payload.
//
// The bytes come through a window: a piece of the file, or all of a payload. Lengths are
// announcements: nothing is allocated for bytes that have not come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace roxdb::persist {

constexpr Status rdb_corrupt(std::string_view why) { return {Code::kCorrupt, 0, why}; }

class RdbInput {
 public:
  virtual ~RdbInput() = default;
  RdbInput(const RdbInput&) = delete;
  RdbInput& operator=(const RdbInput&) = delete;

  // All of these: Code::kCorrupt when the input ends or is malformed; Code::kIo.
  Status read(char* out, size_t size);
  // A number as it lies, little endian.
  template <class T>
  Result<T> number() {
    T value;
    ROX_TRY(read(reinterpret_cast<char*>(&value), sizeof value));
    return value;
  }
  Result<uint64_t> length();
  // A string in any of its forms, of kBulkBytesMax bytes at most; an integer as its text.
  Status string(std::string& out);

 protected:
  RdbInput() = default;
  explicit RdbInput(std::string_view window) : window_(window) {}
  // The window is empty: puts at least one byte into it. Code::kCorrupt: there are no more.
  virtual Status refill() = 0;

  std::string_view window_;  // what has come and was not read yet

 private:
  Result<uint64_t> length(bool& is_special);
  Status read_text(uint64_t size, std::string& out);
  template <class T>
  Status read_integer(std::string& out);

  std::string packed_;  // the compressed form of a string
};

// Bytes that are all there.
class RdbBytes final : public RdbInput {
 public:
  explicit RdbBytes(std::string_view bytes) : RdbInput(bytes) {}
  bool at_end() const { return window_.empty(); }

 private:
  Status refill() override { return rdb_corrupt("the payload ends too early"); }
};

}  // namespace roxdb::persist
