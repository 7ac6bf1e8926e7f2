#include "persist/file_header.h"

#include <fmt/core.h>

#include <bit>
#include <cstring>
#include <utility>

#include "base/hash.h"
#include "persist/files.h"

namespace roxdb::persist {
namespace {

static_assert(std::endian::native == std::endian::little, "files are written as memory holds them");

// A header longer than this is not believed to be one.
constexpr uint32_t kHeaderBytesMax = 4096;

constexpr Status kCorrupt{Code::kCorrupt, 0, "file header"};

template <class T>
void put(std::string& bytes, size_t offset, const T& value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

template <class T>
void get(const std::string& bytes, size_t offset, T& value) {
  std::memcpy(&value, bytes.data() + offset, sizeof value);
}

// The fields behind the magic of the first kFileHeaderBytes.
void get_fields(const std::string& bytes, FileHeader& header) {
  get(bytes, 8, header.major);
  get(bytes, 10, header.minor);
  get(bytes, 12, header.length);
  get(bytes, 16, header.id);
  get(bytes, 32, header.created_ms);
  get(bytes, 40, header.flags);
  get(bytes, 48, header.sequence);
}

// The hash at the end of a header, and the one that its bytes have.
struct Hashes {
  explicit Hashes(const std::string& bytes) {
    const size_t hashed = bytes.size() - sizeof expected;
    get(bytes, hashed, expected);
    found = checksum({bytes.data(), hashed}, 0);
  }
  bool agree() const { return expected == found; }

  uint64_t expected;
  uint64_t found;
};

}  // namespace

uint64_t FileHeader::seed() const { return checksum({id.data(), id.size()}, 0); }

FileHeader new_file_header(Environment& environment, Magic magic) {
  FileHeader header;
  header.magic = magic;
  environment.random(header.id.data(), header.id.size());
  header.created_ms = environment.now_ms();
  return header;
}

std::string encode_file_header(const FileHeader& header) {
  std::string bytes(kFileHeaderBytes, '\0');
  put(bytes, 0, header.magic);
  put(bytes, 8, header.major);
  put(bytes, 10, header.minor);
  put(bytes, 12, static_cast<uint32_t>(kFileHeaderBytes));
  put(bytes, 16, header.id);
  put(bytes, 32, header.created_ms);
  put(bytes, 40, header.flags);
  put(bytes, 48, header.sequence);
  put(bytes, 56, checksum({bytes.data(), 56}, 0));
  return bytes;
}

Status read_file_header(File& file, Magic magic, uint16_t major_max, FileHeader& header,
                        std::string& why) {
  std::string bytes(kFileHeaderBytes, '\0');
  ROX_TRY(const size_t got, read_fully(file, 0, bytes.data(), bytes.size()));
  get(bytes, 0, header.magic);
  if (got < magic.size() || header.magic != magic) {
    why = got == 0 ? "the file is empty" : "the magic of another kind of file";
    return kCorrupt;
  }
  if (got < bytes.size()) {
    why = fmt::format("the file ends inside its header, after {} bytes", got);
    return kCorrupt;
  }

  get_fields(bytes, header);
  if (header.length < kFileHeaderBytes || header.length > kHeaderBytesMax) {
    why = fmt::format("a header length of {} bytes", header.length);
    return kCorrupt;
  }
  bytes.resize(header.length);
  ROX_TRY(const size_t all, read_fully(file, 0, bytes.data(), bytes.size()));
  if (all < bytes.size()) {
    why = fmt::format("the file ends inside its header, after {} bytes", all);
    return kCorrupt;
  }
  if (const Hashes hashes(bytes); !hashes.agree()) {
    why = fmt::format("header hash expected {:016x}, found {:016x}", hashes.expected, hashes.found);
    return kCorrupt;
  }
  if (header.major == 0 || header.major > major_max) {
    why = fmt::format("format version {}.{}; this program reads up to version {}", header.major,
                      header.minor, major_max);
    return kCorrupt;
  }
  return kOk;
}

Result<bool> mend_file_header(File& file, Magic magic, uint16_t major_max, FileHeader& header) {
  std::string bytes(kFileHeaderBytes, '\0');
  ROX_TRY(const size_t got, read_fully(file, 0, bytes.data(), bytes.size()));
  if (got < bytes.size()) return false;
  for (size_t bit = 0; bit < 8 * kFileHeaderBytes; ++bit) {
    char& byte = bytes[bit / 8];
    const char found = std::exchange(byte, static_cast<char>(byte ^ 1 << bit % 8));
    if (Hashes(bytes).agree()) {
      FileHeader mended;
      get(bytes, 0, mended.magic);
      get_fields(bytes, mended);
      if (mended.magic != magic || mended.length != kFileHeaderBytes || mended.major == 0 ||
          mended.major > major_max) {
        return false;
      }
      header = mended;
      return true;
    }
    byte = found;
  }
  return false;
}

}  // namespace roxdb::persist
