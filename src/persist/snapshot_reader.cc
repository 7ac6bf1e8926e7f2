#include "persist/snapshot_reader.h"

#include <fmt/core.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "persist/files.h"

namespace roxdb::persist {
namespace {

constexpr Status kDamaged{Code::kCorrupt, 0, "snapshot"};

// What of a damaged file is searched at a time for the next block.
constexpr size_t kSearchBytes = size_t{1} << 20;

// The budget for reading: once the file, once what search_on() looks at, as much for places that
// look like a block, and for each damage, of which there may be one in each block, what was read
// ahead by then.
constexpr uint64_t kReadsPerByte = 3;

}  // namespace

// One block on its way: read by the owner, then verified and unpacked by whoever gets it.
class SnapshotReader::Block final : public Workers::Job {
 public:
  ~Block() override { ZSTD_freeDCtx(context_); }

  uint64_t offset = 0;
  std::string bytes;  // as they lie in the file, header included
  BlockHeader header;
  uint64_t seed = 0;
  bool unpacks = true;   // else only its hash is looked at
  bool decoded = false;  // the header can begin a block, and all of it is there

  // What reading it or running it found.
  Status status;
  std::string why;

  std::string_view raw() const {
    return header.codec == static_cast<uint8_t>(Codec::kNone)
               ? std::string_view(bytes).substr(kBlockHeaderBytes)
               : std::string_view(unpacked_.data(), header.raw_size);
  }

  void verify() {
    status = kOk;
    why.clear();
    if (const uint64_t found = block_hash(bytes, seed); found != header.hash) {
      return fail(fmt::format("block hash expected {:016x}, found {:016x}", header.hash, found));
    }
    if (!unpacks && header.type != static_cast<uint8_t>(BlockType::kTrailer)) return;
    switch (header.codec) {
      case static_cast<uint8_t>(Codec::kNone):
        if (header.stored_size != header.raw_size) fail("a plain block with two lengths");
        return;
      case static_cast<uint8_t>(Codec::kZstd):
        return unpack();
      default:
        return fail(fmt::format("codec {} is not known to this version", header.codec));
    }
  }

 private:
  void run() override { verify(); }

  void fail(std::string reason) {
    status = kDamaged;
    why = std::move(reason);
  }

  void unpack() {
    if (context_ == nullptr) context_ = ZSTD_createDCtx();
    if (context_ == nullptr) {
      status = {Code::kNoMemory, 0, "zstd"};
      why = "no memory to unpack a block";
      return;
    }
    if (unpacked_.size() < header.raw_size) unpacked_.resize(header.raw_size);
    const size_t size =
        ZSTD_decompressDCtx(context_, unpacked_.data(), header.raw_size,
                            bytes.data() + kBlockHeaderBytes, bytes.size() - kBlockHeaderBytes);
    if (ZSTD_isError(size) != 0 || size != header.raw_size) {
      fail(fmt::format("a block does not unpack to its {} bytes", header.raw_size));
    }
  }

