#include "persist/aof_writer.h"

#include <algorithm>

#include "persist/files.h"

namespace roxdb::persist {
namespace {

// Twice the writing of such a group takes about as long as the metadata of one.
constexpr uint64_t kRoomyGroupBytesMax = 64u << 10;
constexpr uint64_t kStoreAheadBytes = 8u << 20;

}  // namespace

AofWriter::AofWriter(std::string path, const FileHeader& header)
    : path_(std::move(path)), buffer_(header.seed()), synced_(header.sequence - 1) {}

Result<std::shared_ptr<File>> AofWriter::create_file(Environment& environment,
                                                     const std::string& path,
                                                     const FileHeader& header) {
  ROX_TRY(std::shared_ptr<File> file, environment.open(path, OpenMode::kCreateNew));
  ROX_TRY(write_all(*file, encode_file_header(header)));
  ROX_TRY(file->sync());
  return file;
}

void AofWriter::attach(std::shared_ptr<File> file, uint64_t size) {
  file_ = std::move(file);
  size_ = room_end_ = stored_ahead_ = size;
}

void AofWriter::append_synced(int64_t time_ms, uint64_t& sequence) {
  synced_is_news_ = false;
  buffer_.append_synced(synced_, time_ms, sequence);
}

void AofWriter::note_synced(uint64_t sequence) {
  if (sequence <= synced_) return;
  synced_ = sequence;
  synced_is_news_ = true;
}

Status AofWriter::flush() {
  if (buffer_.empty()) return kOk;
  ROX_TRY(cut_back());
  if (const Status status = write_all(*file_, buffer_.bytes()); !status.ok()) {
    ragged_ = true;
    // When this fails too it is tried again before the next write; the first error is the news.
    static_cast<void>(cut_back().ok());
    return status;
  }
  group_bytes_ = buffer_.bytes().size();
  size_ += group_bytes_;
  buffer_.clear();
  return kOk;
}

Status AofWriter::cut_back() {
  if (!ragged_) return kOk;
  ROX_TRY(file_->truncate(size_));
  ragged_ = false;
  room_end_ = size_;
  return kOk;
}

bool AofWriter::wants_room() const {
  return room_end_ < size_ + kRoomBytesMin && group_bytes_ <= kRoomyGroupBytesMax;
}

uint64_t AofWriter::take_room() {
  const uint64_t offset = std::max(room_end_, size_);
  room_end_ = offset + kRoomBytes;
  return offset;
}

bool AofWriter::take_store_ahead() {
  if (size_ - stored_ahead_ < kStoreAheadBytes) return false;
  stored_ahead_ = size_;
  return true;
}

Status AofWriter::trim() {
  if (room_end_ <= size_) return kOk;
  ROX_TRY(file_->truncate(size_));
  room_end_ = size_;
  return kOk;
}

}  // namespace roxdb::persist
