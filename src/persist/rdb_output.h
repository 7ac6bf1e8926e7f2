// rdb_output.h: lengths, strings, numbers and listpacks of the RDB format, on their way out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "containers/packed_list.h"

namespace roxdb::persist {

// Appends to a text of `bytes_max` bytes at most. What does not fit is dropped, and so is all that
// comes behind it.
class RdbOutput {
 public:
  RdbOutput(std::string& out, size_t bytes_max) : out_(out), bytes_max_(bytes_max) {}

  bool has_overflowed() const { return has_overflowed_; }
  void write(std::string_view bytes) {
    if (bytes.size() > bytes_max_ - out_.size()) has_overflowed_ = true;
    if (!has_overflowed_) out_.append(bytes);
  }
  void byte(uint8_t value) { write({reinterpret_cast<const char*>(&value), 1}); }
  // A number as it lies, little endian.
  template <class T>
  void number(T value) {
    write({reinterpret_cast<const char*>(&value), sizeof value});
  }
  void length(uint64_t value);
  // A string in the shortest form but the compressed one.
  void string(std::string_view text);
  void string(int64_t value);
  void string(const containers::packed::Element& element);

  // A length that is known later: room for one of 32 bits.
  size_t reserve_length();
  void fill_length(size_t place, uint32_t value);

 private:
  bool integer(int64_t value);

  std::string& out_;
  const size_t bytes_max_;
  bool has_overflowed_ = false;
};

// Makes listpacks, see rdb_blob.h, of up to 4 GiB.
class ListpackWriter {
 public:
  ListpackWriter() { clear(); }
  void clear();
  void add(std::string_view text);  // the text of an integer becomes one
  void add(int64_t value);
  void add(const containers::packed::Element& element);
  bool empty() const { return count_ == 0; }
  size_t size() const { return bytes_.size(); }
  // The finished listpack. Nothing may be added before clear().
  std::string_view finish();

 private:
  void add_text(std::string_view text);
  void big_endian(uint8_t mark, uint64_t value);
  void little_endian(uint8_t mark, uint64_t value, size_t size);
  void end_element(size_t begin);

  std::string bytes_;
  uint64_t count_ = 0;
};

}  // namespace roxdb::persist
