#include "persist/snapshot_format.h"

#include <cstring>

#include "base/assert.h"
#include "base/hash.h"

namespace roxdb::persist {
namespace {

constexpr std::string_view kEndMagic = "ROXSEND\x1a";

template <class T>
void put(char* bytes, size_t offset, const T& value) {
  std::memcpy(bytes + offset, &value, sizeof value);
}

template <class T>
void get(const char* bytes, size_t offset, T& value) {
  std::memcpy(&value, bytes + offset, sizeof value);
}

}  // namespace

void seal_block(BlockHeader& header, std::string& block, uint64_t seed) {
  ROX_ASSERT(block.size() >= kBlockHeaderBytes && header.raw_size <= kBlockBytesMax);
  header.stored_size = static_cast<uint32_t>(block.size() - kBlockHeaderBytes);
  std::memset(block.data(), 0, kBlockHeaderBytes);
  std::memcpy(block.data() + kBlockMarkOffset, kBlockMark.data(), kBlockMark.size());
  put(block.data(), 12, header.number);
  put(block.data(), 16, header.type);
  put(block.data(), 17, header.flags);
  put(block.data(), 18, header.codec);
  put(block.data(), 20, header.database);
  put(block.data(), 24, header.raw_size);
  put(block.data(), 28, header.stored_size);
  put(block.data(), 32, header.entries);
  header.hash = block_hash(block, seed);
  put(block.data(), 0, header.hash);
}

bool decode_block_header(std::string_view bytes, BlockHeader& header) {
  ROX_ASSERT(bytes.size() >= kBlockHeaderBytes);
  get(bytes.data(), 0, header.hash);
  get(bytes.data(), 12, header.number);
  get(bytes.data(), 16, header.type);
  get(bytes.data(), 17, header.flags);
  get(bytes.data(), 18, header.codec);
  get(bytes.data(), 20, header.database);
  get(bytes.data(), 24, header.raw_size);
  get(bytes.data(), 28, header.stored_size);
  get(bytes.data(), 32, header.entries);
  return bytes.substr(kBlockMarkOffset, kBlockMark.size()) == kBlockMark &&
         header.raw_size <= kBlockBytesMax && header.stored_size <= header.raw_size;
}

uint64_t block_hash(std::string_view block, uint64_t seed) {
  return checksum(block.substr(sizeof(uint64_t)), seed);
}

std::string encode_trailer(const SnapshotCounts& counts) {
  std::string bytes(kTrailerBytes, '\0');
  put(bytes.data(), 0, counts.blocks);
  put(bytes.data(), 8, counts.entries);
  put(bytes.data(), 16, counts.expiring);
  put(bytes.data(), 24, counts.block_hashes);
  put(bytes.data(), 32, counts.by_type);
  std::memcpy(bytes.data() + 160, kEndMagic.data(), kEndMagic.size());
  return bytes;
}

bool decode_trailer(std::string_view raw, SnapshotCounts& counts) {
  if (raw.size() != kTrailerBytes || raw.substr(160) != kEndMagic) return false;
  get(raw.data(), 0, counts.blocks);
  get(raw.data(), 8, counts.entries);
  get(raw.data(), 16, counts.expiring);
  get(raw.data(), 24, counts.block_hashes);
  get(raw.data(), 32, counts.by_type);
  return true;
}

}  // namespace roxdb::persist
