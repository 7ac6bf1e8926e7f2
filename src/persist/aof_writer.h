// aof_writer.h: one increment of the log that grows.
//
//   append() ... append()  --- in memory --->  flush()  --- in the kernel --->  sync() of file()
//
// A write that fails leaves the file as it was: what got through is cut off again, and the bytes
// stay in memory for the next flush() (E2). While even the cut fails, the next flush() begins with
// it; a crash in between leaves a torn tail, which recovery cuts.
//
// Under `always` the file has room ahead: zeros, over which the records go. Then a sync stores data
// and nothing else; without it the file system stores the new size and the new blocks too, each
// time. (Measured on ext4, groups of 7 KB, means of 4,000: growing 255 us, fallocate()d 215 us,
// over zeros 155 us: space that is only allocated still has to be marked as written.) The zeros are
// written on another thread, by whoever asks wants_room() after a sync.
//
//   | header, records      | room: zeros           |  end of the file
//   0                      size()                  room_end_
//                          '-- < kRoomBytesMin: kRoomBytes more
//
// Recovery takes the room away, and so does trim() from a file that is complete.
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
  static constexpr uint64_t kRoomBytes = 4u << 20;

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
  // Whether it pays to make more room: little is left, and the groups are small. A big one has so
  // much to write that writing it twice costs more than what it saves.
  bool wants_room() const;
  // Where the next room is to be, for File::make_room(); counts as made. It need not succeed:
  // without it syncs are slower, and that is all.
  uint64_t take_room();
  // Whether enough was written for File::store_ahead(), and counts as asked for.
  bool take_store_ahead();
  // Gives room back: for a file that is complete. Not ok: it ends with zeros, which do no harm.
  Status trim();
  // Everything up to `sequence` is on the disk.
  void note_synced(uint64_t sequence);

  const std::string& path() const { return path_; }
  bool attached() const { return file_ != nullptr; }
  const std::shared_ptr<File>& file() const { return file_; }
  uint64_t size() const { return size_; }  // bytes of whole records in the file, and the header
  uint64_t waiting_bytes() const { return buffer_.bytes().size(); }

 private:
  static constexpr uint64_t kRoomBytesMin = 1u << 20;

  Status cut_back();

  std::string path_;
  RecordBuffer buffer_;
  std::shared_ptr<File> file_;
  uint64_t size_ = kFileHeaderBytes;
  uint64_t room_end_ = kFileHeaderBytes;
  uint64_t group_bytes_ = 0;   // of the last flush
  uint64_t stored_ahead_ = 0;  // size_ at the last store_ahead()
  bool ragged_ = false;        // bytes of a failed write may stand behind size_
  uint64_t synced_;            // sequence
  bool synced_is_news_ = false;
};

}  // namespace roxdb::persist
