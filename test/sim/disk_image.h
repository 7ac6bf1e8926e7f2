// disk_image.h: what a disk holds, as a plain value. Simulations start from one and end in many.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace roxdb {

// The bytes of a file. A copy costs one pointer; a write copies only the 4 KiB chunk it touches, so
// that thousands of images of one disk share nearly everything.
class FileContent {
 public:
  FileContent() = default;
  explicit FileContent(std::string_view bytes) { write(0, bytes); }

  uint64_t size() const { return body_ ? body_->size : 0; }
  size_t read(uint64_t offset, char* out, size_t size) const;  // bytes copied; 0 at the end
  void write(uint64_t offset, std::string_view bytes);         // grows, with zeros in a gap
  void resize(uint64_t size);                                  // grows with zeros
  std::string text() const;                                    // all of it

  friend bool operator==(const FileContent& left, const FileContent& right) {
    return left.body_ == right.body_ || left.text() == right.text();
  }

 private:
  static constexpr size_t kChunkBytes = 4096;
  using Chunk = std::array<char, kChunkBytes>;
  // Bytes of the last chunk behind `size` are zero; an absent chunk is all zero.
  struct Body {
    uint64_t size = 0;
    std::vector<std::shared_ptr<Chunk>> chunks;
  };

  Body& own_body();
  Chunk& own_chunk(size_t index);

  // Shared between the copies of this content until one of them writes.
  std::shared_ptr<Body> body_;
};

// Files by path, and directories by path; "dir/file", without "." and without '/' at either end.
// The root directory is always there and not listed.
struct DiskImage {
  std::map<std::string, FileContent> files;
  std::set<std::string> directories;
  std::string rule;  // which rule of simulated_disk.h made it: for messages, not part of the value

  friend bool operator==(const DiskImage& left, const DiskImage& right) {
    return left.files == right.files && left.directories == right.directories;
  }
};

}  // namespace roxdb
