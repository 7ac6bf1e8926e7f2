// aof_writer.h: one increment of the log that grows.
//
//   append() ... append()  --- in memory --->  flush()  --- in the kernel --->  sync() of file()
//
// A write that fails leaves the file as it was: what got through is cut off again, and the bytes
// stay in memory for the next flush() (E2). While even the cut fails, the next flush() begins with
// it; a crash in between leaves a torn tail, which recovery cuts.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/environment.h"
#include "persist/aof_record.h"
#include "persist/file_header.h"

namespace roxdb::persist {

class AofWriter {
 public:
  // Without a file yet: what is appended waits in memory. header.sequence is the first one in it.
  AofWriter(std::string path, const FileHeader& header);

  // Creates the file of such a header: its content is on the disk, its directory entry is not.
  static Result<std::shared_ptr<File>> create_file(Environment& environment,
                                                   const std::string& path,
                                                   const FileHeader& header);
  // The file stands: just created, or an old one of `size` bytes to go on with. It is shared with
  // the thread that syncs it.
  void attach(std::shared_ptr<File> file, uint64_t size);

  // Appends in memory. `sequence` is the next record's, and moves behind those appended.
  void append(std::span<const engine::LogCommand> commands, int64_t time_ms, uint64_t& sequence) {
    buffer_.append_unit(commands, time_ms, sequence);
  }
  // Says in the log how far it is on the disk: before the next unit, once synced_is_news().
  void append_synced(int64_t time_ms, uint64_t& sequence);
  bool synced_is_news() const { return synced_is_news_; }
  // One write of all that waits. REQUIRES: attached. On an error nothing of it is in the file.
  Status flush();
  // Everything up to `sequence` is on the disk.
  void note_synced(uint64_t sequence);

  const std::string& path() const { return path_; }
  bool attached() const { return file_ != nullptr; }
  const std::shared_ptr<File>& file() const { return file_; }
  uint64_t size() const { return size_; }  // bytes of whole records in the file, and the header
  uint64_t waiting_bytes() const { return buffer_.bytes().size(); }

 private:
  Status cut_back();

  std::string path_;
  RecordBuffer buffer_;
  std::shared_ptr<File> file_;
  uint64_t size_ = kFileHeaderBytes;
  bool ragged_ = false;  // bytes of a failed write may stand behind size_
  uint64_t synced_;      // sequence
  bool synced_is_news_ = false;
};

}  // namespace roxdb::persist
