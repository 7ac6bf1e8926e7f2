// file_header.h: the first 64 bytes of every file of ours (reliability F2, F5).
//
//   OFFSET  SIZE  MEANING                                               little endian throughout
//   0       8     magic: which kind of file this is
//   8       2     major version of the format
//   10      2     minor version
//   12      4     header length L in bytes, 64 here; the hash are the last 8 of them
//   16      16    file id, random; its hash seeds the checksums of everything behind the header
//   32      8     creation, ms of the Unix epoch
//   40      4     flags; their meaning is the kind's
//   44      4     0
//   48      8     sequence of a unit: snapshot, the last one it contains; log, the first one in it
//   56      8     XXH3-64 (seed 0) of the bytes before it
//
// Magic, versions, header length and the place of the hash are for all versions to come; a later
// minor version may append fields before the hash. Nothing else is believed before the hash agrees.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/environment.h"
#include "base/status.h"

namespace roxdb::persist {

using Magic = std::array<char, 8>;
inline constexpr Magic kSnapshotMagic = {'R', 'O', 'X', 'S', 'N', 'A', 'P', '\x1a'};
inline constexpr Magic kLogMagic = {'R', 'O', 'X', 'L', 'O', 'G', '\r', '\x1a'};
inline constexpr size_t kFileHeaderBytes = 64;

struct FileHeader {
  Magic magic = {};
  uint16_t major = 1;
  uint16_t minor = 0;
  uint32_t length = kFileHeaderBytes;  // where the body begins
  std::array<char, 16> id = {};
  int64_t created_ms = 0;
  uint32_t flags = 0;
  uint64_t sequence = 0;

  // What seeds the checksums of the body.
  uint64_t seed() const;
};

// A header for a new file: random id, created now.
FileHeader new_file_header(Environment& environment, Magic magic);
std::string encode_file_header(const FileHeader& header);
// Reads the header of a file that should begin with `magic`. Code::kIo when reading fails;
// Code::kCorrupt with the reason in `why`: too short, another magic, hashes expected and found, or
// a major version above `major_max`, both versions named. Then `header` is as it stands in the
// file, for those who salvage; to be believed is nothing of it.
Status read_file_header(File& file, Magic magic, uint16_t major_max, FileHeader& header,
                        std::string& why);

// For those who salvage, when the hash does not agree: the header as it was, where a single flipped
// bit explains the damage. False: more is wrong, or the header is not kFileHeaderBytes long;
// `header` is left alone. Code::kIo when reading fails. Cost: 512 hashes of 56 bytes. By chance a
// header of random bytes passes once in 2^55 files.
Result<bool> mend_file_header(File& file, Magic magic, uint16_t major_max, FileHeader& header);

}  // namespace roxdb::persist