  ZSTD_DCtx* context_ = nullptr;
  std::string unpacked_;
};

SnapshotReader::SnapshotReader(File& file, const FileHeader& header, uint64_t file_bytes,
                               int threads, Verify verify)
    : file_(file),
      file_header_(header),
      seed_(header.seed()),
      file_bytes_(file_bytes),
      read_offset_(header.length),
      block_hashes_(seed_),
      workers_(threads) {
  // One is in use, each thread has one in hand and one to go on with, and one is ready.
  const size_t blocks = threads == 0 ? 2 : 2 + 2 * static_cast<size_t>(threads);
  for (size_t i = 0; i < blocks; ++i) {
    ring_.push_back(std::make_unique<Block>());
    ring_.back()->unpacks = verify == Verify::kContents;
  }
  budget_ = (kReadsPerByte + blocks) * (file_bytes + kBlockBytesMax);
}

SnapshotReader::~SnapshotReader() = default;

const BlockHeader& SnapshotReader::header() const { return ring_[current_]->header; }
std::string_view SnapshotReader::raw() const { return ring_[current_]->raw(); }
uint64_t SnapshotReader::end_offset() const { return offset_ + ring_[current_]->bytes.size(); }

SnapshotReader::Found SnapshotReader::next() {
  read_ahead();
  ROX_ASSERT(ahead_ > 0);
  current_ = (current_ + 1) % ring_.size();
  ahead_--;
  Block& block = *ring_[current_];
  if (block.decoded) workers_.finish(block);
  return take(block);
}

void SnapshotReader::read_ahead() {
  while (!ended_ && ahead_ + 1 < ring_.size()) {
    Block& block = *ring_[(current_ + 1 + ahead_) % ring_.size()];
    block.decoded = read_block(block);
    if (block.decoded) workers_.submit(block);
    // Behind a trailer or a bad header there is nothing to go on with.
    ended_ = !block.decoded || block.header.type == static_cast<uint8_t>(BlockType::kTrailer);
    ahead_++;
  }
}

// Reads the block at read_offset_ and moves it on. False: what is there cannot be one.
bool SnapshotReader::read_block(Block& block) {
  block.offset = read_offset_;
  block.seed = seed_;
  block.status = kDamaged;
  block.bytes.resize(kBlockHeaderBytes);
  const auto head = read_fully(file_, read_offset_, block.bytes.data(), kBlockHeaderBytes);
  if (!head.ok()) {
    block.status = head.status();
    return false;
  }
  if (*head == 0) {
    block.why = "the file ends without its trailer";
    return false;
  }
  if (*head < kBlockHeaderBytes) {
    block.why = "the file ends inside the header of a block";
    return false;
  }
  if (!decode_block_header(block.bytes, block.header)) {
    block.why = "no block begins where one should";
    return false;
  }
  if (!spend(kBlockHeaderBytes + block.header.stored_size)) {
    block.why = "too much of the file only looks like blocks";
    return false;
  }
  block.bytes.resize(kBlockHeaderBytes + block.header.stored_size);
  const auto body = read_fully(file_, read_offset_ + kBlockHeaderBytes,
                               block.bytes.data() + kBlockHeaderBytes, block.header.stored_size);
  if (!body.ok()) {
    block.status = body.status();
    return false;
  }
  if (*body < block.header.stored_size) {
    block.why = "the file ends inside a block";
    return false;
  }
  read_offset_ += block.bytes.size();
  return true;
}

SnapshotReader::Found SnapshotReader::take(Block& block) {
  offset_ = block.offset;
  if (!block.status.ok()) return damage(block.offset, block.status, block.why);
  if (block.header.number != next_number_) {
    return damage(
        block.offset, kDamaged,
        fmt::format("block {} stands where block {} should", block.header.number, next_number_));
  }
  next_number_++;
  if (block.header.type != static_cast<uint8_t>(BlockType::kTrailer)) {
    block_hashes_.add(
        {reinterpret_cast<const char*>(&block.header.hash), sizeof block.header.hash});
    return Found::kBlock;
  }
  if (!decode_trailer(block.raw(), trailer_)) {
    return damage(block.offset, kDamaged, "the trailer is not one");
  }
  if (end_offset() != file_bytes_) {
    return damage(end_offset(), kDamaged,
                  fmt::format("{} bytes behind the trailer", file_bytes_ - end_offset()));
  }
  return Found::kTrailer;
}

SnapshotReader::Found SnapshotReader::damage(uint64_t offset, Status status, std::string why) {
  offset_ = offset;
  status_ = status;
  why_ = std::move(why);
  return Found::kDamage;
}

bool SnapshotReader::spend(uint64_t bytes) {
  gave_up_ = gave_up_ || budget_ < bytes;
  if (gave_up_) return false;
  budget_ -= bytes;
  return true;
}

bool SnapshotReader::search_on() {
  forget_ahead();
  Block& block = *ring_[current_];
  BlockHeader header;
  for (uint64_t at = offset_; !gave_up_; ++at) {
    const auto found = seek_header(at, header);
    if (!found.ok()) {
      status_ = found.status();
      return false;
    }
    at = *found;
    if (at == file_bytes_) break;
    if (verifies_at(at, block)) {
      read_offset_ = at;
      next_number_ = block.header.number;
      ended_ = false;
      return true;
    }
    if (block.status.code != Code::kCorrupt) {
      status_ = block.status;
      return false;
    }
  }
  offset_ = file_bytes_;
  return false;
}

// The first place, at `from` or behind it, where a header stands whose block has a number not seen
// yet and could be there in full; file_bytes_ when there is none. Looks at each byte of the file
// once, however often it is called, since nobody searches before where he was.
Result<uint64_t> SnapshotReader::seek_header(uint64_t from, BlockHeader& header) {
  while (from + kBlockHeaderBytes <= file_bytes_) {
    const uint64_t window_end = window_offset_ + window_.size();
    if (from < window_offset_ || from + kBlockHeaderBytes > window_end) {
      window_.resize(std::min<uint64_t>(kSearchBytes, file_bytes_ - from));
      window_offset_ = from;
      const auto got = read_fully(file_, from, window_.data(), window_.size());
      if (!got.ok()) window_.clear();
      ROX_TRY(const size_t size, got);
      window_.resize(size);
      if (size < kBlockHeaderBytes) break;  // the file became shorter
      continue;
    }
    const size_t mark = window_.find(kBlockMark, from - window_offset_ + kBlockMarkOffset);
    if (mark == std::string::npos) {
      // The window may end within a mark.
      from = window_end - (kBlockMarkOffset + kBlockMark.size() - 1);
      continue;
    }
    from = window_offset_ + mark - kBlockMarkOffset;
    if (from + kBlockHeaderBytes > window_end) continue;
    const std::string_view bytes(window_.data() + (mark - kBlockMarkOffset), kBlockHeaderBytes);
    if (decode_block_header(bytes, header) && header.number >= next_number_ &&
        header.stored_size <= file_bytes_ - from - kBlockHeaderBytes) {
      return from;
    }
    from++;
  }
  return file_bytes_;
}

bool SnapshotReader::verifies_at(uint64_t offset, Block& block) {
  const uint64_t back = std::exchange(read_offset_, offset);
  const bool decoded = read_block(block);
  read_offset_ = back;
  if (!decoded) return false;
  block.verify();
  return block.status.ok();
}

// What was read ahead from the wrong place is dropped.
void SnapshotReader::forget_ahead() {
  for (; ahead_ > 0; ahead_--) {
    Block& block = *ring_[(current_ + ahead_) % ring_.size()];
    if (block.decoded) workers_.finish(block);
  }
}

}  // namespace roxdb::persist
