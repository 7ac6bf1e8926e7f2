// value_stream.h: values on their way to and from files, in pieces. A type writes itself to a
// ValueWriter and builds itself from a ValueReader; neither knows whether a snapshot, a DUMP
// payload or a copy stands behind, and no value is ever held twice in one piece.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace roxdb::types {

class ValueWriter {
 public:
  virtual ~ValueWriter() = default;
  // Appends bytes; the writer keeps its own errors until the end of the file it writes.
  virtual void write(std::string_view bytes) = 0;

  void byte(uint8_t value) { write({reinterpret_cast<const char*>(&value), 1}); }
  void varint(uint64_t value);         // LEB128: seven bits a byte, lowest first, <= 10 bytes
  void word(uint64_t value);           // 8 bytes, little endian
  void text(std::string_view bytes) {  // its size as a varint, then the bytes
    varint(bytes.size());
    write(bytes);
  }
};

class ValueReader {
 public:
  virtual ~ValueReader() = default;
  // Exactly `size` bytes into `out`, else Code::kCorrupt (the input ended) or Code::kIo.
  virtual Status read(char* out, size_t size) = 0;

  Result<uint8_t> byte();
  Result<uint64_t> varint();
  Result<uint64_t> word();
  // Reads a text() of at most `size_max` bytes. Grows with what arrives, not with what was
  // announced (R12).
  Status text(std::string& out, size_t size_max);
};

}  // namespace roxdb::types
