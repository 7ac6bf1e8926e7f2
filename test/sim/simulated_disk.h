// simulated_disk.h: a disk in memory that knows, at every moment, all it may hold after a power
// cut.
//
// What programs see is the page cache: every call takes effect there at once. What the platter
// holds lags behind. For each file the disk keeps the content of its last sync and the operations
// since; for each directory the entries of its last sync and the changes since:
//
//   file        synced content   + [write][write][truncate][write]...      sync() empties the list
//   directory   durable entries  + [create][rename][remove]...             sync_directory() does
//
// A power cut chooses, and images() enumerates and samples the choices. What is legal, after POSIX
// as ext4 and xfs keep it (and no stronger than that):
//
// L1  What was synced is there, in full. Syncing a file says nothing of its directory entry, and
//     syncing a directory says nothing of the contents of its files.
// L2  Data reaches the disk in sectors of 512 bytes, each whole, in any order and at any moment
//     after its write: every sector shows the file as it was after *some* operation since the sync,
//     each another one. A sector never shows a later write without the earlier ones to it, because
//     the page cache holds them together.
// L3  The size is metadata and travels alone: it is that after some operation since the sync. Where
//     it is ahead of the data there are zeros, where it is behind the data ends with it. A sector
//     never shows stale bytes of other files. So room of zeros is nothing but a new size.
// L4  A truncation is journaled: either it and everything before it in the file has happened, or it
//     and everything after it has not.
// L5  Entry changes of one directory are journaled: a prefix of their order has happened.
// Directories
//     go their own ways. A rename is one change, also between directories: both ends or neither.
// L6  So a created file may be absent, a removed one present, a renamed one under its old name,
//     whatever is known of its content.
// L7  A sync that failed has told the truth once: the operations before it may be lost for good,
// and
//     a later sync that succeeds covers only what came after (as Linux drops the dirty pages).
//
// Rules of images(), by the name an image carries:
//
//   synced            nothing of what was not synced
//   everything        all of it; also what kill -9 leaves, see everything()
//   entries only      all entry changes, no unsynced data
//   data only         all data, no unsynced entry change
//   entries k of n    a prefix of the changes of one directory; the rest as everything or as synced
//   prefix k of n     a prefix of the operations of one file; the rest as everything or as synced
//   zeros             one file has grown to its full size, the data is not there
//   torn              everything chosen at random within L1-L7
//
// Cost of an image: the pieces of pending data, not the size of the disk (disk_image.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "base/random.h"
#include "base/status.h"
#include "test/sim/disk_image.h"

namespace roxdb {

class SimulatedDisk {
 public:
  static constexpr size_t kSectorBytes = 512;

  // One operation on a file since its last sync.
  struct FileOperation {
    bool is_truncate = false;
    uint64_t offset = 0;      // of a write; the new size of a truncation
    std::string bytes;        // of a write; none: the file grew by zeros
    uint64_t size_after = 0;  // of the file
    bool lost = false;        // a sync failed after it: L7
  };

  // A file or a directory, whatever its names.
  struct Node;
  // Shared by the entries that name it, the durable entries that still do, and open files.
  using NodePointer = std::shared_ptr<Node>;
  struct Node {
    uint64_t serial = 0;  // gives random choices an order that does not hang on addresses
    bool is_directory = false;
    FileContent current;  // of a file, as programs see it
    FileContent synced;
    std::vector<FileOperation> pending;          // what leads from `synced` to `current`
    std::map<std::string, NodePointer> entries;  // of a directory, as programs see it
    std::map<std::string, NodePointer> durable_entries;
  };

  explicit SimulatedDisk(const DiskImage& image);
  SimulatedDisk(const SimulatedDisk&) = delete;
  SimulatedDisk& operator=(const SimulatedDisk&) = delete;

  // The calls of Environment and File, with their errors.
  Result<NodePointer> find(const std::string& path) const;
  Result<NodePointer> create_file(const std::string& path);
  NodePointer new_file() { return new_node(false); }  // without a name, for link_file()
  Status link_file(const std::string& path, const NodePointer& file);
  Status make_directory(const std::string& path);
  Status rename(const std::string& from, const std::string& to);
  Status remove(const std::string& path);
  Status sync_directory(const std::string& path);
  Result<std::vector<DirectoryEntry>> list(const std::string& path) const;
  void append(Node& file, std::string_view bytes);  // at the end
  void write(Node& file, uint64_t offset, std::string_view bytes);
  void make_room(Node& file, uint64_t end);  // zeros from the end of the file to there, if any
  void truncate(Node& file, uint64_t size);
  void sync(Node& file);
  void fail_sync(Node& file);  // L7; the caller reports the error

  // Different images of a power cut now, at most `count_max` (>= 2), the systematic rules first; a
  // pure function of the history of calls, `seed` and `count_max`. Fewer come back when there are
  // not so many; when more rules apply than fit, a random choice of them.
  std::vector<DiskImage> images(uint64_t seed, size_t count_max) const;
  // The one image of a process killed now: the kernel keeps what it was given.
  DiskImage everything() const;

 private:
  // One change of directory entries: takes a name away, or puts one there, or both (a rename).
  struct EntryOperation {
    NodePointer from_directory;  // null: nothing is taken away
    std::string from_name;
    NodePointer to_directory;  // null: nothing is put there
    std::string to_name;
    NodePointer node;  // what is put there

    std::vector<NodePointer> directories() const;  // the one or two it concerns
  };

  // How much of one file's pending operations a power cut leaves.
  struct FileChoice {
    enum class Data : uint8_t {
      kAsSize,   // every sector at the moment of the size: a prefix
      kNone,     // no sector newer than the last truncation: zeros
      kEither,   // every sector as early or as late as L4 allows
      kAnytime,  // every sector at a moment of its own
    };
    size_t size_at = 0;  // the number of operations the size has seen
    Data data = Data::kAsSize;
    uint64_t seed = 0;  // of the sectors' moments
  };

  // One power cut: a choice for every node that has one. Keys are serials.
  struct Choice {
    std::string rule;
    bool page_cache = false;             // no power cut at all: files are as programs see them
    std::map<uint64_t, size_t> entries;  // directory -> how many of its changes have happened
    std::map<uint64_t, FileChoice> files;
  };

  using Entries = std::map<std::string, NodePointer>;

  // Where a path ends: the name need not exist.
  struct Location {
    NodePointer directory;
    std::string name;
  };

  NodePointer new_node(bool is_directory);
  NodePointer find_or_make_directories(const std::string& path);
  Result<Location> locate(const std::string& path) const;
  void change_entries(EntryOperation operation);
  std::vector<NodePointer> unsynced_files() const;
  std::map<uint64_t, size_t> unsynced_directories() const;  // serial -> number of changes
  Choice plain_choice(std::string rule, bool with_entries, bool with_data) const;
  std::vector<Choice> systematic_choices() const;
  Choice random_choice(Random& random) const;
  // The image of a choice. Equal choices have equal fingerprints, however they are put.
  DiskImage image_of(const Choice& choice, uint64_t& fingerprint) const;
  static FileContent content_of(const Node& file, const FileChoice& choice, uint64_t& fingerprint);

  uint64_t serials_ = 0;
  std::map<uint64_t, std::weak_ptr<Node>> files_;  // every file that may still be anywhere
  NodePointer root_;
  std::vector<EntryOperation> pending_entries_;  // of all directories, in order
};

}  // namespace roxdb
