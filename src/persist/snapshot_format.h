// snapshot_format.h: what a snapshot file looks like (reliability F3).
//
//   +--------+---------+---------+-----+---------+---------+
//   | header | block 0 | block 1 | ... | block n | trailer |      header: file_header.h, magic
//   +--------+---------+---------+-----+---------+---------+      kSnapshotMagic, 64 bytes
//
// A block, 40 bytes and what is stored:
//
//   OFFSET  SIZE  MEANING                                         little endian
//   0       8     XXH3-64 of all bytes of the block behind it, seeded by the file id
//   8       4     "RBLK": salvage looks for it
//   12      4     number of the block, 0 for the first; the trailer continues the row
//   16      1     type: 1 entries, 2 continuation, 3 state, 255 trailer
//   17      1     flags: bit 0, a reader that does not know the type may skip the block
//   18      1     codec of the stored bytes: 0 none, 1 zstd (one frame that says its size)
//   19      1     0
//   20      4     database of its entries
//   24      4     raw length, <= 1 MiB
//   28      4     stored length, <= raw length
//   32      4     entries that begin in this block
//   36      4     0
//   40      ..    stored bytes
//
// The hash and the number make that a block of another file, or at another place, never verifies.
// Raw bytes of an `entries` block are entries one behind the other:
//
//   SIZE    MEANING
//   1       type of the value in the low 5 bits (types::TypeId); bit 7: it has an expiry
//   3       access clock or counter, as types::Entry holds it
//   8       expiry, ms of the Unix epoch                                        if bit 7 is set
//   varint  size of the key
//   ..      key
//   ..      value, as its ValueType::save() writes it; it says itself where it ends
//
// An entry never begins in one `entries` block and ends in another: what does not fit any more
// begins the next block. Only a value larger than a block goes on, in as many `continuation` blocks
// as it takes (varints and texts are cut anywhere), and behind its end a new block begins. So every
// `entries` block can be read alone, whatever happened to those before it.
//
// A `state` block stands before all entries, if there is one: what the databases hold besides keys,
// as a text, which goes on in `continuation` blocks like a large value (engine/extra_state.h).
//
// The trailer is a block of type 255, stored plain. Nothing follows it; without it a file is not a
// snapshot:
//
//   OFFSET  SIZE  MEANING
//   0       8     number of blocks before the trailer
//   8       8     number of entries
//   16      8     number of entries with an expiry
//   24      8     XXH3-64 over the hashes of all blocks in order, seeded by the file id
//   32      128   entries of type 0, 1, ... 15, 8 bytes each
//   160     8     end magic "ROXSEND\x1a"
//
// Version 1.0. Sorting keys and values of a block apart was measured with zstd level 1: the file
// shrinks by less than 1 %, and reading needs a second cursor. Blocks of 256 KiB cost 5 % of size.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "types/entry.h"

namespace roxdb::persist {

inline constexpr uint16_t kSnapshotMajor = 1;
inline constexpr uint16_t kSnapshotMinor = 0;
inline constexpr size_t kBlockHeaderBytes = 40;
inline constexpr size_t kBlockBytesMax = 1u << 20;  // raw
inline constexpr size_t kTrailerBytes = 168;

// Flags of the file header.
inline constexpr uint32_t kAccessIsLfu = 1;  // access fields are LFU counters, not LRU seconds
inline constexpr uint32_t kLogBase = 2;      // the base of a log, see `sequence`

// First byte of an entry.
inline constexpr uint8_t kEntryTypeMask = 0x1f;
inline constexpr uint8_t kEntryHasExpiry = 0x80;

enum class BlockType : uint8_t { kEntries = 1, kContinuation = 2, kState = 3, kTrailer = 255 };
enum class Codec : uint8_t { kNone = 0, kZstd = 1 };
inline constexpr uint8_t kBlockMayBeSkipped = 1;

struct BlockHeader {
  uint32_t number = 0;
  uint8_t type = 0;  // a BlockType, or one that a later version knows
  uint8_t flags = 0;
  uint8_t codec = 0;
  uint32_t database = 0;
  uint32_t raw_size = 0;
  uint32_t stored_size = 0;
  uint32_t entries = 0;
  uint64_t hash = 0;
};

inline constexpr std::string_view kBlockMark = "RBLK";
inline constexpr size_t kBlockMarkOffset = 8;

// Fills in the first kBlockHeaderBytes of a block whose stored bytes are in place behind them.
// REQUIRES: block.size() is both together. `header.stored_size` and `header.hash` are set here.
void seal_block(BlockHeader& header, std::string& block, uint64_t seed);
// Takes apart the first kBlockHeaderBytes. False when they cannot begin a block: wrong mark, or
// sizes above their bounds. The hash is not checked here.
bool decode_block_header(std::string_view bytes, BlockHeader& header);
// The hash that a block, header and stored bytes in one piece, should carry.
uint64_t block_hash(std::string_view block, uint64_t seed);

struct SnapshotCounts {
  uint64_t blocks = 0;  // without the trailer
  uint64_t entries = 0;
  uint64_t expiring = 0;
  uint64_t block_hashes = 0;
  std::array<uint64_t, types::kTypesMax> by_type = {};

  friend bool operator==(const SnapshotCounts&, const SnapshotCounts&) = default;
};
std::string encode_trailer(const SnapshotCounts& counts);
// False when the size or the end magic is wrong.
bool decode_trailer(std::string_view raw, SnapshotCounts& counts);

}  // namespace roxdb::persist
