// manifest.h: which files make up the log, in which order (reliability F9).
//
//   dir/appenddirname/
//     appendonly.aof.manifest.rox   this file
//     appendonly.aof.7.base.rox     a snapshot: the state up to a sequence
//     appendonly.aof.7.incr.rox     units from there on (aof_record.h)
//     appendonly.aof.8.incr.rox     the last one is written to
//
// Text, one line per file, in the order of loading:
//
//   RoxDB log 1                                        format version
//   base 1200 appendonly.aof.7.base.rox                the last sequence it contains
//   increment 1201 appendonly.aof.7.incr.rox           the first sequence in it
//   increment 5120 appendonly.aof.8.incr.rox
//   retired 0 appendonly.aof.6.base.rox                in no use; removed, or to be
//   ended 9f2c01d47ab3e865                             see below
//   hash 04be219d7755aa31                              XXH3-64 (seed 0) of all bytes before the
//   line
//
// Without a base the log begins with an empty keyspace. Increments follow each other without a gap,
// and may overlap: a unit that is in two of them is applied once. That is how a rewrite switches
// increments without anybody waiting (aof.h).
//
// `ended` says that the log was switched off, and which snapshot was there then (snapshot_identity;
// 0: none). A snapshot that is there now and is another one is newer than the log, and wins.
//
// The file is only ever replaced as a whole, after every file that it names is complete and on the
// disk. A directory with our files and without a manifest is damaged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "base/status.h"

namespace roxdb::persist {

struct ManifestFile {
  std::string name;       // without directory
  uint64_t sequence = 0;  // base: the last one in it; increment: the first one

  friend bool operator==(const ManifestFile&, const ManifestFile&) = default;
};

struct Manifest {
  std::optional<ManifestFile> base;
  std::vector<ManifestFile> increments;
  std::vector<std::string> retired;
  std::optional<uint64_t> ended;

  friend bool operator==(const Manifest&, const Manifest&) = default;
};

std::string encode_manifest(const Manifest& manifest);
// Code::kCorrupt with the reason in `why`. Names with a '/' are refused.
Status decode_manifest(std::string_view text, Manifest& manifest, std::string& why);

// <prefix>.manifest.rox
std::string manifest_name(std::string_view prefix);
// Code::kNotFound; Code::kIo; Code::kCorrupt with the reason in `why`.
Status read_manifest(Environment& environment, const std::string& path, Manifest& manifest,
                     std::string& why);

enum class LogFileKind : uint8_t { kBase, kIncrement };
// <prefix>.<number>.base.rox, <prefix>.<number>.incr.rox
std::string log_file_name(std::string_view prefix, uint64_t number, LogFileKind kind);
// The number in such a name; nothing for any other name.
std::optional<uint64_t> log_file_number(std::string_view prefix, std::string_view name);

// Tells one snapshot file from another: a hash of its beginning, which holds a random id or, in a
// foreign one, its time. 0: no file. Errors of reading travel.
Result<uint64_t> snapshot_identity(Environment& environment, const std::string& path);

}  // namespace roxdb::persist
